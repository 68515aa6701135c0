//! Calendars: when somebody is there, and until or from when.

use super::{DateRange, Window};
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// Days ahead in which the next opening or closing is sought: the longest stretch of closed days
/// and a month. Beyond it, nobody needs to be told.
pub const HORIZON_DAYS: i32 = super::dates::CLOSED_DAYS_MAX + 31;

/// When somebody is there.
///
/// Windows are local wall time in the zone. Where the clock is put forward over a time, that time
/// stands for the next instant there is; where it is put back over a time, for the first of the two.
/// A window belongs to the day on which it begins, also when it ends after midnight: a closed day
/// cancels the windows that begin on it, and no others.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    /// When somebody is there. In a plan: at least one, and no two overlap.
    pub open: Vec<Window>,
    /// Days on which no window begins.
    pub closed_on: Vec<DateRange>,
    /// Zone of windows and days.
    pub timezone: TimeZone,
}

/// Whether somebody is there at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Somebody is there.
    Open {
        /// First instant at which nobody is. `None` when that is more than [`HORIZON_DAYS`] away.
        closes_at: Option<Timestamp>,
    },
    /// Nobody is there.
    Closed {
        /// Why not.
        why: Closed,
        /// First instant at which somebody is. `None` when that is more than [`HORIZON_DAYS`] away.
        opens_at: Option<Timestamp>,
    },
}

/// Why nobody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// It is that closed day, or a window which would have begun on it is cancelled.
    Holiday(Date),
    /// No window at this time of the week.
    OutsideHours,
}

impl Opening {
    /// Whether somebody is there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open { .. })
    }
}

impl Calendar {
    /// Whether somebody is there at `now`. Pure: reads no clock.
    #[must_use]
    pub fn open_at(&self, now: Timestamp) -> Opening {
        let today = self.timezone.to_datetime(now).date();
        let mut until: Option<Timestamp> = None;
        let mut cancelled: Option<Date> = None;
        let mut opens_at: Option<Timestamp> = None;
        'days: for day in days_from(today) {
            let closed = self.is_closed_on(day);
            if closed && cancelled.is_some() {
                continue;
            }
            for (start, end) in self.windows_of(day) {
                if closed {
                    if start <= now && now < end {
                        cancelled = Some(day);
                    }
                    continue;
                }
                match until {
                    None if end <= now => {}
                    None if start <= now => until = Some(end),
                    None => {
                        opens_at = Some(start);
                        break 'days;
                    }
                    // Windows that touch are one: nobody hears "closed" in between.
                    Some(open) if start <= open => until = Some(open.max(end)),
                    Some(closes) => {
                        return Opening::Open {
                            closes_at: Some(closes),
                        };
                    }
                }
            }
        }
        if until.is_some() {
            return Opening::Open { closes_at: None };
        }
        let holiday = cancelled.or_else(|| self.is_closed_on(today).then_some(today));
        let why = holiday.map_or(Closed::OutsideHours, Closed::Holiday);
        Opening::Closed { why, opens_at }
    }

    fn is_closed_on(&self, day: Date) -> bool {
        self.closed_on.iter().any(|days| days.contains(day))
    }

    /// The windows that begin on a day, as instants, by their beginning.
    fn windows_of(&self, day: Date) -> Vec<(Timestamp, Timestamp)> {
        let weekday = day.weekday();
        let windows = self.open.iter().filter(|w| w.starts_on(weekday));
        let mut times: Vec<_> = windows
            .filter_map(|w| {
                let start = self.instant(day, w.start_minute())?;
                let end = self.instant(day, w.end_minute())?;
                // Begins and ends in an hour that is left out: does not take place.
                (start < end).then_some((start, end))
            })
            .collect();
        times.sort_unstable();
        times
    }

    fn instant(&self, day: Date, minutes: u16) -> Option<Timestamp> {
        let midnight = day.to_datetime(Time::midnight());
        let wall = midnight.checked_add(i64::from(minutes).minutes()).ok()?;
        instant(&self.timezone, wall)
    }
}

/// First instant at which the clock of a zone shows this time or a later one. `None` at the end of
/// all time. A time that comes twice means its first coming, one that is left out the moment at
/// which it is.
#[must_use]
pub fn instant(timezone: &TimeZone, wall: DateTime) -> Option<Timestamp> {
    let ambiguous = timezone.to_ambiguous_timestamp(wall);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { after, .. } => {
            // With the offset of afterwards, a time that is left out lies before the change.
            let before = after.to_timestamp(wall).ok()?;
            let mut changes = timezone.following(before);
            changes.find(|c| c.offset() == after).map(|c| c.timestamp())
        }
        _ => ambiguous.compatible().ok(),
    }
}

/// The day before, whose windows may still be open, and all days to the horizon.
fn days_from(today: Date) -> impl Iterator<Item = Date> {
    (-1..=HORIZON_DAYS).filter_map(move |days| today.checked_add(days.days()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Weekday, date};
    use jiff::tz::TimeZoneDatabase;
    use proptest::prelude::*;

    fn hours(zone: &str, open: &[&str], closed_on: &[&str]) -> Calendar {
        Calendar {
            open: open.iter().map(|text| text.parse().unwrap()).collect(),
            closed_on: closed_on.iter().map(|text| text.parse().unwrap()).collect(),
            timezone: TimeZoneDatabase::bundled().get(zone).unwrap(),
        }
    }

    /// Shows an opening with UTC times to the minute: `open to 12-25T09:00`.
    fn show(opening: Opening) -> String {
        let time = |at: Option<Timestamp>| {
            at.map_or("?".to_owned(), |at| at.strftime("%m-%dT%H:%M").to_string())
        };
        match opening {
            Opening::Open { closes_at } => format!("open to {}", time(closes_at)),
            Opening::Closed {
                why: Closed::OutsideHours,
                opens_at,
            } => {
                format!("closed to {}", time(opens_at))
            }
            Opening::Closed {
                why: Closed::Holiday(day),
                opens_at,
            } => {
                format!("holiday {} to {}", day.strftime("%m-%d"), time(opens_at))
            }
        }
    }

    fn check(zone: &str, open: &[&str], closed_on: &[&str], rows: &[(&str, &str)]) {
        let hours = hours(zone, open, closed_on);
        for (now, expected) in rows {
            let at: Timestamp = format!("{now}Z").parse().unwrap();
            assert_eq!(show(hours.open_at(at)), *expected, "{zone} {open:?} {now}");
        }
    }

    #[test]
    fn office_hours_are_open_from_the_first_minute_to_before_the_last() {
        check(
            "Europe/London",
            &["Mon-Fri 09:00-17:30", "Sat 10:00-12:00"],
            &[],
            &[
                // Friday in summer: an hour before UTC.
                ("2026-07-10T07:59:59.999", "closed to 07-10T08:00"),
                ("2026-07-10T08:00:00", "open to 07-10T16:30"),
                ("2026-07-10T16:29:59.999", "open to 07-10T16:30"),
                ("2026-07-10T16:30:00", "closed to 07-11T09:00"),
                ("2026-07-11T11:00:00", "closed to 07-13T08:00"),
            ],
        );
    }

    #[test]
    fn a_closed_day_cancels_what_begins_on_it_and_nothing_else() {
        check(
            "UTC",
            &["daily 22:00-02:00"],
            &["2026-12-25"],
            &[
                ("2026-12-25T01:00:00", "open to 12-25T02:00"),
                ("2026-12-25T12:00:00", "holiday 12-25 to 12-26T22:00"),
                ("2026-12-25T23:00:00", "holiday 12-25 to 12-26T22:00"),
                ("2026-12-26T01:00:00", "holiday 12-25 to 12-26T22:00"),
                ("2026-12-26T12:00:00", "closed to 12-26T22:00"),
            ],
        );
        check(
            "UTC",
            &["daily 00:00-24:00"],
            &["2026-12-24/2026-12-26"],
            &[
                ("2026-12-01T12:00:00", "open to 12-24T00:00"),
                ("2026-12-24T00:00:00", "holiday 12-24 to 12-27T00:00"),
                ("2026-12-26T23:59:59", "holiday 12-26 to 12-27T00:00"),
                ("2026-12-27T00:00:00", "open to ?"),
            ],
        );
    }

    #[test]
    fn windows_that_touch_are_one() {
        check(
            "UTC",
            &["Fri 22:00-24:00", "Sat 00:00-02:00", "Sat 02:00-03:00"],
            &[],
            &[("2026-07-10T23:00:00", "open to 07-11T03:00")],
        );
        check(
            "UTC",
            &["Sun 20:00-04:00", "Mon 04:00-05:00"],
            &[],
            &[
                ("2026-07-12T21:00:00", "open to 07-13T05:00"),
                ("2026-07-13T04:59:00", "open to 07-13T05:00"),
            ],
        );
    }

    #[test]
    fn hours_without_an_end_or_a_beginning_say_so() {
        check(
            "UTC",
            &["daily 00:00-24:00"],
            &[],
            &[("2026-01-01T00:00:00", "open to ?")],
        );
        check("UTC", &[], &[], &[("2026-01-01T00:00:00", "closed to ?")]);
        check(
            "UTC",
            &["Mon 09:00-10:00"],
            &["2026-01-01/2026-12-31"],
            &[("2026-01-01T09:00:00", "holiday 01-01 to 01-04T09:00")],
        );
    }

    #[test]
    fn london_leaves_out_an_hour_in_march_and_repeats_one_in_october() {
        // 2026-03-29: 01:00 to 02:00 does not exist. 2026-10-25: 01:00 to 02:00 comes twice.
        let zone = "Europe/London";
        check(
            zone,
            &["Sun 01:30-03:00"],
            &[],
            &[
                ("2026-03-29T00:59:59", "closed to 03-29T01:00"),
                ("2026-03-29T01:00:00", "open to 03-29T02:00"),
                ("2026-10-25T00:29:59", "closed to 10-25T00:30"),
                ("2026-10-25T00:30:00", "open to 10-25T03:00"),
            ],
        );
        check(
            zone,
            &["Sun 00:30-01:30"],
            &[],
            &[
                ("2026-03-29T00:30:00", "open to 03-29T01:00"),
                ("2026-10-24T23:30:00", "open to 10-25T00:30"),
                // The second half past one is not a second opening.
                ("2026-10-25T01:00:00", "closed to 11-01T00:30"),
            ],
        );
        // All of it left out: no such window in that week.
        check(
            zone,
            &["Sun 01:15-01:45"],
            &[],
            &[("2026-03-28T12:00:00", "closed to 04-05T00:15")],
        );
        // All of it repeated: open once.
        check(
            zone,
            &["Sun 01:15-01:45"],
            &[],
            &[
                ("2026-10-25T00:20:00", "open to 10-25T00:45"),
                ("2026-10-25T01:20:00", "closed to 11-01T01:15"),
            ],
        );
    }

    #[test]
    fn new_york_is_open_overnight_through_both_changes() {
        // 2026-03-08 and 2026-11-01, both at 02:00.
        check(
            "America/New_York",
            &["Sat 22:00-06:00"],
            &[],
            &[
                ("2026-03-08T04:00:00", "open to 03-08T10:00"),
                ("2026-11-01T04:00:00", "open to 11-01T11:00"),
            ],
        );
        check(
            "America/New_York",
            &["Sat 22:00-02:30"],
            &[],
            &[
                ("2026-03-08T06:59:59", "open to 03-08T07:00"),
                ("2026-11-01T06:30:00", "open to 11-01T07:30"),
            ],
        );
    }

    #[test]
    fn lord_howe_changes_by_half_an_hour() {
        // 2026-04-05 at 02:00 back to 01:30 (+11 to +10:30); 2026-10-04 at 02:00 on to 02:30.
        check(
            "Australia/Lord_Howe",
            &["Sun 02:15-03:00"],
            &[],
            &[
                ("2026-10-03T15:29:59", "closed to 10-03T15:30"),
                ("2026-10-03T15:30:00", "open to 10-03T16:00"),
            ],
        );
        check(
            "Australia/Lord_Howe",
            &["Sun 01:45-02:00"],
            &[],
            &[("2026-04-04T14:45:00", "open to 04-04T15:30")],
        );
    }

    #[test]
    fn in_santiago_a_day_begins_at_one() {
        // 2026-09-06 has no 00:00 to 01:00; 2026-04-04 has 23:00 to 24:00 twice.
        check(
            "America/Santiago",
            &["Sun 00:00-02:00"],
            &[],
            &[
                ("2026-09-06T03:59:59", "closed to 09-06T04:00"),
                ("2026-09-06T04:00:00", "open to 09-06T05:00"),
            ],
        );
        check(
            "America/Santiago",
            &["Sat 22:00-24:00"],
            &[],
            &[
                ("2026-04-05T03:30:00", "open to 04-05T04:00"),
                ("2026-09-06T03:30:00", "open to 09-06T04:00"),
            ],
        );
        check(
            "America/Santiago",
            &["daily 00:00-24:00"],
            &["2026-09-06"],
            &[("2026-09-06T04:00:00", "holiday 09-06 to 09-07T03:00")],
        );
    }

    #[test]
    fn a_zone_whose_offset_changed_keeps_its_wall_time() {
        // Pyongyang went from +9 to +8:30 on 2015-08-15 and back on 2018-05-04 at 23:30.
        check(
            "Asia/Pyongyang",
            &["daily 09:00-10:00"],
            &[],
            &[
                ("2015-08-13T23:30:00", "closed to 08-14T00:00"),
                ("2015-08-15T00:30:00", "open to 08-15T01:30"),
                ("2018-05-04T00:30:00", "open to 05-04T01:30"),
                ("2018-05-05T00:00:00", "open to 05-05T01:00"),
            ],
        );
        // Samoa had no 2011-12-30 at all: a Friday's window is not there, and Saturday follows.
        check(
            "Pacific/Apia",
            &["Thu-Sat 09:00-10:00"],
            &[],
            &[("2011-12-29T20:00:00", "closed to 12-30T19:00")],
        );
    }

    #[test]
    fn the_ends_of_time_are_times_like_others() {
        for zone in ["UTC", "Pacific/Kiritimati", "America/Santiago"] {
            let hours = hours(zone, &["daily 00:00-24:00", "Sun 22:00-02:00"], &[]);
            for now in [Timestamp::MIN, Timestamp::MAX] {
                let _ = hours.open_at(now);
            }
        }
    }

    /// The same by brute force: minute after minute, with nothing but the clock on the wall.
    struct Model {
        /// Instant, time on the wall, open.
        minutes: Vec<(Timestamp, DateTime, bool)>,
    }

    /// Days on either side of the middle that the model knows.
    const MODEL_DAYS: i64 = 4;

    impl Model {
        fn new(hours: &Calendar, middle: Timestamp) -> Self {
            let span = MODEL_DAYS * 24 * 60;
            let wall = |m: i64| {
                let at = middle + m.minutes();
                (at, hours.timezone.to_datetime(at), false)
            };
            let mut minutes: Vec<_> = (-span..span).map(wall).collect();
            let first = |minutes: &[(Timestamp, DateTime, bool)], wall: DateTime| {
                minutes
                    .iter()
                    .position(|m| m.1 >= wall)
                    .unwrap_or(minutes.len())
            };
            let mut day = minutes[0].1.date();
            while day <= minutes[minutes.len() - 1].1.date() {
                let closed = hours.closed_on.iter().any(|days| days.contains(day));
                for window in hours
                    .open
                    .iter()
                    .filter(|w| !closed && w.starts_on(day.weekday()))
                {
                    let wall = |minute: u16| day.at(0, 0, 0, 0) + i64::from(minute).minutes();
                    let from = first(&minutes, wall(window.start_minute()));
                    let to = first(&minutes, wall(window.end_minute()));
                    for minute in &mut minutes[from..to.max(from)] {
                        minute.2 = true;
                    }
                }
                day = day.tomorrow().unwrap();
            }
            Self { minutes }
        }

        fn next_change(&self, from: usize) -> Option<Timestamp> {
            let now = self.minutes[from].2;
            self.minutes[from..]
                .iter()
                .find(|m| m.2 != now)
                .map(|m| m.0)
        }
    }

    fn any_window() -> impl Strategy<Value = String> {
        let days =
            prop::sample::select(vec!["daily", "Mon-Fri", "Sat,Sun", "Sun", "Sat", "Wed,Sun"]);
        let quarter = |n: u32| format!("{:02}:{:02}", n / 4, n % 4 * 15);
        (days, 0..96u32, 1..96u32).prop_map(move |(days, start, length)| {
            format!(
                "{days} {}-{}",
                quarter(start),
                quarter((start + length) % 96)
            )
        })
    }

    /// Midnights UTC on which some zone of the list changes its clock, and ordinary ones.
    fn any_middle() -> impl Strategy<Value = Timestamp> {
        let near = [
            (2026, 3, 29),
            (2026, 10, 25),
            (2026, 3, 8),
            (2026, 11, 1),
            (2026, 4, 5),
            (2026, 10, 4),
            (2026, 9, 6),
            (2015, 8, 15),
            (2018, 5, 4),
            (2011, 12, 30),
            (2026, 7, 1),
        ];
        (prop::sample::select(near.to_vec()), -1440..1440i64).prop_map(|((y, m, d), minutes)| {
            let midnight = date(y, m, d).to_zoned(TimeZone::UTC).unwrap();
            midnight.timestamp() + minutes.minutes()
        })
    }

    const ZONES: [&str; 9] = [
        "UTC",
        "Europe/London",
        "America/New_York",
        "Australia/Lord_Howe",
        "America/Santiago",
        "Asia/Pyongyang",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "Africa/Casablanca",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn open_at_agrees_with_a_walk_from_minute_to_minute(
            zone in prop::sample::select(ZONES.to_vec()),
            windows in prop::collection::vec(any_window(), 0..4),
            middle in any_middle(),
            holiday in prop::option::of(-2..3i32),
        ) {
            let mut hours = hours(zone, &[], &[]);
            hours.open = windows.iter().map(|text| text.parse().unwrap()).collect();
            if let Some(days) = holiday {
                let day = hours.timezone.to_datetime(middle).date() + days.days();
                hours.closed_on.push(DateRange::from(day));
            }
            let model = Model::new(&hours, middle);
            // The first day of the model does not know the windows of the day before.
            for at in (2 * 1440..model.minutes.len()).step_by(97) {
                let (now, wall, open) = model.minutes[at];
                let opening = hours.open_at(now);
                prop_assert_eq!(opening.is_open(), open, "{} {}", now, wall);
                let (Opening::Open { closes_at: change } | Opening::Closed { opens_at: change, .. }) = opening;
                match model.next_change(at) {
                    Some(expected) => prop_assert_eq!(change, Some(expected), "{} {}", now, wall),
                    None => {
                        let last = model.minutes[model.minutes.len() - 1].0;
                        prop_assert!(change.is_none_or(|at| at > last), "{} {:?}", now, change);
                    }
                }
            }
        }

        #[test]
        fn where_no_clock_changes_the_wall_alone_decides(
            windows in prop::collection::vec(any_window(), 0..4),
            minute in 0..200_000i64,
        ) {
            let mut hours = hours("Asia/Kathmandu", &[], &[]);
            hours.open = windows.iter().map(|text| text.parse().unwrap()).collect();
            let now = Timestamp::from_second(1_780_000_000 + minute * 60).unwrap();
            let wall = hours.timezone.to_datetime(now);
            let clock = u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap();
            let yesterday: Weekday = wall.weekday().previous();
            let open = hours.open.iter().any(|w| {
                w.starts_on(wall.weekday()) && (w.start_minute()..w.end_minute()).contains(&clock)
                    || w.starts_on(yesterday) && (w.start_minute()..w.end_minute()).contains(&(clock + 1440))
            });
            prop_assert_eq!(hours.open_at(now).is_open(), open, "{}", wall);
        }
    }
}
