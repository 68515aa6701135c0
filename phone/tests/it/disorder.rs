//! Webhooks that come late, twice, swapped, or only at the second attempt.

use crate::stage::{AGENT, Seen, Stage, beginning, seconds, url};
use jiff::Timestamp;
use serde_json::json;
use std::collections::BTreeSet;
use switchboard_phone::{Disorder, EVENT_TIMEOUT, Manner};

const SEEDS: u64 = 200;

/// A call with a recording, an agent who does not pick up and a mailbox that does.
fn story(seed: Option<u64>) -> Stage {
    let mut stage = Stage::set(|settings| settings.disorder = seed.map(Disorder::of));
    stage.platform.set_manners(
        AGENT,
        vec![
            Manner::Silent,
            Manner::answers(seconds(4.0), Some(seconds(30.0))),
        ],
    );
    let ring = crate::stage::connect(AGENT, json!({ "timeout": 10, "eventType": "synchronous" }));
    stage.caller(json!([
        { "action": "record", "eventUrl": [url("/recording")] }, ring, ring,
    ]));
    stage.settle();
    stage
}

/// Which statuses were told of which leg, whatever its id.
fn told(stage: &Stage) -> BTreeSet<(String, String)> {
    let legs: Vec<&str> = stage
        .platform
        .legs()
        .map(switchboard_phone::Leg::id)
        .collect();
    let place = |id: &str| legs.iter().position(|leg| *leg == id);
    let events = stage.seen.iter().filter_map(|seen| {
        if let Some(status) = seen.body["status"].as_str() {
            let leg = place(seen.body["uuid"].as_str()?)?;
            return Some((format!("leg {leg}"), status.to_owned()));
        }
        seen.body
            .get("recording_url")
            .map(|_| ("recording".to_owned(), seen.body["size"].to_string()))
    });
    events.collect()
}

/// When something happened, in milliseconds since the beginning.
fn told_at(seen: &Seen) -> i64 {
    let at = seen.body["timestamp"].as_str().map(str::parse::<Timestamp>);
    let at = at.map_or_else(
        || seen.at,
        |at| at.unwrap().as_millisecond() - beginning().as_millisecond(),
    );
    at.min(seen.at)
}

#[test]
fn whatever_the_disorder_the_same_is_told_in_the_end() {
    let wanted = told(&story(None));
    assert_eq!(wanted.len(), 4 + 4 + 4 + 1, "{wanted:?}");
    let mut swapped = 0;
    let mut doubled = 0;
    let mut lost = 0;
    let plain = story(None).seen.len();
    for seed in 0..SEEDS {
        let stage = story(Some(seed));
        assert_eq!(told(&stage), wanted, "seed {seed}");
        let times: Vec<&str> = stage
            .seen
            .iter()
            .filter_map(|seen| seen.body["timestamp"].as_str())
            .collect();
        swapped += usize::from(!times.is_sorted());
        // A reply is waited for so long before the second attempt.
        let overdue = EVENT_TIMEOUT.as_millis() as i64;
        lost += usize::from(
            stage
                .seen
                .iter()
                .any(|seen| seen.at - told_at(seen) >= overdue),
        );
        doubled += usize::from(stage.seen.len() > plain);
        for (index, seen) in stage.seen.iter().enumerate() {
            let copies = stage.seen[index..]
                .iter()
                .filter(|other| other.body == seen.body)
                .count();
            assert!(copies <= 2, "seed {seed}: {}", seen.body);
        }
    }
    assert!(
        swapped > 100,
        "in {swapped} of {SEEDS} something overtook something"
    );
    assert!(
        lost > 100,
        "in {lost} of {SEEDS} something was lost at first"
    );
    assert!(
        doubled > 100,
        "in {doubled} of {SEEDS} something came twice"
    );
}

#[test]
fn a_seed_gives_the_same_disorder_each_time() {
    for seed in 0..10 {
        let (one, two) = (story(Some(seed)), story(Some(seed)));
        assert!(one.seen == two.seen, "seed {seed}");
    }
}
