//! A leg: the line between the platform and one phone.

use crate::ncco::{Machine, Method};
use crate::play::Run;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// A leg's `uuid`. Of an inbound leg 32 hex digits, of an outbound one with dashes.
pub type LegId = String;

/// What is known of a leg, as Vonage words it.
///
/// See [Vonage/Voice API/Event webhook](https://developer.vonage.com/en/voice/voice-api/webhook-reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is made.
    Started,
    /// The phone rings.
    Ringing,
    /// Somebody, or a machine, picked up.
    Answered,
    /// The phone is in use.
    Busy,
    /// The caller hung up before the phone was picked up.
    Cancelled,
    /// Not reached, or declined.
    Unanswered,
    /// Refused before it was connected.
    Rejected,
    /// Could not be connected.
    Failed,
    /// Rang for longer than it may.
    Timeout,
    /// Over.
    Completed,
}

impl Status {
    /// As Vonage spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Busy => "busy",
            Self::Cancelled => "cancelled",
            Self::Unanswered => "unanswered",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::Completed => "completed",
        }
    }

    /// Whether nothing comes of the leg any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Started | Self::Ringing | Self::Answered)
    }
}

/// Which way a leg was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Somebody called one of our numbers.
    Inbound,
    /// The platform rang somebody.
    Outbound,
}

impl Direction {
    /// As Vonage spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

/// Why a leg is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The person at the phone hung up.
    HungUp,
    /// The script was at its end.
    ScriptOver,
    /// No script could be had: whoever was on the line was cut off.
    NoScript,
    /// The server asked for it by REST.
    Request,
    /// Whoever it was connected to, or the conversation, is gone.
    Left,
    /// It lasted as long as it may.
    Limit,
    /// A machine picked up, and the script wants none.
    Machine,
    /// Its phone is switched off.
    Unreachable,
    /// It was never connected.
    Unconnected(Status),
}

impl Ending {
    /// What is told of a leg that was never connected, where its end alone says it.
    pub(crate) fn failure(self) -> Option<Status> {
        match self {
            Self::Unconnected(status) => Some(status),
            // The same word as for who declines: the detail tells them apart.
            Self::Unreachable => Some(Status::Unanswered),
            _ => None,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HungUp => "hung up",
            Self::ScriptOver => "the script is over",
            Self::NoScript => "cut off: no script could be had",
            Self::Request => "ended by the server",
            Self::Left => "the other side is gone",
            Self::Limit => "the longest time is over",
            Self::Machine => "a machine picked up",
            Self::Unreachable => "could not be reached",
            Self::Unconnected(status) => match status {
                Status::Busy => "busy",
                Status::Cancelled => "the caller hung up first",
                Status::Unanswered => "declined",
                Status::Rejected => "refused",
                Status::Timeout => "nobody picked up",
                _ => "could not be connected",
            },
        })
    }
}

/// Where a leg's events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventHook {
    pub(crate) url: String,
    pub(crate) method: Method,
    /// A failed connect is asked about, not only told.
    pub(crate) synchronous: bool,
}

/// Who made an outbound leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A call that came in.
    Caller,
    /// The `connect` of this leg.
    Connect(LegId),
    /// A request.
    Rest,
}

/// A leg.
#[derive(Debug, Clone)]
pub struct Leg {
    pub(crate) id: LegId,
    pub(crate) direction: Direction,
    pub(crate) origin: Origin,
    pub(crate) from: String,
    pub(crate) to: String,
    /// `phone`, `sip`, …: of the far end.
    pub(crate) endpoint: &'static str,
    pub(crate) conversation: String,
    pub(crate) status: Status,
    pub(crate) made: Timestamp,
    pub(crate) since: Timestamp,
    pub(crate) answered: Option<Timestamp>,
    pub(crate) ended: Option<(Timestamp, Ending)>,
    pub(crate) hook: EventHook,
    pub(crate) run: Option<Run>,
    /// Counts what the leg does: whatever was set going for an earlier turn is void.
    pub(crate) turn: u64,
    pub(crate) limit: Duration,
    pub(crate) machine: Option<Machine>,
    pub(crate) is_machine: bool,
    /// It has been found out who picked up.
    pub(crate) detected: bool,
    /// Audible to the others.
    pub(crate) muted: bool,
    /// Hears nothing.
    pub(crate) earmuffed: bool,
    /// Played by REST, over whatever the script plays.
    pub(crate) overlay: Option<Playing>,
    /// What the person at the phone is saying.
    pub(crate) speaking: Option<Speaking>,
    /// Where each key goes as an event of its own.
    pub(crate) keys: Option<(String, Method)>,
    /// The script has let keys be sent: an `input` in asynchronous mode stood in it.
    pub(crate) keys_open: bool,
    /// Until when a person at the phone is silent, if nothing is heard: since when.
    pub(crate) silent_since: Option<Timestamp>,
    pub(crate) longest_silence: Duration,
    /// The webhook by whose reply the leg is to be moved.
    pub(crate) moving: Option<u64>,
    /// Connected to its caller, with no script of its own.
    pub(crate) joined: bool,
    /// What the leg hears, as last noted.
    pub(crate) heard: Vec<u64>,
}

/// Something that is played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Playing {
    pub(crate) id: u64,
    pub(crate) what: Audio,
    pub(crate) since: Timestamp,
    /// `None`: until it is stopped.
    pub(crate) until: Option<Timestamp>,
    /// Played again and again.
    pub(crate) repeats: bool,
}

/// What can be played.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Audio {
    Talk { text: String, language: String },
    Stream { url: String },
    Ringback,
}

/// What a person is saying.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Speaking {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) since: Timestamp,
    pub(crate) until: Timestamp,
}

impl Leg {
    /// A leg that is just made. `ends`: from, to, and what kind the far end is.
    pub(crate) fn new(
        id: LegId,
        direction: Direction,
        origin: Origin,
        ends: (&str, &str, &'static str),
        conversation: String,
        hook: EventHook,
        now: Timestamp,
    ) -> Self {
        let (from, to, endpoint) = ends;
        Self {
            id,
            direction,
            origin,
            from: from.to_owned(),
            to: to.to_owned(),
            endpoint,
            conversation,
            status: Status::Started,
            made: now,
            since: now,
            answered: None,
            ended: None,
            hook,
            run: None,
            turn: 0,
            limit: crate::platform::LENGTH_MAX,
            machine: None,
            is_machine: false,
            detected: false,
            muted: false,
            earmuffed: false,
            overlay: None,
            speaking: None,
            keys: None,
            keys_open: false,
            silent_since: None,
            longest_silence: Duration::ZERO,
            moving: None,
            joined: false,
            heard: Vec::new(),
        }
    }

    /// Its `uuid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who calls.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.from
    }

    /// Who is called: a number, a SIP address, a user.
    #[must_use]
    pub fn to(&self) -> &str {
        &self.to
    }

    /// Which way it was made.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// When it was made.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        self.made
    }

    /// When it was picked up.
    #[must_use]
    pub fn answered(&self) -> Option<Timestamp> {
        self.answered
    }

    /// When and why it ended.
    #[must_use]
    pub fn ended(&self) -> Option<(Timestamp, Ending)> {
        self.ended
    }

    /// The longest time during which whoever was on the line heard nothing at all, neither the
    /// platform nor a person they were connected to.
    #[must_use]
    pub fn longest_silence(&self) -> Duration {
        self.longest_silence
    }

    /// Whether it is up: answered and not over.
    pub(crate) fn is_up(&self) -> bool {
        self.status == Status::Answered
    }

    /// The person at the phone, as the others know them.
    pub(crate) fn person(&self) -> &str {
        match self.direction {
            Direction::Inbound => &self.from,
            Direction::Outbound => &self.to,
        }
    }
}
