//! Recordings whose time is over.
//!
//! A recording is an item here and an object in the bucket, and neither may be gone while the other is
//! left. So DynamoDB's own expiry has no part in it: each recording that is no longer to be archived has
//! a time at which the sweep looks at it, and what is over goes in steps. The item says so, then the
//! object is removed, then the item says that, and goes last.

use super::transact::{Expression, Transacted, Write};
use super::{Key, Store, StoreError, key, key_of, text};
use crate::id::{LegId, RecordingId};
use crate::plan::keep::KEEP_MIN;
use crate::recording::{Recording, State};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Recordings looked at in one sweep. A busy line makes as many in a day; the next sweep goes on.
const LOOKS_AT_ONCE: i32 = 200;

/// When a recording is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// The recording.
    pub recording: RecordingId,
}

impl Look {
    fn key(&self) -> Key<'_> {
        Key::Look {
            at: self.at,
            recording: &self.recording,
        }
    }

    /// Writes it.
    pub(super) fn put(&self, table: &str) -> Write {
        let mut item = key_of(self.key());
        item.extend(super::to_item(self));
        Write::put(table, item)
    }
}

/// When a recording is first looked at, once it is archived, empty or given up; none while it is
/// still to be archived.
pub(super) fn first_look(recording: &Recording) -> Option<Timestamp> {
    match recording.state {
        State::Pending => recording.look,
        _ => recording
            .look
            .or_else(|| recording.at.saturating_add(KEEP_MIN).ok()),
    }
}

impl Store {
    /// The recordings that are to be looked at by now, the longest overdue first; as many as one sweep
    /// looks at.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn looks(&self, now: Timestamp) -> Result<Vec<Look>, StoreError> {
        // `$` comes right after `#`: what is due in this very millisecond is due.
        let until = format!("{:013}$", now.as_millisecond());
        let found = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk < :until")
            .expression_attribute_values(":pk", text(key::LOOKS))
            .expression_attribute_values(":until", text(until))
            .consistent_read(true)
            .limit(LOOKS_AT_ONCE)
            .send()
            .await
            .map_err(StoreError::unavailable("find recordings to look at"))?;
        let items = found.items.unwrap_or_default().into_iter();
        items.map(|item| super::from_item("a look", item)).collect()
    }

    /// Looks at a recording again, at a time after the one that has come.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn look_later(&self, look: &Look, at: Timestamp) -> Result<(), StoreError> {
        let next = Look { at, ..look.clone() };
        let moved = Expression::new("SET #look = :next", "#look = :look")
            .with(":look", text(look.at.to_string()))
            .with(":next", text(at.to_string()));
        let writes = vec![
            Write::update(&self.table, Key::Recording(&look.recording), &moved),
            Write::delete_any(&self.table, look.key()),
            next.put(&self.table),
        ];
        match self.transact("look at a recording later", writes).await? {
            Transacted::Done => Ok(()),
            // It has another time by now, or is gone.
            Transacted::Refused(_) => self.drop_look(look).await,
        }
    }

    /// Has a time to look come and gone.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn drop_look(&self, look: &Look) -> Result<(), StoreError> {
        let writes = vec![Write::delete_any(&self.table, look.key())];
        self.transact("forget when to look", writes).await.map(drop)
    }

    /// Writes that a recording's time is over, and when to look whether it is removed. False where
    /// its call is held, or it is no longer as it was.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn expire(
        &self,
        look: &Look,
        call: Option<&LegId>,
        again: Timestamp,
    ) -> Result<bool, StoreError> {
        let next = Look {
            at: again,
            ..look.clone()
        };
        let over = Expression::new(
            "SET #state = :expired, #look = :next",
            "#look = :look AND #state IN (:archived, :failed)",
        )
        .with(":expired", text("expired"))
        .with(":archived", text("archived"))
        .with(":failed", text("failed"))
        .with(":look", text(look.at.to_string()))
        .with(":next", text(again.to_string()));
        let mut writes = vec![
            Write::update(&self.table, Key::Recording(&look.recording), &over),
            Write::delete_any(&self.table, look.key()),
            next.put(&self.table),
        ];
        writes.extend(call.map(|call| self.unless_held(call)));
        let done = self.transact("write that a recording's time is over", writes);
        Ok(matches!(done.await?, Transacted::Done))
    }

    /// Writes that the object of a recording whose time was over is removed. The sweep looks at once
    /// whether the item is to go as well.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_deleted(
        &self,
        recording: &Recording,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let id = &recording.notice.recording;
        let next = Look {
            at: now,
            recording: id.clone(),
        };
        let deleted = Expression::new(
            "SET #state = :deleted, #look = :next, #reason = :reason REMOVE #key",
            "#state = :expired",
        )
        .with(":deleted", text("deleted"))
        .with(":expired", text("expired"))
        .with(":reason", text("its time was over"))
        .with(":next", text(now.to_string()));
        let mut writes = vec![
            Write::update(&self.table, Key::Recording(id), &deleted),
            next.put(&self.table),
        ];
        if let Some(at) = recording.look.filter(|at| *at != now) {
            let old = Look {
                at,
                recording: id.clone(),
            };
            writes.push(Write::delete_any(&self.table, old.key()));
        }
        // Refused: another message was faster.
        self.transact("write that a recording is removed", writes)
            .await
            .map(drop)
    }

    /// Forgets a recording of which nothing is in the bucket. False where its call is held, or it is
    /// no longer as it was.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_recording(
        &self,
        look: &Look,
        call: Option<&LegId>,
    ) -> Result<bool, StoreError> {
        let gone = Expression::new("", "#look = :look AND #state IN (:empty, :deleted)")
            .with(":empty", text("empty"))
            .with(":deleted", text("deleted"))
            .with(":look", text(look.at.to_string()));
        let mut writes = vec![
            Write::delete_when(&self.table, Key::Recording(&look.recording), &gone),
            Write::delete_any(&self.table, look.key()),
        ];
        writes.extend(call.map(|call| self.unless_held(call)));
        let done = self.transact("forget a recording", writes);
        Ok(matches!(done.await?, Transacted::Done))
    }

    /// Stands in the way while a call is held.
    fn unless_held(&self, call: &LegId) -> Write {
        let free = Expression::new("", "attribute_not_exists(#hold)");
        Write::check(&self.table, Key::Call(call), &free)
    }
}

/// Which states a recording may be in to be written over.
pub(super) fn unsettled() -> Expression {
    // What is archived stays so, and what was removed: a late failure changes nothing.
    Expression::new(
        "",
        "attribute_not_exists(pk) OR #state IN (:pending, :failed, :empty)",
    )
    .with(":pending", AttributeValue::S("pending".to_owned()))
    .with(":failed", AttributeValue::S("failed".to_owned()))
    .with(":empty", AttributeValue::S("empty".to_owned()))
}
