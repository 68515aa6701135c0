//! What can go wrong between us and Vonage, so that callers can branch on it.

use super::retry::Attempt;
use super::token::TokenError;
use super::trust::UrlRefused;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use std::fmt;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why an operation did not come to its end.
///
/// `operation` is a verb phrase, with the leg's id where there is one. No message holds a phone
/// number, a token or a URL that came from outside.
#[derive(Debug, thiserror::Error)]
pub enum VonageError {
    /// 404 or 410: over, never was, or lives in another region.
    #[error("could not {operation}: Vonage knows nothing of it ({reply})")]
    NotFound {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// 401 or 403: the key is not this application's, or our clock is wrong.
    #[error("could not {operation}: Vonage does not accept our token ({reply})")]
    Unauthorized {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// Another 4xx: the request does not fit the call's state, or Vonage's rules.
    #[error("could not {operation}: Vonage refused the request ({reply})")]
    BadRequest {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// 429, still, after waiting.
    #[error("could not {operation}: Vonage has too many requests from us ({reply})")]
    TooMany {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// Any other status, 5xx as a rule.
    #[error("could not {operation}: Vonage failed ({reply})")]
    Server {
        /// What was tried.
        operation: String,
        /// What Vonage said.
        reply: Box<Reply>,
    },
    /// Our own pace has no turn left within the budget.
    #[error("could not {operation}: too many requests wait before it")]
    Busy {
        /// What was tried.
        operation: String,
    },
    /// The URL, or one it redirects to, must not see the token, which was not sent there.
    #[error("could not {operation}: its address is not trusted")]
    Refused {
        /// What was tried.
        operation: String,
        /// Why not.
        #[source]
        source: UrlRefused,
    },
    /// No token could be made.
    #[error("could not {operation}: there is no token for it")]
    Token {
        /// What was tried.
        operation: String,
        /// Why not.
        #[source]
        source: TokenError,
    },
    /// No connection came about.
    #[error("could not {operation}: the request was not sent")]
    NotSent {
        /// What was tried.
        operation: String,
        /// What the network said.
        #[source]
        source: BoxError,
    },
    /// No answer in time, or one that broke off.
    #[error("could not {operation}: no whole answer came")]
    NoAnswer {
        /// What was tried.
        operation: String,
        /// What the network or the clock said.
        #[source]
        source: BoxError,
    },
    /// It was done, but the answer does not read as it should. The reader's own words are left out,
    /// since they quote what was read.
    #[error("could not {operation}: the answer does not read, at line {line} column {column}")]
    Unreadable {
        /// What was tried.
        operation: String,
        /// Where, counted from 1.
        line: usize,
        /// Where, counted from 1.
        column: usize,
    },
}

impl VonageError {
    /// Whether Vonage has no such call or file: mostly because it is over.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// 401: Vonage does not know us by this token, and did nothing.
    pub(super) fn is_unauthenticated(&self) -> bool {
        self.reply().is_some_and(|reply| reply.status == 401)
    }

    /// Whether it may have been carried out all the same. Then look before you repeat it.
    #[must_use]
    pub fn may_have_been_applied(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer { .. } | Self::Server { .. } | Self::Unreadable { .. }
        )
    }

    /// Whether the address must not see our token: repeating that is of no use.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// Whether the same request may well succeed some seconds or minutes later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::TooMany { .. }
                | Self::Server { .. }
                | Self::Busy { .. }
                | Self::NotSent { .. }
                | Self::NoAnswer { .. }
        )
    }

    /// What Vonage answered, if it did.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::NotFound { reply, .. }
            | Self::Unauthorized { reply, .. }
            | Self::BadRequest { reply, .. }
            | Self::TooMany { reply, .. }
            | Self::Server { reply, .. } => Some(reply),
            _ => None,
        }
    }

    /// How this looks to the rule about retries. `None` where it is settled.
    pub(super) fn attempt(&self) -> Option<Attempt> {
        match self {
            Self::NotSent { .. } => Some(Attempt::NotSent),
            Self::NoAnswer { .. } => Some(Attempt::NoAnswer),
            _ => self.reply().map(|reply| Attempt::Status(reply.status)),
        }
    }

    pub(super) fn answered(operation: &str, reply: Reply) -> Self {
        let operation = operation.to_owned();
        let status = reply.status;
        let reply = Box::new(reply);
        match status {
            404 | 410 => Self::NotFound { operation, reply },
            401 | 403 => Self::Unauthorized { operation, reply },
            429 => Self::TooMany { operation, reply },
            400..=499 => Self::BadRequest { operation, reply },
            _ => Self::Server { operation, reply },
        }
    }

    /// Sorts what reqwest reports. Its URL is taken out: a recording's is not for logs.
    pub(super) fn transport(operation: &str, source: reqwest::Error) -> Self {
        let operation = operation.to_owned();
        let sent = !(source.is_connect() || source.is_builder());
        let source = Box::new(source.without_url());
        if sent {
            Self::NoAnswer { operation, source }
        } else {
            Self::NotSent { operation, source }
        }
    }
}

/// What Vonage said about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// In a few words, or empty. Phone numbers and URLs are taken out.
    pub title: String,
    /// More words, and the parameters found wrong; or empty. Phone numbers and URLs are taken out.
    pub detail: String,
    /// `x-nexmo-trace-id`: what Vonage's support asks for first.
    pub trace_id: Option<String>,
}

/// Characters of Vonage's words that are kept: a few sentences, and not a page of HTML.
const WORDS_MAX: usize = 300;

/// Characters of a trace id that are kept. Those seen have 32.
const TRACE_ID_MAX: usize = 64;

/// Where the title may be. The shapes differ between Vonage's APIs and years.
const TITLES: [&str; 4] = ["error-code-label", "error_title", "title", "detail"];

impl Reply {
    /// Reads any of the shapes of error Vonage is known to send; and an unknown one, or none at all.
    pub fn read(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        let title = TITLES.into_iter().find_map(text).unwrap_or_default();
        let reasons = json
            .get("invalid_parameters")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let reasons = reasons.map(|one| {
            let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
            format!("{}: {}", text("name"), text("reason"))
        });
        let detail = text("detail")
            .filter(|detail| *detail != title)
            .map(str::to_owned);
        let detail = detail
            .into_iter()
            .chain(reasons)
            .collect::<Vec<_>>()
            .join("; ");
        Self {
            status: status.as_u16(),
            title: harmless(title),
            detail: harmless(&detail),
            trace_id: headers
                .get("x-nexmo-trace-id")
                .and_then(|value| value.to_str().ok())
                .map(|id| {
                    id.chars()
                        .filter(char::is_ascii_alphanumeric)
                        .take(TRACE_ID_MAX)
                        .collect()
                }),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        for words in [&self.title, &self.detail]
            .into_iter()
            .filter(|words| !words.is_empty())
        {
            write!(f, ", {words}")?;
        }
        self.trace_id
            .iter()
            .try_for_each(|id| write!(f, ", trace {id}"))
    }
}

/// Vonage's words without those that could be a number, an address, a URL or a token: any with four
/// digits or more, an `@`, `://`, or longer than a word is.
fn harmless(text: &str) -> String {
    let masked = |word: &str| {
        let digits = word.chars().filter(char::is_ascii_digit).count();
        digits >= 4 || word.contains('@') || word.contains("://") || word.len() > 40
    };
    let text: String = text
        .chars()
        .filter(|c| !c.is_control())
        .take(WORDS_MAX)
        .collect();
    let words: Vec<_> = text
        .split_whitespace()
        .map(|word| if masked(word) { "•••" } else { word })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(body: &str, title: &str, detail: &str) {
        let mut headers = HeaderMap::new();
        headers.insert(
            "x-nexmo-trace-id",
            "26aa65ddbc65ef1cc05d7bb7f3e4b0a1".parse().unwrap(),
        );
        let reply = Reply::read(StatusCode::BAD_REQUEST, &headers, body.as_bytes());
        assert_eq!(
            (reply.title.as_str(), reply.detail.as_str()),
            (title, detail),
            "{body}"
        );
        assert_eq!(
            reply.trace_id.as_deref(),
            Some("26aa65ddbc65ef1cc05d7bb7f3e4b0a1")
        );
    }

    #[test]
    fn every_shape_of_error_is_read() {
        check(
            r#"{"type":"BAD_REQUEST","error_title":"Bad Request"}"#,
            "Bad Request",
            "",
        );
        check(
            r#"{"type":400,"title":"Invalid","invalid_parameters":[{"name":"to","reason":"is missing"},{"name":"ncco"}]}"#,
            "Invalid",
            "to: is missing; ncco:",
        );
        check(
            r#"{"type":"https://developer.vonage.com/api-errors#rate-limit","title":"Rate Limit Hit","detail":"Please wait","instance":"x"}"#,
            "Rate Limit Hit",
            "Please wait",
        );
        check(r#"{"detail":"Only this"}"#, "Only this", "");
        check(
            r#"{"error-code":"401","error-code-label":"no credentials"}"#,
            "no credentials",
            "",
        );
        for unknown in [
            "",
            "null",
            "[]",
            "{}",
            "<html>",
            r#"{"title":7}"#,
            r#"{"invalid_parameters":{}}"#,
            "\u{0}",
        ] {
            check(unknown, "", "");
        }
    }

    #[test]
    fn numbers_addresses_and_tokens_are_taken_out_of_vonages_words() {
        check(
            r#"{"title":"The number +44 7700 900000 (447700900000) is bad","detail":"see https://x.example/?a=1 or sip:bob@example.com\u001b[0m"}"#,
            "The number +44 ••• ••• ••• is bad",
            "see ••• or •••",
        );
    }

    #[test]
    fn an_error_says_what_to_do_next() {
        let error = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            VonageError::answered("mute leg x", Reply::read(status, &HeaderMap::new(), b""))
        };
        for (status, gone, applied, retryable) in [
            (302, false, true, true),
            (400, false, false, false),
            (401, false, false, false),
            (403, false, false, false),
            (404, true, false, false),
            (410, true, false, false),
            (422, false, false, false),
            (429, false, false, true),
            (500, false, true, true),
            (503, false, true, true),
        ] {
            let error = error(status);
            let found = (
                error.is_gone(),
                error.may_have_been_applied(),
                error.is_retryable(),
            );
            assert_eq!(found, (gone, applied, retryable), "{status}");
            assert_eq!(error.attempt(), Some(Attempt::Status(status)));
        }
        let text = "could not mute leg x: Vonage does not accept our token (status 401)";
        assert_eq!(error(401).to_string(), text);
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in any::<Vec<u8>>(), text in any::<String>()) {
            Reply::read(StatusCode::BAD_REQUEST, &HeaderMap::new(), &body);
            let body = serde_json::json!({ "title": text }).to_string();
            let reply = Reply::read(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes());
            prop_assert!(reply.title.chars().count() <= WORDS_MAX * 3);
        }
    }
}
