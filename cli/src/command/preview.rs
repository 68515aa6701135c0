//! `switchboard preview`: what a call would hear.

use super::at::At;
use super::{Found, show};
use crate::plan_report;
use jiff::Timestamp;
use std::path::PathBuf;
use switchboard_shared::call::Call;
use switchboard_shared::number::PhoneNumber;
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
        let plan = plan_report::read(&self.plan)?;
        let now = match &self.at {
            Some(at) => at.moment(plan.defaults().timezone.as_ref())?,
            None => Timestamp::now(),
        };
        // The number may be written as people do: +44 7700 900000.
        let line = PhoneNumber::parse(&self.line).map_or(self.line, String::from);
        let base = std::env::var("SWITCHBOARD_BASE_URL");
        let call = Call {
            from: self.from,
            ..Call::new(
                "preview-leg".parse().expect("an id"),
                "CON-preview".parse().expect("an id"),
                line,
                now,
                base.unwrap_or_else(|_| "https://switchboard.example".to_owned()),
                &plan,
            )
        };
        let decision = script::answer(&plan, &call, now);
        let ncco = match decision.next {
            Next::Say(ncco) => ncco,
            Next::Wait(flow, queue) => script::hold(flow, queue, &call, 0),
            Next::Gather(flow, hotline) => script::room::room(&plan, flow, hotline, &call),
        };
        show::json(&ncco);
        show::say(&decision.why);
        Ok(Found::Fine)
    }
}
