//! One thing that a handler of ours is asked to do.

use crate::text::Text;

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Happening {
    /// Somebody calls a line: the answer webhook.
    Call {
        /// Which caller.
        caller: usize,
        /// Which line.
        line: usize,
    },
    /// Vonage posts an event, with the query of the URL it was told.
    Event {
        /// The body.
        body: Text,
        /// The query.
        query: Text,
        /// What it says, in a few words.
        words: Text,
    },
    /// An agent says "free".
    Free(&'static str),
    /// An agent says "away".
    Away(&'static str),
    /// A job comes out of the queue.
    Job(Text),
    /// The schedule sweeps.
    Sweep,
}

/// A happening, told from every other of the same kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Task {
    /// What.
    pub(crate) what: Happening,
    /// The how manieth of its kind.
    pub(crate) nth: u8,
    /// What the clock shows when the handler begins.
    pub(crate) at: i64,
    /// Whose script the reply may replace, and which one: a reply about another is too late.
    pub(crate) about: Option<(usize, Text)>,
}

impl Task {
    /// Who does this, as a schedule names it.
    pub(crate) fn words(&self) -> String {
        let what = match &self.what {
            Happening::Call { caller, .. } => format!("«{} calls»", leg(*caller)),
            Happening::Event { words, .. } => format!("«event: {words}»"),
            Happening::Free(agent) => format!("«{agent} says free»"),
            Happening::Away(agent) => format!("«{agent} says away»"),
            Happening::Job(body) => format!("«job {body}»"),
            Happening::Sweep => "«sweep»".to_owned(),
        };
        if self.nth == 0 {
            what
        } else {
            format!("{what} no. {}", self.nth + 1)
        }
    }

    /// Vonage asks, and hears the reply.
    pub(crate) fn is_webhook(&self) -> bool {
        matches!(self.what, Happening::Call { .. } | Happening::Event { .. })
    }
}

/// The leg of a caller.
pub(crate) fn leg(caller: usize) -> String {
    format!("caller-{}", caller + 1)
}

/// The caller of a leg.
pub(crate) fn caller(leg: &str) -> Option<usize> {
    let number: usize = leg.strip_prefix("caller-")?.parse().ok()?;
    number.checked_sub(1)
}
