//! What is played into a call by REST.

use crate::stage::{AGENT, Stage, seconds, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Manner, audio};

fn delete(stage: &mut Stage, leg: &str, below: &str) -> (u16, Value) {
    stage.rest("DELETE", &format!("/v1/calls/{leg}{below}"), Value::Null)
}

#[test]
fn each_is_acknowledged_in_its_own_words() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(600)]));
    let path = format!("/v1/calls/{leg}");
    let talk = json!({ "text": "Hello." });
    let stream = json!({ "stream_url": [url("/a.mp3")] });
    for (method, below, body, words) in [
        ("PUT", "/talk", talk, "Talk started"),
        ("DELETE", "/talk", Value::Null, "Talk stopped"),
        ("PUT", "/stream", stream, "Stream started"),
        ("DELETE", "/stream", Value::Null, "Stream stopped"),
        ("PUT", "/dtmf", json!({ "digits": "1p2" }), "DTMF sent"),
    ] {
        let answer = stage.rest(method, &format!("{path}{below}"), body);
        assert_eq!(
            answer,
            (200, json!({ "message": words, "uuid": leg })),
            "{method} {below}"
        );
    }
    assert_eq!(stage.heard(&leg), ["Hello.", &url("/a.mp3")]);
}

#[test]
fn nothing_is_played_to_a_call_that_is_not_answered() {
    let mut stage = Stage::new();
    let leg = stage.create(json!([wait(600)]));
    stage.run(5.0);
    assert_eq!(stage.put(&leg, "/talk", json!({ "text": "Hello." })), 400);
    assert_eq!(
        stage.put(&leg, "/stream", json!({ "stream_url": [url("/a.mp3")] })),
        400
    );
    assert_eq!(stage.put(&leg, "/dtmf", json!({ "digits": "1" })), 400);
}

/// Silence of a caller who is played this over a pause of a minute, in milliseconds.
#[track_caller]
fn silence(body: Value, length: u128) {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(60)]));
    let begun = u128::try_from(stage.ms() - 288).unwrap();
    assert_eq!(stage.put(&leg, "/talk", body.clone()), 200);
    stage.settle();
    let silent = stage
        .platform
        .leg(&leg)
        .unwrap()
        .longest_silence()
        .as_millis();
    assert_eq!(
        silent,
        (60_000 - begun).saturating_sub(length).max(begun),
        "{body}"
    );
}

#[test]
fn it_is_played_once_so_often_or_for_ever() {
    let once = audio::speaking_time("Please hold the line.").as_millis();
    let text = "Please hold the line.";
    silence(json!({ "text": text }), once);
    silence(json!({ "text": text, "loop": 3 }), once * 3);
    silence(json!({ "text": text, "loop": 0 }), 60_000);
}

#[test]
fn what_plays_for_ever_can_be_stopped() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(60)]));
    stage.put(
        &leg,
        "/stream",
        json!({ "stream_url": [url("/a.mp3")], "loop": 0 }),
    );
    stage.run(20.0);
    assert_eq!(delete(&mut stage, &leg, "/stream").0, 200);
    stage.settle();
    let silent = stage
        .platform
        .leg(&leg)
        .unwrap()
        .longest_silence()
        .as_secs();
    assert_eq!(silent, 39);
}

#[test]
fn only_the_leg_it_is_played_to_hears_it() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::answers(seconds(1.0), None), json!({}));
    stage.run(3.0);
    let callee = stage.leg_to(AGENT);
    stage.put(&callee, "/talk", json!({ "text": "One minute left." }));
    assert_eq!(stage.heard(&callee), ["One minute left."]);
    assert_eq!(stage.heard(&caller), ["(rings)"]);
}
