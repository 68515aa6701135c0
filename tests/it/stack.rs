//! `template.yaml` beside the code: each function is given the settings it reads, and the table and the
//! queues are those that a board makes.

use crate::world::World;
use aws_config::SdkConfig;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::config::Lookup;
use switchboard_shared::metric::Metric;
use switchboard_tests::fixtures;
use switchboard_tests::template::{self, resources};

/// Settings that a stack does not have: of a board, of an account without signatures.
const NOT_OF_A_STACK: [&str; 4] = [
    "SWITCHBOARD_ALLOW_UNSIGNED",
    "SWITCHBOARD_ANY_APPLICATION",
    "SWITCHBOARD_NOTIFY",
    "SWITCHBOARD_PLAN",
];

/// Settings that are nobody's business: the stack's secret holds them.
const SECRET: [&str; 9] = [
    "SWITCHBOARD_API_TOKENS",
    "SWITCHBOARD_NOTIFY_ALLOW",
    "SWITCHBOARD_NOTIFY_URLS",
    "VONAGE_API_KEY",
    "VONAGE_APPLICATION_ID",
    "VONAGE_PRIVATE_KEY",
    "VONAGE_PRIVATE_KEY_PREVIOUS",
    "VONAGE_SIGNATURE_SECRET",
    "VONAGE_SIGNATURE_SECRET_PREVIOUS",
];

/// What every function reads ahead of its own settings, but for the fallback.
const OF_EACH: [&str; 2] = ["SWITCHBOARD_SECRET_ARN", "SWITCHBOARD_STACK"];

/// The names that a function looks up.
fn asked<T>(read: impl FnOnce(&mut Lookup) -> T) -> BTreeSet<String> {
    let names = Arc::<Mutex<BTreeSet<String>>>::default();
    let noted = names.clone();
    let mut lookup = Lookup::new(move |name| {
        noted.lock().unwrap().insert(name.to_owned());
        match name {
            // Without them no more is asked for.
            "VONAGE_PRIVATE_KEY" => Some(fixtures::PRIVATE_KEY.to_owned()),
            "VONAGE_APPLICATION_ID" => Some(fixtures::APPLICATION_ID.to_owned()),
            _ => None,
        }
    });
    read(&mut lookup);
    std::mem::take(&mut names.lock().unwrap())
}

fn read_by(function: &str, sdk: &SdkConfig) -> BTreeSet<String> {
    let mut names = match function {
        "Answer" => asked(|lookup| switchboard_answer::Answer::from_lookup(lookup, sdk)),
        "Archive" => asked(|lookup| switchboard_archive::Archiver::from_lookup(lookup, sdk)),
        "Dispatch" => asked(|lookup| switchboard_dispatch::Dispatch::from_lookup(lookup, sdk)),
        "Event" => asked(|lookup| switchboard_event::Events::from_lookup(lookup, sdk)),
        "Fallback" => return asked(switchboard_fallback::Fallback::from_lookup),
        "Recording" => asked(|lookup| switchboard_recording::Recordings::from_lookup(lookup, sdk)),
        "Transfer" => asked(|lookup| switchboard_transfer::Transfer::from_lookup(lookup, sdk)),
        other => panic!("{other} is no function of ours"),
    };
    names.extend(OF_EACH.map(str::to_owned));
    names
}

#[tokio::test]
async fn each_function_is_given_the_settings_it_reads_and_no_others() {
    let sdk = aws::config(Waits::Nobody).await;
    let template = template::read();
    let functions = resources(&template, "AWS::Serverless::Function");
    assert_eq!(functions.len(), 7);
    for (name, function) in functions {
        let given = function["Environment"]["Variables"].as_object().unwrap();
        let given: BTreeSet<_> = given.keys().cloned().collect();
        let mut read = read_by(&name, &sdk);
        read.retain(|name| {
            let name = name.as_str();
            !NOT_OF_A_STACK.contains(&name) && !SECRET.contains(&name)
        });
        assert_eq!(given, read, "{name}");
    }
}

#[tokio::test]
async fn the_table_is_the_one_that_a_board_makes() {
    let world = World::open().await;
    let client = world.board.engines().dynamodb_client();
    let described = client
        .describe_table()
        .table_name("switchboard")
        .send()
        .await
        .unwrap();
    let made = described.table().unwrap();
    let table = &resources(&template::read(), "AWS::DynamoDB::Table")["Table"];
    let keys = |schema: &Value| {
        let keys = schema.as_array().unwrap().iter();
        let named = keys.map(|key| {
            let of = |name: &str| key[name].as_str().unwrap().to_owned();
            (of("AttributeName"), of("KeyType"))
        });
        named.collect::<Vec<_>>()
    };
    let made_keys = |schema: &[aws_sdk_dynamodb::types::KeySchemaElement]| {
        let keys = schema.iter();
        let named = keys.map(|key| (key.attribute_name().to_owned(), key.key_type().to_string()));
        named.collect::<Vec<_>>()
    };
    assert_eq!(keys(&table["KeySchema"]), made_keys(made.key_schema()));
    let indexes: BTreeMap<_, _> = table["GlobalSecondaryIndexes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| {
            assert_eq!(index["Projection"]["ProjectionType"], "ALL");
            (
                index["IndexName"].as_str().unwrap().to_owned(),
                keys(&index["KeySchema"]),
            )
        })
        .collect();
    let made_indexes: BTreeMap<_, _> = made
        .global_secondary_indexes()
        .iter()
        .map(|index| {
            (
                index.index_name().unwrap().to_owned(),
                made_keys(index.key_schema()),
            )
        })
        .collect();
    assert_eq!(indexes, made_indexes);
    let attributes: BTreeSet<_> = table["AttributeDefinitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["AttributeName"].as_str().unwrap().to_owned())
        .collect();
    let made_attributes = made.attribute_definitions().iter();
    let made_attributes: BTreeSet<_> = made_attributes
        .map(|one| one.attribute_name().to_owned())
        .collect();
    assert_eq!(attributes, made_attributes);
    let expiry = client
        .describe_time_to_live()
        .table_name("switchboard")
        .send()
        .await
        .unwrap();
    let expiry = expiry
        .time_to_live_description()
        .and_then(|one| one.attribute_name());
    assert_eq!(
        table["TimeToLiveSpecification"]["AttributeName"].as_str(),
        expiry
    );
}

#[tokio::test]
async fn the_queues_hide_and_give_up_as_a_boards_do() {
    let (world, template) = (World::open().await, template::read());
    let queues = resources(&template, "AWS::SQS::Queue");
    for (name, queue) in [("ArchiveQueue", "archive"), ("DispatchQueue", "dispatch")] {
        let sqs = world.board.sqs();
        let url = sqs.get_queue_url().queue_name(queue).send().await.unwrap();
        let made = sqs
            .get_queue_attributes()
            .queue_url(url.queue_url().unwrap())
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        let made = made.attributes().unwrap();
        let hidden = queues[name]["VisibilityTimeout"].to_string();
        assert_eq!(
            Some(&hidden),
            made.get(&QueueAttributeName::VisibilityTimeout),
            "{name}"
        );
        let redrive = &made[&QueueAttributeName::RedrivePolicy];
        let redrive: Value = serde_json::from_str(redrive).unwrap();
        assert_eq!(
            queues[name]["RedrivePolicy"]["maxReceiveCount"].to_string(),
            redrive["maxReceiveCount"].as_str().unwrap(),
            "{name}"
        );
    }
    // Otherwise a message comes again while it is in work.
    let functions = resources(&template, "AWS::Serverless::Function");
    for (function, queue) in [("Archive", "ArchiveQueue"), ("Dispatch", "DispatchQueue")] {
        let works = functions[function]["Timeout"].as_u64().unwrap();
        assert!(
            works <= queues[queue]["VisibilityTimeout"].as_u64().unwrap(),
            "{function}"
        );
    }
}

#[test]
fn alarms_and_dashboard_look_at_metrics_that_there_are() {
    let template = template::read();
    let counted: BTreeSet<_> = Metric::NAMES.into_iter().collect();
    let alarms = resources(&template, "AWS::CloudWatch::Alarm");
    let ours = alarms
        .iter()
        .filter(|(_, alarm)| alarm["Namespace"] == "Switchboard");
    let mut looked_at = 0;
    for (name, alarm) in ours {
        let metric = alarm["MetricName"].as_str().unwrap();
        assert!(counted.contains(metric), "{name} looks at {metric}");
        looked_at += 1;
    }
    assert!(looked_at > 0);
    let dashboard = &resources(&template, "AWS::CloudWatch::Dashboard")["Dashboard"];
    let body = dashboard["DashboardBody"].as_str().unwrap();
    let body: Value = serde_json::from_str(body).expect("the dashboard is JSON");
    let mut shown = BTreeSet::new();
    for widget in body["widgets"].as_array().unwrap() {
        let mut namespace = "";
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            match metric[0].as_str().unwrap() {
                "..." => continue,
                "." => {}
                named => namespace = named,
            }
            if namespace == "Switchboard" {
                shown.insert(metric[1].as_str().unwrap());
            }
        }
    }
    assert!(shown.contains("Calls"), "{shown:?}");
    for metric in shown {
        assert!(counted.contains(metric), "the dashboard shows {metric}");
    }
}
