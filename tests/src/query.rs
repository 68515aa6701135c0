//! Query strings, taken apart.

use axum::{extract::Query, http::Uri};

/// The parameters of a raw query in the order they stand there, decoded; repeats stay repeats.
///
/// # Panics
/// When the text cannot stand in a URL.
#[must_use]
pub fn pairs(raw: &str) -> Vec<(String, String)> {
    let uri: Uri = format!("/?{raw}")
        .parse()
        .unwrap_or_else(|fault| panic!("{raw:?} cannot stand in a URL: {fault}"));
    Query::try_from_uri(&uri)
        .unwrap_or_else(|fault| panic!("{raw:?} does not read as a query: {fault}"))
        .0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_keep_their_order_and_are_decoded() {
        let expected = [("b", "1 2"), ("a", "{\"x\":3}"), ("b", "+"), ("c", "")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs("b=1%202&a=%7B%22x%22:3%7D&b=%2B&c="), expected);
        assert_eq!(pairs(""), []);
    }
}
