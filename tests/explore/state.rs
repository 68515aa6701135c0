//! Where everybody stands.

use crate::phone::Leg;
use crate::text::Text;

/// Where everybody stands. Equal ones have equal futures.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    /// What lies in the table.
    pub(crate) rows: u32,
    /// Seconds since the start.
    pub(crate) clock: i64,
    /// Handlers at work: which task, and at which point.
    pub(crate) tasks: Vec<(u32, u32)>,
    /// Jobs that are due later.
    pub(crate) later: Vec<Text>,
    /// The callers' legs.
    pub(crate) legs: Vec<Leg>,
    /// How often each thing happened, to tell one from the next.
    pub(crate) counts: Vec<(u32, u8)>,
    /// What may still happen.
    pub(crate) left: Budget,
    /// Something failed on the way: what waits may have to wait for the sweep.
    pub(crate) faults: bool,
}

/// How often each thing that nobody has to do may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Budget {
    /// Callers who hang up.
    pub(crate) hang_ups: u8,
    /// Agents who decline.
    pub(crate) declines: u8,
    /// Agents who answer.
    pub(crate) answers: u8,
    /// Agents who hang up after a talk.
    pub(crate) talks: u8,
    /// Tunes that end.
    pub(crate) tunes: u8,
    /// Handlers that never come back.
    pub(crate) crashes: u8,
    /// Transfers that get no answer.
    pub(crate) doubts: u8,
    /// Transfers that Vonage refuses.
    pub(crate) refusals: u8,
}
