//! Rooms of hotlines: whose phones were rung for a caller, and who is in.
//!
//! A caller waits at a place as in a queue. The first of the staff to come in takes it away, others
//! come in while somebody is there, and whoever's phone is done with comes in no more, in whatever
//! order the events arrive:
//!
//! ```text
//!           begin / enter            comes in              the last one leaves
//!  (nobody) -------------> waiting ------------> talking ----------------------> over
//!                             |
//!                             +--> moving --> moved, to what comes next
//! ```

use super::calls::engaged_elsewhere;
use super::queue::waiting_key;
use super::transact::{Expression, Write, through_conflicts};
use super::{Key, Store, StoreError, expiry, key, key_of, millis, text, to_item};
use crate::call::{Helper, Place};
use crate::id::LegId;
use crate::news::News;
use crate::offer::{OfferId, TALK_MAX};
use crate::plan::{AgentName, FlowName};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How often in a row a phone may fail before it is told of: twice may be the network's fault.
pub const FAILURES_TOLD: u32 = 3;

/// A phone that was rung for a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Whose.
    pub agent: AgentName,
    /// Of which hotline.
    pub flow: FlowName,
    /// When.
    pub at: Timestamp,
    /// The leg, once Vonage has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<LegId>,
    /// When it was picked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Timestamp>,
    /// When its owner pressed the key that let them in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Timestamp>,
}

impl Rung {
    /// Whose phone it is, as the call knows them.
    #[must_use]
    pub fn helper(&self) -> Helper {
        Helper::of(&self.flow, &self.agent)
    }
}

/// What becomes of one of the staff.
#[derive(Debug, Clone)]
pub enum StaffTurn {
    /// They picked up.
    Answered {
        /// Their leg.
        leg: Option<LegId>,
    },
    /// They come into the room.
    Joins {
        /// The caller's place, if they have one.
        place: Option<Place>,
        /// Whether others may be in.
        shared: bool,
        /// Their leg.
        leg: Option<LegId>,
        /// When they pressed the key.
        at: Timestamp,
    },
    /// Their phone is done with.
    Over {
        /// It could not even be made to ring.
        failed: bool,
    },
}

impl Store {
    /// Notes that a phone is about to be rung for a caller. False when it was rung before.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn ring_once(
        &self,
        call: &LegId,
        helper: &Helper,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut item = key_of(rung(call, helper));
        item.extend(to_item(&Rung {
            agent: helper.agent.clone(),
            flow: helper.flow.clone(),
            at: now,
            leg: None,
            answered: None,
            joined: None,
        }));
        item.insert(key::TTL.to_owned(), expiry(now, self.keep().ledger));
        let put = self
            .client
            .put_item()
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk)");
        self.put_if("note that a phone rings", put).await
    }

    /// It did not ring after all: it may be tried again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn not_rung(&self, call: &LegId, helper: &Helper) -> Result<(), StoreError> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key_of(rung(call, helper))));
        through_conflicts(|| delete.clone().send())
            .await
            .map_err(StoreError::unavailable("forget a phone that did not ring"))?;
        Ok(())
    }

    /// Notes the leg that Vonage made for a phone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn rung_as(
        &self,
        call: &LegId,
        helper: &Helper,
        leg: &LegId,
    ) -> Result<(), StoreError> {
        let made = Expression::new("SET #leg = :leg", "attribute_exists(pk)")
            .with(":leg", text(leg.to_string()));
        self.update_rung(call, helper, &made).await.map(drop)
    }

    /// Whether it is for us to tell that one of the staff came in: true once for each.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn announce_once(&self, call: &LegId, helper: &Helper) -> Result<bool, StoreError> {
        let told = Expression::new(
            "SET #told = :true",
            "attribute_exists(pk) AND attribute_not_exists(#told)",
        )
        .with(":true", AttributeValue::Bool(true));
        self.update_rung(call, helper, &told).await
    }

    /// The phones that were rung for a caller, of all hotlines.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn rung(&self, call: &LegId) -> Result<Vec<Rung>, StoreError> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND begins_with(sk, :rung)")
            .expression_attribute_values(":pk", text(Key::Call(call).pk()))
            .expression_attribute_values(":rung", text(key::RUNG))
            .consistent_read(true);
        self.all("read whose phones ring", "a phone that rings", query)
            .await
    }

    /// A caller is to leave a room in which nobody came to them. Their entry among the waiting stays
    /// until they were [`moved`](Self::moved), so that the sweep finds them. False when somebody was
    /// faster, or they are gone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_to_move(&self, call: &LegId, place: &Place) -> Result<bool, StoreError> {
        let leave = Expression::new(
            "SET #moving = :flow REMOVE #place ADD #left :left",
            "attribute_exists(#place) AND #place.#queue = :flow AND attribute_not_exists(#ended)",
        )
        .with(":flow", text(place.queue.to_string()))
        .with(":left", AttributeValue::Ss(vec![place.queue.to_string()]));
        self.change_call("leave a room", call, &leave).await
    }

    /// Vonage has moved a caller out of a room.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn moved(&self, call: &LegId, flow: &FlowName) -> Result<(), StoreError> {
        let moved = Expression::new("REMOVE #moving", "#moving = :flow")
            .with(":flow", text(flow.to_string()));
        let noted = self.change_call("note that a caller was moved", call, &moved);
        noted.await.map(drop)
    }

    /// News of an agent whose phone could not even be made to ring so often in a row that somebody
    /// should know: every [`FAILURES_TOLD`] times.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn failing(
        &self,
        agent: &AgentName,
        call: &LegId,
    ) -> Result<Option<News>, StoreError> {
        let presence = self.agents(std::slice::from_ref(agent)).await?.remove(0);
        let failures = presence.failures;
        let due = failures > 0 && failures.is_multiple_of(FAILURES_TOLD);
        Ok(due.then(|| News::StaffFailing {
            call: call.clone(),
            agent: agent.clone(),
            failures,
        }))
    }

    /// Updates the item of a phone. False where its condition failed.
    async fn update_rung(
        &self,
        call: &LegId,
        helper: &Helper,
        expression: &Expression,
    ) -> Result<bool, StoreError> {
        self.update_if("note how a phone is", rung(call, helper), expression)
            .await
    }

    /// The writes of a turn, in groups: of each group the first writes that apply.
    pub(super) fn staff_writes(
        &self,
        call: &LegId,
        helper: &Helper,
        turn: &StaffTurn,
        now: Timestamp,
    ) -> Vec<Vec<Vec<Write>>> {
        let update = |key, expression: &Expression| Write::update(&self.table, key, expression);
        let set = || AttributeValue::Ss(vec![helper.to_string()]);
        let offer = OfferId::of_helper(call, helper);
        match turn {
            StaffTurn::Answered { leg } => {
                let mut answered = Expression::new(
                    "SET #answered = :at, #agent = :agent, #flow = :flow, \
                     #at = if_not_exists(#at, :at), #ttl = if_not_exists(#ttl, :ttl)",
                    "",
                )
                .with(":at", text(now.to_string()))
                .with(":agent", text(helper.agent.to_string()))
                .with(":flow", text(helper.flow.to_string()))
                .with(":ttl", expiry(now, self.keep().ledger));
                if let Some(leg) = leg {
                    answered.update = answered.update.replacen("SET ", "SET #leg = :leg, ", 1);
                    answered = answered.with(":leg", text(leg.to_string()));
                }
                let works = Expression::new("REMOVE #failures", "attribute_exists(#failures)");
                vec![
                    vec![vec![update(rung(call, helper), &answered)]],
                    vec![vec![update(Key::Agent(&helper.agent), &works)]],
                ]
            }
            StaffTurn::Joins {
                place,
                shared,
                leg,
                at,
            } => {
                // The place is kept aside: should it turn out that the caller had hung up before, nobody
                // came.
                let first = Expression::new(
                    "SET #served = :agent, #served_at = :at, #had = #place REMOVE #place \
                     ADD #helpers :one, #joined :one",
                    "#place.#queue = :flow AND attribute_not_exists(#ended) \
                     AND NOT contains(#given_up, :name)",
                )
                .with(":agent", text(helper.agent.to_string()))
                .with(":at", millis(*at))
                .with(":flow", text(helper.flow.to_string()))
                .with(":one", set())
                .with(":name", text(helper.to_string()));
                let another = Expression::new(
                    "ADD #helpers :one, #joined :one",
                    "attribute_exists(#helpers) AND attribute_not_exists(#ended) \
                     AND NOT contains(#given_up, :name)",
                )
                .with(":one", set())
                .with(":name", text(helper.to_string()));
                let until = now.saturating_add(TALK_MAX).unwrap_or(now);
                let talks =
                    engaged_elsewhere(call, &helper.agent, &offer, until, leg.as_ref(), now);
                let mut ways = Vec::new();
                if let Some(place) = place {
                    let first = update(Key::Call(call), &first);
                    ways.push(vec![
                        first.clone(),
                        Write::delete(&self.table, waiting_key(call, place)),
                    ]);
                    // The entry among the waiting is gone for whatever reason: the caller is not.
                    ways.push(vec![first]);
                }
                if *shared {
                    ways.push(vec![update(Key::Call(call), &another)]);
                }
                let joined = Expression::new("SET #joined = :at", "attribute_exists(pk)")
                    .with(":at", text(at.to_string()));
                let joined = update(rung(call, helper), &joined);
                // Whoever comes in is not rung for a queue meanwhile. One who talks on another line
                // comes in all the same.
                vec![
                    ways,
                    vec![vec![joined]],
                    vec![vec![update(Key::Agent(&helper.agent), &talks)]],
                ]
            }
            StaffTurn::Over { failed } => {
                let over = Expression::new(
                    "SET #ttl = if_not_exists(#ttl, :ttl) ADD #given_up :one DELETE #helpers :one",
                    "",
                )
                .with(":one", set())
                .with(":ttl", expiry(now, self.keep().ledger));
                let mut groups = vec![vec![vec![update(Key::Call(call), &over)]]];
                if *failed {
                    let fails = Expression::new(
                        "SET #name = :name, #free_from = if_not_exists(#free_from, :zero) \
                         ADD #failures :one",
                        "",
                    )
                    .with(":name", text(helper.agent.to_string()))
                    .with(":zero", millis(Timestamp::UNIX_EPOCH))
                    .with(":one", AttributeValue::N("1".to_owned()));
                    groups.push(vec![vec![update(Key::Agent(&helper.agent), &fails)]]);
                } else {
                    groups.push(vec![vec![self.release_write(&helper.agent, &offer, now)]]);
                }
                groups
            }
        }
    }
}

fn rung<'a>(call: &'a LegId, helper: &'a Helper) -> Key<'a> {
    Key::Rung {
        call,
        flow: &helper.flow,
        agent: &helper.agent,
    }
}
