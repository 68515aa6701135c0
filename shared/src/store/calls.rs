//! Calls and their ledger.

use super::queue::waiting_key;
use super::room::StaffTurn;
use super::transact::{Expression, Transacted, Write, through_conflicts};
use super::{
    Home, Item, Key, Listing, Store, StoreError, expiry, from_item, key, key_of, millis, text,
    to_item,
};
use crate::call::{Call, Helper, Place};
use crate::id::{ConversationId, LegId};
use crate::metric::Metric;
use crate::offer::OfferId;
use crate::plan::AgentName;
use crate::webhook::Event;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure as OnFailure};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Whether a call was new.
#[derive(Debug)]
pub enum Begun {
    /// It is written now.
    First,
    /// Vonage asked before: the call as it stands.
    Again(Box<Call>),
}

/// Whether an event was new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noted {
    /// It is written now.
    First,
    /// It was there already.
    Again,
}

/// What an event changes besides the ledger, in the same write. Each is conditional: one that comes
/// late changes nothing, and the event is kept all the same.
#[derive(Debug, Clone)]
pub enum Turn {
    /// The caller's leg is over.
    CallerOver {
        /// The caller.
        call: LegId,
        /// When.
        at: Timestamp,
    },
    /// An agent answered the caller.
    Answered {
        /// The caller.
        call: LegId,
        /// The place they have, if they do.
        place: Option<Place>,
        /// Who answered.
        agent: AgentName,
        /// Under which promise.
        offer: OfferId,
        /// Until when the agent counts as talking, if nothing more is heard.
        until: Timestamp,
        /// The agent's own leg.
        leg: Option<LegId>,
    },
    /// An agent of a `ring` flow answered the caller.
    RingAnswered {
        /// The caller.
        call: LegId,
        /// Who answered.
        agent: AgentName,
        /// What the talk is known by.
        offer: OfferId,
        /// Until when the agent counts as talking, if nothing more is heard.
        until: Timestamp,
        /// The agent's own leg.
        leg: Option<LegId>,
    },
    /// A promise came to nothing: the caller is put back at the old place.
    Unanswered {
        /// The caller.
        call: LegId,
        /// The place they had.
        place: Place,
        /// Who did not answer.
        agent: AgentName,
        /// The promise.
        offer: OfferId,
        /// When the agent may be rung again.
        free_from: Timestamp,
    },
    /// The talk is over on the agent's side.
    AgentOver {
        /// The caller.
        call: LegId,
        /// The place they have, if they do.
        place: Option<Place>,
        /// Whose talk.
        agent: AgentName,
        /// The promise it began with.
        offer: OfferId,
        /// When the agent may be rung again.
        free_from: Timestamp,
    },
    /// What becomes of one of the staff of a hotline.
    Staff {
        /// The caller.
        call: LegId,
        /// Who.
        helper: Helper,
        /// What.
        turn: StaffTurn,
    },
    /// The talk of a `ring` flow is over on the agent's side.
    RingOver {
        /// The caller.
        call: LegId,
        /// Whose talk.
        agent: AgentName,
        /// What the talk is known by.
        offer: OfferId,
        /// When the agent may be rung again.
        free_from: Timestamp,
    },
}

impl Turn {
    /// The agent whose leg the event is about, and whether they talk with the caller by it, or have
    /// talked.
    #[must_use]
    pub fn agent(&self) -> Option<(&AgentName, bool)> {
        match self {
            Self::Answered { agent, .. }
            | Self::RingAnswered { agent, .. }
            | Self::AgentOver { agent, .. }
            | Self::RingOver { agent, .. } => Some((agent, true)),
            Self::Staff { helper, turn, .. } => {
                Some((&helper.agent, matches!(turn, StaffTurn::Joins { .. })))
            }
            Self::Unanswered { agent, .. } => Some((agent, false)),
            Self::CallerOver { .. } => None,
        }
    }
}

/// Writes that stand or fall together. Where the first no longer apply, the next are tried; where
/// none do, nothing of it is written.
type Group = VecDeque<Vec<Write>>;

/// An event as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LedgerEvent {
    /// The status, or the kind of event.
    pub word: String,
    /// The leg it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leg: Option<String>,
    /// The conversation it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
    /// When it happened, by Vonage's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// When we first heard of it.
    pub heard: String,
    /// The agent whose leg it is about, where that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentName>,
    /// By it that agent took the caller, or their talk was over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub took: bool,
    /// All its fields, as JSON.
    pub body: String,
}

impl Store {
    /// Writes a call that begins, with its place among the waiting if it has one. The write is the
    /// answer webhook's only one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin(&self, call: &Call) -> Result<Begun, StoreError> {
        let mut item = to_item(call);
        let day = call.at.to_zoned(jiff::tz::TimeZone::UTC).date();
        item.insert(key::LISTING.to_owned(), text(Listing::Calls(day).pk()));
        item.insert(
            key::LISTED.to_owned(),
            text(format!("{}#{}", call.at, call.leg)),
        );
        item.insert(key::TTL.to_owned(), expiry(call.at, self.keep().ledger));
        // An update, not a put: the caller's hang-up may have been noted before.
        let expression = Expression::new("", "attribute_not_exists(#line)").set_all(item);
        let old = match &call.place {
            None => self.update_new(Key::Call(&call.leg), &expression).await?,
            Some(place) => {
                let begin = Write::update(&self.table, Key::Call(&call.leg), &expression);
                let wait = self.waiting_write(&call.leg, place);
                match self
                    .transact("begin a call that waits", vec![begin, wait])
                    .await?
                {
                    Transacted::Done => None,
                    Transacted::Refused(items) => items.into_iter().next().flatten(),
                }
            }
        };
        match old {
            None => {
                Metric::Calls.record(call.at);
                Ok(Begun::First)
            }
            Some(old) => Ok(Begun::Again(Box::new(from_item("a call", old)?))),
        }
    }

    /// Updates under the expression's condition; the old item where it fails.
    async fn update_new(
        &self,
        key: Key<'_>,
        expression: &Expression,
    ) -> Result<Option<Item>, StoreError> {
        let update = self.update(key, expression);
        let update = update.return_values_on_condition_check_failure(OnFailure::AllOld);
        let sent = through_conflicts(|| update.clone().send()).await;
        let Err(error) = sent else { return Ok(None) };
        match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Some(failed.item().cloned().unwrap_or_default()))
            }
            _ => Err(StoreError::unavailable("begin a call")(error)),
        }
    }

    /// A call, by the caller's leg.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn call(&self, leg: &LegId) -> Result<Option<Call>, StoreError> {
        // A hang-up noted before the call began leaves an item that is no call yet.
        let item: Option<Item> = self.get_raw("read a call", Key::Call(leg)).await?;
        item.filter(|item| item.contains_key("line"))
            .map(|item| from_item("a call", item))
            .transpose()
    }

    /// Notes an event, and nothing else.
    ///
    /// # Errors
    /// When the table does not answer: the event is not kept, and must not be acknowledged.
    pub async fn note(
        &self,
        home: &Home,
        event: &Event,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        let put = self
            .client
            .put_item()
            .set_item(Some(self.event_item(home, event, None, now)))
            .condition_expression("attribute_not_exists(pk)");
        let new = self.put_if("note an event", put).await?;
        Ok(if new { first(event, now) } else { Noted::Again })
    }

    /// Notes an event and makes its turn, in one write. What no longer applies is left out.
    ///
    /// # Errors
    /// When the table does not answer: nothing is written.
    pub async fn note_with(
        &self,
        home: &Home,
        event: &Event,
        turn: &Turn,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        let note = Write::put_new(&self.table, self.event_item(home, event, Some(turn), now));
        let mut groups = self.turn_writes(turn, now);
        // Each round leaves out at least some writes, so this ends.
        loop {
            let mut writes = vec![note.clone()];
            writes.extend(groups.iter().filter_map(Group::front).flatten().cloned());
            let outcome = self.transact("note an event and its turn", writes).await?;
            if matches!(outcome, Transacted::Done) {
                return Ok(first(event, now));
            }
            if outcome.refused(0) {
                return Ok(Noted::Again);
            }
            let mut index = 1;
            for group in &mut groups {
                let here = index..index + group.front().map_or(0, Vec::len);
                index = here.end;
                if here.into_iter().any(|write| outcome.refused(write)) {
                    group.pop_front();
                }
            }
        }
    }

    /// The writes of a turn, in groups: the caller's side and the agent's side are each true without
    /// the other.
    fn turn_writes(&self, turn: &Turn, now: Timestamp) -> Vec<Group> {
        let update = |key, expression: &Expression| Write::update(&self.table, key, expression);
        let one = |writes: Vec<Write>| Group::from([writes]);
        // However late the word comes that they talked: who was put back meanwhile, and is
        // promised to nobody else, waits no more.
        let talked = |call, place: &Option<Place>, agent: &AgentName, offer: &OfferId| {
            let mut group = Group::from([vec![update(Key::Call(call), &served(agent, offer))]]);
            let Some(place) = place else {
                return group;
            };
            let late = Expression::new(
                "SET #served = :agent REMOVE #place",
                "attribute_exists(#place) AND attribute_not_exists(#offer) \
                 AND attribute_not_exists(#served)",
            )
            .with(":agent", text(agent.to_string()));
            group.push_back(vec![
                update(Key::Call(call), &late),
                Write::delete(&self.table, waiting_key(call, place)),
            ]);
            // Or hung up meanwhile, and somebody has cleared the place already.
            group.push_back(vec![update(Key::Call(call), &late)]);
            group
        };
        match turn {
            Turn::CallerOver { call, at } => {
                let earliest = "(attribute_not_exists(#ended) OR #ended > :at)";
                let ends = |update: &str, condition: &str| {
                    Expression::new(update, &format!("{earliest} AND {condition}"))
                        // Always milliseconds, so that text order is time order: the earliest end
                        // counts.
                        .with(
                            ":at",
                            text(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()),
                        )
                        .with(":ttl", expiry(now, self.keep().ledger))
                        .with(":millis", millis(*at))
                };
                let over = ends(
                    "SET #ended = :at, #ttl = if_not_exists(#ttl, :ttl)",
                    "(attribute_not_exists(#served_at) OR #served_at <= :millis)",
                );
                // Whoever came into the caller's room since, for the word of it was late, came to nobody.
                let to_nobody = ends(
                    "SET #ended = :at, #ttl = if_not_exists(#ttl, :ttl), #place = #had \
                     REMOVE #had, #served, #served_at, #helpers, #joined",
                    "#served_at > :millis",
                );
                vec![Group::from([
                    vec![update(Key::Call(call), &over)],
                    vec![update(Key::Call(call), &to_nobody)],
                ])]
            }
            Turn::Answered {
                call,
                place,
                agent,
                offer,
                until,
                leg,
            } => {
                let talks = Expression::new("SET #free_from = :until", "#offer = :offer");
                let talks = engaged(talks, offer, *until, leg.as_ref());
                vec![
                    talked(call, place, agent, offer),
                    one(vec![update(Key::Agent(agent), &talks)]),
                ]
            }
            Turn::RingAnswered {
                call,
                agent,
                offer,
                until,
                leg,
            } => {
                // No condition: the store may have been away when the call began, and be told later.
                let serves =
                    Expression::new("SET #served = :agent, #ttl = if_not_exists(#ttl, :ttl)", "")
                        .with(":agent", text(agent.to_string()))
                        .with(":ttl", expiry(now, self.keep().ledger));
                let mut begins = serves.clone().with(":offer", text(offer.to_string()));
                "NOT contains(#over, :offer)".clone_into(&mut begins.condition);
                let talks = engaged_elsewhere(call, agent, offer, *until, leg.as_ref(), now);
                vec![Group::from([
                    vec![
                        update(Key::Call(call), &begins),
                        update(Key::Agent(agent), &talks),
                    ],
                    vec![update(Key::Call(call), &serves)],
                ])]
            }
            Turn::Unanswered {
                call,
                place,
                agent,
                offer,
                free_from,
            } => {
                let back = Expression::new(
                    "REMOVE #offer",
                    "#offer.#id = :offer AND attribute_not_exists(#ended)",
                )
                .with(":offer", text(offer.to_string()));
                vec![
                    one(vec![
                        update(Key::Call(call), &back),
                        self.waiting_write(call, place),
                    ]),
                    one(vec![self.rest_write(agent, offer, *free_from)]),
                ]
            }
            Turn::AgentOver {
                call,
                place,
                agent,
                offer,
                free_from,
            } => vec![
                // `answered` may have been lost, or be still to come.
                talked(call, place, agent, offer),
                one(vec![self.rest_write(agent, offer, *free_from)]),
            ],
            Turn::Staff { call, helper, turn } => self
                .staff_writes(call, helper, turn, now)
                .into_iter()
                .map(Group::from)
                .collect(),
            Turn::RingOver {
                call,
                agent,
                offer,
                free_from,
            } => {
                // `answered` may be still to come, and begins nothing then.
                let over = Expression::new(
                    "SET #served = :agent, #ttl = if_not_exists(#ttl, :ttl) ADD #over :over",
                    "",
                )
                .with(":agent", text(agent.to_string()))
                .with(":ttl", expiry(now, self.keep().ledger))
                .with(":over", AttributeValue::Ss(vec![offer.to_string()]));
                vec![
                    one(vec![update(Key::Call(call), &over)]),
                    one(vec![self.release_write(agent, offer, *free_from)]),
                ]
            }
        }
    }

    /// Makes a turn that no event stands for. What no longer applies is left out.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn make(&self, turn: &Turn, now: Timestamp) -> Result<(), StoreError> {
        for group in self.turn_writes(turn, now) {
            for writes in group {
                if let Transacted::Done = self.transact("make a turn", writes).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Changes a call, and nothing beside it. False where the expression's condition fails.
    pub(super) async fn change_call(
        &self,
        operation: &'static str,
        call: &LegId,
        expression: &Expression,
    ) -> Result<bool, StoreError> {
        let write = Write::update(&self.table, Key::Call(call), expression);
        let outcome = self.transact(operation, vec![write]).await?;
        Ok(matches!(outcome, Transacted::Done))
    }

    /// A caller's leg is known to be over, though no event said so. Their place, if they had one,
    /// is left to whoever looks at it next.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn end(&self, call: &LegId, at: Timestamp) -> Result<(), StoreError> {
        self.make(
            &Turn::CallerOver {
                call: call.clone(),
                at,
            },
            at,
        )
        .await
    }

    /// The events kept with a call, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn events(&self, home: &Home) -> Result<Vec<LedgerEvent>, StoreError> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk AND begins_with(sk, :event)")
            .expression_attribute_values(":pk", text(home.pk()))
            .expression_attribute_values(":event", text(key::EVENT))
            .consistent_read(true);
        self.all("read the events of a call", "an event", query)
            .await
    }

    /// The calls that began on a day (UTC), oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn calls_on(&self, day: Date) -> Result<Vec<Call>, StoreError> {
        self.list("a call", Listing::Calls(day)).await
    }

    /// The call that is or was in a conversation, its own or one it was transferred to.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn calls_in(
        &self,
        conversation: &ConversationId,
    ) -> Result<Option<Call>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(key::BY_CONVERSATION)
            .key_condition_expression("#c = :c")
            .expression_attribute_names("#c", key::CONVERSATION)
            .expression_attribute_values(":c", text(conversation.to_string()))
            .into_paginator()
            .items()
            .send();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::unavailable("find the call of a conversation"))?;
            // A recording has a line, too.
            let sk = item.get(key::SK).and_then(|sk| sk.as_s().ok());
            if sk.is_some_and(|sk| sk == "CALL") && item.contains_key("line") {
                return from_item("a call", item).map(Some);
            }
            let pk = item.get(key::PK).and_then(|pk| pk.as_s().ok());
            let leg = pk.and_then(|pk| pk.strip_prefix("CALL#"));
            seen.extend(leg.and_then(|leg| LegId::new(leg).ok()));
        }
        for leg in seen {
            if let Some(call) = self.call(&leg).await? {
                return Ok(Some(call));
            }
        }
        Ok(None)
    }

    /// Everything under one listing, oldest first.
    pub(super) async fn list<T: serde::de::DeserializeOwned>(
        &self,
        what: &'static str,
        listing: Listing,
    ) -> Result<Vec<T>, StoreError> {
        let query = self
            .client
            .query()
            .index_name(key::BY_LISTING)
            .key_condition_expression("#l = :l")
            .expression_attribute_names("#l", key::LISTING)
            .expression_attribute_values(":l", text(listing.pk()));
        self.all("list", what, query).await
    }

    /// An event as an item. `turn`: what it changes besides, where that is known.
    pub(super) fn event_item(
        &self,
        home: &Home,
        event: &Event,
        turn: Option<&Turn>,
        now: Timestamp,
    ) -> Item {
        let fingerprint = event.fingerprint();
        let agent = turn.and_then(Turn::agent);
        let mut item = key_of(Key::Event {
            home,
            fingerprint: &fingerprint,
        });
        item.extend(to_item(&LedgerEvent {
            word: event.word().to_owned(),
            leg: event.leg.as_ref().map(ToString::to_string),
            conversation: event.conversation.as_ref().map(ToString::to_string),
            at: event.at.map(|at| at.to_string()),
            heard: now.to_string(),
            agent: agent.map(|(agent, _)| agent.clone()),
            took: agent.is_some_and(|(_, took)| took),
            body: event.fields.to_json(),
        }));
        item.insert(key::TTL.to_owned(), expiry(now, self.keep().ledger));
        item
    }
}

/// An event that is new: what its leg cost is counted here, and so once.
fn first(event: &Event, now: Timestamp) -> Noted {
    if let Some(price) = event.price() {
        Metric::Price(price).record(now);
    }
    Noted::First
}

/// Has an agent count as talking who was not promised to anybody, unless another call has them: who
/// talks is not rung for a queue meanwhile.
pub(super) fn engaged_elsewhere(
    call: &LegId,
    agent: &AgentName,
    offer: &OfferId,
    until: Timestamp,
    leg: Option<&LegId>,
    now: Timestamp,
) -> Expression {
    let talks = Expression::new(
        "SET #free_from = :until, #offer = :offer, #call = :call, #name = :name REMOVE #last",
        "attribute_not_exists(#offer) OR #free_from <= :now",
    )
    .with(":call", text(call.to_string()))
    .with(":name", text(agent.to_string()))
    .with(":now", millis(now));
    engaged(talks, offer, until, leg)
}

fn engaged(
    talks: Expression,
    offer: &OfferId,
    until: Timestamp,
    leg: Option<&LegId>,
) -> Expression {
    let mut talks = talks
        .with(":until", millis(until))
        .with(":offer", text(offer.to_string()));
    if let Some(leg) = leg {
        talks.update = talks.update.replacen("SET ", "SET #leg = :leg, ", 1);
        talks = talks.with(":leg", text(leg.to_string()));
    }
    talks
}

fn served(agent: &AgentName, offer: &OfferId) -> Expression {
    Expression::new(
        "SET #served = :agent REMOVE #offer, #place",
        "#offer.#id = :offer",
    )
    .with(":agent", text(agent.to_string()))
    .with(":offer", text(offer.to_string()))
}
