//! The client of Vonage's Voice API.
//!
//! Everything that waits, retries or times out on the way to Vonage does so here. What is sent, and
//! to which path, is in `call` and `control`; a recording is fetched in `download`.
//!
//! See [Vonage/Voice API reference](https://developer.vonage.com/en/api/voice).

mod call;
mod control;
mod download;
mod error;
mod key;
mod pace;
mod region;
mod retry;
mod settings;
#[cfg(test)]
mod standin;
mod token;
mod trust;

pub use call::{
    CallFilter, CallPage, CallRecord, Caller, Created, LENGTH_SECONDS, MachineDetection, NewCall,
    Order, PAGE_SIZE_MAX, Party, RING_SECONDS, Script, To,
};
pub use control::{HungUp, Leg, Play, Talk};
pub use download::Download;
pub use error::{Reply, VonageError};
pub use key::{KeyError, PrivateKey};
pub use region::RegionUrl;
pub use retry::{Attempt, RETRIES_MAX, Repeat, wait_before_retry};
pub use token::TokenError;
pub use trust::{DOMAINS, Trust, URL_LENGTH_MAX, UrlRefused};

use crate::crypto;
use crate::secret::Derived;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RANGE};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use pace::{Lane, Pace};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use token::{Keys, Trying};
use tokio::time::{Instant, sleep, timeout_at};
use tracing::warn;
use url::Url;

/// Where calls without a region are asked about.
const API_URL: &str = "https://api.nexmo.com";

/// Longest wait for a connection. TCP and TLS across an ocean take three round trips, half a second;
/// past three times that another try does better.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1500);

/// Longest wait for one answer, where another try may follow. Vonage answers well within a second, and
/// a caller who hears nothing is better served by a second try while the budget has room for one.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// Longest silence within a download before it counts as broken off.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may lie idle and be used again. Vonage's side and a function that slept
/// both drop connections silently, and a new leg lost on a dead one cannot be repeated. A burst of
/// requests still shares one.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Redirects that are followed. None are documented; a gateway and a file store make two.
const REDIRECTS_MAX: usize = 3;

/// Bytes of an answer that are read. A page of 100 calls has about 100 kB.
const REPLY_SIZE_MAX: usize = 1024 * 1024;

/// How long after its start a leg may answer 400 to anything, because it is still being built.
///
/// See [Vonage support, 10359615124380](https://api.support.vonage.com/hc/en-us/articles/10359615124380).
pub const LEG_SETTLES_WITHIN: Duration = Duration::from_secs(2);

/// Talks to Vonage as one application. A clone shares connections, token and pace.
#[derive(Clone)]
pub struct Vonage(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    api_url: Url,
    trust: Trust,
    keys: Derived<Keys>,
    pace: Pace,
    budget: Duration,
}

/// What a [`Vonage`] needs.
#[derive(Debug, Clone)]
pub struct VonageConfig {
    /// The application's id.
    pub application_id: String,
    /// The application's key.
    pub private_key: PrivateKey,
    /// Where to ask about calls without a region; `https://api.nexmo.com` if absent. Its origin is
    /// trusted with the token.
    pub api_url: Option<Url>,
    /// Longest that one operation may take, pace, retries and all. Of a download: until it begins.
    pub budget: Duration,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Not http or https, or with a user, a query or a fragment.
    #[error("the API URL is not a plain http or https URL")]
    ApiUrl,
    /// No TLS.
    #[error("could not set up TLS")]
    Tls {
        /// Why not.
        #[source]
        source: crypto::TlsError,
    },
    /// No HTTP client.
    #[error("could not set up the HTTP client")]
    Http {
        /// Why not.
        #[source]
        source: reqwest::Error,
    },
}

impl Vonage {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    /// When the API URL is unusable or the system has no root certificates: see [`SetupError`].
    pub fn new(config: VonageConfig) -> Result<Self, SetupError> {
        let keys = Keys::new(&config.application_id, [config.private_key]);
        Self::with_keys(keys.into(), config.api_url, config.budget)
    }

    /// The same with keys that may be rotated.
    fn with_keys(
        keys: Derived<Keys>,
        api_url: Option<Url>,
        budget: Duration,
    ) -> Result<Self, SetupError> {
        let tls = crypto::tls().map_err(|source| SetupError::Tls { source })?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .pool_idle_timeout(IDLE_MAX)
            // Where the token goes and what is repeated is decided here, and by nobody else: not by
            // a Location header, nor a variable HTTPS_PROXY, nor the library's own retries.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|source| SetupError::Http { source })?;
        let trust = Trust::new(api_url.as_ref());
        let api_url = match api_url {
            Some(url) => url,
            None => Url::parse(API_URL).expect("the default API URL is a URL"),
        };
        let plain = api_url.query().is_none() && api_url.fragment().is_none();
        let http_or_s = matches!(api_url.scheme(), "http" | "https");
        if !plain || !http_or_s || trust.check(&api_url).is_err() {
            return Err(SetupError::ApiUrl);
        }
        Ok(Self(Arc::new(Inner {
            http,
            api_url,
            trust,
            keys,
            pace: Pace::new(),
            budget,
        })))
    }

    /// Which URLs this client trusts, to read a [`RegionUrl`] with.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.0.trust
    }

    /// The URL of a path in the region, or at the API's own URL. Each segment is escaped.
    fn url(&self, region: Option<&RegionUrl>, path: &[&str]) -> Url {
        let mut url = region.map_or(&self.0.api_url, RegionUrl::url).clone();
        url.path_segments_mut()
            .expect("a trusted URL has a host")
            .pop_if_empty()
            .extend(path);
        url
    }

    /// Sends, and reads the answer as JSON.
    async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, VonageError> {
        let answer = self.send(&request).await?;
        serde_json::from_slice(&answer.body).map_err(|error| VonageError::Unreadable {
            operation: request.operation,
            line: error.line(),
            column: error.column(),
        })
    }

    /// Sends, and again where that is right, until the budget is spent.
    async fn send(&self, request: &Request) -> Result<Answer, VonageError> {
        let deadline = Instant::now() + self.0.budget;
        let mut retries = 0;
        let mut last = None;
        // An attempt that got no answer may have been carried out, whatever the next one is told.
        let mut doubt = None;
        let mut trying = Trying::of(&self.0.keys);
        loop {
            if !self.0.pace.turn(request.lane, deadline).await {
                let operation = request.operation.clone();
                return Err(doubt.or(last).unwrap_or(VonageError::Busy { operation }));
            }
            // What cannot be repeated is better waited for to the end than left in doubt.
            let by = match request.repeat {
                Repeat::Safe => deadline.min(Instant::now() + ATTEMPT_TIMEOUT),
                Repeat::Unsafe => deadline,
            };
            let outcome = timeout_at(by, self.attempt(request, &trying)).await;
            let error = match outcome {
                Ok(Ok(answer)) => {
                    trying.accepted();
                    return Ok(answer);
                }
                Ok(Err(error)) => error,
                Err(elapsed) => VonageError::NoAnswer {
                    operation: request.operation.clone(),
                    source: Box::new(elapsed),
                },
            };
            if error.is_unauthenticated() && trying.refused().await {
                warn!("trying another key after: {error}");
                last = Some(error);
                continue;
            }
            let wait = request
                .judge(&error)
                .and_then(|attempt| wait_before_retry(attempt, request.repeat, retries))
                .filter(|wait| Instant::now() + *wait < deadline);
            let Some(wait) = wait else {
                return Err(match doubt {
                    Some(doubt) if !error.is_gone() => doubt,
                    _ => error,
                });
            };
            retries += 1;
            let wait_ms = wait.as_millis();
            warn!(attempt = retries, wait_ms, "trying again after: {error}");
            sleep(wait).await;
            match error {
                VonageError::NoAnswer { .. } => doubt = Some(error),
                error => last = Some(error),
            }
        }
    }

    /// Sends once, and follows redirects.
    async fn attempt(&self, request: &Request, trying: &Trying<'_>) -> Result<Answer, VonageError> {
        let operation = &request.operation;
        let refused = |source| VonageError::Refused {
            operation: operation.clone(),
            source,
        };
        let mut url = request.url.clone();
        for _ in 0..=REDIRECTS_MAX {
            // The one place where the token meets a URL.
            self.0.trust.check(&url).map_err(refused)?;
            let token = trying
                .header(Timestamp::now())
                .map_err(|source| VonageError::Token {
                    operation: operation.clone(),
                    source,
                })?;
            let mut sending = self
                .0
                .http
                .request(request.method.clone(), url.clone())
                .header(AUTHORIZATION, token);
            if request.from_byte > 0 {
                sending = sending.header(RANGE, format!("bytes={}-", request.from_byte));
            }
            if let Some(body) = &request.body {
                sending = sending
                    .header(CONTENT_TYPE, "application/json")
                    .body(body.clone());
            }
            let transport = |error| VonageError::transport(operation, error);
            let mut response = sending.send().await.map_err(transport)?;
            if response.status().is_success() {
                let body = if request.streamed {
                    Vec::new()
                } else {
                    read(&mut response).await.map_err(transport)?
                };
                return Ok(Answer { response, body });
            }
            match response.headers().get(LOCATION) {
                Some(location) if redirects(response.status(), &request.method) => {
                    let location = location
                        .to_str()
                        .map_err(|_| refused(UrlRefused::Character))?;
                    url = self.0.trust.follow(&url, location).map_err(refused)?;
                }
                _ => {
                    // A failure is a failure, whether its explanation arrives or not.
                    let body = read(&mut response).await.unwrap_or_default();
                    let reply = Reply::read(response.status(), response.headers(), &body);
                    return Err(VonageError::answered(operation, reply));
                }
            }
        }
        Err(refused(UrlRefused::Redirects))
    }
}

impl std::fmt::Debug for Vonage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vonage")
            .field("budget", &self.0.budget)
            .finish_non_exhaustive()
    }
}

/// One request, from which every attempt is made.
struct Request {
    /// Verb phrase for messages, with the leg's id.
    operation: String,
    method: Method,
    url: Url,
    body: Option<bytes::Bytes>,
    repeat: Repeat,
    lane: Lane,
    /// When the leg it is about began, if known.
    leg_started: Option<Timestamp>,
    /// Leave the body to be read by whoever asked.
    streamed: bool,
    /// Only the bytes from here on, where whoever answers can do that.
    from_byte: u64,
}

/// A success.
struct Answer {
    response: reqwest::Response,
    /// Empty if streamed.
    body: Vec<u8>,
}

impl Request {
    /// A request that may be repeated, carries nothing, and wants an answer.
    fn new(operation: String, method: Method, url: Url) -> Self {
        Self {
            operation,
            method,
            url,
            body: None,
            repeat: Repeat::Safe,
            lane: Lane::Other,
            leg_started: None,
            streamed: false,
            from_byte: 0,
        }
    }

    fn json(mut self, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).expect("what we send is always JSON");
        self.body = Some(body.into());
        self
    }

    /// What a failure means for this request.
    fn judge(&self, error: &VonageError) -> Option<Attempt> {
        match (error.attempt()?, self.leg_started) {
            (Attempt::Status(400), Some(start)) if unsettled(start, Timestamp::now()) => {
                Some(Attempt::Unsettled)
            }
            (attempt, _) => Some(attempt),
        }
    }
}

fn unsettled(leg_started: Timestamp, now: Timestamp) -> bool {
    let age: SignedDuration = now.duration_since(leg_started);
    age.is_negative() || age.unsigned_abs() < LEG_SETTLES_WITHIN
}

/// 307 and 308 keep the request as it is. The older three turn it into a GET, so only a GET, which
/// stays what it was, follows them.
fn redirects(status: StatusCode, method: &Method) -> bool {
    match status.as_u16() {
        307 | 308 => true,
        301..=303 => method == Method::GET,
        _ => false,
    }
}

/// The body, or as much of it as is worth having.
async fn read(response: &mut reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = REPLY_SIZE_MAX - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if body.len() == REPLY_SIZE_MAX {
            break;
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::standin::{Answer, Standin, config, leg_id};
    use super::*;
    use crate::id::LegId;
    use serde_json::json;
    use std::collections::HashSet;

    fn leg(id: &LegId) -> Leg<'_> {
        Leg {
            id,
            region: None,
            started: None,
        }
    }

    #[tokio::test]
    async fn a_failure_that_passes_is_waited_out() {
        let standin = Standin::start().await;
        let id = leg_id();
        standin.answer(503, "");
        standin.answer(429, "");
        standin.client().mute(leg(&id)).await.unwrap();
        let sent = standin.taken();
        assert_eq!(sent.len(), 3);
        sent.iter()
            .for_each(|request| assert_eq!(request.json(), json!({"action": "mute"})));
    }

    #[tokio::test]
    async fn after_two_retries_it_is_a_failure_with_its_trace() {
        let standin = Standin::start().await;
        let id = leg_id();
        for _ in 0..9 {
            let body = r#"{"title":"Oops","detail":"for 447700900000"}"#;
            standin.push(Answer::new(500, body).header("x-nexmo-trace-id", "abc123"));
        }
        let error = standin.client().mute(leg(&id)).await.unwrap_err();
        assert_eq!(standin.taken().len(), 3);
        let text = "could not mute leg 63f61863-4a51-4f6b-86e1-46edebcf9356: Vonage failed \
            (status 500, Oops, for •••, trace abc123)";
        assert_eq!(error.to_string(), text);
        assert_eq!(error.reply().unwrap().trace_id.as_deref(), Some("abc123"));
    }

    #[tokio::test]
    async fn a_leg_that_is_still_being_built_is_asked_again() {
        let standin = Standin::start().await;
        let (vonage, id) = (standin.client(), leg_id());
        let bad = r#"{"type":"BAD_REQUEST","error_title":"Bad Request"}"#;
        standin.answer(400, bad);
        let young = Leg {
            started: Some(Timestamp::now()),
            ..leg(&id)
        };
        assert_eq!(vonage.hang_up(young).await.unwrap(), HungUp::Now);
        assert_eq!(standin.taken().len(), 2);
        let old = Timestamp::now() - SignedDuration::from_secs(3);
        for started in [Some(old), None] {
            standin.answer(400, bad);
            let error = vonage
                .hang_up(Leg {
                    started,
                    ..leg(&id)
                })
                .await
                .unwrap_err();
            assert!(matches!(error, VonageError::BadRequest { .. }), "{error}");
            assert_eq!(standin.taken().len(), 1);
        }
    }

    #[tokio::test]
    async fn the_budget_bounds_everything() {
        let standin = Standin::start().await;
        let id = leg_id();
        let vonage = Vonage::new(config(&standin.url(), Duration::from_millis(150))).unwrap();
        standin.push(Answer::new(200, "{}").after(Duration::from_secs(60)));
        let start = Instant::now();
        let error = vonage.mute(leg(&id)).await.unwrap_err();
        assert!(matches!(error, VonageError::NoAnswer { .. }), "{error}");
        assert!(error.may_have_been_applied() && error.is_retryable());
        standin.answer(503, "");
        let error = vonage.mute(leg(&id)).await.unwrap_err();
        assert!(
            matches!(error, VonageError::Server { .. }),
            "no time for a retry: {error}"
        );
        assert_eq!(standin.taken().len(), 2);
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[tokio::test]
    async fn what_never_left_is_known_not_to_have_been_done() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let id = leg_id();
        let error = Standin::client_of(&url)
            .send_dtmf(leg(&id), "1")
            .await
            .unwrap_err();
        assert!(matches!(error, VonageError::NotSent { .. }), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable());
        let recording = format!("{url}/secret-path");
        let error = Standin::client_of(&url)
            .download(&recording)
            .await
            .unwrap_err();
        assert!(!format!("{error:?}").contains("secret-path"), "{error:?}");
    }

    #[tokio::test]
    async fn the_pace_is_shared_by_clones_and_kept_within_the_budget() {
        let standin = Standin::start().await;
        let id = leg_id();
        let vonage = Vonage::new(config(&standin.url(), Duration::from_millis(500))).unwrap();
        for _ in 0..pace::OTHER_REQUESTS {
            vonage.clone().mute(leg(&id)).await.unwrap();
        }
        let error = vonage.mute(leg(&id)).await.unwrap_err();
        assert!(matches!(error, VonageError::Busy { .. }), "{error}");
        let sent = standin.taken();
        assert_eq!(sent.len(), pace::OTHER_REQUESTS);
        // One token served them all.
        let tokens: HashSet<_> = sent
            .iter()
            .map(|it| it.headers["authorization"].clone())
            .collect();
        assert_eq!(tokens.len(), 1);
    }

    #[tokio::test]
    async fn only_a_redirect_that_keeps_the_request_is_followed_by_one_that_changes_something() {
        let standin = Standin::start().await;
        let (vonage, id) = (standin.client(), leg_id());
        standin.push(Answer::new(308, "").header("location", "/elsewhere"));
        vonage.mute(leg(&id)).await.unwrap();
        let sent = standin.taken();
        assert_eq!(
            (sent[1].method.as_str(), sent[1].uri.as_str()),
            ("PUT", "/elsewhere")
        );
        assert_eq!(sent[1].json(), json!({"action": "mute"}));
        standin.push(Answer::new(302, "").header("location", "/elsewhere"));
        let error = vonage.mute(leg(&id)).await.unwrap_err();
        assert_eq!(error.reply().unwrap().status, 302);
        assert_eq!(standin.taken().len(), 1);
    }

    #[tokio::test]
    async fn an_api_below_a_path_is_asked_there() {
        let standin = Standin::start().await;
        let id = leg_id();
        for base in ["/phone", "/phone/"] {
            let vonage = Standin::client_of(&format!("{}{base}", standin.url()));
            vonage.mute(leg(&id)).await.unwrap();
            assert_eq!(standin.taken()[0].uri, format!("/phone/v1/calls/{id}"));
        }
    }

    #[tokio::test]
    async fn an_endless_answer_is_not_read_to_its_end() {
        let standin = Standin::start().await;
        let id = leg_id();
        let endless =
            futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65536]));
        standin.push(Answer::new(404, axum::body::Body::from_stream(endless)));
        assert!(standin.client().mute(leg(&id)).await.unwrap_err().is_gone());
    }

    #[test]
    fn an_operation_can_run_on_any_thread() {
        fn sendable<T: Send>(_: T) {}
        let vonage = Standin::client_of("http://127.0.0.1:1");
        let (id, script) = (leg_id(), crate::ncco::Ncco::default());
        sendable(vonage.transfer(leg(&id), &script));
        sendable(vonage.call(leg(&id)));
        sendable(vonage.download("x"));
    }

    #[test]
    fn an_unusable_api_url_is_refused_at_start() {
        for url in [
            "ftp://example.com",
            "https://user@example.com",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "data:text/plain,x",
        ] {
            let refused = Vonage::new(config(url, Duration::ZERO));
            assert!(matches!(refused, Err(SetupError::ApiUrl)), "{url}");
        }
    }

    #[test]
    fn without_a_region_vonage_itself_is_asked() {
        let config = VonageConfig {
            api_url: None,
            ..config("http://x", Duration::ZERO)
        };
        let vonage = Vonage::new(config).unwrap();
        let url = |region: Option<&RegionUrl>| vonage.url(region, &["v1", "calls", "a/b"]);
        assert_eq!(url(None).as_str(), "https://api.nexmo.com/v1/calls/a%2Fb");
        let region = RegionUrl::parse("https://api-us-3.vonage.com", vonage.trust()).unwrap();
        assert_eq!(
            url(Some(&region)).as_str(),
            "https://api-us-3.vonage.com/v1/calls/a%2Fb"
        );
    }

    #[test]
    fn debug_shows_neither_key_nor_token() {
        let config = config("http://127.0.0.1:1", Duration::from_secs(1));
        let shown = format!("{config:?} {:?}", Vonage::new(config.clone()).unwrap());
        assert!(
            shown.contains("[redacted]") && !shown.contains("MII"),
            "{shown}"
        );
    }
}
