//! The clock: jumped over, and the same each time.

use crate::stage::{AGENT, CALLER, LINE, Stage, connect, script, seconds, talk, url, wait};
use serde_json::json;
use switchboard_phone::{Disorder, Manner};

/// So many calls, one every twenty seconds: menu, agent, recording.
fn calls(count: usize, seed: u64, disorder: Option<u64>) -> Stage {
    let mut stage = Stage::set(|settings| {
        settings.seed = seed;
        settings.disorder = disorder.map(Disorder::of);
    });
    stage.platform.set_manners(
        AGENT,
        vec![Manner::answers(seconds(4.0), Some(seconds(40.0)))],
    );
    let record = json!({ "action": "record", "eventUrl": [url("/recording")] });
    let menu = json!({
        "action": "input", "type": ["dtmf"], "dtmf": { "timeOut": 2 }, "eventUrl": [url("/input")],
    });
    stage.on(
        "/answer",
        script(json!([
            record,
            talk("Welcome."),
            menu,
            connect(AGENT, json!({})),
            wait(1),
        ])),
    );
    for _ in 0..count {
        stage.platform.call(CALLER, LINE).unwrap();
        stage.run(20.0);
    }
    stage.settle();
    stage
}

#[test]
fn an_hour_of_calls_is_over_to_the_last_event() {
    let stage = calls(180, 1, None);
    assert!(stage.platform.legs().all(|leg| leg.ended().is_some()));
    assert_eq!(stage.platform.legs().count(), 360);
    assert_eq!(stage.at("/recording").len(), 180);
}

#[test]
fn the_same_seed_gives_the_same_journal_and_another_one_other_ids() {
    let journal = |stage: &Stage| {
        let entries = stage.platform.journal().map(|entry| format!("{entry:?}"));
        entries.collect::<Vec<_>>()
    };
    for disorder in [None, Some(7)] {
        let (one, same, other) = (
            calls(30, 1, disorder),
            calls(30, 1, disorder),
            calls(30, 2, disorder),
        );
        assert!(journal(&one) == journal(&same));
        assert_eq!(one.seen.len(), same.seen.len());
        assert!(journal(&one) != journal(&other));
    }
}

#[test]
fn a_call_lasts_two_hours_at_most() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([{ "action": "conversation", "name": "room" }]));
    stage.settle();
    assert_eq!(
        stage.over_at(&leg) - stage.status(&leg, "answered").at,
        7_200_000
    );
}

#[test]
fn a_clock_that_is_moved_in_one_go_lets_all_happen_in_its_order() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(2), talk("One."), wait(2), talk("Two.")]));
    let to = stage.platform.now() + jiff::SignedDuration::from_secs(60);
    stage.platform.advance(to);
    assert_eq!(stage.heard(&leg), ["One.", "Two."]);
    assert!(stage.is_over(&leg));
    assert_eq!(stage.platform.now(), to);
}
