//! The Numbers API: an account's numbers are listed, and linked to its applications.
//!
//! Whether an update keeps what it leaves out is not documented. Here it does not, so that whoever
//! relies on it finds out.
//!
//! See [Vonage/Numbers API](https://developer.vonage.com/en/api/numbers).

use super::{Asked, Content};
use crate::platform::Platform;
use serde_json::{Map, Value, json};

/// Numbers to a page, and how many there may be.
const PAGE: (usize, usize) = (10, 100);

/// What an update may set.
const SETTABLE: [&str; 8] = [
    "app_id",
    "moHttpUrl",
    "moSmppSysType",
    "voiceCallbackType",
    "voiceCallbackValue",
    "voiceStatusCallback",
    "messagesCallbackType",
    "messagesCallbackValue",
];

type Fields = Vec<(String, String)>;

fn field<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    fields
        .iter()
        .find(|(one, _)| one == name)
        .map(|(_, text)| text.as_str())
}

/// What became of it, in words that have the status in them. Successes are told so, too.
fn told(status: u16, code: &str, label: &str) -> (u16, Content) {
    (
        status,
        Content::Json(json!({ "error-code": code, "error-code-label": label })),
    )
}

/// Something is wrong with what was asked. Only `buy` is known to say so by its status; here the
/// body alone does.
fn failed(label: &str) -> (u16, Content) {
    told(200, "420", label)
}

impl Platform {
    /// A request below `/account` or `/number`.
    pub(super) fn numbers(&mut self, asked: Asked<'_>, path: &[&str]) -> (u16, Content) {
        if !self.account.admits(asked.authorization) {
            return told(401, "401", "authentication failed");
        }
        match (asked.method, path) {
            ("GET", ["account", "numbers"]) => self.list_numbers(asked.query),
            ("POST", ["number", "update"]) => self.update_number(asked),
            (_, ["account", "numbers"] | ["number", "update"]) => {
                told(405, "405", "method not allowed")
            }
            _ => told(404, "404", "not found"),
        }
    }

    fn list_numbers(&self, query: &str) -> (u16, Content) {
        let Ok(query) = serde_urlencoded::from_str::<Fields>(query) else {
            return failed("unreadable query");
        };
        let asked = |name: &str| field(&query, name);
        let number = |name: &str, otherwise: usize| {
            asked(name).map_or(Some(otherwise), |text| text.parse().ok())
        };
        let (Some(size), Some(index)) = (number("size", PAGE.0), number("index", 1)) else {
            return failed("size and index are numbers");
        };
        if !(1..=PAGE.1).contains(&size) || index == 0 {
            return failed("size is at most 100, and index begins with 1");
        }
        let pattern = asked("pattern").unwrap_or_default();
        let fits = |number: &&Map<String, Value>| {
            let text = |name: &str| number.get(name).and_then(Value::as_str);
            let msisdn = text("msisdn").unwrap_or_default();
            let pattern = match asked("search_pattern") {
                Some("1") => msisdn.contains(pattern),
                Some("2") => msisdn.ends_with(pattern),
                _ => msisdn.starts_with(pattern),
            };
            let linked = asked("has_application").is_none_or(|has| {
                has == if text("app_id").is_some() {
                    "true"
                } else {
                    "false"
                }
            });
            pattern
                && linked
                && asked("country").is_none_or(|it| text("country") == Some(it))
                && asked("application_id").is_none_or(|it| text("app_id") == Some(it))
        };
        let found: Vec<_> = self.account.numbers().iter().filter(fits).collect();
        if found.is_empty() {
            // As has been seen of an account without numbers.
            return (200, Content::Json(json!({})));
        }
        let page = found
            .iter()
            .skip((index - 1).saturating_mul(size))
            .take(size);
        (
            200,
            Content::Json(json!({ "count": found.len(), "numbers": page.collect::<Vec<_>>() })),
        )
    }

    fn update_number(&mut self, asked: Asked<'_>) -> (u16, Content) {
        let form = asked
            .content_type
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let fields = serde_urlencoded::from_bytes::<Fields>(asked.body);
        let Some(fields) = fields.ok().filter(|_| form) else {
            return failed("the body is no form");
        };
        let text = |name: &str| field(&fields, name).filter(|text| !text.is_empty());
        let (Some(country), Some(msisdn)) = (text("country"), text("msisdn")) else {
            return failed("country and msisdn are required");
        };
        let forwards = text("voiceCallbackType");
        if forwards.is_some() != text("voiceCallbackValue").is_some()
            || forwards.is_some_and(|kind| !["sip", "tel", "app"].contains(&kind))
        {
            return failed("voiceCallbackType and voiceCallbackValue are not right");
        }
        if text("app_id").is_some_and(|id| self.account.application(id).is_none()) {
            return failed("there is no such application");
        }
        let Some(number) = self.account.number_mut(country, msisdn) else {
            return failed("method failed");
        };
        for name in SETTABLE {
            match text(name) {
                Some(text) => number.insert(name.to_owned(), text.into()),
                None => number.remove(name),
            };
        }
        told(200, "200", "success")
    }
}
