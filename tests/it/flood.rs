//! Too much of everything: of bodies, headers, connections and nesting. There is an answer, others
//! are answered meanwhile, and memory stays where it was.

use crate::lambda::Lambda;
use crate::shell::{Dev, Shell};
use crate::webhook_signing::Signer;
use crate::world::{PATIENCE, PLAN, World, incoming, kinds};
use crate::{envelope, fixtures};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use switchboard_shared::web::BODY_MAX;
use switchboard_tests::binary::built;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// What a process may take in addition under whatever comes: ten of the largest bodies at once, read
/// as JSON, with room to spare. Unbounded reading would come to hundreds.
const MEMORY_MIB: u64 = 48;

/// Largest event that Lambda hands to a function.
const EVENT_MAX: usize = 6 * 1024 * 1024;

/// Connections of one who wants to use them all up.
const IDLE: usize = 1_000;

const ROUTES: [&str; 9] = [
    "/webhooks/answer",
    "/webhooks/answer/agent/CON-1/leg",
    "/webhooks/ncco/leg",
    "/webhooks/fallback",
    "/webhooks/event",
    "/webhooks/recording",
    "/agents/alice/free",
    "/agents/alice/away",
    "/agentfree",
];

fn signer() -> Signer {
    Signer {
        secret: "the secret of these tests, long enough".to_owned(),
        application_id: fixtures::APPLICATION_ID.to_owned(),
        api_key: "abcd1234".to_owned(),
    }
}

/// A board as a process of its own, whose memory can be looked at.
async fn board() -> (Shell, Dev) {
    let shell = Shell::new()
        .with("VONAGE_SIGNATURE_SECRET", signer().secret)
        .with("VONAGE_APPLICATION_ID", signer().application_id);
    shell.write("plan.toml", PLAN);
    let dev = Dev::start(&shell, &["--plan", "plan.toml"]).await;
    (shell, dev)
}

/// The most memory that a process has held so far, in MiB.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

async fn connect(url: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Sends bytes as they are; the status of the answer, if there is one before the end.
async fn send(url: &str, bytes: &[u8]) -> Option<u16> {
    let (mut reads, mut writes) = connect(url).await.into_split();
    let mut first = [0; 12];
    // Who answers early does not read the rest: a broken pipe is no failure.
    let both = async { tokio::join!(writes.write_all(bytes), reads.read_exact(&mut first)) };
    let (_, read) = tokio::time::timeout(PATIENCE, both)
        .await
        .expect("an answer, or an end");
    read.ok()?;
    std::str::from_utf8(&first[9..]).unwrap().parse().ok()
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let token = signer().post(body);
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: board\r\nauthorization: Bearer {token}\r\nconnection: close\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

fn with_length(path: &str, body: &[u8]) -> Vec<u8> {
    post(path, &format!("content-length: {}\r\n", body.len()), body)
}

/// Somebody calls, and hears something.
async fn is_answered(url: &str, leg: &str) {
    let body = incoming("447700900004", leg).to_string();
    let token = signer().post(body.as_bytes());
    let request = crate::world::http().post(format!("{url}/webhooks/answer"));
    let sent = request.bearer_auth(token).body(body).send();
    let answer = tokio::time::timeout(PATIENCE, sent).await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    let script: Value = answer.json().await.unwrap();
    assert!(!kinds(&script).is_empty());
}

#[tokio::test]
async fn a_flood_of_bodies_takes_no_more_memory_than_a_few_and_others_are_answered() {
    let (_shell, dev) = board().await;
    is_answered(&dev.url, "leg-before").await;
    let before = peak(dev.pid());
    // 8 MiB each, announced, in one chunk, and in chunks; 40 at once, 320 MiB in all.
    let body = vec![b' '; 32 * BODY_MAX];
    let chunk = |data: &[u8]| [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
    let chunked = "transfer-encoding: chunked\r\n";
    let floods = [
        with_length("/webhooks/event", &body),
        post("/webhooks/answer", chunked, &chunk(&body)),
        post(
            "/agentfree",
            chunked,
            &body.chunks(1000).flat_map(chunk).collect::<Vec<_>>(),
        ),
        post(
            "/webhooks/recording",
            &format!("{chunked}content-length: 3\r\n"),
            &chunk(&body),
        ),
    ]
    .map(Arc::<[u8]>::from);
    let mut sending = JoinSet::new();
    for flood in floods.iter().cycle().take(40) {
        let (url, flood) = (dev.url.clone(), flood.clone());
        sending.spawn(async move { send(&url, &flood).await });
    }
    is_answered(&dev.url, "leg-meanwhile").await;
    while let Some(status) = sending.join_next().await {
        // Either told so, or cut off while still sending.
        assert!(matches!(status.unwrap(), Some(413 | 400) | None));
    }
    is_answered(&dev.url, "leg-after").await;
    let more = peak(dev.pid()).saturating_sub(before);
    assert!(more < MEMORY_MIB, "{more} MiB more");
}

#[tokio::test]
async fn a_thousand_connections_that_say_nothing_keep_nobody_out() {
    let (_shell, dev) = board().await;
    is_answered(&dev.url, "leg-before").await;
    let before = peak(dev.pid());
    let mut idle = Vec::new();
    for n in 0..IDLE {
        let mut connection = connect(&dev.url).await;
        // Nothing, half a head, or a body that comes a byte now and then.
        let begun = match n % 3 {
            0 => Vec::new(),
            1 => b"POST /webhooks/answer HTTP/1.1\r\nhost: board\r\nx-".to_vec(),
            _ => post("/webhooks/answer", "content-length: 1000\r\n", b"{"),
        };
        connection.write_all(&begun).await.unwrap();
        idle.push(connection);
    }
    for connection in idle.iter_mut().skip(2).step_by(3) {
        connection.write_all(b" ").await.unwrap();
    }
    is_answered(&dev.url, "leg-meanwhile").await;
    drop(idle);
    is_answered(&dev.url, "leg-after").await;
    let more = peak(dev.pid()).saturating_sub(before);
    assert!(more < MEMORY_MIB, "{more} MiB more");
}

#[tokio::test]
async fn a_request_of_absurd_form_is_refused_and_takes_nobody_with_it() {
    let (_shell, dev) = board().await;
    is_answered(&dev.url, "leg-before").await;
    let before = peak(dev.pid());
    let many: String = (0..10_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
    let long = format!("x-long: {}\r\n", "a".repeat(1024 * 1024));
    let repeated = "authorization: Bearer a.b.c\r\n".repeat(90);
    for path in ROUTES {
        for (what, bytes, refused) in [
            ("10 000 headers", post(path, &many, b""), 431),
            ("a header of a MiB", post(path, &long, b""), 431),
            (
                "a path of a MiB",
                post(&format!("{path}/{}", "a".repeat(1024 * 1024)), "", b""),
                431,
            ),
            ("a header without a name", post(path, ": x\r\n", b""), 400),
            (
                "two lengths",
                post(path, "content-length: 3\r\ncontent-length: 4\r\n", b"{}"),
                400,
            ),
            (
                "a length that is none",
                post(path, "content-length: -1\r\n", b"{}"),
                400,
            ),
            (
                "a length beyond all numbers",
                post(path, "content-length: 99999999999999999999999\r\n", b"{}"),
                400,
            ),
            (
                "no HTTP",
                [path.as_bytes(), b"\0\xff\r\n\r\n"].concat(),
                400,
            ),
        ] {
            let status = send(&dev.url, &bytes).await;
            // A peer that is still sending may lose the answer to the reset.
            let lost = status.is_none() && bytes.len() > 100_000;
            assert!(
                status == Some(refused) || lost,
                "{path}: {what}: {status:?}"
            );
        }
        // Bytes that are no text, where text is read.
        let garbled = b"POST \xff HTTP/1.1\r\nhost: \xff\xfe\r\nconnection: close\r\n\r\n";
        assert_eq!(send(&dev.url, garbled).await, Some(400), "{path}");
        // The fallback asks nobody who they are.
        let unknown = Some(if path == "/webhooks/fallback" {
            200
        } else {
            401
        });
        let header = format!("POST {path} HTTP/1.1\r\nhost: board\r\nconnection: close\r\n");
        let garbled = [header.as_bytes(), b"authorization: Bearer \xff\xfe\r\n\r\n"].concat();
        assert_eq!(send(&dev.url, &garbled).await, unknown, "{path}");
        let doubled = [header.as_bytes(), repeated.as_bytes(), b"\r\n"].concat();
        assert_eq!(send(&dev.url, &doubled).await, unknown, "{path}");
        // A body shorter than was announced: its sender is gone.
        let short = post(path, "content-length: 100\r\n", b"{}");
        let mut connection = connect(&dev.url).await;
        connection.write_all(&short).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut rest = Vec::new();
        let read = connection.read_to_end(&mut rest);
        let _ = tokio::time::timeout(PATIENCE, read).await.expect("an end");
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{path}");
    }
    is_answered(&dev.url, "leg-after").await;
    let more = peak(dev.pid()).saturating_sub(before);
    assert!(more < MEMORY_MIB, "{more} MiB more");
}

#[tokio::test]
async fn nesting_without_end_and_thousands_of_pairs_are_read_or_refused_on_every_route() {
    let (_shell, dev) = board().await;
    is_answered(&dev.url, "leg-before").await;
    let before = peak(dev.pid());
    let levels = 100_000;
    let objects = format!(
        "{}1{}",
        r#"{"a":"#.repeat(levels / 3),
        "}".repeat(levels / 3)
    );
    let bodies = [
        format!("{}{}", "[".repeat(levels), "]".repeat(levels)),
        "[".repeat(levels),
        objects.clone(),
        format!(r#"{{"uuid":"a","conversation_uuid":"b","payload":{objects}}}"#),
        // Doubled thousandfold, the last or the first counts: either way it reads.
        format!(
            r#"{{{}"uuid":"leg-twice","conversation_uuid":"CON-1"}}"#,
            r#""uuid":"b","#.repeat(10_000)
        ),
    ];
    let query = (0..4_000).map(|n| format!("&uuid={n}")).collect::<String>();
    let nested = format!("&dtmf={}", "%5B".repeat(10_000));
    for path in ROUTES {
        for body in &bodies {
            let status = send(&dev.url, &with_length(path, body.as_bytes())).await;
            let status = status.expect("an answer");
            assert!([200, 400, 401].contains(&status), "{path}: {status}");
        }
        for query in [&query, &nested] {
            let path = format!("{path}?conversation_uuid=b{query}");
            let status = send(&dev.url, &with_length(&path, b"{}")).await;
            let status = status.expect("an answer");
            assert!([200, 400, 401].contains(&status), "{path:.40}: {status}");
            let token = signer().get(path.split_once('?').unwrap().1);
            let get = format!(
                "GET {path} HTTP/1.1\r\nhost: board\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
            );
            let status = send(&dev.url, get.as_bytes()).await.expect("an answer");
            assert!(
                [200, 400, 401, 405].contains(&status),
                "{path:.40}: {status}"
            );
        }
    }
    is_answered(&dev.url, "leg-after").await;
    let more = peak(dev.pid()).saturating_sub(before);
    assert!(more < MEMORY_MIB, "{more} MiB more");
}

/// What a function on a board's table and queues is given.
fn start(world: &World, function: &str) -> Lambda {
    let board = world.board.environment().pairs();
    let pairs = board.chain(world.board.engines().environment());
    Lambda::start(&built(function), pairs.collect())
}

#[tokio::test]
async fn a_function_handed_the_largest_event_there_is_refuses_it_and_goes_on() {
    let world = World::open().await;
    let room = EVENT_MAX - 4 * 1024;
    // As text, and in base64, which is a third longer. Both ways lead through the same few lines.
    for (function, path, length, base64) in [
        ("answer", "/webhooks/answer", room, false),
        ("transfer", "/agentfree", room / 4 * 3, true),
    ] {
        let lambda = start(&world, function);
        let health = envelope::api_gateway_v2("GET", "/healthz", "", &[], b"", false);
        assert_eq!(
            lambda.invoke(health.clone()).await.unwrap()["statusCode"],
            200
        );
        let before = peak(lambda.pid());
        let body = vec![b'['; length];
        let token = format!("Bearer {}", world.signer.post(&body));
        let headers = [("authorization", token.as_str())];
        let event = envelope::api_gateway_v2("POST", path, "", &headers, &body, base64);
        let answer = lambda.invoke(event).await.unwrap();
        let (status, _, body) = envelope::response_parts(&answer);
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 413, "{function}");
        assert_eq!(body["error"]["code"], "too-large", "{function}");
        assert_eq!(lambda.invoke(health).await.unwrap()["statusCode"], 200);
        let more = peak(lambda.pid()).saturating_sub(before);
        assert!(more < MEMORY_MIB, "{function}: {more} MiB more");
    }
}

#[tokio::test]
async fn a_batch_as_large_as_there_is_comes_again_and_its_function_goes_on() {
    let world = World::open().await;
    // Nothing but brackets, nine messages of them.
    let bodies = vec!["[".repeat(EVENT_MAX / 10); 9];
    let large = envelope::sqs_batch("arn:aws:sqs:eu-west-1:123456789012:q", &bodies);
    for (function, good) in [
        ("archive", json!({ "recording": "nobodys" })),
        ("dispatch", json!({ "job": "look", "agent": "alice" })),
    ] {
        let lambda = start(&world, function);
        let good = good.to_string();
        let small = envelope::sqs_batch("arn:aws:sqs:eu-west-1:123456789012:q", &[&good]);
        let answer = lambda.invoke(small.clone()).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{function}");
        let before = peak(lambda.pid());
        let answer = lambda.invoke(large.clone()).await.unwrap();
        let failures = answer["batchItemFailures"].as_array().unwrap().len();
        assert_eq!(failures, 9, "{function}");
        assert_eq!(
            lambda.invoke(small).await.unwrap(),
            json!({ "batchItemFailures": [] })
        );
        let more = peak(lambda.pid()).saturating_sub(before);
        assert!(more < MEMORY_MIB, "{function}: {more} MiB more");
    }
}
