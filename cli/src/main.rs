//! `switchboard`: the board, and the operator's commands.

use clap::Parser as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use switchboard_cli::command::Command;

/// What is logged unless `RUST_LOG` says otherwise. The engines' own words are for their authors:
/// they log whole requests, and a warning for every condition that fails.
const LOGS: &str = "warn,switchboard=info,switchboard_answer=info,switchboard_event=info,\
    switchboard_recording=info,switchboard_archive=info,switchboard_transfer=info,\
    switchboard_dispatch=info,switchboard_shared=info,switchboard_cli=info,\
    s3s=error,s3s_fs=error,dynoxide=error";

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| LOGS.into()),
        )
        .init();
    Command::parse().run().await
}
