//! A line of the timeline, as JSON.

use super::view::Directory;
use crate::event::moment;
use crate::journal::{Entry, Heard, What};
use crate::leg::Leg;
use crate::ncco::Method;
use crate::platform::Platform;
use serde_json::{Value, json};

/// Enough of an id in a path to tell it from others.
const ID: usize = 8;

/// The line of an entry; none for what the page shows elsewhere.
pub(super) fn of(entry: &Entry, platform: &Platform, directory: &Directory) -> Option<Value> {
    let (kind, text) = words(&entry.what, platform, directory)?;
    let (status, body) = match &entry.what {
        What::Webhook { body, .. } => (None, Some(body)),
        What::Reply { status, body, .. } => (*status, body.as_ref()),
        What::Request { status, body, .. } => (Some(*status), body.as_ref()),
        _ => (None, None),
    };
    Some(json!({
        "id": entry.id,
        "at": moment(entry.at),
        "leg": entry.leg,
        "kind": kind,
        "text": text,
        "status": status,
        "body": body,
    }))
}

fn words(
    what: &What,
    platform: &Platform,
    directory: &Directory,
) -> Option<(&'static str, String)> {
    Some(match what {
        What::Dials { to, .. } => ("person", format!("calls {}", directory.name(to))),
        What::Rings { .. } => ("note", "rings".to_owned()),
        What::PicksUp { machine: false } => ("person", "picks up".to_owned()),
        What::PicksUp { machine: true } => ("person", "a mailbox picks up".to_owned()),
        What::HangsUp => ("person", "hangs up".to_owned()),
        What::Declines => ("person", "declines".to_owned()),
        What::Presses { keys } => ("person", format!("presses {keys}")),
        What::Says { text } => ("person", format!("says “{text}”")),
        What::Hears(heard) => ("note", heard_words(heard, directory)),
        What::Is(_) => return None,
        What::Ended(ending) => ("note", format!("over: {ending}")),
        What::Joined { with } => {
            let other = platform.leg(with).map_or("another", Leg::person);
            (
                "note",
                format!("is connected with {}", directory.name(other)),
            )
        }
        What::Webhook {
            name,
            method,
            attempt,
            body,
            ..
        } => ("webhook", webhook_words(name, *method, *attempt, body)),
        What::Reply {
            name,
            status,
            words,
            body,
            took,
            ..
        } => {
            let words = match body.as_ref().and_then(actions) {
                Some(actions) => actions,
                None if status.is_some_and(|status| status < 300) => "taken".to_owned(),
                None => words.clone(),
            };
            (
                "reply",
                format!("{name}: {words}, after {} ms", took.as_millis()),
            )
        }
        What::Lost { name, .. } => ("note", format!("{name}: not taken, twice")),
        What::Request {
            method, path, body, ..
        } => ("request", request_words(method, path, body.as_ref())),
        What::Recorded { bytes, length, .. } => (
            "note",
            format!("a recording of {} s, {bytes} bytes", length.as_secs()),
        ),
        What::Note(text) => ("note", text.clone()),
    })
}

fn heard_words(heard: &Heard, directory: &Directory) -> String {
    match heard {
        Heard::Talk { text, .. } => format!("hears “{text}”"),
        Heard::Stream { url } => format!("hears {url}"),
        Heard::Ringback => "hears it ring".to_owned(),
        Heard::Voice { of, text } => format!("hears {} say “{text}”", directory.name(of)),
        Heard::Beep => "hears a beep".to_owned(),
    }
}

fn webhook_words(name: &str, method: Method, attempt: u8, body: &Value) -> String {
    let method = match method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    let what = body["status"].as_str().or_else(|| {
        ["payload", "dtmf", "recording_url", "conversation_uuid_to"]
            .into_iter()
            .zip(["notify", "input", "recording", "transfer"])
            .find_map(|(key, word)| body.get(key).map(|_| word))
    });
    let what = what.map(|what| format!(": {what}")).unwrap_or_default();
    let again = if attempt > 1 { " (again)" } else { "" };
    format!("{method} {name}{what}{again}")
}

fn request_words(method: &str, path: &str, body: Option<&Value>) -> String {
    let action = body.and_then(|body| body["action"].as_str());
    let news = match (action, body) {
        (Some("transfer"), Some(body)) => {
            let script = actions(&body["destination"]["ncco"]);
            let script = script.unwrap_or_else(|| "another script".to_owned());
            format!(": moves the call to {script}")
        }
        (Some("hangup"), _) => ": ends the call".to_owned(),
        (Some(action), _) => format!(": {action}"),
        (None, _) if method == "GET" && path.contains("/files/") => {
            ": fetches a recording".to_owned()
        }
        (None, _) => String::new(),
    };
    format!("{method} {}{news}", short(path))
}

/// The names of a script's actions, in order; none for what is no script or an empty one.
fn actions(script: &Value) -> Option<String> {
    let actions = script.as_array()?.iter();
    let names: Vec<&str> = actions
        .filter_map(|action| action["action"].as_str())
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The path with the beginnings of its ids: each takes a line of its own otherwise.
fn short(path: &str) -> String {
    let parts = path
        .split('/')
        .map(|part| match part.char_indices().nth(ID) {
            Some((end, _)) if part.contains(|c: char| c.is_ascii_digit()) => {
                format!("{}…", &part[..end])
            }
            _ => part.to_owned(),
        });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_says_what_becomes_of_the_call() {
        let script = json!([{ "action": "talk" }, { "action": "connect" }]);
        let to = |destination| json!({ "action": "transfer", "destination": destination });
        let call = "/eu-west/v1/calls/a833bdcdb6d1beb1";
        let rows = [
            (
                ("PUT", call, Some(to(json!({ "ncco": script })))),
                "PUT /eu-west/v1/calls/a833bdcd…: moves the call to talk, connect",
            ),
            (
                ("PUT", call, Some(to(json!({ "url": ["https://a"] })))),
                "PUT /eu-west/v1/calls/a833bdcd…: moves the call to another script",
            ),
            (
                ("PUT", call, Some(json!({ "action": "hangup" }))),
                "PUT /eu-west/v1/calls/a833bdcd…: ends the call",
            ),
            (
                ("PUT", call, Some(json!({ "action": "mute" }))),
                "PUT /eu-west/v1/calls/a833bdcd…: mute",
            ),
            (
                ("GET", "/v1/files/a833bdcdb6d1beb1", None),
                "GET /v1/files/a833bdcd…: fetches a recording",
            ),
            (("GET", "/v1/calls", None), "GET /v1/calls"),
        ];
        for ((method, path, body), words) in rows {
            assert_eq!(request_words(method, path, body.as_ref()), words);
        }
    }

    #[test]
    fn a_script_is_told_by_its_actions() {
        let rows = [
            (
                json!([{ "action": "talk" }, { "action": "stream" }]),
                Some("talk, stream"),
            ),
            (json!([]), None),
            (json!({ "message": "no" }), None),
        ];
        for (script, words) in rows {
            assert_eq!(actions(&script).as_deref(), words);
        }
    }
}
