//! What is set at Vonage for an account and its application.

use crate::disorder::Disorder;
use crate::token::PublicKey;
use serde_json::Value;
use std::time::Duration;

pub use crate::ncco::Method;

/// Outbound legs an account may begin in a second.
///
/// See [Vonage/Calls per second](https://developer.vonage.com/en/voice/voice-api/concepts/calls-per-second).
pub const LEGS_PER_SECOND: usize = 3;

/// Requests a second the REST API takes, whatever they are about.
///
/// See [Vonage/Voice API/Troubleshooting](https://developer.vonage.com/en/voice/voice-api/guides/troubleshooting).
pub const REQUESTS_PER_SECOND: usize = 15;

/// How long a connection to a webhook may take, unless the application says otherwise.
///
/// See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the reply to an answer or fallback webhook may take, unless the application says
/// otherwise.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the reply to an event may take, unless the application says otherwise.
pub const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// An account, its application, and what is made up for a trial.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The application's id, in every token.
    pub application_id: String,
    /// The account, in the tokens of webhooks.
    pub api_key: String,
    /// Webhooks are signed with it.
    pub signature_secret: String,
    /// Tokens of REST requests are checked with it.
    pub public_key: PublicKey,
    /// The account's own numbers. Real phones are rung from one of these alone.
    pub numbers: Vec<String>,
    /// Asked for a script when a call comes in.
    pub answer: Webhook,
    /// Asked when a script could not be had.
    pub fallback: Option<Webhook>,
    /// Told about every leg, unless a script or a request names another.
    pub event: Webhook,
    /// Outbound legs in a second. Vonage raises it on request.
    pub legs_per_second: usize,
    /// Requests a second the REST API takes.
    pub requests_per_second: usize,
    /// The region the application lives in: its calls are known there.
    pub region: String,
    /// What ids are made from: the same seed, the same ids.
    pub seed: u64,
    /// How webhooks are mishandled on their way, if they are.
    pub disorder: Option<Disorder>,
    /// How many entries of the journal are kept; the oldest go first.
    pub journal: usize,
}

/// A usual account that nobody named yet: at Vonage's paces, in Europe, with all of the journal kept. It
/// has no key, no number, and nobody to ask.
impl Default for Settings {
    fn default() -> Self {
        Self {
            application_id: String::new(),
            api_key: String::new(),
            signature_secret: String::new(),
            public_key: PublicKey::pkcs1([]),
            numbers: Vec::new(),
            answer: Webhook::script(""),
            fallback: None,
            event: Webhook::event(""),
            legs_per_second: LEGS_PER_SECOND,
            requests_per_second: REQUESTS_PER_SECOND,
            region: "eu-west".to_owned(),
            seed: 1,
            disorder: None,
            journal: usize::MAX,
        }
    }
}

/// A URL that is asked or told, as the Application API has it.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Absolute, http or https.
    pub url: String,
    /// GET puts everything into the query.
    pub method: Method,
    /// For the connection.
    pub connect_timeout: Duration,
    /// For the reply.
    pub socket_timeout: Duration,
}

impl Webhook {
    /// By POST, with the timeouts that scripts have.
    #[must_use]
    pub fn script(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method: Method::Post,
            connect_timeout: CONNECT_TIMEOUT,
            socket_timeout: ANSWER_TIMEOUT,
        }
    }

    /// By POST, with the timeouts that events have.
    #[must_use]
    pub fn event(url: impl Into<String>) -> Self {
        Self {
            socket_timeout: EVENT_TIMEOUT,
            ..Self::script(url)
        }
    }

    /// As the Application API has one. Who names no method is told by GET.
    pub(crate) fn set(webhook: &Value) -> Option<Self> {
        let time = |name: &str| webhook[name].as_u64().map(Duration::from_millis);
        Some(Self {
            url: webhook["address"].as_str()?.to_owned(),
            method: match webhook["http_method"].as_str() {
                Some("POST") => Method::Post,
                _ => Method::Get,
            },
            connect_timeout: time("connect_timeout").unwrap_or(CONNECT_TIMEOUT),
            socket_timeout: time("socket_timeout").unwrap_or(ANSWER_TIMEOUT),
        })
    }
}
