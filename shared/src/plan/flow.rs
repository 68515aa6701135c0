//! Flows: what a caller meets, and what comes after it.

use super::{AgentName, Calendar, FlowName, Hotline};
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// Types of flow a plan may name, as `type` spells them.
pub const KINDS: [&str; 5] = ["message", "hours", "ring", "queue", "hotline"];

/// How long one phone rings: Vonage's range for `connect.timeout`.
///
/// See [Vonage/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const RING_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(120);

/// How long a phone rings where the plan does not say: mailboxes pick up at about 25 s.
pub const RING_TIMEOUT_DEFAULT: Duration = Duration::from_secs(20);

/// How long Vonage keeps a call: the default, and highest, `connect.limit`. No caller can be rung
/// for or kept waiting longer.
///
/// See [Vonage/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const CALL_LENGTH_MAX: Duration = Duration::from_secs(7200);

/// How long a caller may be kept waiting: at least a second, so that a trial can be short, and not
/// beyond [`CALL_LENGTH_MAX`].
pub const MAX_WAIT: RangeInclusive<Duration> = Duration::from_secs(1)..=CALL_LENGTH_MAX;

/// Longest time after which a queued timer can come back: an SQS message is delayed by at most
/// 900 s.
pub const TIMER_MAX: Duration = Duration::from_secs(900);

/// When an agent is pretended to be free. Bounded by [`TIMER_MAX`], since a queued timer says so.
pub const FREE_AFTER: RangeInclusive<Duration> = Duration::from_secs(1)..=TIMER_MAX;

/// Rest of an agent after a missed or a finished call. Bounded by [`TIMER_MAX`], since a queued
/// timer ends it.
pub const REST: RangeInclusive<Duration> = Duration::ZERO..=TIMER_MAX;

/// Rest after a call that was not picked up, where the plan does not say.
pub const COOL_DOWN_DEFAULT: Duration = Duration::from_secs(30);

/// Agents of one flow: one `BatchGetItem` of DynamoDB reads at most 100 keys, and all are looked at
/// together.
pub const AGENTS_MAX: usize = 100;

/// Pieces of music in one queue: each is an action of the same NCCO, which has to stay small enough
/// to be sent again at each turn of the loop.
pub const MUSIC_MAX: usize = 20;

/// What a caller meets under one name.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Name in the plan.
    pub name: FlowName,
    /// Language of what is said here, BCP-47; the plan's default where the flow names none.
    pub language: String,
    /// What happens.
    pub kind: FlowKind,
}

/// What happens in a flow.
#[derive(Debug, Clone, PartialEq)]
pub enum FlowKind {
    /// Says something, then hangs up.
    Message(Message),
    /// Goes one way while open, another while closed.
    Hours(Hours),
    /// Rings agents one after the other.
    Ring(Ring),
    /// Keeps the caller on hold until an agent is free.
    Queue(Queue),
    /// Rings several phones at once while the caller waits in a room.
    Hotline(Hotline),
}

impl Flow {
    /// Where a call may go from here, as the keys of the plan name it. None after a message.
    #[must_use]
    pub fn exits(&self) -> Vec<(&'static str, &FlowName)> {
        match &self.kind {
            FlowKind::Message(_) => Vec::new(),
            FlowKind::Hours(hours) => {
                vec![("then", &hours.then), ("otherwise", &hours.otherwise)]
            }
            FlowKind::Ring(ring) => vec![("otherwise", &ring.otherwise)],
            FlowKind::Queue(queue) => vec![("otherwise", &queue.otherwise)],
            FlowKind::Hotline(hotline) => vec![("otherwise", &hotline.otherwise)],
        }
    }

    /// Whom it rings, in the order of the plan. Empty where it rings nobody.
    #[must_use]
    pub fn agents(&self) -> Vec<&AgentName> {
        match &self.kind {
            FlowKind::Message(_) | FlowKind::Hours(_) => Vec::new(),
            FlowKind::Ring(ring) => ring.agents.iter().collect(),
            FlowKind::Queue(queue) => queue.agents.iter().collect(),
            FlowKind::Hotline(hotline) => hotline.staff().collect(),
        }
    }
}

impl FlowKind {
    /// How a plan spells it in `type`: one of [`KINDS`].
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Hours(_) => "hours",
            Self::Ring(_) => "ring",
            Self::Queue(_) => "queue",
            Self::Hotline(hotline) if hotline.shared => "hotline",
            // A ring whose phones ring together.
            Self::Hotline(_) => "ring",
        }
    }
}

/// Goes one way while open, another while closed.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// When somebody is there. At least one window.
    pub calendar: Calendar,
    /// What comes while open.
    pub then: FlowName,
    /// What comes while closed.
    pub otherwise: FlowName,
}

/// Says something, then hangs up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Text or SSML, at most 1500 characters.
    pub say: String,
}

/// Rings agents one after the other, and connects the caller to the first who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Said before the first phone rings. Without it, the caller hears only the ringing, as with a
    /// masked number.
    pub say: Option<String>,
    /// Whom to ring, in this order. 1 to [`AGENTS_MAX`], nobody twice.
    pub agents: Vec<AgentName>,
    /// Whether each call begins with the agent after the one the call before began with.
    pub by_turns: bool,
    /// Whether who picks up a telephone has to press a key before the caller is put through.
    pub confirm: bool,
    /// How long each phone rings. Within [`RING_TIMEOUT`].
    pub timeout: Duration,
    /// Whether the talk is recorded.
    pub record: bool,
    /// What comes when nobody answers.
    pub otherwise: FlowName,
}

/// Keeps the caller on hold until an agent is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Said before the music.
    pub say: String,
    /// Played in turn while the caller waits; mp3 or 16-bit wav. May be empty.
    pub music: Vec<Url>,
    /// Who takes the calls. 1 to [`AGENTS_MAX`], nobody twice.
    pub agents: Vec<AgentName>,
    /// Whether who picks up a telephone has to press a key before the caller is put through.
    pub confirm: bool,
    /// Said to the caller just before an agent is connected; where nothing is recorded, only to one
    /// who was on hold.
    pub connect_say: Option<String>,
    /// Whether the talk is recorded.
    pub record: bool,
    /// How long an agent's phone rings. Within [`RING_TIMEOUT`].
    pub timeout: Duration,
    /// Pretends, for a trial, that an agent becomes free so long after the call came. Within
    /// [`FREE_AFTER`].
    pub free_after: Option<Duration>,
    /// Longest time on hold. Within [`MAX_WAIT`].
    pub max_wait: Duration,
    /// How long an agent who did not pick up is left in peace. Within [`REST`].
    pub cool_down: Duration,
    /// How long an agent is left in peace after a call. Within [`REST`].
    pub wrap_up: Duration,
    /// How the waiting leg is moved to the agent.
    pub transfer: Transfer,
    /// What comes when the wait is over and nobody was free.
    pub otherwise: FlowName,
}

/// In which order the phones of a `ring` flow ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// One after the other, as the plan names them.
    #[default]
    InOrder,
    /// One after the other, each call beginning with the next.
    RoundRobin,
    /// All at once: a [`Hotline`] for one.
    All,
    /// Some at once, more after a while: a [`Hotline`] for one.
    Staged,
}

impl Strategy {
    /// As a plan spells them.
    pub const WORDS: [(&'static str, Self); 4] = [
        ("in-order", Self::InOrder),
        ("round-robin", Self::RoundRobin),
        ("all", Self::All),
        ("staged", Self::Staged),
    ];
}

/// How a waiting leg is moved: with the new NCCO in the request, or with the URL where Vonage
/// fetches it.
///
/// See [Vonage/Voice API/Update call](https://developer.vonage.com/en/api/voice#updateCall).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Transfer {
    /// The NCCO goes in the request: one step less.
    #[default]
    Inline,
    /// Vonage fetches the NCCO from us.
    Url,
}
