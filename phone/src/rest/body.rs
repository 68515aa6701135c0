//! What a body says, and every fault in it.

use super::Refusal;
use serde_json::Value;
use std::ops::RangeInclusive;

/// A body that is read, with the faults found so far.
pub(super) struct Body {
    whole: Value,
    faults: Vec<(String, String)>,
}

impl Body {
    /// A JSON object.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        match serde_json::from_slice(bytes) {
            Ok(whole @ Value::Object(_)) => Ok(Self {
                whole,
                faults: Vec::new(),
            }),
            Ok(_) => Err(Refusal::one("body", "must be a JSON object")),
            Err(_) => Err(Refusal::one("body", "is not JSON")),
        }
    }

    pub(super) fn fault(&mut self, name: &str, reason: impl Into<String>) {
        self.faults.push((name.to_owned(), reason.into()));
    }

    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.whole.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn whole(&self) -> &Value {
        &self.whole
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.get(name)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => {
                self.fault(name, "must be a text");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.get(name) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.fault(name, "must be true or false");
                false
            }
        }
    }

    pub(super) fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.get(name)?.as_u64();
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        self.fault(
            name,
            format!(
                "must be an integer from {} to {}",
                range.start(),
                range.end()
            ),
        );
        None
    }

    /// The volume: documented as text, sent as a number by some.
    pub(super) fn level(&mut self) {
        let level = match self.get("level") {
            None => return,
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_f64(),
        };
        if !level.is_some_and(|level: f64| (-1.0..=1.0).contains(&level)) {
            self.fault("level", "must be from -1 to 1");
        }
    }

    /// An array of one http(s) URL.
    pub(super) fn url(&mut self, name: &str) -> Option<String> {
        let url = match self.get(name)? {
            Value::Array(urls) if urls.len() == 1 => urls[0].as_str().map(str::to_owned),
            _ => None,
        };
        let url = url.filter(|url| is_http(url));
        if url.is_none() {
            self.fault(name, "must be an array of one http or https URL");
        }
        url
    }

    pub(super) fn one_of(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let word = self.text(name)?;
        if words.contains(&word.as_str()) {
            return Some(word);
        }
        self.fault(name, format!("must be one of {}", words.join(", ")));
        None
    }

    /// Fails with all faults together.
    pub(super) fn finish(self) -> Result<(), Refusal> {
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(Refusal::Invalid(self.faults))
        }
    }
}

pub(super) fn is_http(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}
