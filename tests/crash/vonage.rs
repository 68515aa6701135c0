//! Vonage with all its legs and phones: sends webhooks and repeats them as Vonage does, moves legs,
//! serves recordings, and sees when it is asked for something that must never be.

use crate::life::{BASE, Door, Lives, OPERATOR};
use crate::loopback::Loopback;
use crate::webhook_signing::Signer;
use crate::world;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use switchboard_shared::cue::Cue;
use tokio::sync::{mpsc, watch};

/// How long Vonage waits for an answer. Vonage's own is 5 to 10 s; a busy machine is no fault here.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(30);

/// An answer after this time may have been given without the store: the shortest time-out of its
/// requests. Callers are served all the same, and the ledger is not.
const STORE_AWAY: Duration = Duration::from_millis(700);

/// Bytes of a recording sent at a time, each a moment in which the board may die.
const CHUNK: usize = 512 * 1024;

/// Where a moved leg goes.
#[derive(Debug)]
pub(crate) enum Destination {
    Ncco(Value),
    Url(String),
}

/// What came of a webhook.
#[derive(Debug)]
pub(crate) enum Said {
    /// 200, with this body, after this time.
    Yes(Value, Duration),
    /// Two attempts, and no 200.
    Lost,
}

/// A webhook that was acknowledged, by what it is kept under.
#[derive(Debug, Clone)]
pub(crate) enum Acknowledged {
    /// A script was given for this call. `late`: so late that the store may have been away.
    Call { leg: String, late: bool },
    /// An event, kept with this leg.
    Event { home: String, body: Value },
    /// A recording was announced.
    Recording { id: String },
}

#[derive(Default)]
pub(crate) struct Stage {
    /// Callers' legs that are up, and where their moves go.
    callers: HashMap<String, mpsc::UnboundedSender<Destination>>,
    /// All legs that are over.
    over: HashSet<String>,
    /// Numbers whose phone rings or is talked on, and with whom.
    engaged: HashMap<String, String>,
    files: HashMap<String, Bytes>,
    pub(crate) acknowledged: Vec<Acknowledged>,
    /// What must never be.
    pub(crate) faults: Vec<String>,
    /// Milliseconds that tell each event from each other.
    stamp: i64,
    legs: u32,
    /// Callers on the phone, and those of them who hear music.
    live: usize,
    holding: usize,
    pub(crate) moved: usize,
}

/// The platform. `Arc` of it goes to everybody.
pub(crate) struct Vonage {
    pub(crate) lives: Lives,
    signer: Signer,
    http: reqwest::Client,
    stage: Mutex<Stage>,
    in_flight: AtomicUsize,
    /// Each tick ends the tunes that play.
    pub(crate) ticks: watch::Sender<u64>,
    /// Where its own API listens.
    url: OnceLock<String>,
}

impl Vonage {
    pub(crate) fn open(signer: Signer) -> (Arc<Self>, Loopback) {
        let vonage = Arc::new(Self {
            lives: Lives::new(&signer),
            signer,
            http: reqwest::Client::builder()
                .tls_backend_preconfigured(switchboard_shared::crypto::tls().unwrap())
                .no_proxy()
                .timeout(SOCKET_TIMEOUT)
                .build()
                .unwrap(),
            stage: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            ticks: watch::channel(0).0,
            url: OnceLock::new(),
        });
        let router = Router::new()
            .route("/v1/calls/{leg}", get(show).put(transfer))
            .route("/v1/files/{id}", get(file))
            .with_state(Arc::clone(&vonage));
        let server = Loopback::serve(router);
        vonage.url.set(server.url()).expect("it is served once");
        (vonage, server)
    }

    /// Where its API listens.
    pub(crate) fn url(&self) -> &str {
        self.url.get().expect("it is served before anybody calls")
    }

    /// Nothing is half done under the lock that a panic elsewhere could spoil.
    pub(crate) fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fault(&self, what: String) {
        self.stage().faults.push(what);
    }

    /// Something passes between the board and the world; it may be the board's end.
    fn moment(self: &Arc<Self>) {
        match self.lives.moment() {
            None => {}
            Some((Duration::ZERO, life)) => self.lives.kill(life),
            Some((delay, life)) => {
                let vonage = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(delay).await;
                    vonage.lives.kill(life);
                });
            }
        }
    }

    /// A moment of its own for each event, so that no two are one.
    pub(crate) fn stamp(&self) -> String {
        let mut stage = self.stage();
        let now = jiff::Timestamp::now().as_millisecond();
        stage.stamp = now.max(stage.stamp + 1);
        let at = jiff::Timestamp::from_millisecond(stage.stamp).unwrap();
        at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// A caller dials.
    pub(crate) fn dial(&self, leg: &str) -> mpsc::UnboundedReceiver<Destination> {
        let (moves, moved) = mpsc::unbounded_channel();
        let mut stage = self.stage();
        stage.callers.insert(leg.to_owned(), moves);
        stage.live += 1;
        moved
    }

    /// A caller's leg is over.
    pub(crate) fn hang_up(&self, leg: &str) {
        let mut stage = self.stage();
        if stage.callers.remove(leg).is_some() {
            stage.live -= 1;
        }
        stage.over.insert(leg.to_owned());
    }

    /// Music begins, or ends.
    pub(crate) fn holds(&self, holds: bool) {
        let mut stage = self.stage();
        stage.holding = if holds {
            stage.holding + 1
        } else {
            stage.holding - 1
        };
    }

    /// Everybody on the phone hears music, and no webhook is under way.
    pub(crate) fn all_hold(&self) -> bool {
        let stage = self.stage();
        stage.live > 0 && stage.live == stage.holding && self.in_flight.load(Ordering::SeqCst) == 0
    }

    /// Rings a phone: the leg it rings on, or none where it is busy. A queue never rings one that is.
    pub(crate) fn ring(&self, number: &str, caller: &str, promised: bool) -> Option<String> {
        let mut stage = self.stage();
        if let Some(other) = stage.engaged.get(number) {
            let fault = format!("{caller} is connected to {number}, who has {other}");
            if promised {
                stage.faults.push(fault);
            }
            return None;
        }
        stage.engaged.insert(number.to_owned(), caller.to_owned());
        stage.legs += 1;
        Some(format!("agent-{}", stage.legs))
    }

    /// The phone is put down.
    pub(crate) fn put_down(&self, number: &str, leg: &str) {
        let mut stage = self.stage();
        stage.engaged.remove(number);
        stage.over.insert(leg.to_owned());
    }

    pub(crate) fn keep_file(&self, id: &str, bytes: Bytes) {
        self.stage().files.insert(id.to_owned(), bytes);
    }

    pub(crate) fn file(&self, id: &str) -> Bytes {
        self.stage().files[id].clone()
    }

    /// A webhook, with the second attempt that Vonage makes where the first got no answer, or 503.
    /// `patient`: that one comes when a board is there again.
    pub(crate) async fn tell(self: &Arc<Self>, to: &str, body: &Value, patient: bool) -> Said {
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let said = self.two_attempts(to, body, patient).await;
        self.in_flight.fetch_sub(1, Ordering::SeqCst);
        if let Said::Yes(_, took) = &said
            && let Some(kept) = kept(to, body, *took)
        {
            self.stage().acknowledged.push(kept);
        }
        said
    }

    async fn two_attempts(self: &Arc<Self>, to: &str, body: &Value, patient: bool) -> Said {
        let path = to.strip_prefix(BASE).unwrap_or(to);
        let body = body.to_string();
        for attempt in 0..2 {
            let Some(url) = self.board(attempt == 1 && patient).await else {
                continue;
            };
            let token = self.signer.post(body.as_bytes());
            let request = self.http.post(format!("{url}{path}")).bearer_auth(token);
            self.moment();
            let sent = Instant::now();
            let Ok(answer) = request.body(body.clone()).send().await else {
                continue;
            };
            let status = answer.status().as_u16();
            let Ok(reply) = answer.bytes().await else {
                continue;
            };
            match status {
                200 => {
                    self.moment();
                    let reply = serde_json::from_slice(&reply).unwrap_or_default();
                    return Said::Yes(reply, sent.elapsed());
                }
                503 => {}
                status => {
                    self.fault(format!("{path} was answered with {status}"));
                    return Said::Lost;
                }
            }
        }
        Said::Lost
    }

    /// An agent says "free" or "away": the status, if there was an answer.
    pub(crate) async fn says(self: &Arc<Self>, url: &str, agent: &str, word: &str) -> Option<u16> {
        let request = self.http.post(format!("{url}/agents/{agent}/{word}"));
        self.moment();
        let answer = request.bearer_auth(OPERATOR).send().await.ok()?;
        self.moment();
        Some(answer.status().as_u16())
    }

    /// Where the board listens now, or, for the patient, as soon as it does.
    async fn board(&self, patient: bool) -> Option<String> {
        let mut door = self.lives.door();
        let open = |door: &Door| matches!(door, Door::Open { .. });
        if patient {
            door.wait_for(open).await.ok();
        }
        let door = door.borrow().clone();
        match door {
            Door::Open { url, .. } => Some(url),
            Door::Shut => None,
        }
    }
}

/// Under what an acknowledged webhook is kept.
fn kept(to: &str, body: &Value, took: Duration) -> Option<Acknowledged> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let (path, query) = to.split_once('?').unwrap_or((to, ""));
    if path.ends_with("/webhooks/answer") {
        return Some(Acknowledged::Call {
            leg: text("uuid")?,
            late: took >= STORE_AWAY,
        });
    }
    if let Some(id) = text("recording_uuid") {
        return Some(Acknowledged::Recording { id });
    }
    if !path.ends_with("/webhooks/event") {
        return None;
    }
    let cue = Cue::from_query(query).or_else(|| Cue::from_payload(&body["payload"]));
    Some(Acknowledged::Event {
        home: cue.map_or_else(|| text("uuid"), |cue| Some(cue.call.to_string()))?,
        body: body.clone(),
    })
}

async fn show(State(vonage): State<Arc<Vonage>>, Path(leg): Path<String>) -> Json<Value> {
    vonage.moment();
    let over = vonage.stage().over.contains(&leg);
    vonage.moment();
    Json(json!({
        "uuid": leg,
        "status": if over { "completed" } else { "answered" },
        "direction": "inbound",
        "conversation_uuid": format!("CON-{leg}"),
    }))
}

async fn transfer(
    State(vonage): State<Arc<Vonage>>,
    Path(leg): Path<String>,
    Json(body): Json<Value>,
) -> StatusCode {
    // Killed here, the board never learns that the leg was moved; killed before, that it was not.
    vonage.moment();
    let destination = &body["destination"];
    let to = match destination["url"][0].as_str() {
        Some(url) => Destination::Url(url.to_owned()),
        None => Destination::Ncco(destination["ncco"].clone()),
    };
    let moved = {
        let mut stage = vonage.stage();
        let sent = stage.callers.get(&leg).map(|moves| moves.send(to).is_ok());
        stage.moved += usize::from(sent == Some(true));
        sent
    };
    vonage.moment();
    match moved {
        Some(true) => StatusCode::NO_CONTENT,
        _ => StatusCode::NOT_FOUND,
    }
}

async fn file(State(vonage): State<Arc<Vonage>>, Path(id): Path<String>) -> Response {
    vonage.moment();
    let bytes = vonage.file(&id);
    let length = bytes.len();
    let chunks = futures_util::stream::unfold((vonage, bytes), |(vonage, mut left)| async {
        if left.is_empty() {
            return None;
        }
        let chunk = left.split_to(left.len().min(CHUNK));
        vonage.moment();
        Some((Ok::<_, std::io::Error>(chunk), (vonage, left)))
    });
    let headers = [
        ("content-type", "audio/mpeg".to_owned()),
        ("content-length", length.to_string()),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

/// The body of an answer webhook.
pub(crate) fn incoming(line: &str, leg: &str) -> Value {
    world::incoming(line, leg)
}
