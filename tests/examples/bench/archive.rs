//! A recording of 1 GiB on its way into S3, beside a plain copy of the same bytes.

use super::report::{Section, at_least, at_most, ratio, times};
use super::stage::Stage;
use super::subject::{self, Subject};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::routing::get;
use bytes::BytesMut;
use futures_util::stream;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::{Duration, Instant};
use switchboard_cli::engines::Engines;
use switchboard_shared::clock::Clock;
use switchboard_shared::job::ArchiveJob;
use switchboard_shared::recording::{Recording, State};
use switchboard_shared::store::{self, Store};
use switchboard_shared::webhook::Notice;
use switchboard_tests::loopback::Loopback;
use switchboard_tests::{envelope, fixtures, unique, world};

const MIB: usize = 1024 * 1024;
const SIZE: usize = 1024 * MIB;
/// As the archive's: so that the difference is what it does with the bytes.
const PART: usize = 8 * MIB;
const IN_FLIGHT: usize = 2;
/// Copies of each kind, in turns; the median counts.
const ROUNDS: usize = 3;
const TABLE: &str = "switchboard";
const BUCKET: &str = "switchboard-recordings";
/// Longer than any of them takes.
const PATIENCE: Duration = Duration::from_secs(600);

pub(crate) async fn measure(stage: &Stage) -> Section {
    let vonage = Loopback::serve(Router::new().route("/v1/files/{id}", get(audio)));
    let vonage_url = format!("http://{}", vonage.address());
    let engines = open().await;
    let archive = Subject {
        environment: environment(&engines, &vonage_url),
        ..stage.function("archive")
    };
    let url = format!("{vonage_url}/v1/files/one");
    let s3 = client(&engines);
    let (mut archived, mut copied, mut read) = (Vec::new(), Vec::new(), Vec::new());
    let mut rss: f64 = 0.0;
    for _ in 0..ROUNDS {
        let (took, peak) = archive_one(&engines, &archive, &url).await;
        archived.push(took);
        rss = rss.max(peak);
        let started = Instant::now();
        copy(&s3, &url).await;
        copied.push(started.elapsed());
        let started = Instant::now();
        read_back(&s3).await;
        read.push(started.elapsed());
        let delete = s3.delete_object().bucket(BUCKET).key("copy");
        delete.send().await.unwrap();
    }
    let [archived, copied, read] = [archived, copied, read].map(super::cold::median);
    let title = "Archive: 1 GiB from a stand-in for Vonage into S3";
    let head = ["", "median", "MiB/s", "× copy", "aim", "peak RSS", "aim"];
    let mut section = Section::new(title, &head);
    let mut row = |name: &str, took: Duration, aim: String, rss: String, room: String| {
        let speed = 1024.0 / took.as_secs_f64();
        section.row(&[
            name.to_owned(),
            format!("{:.2} s", took.as_secs_f64()),
            format!("{speed:.0}"),
            times(ratio(copied, took)),
            aim,
            rss,
            room,
        ]);
    };
    let none = String::new;
    row("plain copy", copied, none(), none(), none());
    row(
        "plain copy, read back",
        copied + read,
        none(),
        none(),
        none(),
    );
    row(
        "archive",
        archived,
        at_least(0.8, "×", ratio(copied, archived)),
        format!("{rss:.1} MiB"),
        at_most(64.0, "MiB", rss),
    );
    section.note(format!(
        "The embedded S3 returns no checksum for what was put in parts, so the archive reads it back, \
         which AWS spares it. Beside a copy that is read back as well it is {:.2} ×.",
        ratio(copied + read, archived)
    ));
    section
}

/// Engines without a board: its sweep would archive what is meant for the function.
async fn open() -> Engines {
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    let dynamodb = engines.dynamodb_client();
    store::create_table(&dynamodb, TABLE).await.unwrap();
    let bucket = engines.s3_client().create_bucket().bucket(BUCKET);
    bucket.send().await.unwrap();
    engines
}

fn environment(engines: &Engines, vonage: &str) -> Vec<(String, String)> {
    let queue = format!("{}/123456789012/archive", engines.sqs_url());
    let ours = [
        ("SWITCHBOARD_TABLE", TABLE),
        ("SWITCHBOARD_BUCKET", BUCKET),
        ("SWITCHBOARD_ARCHIVE_QUEUE_URL", queue.as_str()),
        ("VONAGE_APPLICATION_ID", fixtures::APPLICATION_ID),
        ("VONAGE_PRIVATE_KEY", fixtures::PRIVATE_KEY),
        ("VONAGE_API_URL", vonage),
    ];
    let ours = ours.map(|(name, value)| (name.to_owned(), value.to_owned()));
    ours.into_iter().chain(engines.environment()).collect()
}

/// Noise, over and over.
async fn audio() -> ([(axum::http::HeaderName, String); 2], Body) {
    let mut noise = vec![0; MIB];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
    let noise = Bytes::from(noise);
    let pieces = (0..SIZE / MIB).map(move |_| Ok::<_, Infallible>(noise.clone()));
    let headers = [
        (CONTENT_LENGTH, SIZE.to_string()),
        (CONTENT_TYPE, "audio/mpeg".to_owned()),
    ];
    (headers, Body::from_stream(stream::iter(pieces)))
}

async fn archive_one(engines: &Engines, archive: &Subject, url: &str) -> (Duration, f64) {
    let id = unique::uuid();
    let notice = Notice {
        recording: id.parse().unwrap(),
        url: url.to_owned(),
        size: Some(SIZE as u64),
        start: None,
        end: None,
    };
    let now = jiff::Timestamp::now();
    let recording = Recording::noticed(notice, "{}".to_owned(), None, now);
    let store = Store::new(engines.dynamodb_client(), TABLE);
    store.keep_recording(&recording).await.unwrap();
    let job = ArchiveJob {
        recording: recording.notice.recording,
    };
    let job = serde_json::to_string(&job).unwrap();
    let arn = "arn:aws:sqs:us-east-1:123456789012:archive";
    let event = envelope::sqs_batch(arn, &[job]);
    let function = archive.start().waiting_at_most(PATIENCE);
    function.ready().await.unwrap();
    let started = Instant::now();
    let response = function.invoke(event).await.unwrap();
    let took = started.elapsed();
    let peak = subject::memory(&function, "VmHWM:");
    assert_eq!(
        response,
        json!({ "batchItemFailures": [] }),
        "{}",
        function.output()
    );
    let archived = store
        .recording(&id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(archived.state, State::Archived);
    assert_eq!(archived.bytes, Some(SIZE as u64));
    let delete = client(engines).delete_object().bucket(BUCKET);
    delete.key(archived.key.unwrap()).send().await.unwrap();
    (took, peak)
}

fn client(engines: &Engines) -> Client {
    let config = engines.s3_client().config().to_builder();
    let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Client::from_conf(config.build())
}

/// In parts, as many under way at once as the archive has, with nothing hashed by us.
async fn copy(s3: &Client, url: &str) {
    let begun = s3.create_multipart_upload().bucket(BUCKET).key("copy");
    let id = begun.send().await.unwrap().upload_id.unwrap();
    let mut audio = world::http().get(url).send().await.unwrap();
    let mut in_flight = VecDeque::new();
    let mut done = Vec::new();
    for number in 1.. {
        let mut part = BytesMut::with_capacity(PART + MIB);
        while part.len() < PART
            && let Some(chunk) = audio.chunk().await.unwrap()
        {
            part.extend_from_slice(&chunk);
        }
        if part.is_empty() {
            break;
        }
        if in_flight.len() == IN_FLIGHT {
            let oldest: tokio::task::JoinHandle<CompletedPart> = in_flight.pop_front().unwrap();
            done.push(oldest.await.unwrap());
        }
        let upload = s3.upload_part().bucket(BUCKET).key("copy").upload_id(&id);
        let upload = upload
            .part_number(number)
            .body(ByteStream::from(part.freeze()));
        in_flight.push_back(tokio::spawn(async move {
            let sent = upload.customize().disable_payload_signing().send().await;
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.unwrap().e_tag)
                .build()
        }));
    }
    for sent in in_flight {
        done.push(sent.await.unwrap());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(done));
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("copy");
    let complete = complete.upload_id(id).multipart_upload(parts.build());
    complete.send().await.unwrap();
}

async fn read_back(s3: &Client) {
    let object = s3.get_object().bucket(BUCKET).key("copy").send().await;
    let mut body = object.unwrap().body;
    let mut bytes = 0;
    while let Some(chunk) = body.try_next().await.unwrap() {
        bytes += chunk.len();
    }
    assert_eq!(bytes, SIZE);
}
