//! What the caller hears next. Pure: plan, call and moment in; script out. Nothing here waits, reads
//! a clock or throws dice.
//!
//! | file | noun |
//! | --- | --- |
//! | `menu.rs` | menus, and what a choice leads to |
//! | `voicemail.rs` | messages that callers leave |
//! | `consent.rs` | what stands before every recording |
//! | `words.rs` | sentences of our own, by language |
//!
//! Every script that hands the word back to us (`notify`, an `input`, or a `connect` whose failure we
//! are asked about) has one more action behind it, so that a reply lost on the way is an apology, never a dead
//! line.

pub mod consent;
pub mod menu;
pub mod room;
pub mod screen;
mod voicemail;
mod words;

use crate::call::Call;
use crate::cue::{AGAIN_MAX, Cue, Step};
use crate::ncco::{
    Action, App, Connect, Dtmf, Endpoint, EventType, Input, Method, Ncco, Notify, OnAnswer, Phone,
    Record, Sip, Speech, Stream, Talk, Wait,
};
use crate::news::News;
use crate::number::PhoneNumber;
use crate::offer::Offer;
use crate::plan::{
    self, AgentName, Closed, Flow, FlowKind, FlowName, Hotline, Line, Opening, Plan, Queue, Ring,
};
use consent::{Consented, consented};
use jiff::Timestamp;
use std::time::Duration;

/// Said when we fail. The caller can do one thing about it.
pub const SORRY: &str =
    "We are sorry, something has gone wrong on our side. Please call again in a few minutes.";

/// Said to a number that the plan does not know.
pub const NOT_IN_SERVICE: &str = "This number is not in service. Goodbye.";

/// Said to a caller who stays on after the talk.
pub const GOODBYE: &str = "Goodbye.";

/// Said to an agent whose caller is gone.
pub const CALLER_GONE: &str = "The caller has hung up. Thank you.";

/// Said while we try again.
pub const PATIENCE: &str = "Please stay on the line.";

/// How long we leave whatever failed to come back.
const PATIENCE_PAUSE: Duration = Duration::from_secs(5);

/// Language of the sentences above.
pub const OWN_LANGUAGE: &str = "en-GB";

/// A round of hold without music: the sentence, then this much silence. Short enough that nobody
/// thinks the line is dead.
const SILENT_ROUND: Duration = Duration::from_secs(15);

/// What a flow comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Next<'p> {
    /// This script; nothing else is needed.
    Say(Ncco),
    /// A place in this queue.
    Wait(&'p Flow, &'p Queue),
    /// A place in this room, while its staff is rung.
    Gather(&'p Flow, &'p Hotline),
    /// This script, in which the caller may leave a message in this voicemail; the call is to say so.
    Mailbox(&'p Flow, Ncco),
}

/// What a flow comes to, and why in a sentence.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<'p> {
    /// What to do.
    pub next: Next<'p>,
    /// Why, for the log and for `preview`.
    pub why: String,
    /// Flows on the way where nobody is on duty.
    pub unstaffed: Vec<&'p FlowName>,
    /// The flow that rings agents by turns: who is rung first depends on the turn the call has taken.
    pub by_turns: Option<&'p FlowName>,
}

impl Decision<'_> {
    /// What is to be told of it: that nobody is on duty.
    pub fn news(&self, call: &Call) -> impl Iterator<Item = News> {
        self.unstaffed.iter().map(|flow| News::NobodyOnDuty {
            call: call.leg.clone(),
            flow: (*flow).clone(),
        })
    }

    fn say(ncco: Ncco, why: impl Into<String>) -> Self {
        Self {
            next: Next::Say(ncco),
            why: why.into(),
            unstaffed: Vec::new(),
            by_turns: None,
        }
    }
}

/// What a call to a line comes to. `line` is the number as Vonage sent it.
#[must_use]
pub fn answer<'p>(plan: &'p Plan, call: &Call, now: Timestamp) -> Decision<'p> {
    match line_of(plan, call) {
        Some(line) => {
            let mut decision = follow(plan, &line.flow, call, now);
            decision.why = format!("{}: {}", line.name, decision.why);
            decision
        }
        None => Decision::say(
            Ncco::default().then(own(NOT_IN_SERVICE)),
            "the plan has no such line",
        ),
    }
}

/// The line that was called; `None` where the plan does not have it, or not any more.
fn line_of<'p>(plan: &'p Plan, call: &Call) -> Option<&'p Line> {
    let number = PhoneNumber::parse(&call.line).ok()?;
    plan.line(&number)
}

/// What a flow comes to, through as many `hours` as there are, and menus that the caller has heard
/// often enough.
#[must_use]
pub fn follow<'p>(plan: &'p Plan, flow: &FlowName, call: &Call, now: Timestamp) -> Decision<'p> {
    let mut why = Vec::new();
    let mut unstaffed = Vec::new();
    let mut name = flow;
    // The checker refuses plans that go in a circle; the bound keeps even a smuggled one finite.
    for _ in 0..=plan.flows().count() {
        let Some(flow) = plan.flow(name) else { break };
        if flow.records() && consented(plan, flow, call) == Consented::Unasked {
            why.push(format!("{name} asks whether it may record"));
            return Decision {
                next: Next::Say(consent::ask(flow, call)),
                why: why.join("; "),
                unstaffed,
                by_turns: None,
            };
        }
        match &flow.kind {
            FlowKind::Message(message) => {
                why.push(format!("{name} says its message"));
                let ncco = Ncco::default().then(say(&message.say, &flow.language));
                return Decision {
                    next: Next::Say(ncco),
                    why: why.join("; "),
                    unstaffed,
                    by_turns: None,
                };
            }
            FlowKind::Hours(hours) => {
                let opening = hours.calendar.open_at(now);
                why.push(format!("{name} is {}", in_words(&opening, &hours.calendar)));
                name = match opening {
                    Opening::Open { .. } => &hours.then,
                    Opening::Closed { .. } => &hours.otherwise,
                };
            }
            FlowKind::Ring(ring) => match ring_agent(plan, flow, ring, 0, call, now) {
                Some(ncco) => {
                    why.push(format!("{name} rings {}", names(&ring.agents)));
                    return Decision {
                        next: Next::Say(ncco),
                        why: why.join("; "),
                        unstaffed,
                        by_turns: ring.by_turns.then_some(&flow.name),
                    };
                }
                None => {
                    why.push(format!("nobody of {name} is on duty"));
                    unstaffed.push(&flow.name);
                    name = &ring.otherwise;
                }
            },
            FlowKind::Queue(queue) => {
                why.push(format!(
                    "{name} holds the caller for {}",
                    names(&queue.agents)
                ));
                return Decision {
                    next: Next::Wait(flow, queue),
                    why: why.join("; "),
                    unstaffed,
                    by_turns: None,
                };
            }
            FlowKind::Hotline(hotline) if room::is_staffed(plan, hotline, now) => {
                why.push(format!("{name} rings everybody while the caller waits"));
                return Decision {
                    next: Next::Gather(flow, hotline),
                    why: why.join("; "),
                    unstaffed,
                    by_turns: None,
                };
            }
            FlowKind::Hotline(hotline) => {
                why.push(format!("nobody of {name} is on duty"));
                unstaffed.push(&flow.name);
                name = &hotline.otherwise;
            }
            FlowKind::Menu(menu) => match menu::enter(flow, menu, call) {
                Some(ncco) => {
                    why.push(format!("{name} lets the caller choose"));
                    return Decision {
                        next: Next::Say(ncco),
                        why: why.join("; "),
                        unstaffed,
                        by_turns: None,
                    };
                }
                None => {
                    why.push(format!("{name} is one menu too many"));
                    name = &menu.otherwise;
                }
            },
            FlowKind::Voicemail(voicemail) => {
                let next = voicemail::enter(plan, flow, voicemail, call);
                why.push(match next {
                    Next::Mailbox(..) => format!("{name} takes a message"),
                    _ => format!("{name} may not record, so it takes no message"),
                });
                return Decision {
                    next,
                    why: why.join("; "),
                    unstaffed,
                    by_turns: None,
                };
            }
        }
    }
    Decision {
        next: Next::Say(sorry()),
        why: "the plan leads nowhere".to_owned(),
        unstaffed,
        by_turns: None,
    }
}

fn in_words(opening: &Opening, calendar: &plan::Calendar) -> String {
    let local = |at: Option<Timestamp>| {
        let at = at?.to_zoned(calendar.timezone.clone());
        Some(format!(" until {}", at.strftime("%a %d %b %Y %H:%M %Z")))
    };
    match opening {
        Opening::Open { closes_at } => format!("open{}", local(*closes_at).unwrap_or_default()),
        Opening::Closed { why, opens_at } => {
            let why = match why {
                Closed::Holiday(date) => format!(" ({date} is a closed day)"),
                Closed::OutsideHours => String::new(),
            };
            format!("closed{}{why}", local(*opens_at).unwrap_or_default())
        }
    }
}

fn names(agents: &[AgentName]) -> String {
    agents
        .iter()
        .map(AgentName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Rings the n-th agent of a `ring` flow, or the next one who is on duty; `None` behind the last.
#[must_use]
pub fn ring_agent(
    plan: &Plan,
    flow: &Flow,
    ring: &Ring,
    from: usize,
    call: &Call,
    now: Timestamp,
) -> Option<Ncco> {
    let turn = call.turn.unwrap_or_default();
    let agents = (from..).map_while(|index| Some((index, plan.agent(ring.nth(index, turn)?)?)));
    let (index, agent) = agents
        .into_iter()
        .find(|(_, agent)| agent.is_on_duty(now))?;
    let mut ncco = Ncco::default();
    if let (0, Some(text)) = (from, &ring.say) {
        ncco = ncco.then(say(text, &flow.language));
    }
    let cue = cue(call, flow, Step::Ring(u32::try_from(index).ok()?));
    // It lasts to the end of the call, whoever answers.
    if ring.record && from == 0 {
        ncco.extend(consent::recorded(
            plan,
            flow,
            call,
            record(&call.base, &cue),
        ));
    }
    Some(connect(ncco, agent, ring.confirm, ring.timeout, call, &cue))
}

/// What a caller hears whose connect failed, or who is back after it. `Wait` for a queue to enter.
#[must_use]
pub fn after_ring<'p>(
    plan: &'p Plan,
    flow: &FlowName,
    index: usize,
    call: &Call,
    now: Timestamp,
) -> Decision<'p> {
    if let Some(flow) = plan.flow(flow)
        && let FlowKind::Ring(ring) = &flow.kind
    {
        let silent = ring.nth(index, call.turn.unwrap_or_default());
        return match ring_agent(plan, flow, ring, index + 1, call, now) {
            Some(ncco) => Decision {
                next: Next::Say(ncco),
                why: format!(
                    "{} did not answer; the next one is rung",
                    silent.map_or("an agent", AgentName::as_str)
                ),
                unstaffed: Vec::new(),
                by_turns: None,
            },
            None => follow(plan, &ring.otherwise, call, now),
        };
    }
    Decision::say(sorry(), "the flow is not in the plan any more")
}

/// One round of hold, the first with its sentence. It comes back to us twice, so that one lost
/// reply costs nothing but a repeated tune.
#[must_use]
pub fn hold(flow: &Flow, queue: &Queue, call: &Call, round: u32) -> Ncco {
    let mut ncco = Ncco::default();
    if round == 0 && !queue.music.is_empty() {
        ncco = ncco.then(say(&queue.say, &flow.language));
    }
    for (round, last) in [(round, false), (round.saturating_add(1), true)] {
        match music(queue, round) {
            Some(url) => ncco = ncco.then(Stream::play(url)),
            None => {
                ncco = ncco
                    .then(say(&queue.say, &flow.language))
                    .then(Wait::of(SILENT_ROUND));
            }
        }
        let step = Step::Hold {
            round: round.saturating_add(1),
            last,
        };
        ncco = ncco.then(notify(&call.base, &cue(call, flow, step)));
    }
    ncco.then(own(SORRY))
}

fn music(queue: &Queue, round: u32) -> Option<String> {
    let count = u32::try_from(queue.music.len())
        .ok()
        .filter(|count| *count > 0)?;
    queue
        .music
        .get((round % count) as usize)
        .map(ToString::to_string)
}

/// Joins a caller to the agent they are promised to. `held`: they were on hold and hear what comes.
#[must_use]
pub fn connect_offer(
    plan: &Plan,
    flow: &Flow,
    queue: &Queue,
    offer: &Offer,
    call: &Call,
    held: bool,
) -> Option<Ncco> {
    let agent = plan.agent(&offer.agent)?;
    let mut ncco = Ncco::default();
    // Where callers are recorded it may be said here, so it is said also without a wait before it.
    if let (true, Some(text)) = (held || queue.record, &queue.connect_say) {
        ncco = ncco.then(say(text, &flow.language));
    }
    let step = Step::Offer {
        agent: offer.agent.clone(),
        id: offer.id.clone(),
    };
    let cue = cue(call, flow, step);
    if queue.record {
        ncco.extend(consent::recorded(
            plan,
            flow,
            call,
            record(&call.base, &cue),
        ));
    }
    Some(connect(
        ncco,
        agent,
        queue.confirm,
        queue.timeout,
        call,
        &cue,
    ))
}

/// Records from here to the end of the call; the script goes on at once. The notice says by the cue
/// whose recording it is, since a caller who was moved is in a conversation that we may not know.
fn record(base: &str, cue: &Cue) -> Record {
    Record {
        event_url: Some(recording_url(base, cue)),
        event_method: Some(Method::Post),
        ..Record::default()
    }
}

/// Where a recording is announced, and its transcription.
fn recording_url(base: &str, cue: &Cue) -> String {
    format!("{base}/webhooks/recording?{}", cue.to_query())
}

/// Listens to keys, words or both; `dtmf` where neither is given.
fn input(dtmf: Option<Dtmf>, speech: Option<Speech>, base: &str, cue: &Cue) -> Input {
    let listens = match (dtmf, speech) {
        (Some(dtmf), Some(speech)) => Input::either(dtmf, speech),
        (None, Some(speech)) => Input::speech(speech),
        (dtmf, None) => Input::dtmf(dtmf.unwrap_or_default()),
    };
    Input {
        event_url: Some(format!("{base}/webhooks/event?{}", cue.to_query())),
        event_method: Some(Method::Post),
        ..listens
    }
}

/// A sentence that a key interrupts, one key, and a way back to us should the reply to it be lost.
fn ask_for_key(asks: Talk, within: Duration, base: &str, cue: &Cue) -> Ncco {
    let key = Dtmf {
        max_digits: Some(1),
        time_out: Some(within),
        submit_on_hash: None,
    };
    Ncco::default()
        .then(Talk {
            barge_in: Some(true),
            ..asks
        })
        .then(input(Some(key), None, base, cue))
        .then(notify(base, cue))
        .then(own(SORRY))
}

fn connect(
    ncco: Ncco,
    agent: &plan::Agent,
    confirm: bool,
    timeout: Duration,
    call: &Call,
    cue: &Cue,
) -> Ncco {
    let asks = screen::screens(confirm, agent);
    let cue = &Cue {
        asked: asks.then_some(0),
        ..cue.clone()
    };
    let endpoint: Endpoint = match &agent.endpoint {
        plan::Endpoint::Phone(number) => {
            let question = || OnAnswer::run(agent_url(call, cue));
            Phone {
                on_answer: asks.then(question),
                ..Phone::of(number.clone())
            }
            .into()
        }
        plan::Endpoint::Sip(uri) => Sip::uri(uri.clone()).into(),
        plan::Endpoint::App(user) => App::of(user.clone()).into(),
    };
    let rings = Connect {
        // The line's own number: Vonage connects only from a number of ours, and both sides see it
        // in place of one another's.
        from: PhoneNumber::parse(&call.line).ok(),
        timeout: Some(timeout),
        event_type: Some(EventType::Synchronous),
        event_url: Some(format!("{}/webhooks/event?{}", call.base, cue.to_query())),
        event_method: Some(Method::Post),
        ..Connect::to(endpoint)
    };
    ncco.then(rings)
        .then(notify(&call.base, cue))
        .then(own(SORRY))
}

/// Where the script is for who picks up a phone that rings for this call.
#[must_use]
pub fn agent_url(call: &Call, cue: &Cue) -> String {
    format!(
        "{}/webhooks/answer/agent/{}/{}?{}",
        call.base,
        call.conversation,
        call.leg,
        cue.to_query()
    )
}

fn notify(base: &str, cue: &Cue) -> Notify {
    Notify {
        event_method: Some(Method::Post),
        ..Notify::to(format!("{base}/webhooks/event"), cue.pairs())
    }
}

fn cue(call: &Call, flow: &Flow, step: Step) -> Cue {
    Cue {
        call: call.leg.clone(),
        flow: flow.name.clone(),
        step,
        menus: call.menus,
        again: 0,
        asked: None,
    }
}

/// What an agent hears before the caller joins: whose line it is. No call: the caller is gone.
#[must_use]
pub fn to_agent(plan: &Plan, call: Option<&Call>) -> Ncco {
    let Some(call) = call.filter(|call| call.ended.is_none()) else {
        return Ncco::default().then(own(CALLER_GONE));
    };
    let text = match line_of(plan, call) {
        Some(line) => format!("A call for {}.", line.name),
        None => "A call for you.".to_owned(),
    };
    Ncco::default().then(own(&text))
}

/// What a caller hears whose next script could not be had: that they are still there, a moment's
/// patience, and then we are asked again, for as long as [`AGAIN_MAX`] allows.
#[must_use]
pub fn ask_again(cue: Cue, base: &str) -> Ncco {
    if cue.again >= AGAIN_MAX {
        return sorry();
    }
    let cue = Cue {
        again: cue.again + 1,
        ..cue
    };
    Ncco::default()
        .then(own(PATIENCE))
        .then(Wait::of(PATIENCE_PAUSE))
        .then(notify(base, &cue))
        .then(own(SORRY))
}

/// The script for when we fail.
#[must_use]
pub fn sorry() -> Ncco {
    Ncco::default().then(own(SORRY))
}

/// Whether a script is [`sorry`]. One that has the same words behind something else says them only if a
/// reply is lost.
#[must_use]
pub fn is_sorry(ncco: &Ncco) -> bool {
    matches!(ncco.actions(), [Action::Talk(talk)] if talk.text == SORRY)
}

/// The script for a caller whose talk is over.
#[must_use]
pub fn goodbye() -> Ncco {
    Ncco::default().then(own(GOODBYE))
}

fn own(text: &str) -> Action {
    own_talk(text).into()
}

fn own_talk(text: &str) -> Talk {
    talk(text, OWN_LANGUAGE)
}

fn say(text: &str, language: &str) -> Action {
    talk(text, language).into()
}

fn talk(text: &str, language: &str) -> Talk {
    Talk {
        language: Some(language.to_owned()),
        ..Talk::say(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::{By, OfferId};
    use serde_json::{Value, json};

    /// A plan whose flow `x`, of two agents, has these keys too.
    fn plan(flow: &str) -> Plan {
        let text = format!(
            "[[line]]\nnumber = \"447700900002\"\nname = \"Line\"\nflow = \"x\"\n\
             [[agent]]\nname = \"alice\"\nphone = \"447700900011\"\n\
             [[agent]]\nname = \"bob\"\nphone = \"447700900012\"\n\
             [flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n\
             [flow.x]\nagents = [\"alice\", \"bob\"]\notherwise = \"end\"\n{flow}"
        );
        let checked = Plan::parse(&text);
        checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults))
    }

    fn call() -> Call {
        serde_json::from_value(json!({
            "leg": "leg-1",
            "conversation": "CON-1",
            "line": "447700900002",
            "at": "2026-03-02T10:00:00Z",
            "base": "https://example.com",
            "plan": "1",
        }))
        .unwrap()
    }

    /// The kinds of a script's actions up to `connect`, and the whole script.
    fn told(ncco: Option<Ncco>) -> (Vec<String>, Value) {
        let script = serde_json::to_value(ncco.unwrap()).unwrap();
        let kinds = script.as_array().unwrap().iter();
        let kinds = kinds.map(|action| action["action"].as_str().unwrap().to_owned());
        let kinds = kinds.take_while(|kind| kind != "notify").collect();
        (kinds, script)
    }

    #[test]
    fn a_ring_is_recorded_from_its_first_phone_to_the_end() {
        let of = |keys: &str, index| {
            let plan = plan(&format!("type = \"ring\"\nsay = \"Hello.\"\n{keys}"));
            let (flow, ring) = plan.ring(&"x".parse().unwrap()).unwrap();
            told(ring_agent(&plan, flow, ring, index, &call(), call().at)).0
        };
        assert_eq!(of("", 0), ["talk", "connect"]);
        assert_eq!(of("record = false", 0), ["talk", "connect"]);
        // What is said before it, `consent` says.
        assert_eq!(
            of("record = true", 0),
            ["talk", "talk", "record", "connect"]
        );
        assert_eq!(of("record = true", 1), ["connect"]);
    }

    #[test]
    fn a_queue_is_recorded_with_each_agent_and_whoever_did_not_wait_is_told_too() {
        let offer = Offer {
            agent: "alice".parse().unwrap(),
            id: OfferId::random(),
            by: By::Reply,
            until: "2026-03-02T10:01:00Z".parse().unwrap(),
        };
        let of = |keys: &str, held| {
            let plan = plan(&format!(
                "type = \"queue\"\nsay = \"Hold.\"\nmax-wait = \"1m\"\nconnect-say = \"Now.\"\n{keys}"
            ));
            let (flow, queue) = plan.queue(&"x".parse().unwrap()).unwrap();
            told(connect_offer(&plan, flow, queue, &offer, &call(), held))
        };
        assert_eq!(of("", true).0, ["talk", "connect"]);
        assert_eq!(of("", false).0, ["connect"]);
        for held in [true, false] {
            let (kinds, script) = of("record = true", held);
            assert_eq!(kinds, ["talk", "talk", "record", "connect"], "{held}");
            // Nothing ends it, so the script goes on at once.
            let url = script[2]["eventUrl"][0].as_str().unwrap();
            let keys: Vec<&String> = script[2].as_object().unwrap().keys().collect();
            assert_eq!(keys, ["action", "eventUrl", "eventMethod"]);
            let (page, query) = url.split_once('?').unwrap();
            assert_eq!(page, "https://example.com/webhooks/recording");
            assert_eq!(Cue::from_query(query).unwrap().call.as_str(), "leg-1");
        }
    }
}
