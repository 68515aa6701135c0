//! The built Lambda binaries, as processes under a Runtime API: they answer as the board does.

mod metrics;
mod rotation;
mod tls;

use crate::envelope;
use crate::lambda::Lambda;
use crate::loopback::Loopback;
use crate::platform::{Content, Destination, RecordingFault, Reply};
use crate::shell::Shell;
use crate::webhook_signing::{Forgery, Signer};
use crate::world::{CALLER, PLAN, World, action, eventually, incoming, kinds, now, rings};
use aws_sdk_sqs::types::Message;
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_cli::environment::Environment;
use switchboard_shared::people::{LINK_WORKS, People};
use switchboard_shared::plan::Plan;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::script::SORRY;
use switchboard_shared::store::{self, Home, LedgerEvent, Store};
use switchboard_shared::webhook::Notice;
use switchboard_tests::binary::built;

/// The functions that answer HTTP, each with a route of its own and one of another function.
const HTTP: [(&str, &str, &str); 4] = [
    ("answer", "/webhooks/answer", "/webhooks/event"),
    ("event", "/webhooks/event", "/webhooks/recording"),
    ("recording", "/webhooks/recording", "/agentfree"),
    ("transfer", "/agentfree", "/webhooks/answer"),
];

/// The line whose queue Alice, Bob and Carol serve.
const SUPPORT: &str = "447700900002";

/// The line that rings Alice, then Bob.
const DIRECT: &str = "447700900003";

/// The line whose callers are moved by URL.
const BY_URL: &str = "447700900005";

/// The line where an agent is pretended to become free.
const TRIAL: &str = "447700900006";

/// The functions' table. The board has another one.
const TABLE: &str = "functions";

/// Where nothing listens: the port `discard`.
const NOBODY: &str = "http://127.0.0.1:9";

const ARCHIVE_QUEUE: &str = "SWITCHBOARD_ARCHIVE_QUEUE_URL";
const DISPATCH_QUEUE: &str = "SWITCHBOARD_DISPATCH_QUEUE_URL";

/// A place for functions: table and queues of their own, in the engines of a board. So the board
/// takes no part in what they do, and can be asked the same.
struct Cloud {
    world: World,
    store: Store,
    environment: Environment,
}

impl Cloud {
    async fn open() -> Self {
        let world = World::open().await;
        let (dynamodb, sqs) = {
            let engines = world.board.engines();
            (engines.dynamodb_client(), engines.sqs_client())
        };
        let mut environment = environment_beside(&world);
        environment.set("SWITCHBOARD_TABLE", TABLE);
        store::create_table(&dynamodb, TABLE).await.unwrap();
        for name in [ARCHIVE_QUEUE, DISPATCH_QUEUE] {
            let queue = name.to_ascii_lowercase();
            let created = sqs.create_queue().queue_name(queue).send().await.unwrap();
            environment.set(name, created.queue_url.unwrap());
        }
        Self {
            world,
            store: Store::new(dynamodb, TABLE),
            environment,
        }
    }

    fn start(&self, function: &str) -> Lambda {
        self.start_with(function, &[])
    }

    /// Starts a function with some variables changed; an empty one counts as none.
    fn start_with(&self, function: &str, changes: &[(&str, &str)]) -> Lambda {
        let mut environment = self.environment.clone();
        for (name, value) in changes {
            environment.set(name, *value);
        }
        Lambda::start(&built(function), environment.pairs().collect())
    }

    /// An operator's shell, who can ask the table and knows no secret.
    fn shell(&self) -> Shell {
        let ours = self.environment.pairs();
        ours.filter(|(name, _)| name.starts_with("AWS_") || name == "SWITCHBOARD_TABLE")
            .fold(Shell::new(), |shell, (name, value)| {
                shell.with(&name, value)
            })
    }

    /// Asks the board.
    async fn board(&self, asked: &Asked) -> Heard {
        let method = asked.method.parse().unwrap();
        let mut request = self.world.request(method, &asked.target());
        for (name, value) in &asked.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(asked.body.clone()).send().await.unwrap();
        let content_type = answer.headers().get("content-type");
        let content_type = content_type.map(|value| value.to_str().unwrap().to_owned());
        let status = answer.status().as_u16();
        Heard::of(status, content_type, &answer.bytes().await.unwrap())
    }

    /// Asks a function and the board the same. They must not differ; gives the function's answer.
    async fn both(&self, function: &Lambda, asked: &Asked) -> Heard {
        let (cloud, board) = (ask(function, asked).await, self.board(asked).await);
        self.same(&cloud, &board, &asked.target());
        cloud
    }

    /// The same but for the base of our URLs and for the dice that tell one promise from another.
    #[track_caller]
    fn same(&self, cloud: &Heard, board: &Heard, what: &str) {
        let plain = |heard: &Heard| {
            let base = self.world.board.url();
            let mut text = heard.body.to_string().replace(base, &gateway());
            if let Some(offer) = offer(&heard.body) {
                text = text.replace(offer, "0123456789abcdef");
            }
            let body = text.parse::<Value>().unwrap();
            (heard.status, heard.content_type.clone(), body)
        };
        assert_eq!(plain(cloud), plain(board), "{what}");
    }

    /// A webhook as Vonage signs it.
    fn signed(&self, asked: Asked) -> Asked {
        let token = asked.token(&self.world.signer);
        asked.bearer(&token)
    }

    /// A request as the operator sends it.
    fn operator(&self, asked: Asked) -> Asked {
        asked.bearer(&self.world.board.secrets().operator_token)
    }

    /// A call comes in at the answer function: what the caller hears.
    async fn call(&self, answer: &Lambda, line: &str, leg: &str) -> Value {
        let asked = Asked::post("/webhooks/answer", &incoming(line, leg));
        let heard = ask(answer, &self.signed(asked)).await;
        assert_eq!(heard.status, 200, "{heard:?}");
        heard.body
    }

    /// An agent says "free" to the transfer function.
    async fn says_free(&self, transfer: &Lambda, agent: &str) -> Value {
        let asked = Asked::post(&format!("/agents/{agent}/free"), &Value::Null);
        ask(transfer, &self.operator(asked)).await.body
    }

    /// Takes all that lies in one of the functions' queues. It stays hidden for five minutes.
    async fn taken(&self, queue: &str) -> Vec<Message> {
        let sqs = self.world.board.sqs();
        let mut all = Vec::new();
        loop {
            let received = sqs
                .receive_message()
                .queue_url(self.environment.get(queue).unwrap())
                .max_number_of_messages(10)
                .visibility_timeout(300)
                .send();
            let messages = received.await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return all;
            }
            all.extend(messages);
        }
    }

    /// The jobs in one of the functions' queues.
    async fn jobs(&self, queue: &str) -> Vec<Value> {
        let taken = self.taken(queue).await;
        let bodies = taken.iter().filter_map(|message| message.body.as_deref());
        bodies.map(|body| body.parse().unwrap()).collect()
    }

    /// Puts bodies into the archive queue, and takes them out as SQS hands them to the function.
    async fn queued(&self, bodies: &[String]) -> Value {
        for body in bodies {
            let url = self.environment.get(ARCHIVE_QUEUE).unwrap();
            let message = self.world.board.sqs().send_message().queue_url(url);
            message.message_body(body).send().await.unwrap();
        }
        let mut taken = self.taken(ARCHIVE_QUEUE).await;
        assert_eq!(taken.len(), bodies.len());
        taken.sort_by_key(|one| {
            bodies
                .iter()
                .position(|body| Some(body) == one.body.as_ref())
        });
        let mut batch = envelope::sqs_batch(QUEUE_ARN, bodies);
        for (record, message) in batch["Records"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .zip(taken)
        {
            record["messageId"] = json!(message.message_id);
            record["receiptHandle"] = json!(message.receipt_handle);
        }
        batch
    }

    /// A recording that was announced, and not archived yet.
    async fn announced(&self, id: &str, url: &str) {
        let notice = Notice {
            recording: id.parse().unwrap(),
            url: url.to_owned(),
            size: None,
            start: None,
            end: None,
        };
        let recording = Recording::noticed(notice, "{}".to_owned(), None, Timestamp::now());
        self.store.keep_recording(&recording).await.unwrap();
    }

    /// The time for a recording's next download has come.
    async fn is_due(&self, id: &str) {
        let mut recording = self.recording(id).await;
        recording.due = Timestamp::now();
        assert!(self.store.update_recording(&recording).await.unwrap());
    }

    async fn recording(&self, id: &str) -> Recording {
        let found = self.store.recording(&id.parse().unwrap()).await;
        found.unwrap().expect("the recording was announced")
    }

    async fn waiting(&self, queue: &str) -> Vec<String> {
        let waiting = self.store.waiting(&queue.parse().unwrap(), None).await;
        waiting
            .unwrap()
            .iter()
            .map(|one| one.leg.to_string())
            .collect()
    }

    async fn free(&self, agent: &str) {
        let agent = agent.parse().unwrap();
        self.store.free(&agent, Timestamp::now()).await.unwrap();
    }

    async fn state(&self, agent: &str) -> Value {
        let presences = self.store.agents(&[agent.parse().unwrap()]).await.unwrap();
        serde_json::to_value(presences[0].state(Timestamp::now())).unwrap()["state"].take()
    }

    /// A call begins and waits in a queue, without the answer function.
    async fn waits(&self, leg: &str, line: &str, queue: &str) {
        let at = Timestamp::now();
        let call = json!({
            "leg": leg,
            "conversation": format!("CON-{leg}"),
            "line": line,
            "at": at,
            "base": gateway(),
            "plan": Plan::parse(PLAN).plan.unwrap().version(),
            "place": { "queue": queue, "since": at, "entered": at },
        });
        let call = serde_json::from_value(call).unwrap();
        self.store.begin(&call).await.unwrap();
    }

    /// Nobody who is told what a function does learns who called, or how to pose as Vonage or us.
    #[track_caller]
    fn told_nobody(&self, functions: &[&Lambda]) {
        let key = self.environment.get("VONAGE_PRIVATE_KEY").unwrap();
        let secrets = [
            CALLER,
            &self.world.signer.secret,
            &self.world.board.secrets().operator_token,
            key.lines().nth(1).unwrap(),
            "Bearer",
        ];
        for function in functions {
            let output = function.output().to_string();
            for secret in secrets {
                assert!(!output.contains(secret), "{secret} in {output}");
            }
        }
    }
}

const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012:functions";

/// The variables of a function that works on a board's own table and queues.
fn environment_beside(world: &World) -> Environment {
    let board = world.board.environment().pairs();
    board.chain(world.board.engines().environment()).collect()
}

/// The base of our URLs behind API Gateway.
fn gateway() -> String {
    format!("https://{}", envelope::DOMAIN)
}

/// One HTTP request, to be sent to a function or to the board.
#[derive(Clone)]
struct Asked {
    method: &'static str,
    path: String,
    query: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// How API Gateway hands the body over; the board gets it as it is.
    base64: bool,
}

impl Asked {
    fn new(method: &'static str, target: &str, body: &[u8]) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
            base64: false,
        }
    }

    fn get(target: &str) -> Self {
        Self::new("GET", target, b"")
    }

    /// Posts JSON, or nothing.
    fn post(target: &str, body: &Value) -> Self {
        match body {
            Value::Null => Self::new("POST", target, b""),
            body => Self::new("POST", target, body.to_string().as_bytes())
                .header("content-type", "application/json"),
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    fn in_base64(mut self) -> Self {
        self.base64 = true;
        self
    }

    fn token(&self, signer: &Signer) -> String {
        match self.method {
            "GET" => signer.get(&self.query),
            _ => signer.post(&self.body),
        }
    }

    fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }
}

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq)]
struct Heard {
    status: u16,
    content_type: Option<String>,
    /// JSON, or the text as a JSON string.
    body: Value,
}

impl Heard {
    fn of(status: u16, content_type: Option<String>, body: &[u8]) -> Self {
        let text = || String::from_utf8(body.to_vec()).unwrap().into();
        Self {
            status,
            content_type,
            body: serde_json::from_slice(body).unwrap_or_else(|_| text()),
        }
    }

    /// The word for what went wrong.
    fn code(&self) -> &Value {
        &self.body["error"]["code"]
    }
}

/// Asks a function, as API Gateway does.
async fn ask(function: &Lambda, asked: &Asked) -> Heard {
    let headers = asked
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let event = envelope::api_gateway_v2(
        asked.method,
        &asked.path,
        &asked.query,
        &headers.collect::<Vec<_>>(),
        &asked.body,
        asked.base64,
    );
    let answer = function.invoke(event).await.unwrap();
    let (status, headers, body) = envelope::response_parts(&answer);
    let content_type = headers.into_iter().find(|(name, _)| name == "content-type");
    Heard::of(status, content_type.map(|(_, value)| value), &body)
}

/// The promise that a script names, if it does.
fn offer(ncco: &Value) -> Option<&str> {
    let actions = ncco.as_array()?;
    actions
        .iter()
        .find_map(|action| action["payload"]["offer"].as_str())
}

/// What Vonage sends when a script comes to its `notify`.
fn of_notify(ncco: &Value) -> Asked {
    let notify = action(ncco, "notify");
    let body = json!({
        "payload": notify["payload"],
        "conversation_uuid": "CON-1",
        "timestamp": "2026-01-01T12:00:20.000Z",
    });
    Asked::post(target(&notify["eventUrl"]), &body)
}

/// What Vonage sends about the leg that a script's `connect` made.
fn of_connect(ncco: &Value, status: &str, duration: Option<&str>) -> Asked {
    let connect = action(ncco, "connect");
    let mut body = json!({
        "uuid": "agent-leg",
        "conversation_uuid": "CON-agent",
        "from": connect["from"],
        "to": connect["endpoint"][0]["number"],
        "direction": "outbound",
        "status": status,
        "timestamp": "2026-01-01T12:00:02.000Z",
    });
    if let Some(duration) = duration {
        body["duration"] = json!(duration);
    }
    Asked::post(target(&connect["eventUrl"]), &body)
}

/// Path and query of an event URL.
fn target(urls: &Value) -> &str {
    let url = urls[0].as_str().unwrap();
    &url[url.find("/webhooks").unwrap()..]
}

/// What is kept of a call, but for the time and the base of our URLs.
async fn kept(store: &Store, leg: &str) -> Value {
    let call = store.call(&leg.parse().unwrap()).await.unwrap();
    let mut call = serde_json::to_value(call.expect("the call is kept")).unwrap();
    call["place"] = call["place"]["queue"].take();
    call["offer"] = call["offer"]["agent"].take();
    for changing in ["at", "base"] {
        call.as_object_mut().unwrap().remove(changing);
    }
    call
}

/// The events of a call, but for the time at which they came.
async fn ledger(store: &Store, leg: &str) -> Vec<LedgerEvent> {
    let events = store.events(&Home::Leg(leg.parse().unwrap())).await;
    let mut events = events.unwrap();
    for event in &mut events {
        event.heard.clear();
    }
    events
}

/// The messages that a function wants to see again, by their place in the batch.
fn failed(batch: &Value, answer: &Value) -> Vec<usize> {
    let records = batch["Records"].as_array().unwrap();
    let failures = answer["batchItemFailures"].as_array().unwrap();
    let place = |failure: &Value| {
        let id = &failure["itemIdentifier"];
        records.iter().position(|record| record["messageId"] == *id)
    };
    failures
        .iter()
        .map(|one| place(one).expect("it names a message of the batch"))
        .collect()
}

// Answers.

#[tokio::test]
async fn a_call_is_answered_and_kept_as_on_the_board_a_second_time_too() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    for (leg, line) in [
        ("a", SUPPORT),
        ("b", DIRECT),
        ("c", "447700900004"),
        ("d", BY_URL),
        ("e", "15550100"),
    ] {
        let mut body = incoming(line, leg);
        body["region_url"] = json!("https://api-eu-3.vonage.com");
        let asked = cloud.signed(Asked::post("/webhooks/answer", &body));
        let first = cloud.both(&answer, &asked).await;
        assert_eq!(first.status, 200, "{line}");
        assert_eq!(first.content_type.as_deref(), Some("application/json"));
        let again = cloud.both(&answer, &asked.in_base64()).await;
        assert_eq!(again, first, "{line}");
        let (ours, boards) = (
            kept(&cloud.store, leg),
            kept(cloud.world.board.store(), leg),
        );
        assert_eq!(ours.await, boards.await, "{line}");
    }
    assert_eq!(cloud.waiting("support").await, ["a"]);
}

#[tokio::test]
async fn a_query_with_repeats_and_percent_signs_reads_as_on_the_board() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    let asked = cloud.signed(Asked::get(
        "/webhooks/answer?to=447700900003&from=%2B44%207700+900123&uuid=leg-1&uuid=leg-2\
         &conversation_uuid=CON-1&custom_data=%7B%22name%22:%22a%26b%22,%22x%22:%5B%5D%7D\
         &region_url=https%3A%2F%2Fapi-eu-3.vonage.com&SipHeader_X-a=%C3%A9%3D&empty=&flag",
    ));
    let heard = cloud.both(&answer, &asked).await;
    assert_eq!(rings(&heard.body), "447700900011");
    let call = kept(&cloud.store, "leg-1").await;
    assert_eq!(call, kept(cloud.world.board.store(), "leg-1").await);
    assert_eq!(call["from"], "+44 7700 900123");
    assert!(
        call["region"]
            .as_str()
            .unwrap()
            .starts_with("https://api-eu-3.vonage.com")
    );
}

#[tokio::test]
async fn a_region_that_is_not_vonages_is_refused_as_on_the_board() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    let mut body = incoming(DIRECT, "leg-1");
    body["region_url"] = json!("https://nexmo.com.evil.example");
    let asked = cloud.signed(Asked::post("/webhooks/answer", &body));
    assert_eq!(cloud.both(&answer, &asked).await.status, 200);
    let call = kept(&cloud.store, "leg-1").await;
    assert_eq!(call, kept(cloud.world.board.store(), "leg-1").await);
    assert_eq!(call.get("region"), None);
    assert!(call["refused"].is_string(), "{call}");
}

#[tokio::test]
async fn our_urls_are_those_of_the_gateway_unless_a_base_url_is_set() {
    let cloud = Cloud::open().await;
    let set = [("SWITCHBOARD_BASE_URL", "https://set.example.com/calls/")];
    let (unset, set) = (cloud.start("answer"), cloud.start_with("answer", &set));
    let asked = |leg| cloud.signed(Asked::post("/webhooks/answer", &incoming(DIRECT, leg)));
    for (function, asked, base) in [
        (&unset, asked("a"), gateway()),
        (
            &unset,
            asked("b").header("host", "own.example.com"),
            "https://own.example.com".to_owned(),
        ),
        (&set, asked("c"), "https://set.example.com/calls".to_owned()),
    ] {
        let ncco = ask(function, &asked).await.body;
        let url = action(&ncco, "notify")["eventUrl"][0].as_str().unwrap();
        assert_eq!(url, format!("{base}/webhooks/event"));
        let url = action(&ncco, "connect")["eventUrl"][0].as_str().unwrap();
        assert!(url.starts_with(&format!("{base}/webhooks/event?")), "{url}");
    }
}

#[tokio::test]
async fn a_free_agent_is_rung_straight_from_the_answer_as_on_the_board() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    cloud.free("bob").await;
    cloud.world.says("bob", "free").await;
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(SUPPORT, "leg-1")));
    let heard = cloud.both(&answer, &asked).await;
    assert_eq!(rings(&heard.body), "447700900012");
    assert_eq!(cloud.both(&answer, &asked).await, heard);
    assert_eq!(cloud.state("bob").await, "ringing");
    let call = kept(&cloud.store, "leg-1").await;
    assert_eq!(call, kept(cloud.world.board.store(), "leg-1").await);
}

#[tokio::test]
async fn a_caller_moved_by_url_an_agents_leg_and_the_fallback_hear_what_they_hear_on_the_board() {
    let cloud = Cloud::open().await;
    let (answer, transfer) = (cloud.start("answer"), cloud.start("transfer"));
    let fallback = cloud.start("fallback");
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(BY_URL, "leg-1")));
    cloud.both(&answer, &asked).await;
    let free = cloud.operator(Asked::post("/agents/alice/free", &Value::Null));
    cloud.both(&transfer, &free).await;
    let transfers = cloud.world.transfers(2).await;
    assert!(
        matches!(&transfers[0].to, Destination::Url(url) if *url == format!("{}/webhooks/ncco/leg-1", gateway()))
    );
    let body = json!({ "uuid": "leg-1", "conversation_uuid": "CON-leg-1" });
    for (target, heard) in [
        ("/webhooks/ncco/leg-1", &["connect", "notify", "talk"][..]),
        ("/webhooks/ncco/nobody", &["talk"]),
        ("/webhooks/answer/agent/CON-leg-1/leg-1", &["talk"]),
        ("/webhooks/answer/agent/CON-x/nobody", &["talk"]),
        ("/webhooks/fallback", &["talk"]),
    ] {
        let function = match target {
            "/webhooks/fallback" => &fallback,
            _ => &answer,
        };
        let posted = cloud
            .both(function, &cloud.signed(Asked::post(target, &body)))
            .await;
        assert_eq!(kinds(&posted.body), heard, "{target}");
        let asked = Asked::get(&format!("{target}?uuid=leg-1&reason=Socket%20timeout."));
        let got = cloud.both(function, &cloud.signed(asked)).await;
        assert_eq!(got, posted, "{target}");
    }
    for target in ["/webhooks/ncco/a%23b", "/webhooks/answer/agent/a%20b/c"] {
        let heard = cloud.both(&answer, &cloud.signed(Asked::get(target))).await;
        assert_eq!((heard.status, heard.code()), (404, &json!("not-found")));
    }
}

#[tokio::test]
async fn the_fallback_speaks_with_no_setting_no_store_and_no_secret() {
    let fallback = Lambda::start(&built("fallback"), Vec::new());
    let asked = Asked::post("/webhooks/fallback", &incoming(SUPPORT, "leg-1"));
    let heard = ask(&fallback, &asked).await;
    assert_eq!((heard.status, kinds(&heard.body)), (200, vec!["talk"]));
}

// Events.

#[tokio::test]
async fn events_of_a_caller_on_hold_are_answered_and_kept_as_on_the_board() {
    let cloud = Cloud::open().await;
    let (answer, event) = (cloud.start("answer"), cloud.start("event"));
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(SUPPORT, "leg-1")));
    let hold = cloud.both(&answer, &asked).await.body;
    let of_leg = |status: &str, second: u8| {
        let body = json!({
            "uuid": "leg-1",
            "conversation_uuid": "CON-leg-1",
            "direction": "inbound",
            "from": null,
            "status": status,
            "timestamp": format!("2026-01-01T12:00:{second:02}.000Z"),
        });
        cloud.signed(Asked::post("/webhooks/event", &body))
    };
    let next = cloud.both(&event, &cloud.signed(of_notify(&hold))).await;
    assert_eq!(
        kinds(&next.body),
        ["stream", "notify", "stream", "notify", "talk"]
    );
    let query = "uuid=leg-1&conversation_uuid=CON-leg-1&status=ringing&status=answered\
         &timestamp=2026-01-01T11%3A59%3A59.000Z&headers=%7B%7D";
    let by_get = cloud.signed(Asked::get(&format!("/webhooks/event?{query}")));
    let input = json!({ "uuid": "leg-1", "dtmf": { "digits": "1", "timed_out": false } });
    for asked in [
        of_leg("answered", 1),
        of_leg("started", 0),
        of_leg("started", 0),
        of_leg("teleported", 2).in_base64(),
        by_get,
        cloud.signed(Asked::post("/webhooks/event", &input)),
        of_leg("completed", 30),
        of_leg("completed", 30),
    ] {
        let heard = cloud.both(&event, &asked).await;
        assert_eq!((heard.status, &heard.body), (200, &json!([])));
    }
    let ours = ledger(&cloud.store, "leg-1").await;
    assert_eq!(ours, ledger(cloud.world.board.store(), "leg-1").await);
    let words: Vec<_> = ours.iter().map(|event| event.word.as_str()).collect();
    let expected = [
        "ringing",
        "started",
        "answered",
        "teleported",
        "notify",
        "completed",
        "input",
    ];
    assert_eq!(words, expected);
    let call = kept(&cloud.store, "leg-1").await;
    assert_eq!(call, kept(cloud.world.board.store(), "leg-1").await);
    assert_eq!(call["ended"], "2026-01-01T12:00:30Z");
    let gone = json!({ "job": "gone", "call": "leg-1" });
    assert_eq!(cloud.jobs(DISPATCH_QUEUE).await, [gone.clone(), gone]);
}

#[tokio::test]
async fn a_connect_that_fails_is_answered_with_the_next_script_as_on_the_board() {
    let cloud = Cloud::open().await;
    let (answer, event) = (cloud.start("answer"), cloud.start("event"));
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(DIRECT, "leg-1")));
    let first = cloud.both(&answer, &asked).await.body;
    let busy = cloud.signed(of_connect(&first, "busy", None));
    let next = cloud.both(&event, &busy).await;
    assert_eq!(rings(&next.body), "447700900012");
    assert_eq!(cloud.both(&event, &busy).await, next, "told twice");
    let lost = cloud.both(&event, &cloud.signed(of_notify(&first))).await;
    assert_eq!(lost, next, "the event was lost");
    let timeout = cloud.signed(of_connect(&next.body, "timeout", None));
    let last = cloud.both(&event, &timeout).await.body;
    assert_eq!(last[0]["text"], "We are closed.");
    let ours = ledger(&cloud.store, "leg-1").await;
    assert_eq!(ours.len(), 3, "{ours:?}");
    assert_eq!(ours, ledger(cloud.world.board.store(), "leg-1").await);
}

#[tokio::test]
async fn an_agent_who_does_not_answer_loses_the_caller_no_place_in_the_cloud_either() {
    let cloud = Cloud::open().await;
    let (answer, event) = (cloud.start("answer"), cloud.start("event"));
    cloud.free("alice").await;
    cloud.world.says("alice", "free").await;
    let ours = cloud.call(&answer, SUPPORT, "leg-1").await;
    let boards = cloud.world.call(SUPPORT, "leg-1").await;
    let ours = ask(&event, &cloud.signed(of_connect(&ours, "busy", None))).await;
    let boards = cloud
        .board(&cloud.signed(of_connect(&boards, "busy", None)))
        .await;
    cloud.same(&ours, &boards, "busy");
    assert_eq!(kinds(&ours.body)[0], "stream");
    assert_eq!(cloud.waiting("support").await, ["leg-1"]);
    assert_eq!(cloud.state("alice").await, "resting");
}

// Recordings.

/// A notice that a recording lies at a URL.
fn notice(url: &str) -> Value {
    json!({
        "conversation_uuid": "CON-1",
        "recording_uuid": "recording-1",
        "recording_url": url,
        "start_time": "2026-01-01T12:00:00Z",
        "end_time": "2026-01-01T12:01:00Z",
        "size": "300000",
        "timestamp": "2026-01-01T12:01:01.000Z",
    })
}

#[tokio::test]
async fn a_recording_notice_is_kept_and_queued_as_it_comes_and_as_often() {
    let cloud = Cloud::open().await;
    let recording = cloud.start("recording");
    let url = "https://api.nexmo.com/v1/files/one";
    let asked = cloud.signed(Asked::post("/webhooks/recording", &notice(url)));
    let query = "conversation_uuid=CON-1&recording_uuid=recording-1&timestamp=x\
         &recording_url=https%3A%2F%2Fapi.nexmo.com%2Fv1%2Ffiles%2Fother";
    let by_get = cloud.signed(Asked::get(&format!("/webhooks/recording?{query}")));
    for asked in [asked.clone(), asked.in_base64(), by_get] {
        let heard = ask(&recording, &asked).await;
        assert_eq!((heard.status, heard.body), (200, json!([])));
    }
    let kept = cloud.recording("recording-1").await;
    assert_eq!(
        (kept.state, kept.notice.url.as_str()),
        (State::Pending, url)
    );
    assert_eq!(kept.notice.size, Some(300_000));
    let job = json!({ "recording": "recording-1" });
    assert_eq!(
        cloud.jobs(ARCHIVE_QUEUE).await,
        [job.clone(), job.clone(), job]
    );
    assert!(!recording.output().to_string().contains("/v1/files/"));
}

#[tokio::test]
async fn a_recording_noticed_by_the_function_is_archived_by_the_board() {
    let world = World::open().await;
    let environment = environment_beside(&world).pairs().collect();
    let recording = Lambda::start(&built("recording"), environment);
    let content = Content::Seeded {
        seed: 1,
        length: 300_000,
    };
    let url = world
        .platform
        .recording("one", content.clone(), "audio/mpeg");
    let asked = Asked::post("/webhooks/recording", &notice(&url));
    let token = asked.token(&world.signer);
    assert_eq!(ask(&recording, &asked.bearer(&token)).await.status, 200);
    let id = "recording-1".parse().unwrap();
    let archived = eventually(|| async {
        let found = world.board.store().recording(&id).await.unwrap();
        found.filter(|recording| recording.state == State::Archived)
    })
    .await;
    assert_eq!(archived.sha256, Some(content.sha256()));
}

// Agents.

#[tokio::test]
async fn agents_say_free_and_away_as_on_the_board() {
    let cloud = Cloud::open().await;
    let (answer, transfer) = (cloud.start("answer"), cloud.start("transfer"));
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(SUPPORT, "leg-1")));
    cloud.both(&answer, &asked).await;
    for (path, outcome) in [
        ("/agents/alice/free", "transferred"),
        ("/agents/alice/free", "engaged"),
        ("/agents/bob/free", "free"),
        ("/agents/bob/away", "away"),
    ] {
        let asked = cloud.operator(Asked::post(path, &Value::Null));
        let heard = cloud.both(&transfer, &asked).await;
        assert_eq!(
            (heard.status, &heard.body["outcome"]),
            (200, &json!(outcome))
        );
    }
    let transfers = cloud.world.platform.transfers();
    let [ours, boards] = &transfers[..] else {
        panic!("one by each: {}", transfers.len())
    };
    let script = |to: &Destination| match to {
        Destination::Ncco(ncco) => Heard::of(200, None, ncco.to_string().as_bytes()),
        Destination::Url(url) => panic!("moved to {url}"),
    };
    cloud.same(&script(&ours.to), &script(&boards.to), "the transfers");
    assert_eq!(ours.leg, "leg-1");
    assert_eq!(cloud.state("alice").await, "ringing");
    let unknown = cloud.operator(Asked::post("/agents/nobody/free", &Value::Null));
    assert_eq!(cloud.both(&transfer, &unknown).await.code(), "no-agent");
    for asked in [
        Asked::post("/agents/bob/free", &Value::Null),
        Asked::post("/agents/bob/free", &Value::Null).bearer("wrong"),
        Asked::post("/agents/nobody/away", &Value::Null),
    ] {
        let heard = cloud.both(&transfer, &asked).await;
        assert_eq!((heard.status, heard.code()), (401, &json!("unauthorized")));
    }
}

#[tokio::test]
async fn the_agents_page_shows_a_button_which_acts_as_on_the_board() {
    let cloud = Cloud::open().await;
    let transfer = cloud.start("transfer");
    let token = &cloud.world.board.secrets().operator_token;
    let page = cloud
        .both(&transfer, &Asked::get("/agentfree?agent=alice"))
        .await;
    assert_eq!(
        (page.status, page.content_type.as_deref()),
        (200, Some("text/html; charset=utf-8"))
    );
    assert!(page.body.as_str().unwrap().contains("<button"));
    assert_eq!(cloud.state("alice").await, "away", "looking does nothing");

    // API Gateway hands forms over in base64.
    let form = |agent: &str, body: &str| {
        Asked::new(
            "POST",
            &format!("/agentfree?agent={agent}"),
            body.as_bytes(),
        )
        .header("content-type", "application/x-www-form-urlencoded")
        .in_base64()
    };
    let told = cloud
        .both(&transfer, &form("alice", &format!("token={token}")))
        .await;
    assert_eq!(told.body["outcome"], "free");
    assert_eq!(cloud.state("alice").await, "free");
    let on_page = form("bob", &format!("token={token}")).header("accept", "text/html,*/*;q=0.8");
    let told = cloud.both(&transfer, &on_page).await;
    assert!(told.body.as_str().unwrap().contains("bob is free"));
    assert_eq!(
        cloud
            .both(&transfer, &form("carol", "token=wrong"))
            .await
            .status,
        401
    );
    assert_eq!(
        cloud
            .both(&transfer, &Asked::get("/agentfree"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn a_signed_link_lets_its_agent_in_as_on_the_board() {
    let cloud = Cloud::open().await;
    let transfer = cloud.start("transfer");
    let secret = cloud.world.signer.secret.clone();
    let mut lookup = switchboard_shared::config::Lookup::new(move |name| {
        (name == "VONAGE_SIGNATURE_SECRET").then(|| secret.clone())
    });
    let expires = Timestamp::now() + LINK_WORKS;
    let link = People::from_lookup(&mut lookup).link(&"alice".parse().unwrap(), expires);
    let link = link.unwrap();
    let query = format!("expires={}&signature={}", link.expires, link.signature);
    let page = Asked::get(&format!("/agentfree?agent=alice&{query}"));
    let page = cloud.both(&transfer, &page).await;
    assert!(
        !page.body.as_str().unwrap().contains("token"),
        "nothing to be typed"
    );
    for (agent, status) in [("alice", 200), ("bob", 401)] {
        let button = Asked::post(&format!("/agentfree?agent={agent}&{query}"), &Value::Null);
        assert_eq!(
            cloud.both(&transfer, &button).await.status,
            status,
            "{agent}"
        );
    }
}

// What is refused.

#[tokio::test]
async fn a_webhook_that_vonage_did_not_sign_for_us_is_refused_as_on_the_board() {
    let cloud = Cloud::open().await;
    for (name, path, _) in &HTTP[..3] {
        let function = cloud.start(name);
        let asked = Asked::post(path, &incoming(SUPPORT, "leg-1"));
        let forged = Forgery::ALL.iter().map(|forgery| {
            let token = cloud.world.signer.forged(*forgery, &asked.body);
            asked.clone().bearer(&token)
        });
        let by_get = Asked::get(&format!("{path}?to={SUPPORT}&uuid=leg-1"));
        for asked in forged.chain([asked.clone(), by_get]) {
            let heard = cloud.both(&function, &asked).await;
            assert_eq!(
                (heard.status, heard.code()),
                (401, &json!("unsigned")),
                "{name}"
            );
        }
        cloud.told_nobody(&[&function]);
    }
    assert!(
        cloud
            .store
            .call(&"leg-1".parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn what_does_not_read_is_too_large_or_has_no_page_is_refused_in_json_as_on_the_board() {
    let cloud = Cloud::open().await;
    let large = vec![b' '; 256 * 1024 + 1];
    for (name, path, others) in HTTP {
        let function = cloud.start(name);
        let signed = |method, body: &[u8]| cloud.signed(Asked::new(method, path, body));
        let mut refused = vec![
            (Asked::get("/"), 404, "not-found"),
            (Asked::get("/webhooks/answers?a=b"), 404, "not-found"),
            (signed("DELETE", b""), 405, "method"),
            (signed("PUT", b"{}"), 405, "method"),
            (signed("POST", &large), 413, "too-large"),
        ];
        if name != "transfer" {
            refused.extend([
                (signed("POST", b"not json"), 400, "unreadable"),
                (signed("POST", b"[]"), 400, "unreadable"),
                (signed("POST", b"\xff\x00").in_base64(), 400, "unreadable"),
                (signed("POST", b"{\"uuid\":\"a b\"}"), 400, "unreadable"),
            ]);
        }
        for (asked, status, code) in refused {
            let heard = cloud.both(&function, &asked).await;
            assert_eq!(
                (heard.status, heard.code()),
                (status, &json!(code)),
                "{name}"
            );
            assert_eq!(heard.content_type.as_deref(), Some("application/json"));
        }
        // What another function does, this one does not: as a page that is nowhere.
        let heard = ask(&function, &Asked::get(others)).await;
        assert_eq!(
            (heard.status, heard.code()),
            (404, &json!("not-found")),
            "{name}"
        );
        let health = cloud.both(&function, &Asked::get("/healthz")).await;
        assert_eq!((health.status, health.body), (200, json!("ok")), "{name}");
    }
}

// Something is away.

#[tokio::test]
async fn with_the_table_away_callers_hear_a_sentence_and_vonage_is_told_to_ask_again() {
    let cloud = Cloud::open().await;
    let away = [("AWS_ENDPOINT_URL_DYNAMODB", NOBODY)];
    let answer = cloud.start_with("answer", &away);
    assert_eq!(cloud.call(&answer, SUPPORT, "a").await[0]["text"], SORRY);
    assert_eq!(
        rings(&cloud.call(&answer, DIRECT, "b").await),
        "447700900011"
    );
    let event = json!({ "uuid": "a", "status": "completed" });
    for (name, asked) in [
        (
            "event",
            cloud.signed(Asked::post("/webhooks/event", &event)),
        ),
        (
            "recording",
            cloud.signed(Asked::post("/webhooks/recording", &notice("https://x"))),
        ),
        (
            "transfer",
            cloud.operator(Asked::post("/agents/bob/free", &Value::Null)),
        ),
    ] {
        let heard = ask(&cloud.start_with(name, &away), &asked).await;
        assert_eq!(
            (heard.status, heard.code()),
            (503, &json!("later")),
            "{name}"
        );
        assert!(!heard.body.to_string().contains("127.0.0.1"), "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_queued_is_kept_and_not_acknowledged() {
    let cloud = Cloud::open().await;
    let away = [
        ("AWS_ENDPOINT_URL_SQS", NOBODY),
        (ARCHIVE_QUEUE, NOBODY),
        (DISPATCH_QUEUE, NOBODY),
    ];
    let recording = cloud.start_with("recording", &away);
    let asked = Asked::post(
        "/webhooks/recording",
        &notice("https://api.nexmo.com/v1/files/x"),
    );
    let heard = ask(&recording, &cloud.signed(asked)).await;
    assert_eq!((heard.status, heard.code()), (503, &json!("later")));
    assert_eq!(cloud.recording("recording-1").await.state, State::Pending);
    cloud.waits("leg-1", SUPPORT, "support").await;
    let over = json!({ "uuid": "leg-1", "status": "completed", "timestamp": now() });
    let event = cloud.start_with("event", &away);
    let heard = ask(&event, &cloud.signed(Asked::post("/webhooks/event", &over))).await;
    assert_eq!((heard.status, heard.code()), (503, &json!("later")));
    assert_eq!(ledger(&cloud.store, "leg-1").await.len(), 1);
}

// Batches.

#[tokio::test]
async fn of_a_batch_of_recordings_those_that_failed_come_again_and_no_others() {
    let cloud = Cloud::open().await;
    let (archive, platform) = (cloud.start("archive"), &cloud.world.platform);
    let content = Content::Seeded {
        seed: 2,
        length: 300_000,
    };
    for id in ["good", "missing", "cut"] {
        let url = platform.recording(id, content.clone(), "audio/mpeg");
        cloud.announced(id, &url).await;
    }
    platform.spoil("missing", RecordingFault::Status(404), 1);
    platform.spoil("cut", RecordingFault::Cut(100_000), 1);
    cloud
        .announced("foreign", "https://nexmo.com.evil.example/v1/files/x")
        .await;
    let jobs = ["good", "missing", "", "cut", "foreign", "never-announced"];
    let jobs = jobs.map(|id| match id {
        "" => "{\"recordings\": []}".to_owned(),
        id => json!({ "recording": id }).to_string(),
    });
    let batch = cloud.queued(&jobs).await;
    let answer = archive.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [1, 2, 3]);

    let good = cloud.recording("good").await;
    assert_eq!((good.state, good.bytes), (State::Archived, Some(300_000)));
    assert_eq!(good.sha256, Some(content.sha256()));
    let object = cloud.world.board.archive().open(&good.key.unwrap()).await;
    let bytes = object.unwrap().body.collect().await.unwrap().to_vec();
    assert_eq!(Content::from(bytes).sha256(), content.sha256());
    for id in ["missing", "cut"] {
        let failed = cloud.recording(id).await;
        assert_eq!((failed.state, failed.attempts), (State::Pending, 1), "{id}");
        assert!(failed.reason.is_some(), "{id}");
        assert!(failed.key.is_none(), "{id}");
    }
    let foreign = cloud.recording("foreign").await;
    assert_eq!(
        foreign.state,
        State::Failed,
        "there is no use in asking again"
    );

    // At once they are not due: nobody asks Vonage.
    let asked = platform.requests().len();
    let answer = archive.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [1, 2, 3, 4]);
    assert_eq!(platform.requests().len(), asked);

    // They come again when they are, and Vonage has them now. What is archived is not fetched a
    // second time; what was given up goes the way of the dead letters.
    for id in ["missing", "cut"] {
        cloud.is_due(id).await;
    }
    let answer = archive.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [2, 4]);
    assert_eq!(platform.requests().len() - asked, 2);
    for id in ["missing", "cut"] {
        let archived = cloud.recording(id).await;
        assert_eq!(archived.sha256, Some(content.sha256()), "{id}");
    }
    assert!(!archive.output().to_string().contains("/v1/files/"));
    cloud.told_nobody(&[&archive]);
}

#[tokio::test]
async fn a_download_that_fails_comes_again_when_it_is_due_and_after_the_last_time_at_once() {
    let cloud = Cloud::open().await;
    let archive = cloud.start("archive");
    let nowhere = format!("{}/v1/files/none", cloud.world.platform.url());
    let waits = SignedDuration::from_secs(2);
    for (id, attempts, state, wait) in [
        ("last", 6, State::Failed, SignedDuration::ZERO),
        ("first", 0, State::Pending, waits),
    ] {
        cloud.announced(id, &nowhere).await;
        let mut recording = cloud.recording(id).await;
        recording.attempts = attempts;
        assert!(cloud.store.update_recording(&recording).await.unwrap());
        let job = json!({ "recording": id });
        let batch = cloud.queued(&[job.to_string()]).await;
        let before = Timestamp::now();
        let answer = archive.invoke(batch.clone()).await.unwrap();
        assert_eq!(failed(&batch, &answer), [0], "{id}");
        let recording = cloud.recording(id).await;
        assert_eq!(recording.state, state, "{id}");
        assert!(recording.due.duration_since(before) >= wait, "{id}");
        // Unless the function says otherwise, it stays hidden for five minutes.
        let again = eventually(|| async { cloud.jobs(ARCHIVE_QUEUE).await.pop() }).await;
        assert_eq!(again, job);
        let waited = Timestamp::now().duration_since(before);
        // SQS counts its seconds from when it was asked, and by a clock of its own.
        assert!(waited > wait / 2, "{id}: {waited}");
    }
}

#[tokio::test]
async fn of_a_batch_of_jobs_those_that_failed_come_again_and_no_others() {
    let cloud = Cloud::open().await;
    let (dispatch, platform) = (cloud.start("dispatch"), &cloud.world.platform);
    cloud.waits("looked", SUPPORT, "support").await;
    cloud.free("bob").await;
    cloud.waits("gone", BY_URL, "by-url").await;
    cloud
        .store
        .end(&"gone".parse().unwrap(), Timestamp::now())
        .await
        .unwrap();
    cloud.waits("pretended", TRIAL, "trial").await;
    let batch = envelope::sqs_batch(
        QUEUE_ARN,
        &[
            r#"{"job":"look","agent":"bob"}"#,
            r#"{"job":"call-grandmother"}"#,
            r#"{"job":"gone","call":"gone"}"#,
            "",
            r#"{"job":"pretend","call":"pretended"}"#,
            r#"{"job":"pretend","call":"never-called"}"#,
        ],
    );
    let answer = dispatch.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [1, 3]);
    let legs: Vec<_> = platform
        .transfers()
        .into_iter()
        .map(|one| one.leg)
        .collect();
    assert_eq!(legs, ["looked", "pretended"]);
    assert_eq!(cloud.state("bob").await, "ringing");
    assert_eq!(cloud.state("alice").await, "ringing");
    for queue in ["support", "by-url", "trial"] {
        assert_eq!(cloud.waiting(queue).await, [""; 0], "{queue}");
    }

    // Vonage says no: the job comes again, the caller keeps the place.
    cloud.waits("kept", SUPPORT, "support").await;
    cloud.free("carol").await;
    platform.fail(
        "/v1/calls",
        "PUT",
        Reply {
            status: 403,
            ..Reply::default()
        },
    );
    let batch = envelope::sqs_batch(QUEUE_ARN, &[r#"{"job":"look","agent":"carol"}"#]);
    let answer = dispatch.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [0]);
    assert_eq!(cloud.waiting("support").await, ["kept"]);
    let answer = dispatch.invoke(batch.clone()).await.unwrap();
    assert_eq!(failed(&batch, &answer), [0; 0]);
    assert_eq!(platform.transfers().len(), 3);
    cloud.told_nobody(&[&dispatch]);
}

#[tokio::test]
async fn the_schedule_finds_what_was_left_half_done() {
    let cloud = Cloud::open().await;
    let dispatch = cloud.start("dispatch");
    // Caller and agent who do not know of one another, and a recording whose message was lost.
    cloud.waits("leg-1", SUPPORT, "support").await;
    cloud.free("alice").await;
    cloud
        .announced("fresh", "https://api.nexmo.com/v1/files/x")
        .await;
    cloud
        .announced("lost", "https://api.nexmo.com/v1/files/y")
        .await;
    let mut lost = cloud.recording("lost").await;
    lost.due -= SignedDuration::from_mins(11);
    cloud.store.update_recording(&lost).await.unwrap();
    let answer = dispatch.invoke(envelope::scheduled()).await.unwrap();
    assert_eq!(answer, json!({ "swept": true }));
    assert_eq!(cloud.world.platform.transfers()[0].leg, "leg-1");
    assert_eq!(
        cloud.jobs(ARCHIVE_QUEUE).await,
        [json!({ "recording": "lost" })]
    );
}

#[tokio::test]
async fn an_event_that_is_no_batch_is_an_error_and_the_function_goes_on() {
    let cloud = Cloud::open().await;
    for name in ["archive", "dispatch"] {
        let function = cloud.start(name);
        let wrong = json!({ "Records": "none" });
        let error = function.invoke(wrong).await.unwrap_err().to_string();
        assert!(error.starts_with("the function failed"), "{error}");
        let empty = function.invoke(json!({ "Records": [] })).await.unwrap();
        assert_eq!(empty, json!({ "batchItemFailures": [] }), "{name}");
    }
}

// A whole call.

#[tokio::test]
async fn two_callers_and_an_agent_meet_in_the_cloud_without_a_board() {
    let cloud = Cloud::open().await;
    let [answer, event, transfer, dispatch] =
        ["answer", "event", "transfer", "dispatch"].map(|name| cloud.start(name));
    let hold = cloud.call(&answer, SUPPORT, "first").await;
    assert_eq!(kinds(&hold)[..2], ["talk", "stream"]);
    assert_eq!(cloud.says_free(&transfer, "alice").await["call"], "first");
    let ncco = cloud.world.moved("first").await;
    assert_eq!(rings(&ncco), "447700900011");
    cloud.call(&answer, SUPPORT, "second").await;
    for (status, duration, state) in [
        ("ringing", None, "ringing"),
        ("answered", None, "talking"),
        ("completed", Some("60"), "free"),
    ] {
        let heard = ask(&event, &cloud.signed(of_connect(&ncco, status, duration))).await;
        assert_eq!((heard.status, heard.body), (200, json!([])), "{status}");
        assert_eq!(cloud.state("alice").await, state);
    }
    // The queue brings the agent the next caller.
    let jobs: Vec<_> = cloud
        .jobs(DISPATCH_QUEUE)
        .await
        .iter()
        .map(Value::to_string)
        .collect();
    assert_eq!(jobs, [r#"{"job":"look","agent":"alice"}"#]);
    let batch = envelope::sqs_batch(QUEUE_ARN, &jobs);
    let answered = dispatch.invoke(batch).await.unwrap();
    assert_eq!(answered, json!({ "batchItemFailures": [] }));
    assert_eq!(rings(&cloud.world.moved("second").await), "447700900011");
    assert_eq!(kept(&cloud.store, "first").await["served"], "alice");
    assert_eq!(cloud.world.platform.transfers().len(), 2);
    cloud.told_nobody(&[&answer, &event, &transfer, &dispatch]);
}

// Settings.

#[tokio::test]
async fn the_plan_comes_from_the_table_where_no_file_is_named() {
    let cloud = Cloud::open().await;
    let from_table = [("SWITCHBOARD_PLAN", "")];
    let answer = cloud.start_with("answer", &from_table);
    let heard = cloud.call(&answer, DIRECT, "a").await;
    assert_eq!(heard[0]["text"], SORRY, "nobody pushed one yet");
    let plan = PLAN.replace("Putting you through.", "One moment.");
    let shell = cloud.shell();
    shell.write("switchboard.toml", &plan);
    shell.run(&["plan", "push", "--aws"]).await.fine();
    let heard = cloud.call(&answer, DIRECT, "b").await;
    assert_eq!(heard[0]["text"], "One moment.");
    assert_eq!(kept(&cloud.store, "b").await["plan"], version(&plan));
}

#[tokio::test]
async fn a_pushed_plan_is_for_new_calls_and_running_ones_keep_the_version_they_began_with() {
    let cloud = Cloud::open().await;
    let from_table = [("SWITCHBOARD_PLAN", "")];
    let start = |function| cloud.start_with(function, &from_table);
    let shell = cloud.shell();
    shell.write("switchboard.toml", PLAN);
    shell.run(&["plan", "push", "--aws"]).await.fine();
    let old = start("answer");
    let hold = cloud.call(&old, SUPPORT, "before").await;
    // Other music, and one agent less to look for.
    let plan = PLAN
        .replace("https://example.com/a.mp3", "https://example.com/new.mp3")
        .replace("https://example.com/b.mp3", "https://example.com/new.mp3");
    shell.write("switchboard.toml", &plan);
    shell.run(&["plan", "push", "--aws"]).await.fine();
    // A function that has read a plan goes by it for half a minute, which is tried where time can be
    // stopped: in `plans.rs`. One that starts now reads what was pushed.
    let (answer, event) = (start("answer"), start("event"));
    let music = |ncco: &Value| action(ncco, "stream")["streamUrl"][0].clone();
    let new = cloud.call(&answer, SUPPORT, "after").await;
    assert_eq!(music(&new), "https://example.com/new.mp3");
    assert_eq!(kept(&cloud.store, "after").await["plan"], version(&plan));
    // The music of both callers ends, and one function tells them apart.
    let next = async |hold| ask(&event, &cloud.signed(of_notify(hold))).await.body;
    assert_eq!(music(&next(&hold).await), "https://example.com/b.mp3");
    assert_eq!(music(&next(&new).await), "https://example.com/new.mp3");
    // Back again: calls of a version that was replaced have theirs as well.
    shell.run(&["plan", "rollback", "--aws"]).await.fine();
    let (answer, event) = (start("answer"), start("event"));
    let hold = cloud.call(&answer, SUPPORT, "back").await;
    assert_eq!(music(&hold), "https://example.com/a.mp3");
    assert_eq!(kept(&cloud.store, "back").await["plan"], version(PLAN));
    let next = ask(&event, &cloud.signed(of_notify(&new))).await.body;
    assert_eq!(music(&next), "https://example.com/new.mp3");
}

fn version(plan: &str) -> String {
    Plan::parse(plan).plan.unwrap().version().to_owned()
}

/// A Secrets Manager that holds one secret text, whatever it is asked for.
fn secrets_manager(secret: &str) -> Loopback {
    let answer = json!({ "Name": "switchboard", "SecretString": secret });
    Loopback::serve(Router::new().fallback(move || async move { Json(answer) }))
}

#[tokio::test]
async fn secrets_come_from_the_secret_store_and_variables_win_over_it() {
    let cloud = Cloud::open().await;
    let signer = &cloud.world.signer;
    let asked = cloud.signed(Asked::post("/webhooks/answer", &incoming(DIRECT, "leg-1")));
    let secret = |secret: &str| json!({ "VONAGE_SIGNATURE_SECRET": secret }).to_string();
    for (stored, set, status) in [
        (signer.secret.as_str(), "", 200),
        ("another secret", signer.secret.as_str(), 200),
        (signer.secret.as_str(), "another secret", 401),
    ] {
        let manager = secrets_manager(&secret(stored));
        let answer = cloud.start_with(
            "answer",
            &[
                ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &manager.url()),
                (
                    "SWITCHBOARD_SECRET_ARN",
                    "arn:aws:secretsmanager:eu-west-1:1:secret:s",
                ),
                ("VONAGE_SIGNATURE_SECRET", set),
            ],
        );
        assert_eq!(ask(&answer, &asked).await.status, status);
    }
    let manager = secrets_manager("hush, not JSON");
    let answer = cloud.start_with(
        "answer",
        &[
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &manager.url()),
            (
                "SWITCHBOARD_SECRET_ARN",
                "arn:aws:secretsmanager:eu-west-1:1:secret:s",
            ),
        ],
    );
    let error = answer.ready().await.unwrap_err().to_string();
    assert!(
        error.contains("arn:aws:secretsmanager:eu-west-1:1:secret:s"),
        "{error}"
    );
    assert!(!error.contains("hush"), "{error}");
}

/// The variables that a function which did not start calls missing.
async fn missing(function: &Lambda) -> Vec<String> {
    let error = function.ready().await.unwrap_err().to_string();
    let words: Vec<_> = error.split_whitespace().collect();
    let named = words
        .windows(4)
        .filter(|words| words[1..] == ["is", "not", "set"]);
    let mut named: Vec<_> = named.map(|words| words[0].to_owned()).collect();
    named.sort();
    named
}

#[tokio::test]
async fn a_function_without_its_settings_says_all_that_is_missing_and_does_not_start() {
    let application = "VONAGE_APPLICATION_ID";
    let secret = "VONAGE_SIGNATURE_SECRET";
    let key = "VONAGE_PRIVATE_KEY";
    let table = "SWITCHBOARD_TABLE";
    for (name, needs) in [
        ("answer", &[DISPATCH_QUEUE, table, application, secret][..]),
        (
            "event",
            &[ARCHIVE_QUEUE, DISPATCH_QUEUE, table, application, secret],
        ),
        ("recording", &[ARCHIVE_QUEUE, table, application, secret]),
        ("transfer", &[DISPATCH_QUEUE, table, application, key]),
        (
            "archive",
            &[ARCHIVE_QUEUE, "SWITCHBOARD_BUCKET", table, application, key],
        ),
        (
            "dispatch",
            &[ARCHIVE_QUEUE, DISPATCH_QUEUE, table, application, key],
        ),
    ] {
        let nothing = Lambda::start(&built(name), Vec::new());
        assert_eq!(missing(&nothing).await, needs, "{name}");
        let rest = needs[1..]
            .iter()
            .map(|name| ((*name).to_owned(), "x".to_owned()));
        let but_one = Lambda::start(&built(name), rest.collect());
        assert_eq!(missing(&but_one).await, needs[..1], "{name}");
    }
}

#[tokio::test]
async fn settings_that_are_wrong_are_told_by_name_and_no_secret_is_shown() {
    let key = crate::fixtures::PRIVATE_KEY;
    let cut: String = key.lines().take(5).collect::<Vec<_>>().join("\n");
    let public = crate::fixtures::PUBLIC_KEY;
    for name in ["transfer", "archive", "dispatch"] {
        for wrong in ["hushhushhush", &cut, public] {
            let environment = [
                ("VONAGE_PRIVATE_KEY", wrong),
                ("VONAGE_SIGNATURE_SECRET", "whisper"),
                ("SWITCHBOARD_API_TOKENS", "murmur"),
            ];
            let environment = environment.map(|(n, value)| (n.to_owned(), value.to_owned()));
            let function = Lambda::start(&built(name), environment.to_vec());
            let error = function.ready().await.unwrap_err().to_string();
            assert!(error.contains("VONAGE_PRIVATE_KEY: "), "{error}");
            assert!(error.contains("SWITCHBOARD_TABLE is not set"), "{error}");
            assert_eq!(
                error.contains("SWITCHBOARD_API_TOKENS: "),
                name == "transfer",
                "{error}"
            );
            let line = wrong.lines().nth(1).unwrap_or(wrong);
            for secret in [line, "whisper", "murmur"] {
                assert!(!error.contains(secret), "{secret} in {error}");
            }
        }
    }
    let environment = [
        ("SWITCHBOARD_ALLOW_UNSIGNED", "perhaps"),
        ("SWITCHBOARD_BASE_URL", "ftp://x"),
        ("VONAGE_API_URL", "nowhere"),
    ];
    let environment = environment.map(|(n, value)| (n.to_owned(), value.to_owned()));
    let answer = Lambda::start(&built("answer"), environment.to_vec());
    let error = answer.ready().await.unwrap_err().to_string();
    for name in [
        "SWITCHBOARD_ALLOW_UNSIGNED",
        "SWITCHBOARD_BASE_URL",
        "VONAGE_API_URL",
    ] {
        assert!(error.contains(name), "{name} is not in {error}");
    }
}
