//! `switchboard plan diff` and `show`: versions of the plan, beside one another or alone.

use super::compared::{Compared, Text, in_force, named};
use crate::command::desk::Shelf;
use crate::command::{Found, Global, show};
use crate::plan_report;
use serde_json::json;
use std::path::PathBuf;
use switchboard_shared::store::{Prefix, Store};

/// Show what differs: the file from the plan in force, or one version from another. Ends with 1 where
/// anything does.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Diff {
    /// The older version; without it, the one in force is compared with the file.
    #[arg(value_name = "A")]
    old: Option<Prefix>,
    /// The newer version; without it, the one in force, or the file that is named.
    #[arg(value_name = "B", conflicts_with = "file")]
    new: Option<Prefix>,
    /// The plan file; switchboard.toml where no version is named.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Print a version as the file it was.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Show {
    /// The version; without it, the one in force.
    #[arg(value_name = "VERSION")]
    which: Option<Prefix>,
}

impl Diff {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let shelf = Shelf::open(global).await?;
        let both = self.both(&shelf.store).await;
        shelf.close().await;
        let (old, new) = both?;
        let compared = Compared::of(&old, &new);
        if global.json {
            show::json(&compared.json());
        } else if compared.same() {
            show::say(&format!("{} and {} are the same", old.name, new.name));
        } else {
            compared.print();
        }
        Ok(if compared.same() {
            Found::Fine
        } else {
            Found::Problem
        })
    }

    async fn both(&self, store: &Store) -> anyhow::Result<(Text, Text)> {
        let old = match &self.old {
            Some(prefix) => named(store, prefix).await?,
            None => in_force(store).await?,
        };
        let new = match (&self.new, &self.file, &self.old) {
            (Some(prefix), _, _) => named(store, prefix).await?,
            (None, None, Some(_)) => in_force(store).await?,
            (None, file, _) => {
                let file = file.clone().unwrap_or_else(|| "switchboard.toml".into());
                Text {
                    name: file.display().to_string(),
                    text: plan_report::text(&file)?,
                }
            }
        };
        Ok((old, new))
    }
}

impl Show {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let shelf = Shelf::open(global).await?;
        let found = match &self.which {
            Some(prefix) => named(&shelf.store, prefix).await,
            None => in_force(&shelf.store).await,
        };
        shelf.close().await;
        let found = found?;
        if global.json {
            show::json(&json!({ "version": found.name, "text": found.text }));
        } else {
            show::text(&found.text);
        }
        Ok(Found::Fine)
    }
}
