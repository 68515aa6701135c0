//! Calls moved by REST.

use crate::shape::check;
use crate::stage::{AGENT, Stage, reply, script, seconds, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Manner, Method, Outcome};

fn to_url(path: &str) -> Value {
    json!({ "action": "transfer", "destination": { "type": "ncco", "url": [url(path)] } })
}

#[test]
fn an_inline_script_is_played_at_once_in_a_conversation_of_its_own() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([talk("Old."), wait(60)]));
    let before = stage.conversation(&leg);
    assert_eq!(stage.transfer(&leg, json!([talk("New."), wait(60)])), 204);
    assert_eq!(stage.heard(&leg), ["Old.", "New."]);
    let now = stage.conversation(&leg);
    let shape = json!({
        "conversation_uuid_from": before, "conversation_uuid_to": now, "uuid": leg,
        "type": "transfer", "timestamp": "moment",
    });
    check(
        "transfer",
        &stage.with_key("conversation_uuid_from").body,
        shape,
    );
}

#[test]
fn a_url_is_asked_by_get_and_the_old_script_goes_on_meanwhile() {
    let mut stage = Stage::new();
    stage.on("/move", Outcome::SocketTimeout);
    let leg = stage.caller(json!([wait(3), talk("Old."), wait(60)]));
    assert_eq!(stage.put(&leg, "", to_url("/move")), 204);
    stage.on("/move", script(json!([talk("New."), wait(60)])));
    stage.run(4.0);
    assert_eq!(stage.heard(&leg), ["Old."]);
    stage.run(4.0);
    assert_eq!(
        stage.heard(&leg),
        ["Old.", "New."],
        "the second attempt brought it"
    );
    let asked = stage.at("/move");
    assert_eq!((asked.len(), asked[0].method), (2, Method::Get));
    assert_eq!(asked[0].body["uuid"], leg);
}

#[test]
fn a_url_that_fails_leaves_the_caller_where_they_are() {
    for failure in [
        reply(500, "text/plain", "no"),
        reply(200, "text/html", "<p>"),
        reply(200, "application/json", "[{}]"),
        reply(204, "application/json", ""),
        Outcome::Closed,
    ] {
        let mut stage = Stage::new();
        stage.on("/move", failure.clone());
        let leg = stage.caller(json!([wait(3), talk("Old."), wait(60)]));
        assert_eq!(stage.put(&leg, "", to_url("/move")), 204);
        stage.run(4.0);
        assert_eq!(stage.heard(&leg), ["Old."], "{failure:?}");
    }
}

#[test]
fn of_two_urls_the_later_request_wins() {
    let mut stage = Stage::new();
    stage.on_each(
        "/first",
        vec![
            Outcome::SocketTimeout,
            script(json!([talk("First."), wait(60)])),
        ],
    );
    stage.on("/second", script(json!([talk("Second."), wait(60)])));
    let leg = stage.caller(json!([wait(60)]));
    stage.put(&leg, "", to_url("/first"));
    stage.put(&leg, "", to_url("/second"));
    stage.run(20.0);
    assert_eq!(stage.heard(&leg), ["Second."]);
}

#[test]
fn a_caller_moved_out_of_a_connect_leaves_the_other_leg_alone_and_over() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::answers(seconds(1.0), None), json!({}));
    stage.run(3.0);
    let callee = stage.leg_to(AGENT);
    assert_eq!(
        stage.transfer(&caller, json!([talk("Moved."), wait(60)])),
        204
    );
    assert_eq!(stage.heard(&caller).last().unwrap(), "Moved.");
    assert!(stage.is_over(&callee));
    assert_eq!(
        stage.status(&callee, "completed").body["disconnected_by"],
        "platform"
    );
}

#[test]
fn a_caller_moved_while_it_rings_stops_the_ringing() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::Silent, json!({}));
    stage.run(3.0);
    let callee = stage.leg_to(AGENT);
    stage.transfer(&caller, json!([wait(60)]));
    assert_eq!(
        stage.statuses(&callee),
        ["started", "ringing", "cancelled", "completed"]
    );
    assert!(!stage.is_over(&caller));
}

#[test]
fn a_callee_moved_out_of_a_connect_lets_the_callers_script_go_on() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::answers(seconds(1.0), None), json!({}));
    stage.run(3.0);
    let callee = stage.leg_to(AGENT);
    assert_eq!(
        stage.transfer(&callee, json!([talk("Moved."), wait(60)])),
        204
    );
    assert_eq!(stage.heard(&callee).last().unwrap(), "Moved.");
    assert_eq!(stage.heard(&caller).last().unwrap(), "Nobody is there.");
    assert!(!stage.is_over(&callee));
    stage.run(20.0);
    assert!(stage.is_over(&caller) && !stage.is_over(&callee));
}

#[test]
fn a_moved_leg_no_longer_minds_what_the_old_script_waited_for() {
    let mut stage = Stage::new();
    stage.on_each(
        "/notify",
        vec![Outcome::SocketTimeout, script(json!([talk("Late.")]))],
    );
    let notify = json!({ "action": "notify", "payload": {}, "eventUrl": [url("/notify")] });
    let leg = stage.caller(json!([notify]));
    stage.transfer(&leg, json!([talk("New."), wait(60)]));
    stage.run(30.0);
    assert_eq!(stage.heard(&leg), ["New."]);
}

#[test]
fn a_leg_that_ends_while_the_url_is_asked_stays_over() {
    let mut stage = Stage::new();
    stage.on_each(
        "/move",
        vec![Outcome::SocketTimeout, script(json!([talk("New.")]))],
    );
    let leg = stage.caller(json!([wait(60)]));
    stage.put(&leg, "", to_url("/move"));
    stage.platform.hang_up(&leg).unwrap();
    stage.settle();
    assert!(stage.heard(&leg).is_empty());
    let over = stage
        .statuses(&leg)
        .iter()
        .filter(|status| **status == "completed")
        .count();
    assert_eq!(over, 1);
}
