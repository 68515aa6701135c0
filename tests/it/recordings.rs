//! Recordings: from their notice into the archive, whatever goes wrong on the way.

use crate::platform::{Content, Platform, RecordingFault, Reply, STRANGERS_BYTES, Stranger};
use crate::world::{PATIENCE, PLAN, World, action, eventually, kinds};
use bytes::Bytes;
use ring::digest;
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_shared::job::ArchiveJob;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::{Home, Listing};

/// The line whose calls are recorded here.
const LINE: &str = "447700900002";

/// Downloads that a world's board tries: one, and one after each of its delays.
const TRIES: usize = 4;

/// Several looks of the board at its queues.
const A_WHILE: Duration = Duration::from_millis(800);

/// The beginning of an MPEG frame, and noise.
fn mp3() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfb, 0x90, 0x00];
    bytes.extend((0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    bytes
}

/// A notice as Vonage sends it. The id in the URL is not the recording's.
fn notice(id: &str, url: &str, size: impl Into<Value>, conversation: &str) -> Value {
    json!({
        "start_time": "2026-03-01T23:58:04Z",
        "recording_url": url,
        "size": size.into(),
        "recording_uuid": id,
        "end_time": "2026-03-01T23:58:09Z",
        "conversation_uuid": conversation,
        "timestamp": "2026-03-01T23:58:09.426Z",
    })
}

/// The same as a query.
fn query(notice: &Value) -> String {
    let fields = notice.as_object().unwrap().iter();
    let pairs = fields.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A recording on the platform, and its notice with the right size.
pub(crate) fn offered(world: &World, id: &str, content: impl Into<Content>) -> Value {
    let content = content.into();
    let size = content.length();
    let url = world
        .platform
        .recording(&format!("file-{id}"), content, "audio/mpeg");
    notice(id, &url, size, "CON-leg-1")
}

pub(crate) async fn announce(world: &World, notice: &Value) {
    let answered = world.post("/webhooks/recording", notice).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
}

async fn item(world: &World, id: &str) -> Recording {
    let found = world.board.store().recording(&id.parse().unwrap()).await;
    found
        .unwrap()
        .unwrap_or_else(|| panic!("nobody announced {id}"))
}

/// The recording, once nothing more is to be done about it.
async fn settled(world: &World, id: &str) -> Recording {
    eventually(|| async {
        let recording = item(world, id).await;
        (recording.state != State::Pending).then_some(recording)
    })
    .await
}

pub(crate) async fn archived(world: &World, id: &str) -> Recording {
    let recording = settled(world, id).await;
    assert_eq!(recording.state, State::Archived, "{:?}", recording.reason);
    assert_eq!(recording.reason, None);
    recording
}

async fn failed(world: &World, id: &str) -> (Recording, String) {
    let recording = settled(world, id).await;
    assert_eq!(recording.state, State::Failed, "{id}");
    assert_eq!(recording.key, None, "{id}");
    let reason = recording.reason.clone().unwrap();
    assert!(!reason.contains("127.0.0.1"), "an address: {reason}");
    (recording, reason)
}

/// Downloads that the platform was asked for.
fn downloads(world: &World) -> usize {
    let requests = world.platform.requests();
    let files = requests
        .iter()
        .filter(|request| request.path.starts_with("/v1/files/"));
    files.count()
}

async fn object(world: &World, key: &str) -> Bytes {
    let object = world.board.archive().open(key).await.unwrap();
    object.body.collect().await.unwrap().into_bytes()
}

/// The keys in the bucket.
async fn keys(world: &World) -> Vec<String> {
    let listed = world.board.engines().s3_client().list_objects_v2();
    let listed = listed.bucket("switchboard-recordings").send().await;
    let listed = listed.unwrap();
    let keys = listed.contents().iter().map(|object| object.key());
    keys.map(|key| key.unwrap().to_owned()).collect()
}

fn sha256(bytes: &[u8]) -> String {
    crate::unique::hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// What the item says is what lies in the bucket, and both are the recording.
async fn assert_whole(world: &World, recording: &Recording, bytes: &[u8]) {
    let key = recording.key.as_deref().unwrap();
    assert!(object(world, key).await == bytes, "other bytes in {key}");
    assert_eq!(recording.bytes, Some(bytes.len() as u64));
    assert_eq!(
        recording.sha256.as_deref(),
        Some(sha256(bytes).as_str()),
        "{key}"
    );
}

/// Long enough for whatever still lies in the queue to be taken.
async fn a_while() {
    tokio::time::sleep(A_WHILE).await;
}

/// The recordings whose messages lie among the dead letters.
async fn dead_letters(world: &World) -> Vec<String> {
    let sqs = world.board.sqs();
    let url = sqs.get_queue_url().queue_name("archive-dead").send().await;
    let url = url.unwrap().queue_url.unwrap();
    let received = sqs
        .receive_message()
        .queue_url(url)
        .max_number_of_messages(10)
        .visibility_timeout(0);
    let messages = received.send().await.unwrap().messages.unwrap_or_default();
    let jobs = messages.iter().map(|message| {
        let body = message.body.as_deref().unwrap();
        serde_json::from_str::<ArchiveJob>(body).unwrap()
    });
    jobs.map(|job| job.recording.to_string()).collect()
}

#[tokio::test]
async fn a_recording_is_archived_by_line_and_day_whichever_way_its_notice_comes() {
    let world = World::open().await;
    world.clock.set("2026-03-01T23:59:00Z".parse().unwrap());
    world.call(LINE, "leg-1").await;
    for (id, path, get) in [
        ("r-1", "/webhooks/recording", false),
        ("r-2", "/webhooks/recording", true),
        ("r-3", "/webhooks/event", false),
        ("r-4", "/webhooks/event", true),
    ] {
        let mut bytes = mp3();
        bytes.extend(id.as_bytes());
        let notice = offered(&world, id, bytes.clone());
        let answered = if get {
            world.get(path, &query(&notice)).await
        } else {
            world.post(path, &notice).await
        };
        assert_eq!((answered.status, answered.body), (200, json!([])), "{id}");
        let recording = archived(&world, id).await;
        assert_whole(&world, &recording, &bytes).await;
        assert_eq!(recording.attempts, 1);
        let key = recording.key.unwrap();
        assert_eq!(key, format!("recordings/{LINE}/2026/03/01/{id}.mp3"));
        let object = world.board.archive().open(&key).await.unwrap();
        assert_eq!(object.content_type(), Some("audio/mpeg"));
        let metadata = object.metadata().unwrap();
        for (name, value) in [
            ("recording", id),
            ("call", "leg-1"),
            ("conversation", "CON-leg-1"),
            ("line", LINE),
            ("start", "2026-03-01T23:58:04Z"),
            ("end", "2026-03-01T23:58:09Z"),
        ] {
            assert_eq!(
                metadata.get(name).map(String::as_str),
                Some(value),
                "{name}"
            );
        }
        assert_eq!(recording.call.unwrap().as_str(), "leg-1");
        assert_eq!(recording.line.as_deref(), Some(LINE));
    }
    let store = world.board.store();
    let day = Listing::Archived("2026-03-01".parse().unwrap());
    assert_eq!(store.recordings_in(day).await.unwrap().len(), 4);
    assert!(
        store
            .recordings_in(Listing::Pending)
            .await
            .unwrap()
            .is_empty()
    );
    a_while().await;
}

#[tokio::test]
async fn the_first_bytes_say_what_a_recording_is_and_not_what_the_download_calls_it() {
    let world = World::open().await;
    world.call(LINE, "leg-1").await;
    for (id, bytes, content_type, ending) in [
        ("mpeg", &b"\xff\xf3\x40\xc0 and on"[..], "audio/mpeg", "mp3"),
        ("tagged", b"ID3\x04\0\0 and on", "audio/mpeg", "mp3"),
        ("wave", b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav", "wav"),
        ("ogg", b"OggS\0\x02 and on", "audio/ogg", "ogg"),
        ("odd", b"<html>hello", "application/octet-stream", "bin"),
        ("short", b"R", "application/octet-stream", "bin"),
    ] {
        let url = world.platform.recording(id, bytes, "text/html");
        let size = bytes.len();
        announce(&world, &notice(id, &url, size, "CON-leg-1")).await;
        let recording = archived(&world, id).await;
        assert_whole(&world, &recording, bytes).await;
        let key = recording.key.unwrap();
        assert!(key.ends_with(&format!("/{id}.{ending}")), "{key}");
        let object = world.board.archive().open(&key).await.unwrap();
        assert_eq!(object.content_type(), Some(content_type), "{id}");
    }
}

#[tokio::test]
async fn a_recording_of_a_conversation_we_do_not_know_is_kept_all_the_same() {
    let world = World::open().await;
    let mut unknown = offered(&world, "r-1", mp3());
    unknown["conversation_uuid"] = json!("CON-nobody-knows");
    let mut none = offered(&world, "r-2", mp3());
    none["conversation_uuid"] = Value::Null;
    for (id, notice) in [("r-1", unknown), ("r-2", none)] {
        announce(&world, &notice).await;
        let recording = archived(&world, id).await;
        assert_whole(&world, &recording, &mp3()).await;
        let key = recording.key.unwrap();
        assert!(key.starts_with("recordings/unknown-line/"), "{key}");
        assert_eq!((recording.call, recording.line), (None, None));
    }
}

#[tokio::test]
async fn where_a_recording_goes_is_decided_before_the_first_try_and_never_after() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 3);
    announce(&world, &notice).await;
    eventually(|| async { (downloads(&world) > 0).then_some(()) }).await;
    // Had the first try put it into the bucket and died, the next ones would look for it there.
    world.call(LINE, "leg-1").await;
    let key = archived(&world, "r-1").await.key.unwrap();
    assert!(key.starts_with("recordings/unknown-line/"), "{key}");
    assert_eq!(keys(&world).await, [key]);
}

#[tokio::test]
async fn a_recording_of_a_call_that_named_no_line_has_a_folder_with_a_name() {
    let world = World::open().await;
    let mut body = crate::world::incoming(LINE, "leg-1");
    body["to"] = Value::Null;
    assert_eq!(world.post("/webhooks/answer", &body).await.status, 200);
    let notice = offered(&world, "r-1", mp3());
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_eq!(recording.call.unwrap().as_str(), "leg-1");
    let key = recording.key.unwrap();
    assert!(key.starts_with("recordings/unknown-line/"), "{key}");
}

#[tokio::test]
async fn all_recordings_after_a_transfer_belong_to_the_call() {
    let world = World::open().await;
    world.call(LINE, "leg-1").await;
    let moved = json!({
        "conversation_uuid_from": "CON-leg-1",
        "type": "transfer",
        "uuid": "leg-1",
        "conversation_uuid_to": "CON-moved",
        "timestamp": "2026-03-01T23:57:00.000Z",
    });
    assert_eq!(world.post("/webhooks/event", &moved).await.status, 200);
    for id in ["r-1", "r-2"] {
        let mut notice = offered(&world, id, mp3());
        notice["conversation_uuid"] = json!("CON-moved");
        announce(&world, &notice).await;
        let recording = archived(&world, id).await;
        assert_eq!(recording.call.unwrap().as_str(), "leg-1");
        assert_eq!(recording.line.as_deref(), Some(LINE));
    }
}

#[tokio::test]
async fn a_recorded_talk_is_archived_with_its_call_though_nobody_knows_its_conversation() {
    let plan = PLAN.replace("connect-say =", "record = true\nconnect-say =");
    let world = World::with_plan(&plan).await;
    world.says("alice", "free").await;
    let ncco = world.call(LINE, "leg-1").await;
    // The plan's own words, and that it is recorded.
    assert_eq!(kinds(&ncco)[..4], ["talk", "talk", "record", "connect"]);
    let mut notice = offered(&world, "r-1", mp3());
    notice["conversation_uuid"] = json!("CON-nobody-knows");
    let url = action(&ncco, "record")["eventUrl"][0].as_str().unwrap();
    assert_eq!(world.post(url, &notice).await.status, 200);
    assert_eq!(item(&world, "r-1").await.call.unwrap().as_str(), "leg-1");
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
    assert_eq!(recording.call.unwrap().as_str(), "leg-1");
    assert_eq!(recording.line.as_deref(), Some(LINE));
}

// Several threads: without optimisation, one that hashes megabytes keeps the engines from answering.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_long_recording_goes_up_in_parts_and_comes_back_the_same() {
    const LENGTH: u64 = 40 * 1024 * 1024;
    let world = World::open().await;
    world.call(LINE, "leg-1").await;
    let content = Content::Seeded {
        seed: 7,
        length: LENGTH,
    };
    let sha256 = content.sha256();
    announce(&world, &offered(&world, "r-1", content)).await;
    // Bytes are hashed without optimisation here, several times on their way.
    let patience = PATIENCE * 6;
    let recording = tokio::time::timeout(patience, async {
        loop {
            let recording = item(&world, "r-1").await;
            if recording.state != State::Pending {
                return recording;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let recording = recording.await.unwrap();
    assert_eq!(recording.state, State::Archived, "{:?}", recording.reason);
    assert_eq!(recording.bytes, Some(LENGTH));
    assert_eq!(recording.sha256.as_ref(), Some(&sha256));
    let key = recording.key.unwrap();
    let mut object = world.board.archive().open(&key).await.unwrap();
    assert_eq!(object.metadata().unwrap()["call"], "leg-1");
    let e_tag = object.e_tag().unwrap().trim_matches('"').to_owned();
    assert!(e_tag.ends_with("-5"), "not five parts of 8 MiB: {e_tag}");
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut bytes = 0;
    while let Some(chunk) = object.body.try_next().await.unwrap() {
        hash.update(&chunk);
        bytes += chunk.len() as u64;
    }
    assert_eq!(bytes, LENGTH);
    assert_eq!(crate::unique::hex(hash.finish().as_ref()), sha256);
    assert_eq!(keys(&world).await, [key]);
}

#[tokio::test]
async fn a_notice_that_is_repeated_after_the_recording_is_archived_changes_nothing() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    announce(&world, &notice).await;
    let first = archived(&world, "r-1").await;
    for path in ["/webhooks/recording", "/webhooks/event"] {
        assert_eq!(world.post(path, &notice).await.status, 200);
    }
    a_while().await;
    assert_eq!(downloads(&world), 1);
    assert!(item(&world, "r-1").await == first);
}

#[tokio::test]
async fn a_notice_that_comes_three_times_is_downloaded_once() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    let slow = RecordingFault::Slow(Duration::from_millis(400));
    world.platform.spoil("file-r-1", slow, 10);
    for path in [
        "/webhooks/recording",
        "/webhooks/event",
        "/webhooks/recording",
    ] {
        assert_eq!(world.post(path, &notice).await.status, 200);
    }
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
    a_while().await;
    assert_eq!(downloads(&world), 1);
    assert_eq!(item(&world, "r-1").await.attempts, 1);
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_asked_for_again() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 2);
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
    assert_eq!((recording.attempts, downloads(&world)), (3, 3));
    a_while().await;
    assert!(dead_letters(&world).await.is_empty());
}

#[tokio::test]
async fn what_breaks_off_or_has_another_length_is_not_archived_and_the_next_whole_one_is() {
    let world = World::open().await;
    let bytes = mp3();
    let notice = offered(&world, "r-1", bytes.clone());
    let shorter = bytes.len() as u64 - 5;
    for fault in [
        RecordingFault::Cut(1_000),
        RecordingFault::Length(shorter),
        RecordingFault::Length(bytes.len() as u64 + 5),
    ] {
        world.platform.spoil("file-r-1", fault, 1);
    }
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &bytes).await;
    assert_eq!((recording.attempts, downloads(&world)), (4, 4));
    assert_eq!(keys(&world).await, [recording.key.unwrap()]);
}

// Several threads: without optimisation, one that hashes megabytes keeps the engines from answering.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_long_recording_that_breaks_off_within_its_second_part_leaves_no_object() {
    let world = World::open().await;
    let content = Content::Seeded {
        seed: 3,
        length: 12 * 1024 * 1024,
    };
    let notice = offered(&world, "r-1", content);
    let cut = RecordingFault::Cut(10 * 1024 * 1024);
    world.platform.spoil("file-r-1", cut, 1);
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 1_000);
    announce(&world, &notice).await;
    failed(&world, "r-1").await;
    assert_eq!(downloads(&world), TRIES);
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_size_that_was_announced_wrong_is_why_a_recording_failed() {
    let world = World::open().await;
    let mut notice = offered(&world, "r-1", mp3());
    notice["size"] = json!("12");
    announce(&world, &notice).await;
    let (_, reason) = failed(&world, "r-1").await;
    assert!(
        reason.contains("40004 bytes, announced were 12"),
        "{reason}"
    );
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn a_download_that_does_not_say_its_length_is_archived() {
    let world = World::open().await;
    let mut notice = offered(&world, "r-1", mp3());
    world.platform.spoil("file-r-1", RecordingFault::Chunked, 1);
    notice["size"] = Value::Null;
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
}

#[tokio::test]
async fn a_recording_that_never_comes_fails_with_the_reason_and_is_left_alone() {
    let world = World::open().await;
    let gone = offered(&world, "r-1", mp3());
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 1_000);
    announce(&world, &gone).await;
    let (recording, reason) = failed(&world, "r-1").await;
    assert!(reason.contains("Vonage knows nothing of it"), "{reason}");
    assert!(reason.contains("404"), "{reason}");
    assert_eq!(recording.attempts as usize, TRIES);
    a_while().await;
    assert_eq!(downloads(&world), TRIES, "it is not tried again");
    assert!(item(&world, "r-1").await == recording);
    let store = world.board.store();
    let listed = store.recordings_in(Listing::Failed).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn the_message_of_a_recording_that_was_given_up_lies_among_the_dead_letters() {
    let world = World::open().await;
    let gone = offered(&world, "r-1", mp3());
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 1_000);
    announce(&world, &gone).await;
    failed(&world, "r-1").await;
    eventually(|| async { (dead_letters(&world).await == ["r-1"]).then_some(()) }).await;
    assert_eq!(downloads(&world), TRIES);
}

#[tokio::test]
async fn a_recording_that_was_given_up_can_be_taken_up_again() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    let lost = RecordingFault::Status(404);
    world.platform.spoil("file-r-1", lost, TRIES);
    announce(&world, &notice).await;
    let (mut recording, _) = failed(&world, "r-1").await;
    eventually(|| async { (dead_letters(&world).await == ["r-1"]).then_some(()) }).await;
    // What `switchboard recordings retry` does.
    recording.state = State::Pending;
    recording.attempts = 0;
    recording.due = world.clock.now();
    let store = world.board.store();
    assert!(store.update_recording(&recording).await.unwrap());
    let queue = world.board.archive_queue();
    let job = ArchiveJob {
        recording: recording.notice.recording,
    };
    queue.take_from_dead(&job).await.unwrap();
    queue.send(&job, Duration::ZERO).await.unwrap();
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
    assert_eq!((recording.attempts, downloads(&world)), (1, TRIES + 1));
    a_while().await;
    assert!(dead_letters(&world).await.is_empty());
    assert!(
        store
            .recordings_in(Listing::Failed)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_recording_of_nothing_is_written_down_and_not_asked_for() {
    let world = World::open().await;
    let sent = world.board.engines().sqs_sent();
    for (id, url, size) in [
        ("r-1", json!(""), json!(0)),
        ("r-2", json!(""), json!("0")),
        ("r-3", Value::Null, Value::Null),
    ] {
        let mut notice = notice(id, "", 0, "CON-leg-1");
        notice["recording_url"] = url;
        notice["size"] = size;
        announce(&world, &notice).await;
        let recording = item(&world, id).await;
        assert_eq!(recording.state, State::Empty, "{id}");
        assert!(recording.reason.is_some());
        announce(&world, &notice).await;
    }
    let answered = world
        .get(
            "/webhooks/event",
            "recording_url=&size=0&recording_uuid=r-4&conversation_uuid=CON-leg-1",
        )
        .await;
    assert_eq!(answered.status, 200);
    assert_eq!(item(&world, "r-4").await.state, State::Empty);
    assert!(!sent.has_changed().unwrap(), "something is queued");
    assert!(world.platform.requests().is_empty());
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn no_stranger_is_asked_for_a_recording() {
    let stranger = Stranger::start();
    let world = World::open().await;
    let with_user = world.platform.url().replace("http://", "http://user@");
    for (id, url, why) in [
        (
            "plain",
            format!("{}/v1/files/x", stranger.url()),
            "not https",
        ),
        (
            "by-name",
            format!("{}/v1/files/x", stranger.url_by_name()),
            "not https",
        ),
        (
            "secure",
            stranger.url().replace("http:", "https:"),
            "neither nexmo.com nor vonage.com",
        ),
        (
            "below",
            "https://nexmo.com.evil.example/v1/files/x".to_owned(),
            "neither nexmo.com nor vonage.com",
        ),
        (
            "beside",
            "https://evilnexmo.com/v1/files/x".to_owned(),
            "neither nexmo.com nor vonage.com",
        ),
        (
            "user",
            "https://user@api.nexmo.com/v1/files/x".to_owned(),
            "names a user",
        ),
        (
            "as-user",
            "https://api.nexmo.com@evil.example/v1/files/x".to_owned(),
            "names a user",
        ),
        (
            "own-user",
            format!("{with_user}/v1/files/x"),
            "names a user",
        ),
        (
            "unsafe",
            "http://api.nexmo.com/v1/files/x".to_owned(),
            "not https",
        ),
        (
            "port",
            "https://api.nexmo.com:8443/v1/files/x".to_owned(),
            "names a port",
        ),
        (
            "backslash",
            "https://evil.example\\.nexmo.com/x".to_owned(),
            "no place in a URL",
        ),
        ("file", "file:///etc/passwd".to_owned(), "not https"),
        ("words", "not-an-address".to_owned(), "not a URL"),
    ] {
        announce(&world, &notice(id, &url, 19, "CON-leg-1")).await;
        let (recording, reason) = failed(&world, id).await;
        assert!(reason.contains(why), "{id}: {reason}");
        assert!(!reason.contains("evil"), "the address: {reason}");
        assert_eq!(recording.attempts, 1, "{id}");
    }
    a_while().await;
    assert!(stranger.requests().is_empty(), "{:?}", stranger.requests());
    assert!(world.platform.requests().is_empty());
    assert_eq!(keys(&world).await, [""; 0]);
}

#[tokio::test]
async fn no_redirect_leads_our_token_to_a_stranger() {
    let stranger = Stranger::start();
    let world = World::open().await;
    let size = STRANGERS_BYTES.len();
    for (id, location, why) in [
        (
            "plain",
            format!("{}/v1/files/x", stranger.url()),
            "not https",
        ),
        (
            "by-name",
            format!("{}/x", stranger.url_by_name()),
            "not https",
        ),
        (
            "secure",
            stranger.url().replace("http:", "https:"),
            "neither nexmo.com nor vonage.com",
        ),
        ("short", stranger.url().replace("http:", ""), "not https"),
        (
            "below",
            "https://nexmo.com.evil.example/x".to_owned(),
            "neither nexmo.com nor vonage.com",
        ),
        (
            "user",
            world.platform.url().replace("http://", "http://user@"),
            "names a user",
        ),
    ] {
        let url = world.platform.recording(id, STRANGERS_BYTES, "audio/mpeg");
        world
            .platform
            .spoil(id, RecordingFault::Redirect(location), 1_000);
        announce(&world, &notice(id, &url, size, "CON-leg-1")).await;
        let (recording, reason) = failed(&world, id).await;
        assert!(reason.contains(why), "{id}: {reason}");
        assert_eq!(recording.attempts, 1, "{id}");
    }
    a_while().await;
    let requests = world.platform.requests();
    let asked: Vec<_> = requests.iter().map(|one| one.path.as_str()).collect();
    let once = ["plain", "by-name", "secure", "short", "below", "user"];
    assert_eq!(asked, once.map(|id| format!("/v1/files/{id}")));
    assert!(!stranger.saw_authorization() && !stranger.saw_token());
    assert!(stranger.requests().is_empty(), "{:?}", stranger.requests());
}

#[tokio::test]
async fn a_redirect_within_vonage_is_followed() {
    let world = World::open().await;
    let there = world.platform.recording("there", mp3(), "audio/mpeg");
    let notice = offered(&world, "r-1", mp3());
    world
        .platform
        .spoil("file-r-1", RecordingFault::Redirect(there), 1);
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
    let requests = world.platform.requests();
    assert!(requests.iter().all(|request| request.sound));
}

#[tokio::test]
async fn a_token_that_vonage_does_not_take_is_tried_again_and_said_so() {
    let world = World::open().await;
    let reply = |times| Reply {
        status: 401,
        times,
        ..Reply::default()
    };
    let notice = offered(&world, "r-1", mp3());
    world.platform.fail("/v1/files/file-r-1", "GET", reply(2));
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_eq!((recording.attempts, downloads(&world)), (3, 3));

    let notice = offered(&world, "r-2", mp3());
    world
        .platform
        .fail("/v1/files/file-r-2", "GET", reply(1_000));
    announce(&world, &notice).await;
    let (recording, reason) = failed(&world, "r-2").await;
    assert!(reason.contains("does not accept our token"), "{reason}");
    assert!(reason.contains("401"), "{reason}");
    assert_eq!(recording.attempts as usize, TRIES);
}

#[tokio::test]
async fn an_outage_at_vonage_is_outlasted() {
    let world = World::open().await;
    let notice = offered(&world, "r-1", mp3());
    world.platform.drop_connection("/v1/files/", "GET", 2);
    let reply = Reply {
        status: 503,
        times: 4,
        ..Reply::default()
    };
    world.platform.fail("/v1/files/", "GET", reply);
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
}

#[tokio::test]
async fn a_recording_is_not_taken_for_another_whose_id_begins_the_same() {
    let world = World::open().await;
    announce(&world, &offered(&world, "r-1.b", &b"ID3 of another"[..])).await;
    archived(&world, "r-1.b").await;
    let mut notice = offered(&world, "r-1", mp3());
    notice["size"] = Value::Null;
    world
        .platform
        .spoil("file-r-1", RecordingFault::Status(404), 1);
    announce(&world, &notice).await;
    let recording = archived(&world, "r-1").await;
    assert_whole(&world, &recording, &mp3()).await;
}

#[tokio::test]
async fn a_notice_that_cannot_be_queued_is_kept_and_not_acknowledged() {
    // Nobody listens on port 9, which was for discarding.
    let queue = "http://127.0.0.1:9/000000000000/archive";
    let settings = vec![("SWITCHBOARD_ARCHIVE_QUEUE_URL".to_owned(), queue.to_owned())];
    let world = World::start(PLAN, None, settings, Platform::start()).await;
    let notice = offered(&world, "r-1", mp3());
    for path in ["/webhooks/recording", "/webhooks/event"] {
        let answered = world.post(path, &notice).await;
        assert_eq!(answered.status, 503, "{path}: {:?}", answered.body);
        assert_eq!(answered.body["error"]["code"], "later");
    }
    assert_eq!(item(&world, "r-1").await.state, State::Pending);
}

#[tokio::test]
async fn a_transcription_sent_beside_the_recordings_is_in_the_ledger() {
    let world = World::open().await;
    let body = json!({
        "conversation_uuid": "CON-leg-1",
        "recording_uuid": "r-1",
        "status": "transcribed",
        "type": "record",
        "transcription_url": "https://api.nexmo.com/v1/files/t",
        "timestamp": "2026-03-01T23:59:09.426Z",
    });
    announce(&world, &body).await;
    announce(&world, &body).await;
    let home = Home::Conversation("CON-leg-1".parse().unwrap());
    let events = world.board.store().events(&home).await.unwrap();
    let words: Vec<_> = events.iter().map(|event| event.word.as_str()).collect();
    assert_eq!(words, ["transcribed"]);
    assert!(world.platform.requests().is_empty());
}
