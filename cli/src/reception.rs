//! What the phone's page asks the board besides the phone: who is free, and what was recorded. And who
//! may ask: people at this machine, no page from elsewhere.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchboard_phone::ranged;
use switchboard_shared::archive::Archive;
use switchboard_shared::clock::Clock;
use switchboard_shared::id::RecordingId;
use switchboard_shared::plans::Plans;
use switchboard_shared::recording::{Recording, State as Archiving};
use switchboard_shared::store::{Listing, Store};
use switchboard_shared::{chain, web};
use tower::ServiceExt as _;

use crate::trial;

/// Recordings that are listed.
const RECORDINGS: usize = 50;

/// Days that are looked back on for recordings: what a trial made lately.
const DAYS: usize = 7;

/// What it asks.
#[derive(Debug, Clone)]
pub(crate) struct Reception {
    pub(crate) store: Store,
    pub(crate) archive: Archive,
    pub(crate) plans: Arc<Plans>,
    pub(crate) clock: Clock,
    /// Where agents say free and away.
    pub(crate) agents: Router,
    /// The token of the board's owner, by whom the page acts.
    pub(crate) token: String,
}

/// The routes, below `/phone`.
pub(crate) fn router(reception: Reception) -> Router {
    Router::new()
        .route("/phone/agents", get(agents))
        .route("/phone/agents/{name}/{word}", post(says))
        .route("/phone/recordings", get(recordings))
        .route("/phone/recordings/{id}", get(audio))
        .with_state(Arc::new(reception))
}

/// Lets nobody else in: the board's port is open to every program here, and so to every page that a
/// browser here has open.
pub(crate) fn of_this_machine(router: Router) -> Router {
    router.layer(middleware::from_fn(guard))
}

async fn guard(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = text(headers, &header::HOST);
    // By its name here: a name from elsewhere may have been made to lead here.
    let name = host.map(|host| host.rsplit_once(':').map_or(host, |(name, _)| name));
    let is_here = matches!(name, Some("localhost" | "127.0.0.1" | "[::1]"));
    let origin = text(headers, &header::ORIGIN);
    let same = origin.is_none_or(|origin| {
        let origin = origin.split_once("://").map(|(_, host)| host);
        origin == host
    });
    if !is_here || (request.method() != Method::GET && !same) {
        let message = "only a page of this board, opened on this machine, may do that";
        return web::refusal(StatusCode::FORBIDDEN, "elsewhere", message);
    }
    next.run(request).await
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Something the page asks for is away.
struct Away(&'static str);

impl IntoResponse for Away {
    fn into_response(self) -> Response {
        web::refusal(StatusCode::SERVICE_UNAVAILABLE, "later", self.0)
    }
}

fn away<E: std::error::Error + 'static>(what: &'static str) -> impl FnOnce(E) -> Away {
    move |error| {
        tracing::warn!(error = %chain(&error), "{what}");
        Away(what)
    }
}

async fn agents(State(reception): State<Arc<Reception>>) -> Result<Json<Value>, Away> {
    let plan = reception.plans.current().await;
    let plan = plan.map_err(away("the plan cannot be read now"))?;
    let names: Vec<_> = plan.agents().map(|agent| agent.name.clone()).collect();
    let presences = reception.store.agents(&names).await;
    let presences = presences.map_err(away("the agents cannot be read now"))?;
    let now = reception.clock.now();
    let shown = plan.agents().zip(presences).map(|(agent, presence)| {
        let state = serde_json::to_value(presence.state(now)).unwrap_or_default();
        json!({
            "name": agent.name,
            "number": trial::address(&agent.endpoint),
            "state": state["state"],
        })
    });
    Ok(Json(shown.collect()))
}

/// As the agent's own page does it, with the owner's token.
async fn says(
    State(reception): State<Arc<Reception>>,
    Path((name, word)): Path<(String, String)>,
) -> Response {
    let path: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let request = Request::post(format!("/agents/{path}/{word}"))
        .header(header::AUTHORIZATION, format!("Bearer {}", reception.token))
        .body(Body::empty());
    match request {
        Ok(request) => reception
            .agents
            .clone()
            .oneshot(request)
            .await
            .into_response(),
        Err(_) => web::refusal(StatusCode::NOT_FOUND, "no-agent", "there is no such agent"),
    }
}

async fn recordings(State(reception): State<Arc<Reception>>) -> Result<Json<Value>, Away> {
    // By id: one that is archived between two of these readings is in both, and the later is right.
    let mut found = BTreeMap::new();
    let mut day = reception
        .clock
        .now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .date();
    let mut listings = vec![Listing::Pending, Listing::Failed];
    for _ in 0..DAYS {
        listings.push(Listing::Archived(day));
        day = day.yesterday().unwrap_or(day);
    }
    for listing in listings {
        let listed = reception.store.recordings_in(listing).await;
        let listed = listed.map_err(away("the recordings cannot be read now"))?;
        found.extend(
            listed
                .into_iter()
                .map(|recording| (recording.notice.recording.to_string(), recording)),
        );
    }
    let mut found: Vec<_> = found.into_values().collect();
    found.sort_by_key(|recording| std::cmp::Reverse(recording.at));
    Ok(Json(found.iter().take(RECORDINGS).map(shown).collect()))
}

fn shown(recording: &Recording) -> Value {
    let id = &recording.notice.recording;
    let archived = recording.state == Archiving::Archived;
    json!({
        "id": id,
        "call": recording.call,
        "state": recording.state,
        "bytes": recording.bytes,
        "at": recording.at,
        "audio": archived.then(|| format!("/phone/recordings/{id}")),
    })
}

/// The archived audio, as it lies in the bucket.
async fn audio(
    State(reception): State<Arc<Reception>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Away> {
    let nothing = || web::refusal(StatusCode::NOT_FOUND, "no-recording", "it is not archived");
    let Ok(id) = id.parse::<RecordingId>() else {
        return Ok(nothing());
    };
    let recording = reception.store.recording(&id).await;
    let recording = recording.map_err(away("the recording cannot be looked up now"))?;
    let Some(key) = recording.and_then(|recording| recording.key) else {
        return Ok(nothing());
    };
    let object = reception.archive.open(&key).await;
    let object = object.map_err(away("the archive cannot be read now"))?;
    let kind = object.content_type.as_deref();
    let kind = kind.unwrap_or("application/octet-stream").to_owned();
    // The whole of it, for any part: half a megabyte a minute, and one person listens.
    let audio = object.body.collect().await;
    let audio = audio.map_err(away("the archive cannot be read now"))?;
    Ok(ranged(&headers, &kind, audio.into_bytes()))
}
