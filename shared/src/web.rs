//! Our side of HTTP: what is let in, and which status goes out.
//!
//! A status is chosen by what Vonage does next: it asks again only after 503 (and 429 and 504), and
//! to a caller every error is silence. So whatever can be said aloud is a 200 with an NCCO.
//!
//! See [Vonage/Webhooks/Retries](https://api.support.vonage.com/hc/en-us/articles/115016024247).

use crate::config::Lookup;
use crate::job::JobError;
use crate::metric::Metric;
use crate::ncco::Ncco;
use crate::ncco::check::Severity;
use crate::offer::ClaimError;
use crate::plans::PlanError;
use crate::script;
use crate::secret::Derived;
use crate::signature::{Payload, Secrets, SignatureError, Signed, Verified, Verifier};
use crate::store::StoreError;
use crate::webhook::{Fields, Unreadable};
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, header};
use jiff::Timestamp;
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;

/// Largest body taken in. Vonage's webhooks have a few hundred bytes; speech results and custom data
/// make some thousands. An item of the table, which keeps the body, may have 400 KB.
pub const BODY_MAX: usize = 256 * 1024;

/// How long a webhook may take to whose answer somebody listens: all that it asks of the store and
/// of the queues together. What is promised is that they hear something within 1.5 s; the rest is
/// for the way to Vonage and back.
pub const SPEAKS_WITHIN: Duration = Duration::from_millis(1_300);

/// Time for a body to arrive. Vonage's come with their heads; the largest there may be takes a fifth
/// of this on a slow line. Only a board waits at all: behind API Gateway a body is whole.
pub const BODY_WITHIN: Duration = Duration::from_secs(10);

/// Why a request gets no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Not signed by Vonage, or not one of our people.
    #[error("the request is not signed as it must be")]
    Unsigned(#[source] SignatureError),
    /// One of our people, but not for this.
    #[error("the request carries no valid token or link")]
    Unknown,
    /// Does not read.
    #[error("the request does not read")]
    Unreadable(#[source] Unreadable),
    /// Larger than [`BODY_MAX`].
    #[error("the body is larger than {BODY_MAX} bytes")]
    TooLarge,
    /// The body did not arrive.
    #[error("the body did not arrive")]
    CutShort(#[source] axum::Error),
    /// The body came too slowly.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// No such thing.
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// The store, the queue or the plan is away for now.
    #[error("something we need is away for now")]
    Later(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Later(Box::new(error))
    }
}

impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Self {
        Self::Later(Box::new(error))
    }
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        Self::Later(Box::new(error))
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        Self::Later(Box::new(error))
    }
}

/// Work that somebody listens for. What is not done by then, [`SPEAKS_WITHIN`] after the webhook came, is
/// given up, to be asked for again: nobody is to hear more silence than that at a time.
///
/// # Errors
/// When the work fails, or takes too long.
pub async fn in_time<T>(
    by: Instant,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let done = tokio::time::timeout_at(by, work).await;
    done.unwrap_or_else(|late| Err(Failure::Later(Box::new(late))))
}

impl Failure {
    fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unsigned(_) => (StatusCode::UNAUTHORIZED, "unsigned"),
            Self::Unknown => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Unreadable(_) | Self::CutShort(_) => (StatusCode::BAD_REQUEST, "unreadable"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow"),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "not-found"),
            Self::Later(_) => (StatusCode::SERVICE_UNAVAILABLE, "later"),
        }
    }
}

/// Logs the failure with its causes and sends its outer words alone.
impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, code) = self.status();
        if status.is_server_error() {
            tracing::error!(error = %crate::chain(&self), "refused with {status}");
        } else {
            tracing::warn!(error = %crate::chain(&self), "refused with {status}");
        }
        refusal(status, code, &self.to_string())
    }
}

/// The JSON of every error we send.
#[must_use]
pub fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    (
        status,
        Json(json!({ "error": { "code": code, "message": message } })),
    )
        .into_response()
}

/// Speaks to the caller: 200 with an NCCO. Faults are logged and the script is sent all the same,
/// since our copy of a limit may be older than Vonage's.
#[must_use]
pub fn say(ncco: &Ncco) -> Response {
    for fault in ncco.check() {
        if fault.severity == Severity::Warning {
            continue;
        }
        tracing::error!(ncco.fault = %fault, "a script may be refused by Vonage");
    }
    if script::is_sorry(ncco) {
        Metric::Apologies.record(Timestamp::now());
    }
    Json(ncco).into_response()
}

/// Acknowledges an event that asks for no NCCO. An empty NCCO leaves the running one as it is.
#[must_use]
pub fn noted() -> Response {
    Json(json!([])).into_response()
}

/// A function's routes made whole: `/healthz`, and words for whatever no route knows. Health asks
/// nobody else, so that it never speaks for them.
pub fn whole(router: Router) -> Router {
    router
        .route("/healthz", get(|| async { "ok" }))
        .fallback(|| async { refusal(StatusCode::NOT_FOUND, "not-found", "there is no such page") })
        .method_not_allowed_fallback(|| async {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            refusal(status, "method", "this page is not asked with that method")
        })
}

/// A webhook that Vonage signed, and that reads.
#[derive(Debug)]
pub struct Received {
    /// What it says.
    pub fields: Fields,
    /// The query it came with, where our cues are.
    pub query: String,
    /// The base of our own URLs; no slash at the end.
    pub base: String,
    /// By when whoever listens is to hear something.
    pub by: Instant,
}

/// A webhook that Vonage signed.
#[derive(Debug)]
pub struct Admitted {
    /// What it says, if it reads.
    pub fields: Result<Fields, Unreadable>,
    /// The query it came with.
    pub query: String,
    /// The base of our own URLs; no slash at the end.
    pub base: String,
    /// By when whoever listens is to hear something.
    pub by: Instant,
}

/// Lets Vonage's webhooks in, and nobody else's.
#[derive(Debug)]
pub struct Webhooks {
    verifier: Option<Derived<Verifier>>,
    base: Option<String>,
}

impl Webhooks {
    /// Webhooks checked by a verifier (none: let in unsigned), on a fixed base URL (none: the one
    /// each request names).
    #[must_use]
    pub fn new(verifier: Option<Derived<Verifier>>, base: Option<String>) -> Self {
        let base = base.map(|base| base.trim_end_matches('/').to_owned());
        Self { verifier, base }
    }

    /// Reads the settings named in the README.
    pub fn from_lookup(lookup: &mut Lookup) -> Self {
        let unsigned = lookup.switch("SWITCHBOARD_ALLOW_UNSIGNED");
        let base = base_url(lookup);
        if unsigned {
            tracing::warn!(
                "SWITCHBOARD_ALLOW_UNSIGNED is true: anybody who finds this URL can pose as Vonage"
            );
            return Self::new(None, base);
        }
        Self::new(Some(Derived::from_lookup(lookup, verifier)), base)
    }

    /// Takes a webhook in, body and all.
    ///
    /// # Errors
    /// When it is too large, not signed, or does not read.
    pub async fn receive(&self, request: Request) -> Result<Received, Failure> {
        let Admitted {
            fields,
            query,
            base,
            by,
        } = self.admit(request).await?;
        Ok(Received {
            fields: fields.map_err(Failure::Unreadable)?,
            query,
            base,
            by,
        })
    }

    /// Takes a webhook in whose address says all there is to know.
    ///
    /// # Errors
    /// When it is too large, or not signed.
    pub async fn admit(&self, request: Request) -> Result<Admitted, Failure> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let body = read_body(&parts.headers, body).await?;
        let by = Instant::now() + SPEAKS_WITHIN;
        let get = parts.method == Method::GET;
        if let Some(verifier) = &self.verifier {
            let authorization = text(&parts.headers, header::AUTHORIZATION);
            let signed = if get {
                Signed::Get { query: &query }
            } else {
                Signed::Post(&body)
            };
            let verified = verify(verifier, authorization, signed).await?;
            if verified.payload == Payload::Differs {
                tracing::info!("the hash of a GET's query differs from ours; its signature holds");
            }
        }
        let fields = if get {
            Ok(Fields::from_query(&query))
        } else {
            Fields::from_body(&body)
        };
        let base = match &self.base {
            Some(base) => base.clone(),
            None => base_of(&parts.uri, &parts.headers),
        };
        Ok(Admitted {
            fields,
            query,
            base,
            by,
        })
    }
}

/// Reads what webhooks are checked against.
fn verifier(lookup: &mut Lookup) -> Verifier {
    let secrets = Secrets {
        current: lookup.required("VONAGE_SIGNATURE_SECRET").into(),
        previous: lookup
            .optional("VONAGE_SIGNATURE_SECRET_PREVIOUS")
            .map(Into::into),
    };
    let application = lookup.required("VONAGE_APPLICATION_ID");
    // A board made the id up where nobody named one: no webhook can carry it.
    let made_up = lookup.switch("SWITCHBOARD_ANY_APPLICATION");
    let application = Some(application).filter(|_| !made_up);
    Verifier::new(&secrets, application, lookup.optional("VONAGE_API_KEY"))
}

/// Whether Vonage signed it: with a secret that is known here, or else with one that the secret store has by
/// now. Where that cannot be asked it is refused for now, which has Vonage try once more, perhaps with
/// a function that knows.
async fn verify(
    verifier: &Derived<Verifier>,
    authorization: Option<&str>,
    signed: Signed<'_>,
) -> Result<Verified, Failure> {
    let now = Timestamp::now();
    let known = verifier.now();
    let mut verified = known.verify(authorization, signed, now);
    // Of all that can be wrong with it, this alone could be right by another secret.
    if verified == Err(SignatureError::Signature) {
        let other = verifier.instead_of(&known).await;
        if let Some(other) = other.map_err(|error| Failure::Later(Box::new(error)))? {
            verified = other.verify(authorization, signed, now);
        }
    }
    verified.map_err(|error| {
        Metric::Unsigned.record(now);
        Failure::Unsigned(error)
    })
}

/// `SWITCHBOARD_BASE_URL`, checked.
pub fn base_url(lookup: &mut Lookup) -> Option<String> {
    lookup.read("SWITCHBOARD_BASE_URL", |text| match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("not an http or https URL without a query"),
    })
}

/// Reads a body: [`BODY_MAX`] of it at most, and for [`BODY_WITHIN`] at longest.
///
/// # Errors
/// When it is larger, cut short, or too slow.
pub async fn read_body(headers: &HeaderMap, body: Body) -> Result<bytes::Bytes, Failure> {
    let announced = text(headers, header::CONTENT_LENGTH).and_then(|n| n.parse::<u64>().ok());
    if announced.is_some_and(|n| n > BODY_MAX as u64) {
        return Err(Failure::TooLarge);
    }
    let read = tokio::time::timeout(BODY_WITHIN, axum::body::to_bytes(body, BODY_MAX)).await;
    read.map_err(|_| Failure::TooSlow)?.map_err(|error| {
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(inner) = cause {
            if inner.is::<http_body_util::LengthLimitError>() {
                return Failure::TooLarge;
            }
            cause = inner.source();
        }
        Failure::CutShort(error)
    })
}

/// The base of our URLs as the request names it. Behind API Gateway the URI is whole; elsewhere the
/// host header is all there is, and a proxy says whether it spoke https.
#[must_use]
pub fn base_of(uri: &http::Uri, headers: &HeaderMap) -> String {
    if let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) {
        return format!("{scheme}://{authority}");
    }
    let host = text(headers, header::HOST).unwrap_or("localhost");
    let proxied = headers
        .get("x-forwarded-proto")
        .and_then(|value| value.to_str().ok());
    let scheme = if proxied == Some("https") {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{host}")
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    /// From the caller's last word to ours.
    const PROMISED: Duration = Duration::from_millis(1_500);

    /// Vonage's way to us and back, through API Gateway.
    const WAY: Duration = Duration::from_millis(200);

    /// A message to SQS, which takes 10 ms.
    const MESSAGE: Duration = Duration::from_millis(100);

    #[test]
    fn the_times_add_up_to_what_a_caller_was_promised() {
        assert!(SPEAKS_WITHIN + WAY <= PROMISED);
        // The plan is looked at again, the call is not written, and that is left to a job.
        let answer = crate::plans::READ_AGAIN + crate::aws::WEBHOOK_ALL + MESSAGE;
        assert!(answer <= SPEAKS_WITHIN);
        // A look at the secret leaves most of the time for the rest.
        assert!(crate::secret::READ_WITHIN < SPEAKS_WITHIN / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_takes_too_long_is_to_be_asked_for_again() {
        let by = Instant::now() + SPEAKS_WITHIN;
        let never = in_time(by, std::future::pending::<Result<(), Failure>>()).await;
        assert!(matches!(never, Err(Failure::Later(_))));
        assert_eq!(by.elapsed(), Duration::ZERO);
        assert!(in_time(by, async { Ok(()) }).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_not_waited_for() {
        let first = stream::iter([Ok::<_, std::io::Error>("a byte, and then")]);
        let body = Body::from_stream(stream::StreamExt::chain(first, stream::pending()));
        let read = read_body(&HeaderMap::new(), body).await;
        let refused = read.unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::REQUEST_TIMEOUT);
        let told = axum::body::to_bytes(refused.into_body(), BODY_MAX)
            .await
            .unwrap();
        assert_eq!(
            told,
            r#"{"error":{"code":"too-slow","message":"the body did not arrive in time"}}"#
        );
    }

    #[tokio::test]
    async fn no_more_of_a_body_is_taken_in_than_may_be() {
        let taken = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let count = taken.clone();
        let endless = stream::repeat_with(move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            Ok::<_, std::io::Error>(vec![b'a'; 1024])
        });
        let read = read_body(&HeaderMap::new(), Body::from_stream(endless)).await;
        assert!(matches!(read, Err(Failure::TooLarge)), "{read:?}");
        let taken = taken.load(std::sync::atomic::Ordering::Relaxed);
        assert!(taken <= BODY_MAX / 1024 + 1, "{taken} KiB");
    }
}
