//! Phone numbers.

use std::ops::RangeInclusive;

use super::Refused;
use super::object::Object;

/// E.164 allows 15 digits; Vonage asks for 7 at least.
const DIGITS: RangeInclusive<usize> = 7..=15;

/// Digits with the country code, without `+`. Whether Vonage refuses a script for a leading 0, or lets the
/// call fail, is not known: its pattern lets it through.
pub(super) fn read(object: &Object<'_>, key: &str) -> Result<Option<String>, Refused> {
    match object.text(key)? {
        Some(number) if !is_number(number) => {
            Err(object.refuse(key, "must be 7 to 15 digits, without +"))
        }
        number => Ok(number.map(str::to_owned)),
    }
}

fn is_number(text: &str) -> bool {
    DIGITS.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}
