//! How webhooks are signed.

use crate::shape::check;
use crate::stage::{APPLICATION, SECRET, Seen, Stage, url};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{digest, hmac};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use switchboard_phone::Method;

/// The claims of a webhook's token, once its signature is right.
fn claims(seen: &Seen) -> Value {
    let token = seen.authorization.strip_prefix("Bearer ").unwrap();
    let (signed, tag) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::verify(
        &key,
        signed.as_bytes(),
        &URL_SAFE_NO_PAD.decode(tag).unwrap(),
    )
    .unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let read =
        |part| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    check(
        "header",
        &read(header),
        json!({ "alg": "HS256", "typ": "JWT" }),
    );
    read(claims)
}

fn hash(content: &[u8]) -> String {
    let bytes = digest::digest(&digest::SHA256, content);
    bytes
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn story(method: Method) -> Stage {
    let mut stage = Stage::set(|settings| {
        settings.answer.method = method;
        settings.event.method = method;
    });
    let word = if method == Method::Get { "GET" } else { "POST" };
    stage.caller(json!([{
        "action": "notify", "payload": { "words": ["grüß", "a&b", "c+d"], "none": null },
        "eventUrl": [url("/notify")], "eventMethod": word,
    }]));
    stage.settle();
    stage
}

#[test]
fn every_webhook_says_whose_it_is_and_has_no_end() {
    let stage = story(Method::Post);
    let mut ids = BTreeSet::new();
    for seen in &stage.seen {
        let claims = claims(seen);
        let shape = json!({
            "iat": stage.wall.as_second(), "jti": "text", "iss": "Vonage", "payload_hash": "text",
            "api_key": "a1b2c3d4", "application_id": APPLICATION,
        });
        check("claims", &claims, shape);
        assert!(
            ids.insert(claims["jti"].to_string()),
            "each has an id of its own"
        );
    }
}

#[test]
fn of_a_post_the_body_is_hashed_byte_by_byte() {
    let stage = story(Method::Post);
    for seen in &stage.seen {
        assert_eq!(
            claims(seen)["payload_hash"],
            hash(&seen.sent),
            "{}",
            seen.body
        );
    }
}

#[test]
fn of_a_get_the_parameters_are_hashed_as_compact_json_in_their_order() {
    let stage = story(Method::Get);
    for seen in &stage.seen {
        let mut object = Map::new();
        for pair in seen.query.split('&') {
            let (name, text) = pair.split_once('=').unwrap();
            // As any server reads a query.
            let pair = format!("{name}={text}");
            let (name, text) = url::form_urlencoded::parse(pair.as_bytes()).next().unwrap();
            object.insert(name.into_owned(), text.into_owned().into());
        }
        let json = Value::Object(object).to_string();
        assert_eq!(
            claims(seen)["payload_hash"],
            hash(json.as_bytes()),
            "{}",
            seen.query
        );
    }
}
