//! Language tags.

use super::Refused;
use super::object::Object;

/// What Vonage speaks and understands unless told otherwise.
pub(super) const DEFAULT: &str = "en-US";

/// A tag in the shape of BCP-47. Vonage's list grows, so a tag it may not know is let through.
pub(super) fn read(object: &Object<'_>, key: &str) -> Result<Option<String>, Refused> {
    match object.text(key)? {
        Some(tag) if !is_tag(tag) => {
            Err(object.refuse(key, "must be a language tag such as en-GB"))
        }
        tag => Ok(tag.map(str::to_owned)),
    }
}

fn is_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}
