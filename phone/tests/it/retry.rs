//! What is asked again, how long is waited, and that there is no third attempt.

use crate::stage::{CALLER, LINE, Stage, nothing, reply, script, talk};
use serde_json::json;
use std::time::Duration;
use switchboard_phone::{
    ANSWER_TIMEOUT, ATTEMPTS, CONNECT_TIMEOUT, EVENT_TIMEOUT, Outcome, Webhook,
};

fn status(status: u16) -> Outcome {
    reply(status, "application/json", "[]")
}

/// What goes wrong, whether it is tried again, and how long the caller waits for it.
fn causes() -> Vec<(Outcome, bool, Duration)> {
    let at_once = Duration::ZERO;
    vec![
        (Outcome::ConnectTimeout, true, CONNECT_TIMEOUT),
        (Outcome::SocketTimeout, true, ANSWER_TIMEOUT),
        (Outcome::Closed, true, at_once),
        (Outcome::Reset, true, at_once),
        (status(429), true, at_once),
        (status(503), true, at_once),
        (status(504), true, at_once),
        (status(400), false, at_once),
        (status(401), false, at_once),
        (status(404), false, at_once),
        (status(500), false, at_once),
        (status(501), false, at_once),
        (status(301), false, at_once),
        (Outcome::Impossible, false, at_once),
        (reply(200, "application/json", "[{}]"), false, at_once),
        (reply(200, "text/html", "<p>Hello"), false, at_once),
    ]
}

#[test]
fn the_answer_url_is_asked_once_more_for_these_causes_and_for_no_others() {
    for (cause, again, lasts) in causes() {
        let mut stage = Stage::new();
        stage.on_each(
            "/answer",
            vec![cause.clone(), script(json!([talk("Hello")]))],
        );
        let leg = stage.platform.call(CALLER, LINE).unwrap();
        stage.run(12.0);
        let asked: Vec<i64> = stage.at("/answer").iter().map(|seen| seen.at).collect();
        assert_eq!(asked.len(), if again { 2 } else { 1 }, "{cause:?}");
        assert_eq!(!stage.heard(&leg).is_empty(), again, "{cause:?}");
        if again {
            let waited = u128::try_from(asked[1] - asked[0]).unwrap();
            assert_eq!(waited, lasts.as_millis(), "{cause:?}");
        }
    }
}

#[test]
fn there_is_no_third_attempt() {
    assert_eq!(ATTEMPTS, 2);
    for (cause, again, lasts) in causes().into_iter().filter(|(_, again, _)| *again) {
        assert!(again);
        let mut stage = Stage::new();
        let script = script(json!([talk("Hello")]));
        stage.on_each("/answer", vec![cause.clone(), cause.clone(), script]);
        let leg = stage.platform.call(CALLER, LINE).unwrap();
        stage.run(30.0);
        assert_eq!(stage.at("/answer").len(), 2, "{cause:?}");
        let answered = stage.status(&leg, "answered").at;
        let silent = u128::try_from(stage.over_at(&leg) - answered).unwrap();
        assert_eq!(
            silent,
            2 * lasts.as_millis(),
            "{cause:?}: then the caller is cut off"
        );
    }
}

#[test]
fn an_event_is_told_once_more_after_the_same_causes_and_lost_after_that() {
    for (cause, again, _) in causes() {
        // A reply's content does not matter where none is asked for.
        if matches!(cause, Outcome::Reply { status: 200, .. }) {
            continue;
        }
        let mut stage = Stage::new();
        stage.on_each("/event", vec![cause.clone(), cause.clone(), nothing()]);
        let leg = stage.caller(json!([]));
        stage.run(30.0);
        let started = stage
            .statuses(&leg)
            .iter()
            .filter(|status| **status == "started")
            .count();
        assert_eq!(started, if again { 2 } else { 1 }, "{cause:?}");
        assert!(
            stage.statuses(&leg).contains(&"completed"),
            "{cause:?}: the call goes on"
        );
    }
}

#[test]
fn an_event_that_is_not_replied_to_comes_again_word_for_word_after_ten_seconds() {
    let mut stage = Stage::new();
    stage.on_each("/event", vec![Outcome::SocketTimeout, nothing()]);
    stage.caller(json!([crate::stage::wait(30)]));
    stage.run(20.0);
    let events = stage.at("/event");
    let again: Vec<_> = events
        .iter()
        .filter(|seen| seen.body == events[0].body)
        .collect();
    assert_eq!(again.len(), 2);
    assert_eq!(again[1].at - again[0].at, 10_000);
}

#[test]
fn timeouts_are_a_second_to_connect_five_for_a_script_and_ten_for_an_event() {
    assert_eq!(CONNECT_TIMEOUT, Duration::from_secs(1));
    assert_eq!(ANSWER_TIMEOUT, Duration::from_secs(5));
    assert_eq!(EVENT_TIMEOUT, Duration::from_secs(10));
    let mut stage = Stage::new();
    stage.caller(json!([{
        "action": "notify", "payload": {}, "eventUrl": [crate::stage::url("/notify")],
    }]));
    assert_eq!(
        stage.at("/answer")[0].timeouts,
        (CONNECT_TIMEOUT, ANSWER_TIMEOUT)
    );
    assert_eq!(
        stage.at("/event")[0].timeouts,
        (CONNECT_TIMEOUT, EVENT_TIMEOUT)
    );
    assert_eq!(
        stage.at("/notify")[0].timeouts,
        (CONNECT_TIMEOUT, EVENT_TIMEOUT)
    );
}

#[test]
fn an_application_may_have_shorter_timeouts() {
    let mut stage = Stage::set(|settings| {
        settings.answer = Webhook {
            connect_timeout: Duration::from_millis(300),
            socket_timeout: Duration::from_secs(1),
            ..settings.answer.clone()
        };
    });
    stage.on_each(
        "/answer",
        vec![Outcome::ConnectTimeout, Outcome::SocketTimeout],
    );
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(5.0);
    assert_eq!(
        stage.over_at(&leg) - stage.status(&leg, "answered").at,
        300 + 1000
    );
}

#[test]
fn a_caller_who_hangs_up_meanwhile_is_over_once() {
    let mut stage = Stage::new();
    stage.on("/answer", Outcome::SocketTimeout);
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(2.0);
    stage.platform.hang_up(&leg).unwrap();
    stage.settle();
    assert_eq!(
        stage.statuses(&leg),
        ["started", "ringing", "answered", "completed"],
        "whatever is still asked, nothing is told twice"
    );
}
