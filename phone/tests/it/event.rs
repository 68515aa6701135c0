//! Status events: their fields, and which come when.

use crate::shape::{check, status};
use crate::stage::{AGENT, CALLER, LINE, Stage, seconds, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Manner, Method};

#[test]
fn an_answered_call_has_the_fields_of_real_events() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(7)]));
    stage.settle();
    for word in ["started", "ringing"] {
        let shape = status(word, "inbound", json!({}));
        check(word, &stage.status(&leg, word).body, shape);
    }
    let unknown = json!({ "start_time": null, "rate": null, "network": null });
    let shape = status("answered", "inbound", unknown);
    check("answered", &stage.status(&leg, "answered").body, shape);
    let more = json!({
        "start_time": "moment", "end_time": "moment", "duration": "8", "rate": "0.00450000",
        "price": "0.00060000", "network": "text", "disconnected_by": "platform", "sip_code": 200,
    });
    let shape = status("completed", "inbound", more);
    check("completed", &stage.status(&leg, "completed").body, shape);
}

#[test]
fn the_end_is_a_whole_second_and_may_lie_after_the_events_own_time() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(7)]));
    stage.settle();
    let body = &stage.status(&leg, "completed").body;
    assert_eq!(body["start_time"], "2026-03-02T09:00:00.000Z");
    assert_eq!(body["timestamp"], "2026-03-02T09:00:07.538Z");
    assert_eq!(body["end_time"], "2026-03-02T09:00:08.000Z");
}

#[test]
fn a_price_is_the_minutes_part_of_the_rate() {
    for (length, duration, price) in [(1, "2", "0.00015000"), (60, "61", "0.00457500")] {
        let mut stage = Stage::new();
        let leg = stage.caller(json!([wait(length)]));
        stage.settle();
        let body = &stage.status(&leg, "completed").body;
        assert_eq!(
            (&body["duration"], &body["price"]),
            (&json!(duration), &json!(price))
        );
    }
}

/// What is told of a phone that is rung, in this order, and what the one that says why adds.
#[track_caller]
fn told(manner: Manner, statuses: &[&str], why: &str, more: Value) {
    let mut stage = Stage::new();
    let caller = stage.connecting(manner.clone(), json!({ "timeout": 20 }));
    stage.settle();
    let callee = stage.leg_to(AGENT);
    assert_eq!(stage.statuses(&callee), statuses, "{manner:?}");
    let body = &stage.status(&callee, why).body;
    check(why, body, status(why, "outbound", more));
    assert_eq!((&body["from"], &body["to"]), (&json!(LINE), &json!(AGENT)));
    assert_eq!(*stage.statuses(&caller).last().unwrap(), "completed");
}

#[test]
fn each_way_not_to_be_connected_has_its_status_detail_and_sip_code() {
    let cause = |detail: &str, sip: u16| json!({ "detail": detail, "sip_code": sip });
    told(
        Manner::Busy,
        &["started", "busy", "completed"],
        "busy",
        cause("unavailable", 486),
    );
    told(
        Manner::Declines(seconds(3.0)),
        &["started", "ringing", "unanswered", "completed"],
        "unanswered",
        cause("declined", 603),
    );
    // Not reached: told with the same word as declined.
    told(
        Manner::Unreachable,
        &["started", "unanswered", "completed"],
        "unanswered",
        cause("unavailable", 480),
    );
    told(
        Manner::NoSuchNumber,
        &["started", "failed", "completed"],
        "failed",
        cause("cannot_route", 404),
    );
    told(
        Manner::Silent,
        &["started", "ringing", "timeout", "completed"],
        "timeout",
        json!({}),
    );
}

#[test]
fn a_leg_that_never_connected_is_completed_without_times_or_price() {
    let mut stage = Stage::new();
    stage.connecting(Manner::Busy, json!({}));
    stage.settle();
    let unknown = json!({ "start_time": null, "rate": null, "network": null });
    let shape = status("completed", "outbound", unknown);
    let callee = stage.leg_to(AGENT);
    check("completed", &stage.status(&callee, "completed").body, shape);
}

#[test]
fn what_was_refused_before_it_rang_is_rejected_and_never_completed() {
    let mut stage = Stage::new();
    let foreign = json!({ "from": "14155550100" });
    stage.connecting(Manner::Ask, foreign);
    stage.settle();
    let callee = stage.leg_to(AGENT);
    assert_eq!(stage.statuses(&callee), ["started", "rejected"]);
    let shape = status(
        "rejected",
        "outbound",
        json!({ "detail": "restricted", "sip_code": 403 }),
    );
    check("rejected", &stage.status(&callee, "rejected").body, shape);
}

#[test]
fn a_caller_who_hangs_up_before_the_answer_is_cancelled() {
    let mut stage = Stage::new();
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(0.1);
    stage.platform.hang_up(&leg).unwrap();
    stage.settle();
    assert_eq!(
        stage.statuses(&leg),
        ["started", "ringing", "cancelled", "completed"]
    );
    assert!(stage.at("/answer").is_empty());
}

#[test]
fn a_caller_who_hangs_up_while_it_rings_cancels_the_other_leg() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::Silent, json!({}));
    stage.run(5.0);
    stage.platform.hang_up(&caller).unwrap();
    stage.settle();
    let callee = stage.leg_to(AGENT);
    assert_eq!(
        stage.statuses(&callee),
        ["started", "ringing", "cancelled", "completed"]
    );
    assert_eq!(
        stage.statuses(&caller),
        ["started", "ringing", "answered", "completed"]
    );
    assert_eq!(
        stage.status(&caller, "completed").body["disconnected_by"],
        "user"
    );
}

#[test]
fn who_hung_up_is_told_as_the_user_and_the_other_leg_as_the_platforms() {
    let mut stage = Stage::new();
    let manner = Manner::answers(seconds(2.0), Some(seconds(10.0)));
    let caller = stage.connecting(manner, json!({}));
    stage.settle();
    let callee = stage.leg_to(AGENT);
    assert_eq!(
        stage.status(&callee, "completed").body["disconnected_by"],
        "user"
    );
    assert_eq!(stage.status(&callee, "completed").body["duration"], "11");
    assert_eq!(
        stage.status(&caller, "completed").body["disconnected_by"],
        "platform"
    );
}

#[test]
fn the_callers_end_comes_after_the_whole_connect() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::Busy, json!({ "eventType": "synchronous" }));
    stage.settle();
    let callee = stage.leg_to(AGENT);
    let place = |leg: &str| {
        let mut seen = stage.seen.iter();
        seen.position(|seen| seen.body["uuid"] == leg && seen.body["status"] == "completed")
    };
    assert!(place(&callee) < place(&caller));
}

#[test]
fn events_go_where_the_script_says_and_by_which_method() {
    let mut stage = Stage::new();
    let hook = json!({ "eventUrl": [url("/agents")], "eventMethod": "GET" });
    let caller = stage.connecting(Manner::answers(seconds(1.0), Some(seconds(5.0))), hook);
    stage.settle();
    let callee = stage.leg_to(AGENT);
    for seen in &stage.seen {
        if seen.body["uuid"] == callee {
            assert_eq!((seen.path.as_str(), seen.method), ("/agents", Method::Get));
        } else {
            assert_eq!(
                (seen.path.as_str(), seen.method),
                (seen.path.as_str(), Method::Post)
            );
            assert_ne!(seen.path, "/agents", "{}", seen.body);
        }
    }
    assert_eq!(stage.statuses(&caller).len(), 4);
    let answered = stage.status(&callee, "answered");
    assert!(
        answered.query.contains("headers=%7B%7D"),
        "{}",
        answered.query
    );
    assert!(
        !answered.query.contains("start_time"),
        "nothing is said of what is null"
    );
}

#[test]
fn an_event_is_taken_by_any_success_and_told_once() {
    for code in [200, 201, 202, 203, 204, 205] {
        let mut stage = Stage::new();
        stage.on("/event", crate::stage::reply(code, "text/plain", "OK"));
        let leg = stage.caller(json!([talk("Hello")]));
        stage.settle();
        assert_eq!(stage.statuses(&leg).len(), 4, "{code}");
    }
}
