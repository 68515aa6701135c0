//! News that an event makes known.

use super::Events;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use switchboard_shared::job::{Job, JobError};
use switchboard_shared::news::News;
use switchboard_shared::webhook::Event;

impl Events {
    /// Hands news over, where the plan names anybody who wants them. At each event that makes them
    /// known, since any may be lost, and whoever sent it may have stopped before: each target is told
    /// once.
    pub(super) async fn tell(&self, news: News, at: Timestamp) -> Result<(), JobError> {
        match self.plans.current().await {
            Ok(plan) => self.jobs.tell(&plan, news, at).await,
            // Without a plan nobody knows; whoever takes the job looks again.
            Err(_) => self.jobs.send(&Job::tell(news, at), Duration::ZERO).await,
        }
    }
}

/// When an agent answered: the moment of the event, less the talk that it says was had.
pub(super) fn answered_at(event: &Event, now: Timestamp) -> Timestamp {
    let at = event.at.unwrap_or(now);
    let talked = event.fields.text("duration");
    let talked = talked
        .and_then(|text| text.parse::<u32>().ok())
        .unwrap_or(0);
    let talked = SignedDuration::from_secs(talked.into());
    at.checked_sub(talked).unwrap_or(at)
}
