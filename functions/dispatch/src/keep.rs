//! What is kept no longer, and what is held.

use crate::{Dispatch, DispatchError};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use switchboard_shared::chain;
use switchboard_shared::id::LegId;
use switchboard_shared::job::ArchiveJob;
use switchboard_shared::plan::Keep;
use switchboard_shared::plan::keep::KEEP_MIN;
use switchboard_shared::recording::{Due, Recording, State};
use switchboard_shared::store::{Look, StoreError};

/// When a recording is looked at again whose removal was queued. The queue hands a message out within
/// seconds; one that was lost is sent anew.
const REMOVED_WITHIN: SignedDuration = SignedDuration::from_mins(30);

impl Dispatch {
    /// Looks after held calls, then has recordings whose time is over removed. What fails is logged,
    /// and the rest is looked at all the same. `all`: also held calls that were looked after lately.
    ///
    /// # Errors
    /// When the store cannot say what there is, or there is no plan.
    pub(crate) async fn keep(&self, now: Timestamp, all: bool) -> Result<(), DispatchError> {
        let store = &self.exchange.store;
        for held in store.held().await? {
            if let Err(error) = store.look_after_held(&held, now, all).await {
                tracing::error!(leg.id = %held.leg, error = %chain(&error), "a held call is not looked after");
            }
        }
        let plan = self.exchange.plans.current().await;
        let keep = plan
            .map_err(|error| DispatchError::Exchange(error.into()))?
            .keep();
        for look in store.looks(now).await? {
            if let Err(error) = self.look(&look, keep, now).await {
                tracing::error!(recording.id = %look.recording, error = %chain(&error), "a recording is left for the next sweep");
            }
        }
        Ok(())
    }

    async fn look(&self, look: &Look, keep: Keep, now: Timestamp) -> Result<(), DispatchError> {
        let store = &self.exchange.store;
        let Some(recording) = store.recording(&look.recording).await? else {
            return Ok(store.drop_look(look).await?);
        };
        if recording.look != Some(look.at) {
            return Ok(store.drop_look(look).await?);
        }
        let after = |time| now.saturating_add(time).unwrap_or(now);
        let again = after(REMOVED_WITHIN);
        let done = match recording.due(keep, now) {
            Due::Later(at) => return Ok(store.look_later(look, at).await?),
            Due::Expire if recording.state == State::Expired => {
                store.look_later(look, again).await?;
                self.remove(look).await?;
                true
            }
            Due::Expire => {
                let call = self.call_of(&recording).await?;
                let expired = store.expire(look, call.as_ref(), again).await?;
                if expired {
                    self.remove(look).await?;
                }
                expired
            }
            Due::Forget => {
                let call = self.call_of(&recording).await?;
                store.forget_recording(look, call.as_ref()).await?
            }
        };
        if !done {
            // Held; or changed under our eyes, and then it has another time already.
            store.look_later(look, after(KEEP_MIN)).await?;
        }
        Ok(())
    }

    /// Only the archive function may remove objects.
    async fn remove(&self, look: &Look) -> Result<(), DispatchError> {
        let job = ArchiveJob {
            recording: look.recording.clone(),
        };
        Ok(self.archive.send(&job, Duration::ZERO).await?)
    }

    async fn call_of(&self, recording: &Recording) -> Result<Option<LegId>, StoreError> {
        match (&recording.call, &recording.conversation) {
            (Some(call), _) => Ok(Some(call.clone())),
            (None, Some(conversation)) => {
                let call = self.exchange.store.calls_in(conversation).await?;
                Ok(call.map(|call| call.leg))
            }
            (None, None) => Ok(None),
        }
    }
}
