//! Telling the server in mid-script, and doing nothing.

use crate::shape::check;
use crate::stage::{Stage, nothing, reply, script, talk, url};
use serde_json::{Value, json};

fn notify() -> Value {
    json!({ "action": "notify", "payload": { "step": 7 }, "eventUrl": [url("/notify")] })
}

#[test]
fn a_notify_carries_its_payload_and_the_conversation() {
    let mut stage = Stage::new();
    stage.caller(json!([notify()]));
    let shape = json!({
        "payload": { "step": 7 }, "conversation_uuid": "conversation", "timestamp": "moment",
    });
    check("notify", &stage.at("/notify")[0].body, shape);
}

#[test]
fn by_get_the_payload_is_json_in_the_query() {
    let mut stage = Stage::new();
    let mut action = notify();
    action["eventMethod"] = json!("GET");
    stage.caller(json!([action]));
    let query = &stage.at("/notify")[0].query;
    assert!(query.starts_with("payload=%7B%22step%22:7%7D&"), "{query}");
}

#[test]
fn a_script_in_the_reply_replaces_the_one_at_work_and_anything_else_does_not() {
    for (said, heard) in [
        (script(json!([talk("New.")])), "New."),
        (nothing(), "Old."),
        (reply(204, "text/plain", ""), "Old."),
        (script(json!([])), "Old."),
    ] {
        let mut stage = Stage::new();
        stage.on("/notify", said);
        let leg = stage.caller(json!([notify(), talk("Old.")]));
        stage.run(1.0);
        assert_eq!(stage.heard(&leg), [heard]);
    }
}

/// A pause's length in milliseconds.
#[track_caller]
fn waits(timeout: Value, wanted: i64) {
    let mut stage = Stage::new();
    let mut action = json!({ "action": "wait", "timeout": timeout });
    if action["timeout"].is_null() {
        action.as_object_mut().unwrap().remove("timeout");
    }
    let leg = stage.caller(json!([action]));
    stage.settle();
    let began = stage.status(&leg, "answered").at;
    // The leg itself ends after two hours.
    assert_eq!(stage.over_at(&leg) - began, wanted);
    let events = stage
        .seen
        .iter()
        .filter(|seen| seen.at > began && seen.at < began + wanted);
    assert_eq!(events.count(), 0, "a wait tells nothing");
}

#[test]
fn a_pause_is_made_to_fit_between_a_tenth_of_a_second_and_two_hours() {
    waits(Value::Null, 10_000);
    waits(json!(0.1), 100);
    waits(json!(0.5), 500);
    waits(json!(7200), 7_200_000);
    waits(json!(0), 100);
    waits(json!(-3), 100);
    waits(json!(99_999), 7_200_000);
}
