//! Durations as a plan writes them: `20s`, `10m`, `1h30m`.

use super::fault::{Wrong, quoted};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Digits of one number: `99999s` is more than a day, and no time in a plan is so long.
const DIGITS_MAX: usize = 5;

/// Reads a duration that has to lie in a range.
pub(super) fn within(range: RangeInclusive<Duration>) -> impl Fn(&str) -> Result<Duration, Wrong> {
    move |text| {
        let duration = parse(text).ok_or_else(|| malformed(text))?;
        if range.contains(&duration) {
            return Ok(duration);
        }
        let (least, most) = (show(*range.start()), show(*range.end()));
        Err(Wrong::new(
            format!("{} is out of range", quoted(text)),
            format!("write a time from \"{least}\" to \"{most}\""),
        ))
    }
}

fn malformed(text: &str) -> Wrong {
    let digits = text.trim();
    let advice = if parse(&format!("{digits}s")).is_some() {
        format!("write \"{digits}s\" for seconds or \"{digits}m\" for minutes")
    } else {
        "write it like \"20s\", \"10m\" or \"1h30m\"".to_owned()
    };
    Wrong::new(format!("{} is no duration", quoted(text)), advice)
}

/// Hours, minutes and seconds, each at most once and in this order.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0;
    let mut coarser = u64::MAX;
    while !rest.is_empty() || coarser == u64::MAX {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > DIGITS_MAX {
            return None;
        }
        let unit = match rest.as_bytes().get(digits)? {
            b'h' => 3600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if unit >= coarser {
            return None;
        }
        seconds += rest[..digits].parse::<u64>().ok()? * unit;
        coarser = unit;
        rest = &rest[digits + 1..];
    }
    Some(Duration::from_secs(seconds))
}

/// A duration as it would be written: `1h30m`.
pub(super) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let parts = [
        (seconds / 3600, 'h'),
        (seconds / 60 % 60, 'm'),
        (seconds % 60, 's'),
    ];
    let text: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_they_are_spoken() {
        for (text, seconds) in [
            ("20s", Some(20)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("1h0m1s", Some(3601)),
            ("0s", Some(0)),
            ("90s", Some(90)),
            ("", None),
            ("20", None),
            ("s", None),
            ("1m1h", None),
            ("1s1s", None),
            ("1h 30m", None),
            ("-1s", None),
            ("1.5h", None),
            ("500ms", None),
            ("1d", None),
            ("١s", None),
            ("999999s", None),
        ] {
            assert_eq!(parse(text), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_duration_survives_writing_and_reading(seconds in 0..359_999_999u64) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&show(duration)), Some(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = within(Duration::ZERO..=Duration::from_secs(9))(&text);
        }
    }
}
