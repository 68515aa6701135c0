//! The board as a process that ends, by Ctrl-C or without a word, and is started again.

use crate::cli::{audio, legs, waiting_in};
use crate::fixtures;
use crate::platform::{Content, Platform, RecordingFault, Reply, Transfer};
use crate::shell::{Dev, Ran, Shell, finished};
use crate::webhook_signing::Signer;
use crate::world::{self, Answered, PLAN, action, eventually, incoming, rings};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the board calls itself in its scripts: the same from start to start, while its port is not.
const BASE: &str = "https://board.example";

const SUPPORT: &str = "447700900002";
const DIRECT: &str = "447700900003";
const TRIAL: &str = "447700900006";

/// A shell, a Vonage, and the secrets both know. Boards come and go.
struct Office {
    shell: Shell,
    platform: Platform,
    signer: Signer,
    http: reqwest::Client,
}

/// How a board ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// Ctrl-C.
    Interrupt,
    /// The word of a service manager.
    Terminate,
    /// `kill -9`, or the plug is pulled.
    Kill,
}

impl Office {
    fn open(plan: &str) -> Self {
        let platform = Platform::start();
        let signer = Signer {
            secret: "the secret of these tests, long enough".to_owned(),
            application_id: fixtures::APPLICATION_ID.to_owned(),
            api_key: "abcd1234".to_owned(),
        };
        let shell = Shell::new()
            .with("VONAGE_API_URL", platform.url())
            .with("VONAGE_APPLICATION_ID", &signer.application_id)
            .with("VONAGE_API_KEY", &signer.api_key)
            .with("VONAGE_SIGNATURE_SECRET", &signer.secret)
            .with("VONAGE_PRIVATE_KEY", fixtures::PRIVATE_KEY)
            .with("SWITCHBOARD_BASE_URL", BASE);
        shell.write("plan.toml", plan);
        Self {
            shell,
            platform,
            signer,
            http: world::http(),
        }
    }

    /// Starts a board.
    async fn board(&self) -> Dev {
        Dev::start(&self.shell, &["--data", "state", "--plan", "plan.toml"]).await
    }

    /// Ends a board, and sees to it that it went as it should.
    async fn end(&self, board: Dev, how: End) {
        match how {
            End::Interrupt => board.signal("INT"),
            End::Terminate => board.signal("TERM"),
            End::Kill => board.signal("KILL"),
        }
        let ended = board.ended().await;
        let code = (how != End::Kill).then_some(0);
        assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{ended:?}");
    }

    /// A command on the same folder.
    async fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["--data", "state"];
        all.extend(arguments);
        self.shell.run(&all).await
    }

    /// What a command prints, as JSON.
    async fn json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        self.run(&all).await.fine().json()
    }

    /// Posts a signed webhook; none where the board went away meanwhile.
    async fn try_post(&self, board: &str, to: &str, body: &Value) -> Option<Answered> {
        let path = to.strip_prefix(BASE).unwrap_or(to);
        let body = body.to_string();
        let token = self.signer.post(body.as_bytes());
        let request = self.http.post(format!("{board}{path}"));
        let answer = request.bearer_auth(token).body(body).send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.ok()?;
        Some(Answered {
            status,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    async fn post(&self, board: &Dev, to: &str, body: &Value) -> Value {
        let answered = self.try_post(&board.url, to, body).await.unwrap();
        assert_eq!(answered.status, 200, "{to}: {answered:?}");
        answered.body
    }

    /// Somebody calls a line: the NCCO they hear.
    async fn call(&self, board: &Dev, line: &str, leg: &str) -> Value {
        self.post(board, "/webhooks/answer", &incoming(line, leg))
            .await
    }

    async fn hang_up(&self, board: &Dev, leg: &str) {
        self.post(board, "/webhooks/event", &over(leg)).await;
    }

    /// Vonage comes to the first `notify` of a script.
    async fn notify(&self, board: &Dev, ncco: &Value) -> Value {
        let notify = action(ncco, "notify");
        let body = json!({
            "payload": notify["payload"],
            "conversation_uuid": "CON-1",
            "timestamp": world::now(),
        });
        self.post(board, notify["eventUrl"][0].as_str().unwrap(), &body)
            .await
    }

    /// Vonage reports a status of the leg that a script's `connect` made.
    async fn connected_leg(&self, board: &Dev, ncco: &Value, status: &str) -> Value {
        let connect = action(ncco, "connect");
        let body = json!({
            "uuid": format!("agent-leg-{}", rings(ncco)),
            "conversation_uuid": "CON-other",
            "from": connect["from"],
            "to": rings(ncco),
            "direction": "outbound",
            "status": status,
            "duration": if status == "completed" { "30" } else { "0" },
            "timestamp": world::now(),
        });
        self.post(board, connect["eventUrl"][0].as_str().unwrap(), &body)
            .await
    }

    async fn announce(&self, board: &Dev, id: &str, url: &str) {
        let notice = json!({
            "conversation_uuid": "CON-leg-5",
            "recording_uuid": id,
            "recording_url": url,
            "timestamp": world::now(),
        });
        self.post(board, "/webhooks/recording", &notice).await;
    }

    /// The legs that wait in a queue, longest first.
    async fn waiting(&self, queue: &str) -> Vec<String> {
        let shown = self.json(&["queue"]).await;
        legs(waiting_in(&shown, queue))
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// The agents: name, state, call.
    async fn agents(&self) -> Vec<String> {
        let agents = self.json(&["agent", "list"]).await;
        let agents = agents.as_array().unwrap().iter();
        agents
            .map(|agent| {
                let word = |name: &str| agent[name].as_str().unwrap_or_default();
                format!("{} {} {}", word("agent"), word("state"), word("call"))
            })
            .collect()
    }

    /// Waits for a leg to be moved as often as this, and says where to the last time.
    async fn moved(&self, leg: &str, times: usize) -> Value {
        eventually(|| async {
            let mut moves = self.platform.transfers();
            moves.retain(|transfer| transfer.leg == leg);
            (moves.len() >= times).then(|| script(moves.last()))
        })
        .await
    }

    /// One recording, as listed.
    async fn recording(&self, id: &str) -> Value {
        let listed = self.json(&["recordings"]).await;
        let mut listed = listed.as_array().unwrap().iter();
        listed
            .find(|one| one["recording"] == id)
            .cloned()
            .unwrap_or_default()
    }

    /// Waits until a recording is archived, and fetches it.
    async fn archived(&self, id: &str) -> Vec<u8> {
        let patience = Instant::now();
        while self.recording(id).await["state"] != "archived" {
            assert!(
                patience.elapsed() < world::PATIENCE,
                "{}",
                self.recording(id).await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let out = self
            .run(&["recordings", "get", id, "--out", "fetched"])
            .await
            .fine()
            .out;
        std::fs::read(self.shell.path(out.trim())).unwrap()
    }
}

fn script(transfer: Option<&Transfer>) -> Value {
    match &transfer.unwrap().to {
        crate::platform::Destination::Ncco(ncco) => ncco.clone(),
        crate::platform::Destination::Url(url) => json!(url),
    }
}

/// The caller's leg is over.
fn over(leg: &str) -> Value {
    json!({
        "uuid": leg,
        "conversation_uuid": format!("CON-{leg}"),
        "direction": "inbound",
        "status": "completed",
        "duration": "7",
        "timestamp": world::now(),
    })
}

/// Everything that was acknowledged to a board before its end is there afterwards, without a board
/// and with the next, which goes on from there.
async fn nothing_is_lost_by(end: End) {
    let office = Office::open(PLAN);
    let board = office.board().await;
    // Bob talks, carol's phone rings, three wait, one call is over and its recording is not there yet.
    let first = office.call(&board, SUPPORT, "leg-1").await;
    office.run(&["agent", "free", "bob"]).await.fine();
    let bobs = office.moved("leg-1", 1).await;
    office.connected_leg(&board, &bobs, "answered").await;
    for leg in ["leg-2", "leg-3", "leg-4"] {
        office.call(&board, SUPPORT, leg).await;
    }
    office.run(&["agent", "free", "carol"]).await.fine();
    let carols = office.moved("leg-2", 1).await;
    office.call(&board, DIRECT, "leg-5").await;
    office.hang_up(&board, "leg-5").await;
    let looks: [&[&str]; 5] = [
        &["calls"],
        &["calls", "show", "leg-1"],
        &["calls", "show", "leg-2"],
        &["calls", "show", "leg-3"],
        &["agent", "list"],
    ];
    let mut before = Vec::new();
    for look in looks {
        before.push(office.json(look).await);
    }
    assert_eq!(office.waiting("support").await, ["leg-3", "leg-4"]);
    // Last, so that its second download, two seconds later, is left to the next board.
    let url = office.platform.recording("r", audio(70_000), "audio/mpeg");
    office.platform.spoil("r", RecordingFault::Status(404), 100);
    office.announce(&board, "r-1", &url).await;
    eventually(|| async {
        let one = office.recording("r-1").await;
        one["reason"].is_string().then_some(())
    })
    .await;

    office.end(board, end).await;

    for (look, before) in looks.into_iter().zip(&before) {
        assert_eq!(
            office.json(look).await,
            *before,
            "{look:?} while no board runs"
        );
    }
    assert_eq!(office.waiting("support").await, ["leg-3", "leg-4"]);
    assert_eq!(office.recording("r-1").await["state"], "pending");

    // The recording is there now.
    office.platform.recording("r", audio(70_000), "audio/mpeg");
    let board = office.board().await;
    for (look, before) in looks.into_iter().zip(&before) {
        assert_eq!(
            office.json(look).await,
            *before,
            "{look:?} with the next board"
        );
    }
    let expected = ["alice away ", "bob talking leg-1", "carol ringing leg-2"];
    assert_eq!(office.agents().await, expected);
    assert_eq!(office.waiting("support").await, ["leg-3", "leg-4"]);
    assert_eq!(
        office.platform.transfers().len(),
        2,
        "nobody is moved a second time"
    );

    // Carol does not answer: her caller has the old place.
    office.connected_leg(&board, &carols, "timeout").await;
    assert_eq!(office.waiting("support").await, ["leg-2", "leg-3", "leg-4"]);
    office.run(&["agent", "free", "alice"]).await.fine();
    assert_eq!(rings(&office.moved("leg-2", 2).await), "447700900011");
    // Bob's talk ends, and he gets the next.
    office.connected_leg(&board, &bobs, "completed").await;
    assert_eq!(rings(&office.moved("leg-3", 1).await), "447700900012");
    assert_eq!(office.waiting("support").await, ["leg-4"]);
    // Vonage asks a second time about what was answered before.
    office.call(&board, SUPPORT, "leg-4").await;
    assert_eq!(office.json(&["calls"]).await.as_array().unwrap().len(), 5);
    let heard = office.notify(&board, &first).await;
    assert_eq!(
        heard[0]["text"], "Goodbye.",
        "leg-1 was served, by the board before"
    );
    // The recording was queued again.
    assert_eq!(office.archived("r-1").await, audio(70_000));
    let kept = office.recording("r-1").await;
    assert_eq!(kept["sha256"], Content::from(audio(70_000)).sha256());
    assert_eq!(kept["line"], DIRECT);
    let calls = office.json(&["calls", "--status", "completed"]).await;
    assert_eq!(legs(&calls), ["leg-5"]);
}

#[tokio::test]
async fn nothing_is_lost_by_ctrl_c() {
    nothing_is_lost_by(End::Interrupt).await;
}

#[tokio::test]
async fn nothing_is_lost_by_kill_9() {
    nothing_is_lost_by(End::Kill).await;
}

/// Calls come in on many lines at once while the board ends.
async fn what_was_acknowledged_stays(end: End) {
    let office = Office::open(PLAN);
    let board = office.board().await;
    let url = board.url.clone();
    let acknowledged = Mutex::new(Vec::new());
    let ending = AtomicBool::new(false);
    let callers = (0..4).map(|caller| {
        let (office, url, acknowledged, ending) = (&office, &url, &acknowledged, &ending);
        async move {
            for count in 0.. {
                let leg = format!("leg-{caller}-{count}");
                let line = if count % 2 == 0 { SUPPORT } else { DIRECT };
                let call = incoming(line, &leg);
                let answered = office.try_post(url, "/webhooks/answer", &call).await;
                let Some(answered) = answered.filter(|answered| answered.status == 200) else {
                    assert!(
                        ending.load(Ordering::SeqCst),
                        "it did not answer before its end"
                    );
                    return;
                };
                // A script that does not need the store could be an apology: this is none.
                assert!(
                    !answered
                        .body
                        .to_string()
                        .starts_with(r#"[{"action":"talk","text":"We are sorry"#)
                );
                acknowledged
                    .lock()
                    .unwrap()
                    .push((leg.clone(), line, false));
                let ended = office.try_post(url, "/webhooks/event", &over(&leg)).await;
                if ended.is_some_and(|ended| ended.status == 200) {
                    acknowledged.lock().unwrap().push((leg, line, true));
                }
            }
        }
    });
    let stop = async {
        eventually(|| async { (acknowledged.lock().unwrap().len() >= 16).then_some(()) }).await;
        ending.store(true, Ordering::SeqCst);
        office.end(board, end).await;
    };
    tokio::join!(futures(callers), stop);
    let acknowledged = acknowledged.into_inner().unwrap();
    let kept = office.json(&["calls"]).await;
    for (leg, line, over) in acknowledged {
        let mut calls = kept.as_array().unwrap().iter();
        let call = calls
            .find(|call| call["leg"] == *leg)
            .unwrap_or_else(|| panic!("{leg} is lost"));
        assert_eq!(call["line"], line);
        if over {
            assert_eq!(
                (&call["status"], call["ended"].is_string()),
                (&json!("completed"), true),
                "{call}"
            );
        }
    }
    // Those who hung up wait no longer, once a board has looked.
    let board = office.board().await;
    let gone: Vec<_> = legs(&kept)
        .into_iter()
        .filter(|leg| {
            kept.as_array()
                .unwrap()
                .iter()
                .any(|call| call["leg"] == *leg && call["ended"].is_string())
        })
        .collect();
    let waiting = office.waiting("support").await;
    assert!(
        waiting.iter().all(|leg| !gone.contains(&leg.as_str())),
        "{waiting:?}"
    );
    drop(board);
}

async fn futures(all: impl Iterator<Item = impl Future<Output = ()>>) {
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn what_was_acknowledged_in_a_rush_stays_after_ctrl_c() {
    what_was_acknowledged_stays(End::Interrupt).await;
}

#[tokio::test]
async fn what_was_acknowledged_in_a_rush_stays_after_the_word_to_terminate() {
    what_was_acknowledged_stays(End::Terminate).await;
}

#[tokio::test]
async fn what_was_acknowledged_in_a_rush_stays_after_kill_9() {
    what_was_acknowledged_stays(End::Kill).await;
}

/// The board ends while a recording is being downloaded: it is whole in the archive soon after the
/// next one's start.
async fn a_download_under_way_when_it_ends(end: End) {
    let office = Office::open(PLAN);
    let board = office.board().await;
    let length = 400_000;
    let url = office.platform.recording("r", audio(length), "audio/mpeg");
    // Seven pieces with a pause before each: it is under way when the end comes.
    let pause = Duration::from_millis(150);
    office.platform.spoil("r", RecordingFault::Slow(pause), 1);
    office.announce(&board, "r-1", &url).await;
    office
        .platform
        .wait_for(|all| !all.is_empty(), world::PATIENCE)
        .await;
    office.end(board, end).await;
    let _board = office.board().await;
    let archived = tokio::time::timeout(Duration::from_secs(4), office.archived("r-1")).await;
    assert!(archived.expect("within four seconds") == audio(length));
}

#[tokio::test]
async fn a_download_under_way_at_ctrl_c_is_whole_in_the_archive() {
    a_download_under_way_when_it_ends(End::Interrupt).await;
}

#[tokio::test]
async fn a_download_cut_short_by_kill_9_is_begun_again_by_the_next_board() {
    a_download_under_way_when_it_ends(End::Kill).await;
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_end() {
    let office = Office::open(PLAN);
    let board = office.board().await;
    office.call(&board, SUPPORT, "leg-1").await;
    let slow = Reply {
        status: 204,
        delay: Duration::from_secs(1),
        ..Reply::default()
    };
    office.platform.fail("/v1/calls/", "PUT", slow);
    let asked = async {
        let token = office.run(&["token"]).await.fine().out;
        let request = office.http.post(format!("{}/agents/alice/free", board.url));
        let answer = request.bearer_auth(token.trim()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let told: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(told["outcome"], "transferred");
    };
    let stopped = async {
        office
            .platform
            .wait_for(|all| !all.is_empty(), world::PATIENCE)
            .await;
        board.signal("INT");
    };
    tokio::join!(asked, stopped);
    let ended = board.ended().await;
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""), "{ended:?}");
    assert_eq!(office.agents().await[0], "alice ringing leg-1");
}

#[tokio::test]
async fn ctrl_c_at_once_after_ready_is_an_orderly_end() {
    let office = Office::open(PLAN);
    let arguments = ["dev", "--port=0", "--data=state", "--plan=plan.toml"];
    for _ in 0..10 {
        let mut child = office.shell.command(&arguments).spawn().unwrap();
        let out: Stdio = child.stdout.take().unwrap().try_into().unwrap();
        // A shell that waits for the line: no new process lies between it and the signal.
        let mut presses = Command::new("sh")
            .args(["-c", "read line && kill -INT $1", "sh"])
            .arg(child.id().unwrap().to_string())
            .stdin(out)
            .spawn()
            .unwrap();
        let ended = finished(child).await;
        presses.wait().unwrap();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
}

fn trial(free_after: &str) -> String {
    PLAN.replace(
        "free-after = \"1s\"",
        &format!("free-after = \"{free_after}\""),
    )
}

/// When the platform was asked to move a leg.
async fn moved_at(office: &Office, leg: &str) -> Instant {
    office.moved(leg, 1).await;
    let all = office.platform.requests();
    let path = format!("/v1/calls/{leg}");
    let moves = all
        .iter()
        .find(|one| one.path == path && one.method == "PUT");
    moves.unwrap().at
}

/// The time since the call counts, not the time since the start; a job's delay is rounded up to
/// whole seconds.
async fn free_after_goes_on_after(end: End) {
    let office = Office::open(&trial("3s"));
    let board = office.board().await;
    let called = Instant::now();
    office.call(&board, TRIAL, "leg-1").await;
    office.end(board, end).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let _board = office.board().await;
    let ready = Instant::now();
    let moved = moved_at(&office, "leg-1").await;
    let (waited, since) = (moved - called, moved.saturating_duration_since(ready));
    assert!(waited >= Duration::from_secs(3), "too early, {waited:?}");
    assert!(since < Duration::from_millis(2_800), "too late, {since:?}");
}

#[tokio::test]
async fn free_after_goes_on_after_ctrl_c() {
    free_after_goes_on_after(End::Interrupt).await;
}

#[tokio::test]
async fn free_after_goes_on_after_kill_9() {
    free_after_goes_on_after(End::Kill).await;
}

#[tokio::test]
async fn free_after_that_is_over_when_the_board_comes_back_is_over() {
    let office = Office::open(&trial("2s"));
    let board = office.board().await;
    office.call(&board, TRIAL, "leg-1").await;
    office.call(&board, TRIAL, "leg-2").await;
    office.end(board, End::Interrupt).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let _board = office.board().await;
    let ready = Instant::now();
    let since = moved_at(&office, "leg-1")
        .await
        .saturating_duration_since(ready);
    assert!(since < Duration::from_millis(1_800), "{since:?}");
    // There is one agent, and she has a caller now.
    assert_eq!(office.waiting("trial").await, ["leg-2"]);
}

#[tokio::test]
async fn an_agent_who_was_free_is_given_the_caller_who_came_first() {
    let office = Office::open(PLAN);
    let board = office.board().await;
    office.run(&["agent", "free", "carol"]).await.fine();
    office.end(board, End::Kill).await;
    assert_eq!(office.agents().await[2], "carol free ");
    let board = office.board().await;
    let ncco = office.call(&board, SUPPORT, "leg-1").await;
    assert_eq!(rings(&ncco), "447700900013", "she is rung at once");
}

#[tokio::test]
async fn an_agent_who_rested_is_given_the_next_caller_when_the_rest_is_over() {
    let office = Office::open(&PLAN.replace("cool-down = \"30s\"", "cool-down = \"2s\""));
    let board = office.board().await;
    office.call(&board, SUPPORT, "leg-1").await;
    office.run(&["agent", "free", "bob"]).await.fine();
    let ncco = office.moved("leg-1", 1).await;
    office.connected_leg(&board, &ncco, "busy").await;
    office.end(board, End::Interrupt).await;
    let _board = office.board().await;
    let again = tokio::time::timeout(Duration::from_secs(4), office.moved("leg-1", 2)).await;
    assert_eq!(rings(&again.expect("two seconds later")), "447700900012");
}

#[tokio::test]
async fn a_second_board_on_the_same_folder_is_refused() {
    let office = Office::open(PLAN);
    let board = office.board().await;
    office.call(&board, SUPPORT, "leg-1").await;
    let arguments = ["dev", "--port", "0", "--plan", "plan.toml"];
    let ran = office.run(&arguments).await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("another board runs on state"), "{ran:?}");
    assert!(ran.err.contains("--data"), "what to do: {ran:?}");
    // The first is none the worse for it.
    office.call(&board, SUPPORT, "leg-2").await;
    assert_eq!(office.waiting("support").await, ["leg-1", "leg-2"]);
    // Elsewhere there is room, and after the first one's end here too.
    let other = Dev::start(&office.shell, &["--data", "other", "--plan", "plan.toml"]).await;
    drop(other);
    office.end(board, End::Interrupt).await;
    let board = office.board().await;
    assert_eq!(office.waiting("support").await, ["leg-1", "leg-2"]);
    drop(board);
}

#[tokio::test]
async fn the_secrets_are_their_owners_alone_and_stay() {
    let shell = Shell::new();
    shell.write("plan.toml", PLAN);
    let arguments = ["--data", "a/b/state", "--plan", "plan.toml"];
    let mut kept = Vec::new();
    for end in ["INT", "KILL", "INT"] {
        let board = Dev::start(&shell, &arguments).await;
        let health = world::http()
            .get(format!("{}/healthz", board.url))
            .send()
            .await;
        assert_eq!(health.unwrap().status(), 200);
        let log = board.log();
        board.signal(end);
        board.ended().await;
        let path = shell.path("a/b/state/secrets.json");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{mode:o}");
        let text = std::fs::read_to_string(&path).unwrap();
        let secrets: Value = serde_json::from_str(&text).unwrap();
        for name in ["signature_secret", "operator_token", "private_key"] {
            let secret = secrets[name].as_str().unwrap();
            assert!(secret.len() >= 32 && !log.contains(secret), "{name}");
        }
        let token = shell
            .run(&["token", "--data", "a/b/state"])
            .await
            .fine()
            .out;
        assert_eq!(token.trim(), secrets["operator_token"]);
        kept.push(text);
        let others = std::fs::read_dir(shell.path("a/b/state")).unwrap();
        for entry in others.map(|entry| entry.unwrap()) {
            let name = entry.file_name();
            if name != "secrets.json" && entry.file_type().unwrap().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                let token = token.trim().as_bytes();
                let found = bytes.windows(token.len()).any(|window| window == token);
                assert!(!found, "the token lies in {name:?} too");
            }
        }
    }
    assert!(
        kept.iter().all(|text| *text == kept[0]),
        "the same after each start"
    );
}

/// What a caller of the front desk's closed line hears.
async fn closed(office: &Office, board: &Dev, leg: &str) -> String {
    let ncco = office.call(board, "447700900007", leg).await;
    ncco[0]["text"].as_str().unwrap().to_owned()
}

fn with_closed_line(say: &str) -> String {
    let line = "\n[[line]]\nnumber = \"447700900007\"\nname = \"Closed\"\nflow = \"closed\"\n";
    PLAN.replace(
        "\n[[agent]]\nname = \"alice\"",
        &format!("{line}\n[[agent]]\nname = \"alice\""),
    )
    .replace("We are closed.", say)
}

#[tokio::test]
async fn a_plan_edited_while_the_board_runs_is_in_force_for_the_next_call() {
    let office = Office::open(&with_closed_line("One."));
    let board = office.board().await;
    assert_eq!(closed(&office, &board, "leg-1").await, "One.");
    office.shell.write("plan.toml", &with_closed_line("Two."));
    assert_eq!(closed(&office, &board, "leg-2").await, "Two.");
    // As editors save: beside, and renamed.
    office
        .shell
        .write("plan.toml.new", &with_closed_line("Three."));
    std::fs::rename(
        office.shell.path("plan.toml.new"),
        office.shell.path("plan.toml"),
    )
    .unwrap();
    assert_eq!(closed(&office, &board, "leg-3").await, "Three.");
    // The call that began before hears what it began with.
    assert_eq!(closed(&office, &board, "leg-4").await, "Three.");
    // The commands see it soon.
    let zoe = "\n[[agent]]\nname = \"zoe\"\nphone = \"447700900019\"\n";
    let plan =
        with_closed_line("Four.").replace("\"alice\", \"bob\"]", "\"alice\", \"bob\", \"zoe\"]");
    office.shell.write("plan.toml", &format!("{plan}{zoe}"));
    eventually(|| async {
        let agents = office.agents().await;
        agents.contains(&"zoe away ".to_owned()).then_some(())
    })
    .await;
    office.run(&["agent", "free", "zoe"]).await.fine();
}

#[tokio::test]
async fn a_faulty_edit_keeps_the_old_plan_and_says_where_to_look() {
    let office = Office::open(&with_closed_line("One."));
    let board = office.board().await;
    assert_eq!(closed(&office, &board, "leg-1").await, "One.");
    office.run(&["agent", "away", "alice"]).await.fine();
    for (index, plan) in [
        with_closed_line("Two.").replace("otherwise = \"closed\"", "otherwise = \"clsoed\""),
        "nonsense".to_owned(),
        String::new(),
    ]
    .into_iter()
    .enumerate()
    {
        if plan.is_empty() {
            std::fs::remove_file(office.shell.path("plan.toml")).unwrap();
        } else {
            office.shell.write("plan.toml", &plan);
        }
        let heard = closed(&office, &board, &format!("leg-2-{index}")).await;
        assert_eq!(heard, "One.", "{plan}");
        let hold = office
            .call(&board, SUPPORT, &format!("leg-3-{index}"))
            .await;
        assert_eq!(hold[0]["text"], "Please hold.");
    }
    assert_eq!(office.agents().await.len(), 3);
    office.run(&["agent", "free", "alice"]).await.fine();
    let log = board.log();
    assert!(log.contains("the last good plan stays in force"), "{log}");
    assert!(log.contains("switchboard plan check"), "what to do: {log}");
    office.shell.write("plan.toml", &with_closed_line("Three."));
    assert_eq!(closed(&office, &board, "leg-4").await, "Three.");
    // A board is not started on a faulty plan, and nothing is lost by the attempt.
    office.end(board, End::Interrupt).await;
    office.shell.write("plan.toml", "nonsense");
    let ran = office
        .run(&["dev", "--port", "0", "--plan", "plan.toml"])
        .await;
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.err.contains("plan.toml:1:"), "{ran:?}");
    assert_eq!(
        office.waiting("support").await.len(),
        2,
        "one of three is alice's"
    );
    office.shell.write("plan.toml", &with_closed_line("Four."));
    let board = office.board().await;
    assert_eq!(closed(&office, &board, "leg-5").await, "Four.");
}

#[tokio::test]
async fn a_faulty_edit_before_the_first_call_keeps_the_old_plan_too() {
    let office = Office::open(&with_closed_line("One."));
    let board = office.board().await;
    office.shell.write("plan.toml", "nonsense");
    let heard = closed(&office, &board, "leg-1").await;
    let said = office.run(&["agent", "free", "alice"]).await;
    assert_eq!((heard.as_str(), said.code), ("One.", Some(0)), "{said:?}");
}

#[tokio::test]
async fn a_call_keeps_the_plan_it_began_with_over_a_restart() {
    let office = Office::open(PLAN);
    let board = office.board().await;
    let hold = office.call(&board, SUPPORT, "leg-1").await;
    office.end(board, End::Kill).await;
    let newer = PLAN
        .replace("Here we go.", "Off you go.")
        .replace("a.mp3", "c.mp3")
        .replace("b.mp3", "c.mp3");
    office.shell.write("plan.toml", &newer);
    let board = office.board().await;
    let round = office.notify(&board, &hold).await;
    let music = action(&round, "stream")["streamUrl"][0].as_str().unwrap();
    assert!(!music.contains("c.mp3"), "{music}");
    office.call(&board, SUPPORT, "leg-2").await;
    office.run(&["agent", "free", "alice"]).await.fine();
    office.run(&["agent", "free", "bob"]).await.fine();
    assert_eq!(office.moved("leg-1", 1).await[0]["text"], "Here we go.");
    assert_eq!(office.moved("leg-2", 1).await[0]["text"], "Off you go.");
}

#[tokio::test]
async fn what_was_given_up_is_left_alone_by_a_restart_until_it_is_taken_up() {
    let office = Office::open(PLAN);
    // Vonage's, but not at this address: for the first board a stranger's.
    let later = Arc::new(Platform::start());
    let url = later.recording("r", audio(5_000), "audio/mpeg");
    let board = office.board().await;
    office.announce(&board, "r-1", &url).await;
    eventually(|| async {
        let one = office.recording("r-1").await;
        (one["state"] == "failed").then_some(())
    })
    .await;
    office.end(board, End::Interrupt).await;
    let Office {
        shell,
        signer,
        http,
        ..
    } = office;
    let office = Office {
        shell: shell.with("VONAGE_API_URL", later.url()),
        platform: Platform::start(),
        signer,
        http,
    };
    let board = office.board().await;
    office.call(&board, DIRECT, "leg-1").await;
    assert_eq!(office.recording("r-1").await["state"], "failed");
    assert!(later.requests().is_empty(), "no token went there");
    office.end(board, End::Interrupt).await;
    let taken_up = office.json(&["recordings", "retry", "--all"]).await;
    assert_eq!(taken_up, json!(["r-1"]));
    let board = office.board().await;
    assert_eq!(office.archived("r-1").await, audio(5_000));
    drop(board);
}
