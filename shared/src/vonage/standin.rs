//! A server that stands in for Vonage in the tests of this client: it notes what it is asked, and
//! answers what it is told to, which a faithful double does not: errors in every shape, and answers
//! that come late, broken or not at all.

use super::token::tests::open;
use super::{PrivateKey, Vonage, VonageConfig};
use crate::id::LegId;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

/// Answers in the order given, and 200 with `{}` once there are none left.
pub(super) struct Standin {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    asked: Vec<Asked>,
}

/// One request as it came.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// One answer to give.
pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Body,
    delay: Duration,
}

impl Standin {
    pub(super) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&state);
        let router = Router::new().fallback(
            async move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
                let asked = Asked {
                    method,
                    uri: uri.to_string(),
                    headers,
                    body,
                };
                let answer = {
                    let mut state = shared.lock().unwrap();
                    state.asked.push(asked);
                    state
                        .answers
                        .pop_front()
                        .unwrap_or_else(|| Answer::new(200, "{}"))
                };
                tokio::time::sleep(answer.delay).await;
                let builder = Response::builder().status(answer.status);
                let add =
                    |builder: http::response::Builder, (name, value)| builder.header(name, value);
                answer
                    .headers
                    .into_iter()
                    .fold(builder, add)
                    .body(answer.body)
                    .unwrap()
            },
        );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A client whose API is this server.
    pub(super) fn client(&self) -> Vonage {
        Self::client_of(&self.url())
    }

    /// A client whose API is at this URL.
    pub(super) fn client_of(url: &str) -> Vonage {
        Vonage::new(config(url, Duration::from_secs(5))).unwrap()
    }

    pub(super) fn push(&self, answer: Answer) {
        self.state.lock().unwrap().answers.push_back(answer);
    }

    pub(super) fn answer(&self, status: u16, body: &str) {
        self.push(Answer::new(status, body.to_owned()));
    }

    /// What was asked since the last time.
    pub(super) fn taken(&self) -> Vec<Asked> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Body>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            delay: Duration::ZERO,
        }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

impl Asked {
    /// The body, or null if there was none.
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What the token says, which must be signed by the application's key.
    pub(super) fn claims(&self) -> Value {
        open(&self.headers["authorization"])
    }
}

pub(super) fn config(url: &str, budget: Duration) -> VonageConfig {
    VonageConfig {
        application_id: "app".into(),
        private_key: PrivateKey::parse(include_str!("../../fixtures/keys/rsa.pem")).unwrap(),
        api_url: Some(url.parse().unwrap()),
        budget,
    }
}

/// The leg in the reference's examples.
pub(super) fn leg_id() -> LegId {
    LegId::new("63f61863-4a51-4f6b-86e1-46edebcf9356").unwrap()
}
