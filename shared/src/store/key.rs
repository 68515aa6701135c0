//! Every key of the table, built in one place.

use crate::id::{ConversationId, LegId, RecordingId};
use crate::notify::NotificationId;
use crate::plan::{AgentName, FlowName};
use jiff::Timestamp;
use jiff::civil::Date;

/// Partition key attribute.
pub(super) const PK: &str = "pk";
/// Sort key attribute.
pub(super) const SK: &str = "sk";
/// Seconds after which DynamoDB deletes the item.
pub(super) const TTL: &str = "ttl";
/// Index over what is listed by day or state: partition key attribute.
pub(super) const LISTING: &str = "listing";
/// Index over what is listed by day or state: sort key attribute.
pub(super) const LISTED: &str = "listed";
/// Index over what belongs to a conversation: partition key attribute (sort key is [`SK`]).
pub(super) const CONVERSATION: &str = "conversation";
/// Name of the index over [`LISTING`] and [`LISTED`].
pub(super) const BY_LISTING: &str = "by-listing";
/// Name of the index over [`CONVERSATION`] and [`SK`].
pub(super) const BY_CONVERSATION: &str = "by-conversation";
/// What the sort keys of a call's events begin with.
pub(super) const EVENT: &str = "EVENT#";
/// Partition key of the recordings that are to be looked at.
pub(super) const LOOKS: &str = "LOOKS";
/// Partition key of the calls that are held.
pub(super) const HELD: &str = "HELD";
/// What the sort keys of phones that were rung for a caller begin with.
pub(super) const RUNG: &str = "RUNG#";
/// What the sort keys of waiting callers begin with.
pub(super) const WAITING: &str = "WAIT#";
/// Partition key of all versions of the plan.
pub(super) const PLAN: &str = "PLAN";
/// What the sort keys of plans that were replaced begin with.
pub(super) const PUSH: &str = "PUSH#";

/// What an event is kept with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Home {
    /// The call of this caller's leg, or the leg itself where we know no call.
    Leg(LegId),
    /// A conversation, for events that name no leg.
    Conversation(ConversationId),
}

/// The key of an item.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// What we know of a call.
    Call(&'a LegId),
    /// One event.
    Event {
        /// What it is kept with.
        home: &'a Home,
        /// What tells it from the others there.
        fingerprint: &'a str,
    },
    /// A caller who waits. Sorts by time, then leg.
    Waiting {
        /// The flow whose queue it is.
        queue: &'a FlowName,
        /// The place.
        since: Timestamp,
        /// The caller.
        leg: &'a LegId,
    },
    /// A phone that was rung for a caller who waits in a room.
    Rung {
        /// The caller.
        call: &'a LegId,
        /// The hotline.
        flow: &'a FlowName,
        /// Whose phone.
        agent: &'a AgentName,
    },
    /// Whether an agent can be rung.
    Agent(&'a AgentName),
    /// How many calls a flow has rung its agents for by turns.
    Turns(&'a FlowName),
    /// A recording and how far its archiving got.
    Recording(&'a RecordingId),
    /// When a recording is to be looked at: whether its time is over. Sorts by time.
    Look {
        /// When.
        at: Timestamp,
        /// The recording.
        recording: &'a RecordingId,
    },
    /// A call that is held, or was until a moment ago.
    Held(&'a LegId),
    /// News for one target, and how far the telling got.
    Notification(&'a NotificationId),
    /// What was said in a recording, and how far its archiving got.
    Transcript(&'a RecordingId),
    /// The plan in force.
    CurrentPlan,
    /// The text of a version of the plan.
    Plan(&'a str),
    /// That a plan was in force, by the number of its push. Sorts by it.
    Push(u64),
}

impl Key<'_> {
    /// Partition key.
    #[must_use]
    pub fn pk(&self) -> String {
        match self {
            Self::Call(leg) | Self::Rung { call: leg, .. } => call(leg),
            Self::Event { home, .. } => home.pk(),
            Self::Waiting { queue, .. } => queue_pk(queue),
            Self::Agent(name) => format!("AGENT#{name}"),
            Self::Turns(flow) => format!("TURNS#{flow}"),
            Self::Recording(id) | Self::Transcript(id) => format!("RECORDING#{id}"),
            Self::Look { .. } => LOOKS.to_owned(),
            Self::Held(_) => HELD.to_owned(),
            Self::Notification(id) => format!("NEWS#{}", id.news),
            Self::CurrentPlan | Self::Plan(_) | Self::Push(_) => PLAN.to_owned(),
        }
    }

    /// Sort key.
    #[must_use]
    pub fn sk(&self) -> String {
        match self {
            Self::Call(_) => "CALL".to_owned(),
            Self::Event { fingerprint, .. } => format!("{EVENT}{fingerprint}"),
            // 13 digits hold every millisecond until the year 2286, so text order is time order.
            Self::Waiting { since, leg, .. } => {
                format!("{WAITING}{:013}#{leg}", since.as_millisecond())
            }
            Self::Rung { flow, agent, .. } => format!("{RUNG}{flow}#{agent}"),
            Self::Agent(_) => "AGENT".to_owned(),
            Self::Turns(_) => "TURNS".to_owned(),
            Self::Recording(_) => "RECORDING".to_owned(),
            Self::Look { at, recording } => format!("{:013}#{recording}", at.as_millisecond()),
            Self::Held(leg) => leg.to_string(),
            Self::Notification(id) => format!("TARGET#{}", id.target),
            Self::Transcript(_) => "TRANSCRIPT".to_owned(),
            Self::CurrentPlan => "CURRENT".to_owned(),
            Self::Plan(version) => format!("VERSION#{version}"),
            // As many digits as the largest has, so text order is their order.
            Self::Push(number) => format!("{PUSH}{number:020}"),
        }
    }
}

impl Home {
    /// Partition key of everything kept here.
    #[must_use]
    pub fn pk(&self) -> String {
        match self {
            Self::Leg(leg) => call(leg),
            Self::Conversation(conversation) => format!("CONVERSATION#{conversation}"),
        }
    }
}

fn call(leg: &LegId) -> String {
    format!("CALL#{leg}")
}

/// Partition key of a queue.
#[must_use]
pub(super) fn queue_pk(queue: &FlowName) -> String {
    format!("QUEUE#{queue}")
}

/// What the listing index is asked for.
#[derive(Debug, Clone, Copy)]
pub enum Listing {
    /// The calls that began on a day (UTC).
    Calls(Date),
    /// The recordings that reached S3, by the day (UTC) of their notice.
    Archived(Date),
    /// The recordings still to be archived.
    Pending,
    /// The recordings given up, each with its reason.
    Failed,
    /// The notifications still to be told.
    Untold,
    /// The notifications given up, each with its reason.
    GivenUp,
    /// The transcripts still to be fetched.
    Transcripts,
}

impl Listing {
    /// Partition key in the index.
    #[must_use]
    pub fn pk(&self) -> String {
        match self {
            Self::Calls(day) => format!("CALLS#{day}"),
            Self::Archived(day) => format!("RECORDINGS#{day}"),
            Self::Pending => "RECORDINGS#pending".to_owned(),
            Self::Failed => "RECORDINGS#failed".to_owned(),
            Self::Untold => "NOTIFICATIONS#pending".to_owned(),
            Self::GivenUp => "NOTIFICATIONS#failed".to_owned(),
            Self::Transcripts => "TRANSCRIPTS#pending".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_waiting_sort_by_time(a in 0_i64..9_999_999_999_999, b in 0_i64..9_999_999_999_999) {
            let queue: FlowName = "support".parse().unwrap();
            let leg: LegId = "leg".parse().unwrap();
            let sk = |ms| {
                let since = Timestamp::from_millisecond(ms).unwrap();
                Key::Waiting { queue: &queue, since, leg: &leg }.sk()
            };
            prop_assert_eq!(a.cmp(&b), sk(a).cmp(&sk(b)));
        }
    }

    #[test]
    fn no_two_kinds_of_item_share_a_key() {
        let leg: LegId = "x".parse().unwrap();
        let conversation: ConversationId = "x".parse().unwrap();
        let name: AgentName = "x".parse().unwrap();
        let queue: FlowName = "x".parse().unwrap();
        let recording: RecordingId = "x".parse().unwrap();
        let notification: NotificationId = "missed:x:x".parse().unwrap();
        let homes = [Home::Leg(leg.clone()), Home::Conversation(conversation)];
        let since = Timestamp::UNIX_EPOCH;
        let keys = [
            Key::Call(&leg),
            Key::Event {
                home: &homes[0],
                fingerprint: "x",
            },
            Key::Event {
                home: &homes[1],
                fingerprint: "x",
            },
            Key::Waiting {
                queue: &queue,
                since,
                leg: &leg,
            },
            Key::Rung {
                call: &leg,
                flow: &queue,
                agent: &name,
            },
            Key::Agent(&name),
            Key::Turns(&queue),
            Key::Recording(&recording),
            Key::Look {
                at: since,
                recording: &recording,
            },
            Key::Held(&leg),
            Key::Notification(&notification),
            Key::Transcript(&recording),
            Key::CurrentPlan,
            Key::Plan("x"),
            Key::Push(1),
        ];
        let all: std::collections::HashSet<_> = keys.iter().map(|k| (k.pk(), k.sk())).collect();
        assert_eq!(all.len(), keys.len());
    }
}
