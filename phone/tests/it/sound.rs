//! Talks and streams: how often, and how long.

use crate::stage::{Stage, talk, url, wait};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_phone::audio;

/// A play's length, in single plays; none if it goes on until the call ends.
#[track_caller]
fn plays(action: Value, once: Duration, times: Option<u32>) {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([action]));
    stage.settle();
    let lasted = stage.over_at(&leg) - stage.status(&leg, "answered").at;
    let wanted = times.map_or(7_200_000, |times| {
        i64::try_from((once * times).as_millis()).unwrap()
    });
    assert!(
        (lasted - wanted).abs() <= 1,
        "{action}: {lasted}, not {wanted}"
    );
}

#[test]
fn a_loop_of_none_is_for_ever_and_one_is_the_default() {
    let text = "Please hold the line.";
    let once = audio::speaking_time(text);
    let with = |times: u32| json!({ "action": "talk", "text": text, "loop": times });
    plays(talk(text), once, Some(1));
    plays(with(3), once, Some(3));
    plays(with(0), once, None);
    let music = url("/music.mp3");
    let once = audio::tune_time(&music);
    let with = |times: u32| json!({ "action": "stream", "streamUrl": [music], "loop": times });
    plays(
        json!({ "action": "stream", "streamUrl": [music] }),
        once,
        Some(1),
    );
    plays(with(2), once, Some(2));
    plays(with(0), once, None);
}

#[test]
fn actions_run_one_after_the_other() {
    let mut stage = Stage::new();
    let music = url("/music.mp3");
    let leg = stage.caller(json!([
        talk("One."),
        { "action": "stream", "streamUrl": [music] },
        wait(1),
        talk("Three."),
    ]));
    stage.settle();
    assert_eq!(stage.heard(&leg), ["One.", &music, "Three."]);
}

#[test]
fn a_text_may_have_1500_characters_besides_tags() {
    let mut stage = Stage::new();
    let fits = format!("<speak>{}</speak>", "a".repeat(1500));
    let leg = stage.caller(json!([talk(&fits)]));
    assert!(!stage.is_over(&leg));
    let mut stage = Stage::new();
    let leg = stage.caller(json!([talk(&"a".repeat(1501))]));
    assert!(stage.is_over(&leg));
}
