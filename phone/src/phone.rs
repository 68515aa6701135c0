//! The platform at work: on a clock, over HTTP.

use crate::audio::Voice;
use crate::hook::{Outcome, Outgoing};
use crate::ncco::Method;
use crate::platform::Platform;
use crate::rest::{Asked, Content};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::error::Error as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Longest reply of a webhook, and longest body of a request, that is read. Scripts are small.
const BODY_MAX: usize = 1024 * 1024;

/// How often a clock that runs is looked at while something is due: it may be moved on.
const LOOK: Duration = Duration::from_millis(100);

/// A platform that is shared between those who drive it, call on it, and look at it.
#[derive(Clone)]
pub struct Phone {
    shared: Arc<Shared>,
}

struct Shared {
    platform: Mutex<Platform>,
    http: reqwest::Client,
    voice: Voice,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    changed: watch::Sender<u64>,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phone").finish_non_exhaustive()
    }
}

impl Phone {
    /// A phone on this platform. `http` sends its webhooks: its connect timeout is the platform's, and
    /// it follows no redirects. `voice` is what recordings are spoken by, `clock` what the platform goes
    /// by.
    pub fn new(
        platform: Platform,
        http: reqwest::Client,
        voice: Voice,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let (changed, _) = watch::channel(0);
        Self {
            shared: Arc::new(Shared {
                platform: Mutex::new(platform),
                http,
                voice,
                clock: Box::new(clock),
                changed,
            }),
        }
    }

    /// Looks at the platform, or does something to it, at this moment of its clock.
    pub fn with<T>(&self, act: impl FnOnce(&mut Platform) -> T) -> T {
        let mut platform = self.lock();
        platform.advance((self.shared.clock)());
        let done = act(&mut platform);
        drop(platform);
        self.shared.changed.send_modify(|count| *count += 1);
        done
    }

    /// Only looks.
    pub fn look<T>(&self, look: impl FnOnce(&Platform) -> T) -> T {
        look(&self.lock())
    }

    /// Nothing is half done under the lock that a panic elsewhere could spoil.
    fn lock(&self) -> MutexGuard<'_, Platform> {
        self.shared
            .platform
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whenever something may have changed.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.shared.changed.subscribe()
    }

    /// Runs by its clock, and sends webhooks as they come, until `stop` is done.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut changes = self.changes();
        let mut stop = std::pin::pin!(stop);
        loop {
            changes.mark_unchanged();
            let (was_due, out, due, now) = {
                let mut platform = self.lock();
                let was_due = platform.due();
                platform.advance((self.shared.clock)());
                let out = platform.outgoing(Timestamp::now());
                (was_due, out, platform.due(), platform.now())
            };
            if was_due.is_some_and(|due| due <= now) || !out.is_empty() {
                self.shared.changed.send_modify(|count| *count += 1);
                changes.mark_unchanged();
            }
            for one in out {
                let phone = self.clone();
                tokio::spawn(async move {
                    let webhook = one.webhook;
                    let (outcome, took) = phone.send(one).await;
                    phone.with(|platform| platform.replied(webhook, outcome, took));
                });
            }
            let wait = due.map(|due| crate::event::between(now, due).min(LOOK));
            let sleep = async {
                match wait {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.as_mut() => return,
                _ = changes.changed() => {}
                () = sleep => {}
            }
        }
    }

    /// On a clock that is stepped: sends the webhooks that are to be sent now, at most so many, all at
    /// once, and hands in what became of them in the order they set out. Gives how many they were.
    pub async fn deliver(&self, at_once: usize) -> usize {
        let out = self.lock().outgoing_some(at_once, Timestamp::now());
        let sent = join_all(out.into_iter().map(async |one| {
            let webhook = one.webhook;
            let (outcome, took) = self.send(one).await;
            (webhook, outcome, took)
        }))
        .await;
        let count = sent.len();
        for (webhook, outcome, took) in sent {
            self.with(|platform| platform.replied(webhook, outcome, took));
        }
        count
    }

    async fn send(&self, out: Outgoing) -> (Outcome, Duration) {
        let began = Instant::now();
        let request = match out.method {
            Method::Get => self.shared.http.get(&out.url),
            Method::Post => self
                .shared
                .http
                .post(&out.url)
                .header(header::CONTENT_TYPE, "application/json")
                .body(out.body),
        };
        let sending = request
            .header(header::AUTHORIZATION, out.authorization)
            .timeout(out.connect_timeout + out.socket_timeout)
            .send();
        let outcome = match sending.await {
            Ok(response) => read(response).await,
            Err(error) => failure(&error),
        };
        (outcome, began.elapsed())
    }

    /// The REST API, to be served at the platform's base URL.
    pub fn rest_router(&self) -> Router {
        Router::new()
            .fallback(rest)
            .layer(DefaultBodyLimit::max(BODY_MAX))
            .with_state(self.clone())
    }
}

async fn read(mut response: reqwest::Response) -> Outcome {
    let status = response.status().as_u16();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let content_type = content_type
        .and_then(|text| text.to_str().ok())
        .map(str::to_owned);
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= BODY_MAX => body.extend(chunk),
            Ok(Some(_)) => return Outcome::Closed,
            Ok(None) => break,
            Err(error) => return failure(&error),
        }
    }
    Outcome::Reply {
        status,
        content_type,
        body,
    }
}

fn failure(error: &reqwest::Error) -> Outcome {
    if error.is_builder() {
        return Outcome::Impossible;
    }
    if error.is_timeout() {
        return if error.is_connect() {
            Outcome::ConnectTimeout
        } else {
            Outcome::SocketTimeout
        };
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            match io.kind() {
                std::io::ErrorKind::ConnectionReset => return Outcome::Reset,
                // As a certificate that is not to be trusted comes.
                std::io::ErrorKind::InvalidData => return Outcome::Impossible,
                _ => {}
            }
        }
        cause = error.source();
    }
    Outcome::Closed
}

async fn rest(
    State(phone): State<Phone>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION);
    let content_type = text(header::CONTENT_TYPE);
    let asked = Asked {
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        authorization,
        content_type,
        body: &body,
    };
    let answered = phone.with(|platform| platform.rest(asked, Timestamp::now()));
    let status = StatusCode::from_u16(answered.status).expect("a status of ours is valid");
    let mut response = match answered.content {
        Content::Nothing => status.into_response(),
        Content::Json(json) => (status, axum::Json(json)).into_response(),
        Content::Audio(score) => {
            let kind = score.content_type();
            let voice = phone.shared.voice;
            // Minutes of audio take a moment.
            match tokio::task::spawn_blocking(move || score.render(voice)).await {
                Ok(audio) => (status, [(header::CONTENT_TYPE, kind)], audio).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    for (name, value) in answered.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
