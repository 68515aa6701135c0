//! The keys of an object.

use super::report::Report;
use super::rule::shown;
use serde_json::{Map, Value};

/// Longest key, in bytes, for which a near known one is looked for: no known key has half of it, and
/// looking costs time by the key's length.
const NEAR_LENGTH_MAX: usize = 64;

/// How alike a key and a known one must be, 0 to 1 by Jaro and Winkler with case and hyphens left
/// out, for the known one to be named. `ringback` and `ringbackTone` have 0.93, `text` and `type`
/// 0.5.
const NEAR: f64 = 0.87;

/// Checks an object key by key; what no rule has asked for in the end is unknown.
pub(super) struct Object<'a> {
    /// What the object is, in a message.
    what: &'static str,
    json: &'a Map<String, Value>,
    known: Vec<&'static str>,
    pub(super) report: &'a mut Report,
}

impl<'a> Object<'a> {
    pub(super) fn new(
        what: &'static str,
        json: &'a Map<String, Value>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            what,
            json,
            known: Vec::new(),
            report,
        }
    }

    /// The value of a key; `null` is as good as left out.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.json.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.get(key) == Some(&Value::Bool(true))
    }

    /// Notes a fault at a key.
    pub(super) fn fault(&mut self, key: &str, message: &str) {
        self.report.at(key, |report| report.fault(message));
    }

    /// Notes a warning at a key.
    pub(super) fn warning(&mut self, key: &str, message: &str) {
        self.report.at(key, |report| report.warning(message));
    }

    /// A key that needs no rule.
    pub(super) fn known(&mut self, key: &'static str) {
        self.known.push(key);
    }

    pub(super) fn required(&mut self, key: &'static str, rule: impl FnOnce(&mut Report, &Value)) {
        if self.has(key) {
            self.optional(key, rule);
        } else {
            self.known(key);
            self.report
                .fault(format_args!("{} needs '{key}'", self.what));
        }
    }

    pub(super) fn optional(&mut self, key: &'static str, rule: impl FnOnce(&mut Report, &Value)) {
        self.known(key);
        match self.json.get(key) {
            None => {}
            Some(Value::Null) => self.warning(key, "is null: leave it out"),
            Some(value) => self.report.at(key, |report| rule(report, value)),
        }
    }

    /// An optional key that is also known by a second name, which Vonage puts up with.
    pub(super) fn renamed(
        &mut self,
        key: &'static str,
        old: &'static str,
        rule: impl FnOnce(&mut Report, &Value),
    ) {
        if self.json.contains_key(old) {
            self.known(old);
            self.known(key);
            if self.json.contains_key(key) {
                self.fault(
                    old,
                    &format!("is '{key}' by another name, and both are there"),
                );
            } else {
                self.warning(old, &format!("is an old name: write '{key}'"));
                self.optional(old, rule);
                return;
            }
        }
        self.optional(key, rule);
    }

    /// Tells of every key that nothing has asked for.
    pub(super) fn finish(self) {
        for key in self.json.keys() {
            if self.known.contains(&key.as_str()) {
                continue;
            }
            let near = if self.report.has_room_for_warnings() {
                near(key, &self.known)
            } else {
                None
            };
            let what = self.what;
            self.report.at(key, |report| match near {
                Some(near) => report.warning(format_args!(
                    "is not a key of {what}: did you mean '{near}'?"
                )),
                None => report.warning(format_args!("is not a key of {what}")),
            });
        }
    }
}

/// A message about a word that is not among those it must be of, with the nearest of them.
pub(super) fn unknown_word(word: &str, what: &str, words: &[&'static str]) -> String {
    match near(word, words) {
        Some(near) => format!("{} is not {what}: did you mean '{near}'?", shown(word)),
        None => format!(
            "{} is not {what}: it is one of '{}'",
            shown(word),
            words.join("', '")
        ),
    }
}

fn near(key: &str, known: &[&'static str]) -> Option<&'static str> {
    if key.len() > NEAR_LENGTH_MAX {
        return None;
    }
    let plain = |key: &str| key.to_lowercase().replace(['_', '-'], "");
    let key = plain(key);
    let alike = |known: &&'static str| strsim::jaro_winkler(&key, &plain(known));
    known
        .iter()
        .map(|known| (alike(known), *known))
        .filter(|(alike, _)| *alike >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_told_from_another_key() {
        let known = [
            "text",
            "bargeIn",
            "eventUrl",
            "ringbackTone",
            "content-type",
            "level",
            "loop",
        ];
        for (key, expected) in [
            ("ringback", Some("ringbackTone")),
            ("event_url", Some("eventUrl")),
            ("evnetUrl", Some("eventUrl")),
            ("contentType", Some("content-type")),
            ("Text", Some("text")),
            ("type", None),
            ("pool", None),
            ("", None),
            (&"text".repeat(1000), None),
        ] {
            assert_eq!(near(key, &known), expected, "{key}");
        }
    }
}
