//! Keys and speech.

use crate::shape::check;
use crate::stage::{CALLER, LINE, Stage, script, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::Method;

fn keys(options: Value) -> Value {
    json!({ "action": "input", "type": ["dtmf"], "dtmf": options, "eventUrl": [url("/input")] })
}

fn speech(options: Value) -> Value {
    json!({ "action": "input", "type": ["speech"], "speech": options, "eventUrl": [url("/input")] })
}

/// What an input told, and how many milliseconds after it began.
fn took(stage: &Stage) -> (Value, i64) {
    let seen = stage.at("/input");
    assert_eq!(seen.len(), 1);
    (seen[0].body.clone(), seen[0].at - 288)
}

#[test]
fn the_event_has_the_fields_of_real_ones() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([keys(json!({ "maxDigits": 1 }))]));
    stage.platform.press(&leg, "2").unwrap();
    stage.run(0.1);
    let shape = json!({
        "speech": { "error": "Speech was not enabled" },
        "dtmf": { "digits": "2", "timed_out": false },
        "from": CALLER,
        "to": LINE,
        "uuid": leg,
        "conversation_uuid": "conversation",
        "timestamp": "moment",
    });
    check("input", &took(&stage).0, shape);
}

#[test]
fn by_get_what_was_taken_is_json_in_the_query() {
    let mut stage = Stage::new();
    let mut action = keys(json!({ "maxDigits": 1 }));
    action["eventMethod"] = json!("GET");
    let leg = stage.caller(json!([action]));
    stage.platform.press(&leg, "3").unwrap();
    stage.run(0.1);
    let seen = stage.at("/input")[0];
    assert_eq!(seen.method, Method::Get);
    let dtmf = r#"{"digits":"3","timed_out":false}"#;
    assert_eq!(seen.body["dtmf"], dtmf);
    let wanted = "dtmf=%7B%22digits%22:%223%22,%22timed_out%22:false%7D";
    assert!(seen.query.contains(wanted), "{}", seen.query);
}

/// Presses these, each so many seconds after the one before, and says what was taken and when.
#[track_caller]
fn pressing(options: Value, presses: &[(f64, &str)], digits: Value, timed_out: bool, at: i64) {
    let what = format!("{options}, {presses:?}");
    let mut stage = Stage::new();
    let leg = stage.caller(json!([keys(options), wait(60)]));
    for (after, keys) in presses {
        stage.run(*after);
        // Those that come too late go nowhere.
        stage.platform.press(&leg, keys).unwrap();
    }
    stage.run(30.0);
    let (body, when) = took(&stage);
    assert_eq!(
        body["dtmf"],
        json!({ "digits": digits, "timed_out": timed_out }),
        "{what}"
    );
    // It began with the answer, 212 ms before the first of these seconds.
    assert_eq!(when, at, "{what}");
}

#[test]
fn keys_end_by_their_number_by_hash_or_by_time() {
    let none = Value::Null;
    pressing(json!({}), &[], none.clone(), true, 3000);
    pressing(json!({ "timeOut": 10 }), &[], none.clone(), true, 10_000);
    pressing(json!({ "timeOut": 0 }), &[], none, true, 0);
    // Four by default.
    pressing(json!({}), &[(1.0, "12345")], json!("1234"), false, 1212);
    pressing(
        json!({ "maxDigits": 1 }),
        &[(1.0, "7")],
        json!("7"),
        false,
        1212,
    );
    let twenty = "01234567890123456789";
    pressing(
        json!({ "maxDigits": 20 }),
        &[(1.0, twenty)],
        json!(twenty),
        false,
        1212,
    );
    pressing(
        json!({ "timeOut": 5 }),
        &[(1.0, "12")],
        json!("12"),
        true,
        6212,
    );
    let hash = json!({ "submitOnHash": true, "maxDigits": 10 });
    pressing(hash.clone(), &[(1.0, "12#3")], json!("12"), false, 1212);
    pressing(hash, &[(1.0, "#")], Value::Null, false, 1212);
    pressing(
        json!({ "maxDigits": 3 }),
        &[(1.0, "1#*")],
        json!("1#*"),
        false,
        1212,
    );
}

#[test]
fn each_key_starts_the_time_anew() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([keys(json!({ "timeOut": 3, "maxDigits": 10 }))]));
    for key in ["1", "2", "3"] {
        stage.run(2.5);
        stage.platform.press(&leg, key).unwrap();
    }
    let last = stage.ms();
    stage.run(5.0);
    let (body, _) = took(&stage);
    assert_eq!(body["dtmf"], json!({ "digits": "123", "timed_out": true }));
    assert_eq!(stage.at("/input")[0].at - last, 3000);
}

#[test]
fn the_reply_may_be_another_script_and_otherwise_the_old_one_goes_on() {
    for (said, heard) in [
        (script(json!([talk("New.")])), "New."),
        (script(json!([])), "Old."),
        (crate::stage::nothing(), "Old."),
        (crate::stage::reply(200, "text/html", "<p>"), "Old."),
        (script(json!({})), "Old."),
    ] {
        let mut stage = Stage::new();
        stage.on("/input", said);
        let leg = stage.caller(json!([keys(json!({ "maxDigits": 1 })), talk("Old.")]));
        stage.platform.press(&leg, "1").unwrap();
        stage.run(0.1);
        assert_eq!(stage.heard(&leg), [heard]);
    }
}

/// What is told of speech: reason, words.
#[track_caller]
fn spoken(stage: &Stage, reason: &str, words: Option<&str>) {
    let (body, _) = took(stage);
    assert_eq!(body["speech"]["timeout_reason"], reason);
    let results = body["speech"]["results"].as_array().unwrap();
    match words {
        Some(words) => {
            assert_eq!(results.len(), 1);
            check(
                "result",
                &results[0],
                json!({ "text": words, "confidence": "text" }),
            );
        }
        None => assert!(results.is_empty()),
    }
}

#[test]
fn speech_ends_by_silence_two_seconds_by_default() {
    for (options, silence) in [
        (json!({}), 2000),
        (json!({ "endOnSilence": 0.4 }), 400),
        (json!({ "endOnSilence": 10 }), 10_000),
    ] {
        let mut stage = Stage::new();
        let leg = stage.caller(json!([speech(options)]));
        stage.run(1.0);
        stage.platform.say(&leg, "I need help.").unwrap();
        let length = switchboard_phone::audio::speaking_time("I need help.");
        let silent = stage.ms() + i64::try_from(length.as_millis()).unwrap();
        stage.run(20.0);
        spoken(&stage, "end_on_silence_timeout", Some("I need help."));
        assert!((stage.at("/input")[0].at - silent - silence).abs() <= 1);
    }
}

#[test]
fn two_sentences_with_a_short_pause_are_one() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([speech(json!({}))]));
    stage.platform.say(&leg, "Hello.").unwrap();
    stage.run(switchboard_phone::audio::speaking_time("Hello.").as_secs_f64() + 1.0);
    stage.platform.say(&leg, "Anybody?").unwrap();
    stage.run(20.0);
    spoken(&stage, "end_on_silence_timeout", Some("Hello. Anybody?"));
}

#[test]
fn nobody_speaking_ends_it_after_ten_seconds_by_default() {
    for (options, start) in [
        (json!({}), 10_000),
        (json!({ "startTimeout": 1 }), 1000),
        (json!({ "startTimeout": 60 }), 60_000),
    ] {
        let mut stage = Stage::new();
        stage.caller(json!([speech(options)]));
        stage.run(70.0);
        spoken(&stage, "start_timeout", None);
        assert_eq!(took(&stage).1, start);
        assert_eq!(took(&stage).0.get("dtmf"), None, "keys were not asked for");
    }
}

#[test]
fn speech_ends_at_its_longest_duration() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([speech(json!({ "maxDuration": 5 }))]));
    let begun = stage.ms();
    stage
        .platform
        .say(&leg, &"and another thing ".repeat(20))
        .unwrap();
    stage.run(70.0);
    assert_eq!(took(&stage).0["speech"]["timeout_reason"], "max_duration");
    assert_eq!(stage.at("/input")[0].at - begun, 5000);
}

#[test]
fn of_keys_and_speech_the_first_to_come_wins() {
    let both =
        json!({ "action": "input", "type": ["dtmf", "speech"], "eventUrl": [url("/input")] });
    let mut stage = Stage::new();
    let leg = stage.caller(json!([both]));
    stage.run(5.0);
    assert!(
        stage.at("/input").is_empty(),
        "who may speak has more time than for keys"
    );
    stage.platform.press(&leg, "1").unwrap();
    stage.run(5.0);
    let (body, _) = took(&stage);
    assert_eq!(body["dtmf"], json!({ "digits": "1", "timed_out": true }));
    assert!(body["speech"].get("error").is_some());

    let mut stage = Stage::new();
    let leg = stage.caller(json!([both]));
    stage.run(1.0);
    stage.platform.say(&leg, "Sales, please.").unwrap();
    stage.run(20.0);
    spoken(&stage, "end_on_silence_timeout", Some("Sales, please."));
    assert_eq!(
        took(&stage).0["dtmf"],
        json!({ "digits": null, "timed_out": true })
    );
}

#[test]
fn a_key_or_a_word_interrupts_what_lets_it_and_counts() {
    let long = "To hear this once more, press any key at all, whichever you like best of them.";
    let barge = json!({ "action": "talk", "text": long, "bargeIn": true });
    let mut stage = Stage::new();
    let leg = stage.caller(json!([
        barge,
        talk("Never heard."),
        keys(json!({ "maxDigits": 2 }))
    ]));
    stage.platform.press(&leg, "4").unwrap();
    stage.platform.press(&leg, "2").unwrap();
    stage.run(0.1);
    assert_eq!(took(&stage).0["dtmf"]["digits"], "42");
    assert_eq!(stage.heard(&leg), [long]);

    let mut stage = Stage::new();
    let leg = stage.caller(json!([barge, talk("Never heard."), speech(json!({}))]));
    stage.platform.say(&leg, "Sales.").unwrap();
    stage.run(10.0);
    spoken(&stage, "end_on_silence_timeout", Some("Sales."));
    assert_eq!(stage.heard(&leg), [long]);
}

#[test]
fn what_does_not_let_itself_be_interrupted_is_heard_to_its_end() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([
        talk("A long sentence that goes on."),
        keys(json!({ "maxDigits": 1 }))
    ]));
    stage.platform.press(&leg, "4").unwrap();
    stage.run(0.1);
    assert!(stage.at("/input").is_empty());
    stage.run(10.0);
    assert_eq!(took(&stage).0["dtmf"]["digits"], Value::Null);
}

#[test]
fn asynchronously_each_key_is_an_event_and_the_script_goes_on() {
    let mut stage = Stage::new();
    let input = json!({
        "action": "input", "type": ["dtmf"], "mode": "asynchronous", "eventUrl": [url("/keys")],
    });
    let leg = stage.caller(json!([input, talk("At once."), wait(60)]));
    stage.on("/keys", script(json!([talk("Not asked for.")])));
    assert_eq!(stage.heard(&leg), ["At once."]);
    stage.platform.press(&leg, "1*").unwrap();
    stage.run(1.0);
    let pressed: Vec<&Value> = stage
        .at("/keys")
        .iter()
        .map(|seen| &seen.body["dtmf"]["digits"])
        .collect();
    assert_eq!(pressed, ["1", "*"]);
    assert_eq!(stage.heard(&leg), ["At once."]);
}

#[test]
fn a_subscription_needs_an_asynchronous_input_and_moves_the_keys() {
    let mut stage = Stage::new();
    let body = json!({ "event_url": [url("/mine")] });
    let leg = stage.caller(json!([wait(600)]));
    assert_eq!(stage.put(&leg, "/input/dtmf", body.clone()), 400);

    let input = json!({
        "action": "input", "type": ["dtmf"], "mode": "asynchronous", "eventUrl": [url("/keys")],
    });
    let leg = stage.caller(json!([input, wait(600)]));
    assert_eq!(stage.put(&leg, "/input/dtmf", body.clone()), 200);
    stage.platform.press(&leg, "5").unwrap();
    stage.run(1.0);
    assert_eq!(stage.at("/mine").len(), 1);
    assert!(stage.at("/keys").is_empty());
    let path = format!("/v1/calls/{leg}/input/dtmf");
    assert_eq!(stage.rest("DELETE", &path, Value::Null).0, 200);
    stage.platform.press(&leg, "6").unwrap();
    stage.run(1.0);
    assert_eq!(stage.at("/mine").len(), 1);
    assert_eq!(stage.put(&leg, "/input/dtmf", body), 200);
    stage.platform.press(&leg, "7").unwrap();
    stage.run(1.0);
    assert_eq!(stage.at("/mine").len(), 2);
}
