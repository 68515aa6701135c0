//! Days on which nobody is there.

use super::fault::{Wrong, quoted};
use jiff::civil::Date;
use std::str::FromStr;

/// Longest stretch of closed days. A flow that is closed for longer has its `otherwise` in place of
/// it.
pub const CLOSED_DAYS_MAX: i32 = 366;

/// A day, or all days from one to another: `2026-12-25`, `2026-12-24/2026-12-26`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DateRange {
    first: Date,
    last: Date,
}

impl DateRange {
    /// Whether a day is one of these.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }

    /// First of the days.
    #[must_use]
    pub fn first(&self) -> Date {
        self.first
    }

    /// Last of the days, itself included.
    #[must_use]
    pub fn last(&self) -> Date {
        self.last
    }
}

impl From<Date> for DateRange {
    fn from(day: Date) -> Self {
        Self {
            first: day,
            last: day,
        }
    }
}

impl FromStr for DateRange {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let (first, last) = text.split_once('/').unwrap_or((text, text));
        let (first, last) = (read_day(first)?, read_day(last)?);
        if last < first {
            return Err(Wrong::new(
                format!("{} ends before it begins", quoted(text)),
                format!("write \"{last}/{first}\""),
            ));
        }
        let days = first.duration_until(last).as_hours() / 24 + 1;
        if days > i64::from(CLOSED_DAYS_MAX) {
            return Err(Wrong::new(
                format!(
                    "{} are {days} days, more than {CLOSED_DAYS_MAX}",
                    quoted(text)
                ),
                "lead the line to the flow in `otherwise` for so long",
            ));
        }
        Ok(Self { first, last })
    }
}

fn read_day(text: &str) -> Result<Date, Wrong> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| match at {
            4 | 7 => b == b'-',
            _ => b.is_ascii_digit(),
        });
    if !shape {
        return Err(Wrong::new(
            format!("{} is no date", quoted(text)),
            "write it like \"2026-12-25\", or \"2026-12-24/2026-12-26\" for more days",
        ));
    }
    text.parse().map_err(|_| {
        Wrong::new(
            format!("there is no day {}", quoted(text)),
            "write year, month and day: \"2026-12-25\"",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_and_stretches_of_days_are_read() {
        let day: DateRange = "2026-12-25".parse().unwrap();
        assert_eq!(
            (day.first(), day.last()),
            (date(2026, 12, 25), date(2026, 12, 25))
        );
        let days: DateRange = "2026-12-24/2027-01-02".parse().unwrap();
        assert!(days.contains(date(2026, 12, 31)) && !days.contains(date(2027, 1, 3)));
        assert!("2024-01-01/2024-12-31".parse::<DateRange>().is_ok());
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for (text, part) in [
            ("", "is no date"),
            ("25.12.2026", "is no date"),
            ("2026-12-2é", "is no date"),
            ("2026-12-25T00:00", "is no date"),
            ("2026-12-24/", "is no date"),
            ("2026-12-24/2026-12-25/2026-12-26", "is no date"),
            ("2026-02-29", "there is no day"),
            ("2026-12-26/2026-12-24", "ends before"),
            ("2026-01-01/2027-01-02", "367 days"),
        ] {
            let wrong = text.parse::<DateRange>().unwrap_err();
            assert!(wrong.message.contains(part), "{text}: {wrong}");
        }
    }
}
