//! What Lambda's event source mapping does: takes messages from a queue, hands them to a function,
//! deletes those that are done with.

use crate::work::Work;
use aws_lambda_events::event::sqs::SqsBatchResponse;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How often a queue is asked though nothing was sent: finds messages whose delay is over in a queue
/// that is not on our own engine.
const TICK: Duration = Duration::from_millis(200);

/// How long a queue is left alone after it did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// One queue and how its messages are taken.
#[derive(Debug, Clone)]
pub(crate) struct Poller {
    pub(crate) sqs: Client,
    pub(crate) url: String,
    /// Messages in work at once.
    pub(crate) at_once: usize,
    /// Fires when something was sent to any queue.
    pub(crate) sent: watch::Receiver<u64>,
    /// Where it counts what it has in hand.
    pub(crate) work: Work,
    /// Turns true when the board stops.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Poller {
    /// Hands messages to `take` until the board stops, and waits for those in work.
    pub(crate) async fn run<F, Fut, E>(mut self, take: F)
    where
        F: Fn(Value) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Value, E>> + Send,
        E: std::error::Error,
    {
        let take = Arc::new(take);
        let room = Arc::new(Semaphore::new(self.at_once));
        while !*self.stop.borrow() {
            let free = room.available_permits().min(10);
            if free == 0 {
                // Someone in work is about to make room.
                drop(room.acquire().await);
                continue;
            }
            self.sent.mark_unchanged();
            // From before a message leaves the queue until it is in somebody's hands.
            let looking = self.work.begin();
            let messages = match self.receive(i32::try_from(free).unwrap_or(1)).await {
                Ok(messages) => messages,
                Err(error) => {
                    drop(looking);
                    tracing::warn!(%error, "a queue does not answer");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            if messages.is_empty() {
                drop(looking);
                tokio::select! {
                    _ = self.sent.changed() => {}
                    _ = self.stop.changed() => {}
                    () = tokio::time::sleep(TICK) => {}
                }
                continue;
            }
            for message in messages {
                let permit = room
                    .clone()
                    .acquire_owned()
                    .await
                    .expect("it is never closed");
                let (take, poller, begun) = (take.clone(), self.clone(), self.work.begin());
                tokio::spawn(async move {
                    poller.one(&*take, message).await;
                    drop((begun, permit));
                });
            }
        }
        let _ = room
            .acquire_many(u32::try_from(self.at_once).unwrap_or(u32::MAX))
            .await;
    }

    async fn receive(&self, count: i32) -> Result<Vec<Message>, String> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(count)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        received
            .map(|received| received.messages.unwrap_or_default())
            .map_err(|error| switchboard_shared::chain(&error))
    }

    async fn one<F, Fut, E>(&self, take: &F, message: Message)
    where
        F: Fn(Value) -> Fut + Sync,
        Fut: Future<Output = Result<Value, E>> + Send,
        E: std::error::Error,
    {
        let attributes: serde_json::Map<_, _> = message
            .attributes
            .iter()
            .flatten()
            .map(|(name, value)| (name.as_str().to_owned(), json!(value)))
            .collect();
        let event = json!({ "Records": [{
            "messageId": message.message_id,
            "receiptHandle": message.receipt_handle,
            "body": message.body,
            "attributes": attributes,
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:board",
            "awsRegion": "us-east-1",
        }]});
        let done = match take(event).await {
            Ok(response) => serde_json::from_value::<SqsBatchResponse>(response)
                .is_ok_and(|response| response.batch_item_failures.is_empty()),
            Err(error) => {
                tracing::error!(error = %switchboard_shared::chain(&error), "a message comes again");
                false
            }
        };
        if !done {
            return;
        }
        let receipt = message.receipt_handle.unwrap_or_default();
        let deleted = self
            .sqs
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .send();
        if let Err(error) = deleted.await {
            tracing::warn!(error = %switchboard_shared::chain(&error), "a message that is done with comes again");
        }
    }
}
