//! What callers choose, agree to and leave: menus, consent and messages, through the board.

use crate::platform::RecordingFault;
use crate::world::{Answered, World, action, eventually, kinds, now, rings};
use serde_json::{Value, json};
use switchboard_shared::call::Call;
use switchboard_shared::recording::State;
use switchboard_shared::store::Home;
use switchboard_shared::transcript::Transcript;

const MAIN: &str = "447700900000";
const ASKED: &str = "447700900002";
const BOX: &str = "447700900003";

const PLAN: &str = r#"
[defaults]
language = "en-GB"

[[line]]
number = "447700900000"
name = "Main"
flow = "main"
consent = "none"

[[line]]
number = "447700900002"
name = "Asked"
flow = "recorded"
consent = "ask"

[[line]]
number = "447700900003"
name = "Box"
flow = "box"

[[agent]]
name = "alice"
phone = "447700900011"

[flow.main]
type = "menu"
say = "Choose."
keys = { 1 = "support", 2 = "box", 3 = "direct", "*" = "main" }
speech = { support = ["help"] }
no-input = "Nothing heard."
wrong-input = "No such choice."
tries = 2
otherwise = "closed"

[flow.support]
type = "queue"
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
max-wait = "1m"
otherwise = "main"

[flow.direct]
type = "ring"
agents = ["alice"]
otherwise = "main"

[flow.recorded]
type = "queue"
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
record = true
max-wait = "1m"
otherwise = "box"

[flow.box]
type = "voicemail"
say = "Speak."
thanks = "Thanks."
transcription = true

[flow.closed]
type = "message"
say = "Closed."
"#;

/// What an `input` took, as Vonage tells it.
fn took(fields: &Value) -> Value {
    let mut body = json!({
        "uuid": "leg-1",
        "conversation_uuid": "CON-leg-1",
        "from": "447700900123",
        "to": MAIN,
        "timestamp": now(),
    });
    let fields = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

fn key(key: &str) -> Value {
    took(&json!({
        "dtmf": { "digits": key, "timed_out": false },
        "speech": { "error": "Speech overridden by DTMF" },
    }))
}

/// Tells what the `input` of a script took.
async fn tell(world: &World, ncco: &Value, body: &Value) -> Answered {
    let url = action(ncco, "input")["eventUrl"][0].as_str().unwrap();
    world.post(url, body).await
}

/// A key is pressed: the script that follows.
async fn press(world: &World, ncco: &Value, digit: &str) -> Value {
    let answered = tell(world, ncco, &key(digit)).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
    answered.body
}

/// What is said in a script.
fn said(ncco: &Value) -> Vec<&str> {
    let actions = ncco
        .as_array()
        .unwrap_or_else(|| panic!("no script: {ncco}"));
    actions
        .iter()
        .filter_map(|action| action["text"].as_str())
        .collect()
}

async fn call(world: &World) -> Call {
    let call = world.board.store().call(&"leg-1".parse().unwrap()).await;
    call.unwrap().expect("it is written")
}

/// The notice of a recording, so many seconds long.
fn notice(world: &World, id: &str, seconds: u8) -> Value {
    let audio = [&[0xff, 0xfb, 0x90, 0x00][..], &[7; 2_000]].concat();
    let size = audio.len();
    let url = world
        .platform
        .recording(&format!("file-{id}"), audio, "audio/mpeg");
    json!({
        "start_time": "2026-03-01T23:58:00Z",
        "end_time": format!("2026-03-01T23:58:{seconds:02}Z"),
        "recording_url": url,
        "size": size,
        "recording_uuid": id,
        "conversation_uuid": "CON-leg-1",
        "timestamp": "2026-03-01T23:58:59.426Z",
    })
}

/// Tells that what a script's `record` took is ready.
async fn recorded(world: &World, ncco: &Value, notice: &Value) {
    let url = action(ncco, "record")["eventUrl"][0].as_str().unwrap();
    let answered = world.post(url, notice).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
}

fn transcribed(id: &str, url: &str) -> Value {
    json!({
        "conversation_uuid": "CON-leg-1",
        "recording_uuid": id,
        "status": "transcribed",
        "type": "record",
        "transcription_url": url,
        "timestamp": "2026-03-01T23:59:09.426Z",
    })
}

/// The transcript, once nothing more is to be done about it.
async fn settled(world: &World, id: &str) -> Transcript {
    eventually(|| async {
        let found = world.board.store().transcript(&id.parse().unwrap()).await;
        found.unwrap().filter(|one| one.state != State::Pending)
    })
    .await
}

async fn archived(world: &World, id: &str) -> String {
    eventually(|| async {
        let found = world.board.store().recording(&id.parse().unwrap()).await;
        found.unwrap().and_then(|one| one.key)
    })
    .await
}

#[tokio::test]
async fn a_choice_told_again_gets_the_same_answer_and_changes_nothing_more() {
    let world = World::standing(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    let choice = key("1");
    let first = tell(&world, &menu, &choice).await;
    assert_eq!(said(&first.body)[0], "Please hold.");
    world.later(3);
    assert_eq!(tell(&world, &menu, &choice).await, first);
    assert_eq!(world.waiting("support").await, ["leg-1"]);
    let events = world
        .board
        .store()
        .events(&Home::Leg("leg-1".parse().unwrap()))
        .await;
    assert_eq!(events.unwrap().len(), 1);
}

#[tokio::test]
async fn a_choice_told_again_after_an_agent_was_promised_rings_that_agent() {
    let world = World::with_plan(PLAN).await;
    world.says("alice", "free").await;
    let menu = world.call(MAIN, "leg-1").await;
    let choice = key("1");
    let first = tell(&world, &menu, &choice).await;
    assert_eq!(rings(&first.body), "447700900011");
    let again = tell(&world, &menu, &choice).await;
    let url = |ncco: &Value| action(ncco, "connect")["eventUrl"][0].clone();
    assert_eq!(url(&again.body), url(&first.body));
}

#[tokio::test]
async fn a_choice_whose_reply_is_lost_is_asked_for_again() {
    let world = World::with_plan(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    assert_eq!(kinds(&menu), ["talk", "input", "notify", "talk"]);
    let again = world.notify(&menu).await.body;
    assert_eq!(said(&again)[0], "Choose.");
    // It counts, so that nobody hears it for ever.
    let last = world.notify(&again).await.body;
    assert_eq!(said(&last), ["Closed."]);
    // And where no webhook of ours works, the fallback comes back to it.
    let original = action(&menu, "input")["eventUrl"][0].clone();
    let failed = json!({
        "uuid": "leg-1", "conversation_uuid": "CON-leg-1", "reason": "Socket timeout.",
        "original_request": { "url": original, "type": "event" },
    });
    let fallback = world.post("/webhooks/fallback", &failed).await.body;
    let again = world.notify(&fallback).await.body;
    assert_eq!(said(&again)[0], "Choose.");
}

#[tokio::test]
async fn a_choice_after_the_hang_up_is_noted_and_moves_nobody() {
    let world = World::with_plan(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    world.hang_up("leg-1").await;
    let answered = tell(&world, &menu, &key("1")).await;
    assert_eq!((answered.status, answered.body), (200, json!([])));
    assert!(world.waiting("support").await.is_empty());
}

#[tokio::test]
async fn a_choice_of_a_call_that_is_not_written_yet_is_asked_for_again() {
    let world = World::with_plan(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    let url = action(&menu, "input")["eventUrl"][0].as_str().unwrap();
    let unknown = url.replace("leg-1", "leg-9");
    let answered = world.post(&unknown, &key("1")).await;
    assert_eq!(kinds(&answered.body), ["talk", "wait", "notify", "talk"]);
    let payload = &action(&answered.body, "notify")["payload"];
    assert_eq!(
        (&payload["menu"], &payload["again"]),
        (&json!("1"), &json!("1"))
    );
}

#[tokio::test]
async fn whatever_an_input_holds_the_caller_hears_something() {
    let world = World::with_plan(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    let long = "9".repeat(100_000);
    let many: Vec<Value> = (0..2_000)
        .map(|n| json!({ "text": format!("word {n}"), "confidence": n }))
        .collect();
    for (fields, hears) in [
        (
            json!({ "dtmf": null, "speech": { "error": "x" } }),
            "Nothing heard.",
        ),
        (
            json!({ "dtmf": { "digits": null, "timed_out": true } }),
            "Nothing heard.",
        ),
        (
            json!({ "dtmf": { "digits": "", "timed_out": "true" } }),
            "Nothing heard.",
        ),
        (json!({ "dtmf": [], "speech": [] }), "Nothing heard."),
        (
            json!({ "dtmf": { "digits": {} }, "speech": { "results": {} } }),
            "Nothing heard.",
        ),
        (
            json!({ "speech": { "timeout_reason": "start_timeout", "results": [] } }),
            "Nothing heard.",
        ),
        (
            json!({ "speech": { "results": [null, 3, {}, { "text": null }] } }),
            "Nothing heard.",
        ),
        (json!({ "dtmf": { "digits": "77" } }), "No such choice."),
        (json!({ "dtmf": { "digits": long } }), "No such choice."),
        (json!({ "dtmf": { "digits": "1\u{0}" } }), "No such choice."),
        (json!({ "dtmf": { "digits": "١" } }), "No such choice."),
        (
            json!({ "dtmf": { "digits": "call=x&flow=closed" } }),
            "No such choice.",
        ),
        (json!({ "speech": { "results": many } }), "No such choice."),
        (
            json!({ "speech": { "results": [{ "text": "\u{202e}<speak>&" }] } }),
            "No such choice.",
        ),
        (json!({ "dtmf": "9" }), "No such choice."),
        (json!({ "dtmf": { "digits": 1 } }), "Please hold."),
        (json!({ "dtmf": "1" }), "Please hold."),
        (
            json!({ "speech": { "results": [{ "text": "well", "confidence": "x" }, { "text": "HELP me!" }] } }),
            "Please hold.",
        ),
    ] {
        let told = fields.to_string();
        let told = &told[..told.len().min(80)];
        let answered = tell(&world, &menu, &took(&fields)).await;
        assert_eq!(answered.status, 200, "{told}");
        assert_eq!(said(&answered.body)[0], hears, "{told}");
    }
    // Cues that no script of ours has.
    let url = action(&menu, "input")["eventUrl"][0].as_str().unwrap();
    for (from, to) in [
        ("flow=main", "flow=closed"),
        ("flow=main", "flow=nowhere"),
        ("menu=1", "menu=255"),
        ("menu=1", "menu=0"),
        ("menus=1", "menus=255"),
        ("menu=1", "consent=1"),
        ("menu=1", "hold=0"),
        ("menu=1", "message=1"),
        ("menu=1", "menu=999"),
        ("call=leg-1", "call="),
    ] {
        let odd = url.replace(from, to);
        assert_ne!(odd, url);
        let answered = world.post(&odd, &key("9")).await;
        assert_eq!(answered.status, 200, "{odd}");
    }
}

#[tokio::test]
async fn who_has_waited_in_a_queue_and_chooses_it_again_goes_on_at_once() {
    let world = World::standing(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    let hold = press(&world, &menu, "1").await;
    world.later(61);
    let menu = world.notify(&hold).await.body;
    assert_eq!(said(&menu)[0], "Choose.");
    assert!(world.waiting("support").await.is_empty());
    let menu = press(&world, &menu, "1").await;
    assert_eq!(said(&menu)[0], "Choose.");
    assert!(world.waiting("support").await.is_empty());
}

#[tokio::test]
async fn menus_are_counted_through_whatever_lies_between_them() {
    let world = World::standing(PLAN).await;
    let menus = |ncco: &Value| action(ncco, "notify")["payload"]["menus"].clone();
    let menu = world.call(MAIN, "leg-1").await;
    assert_eq!(menus(&menu), "1");
    let menu = press(&world, &menu, "*").await;
    assert_eq!(menus(&menu), "2");
    // A phone that nobody answers leads back.
    let ring = press(&world, &menu, "3").await;
    assert_eq!(menus(&ring), "2");
    let menu = world.connected_leg(&ring, "timeout", json!({})).await.body;
    assert_eq!(menus(&menu), "3");
    // So does a queue, whose transfers go by what is written.
    let hold = press(&world, &menu, "1").await;
    assert_eq!(menus(&hold), "3");
    assert_eq!(call(&world).await.menus, 3);
    world.later(61);
    let menu = world.notify(&hold).await.body;
    assert_eq!(menus(&menu), "4");
}

#[tokio::test]
async fn who_agrees_is_recorded_and_it_is_written_down() {
    let world = World::with_plan(PLAN).await;
    world.says("alice", "free").await;
    let asked = world.call(ASKED, "leg-1").await;
    assert_eq!(kinds(&asked), ["talk", "input", "notify", "talk"]);
    assert_eq!(call(&world).await.consent, None);
    let connects = press(&world, &asked, "1").await;
    assert_eq!(kinds(&connects)[..2], ["record", "connect"]);
    assert_eq!(call(&world).await.consent, Some(true));
}

#[tokio::test]
async fn who_does_not_agree_is_served_without_and_can_leave_no_message() {
    let world = World::standing(PLAN).await;
    let asked = world.call(ASKED, "leg-1").await;
    let hold = press(&world, &asked, "2").await;
    assert_eq!(said(&hold)[0], "Please hold.");
    assert_eq!(call(&world).await.consent, Some(false));
    world.later(61);
    let refused = world.notify(&hold).await.body;
    assert_eq!(
        said(&refused),
        ["Without your consent no message can be recorded. Goodbye."]
    );
    assert_eq!(call(&world).await.mailbox, None);
}

#[tokio::test]
async fn an_answer_about_consent_outlives_its_lost_reply_and_silence_is_a_no() {
    for (pressed, consent) in [(Some("1"), true), (None, false)] {
        let world = World::with_plan(PLAN).await;
        let asked = world.call(ASKED, "leg-1").await;
        if let Some(digit) = pressed {
            press(&world, &asked, digit).await;
        }
        let hold = world.notify(&asked).await.body;
        assert_eq!(said(&hold)[0], "Please hold.", "{pressed:?}");
        assert_eq!(call(&world).await.consent, Some(consent));
    }
}

#[tokio::test]
async fn a_message_is_on_the_call_once_it_is_long_enough() {
    let world = World::with_plan(PLAN).await;
    let ncco = world.call(BOX, "leg-1").await;
    assert_eq!(kinds(&ncco), ["talk", "talk", "record", "talk"]);
    assert_eq!(said(&ncco), ["This call is recorded.", "Speak.", "Thanks."]);
    // With the write that begins the call.
    assert_eq!(call(&world).await.mailbox.unwrap().as_str(), "box");
    recorded(&world, &ncco, &notice(&world, "r-short", 2)).await;
    assert_eq!(call(&world).await.voicemail, None);
    archived(&world, "r-short").await;
    let long = notice(&world, "r-long", 3);
    for _ in 0..2 {
        recorded(&world, &ncco, &long).await;
    }
    assert_eq!(call(&world).await.voicemail.unwrap().as_str(), "r-long");
    let key = archived(&world, "r-long").await;
    assert!(key.starts_with(&format!("recordings/{BOX}/")), "{key}");
}

#[tokio::test]
async fn an_empty_recording_is_no_message() {
    let world = World::with_plan(PLAN).await;
    let ncco = world.call(BOX, "leg-1").await;
    let empty = json!({
        "recording_url": "", "size": 0, "recording_uuid": "r-1", "conversation_uuid": "CON-leg-1",
        "timestamp": "2026-03-01T23:58:59.426Z",
    });
    recorded(&world, &ncco, &empty).await;
    assert_eq!(call(&world).await.voicemail, None);
}

#[tokio::test]
async fn who_comes_to_a_voicemail_later_has_it_written_down_then() {
    let world = World::with_plan(PLAN).await;
    let menu = world.call(MAIN, "leg-1").await;
    assert_eq!(call(&world).await.mailbox, None);
    let ncco = press(&world, &menu, "2").await;
    assert_eq!(kinds(&ncco), ["talk", "record", "talk"]);
    assert_eq!(call(&world).await.mailbox.unwrap().as_str(), "box");
    // A talk that is recorded is no message, however long.
    let url = action(&ncco, "record")["eventUrl"][0].as_str().unwrap();
    let talk = url.replace("message=1", "ring=0");
    assert_eq!(
        world.post(&talk, &notice(&world, "r-1", 30)).await.status,
        200
    );
    assert_eq!(call(&world).await.voicemail, None);
}

#[tokio::test]
async fn a_transcript_lies_beside_its_audio_and_its_text_in_the_ledger() {
    let world = World::with_plan(PLAN).await;
    let ncco = world.call(BOX, "leg-1").await;
    let record = action(&ncco, "record");
    assert_eq!(record["transcription"]["language"], "en-GB");
    let file = json!({ "channels": [{ "transcript": [{ "sentence": "Call me." }] }] }).to_string();
    let url = world
        .platform
        .recording("transcript", file.clone().into_bytes(), "application/json");
    let told = transcribed("r-1", &url);
    let to = record["transcription"]["eventUrl"][0].as_str().unwrap();
    // It may come first, and twice.
    for _ in 0..2 {
        assert_eq!(world.post(to, &told).await.status, 200);
    }
    recorded(&world, &ncco, &notice(&world, "r-1", 9)).await;
    let audio = archived(&world, "r-1").await;
    let transcript = settled(&world, "r-1").await;
    assert_eq!(transcript.state, State::Archived, "{:?}", transcript.reason);
    assert_eq!(transcript.text.as_deref(), Some("Call me."));
    assert_eq!(transcript.call.unwrap().as_str(), "leg-1");
    let key = transcript.key.unwrap();
    assert_eq!(key, audio.replace(".mp3", ".json"));
    let object = world.board.archive().open(&key).await.unwrap();
    assert_eq!(object.content_type(), Some("application/json"));
    let bytes = object.body.collect().await.unwrap().into_bytes();
    assert_eq!(bytes, file.as_bytes());
    // The event is in the ledger of the call, once.
    let events = world
        .board
        .store()
        .events(&Home::Leg("leg-1".parse().unwrap()))
        .await;
    let words: Vec<String> = events
        .unwrap()
        .into_iter()
        .map(|event| event.word)
        .collect();
    assert_eq!(words, ["transcribed"]);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_transcript_the_audio_is_kept_and_no_token_leaves() {
    let world = World::with_plan(PLAN).await;
    let ncco = world.call(BOX, "leg-1").await;
    let to = action(&ncco, "record")["transcription"]["eventUrl"][0]
        .as_str()
        .unwrap();
    let gone = world
        .platform
        .recording("gone", b"x".to_vec(), "text/plain");
    world
        .platform
        .spoil("gone", RecordingFault::Status(404), 99);
    let plain = world
        .platform
        .recording("plain", b"Call me.".to_vec(), "text/plain");
    for (id, url, state) in [
        (
            "r-1",
            "https://evil.example/v1/files/x".to_owned(),
            State::Failed,
        ),
        ("r-2", gone, State::Failed),
        ("r-3", String::new(), State::Empty),
        ("r-4", "not an address".to_owned(), State::Failed),
        ("r-5", plain, State::Archived),
    ] {
        recorded(&world, &ncco, &notice(&world, id, 9)).await;
        assert_eq!(
            world.post(to, &transcribed(id, &url)).await.status,
            200,
            "{id}"
        );
        archived(&world, id).await;
        let transcript = settled(&world, id).await;
        assert_eq!(transcript.state, state, "{id}: {:?}", transcript.reason);
        let reason = transcript.reason.unwrap_or_default();
        assert_eq!(
            reason.is_empty(),
            state == State::Archived,
            "{id}: {reason}"
        );
        assert!(
            !reason.contains("evil") && !reason.contains("127.0.0.1"),
            "{reason}"
        );
        // What does not read as JSON is kept as it is.
        let ending = transcript
            .key
            .map(|key| key.rsplit('.').next().unwrap().to_owned());
        assert_eq!(
            ending.as_deref(),
            (state == State::Archived).then_some("txt"),
            "{id}"
        );
    }
}
