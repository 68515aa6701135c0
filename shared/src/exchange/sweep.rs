//! The sweep: finds what was left half done by a handler that never came back, or by an event that
//! never came.

use super::{Exchange, ExchangeError};
use crate::call::{Call, Place};
use crate::chain;
use crate::id::LegId;
use crate::job::Job;
use crate::metric::{self, Metric};
use crate::plan::{Flow, FlowKind, Queue};
use crate::presence::{Presence, State};
use crate::script;
use crate::store::{StaffTurn, Turn};
use crate::vonage::Leg;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How long after the longest wait a caller's music may still play, before the sweep moves them on
/// itself. Most tunes are over by then, and looked after by their own `notify`.
const OVERDUE: Duration = Duration::from_secs(60);

/// How callers wait at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Waits {
    callers: usize,
    longest: SignedDuration,
}

impl Waits {
    /// These and those.
    fn and(self, more: Self) -> Self {
        Self {
            callers: self.callers + more.callers,
            longest: self.longest.max(more.longest),
        }
    }
}

impl Exchange {
    /// Looks for what was left half done: callers who are gone or wait too long, promises that ran
    /// out, agents who are free beside callers who wait. What fails is logged, and the rest is
    /// looked at all the same.
    ///
    /// # Errors
    /// When there is no plan.
    pub async fn sweep(&self) -> Result<(), ExchangeError> {
        let plan = self.plans.current().await?;
        let now = self.clock.now();
        for agent in plan.agents() {
            let looked = async {
                let agents = self.store.agents(std::slice::from_ref(&agent.name)).await?;
                for presence in agents {
                    self.sweep_agent(&presence, now).await?;
                }
                Ok(())
            };
            self.told(looked.await);
        }
        let mut waits = Some(Waits::default());
        for flow in plan.flows() {
            if matches!(flow.kind, FlowKind::Queue(_) | FlowKind::Hotline(_)) {
                let swept = self.sweep_waiting(flow, now).await;
                waits = waits
                    .zip(swept.as_ref().ok())
                    .map(|(waits, more)| waits.and(*more));
                self.told(swept.map(drop));
            }
        }
        // Half of the callers would look like an idle hour: then rather no word of them.
        if let Some(waits) = waits {
            Metric::WaitingCallers(waits.callers).record(now);
            Metric::LongestWait(waits.longest).record(now);
        }
        // Last, when those who are gone have made room.
        for agent in plan.agents() {
            self.told(self.look(&agent.name).await);
        }
        Ok(())
    }

    fn told(&self, swept: Result<(), ExchangeError>) {
        if let Err(error) = swept {
            tracing::error!(error = %chain(&error), "the sweep leaves something for the next one");
        }
    }

    /// An agent whose talk is over and nobody said so; or whose promise ran out, with a caller of
    /// whom we do not know. A caller who hears music puts themselves back when it ends: only they
    /// know that they are not talking.
    async fn sweep_agent(&self, presence: &Presence, now: Timestamp) -> Result<(), ExchangeError> {
        if let State::Talking { call } = presence.state(now)
            && self.release_if_over(presence).await?
        {
            self.leave_talk(&call, presence, now).await?;
        }
        let Some(call) = &presence.call else {
            return Ok(());
        };
        if let Some(call) = self.store.call(call).await?
            && call.offer.as_ref().is_some_and(|offer| offer.is_void(now))
            && self.is_over(&call.leg, Some(&call)).await
        {
            self.forget(&call, now).await?;
        }
        Ok(())
    }

    /// One of the staff who was in a room is gone, and no event said so.
    async fn leave_talk(
        &self,
        call: &LegId,
        presence: &Presence,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        let Some(call) = self.store.call(call).await? else {
            return Ok(());
        };
        for helper in &call.helpers {
            if helper.agent != presence.name {
                continue;
            }
            let turn = Turn::Staff {
                call: call.leg.clone(),
                helper: helper.clone(),
                turn: StaffTurn::Over { failed: false },
            };
            self.store.make(&turn, now).await?;
            self.room(&call.leg, &helper.flow).await?;
        }
        Ok(())
    }

    /// Looks after the callers of one flow; gives how they waited when they were found.
    async fn sweep_waiting(&self, flow: &Flow, now: Timestamp) -> Result<Waits, ExchangeError> {
        let mut waits = Waits::default();
        let mut after = None;
        loop {
            let page = self.store.waiting(&flow.name, after.as_ref()).await?;
            for waiting in &page {
                let call = self.store.call(&waiting.leg).await?;
                let call = call.filter(|call| call.ended.is_none());
                let place = call.as_ref().and_then(|call| call.place.as_ref());
                if let Some(place) = place.filter(|place| place.queue == flow.name) {
                    waits = waits.and(Waits {
                        callers: 1,
                        longest: now.duration_since(place.entered),
                    });
                }
                match (call, &flow.kind) {
                    (Some(call), FlowKind::Queue(queue)) if call.place.is_some() => {
                        self.told(self.sweep_caller(queue, &call, now).await);
                    }
                    (Some(call), FlowKind::Hotline(hotline))
                        if call.place.is_some() || call.moving.as_ref() == Some(&flow.name) =>
                    {
                        self.told(self.sweep_room(flow, hotline, &call, now).await);
                    }
                    _ => self.store.forget_waiting(&flow.name, waiting).await?,
                }
            }
            match page.last() {
                Some(last) => after = Some(last.clone()),
                None => return Ok(waits),
            }
        }
    }

    /// A caller who waits: an agent to be pretended, or the longest wait long over.
    async fn sweep_caller(
        &self,
        queue: &Queue,
        call: &Call,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        let Some(place) = &call.place else {
            return Ok(());
        };
        let waited = now.duration_since(place.entered).unsigned_abs();
        if let Some(after) = queue.free_after {
            let pretend = Job::Pretend {
                call: call.leg.clone(),
            };
            self.jobs
                .send(&pretend, after.saturating_sub(waited))
                .await?;
        }
        if waited < queue.max_wait + OVERDUE {
            return Ok(());
        }
        if self.is_over(&call.leg, Some(call)).await {
            return self.forget(call, now).await;
        }
        self.move_on(queue, call, place, now).await
    }

    /// A caller who is gone, and no event said so.
    async fn forget(&self, call: &Call, now: Timestamp) -> Result<(), ExchangeError> {
        tracing::warn!(leg.id = %call.leg, "a caller was gone and no event said so");
        self.store.end(&call.leg, now).await?;
        self.gone(&call.leg).await
    }

    /// Moves a caller on whose tune is longer than the longest wait.
    async fn move_on(
        &self,
        queue: &Queue,
        call: &Call,
        place: &Place,
        now: Timestamp,
    ) -> Result<(), ExchangeError> {
        if !self.store.leave(&call.leg, place).await? {
            return Ok(());
        }
        let plan = self.plans.of(call).await?;
        let decision = script::follow(&plan, &queue.otherwise, call, now);
        metric::unstaffed(&decision, now);
        let ncco = self.enter(&plan, call, decision, now).await?;
        tracing::info!(leg.id = %call.leg, "the longest wait is over; on to {}", queue.otherwise);
        let region = self.region(call);
        let leg = Leg {
            id: &call.leg,
            region: region.as_ref(),
            started: None,
        };
        self.vonage
            .transfer(leg, &ncco)
            .await
            .map_err(ExchangeError::Vonage)
    }
}
