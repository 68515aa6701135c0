//! The Application API: what is set at Vonage for an application.

use crate::stage::{CALLER, LINE, REGION, Stage, script, talk, url};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use switchboard_phone::{Account, Content};

const PATH: &str = "/v2/applications";

/// The header of an account's key and secret.
pub(crate) fn basic(secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("a1b2c3d4:{secret}")))
}

pub(crate) fn stage() -> Stage {
    let mut stage = Stage::new();
    *stage.platform.account_mut() = Account::new("a1b2c3d4", "the secret");
    stage
}

pub(crate) fn asked(stage: &mut Stage, method: &str, path: &str, body: Value) -> (u16, Value) {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let body = body.to_string();
    let answered = stage.ask(
        method,
        path,
        query,
        Some(&basic("the secret")),
        body.as_bytes(),
    );
    match answered.content {
        Content::Json(json) => (answered.status, json),
        _ => (answered.status, Value::Null),
    }
}

fn webhook(path: &str) -> Value {
    json!({ "address": url(path), "http_method": "POST" })
}

/// All that setting up a voice application needs.
fn body() -> Value {
    json!({
        "name": "Front desk",
        "keys": { "public_key": include_str!("key.pub.pem") },
        "capabilities": { "voice": {
            "webhooks": {
                "answer_url": webhook("/answer"),
                "fallback_answer_url": webhook("/fallback"),
                "event_url": webhook("/event"),
            },
            "region": REGION,
        } },
    })
}

fn made(stage: &mut Stage) -> String {
    let (status, made) = asked(stage, "POST", PATH, body());
    assert_eq!(status, 201, "{made}");
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_left_out_is_filled_in() {
    let mut stage = stage();
    let id = made(&mut stage);
    let (status, found) = asked(&mut stage, "GET", &format!("{PATH}/{id}"), Value::Null);
    assert_eq!(status, 200);
    let voice = &found["capabilities"]["voice"];
    assert_eq!(voice["signed_callbacks"], true);
    assert_eq!(voice["conversations_ttl"], 48);
    assert_eq!(voice["leg_persistence_time"], 2);
    let times = |name: &str| {
        let webhook = &voice["webhooks"][name];
        (
            webhook["connect_timeout"].clone(),
            webhook["socket_timeout"].clone(),
        )
    };
    assert_eq!(times("answer_url"), (json!(1000), json!(5000)));
    assert_eq!(times("fallback_answer_url"), (json!(1000), json!(5000)));
    assert_eq!(times("event_url"), (json!(1000), json!(10_000)));
    // Whoever says nothing agrees to be learnt from.
    assert_eq!(found["privacy"]["improve_ai"], true);
}

#[test]
fn the_private_key_is_shown_once_and_only_to_whom_it_was_made_for() {
    let mut stage = stage();
    let (_, own) = asked(&mut stage, "POST", PATH, body());
    assert_eq!(own["keys"]["private_key"], Value::Null);
    let mut without = body();
    without.as_object_mut().unwrap().remove("keys");
    let (status, made) = asked(&mut stage, "POST", PATH, without);
    assert_eq!(status, 201);
    let private = made["keys"]["private_key"].as_str().unwrap();
    assert!(private.starts_with("-----BEGIN PRIVATE KEY-----"));
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let (_, later) = asked(&mut stage, "GET", &path, Value::Null);
    assert_eq!(later["keys"]["private_key"], Value::Null);
    assert_eq!(later["keys"]["public_key"], made["keys"]["public_key"]);
}

#[test]
fn a_put_replaces_all_but_the_keys() {
    let mut stage = stage();
    let id = made(&mut stage);
    let path = format!("{PATH}/{id}");
    let (status, put) = asked(&mut stage, "PUT", &path, json!({ "name": "Other" }));
    assert_eq!(status, 200);
    assert_eq!(put["name"], "Other");
    assert_eq!(put["capabilities"], Value::Null);
    assert_eq!(put["keys"]["public_key"], include_str!("key.pub.pem"));
}

#[test]
fn what_is_not_known_or_not_in_its_range_is_refused_by_name() {
    let voice = |change: fn(&mut Value)| {
        let mut body = body();
        change(&mut body["capabilities"]["voice"]);
        body
    };
    let answer = |key: &str, value: Value| {
        let mut body = body();
        body["capabilities"]["voice"]["webhooks"]["answer_url"][key] = value;
        body
    };
    let event = |value: u64| {
        let mut body = body();
        body["capabilities"]["voice"]["webhooks"]["event_url"]["socket_timeout"] = value.into();
        body
    };
    let hook = "capabilities.voice.webhooks.answer_url";
    for (body, name, reason) in [
        // As the description had it in 2021.
        (
            answer("connection_timeout", json!(1000)),
            format!("{hook}.connection_timeout"),
            "known properties: http_method, address, socket_timeout, connect_timeout",
        ),
        (
            answer("connect_timeout", json!(299)),
            format!("{hook}.connect_timeout"),
            "300 and 1000",
        ),
        (
            answer("connect_timeout", json!(1001)),
            format!("{hook}.connect_timeout"),
            "300 and 1000",
        ),
        (
            answer("socket_timeout", json!(5001)),
            format!("{hook}.socket_timeout"),
            "1000 and 5000",
        ),
        (
            event(10_001),
            "capabilities.voice.webhooks.event_url.socket_timeout".to_owned(),
            "1000 and 10000",
        ),
        (
            answer("http_method", json!("PUT")),
            format!("{hook}.http_method"),
            "one of: GET, POST",
        ),
        (
            answer("address", json!("example.com")),
            format!("{hook}.address"),
            "URL",
        ),
        (
            voice(|voice| voice["region"] = "mars".into()),
            "capabilities.voice.region".to_owned(),
            "na-east",
        ),
        (
            voice(|voice| voice["signed_callbacks"] = "yes".into()),
            "capabilities.voice.signed_callbacks".to_owned(),
            "true or false",
        ),
        (
            voice(|voice| voice["conversation_ttl"] = 48.into()),
            "capabilities.voice.conversation_ttl".to_owned(),
            "known properties",
        ),
        (
            json!({ "name": "a", "keys": { "public_key": "x" } }),
            "keys.public_key".to_owned(),
            "PEM",
        ),
        (
            json!({ "name": "a", "id": "b" }),
            "id".to_owned(),
            "known properties",
        ),
        (json!({ "privacy": {} }), "name".to_owned(), "required"),
    ] {
        let mut stage = stage();
        let (status, refused) = asked(&mut stage, "POST", PATH, body);
        assert_eq!(
            (status, &refused["title"]),
            (400, &json!("Bad Request")),
            "{refused}"
        );
        let fault = &refused["invalid_parameters"][0];
        assert_eq!(fault["name"], name);
        assert!(
            fault["reason"].as_str().unwrap().contains(reason),
            "{fault}"
        );
        assert!(stage.platform.account().applications().is_empty());
    }
}

#[test]
fn a_list_comes_in_pages_and_without_keys() {
    let mut stage = stage();
    let ids: Vec<_> = (0..5).map(|_| made(&mut stage)).collect();
    let (status, page) = asked(
        &mut stage,
        "GET",
        "/v2/applications?page_size=2&page=3",
        Value::Null,
    );
    assert_eq!(status, 200);
    assert_eq!(
        (&page["total_items"], &page["total_pages"]),
        (&json!(5), &json!(3))
    );
    let shown = page["_embedded"]["applications"].as_array().unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["id"], ids[4].as_str());
    assert_eq!(shown[0]["keys"], Value::Null);
    let (status, refused) = asked(
        &mut stage,
        "GET",
        "/v2/applications?page_size=101",
        Value::Null,
    );
    assert_eq!(status, 400);
    assert_eq!(refused["invalid_parameters"][0]["name"], "page_size");
}

#[test]
fn nobody_else_is_let_in() {
    let mut stage = stage();
    let token = crate::key::token(stage.wall);
    for authorization in [None, Some(basic("another secret")), Some(token)] {
        let answered = stage.ask("GET", PATH, "", authorization.as_deref(), b"");
        assert_eq!(answered.status, 401, "{authorization:?}");
    }
    // Nor anybody at all where there is no secret.
    let mut bare = Stage::new();
    assert_eq!(bare.ask("GET", PATH, "", Some(&basic("")), b"").status, 401);
}

#[test]
fn what_is_removed_is_gone_with_its_links() {
    let mut stage = stage();
    let id = made(&mut stage);
    let number = json!({ "country": "GB", "msisdn": LINE, "app_id": id });
    stage.platform.account_mut().rent(number);
    let path = format!("{PATH}/{id}");
    assert_eq!(asked(&mut stage, "DELETE", &path, Value::Null).0, 204);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(
            asked(&mut stage, method, &path, json!({ "name": "a" })).0,
            404
        );
    }
    assert_eq!(asked(&mut stage, "PATCH", &path, Value::Null).0, 405);
    assert!(!stage.platform.account().numbers()[0].contains_key("app_id"));
}

#[test]
fn an_application_that_is_played_is_rung_at_its_webhooks() {
    let mut stage = stage();
    let id = made(&mut stage);
    let mut drifted = body();
    drifted["capabilities"]["voice"]["webhooks"]["answer_url"]["address"] =
        url("/elsewhere").into();
    asked(&mut stage, "PUT", &format!("{PATH}/{id}"), drifted);
    assert!(stage.platform.take_calls_for(&id));
    assert!(!stage.platform.take_calls_for("another"));
    stage.on("/elsewhere", script(json!([talk("Hello.")])));
    let leg = stage.platform.call(CALLER, LINE).unwrap();
    stage.run(1.0);
    assert_eq!(stage.heard(&leg), ["Hello."]);
    assert_eq!(stage.at("/elsewhere").len(), 1);
}
