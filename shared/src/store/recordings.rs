//! Recordings and how far their archiving got.

use super::keep::{Look, first_look, unsettled};
use super::transact::{Transacted, Write};
use super::{Item, Key, Listing, Noted, Store, StoreError, key, key_of, text, to_item};
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
        if first_look(recording).is_some() {
            // Empty: nothing more comes of it, and it is looked at like all that is settled.
            let put = |item| Write::put_new(&self.table, item);
            let new = self
                .settle("keep an empty recording", recording, put)
                .await?;
            return Ok(if new { Noted::First } else { Noted::Again });
        }
        let put = self
            .client
            .put_item()
            .set_item(Some(recording_item(recording)))
            .condition_expression("attribute_not_exists(pk)");
        let new = self.put_if("keep a recording notice", put).await?;
        Ok(if new { Noted::First } else { Noted::Again })
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
        let put = self
            .client
            .put_item()
            .set_item(Some(recording_item(recording)))
            .condition_expression("#state = :pending AND #due = :due AND #attempts = :attempts")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#due", "due")
            .expression_attribute_names("#attempts", "attempts")
            .expression_attribute_values(":pending", text("pending"))
            .expression_attribute_values(":due", text(due.to_string()))
            .expression_attribute_values(":attempts", AttributeValue::N(attempts.to_string()));
        self.put_if("write when a download is due", put).await
    }

    /// Writes how far a recording got. One that is archived stays so: a late failure of another
    /// attempt changes nothing. False in that case.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn update_recording(&self, recording: &Recording) -> Result<bool, StoreError> {
        let put = |item| Write::put_when(&self.table, item, &unsettled());
        self.settle("write how far a recording got", recording, put)
            .await
    }

    /// Writes a recording, with when it is looked at where nothing is to be archived any more. False
    /// where the write's condition fails.
    async fn settle(
        &self,
        operation: &'static str,
        recording: &Recording,
        put: impl FnOnce(Item) -> Write,
    ) -> Result<bool, StoreError> {
        let look = first_look(recording);
        let recording = Recording {
            look,
            ..recording.clone()
        };
        let mut writes = vec![put(recording_item(&recording))];
        writes.extend(look.map(|at| {
            let look = Look {
                at,
                recording: recording.notice.recording.clone(),
            };
            look.put(&self.table)
        }));
        let done = self.transact(operation, writes).await?;
        Ok(matches!(done, Transacted::Done))
    }

    /// The recordings made in a conversation.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recordings_of(
        &self,
        conversation: &ConversationId,
    ) -> Result<Vec<Recording>, StoreError> {
        let query = self
            .client
            .query()
            .index_name(key::BY_CONVERSATION)
            .key_condition_expression("#c = :c AND sk = :recording")
            .expression_attribute_names("#c", key::CONVERSATION)
            .expression_attribute_values(":c", text(conversation.to_string()))
            .expression_attribute_values(":recording", text("RECORDING"));
        self.all("find a call's recordings", "a recording", query)
            .await
    }

    /// The recordings under a listing, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn recordings_in(&self, listing: Listing) -> Result<Vec<Recording>, StoreError> {
        self.list("a recording", listing).await
    }
}

pub(super) fn recording_item(recording: &Recording) -> Item {
    let mut item = key_of(Key::Recording(&recording.notice.recording));
    item.extend(to_item(recording));
    let listing = match recording.state {
        State::Pending => Listing::Pending,
        State::Failed => Listing::Failed,
        State::Archived | State::Empty | State::Expired | State::Deleted => {
            Listing::Archived(recording.at.to_zoned(TimeZone::UTC).date())
        }
    };
    item.insert(key::LISTING.to_owned(), text(listing.pk()));
    let listed = format!("{}#{}", recording.at, recording.notice.recording);
    item.insert(key::LISTED.to_owned(), text(listed));
    item
}
