//! DynamoDB is gone entirely, and comes back.

use crate::lambda::Lambda;
use crate::stage::{Stage, Way, event_url};
use crate::wire::{Fault, Spoil};
use crate::world::{Answered, eventually, incoming, kinds, now, rings};
use crate::{envelope, world};
use serde_json::{Value, json};
use std::sync::Arc;
use switchboard_cli::engines::Engines;
use switchboard_shared::clock::Clock;
use switchboard_shared::id::LegId;
use switchboard_shared::recording::State;
use switchboard_shared::script::{NOT_IN_SERVICE, SORRY};
use switchboard_shared::store::Home;
use switchboard_tests::binary::built;

/// Each line, and what its callers hear first when there is no store.
const LINES: [(&str, &str); 5] = [
    ("447700900001", "We are closed."),
    ("447700900002", SORRY),
    ("447700900003", "Putting you through."),
    ("447700900005", SORRY),
    ("15550100", NOT_IN_SERVICE),
];

const MASKED: &str = "447700900004";
const DISPATCH_QUEUE: &str = "SWITCHBOARD_DISPATCH_QUEUE_URL";

async fn stage() -> Stage {
    Stage::open(Arc::new(
        Engines::in_memory(Clock::default()).await.unwrap(),
    ))
    .await
}

fn leg(line: &str) -> String {
    format!("leg-{line}")
}

async fn is_in_the_ledger(stage: &Stage, line: &str) -> bool {
    let leg = LegId::new(leg(line)).unwrap();
    let call = stage.store.call(&leg).await.unwrap();
    call.is_some_and(|call| call.line == line)
}

/// The answer function as it is built, with a queue of jobs of its own.
struct Function {
    lambda: Lambda,
    queue: String,
}

impl Function {
    async fn start(stage: &Stage) -> Self {
        let created = stage.sqs().create_queue().queue_name("of-the-function");
        let queue = created.send().await.unwrap().queue_url.unwrap();
        let mut environment = stage.world.board.environment().clone();
        for (name, value) in stage.environment() {
            environment.set(&name, value);
        }
        environment.set(DISPATCH_QUEUE, &queue);
        let lambda = Lambda::start(&built("answer"), environment.pairs().collect());
        Self { lambda, queue }
    }

    /// Somebody calls a line.
    async fn call(&self, stage: &Stage, line: &str) -> Value {
        let body = incoming(line, &leg(line)).to_string();
        let token = format!("Bearer {}", stage.world.signer.post(body.as_bytes()));
        let headers = [
            ("authorization", token.as_str()),
            ("content-type", "application/json"),
        ];
        let event = envelope::api_gateway_v2(
            "POST",
            "/webhooks/answer",
            "",
            &headers,
            body.as_bytes(),
            false,
        );
        let answer = self.lambda.invoke(event).await.unwrap();
        let (status, _, body) = envelope::response_parts(&answer);
        assert_eq!(status, 200, "{line}");
        serde_json::from_slice(&body).unwrap()
    }

    /// The jobs that it handed over, each as SQS hands it to `dispatch`.
    async fn jobs(&self, stage: &Stage) -> Vec<Value> {
        let mut jobs = Vec::new();
        loop {
            let received = stage.sqs().receive_message().queue_url(&self.queue);
            let received = received.max_number_of_messages(10).send().await.unwrap();
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                return jobs;
            }
            for message in messages {
                let bodies = [message.body.unwrap()];
                jobs.push(envelope::sqs_batch("arn:aws:sqs:eu-west-1:1:jobs", &bodies));
            }
        }
    }
}

#[tokio::test]
async fn with_the_table_gone_every_line_speaks_says_why_in_the_log_and_is_in_the_ledger_later() {
    let stage = stage().await;
    let function = Function::start(&stage).await;
    function.lambda.ready().await.unwrap();
    stage.wire(Way::DynamoDb).cut().await;
    for (line, first) in LINES {
        let ncco = function.call(&stage, line).await;
        assert_eq!(ncco[0]["text"], first, "{line}");
    }
    let masked = function.call(&stage, MASKED).await;
    assert_eq!(rings(&masked), "447700900011");

    let log = eventually(|| async {
        let log = function.lambda.output().to_string();
        log.contains(&leg("15550100")).then_some(log)
    })
    .await;
    for why in [
        "a call is not in the ledger",
        "no queue to wait in",
        "Connection refused",
    ] {
        assert!(log.contains(why), "{why:?} is not in the log: {log}");
    }
    assert!(
        !log.contains(world::CALLER),
        "a number is in the log: {log}"
    );

    stage.wire(Way::DynamoDb).restore();
    let lines = LINES.map(|(line, _)| line);
    for line in lines.iter().chain([&MASKED]) {
        assert!(!is_in_the_ledger(&stage, line).await);
    }
    for job in function.jobs(&stage).await {
        let done = stage.dispatch().take(job).await.unwrap();
        assert_eq!(done["batchItemFailures"], json!([]), "{done}");
    }
    for line in lines.iter().chain([&MASKED]) {
        assert!(is_in_the_ledger(&stage, line).await, "{line}");
    }
}

#[tokio::test]
async fn what_vonage_repeats_is_taken_in_when_the_table_is_back() {
    let stage = stage().await;
    let direct = stage.answer("447700900003", "direct").await;
    let held = stage.answer("447700900002", "held").await;
    let file = stage
        .world
        .platform
        .recording("file", b"not much of a tune".to_vec(), "audio/mpeg");
    let of = |status: &str, leg: &str| json!({ "uuid": leg, "status": status, "direction": "inbound", "timestamp": now() });
    let connect = world::action(&direct, "connect");
    let notify = world::action(&held, "notify");
    let webhooks = [
        ("/webhooks/event".to_owned(), of("answered", "direct")),
        (event_url(connect).to_owned(), of("busy", "agent-leg")),
        (
            event_url(notify).to_owned(),
            json!({
                "payload": notify["payload"],
                "conversation_uuid": "CON-held",
                "timestamp": now(),
            }),
        ),
        (
            "/webhooks/recording".to_owned(),
            json!({
                "recording_url": stage.over_wire(&file),
                "size": 18,
                "recording_uuid": "recording",
                "conversation_uuid": "CON-direct",
                "timestamp": now(),
            }),
        ),
        ("/webhooks/event".to_owned(), of("completed", "held")),
    ];
    stage.wire(Way::DynamoDb).cut().await;
    for (url, body) in &webhooks {
        let refused = stage.world.post(url, body).await;
        let code = &refused.body["error"]["code"];
        assert_eq!((refused.status, code), (503, &json!("later")), "{url}");
    }
    assert_eq!(stage.world.says("alice", "free").await.status, 503);

    stage.wire(Way::DynamoDb).restore();
    let mut said = Vec::new();
    for (url, body) in &webhooks {
        let Answered { status, body } = stage.world.post(url, body).await;
        assert_eq!(status, 200, "{url}: {body}");
        said.push(body);
    }
    assert_eq!(rings(&said[1]), "447700900012", "the next agent");
    assert_eq!(kinds(&said[2])[0], "stream", "more music");
    for (leg, words) in [
        ("direct", &["answered", "busy"][..]),
        ("held", &["completed", "notify"]),
    ] {
        let home = Home::Leg(LegId::new(leg).unwrap());
        let events = stage.store.events(&home).await.unwrap();
        let mut kept: Vec<_> = events.iter().map(|event| event.word.as_str()).collect();
        kept.sort_unstable();
        assert_eq!(kept, words, "{leg}");
    }
    let recording = eventually(|| async {
        let found = stage.store.recording(&"recording".parse().unwrap()).await;
        found.unwrap().filter(|one| one.state == State::Archived)
    })
    .await;
    assert_eq!(recording.bytes, Some(18));
    eventually(|| async {
        let waiting = stage.store.waiting(&"support".parse().unwrap(), None).await;
        waiting.unwrap().is_empty().then_some(())
    })
    .await;
}

/// The call of a `ring` line, whose first `tries` writes come to nothing.
async fn unwritten(stage: &Stage, tries: usize) -> Value {
    let spoil = Spoil {
        operation: "UpdateItem".to_owned(),
        nth: 0,
        times: tries,
        fault: Fault::Broken,
    };
    stage.spoil(Way::DynamoDb, spoil);
    let direct = stage.answer("447700900003", "leg-447700900003").await;
    assert_eq!(rings(&direct), "447700900011");
    direct
}

/// What we say to Vonage's word that the phone is busy.
async fn busy(stage: &Stage, script: &Value) -> Value {
    let busy = json!({ "uuid": "agent-leg", "status": "busy", "timestamp": now() });
    let url = event_url(world::action(script, "connect"));
    stage.world.post(url, &busy).await.body
}

#[tokio::test]
async fn a_ring_that_began_without_the_store_goes_on_to_the_next_agent() {
    let stage = stage().await;
    // As often as the webhook tries.
    let direct = unwritten(&stage, 2).await;
    eventually(|| async {
        let there = is_in_the_ledger(&stage, "447700900003").await;
        there.then_some(())
    })
    .await;
    assert_eq!(rings(&busy(&stage, &direct).await), "447700900012");
}

#[tokio::test]
async fn a_caller_whose_call_is_not_written_yet_is_asked_for_patience_and_then_goes_on() {
    let stage = stage().await;
    let direct = unwritten(&stage, usize::MAX).await;
    let patience = busy(&stage, &direct).await;
    assert_eq!(kinds(&patience), ["talk", "wait", "notify", "talk"]);
    stage.mend();
    // The job comes again later by itself; here the call is written at once.
    let call = incoming("447700900003", "leg-447700900003");
    assert_eq!(
        stage.world.post("/webhooks/answer", &call).await.status,
        200
    );
    let next = stage.world.notify(&patience).await.body;
    assert_eq!(rings(&next), "447700900012");
}
