//! The plan: which flow answers which line, and who takes the calls.
//!
//! A plan is TOML text. [`Plan::parse`] finds every fault of it in one run; what it returns without
//! a fault can be relied on: each name leads somewhere, and each way a call can take ends.
//!
//! | file | noun |
//! | --- | --- |
//! | `line.rs`, `agent.rs`, `flow.rs`, `notify.rs` | what a plan is made of |
//! | `hotline.rs`, `menu.rs`, `voicemail.rs`, `key.rs` | flows that take more than a paragraph, and keys of a phone |
//! | `calendar.rs`, `window.rs`, `dates.rs` | when a flow of type `hours` is open, and an agent on duty |
//! | `keep.rs` | how long things are kept |
//! | `read.rs` | from the tree of the text to these types, one fault per wrong value |
//! | `check.rs` | the graph: names, circles, what nobody reaches |
//! | `fault.rs` | faults, and where they are in the text |

pub mod agent;
pub mod calendar;
mod check;
pub mod dates;
mod duration;
pub mod fault;
pub mod flow;
pub mod hotline;
pub mod keep;
pub mod key;
mod language;
pub mod line;
pub mod menu;
pub mod name;
pub mod notify;
mod read;
mod say;
mod syntax;
#[cfg(test)]
mod tests;
pub mod voicemail;
pub mod window;
mod zone;

pub use agent::{Agent, Endpoint};
pub use calendar::{Calendar, Closed, Opening};
pub use dates::DateRange;
pub use fault::{PlanFault, Severity, Wrong};
pub use flow::{Flow, FlowKind, Hours, Message, Queue, Ring, Strategy, Transfer};
pub use hotline::{Hotline, Stage};
pub use keep::Keep;
pub use key::Key;
pub use line::{CallerShown, Consent, Line};
pub use menu::{Menu, Phrase};
pub use name::{AgentName, FlowName, TargetName};
pub use notify::Target;
pub use voicemail::Voicemail;
pub use window::Window;

use crate::news::Topic;
use crate::number::PhoneNumber;
use fault::Faults;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::thread;

/// Longest plan that is read, in bytes. A plan in the cloud is an item of a DynamoDB table, and an
/// item holds at most 400 KB; the rest is room for what is kept beside the text.
pub const TEXT_MAX: usize = 256 * 1024;

/// Hex digits of [`Plan::version`]: 48 bits, so that the versions of one plan do not collide and
/// still fit into a line of a log.
pub const VERSION_LENGTH: usize = 12;

/// A plan without faults: the only way to one is [`Plan::parse`].
///
/// Every [`FlowName`] and [`AgentName`] inside it leads to a flow or an agent of the same plan, and
/// no flow leads back to itself but by a caller's choice in a menu.
#[derive(Clone, PartialEq)]
pub struct Plan {
    version: String,
    text: String,
    defaults: Defaults,
    keep: Keep,
    lines: BTreeMap<PhoneNumber, Line>,
    agents: BTreeMap<AgentName, Agent>,
    flows: BTreeMap<FlowName, Flow>,
    targets: Vec<Target>,
}

/// What holds where a flow says nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Defaults {
    /// Language of what is said, BCP-47: `en-GB`. `en-US` where the plan names none, as at Vonage.
    pub language: String,
    /// Zone of opening hours. Without it, each flow of type `hours` has to name its own.
    pub timezone: Option<TimeZone>,
}

/// What came of reading a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// There if, and only if, no fault is of [`Severity::Fault`].
    pub plan: Option<Plan>,
    /// Faults and warnings, in the order of the text.
    pub faults: Vec<PlanFault>,
}

impl Plan {
    /// Reads and checks a plan.
    #[must_use]
    pub fn parse(text: &str) -> Checked {
        Self::parse_on(text, None)
    }

    /// Reads and checks a plan, and warns of days in `closed-on` that lie before `today`.
    #[must_use]
    pub fn parse_on(text: &str, today: Option<Date>) -> Checked {
        if text.len() > TEXT_MAX {
            return Checked {
                plan: None,
                faults: vec![fault::too_long(text.len())],
            };
        }
        // An inline table in an inline table may have keys of eighty parts each: some thousand
        // levels, and the TOML crate frees a tree by recursion. No plan needs that, but the text
        // comes from outside, so such a text gets a stack on which it cannot hurt.
        let braces = text.bytes().filter(|&b| b == b'{').count();
        if braces <= SHALLOW_BRACES {
            return read(text, today);
        }
        thread::scope(|scope| {
            thread::Builder::new()
                .stack_size(DEEP_STACK)
                .spawn_scoped(scope, || read(text, today))
                .map_or_else(
                    |_| Checked {
                        plan: None,
                        faults: vec![fault::no_memory()],
                    },
                    |thread| thread.join().expect("reading a plan does not panic"),
                )
        })
    }

    /// Short fingerprint of the text: the first [`VERSION_LENGTH`] hex digits of its SHA-256.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The TOML it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What holds where a flow says nothing else.
    #[must_use]
    pub fn defaults(&self) -> &Defaults {
        &self.defaults
    }

    /// How long the ledger and the recordings are kept.
    #[must_use]
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// The line of that number.
    #[must_use]
    pub fn line(&self, number: &PhoneNumber) -> Option<&Line> {
        self.lines.get(number)
    }

    /// The flow of that name.
    #[must_use]
    pub fn flow(&self, name: &FlowName) -> Option<&Flow> {
        self.flows.get(name)
    }

    /// The flow of that name, if it is a queue.
    #[must_use]
    pub fn queue(&self, name: &FlowName) -> Option<(&Flow, &Queue)> {
        let flow = self.flow(name)?;
        match &flow.kind {
            FlowKind::Queue(queue) => Some((flow, queue)),
            _ => None,
        }
    }

    /// The flow of that name, if it rings agents.
    #[must_use]
    pub fn ring(&self, name: &FlowName) -> Option<(&Flow, &Ring)> {
        let flow = self.flow(name)?;
        match &flow.kind {
            FlowKind::Ring(ring) => Some((flow, ring)),
            _ => None,
        }
    }

    /// The flow of that name, if it rings several phones at once.
    #[must_use]
    pub fn hotline(&self, name: &FlowName) -> Option<(&Flow, &Hotline)> {
        let flow = self.flow(name)?;
        match &flow.kind {
            FlowKind::Hotline(hotline) => Some((flow, hotline)),
            _ => None,
        }
    }

    /// The flow of that name, if it is a menu.
    #[must_use]
    pub fn menu(&self, name: &FlowName) -> Option<(&Flow, &Menu)> {
        let flow = self.flow(name)?;
        match &flow.kind {
            FlowKind::Menu(menu) => Some((flow, menu)),
            _ => None,
        }
    }

    /// The agent of that name.
    #[must_use]
    pub fn agent(&self, name: &AgentName) -> Option<&Agent> {
        self.agents.get(name)
    }

    /// All who are told what happens, in the order of the text.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.targets.iter()
    }

    /// The target of that name.
    #[must_use]
    pub fn target(&self, name: &TargetName) -> Option<&Target> {
        self.targets.iter().find(|target| target.name == *name)
    }

    /// Whether anybody is told news of this kind, of any line.
    #[must_use]
    pub fn tells(&self, topic: Topic) -> bool {
        self.targets
            .iter()
            .any(|target| target.topics.contains(&topic))
    }

    /// All lines, by number.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// All flows, by name.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.flows.values()
    }

    /// All agents, by name.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values()
    }
}

/// Shows no number and no address, of which the text has plenty.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Braces up to which a text cannot nest deeply: a header, a key and each inline table add at most
/// 80 levels (the limit of the TOML crate), so these make 480.
const SHALLOW_BRACES: usize = 4;

/// Stack for texts with more braces: 80 inline tables of 80 levels each, at up to 10 KB a level in
/// an unoptimised build. Memory is taken only as it is used.
const DEEP_STACK: usize = 64 * 1024 * 1024;

fn read(text: &str, today: Option<Date>) -> Checked {
    let mut faults = Faults::new(text);
    let draft = read::read(text, today, &mut faults);
    check::check(&draft, &mut faults);
    let faults = faults.finish();
    let sound = faults.iter().all(|f| f.severity == Severity::Warning);
    Checked {
        plan: sound.then(|| Plan {
            version: version(text),
            text: text.to_owned(),
            defaults: draft.defaults,
            keep: draft.keep,
            lines: draft
                .lines
                .into_iter()
                .map(|l| (l.number.clone(), l))
                .collect(),
            agents: draft
                .agents
                .into_iter()
                .map(|a| (a.name.clone(), a))
                .collect(),
            flows: draft
                .flows
                .into_iter()
                .map(|f| (f.name.clone(), f))
                .collect(),
            targets: draft.targets,
        }),
        faults,
    }
}

fn version(text: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let bytes = &hash.as_ref()[..VERSION_LENGTH / 2];
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
