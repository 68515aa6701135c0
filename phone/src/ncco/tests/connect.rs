//! Connect.

use std::time::Duration;

use super::*;

fn base() -> Value {
    json!({"action": "connect", "endpoint": [{"type": "app", "user": "alice"}]})
}

fn connect(rule: &str, action: Value) -> Connect {
    match taken(rule, action) {
        Action::Connect(connect) => connect,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_connect_rings_for_a_minute_and_lasts_two_hours_unless_told_otherwise() {
    let expected = Connect {
        endpoint: Endpoint::App {
            user: "alice".to_owned(),
        },
        from: None,
        random_from: false,
        synchronous: false,
        timeout: Duration::from_secs(60),
        limit: Duration::from_secs(7200),
        machine: None,
        hook: None,
        ringback: None,
    };
    assert_eq!(connect("plain", base()), expected);
    assert_eq!(expected.summary(), "alice, rung for 60 s");
}

#[test]
fn a_connect_rings_exactly_one_endpoint() {
    let one = json!({"type": "app", "user": "alice"});
    refused("required", json!({"action": "connect"}), "/endpoint");
    range(
        &base(),
        "/endpoint",
        [json!([one])],
        [json!([]), json!([one, one]), one.clone(), json!("alice")],
    );
    refused(
        "an object",
        with(&base(), "/endpoint", json!(["alice"])),
        "/endpoint/0",
    );
}

#[test]
fn the_settings_of_a_connect_have_their_ranges() {
    range(
        &base(),
        "/timeout",
        [json!(1), json!(120)],
        [json!(0), json!(121), json!(2.5), json!("60")],
    );
    range(
        &base(),
        "/limit",
        [json!(1), json!(7200)],
        [json!(0), json!(7201), json!(1.5)],
    );
    range(
        &base(),
        "/eventType",
        [json!("synchronous")],
        [json!("asynchronous"), json!("")],
    );
    range(
        &base(),
        "/ringbackTone",
        [json!(URL)],
        [json!([URL]), json!("ring.mp3"), json!("")],
    );
    range(
        &base(),
        "/machineDetection",
        [json!("continue"), json!("hangup")],
        [json!("stop"), json!(true)],
    );
    hook(&base(), "");
    let settings = with(&base(), "/timeout", json!(20));
    let settings = with(&settings, "/limit", json!(600));
    let read = connect(
        "settings",
        with(&settings, "/eventType", json!("synchronous")),
    );
    assert_eq!(
        (read.timeout, read.limit),
        (Duration::from_secs(20), Duration::from_secs(600))
    );
    assert!(read.synchronous);
}

#[test]
fn the_number_shown_is_digits_and_not_also_a_random_one() {
    range(
        &base(),
        "/from",
        [json!("1234567"), json!("123456789012345")],
        [
            json!("123456"),
            json!("1234567890123456"),
            json!("+447700900001"),
            json!(447_700_900_001_u64),
            json!(""),
        ],
    );
    let from = with(&base(), "/from", json!("447700900001"));
    refused(
        "both",
        with(&from, "/randomFromNumber", json!(true)),
        "/randomFromNumber",
    );
    taken("not random", with(&from, "/randomFromNumber", json!(false)));
    assert!(connect("random", with(&base(), "/randomFromNumber", json!(true))).random_from);
}

#[test]
fn the_advanced_detection_outranks_the_plain_one() {
    let plain = with(&base(), "/machineDetection", json!("hangup"));
    let machine = |behavior, mode, seconds| Machine {
        behavior,
        mode,
        beep_timeout: Duration::from_secs(seconds),
    };
    let read = connect("plain", plain.clone());
    assert_eq!(read.machine, Some(machine(Behavior::Hangup, None, 45)));
    let rows = [
        (
            json!({}),
            machine(Behavior::Continue, Some(Mode::Detect), 45),
        ),
        (
            json!({"behavior": "continue", "mode": "default"}),
            machine(Behavior::Continue, Some(Mode::Default), 45),
        ),
        (
            json!({"behavior": "hangup", "mode": "detect_beep", "beep_timeout": 90}),
            machine(Behavior::Hangup, Some(Mode::DetectBeep), 90),
        ),
    ];
    for (advanced, expected) in rows {
        let read = connect(
            "both",
            with(&plain, "/advancedMachineDetection", advanced.clone()),
        );
        assert_eq!(read.machine, Some(expected.clone()), "{advanced}");
        let body = json!({"machine_detection": "hangup", "advanced_machine_detection": advanced});
        assert_eq!(machine_of_rest(&body), Ok(Some(expected)), "{body}");
    }
    let advanced = with(&base(), "/advancedMachineDetection", json!({}));
    let key = |name: &str| format!("/advancedMachineDetection/{name}");
    range(
        &advanced,
        &key("beep_timeout"),
        [json!(30), json!(120)],
        [json!(29), json!(121), json!(45.5)],
    );
    range(
        &advanced,
        &key("behavior"),
        [json!("hangup")],
        [json!("stop"), json!("")],
    );
    range(
        &advanced,
        &key("mode"),
        [json!("detect")],
        [json!("detect-beep"), json!("")],
    );
    refused(
        "not a word",
        with(&base(), "/advancedMachineDetection", json!("hangup")),
        "/advancedMachineDetection",
    );
    assert_eq!(machine_of_rest(&json!({})), Ok(None));
}
