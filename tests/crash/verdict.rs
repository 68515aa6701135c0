//! What must hold once all calls are over.

use crate::plan::{QUEUES, STAFF};
use crate::vonage::{Acknowledged, Vonage};
use aws_sdk_sqs::types::QueueAttributeName as Count;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_cli::board::Board;
use switchboard_shared::clock::Clock;
use switchboard_shared::plan::AgentName;
use switchboard_shared::presence::State;
use switchboard_shared::recording::State as Archiving;
use switchboard_shared::store::Home;

/// Sweeps within which everything is in order: one that tidies up, one that finds nothing more.
const SWEEPS: usize = 2;

/// Between sweeps. Longer than the longest wait of a caller, so that nobody can be about to do it.
const BETWEEN_SWEEPS: SignedDuration = SignedDuration::from_mins(12);

/// For the board to work off its queues. Guards against a hang.
const PATIENCE: Duration = Duration::from_secs(60);

const PARTS_FROM: u64 = 8 * 1024 * 1024;

/// Writes down every fault.
pub(crate) async fn look(vonage: &Arc<Vonage>, board: &Board, clock: &Clock) {
    let mut left = Vec::new();
    for _ in 0..SWEEPS {
        quiet(board).await;
        left = stuck(board, clock).await;
        if left.is_empty() {
            break;
        }
        clock.advance(BETWEEN_SWEEPS);
        sweep(board).await;
    }
    if !left.is_empty() {
        quiet(board).await;
        left = stuck(board, clock).await;
    }
    for what in left {
        vonage.fault(what);
    }
    ledger(vonage, board).await;
}

async fn sweep(board: &Board) {
    let url = board
        .environment()
        .get("SWITCHBOARD_DISPATCH_QUEUE_URL")
        .unwrap();
    let sweep = json!({ "job": "sweep" }).to_string();
    let message = board.sqs().send_message().queue_url(url);
    message.message_body(sweep).send().await.unwrap();
}

/// Waits until nothing lies in the queue of jobs.
async fn quiet(board: &Board) {
    let url = board
        .environment()
        .get("SWITCHBOARD_DISPATCH_QUEUE_URL")
        .unwrap();
    let counts = [
        Count::ApproximateNumberOfMessages,
        Count::ApproximateNumberOfMessagesDelayed,
        Count::ApproximateNumberOfMessagesNotVisible,
    ];
    let patience = Instant::now();
    loop {
        let asked = board.sqs().get_queue_attributes().queue_url(&url);
        let asked = asked
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await
            .unwrap();
        let attributes = asked.attributes.unwrap_or_default();
        if counts
            .iter()
            .all(|name| attributes.get(name).is_none_or(|count| count == "0"))
        {
            return;
        }
        if patience.elapsed() > PATIENCE {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Who waits, rings, talks or is to be archived though all is over.
async fn stuck(board: &Board, clock: &Clock) -> Vec<String> {
    let mut left = Vec::new();
    for queue in QUEUES {
        for one in board
            .store()
            .waiting(&queue.parse().unwrap(), None)
            .await
            .unwrap()
        {
            left.push(format!("{} waits in {queue}", one.leg));
        }
    }
    let names: Vec<AgentName> = STAFF.iter().map(|name| name.parse().unwrap()).collect();
    for presence in board.store().agents(&names).await.unwrap() {
        if let state @ (State::Ringing { .. } | State::Talking { .. }) = presence.state(clock.now())
        {
            left.push(format!("{} is {state:?}", presence.name));
        }
    }
    left
}

/// Nothing acknowledged is missing.
async fn ledger(vonage: &Arc<Vonage>, board: &Board) {
    let acknowledged = vonage.stage().acknowledged.clone();
    let mut wanted = BTreeSet::new();
    let mut homes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let mut answered = Vec::new();
    for one in acknowledged {
        match one {
            Acknowledged::Call { late: true, .. } => {}
            Acknowledged::Call { leg, .. } => answered.push(leg),
            Acknowledged::Event { home, body } => homes.entry(home).or_default().push(body),
            Acknowledged::Recording { id } => {
                wanted.insert(id);
            }
        }
    }
    for leg in answered {
        let call = board.store().call(&leg.parse().unwrap()).await.unwrap();
        let Some(call) = call else {
            vonage.fault(format!("{leg} was answered and is not in the ledger"));
            continue;
        };
        let mut told = homes.get(&leg).into_iter().flatten();
        let over = told.any(|body| body["status"] == "completed" && body["uuid"] == leg);
        if over && call.ended.is_none() {
            vonage.fault(format!("{leg} has hung up and counts as there"));
        }
    }
    for (home, bodies) in homes {
        let kept = board
            .store()
            .events(&Home::Leg(home.parse().unwrap()))
            .await;
        let kept: Vec<Value> = kept
            .unwrap()
            .iter()
            .map(|event| event.body.parse().unwrap())
            .collect();
        for body in bodies.iter().filter(|body| !kept.contains(body)) {
            vonage.fault(format!("an event of {home} is lost: {body}"));
        }
    }
    let mut keys = BTreeSet::new();
    for id in wanted {
        match archived_as(vonage, board, &id).await {
            Ok(key) => {
                keys.insert(key);
            }
            Err(fault) => vonage.fault(format!("{id} {fault}")),
        }
    }
    let objects = objects(board).await;
    for (key, _) in &objects {
        let known = keys.contains(key) || unacknowledged(vonage, board, key).await;
        if !known {
            vonage.fault(format!("{key} lies in the bucket and belongs to nothing"));
        }
    }
}

/// The key of a recording, once it lies there byte for byte.
async fn archived_as(vonage: &Arc<Vonage>, board: &Board, id: &str) -> Result<String, String> {
    let patience = Instant::now();
    let recording = loop {
        let recording = board.store().recording(&id.parse().unwrap()).await.unwrap();
        let recording = recording.ok_or("was announced and is not kept")?;
        if recording.state == Archiving::Archived {
            break recording;
        }
        if patience.elapsed() > PATIENCE {
            return Err(format!("is {:?}: {:?}", recording.state, recording.reason));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let key = recording.key.ok_or("is archived nowhere")?;
    let object = board
        .archive()
        .open(&key)
        .await
        .map_err(|error| error.to_string())?;
    let bytes = object
        .body
        .collect()
        .await
        .map_err(|error| error.to_string())?;
    if bytes.into_bytes() != vonage.file(id) {
        return Err("has other bytes in the archive".to_owned());
    }
    Ok(key)
}

/// A recording whose notice was kept, though its acknowledgement did not get through.
async fn unacknowledged(vonage: &Arc<Vonage>, board: &Board, key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    let id = name.split('.').next().unwrap_or_default();
    archived_as(vonage, board, id)
        .await
        .is_ok_and(|own| own == key)
}

/// All objects of the bucket, and how long they are.
async fn objects(board: &Board) -> Vec<(String, u64)> {
    let bucket = board.environment().get("SWITCHBOARD_BUCKET").unwrap();
    let s3 = board.engines().s3_client();
    let listed = s3.list_objects_v2().bucket(bucket).send().await.unwrap();
    let length = |size: Option<i64>| size.and_then(|size| u64::try_from(size).ok());
    let objects = listed.contents.unwrap_or_default().into_iter();
    objects
        .map(|one| {
            (
                one.key.unwrap_or_default(),
                length(one.size).unwrap_or_default(),
            )
        })
        .collect()
}

/// How many recordings lie in the bucket, and how many of them were put there in parts.
pub(crate) async fn archived(_: &Arc<Vonage>, board: &Board) -> (usize, usize) {
    let objects = objects(board).await;
    let parts = objects.iter().filter(|(_, length)| *length > PARTS_FROM);
    (objects.len(), parts.count())
}
