//! Windows: the hours of a week when somebody is there.

use super::fault::{self, Wrong, did_you_mean, quoted};
use jiff::civil::Weekday;
use std::str::FromStr;

/// Minutes of a day on which the clock is not changed.
const DAY: u16 = 24 * 60;

/// Minutes of a week.
const WEEK: u16 = 7 * DAY;

/// Days as a plan names them, in order.
const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// A stretch of time that comes back on some days of the week: `Mon-Fri 09:00-17:30`.
///
/// Days are one (`Sat`), a list (`Mon,Wed`), a range (`Mon-Fri`), a mixture (`Mon-Wed,Fri`) or
/// `daily`. Times are local wall time; `24:00` is midnight at the end of the day. Where the second
/// time is not after the first, the window ends on the day after, and belongs to the day on which it
/// begins: `Fri 22:00-02:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    days: [bool; 7],
    /// Minutes from midnight, below [`DAY`].
    start: u16,
    /// Minutes from the same midnight: after `start`, by at most a day.
    end: u16,
}

impl Window {
    /// Whether a window begins on that day of the week.
    #[must_use]
    pub fn starts_on(&self, day: Weekday) -> bool {
        self.days[usize::from(day.to_monday_zero_offset().unsigned_abs())]
    }

    /// When it begins: minutes after the midnight with which its day begins, 0 to 1439.
    #[must_use]
    pub fn start_minute(&self) -> u16 {
        self.start
    }

    /// When it ends: minutes after the midnight with which its day begins. More than 1440 when it
    /// ends on the day after; always after the start, and by at most 1440.
    #[must_use]
    pub fn end_minute(&self) -> u16 {
        self.end
    }

    /// Minutes of the week from Monday's midnight, begin and end. The last may go beyond the week.
    fn in_week(&self) -> impl Iterator<Item = (u16, u16)> {
        let (start, end) = (self.start, self.end);
        let starts = (0..WEEK).step_by(usize::from(DAY)).zip(self.days);
        starts
            .filter(|&(_, on)| on)
            .map(move |(midnight, _)| (midnight + start, midnight + end))
    }
}

/// Pairs of windows that share a time, by position, the later one of the list first. Each window is
/// first of at most one pair.
pub(super) fn overlaps(windows: &[Window]) -> Vec<(usize, usize)> {
    let mut times: Vec<(u16, u16, usize)> = Vec::new();
    for (position, window) in windows.iter().enumerate() {
        for (start, end) in window.in_week() {
            times.push((start, end, position));
            if end > WEEK {
                // From Sunday into Monday: the part in the new week stands at its start as well.
                times.push((0, end - WEEK, position));
            }
        }
    }
    times.sort_unstable();
    let mut partner = vec![None; windows.len()];
    // Of all that began before, the one that lasts longest meets whatever meets any of them.
    let mut longest: Option<(u16, usize)> = None;
    for (start, end, position) in times {
        if let Some((_, other)) = longest.filter(|&(until, p)| start < until && p != position) {
            partner[position.max(other)].get_or_insert(position.min(other));
        }
        if longest.is_none_or(|(until, _)| until < end) {
            longest = Some((end, position));
        }
    }
    let found = partner.iter().enumerate();
    found
        .filter_map(|(later, earlier)| earlier.map(|earlier| (later, earlier)))
        .collect()
}

impl FromStr for Window {
    type Err = Wrong;

    fn from_str(text: &str) -> Result<Self, Wrong> {
        let mut parts = text.split_whitespace();
        let (Some(days), Some(times), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed(text));
        };
        let (start, end) = times.split_once('-').ok_or_else(|| malformed(text))?;
        let days = read_days(days)?;
        let (start, end) = (read_time(start)?, read_time(end)?);
        if start == end {
            return Err(Wrong::new(
                format!(
                    "the window {} never opens: it ends when it begins",
                    quoted(text)
                ),
                "for a whole day write 00:00-24:00",
            ));
        }
        if start == DAY {
            return Err(Wrong::new(
                format!("the window {} begins at 24:00", quoted(text)),
                "write 00:00 and the day after",
            ));
        }
        let end = if end < start { end + DAY } else { end };
        Ok(Self { days, start, end })
    }
}

fn malformed(text: &str) -> Wrong {
    Wrong::new(
        format!("{} is no window", quoted(text)),
        "write days, one space and times: \"Mon-Fri 09:00-17:30\", \"Mon,Wed 09:00-12:00\" or \"daily 00:00-24:00\"",
    )
}

fn read_days(text: &str) -> Result<[bool; 7], Wrong> {
    if text.eq_ignore_ascii_case("daily") {
        return Ok([true; 7]);
    }
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            None => {
                let day = read_day(part)?;
                (day, day)
            }
            Some((first, last)) => {
                let (first, last) = (read_day(first)?, read_day(last)?);
                if first == last {
                    return Err(Wrong::new(
                        format!("the days {} begin and end with the same day", quoted(part)),
                        format!("write \"{}\" for the one day, or \"daily\"", NAMES[first]),
                    ));
                }
                (first, last)
            }
        };
        let length = (last + 7 - first) % 7;
        for day in (0..=length).map(|step| (first + step) % 7) {
            if days[day] {
                return Err(Wrong::new(
                    format!("the days {} name {} twice", quoted(text), NAMES[day]),
                    "name each day once",
                ));
            }
            days[day] = true;
        }
    }
    Ok(days)
}

fn read_day(text: &str) -> Result<usize, Wrong> {
    let named = NAMES
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text));
    named.ok_or_else(|| {
        // "Monday", "Tues" and the like begin as the day's name here does.
        let whole = NAMES.iter().copied().find(|name| {
            text.get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        let advice = whole.or_else(|| fault::nearest(text, NAMES)).map_or_else(
            || format!("days are {} and daily", NAMES.join(", ")),
            did_you_mean,
        );
        Wrong::new(format!("{} is no day of the week", quoted(text)), advice)
    })
}

/// Minutes after midnight, to 24:00.
fn read_time(text: &str) -> Result<u16, Wrong> {
    let wrong = || {
        let padded = format!("0{text}");
        let advice = match two_by_two(&padded) {
            Some(_) => format!("write {padded}"),
            None => "write hours and minutes, 00:00 to 24:00, as in 09:00".to_owned(),
        };
        Wrong::new(format!("{} is no time of day", quoted(text)), advice)
    };
    two_by_two(text).ok_or_else(wrong)
}

fn two_by_two(text: &str) -> Option<u16> {
    let &[h1, h2, b':', m1, m2] = text.as_bytes() else {
        return None;
    };
    let digit = |b: u8| b.is_ascii_digit().then(|| u16::from(b - b'0'));
    let (hour, minute) = (digit(h1)? * 10 + digit(h2)?, digit(m1)? * 10 + digit(m2)?);
    let time = hour * 60 + minute;
    (minute < 60 && time <= DAY).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    fn days(window: Window) -> String {
        let letters = "MTWTFSS".chars().zip(window.days);
        letters.map(|(c, on)| if on { c } else { '.' }).collect()
    }

    #[test]
    fn windows_are_read_in_every_form_the_plan_allows() {
        for (text, on, start, end) in [
            ("Mon-Fri 09:00-17:30", "MTWTF..", 540, 1050),
            ("Sat 10:00-12:00", ".....S.", 600, 720),
            ("Fri 22:00-02:00", "....F..", 1320, 1560),
            ("Mon,Wed 09:00-12:00", "M.W....", 540, 720),
            ("Mon-Wed,Fri 09:00-12:00", "MTW.F..", 540, 720),
            ("Fri-Mon 09:00-12:00", "M...FSS", 540, 720),
            ("daily 00:00-24:00", "MTWTFSS", 0, 1440),
            ("mon 22:00-00:00", "M......", 1320, 1440),
            ("Mon 22:00-24:00", "M......", 1320, 1440),
            ("  Sun   23:59-23:58 ", "......S", 1439, 2878),
        ] {
            let window = window(text);
            assert_eq!(
                (days(window).as_str(), window.start, window.end),
                (on, start, end),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_window_is_refused_with_what_to_write() {
        for (text, part) in [
            ("", "is no window"),
            ("Mon-Fri", "is no window"),
            ("Mon 09:00", "is no window"),
            ("Mon 09:00 - 17:00", "is no window"),
            ("09:00-17:00 Mon", "is no window"),
            ("Mon,,Tue 09:00-17:00", "is no day"),
            ("Mon-Mon 09:00-17:00", "same day"),
            ("Mon-Wed,Tue 09:00-17:00", "name Tue twice"),
            ("Mon 9:00-17:00", "is no time"),
            ("Mon 09:60-17:00", "is no time"),
            ("Mon 09:00-24:01", "is no time"),
            ("Mon 09:00-17:00:00", "is no time"),
            ("Mon 09:00–17:00", "is no window"),
            ("Mon 24:00-02:00", "begins at 24:00"),
            ("Mon 09:00-09:00", "never opens"),
        ] {
            let wrong = text.parse::<Window>().unwrap_err();
            assert!(wrong.message.contains(part), "{text}: {wrong}");
        }
        let advice = |text: &str| text.parse::<Window>().unwrap_err().advice.unwrap();
        assert_eq!(advice("Thurs 09:00-17:00"), "did you mean \"Thu\"?");
        assert_eq!(advice("Mno 09:00-17:00"), "did you mean \"Mon\"?");
        assert_eq!(advice("Mon 9:00-17:00"), "write 09:00");
    }

    #[test]
    fn windows_overlap_where_they_share_a_minute() {
        for (texts, expected) in [
            (vec!["Mon-Fri 09:00-12:00", "Mon-Fri 12:00-17:00"], vec![]),
            (
                vec!["Mon-Fri 09:00-12:01", "Mon-Fri 12:00-17:00"],
                vec![(1, 0)],
            ),
            (vec!["Sun 22:00-02:00", "Mon 01:00-03:00"], vec![(1, 0)]),
            (vec!["Mon 01:00-03:00", "Sun 22:00-02:00"], vec![(1, 0)]),
            (vec!["Sun 22:00-02:00", "Mon 02:00-03:00"], vec![]),
            (vec!["daily 00:00-24:00", "Sat 10:00-11:00"], vec![(1, 0)]),
            (vec!["daily 08:00-07:59"], vec![]),
            (
                vec![
                    "Mon 08:00-20:00",
                    "Mon 09:00-10:00",
                    "Mon 11:00-12:00",
                    "Tue 08:00-09:00",
                ],
                vec![(1, 0), (2, 0)],
            ),
        ] {
            let windows: Vec<Window> = texts.iter().map(|text| window(text)).collect();
            assert_eq!(overlaps(&windows), expected, "{texts:?}");
        }
    }

    fn any_window() -> impl Strategy<Value = Window> {
        let minutes = (0..DAY, 1..=DAY);
        (any::<[bool; 7]>(), minutes).prop_map(|(days, (start, length))| Window {
            days,
            start,
            end: start + length.min(DAY - 1),
        })
    }

    fn covers(window: Window, minute: u16) -> bool {
        window.in_week().any(|(start, end)| {
            (start..end).contains(&minute) || (start..end).contains(&(minute + WEEK))
        })
    }

    proptest! {
        #[test]
        fn overlaps_are_found_exactly_when_two_windows_share_a_minute(
            windows in prop::collection::vec(any_window(), 0..4)
        ) {
            let shared = (0..WEEK).any(|m| windows.iter().filter(|w| covers(**w, m)).count() > 1);
            let found = overlaps(&windows);
            prop_assert_eq!(!found.is_empty(), shared);
            for (one, other) in found {
                prop_assert!((0..WEEK).any(|m| covers(windows[one], m) && covers(windows[other], m)));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), near in "[MonTueé]{0,4}[,-]?[a-zé]{0,3} [0-9:é-]{0,12}") {
            let _ = text.parse::<Window>();
            let _ = near.parse::<Window>();
        }
    }
}
