//! A call: what we keep of one caller's contact, from first ring to last hang-up.

use crate::crypto;
use crate::cue::Cue;
use crate::id::{ConversationId, LegId, RecordingId};
use crate::number::mask;
use crate::offer::Offer;
use crate::plan::{AgentName, FlowName, Plan};
use crate::webhook::CallStatus;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A call, known by the caller's leg: the one id that stays when the leg is transferred to another
/// conversation.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The caller's leg.
    pub leg: LegId,
    /// The conversation the call began in.
    pub conversation: ConversationId,
    /// What was called, as it came: one of our lines, or not.
    pub line: String,
    /// Who calls, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// When we first heard of it.
    pub at: Timestamp,
    /// Base of our own URLs, as this call reached us; no slash at the end.
    pub base: String,
    /// Base of REST calls about this call; absent where Vonage named none that we trust.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Why something that came with the call was not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// The version of the plan it began with, and keeps.
    pub plan: String,
    /// Its place among the waiting, while it waits or is promised to an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The agent to whom it is promised right now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    /// The agent who answered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<AgentName>,
    /// Its turn in the flow that rings agents by turns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// Of the staff of a hotline, those who are in the caller's room.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub helpers: BTreeSet<Helper>,
    /// Those who have been in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub joined: BTreeSet<Helper>,
    /// Those whose phones are done with: declined, not answered, or hung up.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub given_up: BTreeSet<Helper>,
    /// The hotline whose room the caller is to leave for what comes next, until Vonage has moved
    /// them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moving: Option<FlowName>,
    /// Vonage knew nothing of the leg when an agent was to have it. A hang-up that is still to be
    /// reported; or the wrong region, and then the caller is here and hears our music.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
    /// Menus read to the caller so far, as far as it is known here: a cue may know of more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub menus: u8,
    /// Whether the caller agreed to be recorded, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<bool>,
    /// The voicemail flow that let the caller speak.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<FlowName>,
    /// The message the caller left there: long enough to be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voicemail: Option<RecordingId>,
    /// Why nothing of it may be deleted, while that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// When the caller's leg was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
}

/// A place in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The flow whose queue it is.
    pub queue: FlowName,
    /// Orders the queue: when the caller first began to wait. Kept when an agent does not answer,
    /// and when the caller moves on to another queue.
    pub since: Timestamp,
    /// When the caller entered this queue; `max-wait` counts from here.
    pub entered: Timestamp,
}

/// A legal hold: neither the call nor its events nor its recordings are deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Since when.
    pub since: Timestamp,
    /// Why, as whoever held it wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One of the staff of a hotline, as far as one call is concerned. Each is rung once for a call and a
/// hotline.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Helper {
    /// The hotline.
    pub flow: FlowName,
    /// Who.
    pub agent: AgentName,
}

impl Helper {
    /// This agent, at that hotline.
    #[must_use]
    pub fn of(flow: &FlowName, agent: &AgentName) -> Self {
        Self {
            flow: flow.clone(),
            agent: agent.clone(),
        }
    }
}

impl fmt::Display for Helper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.flow, self.agent)
    }
}

impl FromStr for Helper {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "one of the staff is written FLOW/AGENT";
        let (flow, agent) = text.split_once('/').ok_or(wrong)?;
        Ok(Self {
            flow: flow.parse().map_err(|_| wrong)?,
            agent: agent.parse().map_err(|_| wrong)?,
        })
    }
}

impl TryFrom<String> for Helper {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Helper> for String {
    fn from(helper: Helper) -> Self {
        helper.to_string()
    }
}

impl Call {
    /// A call that begins: nobody has it yet.
    #[must_use]
    pub fn new(
        leg: LegId,
        conversation: ConversationId,
        line: String,
        at: Timestamp,
        base: String,
        plan: &Plan,
    ) -> Self {
        Self {
            leg,
            conversation,
            line,
            from: None,
            at,
            base,
            region: None,
            refused: None,
            plan: plan.version().to_owned(),
            place: None,
            offer: None,
            served: None,
            turn: None,
            helpers: BTreeSet::new(),
            joined: BTreeSet::new(),
            given_up: BTreeSet::new(),
            moving: None,
            lost: false,
            menus: 0,
            consent: None,
            mailbox: None,
            voicemail: None,
            hold: None,
            ended: None,
        }
    }

    /// The caller, as a log may show them.
    #[must_use]
    pub fn masked(&self) -> String {
        self.from
            .as_deref()
            .map_or_else(|| "unknown".to_owned(), mask)
    }

    /// A number for what is to be chosen at random for this call. Vonage draws the ids of legs at
    /// random, so what is drawn from one is, too; and it is the same whenever we are asked again.
    #[must_use]
    pub fn draw(&self) -> u32 {
        let hash = crypto::sha256_hex(self.leg.as_str().as_bytes());
        u32::from_str_radix(&hash[..8], 16).unwrap_or_default()
    }

    /// The same call, as a cue knows it: it may have heard more menus than are written down.
    #[must_use]
    pub fn come_to(mut self, cue: &Cue) -> Self {
        self.menus = self.menus.max(cue.menus);
        self
    }

    /// A place in a flow that is entered now. The call's own beginning orders it: time in the system
    /// counts, and who was in another flow before is no newcomer.
    #[must_use]
    pub fn place_in(&self, flow: &FlowName, now: Timestamp) -> Place {
        Place {
            queue: flow.clone(),
            since: self.at,
            entered: now,
        }
    }

    /// Whether its place is in this flow.
    #[must_use]
    pub fn waits_in(&self, flow: &FlowName) -> bool {
        self.place
            .as_ref()
            .is_some_and(|place| place.queue == *flow)
    }

    /// Of the staff of a hotline, those who are in the caller's room.
    pub fn helpers_in(&self, flow: &FlowName) -> impl Iterator<Item = &Helper> {
        self.helpers.iter().filter(move |one| one.flow == *flow)
    }

    /// Waits and is promised to nobody.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.place.is_some() && self.offer.is_none() && self.ended.is_none() && !self.lost
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// Shows no number and no address.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("leg", &self.leg)
            .field("from", &self.masked())
            .field("place", &self.place)
            .field("offer", &self.offer)
            .field("served", &self.served)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// Where a leg is, as a fold over what was said of it: the furthest status wins, whatever the order
/// the events came in, and however often.
///
/// An unknown status has the lowest rank, so it never ends a leg.
#[must_use]
pub fn status<'a>(said: impl IntoIterator<Item = &'a CallStatus>) -> Option<&'a CallStatus> {
    said.into_iter()
        .max_by_key(|status| (rank(status), *status))
}

fn rank(status: &CallStatus) -> u8 {
    match status {
        CallStatus::Other(_) => 0,
        CallStatus::Started => 1,
        CallStatus::Ringing => 2,
        CallStatus::Answered => 3,
        CallStatus::Human | CallStatus::Machine | CallStatus::Disconnected => 4,
        CallStatus::Completed => 5,
        // Why a leg failed says more than that it is over.
        CallStatus::Busy
        | CallStatus::Cancelled
        | CallStatus::Unanswered
        | CallStatus::Rejected
        | CallStatus::Failed
        | CallStatus::Timeout => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_furthest_status_wins() {
        for (said, result) in [
            (&["started", "ringing"][..], "ringing"),
            (&["completed", "answered", "started"], "completed"),
            (&["completed", "busy"], "busy"),
            (&["answered", "teleported"], "answered"),
        ] {
            let said: Vec<_> = said
                .iter()
                .map(|s| CallStatus::from((*s).to_owned()))
                .collect();
            assert_eq!(status(&said).unwrap().as_str(), result);
        }
        assert_eq!(status([]), None);
    }

    proptest! {
        #[test]
        fn order_and_repetition_change_nothing(
            words in prop::collection::vec("started|ringing|answered|human|busy|failed|completed|odd|odder", 1..8),
            seed in any::<prop::sample::Index>(),
        ) {
            let said: Vec<_> = words.iter().cloned().map(CallStatus::from).collect();
            let mut shuffled = said.clone();
            shuffled.rotate_left(seed.index(said.len()));
            shuffled.reverse();
            shuffled.push(said[seed.index(said.len())].clone());
            prop_assert_eq!(status(&said), status(&shuffled));
        }
    }
}
