//! `switchboard notices`: who was not told, and why.

use super::desk::{Desk, Place};
use super::sign::settings;
use super::{Found, Global, show};
use crate::board;
use anyhow::{Context as _, bail};
use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use std::time::Duration;
use switchboard_shared::job::Job;
use switchboard_shared::notify::{Notification, NotificationId, Seal, State};
use switchboard_shared::plan::TargetName;
use switchboard_shared::store::Listing;

/// List and retry notifications that did not get through.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Notices {
    /// Only those that were given up, and none that will be tried again.
    #[arg(long)]
    failed: bool,
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Take up notifications that were given up.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Retry {
        /// NEWS:TARGET, as they are listed.
        #[arg(group = "which")]
        id: Option<NotificationId>,
        /// All that were given up.
        #[arg(long, group = "which")]
        all: bool,
    },
    /// Print the key with which a webhook checks that it was us.
    Key {
        /// The name of the `[[notify]]` in the plan.
        target: TargetName,
    },
}

impl Notices {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        if let Some(What::Key { target }) = &self.what {
            return key(global, target).await;
        }
        let desk = Desk::open(global).await?;
        let done = match self.what {
            Some(What::Retry { id, .. }) => retry(&desk, global, id).await,
            _ => list(&desk, global, self.failed).await,
        };
        desk.close().await;
        done
    }
}

async fn list(desk: &Desk, global: &Global, failed: bool) -> anyhow::Result<Found> {
    let mut notifications = Vec::new();
    if !failed {
        notifications.extend(desk.store.notifications_in(Listing::Untold).await?);
    }
    notifications.extend(desk.store.notifications_in(Listing::GivenUp).await?);
    if global.json {
        show::json(&notifications);
        return Ok(Found::Fine);
    }
    let rows = notifications.iter().map(|notification| {
        let next = match notification.state {
            State::Pending => show::local(notification.due),
            State::Told | State::Failed => String::new(),
        };
        [
            show::local(notification.since),
            notification.state.word().to_owned(),
            notification.attempts.to_string(),
            next,
            notification.id.to_string(),
            notification.reason.clone().unwrap_or_default(),
        ]
    });
    show::table(
        ["since", "state", "attempts", "next", "notice", ""],
        rows.collect(),
        "everybody was told",
    );
    Ok(Found::Fine)
}

async fn retry(desk: &Desk, global: &Global, id: Option<NotificationId>) -> anyhow::Result<Found> {
    let given_up = match &id {
        Some(id) => {
            let notification = desk.store.notification(id).await?;
            vec![notification.with_context(|| {
                format!("there was never a notice {id}; `switchboard notices` lists them")
            })?]
        }
        None => desk.store.notifications_in(Listing::GivenUp).await?,
    };
    let mut taken_up = Vec::new();
    for mut notification in given_up {
        if !take_up(desk, &mut notification).await? {
            bail!("{} was told already", notification.id);
        }
        taken_up.push(notification.id.to_string());
    }
    if global.json {
        show::json(&taken_up);
        return Ok(Found::Fine);
    }
    taken_up.iter().for_each(|id| show::line(id));
    let asleep = matches!(desk.place, Place::Asleep { .. });
    show::say(&match (taken_up.len(), asleep) {
        (0, _) => "nothing was given up".to_owned(),
        (count, true) => format!("{count} taken up; the next `switchboard dev` tells them"),
        (count, false) => format!("{count} taken up"),
    });
    Ok(Found::Fine)
}

async fn take_up(desk: &Desk, notification: &mut Notification) -> anyhow::Result<bool> {
    let now = Timestamp::now();
    if notification.state == State::Told
        || !desk.store.take_up_notification(notification, now).await?
    {
        return Ok(false);
    }
    let jobs = match &desk.place {
        Place::Running { jobs, .. } => jobs,
        Place::Cloud { exchange, .. } => &exchange.jobs,
        Place::Asleep { .. } => return Ok(true),
    };
    let job = Job::Notify {
        notification: notification.id.clone(),
    };
    jobs.send(&job, Duration::ZERO).await?;
    Ok(true)
}

async fn key(global: &Global, target: &TargetName) -> anyhow::Result<Found> {
    let lookup = board::lookup(&settings(global).await?);
    let key = Seal::from_lookup(&lookup)
        .key(target)
        .context("VONAGE_SIGNATURE_SECRET is not set")?;
    show::one(global, "key", key.expose_secret());
    Ok(Found::Fine)
}
