//! `switchboard`: the board, and the operator's commands.

use clap::Parser as _;
use std::process::ExitCode;
use switchboard_cli::command::Command;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| "warn,switchboard=info".into()),
        )
        .init();
    Command::parse().run().await
}
