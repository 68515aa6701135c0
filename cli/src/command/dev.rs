//! `switchboard dev`: the board.

use super::{Found, Global, show};
use crate::board::{Board, BoardConfig};
use crate::environment::Environment;
use crate::plan_report;
use anyhow::Context as _;
use std::path::PathBuf;
use switchboard_shared::clock::Clock;
use switchboard_shared::plan::Plan;
use tokio::signal::unix::{SignalKind, signal};

/// Run everything on this machine.
#[derive(Debug, clap::Args)]
pub(super) struct Dev {
    /// Port on 127.0.0.1; 0 picks a free one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// The plan file.
    #[arg(long, default_value = "switchboard.toml", value_name = "FILE")]
    plan: PathBuf,
}

impl Dev {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let environment = Environment::of_process();
        let plan = environment
            .get("SWITCHBOARD_PLAN")
            .map_or(self.plan, PathBuf::from);
        let text = std::fs::read_to_string(&plan).with_context(|| {
            format!(
                "could not read the plan {}; name yours with --plan",
                plan.display()
            )
        })?;
        let checked = Plan::parse(&text);
        if !checked.faults.is_empty() {
            show::say(&plan_report::draw(
                &plan.display().to_string(),
                &text,
                &checked.faults,
                show::colour(),
            ));
        }
        if checked.plan.is_none() {
            return Ok(Found::Problem);
        }
        let board = Board::start(BoardConfig {
            data: Some(global.data.clone()),
            port: self.port,
            plan,
            environment,
            clock: Clock::default(),
            delays: None,
        })
        .await
        .context("could not start the board")?;
        // Listened for before anybody is told to come: who stops us at once is heard.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        show::line(&format!("ready {}", board.url()));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        show::say("stopping: requests under way finish");
        board.stop().await;
        Ok(Found::Fine)
    }
}
