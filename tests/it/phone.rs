//! The phone beside a board, and its page's half of the board.

use crate::world::{PLAN, eventually, http};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_cli::board::{Board, BoardConfig};
use switchboard_cli::environment::Environment;
use switchboard_cli::trial::Trial;
use switchboard_phone::audio::Voice;
use switchboard_shared::clock::Clock;

/// A board that its own phone rings.
struct Desk {
    board: Board,
    http: reqwest::Client,
    plan: tempfile::NamedTempFile,
}

impl Desk {
    async fn open(plan: &str) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), plan).unwrap();
        let board = Board::start(BoardConfig {
            data: None,
            port: 0,
            plan: file.path().to_owned(),
            environment: Environment::default(),
            clock: Clock::default(),
            delays: Some(vec![Duration::from_millis(100); 3]),
            phone: Some(Trial {
                voice: Voice::Babble,
                ..Trial::default()
            }),
            meter: None,
        })
        .await
        .unwrap();
        Self {
            board,
            http: http(),
            plan: file,
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let url = format!("{}/phone{path}", self.board.url());
        let mut request = self.http.request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    async fn call(&self, to: &str) -> String {
        let body = json!({ "from": "447700900123", "to": to });
        let (status, made) = self.ask(Method::POST, "/calls", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        made["leg"].as_str().unwrap().to_owned()
    }

    async fn act(&self, leg: &str, act: &str, body: Value) {
        let path = format!("/legs/{leg}/{act}");
        let (status, said) = self.ask(Method::POST, &path, Some(body)).await;
        assert_eq!(status, 204, "{said}");
    }

    /// The first picture of the state that a new page is sent.
    async fn state(&self) -> Value {
        let url = format!("{}/phone/events", self.board.url());
        let mut response = self.http.get(url).send().await.unwrap();
        let mut text = String::new();
        while !text.ends_with("\n\n") {
            let chunk = response.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        serde_json::from_str(text.strip_prefix("data: ").unwrap().trim()).unwrap()
    }

    /// Waits for a leg that looks so.
    async fn leg(&self, look: impl Fn(&Value) -> bool) -> Value {
        eventually(|| async {
            let state = self.state().await;
            state["legs"]
                .as_array()
                .unwrap()
                .iter()
                .find(|leg| look(leg))
                .cloned()
        })
        .await
    }
}

fn hears(leg: &Value, kind: &str) -> bool {
    let heard = leg["hears"].as_array().unwrap();
    heard.iter().any(|one| one["kind"] == kind)
}

#[tokio::test]
async fn a_call_is_put_through_talked_recorded_and_archived_in_real_time() {
    let plan = PLAN.replace(
        "say = \"Putting you through.\"",
        "say = \"Recorded.\"\nrecord = true",
    );
    let desk = Desk::open(&plan).await;
    let caller = desk.call("447700900003").await;
    desk.leg(|leg| leg["leg"] == *caller && hears(leg, "talk"))
        .await;
    let alice = desk
        .leg(|leg| leg["role"] == "callee" && leg["status"] == "ringing")
        .await;
    assert_eq!(alice["name"], "alice");
    assert_eq!(alice["from"], "447700900003");
    let alice = alice["leg"].as_str().unwrap().to_owned();
    desk.act(&alice, "answer", json!({})).await;
    desk.leg(|leg| leg["leg"] == *caller && leg["with"] == json!(["447700900011"]))
        .await;
    desk.act(&caller, "say", json!({ "text": "Hello, this is me." }))
        .await;
    desk.leg(|leg| leg["leg"] == *alice && hears(leg, "voice"))
        .await;
    desk.act(&caller, "hangup", json!({})).await;
    let recording = eventually(|| async {
        let recordings = desk.get("/recordings").await;
        (recordings[0]["state"] == "archived").then(|| recordings[0].clone())
    })
    .await;
    assert_eq!(recording["call"], *caller);
    let url = format!(
        "{}{}",
        desk.board.url(),
        recording["audio"].as_str().unwrap()
    );
    let audio = desk.http.get(url).send().await.unwrap();
    assert_eq!(audio.headers()["content-type"], "audio/mpeg");
    let audio = audio.bytes().await.unwrap();
    assert_eq!(audio.len() as u64, recording["bytes"].as_u64().unwrap());
    desk.board.stop().await;
}

#[tokio::test]
async fn an_agent_says_free_on_the_page_and_is_given_the_caller() {
    let desk = Desk::open(PLAN).await;
    let caller = desk.call("447700900002").await;
    desk.leg(|leg| leg["leg"] == *caller && leg["status"] == "answered")
        .await;
    assert_eq!(desk.get("/agents").await[0]["state"], "away");
    eventually(|| async {
        let path = "/agents/alice/free";
        let (status, said) = desk.ask(Method::POST, path, None).await;
        assert_eq!(status, 200, "{said}");
        (said["outcome"] == "transferred").then_some(())
    })
    .await;
    desk.leg(|leg| leg["name"] == "alice" && leg["status"] == "ringing")
        .await;
    let (status, _) = desk.ask(Method::POST, "/agents/nobody/free", None).await;
    assert_eq!(status, 404);
    desk.board.stop().await;
}

#[tokio::test]
async fn a_phone_behaves_as_the_page_says() {
    let desk = Desk::open(PLAN).await;
    for manner in ["unreachable", "busy"] {
        for phone in ["447700900011", "447700900012"] {
            let path = format!("/contacts/{phone}/manner");
            let body = json!({ "manner": manner });
            let (status, said) = desk.ask(Method::POST, &path, Some(body)).await;
            assert_eq!(status, 204, "{said}");
        }
        let caller = desk.call("447700900003").await;
        let over = desk
            .leg(|leg| leg["leg"] == *caller && leg["ended"].is_string())
            .await;
        assert_eq!(over["ending"], "the script is over");
    }
    let state = desk.state().await;
    assert_eq!(state["contacts"][0]["manner"], "busy");
    desk.board.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_on_the_page_is_said() {
    let desk = Desk::open(PLAN).await;
    let caller = desk.call("447700900002").await;
    for (path, body, status, code) in [
        (
            "/calls".to_owned(),
            json!({ "from": "1", "to": "447700900002" }),
            400,
            "no-number",
        ),
        ("/calls".to_owned(), json!({ "from": 1 }), 422, "unreadable"),
        ("/legs/nobody/answer".to_owned(), json!({}), 404, "no-call"),
        (format!("/legs/{caller}/answer"), json!({}), 409, "not-now"),
        (format!("/legs/{caller}/dance"), json!({}), 404, "no-act"),
        (
            format!("/legs/{caller}/press"),
            json!({ "keys": "x" }),
            400,
            "no-key",
        ),
        (
            "/contacts/447700900011/manner".to_owned(),
            json!({ "manner": "dances" }),
            400,
            "no-manner",
        ),
    ] {
        let (told, said) = desk.ask(Method::POST, &path, Some(body)).await;
        assert_eq!(
            (told, &said["error"]["code"]),
            (status, &json!(code)),
            "{path}: {said}"
        );
    }
    desk.board.stop().await;
}

#[tokio::test]
async fn no_page_of_another_site_may_look_or_act() {
    let desk = Desk::open(PLAN).await;
    let here = desk.board.url().strip_prefix("http://").unwrap();
    for (method, path) in [
        (Method::GET, "/phone"),
        (Method::GET, "/phone/agents"),
        (Method::GET, "/phone/events"),
        (Method::POST, "/phone/calls"),
    ] {
        let asked = desk
            .http
            .request(method.clone(), format!("{}{path}", desk.board.url()))
            .header("host", "rebound.example")
            .send()
            .await
            .unwrap();
        assert_eq!(asked.status(), 403, "{method} {path}");
    }
    for (origin, status) in [
        ("http://elsewhere.example".to_owned(), 403),
        ("null".to_owned(), 403),
        (format!("http://{here}"), 200),
    ] {
        let asked = desk
            .http
            .post(format!("{}/phone/agents/alice/away", desk.board.url()))
            .header("origin", &origin)
            .send()
            .await
            .unwrap();
        assert_eq!(asked.status(), status, "{origin}");
    }
    desk.board.stop().await;
}

#[tokio::test]
async fn a_plan_that_is_edited_gives_the_page_other_lines() {
    let desk = Desk::open(PLAN).await;
    let before = desk.state().await["lines"].as_array().unwrap().len();
    let more = "[[line]]\nnumber = \"447700900009\"\nname = \"New\"\nflow = \"closed\"\n";
    std::fs::write(desk.plan.path(), format!("{PLAN}\n{more}")).unwrap();
    eventually(|| async {
        let state = desk.state().await;
        (state["lines"].as_array().unwrap().len() > before).then_some(())
    })
    .await;
    desk.board.stop().await;
}

#[tokio::test]
async fn a_page_that_is_open_holds_up_no_end() {
    let desk = Desk::open(PLAN).await;
    let url = format!("{}/phone/events", desk.board.url());
    let mut watched = desk.http.get(url).send().await.unwrap();
    assert!(watched.chunk().await.unwrap().is_some());
    desk.board.stop().await;
    // Ended in order, and not cut off when patience was over.
    while watched.chunk().await.unwrap().is_some() {}
}
