//! The fallback URL: what it is told, and what comes of its reply.

use crate::shape::check;
use crate::stage::{
    AGENT, CALLER, LINE, Stage, connect, nothing, reply, script, seconds, talk, url, wait,
};
use serde_json::{Value, json};
use switchboard_phone::{Ending, Manner, Outcome, Webhook};

fn stage() -> Stage {
    let mut stage =
        Stage::set(|settings| settings.fallback = Some(Webhook::script(url("/fallback"))));
    stage.on("/fallback", script(json!([talk("Sorry.")])));
    stage
}

/// Why a script could not be had, and in which words the fallback is told.
#[track_caller]
fn reason(outcome: Outcome, wanted: &str) {
    let mut stage = stage();
    stage.on("/answer", outcome.clone());
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(12.0);
    let asked = stage.at("/fallback");
    assert_eq!(asked.len(), 1, "{outcome:?}");
    let shape = json!({
        "to": LINE,
        "from": CALLER,
        "uuid": leg,
        "conversation_uuid": "conversation",
        "endpoint_type": "phone",
        "region_url": "text",
        "reason": wanted,
        "original_request": { "url": url("/answer"), "type": "answer" },
    });
    check("fallback", &asked[0].body, shape);
    assert_eq!(stage.heard(&leg), ["Sorry."], "{outcome:?}");
}

#[test]
fn it_is_told_the_reason_and_what_had_been_asked() {
    reason(Outcome::Closed, "Connection closed.");
    reason(Outcome::Reset, "Connection reset.");
    reason(Outcome::SocketTimeout, "Socket timeout.");
    reason(reply(200, "application/json", "[{}]"), "Invalid NCCO.");
    reason(reply(200, "application/json", "{"), "Invalid NCCO.");
    reason(reply(200, "text/html", "<p>"), "Invalid NCCO.");
    reason(
        reply(500, "application/json", "[]"),
        "Invalid response code.",
    );
    reason(
        reply(503, "application/json", "[]"),
        "Invalid response code.",
    );
}

/// A script whose webhook at `/x` fails, and what the fallback is told of it.
#[track_caller]
fn original(what: &str, manner: Manner, actions: Value, kind: &str, field: &str) -> Stage {
    let mut stage = stage();
    stage.platform.set_manners(AGENT, vec![manner]);
    stage.on("/x", reply(500, "text/plain", "no"));
    stage.caller(actions);
    stage.run(10.0);
    let asked = stage.at("/fallback");
    assert_eq!(asked.len(), 1, "{what}");
    let wanted = json!({ "url": url("/x"), "type": kind });
    assert_eq!(asked[0].body["original_request"], wanted, "{what}");
    assert!(
        asked[0].body.get(field).is_some(),
        "{what}: what was told is told again"
    );
    stage
}

#[test]
fn it_stands_in_for_every_webhook_that_may_bring_a_script() {
    let hook = json!([url("/x")]);
    let input = json!([{
        "action": "input", "type": ["dtmf"], "dtmf": { "timeOut": 1 }, "eventUrl": hook,
    }]);
    original("input", Manner::Ask, input, "event", "dtmf");
    let notify = json!([{ "action": "notify", "payload": {}, "eventUrl": hook }]);
    original("notify", Manner::Ask, notify, "event", "payload");
    let synchronous = json!({ "eventType": "synchronous", "eventUrl": hook });
    let failover = json!([connect(AGENT, synchronous)]);
    original("connect", Manner::Busy, failover, "event", "status");
    let endpoint = json!([{
        "type": "phone", "number": AGENT, "onAnswer": { "url": url("/x") },
    }]);
    let on_answer = json!([connect(AGENT, json!({ "endpoint": endpoint }))]);
    let manner = Manner::answers(seconds(1.0), None);
    original("onAnswer", manner, on_answer, "answer", "region_url");
}

#[test]
fn it_stands_in_for_the_urls_of_rest() {
    let mut stage = stage();
    stage.on("/x", reply(404, "text/plain", "no"));
    let leg = stage.caller(json!([wait(60)]));
    let destination = json!({ "type": "ncco", "url": [url("/x")] });
    let transfer = json!({ "action": "transfer", "destination": destination });
    assert_eq!(stage.put(&leg, "", transfer), 204);
    assert_eq!(
        stage.at("/fallback")[0].body["original_request"]["type"],
        "answer"
    );
    assert_eq!(stage.heard(&leg), ["Sorry."]);

    let body = json!({
        "to": [{ "type": "phone", "number": AGENT }],
        "from": { "type": "phone", "number": LINE },
        "answer_url": [url("/x")],
    });
    stage.rest("POST", "/v1/calls", body);
    let leg = stage.leg_to(AGENT);
    stage.run(1.0);
    stage.platform.pick_up(&leg).unwrap();
    stage.run(0.1);
    assert_eq!(stage.heard(&leg), ["Sorry."]);
}

#[test]
fn it_is_not_asked_when_only_an_event_was_to_be_told() {
    let mut stage = stage();
    stage.on("/event", reply(500, "text/plain", "no"));
    stage.connecting(Manner::answers(seconds(1.0), Some(seconds(3.0))), json!({}));
    stage.settle();
    assert!(stage.at("/fallback").is_empty());
}

#[test]
fn it_is_not_asked_when_a_detection_might_have_brought_a_script() {
    let mut stage = stage();
    stage.on("/x", reply(500, "text/plain", "no"));
    stage.on("/fallback", reply(500, "text/plain", "no"));
    let caller = stage.connecting(
        Manner::answers(seconds(1.0), Some(seconds(20.0))),
        json!({ "advancedMachineDetection": { "mode": "default" }, "eventUrl": [url("/x")] }),
    );
    stage.run(10.0);
    assert!(stage.at("/fallback").is_empty());
    assert!(!stage.is_over(&caller), "the two talk on");
}

/// A fallback that fails ends the call, whatever had failed before.
#[track_caller]
fn fails(fallback: Outcome, actions: Value, attempts: usize) {
    let what = format!("{fallback:?} after {actions}");
    let mut stage = stage();
    stage.on("/x", reply(500, "text/plain", "no"));
    stage.on("/fallback", fallback);
    let leg = stage.caller(actions);
    stage.run(12.0);
    let ended = stage.platform.leg(&leg).unwrap().ended();
    assert_eq!(ended.map(|(_, why)| why), Some(Ending::NoScript), "{what}");
    assert_eq!(stage.at("/fallback").len(), attempts, "{what}");
    assert!(stage.heard(&leg).is_empty(), "{what}");
}

#[test]
fn when_it_fails_as_well_the_call_is_over() {
    let notify = json!([
        { "action": "notify", "payload": {}, "eventUrl": [url("/x")] },
        talk("The old script goes on."),
    ]);
    let broken = json!([{ "action": "sing" }]);
    for actions in [notify, broken] {
        fails(reply(500, "text/plain", "no"), actions.clone(), 1);
        fails(reply(404, "text/plain", "no"), actions.clone(), 1);
        fails(reply(200, "application/json", "[{}]"), actions.clone(), 1);
        // A fallback has to bring a script.
        fails(reply(200, "text/html", "<p>"), actions.clone(), 1);
        fails(reply(204, "application/json", ""), actions.clone(), 1);
        fails(nothing(), actions.clone(), 1);
        fails(reply(503, "text/plain", "no"), actions.clone(), 2);
        fails(Outcome::SocketTimeout, actions, 2);
    }
}

/// Without a fallback, what fails in the middle of a call lets the old script go on.
#[track_caller]
fn goes_on(what: &str, manner: Manner, action: Value) {
    let mut stage = Stage::new();
    stage.platform.set_manners(AGENT, vec![manner]);
    stage.on("/x", reply(500, "text/plain", "no"));
    let leg = stage.caller(json!([action, talk("On it goes.")]));
    stage.run(10.0);
    assert!(
        stage.heard(&leg).contains(&"On it goes.".to_owned()),
        "{what}"
    );
}

#[test]
fn without_one_a_failure_in_mid_call_lets_the_script_go_on() {
    let hook = json!([url("/x")]);
    let input =
        json!({ "action": "input", "type": ["dtmf"], "dtmf": { "timeOut": 1 }, "eventUrl": hook });
    goes_on("input", Manner::Ask, input);
    let notify = json!({ "action": "notify", "payload": {}, "eventUrl": hook });
    goes_on("notify", Manner::Ask, notify);
    let synchronous = json!({ "eventType": "synchronous", "eventUrl": hook });
    goes_on("connect", Manner::Busy, connect(AGENT, synchronous));
}
