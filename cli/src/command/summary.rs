//! `switchboard summary`: how a day or a week went.

use super::chosen::{Chosen, midnight};
use super::desk::Desk;
use super::sheet::{self, Cell, Format};
use super::{Found, Global, show};
use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};
use serde::Serialize;
use switchboard_shared::ledger::{ANSWERED_WITHIN, Summary as Sum};

/// Sum up the calls of a day or a week.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("span"))]
pub(super) struct Summary {
    /// A day by this machine's clock; today if nothing is said.
    #[arg(long, value_name = "DATE", group = "span", num_args = 0..=1, default_missing_value = "today", value_parser = day)]
    day: Option<Date>,
    /// The week, Monday to Sunday, that a day is in; this week if no day is said.
    #[arg(long, value_name = "DATE", group = "span", num_args = 0..=1, default_missing_value = "today", value_parser = day)]
    week: Option<Date>,
    /// Only calls to this number.
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Summed<'s> {
    since: Timestamp,
    until: Timestamp,
    #[serde(flatten)]
    sum: &'s Sum,
}

impl Summary {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let (first, after) = self.days()?;
        let (since, until) = (midnight(first)?, midnight(after)?);
        let desk = Desk::open(global).await?;
        let chosen = Chosen {
            since,
            until: Some(until),
            line: self.line,
            held: false,
        };
        let read = chosen.read(&desk).await;
        desk.close().await;
        let calls = read?;
        let sum = Sum::of(calls.iter().map(|(_, facts)| facts));
        match Format::of(self.format, global) {
            Format::Json => show::json(&Summed {
                since,
                until,
                sum: &sum,
            }),
            Format::Csv => print_csv(first, after, &sum)?,
            Format::Table => print_table(first, after, &sum),
        }
        Ok(Found::Fine)
    }

    /// The first day, and the one after the last.
    fn days(&self) -> anyhow::Result<(Date, Date)> {
        if let Some(day) = self.week {
            let ago = i64::from(day.weekday().since(Weekday::Monday));
            let monday = day.checked_sub(ago.days())?;
            return Ok((monday, monday.checked_add(7.days())?));
        }
        let day = self.day.unwrap_or_else(today);
        Ok((day, day.tomorrow()?))
    }
}

fn print_csv(first: Date, after: Date, sum: &Sum) -> anyhow::Result<()> {
    let seconds = |time: Option<SignedDuration>| Cell::maybe(time.map(|time| time.as_secs()));
    let took = sum
        .took
        .iter()
        .map(|(agent, calls)| format!("{agent} {calls}"));
    let row = [
        Cell::own(first),
        Cell::own(after),
        Cell::own(sum.calls),
        Cell::own(sum.taken),
        Cell::own(sum.in_time),
        Cell::own(sum.voicemails),
        Cell::own(sum.missed),
        Cell::own(sum.ongoing),
        seconds(sum.mean_wait),
        seconds(sum.longest_wait),
        Cell::own(sum.talked.as_secs()),
        Cell::maybe(sum.cost),
        Cell::own(took.collect::<Vec<_>>().join("; ")),
    ];
    let headings = [
        "since",
        "until",
        "calls",
        "taken",
        "in_time",
        "voicemails",
        "missed",
        "ongoing",
        "mean_wait_seconds",
        "longest_wait_seconds",
        "talked_seconds",
        "cost",
        "took",
    ];
    sheet::print(headings, [row])
}

fn print_table(first: Date, after: Date, sum: &Sum) {
    let last = after.yesterday().unwrap_or(after);
    let span = if first == last {
        first.to_string()
    } else {
        format!("{first} to {last}")
    };
    let within = ANSWERED_WITHIN.as_secs();
    let time = |time: Option<SignedDuration>| time.map(duration).unwrap_or_default();
    let mut rows = vec![
        ["calls".to_owned(), sum.calls.to_string()],
        ["taken".to_owned(), sum.taken.to_string()],
        [
            format!("taken within {within} s"),
            share(sum.in_time, sum.taken),
        ],
        ["voicemails".to_owned(), sum.voicemails.to_string()],
        ["missed".to_owned(), share(sum.missed, sum.calls)],
        ["going on".to_owned(), sum.ongoing.to_string()],
        ["mean wait".to_owned(), time(sum.mean_wait)],
        ["longest wait".to_owned(), time(sum.longest_wait)],
        ["talk time".to_owned(), duration(sum.talked)],
        [
            "cost".to_owned(),
            sum.cost.map(|cost| cost.to_string()).unwrap_or_default(),
        ],
    ];
    rows.extend(
        sum.took
            .iter()
            .map(|(agent, calls)| [format!("taken by {agent}"), calls.to_string()]),
    );
    show::table(["", &span], rows, "");
}

/// So many of all, in percent as well.
fn share(some: usize, all: usize) -> String {
    match (some * 100 + all / 2).checked_div(all) {
        Some(percent) => format!("{some} ({percent} %)"),
        None => some.to_string(),
    }
}

/// A time as a person writes it: `1:02:03`, or `2:03` below an hour.
pub(super) fn duration(time: SignedDuration) -> String {
    let (minutes, seconds) = (time.as_secs() / 60, time.as_secs() % 60);
    match minutes / 60 {
        0 => format!("{minutes}:{seconds:02}"),
        hours => format!("{hours}:{:02}:{seconds:02}", minutes % 60),
    }
}

fn today() -> Date {
    Zoned::now().date()
}

fn day(text: &str) -> Result<Date, String> {
    match text {
        "today" => Ok(today()),
        "yesterday" => today().yesterday().map_err(|error| error.to_string()),
        _ => text
            .parse()
            .map_err(|_| "write it like 2026-11-01, today or yesterday".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_begins_on_monday() {
        let summary = |day: Option<&str>, week: Option<&str>| Summary {
            day: day.map(|text| text.parse().unwrap()),
            week: week.map(|text| text.parse().unwrap()),
            line: None,
            format: Format::Table,
        };
        for (day, week, first, after) in [
            (Some("2026-11-28"), None, "2026-11-28", "2026-11-29"),
            (None, Some("2026-11-23"), "2026-11-23", "2026-11-30"),
            (None, Some("2026-11-28"), "2026-11-23", "2026-11-30"),
            (None, Some("2026-11-29"), "2026-11-23", "2026-11-30"),
            (None, Some("2027-01-01"), "2026-12-28", "2027-01-04"),
        ] {
            let (from, to) = summary(day, week).days().unwrap();
            assert_eq!(
                (from.to_string(), to.to_string()),
                (first.into(), after.into())
            );
        }
    }

    #[test]
    fn times_and_shares_are_written_as_people_do() {
        for (seconds, written) in [(0, "0:00"), (9, "0:09"), (83, "1:23"), (3723, "1:02:03")] {
            assert_eq!(duration(SignedDuration::from_secs(seconds)), written);
        }
        assert_eq!(share(1, 3), "1 (33 %)");
        assert_eq!(share(2, 3), "2 (67 %)");
        assert_eq!(share(0, 0), "0");
    }
}
