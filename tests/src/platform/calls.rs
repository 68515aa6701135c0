use super::Request;
use crate::unique;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Statuses after which a leg is gone.
const FINAL: [&str; 7] = [
    "busy",
    "cancelled",
    "completed",
    "failed",
    "rejected",
    "timeout",
    "unanswered",
];
/// Most entries on a page of `GET /v1/calls`, and how many there are unless asked for.
const PAGE_SIZE_MAX: usize = 100;
const PAGE_SIZE: usize = 10;

/// The legs, as far as the platform has heard of them.
#[derive(Default)]
pub(super) struct Calls {
    statuses: HashMap<String, String>,
    /// Those that REST has placed, oldest first.
    placed: Vec<Value>,
}

impl Calls {
    pub(super) fn set_status(&mut self, leg: &str, status: &str) {
        self.statuses.insert(leg.to_owned(), status.to_owned());
    }

    /// Status and body as Vonage answers under `/v1/calls`; 404 for everything else.
    pub(super) fn respond(&mut self, request: &Request) -> (u16, Value) {
        let parts: Vec<&str> = request.path.split('/').skip(1).collect();
        match (request.method.as_str(), parts.as_slice()) {
            ("POST", ["v1", "calls"]) => self.place(&request.body),
            ("GET", ["v1", "calls"]) => (200, self.list(&request.query)),
            ("GET", ["v1", "calls", leg]) => (200, self.show(leg)),
            ("PUT", ["v1", "calls", leg]) => self.change(leg, &request.body),
            (method, ["v1", "calls", leg, what @ ..]) => {
                let message = match (method, what) {
                    ("PUT", ["talk"]) => "Talk started",
                    ("DELETE", ["talk"]) => "Talk stopped",
                    ("PUT", ["stream"]) => "Stream started",
                    ("DELETE", ["stream"]) => "Stream stopped",
                    ("PUT", ["dtmf"]) => "DTMF sent",
                    ("PUT" | "DELETE", ["input", "dtmf"]) => "OK",
                    _ => return not_found(),
                };
                if self.is_over(leg) {
                    return not_found();
                }
                (200, json!({"message": message, "uuid": leg}))
            }
            _ => not_found(),
        }
    }

    fn place(&mut self, body: &Value) -> (u16, Value) {
        let wrong = wrong_parameters(body);
        if !wrong.is_empty() {
            return invalid(&wrong);
        }
        let call = json!({
            "uuid": unique::uuid(),
            "status": "started",
            "direction": "outbound",
            "conversation_uuid": format!("CON-{}", unique::uuid()),
        });
        let mut kept = call.clone();
        kept["to"] = body["to"][0].clone();
        kept["from"] = body["from"].clone();
        self.placed.push(kept);
        (201, call)
    }

    fn change(&mut self, leg: &str, body: &Value) -> (u16, Value) {
        let destination = &body["destination"];
        match body["action"].as_str() {
            Some("hangup" | "mute" | "unmute" | "earmuff" | "unearmuff") => {}
            Some("transfer") => {
                let script = destination["ncco"].is_array();
                let url = destination["url"][0].is_string();
                if destination["type"] != "ncco" || script == url {
                    return invalid(&["destination"]);
                }
            }
            _ => return invalid(&["action"]),
        }
        if self.is_over(leg) {
            return not_found();
        }
        if body["action"] == "hangup" {
            self.set_status(leg, "completed");
        }
        (204, Value::Null)
    }

    fn is_over(&self, leg: &str) -> bool {
        let status = self.statuses.get(leg);
        status.is_some_and(|status| FINAL.contains(&status.as_str()))
    }

    fn show(&self, leg: &str) -> Value {
        let placed = self.placed.iter().find(|call| call["uuid"] == leg);
        let mut call = placed.cloned().unwrap_or_else(|| {
            json!({
                "uuid": leg,
                "status": "answered",
                "direction": "inbound",
                "conversation_uuid": format!("CON-{leg}"),
            })
        });
        if let Some(status) = self.statuses.get(leg) {
            call["status"] = json!(status);
        }
        call["_links"] = json!({"self": {"href": format!("/v1/calls/{leg}")}});
        call
    }

    fn list(&self, query: &[(String, String)]) -> Value {
        let parameter = |name: &str| {
            let found = query.iter().find(|(parameter, _)| parameter == name);
            found.map(|(_, value)| value.as_str())
        };
        let number = |name: &str, default: usize| {
            let given = parameter(name).and_then(|text| text.parse().ok());
            given.unwrap_or(default)
        };
        let fits = |call: &Value| {
            ["status", "conversation_uuid"]
                .iter()
                .all(|name| parameter(name).is_none_or(|wanted| call[*name] == wanted))
        };
        let mut calls: Vec<Value> = self
            .placed
            .iter()
            .map(|call| self.show(call["uuid"].as_str().unwrap_or_default()))
            .filter(fits)
            .collect();
        if parameter("order") == Some("desc") {
            calls.reverse();
        }
        let (size, index) = (number("page_size", PAGE_SIZE), number("record_index", 0));
        let size = size.clamp(1, PAGE_SIZE_MAX);
        let count = calls.len();
        let page: Vec<Value> = calls.into_iter().skip(index).take(size).collect();
        json!({
            "count": count,
            "page_size": size,
            "record_index": index,
            "_links": {"self": {"href": "/v1/calls"}},
            "_embedded": {"calls": page},
        })
    }
}

/// The names of the parameters of a new call that Vonage would not take.
fn wrong_parameters(body: &Value) -> Vec<&'static str> {
    let empty = Map::new();
    let fields = body.as_object().unwrap_or(&empty);
    let has = |name: &str| fields.contains_key(name);
    let within = |name: &str, max: u64| {
        let value = fields.get(name);
        value.is_none_or(|value| value.as_u64().is_some_and(|n| (1..=max).contains(&n)))
    };
    let to_one = body["to"].as_array().is_some_and(|to| to.len() == 1);
    let script = body["ncco"].is_array();
    let url = body["answer_url"][0].is_string();
    let own_number = body["from"]["number"].is_string();
    let any_number = body["random_from_number"] == true;
    [
        ("to", to_one && body["to"][0]["type"].is_string()),
        ("ncco", script != url && has("ncco") != has("answer_url")),
        ("from", own_number != any_number),
        ("ringing_timer", within("ringing_timer", 120)),
        ("length_timer", within("length_timer", 86_400)),
    ]
    .into_iter()
    .filter_map(|(name, right)| (!right).then_some(name))
    .collect()
}

fn invalid(parameters: &[&str]) -> (u16, Value) {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|name| json!({"name": name, "reason": "is not valid"}))
        .collect();
    let body = json!({"type": 400, "title": "Bad Request", "invalid_parameters": parameters});
    (400, body)
}

fn not_found() -> (u16, Value) {
    (
        404,
        json!({"type": "NOT_FOUND", "error_title": "Not Found"}),
    )
}
