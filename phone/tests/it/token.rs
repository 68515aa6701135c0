//! The tokens of requests.

use crate::key;
use crate::stage::Stage;
use serde_json::{Value, json};

/// What a request gets that carries this.
#[track_caller]
fn asked(what: &str, authorization: Option<&str>, wanted: u16) {
    let mut stage = Stage::new();
    stage.pause = std::time::Duration::ZERO;
    let answered = stage.ask("GET", "/v1/calls", "", authorization, b"");
    assert_eq!(answered.status, wanted, "{what}");
}

fn now() -> jiff::Timestamp {
    Stage::new().wall
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = key::claims(now());
    claims[key] = value;
    claims
}

fn without(key: &str) -> Value {
    let mut claims = key::claims(now());
    claims.as_object_mut().unwrap().remove(key);
    claims
}

#[track_caller]
fn claims(what: &str, claims: &Value, wanted: u16) {
    asked(what, Some(&key::signed(claims)), wanted);
}

#[test]
fn a_sound_token_is_taken() {
    claims("plain", &key::claims(now()), 200);
    claims("no end: fifteen minutes", &without("exp"), 200);
    claims("more", &with("acl", json!({ "paths": {} })), 200);
    let now = now().as_second();
    claims("a day", &with("exp", json!(now + 86_400)), 200);
    claims("half a minute", &with("exp", json!(now + 30)), 200);
    claims("begun", &with("nbf", json!(now)), 200);
    claims(
        "no end, but young",
        &json!({
            "application_id": crate::stage::APPLICATION, "iat": now - 899, "jti": "x",
        }),
        200,
    );
    let lower = key::token(Stage::new().wall).replace("Bearer", "bearer");
    asked("the scheme in any case", Some(&lower), 200);
}

#[test]
fn an_unsound_token_is_not() {
    let sound = key::claims(now());
    let at = now().as_second();
    asked("nothing", None, 401);
    asked("basic", Some("Basic YTpi"), 401);
    asked("empty", Some("Bearer "), 401);
    asked("no token", Some("Bearer a.b.c"), 401);
    asked(
        "bare",
        Some(key::token(now()).strip_prefix("Bearer ").unwrap()),
        401,
    );
    asked("of another key", Some(&key::signed_by_another(&sound)), 401);
    asked(
        "by the public key as a secret",
        Some(&key::signed_with_the_public_key(&sound)),
        401,
    );
    for name in ["none", "HS256", "RS512", "rs256", ""] {
        asked(name, Some(&key::signed_as(name, &sound)), 401);
    }
    let none = key::unsigned("none", &sound);
    asked("unsigned", Some(&format!("Bearer {none}.")), 401);
    let sound_token = key::token(now());
    let (_, signature) = sound_token.rsplit_once('.').unwrap();
    let other = key::unsigned("RS256", &with("application_id", json!("another")));
    asked(
        "with another's signature",
        Some(&format!("Bearer {other}.{signature}")),
        401,
    );

    claims(
        "another application",
        &with("application_id", json!("another")),
        401,
    );
    claims("no application", &without("application_id"), 401);
    claims("no id", &without("jti"), 401);
    claims("an empty id", &with("jti", json!("")), 401);
    claims("no beginning", &without("iat"), 401);
    claims(
        "a beginning that is text",
        &with("iat", json!(at.to_string())),
        401,
    );
    claims(
        "over",
        &json!({
            "application_id": crate::stage::APPLICATION, "iat": at - 900, "exp": at, "jti": "x",
        }),
        401,
    );
    claims(
        "no end, and old",
        &json!({
            "application_id": crate::stage::APPLICATION, "iat": at - 900, "jti": "x",
        }),
        401,
    );
    claims(
        "from the future",
        &json!({
            "application_id": crate::stage::APPLICATION, "iat": at + 3600, "exp": at + 7200, "jti": "x",
        }),
        401,
    );
    claims("not begun", &with("nbf", json!(at + 3600)), 401);
    claims("more than a day", &with("exp", json!(at + 86_401)), 401);
    claims("less than half a minute", &with("exp", json!(at + 29)), 401);
    claims("an end that is text", &with("exp", json!("tomorrow")), 401);
}

#[test]
fn the_refusal_has_the_shape_of_the_voice_api() {
    let mut stage = Stage::new();
    let answered = stage.ask("GET", "/v1/calls", "", None, b"");
    let switchboard_phone::Content::Json(body) = answered.content else {
        panic!("it has a body");
    };
    let shape = json!({ "type": "text", "error_title": "text" });
    crate::shape::check("401", &body, shape);
    let names: Vec<&str> = answered.headers.iter().map(|(name, _)| *name).collect();
    assert!(names.contains(&"x-nexmo-trace-id"));
}
