//! One object of a script, read key by key.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::Refused;

const WEB: &[&str] = &["http", "https"];

/// An object, and where in the script it stands.
///
/// Each method reads one key as one type: `None` if it is not there, a refusal if it is there and something
/// else.
pub(super) struct Object<'a> {
    fields: &'a Map<String, Value>,
    pointer: String,
}

impl<'a> Object<'a> {
    pub(super) fn of(value: &'a Value, pointer: String) -> Result<Self, Refused> {
        match value.as_object() {
            Some(fields) => Ok(Self { fields, pointer }),
            None => Err(Refused::new(pointer, "must be an object")),
        }
    }

    pub(super) fn refuse(&self, key: &str, reason: impl Into<String>) -> Refused {
        Refused::new(format!("{}/{key}", self.pointer), reason)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn fields(&self) -> &'a Map<String, Value> {
        self.fields
    }

    /// What a key reads as, where Vonage insists on it.
    pub(super) fn required<T>(&self, key: &str, read: Option<T>) -> Result<T, Refused> {
        read.ok_or_else(|| self.refuse(key, "is required"))
    }

    fn as_type<T>(
        &self,
        key: &str,
        read: impl Fn(&'a Value) -> Option<T>,
        expected: impl Display,
    ) -> Result<Option<T>, Refused> {
        self.fields
            .get(key)
            .map(|value| read(value).ok_or_else(|| self.refuse(key, format!("must be {expected}"))))
            .transpose()
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, Refused> {
        self.as_type(key, Value::as_str, "a string")
    }

    /// Text that names something, and so cannot be blank.
    pub(super) fn name(&self, key: &str) -> Result<Option<String>, Refused> {
        let read = |value: &'a Value| value.as_str().filter(|text| !text.trim().is_empty());
        let name = self.as_type(key, read, "a string that is not blank")?;
        Ok(name.map(str::to_owned))
    }

    pub(super) fn texts(&self, key: &str) -> Result<Option<Vec<String>>, Refused> {
        let read = |value: &Value| {
            let values = value.as_array()?.iter();
            values
                .map(|value| value.as_str().map(str::to_owned))
                .collect()
        };
        self.as_type(key, read, "an array of strings")
    }

    /// `true` or `false`; without the key, `false`.
    pub(super) fn flag(&self, key: &str) -> Result<bool, Refused> {
        self.flag_or(key, false)
    }

    pub(super) fn flag_or(&self, key: &str, default: bool) -> Result<bool, Refused> {
        let flag = self.as_type(key, Value::as_bool, "true or false")?;
        Ok(flag.unwrap_or(default))
    }

    pub(super) fn whole(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<u64>, Refused> {
        let read = |value: &Value| value.as_u64().filter(|number| range.contains(number));
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.as_type(key, read, expected)
    }

    /// A time in whole seconds.
    pub(super) fn seconds(
        &self,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Result<Option<Duration>, Refused> {
        Ok(self.whole(key, range)?.map(Duration::from_secs))
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, Refused> {
        self.as_type(key, Value::as_f64, "a number")
    }

    pub(super) fn number_in(
        &self,
        key: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, Refused> {
        let read = |value: &Value| value.as_f64().filter(|number| range.contains(number));
        let expected = format!("a number from {} to {}", range.start(), range.end());
        self.as_type(key, read, expected)
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, Refused> {
        let read = |value: &Value| {
            let text = value.as_str()?;
            words
                .iter()
                .find(|(word, _)| *word == text)
                .map(|(_, meaning)| *meaning)
        };
        let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
        self.as_type(key, read, known.join(" or "))
    }

    pub(super) fn object(&self, key: &str) -> Result<Option<Object<'a>>, Refused> {
        let object = |value| Object::of(value, format!("{}/{key}", self.pointer));
        self.fields.get(key).map(object).transpose()
    }

    /// The object in an array of exactly one.
    pub(super) fn only(&self, key: &str) -> Result<Option<Object<'a>>, Refused> {
        let Some(value) = self.as_type(key, single, "an array of exactly one object")? else {
            return Ok(None);
        };
        Object::of(value, format!("{}/{key}/0", self.pointer)).map(Some)
    }

    /// An absolute web address, by itself.
    pub(super) fn url(&self, key: &str) -> Result<Option<String>, Refused> {
        self.address(key, WEB, "an absolute http or https URL")
    }

    /// An absolute address of one of these schemes.
    pub(super) fn address(
        &self,
        key: &str,
        schemes: &[&str],
        expected: &str,
    ) -> Result<Option<String>, Refused> {
        let read = |value: &'a Value| value.as_str().filter(|text| is_address(text, schemes));
        let address = self.as_type(key, read, expected)?;
        Ok(address.map(str::to_owned))
    }

    /// A web address in an array of exactly one, as nearly every URL of a script must be.
    pub(super) fn urls(&self, key: &str) -> Result<Option<String>, Refused> {
        let read = |value: &'a Value| {
            let text = single(value)?.as_str()?;
            is_address(text, WEB).then(|| text.to_owned())
        };
        self.as_type(
            key,
            read,
            "an array of exactly one absolute http or https URL",
        )
    }
}

fn single(value: &Value) -> Option<&Value> {
    match value.as_array()?.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// `Url` alone would mend what a platform need not: blanks within, `http:example.com`, `http:///path`.
fn is_address(text: &str, schemes: &[&str]) -> bool {
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    schemes
        .iter()
        .any(|known| known.eq_ignore_ascii_case(scheme))
        && !rest.starts_with('/')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\')
        && Url::parse(text).is_ok()
}
