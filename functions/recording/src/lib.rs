//! Recording notices: durable first, then queued, then acknowledged.

use aws_config::SdkConfig;
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::id::{LegId, RecordingId};
use switchboard_shared::job::{ArchiveJob, Job, JobError, JobQueue, TranscriptJob};
use switchboard_shared::news::News;
use switchboard_shared::plans::Plans;
use switchboard_shared::recording::{Recording, State as Archiving};
use switchboard_shared::store::{Home, Store};
use switchboard_shared::transcript::Transcript;
use switchboard_shared::web::{self, Failure, Webhooks};
use switchboard_shared::webhook::{Event, Kind, Notice};

/// What the function works with; built once.
#[derive(Debug)]
pub struct Recordings {
    webhooks: Webhooks,
    intake: Intake,
    plans: Plans,
    clock: Clock,
}

/// Where notices go. The event function has one too: a recording without its own event URL is
/// announced there.
#[derive(Debug, Clone)]
pub struct Intake {
    store: Store,
    archive: JobQueue,
    /// Where it is said that a message was left; not required, and then nobody is told.
    dispatch: Option<JobQueue>,
}

impl Intake {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig, store: Store) -> Self {
        let archive = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        let dispatch = "SWITCHBOARD_DISPATCH_QUEUE_URL";
        Self {
            store,
            archive,
            dispatch: JobQueue::from_lookup_if_set(lookup, sdk, dispatch),
        }
    }

    /// Keeps a notice and queues the recording. A repeat queues it again, since the first may have
    /// stopped between the two; the archive does nothing twice. `cue`: whose recording it is, and
    /// what of, where the notice's URL says so.
    ///
    /// # Errors
    /// When the notice is not kept or not queued. Then it must not be acknowledged.
    pub async fn take(
        &self,
        notice: Notice,
        event: &Event,
        cue: Option<&Cue>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let said = event.fields.to_json();
        let recording = Recording {
            call: cue.map(|cue| cue.call.clone()),
            ..Recording::noticed(notice, said, event.conversation.clone(), now)
        };
        let message = cue.filter(|cue| cue.step == Step::Message && recording.is_message());
        let noted = match message {
            // The one place where a call comes to have a message. A notice that comes again passes
            // here again: what is done about a message has to bear that, and is done then as well.
            Some(cue) => {
                let noted = self.store.keep_message(&cue.call, &recording).await?;
                self.tell(cue, &recording, now).await?;
                noted
            }
            None => self.store.keep_recording(&recording).await?,
        };
        tracing::info!(recording.id = %recording.notice.recording, ?noted, "a recording is announced");
        if recording.state == Archiving::Pending {
            let job = ArchiveJob {
                recording: recording.notice.recording,
            };
            self.archive.send(&job, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Says that a message was left. Whom to tell, `dispatch` knows: each target is told once.
    async fn tell(&self, cue: &Cue, recording: &Recording, now: Timestamp) -> Result<(), JobError> {
        let Some(dispatch) = &self.dispatch else {
            return Ok(());
        };
        let news = News::Voicemail {
            call: cue.call.clone(),
            recording: recording.notice.recording.clone(),
        };
        dispatch.send(&Job::tell(news, now), Duration::ZERO).await
    }

    /// Keeps the notice of a transcript and queues it. False where the event names no recording.
    ///
    /// # Errors
    /// When the notice is not kept or not queued. Then it must not be acknowledged.
    async fn take_transcript(
        &self,
        event: &Event,
        cue: Option<&Cue>,
        now: Timestamp,
    ) -> Result<bool, Failure> {
        let recording = event.fields.text("recording_uuid");
        let Some(recording) = recording.and_then(|id| RecordingId::new(id).ok()) else {
            return Ok(false);
        };
        let call = cue.map(|cue| cue.call.clone());
        let Some(home) = home(event, call.as_ref()) else {
            return Ok(false);
        };
        let url = event.fields.text("transcription_url").unwrap_or_default();
        let transcript = Transcript::noticed(recording, url, call, now);
        let noted = self
            .store
            .keep_transcript(&home, event, &transcript, now)
            .await?;
        tracing::info!(recording.id = %transcript.recording, ?noted, "a transcript is announced");
        if transcript.state == Archiving::Pending {
            let job = TranscriptJob {
                transcript: transcript.recording,
            };
            self.archive.send(&job, Duration::ZERO).await?;
        }
        Ok(true)
    }
}

/// What an event is kept with: the call our cue names, the leg, or the conversation.
fn home(event: &Event, call: Option<&LegId>) -> Option<Home> {
    let leg = call.or(event.leg.as_ref()).cloned().map(Home::Leg);
    leg.or_else(|| event.conversation.clone().map(Home::Conversation))
}

impl Recordings {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Option<Self> {
        let store = Store::from_lookup(lookup, sdk);
        let webhooks = Webhooks::from_lookup(lookup);
        Some(Self {
            webhooks,
            plans: Plans::from_lookup(lookup, store.clone()),
            intake: Intake::from_lookup(lookup, sdk, store),
            clock: lookup.clock(),
        })
    }
}

impl Recordings {
    /// How long an event is kept, the plan says. Without one it is kept as without a word on it.
    async fn know_how_long(&self) {
        if let Err(error) = self.plans.current().await {
            tracing::warn!(error = %chain(&error), "no plan says how long an event is kept");
        }
    }
}

/// The routes.
pub fn router(recordings: Recordings) -> Router {
    Router::new()
        .route("/webhooks/recording", get(on_recording).post(on_recording))
        .with_state(Arc::new(recordings))
}

async fn on_recording(
    State(recordings): State<Arc<Recordings>>,
    request: Request,
) -> Result<Response, Failure> {
    let received = recordings.webhooks.receive(request).await?;
    let event = Event::read(received.fields).map_err(Failure::Unreadable)?;
    let now = recordings.clock.now();
    let cue = Cue::from_query(&received.query);
    let intake = &recordings.intake;
    if let Kind::Recording(notice) = &event.kind {
        let taken = intake.take(notice.clone(), &event, cue.as_ref(), now);
        taken.await?;
        return Ok(web::noted());
    }
    recordings.know_how_long().await;
    if event.kind == Kind::Transcribed && intake.take_transcript(&event, cue.as_ref(), now).await? {
        return Ok(web::noted());
    }
    // Something new: the ledger has room for it.
    if let Some(home) = home(&event, None) {
        intake.store.note(&home, &event, now).await?;
    }
    Ok(web::noted())
}
