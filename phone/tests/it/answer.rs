//! The answer webhook.

use crate::shape::check;
use crate::stage::{CALLER, LINE, REGION, Stage, reply, script, talk, url};
use serde_json::{Value, json};
use switchboard_phone::{Ending, Method, Webhook};

#[test]
fn it_says_who_calls_whom_and_where_the_call_lives() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([talk("Hello")]));
    let asked = stage.at("/answer")[0].clone();
    assert_eq!(asked.method, Method::Post);
    let shape = json!({
        "to": LINE,
        "from": CALLER,
        "uuid": leg,
        "conversation_uuid": "conversation",
        "endpoint_type": "phone",
        "region_url": format!("https://vonage.test/{REGION}"),
    });
    check("answer", &asked.body, shape);
}

#[test]
fn an_inbound_leg_has_an_id_of_32_hex_digits_and_an_outbound_one_with_dashes() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([]));
    assert!(
        leg.len() == 32 && leg.chars().all(|c| c.is_ascii_hexdigit()),
        "{leg}"
    );
    let leg = stage.create(json!([]));
    assert!(crate::shape::is_dashed(&leg), "{leg}");
}

#[test]
fn by_get_everything_is_in_the_query_and_colons_and_commas_stand_as_they_are() {
    let mut stage = Stage::set(|settings| settings.answer.method = Method::Get);
    let leg = stage.caller(json!([talk("Hello")]));
    let asked = stage.at("/answer")[0];
    assert_eq!(asked.body["from"], CALLER);
    assert_eq!(asked.body["uuid"], leg);
    assert!(
        asked.query.contains("region_url=https://"),
        "{}",
        asked.query
    );
}

#[test]
fn by_get_a_query_of_the_servers_own_stays() {
    let mut stage = Stage::set(|settings| {
        settings.answer = Webhook {
            method: Method::Get,
            ..Webhook::script(url("/answer?plan=7"))
        };
    });
    stage.caller(json!([]));
    let asked = stage.at("/answer")[0];
    assert_eq!(asked.body["plan"], "7");
    assert_eq!(asked.body["to"], LINE);
}

#[test]
fn the_call_is_answered_before_the_script_is_asked_for() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([talk("Hello")]));
    let order: Vec<&str> = stage.seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(order, ["/event", "/event", "/event", "/answer"]);
    assert_eq!(stage.statuses(&leg), ["started", "ringing", "answered"]);
    assert!(stage.status(&leg, "answered").at > 0);
}

/// What is replied, and whether it is taken for a script.
#[track_caller]
fn taken(stage: &str, status: u16, content_type: &str, body: &str, wanted: bool) {
    let what = format!("{stage}: {status} {content_type} {body}");
    let mut stage = Stage::new();
    stage.on("/answer", reply(status, content_type, body));
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(0.5);
    assert_eq!(stage.heard(&leg) == ["Hello"], wanted, "{what}");
    if !wanted {
        let ended = stage.platform.leg(&leg).unwrap().ended();
        assert_eq!(ended.map(|(_, why)| why), Some(Ending::NoScript), "{what}");
        assert_eq!(
            stage.at("/answer").len(),
            1,
            "{what}: it is not asked again"
        );
    }
}

#[test]
fn only_a_200_with_a_script_as_json_is_taken() {
    let hello = r#"[{"action":"talk","text":"Hello"}]"#;
    taken("plain", 200, "application/json", hello, true);
    taken(
        "charset",
        200,
        "application/json; charset=utf-8",
        hello,
        true,
    );
    taken("case", 200, "Application/JSON", hello, true);
    taken("html", 200, "text/html", hello, false);
    taken("xml", 200, "application/xml", hello, false);
    taken("other success", 201, "application/json", hello, false);
    taken("no content", 204, "application/json", "", false);
    taken("redirect", 302, "application/json", hello, false);
    taken("not found", 404, "application/json", hello, false);
    taken("an error", 500, "application/json", hello, false);
    taken("not JSON", 200, "application/json", "<html>", false);
    taken("an object", 200, "application/json", "{}", false);
    taken("a string", 200, "application/json", "\"[]\"", false);
    let bare =
        json!([{ "action": "input", "type": ["dtmf"], "eventUrl": "https://server.test/x" }]);
    taken(
        "a bare event URL",
        200,
        "application/json",
        &bare.to_string(),
        false,
    );
    let late = json!([talk("Hello"), { "action": "sing" }]);
    taken(
        "a fault further on",
        200,
        "application/json",
        &late.to_string(),
        false,
    );
}

#[test]
fn an_empty_script_ends_the_call() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([]));
    assert_eq!(
        stage
            .platform
            .leg(&leg)
            .unwrap()
            .ended()
            .map(|(_, why)| why),
        Some(Ending::ScriptOver)
    );
}

#[test]
fn the_call_ends_with_the_script() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([{ "action": "wait", "timeout": 3.0 }]));
    assert!(!stage.is_over(&leg));
    stage.run(3.0);
    assert!(stage.is_over(&leg));
    assert_eq!(
        stage.status(&leg, "completed").body["disconnected_by"],
        "platform"
    );
}

#[test]
fn a_call_by_rest_asks_when_the_phone_is_picked_up_and_by_get_unless_told() {
    for (method, wanted) in [(Value::Null, Method::Get), (json!("POST"), Method::Post)] {
        let mut stage = Stage::new();
        stage.on("/script", script(json!([talk("Hello")])));
        let body = json!({
            "to": [{ "type": "phone", "number": CALLER }],
            "from": { "type": "phone", "number": LINE },
            "answer_url": [url("/script")],
            "answer_method": method,
        });
        let (status, made) = stage.rest("POST", "/v1/calls", body);
        assert_eq!(status, 201);
        let leg = made["uuid"].as_str().unwrap().to_owned();
        stage.run(5.0);
        assert!(stage.at("/script").is_empty(), "nobody has picked up yet");
        stage.platform.pick_up(&leg).unwrap();
        stage.run(0.1);
        assert_eq!(stage.at("/script")[0].method, wanted);
        assert_eq!(stage.heard(&leg), ["Hello"]);
    }
}
