//! What each endpoint must be.

use super::object::{Object, unknown_word};
use super::report::Report;
use super::rule;
use crate::ncco::limits;
use serde_json::Value;

/// Every kind of endpoint there is.
const ENDPOINTS: &[&str] = &["phone", "app", "websocket", "sip", "vbc"];

const CONTENT_TYPES: &[&str] = &[
    "audio/l16;rate=8000",
    "audio/l16;rate=16000",
    "audio/l16;rate=24000",
];

pub(super) fn check(report: &mut Report, json: &Value) {
    let Some(map) = rule::object(report, json) else {
        return;
    };
    let Some(name) = map.get("type") else {
        return report.fault("an endpoint needs 'type'");
    };
    let Some(name) = report.at("type", |report| rule::string(report, name)) else {
        return;
    };
    let (what, rules): (_, fn(&mut Object<'_>)) = match name {
        "phone" => ("a phone", phone),
        "app" => ("an app endpoint", app),
        "websocket" => ("a websocket", websocket),
        "sip" => ("a sip endpoint", sip),
        "vbc" => ("a vbc endpoint", vbc),
        _ => {
            let message = unknown_word(name, "an endpoint", ENDPOINTS);
            return report.at("type", |report| report.fault(message));
        }
    };
    let mut object = Object::new(what, map, report);
    object.known("type");
    rules(&mut object);
    object.finish();
}

/// Whether the `endpoint` of a connect is a phone.
pub(super) fn is_phone(endpoint: Option<&Value>) -> bool {
    endpoint
        .and_then(|list| list.pointer("/0/type"))
        .is_some_and(|kind| kind == "phone")
}

fn phone(o: &mut Object<'_>) {
    o.required("number", rule::phone);
    o.optional("dtmfAnswer", keys);
    o.optional("onAnswer", on_answer);
    o.optional("shaken", rule::text);
}

fn app(o: &mut Object<'_>) {
    o.required("user", rule::filled);
}

fn websocket(o: &mut Object<'_>) {
    o.required("uri", rule::websocket);
    o.required("content-type", rule::one_of(CONTENT_TYPES));
    o.optional("headers", rule::any_object);
    o.optional("authorization", authorization);
}

fn sip(o: &mut Object<'_>) {
    o.optional("uri", rule::sip);
    o.optional("user", rule::filled);
    o.optional("domain", rule::filled);
    match (o.has("uri"), o.has("user"), o.has("domain")) {
        (true, false, false) | (false, true, true) => {}
        (true, ..) => o.fault("uri", "excludes 'user' and 'domain'"),
        _ => o
            .report
            .fault("a sip endpoint needs 'uri', or 'user' and 'domain'"),
    }
    o.optional("headers", |report, value| {
        for (name, header) in rule::object(report, value).into_iter().flatten() {
            report.at(name, |report| rule::text(report, header));
        }
    });
    o.renamed("standardHeaders", "standard_headers", |report, value| {
        if let Some(map) = rule::object(report, value) {
            let mut headers = Object::new("standardHeaders", map, report);
            headers.optional("User-to-User", |report, value| {
                let length = rule::string(report, value).map_or(0, |text| text.chars().count());
                if length > limits::USER_TO_USER_MAX {
                    let max = limits::USER_TO_USER_MAX;
                    report.fault(format_args!(
                        "must have at most {max} characters, not {length}"
                    ));
                }
            });
            headers.finish();
        }
    });
}

fn vbc(o: &mut Object<'_>) {
    o.required("extension", rule::filled);
}

// What endpoints are made of

fn keys(report: &mut Report, value: &Value) {
    let Some(text) = rule::string(report, value) else {
        return;
    };
    if !text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '*' | '#' | 'p'))
    {
        report.warning("holds a character other than digits, '*', '#' and 'p'");
    }
}

fn on_answer(report: &mut Report, value: &Value) {
    if let Some(map) = rule::object(report, value) {
        let mut object = Object::new("onAnswer", map, report);
        object.required("url", rule::url);
        object.renamed("ringbackTone", "ringback", rule::url);
        object.finish();
    }
}

fn authorization(report: &mut Report, value: &Value) {
    let Some(map) = rule::object(report, value) else {
        return;
    };
    let mut object = Object::new("authorization", map, report);
    object.required("type", rule::one_of(&["vonage", "custom"]));
    match object.get("type").and_then(Value::as_str) {
        Some("custom") => object.required("value", header),
        _ if object.has("value") => {
            object.known("value");
            object.warning("value", "has no effect unless 'type' is 'custom'");
        }
        _ => object.known("value"),
    }
    object.finish();
}

fn header(report: &mut Report, value: &Value) {
    rule::filled(report, value);
    let Some(text) = value.as_str() else { return };
    if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        report.fault("must have printable ASCII characters only");
    }
    let length = text.chars().count();
    if length > limits::AUTHORIZATION_MAX {
        let max = limits::AUTHORIZATION_MAX;
        report.fault(format_args!(
            "must have at most {max} characters, not {length}"
        ));
    }
}
