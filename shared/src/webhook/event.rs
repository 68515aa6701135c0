//! One thing Vonage told us about a leg, a conversation or a recording.

use super::{Fields, Unreadable};
use crate::crypto::sha256_hex;
use crate::id::{ConversationId, LegId, RecordingId};
use crate::ledger::Price;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An event, sorted by what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The leg: `uuid`, or `call_uuid` as machine detection spells it. Absent from recording,
    /// notify, error and transcription events.
    pub leg: Option<LegId>,
    /// The conversation; of a transfer, the one the leg went to.
    pub conversation: Option<ConversationId>,
    /// When it happened, by Vonage's clock; absent when the field does not read as a time.
    pub at: Option<Timestamp>,
    /// What it says.
    pub kind: Kind,
    /// Everything, as it came.
    pub fields: Fields,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A leg's status changed.
    Status(CallStatus),
    /// A leg moved to another conversation.
    Transfer,
    /// Keys were pressed or words spoken (or neither, in time).
    Input(Digits),
    /// Our NCCO reached a `notify`.
    Notify(Value),
    /// A recording is ready.
    Recording(Notice),
    /// A transcription is ready.
    Transcribed,
    /// Vonage could not do what an NCCO said. The reason, as it came.
    Error(String),
    /// None of these: kept, and nothing done.
    Unknown,
}

/// Where a leg is. A status added by Vonage tomorrow is kept, and never ends a call.
///
/// See [Vonage/Voice API/Call status](https://developer.vonage.com/en/voice/voice-api/guides/call-flow#event-objects).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "Vonage's words, documented on its page")]
pub enum CallStatus {
    Started,
    Ringing,
    Answered,
    Human,
    Machine,
    Busy,
    Cancelled,
    Unanswered,
    Rejected,
    Failed,
    Timeout,
    Completed,
    Disconnected,
    #[serde(untagged)]
    Other(String),
}

impl CallStatus {
    /// The leg was never connected: the connect failed. Any of these may come in place of another,
    /// and `completed` may follow or precede it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Busy
                | Self::Cancelled
                | Self::Unanswered
                | Self::Rejected
                | Self::Failed
                | Self::Timeout
        )
    }

    /// The word on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Started => "started",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Human => "human",
            Self::Machine => "machine",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Unanswered => "unanswered",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Completed => "completed",
            Self::Disconnected => "disconnected",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for CallStatus {
    fn from(word: String) -> Self {
        serde_json::from_value(Value::String(word.clone())).unwrap_or(Self::Other(word))
    }
}

/// What an `input` gathered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Digits {
    /// Keys pressed; empty when none were.
    pub keys: String,
    /// The wait for keys ended. Also true with keys given.
    pub timed_out: bool,
    /// What was understood of speech, likeliest first.
    pub spoken: Vec<String>,
}

/// A recording that Vonage offers for 30 days.
///
/// See [Vonage/Voice API/Recording](https://developer.vonage.com/en/voice/voice-api/guides/recording).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// The recording.
    pub recording: RecordingId,
    /// Where it lies, as it came; not yet trusted, and empty for an empty recording.
    pub url: String,
    /// Size in bytes as announced; absent when the field does not read.
    pub size: Option<u64>,
    /// First sound, seconds precise.
    pub start: Option<String>,
    /// Last sound, seconds precise.
    pub end: Option<String>,
}

impl Event {
    /// Reads any event webhook.
    ///
    /// # Errors
    /// When an id in it is none, or when it names no leg, no conversation and no recording, so that
    /// it could be kept nowhere.
    pub fn read(fields: Fields) -> Result<Self, Unreadable> {
        let leg = match fields.id("uuid", LegId::new)? {
            Some(leg) => Some(leg),
            None => fields.id("call_uuid", LegId::new)?,
        };
        let conversation = match fields.id("conversation_uuid", ConversationId::new)? {
            Some(conversation) => Some(conversation),
            None => fields.id("conversation_uuid_to", ConversationId::new)?,
        };
        let kind = kind(&fields)?;
        if leg.is_none() && conversation.is_none() && !matches!(kind, Kind::Recording(_)) {
            return Err(Unreadable::Missing("uuid"));
        }
        let at = fields.text("timestamp").and_then(|text| text.parse().ok());
        Ok(Self {
            leg,
            conversation,
            at,
            kind,
            fields,
        })
    }

    /// The status, if it is a status event.
    #[must_use]
    pub fn status(&self) -> Option<&CallStatus> {
        match &self.kind {
            Kind::Status(status) => Some(status),
            _ => None,
        }
    }

    /// A leg that is over had been answered. `completed` of a leg that never was has no start
    /// time, no duration and no price, or a duration of nothing.
    #[must_use]
    pub fn was_connected(&self) -> bool {
        let lasted = self
            .fields
            .text("duration")
            .and_then(|text| text.parse::<f64>().ok());
        lasted.is_some_and(|seconds| seconds > 0.0) || self.fields.text("start_time").is_some()
    }

    /// What Vonage says that the leg cost, once it is over.
    #[must_use]
    pub fn price(&self) -> Option<Price> {
        let over = self.status() == Some(&CallStatus::Completed);
        Price::read(&self.fields.text("price").filter(|_| over)?)
    }

    /// The leg is one that rang us. A missing direction counts as not.
    #[must_use]
    pub fn is_inbound(&self) -> bool {
        self.fields
            .text("direction")
            .is_some_and(|direction| direction == "inbound")
    }

    /// One word for the ledger: the status, or the kind.
    #[must_use]
    pub fn word(&self) -> &str {
        match &self.kind {
            Kind::Status(status) => status.as_str(),
            Kind::Transfer => "transfer",
            Kind::Input(_) => "input",
            Kind::Notify(_) => "notify",
            Kind::Recording(_) => "recording",
            Kind::Transcribed => "transcribed",
            Kind::Error(_) => "error",
            Kind::Unknown => "unknown",
        }
    }

    /// What tells this event from every other of the same leg: for a status the status and its
    /// time, since Vonage's second attempt repeats both; for the rest, and where the time is
    /// missing, a hash of the content.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let at = self.at.map(|at| at.to_string());
        let leg = self.leg.as_ref().map_or("-", LegId::as_str);
        match (&self.kind, at) {
            (Kind::Status(status), Some(at)) => {
                let word: String = status
                    .as_str()
                    .chars()
                    .filter(char::is_ascii_alphanumeric)
                    .take(32)
                    .collect();
                format!("{at}#{leg}#{word}")
            }
            (_, at) => {
                // Half the hash is 128 bits: enough that no two events of a call ever share it.
                let hash = &sha256_hex(self.fields.to_json().as_bytes())[..32];
                format!("{}#{leg}#{hash}", at.unwrap_or_else(|| "~".to_owned()))
            }
        }
    }
}

/// The order of these tests matters: a transcription has a `status`, and an input's `speech` may
/// hold a `recording_url`.
fn kind(fields: &Fields) -> Result<Kind, Unreadable> {
    if let Some(status) = fields.text("status") {
        return Ok(match CallStatus::from(status) {
            CallStatus::Other(word) if word == "transcribed" => Kind::Transcribed,
            status => Kind::Status(status),
        });
    }
    if fields.has("conversation_uuid_from") || fields.has("conversation_uuid_to") {
        return Ok(Kind::Transfer);
    }
    if let Some(payload) = fields.value("payload") {
        return Ok(Kind::Notify(payload.clone()));
    }
    if fields.has("dtmf") || fields.has("speech") {
        return Ok(Kind::Input(digits(fields)));
    }
    if fields.has("recording_url") || fields.has("recording_uuid") {
        return notice(fields).map(Kind::Recording);
    }
    if let Some(reason) = fields.text("reason") {
        return Ok(Kind::Error(reason));
    }
    Ok(Kind::Unknown)
}

fn digits(fields: &Fields) -> Digits {
    let mut read = Digits::default();
    match fields.value("dtmf") {
        Some(Value::Object(dtmf)) => {
            read.keys = dtmf
                .get("digits")
                .and_then(super::loose_text)
                .unwrap_or_default();
            let timed_out = dtmf.get("timed_out").and_then(super::loose_text);
            read.timed_out = timed_out.is_some_and(|text| text == "true");
        }
        // Long ago it was the keys alone.
        Some(keys) => read.keys = super::loose_text(keys).unwrap_or_default(),
        None => {}
    }
    let results = fields
        .value("speech")
        .and_then(|speech| speech.get("results")?.as_array());
    let heard = results.into_iter().flatten();
    read.spoken = heard
        .filter_map(|result| super::loose_text(result.get("text")?))
        .collect();
    read
}

fn notice(fields: &Fields) -> Result<Notice, Unreadable> {
    let url = fields.text("recording_url").unwrap_or_default();
    // Every recording notice seen has the id. One without is kept under a hash of its address:
    // losing a recording over a missing id would be worse than an ugly name.
    let recording = match fields.id("recording_uuid", RecordingId::new)? {
        Some(recording) => recording,
        None if url.is_empty() => return Err(Unreadable::Missing("recording_uuid")),
        None => RecordingId::new(&sha256_hex(url.as_bytes())[..32]).expect("hex is an id"),
    };
    Ok(Notice {
        recording,
        url,
        size: fields.text("size").and_then(|text| text.parse().ok()),
        start: fields.text("start_time"),
        end: fields.text("end_time"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Event {
        Event::read(Fields::from_body(body.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn every_kind_of_event_is_told_apart() {
        for (body, word) in [
            (r#"{"uuid":"a","status":"started"}"#, "started"),
            (r#"{"uuid":"a","status":"teleported"}"#, "teleported"),
            (
                r#"{"call_uuid":"a","status":"machine","sub_state":"beep_start"}"#,
                "machine",
            ),
            (
                r#"{"uuid":"a","conversation_uuid_from":"b","conversation_uuid_to":"c","type":"transfer"}"#,
                "transfer",
            ),
            (
                r#"{"uuid":"a","conversation_uuid":"b","dtmf":{"digits":null,"timed_out":true}}"#,
                "input",
            ),
            (r#"{"uuid":"a","dtmf":"12"}"#, "input"),
            (
                r#"{"uuid":"a","speech":{"recording_url":"https://x","results":[]}}"#,
                "input",
            ),
            (r#"{"conversation_uuid":"b","payload":{"a":1}}"#, "notify"),
            (
                r#"{"conversation_uuid":"b","recording_url":"u","recording_uuid":"r","size":1}"#,
                "recording",
            ),
            (
                r#"{"conversation_uuid":"b","recording_uuid":"r","status":"transcribed","type":"record"}"#,
                "transcribed",
            ),
            (r#"{"conversation_uuid":"b","reason":"it broke"}"#, "error"),
            (r#"{"conversation_uuid":"b","novelty":true}"#, "unknown"),
        ] {
            assert_eq!(read(body).word(), word, "{body}");
        }
    }

    #[test]
    fn keys_and_words_are_read_from_every_form() {
        let event = read(
            r#"{"uuid":"a","dtmf":{"digits":12,"timed_out":"true"},
                "speech":{"results":[{"text":"sales","confidence":"0.9"},{"text":"sails","confidence":0.1}]}}"#,
        );
        let Kind::Input(digits) = event.kind else {
            panic!("{event:?}")
        };
        assert_eq!(digits.keys, "12");
        assert!(digits.timed_out);
        assert_eq!(digits.spoken, ["sales", "sails"]);
    }

    #[test]
    fn a_leg_that_never_connected_is_told_from_a_talk_that_ended() {
        assert!(!read(r#"{"uuid":"a","status":"completed","start_time":null}"#).was_connected());
        assert!(!read(r#"{"uuid":"a","status":"completed","duration":"0"}"#).was_connected());
        assert!(read(r#"{"uuid":"a","status":"completed","duration":"7"}"#).was_connected());
        assert!(read(r#"{"uuid":"a","status":"completed","duration":7}"#).was_connected());
    }

    #[test]
    fn a_leg_that_is_over_says_what_it_cost() {
        let price = |body: &str| read(body).price().map(|price| price.to_string());
        let of = |price| format!(r#"{{"uuid":"a","status":"completed","price":{price}}}"#);
        assert_eq!(price(&of(r#""0.00450000""#)).as_deref(), Some("0.0045"));
        assert_eq!(price(&of("0.0045")).as_deref(), Some("0.0045"));
        for body in [
            of("null"),
            of(r#""a lot""#),
            r#"{"uuid":"a","status":"answered","price":"1.00"}"#.to_owned(),
        ] {
            assert_eq!(price(&body), None, "{body}");
        }
    }

    #[test]
    fn a_size_may_be_text_and_a_recording_may_be_empty() {
        let event =
            read(r#"{"conversation_uuid":"b","recording_url":"","recording_uuid":"r","size":"0"}"#);
        let Kind::Recording(notice) = event.kind else {
            panic!("{event:?}")
        };
        assert_eq!((notice.size, notice.url.as_str()), (Some(0), ""));
    }

    #[test]
    fn a_repeat_has_the_fingerprint_of_the_first_and_nothing_else_has() {
        let first =
            read(r#"{"uuid":"a","status":"ringing","timestamp":"2026-01-01T12:00:00.000Z"}"#);
        let again = read(
            r#"{"timestamp":"2026-01-01T12:00:00.000Z","status":"ringing","uuid":"a","headers":{}}"#,
        );
        let other =
            read(r#"{"uuid":"a","status":"ringing","timestamp":"2026-01-01T12:00:00.001Z"}"#);
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert_ne!(first.fingerprint(), other.fingerprint());
        let timeless = read(r#"{"uuid":"a","status":"ringing"}"#);
        assert_ne!(
            timeless.fingerprint(),
            read(r#"{"uuid":"a","status":"busy"}"#).fingerprint()
        );
    }

    #[test]
    fn an_event_about_nothing_is_unreadable() {
        let fields = Fields::from_body(br#"{"status":"answered"}"#).unwrap();
        assert!(Event::read(fields).is_err());
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in any::<String>()) {
            if let Ok(event) = Event::read(Fields::from_query(&query)) {
                prop_assert!(event.fingerprint().len() < 300);
            }
        }

        #[test]
        fn an_unknown_status_is_kept_as_it_came(word in "[a-z_]{1,20}") {
            let status = CallStatus::from(word.clone());
            prop_assert_eq!(status.as_str(), word);
        }
    }
}
