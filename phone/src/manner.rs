//! How a phone behaves when it rings.

use crate::platform::Act;
use std::time::Duration;

/// Time until a phone that is reached by radio rings, or is found not to. Nothing happens sooner.
pub(crate) const RINGS_BEFORE: Duration = Duration::from_millis(200);

/// How a phone behaves when it rings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Manner {
    /// Somebody at a page, or a test, decides.
    #[default]
    Ask,
    /// It rings and rings.
    Silent,
    /// A person declines after so long.
    Declines(Duration),
    /// It is in use.
    Busy,
    /// It is switched off.
    Unreachable,
    /// There is no such number.
    NoSuchNumber,
    /// A mailbox picks up after so long.
    Mailbox(Duration),
    /// A person picks up.
    Answers {
        /// After so long.
        after: Duration,
        /// Says this at once.
        says: Option<String>,
        /// Presses these keys, so long after picking up.
        presses: Option<(Duration, String)>,
        /// Presses 1 soon after picking up, if they are asked for a key by then: they take the call.
        takes: bool,
        /// And hangs up so long after picking up; else the other side has to.
        talks: Option<Duration>,
    },
}

impl Manner {
    /// When mailboxes pick up, as most networks set them.
    pub const MAILBOX_AFTER: Duration = Duration::from_secs(25);

    /// Time until a mailbox begins to speak.
    pub const MAILBOX_BEGINS: Duration = Duration::from_millis(500);

    /// What a mailbox says.
    pub const GREETING: &'static str = "The person you are calling cannot come to the phone. Please leave a message after the tone.";

    /// How long a mailbox waits for a message to end.
    pub const MAILBOX_WAITS: Duration = Duration::from_secs(30);

    /// Time until a person who is asked for a key has found it.
    pub const TAKES_AFTER: Duration = Duration::from_secs(2);

    /// A person who picks up after so long, takes the call where they are asked, and hangs up so long after that.
    #[must_use]
    pub fn answers(after: Duration, talks: Option<Duration>) -> Self {
        Self::Answers {
            after,
            says: None,
            presses: None,
            takes: true,
            talks,
        }
    }

    /// Whether it rings at all.
    pub(crate) fn rings(&self) -> bool {
        !matches!(self, Self::Busy | Self::Unreachable | Self::NoSuchNumber)
    }

    /// What comes of the ringing, and when.
    pub(crate) fn acts(&self) -> Option<(Duration, Act)> {
        Some(match self {
            Self::Ask | Self::Silent => return None,
            Self::Declines(after) => (*after, Act::Decline),
            Self::Busy => (Duration::ZERO, Act::IsBusy),
            Self::Unreachable => (Duration::ZERO, Act::IsUnreachable),
            Self::NoSuchNumber => (Duration::ZERO, Act::IsNoNumber),
            Self::Mailbox(after) => (*after, Act::PickUp { machine: true }),
            Self::Answers { after, .. } => (*after, Act::PickUp { machine: false }),
        })
    }

    /// What the person does once they have picked up.
    pub(crate) fn later(&self) -> Vec<(Duration, Act)> {
        let Self::Answers {
            after,
            says,
            presses,
            takes,
            talks,
        } = self
        else {
            return Vec::new();
        };
        let after = (*after).max(RINGS_BEFORE);
        let says = says.iter().map(|text| (after, Act::Say(text.clone())));
        let presses = presses
            .iter()
            .map(|(delay, keys)| (after + *delay, Act::Press(keys.clone())));
        let takes = takes.then(|| (after + Self::TAKES_AFTER, Act::Take));
        let talks = talks.iter().map(|talks| (after + *talks, Act::HangUp));
        says.chain(presses).chain(takes).chain(talks).collect()
    }
}
