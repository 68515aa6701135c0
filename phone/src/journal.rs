//! What happened, in order: for a transcript, and for the timeline beside the phone.

use crate::leg::{Ending, LegId, Status};
use crate::ncco::Method;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Counts up.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// To whom, where it was one leg's.
    pub leg: Option<LegId>,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum What {
    /// Somebody calls one of our numbers.
    Dials { from: String, to: String },
    /// A phone begins to ring.
    Rings { from: String, to: String },
    /// A phone is picked up.
    PicksUp { machine: bool },
    /// The person at the phone hung up.
    HangsUp,
    /// The person at the phone declines.
    Declines,
    /// Keys are pressed.
    Presses { keys: String },
    /// The person at the phone says something.
    Says { text: String },
    /// The leg begins to hear something.
    Hears(Heard),
    /// The leg stands thus.
    Is(Status),
    /// The leg is over.
    Ended(Ending),
    /// Two legs are connected.
    Joined { with: LegId },
    /// The server is asked or told something.
    Webhook {
        webhook: u64,
        name: String,
        method: Method,
        attempt: u8,
        body: Value,
    },
    /// What the server said to it. No status: nothing came.
    Reply {
        webhook: u64,
        name: String,
        status: Option<u16>,
        words: String,
        body: Option<Value>,
        took: Duration,
    },
    /// An event that the server did not take in two attempts.
    Lost { webhook: u64, name: String },
    /// The server asks for something by REST.
    Request {
        method: String,
        path: String,
        body: Option<Value>,
        status: u16,
    },
    /// A recording can be fetched.
    Recorded {
        recording: String,
        bytes: u64,
        length: Duration,
    },
    /// Anything else worth knowing.
    Note(String),
}

/// What a leg hears.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are what their names say")]
pub enum Heard {
    Talk { text: String, language: String },
    Stream { url: String },
    Ringback,
    Voice { of: String, text: String },
    Beep,
}

/// The journal.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<Entry>,
    next: u64,
    kept: usize,
}

impl Journal {
    pub(crate) fn keeping(kept: usize) -> Self {
        Self {
            kept,
            ..Self::default()
        }
    }

    /// Says what a request noted before came to.
    pub(crate) fn settle(&mut self, request: u64, with: u16) {
        let mut entries = self.entries.iter_mut().rev();
        if let Some(entry) = entries.find(|entry| entry.id == request)
            && let What::Request { status, .. } = &mut entry.what
        {
            *status = with;
        }
    }

    /// Notes something, and gives its number.
    pub(crate) fn note(&mut self, at: Timestamp, leg: Option<&LegId>, what: What) -> u64 {
        if self.entries.len() >= self.kept.max(1) {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry {
            id: self.next,
            at,
            leg: leg.cloned(),
            what,
        });
        self.next += 1;
        self.next - 1
    }

    pub(crate) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }
}
