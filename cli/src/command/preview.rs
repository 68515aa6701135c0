//! `switchboard preview`: what a call would hear.

use super::{Found, plan, show};
use anyhow::{Context as _, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::path::PathBuf;
use switchboard_shared::call::Call;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::plan::Plan;
use switchboard_shared::script::{self, Next};

/// Show what a call would hear, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Preview {
    /// The number that is called.
    #[arg(long, value_name = "NUMBER")]
    line: String,
    /// The number that calls.
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// The moment, like 2026-12-25T10:00, in the plan's time zone; now if left out.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The plan file.
    #[arg(long, default_value = "switchboard.toml", value_name = "FILE")]
    plan: PathBuf,
}

impl Preview {
    pub(super) fn run(self) -> anyhow::Result<Found> {
        let text = plan::read(&self.plan)?;
        let Some(plan) = Plan::parse(&text).plan else {
            let file = self.plan.display();
            bail!("{file} has faults; `switchboard plan check {file}` shows them");
        };
        let now = match &self.at {
            Some(text) => moment(text, plan.defaults().timezone.clone())?,
            None => Timestamp::now(),
        };
        // The number may be written as people do: +44 7700 900000.
        let line = PhoneNumber::parse(&self.line).map_or(self.line, String::from);
        let call = Call {
            leg: "preview-leg".parse().expect("an id"),
            conversation: "CON-preview".parse().expect("an id"),
            line,
            from: self.from,
            at: now,
            base: std::env::var("SWITCHBOARD_BASE_URL")
                .unwrap_or_else(|_| "https://switchboard.example".to_owned()),
            region: None,
            refused: None,
            plan: plan.version().to_owned(),
            place: None,
            offer: None,
            served: None,
            lost: false,
            ended: None,
        };
        let decision = script::answer(&plan, &call, now);
        let ncco = match decision.next {
            Next::Say(ncco) => ncco,
            Next::Wait(flow, queue) => script::hold(flow, queue, &call, 0),
        };
        show::json(&ncco);
        show::say(&decision.why);
        Ok(Found::Fine)
    }
}

/// A moment as a person writes it: with its offset or zone, or by the clock of the plan's zone.
fn moment(text: &str, zone: Option<TimeZone>) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(at) = text.parse::<Zoned>() {
        return Ok(at.timestamp());
    }
    let civil: DateTime = text
        .parse()
        .with_context(|| format!("--at {text} is no time; write it like 2026-12-25T10:00"))?;
    // 02:30 may not exist, or exist twice: the later and the earlier are meant.
    let zone = zone.unwrap_or(TimeZone::UTC);
    Ok(zone.to_ambiguous_timestamp(civil).compatible()?)
}
