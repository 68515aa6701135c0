use std::time::{Duration, Instant};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata as _;
use aws_sdk_sqs::types::{
    DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName, QueueAttributeName,
    SendMessageBatchRequestEntry,
};

use crate::engines::Engines;
use switchboard_shared::clock::Clock;

/// Longer than anything here takes but for what is waited for.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_queue_is_found_by_name_at_our_address() {
    let (engines, client, queue) = queue(&[]).await;
    assert_eq!(
        queue,
        format!("{}/123456789012/dispatch", engines.sqs_url())
    );
    let found = client
        .get_queue_url()
        .queue_name("dispatch")
        .send()
        .await
        .unwrap();
    assert_eq!(found.queue_url(), Some(queue.as_str()));
    let listed = client.list_queues().send().await.unwrap();
    assert_eq!(listed.queue_urls(), [queue]);
    let missing = client.get_queue_url().queue_name("archive").send().await;
    let missing = missing.unwrap_err().into_service_error();
    assert!(missing.is_queue_does_not_exist(), "{missing:?}");
}

#[tokio::test]
async fn a_delayed_message_comes_when_its_delay_is_over() {
    let (_engines, client, queue) = queue(&[]).await;
    let sent = Instant::now();
    client
        .send_message()
        .queue_url(&queue)
        .message_body("later")
        .delay_seconds(1)
        .send()
        .await
        .unwrap();
    assert_eq!(receive(&client, &queue).await.len(), 0);
    let message = wait(&client, &queue).await;
    assert_eq!(message.body(), Some("later"));
    assert!(sent.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_delay_that_sqs_would_refuse_is_refused() {
    let (_engines, client, queue) = queue(&[]).await;
    let alone = client
        .send_message()
        .queue_url(&queue)
        .message_body("much later")
        .delay_seconds(901)
        .send()
        .await;
    assert_eq!(alone.unwrap_err().code(), Some("InvalidParameterValue"));
    let entry = SendMessageBatchRequestEntry::builder()
        .id("1")
        .message_body("much later")
        .delay_seconds(901);
    let batch = client
        .send_message_batch()
        .queue_url(&queue)
        .entries(entry.build().unwrap())
        .send()
        .await;
    assert_eq!(batch.unwrap_err().code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn a_message_not_deleted_comes_again_and_is_counted() {
    let (_engines, client, queue) = queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    send(&client, &queue, "again").await;
    let first = wait(&client, &queue).await;
    assert_eq!(count(&first), "1");
    assert_eq!(receive(&client, &queue).await.len(), 0);
    let second = wait(&client, &queue).await;
    assert_eq!(second.message_id(), first.message_id());
    assert_eq!(count(&second), "2");
}

#[tokio::test]
async fn a_message_can_be_given_back_at_once_or_held_for_longer() {
    let (_engines, client, queue) = queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    send(&client, &queue, "held").await;
    let first = wait(&client, &queue).await;
    see_again_in(&client, &queue, &first, 0).await;
    let second = receive(&client, &queue).await.remove(0);
    see_again_in(&client, &queue, &second, 60).await;
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(receive(&client, &queue).await.len(), 0);
}

#[tokio::test]
async fn a_message_that_fails_too_often_goes_to_the_dead_letter_queue() {
    let (_engines, client, dead) = queue(&[]).await;
    let attributes = client
        .get_queue_attributes()
        .queue_url(&dead)
        .attribute_names(QueueAttributeName::QueueArn)
        .send()
        .await
        .unwrap();
    let arn = &attributes.attributes().unwrap()[&QueueAttributeName::QueueArn];
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}"#);
    let queue = create(
        &client,
        "archive",
        &[(QueueAttributeName::RedrivePolicy, &policy)],
    )
    .await;
    send(&client, &queue, "poison").await;
    for _ in 0..2 {
        let message = receive(&client, &queue).await.remove(0);
        see_again_in(&client, &queue, &message, 0).await;
    }
    assert_eq!(receive(&client, &dead).await.len(), 0);
    assert_eq!(receive(&client, &queue).await.len(), 0);
    assert_eq!(receive(&client, &dead).await[0].body(), Some("poison"));
}

#[tokio::test]
async fn a_batch_is_sent_and_deleted_whole() {
    let (_engines, client, queue) = queue(&[(QueueAttributeName::VisibilityTimeout, "1")]).await;
    let entries = (0..10).map(|number| {
        SendMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .message_body(number.to_string())
            .build()
            .unwrap()
    });
    let sent = client
        .send_message_batch()
        .queue_url(&queue)
        .set_entries(Some(entries.collect()))
        .send()
        .await
        .unwrap();
    assert_eq!((sent.successful().len(), sent.failed().len()), (10, 0));
    let messages = receive(&client, &queue).await;
    assert_eq!(messages.len(), 10);
    let entries = messages.iter().zip(0..).map(|(message, number)| {
        DeleteMessageBatchRequestEntry::builder()
            .id(number.to_string())
            .receipt_handle(message.receipt_handle().unwrap())
            .build()
            .unwrap()
    });
    client
        .delete_message_batch()
        .queue_url(&queue)
        .set_entries(Some(entries.collect()))
        .send()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(receive(&client, &queue).await.len(), 0);
}

#[tokio::test]
async fn whoever_waits_for_messages_is_told_of_each_request_that_sends() {
    let (engines, client, queue) = queue(&[]).await;
    send(&client, &queue, "before").await;
    let mut sent = engines.sqs_sent();
    assert!(!sent.has_changed().unwrap());
    receive(&client, &queue).await;
    assert!(!sent.has_changed().unwrap());
    send(&client, &queue, "after").await;
    tokio::time::timeout(SOON, sent.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(*sent.borrow_and_update(), 2);
    client
        .send_message()
        .queue_url(format!("{queue}-that-is-not-there"))
        .message_body("nowhere")
        .send()
        .await
        .unwrap_err();
    assert!(!sent.has_changed().unwrap());
}

#[tokio::test]
async fn a_long_poll_does_not_hold_up_the_end() {
    let (engines, client, queue) = queue(&[]).await;
    let poll = client
        .receive_message()
        .queue_url(&queue)
        .wait_time_seconds(20);
    let poll = tokio::spawn(async move { poll.send().await });
    // Until it has been asked for sure; sooner, and the test would pass for
    // another reason, later costs only time.
    tokio::time::sleep(Duration::from_millis(200)).await;
    tokio::time::timeout(SOON, engines.close()).await.unwrap();
    assert_eq!(poll.await.unwrap().unwrap().messages().len(), 0);
}

/// Engines with a queue in them.
async fn queue(attributes: &[(QueueAttributeName, &str)]) -> (Engines, Client, String) {
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    let client = engines.sqs_client();
    let queue = create(&client, "dispatch", attributes).await;
    (engines, client, queue)
}

pub(super) async fn create(
    client: &Client,
    name: &str,
    attributes: &[(QueueAttributeName, &str)],
) -> String {
    let attributes = attributes
        .iter()
        .map(|(name, value)| (name.clone(), (*value).to_owned()));
    client
        .create_queue()
        .queue_name(name)
        .set_attributes(Some(attributes.collect()))
        .send()
        .await
        .unwrap()
        .queue_url
        .unwrap()
}

pub(super) async fn send(client: &Client, queue: &str, body: &str) {
    client
        .send_message()
        .queue_url(queue)
        .message_body(body)
        .send()
        .await
        .unwrap();
}

async fn receive(client: &Client, queue: &str) -> Vec<Message> {
    client
        .receive_message()
        .queue_url(queue)
        .max_number_of_messages(10)
        .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
        .send()
        .await
        .unwrap()
        .messages
        .unwrap_or_default()
}

/// Waits for the one message that must come.
async fn wait(client: &Client, queue: &str) -> Message {
    let begun = Instant::now();
    while begun.elapsed() < SOON {
        if let Some(message) = receive(client, queue).await.pop() {
            return message;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no message came");
}

async fn see_again_in(client: &Client, queue: &str, message: &Message, seconds: i32) {
    client
        .change_message_visibility()
        .queue_url(queue)
        .receipt_handle(message.receipt_handle().unwrap())
        .visibility_timeout(seconds)
        .send()
        .await
        .unwrap();
}

fn count(message: &Message) -> &str {
    &message.attributes().unwrap()[&MessageSystemAttributeName::ApproximateReceiveCount]
}
