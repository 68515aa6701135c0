//! What keys something has, and of which types.

use serde_json::{Value, json};

/// Checks that `value` has these keys and no other: `{"uuid": "text", "size": "number", "start": null}`.
/// `text`, `number`, `object`, `moment` (with milliseconds), `second` (a moment to the second),
/// `conversation`; anything else stands for itself.
#[track_caller]
pub(crate) fn check(what: &str, value: &Value, shape: Value) {
    let keys = |value: &Value| {
        let object = value
            .as_object()
            .unwrap_or_else(|| panic!("{what}: {value}"));
        let mut keys: Vec<String> = object.keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(value), keys(&shape), "{what}: {value}");
    for (key, wanted) in shape.as_object().unwrap() {
        let found = &value[key];
        let fits = match wanted.as_str() {
            Some("text") => found.as_str().is_some_and(|text| !text.is_empty()),
            Some("number") => found.is_u64(),
            Some("object") => found.is_object(),
            Some("moment") => is_moment(found, "2026-03-02T09:00:00.250Z".len()),
            Some("second") => is_moment(found, "2026-03-02T09:00:00Z".len()),
            Some("conversation") => found
                .as_str()
                .is_some_and(|text| text.strip_prefix("CON-").is_some_and(is_dashed)),
            _ => found == wanted,
        };
        assert!(fits, "{what}: {key} is {found}, not {wanted}");
    }
}

fn is_moment(value: &Value, length: usize) -> bool {
    let text = value.as_str().unwrap_or_default();
    text.len() == length && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

/// Whether it is an id with dashes, as an outbound leg has.
pub(crate) fn is_dashed(id: &str) -> bool {
    let parts: Vec<usize> = id.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && id.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// A status event, with whatever a status adds.
pub(crate) fn status(status: &str, direction: &str, more: Value) -> Value {
    let mut shape = json!({
        "headers": {},
        "from": "text",
        "to": "text",
        "uuid": "text",
        "conversation_uuid": "conversation",
        "status": status,
        "direction": direction,
        "timestamp": "moment",
    });
    let fields = shape.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    shape
}
