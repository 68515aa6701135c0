//! Functions killed between their write and their queue message, or between the promise and the
//! transfer: the sweep finds what is half done, and it is finished.

use crate::cloud::{Cloud, connected, notice, notify, over};
use crate::envelope;
use crate::gate::Gate;
use crate::platform::Content;
use crate::world::{PATIENCE, action, incoming, rings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_shared::offer::{By, Offer, OfferId};
use switchboard_shared::recording::State;
use switchboard_shared::store::Claimed;

const SUPPORT: &str = "447700900002";
const DIRECT: &str = "447700900003";
const TRIAL: &str = "447700900006";

const ALICE: &str = "447700900011";

const EVENT: &str = "/webhooks/event";

const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:functions";

/// Later than the sweep leaves a download to its message.
const OVERDUE: SignedDuration = SignedDuration::from_mins(11);

/// A message of a queue, as Lambda hands it over.
fn message(job: &Value) -> Value {
    envelope::sqs_batch(QUEUE_ARN, &[job.to_string()])
}

// Write, then message: callers and agents.

#[tokio::test]
async fn answer_killed_before_the_timer_of_free_after_is_set() {
    let cloud = Cloud::open().await;
    let event = cloud.webhook("/webhooks/answer", &incoming(TRIAL, "leg-1"));
    cloud.killed_at_its_message("answer", event).await;
    assert_eq!(cloud.world.waiting("trial").await, ["leg-1"]);
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-1").await, ALICE);
}

#[tokio::test]
async fn answer_killed_before_an_agent_is_told_of_those_who_wait_longer() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "first").await;
    cloud.free("alice").await;
    let event = cloud.webhook("/webhooks/answer", &incoming(SUPPORT, "second"));
    cloud.killed_at_its_message("answer", event).await;
    assert_eq!(cloud.world.waiting("support").await, ["first", "second"]);
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("first").await, ALICE);
    assert_eq!(cloud.world.waiting("support").await, ["second"]);
}

#[tokio::test]
async fn event_killed_before_an_agent_is_told_of_those_who_wait_longer() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "first").await;
    let hold = cloud.world.call(SUPPORT, "second").await;
    cloud.free("alice").await;
    let (to, body) = notify(&hold);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("first").await, ALICE);
    assert_eq!(cloud.world.waiting("support").await, ["second"]);
}

#[tokio::test]
async fn event_killed_before_the_place_of_a_caller_who_hung_up_is_cleared() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "leg-1").await;
    cloud.world.call(SUPPORT, "leg-2").await;
    let event = cloud.webhook(EVENT, &over("leg-1"));
    cloud.killed_at_its_message("event", event).await;
    assert!(cloud.call("leg-1").await.ended.is_some());
    assert_eq!(cloud.world.waiting("support").await, ["leg-1", "leg-2"]);
    cloud.sweep().await;
    assert_eq!(cloud.world.waiting("support").await, ["leg-2"]);
}

/// A promise between a caller and an agent that has run out, as one that was made a minute ago.
async fn promised_a_minute_ago(cloud: &Cloud, leg: &str, agent: &str) {
    let then = Timestamp::now() - SignedDuration::from_mins(1);
    let store = cloud.world.board.store();
    store.free(&agent.parse().unwrap(), then).await.unwrap();
    let call = cloud.call(leg).await;
    let offer = Offer {
        id: OfferId::random(),
        agent: agent.parse().unwrap(),
        until: then + SignedDuration::from_secs(40),
        by: By::Transfer,
    };
    let claimed = store
        .claim(&call.leg, call.place.as_ref().unwrap(), &offer, then)
        .await;
    assert_eq!(claimed.unwrap(), Claimed::Yes);
}

#[tokio::test]
async fn event_killed_before_the_agent_of_a_caller_who_hung_up_looks_for_the_next() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "leg-1").await;
    cloud.world.call(SUPPORT, "leg-2").await;
    promised_a_minute_ago(&cloud, "leg-1", "alice").await;
    let event = cloud.webhook(EVENT, &over("leg-1"));
    cloud.killed_at_its_message("event", event).await;
    cloud.world.platform.end("leg-1");
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-2").await, ALICE);
    assert_eq!(cloud.world.waiting("support").await, [""; 0]);
}

/// Alice is rung for a caller by our own answer.
async fn rung(cloud: &Cloud, leg: &str) -> Value {
    cloud.free("alice").await;
    let ncco = cloud.world.call(SUPPORT, leg).await;
    assert_eq!(rings(&ncco), ALICE);
    ncco
}

#[tokio::test]
async fn event_killed_before_an_agent_who_did_not_answer_looks_again() {
    let cloud = Cloud::open().await;
    let ncco = rung(&cloud, "leg-1").await;
    let (to, body) = connected(&ncco, "timeout", false);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    assert_eq!(cloud.world.waiting("support").await, ["leg-1"]);
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-1").await, ALICE);
}

#[tokio::test]
async fn event_killed_before_an_agent_whose_talk_is_over_looks_for_the_next() {
    let cloud = Cloud::open().await;
    let ncco = rung(&cloud, "leg-1").await;
    cloud.world.call(SUPPORT, "leg-2").await;
    let (to, body) = connected(&ncco, "answered", false);
    cloud.world.post(&to, &body).await;
    assert_eq!(cloud.world.state("alice").await, "talking");
    let (to, body) = connected(&ncco, "completed", true);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    assert_eq!(cloud.call("leg-1").await.served.unwrap().as_str(), "alice");
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-2").await, ALICE);
}

#[tokio::test]
async fn event_killed_before_an_agent_of_a_ring_flow_looks_for_the_next() {
    let cloud = Cloud::open().await;
    let ncco = cloud.world.call(DIRECT, "leg-1").await;
    cloud.free("alice").await;
    let (to, body) = connected(&ncco, "answered", false);
    cloud.world.post(&to, &body).await;
    cloud.world.call(SUPPORT, "leg-2").await;
    assert_eq!(cloud.world.state("alice").await, "talking");
    let (to, body) = connected(&ncco, "completed", true);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    assert_eq!(cloud.world.state("alice").await, "free");
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-2").await, ALICE);
}

#[tokio::test]
async fn event_killed_before_an_agent_is_settled_with_whose_ringing_nobody_told_the_end_of() {
    let cloud = Cloud::open().await;
    let ncco = rung(&cloud, "leg-1").await;
    let (to, body) = notify(&ncco);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    assert_eq!(cloud.world.waiting("support").await, ["leg-1"]);
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-1").await, ALICE);
}

#[tokio::test]
async fn event_killed_before_the_timer_of_free_after_is_set() {
    let cloud = Cloud::open().await;
    let first = cloud.world.call(DIRECT, "leg-1").await;
    let (to, body) = connected(&first, "busy", false);
    let second = cloud.world.post(&to, &body).await.body;
    let (to, body) = connected(&second, "busy", false);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    assert_eq!(cloud.world.waiting("trial").await, ["leg-1"]);
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-1").await, ALICE);
}

#[tokio::test]
async fn dispatch_killed_before_an_agent_who_rests_is_looked_at_again() {
    let cloud = Cloud::with_rest("30s").await;
    let ncco = rung(&cloud, "leg-1").await;
    let (to, body) = connected(&ncco, "busy", false);
    let event = cloud.webhook(&to, &body);
    cloud.killed_at_its_message("event", event).await;
    let look = message(&json!({ "job": "look", "agent": "alice" }));
    cloud.killed_at_its_message("dispatch", look).await;
    assert_eq!(cloud.delayed_jobs().await, 0);
    cloud.sweep().await;
    assert_eq!(cloud.delayed_jobs().await, 1, "for when her rest is over");
}

#[tokio::test]
async fn dispatch_killed_before_the_agent_of_a_caller_who_hung_up_looks_for_the_next() {
    let cloud = Cloud::open().await;
    rung(&cloud, "leg-1").await;
    cloud.world.call(SUPPORT, "leg-2").await;
    let event = cloud.webhook(EVENT, &over("leg-1"));
    cloud.killed_at_its_message("event", event).await;
    let gone = message(&json!({ "job": "gone", "call": "leg-1" }));
    cloud.killed_at_its_message("dispatch", gone).await;
    assert_eq!(cloud.world.state("alice").await, "free");
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-2").await, ALICE);
}

#[tokio::test]
async fn a_sweep_killed_before_the_timer_of_free_after_is_set_is_made_up_for_by_the_next() {
    let cloud = Cloud::open().await;
    let event = cloud.webhook("/webhooks/answer", &incoming(TRIAL, "leg-1"));
    cloud.killed_at_its_message("answer", event).await;
    cloud
        .killed_at_its_message("dispatch", envelope::scheduled())
        .await;
    cloud.sweep().await;
    assert_eq!(cloud.moved_to("leg-1").await, ALICE);
}

// Promise, then transfer.

/// Alice says "free" to a function that is killed when Vonage has its request to move the caller, and
/// before it has an answer: the script they were to be moved to.
async fn killed_at_the_transfer(cloud: &Cloud) -> Value {
    let platform = &cloud.world.platform;
    platform.hang("/v1/calls/leg-1", "PUT", 1);
    let asked = async {
        let put = |all: &[crate::platform::Request]| all.iter().any(|one| one.method == "PUT");
        platform.wait_for(put, PATIENCE).await;
    };
    cloud
        .killed_when("transfer", cloud.says("alice", "free"), asked)
        .await;
    assert_eq!(cloud.world.state("alice").await, "ringing");
    let asked = platform.requests();
    let put = asked.iter().find(|one| one.method == "PUT").unwrap();
    put.body["destination"]["ncco"].clone()
}

#[tokio::test]
async fn transfer_killed_before_vonage_moved_the_caller_who_is_put_back_when_their_music_ends() {
    let cloud = Cloud::open().await;
    let hold = cloud.world.call(SUPPORT, "leg-1").await;
    killed_at_the_transfer(&cloud).await;
    // Until the promise runs out the phone may be ringing: the music goes on.
    cloud.sweep().await;
    assert_eq!(cloud.world.notify(&hold).await.body, json!([]));
    cloud.world.later(60);
    let heard = cloud.world.notify(&hold).await.body;
    assert_eq!(rings(&heard), ALICE, "she is free again, and theirs");
    assert_ne!(action(&heard, "notify")["payload"]["offer"], Value::Null);
    assert!(cloud.world.platform.transfers().is_empty());
}

#[tokio::test]
async fn transfer_killed_after_vonage_moved_the_caller_is_ended_by_the_events_of_the_ringing() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "leg-1").await;
    let ncco = killed_at_the_transfer(&cloud).await;
    cloud.world.call(SUPPORT, "leg-2").await;
    for (status, talked) in [("answered", false), ("completed", true)] {
        let (to, body) = connected(&ncco, status, talked);
        assert_eq!(cloud.world.post(&to, &body).await.status, 200);
        let talks = cloud.world.state("alice").await == "talking";
        assert_eq!(talks, status == "answered");
    }
    assert_eq!(cloud.call("leg-1").await.served.unwrap().as_str(), "alice");
    assert_eq!(cloud.moved_to("leg-2").await, ALICE);
}

#[tokio::test]
async fn transfer_killed_after_vonage_moved_a_caller_whose_agent_does_not_answer() {
    let cloud = Cloud::open().await;
    cloud.world.call(SUPPORT, "leg-1").await;
    let ncco = killed_at_the_transfer(&cloud).await;
    let (to, body) = connected(&ncco, "timeout", false);
    let heard = cloud.world.post(&to, &body).await.body;
    assert_eq!(action(&heard, "stream")["action"], "stream");
    assert_eq!(cloud.moved_to("leg-1").await, ALICE, "after her rest");
}

// Write, then message: recordings.

const BYTES: Content = Content::Seeded {
    seed: 7,
    length: 200_000,
};

async fn a_recording_is_found(function: &str, path: &str) {
    let cloud = Cloud::open().await;
    let url = cloud.world.platform.recording("r", BYTES, "audio/mpeg");
    let event = cloud.webhook(path, &notice("recording-1", &url));
    cloud.killed_at_its_message(function, event).await;
    assert_eq!(cloud.recording("recording-1").await.state, State::Pending);
    // Not before its message must be lost.
    cloud.sweep().await;
    assert!(cloud.world.platform.requests().is_empty());
    cloud.overdue("recording-1", OVERDUE).await;
    cloud.sweep().await;
    let (_, bytes) = cloud.archived("recording-1").await;
    assert_eq!(Content::from(bytes).sha256(), BYTES.sha256());
    assert_eq!(cloud.objects().await.len(), 1);
}

#[tokio::test]
async fn recording_killed_before_the_recording_is_queued() {
    a_recording_is_found("recording", "/webhooks/recording").await;
}

#[tokio::test]
async fn event_killed_before_the_recording_is_queued() {
    a_recording_is_found("event", EVENT).await;
}

#[tokio::test]
async fn a_sweep_killed_before_what_is_overdue_is_queued_is_made_up_for_by_the_next() {
    let cloud = Cloud::open().await;
    for id in ["one", "two"] {
        let url = cloud.world.platform.recording(id, BYTES, "audio/mpeg");
        let event = cloud.webhook("/webhooks/recording", &notice(id, &url));
        cloud.killed_at_its_message("recording", event).await;
        cloud.overdue(id, OVERDUE).await;
    }
    cloud
        .killed_at_its_message("dispatch", envelope::scheduled())
        .await;
    cloud.sweep().await;
    for id in ["one", "two"] {
        let (_, bytes) = cloud.archived(id).await;
        assert_eq!(Content::from(bytes).sha256(), BYTES.sha256());
    }
    assert_eq!(cloud.objects().await.len(), 2);
}

/// A recording of so many bytes that is announced and queued, and not taken from the queue yet.
async fn announced(cloud: &Cloud, content: Content) {
    let url = cloud.world.platform.recording("r", content, "audio/mpeg");
    let event = cloud.webhook("/webhooks/recording", &notice("recording-1", &url));
    cloud.killed_at_its_message("recording", event).await;
}

fn archive_message() -> Value {
    message(&json!({ "recording": "recording-1" }))
}

#[tokio::test]
async fn archive_killed_in_the_midst_of_an_upload_is_made_up_for_by_the_next_message() {
    let cloud = Cloud::open().await;
    let content = Content::Seeded {
        seed: 8,
        length: 20 * 1024 * 1024,
    };
    announced(&cloud, content.clone()).await;
    let gate = Gate::before(cloud.world.board.engines().s3_url(), |look| {
        look.method == "PUT" && look.query.contains("partNumber=2")
    });
    let s3 = "AWS_ENDPOINT_URL_S3";
    cloud
        .killed_at(&gate, s3, "archive", archive_message())
        .await;
    assert_eq!(cloud.objects().await, [""; 0], "nothing is there in part");
    // The message comes again when the function's time is over; and if it does not, the sweep sees it.
    cloud.overdue("recording-1", SignedDuration::ZERO).await;
    let answer = cloud.invoke("archive", archive_message()).await;
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    let (recording, bytes) = cloud.archived("recording-1").await;
    assert_eq!(Content::from(bytes).sha256(), content.sha256());
    assert_eq!(recording.sha256, Some(content.sha256()));
    assert_eq!(cloud.objects().await.len(), 1);
}

#[tokio::test]
async fn archive_killed_in_the_midst_of_an_upload_is_found_by_the_sweep() {
    let cloud = Cloud::open().await;
    announced(&cloud, BYTES).await;
    let gate = Gate::before(cloud.world.board.engines().s3_url(), |look| {
        look.method == "PUT"
    });
    let s3 = "AWS_ENDPOINT_URL_S3";
    cloud
        .killed_at(&gate, s3, "archive", archive_message())
        .await;
    // A download may take the function's whole time; so long nobody else begins one.
    let again = cloud.invoke("archive", archive_message()).await;
    assert_eq!(again["batchItemFailures"].as_array().unwrap().len(), 1);
    cloud.overdue("recording-1", OVERDUE).await;
    cloud.sweep().await;
    let (_, bytes) = cloud.archived("recording-1").await;
    assert_eq!(Content::from(bytes).sha256(), BYTES.sha256());
    assert_eq!(cloud.objects().await.len(), 1);
}

#[tokio::test]
async fn archive_killed_before_it_says_archived_does_not_download_again() {
    let cloud = Cloud::open().await;
    announced(&cloud, BYTES).await;
    // How a download ended is written with when to look at the recording, in one transaction.
    let gate = Gate::before(cloud.world.board.engines().dynamodb_url(), |look| {
        look.action == "TransactWriteItems"
    });
    let dynamodb = "AWS_ENDPOINT_URL_DYNAMODB";
    cloud
        .killed_at(&gate, dynamodb, "archive", archive_message())
        .await;
    assert_eq!(cloud.recording("recording-1").await.state, State::Pending);
    assert_eq!(cloud.objects().await.len(), 1);
    cloud.overdue("recording-1", OVERDUE).await;
    cloud.sweep().await;
    let (recording, bytes) = cloud.archived("recording-1").await;
    assert_eq!(Content::from(bytes).sha256(), BYTES.sha256());
    assert_eq!(recording.sha256, Some(BYTES.sha256()));
    assert_eq!(cloud.objects().await.len(), 1);
    assert_eq!(cloud.world.platform.requests().len(), 1, "one download");
}
