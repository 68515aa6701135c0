//! A board with a Vonage beside it, and a person at each end.

use crate::fixtures;
use crate::platform::{Destination, Platform, Transfer};
use crate::webhook_signing::Signer;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use switchboard_cli::board::{Board, BoardConfig};
use switchboard_cli::environment::Environment;
use switchboard_cli::meter::Meter;
use switchboard_shared::clock::Clock;
use switchboard_shared::number::PhoneNumber;

/// Longest wait for something that another task does. Generous: CI machines stall.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The number everybody calls from.
pub const CALLER: &str = "447700900123";

/// A plan with a line for each way to be answered; numbers end in the digits of the line's comment.
pub const PLAN: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "447700900000"
name = "Front desk"
flow = "office-hours"

[[line]]
number = "447700900002"
name = "Support"
flow = "support"

[[line]]
number = "447700900003"
name = "Direct"
flow = "direct"

[[line]]
number = "447700900004"
name = "Masked"
flow = "masked"

[[line]]
number = "447700900005"
name = "Moved by URL"
flow = "by-url"

[[line]]
number = "447700900006"
name = "Trial"
flow = "trial"

[[agent]]
name = "alice"
phone = "447700900011"

[[agent]]
name = "bob"
phone = "447700900012"

[[agent]]
name = "carol"
phone = "447700900013"

[flow.office-hours]
type = "hours"
open = ["Mon-Fri 09:00-17:30", "Fri 22:00-02:00", "Sun 01:30-02:30"]
closed-on = ["2026-12-25"]
then = "support"
otherwise = "closed"

[flow.closed]
type = "message"
say = "We are closed."

[flow.direct]
type = "ring"
confirm = false
say = "Putting you through."
agents = ["alice", "bob"]
timeout = "15s"
otherwise = "closed"

[flow.masked]
type = "ring"
confirm = false
agents = ["alice"]
otherwise = "closed"

[flow.support]
type = "queue"
confirm = false
say = "Please hold."
music = ["https://example.com/a.mp3", "https://example.com/b.mp3"]
agents = ["alice", "bob", "carol"]
connect-say = "Here we go."
cool-down = "30s"
max-wait = "10m"
otherwise = "closed"

[flow.by-url]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
transfer = "url"
max-wait = "10m"
otherwise = "closed"

[flow.trial]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
free-after = "1s"
max-wait = "10m"
otherwise = "closed"
"#;

/// Waits between downloads where the clock runs: a test has no hour to spare.
const SHORT_DELAYS: [Duration; 3] = [Duration::from_millis(100); 3];

/// A board, a Vonage, and what they have in common.
pub struct World {
    /// The board.
    pub board: Board,
    /// The platform its requests go to.
    pub platform: Platform,
    /// Signs webhooks as the platform would.
    pub signer: Signer,
    /// The board's clock.
    pub clock: Clock,
    http: reqwest::Client,
    plan: tempfile::NamedTempFile,
}

/// What an answer was: status, and the body as JSON (null where it is none).
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

/// An HTTP client that asks no proxy, follows no redirect and brings its own TLS.
pub fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(switchboard_shared::crypto::tls().unwrap())
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

impl World {
    /// On [`PLAN`], in memory.
    pub async fn open() -> Self {
        Self::with_plan(PLAN).await
    }

    /// On a plan of the test's own, in memory.
    pub async fn with_plan(plan: &str) -> Self {
        Self::start(plan, None, Vec::new(), Platform::start()).await
    }

    /// On a plan of the test's own, in memory, by a clock that stands until it is moved. Downloads
    /// are tried again after the product's own waits.
    pub async fn standing(plan: &str) -> Self {
        Self::standing_with(plan, None, Vec::new()).await
    }

    /// The same, with a folder and settings of the test's own.
    pub async fn standing_with(
        plan: &str,
        data: Option<PathBuf>,
        settings: Vec<(String, String)>,
    ) -> Self {
        let clock = Clock::standing(jiff::Timestamp::now());
        Self::start_by(plan, data, settings, Platform::start(), clock, None, None).await
    }

    /// On a plan of the test's own, in memory, with what its functions do counted.
    pub async fn metered(plan: &str, clock: Clock, meter: &Meter) -> Self {
        let delays = Some(SHORT_DELAYS.to_vec());
        let (platform, meter) = (Platform::start(), Some(meter.clone()));
        Self::start_by(plan, None, Vec::new(), platform, clock, delays, meter).await
    }

    /// With everything chosen by the test but the clock, which runs.
    pub async fn start(
        plan: &str,
        data: Option<PathBuf>,
        settings: Vec<(String, String)>,
        platform: Platform,
    ) -> Self {
        let (clock, delays) = (Clock::default(), Some(SHORT_DELAYS.to_vec()));
        Self::start_by(plan, data, settings, platform, clock, delays, None).await
    }

    async fn start_by(
        plan: &str,
        data: Option<PathBuf>,
        settings: Vec<(String, String)>,
        platform: Platform,
        clock: Clock,
        delays: Option<Vec<Duration>>,
        meter: Option<Meter>,
    ) -> Self {
        let signer = Signer {
            secret: "the secret of these tests, long enough".to_owned(),
            application_id: fixtures::APPLICATION_ID.to_owned(),
            api_key: "abcd1234".to_owned(),
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), plan).unwrap();
        let mut environment: Environment = settings.into_iter().collect();
        environment.or_set("VONAGE_API_URL", platform.url());
        environment.or_set("VONAGE_APPLICATION_ID", &signer.application_id);
        environment.or_set("VONAGE_API_KEY", &signer.api_key);
        environment.or_set("VONAGE_SIGNATURE_SECRET", &signer.secret);
        environment.or_set("VONAGE_PRIVATE_KEY", fixtures::PRIVATE_KEY);
        let board = Board::start(BoardConfig {
            data,
            port: 0,
            plan: file.path().to_owned(),
            environment,
            clock: clock.clone(),
            delays,
            phone: None,
            meter,
        })
        .await
        .unwrap();
        // Else its look at the agents runs beside the test's first steps.
        board.swept().await;
        Self {
            board,
            platform,
            signer,
            clock,
            http: http(),
            plan: file,
        }
    }

    /// Posts a signed webhook to a path, or to a whole URL as an NCCO gives it.
    pub async fn post(&self, to: &str, body: &Value) -> Answered {
        let body = body.to_string();
        let token = self.signer.post(body.as_bytes());
        self.send(self.http.post(self.url(to)).bearer_auth(token).body(body))
            .await
    }

    /// Gets a signed webhook.
    pub async fn get(&self, path: &str, query: &str) -> Answered {
        let token = self.signer.get(query);
        self.send(
            self.http
                .get(self.url(&format!("{path}?{query}")))
                .bearer_auth(token),
        )
        .await
    }

    /// A request of the test's own making.
    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, self.url(path))
    }

    /// Sends a request and reads the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answered {
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if body[0]["action"].is_string() {
            // By another reading than the one that wrote it.
            let read = switchboard_phone::ncco::read(&body);
            assert!(read.is_ok(), "{read:?}: {body}");
        }
        Answered { status, body }
    }

    fn url(&self, to: &str) -> String {
        if to.starts_with("http") {
            to.to_owned()
        } else {
            format!("{}{to}", self.board.url())
        }
    }

    /// Somebody calls a line: the NCCO they hear.
    pub async fn call(&self, line: &str, leg: &str) -> Value {
        let answered = self.post("/webhooks/answer", &incoming(line, leg)).await;
        assert_eq!(answered.status, 200, "{:?}", answered.body);
        answered.body
    }

    /// Vonage comes to the first `notify` of a script.
    pub async fn notify(&self, ncco: &Value) -> Answered {
        let notify = action(ncco, "notify");
        let body = json!({
            "payload": notify["payload"],
            "conversation_uuid": "CON-1",
            "timestamp": now(),
        });
        self.post(notify["eventUrl"][0].as_str().unwrap(), &body)
            .await
    }

    /// Vonage reports a status of the leg that a script's `connect` made.
    pub async fn connected_leg(&self, ncco: &Value, status: &str, more: Value) -> Answered {
        let connect = action(ncco, "connect");
        let to = connect["endpoint"][0]["number"].as_str().unwrap();
        let mut body = json!({
            "uuid": format!("agent-leg-{to}"),
            "conversation_uuid": "CON-other",
            "from": connect["from"],
            "to": to,
            "direction": "outbound",
            "status": status,
            "timestamp": now(),
        });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().cloned().unwrap_or_default());
        self.post(connect["eventUrl"][0].as_str().unwrap(), &body)
            .await
    }

    /// The caller hangs up.
    pub async fn hang_up(&self, leg: &str) -> Answered {
        let body = json!({
            "uuid": leg,
            "conversation_uuid": format!("CON-{leg}"),
            "direction": "inbound",
            "status": "completed",
            "duration": "7",
            "timestamp": now(),
        });
        self.post("/webhooks/event", &body).await
    }

    /// An agent says "free" or "away", with the operator's token.
    pub async fn says(&self, agent: &str, word: &str) -> Answered {
        let token = &self.board.secrets().operator_token;
        let path = format!("/agents/{agent}/{word}");
        self.send(
            self.request(reqwest::Method::POST, &path)
                .bearer_auth(token),
        )
        .await
    }

    /// Waits until the platform was asked to move this many legs, and says which, and where to.
    pub async fn transfers(&self, count: usize) -> Vec<Transfer> {
        eventually(|| async {
            let transfers = self.platform.transfers();
            (transfers.len() >= count).then_some(transfers)
        })
        .await
    }

    /// The script a leg was moved to.
    pub async fn moved(&self, leg: &str) -> Value {
        eventually(|| async {
            let transfers = self.platform.transfers();
            let last = transfers
                .into_iter()
                .rev()
                .find(|transfer| transfer.leg == leg)?;
            match last.to {
                Destination::Ncco(ncco) => Some(ncco),
                Destination::Url(url) => panic!("moved to {url}"),
            }
        })
        .await
    }

    /// Writes another plan into the file that the board watches.
    pub fn change_plan(&self, plan: &str) {
        std::fs::write(self.plan.path(), plan).unwrap();
    }

    /// Moves the board's clock on.
    pub fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// The legs that wait in a queue, longest first.
    pub async fn waiting(&self, queue: &str) -> Vec<String> {
        let waiting = self
            .board
            .store()
            .waiting(&queue.parse().unwrap(), None)
            .await
            .unwrap();
        waiting.into_iter().map(|one| one.leg.to_string()).collect()
    }

    /// What an agent is doing: `away`, `free`, `ringing`, `talking`, `resting`.
    pub async fn state(&self, agent: &str) -> String {
        let presences = self
            .board
            .store()
            .agents(&[agent.parse().unwrap()])
            .await
            .unwrap();
        let state = serde_json::to_value(presences[0].state(self.clock.now())).unwrap();
        state["state"].as_str().unwrap().to_owned()
    }
}

/// The body of an answer webhook.
pub fn incoming(line: &str, leg: &str) -> Value {
    json!({
        "to": line,
        "from": CALLER,
        "uuid": leg,
        "conversation_uuid": format!("CON-{leg}"),
        "endpoint_type": "phone",
    })
}

/// A moment, as Vonage writes it.
pub fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

/// The first action of a kind in a script.
pub fn action<'a>(ncco: &'a Value, kind: &str) -> &'a Value {
    let actions = ncco
        .as_array()
        .unwrap_or_else(|| panic!("no script: {ncco}"));
    let found = actions.iter().find(|action| action["action"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {ncco}"))
}

/// The kinds of a script's actions, in order.
pub fn kinds(ncco: &Value) -> Vec<&str> {
    let actions = ncco
        .as_array()
        .unwrap_or_else(|| panic!("no script: {ncco}"));
    actions
        .iter()
        .map(|action| action["action"].as_str().unwrap())
        .collect()
}

/// The number a script connects to.
pub fn rings(ncco: &Value) -> &str {
    let number = action(ncco, "connect")["endpoint"][0]["number"]
        .as_str()
        .unwrap();
    PhoneNumber::parse(number).unwrap();
    number
}

/// Asks again and again until there is an answer.
pub async fn eventually<T, Fut>(ask: impl Fn() -> Fut) -> T
where
    Fut: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .expect("it did not come about in time")
}
