//! Rooms: where a caller waits while many phones ring, and what is said at each of them.

use super::consent::{Consented, consented};
use super::{ask_for_key, cue, line_of, own, own_talk, say};
use crate::call::{Call, Helper};
use crate::cue::{Cue, Step};
use crate::ncco::{Conversation, Method, Ncco};
use crate::number::PhoneNumber;
use crate::plan::{self, Agent, AgentName, CallerShown, Flow, Hotline, Plan, Stage};
use jiff::Timestamp;
use std::time::Duration;

/// Said to who picks up for a caller whom somebody else was faster to take.
pub const TAKEN: &str = "Somebody else has taken the call already. Thank you.";

/// Said to who picks up when the talk is over, or the caller could not wait any longer.
pub const TOO_LATE: &str = "The caller is not waiting any more. Thank you.";

/// Said to who passes.
pub const PASSED: &str = "Thank you. Somebody else will take it.";

/// Said to who pressed no key, or a wrong one, twice. Mostly to a mailbox.
pub const GIVEN_UP: &str = "No key was pressed. Goodbye.";

/// How often who picked up is asked for a key: a wrong key is a slip, a second one is a machine.
pub const ASKED_MAX: u8 = 2;

/// How long a key is waited for after the question. A phone is taken from the ear to find the keys.
pub(super) const KEY_WITHIN: Duration = Duration::from_secs(8);

/// Longest time from picking up to the last key: the question twice at some seven seconds, each with
/// its wait, and the way there and back.
pub const DECIDES_WITHIN: Duration = Duration::from_secs(40);

/// Digits of a masked number that are said.
const DIGITS_SAID: usize = 3;

/// What who picked up wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// The call.
    Take,
    /// To leave it to others.
    Pass,
    /// To be asked once more, for all we know.
    Unclear,
    /// Nothing: a mailbox, as a rule.
    Nothing,
}

/// What a key says, or none, in reply to a question. The cue says how often it was asked.
#[must_use]
pub fn wish(keys: &str, cue: &Cue) -> Wish {
    match keys {
        "1" => Wish::Take,
        "2" => Wish::Pass,
        _ if cue.asked.unwrap_or_default() < ASKED_MAX => Wish::Unclear,
        _ => Wish::Nothing,
    }
}

/// Who picked up stands at the door of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// They are in.
    In,
    /// They may come in.
    Open,
    /// The caller has hung up.
    CallerGone,
    /// Another one has the caller alone.
    Taken,
    /// Nobody waits and nobody talks any more.
    TooLate,
}

/// Whether this one of the staff may come in.
#[must_use]
pub fn door(flow: &Flow, hotline: &Hotline, agent: &AgentName, call: &Call) -> Door {
    let somebody = call.helpers_in(&flow.name).next().is_some();
    if call.ended.is_some() {
        Door::CallerGone
    } else if call.helpers.contains(&Helper::of(&flow.name, agent)) {
        Door::In
    } else if call.waits_in(&flow.name) || (hotline.shared && somebody) {
        Door::Open
    } else if somebody {
        Door::Taken
    } else {
        Door::TooLate
    }
}

/// Those of a stage who are on duty.
pub fn on_duty<'p>(
    plan: &'p Plan,
    stage: &'p Stage,
    now: Timestamp,
) -> impl Iterator<Item = &'p Agent> {
    let agents = stage.agents.iter().filter_map(|name| plan.agent(name));
    agents.filter(move |agent| agent.is_on_duty(now))
}

/// Whether anybody of a hotline is on duty.
#[must_use]
pub fn is_staffed(plan: &Plan, hotline: &Hotline, now: Timestamp) -> bool {
    let mut stages = hotline.stages.iter();
    stages.any(|stage| on_duty(plan, stage, now).next().is_some())
}

/// What the hotline is called in what is said: its own name, or that of the line.
fn title<'p>(plan: &'p Plan, hotline: &'p Hotline, call: &Call) -> &'p str {
    let name = hotline.name.as_deref();
    name.or_else(|| line_of(plan, call).map(|line| line.name.as_str()))
        .unwrap_or("Switchboard")
}

/// What a caller hears who waits: the greeting, and music in a room of their own until somebody of
/// the staff comes in. The room ends with their call.
#[must_use]
pub fn room(plan: &Plan, flow: &Flow, hotline: &Hotline, call: &Call) -> Ncco {
    let mut ncco = Ncco::default();
    match &hotline.say {
        Some(text) => ncco = ncco.then(say(text, &flow.language)),
        None if hotline.shared => {
            let title = title(plan, hotline, call);
            ncco = ncco.then(own(&format!(
                "You have reached {title}. Please stay on the line while we find somebody for you."
            )));
        }
        None => {}
    }
    if hotline.record
        && let Consented::Yes(said) = consented(plan, flow, call)
    {
        ncco.extend(said);
    }
    let drawn = usize::try_from(call.draw()).unwrap_or(0) % hotline.music.len().max(1);
    ncco.then(Conversation {
        music_on_hold_url: hotline.music.get(drawn).map(ToString::to_string),
        start_on_enter: Some(false),
        end_on_exit: Some(true),
        ..conversation(plan, flow, hotline, call)
    })
}

/// The room of a call. Each side says that it is recorded, since either may be in it first.
fn conversation(plan: &Plan, flow: &Flow, hotline: &Hotline, call: &Call) -> Conversation {
    let record = hotline.record && matches!(consented(plan, flow, call), Consented::Yes(_));
    let noticed = || {
        let cue = cue(call, flow, Step::Room).to_query();
        format!("{}/webhooks/recording?{cue}", call.base)
    };
    Conversation {
        record: record.then_some(true),
        event_url: record.then(noticed),
        event_method: record.then_some(Method::Post),
        ..Conversation::named(call.conversation.as_str())
    }
}

/// Whether who picks up this phone has to press a key. An app rings nobody's mailbox.
#[must_use]
pub fn confirms(hotline: &Hotline, agent: &Agent) -> bool {
    hotline.confirm && !matches!(agent.endpoint, plan::Endpoint::App(_))
}

/// What the phone of one of the staff is rung with.
#[must_use]
pub fn staff_cue(call: &Call, flow: &Flow, agent: &AgentName) -> Cue {
    let agent = agent.clone();
    cue(call, flow, Step::Staff { agent })
}

/// What one of the staff hears who picked up: whose call it is, and which key to press. The cue says
/// how often they were asked before.
#[must_use]
pub fn question(
    plan: &Plan,
    flow: &Flow,
    hotline: &Hotline,
    agent: &AgentName,
    call: &Call,
    cue: &Cue,
) -> Ncco {
    // The name of the line comes first: a phone that screens its calls shows what it hears first.
    let text = if cue.asked.unwrap_or_default() == 0 {
        let title = title(plan, hotline, call);
        let who = match caller(plan, call) {
            Some(number) => format!("A caller from {number} is waiting"),
            None => "A caller is waiting".to_owned(),
        };
        let with = match names(call, flow) {
            Some(names) => format!("{who}, with {names}"),
            None => who,
        };
        format!(
            "{title}. Hello {}. {with}. Press 1 to join, or 2 to pass.",
            spoken(agent)
        )
    } else {
        "Press 1 to join, or 2 to pass.".to_owned()
    };
    ask_for_key(own_talk(&text), KEY_WITHIN, &call.base, &cue.asking())
}

/// Takes one of the staff into the caller's room.
#[must_use]
pub fn enter(plan: &Plan, flow: &Flow, hotline: &Hotline, call: &Call) -> Ncco {
    Ncco::default().then(Conversation {
        start_on_enter: Some(true),
        end_on_exit: Some(false),
        ..conversation(plan, flow, hotline, call)
    })
}

/// What is said at a door that is not open.
#[must_use]
pub fn turned_away(door: Door) -> Ncco {
    let text = match door {
        Door::CallerGone => super::CALLER_GONE,
        Door::Taken => TAKEN,
        Door::TooLate | Door::In | Door::Open => TOO_LATE,
    };
    Ncco::default().then(own(text))
}

/// One sentence to one of the staff, whose call is over with it.
#[must_use]
pub fn dismissed(text: &str) -> Ncco {
    Ncco::default().then(own(text))
}

/// What those who are in a room hear when another one comes.
#[must_use]
pub fn announcement(helper: &Helper) -> String {
    format!("{} is joining.", spoken(&helper.agent))
}

/// Those who are in, as a list for a sentence.
fn names(call: &Call, flow: &Flow) -> Option<String> {
    let here = call.helpers_in(&flow.name);
    let names: Vec<_> = here.map(|one| spoken(&one.agent)).collect();
    (!names.is_empty()).then(|| names.join(" and "))
}

/// An agent's name as a voice says it: `mary-ann` is Mary ann.
#[must_use]
pub fn spoken(agent: &AgentName) -> String {
    let name = agent.as_str().replace(['-', '_'], " ");
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => name,
    }
}

fn digits(number: &str) -> String {
    let digits: Vec<_> = number.chars().map(String::from).collect();
    digits.join(" ")
}

/// As much of the caller's number as the line lets our people know, digit by digit.
#[must_use]
pub fn caller(plan: &Plan, call: &Call) -> Option<String> {
    let shown = line_of(plan, call).map_or(CallerShown::Show, |line| line.caller);
    let number = PhoneNumber::parse(call.from.as_deref()?).ok()?;
    let number = number.as_str();
    match shown {
        CallerShown::Show => Some(digits(number)),
        CallerShown::Mask => {
            let last = number.len().saturating_sub(DIGITS_SAID);
            Some(format!("a number that ends in {}", digits(&number[last..])))
        }
        CallerShown::Hide => None,
    }
}
