//! `switchboard`: the board, and the operator's commands.

use clap::Parser as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;
use switchboard_cli::command::Command;

#[tokio::main]
async fn main() -> ExitCode {
    let command = Command::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| command.logs().into()),
        )
        .init();
    command.run().await
}
