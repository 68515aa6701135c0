//! How long the ledger and the recordings are kept.

use super::fault::{Wrong, quoted};
use jiff::SignedDuration;

/// Days of a year, as `1y` means it.
const YEAR: i64 = 365;

/// Digits of one number: `3650d` is the longest time there is.
const DIGITS_MAX: usize = 4;

/// Shortest time that anything is kept. Events come late, a download is tried for an hour, and what is
/// held is looked after twice a day: a day is longer than all of them.
pub const KEEP_MIN: SignedDuration = SignedDuration::from_hours(24);

/// Longest time that can be named: ten years. Whoever wants more wants `forever`, or an archive of
/// their own.
pub const KEEP_MAX: SignedDuration = SignedDuration::from_hours(24 * 10 * YEAR);

/// How long calls, events and what is known of a recording are kept where the plan does not say.
/// Vonage offers a recording for 30 days; a quarter more leaves time to look back at one.
pub const LEDGER_KEEPS: SignedDuration = SignedDuration::from_hours(24 * 120);

/// How long things are kept: the plan's `[keep]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Calls, their events, and what is known of recordings. From [`KEEP_MIN`] to [`KEEP_MAX`].
    pub ledger: SignedDuration,
    /// The audio in the bucket, with its item; `None`: for ever, and so it is where the plan does not
    /// say. From [`KEEP_MIN`] to [`KEEP_MAX`].
    pub recordings: Option<SignedDuration>,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            ledger: LEDGER_KEEPS,
            recordings: None,
        }
    }
}

/// Reads a time to keep something: `120d`, `6w`, `1y`.
pub(super) fn time(text: &str) -> Result<SignedDuration, Wrong> {
    let example = "write it like \"120d\", \"6w\" or \"1y\"";
    let Some(time) = parse(text) else {
        let message = format!("{} is no time to keep something", quoted(text));
        return Err(Wrong::new(message, example));
    };
    if (KEEP_MIN..=KEEP_MAX).contains(&time) {
        return Ok(time);
    }
    let message = format!("{} is out of range", quoted(text));
    Err(Wrong::new(message, "write a time from \"1d\" to \"10y\""))
}

/// The same, or `forever`.
#[allow(clippy::option_option)]
pub(super) fn time_or_forever(text: &str) -> Result<Option<SignedDuration>, Wrong> {
    if text == "forever" {
        return Ok(None);
    }
    time(text).map(Some).map_err(|wrong| Wrong {
        advice: wrong
            .advice
            .map(|advice| format!("{advice}, or \"forever\"")),
        ..wrong
    })
}

fn parse(text: &str) -> Option<SignedDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 || digits > DIGITS_MAX {
        return None;
    }
    let days = match &text[digits..] {
        "d" => 1,
        "w" => 7,
        "y" => YEAR,
        _ => return None,
    };
    let number: i64 = text[..digits].parse().ok()?;
    Some(SignedDuration::from_hours(24 * days * number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_are_read_in_days_weeks_and_years() {
        for (text, days) in [
            ("1d", Some(1)),
            ("120d", Some(120)),
            ("6w", Some(42)),
            ("1y", Some(365)),
            ("10y", Some(3650)),
            ("3650d", Some(3650)),
            ("0d", None),
            ("11y", None),
            ("3651d", None),
            ("9999y", None),
            ("", None),
            ("d", None),
            ("1", None),
            ("1h", None),
            ("1m", None),
            ("1y6w", None),
            ("-1d", None),
            ("1.5y", None),
            (" 1d", None),
            ("99999d", None),
            ("١d", None),
            ("forever", None),
        ] {
            let read = time(text).ok().map(|time| time.as_hours() / 24);
            assert_eq!(read, days, "{text:?}");
        }
        assert_eq!(time_or_forever("forever"), Ok(None));
        assert_eq!(time_or_forever("1d"), Ok(Some(KEEP_MIN)));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = time_or_forever(&text);
        }
    }
}
