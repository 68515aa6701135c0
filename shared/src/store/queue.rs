//! Who waits, and the claim that joins a caller and an agent.
//!
//! A caller is in one of three states, and each write below moves them from one to another with a
//! condition on the state they leave:
//!
//! ```text
//!             begin / enter                claim
//!   (nobody) ---------------> waiting <-------------> promised ----> served
//!                               |         put_back
//!                               +----> gone on (leave), or ended
//! ```

use super::transact::{Expression, Transacted, Write, through_conflicts};
use super::{Key, Store, StoreError, expiry, from_item, key, millis, text, to_item};
use crate::call::{Call, Place};
use crate::id::LegId;
use crate::offer::{Offer, OfferId};
use crate::plan::{AgentName, FlowName};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long an entry of a queue may stay if everything that ought to remove it fails. Vonage ends a
/// call after two hours; a day leaves room to look at what happened.
const WAITING_KEEPS: SignedDuration = SignedDuration::from_hours(24);

/// Callers looked at in one read: 25 entries of 150 bytes are 1 unit, and more are read only when
/// the first 25 were all claimed by others in the meantime.
const LOOK_AT: i32 = 25;

/// A caller who waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The caller.
    pub leg: LegId,
    /// The place: orders the queue.
    pub since: Timestamp,
}

/// What came of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Caller and agent are promised to one another.
    Yes,
    /// The agent is not free any more.
    AgentTaken,
    /// The caller does not wait any more.
    CallerTaken,
}

impl Store {
    /// Puts a call that began otherwise into a queue. False when it is over, waits already, or has
    /// been in this queue and left it: that is a repeat of what was said before, or a menu led
    /// there again, and who has waited for as long as one may does not wait again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn enter(&self, call: &Call, place: &Place) -> Result<bool, StoreError> {
        // A transfer goes by what is written here: it shall know of the menus as well.
        let enter = Expression::new(
            "SET #place = :place, #menus = :menus",
            "attribute_exists(#line) AND attribute_not_exists(#ended) \
             AND attribute_not_exists(#place) AND NOT contains(#left, :queue)",
        )
        .with(":queue", text(place.queue.to_string()))
        .with(":menus", AttributeValue::N(call.menus.to_string()))
        .with(
            ":place",
            serde_dynamo::to_attribute_value(place).expect("a place is a map"),
        );
        let writes = vec![
            Write::update(&self.table, Key::Call(&call.leg), &enter),
            self.waiting_write(&call.leg, place),
        ];
        let outcome = self.transact("enter a queue", writes).await?;
        Ok(matches!(outcome, Transacted::Done))
    }

    /// Takes a caller out of the queue, to go on elsewhere. False when an agent was faster.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn leave(&self, call: &LegId, place: &Place) -> Result<bool, StoreError> {
        let leave = Expression::new(
            "REMOVE #place ADD #left :left",
            "attribute_exists(#place) AND attribute_not_exists(#offer)",
        )
        .with(":left", AttributeValue::Ss(vec![place.queue.to_string()]));
        let writes = vec![
            Write::update(&self.table, Key::Call(call), &leave),
            Write::delete(&self.table, waiting_key(call, place)),
        ];
        let outcome = self.transact("leave a queue", writes).await?;
        Ok(matches!(outcome, Transacted::Done))
    }

    /// The callers who wait in a queue, longest first, after a given one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn waiting(
        &self,
        queue: &FlowName,
        after: Option<&Waiting>,
    ) -> Result<Vec<Waiting>, StoreError> {
        let pk = key::queue_pk(queue);
        let start = after.map(|last| {
            let place = Key::Waiting {
                queue,
                since: last.since,
                leg: &last.leg,
            };
            super::key_of(place)
        });
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND begins_with(sk, :waiting)")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":waiting", text(key::WAITING))
            .consistent_read(true)
            .limit(LOOK_AT)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(StoreError::unavailable("read who waits"))?;
        let items = found.items.unwrap_or_default();
        items
            .into_iter()
            .map(|item| from_item("a waiting caller", item))
            .collect()
    }

    /// Promises a waiting caller to a free agent: one transaction over both, so that nobody is
    /// ever promised twice.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn claim(
        &self,
        call: &LegId,
        place: &Place,
        offer: &Offer,
        now: Timestamp,
    ) -> Result<Claimed, StoreError> {
        let agent = Expression::new(
            "SET #free_from = :until, #call = :call, #offer = :offer REMOVE #leg",
            "#present = :true AND #free_from <= :now",
        )
        .with(":until", millis(offer.until))
        .with(":call", text(call.to_string()))
        .with(":offer", text(offer.id.to_string()))
        .with(":true", AttributeValue::Bool(true))
        .with(":now", millis(now));
        let caller = Expression::new(
            "SET #offer = :offer",
            "attribute_exists(#place) AND attribute_not_exists(#offer) \
             AND attribute_not_exists(#ended)",
        )
        .with(
            ":offer",
            serde_dynamo::to_attribute_value(offer).expect("an offer is a map"),
        );
        let writes = vec![
            Write::update(&self.table, Key::Agent(&offer.agent), &agent),
            Write::update(&self.table, Key::Call(call), &caller),
            Write::delete(&self.table, waiting_key(call, place)),
        ];
        let outcome = self.transact("claim a caller", writes).await?;
        Ok(match outcome {
            Transacted::Done => Claimed::Yes,
            refused if refused.refused(0) => Claimed::AgentTaken,
            Transacted::Refused(_) => Claimed::CallerTaken,
        })
    }

    /// Takes a promise back: the caller waits again at the old place, the agent may be rung from
    /// `free_from` on. What no longer holds is left as it is. True when the caller waits again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn put_back(
        &self,
        call: &Call,
        offer: &Offer,
        free_from: Timestamp,
    ) -> Result<bool, StoreError> {
        let release = self.release_write(&offer.agent, &offer.id, free_from);
        let Some(place) = &call.place else {
            self.transact("release an agent", vec![release]).await?;
            return Ok(false);
        };
        let back = Expression::new(
            "REMOVE #offer",
            "#offer.#id = :offer AND attribute_not_exists(#ended)",
        )
        .with(":offer", text(offer.id.to_string()));
        let back = [
            Write::update(&self.table, Key::Call(&call.leg), &back),
            self.waiting_write(&call.leg, place),
        ];
        let mut both = back.to_vec();
        both.push(release.clone());
        match self.transact("put a caller back", both).await? {
            Transacted::Done => Ok(true),
            outcome if outcome.refused(0) => {
                self.transact("release an agent", vec![release]).await?;
                Ok(false)
            }
            Transacted::Refused(_) => {
                let outcome = self.transact("put a caller back", back.to_vec()).await?;
                Ok(matches!(outcome, Transacted::Done))
            }
        }
    }

    /// Vonage knows nothing of a caller who was promised: they keep their place, and lose their turn
    /// until they are heard of. The agent is free.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lose(
        &self,
        call: &LegId,
        offer: &Offer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lose = Expression::new("SET #lost = :true REMOVE #offer", "#offer.#id = :offer")
            .with(":true", AttributeValue::Bool(true))
            .with(":offer", text(offer.id.to_string()));
        let lose = Write::update(&self.table, Key::Call(call), &lose);
        let release = self.release_write(&offer.agent, &offer.id, now);
        let both = vec![lose, release.clone()];
        if let Transacted::Refused(_) = self.transact("lose a caller", both).await? {
            self.transact("release an agent", vec![release]).await?;
        }
        Ok(())
    }

    /// A caller who was lost is heard of: they wait again at the old place. False when nothing was
    /// to be done.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn find(&self, call: &LegId, place: &Place) -> Result<bool, StoreError> {
        let found = Expression::new(
            "REMOVE #lost",
            "attribute_exists(#lost) AND attribute_exists(#place) AND attribute_not_exists(#ended)",
        );
        let writes = vec![
            Write::update(&self.table, Key::Call(call), &found),
            self.waiting_write(call, place),
        ];
        let outcome = self.transact("find a caller", writes).await?;
        Ok(matches!(outcome, Transacted::Done))
    }

    /// Removes the entry of a caller who is gone. Nothing to do when it is gone already.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_waiting(&self, queue: &FlowName, gone: &Waiting) -> Result<(), StoreError> {
        let place = Key::Waiting {
            queue,
            since: gone.since,
            leg: &gone.leg,
        };
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(super::key_of(place)));
        through_conflicts(|| delete.clone().send())
            .await
            .map_err(StoreError::unavailable("remove a caller who is gone"))?;
        Ok(())
    }

    /// A caller who has a place has hung up: their entry goes, and the call keeps that they gave up. True
    /// the first time.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn give_up(&self, call: &LegId, place: &Place) -> Result<bool, StoreError> {
        let gives_up = Expression::new(
            "SET #gave_up = :queue",
            "attribute_exists(#place) AND attribute_exists(#ended) \
             AND attribute_not_exists(#gave_up)",
        )
        .with(":queue", text(place.queue.to_string()));
        let writes = vec![
            Write::update(&self.table, Key::Call(call), &gives_up),
            Write::delete_any(&self.table, waiting_key(call, place)),
        ];
        let outcome = self.transact("note that a caller gave up", writes).await?;
        Ok(matches!(outcome, Transacted::Done))
    }

    /// Ends a promise on the agent's side, if it is still this one.
    pub(super) fn release_write(
        &self,
        agent: &AgentName,
        offer: &OfferId,
        free_from: Timestamp,
    ) -> Write {
        self.ends(agent, offer, free_from, "#offer = :offer")
    }

    /// The same, said by an event about the agent's leg: where the promise was ended without one,
    /// and nothing has happened since, the agent rests all the same.
    pub(super) fn rest_write(
        &self,
        agent: &AgentName,
        offer: &OfferId,
        free_from: Timestamp,
    ) -> Write {
        let still = "#offer = :offer OR (attribute_not_exists(#offer) AND #last = :offer)";
        self.ends(agent, offer, free_from, still)
    }

    fn ends(
        &self,
        agent: &AgentName,
        offer: &OfferId,
        free_from: Timestamp,
        condition: &str,
    ) -> Write {
        let ends = Expression::new(
            "SET #free_from = :free_from, #last = :offer REMOVE #call, #offer, #leg",
            condition,
        )
        .with(":free_from", millis(free_from))
        .with(":offer", text(offer.to_string()));
        Write::update(&self.table, Key::Agent(agent), &ends)
    }

    pub(super) fn waiting_write(&self, leg: &LegId, place: &Place) -> Write {
        let mut item = super::key_of(waiting_key(leg, place));
        item.extend(to_item(&Waiting {
            leg: leg.clone(),
            since: place.since,
        }));
        item.insert(key::TTL.to_owned(), expiry(place.entered, WAITING_KEEPS));
        Write::put(&self.table, item)
    }
}

pub(super) fn waiting_key<'a>(leg: &'a LegId, place: &'a Place) -> Key<'a> {
    Key::Waiting {
        queue: &place.queue,
        since: place.since,
        leg,
    }
}
