//! Requests as Vonage really made them, signed and sent to the board: each is answered, and what it
//! said is found again unharmed.
//!
//! A folder of captured requests is named by `SWITCHBOARD_CAPTURED`. Without one, the requests below
//! stand in for them: our own, in the same forms.

use crate::captured::{self, Captured};
use crate::query;
use crate::world::{Answered, World};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use switchboard_shared::recording::Recording;
use switchboard_shared::store::Home;

/// Name and text of requests in the forms that Vonage's webhook reference shows, with ids and numbers
/// that are nobody's.
const OWN: [(&str, &str); 11] = [
    (
        "answer-get",
        "GET /webhooks/answer?to=447700900002&from=447700900123&conversation_uuid=CON-11111111-2222-4333-8444-555555555555&uuid=aaaabbbbccccddddeeeeffff00001111 HTTP/1.1\r\nHost: board.example\r\n\r\n",
    ),
    (
        "answer-post",
        "POST /webhooks/answer HTTP/1.1\r\nHost: board.example\r\nContent-Type: application/json\r\n\r\n{\"from\":\"447700900123\",\"to\":\"447700900004\",\"uuid\":\"aaaabbbbccccddddeeeeffff00002222\",\"conversation_uuid\":\"CON-11111111-2222-4333-8444-666666666666\"}",
    ),
    (
        "event-started",
        "POST /webhooks/event HTTP/1.1\nHost: board.example\nContent-Type: application/json\n\n{ \"headers\": {},\n  \"from\": \"447700900123\", \"to\": \"447700900002\", \"uuid\": \"aaaabbbbccccddddeeeeffff00001111\", \"conversation_uuid\": \"CON-11111111-2222-4333-8444-555555555555\", \"status\": \"started\", \"direction\": \"inbound\", \"timestamp\": \"2026-03-01T12:00:00.123Z\" }\n",
    ),
    (
        "event-answered-nulls",
        "POST /webhooks/event HTTP/1.1\r\nHost: board.example\r\n\r\n{\"start_time\":null,\"headers\":{\"X\":\"y\"},\"rate\":null,\"from\":\"447700900123\",\"to\":\"447700900002\",\"uuid\":\"aaaabbbbccccddddeeeeffff00001111\",\"conversation_uuid\":\"CON-11111111-2222-4333-8444-555555555555\",\"status\":\"answered\",\"direction\":\"inbound\",\"network\":null,\"timestamp\":\"2026-03-01T12:00:01.000Z\"}",
    ),
    (
        "event-completed",
        "POST /webhooks/event HTTP/1.1\r\nHost: board.example\r\n\r\n{\"headers\":{},\"end_time\":\"2026-03-01T12:00:09.000Z\",\"uuid\":\"aaaabbbbccccddddeeeeffff00001111\",\"network\":\"GB-VIRTUAL\",\"duration\":\"8\",\"start_time\":\"2026-03-01T12:00:01.000Z\",\"rate\":\"0.00450000\",\"price\":\"0.00060000\",\"from\":\"447700900123\",\"to\":\"447700900002\",\"conversation_uuid\":\"CON-11111111-2222-4333-8444-555555555555\",\"status\":\"completed\",\"direction\":\"inbound\",\"timestamp\":\"2026-03-01T12:00:08.712Z\",\"disconnected_by\":\"user\",\"sip_code\":200}",
    ),
    (
        "machine-post",
        "POST /webhooks/event HTTP/1.1\r\nHost: board.example\r\n\r\n{\"call_uuid\":\"aaaabbbb-cccc-4ddd-8eee-ffff00003333\",\"from\":\"447700900002\",\"to\":\"447700900123\",\"status\":\"machine\",\"sub_state\":\"beep_start\",\"conversation_uuid\":\"CON-11111111-2222-4333-8444-555555555555\",\"timestamp\":\"2026-03-01T12:00:03.000Z\"}",
    ),
    (
        "dtmf-get",
        "GET /webhooks/dtmf?speech=%7B%22error%22:%22Speech%20was%20not%20enabled%22%7D&dtmf=%7B%22digits%22:%22%23%22,%22timed_out%22:false%7D&from=447700900123&to=447700900002&uuid=aaaabbbbccccddddeeeeffff00001111&conversation_uuid=CON-11111111-2222-4333-8444-555555555555&timestamp=2026-03-01T12:00:04.984Z HTTP/1.1\r\nHost: board.example\r\n\r\n",
    ),
    (
        "notify-get",
        "GET /webhooks/notification?payload=%7B%22n%22:1,%22text%22:%22a%20%26%20b%22%7D&conversation_uuid=CON-11111111-2222-4333-8444-555555555555&timestamp=2026-03-01T12:00:05.043Z HTTP/1.1\r\nHost: board.example\r\n\r\n",
    ),
    (
        "transfer-post",
        "POST /webhooks/event HTTP/1.1\r\nHost: board.example\r\n\r\n{\"conversation_uuid_from\":\"CON-11111111-2222-4333-8444-555555555555\",\"type\":\"transfer\",\"uuid\":\"aaaabbbbccccddddeeeeffff00001111\",\"conversation_uuid_to\":\"CON-11111111-2222-4333-8444-777777777777\",\"timestamp\":\"2026-03-01T12:00:06.850Z\"}",
    ),
    (
        "error-get",
        "GET /webhooks/answer?conversation_uuid=CON-11111111-2222-4333-8444-555555555555&reason=Syntax%20error%20in%20NCCO.%20Invalid%20value%20type&timestamp=2026-03-01T12:00:07.000Z HTTP/1.1\r\nHost: board.example\r\n\r\n",
    ),
    (
        "recording-get",
        "GET /webhooks/event?start_time=2026-03-01T12:00:02Z&recording_url=https://recordings.invalid/v1/files/99999999-aaaa-4bbb-8ccc-dddddddddddd&size=18990&recording_uuid=99999999-aaaa-4bbb-8ccc-eeeeeeeeeeee&end_time=2026-03-01T12:00:07Z&conversation_uuid=CON-11111111-2222-4333-8444-555555555555&timestamp=2026-03-01T12:00:09.426Z HTTP/1.1\r\nHost: board.example\r\n\r\n",
    ),
];

fn own() -> Vec<Captured> {
    let parse = |(name, text): &(&str, &str)| captured::parse(name, text.as_bytes()).unwrap();
    OWN.iter().map(parse).collect()
}

/// Ours, and those of the folder where one is named.
fn sets() -> Vec<Vec<Captured>> {
    let folder = captured::folder();
    if folder.is_none() {
        eprintln!(
            "{} names no folder: only our own requests are sent",
            captured::FOLDER_VARIABLE
        );
    }
    let given = folder.map(|folder| captured::load(&folder));
    std::iter::once(own()).chain(given).collect()
}

/// What a captured request is about.
trait About {
    fn is_answer(&self) -> bool;
    fn is_error(&self) -> bool;
    fn is_recording(&self) -> bool;
    fn routes(&self) -> &[&str];
    fn fields(&self) -> Map<String, Value>;
    fn text(&self, name: &str) -> Option<String>;
    fn home(&self) -> Home;
}

impl About for Captured {
    fn is_answer(&self) -> bool {
        self.path == "/webhooks/answer" && !self.is_error()
    }

    /// Vonage could not do what an NCCO said. It was seen to say so at the answer URL.
    fn is_error(&self) -> bool {
        self.name.starts_with("error")
    }

    fn is_recording(&self) -> bool {
        self.name.starts_with("recording")
    }

    /// Where our board expects it: its scripts name no other URLs.
    fn routes(&self) -> &[&str] {
        if self.is_answer() {
            &["/webhooks/answer"]
        } else if self.is_recording() {
            &["/webhooks/event", "/webhooks/recording"]
        } else {
            &["/webhooks/event"]
        }
    }

    /// What it said.
    fn fields(&self) -> Map<String, Value> {
        if self.method == "GET" {
            let pairs = query::pairs(&self.query).into_iter();
            return pairs.map(|(name, text)| (name, json!(text))).collect();
        }
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.fields().get(name)?.as_str().map(str::to_owned)
    }

    /// Where its event is kept.
    fn home(&self) -> Home {
        let leg = self.text("uuid").or_else(|| self.text("call_uuid"));
        match leg {
            Some(leg) => Home::Leg(leg.parse().unwrap()),
            None => Home::Conversation(self.text("conversation_uuid").unwrap().parse().unwrap()),
        }
    }
}

/// Signs it as the platform would, and sends it byte for byte.
async fn send(world: &World, captured: &Captured, path: &str) -> Answered {
    let request = if captured.method == "GET" {
        let token = world.signer.get(&captured.query);
        world
            .request(Method::GET, &format!("{path}?{}", captured.query))
            .bearer_auth(token)
    } else {
        let token = world.signer.post(&captured.body);
        world
            .request(Method::POST, path)
            .bearer_auth(token)
            .body(captured.body.clone())
    };
    let request = captured
        .headers
        .iter()
        .filter(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name != "host" && name != "content-length"
        })
        .fold(request, |request, (name, value)| {
            request.header(name, value)
        });
    world.send(request).await
}

/// Whether a value kept is the one sent: itself, or the object that a query carries as text.
fn same(kept: Option<&Value>, sent: &Value) -> bool {
    let Some(kept) = kept else { return false };
    let nested = || serde_json::from_str::<Value>(sent.as_str()?).ok();
    kept == sent || (kept.is_object() && nested().as_ref() == Some(kept))
}

/// An event is kept whose fields are all those that were sent, and no others.
async fn assert_in_the_ledger(world: &World, captured: &Captured) {
    let sent = captured.fields();
    let events = world.board.store().events(&captured.home()).await.unwrap();
    let bodies: Vec<Map<String, Value>> = events
        .iter()
        .map(|event| serde_json::from_str(&event.body).unwrap())
        .collect();
    let unharmed = bodies.iter().any(|kept| {
        kept.len() == sent.len() && sent.iter().all(|(name, value)| same(kept.get(name), value))
    });
    assert!(
        unharmed,
        "{}: {sent:?} is not among {bodies:?}",
        captured.name
    );
}

/// The fields, by the names an item keeps them under, are what was sent.
fn assert_kept(captured: &Captured, item: &Value, names: &[(&str, &str)]) {
    for (sent, kept) in names {
        let text = captured.text(sent).unwrap();
        let kept = match &item[kept] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert_eq!(kept, text, "{}: {sent}", captured.name);
    }
}

async fn assert_is_a_call(world: &World, captured: &Captured) {
    let leg = captured.text("uuid").unwrap().parse().unwrap();
    let call = world.board.store().call(&leg).await.unwrap().unwrap();
    let item = serde_json::to_value(&call).unwrap();
    let names = [
        ("to", "line"),
        ("from", "from"),
        ("uuid", "leg"),
        ("conversation_uuid", "conversation"),
    ];
    assert_kept(captured, &item, &names);
}

async fn recording(world: &World, captured: &Captured) -> Recording {
    let id = captured.text("recording_uuid").unwrap().parse().unwrap();
    world.board.store().recording(&id).await.unwrap().unwrap()
}

async fn assert_is_a_recording(world: &World, captured: &Captured) {
    let recording = recording(world, captured).await;
    let item = serde_json::to_value(&recording).unwrap();
    let names = [
        ("recording_uuid", "recording"),
        ("recording_url", "url"),
        ("size", "size"),
        ("start_time", "start"),
        ("end_time", "end"),
        ("conversation_uuid", "conversation"),
    ];
    assert_kept(captured, &item, &names);
}

#[tokio::test]
async fn every_captured_request_is_answered_and_found_again_unharmed() {
    for set in sets() {
        let world = World::open().await;
        for captured in &set {
            for path in captured.routes() {
                let answered = send(&world, captured, path).await;
                let name = &captured.name;
                assert_eq!(answered.status, 200, "{name}: {:?}", answered.body);
                assert!(answered.body.is_array(), "{name}: {:?}", answered.body);
            }
            if captured.is_answer() {
                assert_is_a_call(&world, captured).await;
            } else if captured.is_recording() {
                assert_is_a_recording(&world, captured).await;
            } else {
                assert_in_the_ledger(&world, captured).await;
            }
        }
    }
}

#[tokio::test]
async fn captured_requests_backwards_and_twice_leave_the_same_ledger() {
    for set in sets() {
        let there: Vec<_> = set.iter().collect();
        let back: Vec<_> = set.iter().rev().flat_map(|one| [one, one]).collect();
        let mut ledgers = Vec::new();
        for order in [there, back] {
            let world = World::open().await;
            for captured in order {
                for path in captured.routes() {
                    assert_eq!(send(&world, captured, path).await.status, 200);
                }
            }
            let mut ledger = BTreeSet::new();
            for captured in &set {
                let home = captured.home();
                for event in world.board.store().events(&home).await.unwrap() {
                    ledger.insert(format!(
                        "{home:?} {} {:?} {}",
                        event.word, event.at, event.body
                    ));
                }
            }
            ledgers.push(ledger);
        }
        assert!(!ledgers[0].is_empty());
        assert_eq!(ledgers[0], ledgers[1]);
    }
}

/// A 400 would lose the one sentence that says why a caller heard nothing, and send Vonage to the
/// fallback as if the answer had failed. So at whichever URL it comes, it is kept and acknowledged.
#[tokio::test]
async fn an_error_that_vonage_reports_at_the_answer_url_is_kept() {
    for set in sets() {
        let world = World::open().await;
        for captured in set.iter().filter(|captured| captured.is_error()) {
            let answered = send(&world, captured, &captured.path).await;
            let name = &captured.name;
            assert_eq!(answered.status, 200, "{name}: {:?}", answered.body);
            assert!(answered.body.is_array(), "{name}: {:?}", answered.body);
            assert_in_the_ledger(&world, captured).await;
        }
    }
}

#[tokio::test]
async fn every_field_of_a_captured_recording_notice_is_kept() {
    for set in sets() {
        for captured in set.iter().filter(|captured| captured.is_recording()) {
            for path in captured.routes() {
                let world = World::open().await;
                assert_eq!(send(&world, captured, path).await.status, 200);
                let item = serde_json::to_string(&recording(&world, captured).await).unwrap();
                let events = world.board.store().events(&captured.home()).await.unwrap();
                let kept = events.iter().fold(item, |kept, event| kept + &event.body);
                for (name, value) in captured.fields() {
                    let text = value.as_str().unwrap();
                    assert!(kept.contains(text), "{path}: {name} is lost");
                }
            }
        }
    }
}
