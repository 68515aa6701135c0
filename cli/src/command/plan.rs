//! `switchboard plan`: the plan file.

use super::{Found, Global, show};
use crate::plan_report;
use std::path::PathBuf;
use switchboard_shared::plan::Plan as Parsed;

/// Look after the plan file.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Plan {
    /// Find every fault in a plan, with its line and what to do about it.
    Check {
        /// The plan file.
        #[arg(default_value = "switchboard.toml")]
        file: PathBuf,
    },
}

impl Plan {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Found> {
        let Self::Check { file } = self;
        let text = plan_report::text(&file)?;
        let checked = Parsed::parse_on(&text, Some(jiff::Zoned::now().date()));
        if global.json {
            show::line(&plan_report::json(&checked.faults));
        } else if !checked.faults.is_empty() {
            show::line(&plan_report::draw(
                &file.display().to_string(),
                &text,
                &checked.faults,
                show::colour(),
            ));
        }
        let Some(plan) = checked.plan else {
            return Ok(Found::Problem);
        };
        if !global.json {
            let (lines, flows) = (plan.lines().count(), plan.flows().count());
            let agents = plan.agents().count();
            show::say(&format!(
                "{}: {lines} lines, {flows} flows, {agents} agents, no fault",
                file.display()
            ));
        }
        Ok(Found::Fine)
    }
}
