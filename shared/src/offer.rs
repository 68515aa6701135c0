//! An offer: a waiting caller and a free agent, promised to one another for as long as it takes to
//! ring.

use crate::call::{Call, Helper};
use crate::clock::Clock;
use crate::crypto;
use crate::id::LegId;
use crate::job::{Job, JobError, JobQueue};
use crate::plan::{AgentName, FlowName, Queue};
use crate::script::room::DECIDES_WITHIN;
use crate::store::{Claimed, Store, StoreError};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How long a promise outlives the ringing time: for the transfer to reach Vonage (up to 4 s with
/// its retries), the sentence before the ringing, and the event that says how it ended.
const OFFER_GRACE: SignedDuration = SignedDuration::from_secs(20);

/// Characters spoken in a second by the slowest of Vonage's voices.
const SPOKEN: usize = 10;

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

    /// The one under which the n-th agent of a `ring` flow talks with this caller. The same
    /// whoever works it out.
    #[must_use]
    pub fn of_ring(call: &LegId, flow: &FlowName, index: u32) -> Self {
        let hash = crypto::sha256_hex(format!("{call}\n{flow}\n{index}").as_bytes());
        Self(hash[..16].to_owned())
    }
}

impl OfferId {
    /// The one under which one of the staff of a hotline talks with this caller.
    #[must_use]
    pub fn of_helper(call: &LegId, helper: &Helper) -> Self {
        let hash = crypto::sha256_hex(format!("{call}\n{helper}").as_bytes());
        Self(hash[..16].to_owned())
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
    /// How the caller is brought to the agent.
    pub by: By,
}

/// How a caller is brought to an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// By our answer to a webhook of the caller's leg. Asked again, we answer the same.
    Reply,
    /// By a transfer over REST. Asked meanwhile, we leave the leg alone.
    Transfer,
}

impl Offer {
    /// A promise made now.
    #[must_use]
    pub fn new(agent: &AgentName, queue: &Queue, by: By, now: Timestamp) -> Self {
        let said = queue
            .connect_say
            .as_ref()
            .map_or(0, |text| text.chars().count());
        let saying = SignedDuration::from_secs(i64::try_from(said / SPOKEN).unwrap_or(0));
        let ringing = SignedDuration::try_from(queue.timeout).unwrap_or(SignedDuration::ZERO);
        // Who picks up in the last second still gets to press a key.
        let deciding = if queue.confirm {
            SignedDuration::try_from(DECIDES_WITHIN).unwrap_or(SignedDuration::ZERO)
        } else {
            SignedDuration::ZERO
        };
        let until = now
            .saturating_add(saying + ringing + deciding + OFFER_GRACE)
            .unwrap_or(now);
        Self {
            id: OfferId::random(),
            agent: agent.clone(),
            until,
            by,
        }
    }

    /// Nothing was heard of it in time.
    #[must_use]
    pub fn is_void(&self, now: Timestamp) -> bool {
        self.until <= now
    }
}

/// What a waiting caller's look at the agents came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// An agent who is free, promised to the caller now.
    Agent(Offer),
    /// Nobody is free, or an agent was faster: the caller holds.
    NobodyFree,
    /// All of them are away: the caller holds, and it may take long.
    NobodyThere,
}

/// The caller's side of the protocol: having written "waiting", reads the agents, and claims the one
/// who is free longest.
///
/// Nobody is overtaken: while as many callers wait longer as agents are free, those are theirs, and
/// the agents are told to look.
///
/// # Errors
/// When the table or the queue of jobs does not answer.
pub async fn claim_agent(
    store: &Store,
    jobs: &JobQueue,
    queue: &Queue,
    call: &Call,
    clock: &Clock,
) -> Result<Found, ClaimError> {
    let Some(place) = &call.place else {
        return Ok(Found::NobodyFree);
    };
    let mut free = store.agents(&queue.agents).await?;
    if !free.iter().any(|agent| agent.present) {
        return Ok(Found::NobodyThere);
    }
    // Only now: who said "free" since this webhook came is not free from its beginning on, and may
    // have looked for callers before this one was written.
    let now = clock.now();
    free.retain(|agent| agent.is_free(now));
    if free.is_empty() {
        return Ok(Found::NobodyFree);
    }
    let waiting = store.waiting(&place.queue, None).await?;
    let ahead = waiting.iter().take_while(|one| one.leg != call.leg).count();
    if ahead > 0 {
        for agent in &free {
            let look = Job::Look {
                agent: agent.name.clone(),
            };
            jobs.send(&look, Duration::ZERO).await?;
        }
        if ahead >= free.len() {
            return Ok(Found::NobodyFree);
        }
    }
    // Stable: of agents free equally long, the plan's first. Those ahead take the longest free.
    free.sort_by_key(|agent| agent.free_from);
    for agent in free.into_iter().skip(ahead) {
        let offer = Offer::new(&agent.name, queue, By::Reply, now);
        match store.claim(&call.leg, place, &offer, now).await? {
            Claimed::Yes => return Ok(Found::Agent(offer)),
            Claimed::AgentTaken => {}
            Claimed::CallerTaken => return Ok(Found::NobodyFree),
        }
    }
    Ok(Found::NobodyFree)
}

/// A caller could not look for an agent.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// The table.
    #[error("could not ask the store")]
    Store(#[from] StoreError),
    /// The queue of jobs.
    #[error("could not have an agent look")]
    Job(#[from] JobError),
}
