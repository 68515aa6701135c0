//! `switchboard export`: the ledger as tables for a spreadsheet, a row to each call and a row to each
//! event.

use super::chosen::{Chosen, moment};
use super::desk::Desk;
use super::sheet::{self, Cell};
use super::{Found, Global, show};
use anyhow::Context as _;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use switchboard_shared::call::Call;
use switchboard_shared::id::RecordingId;
use switchboard_shared::ledger::Facts;
use switchboard_shared::recording::Recording;
use switchboard_shared::store::LedgerEvent;

/// Calls looked up at a time.
const AT_ONCE: usize = 8;

/// Days exported unless asked otherwise: the longest month, and a little.
const DAYS: i64 = 31;

/// Write the ledger as tables for a spreadsheet: `calls.csv` with a row to each call, `events.csv` with
/// a row to each event.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// Print this table alone, and write no file.
    #[arg(value_enum)]
    table: Option<Which>,
    /// Folder to put the tables in.
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".",
        conflicts_with = "table"
    )]
    out: PathBuf,
    /// Only calls to this number.
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// Only calls since this day (2026-11-01) or moment; the last 31 days if left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only calls before this day or moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    /// A row to each call.
    Calls,
    /// A row to each event.
    Events,
}

/// A call with all that is kept with it.
#[derive(Serialize)]
pub(super) struct Exported {
    #[serde(flatten)]
    call: Call,
    #[serde(flatten)]
    facts: Facts,
    events: Vec<LedgerEvent>,
    recordings: Vec<Recording>,
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let desk = Desk::open(global).await?;
        let read = self.read(&desk).await;
        desk.close().await;
        let exported = read?;
        if global.json {
            show::json(&exported);
            return Ok(Found::Fine);
        }
        let calls = || exported.iter().map(call_row);
        let events = || exported.iter().flat_map(event_rows);
        match self.table {
            Some(Which::Calls) => sheet::print(call_columns(), calls())?,
            Some(Which::Events) => sheet::print(EVENT_COLUMNS, events())?,
            None => {
                let out = &self.out;
                std::fs::create_dir_all(out)
                    .with_context(|| format!("could not make {}", out.display()))?;
                write(&out.join("calls.csv"), call_columns(), calls())?;
                write(&out.join("events.csv"), EVENT_COLUMNS, events())?;
            }
        }
        Ok(Found::Fine)
    }

    async fn read(&self, desk: &Desk) -> anyhow::Result<Vec<Exported>> {
        let since = match self.since {
            Some(since) => since,
            None => Timestamp::now().checked_sub((24 * DAYS).hours())?,
        };
        let chosen = Chosen {
            since,
            until: self.until,
            line: self.line.clone(),
            held: false,
        };
        let calls = chosen.calls(desk).await?;
        let exported = stream::iter(calls).map(|call| async move {
            let looked = desk.store.looked_up(&call).await?;
            anyhow::Ok(Exported {
                facts: Facts::of(&call, &looked.events),
                events: looked.events,
                recordings: looked.recordings,
                call,
            })
        });
        exported.buffered(AT_ONCE).try_collect().await
    }
}

/// Writes a table whole or not at all: beside first, and renamed.
fn write<const N: usize>(
    path: &Path,
    headings: [&str; N],
    rows: impl Iterator<Item = [Cell; N]>,
) -> anyhow::Result<()> {
    let partial = path.with_extension("csv.part");
    let written = std::fs::File::create(&partial)
        .with_context(|| format!("could not write {}", partial.display()))?;
    sheet::csv(std::io::BufWriter::new(written), headings, rows)?;
    std::fs::rename(&partial, path)
        .with_context(|| format!("could not write {}", path.display()))?;
    show::line(&path.display().to_string());
    Ok(())
}

/// The columns of calls: for `calls --format csv`, and with the recordings behind them for the export.
pub(super) const COLUMNS: [&str; 17] = [
    "call",
    "conversation",
    "line",
    "from",
    "at",
    "ended",
    "status",
    "outcome",
    "took",
    "waited_seconds",
    "talked_seconds",
    "lasted_seconds",
    "cost",
    "consent",
    "voicemail",
    "held_since",
    "held_because",
];

/// Those, and the recordings.
fn call_columns() -> [&'static str; 18] {
    std::array::from_fn(|at| COLUMNS.get(at).copied().unwrap_or("recordings"))
}

const EVENT_COLUMNS: [&str; 16] = [
    "call",
    "at",
    "heard",
    "event",
    "leg",
    "conversation",
    "agent",
    "direction",
    "from",
    "to",
    "duration",
    "price",
    "reason",
    "digits",
    "speech",
    "recording",
];

/// A call as a row under [`COLUMNS`].
pub(super) fn row(call: &Call, facts: &Facts) -> [Cell; 17] {
    let lasting = |time: Option<SignedDuration>| Cell::maybe(time.map(|it| it.as_secs()));
    let took = facts.took.iter().map(|took| took.agent.as_str());
    [
        Cell::text(Some(call.leg.as_str())),
        Cell::text(Some(call.conversation.as_str())),
        Cell::text(Some(&call.line)),
        Cell::text(call.from.as_deref()),
        Cell::own(seconds(call.at)),
        Cell::maybe(call.ended.map(seconds)),
        Cell::text(Some(&facts.status)),
        Cell::own(outcome(facts)),
        Cell::own(took.collect::<Vec<_>>().join("; ")),
        lasting(facts.waited),
        Cell::own(facts.talked.as_secs()),
        lasting(facts.lasted),
        Cell::maybe(facts.cost),
        Cell::maybe(call.consent.map(|agreed| if agreed { "yes" } else { "no" })),
        Cell::text(call.voicemail.as_ref().map(RecordingId::as_str)),
        Cell::maybe(call.hold.as_ref().map(|hold| seconds(hold.since))),
        Cell::text(call.hold.as_ref().and_then(|hold| hold.reason.as_deref())),
    ]
}

/// A moment as spreadsheets read it: UTC, whole seconds.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The word for what became of a call.
pub(super) fn outcome(facts: &Facts) -> &'static str {
    use switchboard_shared::ledger::Outcome;
    match facts.outcome {
        Outcome::Ongoing => "ongoing",
        Outcome::Taken => "taken",
        Outcome::Voicemail => "voicemail",
        Outcome::Missed => "missed",
    }
}

fn call_row(exported: &Exported) -> [Cell; 18] {
    let recordings = exported.recordings.iter();
    let ids = recordings.map(|recording| recording.notice.recording.as_str());
    let mut cells = row(&exported.call, &exported.facts).to_vec();
    cells.push(Cell::Text(ids.collect::<Vec<_>>().join("; ")));
    cells
        .try_into()
        .expect("the columns of calls, and one for the recordings")
}

fn event_rows(exported: &Exported) -> impl Iterator<Item = [Cell; 16]> {
    exported
        .events
        .iter()
        .map(|event| event_row(&exported.call, event))
}

fn event_row(call: &Call, event: &LedgerEvent) -> [Cell; 16] {
    let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
    let said = |value: &Value| {
        Cell::Text(match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let reason = ["reason", "detail"].iter().map(|name| &body[name]);
    let reason = reason.into_iter().find(|value| !value.is_null());
    let digits = match &body["dtmf"] {
        Value::Object(dtmf) => dtmf.get("digits").unwrap_or(&Value::Null),
        keys => keys,
    };
    [
        Cell::text(Some(call.leg.as_str())),
        Cell::text(event.at.as_deref()),
        Cell::text(Some(&event.heard)),
        Cell::text(Some(&event.word)),
        Cell::text(event.leg.as_deref()),
        Cell::text(event.conversation.as_deref()),
        Cell::maybe(event.agent.as_ref()),
        said(&body["direction"]),
        said(&body["from"]),
        said(&body["to"]),
        said(&body["duration"]),
        said(&body["price"]),
        said(reason.unwrap_or(&Value::Null)),
        said(digits),
        said(&body["speech"]["results"][0]["text"]),
        said(&body["recording_uuid"]),
    ]
}
