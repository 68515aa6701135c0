//! Every operation of the Voice API, with bodies at the bounds of each property and past them.
//!
//! Where `SWITCHBOARD_OPENAPI` names Vonage's own description of the API (a YAML file, version 1.3.7 or
//! later), it is also checked that nothing in there is left out here, and that answers are as it says.

mod bodies;
mod description;

use crate::stage::{LINE, Stage, wait};
use bodies::Body;
use serde_json::{Value, json};

/// An operation, as the API's description names it.
pub(crate) struct Operation {
    pub(crate) id: &'static str,
    pub(crate) method: &'static str,
    /// Below `/v1/calls`; `{uuid}` is an answered call.
    pub(crate) path: &'static str,
    /// What it answers when all is well.
    pub(crate) status: u16,
    /// What its answer has to have, as a JSON schema; none: it has no content.
    pub(crate) answer: Option<Value>,
}

fn operations() -> Vec<Operation> {
    let text = json!({ "type": "string", "minLength": 1 });
    let said = json!({
        "type": "object", "required": ["message", "uuid"],
        "properties": { "message": text, "uuid": text },
    });
    let made = json!({
        "type": "object", "required": ["uuid", "status", "direction", "conversation_uuid"],
        "properties": {
            "uuid": text, "status": { "const": "started" }, "direction": { "const": "outbound" },
            "conversation_uuid": { "type": "string", "pattern": "^CON-" },
        },
    });
    let link = json!({ "type": "object", "required": ["href"], "properties": { "href": text } });
    let end = json!({ "type": "object", "required": ["type"], "properties": { "type": text } });
    let call = json!({
        "type": "object",
        "required": [
            "_links", "uuid", "conversation_uuid", "to", "from", "status", "direction", "network",
        ],
        "properties": {
            "_links": { "type": "object", "required": ["self"], "properties": { "self": link } },
            "uuid": text, "conversation_uuid": text, "to": end, "from": end, "status": text,
            "direction": { "enum": ["inbound", "outbound"] }, "network": text, "rate": text,
            "price": text, "duration": text, "start_time": text, "end_time": text,
        },
    });
    let list = json!({
        "type": "object",
        "required": ["count", "page_size", "record_index", "_links", "_embedded"],
        "properties": {
            "count": { "type": "integer" },
            "page_size": { "type": "integer" },
            "record_index": { "type": "integer" },
            "_links": { "type": "object", "required": ["self"], "properties": { "self": link } },
            "_embedded": {
                "type": "object", "required": ["calls"],
                "properties": { "calls": { "type": "array", "items": call } },
            },
        },
    });
    let operation = |id, method, path, status, answer: Option<&Value>| Operation {
        id,
        method,
        path,
        status,
        answer: answer.cloned(),
    };
    vec![
        operation("getCalls", "GET", "/", 200, Some(&list)),
        operation("createCall", "POST", "/", 201, Some(&made)),
        operation("getCall", "GET", "/{uuid}", 200, Some(&call)),
        operation("updateCall", "PUT", "/{uuid}", 204, None),
        operation("startStream", "PUT", "/{uuid}/stream", 200, Some(&said)),
        operation("stopStream", "DELETE", "/{uuid}/stream", 200, Some(&said)),
        operation("startTalk", "PUT", "/{uuid}/talk", 200, Some(&said)),
        operation("stopTalk", "DELETE", "/{uuid}/talk", 200, Some(&said)),
        operation("startDTMF", "PUT", "/{uuid}/dtmf", 200, Some(&said)),
        // Newer than the rest, and without documented content.
        operation("subscribeDTMF", "PUT", "/{uuid}/input/dtmf", 200, None),
        operation("unsubscribeDTMF", "DELETE", "/{uuid}/input/dtmf", 200, None),
    ]
}

/// Asks for it on a fresh platform, on which a call is answered. Slashes at a path's end are the
/// description's way of writing, and nobody sends them.
pub(crate) fn ask(operation: &Operation, query: &str, body: &[u8]) -> (u16, Value) {
    let mut stage = Stage::new();
    let input = json!({ "action": "input", "type": ["dtmf"], "mode": "asynchronous" });
    let leg = stage.caller(json!([input, wait(600)]));
    let path = operation.path.replace("{uuid}", &leg);
    let path = format!("/v1/calls{}", path.trim_end_matches('/'));
    let token = crate::key::token(stage.wall + stage.pause);
    let answered = stage.ask(operation.method, &path, query, Some(&token), body);
    let body = match answered.content {
        switchboard_phone::Content::Json(json) => json,
        _ => Value::Null,
    };
    (answered.status, body)
}

fn ask_with(operation: &Operation, body: &Value) -> (u16, Value) {
    ask(operation, "", body.to_string().as_bytes())
}

/// What is wrong with `value`, by this schema.
fn faults(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::options()
        .should_validate_formats(false)
        .build(schema)
        .expect("it is a schema");
    validator
        .iter_errors(value)
        .map(|error| error.to_string())
        .collect()
}

/// The refusal of a body names what is wrong with it.
#[track_caller]
fn refused(what: &str, (status, answer): (u16, Value)) {
    let schema = json!({
        "type": "object",
        "required": ["type", "title", "invalid_parameters"],
        "properties": {
            "type": { "const": 400 },
            "title": { "type": "string" },
            "invalid_parameters": {
                "type": "array", "minItems": 1,
                "items": {
                    "type": "object", "required": ["name", "reason"],
                    "properties": { "name": { "type": "string" }, "reason": { "type": "string" } },
                },
            },
        },
    });
    assert_eq!(status, 400, "{what}");
    assert!(faults(&schema, &answer).is_empty(), "{what}: {answer}");
}

fn bodies_of(operation: &Operation) -> Vec<Body> {
    match operation.id {
        "createCall" => bodies::create_call(),
        "updateCall" => bodies::update_call(),
        "startStream" => bodies::start_stream(),
        "startTalk" => bodies::start_talk(),
        "startDTMF" => bodies::start_dtmf(),
        "subscribeDTMF" => bodies::subscribe(),
        _ => Vec::new(),
    }
}

#[test]
fn every_valid_body_is_taken_and_answered_in_shape() {
    for operation in operations() {
        let mut valid: Vec<Value> = bodies_of(&operation)
            .into_iter()
            .filter_map(|body| body.is_valid.then_some(body.json))
            .collect();
        if valid.is_empty() {
            valid.push(Value::Null);
        }
        for body in valid {
            let (status, answer) = ask_with(&operation, &body);
            let what = format!("{} {body}", operation.id);
            assert_eq!(status, operation.status, "{what}: {answer}");
            match &operation.answer {
                Some(schema) => assert_eq!(faults(schema, &answer), [""; 0], "{what}: {answer}"),
                None => assert!(answer.is_null(), "{what}: {answer}"),
            }
        }
    }
}

#[test]
fn every_invalid_body_is_refused_and_says_what_is_wrong() {
    for operation in operations() {
        let bodies = bodies_of(&operation);
        if bodies.is_empty() {
            continue;
        }
        for body in bodies.iter().filter(|body| !body.is_valid) {
            refused(
                &format!("{} {}", operation.id, body.json),
                ask_with(&operation, &body.json),
            );
        }
        for text in [
            "",
            "{",
            "[]",
            "7",
            "null",
            "\"hangup\"",
            "\u{fffd}",
            "action=hangup",
        ] {
            refused(
                &format!("{} {text}", operation.id),
                ask(&operation, "", text.as_bytes()),
            );
        }
        let broken = [0x7b, 0x22, 0xff, 0xfe];
        refused(
            &format!("{}: no text", operation.id),
            ask(&operation, "", &broken),
        );
    }
}

#[test]
fn what_cannot_go_together_is_refused() {
    let all = operations();
    let create = all
        .iter()
        .find(|operation| operation.id == "createCall")
        .unwrap();
    let mut body = bodies::call();
    body["answer_url"] = json!(["https://server.test/answer"]);
    refused("ncco and answer_url", ask_with(create, &body));
    let mut body = bodies::call();
    body["random_from_number"] = json!(true);
    assert_eq!(body["from"]["number"], LINE);
    refused("from and random_from_number", ask_with(create, &body));
    let update = all
        .iter()
        .find(|operation| operation.id == "updateCall")
        .unwrap();
    let destination = json!({ "type": "ncco", "ncco": [], "url": ["https://server.test/a"] });
    let body = json!({ "action": "transfer", "destination": destination });
    refused("ncco and url", ask_with(update, &body));
    // The nesting that is got wrong most often.
    let body = json!({ "action": "transfer", "ncco": [] });
    refused("no destination", ask_with(update, &body));
    let body = json!({ "action": "transfer", "destination": { "type": "url", "url": ["https://a.test"] } });
    refused("a type of its own for URLs", ask_with(update, &body));
}

#[test]
fn no_operation_is_open_without_a_token() {
    for operation in operations() {
        let mut stage = Stage::new();
        let leg = stage.caller(json!([wait(600)]));
        let path = format!("/v1/calls{}", operation.path.replace("{uuid}", &leg));
        let answered = stage.ask(
            operation.method,
            &path,
            "",
            None,
            b"{\"action\":\"hangup\"}",
        );
        assert_eq!(answered.status, 401, "{}", operation.id);
        assert!(!stage.is_over(&leg));
    }
}
