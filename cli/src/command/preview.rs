//! `switchboard preview`: what a call would hear.

use super::{Found, plan, show};
use anyhow::{Context as _, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::path::PathBuf;
use std::str::FromStr;
use switchboard_shared::call::Call;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::plan::{Plan, hours};
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
    at: Option<At>,
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
            Some(at) => at.moment(plan.defaults().timezone.as_ref())?,
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
#[derive(Debug, Clone)]
enum At {
    Instant(Timestamp),
    Wall(DateTime),
}

impl FromStr for At {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let zoned = || text.parse::<Zoned>().map(|at| at.timestamp());
        if let Ok(at) = text.parse().or_else(|_| zoned()) {
            return Ok(Self::Instant(at));
        }
        text.parse()
            .map(Self::Wall)
            .map_err(|_| "write it like 2026-12-25T10:00")
    }
}

impl At {
    fn moment(&self, zone: Option<&TimeZone>) -> anyhow::Result<Timestamp> {
        match self {
            Self::Instant(at) => Ok(*at),
            Self::Wall(wall) => hours::instant(zone.unwrap_or(&TimeZone::UTC), *wall)
                .context("there is no such moment"),
        }
    }
}
