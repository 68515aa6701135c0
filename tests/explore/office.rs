//! Runs one real handler up to the next request it makes, with what its earlier ones were answered.

use crate::table::{TABLE, canonical};
use crate::task::{Happening, Task, leg};
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use axum::Router;
use axum::body::Body;
use axum::http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use switchboard_shared::chain;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::Lookup;
use switchboard_shared::exchange::Exchange;
use switchboard_shared::job::{Job, JobQueue};
use switchboard_shared::plan::AgentName;
use switchboard_shared::plans::Plans;
use switchboard_shared::store::Store;
use switchboard_shared::vonage::{PrivateKey, Vonage, VonageConfig};
use switchboard_tests::fixtures;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tower::ServiceExt;

/// The lines, and the queues they lead to.
pub(crate) const LINES: [&str; 2] = ["447700900002", "447700900003"];

/// Two queues, and Alice serves both.
const PLAN: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "447700900002"
name = "Support"
flow = "support"

[[line]]
number = "447700900003"
name = "Sales"
flow = "sales"

[[agent]]
name = "alice"
phone = "447700900011"

[[agent]]
name = "bob"
phone = "447700900012"

[flow.support]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice", "bob"]
cool-down = "30s"
max-wait = "1h"
otherwise = "closed"

[flow.sales]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
cool-down = "30s"
max-wait = "1h"
otherwise = "closed"

[flow.closed]
type = "message"
say = "We are closed."
"#;

/// Who serves which queue of [`PLAN`].
pub(crate) const SERVED: [(&str, &[&str]); 2] =
    [("support", &["alice", "bob"]), ("sales", &["alice"])];

/// The phones of [`PLAN`]'s agents.
pub(crate) const PHONES: [(&str, &str); 2] = [("447700900011", "alice"), ("447700900012", "bob")];

/// What the clock shows at second 0 of every exploration.
pub(crate) const START: &str = "2026-01-01T12:00:00Z";

/// Requests of one client of Vonage's, which makes no more than fifteen in a second.
const PACE: usize = 15;

/// Patience of a client that is to be answered: longer than any machine stalls.
const PATIENT: Duration = Duration::from_secs(600);

/// Patience of a client that is not: shorter than the wait before a second attempt, so that there
/// is none.
const HASTY: Duration = Duration::from_millis(190);

/// How old a handler may be to be gone on with. Work that somebody listens for is given up after
/// 1.3 s; an older one is run anew, which takes milliseconds.
const FRESH: Duration = Duration::from_millis(400);

/// How often a run that came out otherwise than before is made again. Only a machine that stalls
/// within [`HASTY`] does that.
const RUNS: usize = 20;

/// What a handler asks of the outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// A request to the table.
    Table {
        /// Such as `GetItem`.
        operation: String,
        /// The request.
        body: String,
    },
    /// A job handed over.
    Job {
        /// The job.
        body: String,
        /// Seconds until it is due.
        delay: i64,
    },
    /// A request to Vonage.
    Vonage {
        /// The method.
        method: String,
        /// The leg it is about.
        leg: String,
        /// The request.
        body: String,
    },
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Reply {
    /// Status and body.
    Http(u16, String),
    /// The connection ends without an answer.
    NoAnswer,
}

/// One request of a handler that was answered, and what the clock showed then.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    pub(crate) ask: Ask,
    pub(crate) reply: Reply,
    pub(crate) at: i64,
}

/// Where a handler stands.
#[derive(Debug, Clone)]
pub(crate) enum Stand {
    /// It waits for the answer to this.
    Asks(Ask),
    /// It is done, with this script in reply; none where it says nothing.
    Says(Option<String>),
    /// It is done without having done it, and would be tried again.
    Failed(String),
}

/// Our side: all handlers, and the line on which their requests come out.
pub(crate) struct Office {
    runtime: tokio::runtime::Runtime,
    line: Arc<Line>,
    clock: Clock,
    answer: Router,
    event: Router,
    sdk: SdkConfig,
    plan: tempfile::NamedTempFile,
    vonage_url: String,
    clients: RefCell<HashMap<Duration, (Exchange, usize)>>,
}

/// Where requests come out.
struct Line {
    run: Mutex<Run>,
    parked: Notify,
    clock: Clock,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

/// A handler at work.
type Handler = Pin<Box<dyn Future<Output = Stand>>>;

/// A handler that waits for an answer.
pub(crate) struct Parked {
    handler: Handler,
    names: Names,
    answer: oneshot::Sender<Reply>,
    begun: Instant,
}

/// What comes of asking.
enum Asked {
    Known(Reply),
    Parked(oneshot::Receiver<Reply>),
}

/// One handler's run.
#[derive(Default)]
struct Run {
    past: VecDeque<Past>,
    parked: Option<(Ask, oneshot::Sender<Reply>)>,
    diverged: Option<String>,
    names: Names,
}

/// Offers have random ids. Here each has a name that says who made it, so that equal states look
/// equal.
#[derive(Default)]
struct Names {
    maker: u64,
    known: HashSet<String>,
    named: Vec<(String, String)>,
}

impl Names {
    /// A text comes in: its names are learned, and the handler is given its own ids back.
    fn come_in(&mut self, text: &str) -> String {
        self.known.extend(ids(text));
        let mut text = text.to_owned();
        for (real, name) in &self.named {
            text = text.replace(name, real);
        }
        text
    }

    /// A text goes out: what the handler made up is given a name.
    fn go_out(&mut self, text: &str) -> String {
        for id in ids(text) {
            if !self.known.contains(&id) && !self.named.iter().any(|(real, _)| *real == id) {
                let mut hasher = DefaultHasher::new();
                (self.maker, self.named.len()).hash(&mut hasher);
                let name = format!("{:016x}", hasher.finish());
                self.named.push((id, name));
            }
        }
        let mut text = text.to_owned();
        for (real, name) in &self.named {
            text = text.replace(real, name);
        }
        text
    }
}

/// The ids of offers in a text: 16 hex digits between quotes, or in a query.
fn ids(text: &str) -> Vec<String> {
    let mut parts = text.split(['"', '=', '&', '\\']);
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let is_id = |part: &&str| part.len() == 16 && part.bytes().all(hex);
    let mut found = Vec::new();
    while let Some(id) = parts.by_ref().find(is_id) {
        found.push(id.to_owned());
    }
    found
}

impl Line {
    /// A request comes out.
    fn ask(&self, mut ask: Ask) -> Asked {
        let mut run = self.run.lock().unwrap();
        let (Ask::Table { body, .. } | Ask::Job { body, .. } | Ask::Vonage { body, .. }) = &mut ask;
        *body = run.names.go_out(body);
        let Some(past) = run.past.pop_front() else {
            if run.parked.is_some() {
                run.diverged = Some(format!("two requests at once: {ask:?}"));
            }
            let (answer, answered) = oneshot::channel();
            run.parked = Some((ask, answer));
            self.parked.notify_one();
            return Asked::Parked(answered);
        };
        if past.ask != ask {
            run.diverged = Some(format!("{ask:?}\nwhere there was\n{:?}", past.ask));
        }
        self.clock.set(moment(past.at));
        Asked::Known(match past.reply {
            Reply::Http(status, body) => Reply::Http(status, run.names.come_in(&body)),
            Reply::NoAnswer => Reply::NoAnswer,
        })
    }
}

/// The moment of a second.
pub(crate) fn moment(second: i64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    start + jiff::SignedDuration::from_secs(second)
}

/// The AWS SDK's way out.
#[derive(Debug, Clone)]
struct Connector(Arc<Line>);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap().to_owned();
        let body = request.body().bytes().unwrap();
        let mut body: Value = serde_json::from_slice(body).unwrap();
        let operation = target.rsplit('.').next().unwrap().to_owned();
        let ask = if operation == "SendMessage" {
            Ask::Job {
                body: body["MessageBody"].as_str().unwrap().to_owned(),
                delay: body["DelaySeconds"].as_i64().unwrap_or_default(),
            }
        } else {
            // Made up for each request, for the SDK's own second attempts.
            body.as_object_mut().unwrap().remove("ClientRequestToken");
            in_order(&mut body);
            Ask::Table {
                operation,
                body: canonical(&body).to_string(),
            }
        };
        let response = |reply| match reply {
            Reply::Http(status, body) => {
                let status = u16::try_into(status).unwrap();
                Ok(HttpResponse::new(status, body.into()))
            }
            Reply::NoAnswer => panic!("the table always answers"),
        };
        match self.0.ask(ask) {
            Asked::Known(reply) => HttpConnectorFuture::ready(response(reply)),
            Asked::Parked(answered) => HttpConnectorFuture::new(async move {
                match answered.await {
                    Ok(reply) => response(reply),
                    Err(_) => std::future::pending().await,
                }
            }),
        }
    }
}

/// A call's attributes come out of a map in any order: here in one.
fn in_order(body: &mut Value) {
    match body {
        Value::Array(all) => all.iter_mut().for_each(in_order),
        Value::Object(fields) => {
            fields.values_mut().for_each(in_order);
            let update = fields.get("UpdateExpression").and_then(Value::as_str);
            let sets = update.and_then(|update| update.strip_prefix("SET "));
            if let Some(sets) =
                sets.filter(|sets| !sets.contains(['(', ')']) && !sets.contains(" REMOVE "))
            {
                let mut sets: Vec<_> = sets.split(", ").collect();
                sets.sort_unstable();
                let update = format!("SET {}", sets.join(", "));
                fields.insert("UpdateExpression".to_owned(), update.into());
            }
        }
        _ => {}
    }
}

/// One connection to Vonage.
async fn vonage(mut stream: TcpStream, line: Arc<Line>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let length = name.eq_ignore_ascii_case("content-length");
            length.then(|| value.trim().parse::<usize>().unwrap())
        });
        let length = length.unwrap_or(0);
        if bytes.len() >= end + 4 + length {
            break (head, String::from_utf8(bytes[end + 4..].to_vec()).unwrap());
        }
    };
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let ask = Ask::Vonage {
        method: method.to_owned(),
        leg: path.rsplit('/').next().unwrap().to_owned(),
        body,
    };
    match line.ask(ask) {
        Asked::Known(Reply::Http(status, body)) => {
            let reply = format!(
                "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-type: application/json\r\n\
                 content-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(reply.as_bytes()).await;
        }
        Asked::Known(Reply::NoAnswer) => {}
        // Until whoever waits is run anew.
        Asked::Parked(_) => {
            let _ = stream.read_buf(&mut bytes).await;
        }
    }
}

impl Office {
    pub(crate) fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let clock = Clock::standing(moment(0));
        let line = Arc::new(Line {
            run: Mutex::default(),
            parked: Notify::new(),
            clock: clock.clone(),
        });
        let vonage_url = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}", listener.local_addr().unwrap());
            let line = line.clone();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(vonage(stream, line.clone()));
                }
            });
            url
        });
        let plan = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(plan.path(), PLAN).unwrap();
        let sdk = sdk(line.clone());
        let path = plan.path().display().to_string();
        let mut lookup = Lookup::new(move |name| {
            Some(match name {
                "SWITCHBOARD_TABLE" => TABLE.to_owned(),
                "SWITCHBOARD_PLAN" => path.clone(),
                "SWITCHBOARD_BASE_URL" => "https://board.test".to_owned(),
                "SWITCHBOARD_ALLOW_UNSIGNED" => "true".to_owned(),
                "SWITCHBOARD_DISPATCH_QUEUE_URL" => "https://sqs.test/1/dispatch".to_owned(),
                "SWITCHBOARD_ARCHIVE_QUEUE_URL" => "https://sqs.test/1/archive".to_owned(),
                _ => return None,
            })
        })
        .with_clock(clock.clone());
        let answer = switchboard_answer::Answer::from_lookup(&mut lookup, &sdk);
        let event = switchboard_event::Events::from_lookup(&mut lookup, &sdk);
        let (answer, event) = lookup.finish(answer.zip(event)).unwrap();
        Self {
            runtime,
            line,
            clock,
            answer: switchboard_answer::router(answer),
            event: switchboard_event::router(event),
            sdk,
            plan,
            vonage_url,
            clients: RefCell::default(),
        }
    }

    /// Runs a handler through what is past, up to what comes next. Whoever waits there can be gone
    /// on with.
    pub(crate) fn run(&self, task: &Task, past: &[Past]) -> (Stand, Option<Parked>) {
        let mut why = String::new();
        for _ in 0..RUNS {
            match self.try_run(task, past) {
                Ok(stand) => return stand,
                Err(diverged) => why = diverged,
            }
        }
        panic!("{} does not do the same twice: {why}", task.words());
    }

    /// Goes on with a handler that waits for the table or the queue.
    pub(crate) fn go_on(
        &self,
        parked: Parked,
        reply: &Reply,
        at: i64,
    ) -> Result<(Stand, Option<Parked>), String> {
        let Parked {
            handler,
            mut names,
            answer,
            begun,
        } = parked;
        if begun.elapsed() > FRESH {
            return Err("it is as good as given up".to_owned());
        }
        let Reply::Http(status, body) = reply else {
            panic!("the table always answers")
        };
        let reply = Reply::Http(*status, names.come_in(body));
        *self.line.run.lock().unwrap() = Run {
            names,
            ..Run::default()
        };
        self.clock.set(moment(at));
        answer.send(reply).expect("the handler waits");
        self.advance(handler, begun)
    }

    fn try_run(&self, task: &Task, past: &[Past]) -> Result<(Stand, Option<Parked>), String> {
        let mut hasher = DefaultHasher::new();
        task.hash(&mut hasher);
        let mut names = Names {
            maker: hasher.finish(),
            ..Names::default()
        };
        if let Happening::Event { body, query, .. } = &task.what {
            names.come_in(body);
            names.come_in(query);
        }
        *self.line.run.lock().unwrap() = Run {
            past: past.iter().cloned().collect(),
            names,
            ..Run::default()
        };
        self.clock.set(moment(task.at));
        let doubt = past.iter().any(|past| past.reply == Reply::NoAnswer);
        let patience = if doubt { HASTY } else { PATIENT };
        let asked = past
            .iter()
            .filter(|past| matches!(past.ask, Ask::Vonage { .. }));
        let asked = asked.count();
        let exchange = self.exchange(patience, asked + 1);
        if let Some((_, used)) = self.clients.borrow_mut().get_mut(&patience) {
            *used += asked + 1;
        }
        let routers = (self.answer.clone(), self.event.clone());
        let handler = Box::pin(handle(task.what.clone(), routers, exchange));
        self.advance(handler, Instant::now())
    }

    /// Runs until the handler asks something new, or is done.
    fn advance(
        &self,
        mut handler: Handler,
        begun: Instant,
    ) -> Result<(Stand, Option<Parked>), String> {
        let stand = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.line.parked.notified() => None,
                stand = &mut handler => Some(stand),
            }
        });
        let mut run = self.line.run.lock().unwrap();
        if let Some(diverged) = run.diverged.take() {
            return Err(diverged);
        }
        if !run.past.is_empty() {
            return Err(format!("it asked less: {:?}", run.past));
        }
        Ok(match (stand, run.parked.take()) {
            // Given up in this very moment, since the machine stalled.
            (Some(_), Some(_)) => return Err("it was given up".to_owned()),
            (None, Some((ask, answer))) => {
                let parked = Parked {
                    handler,
                    names: std::mem::take(&mut run.names),
                    answer,
                    begun,
                };
                // Vonage's client is impatient by nature, and is run anew.
                let keep = !matches!(ask, Ask::Vonage { .. });
                (Stand::Asks(ask), keep.then_some(parked))
            }
            (Some(Stand::Says(script)), None) => {
                let script = script.map(|script| run.names.go_out(&script));
                (Stand::Says(script), None)
            }
            (Some(stand), None) => (stand, None),
            (None, None) => return Err("woken by nobody".to_owned()),
        })
    }

    /// The exchange behind a client of Vonage's that has requests left in this second.
    fn exchange(&self, patience: Duration, needed: usize) -> Exchange {
        let mut clients = self.clients.borrow_mut();
        if let Some((exchange, used)) = clients.get(&patience)
            && used + needed <= PACE
        {
            return exchange.clone();
        }
        let store = Store::new(aws_sdk_dynamodb::Client::new(&self.sdk), TABLE);
        let sqs = aws_sdk_sqs::Client::new(&self.sdk);
        let vonage = Vonage::new(VonageConfig {
            application_id: fixtures::APPLICATION_ID.to_owned(),
            private_key: PrivateKey::parse(fixtures::PRIVATE_KEY).unwrap(),
            api_url: Some(self.vonage_url.parse().unwrap()),
            budget: patience,
        });
        let exchange = Exchange {
            plans: Arc::new(Plans::new(Some(self.plan.path().to_owned()), store.clone())),
            store,
            vonage: vonage.unwrap(),
            jobs: JobQueue::new(sqs, "https://sqs.test/1/dispatch"),
            clock: self.clock.clone(),
        };
        clients.insert(patience, (exchange.clone(), 0));
        exchange
    }
}

/// Does what a handler does.
async fn handle(what: Happening, (answer, event): (Router, Router), exchange: Exchange) -> Stand {
    let name = |agent: &str| agent.parse::<AgentName>().unwrap();
    let done = match what {
        Happening::Call { caller, line } => {
            let body = json!({
                "to": LINES[line],
                "from": "447700900123",
                "uuid": leg(caller),
                "conversation_uuid": format!("CON-{}", leg(caller)),
            });
            return said(answer, "/webhooks/answer", body.to_string()).await;
        }
        Happening::Event { body, query, .. } => {
            let path = format!("/webhooks/event?{query}");
            return said(event, &path, body.to_string()).await;
        }
        Happening::Free(agent) => exchange.free(&name(agent)).await.map(drop),
        Happening::Away(agent) => exchange.away(&name(agent)).await.map(drop),
        Happening::Sweep => exchange.sweep().await,
        Happening::Job(body) => match serde_json::from_str(&body).unwrap() {
            Job::Pretend { call } => exchange.pretend(&call).await,
            Job::Look { agent } => exchange.look(&agent).await,
            Job::Gone { call } => exchange.gone(&call).await,
            Job::Begin { .. } => panic!("the table is never away here"),
            Job::Sweep => exchange.sweep().await,
            job => panic!("nobody here has a hotline, presses keys or is told: {job:?}"),
        },
    };
    match done {
        Ok(()) => Stand::Says(None),
        Err(error) => Stand::Failed(chain(&error)),
    }
}

async fn said(router: Router, path: &str, body: String) -> Stand {
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    let body = String::from_utf8(body.unwrap().to_vec()).unwrap();
    if status != 200 {
        return Stand::Failed(format!("{status} {body}"));
    }
    Stand::Says(Some(body).filter(|body| body != "[]"))
}

fn sdk(line: Arc<Line>) -> SdkConfig {
    let connector = Connector(line);
    let credentials = Credentials::new("explore", "explore", None, None, "explore");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(http_client_fn(move |_, _| {
            SharedHttpConnector::new(connector.clone())
        }))
        .build()
}
