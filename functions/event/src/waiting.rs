//! Callers who wait, each time their music comes back to us.

use super::Events;
use axum::response::Response;
use jiff::Timestamp;
use std::time::Duration;
use switchboard_shared::call::Call;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::exchange;
use switchboard_shared::id::LegId;
use switchboard_shared::job::Job;
use switchboard_shared::metric::{self, Metric};
use switchboard_shared::news::News;
use switchboard_shared::offer::{self, By, Found, Offer};
use switchboard_shared::plan::{Flow, FlowName, Hotline, Plan, Queue};
use switchboard_shared::script::{self, Decision, Next};
use switchboard_shared::store::{Noted, Turn};
use switchboard_shared::web::{self, Failure};

/// What goes on playing if our answer says nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Playing {
    /// This round of music, and another `notify` behind it.
    Round(u32),
    /// Nothing but the apology.
    Nothing,
    /// Nothing of this queue yet: the caller is about to enter it.
    Beginning,
}

impl Playing {
    fn next_round(self) -> u32 {
        match self {
            Self::Round(round) => round,
            Self::Nothing => 1,
            Self::Beginning => 0,
        }
    }
}

impl Events {
    /// A script of ours came to its `notify`.
    pub(super) async fn script(
        &self,
        cue: &Cue,
        base: &str,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        match &cue.step {
            // Who picked up pressed a key, or none, and our answer was lost.
            Step::Ring(_) | Step::Offer { .. } if cue.asked.unwrap_or_default() > 0 => {
                self.asked_in_vain(cue).await
            }
            Step::Hold { round, last } => {
                let playing = if *last {
                    Playing::Nothing
                } else {
                    Playing::Round(*round)
                };
                self.resume(&cue.call, &cue.flow, playing, noted, now).await
            }
            // The connect is over, and the caller is still here: after a talk, or because the word
            // about its failure was lost.
            Step::Ring(index) => self.after_ring(cue, *index, base, noted, now).await,
            // The word about the key was lost.
            Step::Staff { agent } => self.at_door(cue, agent).await,
            Step::Menu(_) | Step::Consent => self.chosen(cue, None, base, noted, now).await,
            // Nothing of these comes back to us.
            Step::Room | Step::Message => Ok(web::noted()),
            Step::Offer { id, .. } => {
                let Some(call) = self.store.call(&cue.call).await? else {
                    return Ok(web::say(&script::sorry()));
                };
                if let Some(offer) = call.offer.clone().filter(|offer| offer.id == *id) {
                    self.settle(&call, &offer, now).await?;
                }
                self.resume(&cue.call, &cue.flow, Playing::Nothing, noted, now)
                    .await
            }
        }
    }

    /// A connect is over and no event said how. Within the time of the promise it was not
    /// answered; ringing never takes longer, so beyond it they talked.
    async fn settle(&self, call: &Call, offer: &Offer, now: Timestamp) -> Result<(), Failure> {
        let plan = self.plans.of(call).await?;
        let queue = call
            .place
            .as_ref()
            .and_then(|place| plan.queue(&place.queue));
        let rest = match queue {
            Some((_, queue)) if offer.is_void(now) => queue.wrap_up,
            Some((_, queue)) => queue.cool_down,
            None => Duration::ZERO,
        };
        let free_from = super::later(now, super::rest(rest));
        if offer.is_void(now) {
            let turn = Turn::AgentOver {
                call: call.leg.clone(),
                place: call.place.clone(),
                agent: offer.agent.clone(),
                offer: offer.id.clone(),
                free_from,
            };
            self.store.make(&turn, now).await?;
            let (call, agent) = (call.leg.clone(), offer.agent.clone());
            self.tell(News::Answered { call, agent }, now).await?;
        } else {
            self.store.put_back(call, offer, free_from).await?;
        }
        let look = Job::Look {
            agent: offer.agent.clone(),
        };
        self.jobs.send(&look, rest).await?;
        Ok(())
    }

    /// Where a caller stands now: gone on, on the way to an agent, or holding still. `noted`: whether
    /// we are told for the first time, and count what comes of it.
    pub(super) async fn resume(
        &self,
        call: &LegId,
        flow: &FlowName,
        playing: Playing,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let Some(mut call) = self.store.call(call).await? else {
            return Ok(web::say(&script::sorry()));
        };
        if call.ended.is_some() {
            return Ok(web::noted());
        }
        if call.served.is_some() {
            return Ok(web::say(&script::goodbye()));
        }
        if let Some(offer) = call.offer.clone().filter(|offer| !offer.is_void(now)) {
            return self.promised(&call, &offer, playing).await;
        }
        if let Some(offer) = call.offer.take() {
            // Whoever promised never moved this caller: they are here, hearing music.
            tracing::warn!(leg.id = %call.leg, agent.id = %offer.agent, "a promise ran out; the caller keeps the place");
            self.store.put_back(&call, &offer, now).await?;
        }
        if let (true, Some(place)) = (call.lost, &call.place) {
            tracing::error!(
                leg.id = %call.leg,
                "Vonage knows nothing of a caller who hears our music: is the region right?"
            );
            self.store.find(&call.leg, place).await?;
        }
        let plan = self.plans.of(&call).await?;
        let Some(place) = call.place.clone() else {
            // Left the queue already, and the reply that said where to was lost.
            let Some((_, queue)) = plan.queue(flow) else {
                return Ok(web::say(&script::sorry()));
            };
            let decision = script::follow(&plan, &queue.otherwise, &call, now);
            return self.follow(&plan, &call, decision, noted, now).await;
        };
        let Some((flow, queue)) = plan.queue(&place.queue) else {
            return Ok(web::say(&script::sorry()));
        };
        if now.duration_since(place.entered).unsigned_abs() < queue.max_wait {
            let round = playing.next_round();
            let (answer, _) = self.look(&plan, flow, queue, &call, round).await?;
            return Ok(answer);
        }
        if !self.store.leave(&call.leg, &place).await? {
            return Ok(web::noted());
        }
        tracing::info!(leg.id = %call.leg, "the longest wait is over; on to {}", queue.otherwise);
        let decision = script::follow(&plan, &queue.otherwise, &call, now);
        call.place = None;
        self.follow(&plan, &call, decision, noted, now).await
    }

    /// What a caller hears who is promised to an agent.
    async fn promised(
        &self,
        call: &Call,
        offer: &Offer,
        playing: Playing,
    ) -> Result<Response, Failure> {
        let plan = self.plans.of(call).await?;
        let queue = call
            .place
            .as_ref()
            .and_then(|place| plan.queue(&place.queue));
        let Some((flow, queue)) = queue else {
            return Ok(web::noted());
        };
        Ok(match (offer.by, playing) {
            // The answer that was to bring them there was lost: the same once more.
            (By::Reply, _) => {
                let ncco = script::connect_offer(&plan, flow, queue, offer, call, true);
                web::say(&ncco.unwrap_or_else(script::sorry))
            }
            // The transfer replaces what plays, and nothing of ours should replace the transfer.
            (By::Transfer, Playing::Round(_)) => web::noted(),
            // Nothing plays behind this: silence would be an end.
            (By::Transfer, Playing::Nothing | Playing::Beginning) => {
                web::say(&script::hold(flow, queue, call, 1))
            }
        })
    }

    /// A look at the agents: one who is free gets the caller, else the music goes on.
    async fn look(
        &self,
        plan: &Plan,
        flow: &Flow,
        queue: &Queue,
        call: &Call,
        round: u32,
    ) -> Result<(Response, Found), Failure> {
        let found = offer::claim_agent(&self.store, &self.jobs, queue, call, &self.clock).await?;
        let ncco = match &found {
            Found::Agent(offer) => script::connect_offer(plan, flow, queue, offer, call, true)
                .unwrap_or_else(script::sorry),
            Found::NobodyFree | Found::NobodyThere => script::hold(flow, queue, call, round),
        };
        Ok((web::say(&ncco), found))
    }

    /// A caller comes to a flow that rings its agents by turns.
    async fn take_turn(
        &self,
        plan: &Plan,
        flow: &FlowName,
        call: &Call,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let turn = self.store.take_turn(flow).await?;
        if !self.store.keep_turn(&call.leg, turn).await? {
            self.store.give_back_turn(flow, turn).await?;
        }
        let Some(call) = self.store.call(&call.leg).await? else {
            return Ok(web::say(&script::sorry()));
        };
        let call = Call {
            turn: call.turn.or(Some(turn)),
            ..call
        };
        match script::follow(plan, flow, &call, now).next {
            Next::Say(ncco) => Ok(web::say(&ncco)),
            Next::Wait(..) | Next::Gather(..) | Next::Mailbox(..) => Ok(web::say(&script::sorry())),
        }
    }

    /// A caller comes to a room a second time: told before, they are still in it; back from where it
    /// led, they go there again, since all phones have rung for them.
    async fn room_again(
        &self,
        plan: &Plan,
        flow: &Flow,
        hotline: &Hotline,
        call: &Call,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let Some(call) = self.store.call(&call.leg).await? else {
            return Ok(web::say(&script::sorry()));
        };
        if call.waits_in(&flow.name) || call.helpers_in(&flow.name).next().is_some() {
            return Ok(web::say(&script::room::room(plan, flow, hotline, &call)));
        }
        let decision = script::follow(plan, &hotline.otherwise, &call, now);
        Box::pin(self.follow(plan, &call, decision, noted, now)).await
    }

    /// Goes where a decision leads.
    pub(super) async fn follow(
        &self,
        plan: &Plan,
        call: &Call,
        decision: Decision<'_>,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        if let (Some(flow), None) = (decision.by_turns, call.turn) {
            return self.take_turn(plan, flow, call, now).await;
        }
        if noted == Noted::First {
            metric::unstaffed(&decision, now);
        }
        for news in decision.news(call) {
            self.tell(news, now).await?;
        }
        match decision.next {
            Next::Say(ncco) => Ok(web::say(&ncco)),
            Next::Mailbox(flow, ncco) => {
                self.store.enter_mailbox(&call.leg, &flow.name).await?;
                Ok(web::say(&ncco))
            }
            Next::Wait(flow, queue) => {
                let place = call.place_in(&flow.name, now);
                let call = Call {
                    place: Some(place.clone()),
                    ..call.clone()
                };
                if !self.store.enter(&call, &place).await? {
                    // Told before, or waited here before: as the call stands.
                    let playing = Playing::Beginning;
                    let resumed = self.resume(&call.leg, &flow.name, playing, noted, now);
                    return Box::pin(resumed).await;
                }
                if let Some(after) = queue.free_after {
                    self.jobs
                        .send(
                            &Job::Pretend {
                                call: call.leg.clone(),
                            },
                            after,
                        )
                        .await?;
                }
                let (answer, found) = self.look(plan, flow, queue, &call, 0).await?;
                if found == Found::NobodyThere {
                    Metric::NobodyOnDuty.record(now);
                }
                Ok(answer)
            }
            Next::Gather(flow, hotline) => {
                let place = call.place_in(&flow.name, now);
                if !self.store.enter(call, &place).await? {
                    return self.room_again(plan, flow, hotline, call, noted, now).await;
                }
                exchange::call_staff(&self.jobs, &call.leg, flow, hotline).await?;
                Ok(web::say(&script::room::room(plan, flow, hotline, call)))
            }
        }
    }
}
