//! The one table: calls, their events, who waits, who is free, recordings, plans.
//!
//! A method is a question the product asks. What each costs, for items under 1 KB (written) and
//! 4 KB (read); a unit is a DynamoDB write or read unit, and a transaction counts double:
//!
//! | method | who asks | key | read | written |
//! | --- | --- | --- | --- | --- |
//! | [`begin`](Store::begin) | answer | call, conditional | – | 3, or 6 with a place in a queue |
//! | [`call`](Store::call) | answer (repeat), event, dispatch, CLI | call, consistent | 1 | – |
//! | [`enter`](Store::enter), [`leave`](Store::leave) | event | call + waiting, transaction | – | 6 |
//! | [`give_up`](Store::give_up) | dispatch | call + waiting, transaction | – | 6 |
//! | [`note`](Store::note) | event | event, conditional | – | 2 |
//! | [`note_with`](Store::note_with) | event | event + call (+ waiting + agent), transaction | – | 6 to 12 |
//! | [`waiting`](Store::waiting) | transfer, dispatch, CLI | queue, consistent | 1 per 30 callers looked at | – |
//! | [`agents`](Store::agents) | answer, event, CLI | agents, consistent batch | 1 per agent | – |
//! | [`claim`](Store::claim) | answer, event, transfer, dispatch | agent + call + waiting, transaction | – | 8 |
//! | [`put_back`](Store::put_back), [`lose`](Store::lose), [`find`](Store::find) | transfer, dispatch, event | the same | – | 4 to 8 |
//! | [`ring_once`](Store::ring_once), [`not_rung`](Store::not_rung), [`rung_as`](Store::rung_as), [`announce_once`](Store::announce_once) | dispatch | phone of a call, conditional | – | 1 or 2 |
//! | [`rung`](Store::rung) | dispatch | call, consistent | 1 per 20 phones | – |
//! | [`begin_to_move`](Store::begin_to_move), [`moved`](Store::moved) | dispatch | call, transaction | – | 2 to 6 |
//! | [`take_turn`](Store::take_turn), [`give_back_turn`](Store::give_back_turn), [`keep_turn`](Store::keep_turn) | answer, event | count of a flow, the second conditional; call | – | 1; 1; 6 |
//! | [`free`](Store::free), [`away`](Store::away) | transfer | agent, conditional | – | 1 |
//! | [`events`](Store::events) | CLI | call, consistent | 1 per 8 events | – |
//! | [`calls_on`](Store::calls_on) | CLI | listing index, eventual | 0.5 per 8 calls | – |
//! | [`calls_in`](Store::calls_in) | archive, CLI | conversation index, eventual | 0.5 | – |
//! | [`keep_recording`](Store::keep_recording) | recording, event | recording, conditional | – | 3 |
//! | [`recording`](Store::recording) | archive, CLI | recording, consistent | 1 | – |
//! | [`begin_download`](Store::begin_download), [`update_recording`](Store::update_recording) | archive, CLI | recording, conditional | – | 3 |
//! | [`recordings_in`](Store::recordings_in) | CLI, sweep | listing index, eventual | 0.5 per 8 | – |
//! | [`looks`](Store::looks) | sweep | looks, consistent | 1 per 40 due | – |
//! | [`look_later`](Store::look_later), [`expire`](Store::expire), [`forget_recording`](Store::forget_recording) | sweep | recording + look (+ call), transaction | – | 8 to 12 |
//! | [`hold`](Store::hold), [`let_go`](Store::let_go) | CLI | call + held, transaction; each event | 1 per 8 events | 8, and 2 per event |
//! | [`held`](Store::held), [`look_after_held`](Store::look_after_held) | sweep, CLI | held, consistent; twice a day the events of each | 1 per 20 held | – |
//! | [`keep_notification`](Store::keep_notification), [`end_telling`](Store::end_telling) | dispatch | notification, conditional | – | 2 to 4 |
//! | [`notification`](Store::notification) | dispatch, CLI | notification, consistent | 1 | – |
//! | [`begin_telling`](Store::begin_telling), [`take_up_notification`](Store::take_up_notification) | dispatch, CLI | notification, conditional | – | 2 |
//! | [`notifications_in`](Store::notifications_in) | CLI, sweep | listing index, eventual | 0.5 per 4 | – |
//! | [`agree`](Store::agree), [`enter_mailbox`](Store::enter_mailbox) | event, dispatch | call, transaction | – | 2 |
//! | [`keep_message`](Store::keep_message) | recording | recording + call, transaction | – | 8 |
//! | [`keep_transcript`](Store::keep_transcript) | recording | event + transcript, transaction | – | 8 |
//! | [`transcript`](Store::transcript), [`update_transcript`](Store::update_transcript) | archive, CLI | transcript, conditional | 1 | 2 to 66 |
//! | [`pending_transcripts`](Store::pending_transcripts) | sweep | listing index, eventual | 0.5 per 8 | – |
//! | [`plan`](Store::plan), [`plan_in_force`](Store::plan_in_force) | every function at start, then every 30 s; CLI | plan, consistent | 1 per 4 KB | – |
//! | [`push_plan`](Store::push_plan) | CLI, board | text of two versions; then plan + push, transaction | – | 6; for each KB more of the new plan 3, of the old one 1 |
//! | [`plan_named`](Store::plan_named) | CLI | versions that begin so, consistent; plan | 1 per 4 KB of up to three | – |
//! | [`pushes`](Store::pushes) | CLI | plan; pushes, newest first, consistent | 1 per 4 KB of the plan, 1 per 15 pushes | – |
//!
//! Nothing scans.

mod agents;
mod calls;
mod hold;
mod keep;
mod key;
mod notifications;
mod plans;
mod queue;
mod recordings;
mod room;
mod table;
mod transact;
mod turns;
mod voicemail;

pub use agents::Freed;
pub use calls::{Begun, LedgerEvent, Noted, Turn};
pub use hold::{Held, Looked};
pub use keep::Look;
pub use key::{Home, Key, Listing};
pub use plans::{
    InForce, NOTE_MAX, Named, NoVersion, PREFIX_MIN, PlanText, Prefix, Push, Pushed, Signed,
    VERSIONS_KEEP,
};
pub use queue::{Claimed, Waiting};
pub use room::{FAILURES_TOLD, Rung, StaffTurn};
pub use table::{TABLE_KEYS, create_table};

use crate::config::Lookup;
use crate::plan::Keep;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Item = HashMap<String, AttributeValue>;

/// The table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
    /// Clones share it: whoever reads the plan says it to all who write.
    keep: Arc<Mutex<Keep>>,
}

/// The table did not answer, or holds something that does not read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB could not be reached in time, or said no. Trying again may help.
    #[error("could not {operation}")]
    Unavailable {
        /// What was asked.
        operation: &'static str,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An item is not what this version writes.
    #[error("the item of {what} does not read")]
    Item {
        /// Which kind of item.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_dynamo::Error,
    },
}

impl StoreError {
    fn unavailable<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self::Unavailable {
            operation,
            source: Box::new(source),
        }
    }
}

impl Store {
    /// A table behind a client.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
            keep: Arc::default(),
        }
    }

    /// The table named by `SWITCHBOARD_TABLE`.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Self {
        Self::new(Client::new(sdk), lookup.required("SWITCHBOARD_TABLE"))
    }

    /// How long what is written from here on is kept: as the plan in force says, once it was read
    /// beside this table; until then as it is without a plan.
    #[must_use]
    pub fn keep(&self) -> Keep {
        *self.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how long what is written from here on is kept, to this table and all its clones.
    pub fn keeps(&self, keep: Keep) {
        *self.keep.lock().unwrap_or_else(PoisonError::into_inner) = keep;
    }

    /// One item, read with strong consistency.
    async fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        key: Key<'_>,
    ) -> Result<Option<T>, StoreError> {
        let item = self.get_raw(what, key).await?;
        item.map(|item| from_item(what, item)).transpose()
    }

    /// The same, as it lies in the table.
    async fn get_raw(&self, what: &'static str, key: Key<'_>) -> Result<Option<Item>, StoreError> {
        let found = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key_of(key)))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable(what))?;
        Ok(found.item)
    }

    /// Puts an item under the condition it carries. False where that failed.
    async fn put_if(
        &self,
        operation: &'static str,
        put: PutItemFluentBuilder,
    ) -> Result<bool, StoreError> {
        match put.table_name(&self.table).send().await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::unavailable(operation)(error)),
            },
        }
    }

    /// Everything a query finds, page after page.
    async fn all<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        what: &'static str,
        query: QueryFluentBuilder,
    ) -> Result<Vec<T>, StoreError> {
        let mut items = query
            .table_name(&self.table)
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(StoreError::unavailable(operation))?;
            found.push(from_item(what, item)?);
        }
        Ok(found)
    }
}

fn key_of(key: Key<'_>) -> Item {
    HashMap::from([
        (key::PK.to_owned(), text(key.pk())),
        (key::SK.to_owned(), text(key.sk())),
    ])
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn millis(at: Timestamp) -> AttributeValue {
    AttributeValue::N(at.as_millisecond().to_string())
}

/// When DynamoDB may delete an item written now.
fn expiry(now: Timestamp, keeps: SignedDuration) -> AttributeValue {
    AttributeValue::N((now.as_second() + keeps.as_secs()).to_string())
}

fn to_item(value: &impl Serialize) -> Item {
    serde_dynamo::to_item(value).expect("our own types are plain maps")
}

fn from_item<T: DeserializeOwned>(what: &'static str, item: Item) -> Result<T, StoreError> {
    serde_dynamo::from_item(item).map_err(|source| StoreError::Item { what, source })
}
