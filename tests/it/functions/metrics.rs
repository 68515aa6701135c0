//! What the functions count for CloudWatch: each fact once, and nothing that is not to be told.

use super::{
    Asked, Cloud, DIRECT, DISPATCH_QUEUE, Lambda, QUEUE_ARN, SUPPORT, ask, of_connect, of_notify,
};
use crate::envelope;
use crate::platform::Content;
use crate::webhook_signing::Forgery;
use crate::world::{CALLER, PLAN, eventually, incoming, now};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use switchboard_shared::metric::Metric;

/// The stack of these functions.
const STACK: &str = "calls-under-test";

/// A function that counts, with its log as it is in the cloud.
fn start(cloud: &Cloud, function: &str) -> Lambda {
    start_with(cloud, function, &[])
}

fn start_with(cloud: &Cloud, function: &str, changes: &[(&str, &str)]) -> Lambda {
    let counts = [
        ("SWITCHBOARD_STACK", STACK),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
    ];
    cloud.start_with(function, &[&counts, changes].concat())
}

/// What a function has counted so far, in order. Every line of its log is a JSON object, as CloudWatch
/// wants it of those that it counts; and those say a number and whose it is, and no more.
fn counted(function: &Lambda) -> Vec<(String, f64)> {
    let output = function.output().stdout();
    let whole = output.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let lines = whole.lines().map(|line| {
        let read: Value = line.parse().unwrap_or_else(|_| panic!("not JSON: {line}"));
        assert!(read.is_object(), "{line}");
        (line, read)
    });
    lines
        .filter(|(_, read)| read.get("_aws").is_some())
        .map(|(line, read)| {
            for told in [CALLER, SUPPORT, "http", "Bearer", "leg-"] {
                assert!(!line.contains(told), "{told} in {line}");
            }
            let of = &read["_aws"]["CloudWatchMetrics"][0]["Metrics"][0];
            let name = of["Name"].as_str().unwrap().to_owned();
            assert!(Metric::NAMES.contains(&name.as_str()), "{name}");
            let keys: BTreeSet<&str> = read
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(keys, ["_aws", "Stack", &name].into());
            assert_eq!(read["Stack"], STACK);
            let value = read[&name].as_f64().unwrap();
            (name, value)
        })
        .collect()
}

/// The same, once the last of these has been counted.
async fn counts(function: &Lambda, names: &[&str]) -> Vec<(String, f64)> {
    let last = names.last().expect("something is counted");
    let all = eventually(|| async {
        let all = counted(function);
        let done = all.len() >= names.len() && all.last().is_some_and(|(name, _)| name == last);
        done.then_some(all)
    })
    .await;
    let found: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names);
    all
}

/// A webhook that nobody signed. What a function counted before it is in its log before this is.
async fn unsigned(function: &Lambda, path: &str) {
    let heard = ask(function, &Asked::post(path, &incoming(SUPPORT, "forged"))).await;
    assert_eq!(heard.status, 401);
}

/// A webhook of Vonage's, with the time of now and so many seconds.
fn in_seconds(asked: &Asked, seconds: i64) -> Asked {
    let mut body: Value = serde_json::from_slice(&asked.body).unwrap();
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    body["timestamp"] = json!(at);
    Asked::post(&asked.target(), &body)
}

/// The caller's leg is over, and that is what it cost.
fn over(leg: &str) -> Asked {
    let body = json!({
        "uuid": leg,
        "conversation_uuid": format!("CON-{leg}"),
        "direction": "inbound",
        "status": "completed",
        "duration": "7",
        "price": "0.00450000",
        "timestamp": now(),
    });
    Asked::post("/webhooks/event", &body)
}

#[tokio::test]
async fn a_call_is_counted_once_though_its_webhook_comes_twice() {
    let cloud = Cloud::open().await;
    let answer = start(&cloud, "answer");
    for _ in 0..2 {
        cloud.call(&answer, DIRECT, "leg-1").await;
    }
    // Nobody of the queue has said free yet.
    for _ in 0..2 {
        cloud.call(&answer, SUPPORT, "leg-2").await;
    }
    cloud.free("bob").await;
    cloud.call(&answer, SUPPORT, "leg-3").await;
    unsigned(&answer, "/webhooks/answer").await;
    let names = ["Calls", "Calls", "NobodyOnDuty", "Calls", "Unsigned"];
    let all = counts(&answer, &names).await;
    assert!(all.iter().all(|(_, count)| *count == 1.0), "{all:?}");
}

#[tokio::test]
async fn each_webhook_that_is_not_signed_is_counted_and_no_other() {
    let cloud = Cloud::open().await;
    for (name, path, _) in &super::HTTP[..3] {
        let function = start(&cloud, name);
        let asked = Asked::post(path, &json!({ "uuid": "leg-1", "status": "ringing" }));
        let signed = cloud.signed(asked.clone());
        let forged = cloud.world.signer.forged(Forgery::StaleIat, &asked.body);
        for asked in [&signed, &asked, &signed, &asked.clone().bearer(&forged)] {
            ask(&function, asked).await;
        }
        unsigned(&function, path).await;
        counts(&function, &["Unsigned"; 3]).await;
    }
}

#[tokio::test]
async fn a_wait_a_price_and_a_caller_who_gives_up_are_counted_once_however_often_they_are_told() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    let [event, dispatch] = ["event", "dispatch"].map(|name| start(&cloud, name));
    cloud.free("alice").await;
    let ncco = cloud.call(&answer, SUPPORT, "leg-1").await;
    let hold = cloud.call(&answer, SUPPORT, "leg-2").await;
    let answered = in_seconds(&of_connect(&ncco, "answered", None), 7);
    for asked in [answered, of_notify(&hold), over("leg-1"), over("leg-2")] {
        let asked = cloud.signed(asked);
        for _ in 0..2 {
            assert_eq!(ask(&event, &asked).await.status, 200);
        }
    }
    unsigned(&event, "/webhooks/event").await;
    let all = counts(&event, &["Wait", "Price", "Price", "Unsigned"]).await;
    assert!((6.0..=7.5).contains(&all[0].1), "{all:?}");
    assert_eq!(all[1].1, 0.0045);

    // Both are gone, and one of them had talked.
    let jobs = cloud.jobs(DISPATCH_QUEUE).await;
    let gone: Vec<String> = jobs
        .iter()
        .filter(|job| job["job"] == "gone")
        .map(Value::to_string)
        .collect();
    assert_eq!(gone.len(), 4, "{jobs:?}");
    let batch = envelope::sqs_batch(QUEUE_ARN, &gone);
    for _ in 0..2 {
        dispatch.invoke(batch.clone()).await.unwrap();
    }
    dispatch.invoke(envelope::scheduled()).await.unwrap();
    let gauges = ["RecordingsPendingAge", "WaitingCallers", "LongestWait"];
    counts(&dispatch, &[&["Abandoned"][..], &gauges].concat()).await;
}

#[tokio::test]
async fn the_sweep_measures_who_waits_and_what_is_pending_and_says_nought_where_nothing_is() {
    let cloud = Cloud::open().await;
    let dispatch = start(&cloud, "dispatch");
    let gauges = ["RecordingsPendingAge", "WaitingCallers", "LongestWait"];
    dispatch.invoke(envelope::scheduled()).await.unwrap();
    let all = counts(&dispatch, &gauges).await;
    assert!(all.iter().all(|(_, value)| *value == 0.0), "{all:?}");

    cloud.waits("leg-1", SUPPORT, "support").await;
    cloud.waits("leg-2", super::BY_URL, "by-url").await;
    for (id, hours) in [("new", 0), ("old", 2), ("older", 3)] {
        cloud
            .announced(id, "https://api.nexmo.com/v1/files/x")
            .await;
        let mut recording = cloud.recording(id).await;
        recording.at -= SignedDuration::from_hours(hours);
        assert!(cloud.store.update_recording(&recording).await.unwrap());
    }
    dispatch.invoke(envelope::scheduled()).await.unwrap();
    let all = counts(&dispatch, &[gauges, gauges].concat()).await;
    let values: Vec<f64> = all[3..].iter().map(|(_, value)| *value).collect();
    assert!(values[0] >= 3.0 * 3600.0, "{all:?}");
    assert_eq!(values[1], 2.0);
    assert!(values[2] > 0.0, "{all:?}");
}

#[tokio::test]
async fn a_recording_is_counted_when_it_is_archived_and_not_again() {
    let cloud = Cloud::open().await;
    let archive = start(&cloud, "archive");
    let content = Content::Seeded {
        seed: 1,
        length: 1_000,
    };
    let platform = &cloud.world.platform;
    for id in ["one", "two"] {
        let url = platform.recording(id, content.clone(), "audio/mpeg");
        cloud.announced(id, &url).await;
        let mut recording = cloud.recording(id).await;
        let ended = Timestamp::now() - SignedDuration::from_mins(1);
        recording.notice.end = Some(ended.to_string());
        assert!(cloud.store.update_recording(&recording).await.unwrap());
    }
    let jobs = ["one", "one", "two"].map(|id| json!({ "recording": id }).to_string());
    let batch = cloud.queued(&jobs).await;
    archive.invoke(batch).await.unwrap();
    let all = counts(&archive, &["ArchiveAge"; 2]).await;
    assert!(all.iter().all(|(_, age)| *age >= 60.0), "{all:?}");
}

#[tokio::test]
async fn that_there_is_no_plan_and_that_a_caller_is_told_sorry_is_counted() {
    let cloud = Cloud::open().await;
    // From the table, where nobody has pushed one: at the start, and for the caller.
    let answer = start_with(&cloud, "answer", &[("SWITCHBOARD_PLAN", "")]);
    cloud.call(&answer, DIRECT, "leg-1").await;
    counts(&answer, &["NoPlan", "NoPlan", "Apologies"]).await;
}

#[tokio::test]
async fn a_caller_who_comes_to_a_hotline_with_nobody_on_duty_is_counted_once() {
    let plan = format!(
        "{PLAN}
[[line]]
number = \"447700900007\"
name = \"Night\"
flow = \"night\"

[[line]]
number = \"447700900008\"
name = \"By key\"
flow = \"keys\"

[[agent]]
name = \"dan\"
phone = \"447700900014\"
on-duty = [\"{} 00:00-00:01\"]

[flow.keys]
type = \"menu\"
say = \"Press 1.\"
keys = {{ 1 = \"night\" }}
otherwise = \"closed\"

[flow.night]
type = \"hotline\"
name = \"Night\"
music = \"https://example.com/a.mp3\"
staff = [\"dan\"]
max-wait = \"1m\"
otherwise = \"closed\"
",
        another_day()
    );
    let cloud = Cloud::open().await;
    cloud.world.change_plan(&plan);
    let [answer, event] = ["answer", "event"].map(|name| start(&cloud, name));
    for _ in 0..2 {
        cloud.call(&answer, "447700900007", "leg-1").await;
    }
    let menu = cloud.call(&answer, "447700900008", "leg-2").await;
    unsigned(&answer, "/webhooks/answer").await;
    counts(&answer, &["Calls", "NobodyOnDuty", "Calls", "Unsigned"]).await;

    let pressed = json!({
        "uuid": "leg-2",
        "dtmf": { "digits": "1", "timed_out": false },
        "timestamp": now(),
    });
    let input = crate::world::action(&menu, "input");
    let pressed = cloud.signed(Asked::post(super::target(&input["eventUrl"]), &pressed));
    for _ in 0..2 {
        let heard = ask(&event, &pressed).await;
        assert_eq!(heard.body[0]["text"], "We are closed.");
    }
    unsigned(&event, "/webhooks/event").await;
    counts(&event, &["NobodyOnDuty", "Unsigned"]).await;
}

/// A day of the week that is neither today nor tomorrow, wherever one is.
fn another_day() -> String {
    let then = Timestamp::now() + SignedDuration::from_hours(3 * 24);
    then.strftime("%a").to_string()
}

#[tokio::test]
async fn without_a_stack_nothing_is_counted() {
    let cloud = Cloud::open().await;
    let answer = cloud.start("answer");
    cloud.call(&answer, SUPPORT, "leg-1").await;
    unsigned(&answer, "/webhooks/answer").await;
    let told = || async {
        let output = answer.output().stdout();
        output.contains("refused with 401").then_some(output)
    };
    assert!(!eventually(told).await.contains("_aws"));
}
