//! `switchboard doctor`: whether calls come through, and what to do if not.

use super::{Found, Global, show};
use crate::account::Account;
use crate::doctor::{Doctor as Examination, Verdict};
use crate::plan_report;
use crate::stack::Stack;
use serde_json::json;
use std::path::PathBuf;

/// Look at the whole chain from Vonage to a deployed stack, and say what to do where it does not hold.
/// Changes nothing.
///
/// Needs VONAGE_API_KEY and VONAGE_API_SECRET, and AWS credentials as every AWS tool reads them.
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {
    /// The plan file that should be in force.
    #[arg(default_value = "switchboard.toml")]
    plan: PathBuf,
}

impl Doctor {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let stack = Stack::open(global.stack.as_deref()).await?;
        let examination = Examination {
            account: Account::from_environment(&stack.environment),
            plan: plan_report::read(&self.plan),
            stack: &stack,
        };
        let checks = examination.examine().await;
        let problems = checks.iter().filter(|check| check.is_problem()).count();
        if global.json {
            show::json(&json!({ "checks": checks }));
        } else {
            let widest = checks.iter().map(|check| check.name.len()).max();
            let width = widest.unwrap_or_default();
            for check in &checks {
                let (word, found, todo) = match &check.verdict {
                    Verdict::Ok { found } => ("ok", found, None),
                    Verdict::Problem { found, todo } => ("problem", found, Some(todo)),
                    Verdict::Skipped { found } => ("skipped", found, None),
                };
                show::line(&format!("{word:<8} {:<width$}  {found}", check.name));
                if let Some(todo) = todo {
                    show::line(&format!("{:8} {:<width$}  → {todo}", "", ""));
                }
            }
            show::say(&match problems {
                0 => "calls come through".to_owned(),
                1 => "1 problem".to_owned(),
                more => format!("{more} problems"),
            });
        }
        Ok(if problems == 0 {
            Found::Fine
        } else {
            Found::Problem
        })
    }
}
