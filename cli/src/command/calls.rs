//! `switchboard calls`: the ledger.

use super::chosen::{Chosen, moment};
use super::desk::Desk;
use super::sentence::sentence;
use super::sheet::{self, Format};
use super::summary::duration;
use super::{Found, Global, export, show};
use anyhow::{Context as _, bail};
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;
use switchboard_shared::call::{Call, Hold};
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::ledger::{Facts, Outcome};
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::{Home, LedgerEvent};

/// Days listed unless asked otherwise.
const DAYS: i64 = 7;

/// Longest reason for a hold, in characters: a sentence or two, and the number of a file.
const REASON_MAX: usize = 500;

/// List calls, show one, or hold one.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Calls {
    #[command(subcommand)]
    what: Option<What>,
    /// Only calls to this number.
    #[arg(long, value_name = "NUMBER")]
    line: Option<String>,
    /// Only calls since this day (2026-11-01) or moment; the last seven days if left out.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Only calls before this day or moment.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// Only calls with this status: started, ringing, answered, completed, failed …
    #[arg(long)]
    status: Option<String>,
    /// Only calls that are held, whenever they were.
    #[arg(long)]
    held: bool,
    /// How to print them.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show one call from first ring to last hang-up.
    Show {
        /// The caller's leg, or a conversation the call was in (CON-…).
        id: String,
    },
    /// Hold a call: nothing of it is deleted, neither events nor recordings, until it is released.
    Hold {
        /// The caller's leg, or a conversation the call was in (CON-…).
        id: String,
        /// Why, for whoever comes upon it later.
        #[arg(long, value_parser = reason)]
        reason: Option<String>,
    },
    /// Let a held call go: it is deleted when its time is over, as every other.
    Release {
        /// The caller's leg, or a conversation the call was in (CON-…).
        id: String,
    },
}

#[derive(Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    call: &'a Call,
    #[serde(flatten)]
    facts: &'a Facts,
}

#[derive(Serialize)]
struct Shown<'a> {
    call: Option<Listed<'a>>,
    events: &'a [LedgerEvent],
    recordings: &'a [Recording],
}

#[derive(Serialize)]
struct Hung<'a> {
    call: &'a LegId,
    hold: Option<&'a Hold>,
}

impl Calls {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let desk = Desk::open(global).await?;
        let done = match &self.what {
            Some(What::Show { id }) => timeline(&desk, global, id).await,
            Some(What::Hold { id, reason }) => hold(&desk, global, id, reason.clone()).await,
            Some(What::Release { id }) => release(&desk, global, id).await,
            None => self.list(&desk, global).await,
        };
        desk.close().await;
        done
    }

    async fn list(&self, desk: &Desk, global: &Global) -> anyhow::Result<Found> {
        let since = match self.since {
            Some(since) => since,
            None if self.held => Timestamp::MIN,
            None => Timestamp::now().checked_sub((24 * DAYS).hours())?,
        };
        let chosen = Chosen {
            since,
            until: self.until,
            line: self.line.clone(),
            held: self.held,
        };
        let mut calls = chosen.read(desk).await?;
        calls.retain(|(_, facts)| {
            self.status
                .as_ref()
                .is_none_or(|wanted| *wanted == facts.status)
        });
        match Format::of(self.format, global) {
            Format::Json => {
                let listed = calls.iter().map(|(call, facts)| Listed { call, facts });
                show::json(&listed.collect::<Vec<_>>());
            }
            Format::Csv => {
                let rows = calls.iter().map(|(call, facts)| export::row(call, facts));
                sheet::print(export::COLUMNS, rows)?;
            }
            Format::Table => print_table(&calls),
        }
        Ok(Found::Fine)
    }
}

fn print_table(calls: &[(Call, Facts)]) {
    let rows = calls.iter().map(|(call, facts)| {
        let talked = Some(facts.talked).filter(|time| !time.is_zero());
        [
            show::local(call.at),
            call.line.clone(),
            call.from.clone().unwrap_or_default(),
            facts.status.clone(),
            standing(call, facts),
            facts.waited.map(duration).unwrap_or_default(),
            talked.map(duration).unwrap_or_default(),
            call.leg.to_string(),
        ]
    });
    let none = "no calls; `switchboard calls --since 2026-01-01` looks further back";
    show::table(
        ["at", "line", "from", "status", "", "wait", "talk", "leg"],
        rows.collect(),
        none,
    );
}

/// A few words on where a call stands between caller and agents.
fn standing(call: &Call, facts: &Facts) -> String {
    let stands = match (&call.offer, &call.place) {
        _ if !facts.took.is_empty() => {
            let took = facts.took.iter().map(|took| took.agent.as_str());
            format!("with {}", took.collect::<Vec<_>>().join(", "))
        }
        (Some(offer), _) if call.ended.is_none() => format!("rings {}", offer.agent),
        (None, Some(place)) if call.ended.is_none() => format!("waits in {}", place.queue),
        _ if facts.outcome == Outcome::Ongoing => String::new(),
        _ => export::outcome(facts).to_owned(),
    };
    match (&call.hold, stands.as_str()) {
        (None, _) => stands,
        (Some(_), "") => "held".to_owned(),
        (Some(_), _) => format!("{stands}; held"),
    }
}

fn reason(text: &str) -> Result<String, String> {
    sentence(text, REASON_MAX)
}

/// The call of a leg, or the one that was in a conversation.
async fn find(desk: &Desk, id: &str) -> anyhow::Result<Option<Call>> {
    let leg = LegId::new(id).with_context(|| format!("{id} is no id"))?;
    Ok(match desk.store.call(&leg).await? {
        Some(call) => Some(call),
        None => desk.store.calls_in(&ConversationId::new(id)?).await?,
    })
}

async fn known(desk: &Desk, id: &str) -> anyhow::Result<Call> {
    let found = find(desk, id).await?;
    found.with_context(|| format!("nothing is known of {id}; `switchboard calls` lists what is"))
}

async fn hold(
    desk: &Desk,
    global: &Global,
    id: &str,
    reason: Option<String>,
) -> anyhow::Result<Found> {
    let call = known(desk, id).await?;
    let held = desk.store.hold(&call.leg, reason, Timestamp::now()).await?;
    let call = held.with_context(|| format!("the call {id} was deleted just now"))?;
    let recordings = desk.store.looked_up(&call).await?.recordings;
    let gone = |recording: &&Recording| matches!(recording.state, State::Expired | State::Deleted);
    for recording in recordings.iter().filter(gone) {
        show::say(&format!(
            "recording {} was deleted before; nothing brings it back",
            recording.notice.recording
        ));
    }
    told(global, &call, "held");
    Ok(Found::Fine)
}

async fn release(desk: &Desk, global: &Global, id: &str) -> anyhow::Result<Found> {
    let call = known(desk, id).await?;
    // How long it is kept from now on, the plan says.
    if let Ok(plan) = desk.plan().await {
        desk.store.keeps(plan.keep());
    }
    let Some(call) = desk.store.let_go(&call.leg).await? else {
        bail!("the call {id} is not held; `switchboard calls --held` lists those that are");
    };
    told(global, &call, "released");
    Ok(Found::Fine)
}

fn told(global: &Global, call: &Call, word: &str) {
    if global.json {
        show::json(&Hung {
            call: &call.leg,
            hold: call.hold.as_ref(),
        });
    } else {
        show::line(&format!("{word} {}", call.leg));
    }
}

async fn timeline(desk: &Desk, global: &Global, id: &str) -> anyhow::Result<Found> {
    let leg = LegId::new(id).with_context(|| format!("{id} is no id"))?;
    let conversation = ConversationId::new(id)?;
    let call = find(desk, id).await?;
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
    let call = call.map(|call| {
        let facts = Facts::of(&call, &events);
        (call, facts)
    });
    if global.json {
        let call = call.as_ref().map(|(call, facts)| Listed { call, facts });
        show::json(&Shown {
            call,
            events: &events,
            recordings: &recordings,
        });
        return Ok(Found::Fine);
    }
    if let Some((call, facts)) = &call {
        show::line(&format!("call     {}", call.leg));
        show::line(&format!("line     {}", call.line));
        show::line(&format!(
            "from     {}",
            call.from.as_deref().unwrap_or("unknown")
        ));
        show::line(&format!("began    {}", show::local(call.at)));
        show::line(&format!(
            "status   {} {}",
            facts.status,
            standing(call, facts)
        ));
        if let Some(waited) = facts.waited {
            show::line(&format!("waited   {}", duration(waited)));
        }
        if !facts.talked.is_zero() {
            show::line(&format!("talked   {}", duration(facts.talked)));
        }
        if let Some(cost) = facts.cost {
            show::line(&format!("cost     {cost}"));
        }
        if let Some(hold) = &call.hold {
            let why = hold.reason.as_deref().unwrap_or_default();
            show::line(&format!("held     {} {why}", show::local(hold.since)));
        }
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
