//! The REST API: what a server may ask about calls, and how it is refused.
//!
//! See [Vonage/Voice API](https://developer.vonage.com/en/api/voice).

mod applications;
mod body;
mod calls;
mod numbers;
mod playback;

pub use calls::EARLY;
pub(crate) use calls::Start;

use crate::audio::Score;
use crate::journal::What;
use crate::platform::Platform;
use crate::token;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

/// The time over which a pace is counted.
const SECOND: Duration = Duration::from_secs(1);

/// A request, as it came.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// `/v1/calls`, or below a region: `/eu-west/v1/calls`.
    pub path: &'a str,
    /// What stands behind the `?`; empty if nothing does.
    pub query: &'a str,
    /// The `Authorization` header.
    pub authorization: Option<&'a str>,
    /// The `Content-Type` header.
    pub content_type: Option<&'a str>,
    /// The body.
    pub body: &'a [u8],
}

/// The answer to it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// Its headers, besides the content's.
    pub headers: Vec<(&'static str, String)>,
    /// The content.
    pub content: Content,
}

/// What an answer holds.
#[derive(Debug, Clone)]
pub enum Content {
    /// Nothing.
    Nothing,
    /// JSON.
    Json(Value),
    /// A recording, still to be rendered.
    Audio(Box<Score>),
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    /// No sound token.
    Unauthorized,
    /// Nothing there, or a leg that is over, or in another region.
    NotFound,
    /// Not by this method.
    Method,
    /// Too much at once.
    Pace,
    /// The leg is not far enough yet.
    Early(&'static str),
    /// What is wrong with the body or the query: name and reason.
    Invalid(Vec<(String, String)>),
}

pub(crate) type Done = Result<(u16, Content), Refusal>;

impl Refusal {
    fn one(name: &str, reason: impl Into<String>) -> Self {
        Self::Invalid(vec![(name.to_owned(), reason.into())])
    }

    /// In the shapes that Vonage's refusals have been seen in.
    fn answer(self, path: &str) -> (u16, Content) {
        let plain = |kind: &str, title: &str| json!({ "type": kind, "error_title": title });
        let (status, body) = match self {
            Self::Unauthorized => (401, plain("UNAUTHORIZED", "Unauthorized")),
            Self::NotFound => (404, plain("NOT_FOUND", "Not Found")),
            Self::Method => (405, plain("METHOD_NOT_ALLOWED", "Method Not Allowed")),
            Self::Early(_) => (400, plain("BAD_REQUEST", "Bad Request")),
            Self::Pace => (
                429,
                json!({
                    "type": "https://developer.vonage.com/api-errors#rate-limit",
                    "title": "Rate Limit Hit",
                    "detail": "Please wait, then retry your request",
                    "instance": path,
                }),
            ),
            Self::Invalid(faults) => (
                400,
                json!({
                    "type": 400,
                    "title": "Bad Request",
                    "invalid_parameters": faults
                        .into_iter()
                        .map(|(name, reason)| json!({ "name": name, "reason": reason }))
                        .collect::<Vec<_>>(),
                }),
            ),
        };
        (status, Content::Json(body))
    }
}

/// Counts what is limited by the second.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    requests: VecDeque<Timestamp>,
    /// Legs begun by requests, by the wall clock. Scripts count them by the platform's: the two clocks
    /// may be far apart, and either may stand still.
    legs_by_rest: VecDeque<Timestamp>,
    legs_by_rest_here: VecDeque<Timestamp>,
    /// Legs begun by scripts, by the platform's clock.
    legs_by_script: VecDeque<Timestamp>,
}

impl Pace {
    /// How long a script has to wait until it may begin another leg; none: it has begun one.
    pub(crate) fn wait_for_leg(&mut self, now: Timestamp, limit: usize) -> Option<Duration> {
        let begun =
            recent(&mut self.legs_by_script, now) + recent(&mut self.legs_by_rest_here, now);
        if begun < limit {
            self.legs_by_script.push_back(now);
            return None;
        }
        let oldest = [&self.legs_by_script, &self.legs_by_rest_here];
        let oldest = oldest.iter().filter_map(|legs| legs.front().copied());
        let oldest = oldest.min().unwrap_or(now);
        let free = oldest.saturating_add(SECOND).unwrap_or(now);
        Some(crate::event::between(now, free).max(Duration::from_millis(1)))
    }

    /// Whether a request may begin another leg.
    fn takes_leg(&mut self, wall: Timestamp, now: Timestamp, limit: usize) -> bool {
        let begun = recent(&mut self.legs_by_rest, wall) + recent(&mut self.legs_by_script, now);
        if begun < limit {
            self.legs_by_rest.push_back(wall);
            self.legs_by_rest_here.push_back(now);
        }
        begun < limit
    }

    fn takes_request(&mut self, wall: Timestamp, limit: usize) -> bool {
        let taken = recent(&mut self.requests, wall) < limit;
        if taken {
            self.requests.push_back(wall);
        }
        taken
    }
}

/// How many there were within the last second.
fn recent(times: &mut VecDeque<Timestamp>, now: Timestamp) -> usize {
    while times
        .front()
        .is_some_and(|at| crate::event::between(*at, now) >= SECOND)
    {
        times.pop_front();
    }
    times.len()
}

impl Platform {
    /// Answers a request. `wall`: by which tokens end and paces are counted, since whoever asks lives by
    /// it, however this platform's clock is moved.
    pub fn rest(&mut self, asked: Asked<'_>, wall: Timestamp) -> Answered {
        let leg = asked
            .path
            .split('/')
            .find(|part| self.legs.contains_key(*part));
        let leg = leg.map(str::to_owned);
        let what = What::Request {
            method: asked.method.to_owned(),
            path: asked.path.to_owned(),
            body: serde_json::from_slice(asked.body).ok(),
            status: 0,
        };
        // Before what comes of it, which is noted on the way.
        let request = self.journal.note(self.now, leg.as_ref(), what);
        let done = self.route(asked, wall);
        let (status, content) = done.unwrap_or_else(|refusal| refusal.answer(asked.path));
        self.journal.settle(request, status);
        Answered {
            status,
            headers: vec![
                ("x-nexmo-trace-id", self.token_id()),
                ("x-vonage-region", self.settings.region.clone()),
            ],
            content,
        }
    }

    fn route(&mut self, asked: Asked<'_>, wall: Timestamp) -> Done {
        // What belongs to the account is asked with the account's key and secret.
        let mut parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["v2", "applications", below @ ..] => return Ok(self.applications(asked, below)),
            ["account" | "number", ..] => return Ok(self.numbers(asked, &parts)),
            _ => {}
        }
        if !token::admits(
            &self.settings.public_key,
            &self.settings.application_id,
            asked.authorization,
            wall,
        ) {
            return Err(Refusal::Unauthorized);
        }
        if !self
            .pace
            .takes_request(wall, self.settings.requests_per_second)
        {
            return Err(Refusal::Pace);
        }
        if parts.first().is_some_and(|part| !is_version(part)) {
            // A call is known in its own region alone.
            if parts.remove(0) != self.settings.region {
                return Err(Refusal::NotFound);
            }
        }
        match (asked.method, parts.as_slice()) {
            ("GET", ["v1", "calls"]) => self.list_calls(asked.query),
            ("POST", ["v1", "calls"]) => self.create_call(asked.body, wall),
            ("GET", ["v1", "calls", leg]) => self.get_call(leg),
            ("PUT", ["v1", "calls", leg]) => self.update_call(leg, asked.body),
            ("PUT", ["v1", "calls", leg, "stream"]) => self.start_stream(leg, asked.body),
            ("DELETE", ["v1", "calls", leg, "stream"]) => self.stop(leg, "Stream stopped"),
            ("PUT", ["v1", "calls", leg, "talk"]) => self.start_talk(leg, asked.body),
            ("DELETE", ["v1", "calls", leg, "talk"]) => self.stop(leg, "Talk stopped"),
            ("PUT", ["v1", "calls", leg, "dtmf"]) => self.send_dtmf(leg, asked.body),
            ("PUT", ["v1", "calls", leg, "input", "dtmf"]) => self.subscribe(leg, asked.body),
            ("DELETE", ["v1", "calls", leg, "input", "dtmf"]) => self.unsubscribe(leg),
            ("GET", ["v1" | "v3", "files", file]) => match self.recording(file) {
                Some(recording) => Ok((200, Content::Audio(Box::new(recording.score())))),
                None => Err(Refusal::NotFound),
            },
            ("GET", ["v1" | "v3", "files", file, "transcript"]) => match self.recording(file) {
                Some(recording) if recording.transcription.is_some() => {
                    Ok((200, Content::Json(recording.transcript())))
                }
                _ => Err(Refusal::NotFound),
            },
            (_, ["v1", "calls"] | ["v1", "calls", _])
            | (_, ["v1", "calls", _, "stream" | "talk" | "dtmf"])
            | (_, ["v1", "calls", _, "input", "dtmf"])
            | (_, ["v1" | "v3", "files", ..]) => Err(Refusal::Method),
            _ => Err(Refusal::NotFound),
        }
    }
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v').is_some_and(|digits| {
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}
