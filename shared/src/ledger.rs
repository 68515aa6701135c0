//! What the ledger says of a call: who took it, how long the caller waited, what it cost. Pure: the call
//! and its events in, facts out.
//!
//! Events are a set: their order says nothing here, only their times do.

use crate::call::{self, Call};
use crate::plan::AgentName;
use crate::store::LedgerEvent;
use crate::webhook::CallStatus;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;

/// A caller who waits no longer than this was answered in good time. Help lines promise most calls
/// within 20 seconds: four rings.
pub const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// Decimals of a [`Price`], as Vonage writes them.
const DECIMALS: usize = 8;

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Where the caller's leg is: the furthest status that was told.
    pub status: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Who took it, in the order in which they came to it.
    pub took: Vec<Took>,
    /// How long the caller waited until somebody took them, or until they were gone. Absent while they
    /// wait, and where nobody told.
    #[serde(rename = "waited_seconds", serialize_with = "maybe_seconds")]
    pub waited: Option<SignedDuration>,
    /// How long agents talked with the caller, each counted.
    #[serde(rename = "talked_seconds", serialize_with = "seconds")]
    pub talked: SignedDuration,
    /// How long the caller's own leg lasted, once it is over.
    #[serde(rename = "lasted_seconds", serialize_with = "maybe_seconds")]
    pub lasted: Option<SignedDuration>,
    /// What Vonage charged for all of its legs, as far as it has told. Vonage names no currency: it is
    /// that of the account.
    pub cost: Option<Price>,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It goes on, and nobody has taken it yet.
    Ongoing,
    /// An agent took it.
    Taken,
    /// Nobody took it, and the caller left a message.
    Voicemail,
    /// Nobody took it, and the caller left no message.
    Missed,
}

/// An agent who took a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Took {
    /// Who.
    pub agent: AgentName,
    /// When; absent where only the end of the talk was told, or that there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How long they talked; absent while they do.
    #[serde(rename = "talked_seconds", serialize_with = "maybe_seconds")]
    pub talked: Option<SignedDuration>,
}

/// An amount of money, to the eighth decimal, without a currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(u64);

/// Many calls together.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Summary {
    /// How many.
    pub calls: usize,
    /// Those that an agent took.
    pub taken: usize,
    /// Those that an agent took within [`ANSWERED_WITHIN`].
    pub in_time: usize,
    /// Those where the caller left a message.
    pub voicemails: usize,
    /// Those that nobody took, without a message.
    pub missed: usize,
    /// Those that go on, and nobody has taken yet.
    pub ongoing: usize,
    /// How long callers waited whom an agent took, on average.
    #[serde(rename = "mean_wait_seconds", serialize_with = "maybe_seconds")]
    pub mean_wait: Option<SignedDuration>,
    /// How long anybody waited at most, taken or not.
    #[serde(rename = "longest_wait_seconds", serialize_with = "maybe_seconds")]
    pub longest_wait: Option<SignedDuration>,
    /// How long agents talked.
    #[serde(rename = "talked_seconds", serialize_with = "seconds")]
    pub talked: SignedDuration,
    /// How many calls each agent took. Where several took one, each counts.
    pub took: BTreeMap<AgentName, usize>,
    /// What Vonage charged, as far as it has told.
    pub cost: Option<Price>,
}

impl Facts {
    /// What the events of a call say of it. Events of other calls must not be among them.
    #[must_use]
    pub fn of(call: &Call, events: &[LedgerEvent]) -> Self {
        let told: Vec<Told<'_>> = events.iter().map(Told::read).collect();
        let own = |told: &&Told<'_>| told.event.leg.as_deref() == Some(call.leg.as_str());
        let took = took(call, &told);
        let outcome = match (&call.voicemail, &call.ended) {
            _ if !took.is_empty() => Outcome::Taken,
            (Some(_), _) => Outcome::Voicemail,
            (None, None) => Outcome::Ongoing,
            (None, Some(_)) => Outcome::Missed,
        };
        let until = match outcome {
            Outcome::Taken => took.iter().filter_map(|took| took.at).min(),
            _ => call.ended,
        };
        let talks = took.iter().filter_map(|took| took.talked);
        Self {
            status: status(told.iter().filter(own)),
            outcome,
            // Vonage's clock and ours differ a little, and nobody waits for less than nothing.
            waited: until.map(|until| until.duration_since(call.at).max(SignedDuration::ZERO)),
            talked: talks.fold(SignedDuration::ZERO, SignedDuration::saturating_add),
            lasted: told
                .iter()
                .filter(own)
                .filter(|told| told.event.word == "completed")
                .filter_map(Told::duration)
                .max(),
            cost: cost(&told),
            took,
        }
    }

    /// Whether an agent took it within [`ANSWERED_WITHIN`].
    #[must_use]
    pub fn in_time(&self) -> bool {
        self.outcome == Outcome::Taken && self.waited.is_some_and(|it| it <= ANSWERED_WITHIN)
    }
}

/// Who took a call, from the events about their legs.
fn took(call: &Call, told: &[Told<'_>]) -> Vec<Took> {
    let mut took: Vec<Took> = Vec::new();
    let mut legs: BTreeMap<(&AgentName, &str), Vec<&Told<'_>>> = BTreeMap::new();
    for told in told.iter().filter(|told| told.event.took) {
        if let (Some(agent), Some(leg)) = (&told.event.agent, &told.event.leg) {
            legs.entry((agent, leg)).or_default().push(told);
        }
    }
    for ((agent, leg), events) in legs {
        let began = events.iter().filter(|told| told.event.word != "completed");
        took.push(talk(
            agent,
            leg,
            began.filter_map(|told| told.at).min(),
            told,
        ));
    }
    // Whoever came late to a door that was shut pressed the key all the same.
    if !call.joined.is_empty() || !call.given_up.is_empty() {
        let joined = |agent: &AgentName| call.joined.iter().any(|helper| helper.agent == *agent);
        took.retain(|took| joined(&took.agent) || call.served.as_ref() == Some(&took.agent));
    }
    // What no event says, the call's own item knows: then they took it as they picked up.
    let known = call.joined.iter().map(|helper| &helper.agent);
    for agent in known.chain(&call.served) {
        if took.iter().any(|took| took.agent == *agent) {
            continue;
        }
        let theirs = |told: &&Told<'_>| {
            told.event.agent.as_ref() == Some(agent) && told.event.word == "answered"
        };
        let answered = told.iter().filter(theirs).min_by_key(|told| told.at);
        let leg = answered.and_then(|told| told.event.leg.as_deref());
        took.push(match leg {
            Some(leg) => talk(agent, leg, answered.and_then(|told| told.at), told),
            None => Took {
                agent: agent.clone(),
                at: None,
                talked: None,
            },
        });
    }
    took.sort_by(|a, b| {
        let key = |took: &Took| (took.at.is_none(), took.at);
        (key(a), &a.agent).cmp(&(key(b), &b.agent))
    });
    took
}

/// The talk of an agent on a leg that they took the caller with at a time, if that was told.
fn talk(agent: &AgentName, leg: &str, at: Option<Timestamp>, told: &[Told<'_>]) -> Took {
    let over = told
        .iter()
        .filter(|told| told.event.leg.as_deref() == Some(leg) && told.event.word == "completed");
    let lasted = over.clone().filter_map(Told::duration).max();
    let ended = over.filter_map(|told| told.at).min();
    let since =
        |at| ended.map(|ended: Timestamp| ended.duration_since(at).max(SignedDuration::ZERO));
    Took {
        agent: agent.clone(),
        at: at.or_else(|| ended?.checked_sub(lasted?).ok()),
        // The leg may have lasted longer than the talk: they were asked first whether they take it.
        talked: match (at.and_then(since), lasted) {
            (Some(since), Some(lasted)) => Some(since.min(lasted)),
            (since, lasted) => since.or(lasted),
        },
    }
}

/// The status of the caller's leg, as a fold over its events.
fn status<'t>(own: impl Iterator<Item = &'t Told<'t>>) -> String {
    let said: Vec<_> = own
        .filter(|told| told.body["status"].is_string())
        .map(|told| CallStatus::from(told.event.word.clone()))
        .collect();
    call::status(&said).map_or_else(|| "started".to_owned(), |status| status.as_str().to_owned())
}

/// The prices of all legs. A leg whose end was told twice counts once.
fn cost(told: &[Told<'_>]) -> Option<Price> {
    let mut legs: BTreeMap<Option<&str>, (Option<Timestamp>, Price)> = BTreeMap::new();
    for told in told {
        let Some(price) = told.text("price").and_then(|text| Price::read(&text)) else {
            continue;
        };
        let of_leg = legs.entry(told.event.leg.as_deref()).or_default();
        *of_leg = (*of_leg).max((told.at, price));
    }
    let prices = legs.values().map(|(_, price)| *price);
    prices.reduce(Price::plus)
}

/// An event, with what it says.
struct Told<'e> {
    event: &'e LedgerEvent,
    at: Option<Timestamp>,
    body: Value,
}

impl<'e> Told<'e> {
    fn read(event: &'e LedgerEvent) -> Self {
        let at = event.at.as_ref().unwrap_or(&event.heard);
        Self {
            at: at.parse().ok(),
            body: serde_json::from_str(&event.body).unwrap_or_default(),
            event,
        }
    }

    /// A field that Vonage writes as text or as a number.
    fn text(&self, name: &str) -> Option<String> {
        match &self.body[name] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// How long the leg lasted. Whole seconds, as Vonage counts.
    fn duration(&self) -> Option<SignedDuration> {
        let seconds: f64 = self.text("duration")?.parse().ok()?;
        // Longer than a year is no call.
        let fits = (0.0..3.2e7).contains(&seconds);
        fits.then(|| SignedDuration::from_secs_f64(seconds))
    }
}

impl Price {
    /// Reads an amount as Vonage writes it: `0.00450000`. `None` where it is none. Decimals after the
    /// eighth are left out.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(decimals) {
            return None;
        }
        let decimals = &decimals[..decimals.len().min(DECIMALS)];
        format!("{whole}{decimals:0<DECIMALS$}")
            .parse()
            .ok()
            .map(Self)
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// At least two decimals, and none after the last that says something.
impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = 10_u64.pow(DECIMALS as u32);
        let decimals = format!("{:0DECIMALS$}", self.0 % one);
        let kept = decimals.trim_end_matches('0').len().max(2);
        write!(f, "{}.{}", self.0 / one, &decimals[..kept])
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Summary {
    /// Sums up the facts of many calls.
    #[must_use]
    pub fn of<'f>(all: impl IntoIterator<Item = &'f Facts>) -> Self {
        let mut sum = Self::default();
        let mut waits = Vec::new();
        for facts in all {
            sum.calls += 1;
            sum.in_time += usize::from(facts.in_time());
            match facts.outcome {
                Outcome::Ongoing => sum.ongoing += 1,
                Outcome::Taken => {
                    sum.taken += 1;
                    waits.extend(facts.waited);
                }
                Outcome::Voicemail => sum.voicemails += 1,
                Outcome::Missed => sum.missed += 1,
            }
            sum.longest_wait = sum.longest_wait.max(facts.waited);
            sum.talked = sum.talked.saturating_add(facts.talked);
            let agents: std::collections::BTreeSet<_> =
                facts.took.iter().map(|took| &took.agent).collect();
            for agent in agents {
                *sum.took.entry(agent.clone()).or_default() += 1;
            }
            sum.cost = match (sum.cost, facts.cost) {
                (Some(sum), Some(more)) => Some(sum.plus(more)),
                (sum, more) => sum.or(more),
            };
        }
        let count = i32::try_from(waits.len()).unwrap_or(i32::MAX);
        let waited = waits
            .into_iter()
            .fold(SignedDuration::ZERO, SignedDuration::saturating_add);
        sum.mean_wait = waited.checked_div(count);
        sum
    }
}

fn seconds<S: Serializer>(time: &SignedDuration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.as_secs())
}

#[allow(clippy::ref_option, reason = "as serde calls it")]
fn maybe_seconds<S: Serializer>(
    time: &Option<SignedDuration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs()).serialize(serializer)
}

#[cfg(test)]
mod tests;
