//! `switchboard plan history`: what was put in force, by whom and when.

use crate::command::desk::Shelf;
use crate::command::{Found, Global, show};
use serde::Serialize;
use switchboard_shared::store::Push;

/// List what was put in force, by whom and when.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct History {
    /// How many, the newest first.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// A push, as a program reads it.
#[derive(Serialize)]
struct Listed {
    in_force: bool,
    #[serde(flatten)]
    push: Push,
}

impl History {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let shelf = Shelf::open(global).await?;
        let pushes = shelf.store.pushes(self.limit.into()).await;
        shelf.close().await;
        let pushes = pushes?.into_iter();
        if global.json {
            let listed = pushes.map(|push| Listed {
                in_force: push.until.is_none(),
                push,
            });
            show::json(&listed.collect::<Vec<_>>());
            return Ok(Found::Fine);
        }
        let rows = pushes.map(|push| {
            [
                push.version,
                show::local(push.pushed),
                push.until.map_or("in force".to_owned(), show::local),
                push.lines.to_string(),
                push.flows.to_string(),
                push.agents.to_string(),
                show::plain(&push.by.unwrap_or_default()),
                show::plain(&push.note.unwrap_or_default()),
            ]
        });
        show::table(
            [
                "version", "since", "until", "lines", "flows", "agents", "by", "note",
            ],
            rows.collect(),
            "no plan was ever put in force here",
        );
        Ok(Found::Fine)
    }
}
