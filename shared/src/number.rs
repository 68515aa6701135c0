//! Phone numbers, and what of them may be seen.
//!
//! See [Vonage/Numbers/Number format](https://developer.vonage.com/en/numbers/guides/number-format).

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;

/// Digits of an E.164 number, country code included (ITU-T E.164: at most 15; Vonage: at least 7).
pub const DIGITS: RangeInclusive<usize> = 7..=15;

/// A phone number in E.164 form, digits only, as Vonage writes it: `447700900000`.
///
/// `Debug` and [`PhoneNumber::masked`] show `44•••••0000`; only `Display` shows the whole number, so
/// that a number reaches a log by nobody's accident.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PhoneNumber(String);

/// Text that is not an E.164 number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Something else than digits (after one leading `+`, and spaces, dots, dashes and brackets between them).
    #[error("a phone number has digits only, with the country code first and without + or 00")]
    NotDigits,
    /// Starts with 0: a country code never does.
    #[error("a phone number starts with its country code, never with 0")]
    NoCountry,
    /// Outside [`DIGITS`].
    #[error("a phone number has 7 to 15 digits")]
    Length,
}

impl PhoneNumber {
    /// Reads `447700900000`, and forgives `+44 7700 900000`.
    ///
    /// # Errors
    /// When it is not E.164: see [`NumberError`].
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let text = text.trim();
        let text = text.strip_prefix('+').unwrap_or(text);
        let digits: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
            .collect();
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NumberError::NotDigits);
        }
        if digits.starts_with('0') {
            return Err(NumberError::NoCountry);
        }
        if !DIGITS.contains(&digits.len()) {
            return Err(NumberError::Length);
        }
        Ok(Self(digits))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What may be logged: `44•••••0000`.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.0)
    }
}

/// Masks whatever came as a caller's number or name, E.164 or not: two characters, dots, and the
/// last four where the text is long enough to hide something between them.
#[must_use]
pub fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 8 {
        return "•".repeat(chars.len().min(8));
    }
    let head: String = chars[..2].iter().collect();
    let tail: String = chars[chars.len() - 4..].iter().collect();
    format!("{head}•••••{tail}")
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for PhoneNumber {
    type Error = NumberError;
    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::parse(&text)
    }
}

impl From<PhoneNumber> for String {
    fn from(number: PhoneNumber) -> Self {
        number.0
    }
}

impl std::str::FromStr for PhoneNumber {
    type Err = NumberError;
    fn from_str(text: &str) -> Result<Self, NumberError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_people_write_them_and_kept_as_vonage_does() {
        for text in [
            "447700900000",
            "+447700900000",
            "+44 7700 900000",
            " +44 (7700) 900-000 ",
        ] {
            assert_eq!(
                PhoneNumber::parse(text).unwrap().as_str(),
                "447700900000",
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_not_e164_is_refused_with_the_reason() {
        for (text, why) in [
            ("", NumberError::NotDigits),
            ("anonymous", NumberError::NotDigits),
            ("44770090000x", NumberError::NotDigits),
            ("٤٤٧٧٠٠٩٠٠٠٠٠", NumberError::NotDigits),
            ("07700900000", NumberError::NoCountry),
            ("00447700900000", NumberError::NoCountry),
            ("447700", NumberError::Length),
            ("4477009000001234", NumberError::Length),
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_number_in_a_log_is_masked() {
        let number = PhoneNumber::parse("447700900000").unwrap();
        assert_eq!(format!("{number:?}"), "44•••••0000");
        assert_eq!(mask("1234"), "••••");
        assert_eq!(mask("sip:user@example.com"), "si•••••.com");
    }

    proptest! {
        #[test]
        fn a_number_survives_writing_and_reading(digits in "[1-9][0-9]{6,14}") {
            let number = PhoneNumber::parse(&digits).unwrap();
            prop_assert_eq!(PhoneNumber::parse(&number.to_string()).unwrap(), number);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = PhoneNumber::parse(&text);
            let _ = mask(&text);
        }
    }
}
