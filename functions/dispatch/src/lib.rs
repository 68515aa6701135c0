//! Jobs from the queue: agents to look after, timers, people to tell, and the sweep that finds what was
//! left half done.

mod tell;

mod keep;

use aws_config::SdkConfig;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use switchboard_shared::call::Call;
use switchboard_shared::chain;
use switchboard_shared::config::Lookup;
use switchboard_shared::exchange::{Exchange, ExchangeError};
use switchboard_shared::job::{ArchiveJob, Job, JobError, JobQueue, TranscriptJob};
use switchboard_shared::metric::Metric;
use switchboard_shared::plans::{PlanError, Plans};
use switchboard_shared::store::{Listing, Store, StoreError};
use switchboard_shared::vonage::Vonage;
use tell::Teller;

/// How long after its time a download may still be on its way through the queue. Later than that,
/// its message is taken for lost and sent again; a message too many does nothing.
pub const OVERDUE: SignedDuration = SignedDuration::from_mins(10);

/// What the function works with; built once.
#[derive(Debug)]
pub struct Dispatch {
    exchange: Exchange,
    archive: JobQueue,
    teller: Teller,
}

/// A job could not be done for now.
#[derive(Debug, thiserror::Error)]
pub enum DispatchError {
    /// Not what the queue or the schedule sends.
    #[error("the message is no job of ours")]
    Unreadable(#[source] serde_json::Error),
    /// Between callers and agents.
    #[error("could not bring callers and agents together")]
    Exchange(#[from] ExchangeError),
    /// The store.
    #[error("could not ask the store")]
    Store(#[from] StoreError),
    /// The queue.
    #[error("could not hand a job over")]
    Job(#[from] JobError),
    /// The plan.
    #[error("could not read who is to be told")]
    Plan(#[from] PlanError),
}

impl Dispatch {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        let plans = Arc::new(Plans::from_lookup(lookup, store.clone()));
        let jobs = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_DISPATCH_QUEUE_URL");
        let archive = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        let teller = Teller::from_lookup(lookup);
        let vonage = Vonage::from_lookup(lookup)?;
        Some(Self {
            exchange: Exchange {
                store,
                plans,
                vonage,
                jobs,
                clock: lookup.clock(),
            },
            archive,
            teller,
        })
    }

    /// Reads the plan ahead of the first job.
    pub async fn warm(&self) {
        if let Err(error) = self.exchange.plans.current().await {
            tracing::error!(error = %chain(&error), "no plan yet");
        }
    }

    /// Takes what Lambda hands over: a batch from the queue, answered by which messages are to come
    /// again; or the schedule's call for a sweep.
    ///
    /// # Errors
    /// When it is neither, or the sweep did not end.
    pub async fn take(&self, event: Value) -> Result<Value, DispatchError> {
        if event["source"] == "aws.events" || event["job"] == "sweep" {
            self.sweep(OVERDUE).await?;
            return Ok(json!({ "swept": true }));
        }
        let batch: SqsEvent = serde_json::from_value(event).map_err(DispatchError::Unreadable)?;
        let mut response = SqsBatchResponse::default();
        // Side by side: an agent to be rung does not wait for a target that is slow to be told.
        let taken = batch.records.into_iter().map(async |message| {
            let body = message.body.as_deref().unwrap_or_default();
            let error = self.take_one(body).await.err()?;
            tracing::error!(error = %chain(&error), "a job comes again");
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message.message_id.unwrap_or_default();
            Some(failure)
        });
        response.batch_item_failures = join_all(taken).await.into_iter().flatten().collect();
        serde_json::to_value(response).map_err(DispatchError::Unreadable)
    }

    async fn take_one(&self, body: &str) -> Result<(), DispatchError> {
        match serde_json::from_str(body).map_err(DispatchError::Unreadable)? {
            Job::Pretend { call } => self.exchange.pretend(&call).await?,
            Job::Look { agent } => self.exchange.look(&agent).await?,
            Job::Gone { call } => self.exchange.gone(&call).await?,
            Job::Ring { call, flow, stage } => self.exchange.ring(&call, &flow, stage).await?,
            Job::Joined { call, helper } => self.exchange.joined(&call, &helper).await?,
            Job::HangUp { call, leg } => self.exchange.hang_up(&call, &leg).await?,
            Job::Room { call, flow } => self.exchange.room(&call, &flow).await?,
            Job::Begin { call } => self.begin(&call).await?,
            Job::Missed { call } => self.missed(&call).await?,
            Job::Tell { news, at, again } => self.tell(news, at, again).await?,
            Job::Notify { notification } => self.notify(notification).await?,
            Job::Sweep => self.sweep(OVERDUE).await?,
        }
        Ok(())
    }

    /// A call is written late; the caller may have hung up before.
    async fn begin(&self, call: &Call) -> Result<(), DispatchError> {
        let store = &self.exchange.store;
        store.begin(call).await?;
        let written = store.call(&call.leg).await?;
        if written.is_some_and(|call| call.ended.is_some()) {
            self.exchange.gone(&call.leg).await?;
        }
        Ok(())
    }

    /// Finds what was left half done. `overdue`: how late a recording must be to be queued again;
    /// zero at the start of a board, whose queue is empty.
    ///
    /// # Errors
    /// When something needed is away; the next sweep goes on.
    pub async fn sweep(&self, overdue: SignedDuration) -> Result<(), DispatchError> {
        let now = self.exchange.clock.now();
        let pending = self.exchange.store.recordings_in(Listing::Pending).await?;
        let ages = pending.iter().map(|one| now.duration_since(one.at));
        Metric::RecordingsPendingAge(ages.max().unwrap_or_default()).record(now);
        for mut recording in pending {
            let late = now.duration_since(recording.due);
            if overdue.is_zero() {
                // Whoever was at it is no more.
                self.exchange.store.make_due(&mut recording, now).await?;
            }
            if late >= overdue || overdue.is_zero() {
                let job = ArchiveJob {
                    recording: recording.notice.recording,
                };
                self.archive.send(&job, Duration::ZERO).await?;
            }
        }
        for transcript in self.exchange.store.pending_transcripts().await? {
            if overdue.is_zero() || now.duration_since(transcript.due) >= overdue {
                let job = TranscriptJob {
                    transcript: transcript.recording,
                };
                self.archive.send(&job, Duration::ZERO).await?;
            }
        }
        let swept = self.exchange.sweep().await;
        self.sweep_notifications(overdue.is_zero()).await?;
        self.keep(now, overdue.is_zero()).await?;
        Ok(swept?)
    }
}
