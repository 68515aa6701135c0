//! The fields of a webhook, whichever way they came.

use super::{Unreadable, loose_text};
use crate::id::IdError;
use serde_json::{Map, Value};

/// Fields that hold an object, which a GET carries as JSON text.
/// Everything else in a query stays text, so that a caller named `{"a":1}` is not parsed.
const NESTED: [&str; 6] = [
    "dtmf",
    "speech",
    "payload",
    "headers",
    "custom_data",
    "original_request",
];

/// The fields of one webhook.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the JSON body of a POST.
    ///
    /// # Errors
    /// When it is not a JSON object. Nesting deeper than 128 levels is not JSON to us.
    pub fn from_body(body: &[u8]) -> Result<Self, Unreadable> {
        match serde_json::from_slice(body).map_err(Unreadable::Json)? {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(Unreadable::Shape),
        }
    }

    /// Reads the query of a GET. Never fails: what is not `name=value` is an empty value, bytes that
    /// are not UTF-8 are replaced, and of a repeated name the first counts.
    #[must_use]
    pub fn from_query(query: &str) -> Self {
        let mut fields = Map::new();
        for (name, text) in url::form_urlencoded::parse(query.as_bytes()) {
            let nested = NESTED
                .contains(&name.as_ref())
                .then(|| serde_json::from_str(&text).ok());
            let value = nested
                .flatten()
                .unwrap_or_else(|| Value::String(text.into_owned()));
            fields.entry(name.into_owned()).or_insert(value);
        }
        Self(fields)
    }

    /// A field as text; null, empty text and objects are absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(loose_text)
    }

    /// A field as it came; null is absent.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field was sent at all, even as null or empty text.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// An id, if the field is there.
    pub(super) fn id<T>(
        &self,
        field: &'static str,
        new: impl FnOnce(String) -> Result<T, IdError>,
    ) -> Result<Option<T>, Unreadable> {
        let Some(text) = self.text(field) else {
            return Ok(None);
        };
        new(text)
            .map(Some)
            .map_err(|source| Unreadable::Id { field, source })
    }

    /// All of it, as JSON text, for the ledger.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.0).expect("a map of JSON values is always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_may_repeat_names_and_nest_json() {
        let fields = Fields::from_query(
            "uuid=a&uuid=b&dtmf=%7B%22digits%22:%223%22%7D&from=%7B%7D&flag&payload=not%20json",
        );
        assert_eq!(fields.text("uuid").as_deref(), Some("a"));
        assert_eq!(fields.value("dtmf").unwrap()["digits"], "3");
        assert_eq!(fields.text("from").as_deref(), Some("{}"));
        assert_eq!(fields.text("payload").as_deref(), Some("not json"));
        assert!(fields.has("flag") && fields.text("flag").is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = Fields::from_body(&bytes);
            let _ = Fields::from_query(&String::from_utf8_lossy(&bytes));
        }
    }
}
