//! The time, in the forms AWS and JWTs write it.

use std::time::{SystemTime, UNIX_EPOCH};

const SECONDS_PER_DAY: u64 = 86_400;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Now, in milliseconds since 1970.
///
/// # Panics
/// When the machine's clock stands before 1970.
#[must_use]
pub fn epoch_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock stands after 1970");
    u64::try_from(since.as_millis()).expect("milliseconds since 1970 fit 64 bits")
}

/// Now, in seconds since 1970.
#[must_use]
pub fn epoch_seconds() -> u64 {
    epoch_ms() / 1000
}

/// UTC as EventBridge writes it: `2020-03-12T19:03:58Z`.
#[must_use]
pub fn iso8601(seconds: u64) -> String {
    let (year, month, day) = date(seconds / SECONDS_PER_DAY);
    format!("{year:04}-{month:02}-{day:02}T{}Z", time_of_day(seconds))
}

/// UTC as API Gateway writes it: `12/Mar/2020:19:03:58 +0000`.
#[must_use]
pub fn common_log(seconds: u64) -> String {
    let (year, month, day) = date(seconds / SECONDS_PER_DAY);
    let month = MONTHS[month - 1];
    format!("{day:02}/{month}/{year:04}:{} +0000", time_of_day(seconds))
}

fn time_of_day(seconds: u64) -> String {
    let second = seconds % SECONDS_PER_DAY;
    format!(
        "{:02}:{:02}:{:02}",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month (1 to 12) and day (from 1) of a day counted from 1970-01-01.
fn date(days: u64) -> (u64, usize, u64) {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut left = days;
    let mut year = 1970;
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        for (seconds, iso, log) in [
            (0, "1970-01-01T00:00:00Z", "01/Jan/1970:00:00:00 +0000"),
            (
                951_782_400,
                "2000-02-29T00:00:00Z",
                "29/Feb/2000:00:00:00 +0000",
            ),
            (
                1_583_348_638,
                "2020-03-04T19:03:58Z",
                "04/Mar/2020:19:03:58 +0000",
            ),
            (
                4_107_542_399,
                "2100-02-28T23:59:59Z",
                "28/Feb/2100:23:59:59 +0000",
            ),
            (
                4_107_542_400,
                "2100-03-01T00:00:00Z",
                "01/Mar/2100:00:00:00 +0000",
            ),
        ] {
            assert_eq!(iso8601(seconds), iso);
            assert_eq!(common_log(seconds), log);
        }
    }
}
