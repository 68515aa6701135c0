//! The agent's side of the protocol: having written "free", reads who waits, claims the longest and
//! has Vonage move that leg.

mod entry;
mod room;
mod sweep;

pub use entry::Entry;
pub use room::call_staff;

use crate::call::Call;
use crate::clock::Clock;
use crate::id::LegId;
use crate::job::{Job, JobError, JobQueue};
use crate::metric::Metric;
use crate::news::Topic;
use crate::offer::{By, Offer};
use crate::plan::{self, AgentName, Flow, FlowKind, Plan, Queue};
use crate::plans::{PlanError, Plans};
use crate::presence::{Presence, State};
use crate::script;
use crate::store::{Claimed, Freed, Store, StoreError, Waiting};
use crate::vonage::{Leg, RegionUrl, Vonage, VonageError};
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Callers tried for one agent before the rest is left to the next look. Each try that fails is a
/// caller who hung up in this second, or whom another agent took.
const TRIES: usize = 50;

/// How long after a hang-up the word may come that an agent had answered: events overtake one another.
const ANSWER_COMES: Duration = Duration::from_secs(10);

/// How long after the end of a call the notice of a message may come that the caller left.
const MESSAGE_COMES: Duration = Duration::from_secs(60);

/// What an agent's "free" came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
pub enum Outcome {
    /// A caller is being moved to the agent.
    Transferred {
        /// The caller's leg.
        call: LegId,
    },
    /// Nobody waits; the next caller comes at once.
    Free,
    /// The phone rings already, or the agent talks.
    Engaged {
        /// What they are doing.
        #[serde(flatten)]
        state: State,
    },
    /// Not wanting calls, now or after what they are doing.
    Away {
        /// What they are doing.
        #[serde(flatten)]
        state: State,
    },
}

/// Something that is needed is away.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The store.
    #[error("could not ask the store")]
    Store(#[from] StoreError),
    /// The plan.
    #[error("could not read the plan")]
    Plan(#[from] PlanError),
    /// The queue of jobs.
    #[error("could not hand a job over")]
    Job(#[from] JobError),
    /// Vonage did not move the caller, who waits again at the old place.
    #[error("could not move the caller to the agent")]
    Vonage(#[source] VonageError),
    /// The plan has no agent of that name.
    #[error("the plan has no agent {0}")]
    NoAgent(AgentName),
}

/// Moves callers to agents.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The table.
    pub store: Store,
    /// The plan.
    pub plans: Arc<Plans>,
    /// Vonage.
    pub vonage: Vonage,
    /// Where jobs for later go.
    pub jobs: JobQueue,
    /// The time.
    pub clock: Clock,
}

/// What came of trying one caller for an agent.
enum Tried {
    /// They are on their way.
    Moved(Outcome),
    /// Not this one.
    Passed,
    /// Vonage refused to move this one, who waits again.
    Refused(VonageError),
}

/// What came of moving one caller.
enum Moved {
    Yes,
    Gone,
}

impl Exchange {
    /// An agent says "free": the caller who waits longest is theirs.
    ///
    /// # Errors
    /// When the store, the plan or Vonage is away. Who waits keeps the place.
    pub async fn free(&self, agent: &AgentName) -> Result<Outcome, ExchangeError> {
        let plan = self.plans.current().await?;
        if plan.agent(agent).is_none() {
            return Err(ExchangeError::NoAgent(agent.clone()));
        }
        let mut freed = self.store.free(agent, self.clock.now()).await?;
        if let Freed::Engaged(presence) = &freed
            && self.release_if_over(presence).await?
        {
            freed = self.store.free(agent, self.clock.now()).await?;
        }
        match freed {
            Freed::Free => self.next_caller(agent).await,
            Freed::Engaged(presence) => Ok(Outcome::Engaged {
                state: presence.state(self.clock.now()),
            }),
        }
    }

    /// An agent says "away".
    ///
    /// # Errors
    /// When the store or the plan is away.
    pub async fn away(&self, agent: &AgentName) -> Result<Outcome, ExchangeError> {
        if self.plans.current().await?.agent(agent).is_none() {
            return Err(ExchangeError::NoAgent(agent.clone()));
        }
        let presence = self.store.away(agent).await?;
        Ok(Outcome::Away {
            state: presence.state(self.clock.now()),
        })
    }

    /// An agent may be free: finds them the caller who waits longest, in all the queues they serve.
    ///
    /// # Errors
    /// When the store, the plan or Vonage is away.
    pub async fn next_caller(&self, agent: &AgentName) -> Result<Outcome, ExchangeError> {
        let plan = self.plans.current().await?;
        let mut queues: Vec<_> = queues_of(&plan, agent)
            .map(|(flow, _)| (flow, None))
            .collect();
        let mut refused = None;
        for _ in 0..TRIES {
            let now = self.clock.now();
            let presence = self
                .store
                .agents(std::slice::from_ref(agent))
                .await?
                .remove(0);
            if !presence.is_free(now) {
                return Ok(match presence.state(now) {
                    State::Away => Outcome::Away { state: State::Away },
                    State::Ringing { call } => Outcome::Transferred { call },
                    state => Outcome::Engaged { state },
                });
            }
            // The head of each queue; of all heads the one who waits longest.
            let mut heads = Vec::new();
            for (index, (flow, after)) in queues.iter().enumerate() {
                let waiting = self.store.waiting(&flow.name, after.as_ref()).await?;
                heads.extend(waiting.into_iter().next().map(|head| (index, head)));
            }
            let Some((index, head)) = heads.into_iter().min_by_key(|(_, head)| head.since) else {
                break;
            };
            let flow = queues[index].0;
            match self.try_caller(flow, agent, &head, now).await? {
                Tried::Moved(outcome) => return Ok(outcome),
                Tried::Passed => {}
                Tried::Refused(error) => refused = Some(error),
            }
            queues[index].1 = Some(head);
        }
        refused.map_or(Ok(Outcome::Free), |error| Err(ExchangeError::Vonage(error)))
    }

    /// An agent may be free, now or in a moment: those who rest are looked at again when the rest
    /// is over.
    ///
    /// # Errors
    /// When the store, the plan, the queue of jobs or Vonage is away.
    pub async fn look(&self, agent: &AgentName) -> Result<(), ExchangeError> {
        if let Outcome::Engaged {
            state: State::Resting { until },
        } = self.next_caller(agent).await?
        {
            let left = Duration::try_from(until.duration_since(self.clock.now()));
            let look = Job::Look {
                agent: agent.clone(),
            };
            self.jobs.send(&look, left.unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Tries one caller for a free agent.
    async fn try_caller(
        &self,
        flow: &Flow,
        agent: &AgentName,
        head: &Waiting,
        now: Timestamp,
    ) -> Result<Tried, ExchangeError> {
        let FlowKind::Queue(queue) = &flow.kind else {
            return Ok(Tried::Passed);
        };
        let call = match self.store.call(&head.leg).await? {
            Some(call) if call.ended.is_none() => call,
            _ => {
                self.store.forget_waiting(&flow.name, head).await?;
                return Ok(Tried::Passed);
            }
        };
        let Some(place) = call.place.clone() else {
            // Served after all: the word that they talked came when they were put back already.
            self.store.forget_waiting(&flow.name, head).await?;
            return Ok(Tried::Passed);
        };
        let offer = Offer::new(agent, queue, By::Transfer, now);
        match self.store.claim(&call.leg, &place, &offer, now).await? {
            Claimed::Yes => {}
            // The next look at the agent says who took them.
            Claimed::AgentTaken | Claimed::CallerTaken => return Ok(Tried::Passed),
        }
        tracing::info!(leg.id = %call.leg, agent.id = %agent, "moving a caller to {agent}");
        let call = Call {
            offer: Some(offer.clone()),
            ..call
        };
        match self
            .transfer(&*self.plans.of(&call).await?, flow, &offer, &call)
            .await
        {
            Ok(Moved::Yes) => Ok(Tried::Moved(Outcome::Transferred { call: call.leg })),
            Ok(Moved::Gone) => {
                // A hang-up whose event is on its way; or a leg of another region, and then the
                // caller's music comes back to us and finds them.
                tracing::warn!(leg.id = %call.leg, "Vonage knows nothing of a caller who waits");
                self.store.lose(&call.leg, &offer, now).await?;
                Ok(Tried::Passed)
            }
            Err(error) if in_doubt(&error) => {
                // The phone may be ringing. The promise stays: events about the ringing end it, or
                // it runs out and the caller, who then still hears music, is put back.
                Err(ExchangeError::Vonage(error))
            }
            Err(error) => {
                self.store.put_back(&call, &offer, now).await?;
                match error {
                    // Something about this leg: the next one may do.
                    VonageError::BadRequest { .. } => Ok(Tried::Refused(error)),
                    error => Err(ExchangeError::Vonage(error)),
                }
            }
        }
    }

    /// Has Vonage move the caller's leg to the script that rings the agent.
    async fn transfer(
        &self,
        plan: &Plan,
        flow: &Flow,
        offer: &Offer,
        call: &Call,
    ) -> Result<Moved, VonageError> {
        let region = self.region(call);
        let leg = Leg {
            id: &call.leg,
            region: region.as_ref(),
            started: Some(call.at),
        };
        let url = format!("{}/webhooks/ncco/{}", call.base, call.leg);
        let queue = plan.queue(&flow.name);
        let by_url = queue.is_some_and(|(_, queue)| queue.transfer == plan::Transfer::Url);
        let sent = match Url::parse(&url) {
            Ok(url) if by_url => self.vonage.transfer_to_url(leg, &url).await,
            _ => {
                let ncco = queue.and_then(|(flow, queue)| {
                    script::connect_offer(plan, flow, queue, offer, call, true)
                });
                self.vonage
                    .transfer(leg, &ncco.unwrap_or_else(script::sorry))
                    .await
            }
        };
        match sent {
            Ok(()) => Ok(Moved::Yes),
            Err(error) if error.is_gone() => Ok(Moved::Gone),
            Err(error) => Err(error),
        }
    }

    /// The region a call lives in, where Vonage named one that we trust.
    fn region(&self, call: &Call) -> Option<RegionUrl> {
        RegionUrl::parse(call.region.as_deref()?, self.vonage.trust()).ok()
    }

    /// Whether Vonage says that a leg of this call is over, or knows nothing of it.
    async fn is_over(&self, leg: &LegId, call: Option<&Call>) -> bool {
        let region = call.and_then(|call| self.region(call));
        let leg = Leg {
            id: leg,
            region: region.as_ref(),
            started: None,
        };
        match self.vonage.call(leg).await {
            Ok(record) => record.is_over(),
            Err(error) => error.is_gone(),
        }
    }

    /// Asks Vonage whether the agent's talk is over, where no event said so. True when it was.
    async fn release_if_over(&self, presence: &Presence) -> Result<bool, ExchangeError> {
        let (Some(leg), Some(offer)) = (&presence.leg, &presence.offer) else {
            return Ok(false);
        };
        let call = match &presence.call {
            Some(call) => self.store.call(call).await?,
            None => None,
        };
        let over = self.is_over(leg, call.as_ref()).await;
        if over {
            self.store
                .release(&presence.name, offer, self.clock.now())
                .await?;
        }
        Ok(over)
    }

    /// `free-after` is over for a caller who still waits: pretends that an agent who is away
    /// becomes free, the plan's first.
    ///
    /// # Errors
    /// When the store, the plan or Vonage is away.
    pub async fn pretend(&self, call: &LegId) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(call).await?.filter(Call::is_waiting) else {
            return Ok(());
        };
        let plan = self.plans.of(&call).await?;
        let queue = call
            .place
            .as_ref()
            .and_then(|place| plan.queue(&place.queue));
        let Some((_, queue)) = queue else {
            return Ok(());
        };
        let now = self.clock.now();
        for presence in self.store.agents(&queue.agents).await? {
            // Those who rest or talk are free by themselves afterwards, and then take this caller.
            if presence.state(now) == State::Away {
                tracing::info!(agent.id = %presence.name, "free-after: pretending that an agent is free");
                self.free(&presence.name).await?;
                return Ok(());
            }
            if presence.is_free(now) {
                self.next_caller(&presence.name).await?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// A caller hung up: clears the place they had, and the agent promised to them.
    ///
    /// # Errors
    /// When the store or the queue of jobs is away.
    pub async fn gone(&self, call: &LegId) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(call).await? else {
            return Ok(());
        };
        if let Some(place) = &call.place {
            if self.store.give_up(&call.leg, place).await? {
                Metric::Abandoned.record(self.clock.now());
            } else {
                let waiting = Waiting {
                    leg: call.leg.clone(),
                    since: place.since,
                };
                self.store.forget_waiting(&place.queue, &waiting).await?;
            }
        }
        if let Some(offer) = &call.offer {
            self.store
                .release(&offer.agent, &offer.id, self.clock.now())
                .await?;
            let look = Job::Look {
                agent: offer.agent.clone(),
            };
            self.jobs.send(&look, Duration::ZERO).await?;
        }
        self.empty_rooms(&call).await?;
        let unheard = call.ended.is_some() && call.served.is_none();
        // Without a plan nobody knows who is told; whoever takes the job looks again.
        let wanted = self.plans.current().await;
        if unheard && wanted.map_or(true, |plan| plan.tells(Topic::Missed)) {
            let wait = if call.mailbox.is_some() {
                MESSAGE_COMES
            } else {
                ANSWER_COMES
            };
            let missed = Job::Missed { call: call.leg };
            self.jobs.send(&missed, wait).await?;
        }
        Ok(())
    }
}

/// Whether a transfer may have been done all the same: no answer came, or one from a gateway that
/// had none itself. Any other no means that it was not done.
fn in_doubt(error: &VonageError) -> bool {
    match error.reply() {
        Some(reply) => matches!(reply.status, 502 | 504),
        None => error.may_have_been_applied(),
    }
}

/// The queues an agent serves.
fn queues_of<'p>(
    plan: &'p Plan,
    agent: &'p AgentName,
) -> impl Iterator<Item = (&'p Flow, &'p Queue)> {
    plan.flows().filter_map(move |flow| match &flow.kind {
        FlowKind::Queue(queue) if queue.agents.contains(agent) => Some((flow, queue)),
        _ => None,
    })
}
