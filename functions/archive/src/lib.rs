//! Recordings from the queue into S3: downloaded from Vonage, streamed, verified, written down.
//!
//! A job may come twice, and its handler may stop at any point. What is archived is not downloaded
//! again; what failed comes again after a growing delay, and at last lies in the dead-letter queue
//! with the reason on its item.

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;
use switchboard_shared::archive::{Archive, ArchiveError};
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::id::RecordingId;
use switchboard_shared::job::{ArchiveJob, JobQueue};
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::{Store, StoreError};
use switchboard_shared::vonage::{Vonage, VonageError};

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

/// Downloads before a recording is given up: one, and one after each wait. The queue's
/// `maxReceiveCount` is the same, so that the message then goes to the dead letters.
pub const ATTEMPTS: u32 = DELAYS.len() as u32 + 1;

/// Downloads begun, however many messages asked for them, before a recording is given up whose
/// downloads never end: a function that is killed at its time limit reports nothing.
const ATTEMPTS_ALL: u32 = 3 * ATTEMPTS;

/// How long one download may be at it: a function's own limit of 15 minutes.
const AT_WORK: SignedDuration = SignedDuration::from_mins(15);

/// What the function works with; built once.
#[derive(Debug)]
pub struct Archiver {
    store: Store,
    archive: Archive,
    vonage: Vonage,
    queue: JobQueue,
    delays: Vec<Duration>,
    clock: Clock,
}

/// A recording could not be dealt with for now.
#[derive(Debug, thiserror::Error)]
enum Undone {
    #[error("could not ask the store")]
    Store(#[from] StoreError),
    #[error("could not archive the recording")]
    Archive(#[from] ArchiveError),
    #[error("could not download the recording")]
    Download(#[from] VonageError),
    #[error("gave up after {0} downloads that did not end")]
    GivenUp(u32),
}

impl Undone {
    /// Trying again cannot help: the address is none of Vonage's.
    fn is_final(&self) -> bool {
        match self {
            Self::Download(error) | Self::Archive(ArchiveError::Download(error)) => {
                error.is_refused()
            }
            Self::GivenUp(_) => true,
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
        let vonage = Vonage::from_lookup(lookup)?;
        Some(Self {
            store,
            archive,
            vonage,
            queue,
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
        let Ok(job) = serde_json::from_str::<ArchiveJob>(body) else {
            // It goes to the dead letters, where somebody may look at it.
            tracing::error!("a message in the archive queue is no job of ours");
            return false;
        };
        let received = message.attributes.get("ApproximateReceiveCount");
        let attempt = received.and_then(|count| count.parse().ok()).unwrap_or(1);
        let id = &job.recording;
        let started = std::time::Instant::now();
        match self.archive_one(id, attempt).await {
            Ok(None) => true,
            Ok(Some(recording)) => {
                tracing::info!(
                    recording.id = %id,
                    size_bytes = recording.bytes,
                    duration_ms = u64::try_from(started.elapsed().as_millis()).ok(),
                    "a recording is archived"
                );
                true
            }
            Err(error) => self.failed(id, attempt, &error, message).await,
        }
    }

    /// Archives one recording; `None` when there was nothing to do.
    async fn archive_one(
        &self,
        id: &RecordingId,
        attempt: u32,
    ) -> Result<Option<Recording>, Undone> {
        let Some(mut recording) = self.store.recording(id).await? else {
            tracing::error!(recording.id = %id, "a job names a recording that nobody announced");
            return Ok(None);
        };
        if recording.state != State::Pending {
            return Ok(None);
        }
        if recording.call.is_none()
            && let Some(conversation) = &recording.conversation
            && let Some(call) = self.store.calls_in(conversation).await?
        {
            recording.line = Some(call.line);
            recording.call = Some(call.leg);
        }
        // Written before the work: a handler that is killed in it counts, too, and is not taken for
        // lost by the sweep while it may still be at it.
        recording.attempts += 1;
        recording.due = self
            .clock
            .now()
            .saturating_add(AT_WORK)
            .unwrap_or(recording.due);
        if recording.attempts > ATTEMPTS_ALL {
            return Err(Undone::GivenUp(recording.attempts));
        }
        self.store.update_recording(&recording).await?;
        let found = if attempt > 1 {
            self.archive.find(&recording).await?
        } else {
            None
        };
        let archived = match found {
            Some(archived) => archived,
            None => {
                let download = self.vonage.download(&recording.notice.url).await?;
                let announced = recording.notice.size.or(download.size);
                self.archive.keep(&recording, announced, download).await?
            }
        };
        recording.state = State::Archived;
        recording.reason = None;
        recording.key = Some(archived.key);
        recording.bytes = Some(archived.bytes);
        recording.sha256 = Some(archived.sha256);
        self.store.update_recording(&recording).await?;
        Ok(Some(recording))
    }

    /// Writes down why, and when the next try is due. True when there is none.
    async fn failed(
        &self,
        id: &RecordingId,
        attempt: u32,
        error: &Undone,
        message: &SqsMessage,
    ) -> bool {
        let reason = chain(error);
        let delay = self.delays.get(attempt.saturating_sub(1) as usize).copied();
        let last = error.is_final() || delay.is_none();
        let delay = delay.filter(|_| !last).unwrap_or_default();
        tracing::error!(recording.id = %id, attempt, last, error = %reason, "a recording is not archived");
        if let Err(error) = self.write_failure(id, reason, last, delay).await {
            tracing::error!(recording.id = %id, error = %chain(&error), "nor is the reason written");
        }
        if error.is_final() {
            return true;
        }
        // The last one comes back at once, and so moves on to the dead letters.
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        if let Err(error) = self.queue.postpone(receipt, delay).await {
            tracing::warn!(recording.id = %id, error = %chain(&error), "the queue's own delay applies");
        }
        false
    }

    async fn write_failure(
        &self,
        id: &RecordingId,
        reason: String,
        last: bool,
        delay: Duration,
    ) -> Result<(), StoreError> {
        let Some(mut recording) = self.store.recording(id).await? else {
            return Ok(());
        };
        let delay = SignedDuration::try_from(delay).unwrap_or(SignedDuration::ZERO);
        recording.state = if last { State::Failed } else { State::Pending };
        recording.reason = Some(reason);
        recording.due = self
            .clock
            .now()
            .saturating_add(delay)
            .unwrap_or(recording.due);
        self.store.update_recording(&recording).await?;
        Ok(())
    }
}
