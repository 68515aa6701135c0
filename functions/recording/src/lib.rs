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
use switchboard_shared::cue::Cue;
use switchboard_shared::id::LegId;
use switchboard_shared::job::{ArchiveJob, JobQueue};
use switchboard_shared::plans::Plans;
use switchboard_shared::recording::{Recording, State as Archiving};
use switchboard_shared::store::{Home, Store};
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
}

impl Intake {
    /// Reads the settings.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig, store: Store) -> Self {
        let archive = JobQueue::from_lookup(lookup, sdk, "SWITCHBOARD_ARCHIVE_QUEUE_URL");
        Self { store, archive }
    }

    /// Keeps a notice and queues the recording. A repeat queues it again, since the first may have
    /// stopped between the two; the archive does nothing twice. `call`: whose recording it is, where
    /// the cue in the notice's URL says so.
    ///
    /// # Errors
    /// When the notice is not kept or not queued. Then it must not be acknowledged.
    pub async fn take(
        &self,
        notice: Notice,
        event: &Event,
        call: Option<LegId>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let said = event.fields.to_json();
        let recording = Recording {
            call,
            ..Recording::noticed(notice, said, event.conversation.clone(), now)
        };
        let noted = self.store.keep_recording(&recording).await?;
        tracing::info!(recording.id = %recording.notice.recording, ?noted, "a recording is announced");
        if recording.state == Archiving::Pending {
            let job = ArchiveJob {
                recording: recording.notice.recording,
            };
            self.archive.send(&job, Duration::ZERO).await?;
        }
        Ok(())
    }
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
    async fn note(&self, home: &Home, event: &Event, now: Timestamp) -> Result<(), Failure> {
        // How long it is kept, the plan says. Without one it is kept as without a word on it.
        if let Err(error) = self.plans.current().await {
            tracing::warn!(error = %chain(&error), "no plan says how long an event is kept");
        }
        self.intake.store.note(home, event, now).await?;
        Ok(())
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
    match (&event.kind, &event.leg, &event.conversation) {
        (Kind::Recording(notice), ..) => {
            let call = Cue::from_query(&received.query).map(|cue| cue.call);
            let taken = recordings.intake.take(notice.clone(), &event, call, now);
            taken.await?;
        }
        // A transcription, or something new: the ledger has room for it.
        (_, Some(leg), _) => {
            recordings
                .note(&Home::Leg(leg.clone()), &event, now)
                .await?;
        }
        (_, None, Some(conversation)) => {
            let home = Home::Conversation(conversation.clone());
            recordings.note(&home, &event, now).await?;
        }
        (_, None, None) => {}
    }
    Ok(web::noted())
}
