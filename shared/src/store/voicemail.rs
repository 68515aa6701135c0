//! What callers leave: their consent, their messages, and what was said in them.

use super::recordings::recording_item;
use super::transact::{Expression, Transacted, Write};
use super::{
    Home, Item, Key, Listing, Noted, Store, StoreError, expiry, key, key_of, text, to_item,
};
use crate::id::{LegId, RecordingId};
use crate::plan::FlowName;
use crate::recording::{Recording, State};
use crate::transcript::Transcript;
use crate::webhook::Event;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

impl Store {
    /// Writes whether a caller agreed to be recorded.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn agree(&self, call: &LegId, consent: bool) -> Result<(), StoreError> {
        let agrees = Expression::new("SET #consent = :consent", "attribute_exists(#line)")
            .with(":consent", AttributeValue::Bool(consent));
        let written = self.change_call("write a consent", call, &agrees).await;
        written.map(drop)
    }

    /// Writes that a caller may leave a message now, and in which flow.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn enter_mailbox(&self, call: &LegId, flow: &FlowName) -> Result<(), StoreError> {
        let enters = Expression::new("SET #mailbox = :mailbox", "attribute_exists(#line)")
            .with(":mailbox", text(flow.to_string()));
        let written = self.change_call("enter a voicemail", call, &enters).await;
        written.map(drop)
    }

    /// Keeps a recording that is a message, and writes on the call that it left one: both or
    /// neither, so that a notice which comes again finds both. The call may not be written yet.
    ///
    /// # Errors
    /// When the table does not answer: the notice must not be acknowledged.
    pub async fn keep_message(
        &self,
        call: &LegId,
        recording: &Recording,
    ) -> Result<Noted, StoreError> {
        let left = Expression::new(
            "SET #voicemail = :voicemail, #ttl = if_not_exists(#ttl, :ttl)",
            "",
        )
        .with(":voicemail", text(recording.notice.recording.to_string()))
        .with(":ttl", expiry(recording.at, self.keep().ledger));
        let writes = vec![
            Write::put_new(&self.table, recording_item(recording)),
            Write::update(&self.table, Key::Call(call), &left),
        ];
        let outcome = self.transact("keep a message", writes).await?;
        Ok(match outcome {
            Transacted::Done => Noted::First,
            Transacted::Refused(_) => Noted::Again,
        })
    }

    /// Keeps the notice of a transcript, as an event and as an item of its own. Of a repeated notice
    /// the first is kept.
    ///
    /// # Errors
    /// When the table does not answer: the notice must not be acknowledged.
    pub async fn keep_transcript(
        &self,
        home: &Home,
        event: &Event,
        transcript: &Transcript,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        let writes = vec![
            Write::put_new(&self.table, self.event_item(home, event, None, now)),
            Write::put_new(&self.table, transcript_item(transcript)),
        ];
        let outcome = self.transact("keep a transcript's notice", writes).await?;
        match outcome {
            Transacted::Done => Ok(Noted::First),
            // Told again, in other words.
            Transacted::Refused(_) => {
                self.note(home, event, now).await?;
                Ok(Noted::Again)
            }
        }
    }

    /// The transcript of a recording.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn transcript(
        &self,
        recording: &RecordingId,
    ) -> Result<Option<Transcript>, StoreError> {
        self.get("read a transcript", Key::Transcript(recording))
            .await
    }

    /// Writes how far a transcript got. One that is archived stays so. False in that case.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn update_transcript(&self, transcript: &Transcript) -> Result<bool, StoreError> {
        let put = self
            .client
            .put_item()
            .set_item(Some(transcript_item(transcript)))
            .condition_expression("attribute_not_exists(pk) OR #state <> :archived")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":archived", text("archived"));
        self.put_if("write how far a transcript got", put).await
    }

    /// Forgets a transcript whose recording's time is over.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_transcript(&self, recording: &RecordingId) -> Result<(), StoreError> {
        let write = Write::delete_any(&self.table, Key::Transcript(recording));
        let forgotten = self.transact("forget a transcript", vec![write]).await;
        forgotten.map(drop)
    }

    /// The transcripts still to be fetched, oldest first.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn pending_transcripts(&self) -> Result<Vec<Transcript>, StoreError> {
        self.list("a transcript", Listing::Transcripts).await
    }
}

/// It stays as long as its recording: whoever removes that removes this.
fn transcript_item(transcript: &Transcript) -> Item {
    let mut item = key_of(Key::Transcript(&transcript.recording));
    item.extend(to_item(transcript));
    if transcript.state == State::Pending {
        item.insert(key::LISTING.to_owned(), text(Listing::Transcripts.pk()));
        let listed = format!("{}#{}", transcript.at, transcript.recording);
        item.insert(key::LISTED.to_owned(), text(listed));
    }
    item
}
