//! Recordings and how far their archiving got.

use super::{
    Item, Key, LEDGER_KEEPS, Listing, Noted, Store, StoreError, expiry, from_item, key, key_of,
    text, to_item,
};
use crate::id::{ConversationId, RecordingId};
use crate::recording::{Recording, State};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use jiff::tz::TimeZone;

impl Store {
    /// Keeps a recording that was announced. Of a repeated notice the first is kept.
    ///
    /// # Errors
    /// When the table does not answer: the notice must not be acknowledged.
    pub async fn keep_recording(&self, recording: &Recording) -> Result<Noted, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(recording_item(recording)))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await;
        match sent {
            Ok(_) => Ok(Noted::First),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => Ok(Noted::Again),
                _ => Err(StoreError::unavailable("keep a recording notice")(error)),
            },
        }
    }

    /// A recording.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recording(&self, id: &RecordingId) -> Result<Option<Recording>, StoreError> {
        self.get("read a recording", Key::Recording(id)).await
    }

    /// Begins a download, until when nobody else does: of several messages about one recording, one
    /// gets to work. False when another was faster.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn begin_download(
        &self,
        recording: &mut Recording,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let before = (recording.due, recording.attempts);
        recording.due = until;
        recording.attempts += 1;
        self.update_pending(recording, before).await
    }

    /// Makes a download due now, unless one has begun since the recording was read. False then.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn make_due(
        &self,
        recording: &mut Recording,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let before = (recording.due, recording.attempts);
        recording.due = now;
        self.update_pending(recording, before).await
    }

    async fn update_pending(
        &self,
        recording: &Recording,
        (due, attempts): (Timestamp, u32),
    ) -> Result<bool, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(recording_item(recording)))
            .condition_expression("#state = :pending AND #due = :due AND #attempts = :attempts")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#due", "due")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":due", text(due.to_string()))
            .expression_attribute_values(":attempts", AttributeValue::N(attempts.to_string()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::unavailable("write when a download is due")(
                    error,
                )),
            },
        }
    }

    /// Writes how far a recording got. One that is archived stays so: a late failure of another
    /// attempt changes nothing. False in that case.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn update_recording(&self, recording: &Recording) -> Result<bool, StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(recording_item(recording)))
            .condition_expression("attribute_not_exists(pk) OR #state <> :archived")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":archived", AttributeValue::S("archived".to_owned()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::unavailable("write how far a recording got")(
                    error,
                )),
            },
        }
    }

    /// The recordings made in a conversation.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recordings_of(
        &self,
        conversation: &ConversationId,
    ) -> Result<Vec<Recording>, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(key::BY_CONVERSATION)
            .key_condition_expression("#c = :c AND sk = :recording")
            .expression_attribute_names("#c", key::CONVERSATION)
            .expression_attribute_values(":c", text(conversation.to_string()))
            .expression_attribute_values(":recording", text("RECORDING"))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(StoreError::unavailable("find a call's recordings"))?;
            found.push(from_item("a recording", item)?);
        }
        Ok(found)
    }

    /// The recordings under a listing, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recordings_in(&self, listing: Listing) -> Result<Vec<Recording>, StoreError> {
        self.list("a recording", listing).await
    }
}

fn recording_item(recording: &Recording) -> Item {
    let mut item = key_of(Key::Recording(&recording.notice.recording));
    item.extend(to_item(recording));
    let listing = match recording.state {
        State::Pending => Listing::Pending,
        State::Failed => Listing::Failed,
        State::Archived | State::Empty => {
            Listing::Archived(recording.at.to_zoned(TimeZone::UTC).date())
        }
    };
    item.insert(key::LISTING.to_owned(), text(listing.pk()));
    let listed = format!("{}#{}", recording.at, recording.notice.recording);
    item.insert(key::LISTED.to_owned(), text(listed));
    item.insert(key::TTL.to_owned(), expiry(recording.at, LEDGER_KEEPS));
    item
}
