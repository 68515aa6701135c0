//! Hotlines: many phones ring while the caller waits in a room.

use super::{AgentName, FlowName};
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// How long a phone of a hotline rings where the plan does not say: long enough to find it in a bag.
/// A mailbox that picks up meanwhile presses no key, and so joins nobody.
pub const HOTLINE_RING_DEFAULT: Duration = Duration::from_secs(40);

/// When a later stage may begin, from the caller's coming. Bounded by
/// [`TIMER_MAX`](super::flow::TIMER_MAX), since a queued timer begins it.
pub const STAGE_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=super::flow::TIMER_MAX;

/// Stages of one flow: more would each be a phone of its own, which is the strategy `in-order`.
pub const STAGES_MAX: usize = 10;

/// Rings several phones at once for a caller who waits in a room with music: a flow of type
/// `hotline`, or one of type `ring` whose strategy is `all` or `staged`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotline {
    /// What callers and staff are told they have to do with; the line's name where the plan gives
    /// none. At most [`LABEL_LENGTH_MAX`](super::line::LABEL_LENGTH_MAX) characters.
    pub name: Option<String>,
    /// Said to the caller first. A hotline greets with its name where the plan gives nothing.
    pub say: Option<String>,
    /// One of these is played while the caller waits, mp3: which, is drawn for each call. At least
    /// one.
    pub music: Vec<Url>,
    /// Who is rung when. At least one stage, the first at once; nobody twice.
    pub stages: Vec<Stage>,
    /// Whether who picks up has to press a key before they are let in.
    pub confirm: bool,
    /// How long each phone rings. Within [`RING_TIMEOUT`](super::flow::RING_TIMEOUT).
    pub timeout: Duration,
    /// Whether the talk is recorded.
    pub record: bool,
    /// Longest time until somebody joins. Within [`MAX_WAIT`](super::flow::MAX_WAIT).
    pub max_wait: Duration,
    /// Whether the other phones go on ringing when the first of the staff has joined.
    pub keep_ringing: bool,
    /// Whether more than one of the staff may join, and those who are in are told who comes. So it
    /// is with a hotline; the caller of a `ring` flow is for the first alone.
    pub shared: bool,
    /// What comes when nobody joins.
    pub otherwise: FlowName,
}

/// Phones that begin to ring together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// From the caller's coming. Zero for the first, and each later than the one before.
    pub after: Duration,
    /// Whose. At least one.
    pub agents: Vec<AgentName>,
}

impl Hotline {
    /// Everybody, in the order of the plan.
    pub fn staff(&self) -> impl Iterator<Item = &AgentName> {
        self.stages.iter().flat_map(|stage| &stage.agents)
    }
}
