//! Whether a person or a machine picked up.

use crate::shape::check;
use crate::stage::{AGENT, LINE, Stage, connect, script, seconds, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Ending, Manner};

fn person() -> Manner {
    Manner::answers(seconds(1.0), None)
}

fn mailbox() -> Manner {
    Manner::Mailbox(seconds(1.0))
}

/// Connects by these options, and gives what was told of who picked up: status, sub state.
#[track_caller]
fn told(manner: Manner, options: Value, wanted: &[(&str, Option<&str>)]) -> Stage {
    let what = format!("{manner:?}, {options}");
    let mut stage = Stage::new();
    stage.connecting(manner, options);
    stage.run(12.0);
    let found: Vec<(&str, Option<&str>)> = stage
        .seen
        .iter()
        .filter(|seen| seen.body.get("call_uuid").is_some())
        .map(|seen| {
            let status = seen.body["status"].as_str().unwrap();
            (status, seen.body["sub_state"].as_str())
        })
        .collect();
    assert_eq!(found, wanted, "{what}");
    stage
}

fn advanced(mode: &str, behavior: &str) -> Value {
    json!({ "advancedMachineDetection": { "mode": mode, "behavior": behavior } })
}

#[test]
fn each_mode_tells_what_it_is_documented_to_tell() {
    let plain = |behavior: &str| json!({ "machineDetection": behavior });
    told(person(), plain("continue"), &[("human", None)]);
    told(mailbox(), plain("continue"), &[("machine", None)]);
    told(mailbox(), plain("hangup"), &[("machine", None)]);
    let beep = ("machine", Some("beep_start"));
    told(
        mailbox(),
        advanced("default", "continue"),
        &[("machine", None), beep],
    );
    told(
        person(),
        advanced("default", "continue"),
        &[("human", None)],
    );
    told(
        mailbox(),
        advanced("detect", "continue"),
        &[("machine", None)],
    );
    told(mailbox(), advanced("detect_beep", "continue"), &[beep]);
    told(person(), advanced("detect", "hangup"), &[("human", None)]);
    told(mailbox(), json!({}), &[]);
}

#[test]
fn advanced_detection_overrides_the_plain_one() {
    let mut options = advanced("detect_beep", "continue");
    options["machineDetection"] = json!("hangup");
    let stage = told(mailbox(), options, &[("machine", Some("beep_start"))]);
    let callee = stage.leg_to(AGENT);
    assert!(!stage.is_over(&callee));
}

#[test]
fn the_event_names_the_leg_as_call_uuid() {
    let stage = told(
        mailbox(),
        advanced("detect_beep", "continue"),
        &[("machine", Some("beep_start"))],
    );
    let callee = stage.leg_to(AGENT);
    let shape = json!({
        "call_uuid": callee, "conversation_uuid": "conversation", "from": LINE, "to": AGENT,
        "status": "machine", "sub_state": "beep_start", "timestamp": "moment",
    });
    check("machine", &stage.with_key("call_uuid").body, shape);
}

#[test]
fn hangup_ends_a_machines_leg_and_no_persons() {
    for options in [
        json!({ "machineDetection": "hangup" }),
        advanced("default", "hangup"),
        advanced("detect", "hangup"),
        advanced("detect_beep", "hangup"),
    ] {
        for (manner, over) in [(mailbox(), true), (person(), false)] {
            let mut stage = Stage::new();
            let caller = stage.connecting(manner, options.clone());
            stage.run(15.0);
            let callee = stage.leg_to(AGENT);
            let ended = stage.platform.leg(&callee).unwrap().ended();
            let why = over.then_some(Ending::Machine);
            assert_eq!(ended.map(|(_, why)| why), why, "{options}");
            let goes_on = stage
                .heard(&caller)
                .contains(&"Nobody is there.".to_owned());
            assert_eq!(goes_on, over, "{options}: the caller's script goes on");
        }
    }
}

#[test]
fn blocking_modes_join_only_once_they_know_within_five_seconds() {
    for (mode, silent) in [("default", false), ("detect", true), ("detect_beep", true)] {
        let mut stage = Stage::new();
        let manner = Manner::Answers {
            after: seconds(1.0),
            says: None,
            presses: None,
            takes: false,
            talks: None,
        };
        let caller = stage.connecting(manner, advanced(mode, "continue"));
        stage.run(1.5);
        stage.platform.say(&caller, "Hello?").unwrap();
        stage.run(5.0);
        let callee = stage.leg_to(AGENT);
        stage.platform.say(&caller, "Hello again?").unwrap();
        let wanted: &[&str] = if silent {
            &["Hello again?"]
        } else {
            &["Hello?", "Hello again?"]
        };
        assert_eq!(stage.heard(&callee), wanted, "{mode}");
    }
}

#[test]
fn in_the_default_mode_any_detection_may_be_answered_with_a_script() {
    for mode in ["default", "detect"] {
        let mut stage = Stage::new();
        stage.platform.set_manners(AGENT, vec![mailbox()]);
        let leg = {
            let (status, made) = stage.rest(
                "POST",
                "/v1/calls",
                json!({
                    "to": [{ "type": "phone", "number": AGENT }],
                    "from": { "type": "phone", "number": LINE },
                    "ncco": [wait(30)],
                    "event_url": [url("/x")],
                    "advanced_machine_detection": { "mode": mode, "behavior": "continue" },
                }),
            );
            assert_eq!(status, 201, "{made}");
            made["uuid"].as_str().unwrap().to_owned()
        };
        stage.on("/x", script(json!([talk("This is a message."), wait(30)])));
        stage.run(12.0);
        let played = stage.heard(&leg).contains(&"This is a message.".to_owned());
        assert_eq!(played, mode == "default", "{mode}");
    }
}

#[test]
fn a_call_by_rest_without_a_mode_detects_before_its_script() {
    let mut stage = Stage::new();
    stage.platform.set_manners(AGENT, vec![mailbox()]);
    let body = json!({
        "to": [{ "type": "phone", "number": AGENT }],
        "from": { "type": "phone", "number": LINE },
        "ncco": [talk("Hello"), wait(30)],
        "advanced_machine_detection": {},
    });
    let (status, made) = stage.rest("POST", "/v1/calls", body);
    assert_eq!(status, 201);
    let leg = made["uuid"].as_str().unwrap().to_owned();
    stage.run(2.0);
    assert!(stage.heard(&leg).is_empty());
    stage.run(10.0);
    assert_eq!(stage.heard(&leg), ["Hello"]);
    assert_eq!(stage.status(&leg, "machine").body.get("sub_state"), None);
}

#[test]
fn a_machine_is_answered_like_a_person_where_nobody_asks_for_detection() {
    let mut stage = Stage::new();
    let caller = stage.caller(json!([wait(0)]));
    drop(caller);
    stage.platform.set_manners(AGENT, vec![mailbox()]);
    let caller = stage.caller(json!([connect(AGENT, json!({}))]));
    stage.run(4.0);
    let callee = stage.leg_to(AGENT);
    assert_eq!(stage.statuses(&callee), ["started", "ringing", "answered"]);
    assert!(stage.heard(&caller).contains(&Manner::GREETING.to_owned()));
}
