use super::Request;
use crate::loopback::Loopback;
use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// How every JWT begins: `{"` in base64url.
const TOKEN_START: &str = "eyJ";

/// What a stranger gives for whatever is asked: a download that goes well, so that following a bad
/// link fails a test by the token it gave away and by nothing else.
pub const STRANGERS_BYTES: &[u8] = b"nothing of Vonage's";

type Requests = Arc<Mutex<Vec<Request>>>;

/// A server on loopback that nobody should trust. Remembers whether anybody did.
pub struct Stranger {
    requests: Requests,
    server: Loopback,
}

impl Stranger {
    /// Starts it on a free port.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn start() -> Self {
        let requests = Requests::default();
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&requests));
        Self {
            requests,
            server: Loopback::serve(router),
        }
    }

    /// Its base URL by address, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its base URL by another host than the platform has: `http://localhost:PORT`.
    #[must_use]
    pub fn url_by_name(&self) -> String {
        format!("http://localhost:{}", self.server.address().port())
    }

    /// Every request so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether an `Authorization` header ever arrived.
    #[must_use]
    pub fn saw_authorization(&self) -> bool {
        self.requests()
            .iter()
            .any(|request| request.header("authorization").is_some())
    }

    /// Whether anything that looks like a JWT ever arrived, in a header, the query or the body.
    #[must_use]
    pub fn saw_token(&self) -> bool {
        self.requests().iter().any(|request| {
            let mut texts = request.headers.iter().chain(&request.query);
            texts.any(|(_, value)| value.contains(TOKEN_START))
                || request.path.contains(TOKEN_START)
                || request.body.to_string().contains(TOKEN_START)
        })
    }
}

impl fmt::Debug for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stranger({})", self.url())
    }
}

async fn answer(
    State(requests): State<Requests>,
    request: axum::extract::Request,
) -> impl IntoResponse {
    let (mut request, _) = Request::take(request).await;
    request.status = Some(200);
    requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(request);
    ([(CONTENT_TYPE, "audio/mpeg")], STRANGERS_BYTES)
}
