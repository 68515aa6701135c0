//! Who picked up a phone of a `ring` flow or a queue was asked for a key.

use super::{Events, Promise};
use axum::response::Response;
use jiff::Timestamp;
use switchboard_shared::call::Call;
use switchboard_shared::chain;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::id::LegId;
use switchboard_shared::job::Job;
use switchboard_shared::script::room::{GIVEN_UP, PASSED, Wish, wish};
use switchboard_shared::script::{CALLER_GONE, screen};
use switchboard_shared::store::Home;
use switchboard_shared::web::{self, Failure};
use switchboard_shared::webhook::Event;

impl Events {
    /// A key, or none in time.
    pub(super) async fn screened(
        &self,
        home: &Home,
        event: &Event,
        cue: &Cue,
        keys: &str,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let wish = wish(keys, cue);
        match (&cue.step, wish) {
            (Step::Ring(index), Wish::Take) => {
                self.ring_answered(home, event, cue, *index, now).await?;
            }
            (Step::Offer { agent, id }, Wish::Take) => {
                let promise = Promise {
                    call: cue.call.clone(),
                    flow: cue.flow.clone(),
                    agent: agent.clone(),
                    id: id.clone(),
                    screened: true,
                };
                self.answered(home, event, promise, now).await?;
            }
            _ => {
                self.store.note(home, event, now).await?;
            }
        }
        let call = self.store.call(&cue.call).await?;
        self.answer_screened(cue, call, wish, event.leg.as_ref())
            .await
    }

    /// The answer to a key was lost: put through where the call was taken, and asked once more else.
    pub(super) async fn asked_in_vain(&self, cue: &Cue) -> Result<Response, Failure> {
        let call = self.store.call(&cue.call).await?;
        let Some(call) = call.filter(|call| call.ended.is_none()) else {
            return self.answer_screened(cue, None, Wish::Nothing, None).await;
        };
        let plan = self.plans.of(&call).await?;
        let agent = cue.agent(&plan, Some(&call));
        if agent.is_some() && call.served.as_ref() == agent {
            return Ok(web::say(&screen::put_through()));
        }
        self.answer_screened(cue, Some(call), Wish::Unclear, None)
            .await
    }

    /// Who takes the call is put through, the others are hung up on.
    async fn answer_screened(
        &self,
        cue: &Cue,
        call: Option<Call>,
        wish: Wish,
        leg: Option<&LegId>,
    ) -> Result<Response, Failure> {
        let why = match (call.filter(|call| call.ended.is_none()), wish) {
            (Some(_), Wish::Take) => return Ok(web::say(&screen::put_through())),
            (Some(call), Wish::Unclear) => {
                let plan = self.plans.of(&call).await?;
                if let Some(agent) = cue.agent(&plan, Some(&call)) {
                    return Ok(web::say(&screen::question(&plan, agent, &call, cue)));
                }
                GIVEN_UP
            }
            (Some(_), Wish::Pass) => PASSED,
            (Some(_), Wish::Nothing) => GIVEN_UP,
            (None, _) => CALLER_GONE,
        };
        if let Some(leg) = leg {
            let hang_up = Job::HangUp {
                call: cue.call.clone(),
                leg: leg.clone(),
            };
            if let Err(error) = self.jobs.send(&hang_up, screen::HANGS_UP_AFTER).await {
                tracing::error!(leg.id = %leg, error = %chain(&error), "a phone is kept that did not take the call");
            }
        }
        Ok(web::say(&screen::turned_away(why)))
    }
}
