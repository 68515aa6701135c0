//! One of the staff at the door of a caller's room: their coming is written first, and what is
//! written decides what they hear. Asked twice, they hear the same.

use crate::call::{Call, Helper};
use crate::chain;
use crate::id::LegId;
use crate::job::{Job, JobQueue};
use crate::metric::Metric;
use crate::ncco::Ncco;
use crate::plan::{AgentName, Flow, Hotline, Plan};
use crate::script::room::{self, Door};
use crate::store::{Home, Noted, StaffTurn, Store, StoreError, Turn};
use crate::webhook::Event;
use jiff::Timestamp;
use std::time::Duration;

/// One of the staff, at the door of a room.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The plan that the call keeps.
    pub plan: &'a Plan,
    /// The hotline.
    pub flow: &'a Flow,
    /// What is to be done there.
    pub hotline: &'a Hotline,
    /// Who.
    pub agent: &'a AgentName,
    /// Their leg, where Vonage named it.
    pub leg: Option<&'a LegId>,
}

impl Entry<'_> {
    /// Writes that they come in, with the event that says so if there is one, and gives what they
    /// hear: the room, or why not.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn come_in(
        self,
        store: &Store,
        jobs: &JobQueue,
        call: &Call,
        event: Option<(&Home, &Event)>,
        now: Timestamp,
    ) -> Result<Ncco, StoreError> {
        let helper = Helper::of(&self.flow.name, self.agent);
        let place = call.place.clone();
        let at = event.and_then(|(_, event)| event.at).unwrap_or(now);
        let turn = Turn::Staff {
            call: call.leg.clone(),
            helper: helper.clone(),
            turn: StaffTurn::Joins {
                place: place.filter(|place| place.queue == self.flow.name),
                shared: self.hotline.shared,
                leg: self.leg.cloned(),
                at,
            },
        };
        let noted = match event {
            Some((home, event)) => store.note_with(home, event, &turn, now).await?,
            None => {
                store.make(&turn, now).await?;
                Noted::First
            }
        };
        let before = call.place.as_ref();
        let Some(call) = store.call(&call.leg).await? else {
            return Ok(room::turned_away(Door::TooLate));
        };
        match room::door(self.flow, self.hotline, self.agent, &call) {
            Door::In => {
                // The first to come in, by this: whoever takes the place ends the wait.
                let first = noted == Noted::First && call.served.as_ref() == Some(self.agent);
                if let Some(place) = before.filter(|place| first && place.queue == self.flow.name) {
                    Metric::Wait(at.duration_since(place.entered)).record(now);
                }
                let joined = Job::Joined {
                    call: call.leg.clone(),
                    helper,
                };
                // Nobody is kept out for want of an announcement.
                if let Err(error) = jobs.send(&joined, Duration::ZERO).await {
                    tracing::error!(leg.id = %call.leg, error = %chain(&error), "nobody is told who joined, and phones ring on");
                }
                tracing::info!(leg.id = %call.leg, agent.id = %self.agent, "{} joins", self.agent);
                Ok(room::enter(self.plan, self.flow, self.hotline, &call))
            }
            door => Ok(room::turned_away(door)),
        }
    }
}
