//! The operator's account at Vonage: its applications and numbers, and how they are changed.
//!
//! Asked with the account's key and secret, which no function of ours ever sees.
//!
//! See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2) and
//! [Vonage/Numbers API](https://developer.vonage.com/en/api/numbers).

mod application;
mod number;

pub use application::{Application, Difference, Region, Voice};
pub use number::Number;

use crate::environment::Environment;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use switchboard_shared::crypto;
use switchboard_shared::vonage::{Attempt, Repeat, Reply, wait_before_retry};
use url::Url;

/// Where applications are asked about.
const API_URL: &str = "https://api.nexmo.com";

/// Where numbers are asked about.
const REST_URL: &str = "https://rest.nexmo.com";

/// Longest wait for a connection: an operator at home may be an ocean away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for an answer. Vonage's lists take a second or two; a person waits no longer than
/// this before they wonder.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Applications or numbers to a page: as many as Vonage gives.
const PAGE_SIZE: usize = 100;

/// Pages that are read: ten thousand numbers are more than any account of ours has.
const PAGES_MAX: usize = 100;

/// Bytes of an answer that are read. A page of numbers has 30 kB.
const REPLY_SIZE_MAX: usize = 4 * 1024 * 1024;

/// The account.
#[derive(Debug)]
pub struct Account {
    http: reqwest::Client,
    key: String,
    secret: SecretString,
    api_url: Url,
    rest_url: Url,
}

/// Something could not be asked of the account, or done to it.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Neither key nor secret, or one of them alone.
    #[error(
        "VONAGE_API_KEY and VONAGE_API_SECRET are not both set: take them from Vonage's dashboard, API settings"
    )]
    NoCredentials,
    /// A URL that is none.
    #[error("{0} is not an http or https URL")]
    Url(&'static str),
    /// No client.
    #[error("could not set up HTTP")]
    Http(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// 401 or 403.
    #[error(
        "Vonage does not accept VONAGE_API_KEY with VONAGE_API_SECRET: compare both with the dashboard, API settings"
    )]
    Credentials,
    /// Any other refusal.
    #[error("could not {operation}: Vonage refuses it ({reply})")]
    Refused {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// Vonage failed, or has too many requests.
    #[error("could not {operation}: Vonage fails ({reply}); try again in some minutes")]
    Failed {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// No connection, or no whole answer.
    #[error("could not {operation}: no answer came from Vonage; look at the network and try again")]
    NoAnswer {
        /// What was tried.
        operation: String,
        /// What the network said.
        #[source]
        source: reqwest::Error,
    },
    /// An answer that is not as it is described.
    #[error("could not {operation}: the answer does not read")]
    Unreadable {
        /// What was tried.
        operation: String,
    },
}

impl AccountError {
    /// Whether Vonage has no such thing.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { reply, .. } if reply.status == 404)
    }
}

/// What Vonage answered.
struct Answer {
    headers: HeaderMap,
    body: Vec<u8>,
}

/// One request, from which every attempt is made.
struct Request {
    /// Verb phrase for messages.
    operation: String,
    method: Method,
    url: Url,
    body: Option<(&'static str, String)>,
    repeat: Repeat,
}

impl Request {
    fn new(operation: impl Into<String>, method: Method, url: Url) -> Self {
        Self {
            operation: operation.into(),
            method,
            url,
            body: None,
            repeat: Repeat::Safe,
        }
    }

    fn json(mut self, body: &Value) -> Self {
        self.body = Some(("application/json", body.to_string()));
        self
    }

    fn form(mut self, fields: &[(&str, &str)]) -> Self {
        let form = serde_urlencoded::to_string(fields).expect("texts can be encoded");
        self.body = Some(("application/x-www-form-urlencoded", form));
        self
    }
}

impl Account {
    /// The account of `VONAGE_API_KEY` and `VONAGE_API_SECRET`, at `VONAGE_API_URL` and
    /// `VONAGE_REST_URL`, else at Vonage's own.
    ///
    /// # Errors
    /// When it is not named, or there is no TLS.
    pub fn from_environment(environment: &Environment) -> Result<Self, AccountError> {
        let credentials = environment
            .get("VONAGE_API_KEY")
            .zip(environment.get("VONAGE_API_SECRET"));
        let (key, secret) = credentials.ok_or(AccountError::NoCredentials)?;
        let url = |name: &'static str, own: &str| {
            let text = environment.get(name).unwrap_or_else(|| own.to_owned());
            let url = Url::parse(&text).ok();
            url.filter(|url| matches!(url.scheme(), "http" | "https"))
                .ok_or(AccountError::Url(name))
        };
        let tls = crypto::tls().map_err(|error| AccountError::Http(Box::new(error)))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // The secret goes to whom it was meant for, and what is repeated is decided here.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|error| AccountError::Http(Box::new(error)))?;
        Ok(Self {
            http,
            key,
            secret: secret.into(),
            api_url: url("VONAGE_API_URL", API_URL)?,
            rest_url: url("VONAGE_REST_URL", REST_URL)?,
        })
    }

    /// The account's key, which is no secret.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether a text is the account's own secret: it is taken for the signature secret easily.
    #[must_use]
    pub fn is_secret(&self, text: &str) -> bool {
        crypto::same(self.secret.expose_secret().as_bytes(), text.as_bytes())
    }

    /// Asks Vonage something small: what its clock says, if it says so.
    ///
    /// # Errors
    /// When key and secret are not accepted, or Vonage does not answer.
    pub async fn clock(&self) -> Result<Option<Timestamp>, AccountError> {
        let mut url = self.applications_url(None);
        url.set_query(Some("page_size=1"));
        let request = Request::new("ask for the applications", Method::GET, url);
        Ok(date(&self.send(request).await?.headers))
    }

    fn below(base: &Url, path: &[&str]) -> Url {
        let mut url = base.clone();
        url.path_segments_mut()
            .expect("an http URL has a path")
            .pop_if_empty()
            .extend(path);
        url
    }

    /// Sends, and reads the answer as JSON.
    async fn ask<T: DeserializeOwned>(&self, request: Request) -> Result<T, AccountError> {
        let operation = request.operation.clone();
        let answer = self.send(request).await?;
        serde_json::from_slice(&answer.body).map_err(|_| AccountError::Unreadable { operation })
    }

    /// Sends, and again where that is right.
    async fn send(&self, request: Request) -> Result<Answer, AccountError> {
        let mut retries = 0;
        loop {
            let (error, attempt) = match self.attempt(&request).await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let wait =
                attempt.and_then(|attempt| wait_before_retry(attempt, request.repeat, retries));
            let Some(wait) = wait else {
                return Err(error);
            };
            retries += 1;
            tokio::time::sleep(wait).await;
        }
    }

    /// Sends once. A failure comes with how it looks to the rule about retries.
    async fn attempt(&self, request: &Request) -> Result<Answer, (AccountError, Option<Attempt>)> {
        let lost = |source: reqwest::Error| {
            let attempt = if source.is_connect() {
                Attempt::NotSent
            } else {
                Attempt::NoAnswer
            };
            let operation = request.operation.clone();
            let source = source.without_url();
            (AccountError::NoAnswer { operation, source }, Some(attempt))
        };
        let mut sending = self
            .http
            .request(request.method.clone(), request.url.clone())
            .basic_auth(&self.key, Some(self.secret.expose_secret()));
        if let Some((kind, body)) = &request.body {
            sending = sending.header(CONTENT_TYPE, *kind).body(body.clone());
        }
        let mut response = sending.send().await.map_err(lost)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            let room = REPLY_SIZE_MAX - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        judge(&request.operation, status, &headers, &body)?;
        Ok(Answer { headers, body })
    }
}

/// Whether it was done. The Numbers API says in the body alone that it was not.
fn judge(
    operation: &str,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), (AccountError, Option<Attempt>)> {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let code = json.get("error-code").and_then(Value::as_str);
    let code = code.and_then(|code| code.parse().ok());
    let code: u16 = code.unwrap_or(status.as_u16());
    if status.is_success() && (200..300).contains(&code) {
        return Ok(());
    }
    let mut reply = Reply::read(status, headers, body);
    if status.is_success() {
        reply.status = code;
    }
    let (operation, reply) = (operation.to_owned(), Box::new(reply));
    let attempt = Some(Attempt::Status(reply.status));
    Err(match reply.status {
        401 | 403 => (AccountError::Credentials, None),
        429 | 500.. => (AccountError::Failed { operation, reply }, attempt),
        _ => (AccountError::Refused { operation, reply }, None),
    })
}

/// What a clock at the other end says, if it says so.
pub(crate) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<(), String> {
        let status = StatusCode::from_u16(status).unwrap();
        judge(
            "link 447700900000",
            status,
            &HeaderMap::new(),
            body.as_bytes(),
        )
        .map_err(|(error, _)| error.to_string())
    }

    #[test]
    fn a_number_that_was_not_linked_says_so_in_the_body_alone() {
        let done = r#"{"error-code":"200","error-code-label":"success"}"#;
        assert_eq!(judged(200, done), Ok(()));
        assert_eq!(judged(200, "{}"), Ok(()));
        let refused = judged(
            200,
            r#"{"error-code":"420","error-code-label":"method failed"}"#,
        );
        let words = "could not link 447700900000: Vonage refuses it (status 420, method failed)";
        assert_eq!(refused.unwrap_err(), words);
    }

    #[test]
    fn what_is_wrong_with_an_application_is_named() {
        let body = r#"{"title":"Bad Request","detail":"The request failed due to validation errors",
            "invalid_parameters":[{"name":"name","reason":"is required"}]}"#;
        let words = judged(400, body).unwrap_err();
        assert!(words.contains("name: is required"), "{words}");
    }

    #[test]
    fn a_secret_that_is_not_accepted_is_no_matter_of_trying_again() {
        for (status, body) in [(401, ""), (200, r#"{"error-code":"401"}"#)] {
            let status = StatusCode::from_u16(status).unwrap();
            let judged = judge("x", status, &HeaderMap::new(), body.as_bytes());
            let (error, attempt) = judged.unwrap_err();
            assert!(matches!(error, AccountError::Credentials) && attempt.is_none());
        }
    }

    #[test]
    fn without_key_and_secret_nothing_is_sent() {
        let environment: Environment = [("VONAGE_API_KEY".to_owned(), "a".to_owned())]
            .into_iter()
            .collect();
        let refused = Account::from_environment(&environment).unwrap_err();
        assert!(matches!(refused, AccountError::NoCredentials));
    }

    #[test]
    fn nobody_reads_the_secret_off_an_account() {
        let pairs = [
            ("VONAGE_API_KEY", "abcd1234"),
            ("VONAGE_API_SECRET", "hush"),
        ];
        let environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let account = Account::from_environment(&environment.into_iter().collect()).unwrap();
        assert!(account.is_secret("hush") && !account.is_secret("abcd1234"));
        assert!(!format!("{account:?}").contains("hush"));
    }
}
