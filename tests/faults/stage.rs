//! A world in which every request goes over a wire: between the board and its engines, and between
//! the board and Vonage.

use crate::platform::Platform;
use crate::wire::{Spoil, Wire};
use crate::world::{Answered, World, eventually, incoming, kinds};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use switchboard_cli::cloud::Endpoints;
use switchboard_cli::engines::Engines;
use switchboard_cli::environment::Environment;
use switchboard_dispatch::{Dispatch, OVERDUE};
use switchboard_shared::archive::Archive;
use switchboard_shared::aws::Waits;
use switchboard_shared::config::Lookup;
use switchboard_shared::id::LegId;
use switchboard_shared::plan::AgentName;
use switchboard_shared::store::{Home, Store};

/// What is late on the way to an engine: later than one attempt of a webhook's request may take.
const ENGINE_LATE: Duration = Duration::from_millis(1_000);

/// What is late on the way to Vonage: later than one attempt may take.
const VONAGE_LATE: Duration = Duration::from_millis(3_200);

/// How often Vonage asks a webhook that says 503, or does not answer.
const ATTEMPTS: usize = 2;

/// How long jobs may take that were handed over: some looks of the board at its queues. Longer only
/// where they wait for something that is late; then the sweep does what they would have done. Longer than
/// the second after which the trial's agent is pretended to be free: such a job comes on the dot, and
/// must not come in the moment in which the clock is moved.
const JOBS: Duration = Duration::from_millis(1_500);

/// How long nothing is asked of S3 or Vonage when nobody is at a recording: longer than the hashing of
/// a part takes, and a look at the queue.
const REST: Duration = Duration::from_millis(1_000);

/// How long nothing is asked of DynamoDB or Vonage when no job is being done: longer than what went
/// wrong is left alone before it is tried again, which is 800 ms after Vonage's second 429.
const QUIET: Duration = Duration::from_millis(1_000);

/// How often it is looked whether they are done.
const LOOK: Duration = Duration::from_millis(20);

/// Every kind of line, and two agents.
pub(crate) const PLAN: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "447700900001"
name = "Closed"
flow = "closed"

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
agents = ["alice", "bob"]
connect-say = "Here we go."
cool-down = "30s"
max-wait = "20m"
otherwise = "closed"

[flow.by-url]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
transfer = "url"
max-wait = "20m"
otherwise = "closed"

[flow.trial]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice"]
free-after = "1s"
max-wait = "20m"
otherwise = "closed"
"#;

/// The queues of [`PLAN`].
pub(crate) const QUEUES: [&str; 3] = ["support", "by-url", "trial"];

/// The agents of [`PLAN`].
pub(crate) const AGENTS: [&str; 2] = ["alice", "bob"];

/// The wires of a stage, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    DynamoDb,
    Sqs,
    S3,
    Vonage,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::DynamoDb, Self::Sqs, Self::S3, Self::Vonage];
}

/// What a webhook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// A call has come in: somebody listens, and there is nothing to fall back on.
    Answer,
    /// A script, or the leave to go on.
    Reply,
    /// A script.
    Script,
    /// To be known.
    Nothing,
    /// To be known, and kept elsewhere than among the events of a call.
    Kept,
}

/// What was seen while a case ran.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// What must not happen.
    pub(crate) wrong: Vec<String>,
    /// Events that were acknowledged, by the leg they are kept with.
    acknowledged: Vec<(String, Value)>,
    /// Webhooks that Vonage gave up after its last attempt.
    pub(crate) given_up: usize,
    /// Longest answer to a call that came in.
    pub(crate) slowest_answer: Duration,
    /// Longest answer to anything else somebody listens to.
    pub(crate) slowest_reply: Duration,
}

/// A world on wires.
pub(crate) struct Stage {
    pub(crate) world: World,
    /// The table, beside the wire.
    pub(crate) store: Store,
    /// The bucket, beside the wire.
    pub(crate) archive: Archive,
    engines: Arc<Engines>,
    sweeper: Dispatch,
    bucket: String,
    wires: [(Way, Wire); 4],
    /// What was asked for over each wire until it was mended in this case.
    before_mended: Mutex<Vec<(Way, Vec<String>)>>,
    /// Jobs sent in this case that nobody waits for any more.
    late_jobs: AtomicUsize,
    seen: Mutex<Seen>,
}

impl Stage {
    /// A board of its own on engines that it shares with other boards.
    pub(crate) async fn open(engines: Arc<Engines>) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let platform = Platform::start();
        let wires = [
            (Way::DynamoDb, engines.dynamodb_url().to_owned()),
            (Way::Sqs, engines.sqs_url().to_owned()),
            (Way::S3, engines.s3_url().to_owned()),
            (Way::Vonage, platform.url()),
        ]
        .map(|(way, url)| {
            let late = if way == Way::Vonage {
                VONAGE_LATE
            } else {
                ENGINE_LATE
            };
            (way, Wire::to(&url, late))
        });
        let url = |way| wires.iter().find(|(one, _)| *one == way).unwrap().1.url();
        let (table, bucket) = (format!("table-{number}"), format!("bucket-{number}"));
        let mut settings = vec![
            ("AWS_ENDPOINT_URL_DYNAMODB", url(Way::DynamoDb)),
            ("AWS_ENDPOINT_URL_SQS", url(Way::Sqs)),
            ("AWS_ENDPOINT_URL_S3", url(Way::S3)),
            ("VONAGE_API_URL", url(Way::Vonage)),
            ("SWITCHBOARD_TABLE", table.clone()),
            ("SWITCHBOARD_BUCKET", bucket.clone()),
        ];
        for (name, queue) in [
            ("SWITCHBOARD_ARCHIVE_QUEUE_URL", "archive"),
            ("SWITCHBOARD_DISPATCH_QUEUE_URL", "dispatch"),
        ] {
            let queue = engines
                .sqs_client()
                .create_queue()
                .queue_name(format!("{queue}-{number}"));
            settings.push((name, queue.send().await.unwrap().queue_url.unwrap()));
        }
        let settings = settings
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value));
        let world = World::start(PLAN, None, settings.collect(), platform).await;
        let stage = Self {
            store: Store::new(engines.dynamodb_client(), table),
            archive: Archive::new(engines.s3_client(), &bucket),
            sweeper: sweeper(&engines, &world).await,
            engines,
            world,
            bucket,
            wires,
            before_mended: Mutex::default(),
            late_jobs: AtomicUsize::new(0),
            seen: Mutex::default(),
        };
        stage.started().await;
        stage
    }

    /// Waits until the sweep is over with which a board starts: it looks at each agent twice, and
    /// nobody else looks at agents.
    async fn started(&self) {
        eventually(|| async {
            let operations = self.wire(Way::DynamoDb).operations();
            let looks = operations.iter().filter(|one| *one == "BatchGetItem");
            (looks.count() >= 2 * AGENTS.len()).then_some(())
        })
        .await;
        self.jobs_done().await;
    }

    pub(crate) fn wire(&self, way: Way) -> &Wire {
        &self.wires.iter().find(|(one, _)| *one == way).unwrap().1
    }

    /// Another case begins: nothing has been seen, nothing goes wrong, and every agent is away.
    pub(crate) async fn clear(&self) {
        self.mend();
        for agent in AGENTS {
            self.store.away(&name(agent)).await.unwrap();
        }
        *self.seen.lock().unwrap() = Seen::default();
        self.wires.iter().for_each(|(_, wire)| wire.clear());
        self.before_mended.lock().unwrap().clear();
        self.late_jobs.store(0, Ordering::Relaxed);
    }

    /// Everything gets through again.
    pub(crate) fn mend(&self) {
        self.wires.iter().for_each(|(_, wire)| wire.mend());
        let mut before = self.before_mended.lock().unwrap();
        if before.is_empty() {
            let operations = |(way, wire): &(Way, Wire)| (*way, wire.operations());
            *before = self.wires.iter().map(operations).collect();
        }
    }

    /// The operations asked for over a wire while something could have gone wrong with them: up to
    /// the first [`mend`](Self::mend) of the case. After it the clock goes far, and the board sweeps.
    pub(crate) fn at_risk(&self, way: Way) -> Vec<String> {
        let before = self.before_mended.lock().unwrap();
        let found = before.iter().find(|(of, _)| *of == way);
        found.map(|(_, operations)| operations.clone()).unwrap()
    }

    pub(crate) fn spoil(&self, way: Way, spoil: Spoil) {
        self.wire(way).spoil(spoil);
    }

    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Webhooks that Vonage gave up.
    pub(crate) fn given_up(&self) -> usize {
        self.seen.lock().unwrap().given_up
    }

    pub(crate) fn wrong(&self, what: String) {
        self.seen.lock().unwrap().wrong.push(what);
    }

    /// The address of a file as the board is told it: over the wire.
    pub(crate) fn over_wire(&self, url: &str) -> String {
        url.replace(&self.world.platform.url(), &self.wire(Way::Vonage).url())
    }

    /// Tells the board something as Vonage does: once more after a 503, or no answer; then the
    /// fallback, where it wants a script. Gives the script to go on with, if any. What comes
    /// otherwise than promised is noted.
    pub(crate) async fn tell(
        &self,
        kept_with: &str,
        url: &str,
        body: &Value,
        wants: Wants,
    ) -> Option<Value> {
        for _ in 0..ATTEMPTS {
            let asked = Instant::now();
            let Answered { status, body: said } = self.world.post(url, body).await;
            let took = asked.elapsed();
            {
                let mut seen = self.seen.lock().unwrap();
                let slowest = match wants {
                    Wants::Answer => &mut seen.slowest_answer,
                    _ => &mut seen.slowest_reply,
                };
                *slowest = took.max(*slowest);
            }
            match status {
                200 => {
                    let event = matches!(wants, Wants::Reply | Wants::Nothing);
                    if event {
                        let event = (kept_with.to_owned(), body.clone());
                        self.seen.lock().unwrap().acknowledged.push(event);
                    }
                    return self.script(url, said, wants);
                }
                503 if wants != Wants::Answer => {}
                other => self.wrong(format!("{} got {other}", path(url))),
            }
        }
        self.seen.lock().unwrap().given_up += 1;
        if matches!(wants, Wants::Nothing | Wants::Kept) {
            return None;
        }
        let mut body = body.clone();
        body["reason"] = json!("Invalid response code.");
        body["original_request"] = json!({ "url": url, "type": "event" });
        let Answered { status, body: said } = self.world.post("/webhooks/fallback", &body).await;
        if status != 200 {
            self.wrong(format!("the fallback got {status}"));
            return None;
        }
        self.script("/webhooks/fallback", said, Wants::Script)
    }

    /// What is said must be something to hear, or leave to go on where that will do.
    fn script(&self, url: &str, said: Value, wants: Wants) -> Option<Value> {
        let actions = said.as_array().is_some_and(|actions| !actions.is_empty());
        match (wants, actions) {
            (Wants::Nothing | Wants::Kept, _) | (Wants::Reply, false) => return None,
            (_, false) => {
                self.wrong(format!("{} said nothing: {said}", path(url)));
                return None;
            }
            (_, true) => {}
        }
        let kinds = kinds(&said);
        if !["talk", "stream", "connect"]
            .iter()
            .any(|kind| kinds.contains(kind))
        {
            self.wrong(format!("{} gave nothing to hear: {kinds:?}", path(url)));
        }
        Some(said)
    }

    /// Somebody calls a line: what they hear.
    pub(crate) async fn answer(&self, line: &str, leg: &str) -> Value {
        let said = self
            .tell(leg, "/webhooks/answer", &incoming(line, leg), Wants::Answer)
            .await;
        said.unwrap_or_else(|| json!([]))
    }

    /// An agent says a word, again if it is not heard. True when it was.
    pub(crate) async fn says(&self, agent: &str, word: &str) -> bool {
        let said = self.world.says(agent, word).await;
        match said.status {
            200 => true,
            502 | 503 => false,
            other => {
                self.wrong(format!("{agent} said {word} and got {other}"));
                false
            }
        }
    }

    /// Waits until as many jobs were deleted as were sent, or [`JOBS`] is over: those that are for
    /// later or have failed come by themselves, or the sweep does what they would have done.
    pub(crate) async fn jobs_done(&self) {
        let left = || {
            let operations = self.wire(Way::Sqs).operations();
            let count = |name| operations.iter().filter(|one| *one == name).count();
            count("SendMessage").saturating_sub(count("DeleteMessage"))
        };
        let late = self.late_jobs.load(Ordering::Relaxed);
        let started = Instant::now();
        while left() > late && started.elapsed() < JOBS {
            tokio::time::sleep(LOOK).await;
        }
        self.late_jobs.store(left(), Ordering::Relaxed);
    }

    /// Waits until nobody is at a recording any more: nothing is under way to S3 or to Vonage, and
    /// nothing more comes. Time that goes by for the board must not go by for work that is real.
    pub(crate) async fn recordings_rest(&self) {
        self.at_rest([Way::S3, Way::Vonage], REST).await;
    }

    /// Waits until nothing is under way, and nothing more comes for a time.
    async fn at_rest(&self, ways: [Way; 2], rest: Duration) {
        let ways = ways.map(|way| self.wire(way));
        let count = || ways.map(|wire| wire.operations().len());
        let (mut seen, mut since) = (count(), Instant::now());
        while since.elapsed() < rest {
            tokio::time::sleep(LOOK).await;
            if ways.iter().any(|wire| wire.is_busy()) || count() != seen {
                (seen, since) = (count(), Instant::now());
            }
        }
    }

    /// Time goes by, and the schedule's sweep with it.
    pub(crate) async fn later(&self, seconds: i64) {
        // A job that comes by itself may have come just now. No promise runs out within the
        // milliseconds in which it is made known to Vonage.
        if self.late_jobs.load(Ordering::Relaxed) > 0 {
            self.at_rest([Way::DynamoDb, Way::Vonage], QUIET).await;
        }
        self.world.clock.advance(SignedDuration::from_secs(seconds));
        if let Err(error) = self.sweeper.sweep(OVERDUE).await {
            self.wrong(format!(
                "the sweep did not end: {}",
                switchboard_shared::chain(&error)
            ));
        }
    }

    /// The functions' queues, beside the wire.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        self.engines.sqs_client()
    }

    /// `dispatch`, beside the wires.
    pub(crate) fn dispatch(&self) -> &Dispatch {
        &self.sweeper
    }

    /// What leads a process to the engines, over the wires.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut environment = self.engines.environment();
        for (way, name) in [
            (Way::DynamoDb, "AWS_ENDPOINT_URL_DYNAMODB"),
            (Way::Sqs, "AWS_ENDPOINT_URL_SQS"),
            (Way::S3, "AWS_ENDPOINT_URL_S3"),
        ] {
            environment.push((name.to_owned(), self.wire(way).url()));
        }
        environment
    }

    /// What an agent is doing: `away`, `free`, `ringing`, `talking`, `resting`.
    pub(crate) async fn state(&self, agent: &str) -> String {
        let presences = self.store.agents(&[name(agent)]).await.unwrap();
        let state = serde_json::to_value(presences[0].state(self.world.clock.now())).unwrap();
        state["state"].as_str().unwrap().to_owned()
    }

    /// Acknowledged events that are not in the ledger.
    pub(crate) async fn not_kept(&self) -> Vec<String> {
        let acknowledged = std::mem::take(&mut self.seen.lock().unwrap().acknowledged);
        let mut missing = Vec::new();
        for (leg, event) in acknowledged {
            let home = Home::Leg(LegId::new(leg).unwrap());
            let kept = self.store.events(&home).await.unwrap();
            let there = kept
                .iter()
                .any(|one| serde_json::from_str::<Value>(&one.body).unwrap() == event);
            if !there {
                let word = event["status"].as_str().unwrap_or("notify");
                missing.push(format!("{word} was acknowledged and is not in the ledger"));
            }
        }
        missing
    }

    /// Whether an upload in parts was begun and neither completed nor given up, as far as S3 was
    /// heard to say.
    pub(crate) async fn unfinished(&self) -> usize {
        let listed = self.engines.s3_client().list_multipart_uploads();
        let listed = listed.bucket(&self.bucket).send().await;
        listed.map_or(0, |listed| listed.uploads().len())
    }

    /// The keys of the bucket that have a name in them.
    pub(crate) async fn keys(&self, id: &str) -> Vec<String> {
        let listed = self.engines.s3_client().list_objects_v2();
        let listed = listed.bucket(&self.bucket).send().await.unwrap();
        let keys = listed.contents().iter().filter_map(|object| object.key());
        keys.filter(|key| key.contains(id))
            .map(str::to_owned)
            .collect()
    }
}

pub(crate) fn name(agent: &str) -> AgentName {
    agent.parse().unwrap()
}

fn path(url: &str) -> &str {
    let path = url.find("/webhooks").map_or(url, |at| &url[at..]);
    path.split('?').next().unwrap_or(path)
}

/// The leg and the kind of agent's phone that a connect rings.
pub(crate) fn rung(connect: &Value) -> &'static str {
    match connect["endpoint"][0]["number"].as_str() {
        Some("447700900011") => "alice",
        Some("447700900012") => "bob",
        other => panic!("nobody has the number {other:?}"),
    }
}

/// The address in an action.
pub(crate) fn event_url(action: &Value) -> &str {
    action["eventUrl"][0].as_str().unwrap()
}

/// Dispatch beside the wires, by the board's clock: the schedule's sweep.
async fn sweeper(engines: &Engines, world: &World) -> Dispatch {
    let endpoints = Endpoints {
        dynamodb: engines.dynamodb_url().to_owned(),
        s3: engines.s3_url().to_owned(),
        sqs: engines.sqs_url().to_owned(),
        foreign: false,
    };
    let sdk = endpoints
        .config(Waits::Nobody, &Environment::default())
        .await;
    let environment = world.board.environment().clone();
    let mut lookup = Lookup::new(move |name| environment.get(name)).with_clock(world.clock.clone());
    Dispatch::from_lookup(&mut lookup, &sdk).unwrap()
}
