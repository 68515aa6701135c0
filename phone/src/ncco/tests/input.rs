//! Input.

use std::time::Duration;

use super::*;

fn input(fields: &Value) -> Input {
    let action = with(fields, "/action", json!("input"));
    match taken("input", action) {
        Action::Input(input) => input,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_input_listens_for_what_its_type_names() {
    let keys = Keys {
        time_out: Duration::from_secs(3),
        max: 4,
        submit_on_hash: false,
    };
    let speech = Speech {
        end_on_silence: Duration::from_secs(2),
        start_timeout: Duration::from_secs(10),
        max_duration: Duration::from_secs(60),
        language: "en-US".to_owned(),
        context: vec![],
        leg: None,
        save_audio: false,
    };
    let rows = [
        (json!(["dtmf"]), Some(&keys), None, "up to 4 keys"),
        (json!(["speech"]), None, Some(&speech), "speech"),
        (
            json!(["speech", "dtmf"]),
            Some(&keys),
            Some(&speech),
            "up to 4 keys or speech",
        ),
    ];
    for (kinds, keys, speech, summary) in rows {
        for settings in [
            json!({}),
            json!({"dtmf": {}, "speech": {}, "mode": "synchronous"}),
        ] {
            let read = input(&with(&settings, "/type", kinds.clone()));
            assert_eq!(
                (read.keys.as_ref(), read.speech.as_ref()),
                (keys, speech),
                "{kinds}"
            );
            assert!(!read.asynchronous && read.hook.is_none());
            assert_eq!(read.summary(), summary);
        }
    }
    let base = json!({"action": "input"});
    refused("type is required", base.clone(), "/type");
    range(
        &base,
        "/type",
        [json!(["dtmf"])],
        [
            json!("dtmf"),
            json!([]),
            json!(["keys"]),
            json!(["dtmf", "voice"]),
            json!(["DTMF"]),
        ],
    );
    hook(&json!({"action": "input", "type": ["dtmf"]}), "");
}

#[test]
fn settings_of_keys_have_their_ranges() {
    let base = json!({"action": "input", "type": ["dtmf"], "dtmf": {}});
    range(
        &base,
        "/dtmf/timeOut",
        [json!(0), json!(10)],
        [json!(-1), json!(11), json!(2.5), json!("3")],
    );
    range(
        &base,
        "/dtmf/maxDigits",
        [json!(1), json!(20)],
        [json!(0), json!(21), json!(1.5)],
    );
    let keys = json!({"timeOut": 7, "maxDigits": 1, "submitOnHash": true});
    let expected = Keys {
        time_out: Duration::from_secs(7),
        max: 1,
        submit_on_hash: true,
    };
    let read = input(&json!({"type": ["dtmf"], "dtmf": keys}));
    assert_eq!(read.keys, Some(expected));
    assert_eq!(read.summary(), "a key");
}

#[test]
fn settings_of_speech_have_their_ranges() {
    let base = json!({"action": "input", "type": ["speech"], "speech": {}});
    range(
        &base,
        "/speech/endOnSilence",
        [json!(0.4), json!(10), json!(10.0)],
        [json!(0.39), json!(10.1)],
    );
    range(
        &base,
        "/speech/startTimeout",
        [json!(1), json!(60)],
        [json!(0.9), json!(60.1), json!("10")],
    );
    range(
        &base,
        "/speech/maxDuration",
        [json!(1), json!(60)],
        [json!(0.9), json!(61)],
    );
    range(
        &base,
        "/speech/sensitivity",
        [json!(10), json!(100)],
        [json!(9), json!(101), json!(50.5)],
    );
    range(
        &base,
        "/speech/language",
        [json!("cy-GB")],
        [json!("Welsh")],
    );
    range(
        &base,
        "/speech/context",
        [json!([]), json!(["sales"])],
        [json!("sales"), json!([1])],
    );
    range(
        &base,
        "/speech/uuid",
        [json!(["leg"])],
        [json!([]), json!(["a", "b"]), json!("leg")],
    );
    let speech = json!({
        "uuid": ["leg-1"], "endOnSilence": 0.4, "startTimeout": 5.5, "maxDuration": 30,
        "language": "de-DE", "context": ["Anna", "Otto"], "saveAudio": true,
    });
    let expected = Speech {
        end_on_silence: Duration::from_millis(400),
        start_timeout: Duration::from_millis(5500),
        max_duration: Duration::from_secs(30),
        language: "de-DE".to_owned(),
        context: vec!["Anna".to_owned(), "Otto".to_owned()],
        leg: Some("leg-1".to_owned()),
        save_audio: true,
    };
    assert_eq!(
        input(&json!({"type": ["speech"], "speech": speech})).speech,
        Some(expected)
    );
}

#[test]
fn asynchronous_is_for_keys_alone_and_leaves_their_settings_blank() {
    let base = json!({"action": "input", "type": ["dtmf"], "mode": "asynchronous"});
    for blank in [base.clone(), with(&base, "/dtmf", json!({}))] {
        let Action::Input(read) = taken("blank", blank) else {
            panic!()
        };
        assert!(read.asynchronous && read.keys.is_some() && read.speech.is_none());
        assert_eq!(read.summary(), "each key as it is pressed");
    }
    refused(
        "settings",
        with(&base, "/dtmf", json!({"maxDigits": 1})),
        "/dtmf",
    );
    refused(
        "even their defaults",
        with(&base, "/dtmf", json!({"submitOnHash": false})),
        "/dtmf",
    );
    refused("speech", with(&base, "/type", json!(["speech"])), "/type");
    refused(
        "keys or speech",
        with(&base, "/type", json!(["dtmf", "speech"])),
        "/type",
    );
    refused(
        "settings of speech",
        with(&base, "/speech", json!({})),
        "/speech",
    );
    range(
        &base,
        "/mode",
        [json!("synchronous")],
        [json!("async"), json!("")],
    );
}
