//! The built functions beside a board, on its table, bucket and queues. What a killed one leaves behind
//! is found by the built `dispatch`, and done by whoever takes jobs from the queues.

use crate::envelope;
use crate::gate::Gate;
use crate::lambda::Lambda;
use crate::platform::Platform;
use crate::world::{self, World, action, eventually, rings};
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use switchboard_shared::call::Call;
use switchboard_shared::recording::{Recording, State};
use switchboard_tests::binary::built;

const DISPATCH_QUEUE: &str = "SWITCHBOARD_DISPATCH_QUEUE_URL";

/// What a test does to a function, as the platform or AWS does.
pub(crate) struct Cloud {
    pub(crate) world: World,
}

impl Cloud {
    /// On a plan of its own. Cool-down and wrap-up are a second: they can be lived through.
    pub(crate) async fn open() -> Self {
        Self::with_rest("1s").await
    }

    /// The same with a longer rest.
    pub(crate) async fn with_rest(rest: &str) -> Self {
        let plan = world::PLAN
            .replace(
                "cool-down = \"30s\"",
                &format!("cool-down = \"{rest}\"\nwrap-up = \"{rest}\""),
            )
            .replace(
                "agents = [\"alice\", \"bob\"]\ntimeout = \"15s\"\notherwise = \"closed\"",
                "agents = [\"alice\", \"bob\"]\ntimeout = \"15s\"\notherwise = \"trial\"",
            );
        assert!(plan.contains("wrap-up") && plan.contains("otherwise = \"trial\""));
        Self {
            world: World::start(&plan, None, Vec::new(), Platform::start()).await,
        }
    }

    /// How many messages lie in the queue of jobs in such a way.
    async fn count(&self, how: QueueAttributeName) -> u32 {
        let url = self.world.board.environment().get(DISPATCH_QUEUE).unwrap();
        let asked = self.world.board.sqs().get_queue_attributes().queue_url(url);
        let asked = asked.attribute_names(how.clone()).send().await.unwrap();
        asked.attributes.unwrap_or_default()[&how].parse().unwrap()
    }

    fn start(&self, function: &str, changes: &[(&str, String)]) -> Lambda {
        let board = &self.world.board;
        let mut environment: Vec<_> = board.environment().pairs().collect();
        environment.extend(board.engines().environment());
        environment.push(("SWITCHBOARD_BASE_URL".to_owned(), board.url().to_owned()));
        let changes = changes.iter().cloned();
        environment.extend(changes.map(|(name, value)| (name.to_owned(), value)));
        Lambda::start(&built(function), environment)
    }

    /// Starts a function, hands it an event, and kills it when it has come to its queue message.
    pub(crate) async fn killed_at_its_message(&self, function: &str, event: Value) {
        let gate = Gate::before(self.world.board.engines().sqs_url(), |look| {
            look.action == "SendMessage"
        });
        let function = self.start(function, &[("AWS_ENDPOINT_URL_SQS", gate.url())]);
        killed(function, event, gate.held()).await;
    }

    /// The same at another engine: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_DYNAMODB`.
    pub(crate) async fn killed_at(&self, gate: &Gate, engine: &str, function: &str, event: Value) {
        let function = self.start(function, &[(engine, gate.url())]);
        killed(function, event, gate.held()).await;
    }

    /// The same when `moment` has come, whatever that is.
    pub(crate) async fn killed_when(
        &self,
        function: &str,
        event: Value,
        moment: impl Future<Output = ()>,
    ) {
        killed(self.start(function, &[]), event, moment).await;
    }

    /// What the schedule does every few minutes.
    pub(crate) async fn sweep(&self) {
        let dispatch = self.start("dispatch", &[]);
        let swept = dispatch.invoke(envelope::scheduled()).await.unwrap();
        assert_eq!(swept, json!({ "swept": true }));
    }

    /// Hands an event to a function that nothing happens to.
    pub(crate) async fn invoke(&self, function: &str, event: Value) -> Value {
        self.start(function, &[]).invoke(event).await.unwrap()
    }

    /// Jobs in the queue whose time has not come.
    pub(crate) async fn delayed_jobs(&self) -> u32 {
        self.count(QueueAttributeName::ApproximateNumberOfMessagesDelayed)
            .await
    }

    /// A webhook as API Gateway hands it over.
    pub(crate) fn webhook(&self, to: &str, body: &Value) -> Value {
        let to = to.strip_prefix(self.world.board.url()).unwrap_or(to);
        let (path, query) = to.split_once('?').unwrap_or((to, ""));
        let body = body.to_string().into_bytes();
        let token = format!("Bearer {}", self.world.signer.post(&body));
        let headers = [
            ("content-type", "application/json"),
            ("authorization", token.as_str()),
        ];
        envelope::api_gateway_v2("POST", path, query, &headers, &body, false)
    }

    /// The operator says it for an agent.
    pub(crate) fn says(&self, agent: &str, word: &str) -> Value {
        let token = format!("Bearer {}", self.world.board.secrets().operator_token);
        let path = format!("/agents/{agent}/{word}");
        envelope::api_gateway_v2("POST", &path, "", &[("authorization", &token)], b"", false)
    }

    /// An agent is free, and nobody looks for a caller yet.
    pub(crate) async fn free(&self, agent: &str) {
        let agent = agent.parse().unwrap();
        self.world
            .board
            .store()
            .free(&agent, Timestamp::now())
            .await
            .unwrap();
    }

    pub(crate) async fn call(&self, leg: &str) -> Call {
        let call = self.world.board.store().call(&leg.parse().unwrap()).await;
        call.unwrap().expect("the call is kept")
    }

    pub(crate) async fn recording(&self, id: &str) -> Recording {
        let found = self
            .world
            .board
            .store()
            .recording(&id.parse().unwrap())
            .await;
        found.unwrap().expect("the recording was announced")
    }

    /// A recording's next download was due so long ago.
    pub(crate) async fn overdue(&self, id: &str, by: SignedDuration) {
        let mut recording = self.recording(id).await;
        recording.due = Timestamp::now() - by;
        assert!(
            self.world
                .board
                .store()
                .update_recording(&recording)
                .await
                .unwrap()
        );
    }

    /// Waits until a recording is archived, and gives it and its bytes. Nothing else is in the bucket.
    pub(crate) async fn archived(&self, id: &str) -> (Recording, Vec<u8>) {
        let recording = eventually(|| async {
            let recording = self.recording(id).await;
            (recording.state == State::Archived).then_some(recording)
        })
        .await;
        let object = self
            .world
            .board
            .archive()
            .open(recording.key.as_ref().unwrap())
            .await;
        let bytes = object.unwrap().body.collect().await.unwrap().to_vec();
        (recording, bytes)
    }

    /// The keys in the bucket.
    pub(crate) async fn objects(&self) -> Vec<String> {
        let bucket = self
            .world
            .board
            .environment()
            .get("SWITCHBOARD_BUCKET")
            .unwrap();
        let s3 = self.world.board.engines().s3_client();
        let listed = s3.list_objects_v2().bucket(bucket).send().await.unwrap();
        let objects = listed.contents.unwrap_or_default().into_iter();
        objects.filter_map(|object| object.key).collect()
    }

    /// Waits until a leg is moved, and says whose phone rings then.
    pub(crate) async fn moved_to(&self, leg: &str) -> String {
        rings(&self.world.moved(leg).await).to_owned()
    }
}

async fn killed(function: Lambda, event: Value, moment: impl Future<Output = ()>) {
    tokio::select! {
        answer = function.invoke(event) => panic!("it came to an end: {answer:?}"),
        () = moment => {}
    }
    // SIGKILL.
    drop(function);
}

/// What Vonage sends when a script comes to its `notify`: where to, and what.
pub(crate) fn notify(ncco: &Value) -> (String, Value) {
    let notify = action(ncco, "notify");
    let body = json!({
        "payload": notify["payload"],
        "conversation_uuid": "CON-1",
        "timestamp": world::now(),
    });
    (notify["eventUrl"][0].as_str().unwrap().to_owned(), body)
}

/// What Vonage sends about the leg that a script's `connect` made: where to, and what.
pub(crate) fn connected(ncco: &Value, status: &str, talked: bool) -> (String, Value) {
    let connect = action(ncco, "connect");
    let mut body = json!({
        "uuid": format!("agent-leg-{}", rings(ncco)),
        "conversation_uuid": "CON-agent",
        "direction": "outbound",
        "status": status,
        "timestamp": world::now(),
    });
    if talked {
        body["duration"] = json!("30");
    }
    (connect["eventUrl"][0].as_str().unwrap().to_owned(), body)
}

/// The caller's leg is over.
pub(crate) fn over(leg: &str) -> Value {
    json!({
        "uuid": leg,
        "conversation_uuid": format!("CON-{leg}"),
        "direction": "inbound",
        "status": "completed",
        "duration": "7",
        "timestamp": world::now(),
    })
}

/// A notice of a recording.
pub(crate) fn notice(id: &str, url: &str) -> Value {
    json!({
        "conversation_uuid": "CON-leg-1",
        "recording_uuid": id,
        "recording_url": url,
        "timestamp": world::now(),
    })
}
