//! Every function: from `exec` until it asks for its first event, and until it has answered that; and
//! how large it is.

use super::cold::median;
use super::report::{Section, ms, ratio, times};
use super::stage::Stage;
use super::subject;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde::Serialize;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;
use switchboard_shared::job::{ArchiveJob, Job};
use switchboard_tests::tls::Roots;
use switchboard_tests::{envelope, unique, world};

/// Starts of each; the median counts.
const STARTS: usize = 21;

/// The functions, and what the first event of each is here.
const FUNCTIONS: [(&str, &str); 7] = [
    ("answer", "a call comes in"),
    ("event", "a phone rings"),
    ("recording", "a recording can be fetched"),
    ("transfer", "an agent is away"),
    ("archive", "a recording that is done with"),
    ("dispatch", "an agent may be free"),
    ("fallback", "nobody else answered"),
];

pub(crate) async fn measure(stage: &Stage) -> Section {
    let head = [
        "behind TLS",
        "its first event",
        "asks for it",
        "× hello",
        "has answered",
        "× hello",
        "connections before, in all",
        "binary",
        "zip",
    ];
    let mut section = Section::new("Every function", &head);
    let mut subjects = vec![(stage.hello(), "anything")];
    for (name, what) in FUNCTIONS {
        subjects.push((stage.over_tls(name, name, Roots::All), what));
    }
    let mut took = vec![(Vec::new(), Vec::new()); subjects.len()];
    let mut connections = vec![(0, 0); subjects.len()];
    for _ in 0..STARTS {
        for (index, (subject, _)) in subjects.iter().enumerate() {
            let before = stage.tls.opened();
            let function = subject.start();
            let ready = function.ready().await.unwrap();
            let opened = stage.tls.opened() - before;
            // Not the time in which the event is made, which Lambda has ready.
            let event = event(stage, subject.name);
            let asked = Instant::now();
            let said = function.invoke(event).await.unwrap();
            let answered = ready + asked.elapsed();
            is_well(&said, subject.name);
            took[index].0.push(ready);
            took[index].1.push(answered);
            connections[index] = (opened, stage.tls.opened() - before);
        }
    }
    let medians: Vec<_> = took
        .into_iter()
        .map(|(ready, answered)| (median(ready), median(answered)))
        .collect();
    let hello = medians[0];
    for (index, (subject, what)) in subjects.iter().enumerate() {
        let (ready, answered) = medians[index];
        let (before, all) = connections[index];
        let (binary, zip) = sizes(&subject.program);
        section.row(&[
            subject.name.to_owned(),
            (*what).to_owned(),
            ms(ready),
            times(ratio(ready, hello.0)),
            ms(answered),
            times(ratio(answered, hello.1)),
            format!("{before}, {all}"),
            megabytes(binary),
            megabytes(zip),
        ]);
    }
    section.note(
        "Connections are those to DynamoDB: a function behind which a caller waits has opened its own before \
         it asks for the first event, and opens no other.",
    );
    section
}

fn is_well(said: &Value, name: &str) {
    let status = said["statusCode"].as_u64();
    assert!(
        status.is_none_or(|status| (200..300).contains(&status)),
        "{name}: {said}"
    );
    let failures = said["batchItemFailures"].as_array();
    assert!(failures.is_none_or(Vec::is_empty), "{name}: {said}");
}

fn event(stage: &Stage, function: &str) -> Value {
    let world = &stage.world;
    let (leg, recording) = (unique::uuid(), unique::uuid());
    match function {
        "event" => subject::webhook(
            stage,
            "/webhooks/event",
            &json!({
                "uuid": leg,
                "conversation_uuid": format!("CON-{leg}"),
                "status": "ringing",
                "direction": "outbound",
                "timestamp": world::now(),
            }),
        ),
        "recording" => subject::webhook(
            stage,
            "/webhooks/recording",
            &json!({
                "recording_url": format!("{}/v1/files/{recording}", world.platform.url()),
                "recording_uuid": recording,
                "conversation_uuid": format!("CON-{leg}"),
                "size": 0,
                "timestamp": world::now(),
            }),
        ),
        "transfer" => {
            let token = &world.board.secrets().operator_token;
            subject::post("/agents/carol/away", token, "")
        }
        "archive" => message(&ArchiveJob {
            recording: recording.parse().unwrap(),
        }),
        "dispatch" => message(&Job::Look {
            agent: "bob".parse().unwrap(),
        }),
        "fallback" => subject::post("/webhooks/fallback", "", "{}"),
        _ => subject::call(stage),
    }
}

fn message(job: &impl Serialize) -> Value {
    let body = serde_json::to_string(job).unwrap();
    envelope::sqs_batch("arn:aws:sqs:eu-west-1:123456789012:jobs", &[body])
}

/// Bytes of a binary, and as Lambda is given it.
fn sizes(program: &Path) -> (u64, u64) {
    let bytes = std::fs::read(program).unwrap();
    let mut zip = DeflateEncoder::new(Vec::new(), Compression::best());
    zip.write_all(&bytes).unwrap();
    (bytes.len() as u64, zip.finish().unwrap().len() as u64)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}
