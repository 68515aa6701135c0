//! The calls that a command is about, each with what the ledger says of it.

use super::desk::Desk;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use switchboard_shared::call::Call;
use switchboard_shared::ledger::Facts;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::plan::keep::LEDGER_KEEPS;
use switchboard_shared::store::Home;

/// Questions to the table under way at a time: enough that a month is there in a second, and far from
/// what a table on demand takes.
const AT_ONCE: usize = 16;

/// Which calls.
#[derive(Debug, Clone)]
pub(super) struct Chosen {
    pub(super) since: Timestamp,
    /// Calls that began then or later are left out.
    pub(super) until: Option<Timestamp>,
    /// Only calls to this number.
    pub(super) line: Option<String>,
    /// Only calls that are held.
    pub(super) held: bool,
}

impl Chosen {
    /// Reads them, oldest first.
    pub(super) async fn read(&self, desk: &Desk) -> anyhow::Result<Vec<(Call, Facts)>> {
        let calls = self.calls(desk).await?;
        let facts = stream::iter(calls).map(|call| async move {
            let events = desk.store.events(&Home::Leg(call.leg.clone())).await?;
            let facts = Facts::of(&call, &events);
            anyhow::Ok((call, facts))
        });
        facts.buffered(AT_ONCE).try_collect().await
    }

    /// The calls alone, oldest first.
    pub(super) async fn calls(&self, desk: &Desk) -> anyhow::Result<Vec<Call>> {
        let line = self
            .line
            .as_ref()
            .map(|text| PhoneNumber::parse(text).map_or(text.clone(), String::from));
        // Older ones the ledger has forgotten, but for those that are held.
        let now = Timestamp::now();
        let keeps = desk
            .plan()
            .await
            .map_or(LEDGER_KEEPS, |plan| plan.keep().ledger);
        let oldest = now.checked_sub(keeps.max(LEDGER_KEEPS))?;
        let held = desk.store.held().await?;
        let mut calls = Vec::new();
        if self.held || self.since < oldest {
            for held in held {
                let call = desk.store.call(&held.leg).await?;
                calls.extend(call.filter(|call| call.hold.is_some()));
            }
        }
        if !self.held {
            let utc = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
            let first = utc(self.since.max(oldest));
            let last = utc(self.until.unwrap_or(now).min(now));
            let days = first
                .series(jiff::ToSpan::day(1))
                .take_while(|day| *day <= last);
            let listed = stream::iter(days).map(|day| desk.store.calls_on(day));
            let listed: Vec<_> = listed.buffered(AT_ONCE).try_collect().await?;
            calls.extend(listed.into_iter().flatten());
        }
        calls.retain(|call| {
            call.at >= self.since
                && self.until.is_none_or(|until| call.at < until)
                && line.as_ref().is_none_or(|line| *line == call.line)
        });
        calls.sort_by(|a, b| (a.at, &a.leg).cmp(&(b.at, &b.leg)));
        calls.dedup_by(|a, b| a.leg == b.leg);
        Ok(calls)
    }
}

/// Reads a day by this machine's clock, or a moment.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day: Date = text
        .parse()
        .map_err(|_| "write it like 2026-11-01".to_owned())?;
    midnight(day).map_err(|error| error.to_string())
}

/// When a day begins by this machine's clock.
pub(super) fn midnight(day: Date) -> Result<Timestamp, jiff::Error> {
    Ok(day.to_zoned(TimeZone::system())?.timestamp())
}
