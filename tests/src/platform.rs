//! A stand-in for Vonage's REST side, and for servers that are not Vonage's.

mod recording;
mod request;
mod stranger;

pub use recording::{Content, Fault as RecordingFault};
pub use request::Request;
pub use stranger::{STRANGERS_BYTES, Stranger};

use crate::{fixtures, jwt, loopback::Loopback};
use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use recording::Recording;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use switchboard_phone::Content::{Audio, Json, Nothing};
use switchboard_phone::{Asked, Platform as Double, PublicKey, Settings, Webhook};
use tokio::sync::watch;

/// Any method, for [`Platform::fail`] and its like.
pub const ANY: &str = "*";

/// A scripted answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status. 500 unless set.
    pub status: u16,
    /// The JSON body; nothing is sent where it is null.
    pub body: Value,
    /// How long the answer takes.
    pub delay: Duration,
    /// For how many requests. One unless set.
    pub times: usize,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            status: 500,
            body: Value::Null,
            delay: Duration::ZERO,
            times: 1,
        }
    }
}

/// A leg that was moved by REST.
#[derive(Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The leg's `uuid`.
    pub leg: String,
    /// Where to.
    pub to: Destination,
}

/// What a moved leg is to hear.
#[derive(Clone, PartialEq, Eq)]
pub enum Destination {
    /// This script.
    Ncco(Value),
    /// The script at this URL.
    Url(String),
}

/// Vonage's API on loopback, for tests that play its other half by hand. Gone when dropped.
///
/// It answers as the phone does, which it has inside. Around that stands what a faithful platform
/// cannot do for a test: requests are recorded in the order they arrive, the refused ones too; a
/// request may be answered by a rule ([`fail`](Self::fail) and the like), downloads may be spoiled; and
/// legs are known by the names that tests give them in webhooks of their own. Tests of whole calls,
/// which need none of this, are scenarios.
pub struct Platform {
    shared: Arc<Shared>,
    server: Loopback,
}

struct Shared {
    stage: Mutex<Stage>,
    changed: watch::Sender<()>,
}

struct Stage {
    requests: Vec<Request>,
    rules: Vec<Rule>,
    double: Double,
    recordings: HashMap<String, Recording>,
}

struct Rule {
    path_prefix: String,
    method: String,
    act: Act,
    left: usize,
}

#[derive(Clone)]
enum Act {
    Reply(Reply),
    Hang,
    Drop,
}

impl Shared {
    /// Nothing is half done under the lock that a panic elsewhere could spoil.
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platform {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        let shared = Arc::new(Shared {
            stage: Mutex::new(Stage {
                requests: Vec::new(),
                rules: Vec::new(),
                double: double(),
                recordings: HashMap::new(),
            }),
            changed: watch::Sender::default(),
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&shared));
        Self {
            shared,
            server: Loopback::serve(router),
        }
    }

    /// Its base URL, without a trailing slash: what tests set as `VONAGE_API_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Answers the next `reply.times` requests whose path begins with `path_prefix` with `reply`.
    /// The request is recorded, and nothing is done. `method` may be [`ANY`].
    pub fn fail(&self, path_prefix: &str, method: &str, reply: Reply) {
        let times = reply.times;
        self.rule(path_prefix, method, Act::Reply(reply), times);
    }

    /// Takes in such requests and never answers.
    pub fn hang(&self, path_prefix: &str, method: &str, times: usize) {
        self.rule(path_prefix, method, Act::Hang, times);
    }

    /// Takes in such requests and closes the connection without a word.
    pub fn drop_connection(&self, path_prefix: &str, method: &str, times: usize) {
        self.rule(path_prefix, method, Act::Drop, times);
    }

    fn rule(&self, path_prefix: &str, method: &str, act: Act, left: usize) {
        self.shared.stage().rules.push(Rule {
            path_prefix: path_prefix.to_owned(),
            method: method.to_owned(),
            act,
            left,
        });
    }

    /// The leg has hung up: it is `completed`, and whatever is done to it meets 404.
    pub fn end(&self, leg: &str) {
        let mut stage = self.shared.stage();
        // Over before is over, too.
        let _ = stage.knowing(leg).hang_up(leg);
    }

    /// Serves a recording at `/v1/files/{id}` and gives its whole URL.
    pub fn recording(&self, id: &str, content: impl Into<Content>, content_type: &str) -> String {
        let recording = Recording::new(content.into(), content_type);
        self.shared
            .stage()
            .recordings
            .insert(id.to_owned(), recording);
        format!("{}/v1/files/{id}", self.url())
    }

    /// Spoils the next `times` downloads of a recording. Called again, it takes over when the one
    /// before is used up.
    ///
    /// # Panics
    /// When there is no such recording.
    pub fn spoil(&self, id: &str, fault: RecordingFault, times: usize) {
        let mut stage = self.shared.stage();
        let recording = stage
            .recordings
            .get_mut(id)
            .unwrap_or_else(|| panic!("no recording {id}"));
        recording.spoil(fault, times);
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.stage().requests.clone()
    }

    /// Every transfer that Vonage accepted (204), in order.
    #[must_use]
    pub fn transfers(&self) -> Vec<Transfer> {
        self.requests()
            .iter()
            .filter_map(Request::transfer)
            .collect()
    }

    /// The application tokens that came, sound or not, in order, repeats too.
    #[must_use]
    pub fn tokens_seen(&self) -> Vec<String> {
        self.requests()
            .iter()
            .filter_map(|request| request.bearer().map(str::to_owned))
            .collect()
    }

    /// Waits until `look` is content with the requests, and gives them.
    ///
    /// # Panics
    /// After `timeout`, with the requests that did come.
    pub async fn wait_for(
        &self,
        look: impl Fn(&[Request]) -> bool,
        timeout: Duration,
    ) -> Vec<Request> {
        let mut changed = self.shared.changed.subscribe();
        let reached = async {
            loop {
                let requests = self.requests();
                if look(&requests) {
                    return requests;
                }
                changed.changed().await.expect("the sender lives in self");
            }
        };
        tokio::time::timeout(timeout, reached)
            .await
            .unwrap_or_else(|_| {
                let requests = self.requests();
                panic!("not within {timeout:?}; what came: {requests:#?}")
            })
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Platform({})", self.url())
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let (request, body) = Request::take(request).await;
    let sound = request.sound;
    let (index, act) = {
        let mut stage = shared.stage();
        stage.requests.push(request.clone());
        (stage.requests.len() - 1, stage.rule_for(&request))
    };
    shared.changed.send_replace(());
    let response = match act {
        Some(Act::Hang) => std::future::pending().await,
        // Unwinding ends the connection's task; unlike a panic it prints nothing.
        Some(Act::Drop) => std::panic::resume_unwind(Box::new("connection dropped by the test")),
        Some(Act::Reply(reply)) => {
            tokio::time::sleep(reply.delay).await;
            json_response(reply.status, reply.body)
        }
        None if !sound => json_response(
            401,
            json!({"type": "UNAUTHORIZED", "error_title": "Unauthorized"}),
        ),
        None => shared.stage().respond(&request, &body),
    };
    shared.stage().requests[index].status = Some(response.status().as_u16());
    shared.changed.send_replace(());
    response
}

impl Stage {
    fn rule_for(&mut self, request: &Request) -> Option<Act> {
        let rule = self.rules.iter_mut().find(|rule| {
            rule.left > 0
                && request.path.starts_with(&rule.path_prefix)
                && (rule.method == ANY || rule.method.eq_ignore_ascii_case(&request.method))
        })?;
        rule.left -= 1;
        Some(rule.act.clone())
    }

    /// The double, which has heard of this leg.
    fn knowing(&mut self, leg: &str) -> &mut Double {
        self.double.advance(Timestamp::now());
        if self.double.leg(leg).is_none() {
            self.double.adopt(leg);
        }
        &mut self.double
    }

    fn respond(&mut self, request: &Request, body: &[u8]) -> Response {
        if let Some(id) = request.path.strip_prefix("/v1/files/")
            && request.method == "GET"
            && let Some(recording) = self.recordings.get_mut(id)
        {
            return recording.serve(request.header("range"));
        }
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        if let ["v1", "calls", leg, ..] = parts.as_slice() {
            self.knowing(leg);
        }
        let answered = self.double.rest(
            Asked {
                method: &request.method,
                path: &request.path,
                query: &request.raw_query,
                authorization: request.header("authorization"),
                content_type: request.header("content-type"),
                body,
            },
            Timestamp::now(),
        );
        match answered.content {
            Json(body) => json_response(answered.status, body),
            Nothing | Audio(_) => json_response(answered.status, Value::Null),
        }
    }
}

/// A phone whose webhooks go nowhere: the tests send their own.
fn double() -> Double {
    let settings = Settings {
        application_id: fixtures::APPLICATION_ID.to_owned(),
        public_key: public_key(),
        answer: Webhook::script("http://nowhere.invalid"),
        event: Webhook::event("http://nowhere.invalid"),
        // Tests hurry; the pace has tests of its own.
        legs_per_second: usize::MAX,
        requests_per_second: usize::MAX,
        journal: 1,
        ..Settings::default()
    };
    Double::new(settings, "http://nowhere.invalid", Timestamp::now())
}

/// The other half of the tests' private key.
fn public_key() -> PublicKey {
    PublicKey::pkcs1(jwt::public_key())
}

fn json_response(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a test scripts a valid status");
    if body.is_null() {
        status.into_response()
    } else {
        (status, axum::Json(body)).into_response()
    }
}

/// A sound application token, as Vonage's own SDKs make it, for tests that speak to the platform
/// without Switchboard.
#[must_use]
pub fn application_token() -> String {
    let now = crate::clock::epoch_seconds();
    jwt::sign(
        jwt::Algorithm::Rs256,
        &json!({
            "application_id": fixtures::APPLICATION_ID,
            "iat": now,
            "jti": crate::unique::uuid(),
            "exp": now + 900,
        }),
    )
}

#[cfg(test)]
mod tests;
