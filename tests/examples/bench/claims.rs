//! An agent says free while many wait: what the claim asks of DynamoDB, and how long it takes.

use super::cold::median;
use super::counting::{Bill, Counting};
use super::report::{Section, ms};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use aws_sdk_dynamodb::{Client, config};
use futures_util::{StreamExt, stream};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchboard_cli::engines::Engines;
use switchboard_shared::config::Lookup;
use switchboard_shared::exchange::{Exchange, Outcome};
use switchboard_shared::job::JobQueue;
use switchboard_shared::plan::AgentName;
use switchboard_shared::plans::Plans;
use switchboard_shared::store::Store;
use switchboard_shared::vonage::Vonage;
use switchboard_tests::world::World;

/// Callers waiting.
const WAITING: [usize; 3] = [10, 1_000, 100_000];

/// Claims measured at each size, each for another agent. No more than wait in the shortest queue.
const CLAIMS: usize = 9;

/// Items that DynamoDB takes in one batch.
const BATCH: usize = 25;

/// Batches under way at once while the queue is filled.
const AT_ONCE: usize = 4;

const TABLE: &str = "switchboard";
const LINE: &str = "447700900000";
/// The caller of whose items all others are copies.
const PATTERN: &str = "leg-pattern";

type Item = HashMap<String, AttributeValue>;

pub(crate) async fn measure() -> Section {
    let title = "Claims: an agent says free, and gets the caller who waits longest";
    let head = ["callers waiting", "requests", "units", "median", "the same"];
    let mut section = Section::new(title, &head);
    let mut first: Option<Bill> = None;
    for waiting in WAITING {
        let world = World::with_plan(&plan()).await;
        fill(&world, waiting).await;
        let engines = world.board.engines();
        let counting = Counting::before(engines.dynamodb_url());
        let plain = exchange(&world, engines.dynamodb_url());
        let counted = exchange(&world, &counting.url());
        // Read at the start of a function, and not again for each claim.
        for exchange in [&plain, &counted] {
            exchange.plans.current().await.unwrap();
        }
        let mut bills = Vec::new();
        let mut took = Vec::new();
        for index in 0..CLAIMS {
            let agent: AgentName = format!("agent{index}").parse().unwrap();
            if index % 2 == 0 {
                let started = Instant::now();
                claim(&plain, &agent).await;
                took.push(started.elapsed());
            } else {
                counting.take();
                claim(&counted, &agent).await;
                bills.push(counting.take());
            }
        }
        let bill = bills[0].clone();
        let expected = first.get_or_insert_with(|| bill.clone());
        let odd = bills.iter().find(|one| *one != expected);
        let same = odd.is_none();
        if let Some(odd) = odd {
            section.note(format!("Not the same with {waiting}: {odd:?}."));
        }
        section.row(&[
            waiting.to_string(),
            bill.operations.len().to_string(),
            bill.units.to_string(),
            ms(median(took)),
            if same { "✓" } else { "✗" }.to_owned(),
        ]);
        section.note_once(format!(
            "In order: {}. The time includes the transfer at the stand-in for Vonage.",
            bill.operations.join(", ")
        ));
    }
    section
}

/// A queue with an agent for every claim.
fn plan() -> String {
    let names: Vec<_> = (0..CLAIMS).map(|index| format!("agent{index}")).collect();
    let agents: String = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            format!("[[agent]]\nname = \"{name}\"\nphone = \"4477009001{index:02}\"\n\n")
        })
        .collect();
    format!(
        r#"[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "{LINE}"
name = "Queue"
flow = "queue"

{agents}[flow.queue]
type = "queue"
confirm = false
say = "Please hold."
music = "https://example.com/a.mp3"
agents = {names:?}
max-wait = "2h"
otherwise = "closed"

[flow.closed]
type = "message"
say = "We are closed."
"#
    )
}

fn client(engines: &Engines, url: &str) -> Client {
    let config = config::Builder::from(&engines.sdk_config()).endpoint_url(url);
    Client::from_conf(config.build())
}

fn exchange(world: &World, dynamodb: &str) -> Exchange {
    let engines = world.board.engines();
    let store = Store::new(client(engines, dynamodb), TABLE);
    let environment = world.board.environment().clone();
    let mut lookup = Lookup::new(move |name| environment.get(name));
    let queue = lookup.required("SWITCHBOARD_DISPATCH_QUEUE_URL");
    Exchange {
        plans: Arc::new(Plans::new(None, store.clone())),
        vonage: Vonage::from_lookup(&mut lookup).unwrap(),
        jobs: JobQueue::new(engines.sqs_client(), queue),
        clock: lookup.clock(),
        store,
    }
}

async fn claim(exchange: &Exchange, agent: &AgentName) {
    let outcome = exchange.free(agent).await.unwrap();
    assert!(
        matches!(outcome, Outcome::Transferred { .. }),
        "{outcome:?}"
    );
}

/// One caller calls; the others are copies of the two items this makes, in batches.
async fn fill(world: &World, waiting: usize) {
    world.call(LINE, PATTERN).await;
    let client = world.board.engines().dynamodb_client();
    let scanned = client.scan().table_name(TABLE).send().await.unwrap();
    let mut pattern = scanned.items.unwrap();
    pattern.retain(|item| item.values().any(|value| mentions(value, PATTERN)));
    assert_eq!(pattern.len(), 2, "the call, and its place");
    let items = (1..waiting).flat_map(|index| {
        let leg = format!("leg-wait{index:06}");
        let pattern = pattern.clone();
        pattern.into_iter().map(move |item| copy(item, &leg))
    });
    let items: Vec<_> = items.collect();
    let batches = items.chunks(BATCH).map(<[Item]>::to_vec);
    stream::iter(batches)
        .map(|batch| write(&client, batch))
        .buffer_unordered(AT_ONCE)
        .for_each(|()| async {})
        .await;
}

async fn write(client: &Client, batch: Vec<Item>) {
    let puts = batch.into_iter().map(|item| {
        let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let written = client
        .batch_write_item()
        .request_items(TABLE, puts.collect())
        .customize()
        .config_override(
            config::Builder::new().timeout_config(
                config::timeout::TimeoutConfig::builder()
                    .operation_timeout(Duration::from_secs(60))
                    .build(),
            ),
        )
        .send()
        .await
        .unwrap();
    assert!(written.unprocessed_items.unwrap_or_default().is_empty());
}

fn mentions(value: &AttributeValue, word: &str) -> bool {
    matches!(value, AttributeValue::S(text) if text.contains(word))
}

fn copy(item: Item, leg: &str) -> Item {
    let renamed = |value| match value {
        AttributeValue::S(text) => AttributeValue::S(text.replace(PATTERN, leg)),
        other => other,
    };
    item.into_iter()
        .map(|(name, value)| (name, renamed(value)))
        .collect()
}
