//! What happens in a call, and what is to be left of it.

use proptest::prelude::*;

/// Calls told side by side, each on lines and with agents of its own.
pub(crate) const SLOTS: usize = 3;

/// A call.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) way: Way,
    pub(crate) end: End,
    /// Recordings announced.
    pub(crate) recordings: usize,
    /// Events that ask nothing of us.
    pub(crate) asides: Vec<Aside>,
}

/// How the line answers.
#[derive(Debug, Clone)]
pub(crate) enum Way {
    /// A message.
    Message,
    /// Agents are rung one after the other; these do not answer.
    Ring(Vec<Silence>),
    /// The caller waits for an agent, who does not answer these times.
    Queue {
        /// The agent was free before the caller came.
        idle: bool,
        silences: Vec<Silence>,
        /// How often the music comes back to us before an agent is free.
        rounds: usize,
    },
}

/// How it ends, or where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The caller hangs up before anybody is rung (again).
    HangsUp,
    /// The caller hangs up while a phone rings.
    HangsUpRinging,
    /// They talked, and the caller hung up.
    TalkedCallerHangsUp,
    /// They talked, the agent hung up, and the caller stayed until told goodbye.
    TalkedAgentHangsUp,
    /// They talk.
    Talks,
    /// The phone rings.
    Rings,
    /// Nothing more has happened.
    Stays,
}

/// Why a connect fails, by its status.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence(pub(crate) &'static str);

/// An event that asks nothing of us, by its fields.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aside {
    Input,
    Unheard,
    Human,
    Error,
    Transfer,
    Novelty,
}

pub(crate) const RING_AGENTS: usize = 2;

fn silence() -> impl Strategy<Value = Silence> {
    prop::sample::select(vec!["busy", "timeout", "unanswered", "rejected", "failed"])
        .prop_map(Silence)
}

fn aside() -> impl Strategy<Value = Aside> {
    prop::sample::select(vec![
        Aside::Input,
        Aside::Unheard,
        Aside::Human,
        Aside::Error,
        Aside::Transfer,
        Aside::Novelty,
    ])
}

fn end() -> impl Strategy<Value = End> {
    prop::sample::select(vec![
        End::HangsUp,
        End::HangsUpRinging,
        End::TalkedCallerHangsUp,
        End::TalkedAgentHangsUp,
        End::Talks,
        End::Rings,
        End::Stays,
    ])
}

fn story(way: impl Strategy<Value = Way>) -> impl Strategy<Value = Story> {
    let asides = prop::collection::vec(aside(), 0..4);
    (way, end(), 0..3_usize, asides).prop_map(|(way, end, recordings, asides)| Story {
        end: possible(&way, end),
        way,
        recordings,
        asides,
    })
}

/// Where nobody is rung, nobody talks.
fn possible(way: &Way, end: End) -> End {
    let rings = match way {
        Way::Message => false,
        Way::Ring(silences) => silences.len() < RING_AGENTS,
        Way::Queue { .. } => true,
    };
    match (way, end) {
        // The phone of a `ring` flow, or of an agent who was free, rings at once.
        (Way::Ring(_), End::HangsUp) if rings => End::HangsUpRinging,
        (Way::Ring(_), End::Stays) if rings => End::Rings,
        (
            Way::Queue {
                idle: true,
                silences,
                ..
            },
            End::HangsUp,
        ) if silences.is_empty() => End::HangsUpRinging,
        (
            Way::Queue {
                idle: true,
                silences,
                ..
            },
            End::Stays,
        ) if silences.is_empty() => End::Rings,
        (_, end) if rings => end,
        (_, End::Stays | End::Talks | End::Rings) => End::Stays,
        _ => End::HangsUp,
    }
}

pub(crate) fn ring() -> impl Strategy<Value = Story> {
    story(prop::collection::vec(silence(), 0..=RING_AGENTS).prop_map(Way::Ring))
}

pub(crate) fn queue() -> impl Strategy<Value = Story> {
    let silences = prop::collection::vec(silence(), 0..3);
    story(
        (any::<bool>(), silences, 0..3_usize).prop_map(|(idle, silences, rounds)| Way::Queue {
            idle,
            silences,
            rounds,
        }),
    )
}

pub(crate) fn call() -> impl Strategy<Value = Story> {
    prop_oneof![story(Just(Way::Message)), ring(), queue()]
}

impl Story {
    /// The agent who answers, if one does.
    pub(crate) fn talker(&self, slot: usize) -> Option<String> {
        let talks = matches!(
            self.end,
            End::Talks | End::TalkedCallerHangsUp | End::TalkedAgentHangsUp
        );
        talks.then(|| self.last_rung(slot)).flatten()
    }

    /// The agent rung last, whatever comes of it.
    pub(crate) fn last_rung(&self, slot: usize) -> Option<String> {
        match &self.way {
            Way::Message => None,
            Way::Ring(silences) => {
                (silences.len() < RING_AGENTS).then(|| ring_agent(slot, silences.len()))
            }
            Way::Queue { .. } => Some(queue_agent(slot)),
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        !matches!(self.end, End::Talks | End::Rings | End::Stays)
    }

    pub(crate) fn line(&self, slot: usize) -> String {
        let kind = match self.way {
            Way::Message => 0,
            Way::Ring(_) => 1,
            Way::Queue { .. } => 2,
        };
        line(kind, slot)
    }
}

fn line(kind: usize, slot: usize) -> String {
    format!("4477009000{kind}{slot}")
}

pub(crate) fn ring_agent(slot: usize, index: usize) -> String {
    format!("ringer-{slot}-{index}")
}

pub(crate) fn queue_agent(slot: usize) -> String {
    format!("server-{slot}")
}

/// For each slot a line of each kind, and agents who serve no other. Rests are long, so that nobody
/// who rests is free again before the end.
pub(crate) fn plan() -> String {
    let mut plan = String::from(
        "[defaults]\nlanguage = \"en-GB\"\ntimezone = \"Europe/London\"\n\
         [flow.closed]\ntype = \"message\"\nsay = \"We are closed.\"\n",
    );
    let mut number = 50;
    for slot in 0..SLOTS {
        for (kind, flow) in [
            (0, "closed".to_owned()),
            (1, format!("ring-{slot}")),
            (2, format!("queue-{slot}")),
        ] {
            plan += &format!(
                "[[line]]\nnumber = \"{}\"\nname = \"{flow} {slot}\"\nflow = \"{flow}\"\n",
                line(kind, slot)
            );
        }
        for name in [ring_agent(slot, 0), ring_agent(slot, 1), queue_agent(slot)] {
            plan += &format!("[[agent]]\nname = \"{name}\"\nphone = \"4477009000{number}\"\n");
            number += 1;
        }
        plan += &format!(
            "[flow.ring-{slot}]\ntype = \"ring\"\nconfirm = false\nsay = \"Putting you through.\"\n\
             agents = [\"{}\", \"{}\"]\notherwise = \"closed\"\n\
             [flow.queue-{slot}]\ntype = \"queue\"\nconfirm = false\nsay = \"Please hold.\"\n\
             music = \"https://example.com/a.mp3\"\nagents = [\"{}\"]\n\
             cool-down = \"15m\"\nwrap-up = \"10m\"\nmax-wait = \"1h\"\notherwise = \"closed\"\n",
            ring_agent(slot, 0),
            ring_agent(slot, 1),
            queue_agent(slot),
        );
    }
    plan
}
