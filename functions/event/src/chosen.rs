//! What callers choose: in a menu, and whether they may be recorded.
//!
//! The cue says what was asked and how often, so the same choice gets the same answer, however often
//! and however late it is told.

use super::Events;
use axum::response::Response;
use jiff::Timestamp;
use std::ops::ControlFlow;
use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::script::{self, consent, menu};
use switchboard_shared::store::Noted;
use switchboard_shared::web::Failure;
use switchboard_shared::webhook::Digits;

impl Events {
    /// Goes on with what was chosen. No input: our reply to it was lost, and the script has come to
    /// the `notify` behind it.
    pub(super) async fn chosen(
        &self,
        cue: &Cue,
        input: Option<&Digits>,
        base: &str,
        noted: Noted,
        now: Timestamp,
    ) -> Result<Response, Failure> {
        let mut call = match self.still_here(cue, base).await? {
            ControlFlow::Continue(call) => call,
            ControlFlow::Break(answer) => return Ok(answer),
        };
        let plan = self.plans.of(&call).await?;
        let decision = match cue.step {
            Step::Menu(reading) => menu::chosen(&plan, &cue.flow, reading, input, &call, now),
            _ => {
                // An answer that was written before its reply was lost still counts.
                if input.is_some() || call.consent.is_none() {
                    let agrees = consent::agrees(input);
                    self.store.agree(&call.leg, agrees).await?;
                    call.consent = Some(agrees);
                }
                script::follow(&plan, &cue.flow, &call, now)
            }
        };
        tracing::info!(leg.id = %call.leg, "{}", decision.why);
        self.follow(&plan, &call, decision, noted, now).await
    }
}
