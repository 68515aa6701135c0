//! Bodies and queries of webhooks.

use crate::json;
use serde_json::Value;
use switchboard_event::asks;
use switchboard_shared::cue::Cue;
use switchboard_shared::webhook::{Answer, Event, Fields, Kind};

/// Longest fingerprint: a time, an id and a hash. Joined with another id it is a sort key of
/// DynamoDB, which has 1024 bytes at most.
const FINGERPRINT_MAX: usize = 300;

/// Reads the bytes as a body and as a query.
///
/// # Panics
/// When the same content reads as something else the second time.
pub fn target(data: &[u8]) {
    if let Ok(fields) = Fields::from_body(data) {
        let back = Fields::from_body(fields.to_json().as_bytes()).expect("our own JSON reads");
        let value = |fields: &Fields| serde_json::from_str::<Value>(&fields.to_json()).unwrap();
        assert!(json::same(&value(&fields), &value(&back)));
        read(&fields);
    }
    let query = String::from_utf8_lossy(data);
    read(&Fields::from_query(&query));
}

fn read(fields: &Fields) {
    let text = fields.to_json();
    let back = Fields::from_body(text.as_bytes()).expect("our own JSON reads");
    if let Ok(answer) = Answer::read(fields) {
        for id in [answer.leg.as_str(), answer.conversation.as_str()] {
            assert!(!id.is_empty() && !id.contains(['#', '/']), "{id}");
        }
        assert_eq!(Answer::read(&back).unwrap().leg, answer.leg);
    }
    let Ok(event) = Event::read(fields.clone()) else {
        return;
    };
    let again = Event::read(back).expect("what was read reads again");
    let fingerprint = event.fingerprint();
    assert!(fingerprint.len() <= FINGERPRINT_MAX, "{fingerprint}");
    // It is a part of a key, whose parts are told apart by '#'.
    assert_eq!(fingerprint.matches('#').count(), 2, "{fingerprint}");
    assert!(
        fingerprint.bytes().all(|byte| byte.is_ascii_graphic()),
        "{fingerprint}"
    );
    if !json::has_fraction(&serde_json::from_str(&text).unwrap()) {
        assert_eq!(fingerprint, again.fingerprint(), "{text}");
        assert_eq!(event.kind, again.kind);
    }
    assert_eq!(event.word(), again.word());
    assert_eq!(event.is_inbound(), again.is_inbound());
    assert_eq!(event.was_connected(), again.was_connected());
    let cue = match &event.kind {
        Kind::Notify(payload) => Cue::from_payload(payload),
        _ => None,
    };
    let _ = asks(&event, cue);
    let hold = Cue::from_query("call=leg&flow=support&hold=1&last=1");
    let _ = asks(&event, hold);
}
