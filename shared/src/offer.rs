//! An offer: a waiting caller and a free agent, promised to one another for as long as it takes to
//! ring.

use crate::call::Call;
use crate::crypto;
use crate::plan::{AgentName, Queue};
use crate::store::{Claimed, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a promise outlives the ringing time: for the transfer to reach Vonage (up to 4 s with
/// its retries), the sentence before the ringing, and the event that says how it ended.
const OFFER_GRACE: SignedDuration = SignedDuration::from_secs(20);

/// Longest talk: Vonage ends a connect after 7200 s; the rest is for the event that says so.
pub const TALK_MAX: SignedDuration = SignedDuration::from_secs(7_200 + 60);

/// Tells one promise from another between the same two.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OfferId(String);

impl OfferId {
    /// A new one.
    #[must_use]
    pub fn random() -> Self {
        Self(crypto::random_hex::<8>())
    }
}

impl fmt::Display for OfferId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for OfferId {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if hex {
            Ok(Self(text.to_owned()))
        } else {
            Err("an offer id has 16 hex digits")
        }
    }
}

impl TryFrom<String> for OfferId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<OfferId> for String {
    fn from(id: OfferId) -> Self {
        id.0
    }
}

/// A promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which.
    pub id: OfferId,
    /// Who is to be rung.
    pub agent: AgentName,
    /// When it is void, if nothing was heard of it.
    pub until: Timestamp,
}

impl Offer {
    /// A promise made now.
    #[must_use]
    pub fn new(agent: &AgentName, queue: &Queue, now: Timestamp) -> Self {
        let ringing = SignedDuration::try_from(queue.timeout).unwrap_or(SignedDuration::ZERO);
        let until = now.saturating_add(ringing + OFFER_GRACE).unwrap_or(now);
        Self {
            id: OfferId::random(),
            agent: agent.clone(),
            until,
        }
    }

    /// Nothing was heard of it in time.
    #[must_use]
    pub fn is_void(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}

/// The caller's side of the protocol: having written "waiting", reads the agents and claims the one
/// who is free longest. `None`: nobody is, or an agent was faster; the caller holds.
///
/// # Errors
/// When the table does not answer.
pub async fn claim_agent(
    store: &Store,
    queue: &Queue,
    call: &Call,
    now: Timestamp,
) -> Result<Option<Offer>, StoreError> {
    let Some(place) = &call.place else {
        return Ok(None);
    };
    let mut free: Vec<_> = store.agents(&queue.agents).await?;
    free.retain(|agent| agent.is_free(now));
    // Stable: of agents free equally long, the plan's first.
    free.sort_by_key(|agent| agent.free_from);
    for agent in free {
        let offer = Offer::new(&agent.name, queue, now);
        match store.claim(&call.leg, place, &offer, now).await? {
            Claimed::Yes => return Ok(Some(offer)),
            Claimed::AgentTaken => {}
            Claimed::CallerTaken => return Ok(None),
        }
    }
    Ok(None)
}
