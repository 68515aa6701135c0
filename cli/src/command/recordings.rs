//! `switchboard recordings`: the archive.

mod get;

use super::desk::{Desk, Place};
use super::{Found, Global, show};
use anyhow::{Context as _, bail};
use get::Wanted;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::path::PathBuf;
use std::time::Duration;
use switchboard_shared::id::RecordingId;
use switchboard_shared::job::ArchiveJob;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::Listing;

/// Days of archived recordings listed.
const DAYS: i32 = 31;

/// List, fetch and retry recordings.
#[derive(Debug, clap::Args)]
pub(super) struct Recordings {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Fetch recordings: from the archive by id or day, or straight from Vonage by address. What is
    /// there already is left, and what broke off goes on.
    Get {
        /// The recording_uuid of a notice; a day (2026-11-01); or a recording_url.
        #[arg(required = true, value_name = "ID|DAY|URL")]
        wanted: Vec<Wanted>,
        /// Folder to put them in.
        #[arg(long, value_name = "DIR", default_value = ".")]
        out: PathBuf,
    },
    /// Take up recordings that were given up.
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Retry {
        /// The recording_uuid of its notice.
        #[arg(group = "which")]
        id: Option<RecordingId>,
        /// All that were given up.
        #[arg(long, group = "which")]
        all: bool,
    },
}

impl Recordings {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        if let Some(What::Get { wanted, out }) = &self.what {
            return get::get(global, wanted, out).await;
        }
        let desk = Desk::open(global).await?;
        let done = match self.what {
            None | Some(What::Get { .. }) => list(&desk, global).await,
            Some(What::Retry { id, .. }) => retry(&desk, global, id).await,
        };
        desk.close().await;
        done
    }
}

async fn list(desk: &Desk, global: &Global) -> anyhow::Result<Found> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut recordings = Vec::new();
    for ago in (0..DAYS).rev() {
        let day = today.checked_sub(ago.days())?;
        recordings.extend(desk.store.recordings_in(Listing::Archived(day)).await?);
    }
    for listing in [Listing::Pending, Listing::Failed] {
        recordings.extend(desk.store.recordings_in(listing).await?);
    }
    if global.json {
        show::json(&recordings);
        return Ok(Found::Fine);
    }
    let rows = recordings.iter().map(|recording| {
        [
            show::local(recording.at),
            recording.line.clone().unwrap_or_default(),
            word(recording.state).to_owned(),
            recording
                .bytes
                .map(|bytes| bytes.to_string())
                .unwrap_or_default(),
            recording.notice.recording.to_string(),
            recording.reason.clone().unwrap_or_default(),
        ]
    });
    show::table(
        ["at", "line", "state", "bytes", "recording", ""],
        rows.collect(),
        "no recordings",
    );
    Ok(Found::Fine)
}

fn word(state: State) -> &'static str {
    match state {
        State::Pending => "pending",
        State::Archived => "archived",
        State::Empty => "empty",
        State::Failed => "failed",
        State::Expired => "expired",
        State::Deleted => "deleted",
    }
}

async fn retry(desk: &Desk, global: &Global, id: Option<RecordingId>) -> anyhow::Result<Found> {
    let given_up = match &id {
        Some(id) => {
            let recording = desk.store.recording(id).await?;
            vec![recording.with_context(|| format!("no recording {id} was ever announced; `switchboard recordings` lists those that were"))?]
        }
        None => desk.store.recordings_in(Listing::Failed).await?,
    };
    let mut taken_up = Vec::new();
    for mut recording in given_up {
        if !matches!(recording.state, State::Pending | State::Failed) {
            bail!(
                "recording {} is {} already",
                recording.notice.recording,
                word(recording.state)
            );
        }
        take_up(desk, &mut recording).await?;
        taken_up.push(recording.notice.recording);
    }
    if global.json {
        show::json(&taken_up);
        return Ok(Found::Fine);
    }
    taken_up.iter().for_each(|id| show::line(id.as_str()));
    let asleep = matches!(desk.place, Place::Asleep { .. });
    show::say(&match (taken_up.len(), asleep) {
        (0, _) => "nothing was given up".to_owned(),
        (count, true) => format!("{count} taken up; the next `switchboard dev` downloads them"),
        (count, false) => format!("{count} taken up"),
    });
    Ok(Found::Fine)
}

async fn take_up(desk: &Desk, recording: &mut Recording) -> anyhow::Result<()> {
    recording.state = State::Pending;
    recording.attempts = 0;
    recording.due = Timestamp::now();
    desk.store.update_recording(recording).await?;
    if let Place::Running { archive_queue, .. } | Place::Cloud { archive_queue, .. } = &desk.place {
        let job = ArchiveJob {
            recording: recording.notice.recording.clone(),
        };
        archive_queue.take_from_dead(&job).await?;
        archive_queue.send(&job, Duration::ZERO).await?;
    }
    Ok(())
}
