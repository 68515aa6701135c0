//! The staff of hotlines: they pick up, press a key, hang up.

use super::Events;
use axum::response::Response;
use jiff::Timestamp;
use std::time::Duration;
use switchboard_shared::call::Helper;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::exchange::Entry;
use switchboard_shared::job::Job;
use switchboard_shared::metric::Metric;
use switchboard_shared::plan::AgentName;
use switchboard_shared::script;
use switchboard_shared::script::room::{self, Door, Wish};
use switchboard_shared::store::{Home, Noted, StaffTurn, Turn};
use switchboard_shared::web::{self, Failure};
use switchboard_shared::webhook::Event;

impl Events {
    pub(super) async fn staff_answered(
        &self,
        home: &Home,
        event: &Event,
        cue: Cue,
        agent: AgentName,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let turn = StaffTurn::Answered {
            leg: event.leg.clone(),
        };
        self.staff_turn(home, event, &cue, agent, turn, now).await?;
        Ok(web::noted())
    }

    /// A phone is done with: perhaps it was the last one that rang, or its owner the last one in.
    pub(super) async fn staff_over(
        &self,
        home: &Home,
        event: &Event,
        cue: Cue,
        agent: AgentName,
        failed: bool,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let turn = StaffTurn::Over { failed };
        let noted = self
            .staff_turn(home, event, &cue, agent.clone(), turn, now)
            .await?;
        if failed && let Some(news) = self.store.failing(&agent, &cue.call).await? {
            if noted == Noted::First {
                Metric::StaffFailing.record(now);
            }
            self.tell(news, event.at.unwrap_or(now)).await?;
        }
        let room = Job::Room {
            call: cue.call,
            flow: cue.flow,
        };
        let look = Job::Look { agent };
        let (room, look) = tokio::join!(
            self.jobs.send(&room, Duration::ZERO),
            self.jobs.send(&look, Duration::ZERO)
        );
        room.and(look)?;
        Ok(web::noted())
    }

    async fn staff_turn(
        &self,
        home: &Home,
        event: &Event,
        cue: &Cue,
        agent: AgentName,
        turn: StaffTurn,
        now: Timestamp,
    ) -> Result<Noted, Failure> {
        let turn = Turn::Staff {
            call: cue.call.clone(),
            helper: Helper::of(&cue.flow, &agent),
            turn,
        };
        Ok(self.store.note_with(home, event, &turn, now).await?)
    }

    /// Who picked up pressed a key, or none in time.
    pub(super) async fn pressed(
        &self,
        home: &Home,
        event: &Event,
        cue: &Cue,
        keys: &str,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let Step::Staff { agent } = &cue.step else {
            return self.screened(home, event, cue, keys, now).await;
        };
        let wish = room::wish(keys, cue);
        if wish != Wish::Take {
            self.store.note(home, event, now).await?;
            return self.answer_wish(cue, agent, wish).await;
        }
        let Some(call) = self.store.call(&cue.call).await? else {
            self.store.note(home, event, now).await?;
            return Ok(web::say(&room::turned_away(Door::TooLate)));
        };
        let plan = self.plans.of(&call).await?;
        let Some((flow, hotline)) = plan.hotline(&cue.flow) else {
            self.store.note(home, event, now).await?;
            return Ok(web::say(&script::sorry()));
        };
        let entry = Entry {
            plan: &plan,
            flow,
            hotline,
            agent,
            leg: event.leg.as_ref(),
        };
        let told = Some((home, event));
        let ncco = entry
            .come_in(&self.store, &self.jobs, &call, told, now)
            .await?;
        Ok(web::say(&ncco))
    }

    /// The answer to a key was lost, or to none: once more, from how things stand.
    pub(super) async fn at_door(&self, cue: &Cue, agent: &AgentName) -> Result<Response, Failure> {
        self.answer_wish(cue, agent, room::wish("", cue)).await
    }

    /// What they hear who do not take the call, or are in already.
    async fn answer_wish(
        &self,
        cue: &Cue,
        agent: &AgentName,
        wish: Wish,
    ) -> Result<Response, Failure> {
        let Some(call) = self.store.call(&cue.call).await? else {
            return Ok(web::say(&room::turned_away(Door::TooLate)));
        };
        let plan = self.plans.of(&call).await?;
        let Some((flow, hotline)) = plan.hotline(&cue.flow) else {
            return Ok(web::say(&script::sorry()));
        };
        let ncco = match (room::door(flow, hotline, agent, &call), wish) {
            (Door::In, _) => room::enter(&plan, flow, hotline, &call),
            (_, Wish::Pass) => room::dismissed(room::PASSED),
            (_, Wish::Nothing) => room::dismissed(room::GIVEN_UP),
            (Door::Open, Wish::Take | Wish::Unclear) => {
                room::question(&plan, flow, hotline, agent, &call, cue)
            }
            (door, _) => room::turned_away(door),
        };
        Ok(web::say(&ncco))
    }
}
