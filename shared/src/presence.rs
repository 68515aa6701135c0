//! Whether an agent can be rung.

use crate::id::LegId;
use crate::offer::OfferId;
use crate::plan::AgentName;
use jiff::Timestamp;
use jiff::fmt::serde::timestamp::millisecond;
use serde::{Deserialize, Serialize};

/// What is kept of an agent. Every promise and every pause is a time in `free_from`, so each ends by
/// itself, even when whoever made it never comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Who.
    pub name: AgentName,
    /// Has said "free" and not "away" since.
    #[serde(default)]
    pub present: bool,
    /// Can be rung from here on, if present.
    #[serde(with = "millisecond::required")]
    pub free_from: Timestamp,
    /// The call that rings or is talked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<LegId>,
    /// The promise under which it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The agent's own leg, once answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// How often, since the phone was last answered, it could not even be made to ring.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// What an agent is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// Wants no calls.
    Away,
    /// Gets the next caller.
    Free,
    /// Their phone rings, or is about to.
    Ringing {
        /// For whom.
        call: LegId,
    },
    /// Talks.
    Talking {
        /// With whom.
        call: LegId,
    },
    /// Did not answer, or has just hung up: left alone for a while.
    Resting {
        /// How long.
        until: Timestamp,
    },
}

impl Presence {
    /// Of an agent never heard of: away.
    #[must_use]
    pub fn unknown(name: AgentName) -> Self {
        let free_from = Timestamp::UNIX_EPOCH;
        Self {
            name,
            present: false,
            free_from,
            call: None,
            offer: None,
            leg: None,
            failures: 0,
        }
    }

    /// Can be promised a caller now.
    #[must_use]
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.present && self.free_from <= now
    }

    /// What the agent is doing now.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match (&self.call, &self.leg) {
            (Some(call), Some(_)) if self.free_from > now => State::Talking { call: call.clone() },
            (Some(call), None) if self.free_from > now => State::Ringing { call: call.clone() },
            _ if !self.present => State::Away,
            _ if self.free_from > now => State::Resting {
                until: self.free_from,
            },
            _ => State::Free,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pause_ends_by_itself() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-01-01T12:00:30Z".parse().unwrap();
        let call: LegId = "leg".parse().unwrap();
        let mut alice = Presence::unknown("alice".parse().unwrap());
        assert_eq!(alice.state(now), State::Away);
        alice.present = true;
        assert_eq!(alice.state(now), State::Free);
        alice.free_from = later;
        assert_eq!(alice.state(now), State::Resting { until: later });
        assert_eq!(alice.state(later), State::Free);
        alice.call = Some(call.clone());
        assert_eq!(alice.state(now), State::Ringing { call: call.clone() });
        assert_eq!(alice.state(later), State::Free);
        alice.leg = Some("agent-leg".parse().unwrap());
        alice.present = false;
        assert_eq!(alice.state(now), State::Talking { call });
        assert_eq!(alice.state(later), State::Away);
    }
}
