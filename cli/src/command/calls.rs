//! `switchboard calls`: the ledger.

use super::desk::Desk;
use super::{Found, Global, show};
use anyhow::{Context as _, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use switchboard_shared::call::{self, Call};
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::recording::Recording;
use switchboard_shared::store::{Home, LEDGER_KEEPS, LedgerEvent};
use switchboard_shared::webhook::CallStatus;

/// Days listed unless asked otherwise.
const DAYS: i64 = 7;

/// List calls, or show one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Calls {
    #[command(subcommand)]
    show: Option<Show>,
    /// Only calls to this number.
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// Only calls since this day (2026-11-01) or moment; the last seven days if left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only calls with this status: started, ringing, answered, completed, failed …
    #[arg(long)]
    status: Option<String>,
}

#[derive(Debug, clap::Subcommand)]
enum Show {
    /// Show one call from first ring to last hang-up.
    Show {
        /// The caller's leg, or a conversation the call was in (CON-…).
        id: String,
    },
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    call: &'a Call,
    status: &'a str,
}

#[derive(Serialize)]
struct Shown<'a> {
    call: Option<Listed<'a>>,
    events: &'a [LedgerEvent],
    recordings: &'a [Recording],
}

impl Calls {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let desk = Desk::open(global).await?;
        let done = match &self.show {
            Some(Show::Show { id }) => timeline(&desk, global, id).await,
            None => self.list(&desk, global).await,
        };
        desk.close().await;
        done
    }

    async fn list(&self, desk: &Desk, global: &Global) -> anyhow::Result<Found> {
        let since = match self.since {
            Some(since) => since,
            None => Timestamp::now().checked_sub((24 * DAYS).hours())?,
        };
        let line = self
            .line
            .as_ref()
            .map(|text| PhoneNumber::parse(text).map_or(text.clone(), String::from));
        let mut calls = Vec::new();
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        // Older ones the ledger has forgotten.
        let oldest = Timestamp::now().checked_sub(LEDGER_KEEPS)?;
        let mut day = since.max(oldest).to_zoned(TimeZone::UTC).date();
        while day <= today {
            for call in desk.store.calls_on(day).await? {
                if call.at < since || line.as_ref().is_some_and(|line| *line != call.line) {
                    continue;
                }
                let status = status(desk, &call).await?;
                if self.status.as_ref().is_none_or(|wanted| *wanted == status) {
                    calls.push((call, status));
                }
            }
            day = day.tomorrow()?;
        }
        if global.json {
            let listed: Vec<_> = calls
                .iter()
                .map(|(call, status)| Listed { call, status })
                .collect();
            show::json(&listed);
            return Ok(Found::Fine);
        }
        let rows = calls.iter().map(|(call, status)| {
            [
                show::local(call.at),
                call.line.clone(),
                call.from.clone().unwrap_or_default(),
                status.clone(),
                standing(call),
                call.leg.to_string(),
            ]
        });
        let none = "no calls; `switchboard calls --since 2026-01-01` looks further back";
        show::table(
            ["at", "line", "from", "status", "", "leg"],
            rows.collect(),
            none,
        );
        Ok(Found::Fine)
    }
}

/// One word on where a call stands between caller and agents.
fn standing(call: &Call) -> String {
    match (&call.served, &call.offer, &call.place) {
        (Some(agent), _, _) => format!("with {agent}"),
        (None, Some(offer), _) if call.ended.is_none() => format!("rings {}", offer.agent),
        (None, None, Some(place)) if call.ended.is_none() => format!("waits in {}", place.queue),
        _ => String::new(),
    }
}

/// The status of the caller's leg, as a fold over its events.
async fn status(desk: &Desk, call: &Call) -> anyhow::Result<String> {
    let events = desk.store.events(&Home::Leg(call.leg.clone())).await?;
    Ok(fold(call, &events))
}

fn fold(call: &Call, events: &[LedgerEvent]) -> String {
    let own = events
        .iter()
        .filter(|event| event.leg.as_deref() == Some(call.leg.as_str()));
    let said: Vec<_> = own
        .filter(|event| {
            serde_json::from_str::<serde_json::Value>(&event.body)
                .is_ok_and(|body| body["status"].is_string())
        })
        .map(|event| CallStatus::from(event.word.clone()))
        .collect();
    call::status(&said).map_or_else(|| "started".to_owned(), |status| status.as_str().to_owned())
}

/// A day by this machine's clock, or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let day: Date = text
        .parse()
        .map_err(|_| "write it like 2026-11-01".to_owned())?;
    day.to_zoned(TimeZone::system())
        .map(|day| day.timestamp())
        .map_err(|error| error.to_string())
}

async fn timeline(desk: &Desk, global: &Global, id: &str) -> anyhow::Result<Found> {
    let leg = LegId::new(id).with_context(|| format!("{id} is no id"))?;
    let conversation = ConversationId::new(id)?;
    let call = match desk.store.call(&leg).await? {
        Some(call) => Some(call),
        None => desk.store.calls_in(&conversation).await?,
    };
    let mut homes = vec![Home::Conversation(conversation.clone())];
    match &call {
        Some(call) => homes.extend([
            Home::Leg(call.leg.clone()),
            Home::Conversation(call.conversation.clone()),
        ]),
        None => homes.push(Home::Leg(leg)),
    }
    let mut events = Vec::new();
    for home in homes {
        events.extend(desk.store.events(&home).await?);
    }
    // A transfer moved the call on: what happened there belongs to it.
    let mut conversations: Vec<_> = events
        .iter()
        .filter_map(|event| event.conversation.clone())
        .collect();
    conversations.push(id.to_owned());
    conversations.sort();
    conversations.dedup();
    let mut recordings = Vec::new();
    for conversation in &conversations {
        let Ok(conversation) = ConversationId::new(conversation.clone()) else {
            continue;
        };
        recordings.extend(desk.store.recordings_of(&conversation).await?);
        events.extend(desk.store.events(&Home::Conversation(conversation)).await?);
    }
    events.sort_by(|a, b| {
        (&a.at, &a.heard, &a.word, &a.body).cmp(&(&b.at, &b.heard, &b.word, &b.body))
    });
    events.dedup();
    if call.is_none() && events.is_empty() && recordings.is_empty() {
        bail!("nothing is known of {id}; `switchboard calls` lists what is");
    }
    let status = call
        .as_ref()
        .map(|call| fold(call, &events))
        .unwrap_or_default();
    if global.json {
        let call = call.as_ref().map(|call| Listed {
            call,
            status: &status,
        });
        show::json(&Shown {
            call,
            events: &events,
            recordings: &recordings,
        });
        return Ok(Found::Fine);
    }
    if let Some(call) = &call {
        show::line(&format!("call     {}", call.leg));
        show::line(&format!("line     {}", call.line));
        show::line(&format!(
            "from     {}",
            call.from.as_deref().unwrap_or("unknown")
        ));
        show::line(&format!("began    {}", show::local(call.at)));
        show::line(&format!("status   {status} {}", standing(call)));
        if let Some(refused) = &call.refused {
            show::line(&format!("refused  {refused}"));
        }
    }
    let rows = events.iter().map(|event| {
        let at = event
            .at
            .as_ref()
            .and_then(|at| at.parse().ok())
            .map(show::local);
        [
            at.unwrap_or_default(),
            event.word.clone(),
            event.leg.clone().unwrap_or_default(),
            detail(event),
        ]
    });
    show::table(["at", "event", "leg", ""], rows.collect(), "no events yet");
    for recording in &recordings {
        show::line(&format!(
            "recording {} {:?} {}",
            recording.notice.recording,
            recording.state,
            recording
                .reason
                .as_deref()
                .or(recording.key.as_deref())
                .unwrap_or_default()
        ));
    }
    Ok(Found::Fine)
}

/// What in an event is worth a look.
fn detail(event: &LedgerEvent) -> String {
    let body: serde_json::Value = serde_json::from_str(&event.body).unwrap_or_default();
    let shown = [
        "direction",
        "detail",
        "reason",
        "duration",
        "disconnected_by",
        "dtmf",
        "payload",
    ];
    let parts = shown.iter().filter_map(|name| match &body[name] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(format!("{name}={text}")),
        other => Some(format!("{name}={other}")),
    });
    parts.collect::<Vec<_>>().join(" ")
}
