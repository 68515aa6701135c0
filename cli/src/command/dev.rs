//! `switchboard dev`: the board.

use super::{Found, Global, show};
use crate::board::{Board, BoardConfig};
use crate::environment::Environment;
use crate::plan_report;
use crate::trial::Trial;
use anyhow::{Context as _, bail};
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
    /// Be rung by Vonage itself: with the VONAGE_* variables of your application, and
    /// SWITCHBOARD_BASE_URL, the https address at which a tunnel reaches this machine.
    #[arg(long)]
    live: bool,
}

/// What `--live` cannot do without, and where each comes from.
const LIVE: [(&str, &str); 4] = [
    (
        "SWITCHBOARD_BASE_URL",
        "the tunnel's address, such as https://name.ngrok.app",
    ),
    ("VONAGE_APPLICATION_ID", "dashboard, Applications"),
    (
        "VONAGE_PRIVATE_KEY",
        "the file that the dashboard gave when the key was made, or its text",
    ),
    ("VONAGE_SIGNATURE_SECRET", "dashboard, API settings"),
];

/// Whether all is set that Vonage itself needs.
fn check_live(environment: &Environment) -> anyhow::Result<()> {
    let missing: Vec<_> = LIVE
        .iter()
        .filter(|(name, _)| environment.get(name).is_none())
        .map(|(name, whence)| format!("  {name}: {whence}"))
        .collect();
    if !missing.is_empty() {
        bail!("--live needs these variables:\n{}", missing.join("\n"));
    }
    let base = environment.get("SWITCHBOARD_BASE_URL").unwrap_or_default();
    if !base.starts_with("https://") {
        bail!("SWITCHBOARD_BASE_URL must begin with https://: Vonage calls nothing else");
    }
    Ok(())
}

impl Dev {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let environment = Environment::of_process();
        if self.live {
            check_live(&environment)?;
        }
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
            phone: (!self.live).then(Trial::default),
            meter: None,
        })
        .await
        .context("could not start the board")?;
        // Listened for before anybody is told to come: who stops us at once is heard.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        show::line(&format!("ready {}", board.url()));
        match (
            board.phone(),
            board.environment().get("SWITCHBOARD_BASE_URL"),
        ) {
            (Some(_), _) => show::say(&format!("call it: {}/phone", board.url())),
            (None, Some(base)) if self.live => show::say(&format!(
                "live: set the application's answer URL to {base}/webhooks/answer, \
                 its fallback to {base}/webhooks/fallback and its event URL to {base}/webhooks/event, all by POST"
            )),
            (None, _) => {}
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        show::say("stopping: requests under way finish");
        board.stop().await;
        Ok(Found::Fine)
    }
}
