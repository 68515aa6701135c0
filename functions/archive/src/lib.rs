//! Recordings from the queue into S3: downloaded from Vonage, streamed, verified, written down.
//!
//! A job may come twice, and its handler may stop at any point. What is archived is not downloaded
//! again; what failed comes again after a growing delay, and at last lies in the dead-letter queue
//! with the reason on its item.

mod transcript;

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use std::time::{Duration, Instant};
use switchboard_shared::archive::{Archive, ArchiveError};
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::id::RecordingId;
use switchboard_shared::job::{ArchiveJob, Job, JobError, JobQueue, TranscriptJob};
use switchboard_shared::metric::Metric;
use switchboard_shared::news::News;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::{Store, StoreError};
use switchboard_shared::vonage::{Vonage, VonageError};
use transcript::TRANSCRIPT_MAX;

/// Waits between downloads. A file may not be there the second its notice comes; an outage at
/// Vonage may last an hour. Together 54 minutes.
pub const DELAYS: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
    Duration::from_secs(900),
    Duration::from_secs(1_980),
];

/// Downloads before a recording is given up: one, and one after each wait.
pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;

/// How often the queue may hand a message out before it goes to the dead letters: its
/// `maxReceiveCount`. Twice the downloads, since a message may also come while another is at it.
pub const RECEIVES: u32 = 2 * ATTEMPTS;

/// How long one download may be at it: a function's own limit of 15 minutes.
const AT_WORK: SignedDuration = SignedDuration::from_mins(15);

/// How long a message is left alone when the store does not answer, or another message was faster.
const STORE_AWAY: Duration = Duration::from_secs(10);

/// What the function works with; built once.
#[derive(Debug)]
pub struct Archiver {
    store: Store,
    archive: Archive,
    vonage: Vonage,
    queue: JobQueue,
    /// Where it is said that a recording is archived.
    jobs: Option<JobQueue>,
    delays: Vec<Duration>,
    clock: Clock,
}

/// What a message asks for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Task {
    Audio(ArchiveJob),
    Transcript(TranscriptJob),
}

impl Task {
    fn noun(&self) -> &'static str {
        match self {
            Self::Audio(_) => "a recording",
            Self::Transcript(_) => "a transcript",
        }
    }
}

/// What came of a message.
enum Done {
    /// The recording is in the bucket now.
    Archived(Box<Recording>),
    /// So many bytes of a transcript are beside it.
    WrittenDown(u64),
    /// It was already, or there is none.
    Nothing,
    /// Another message is at it, or a failure is not long enough ago.
    NotDue(Duration),
    /// The last try failed; the message belongs to the dead letters.
    GivenUp,
}

/// A recording is not archived.
struct Undone {
    why: Why,
    next: Next,
}

/// When it is tried again.
#[derive(Clone, Copy)]
enum Next {
    In(Duration),
    Never,
}

/// Why a recording is not archived.
#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("could not ask the store")]
    Store(#[from] StoreError),
    #[error("could not archive the recording")]
    Archive(#[from] ArchiveError),
    #[error("could not download the recording")]
    Download(#[from] VonageError),
    #[error("could not have people told that the recording is archived")]
    Tell(#[from] JobError),
    #[error("gave up: no download ever ended, well or badly")]
    Unending,
    #[error("the audio is not archived yet")]
    AudioFirst,
    #[error("the transcript has more than {TRANSCRIPT_MAX} bytes")]
    TooLong,
}

impl Why {
    /// Trying again cannot help: the address is none of Vonage's.
    fn is_final(&self) -> bool {
        match self {
            Self::Download(error) | Self::Archive(ArchiveError::Download(error)) => {
                error.is_refused()
            }
            Self::TooLong => true,
            _ => false,
        }
    }
}

impl Archiver {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        let archive = Archive::from_lookup(lookup, sdk);
        let queue = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        // Not required: without it recordings are archived all the same, and nobody is told.
        let dispatch = "SWITCHBOARD_DISPATCH_QUEUE_URL";
        let jobs = JobQueue::from_lookup_if_set(lookup, sdk, dispatch);
        let vonage = Vonage::from_lookup(lookup)?;
        Some(Self {
            store,
            archive,
            vonage,
            queue,
            jobs,
            delays: DELAYS.to_vec(),
            clock: lookup.clock(),
        })
    }

    /// Other waits between downloads, for a test that has no hour to spare.
    #[must_use]
    pub fn with_delays(mut self, delays: Vec<Duration>) -> Self {
        self.delays = delays;
        self
    }

    /// Takes a batch from the queue, as Lambda hands it over; answers which messages are to come
    /// again.
    ///
    /// # Errors
    /// When the event is no batch at all.
    pub async fn take(&self, event: Value) -> Result<Value, serde_json::Error> {
        let batch: SqsEvent = serde_json::from_value(event)?;
        let mut response = SqsBatchResponse::default();
        for message in batch.records {
            if !self.take_one(&message).await {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        serde_json::to_value(response)
    }

    /// True when the message is done with.
    async fn take_one(&self, message: &SqsMessage) -> bool {
        let body = message.body.as_deref().unwrap_or_default();
        let Ok(task) = serde_json::from_str::<Task>(body) else {
            // It goes to the dead letters, where somebody may look at it.
            tracing::error!("a message in the archive queue is no job of ours");
            return false;
        };
        let started = Instant::now();
        let (id, done) = match &task {
            Task::Audio(ArchiveJob { recording }) => (recording, self.archive_one(recording).await),
            Task::Transcript(TranscriptJob { transcript }) => {
                (transcript, self.write_down(transcript).await)
            }
        };
        let again = match done {
            Ok(Done::Nothing) => return true,
            Ok(Done::WrittenDown(bytes)) => {
                tracing::info!(recording.id = %id, size_bytes = bytes, "a transcript is archived");
                return true;
            }
            Ok(Done::Archived(recording)) => {
                tracing::info!(
                    recording.id = %id,
                    size_bytes = recording.bytes,
                    duration_ms = u64::try_from(started.elapsed().as_millis()).ok(),
                    "a recording is archived"
                );
                return true;
            }
            Ok(Done::NotDue(wait)) => wait,
            // Back at once, as often as it takes to be among the dead letters.
            Ok(Done::GivenUp) => Duration::ZERO,
            Err(Undone {
                why,
                next: Next::Never,
            }) => {
                tracing::error!(recording.id = %id, error = %chain(&why), "{} is given up", task.noun());
                return true;
            }
            Err(Undone {
                why,
                next: Next::In(wait),
            }) => {
                tracing::error!(recording.id = %id, error = %chain(&why), "{} is not archived yet", task.noun());
                wait
            }
        };
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.queue.postpone(receipt, again).await {
            tracing::warn!(recording.id = %id, error = %chain(&error), "the queue's own delay applies");
        }
        false
    }

    async fn archive_one(&self, id: &RecordingId) -> Result<Done, Undone> {
        let later = |error: StoreError| Undone {
            why: error.into(),
            next: Next::In(STORE_AWAY),
        };
        let Some(mut recording) = self.store.recording(id).await.map_err(later)? else {
            tracing::error!(recording.id = %id, "a job names a recording that nobody announced");
            return Ok(Done::Nothing);
        };
        match recording.state {
            State::Expired => return self.remove(&recording).await,
            State::Archived => {
                // Whoever archived it may have stopped before anybody was told.
                self.tell(&recording).await?;
                return Ok(Done::Nothing);
            }
            State::Empty | State::Deleted => return Ok(Done::Nothing),
            State::Failed => return Ok(Done::GivenUp),
            State::Pending => {}
        }
        let now = self.clock.now();
        if let Ok(wait) = Duration::try_from(recording.due.duration_since(now))
            && !wait.is_zero()
        {
            // Another message got to work on it, or the last try is not long enough ago.
            return Ok(Done::NotDue(wait));
        }
        if recording.attempts == 0 {
            self.find_call(&mut recording).await.map_err(later)?;
        }
        let until = now.saturating_add(AT_WORK).unwrap_or(now);
        if !self
            .store
            .begin_download(&mut recording, until)
            .await
            .map_err(later)?
        {
            return Ok(Done::NotDue(STORE_AWAY));
        }
        let tried = if recording.attempts as usize > self.delays.len() + 1 {
            Err(Why::Unending)
        } else {
            self.download(&mut recording).await
        };
        match tried {
            Ok(()) => {
                let updated = self.store.update_recording(&recording);
                if updated.await.map_err(later)? {
                    let now = self.clock.now();
                    Metric::ArchiveAge(now.duration_since(recording.ended())).record(now);
                }
                self.tell(&recording).await?;
                Ok(Done::Archived(Box::new(recording)))
            }
            Err(why) => Err(self.failed(recording, why).await),
        }
    }

    /// Removes the object of a recording whose time is over, and only then writes that it is gone. The
    /// sweep has made sure that nobody holds it.
    async fn remove(&self, recording: &Recording) -> Result<Done, Undone> {
        let later = |why: Why| Undone {
            why,
            next: Next::In(STORE_AWAY),
        };
        let removed = self.archive.remove(recording).await;
        removed.map_err(|error| later(error.into()))?;
        let forgotten = self.store.forget_transcript(&recording.notice.recording);
        forgotten.await.map_err(|error| later(error.into()))?;
        let noted = self.store.note_deleted(recording, self.clock.now()).await;
        noted.map_err(|error| later(error.into()))?;
        tracing::info!(recording.id = %recording.notice.recording, "a recording whose time was over is removed");
        Ok(Done::Nothing)
    }

    /// Says that a recording is archived, to whom it may concern.
    async fn tell(&self, recording: &Recording) -> Result<(), Undone> {
        let Some(jobs) = &self.jobs else {
            return Ok(());
        };
        let archived = News::Archived {
            recording: recording.notice.recording.clone(),
        };
        let job = Job::tell(archived, recording.at);
        let sent = jobs.send(&job, Duration::ZERO).await;
        sent.map_err(|error| Undone {
            why: error.into(),
            next: Next::In(STORE_AWAY),
        })
    }

    /// Looks up whose recording it is. Before the first try and never after: the line is part of the
    /// object's key, and what a try has left in the bucket must be found by the next.
    async fn find_call(&self, recording: &mut Recording) -> Result<(), StoreError> {
        if let Some(leg) = &recording.call
            && let Some(call) = self.store.call(leg).await?
        {
            recording.line = Some(call.line);
        } else if let Some(conversation) = &recording.conversation
            && let Some(call) = self.store.calls_in(conversation).await?
        {
            recording.line = Some(call.line);
            recording.call = Some(call.leg);
        }
        Ok(())
    }

    /// From Vonage into the bucket, unless it is there already.
    async fn download(&self, recording: &mut Recording) -> Result<(), Why> {
        let again = recording.attempts > 1;
        let found = if again {
            self.archive.find(recording).await?
        } else {
            None
        };
        let archived = match found {
            Some(archived) => archived,
            None => {
                let download = self.vonage.download(&recording.notice.url).await?;
                let announced = recording.notice.size.or(download.size);
                self.archive.keep(recording, announced, download).await?
            }
        };
        recording.state = State::Archived;
        recording.reason = None;
        recording.key = Some(archived.key);
        recording.bytes = Some(archived.bytes);
        recording.sha256 = Some(archived.sha256);
        Ok(())
    }

    /// Writes down why, and when the next try is due.
    async fn failed(&self, mut recording: Recording, why: Why) -> Undone {
        let (next, state, wait) = self.after(recording.attempts, &why);
        recording.state = state;
        recording.reason = Some(chain(&why));
        recording.due = later(self.clock.now(), wait);
        if let Err(error) = self.store.update_recording(&recording).await {
            let id = &recording.notice.recording;
            tracing::error!(recording.id = %id, error = %chain(&error), "why it failed is not written");
        }
        Undone { why, next }
    }

    /// What comes after the n-th attempt failed: when it is tried again, how it stands until then,
    /// and for how long nobody else is to try.
    fn after(&self, attempts: u32, why: &Why) -> (Next, State, SignedDuration) {
        let delay = self
            .delays
            .get(attempts.saturating_sub(1) as usize)
            .copied();
        let wait = SignedDuration::try_from(delay.unwrap_or_default()).unwrap_or_default();
        match delay {
            _ if why.is_final() => (Next::Never, State::Failed, wait),
            Some(delay) => (Next::In(delay), State::Pending, wait),
            None => (Next::In(Duration::ZERO), State::Failed, wait),
        }
    }
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(now)
}
