//! The Numbers API: which numbers an account has, and which application they ring.

use crate::applications::{asked, basic, stage};
use crate::stage::Stage;
use serde_json::{Value, json};
use switchboard_phone::{Application, Content};

const APPLICATION: &str = "11111111-2222-4333-8444-555555555555";

fn office() -> Stage {
    let mut stage = stage();
    let account = stage.platform.account_mut();
    let Value::Object(body) = json!({ "name": "Front desk" }) else {
        unreachable!("it is an object")
    };
    let id = APPLICATION.to_owned();
    account.put_application(Application { id, body });
    for (country, msisdn) in [
        ("GB", "447700900000"),
        ("GB", "447700900001"),
        ("US", "14155550100"),
    ] {
        account.rent(json!({
            "country": country,
            "msisdn": msisdn,
            "type": "landline",
            "features": ["VOICE", "SMS"],
        }));
    }
    stage
}

fn list(stage: &mut Stage, query: &str) -> Value {
    let (status, list) = asked(
        stage,
        "GET",
        &format!("/account/numbers?{query}"),
        Value::Null,
    );
    assert_eq!(status, 200, "{list}");
    list
}

fn found(stage: &mut Stage, query: &str) -> Vec<String> {
    let list = list(stage, query);
    let numbers = list["numbers"].as_array().cloned().unwrap_or_default();
    numbers
        .iter()
        .map(|one| one["msisdn"].as_str().unwrap().to_owned())
        .collect()
}

fn update(stage: &mut Stage, form: &str) -> (u16, Value) {
    sent(stage, "application/x-www-form-urlencoded", form)
}

fn sent(stage: &mut Stage, kind: &str, body: &str) -> (u16, Value) {
    let authorization = basic("the secret");
    let answered = stage.platform.rest(
        switchboard_phone::Asked {
            method: "POST",
            path: "/number/update",
            query: "",
            authorization: Some(&authorization),
            content_type: Some(kind),
            body: body.as_bytes(),
        },
        stage.wall,
    );
    match answered.content {
        Content::Json(json) => (answered.status, json),
        _ => panic!("no words"),
    }
}

#[test]
fn numbers_are_found_by_what_they_begin_with_contain_and_end_in() {
    let mut stage = office();
    assert_eq!(found(&mut stage, "").len(), 3);
    for (query, numbers) in [
        ("pattern=44", vec!["447700900000", "447700900001"]),
        ("pattern=44&search_pattern=0&country=US", vec![]),
        (
            "pattern=0900&search_pattern=1",
            vec!["447700900000", "447700900001"],
        ),
        ("pattern=0100&search_pattern=2", vec!["14155550100"]),
        ("has_application=true", vec![]),
        ("country=US", vec!["14155550100"]),
        ("size=2&index=2", vec!["14155550100"]),
    ] {
        assert_eq!(found(&mut stage, query), numbers, "{query}");
    }
    assert_eq!(list(&mut stage, "size=2&index=2")["count"], 3);
    assert_eq!(list(&mut stage, "size=101")["error-code"], "420");
}

#[test]
fn an_account_without_numbers_says_nothing_at_all() {
    assert_eq!(list(&mut stage(), ""), json!({}));
}

#[test]
fn a_number_is_linked_and_what_is_left_out_is_lost() {
    let mut stage = office();
    let (status, done) = update(
        &mut stage,
        "country=GB&msisdn=447700900000&moHttpUrl=https%3A%2F%2Fa.example%2Fsms",
    );
    assert_eq!((status, &done["error-code"]), (200, &json!("200")));
    let link = format!("country=GB&msisdn=447700900000&app_id={APPLICATION}");
    assert_eq!(update(&mut stage, &link).1["error-code"], "200");
    assert_eq!(
        found(&mut stage, &format!("application_id={APPLICATION}")),
        ["447700900000"]
    );
    let number = &list(&mut stage, "pattern=447700900000")["numbers"][0];
    assert_eq!(number["app_id"], APPLICATION);
    assert_eq!(number["moHttpUrl"], Value::Null);
}

#[test]
fn what_cannot_be_done_is_said_in_the_body_alone() {
    for form in [
        "country=GB&msisdn=447700900009",
        "country=US&msisdn=447700900000",
        "msisdn=447700900000",
        "country=GB&msisdn=447700900000&app_id=another",
        "country=GB&msisdn=447700900000&voiceCallbackType=sip",
        "country=GB&msisdn=447700900000&voiceCallbackType=fax&voiceCallbackValue=1",
    ] {
        let mut stage = office();
        let (status, said) = update(&mut stage, form);
        assert_eq!(
            (status, &said["error-code"]),
            (200, &json!("420")),
            "{form}"
        );
    }
    let mut stage = office();
    let json = r#"{"country":"GB","msisdn":"447700900000"}"#;
    assert_eq!(
        sent(&mut stage, "application/json", json).1["error-code"],
        "420"
    );
}

#[test]
fn without_the_secret_nothing_is_told() {
    let mut stage = office();
    let wrong = basic("another");
    let answered = stage.ask("GET", "/account/numbers", "", Some(&wrong), b"");
    assert_eq!(answered.status, 401);
    let Content::Json(said) = answered.content else {
        panic!("no words")
    };
    assert_eq!(said["error-code"], "401");
}
