//! A board whose clock stands: nothing comes about by itself, and an hour passes as soon as somebody
//! says so.

use crate::platform::{RecordingFault, Reply};
use crate::world::{PLAN, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::time::Duration;
use switchboard_archive::{ATTEMPTS, DELAYS};
use switchboard_shared::job::Job;
use switchboard_shared::recording::State;

const SUPPORT: &str = "447700900002";
const TRIAL: &str = "447700900006";

/// How often the sweep runs.
const SWEEP: i64 = 300;

/// Has the clock go on to the next moment at which something is due, and all of it done.
async fn go_on(world: &World) -> Timestamp {
    let next = world.clock.next().expect("the sweep is always to come");
    world.clock.set(next);
    world.board.idle().await;
    next
}

#[tokio::test]
async fn a_delayed_job_is_done_when_the_clock_gets_there_and_not_before() {
    let world = World::standing(&PLAN.replace("\"1s\"", "\"40s\"")).await;
    world.board.idle().await;
    world.call(TRIAL, "leg-1").await;
    for (seconds, transfers) in [(0, 0), (39, 0), (1, 1), (100, 1)] {
        world.later(seconds);
        world.board.idle().await;
        // The request for it has been made, or it is not idle.
        assert_eq!(world.platform.transfers().len(), transfers, "{seconds}");
    }
    assert_eq!(world.state("alice").await, "free");
}

#[tokio::test]
async fn the_clock_names_the_next_moment_at_which_something_is_due() {
    let world = World::standing(&PLAN.replace("\"1s\"", "\"40s\"")).await;
    world.board.idle().await;
    let start = world.clock.now();
    world.later(10);
    world.call(TRIAL, "leg-1").await;
    world.board.idle().await;
    let after = |seconds| start + SignedDuration::from_secs(seconds);
    assert_eq!(go_on(&world).await, after(50));
    assert_eq!(world.platform.transfers().len(), 1);
    // The message is gone, and so is the time until which it was hidden.
    assert_eq!(go_on(&world).await, after(SWEEP));
    assert_eq!(go_on(&world).await, after(2 * SWEEP));
}

#[tokio::test]
async fn the_sweep_runs_by_the_clock() {
    let world = World::standing(PLAN).await;
    world.call(SUPPORT, "leg-1").await;
    // Whoever wrote this never came to look who waits.
    let alice = "alice".parse().unwrap();
    let freed = world.board.store().free(&alice, world.clock.now()).await;
    freed.unwrap();
    for (seconds, transfers) in [(0, 0), (SWEEP - 1, 0), (1, 1)] {
        world.later(seconds);
        world.board.idle().await;
        assert_eq!(world.platform.transfers().len(), transfers, "{seconds}");
    }
}

#[tokio::test]
async fn a_job_that_failed_comes_again_by_the_clock() {
    let world = World::standing(&PLAN.replace("\"1s\"", "\"40s\"")).await;
    world.call(TRIAL, "leg-1").await;
    // What is not tried again at once.
    let refused = Reply {
        status: 422,
        ..Reply::default()
    };
    world.platform.fail("/v1/calls", "PUT", refused);
    world.later(40);
    world.board.idle().await;
    assert_eq!(world.platform.transfers().len(), 0);
    let next = world.clock.now() + SignedDuration::from_secs(30);
    assert_eq!(go_on(&world).await, next);
    assert_eq!(world.platform.transfers().len(), 1);
    assert_eq!(world.state("alice").await, "ringing");
}

#[tokio::test]
async fn an_hour_of_downloads_that_fail_takes_no_hour() {
    let world = World::standing(PLAN).await;
    world.board.idle().await;
    let url = world.platform.recording("file-1", vec![0], "audio/mpeg");
    let fault = RecordingFault::Status(404);
    world.platform.spoil("file-1", fault, 1_000);
    let notice = json!({
        "recording_url": url,
        "recording_uuid": "r-1",
        "conversation_uuid": "CON-leg-1",
        "timestamp": "2026-03-01T23:58:09.426Z",
    });
    let start = world.clock.now();
    world.post("/webhooks/recording", &notice).await;
    world.board.idle().await;
    let id = "r-1".parse().unwrap();
    let mut tries = vec![Duration::ZERO];
    let recording = loop {
        let recording = world.board.store().recording(&id).await.unwrap().unwrap();
        if recording.state != State::Pending {
            break recording;
        }
        assert_eq!(recording.attempts as usize, tries.len());
        let before = recording.attempts;
        let now = go_on(&world).await;
        let recording = world.board.store().recording(&id).await.unwrap().unwrap();
        if recording.attempts > before {
            tries.push(Duration::try_from(now.duration_since(start)).unwrap());
        }
    };
    assert_eq!(
        (recording.state, recording.attempts),
        (State::Failed, ATTEMPTS)
    );
    let due: Vec<Duration> = (0..=DELAYS.len())
        .map(|count| DELAYS[..count].iter().sum())
        .collect();
    assert_eq!(tries, due);
}

#[tokio::test]
async fn a_batch_with_delays_comes_message_by_message() {
    let world = World::standing(PLAN).await;
    world.call(SUPPORT, "leg-1").await;
    let alice = "alice".parse().unwrap();
    let freed = world.board.store().free(&alice, world.clock.now()).await;
    freed.unwrap();
    let look = serde_json::to_string(&Job::Look { agent: alice }).unwrap();
    let entry = |id: &str, body: &str, delay| {
        aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder()
            .id(id)
            .message_body(body)
            .delay_seconds(delay)
            .build()
            .unwrap()
    };
    let queue = world.board.environment();
    let queue = queue.get("SWITCHBOARD_DISPATCH_QUEUE_URL").unwrap();
    let sent = world.board.sqs().send_message_batch().queue_url(queue);
    let gone = r#"{"job":"gone","call":"nobody"}"#;
    let sent = sent
        .entries(entry("1", gone, 0))
        .entries(entry("2", &look, 20))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.successful().len(), 2);
    for (seconds, transfers) in [(0, 0), (19, 0), (1, 1)] {
        world.later(seconds);
        world.board.idle().await;
        assert_eq!(world.platform.transfers().len(), transfers, "{seconds}");
    }
}
