//! `switchboard recordings`: the archive.

use super::desk::{Desk, Place};
use super::{Found, Global, show};
use anyhow::{Context as _, bail};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use switchboard_shared::id::RecordingId;
use switchboard_shared::job::ArchiveJob;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::Listing;
use switchboard_shared::transcript::Transcript;
use tokio::io::AsyncWriteExt as _;

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
    /// Fetch an archived recording.
    Get {
        /// The recording_uuid of its notice.
        id: RecordingId,
        /// Folder to put it in.
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
        let desk = Desk::open(global).await?;
        let done = match self.what {
            None => list(&desk, global).await,
            Some(What::Get { id, out }) => get(&desk, global, &id, &out).await,
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
    }
}

async fn get(desk: &Desk, global: &Global, id: &RecordingId, out: &Path) -> anyhow::Result<Found> {
    let recording = desk.store.recording(id).await?;
    let recording = recording.with_context(|| {
        format!(
            "no recording {id} was ever announced; `switchboard recordings` lists those that were"
        )
    })?;
    let Some(key) = &recording.key else {
        let why = recording.reason.as_deref().unwrap_or("it is on its way");
        let next = match recording.state {
            State::Failed => format!("; `switchboard recordings retry {id}` takes it up again"),
            _ => String::new(),
        };
        bail!("recording {id} is {}: {why}{next}", word(recording.state));
    };
    std::fs::create_dir_all(out).with_context(|| format!("could not make {}", out.display()))?;
    let (path, bytes) = fetch(desk, id, key, recording.bytes, out).await?;
    let transcript = desk.store.transcript(id).await?;
    let written_down = match &transcript {
        Some(Transcript {
            key: Some(key),
            bytes,
            ..
        }) => Some(fetch(desk, id, key, *bytes, out).await?.0),
        _ => None,
    };
    if global.json {
        show::json(&serde_json::json!({
            "recording": id,
            "file": path,
            "bytes": bytes,
            "sha256": recording.sha256,
            "transcript": written_down,
        }));
    } else {
        show::line(&path.display().to_string());
        if let Some(path) = written_down {
            show::line(&path.display().to_string());
        }
    }
    Ok(Found::Fine)
}

/// Copies an object of the archive into a folder. Where it came to lie, and its size.
async fn fetch(
    desk: &Desk,
    id: &RecordingId,
    key: &str,
    expected: Option<u64>,
    out: &Path,
) -> anyhow::Result<(PathBuf, u64)> {
    let ending = key.rsplit('.').next().unwrap_or("bin");
    let path = out.join(format!("{id}.{ending}"));
    // Written beside and renamed: what bears the name is whole.
    let partial = out.join(format!(".{id}.{ending}.part"));
    let mut object = desk.archive.open(key).await?;
    let mut file = tokio::fs::File::create(&partial)
        .await
        .with_context(|| format!("could not write {}", partial.display()))?;
    let mut bytes = 0_u64;
    while let Some(chunk) = object
        .body
        .try_next()
        .await
        .context("the archive stopped halfway")?
    {
        file.write_all(&chunk)
            .await
            .context("could not write the recording")?;
        bytes += chunk.len() as u64;
    }
    file.sync_all()
        .await
        .context("could not write the recording")?;
    if expected.is_some_and(|expected| expected != bytes) {
        let _ = std::fs::remove_file(&partial);
        bail!(
            "the archive holds {bytes} bytes of {id}, not the {} written down",
            expected.unwrap_or_default()
        );
    }
    std::fs::rename(&partial, &path)
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok((path, bytes))
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
        if matches!(recording.state, State::Archived | State::Empty) {
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
