//! Calls of which nothing may be deleted.
//!
//! The call's own item says so, and the sweep asks it before a recording goes. What DynamoDB expires by
//! itself, the call and its events, gets a time that never comes; events that arrive later get theirs
//! when the sweep looks after the held calls, well before the shortest time that anything is kept.

use super::transact::{Expression, Transacted, Write};
use super::{Home, Key, Store, StoreError, expiry, key, key_of, text, to_item};
use crate::call::{Call, Hold};
use crate::id::{ConversationId, LegId};
use crate::recording::Recording;
use crate::store::LedgerEvent;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The expiry of what is held: the end of the year 9999. A number, and not none, so that whoever
/// writes `if_not_exists(ttl)` leaves it.
const NEVER: i64 = 253_402_300_799;

/// How often the events of a held call are looked after. Half of the shortest time that anything is
/// kept: what came since is found in time.
const LOOKED_AFTER: SignedDuration = SignedDuration::from_hours(12);

/// A call that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The caller's leg.
    pub leg: LegId,
    /// Since when.
    pub since: Timestamp,
    /// When its events were last looked after.
    pub looked: Timestamp,
}

/// An event, or what else is kept beside a call, as far as its expiry goes.
#[derive(Deserialize)]
struct KeptEvent {
    pk: String,
    sk: String,
    /// Absent of what is no event: phones that were rung for the caller.
    #[serde(default)]
    heard: String,
    #[serde(default)]
    ttl: Option<i64>,
}

/// What the ledger has of a call, beside the call.
#[derive(Debug, Default)]
pub struct Looked {
    /// Its events, oldest first.
    pub events: Vec<LedgerEvent>,
    /// Its recordings.
    pub recordings: Vec<Recording>,
}

impl Store {
    /// Holds a call: nothing of it is deleted until it is released. Held again, it keeps since when.
    /// `None` where there is no such call.
    ///
    /// # Errors
    /// When the table does not answer. Asked again it goes on from how far it came.
    pub async fn hold(
        &self,
        leg: &LegId,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<Option<Call>, StoreError> {
        let Some(mut call) = self.call(leg).await? else {
            return Ok(None);
        };
        let before = call.hold.take();
        let hold = Hold {
            since: before.as_ref().map_or(now, |hold| hold.since),
            reason: reason.or(before.and_then(|hold| hold.reason)),
        };
        let held = Expression::new(
            "SET #hold = :hold, #ttl = :never",
            "attribute_exists(#line)",
        )
        .with(":hold", AttributeValue::M(to_item(&hold)))
        .with(":never", never());
        let entry = Held {
            leg: leg.clone(),
            since: hold.since,
            // Not yet: should this stop halfway, the sweep does the rest.
            looked: Timestamp::UNIX_EPOCH,
        };
        let writes = vec![
            Write::update(&self.table, Key::Call(leg), &held),
            self.held_write(&entry),
        ];
        if let Transacted::Refused(_) = self.transact("hold a call", writes).await? {
            return Ok(None);
        }
        call.hold = Some(hold);
        self.fasten(&call, &entry, now).await?;
        Ok(Some(call))
    }

    /// Lets a held call go: it is deleted when its time is over, which may be at once. `None` where
    /// no such call is held.
    ///
    /// # Errors
    /// When the table does not answer. What is not done then, the sweep does.
    pub async fn let_go(&self, leg: &LegId) -> Result<Option<Call>, StoreError> {
        let Some(mut call) = self.call(leg).await? else {
            return Ok(None);
        };
        let Some(hold) = call.hold.take() else {
            return Ok(None);
        };
        let free = Expression::new("SET #ttl = :ttl REMOVE #hold", "attribute_exists(#hold)")
            .with(":ttl", expiry(call.at, self.keep().ledger));
        let writes = vec![Write::update(&self.table, Key::Call(leg), &free)];
        if let Transacted::Refused(_) = self.transact("release a call", writes).await? {
            return Ok(None);
        }
        self.loosen(&call, leg, hold.since).await?;
        Ok(Some(call))
    }

    /// The calls that are held, by their legs.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn held(&self) -> Result<Vec<Held>, StoreError> {
        let query = self
            .client
            .query()
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", text(key::HELD))
            .consistent_read(true);
        self.all("list the held calls", "a held call", query).await
    }

    /// Looks after a held call: its events since the last look shall not expire. One that was released
    /// halfway is let go. `all`: also where the last look is not long ago.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn look_after_held(
        &self,
        held: &Held,
        now: Timestamp,
        all: bool,
    ) -> Result<(), StoreError> {
        if !all && now.duration_since(held.looked) < LOOKED_AFTER {
            return Ok(());
        }
        match self.call(&held.leg).await? {
            Some(call) if call.hold.is_some() => self.fasten(&call, held, now).await,
            Some(call) => self.loosen(&call, &held.leg, held.since).await,
            None => self.drop_held(&held.leg, held.since).await,
        }
    }

    /// Everything that is kept with a call: where it was, whatever it was transferred to.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn looked_up(&self, call: &Call) -> Result<Looked, StoreError> {
        let mut looked = Looked::default();
        for home in self.homes(call).await? {
            if let Home::Conversation(conversation) = &home {
                looked
                    .recordings
                    .extend(self.recordings_of(conversation).await?);
            }
            looked.events.extend(self.events(&home).await?);
        }
        looked.events.sort_by(|a, b| {
            (&a.at, &a.heard, &a.word, &a.body).cmp(&(&b.at, &b.heard, &b.word, &b.body))
        });
        looked.recordings.sort_by_key(|recording| recording.at);
        Ok(looked)
    }

    /// Where the events of a call are kept: with its leg, and with each conversation it was in.
    async fn homes(&self, call: &Call) -> Result<Vec<Home>, StoreError> {
        let own = Home::Leg(call.leg.clone());
        let events = self.events(&own).await?;
        let named = events.into_iter().filter_map(|event| event.conversation);
        let mut conversations: BTreeSet<ConversationId> = named
            .filter_map(|id| ConversationId::new(id).ok())
            .collect();
        conversations.insert(call.conversation.clone());
        let mut homes = vec![own];
        homes.extend(conversations.into_iter().map(Home::Conversation));
        Ok(homes)
    }

    /// Has no event of a held call expire, and writes when that was so.
    async fn fasten(&self, call: &Call, held: &Held, now: Timestamp) -> Result<(), StoreError> {
        for event in self.kept_events(call).await? {
            if event.ttl != Some(NEVER) {
                self.expire_event(event, never()).await?;
            }
        }
        let looked = Held {
            looked: now,
            ..held.clone()
        };
        self.transact("look after a held call", vec![self.held_write(&looked)])
            .await
            .map(drop)
    }

    /// Has the events of a call that is no longer held expire when their time is over.
    async fn loosen(&self, call: &Call, leg: &LegId, since: Timestamp) -> Result<(), StoreError> {
        for event in self.kept_events(call).await? {
            if event.ttl == Some(NEVER) {
                let heard = event.heard.parse().unwrap_or(call.at);
                let ttl = expiry(heard, self.keep().ledger);
                self.expire_event(event, ttl).await?;
            }
        }
        self.drop_held(leg, since).await
    }

    async fn kept_events(&self, call: &Call) -> Result<Vec<KeptEvent>, StoreError> {
        let mut kept = Vec::new();
        for home in self.homes(call).await? {
            let query = self
                .client
                .query()
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(home.pk()))
                .consistent_read(true);
            kept.extend(
                self.all("find what is kept of a call", "an event", query)
                    .await?,
            );
        }
        // The call itself goes with its hold.
        let own = Key::Call(&call.leg).sk();
        kept.retain(|item: &KeptEvent| item.sk != own);
        Ok(kept)
    }

    async fn expire_event(&self, event: KeptEvent, ttl: AttributeValue) -> Result<(), StoreError> {
        let set = Expression::new("SET #ttl = :ttl", "attribute_exists(pk)").with(":ttl", ttl);
        let key = [(key::PK, event.pk), (key::SK, event.sk)];
        let key = key.map(|(name, value)| (name.to_owned(), text(value)));
        let write = Write::update_at(&self.table, key.into(), &set);
        // Refused: it has expired meanwhile.
        self.transact("set when an event expires", vec![write])
            .await
            .map(drop)
    }

    fn held_write(&self, held: &Held) -> Write {
        let mut item = key_of(Key::Held(&held.leg));
        item.extend(to_item(held));
        Write::put(&self.table, item)
    }

    /// Forgets that a call was held, unless it is held anew.
    async fn drop_held(&self, leg: &LegId, since: Timestamp) -> Result<(), StoreError> {
        let same = Expression::new("", "#since = :since").with(":since", text(since.to_string()));
        let write = Write::delete_when(&self.table, Key::Held(leg), &same);
        self.transact("forget a held call", vec![write])
            .await
            .map(drop)
    }
}

fn never() -> AttributeValue {
    AttributeValue::N(NEVER.to_string())
}
