//! The operator's commands.
//!
//! Exit codes: 0 fine, 1 a problem was found, 2 the command was not understood.

mod agent;
mod at;
mod calls;
mod chosen;
mod desk;
mod dev;
mod doctor;
mod export;
mod ncco;
mod notices;
mod plan;
mod preview;
mod queue;
mod recordings;
mod sentence;
mod setup;
mod sheet;
mod show;
mod sign;
mod simulate;
mod summary;

use crate::environment::Environment;
use crate::stack::Stack;
use aws_config::SdkConfig;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Answers the calls to your Vonage numbers.
#[derive(Debug, Parser)]
#[command(name = "switchboard", version, about, propagate_version = true)]
pub struct Command {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    what: What,
}

/// Options of every command.
#[derive(Debug, Clone, clap::Args)]
struct Global {
    /// Folder of the board's state.
    #[arg(
        long,
        global = true,
        default_value = ".switchboard",
        value_name = "DIR"
    )]
    data: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    /// Work on the deployed stack that the SWITCHBOARD_* and AWS_* variables name, not on a board.
    #[arg(long, global = true)]
    aws: bool,
    /// Work on the deployed stack of this name: its outputs stand for the variables that are not set.
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "SWITCHBOARD_STACK",
        hide_env_values = true
    )]
    stack: Option<String>,
}

impl Global {
    /// Whether it is about a deployed stack.
    fn is_cloud(&self) -> bool {
        self.aws || self.stack.is_some()
    }

    /// AWS, and the settings of the deployed stack.
    async fn cloud(&self) -> anyhow::Result<(SdkConfig, Environment)> {
        Stack::environment(self.stack.as_deref()).await
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Run everything on this machine, no account needed.
    Dev(dev::Dev),
    /// Look after the plan: its file, and the versions in force.
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Show what a call would hear, and why.
    Preview(preview::Preview),
    /// Play calls that are never made, and print what callers hear.
    Simulate(simulate::Simulate),
    /// Look after NCCOs.
    #[command(subcommand)]
    Ncco(ncco::Ncco),
    /// List calls, show one, or hold one.
    Calls(calls::Calls),
    /// Sum up the calls of a day or a week.
    Summary(summary::Summary),
    /// Write the ledger as tables for a spreadsheet.
    Export(export::Export),
    /// Show who waits, and the agents.
    Queue(queue::Queue),
    /// Say that an agent is free or away.
    #[command(subcommand)]
    Agent(agent::Agent),
    /// List, fetch and retry recordings.
    Recordings(recordings::Recordings),
    /// List and retry notifications that did not get through.
    Notices(notices::Notices),
    /// Set a deployed stack up at Vonage: application, numbers, secrets.
    Setup(setup::Setup),
    /// Look whether calls come through to a deployed stack, and say what to do if not.
    Doctor(doctor::Doctor),
    /// Sign a webhook as Vonage would, to try the board with curl.
    Sign(sign::Sign),
    /// Make the link by which an agent says "free" from a phone.
    Link(sign::Link),
    /// Print the token by which the board's owner acts as operator.
    Token(sign::Token),
}

/// What a command came to.
enum Found {
    /// Nothing to complain of.
    Fine,
    /// A problem, already printed.
    Problem,
}

/// What is logged unless `RUST_LOG` says otherwise. The engines' own words are for their authors:
/// they log whole requests, and a warning for every condition that fails.
const LOGS: &str = "warn,switchboard=info,switchboard_answer=info,switchboard_event=info,\
    switchboard_fallback=info,switchboard_recording=info,switchboard_archive=info,\
    switchboard_transfer=info,switchboard_dispatch=info,switchboard_shared=info,switchboard_cli=info,\
    s3s=error,s3s_fs=error,dynoxide=error";

/// The same where a transcript is printed: it tells what matters, and failures that a scenario is
/// about are in it.
const LOGS_OF_SIMULATION: &str = "off";

impl Command {
    /// What it logs, unless `RUST_LOG` says otherwise.
    #[must_use]
    pub fn logs(&self) -> &'static str {
        match self.what {
            What::Simulate(_) => LOGS_OF_SIMULATION,
            _ => LOGS,
        }
    }

    /// Runs the command.
    pub async fn run(self) -> ExitCode {
        let global = self.global;
        let done = match self.what {
            What::Dev(dev) => dev.run(&global).await,
            What::Plan(plan) => plan.run(&global).await,
            What::Preview(preview) => preview.run(),
            What::Simulate(simulate) => simulate.run(&global).await,
            What::Ncco(ncco) => ncco.run(&global),
            What::Calls(calls) => calls.run(&global).await,
            What::Summary(summary) => summary.run(&global).await,
            What::Export(export) => export.run(&global).await,
            What::Queue(queue) => queue.run(&global).await,
            What::Agent(agent) => agent.run(&global).await,
            What::Recordings(recordings) => recordings.run(&global).await,
            What::Notices(notices) => notices.run(&global).await,
            What::Setup(setup) => setup.run(&global).await,
            What::Doctor(doctor) => doctor.run(&global).await,
            What::Sign(sign) => sign.run(&global).await,
            What::Link(link) => link.run(&global).await,
            What::Token(token) => token.run(&global),
        };
        match done {
            Ok(Found::Fine) => ExitCode::SUCCESS,
            Ok(Found::Problem) => ExitCode::FAILURE,
            Err(error) => {
                show::complain(&format!("{error:#}"));
                ExitCode::FAILURE
            }
        }
    }
}
