//! What lies in the queues, and when each message may be taken, by the board's clock.
//!
//! The crate's own keeping of messages goes by the system's clock. So each message is shown to it
//! either as free to take or as hidden for ever, and when that changes is known here.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use switchboard_shared::clock::{Alarm, Clock};
use winterbaume_core::StateViewError;
use winterbaume_sqs::state::SqsError;
use winterbaume_sqs::types::{Message, MessageAttribute, MessageMoveTask, Queue};
use winterbaume_sqs::{SendMessageOutput, SqsBackend, SqsState, SqsStateView};

/// What a request comes to. All of it is done before anybody waits for it.
type Answer<T> = Pin<Box<dyn Future<Output = Result<T, SqsError>> + Send>>;

/// All queues with their messages.
pub(super) struct Messages {
    kept: Mutex<Kept>,
    clock: Clock,
    /// Rings when the next hidden message is free to take.
    alarm: Alarm,
}

#[derive(Default)]
struct Kept {
    state: SqsState,
    /// Until when a message is hidden, by its id: delayed, taken, or failed and not due again.
    hidden: HashMap<String, Timestamp>,
}

impl Messages {
    pub(super) fn new(clock: Clock) -> Self {
        let alarm = clock.alarm();
        Self {
            kept: Mutex::default(),
            clock,
            alarm,
        }
    }

    /// Waits until a message that was hidden is free to take.
    pub(super) async fn next_free(&self) {
        self.alarm.rings().await;
        self.look(|_, _| ());
    }

    /// Whether a queue has a message that is free to take.
    pub(super) fn has_free(&self, queue: &str) -> bool {
        self.look(|kept, _| {
            let messages = kept.state.queues.get(queue).map(|queue| &queue.messages);
            let mut messages = messages.into_iter().flatten();
            messages.any(|message| !kept.hidden.contains_key(&message.message_id))
        })
    }

    /// Does something with the queues as they are now.
    fn look<T>(&self, act: impl FnOnce(&mut Kept, Timestamp) -> T) -> T {
        let mut kept = self.kept();
        let now = self.clock.now();
        kept.show(now);
        let done = act(&mut kept, now);
        self.alarm.set(kept.hidden.values().min().copied());
        done
    }

    fn act<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Kept, Timestamp) -> Result<T, SqsError>,
    ) -> Answer<T> {
        Box::pin(std::future::ready(self.look(act)))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // A panic in the crate may leave one message half done; the others are worth more.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Shows the crate which messages are free to take.
    fn show(&mut self, now: Timestamp) {
        self.hidden.retain(|_, until| *until > now);
        for queue in self.state.queues.values_mut() {
            for message in &mut queue.messages {
                let hidden = self.hidden.contains_key(&message.message_id);
                message.visible_at = if hidden { i64::MAX } else { 0 };
            }
        }
    }

    /// Hides a message. For no time at all: it is free from the next look on, and the alarm rings.
    fn hide(&mut self, id: &str, seconds: u32, now: Timestamp) {
        let until = now.saturating_add(Duration::from_secs(seconds.into()));
        self.hidden
            .insert(id.to_owned(), until.unwrap_or(Timestamp::MAX));
    }

    /// The message that was handed out under a receipt, now or before.
    fn handed_out(&self, queue: &str, receipt: &str) -> Option<String> {
        let mut messages = self.state.queues.get(queue)?.messages.iter();
        let message = messages
            .find(|message| message.all_receipt_handles.iter().any(|one| one == receipt))?;
        Some(message.message_id.clone())
    }

    fn change_visibility(
        &mut self,
        queue: &str,
        receipt: &str,
        seconds: u32,
        now: Timestamp,
    ) -> Result<(), SqsError> {
        self.state
            .change_message_visibility(queue, receipt, seconds)?;
        if let Some(id) = self.handed_out(queue, receipt) {
            self.hide(&id, seconds, now);
        }
        Ok(())
    }
}

/// What no part of Switchboard asks of SQS.
fn refused<T: Send + 'static>() -> Answer<T> {
    let why = "this is not done on one machine".to_owned();
    Box::pin(std::future::ready(Err(SqsError::InternalError(why))))
}

impl SqsBackend for Messages {
    fn create_queue(
        &self,
        account: String,
        region: String,
        name: String,
        attributes: HashMap<String, String>,
        tags: Option<HashMap<String, String>>,
    ) -> Answer<Queue> {
        self.act(|kept, _| {
            kept.state
                .create_queue(&name, &region, &account, &attributes, tags.as_ref())
                .cloned()
        })
    }

    fn delete_queue(&self, _: String, _: String, queue: String) -> Answer<()> {
        self.act(|kept, _| kept.state.delete_queue(&queue))
    }

    fn get_queue_url(&self, _: String, _: String, queue: String) -> Answer<String> {
        self.act(|kept, _| kept.state.get_queue_url(&queue).map(str::to_owned))
    }

    fn get_queue_attributes(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<HashMap<String, String>> {
        self.act(|kept, _| kept.state.get_queue_attributes(&queue))
    }

    fn set_queue_attributes(
        &self,
        _: String,
        _: String,
        queue: String,
        attributes: HashMap<String, String>,
    ) -> Answer<()> {
        self.act(|kept, _| kept.state.set_queue_attributes(&queue, &attributes))
    }

    fn list_queues(&self, _: String, _: String, prefix: Option<String>) -> Answer<Vec<Queue>> {
        self.act(|kept, _| {
            let queues = kept.state.list_queues(prefix.as_deref());
            Ok(queues.into_iter().cloned().collect())
        })
    }

    fn send_message(
        &self,
        _: String,
        _: String,
        queue: String,
        body: String,
        delay: Option<u32>,
        attributes: HashMap<String, MessageAttribute>,
        group: Option<String>,
        deduplication: Option<String>,
    ) -> Answer<SendMessageOutput> {
        self.act(|kept, now| {
            let own = kept.state.queues.get(&queue);
            let own = own.map_or(0, |queue| queue.queue.delay_seconds);
            let (group, deduplication) = (group.as_deref(), deduplication.as_deref());
            let sent =
                kept.state
                    .send_message(&queue, &body, None, attributes, group, deduplication)?;
            match delay.unwrap_or(own) {
                // Whoever sends wakes the receivers.
                0 => {}
                delay => kept.hide(&sent.message_id, delay, now),
            }
            Ok(SendMessageOutput {
                message_id: sent.message_id,
                body_md5: sent.body_md5,
            })
        })
    }

    fn receive_messages(
        &self,
        _: String,
        _: String,
        queue: String,
        max: usize,
        hidden: Option<u32>,
    ) -> Answer<Vec<Message>> {
        self.act(|kept, now| {
            let received = kept.state.receive_message(&queue, max, hidden)?;
            let own = kept.state.queues.get(&queue);
            let own = own.map_or(0, |queue| queue.queue.visibility_timeout);
            for message in &received {
                kept.hide(&message.message_id, hidden.unwrap_or(own), now);
            }
            Ok(received)
        })
    }

    fn delete_message(&self, _: String, _: String, queue: String, receipt: String) -> Answer<()> {
        self.act(|kept, _| {
            if let Some(id) = kept.handed_out(&queue, &receipt) {
                kept.hidden.remove(&id);
            }
            kept.state.delete_message(&queue, &receipt)
        })
    }

    fn purge_queue(&self, _: String, _: String, queue: String) -> Answer<()> {
        self.act(|kept, _| kept.state.purge_queue(&queue))
    }

    fn change_message_visibility(
        &self,
        _: String,
        _: String,
        queue: String,
        receipt: String,
        seconds: u32,
    ) -> Answer<()> {
        self.act(|kept, now| kept.change_visibility(&queue, &receipt, seconds, now))
    }

    fn change_message_visibility_batch(
        &self,
        _: String,
        _: String,
        queue: String,
        entries: Vec<(String, String, u32)>,
    ) -> Answer<Vec<String>> {
        self.act(|kept, now| {
            let mut changed = Vec::new();
            for (id, receipt, seconds) in entries {
                kept.change_visibility(&queue, &receipt, seconds, now)?;
                changed.push(id);
            }
            Ok(changed)
        })
    }

    fn list_dead_letter_source_queues(
        &self,
        _: String,
        _: String,
        queue: String,
    ) -> Answer<Vec<String>> {
        self.act(|kept, _| kept.state.list_dead_letter_source_queues(&queue))
    }

    fn list_queue_tags(&self, _: String, _: String, _: String) -> Answer<HashMap<String, String>> {
        refused()
    }

    fn tag_queue(&self, _: String, _: String, _: String, _: HashMap<String, String>) -> Answer<()> {
        refused()
    }

    fn untag_queue(&self, _: String, _: String, _: String, _: Vec<String>) -> Answer<()> {
        refused()
    }

    fn add_permission(
        &self,
        _: String,
        _: String,
        _: String,
        _: String,
        _: Vec<String>,
        _: Vec<String>,
    ) -> Answer<()> {
        refused()
    }

    fn remove_permission(&self, _: String, _: String, _: String, _: String) -> Answer<()> {
        refused()
    }

    fn start_message_move_task(
        &self,
        _: String,
        _: String,
        _: String,
        _: Option<String>,
        _: Option<i32>,
    ) -> Answer<String> {
        refused()
    }

    fn cancel_message_move_task(&self, _: String, _: String, _: String) -> Answer<i64> {
        refused()
    }

    fn list_message_move_tasks(
        &self,
        _: String,
        _: String,
        _: String,
    ) -> Answer<Vec<MessageMoveTask>> {
        refused()
    }

    fn scopes_with_state(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    // The crate's own callers of these are never called here.

    fn snapshot(&self, _: String, _: String) -> Pin<Box<dyn Future<Output = SqsStateView> + Send>> {
        Box::pin(std::future::ready(SqsStateView::from(&self.kept().state)))
    }

    fn restore(
        &self,
        _: String,
        _: String,
        _: SqsStateView,
    ) -> Pin<Box<dyn Future<Output = Result<(), StateViewError>> + Send>> {
        let why = StateViewError::Invalid("this is not done on one machine".to_owned());
        Box::pin(std::future::ready(Err(why)))
    }

    fn merge(
        &self,
        account: String,
        region: String,
        view: SqsStateView,
    ) -> Pin<Box<dyn Future<Output = Result<(), StateViewError>> + Send>> {
        self.restore(account, region, view)
    }
}
