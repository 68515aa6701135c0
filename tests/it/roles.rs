//! The roles of `template.yaml` beside what the functions ask for.

use crate::platform::{Content, RecordingFault, Reply};
use crate::world::{PLAN, World};
use crate::{ledger, recordings};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_cli::meter::{Grant, Meter};
use switchboard_cli::simulate::{Simulation, play};
use switchboard_shared::clock::Clock;
use switchboard_tests::scenario;
use switchboard_tests::template::{self, resources};

/// The roles, by the functions that have them.
fn roles() -> BTreeMap<String, BTreeSet<Grant>> {
    let template = template::read();
    let roles = resources(&template, "AWS::IAM::Role");
    let functions = resources(&template, "AWS::Serverless::Function").into_iter();
    functions
        .map(|(name, function)| {
            let role = function["Role"].as_str().unwrap();
            let policies = &roles[role.strip_suffix(".Arn").unwrap()]["Policies"];
            let statements = one_or_more(policies)
                .iter()
                .flat_map(|policy| one_or_more(&policy["PolicyDocument"]["Statement"]));
            (name.to_lowercase(), statements.flat_map(grants).collect())
        })
        .collect()
}

fn grants(statement: &Value) -> Vec<Grant> {
    assert_eq!(statement["Effect"], "Allow");
    let actions = one_or_more(&statement["Action"]).iter();
    let each = actions.flat_map(|action| {
        let resources = one_or_more(&statement["Resource"]).iter();
        resources.map(|resource| Grant {
            action: action.as_str().unwrap().to_owned(),
            resource: on_a_board(resource.as_str().unwrap()),
        })
    });
    each.collect()
}

fn one_or_more(value: &Value) -> &[Value] {
    value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// What stands on a board for a resource of the stack.
fn on_a_board(resource: &str) -> String {
    let resource = resource.replace("${Table.Arn}", "Table.Arn");
    let resource = resource.replace("${Recordings.Arn}", "Recordings.Arn");
    for (theirs, ours) in [
        ("Table.Arn", "table/switchboard"),
        ("Recordings.Arn", "switchboard-recordings"),
        ("ArchiveQueue.Arn", "archive"),
        ("DispatchQueue.Arn", "dispatch"),
    ] {
        if let Some(rest) = resource.strip_prefix(theirs) {
            return format!("{ours}{rest}");
        }
    }
    resource
}

/// What Lambda does with a role for a function, rather than the function.
fn is_lambdas(grant: &Grant, function: &str) -> bool {
    let takes_messages = [
        "sqs:DeleteMessage",
        "sqs:GetQueueAttributes",
        "sqs:ReceiveMessage",
    ];
    grant.action.starts_with("logs:") && grant.resource == "Log.Arn"
        || takes_messages.contains(&grant.action.as_str()) && grant.resource == function
}

/// What a function asks for at its start, where a board's have their settings already. The rehearsal
/// has them ask.
fn is_of_the_start(grant: &Grant) -> bool {
    grant.action == "secretsmanager:GetSecretValue" && grant.resource == "Secret.Id"
}

/// No request is made of it: with it S3 says that an object is not there rather than that it is forbidden.
///
/// See [AWS](https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
fn tells_apart(grant: &Grant) -> bool {
    grant.action == "s3:ListBucket"
}

/// What no scenario has: recordings that are lost, cut off, removed and told of otherwise; a Vonage that
/// says no.
async fn beside_the_scenarios(meter: &Meter) {
    let world = World::metered(PLAN, Clock::default(), meter).await;
    let notice = recordings::offered(&world, "told-as-an-event", b"audio".to_vec());
    let told = world.post("/webhooks/event", &notice).await;
    assert_eq!(told.status, 200);
    let cut_off = Content::Seeded {
        seed: 3,
        length: 12 * 1024 * 1024,
    };
    let notice = recordings::offered(&world, "cut-off", cut_off);
    let fault = RecordingFault::Cut(10 * 1024 * 1024);
    world.platform.spoil("file-cut-off", fault, 1);
    recordings::announce(&world, &notice).await;
    for recording in ["told-as-an-event", "cut-off"] {
        recordings::archived(&world, recording).await;
    }
    world.call("447700900002", "waits").await;
    let says_no = Reply {
        status: 400,
        times: 100,
        ..Reply::default()
    };
    world.platform.fail("/v1/calls", "PUT", says_no);
    assert_eq!(world.says("alice", "free").await.status, 502);

    let plan = ledger::keeping("3d", "2d");
    let world = World::metered(&plan, Clock::standing(Timestamp::now()), meter).await;
    ledger::recorded(&world).await;
    ledger::days(&world, 5).await;
    ledger::gone(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_allows_what_its_function_asks_for_and_nothing_more() {
    let meter = Meter::default();
    for file in scenario::all() {
        let (scenario, how) = scenario::read(&file);
        let how = Simulation {
            meter: Some(meter.clone()),
            ..how
        };
        play(&scenario, &how, |_, _| {}).await.unwrap();
    }
    beside_the_scenarios(&meter).await;
    let mut asked = BTreeMap::<String, BTreeSet<Grant>>::new();
    for request in meter.take().requests {
        let of = asked.entry(request.function.to_owned()).or_default();
        of.extend(request.grants);
    }
    let mut differ = Vec::new();
    for (function, allowed) in roles() {
        let asked = asked.remove(&function).unwrap_or_default();
        for grant in asked.difference(&allowed) {
            differ.push(format!("{function} asks for {grant:?}, and may not"));
        }
        for grant in allowed.difference(&asked) {
            let known =
                is_lambdas(grant, &function) || is_of_the_start(grant) || tells_apart(grant);
            if !known {
                differ.push(format!("{function} may {grant:?}, and never asks for it"));
            }
        }
    }
    assert!(asked.is_empty(), "no functions of the template: {asked:?}");
    assert!(differ.is_empty(), "{differ:#?}");
}
