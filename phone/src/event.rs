//! What webhooks say, field by field as they come from the platform.

use crate::leg::{Ending, Leg, Status};
use crate::recording::Recording;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

/// Euros for a minute of a call that comes in, as a sample of the platform's own events has it.
const RATE_INBOUND: f64 = 0.0045;

/// Euros for a minute of a call that goes out. A made-up figure of the right size.
const RATE_OUTBOUND: f64 = 0.0139;

/// A moment with its milliseconds: `2020-07-01T20:45:35.084Z`.
pub(crate) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A moment to the second, as recordings have it: `2020-07-14T01:23:04Z`.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// When a talk began and ended, in whole seconds that enclose it, and how many they are.
pub(crate) fn billed(answered: Timestamp, ended: Timestamp) -> (Timestamp, Timestamp, i64) {
    let start = answered.as_second();
    let end = ended.as_second() + i64::from(ended.subsec_nanosecond() > 0);
    let at = |second| Timestamp::from_second(second).unwrap_or(answered);
    (at(start), at(end), end - start)
}

/// What a minute of this leg costs, as text with eight digits.
pub(crate) fn rate(leg: &Leg) -> String {
    format!("{:.8}", price_a_minute(leg))
}

/// What this leg cost.
pub(crate) fn price(leg: &Leg, seconds: i64) -> String {
    let seconds = u32::try_from(seconds).unwrap_or(0);
    format!("{:.8}", price_a_minute(leg) * f64::from(seconds) / 60.0)
}

fn price_a_minute(leg: &Leg) -> f64 {
    match leg.direction {
        crate::leg::Direction::Inbound => RATE_INBOUND,
        crate::leg::Direction::Outbound => RATE_OUTBOUND,
    }
}

/// The network of the far end. Not always digits, in events of the platform.
pub(crate) fn network(leg: &Leg) -> &'static str {
    match leg.direction {
        crate::leg::Direction::Inbound => "GB-VIRTUAL-VONAGE",
        crate::leg::Direction::Outbound => "23410",
    }
}

/// What is asked when a script is wanted for a leg.
pub(crate) fn answer(leg: &Leg, region_url: &str) -> Map<String, Value> {
    object(json!({
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation,
        "endpoint_type": leg.endpoint,
        "region_url": region_url,
    }))
}

/// A leg stands thus.
pub(crate) fn status(leg: &Leg, status: Status, now: Timestamp) -> Map<String, Value> {
    let mut body = object(json!({
        "headers": {},
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation,
        "status": status.word(),
        "direction": leg.direction.word(),
        "timestamp": moment(now),
    }));
    match status {
        Status::Answered => {
            for name in ["start_time", "rate", "network"] {
                body.insert(name.to_owned(), Value::Null);
            }
        }
        Status::Completed => completed(leg, now, &mut body),
        _ => {
            if let Some((detail, sip)) = cause(leg, status) {
                body.insert("detail".to_owned(), detail.into());
                body.insert("sip_code".to_owned(), sip.into());
            }
        }
    }
    body
}

fn completed(leg: &Leg, now: Timestamp, body: &mut Map<String, Value>) {
    let more = match (leg.answered, leg.ended) {
        (Some(answered), Some((ended, ending))) => {
            let (start, end, seconds) = billed(answered, ended);
            let by = if ending == Ending::HungUp {
                "user"
            } else {
                "platform"
            };
            json!({
                "start_time": moment(start),
                "end_time": moment(end.max(start)),
                "duration": seconds.to_string(),
                "rate": rate(leg),
                "price": price(leg, seconds),
                "network": network(leg),
                "disconnected_by": by,
                "sip_code": 200,
            })
        }
        // It never connected: that is all that is said of it.
        _ => json!({ "start_time": null, "rate": null, "network": null }),
    };
    body.extend(object(more));
    body.insert("timestamp".to_owned(), moment(now).into());
}

/// Why a leg was not connected, in the platform's words and in SIP's.
fn cause(leg: &Leg, status: Status) -> Option<(&'static str, u16)> {
    Some(match status {
        Status::Busy => ("unavailable", 486),
        Status::Unanswered if leg.ended.is_some_and(|(_, why)| why == Ending::Unreachable) => {
            ("unavailable", 480)
        }
        Status::Unanswered => ("declined", 603),
        Status::Rejected => ("restricted", 403),
        Status::Failed if leg.endpoint == "phone" => ("cannot_route", 404),
        Status::Failed => ("unavailable", 480),
        _ => return None,
    })
}

/// A machine, or a person, picked up. `beep`: what advanced detection says besides.
pub(crate) fn detection(leg: &Leg, beep: Option<&str>, now: Timestamp) -> Map<String, Value> {
    let word = if leg.is_machine { "machine" } else { "human" };
    let mut body = object(json!({
        "call_uuid": leg.id,
        "conversation_uuid": leg.conversation,
        "from": leg.from,
        "to": leg.to,
        "status": word,
        "timestamp": moment(now),
    }));
    if let Some(beep) = beep {
        body.insert("sub_state".to_owned(), beep.into());
    }
    body
}

/// What an `input` took.
pub(crate) fn input(
    leg: &Leg,
    dtmf: Option<Value>,
    speech: Option<Value>,
    now: Timestamp,
) -> Map<String, Value> {
    let speech = speech.unwrap_or_else(|| json!({ "error": "Speech was not enabled" }));
    let mut body = Map::new();
    body.insert("speech".to_owned(), speech);
    if let Some(dtmf) = dtmf {
        body.insert("dtmf".to_owned(), dtmf);
    }
    body.extend(object(json!({
        "from": leg.from,
        "to": leg.to,
        "uuid": leg.id,
        "conversation_uuid": leg.conversation,
        "timestamp": moment(now),
    })));
    body
}

/// A script came to its `notify`.
pub(crate) fn notify(leg: &Leg, payload: &Value, now: Timestamp) -> Map<String, Value> {
    object(json!({
        "payload": payload,
        "conversation_uuid": leg.conversation,
        "timestamp": moment(now),
    }))
}

/// A leg went from one conversation to another.
pub(crate) fn transfer(leg: &str, from: &str, to: &str, now: Timestamp) -> Map<String, Value> {
    object(json!({
        "conversation_uuid_from": from,
        "conversation_uuid_to": to,
        "type": "transfer",
        "uuid": leg,
        "timestamp": moment(now),
    }))
}

/// Something could not be done.
pub(crate) fn error(conversation: &str, reason: &str, now: Timestamp) -> Map<String, Value> {
    object(json!({
        "conversation_uuid": conversation,
        "reason": reason,
        "timestamp": moment(now),
    }))
}

/// A recording can be fetched.
pub(crate) fn record(recording: &Recording, url: &str, now: Timestamp) -> Map<String, Value> {
    let ended = recording.ended.unwrap_or(now);
    object(json!({
        "start_time": second(recording.began),
        "end_time": second(ended),
        "recording_url": url,
        "size": recording.size(),
        "recording_uuid": recording.uuid,
        "conversation_uuid": recording.conversation,
        "timestamp": moment(now),
    }))
}

/// A recording was written down.
pub(crate) fn transcribed(recording: &Recording, url: &str, now: Timestamp) -> Map<String, Value> {
    object(json!({
        "conversation_uuid": recording.conversation,
        "recording_uuid": recording.uuid,
        "status": "transcribed",
        "type": "record",
        "transcription_url": url,
        "timestamp": moment(now),
    }))
}

/// The time between two moments, never negative.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> std::time::Duration {
    to.duration_since(from)
        .max(SignedDuration::ZERO)
        .unsigned_abs()
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
