//! Whoever is not Vonage, what does not read, and addresses that lead elsewhere.

use crate::platform::{Platform, Reply, Stranger};
use crate::query;
use crate::unique;
use crate::webhook_signing::{Forgery, Signer};
use crate::world::{Answered, PLAN, World, action, eventually, incoming, kinds};
use futures_util::stream;
use jiff::SignedDuration;
use reqwest::{Body, Method};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use switchboard_cli::board::{Board, BoardConfig};
use switchboard_cli::environment::Environment;
use switchboard_shared::call::Call;
use switchboard_shared::clock::Clock;
use switchboard_shared::config::{Lookup, token_hash};
use switchboard_shared::people::People;
use switchboard_shared::store::Home;
use switchboard_shared::web::BODY_MAX;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The line whose queue Alice, Bob and Carol serve.
const SUPPORT: &str = "447700900002";

/// Every route that Vonage calls.
const ROUTES: [&str; 6] = [
    "/webhooks/answer",
    "/webhooks/answer/agent/CON-1/leg",
    "/webhooks/ncco/leg",
    FALLBACK,
    "/webhooks/event",
    "/webhooks/recording",
];

/// Those of them that ask for Vonage's signature. The fallback has no secret to check one with.
fn signed() -> impl Iterator<Item = &'static str> {
    ROUTES.into_iter().filter(|path| *path != FALLBACK)
}

/// Speaks to whoever asks.
const FALLBACK: &str = "/webhooks/fallback";

/// Those of them that cannot do without a body that reads.
const READING: [&str; 3] = ["/webhooks/answer", "/webhooks/event", "/webhooks/recording"];

/// A body that would have an effect on any of the routes.
fn effective(leg: &str) -> Value {
    let mut body = incoming(SUPPORT, leg);
    body["status"] = json!("completed");
    body["timestamp"] = json!("2026-01-01T12:00:00.000Z");
    body
}

/// And one for recordings.
fn recording(id: &str) -> Value {
    json!({
        "recording_uuid": id,
        "recording_url": "https://api.nexmo.com/v1/files/x",
        "size": 3,
        "conversation_uuid": format!("CON-{id}"),
    })
}

fn body_for(path: &str, id: &str) -> Value {
    if path == "/webhooks/recording" {
        recording(id)
    } else {
        effective(id)
    }
}

/// A flat body as a query.
fn as_query(body: &Value) -> String {
    let fields = body.as_object().unwrap().iter();
    let pairs = fields.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// What the hash of a GET is taken over.
fn hashed(query: &str) -> String {
    let fields = query::pairs(query)
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::Object(fields.collect()).to_string()
}

/// Posts bytes as they are, with a token or without.
async fn post_raw(
    world: &World,
    path: &str,
    token: Option<&str>,
    body: impl Into<Body>,
) -> Answered {
    let mut request = world.request(Method::POST, path).body(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    world.send(request).await
}

async fn get_raw(world: &World, path: &str, query: &str, token: Option<&str>) -> Answered {
    let mut request = world.request(Method::GET, &format!("{path}?{query}"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    world.send(request).await
}

/// An error of ours, in our form: these very words, so that nothing else can be among them.
#[track_caller]
fn assert_refused(answered: &Answered, status: u16, code: &str, message: &str, what: &str) {
    assert_eq!(answered.status, status, "{what}");
    let error = json!({ "error": { "code": code, "message": message } });
    assert_eq!(answered.body, error, "{what}");
}

#[track_caller]
fn assert_unsigned(answered: &Answered, what: &str) {
    let message = "the request is not signed as it must be";
    assert_refused(answered, 401, "unsigned", message, what);
}

#[track_caller]
fn assert_unreadable(answered: &Answered, what: &str) {
    let message = "the request does not read";
    assert_refused(answered, 400, "unreadable", message, what);
}

/// Everything in the table, as text that can be compared.
async fn table(world: &World) -> BTreeSet<String> {
    let scanned = world.board.engines().dynamodb_client().scan();
    let scanned = scanned.table_name("switchboard").send().await.unwrap();
    let items = scanned.items().iter().map(|item| {
        let sorted: std::collections::BTreeMap<_, _> = item.iter().collect();
        format!("{sorted:?}")
    });
    items.collect()
}

async fn call(world: &World, leg: &str) -> Option<Call> {
    let found = world.board.store().call(&leg.parse().unwrap()).await;
    found.unwrap()
}

#[tokio::test]
async fn nobody_gets_in_without_a_signature() {
    let world = World::open().await;
    let before = table(&world).await;
    for path in signed() {
        let body = body_for(path, "leg").to_string();
        assert_unsigned(&post_raw(&world, path, None, body.clone()).await, path);
        let query = as_query(&body_for(path, "leg"));
        assert_unsigned(&get_raw(&world, path, &query, None).await, path);
        for header in [
            "",
            "Bearer",
            "Bearer ",
            "Basic YTpi",
            "Bearer a.b",
            "Bearer a.b.c",
            "e30.e30.",
        ] {
            let request = world
                .request(Method::POST, path)
                .header("authorization", header)
                .body(body.clone());
            assert_unsigned(&world.send(request).await, &format!("{path}: {header:?}"));
        }
    }
    assert_eq!(table(&world).await, before, "nothing is written");
}

#[tokio::test]
async fn no_forgery_gets_in() {
    let world = World::open().await;
    let before = table(&world).await;
    for path in signed() {
        let body = body_for(path, "leg");
        let query = as_query(&body);
        let body = body.to_string();
        for forgery in Forgery::ALL {
            let what = format!("{path}: {forgery:?}");
            let token = world.signer.forged(forgery, body.as_bytes());
            assert_unsigned(
                &post_raw(&world, path, Some(&token), body.clone()).await,
                &what,
            );
            // Of a GET the hash is not relied on.
            if matches!(forgery, Forgery::OtherBody | Forgery::NoPayloadHash) {
                continue;
            }
            let token = world.signer.forged(forgery, hashed(&query).as_bytes());
            assert_unsigned(&get_raw(&world, path, &query, Some(&token)).await, &what);
        }
    }
    assert_eq!(table(&world).await, before, "nothing is written");
}

#[tokio::test]
async fn the_fallback_says_the_same_to_whoever_asks_and_writes_nothing() {
    let world = World::open().await;
    let before = table(&world).await;
    let body = effective("leg").to_string();
    let heard = world.post(FALLBACK, &effective("leg")).await;
    assert_eq!(kinds(&heard.body), ["talk"]);
    for forgery in Forgery::ALL {
        let token = world.signer.forged(forgery, body.as_bytes());
        let answered = post_raw(&world, FALLBACK, Some(&token), body.clone()).await;
        assert_eq!(answered, heard, "{forgery:?}");
    }
    assert_eq!(post_raw(&world, FALLBACK, None, body).await, heard);
    assert_eq!(table(&world).await, before);
}

#[tokio::test]
async fn a_get_whose_hash_differs_from_ours_is_taken() {
    let world = World::open().await;
    for (n, path) in ROUTES.into_iter().enumerate() {
        let id = format!("leg-{n}");
        let query = as_query(&body_for(path, &id));
        for forgery in [Forgery::OtherBody, Forgery::NoPayloadHash] {
            let token = world.signer.forged(forgery, query.as_bytes());
            let answered = get_raw(&world, path, &query, Some(&token)).await;
            assert_eq!(answered.status, 200, "{path}: {:?}", answered.body);
            assert!(answered.body.is_array(), "{path}: {}", answered.body);
        }
    }
    assert!(call(&world, "leg-0").await.is_some());
}

#[tokio::test]
async fn while_secrets_are_rotated_the_previous_one_still_lets_vonage_in() {
    let old = "the secret before, long enough too";
    let settings = vec![(
        "VONAGE_SIGNATURE_SECRET_PREVIOUS".to_owned(),
        old.to_owned(),
    )];
    let world = World::start(PLAN, None, settings, Platform::start()).await;
    let with = |secret: &str| Signer {
        secret: secret.to_owned(),
        ..world.signer.clone()
    };
    for path in signed() {
        let body = body_for(path, "leg").to_string();
        for (signer, lets_in) in [
            (world.signer.clone(), true),
            (with(old), true),
            (with("a third one"), false),
        ] {
            let token = signer.post(body.as_bytes());
            let answered = post_raw(&world, path, Some(&token), body.clone()).await;
            let expected = if lets_in { 200 } else { 401 };
            assert_eq!(answered.status, expected, "{path}");
        }
        for forgery in Forgery::ALL {
            let token = with(old).forged(forgery, body.as_bytes());
            let answered = post_raw(&world, path, Some(&token), body.clone()).await;
            assert_unsigned(&answered, &format!("{path}: {forgery:?}"));
        }
    }
}

#[tokio::test]
async fn without_a_previous_secret_the_empty_one_lets_nobody_in() {
    let world = World::open().await;
    let signer = Signer {
        secret: String::new(),
        ..world.signer.clone()
    };
    let body = effective("leg").to_string();
    let token = signer.post(body.as_bytes());
    for path in signed() {
        assert_unsigned(
            &post_raw(&world, path, Some(&token), body.clone()).await,
            path,
        );
    }
}

#[tokio::test]
async fn what_does_not_read_is_told_so_and_leaves_nothing() {
    let world = World::open().await;
    let before = table(&world).await;
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        format!(r#"{{"uuid":"a","conversation_uuid":"b","to":"1","deep":{open}{close}}}"#)
    };
    let long = "a".repeat(129);
    let bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "{}",
        "[]",
        "[{}]",
        "null",
        "17",
        "\"uuid\"",
        "uuid=a&conversation_uuid=b",
        r#"{"uuid":"a","conversation_uuid":"b"} and more"#,
        r#"{"uuid":"a","conversation_uuid":"b","from":"\ud800"}"#,
        r#"{"to":"1","from":"2","status":"answered"}"#,
        r#"{"uuid":null,"conversation_uuid":null,"status":"answered"}"#,
        r#"{"uuid":{"a":1},"conversation_uuid":["b"],"status":"answered"}"#,
        r#"{"uuid":"a#b","conversation_uuid":"CON-1","status":"answered"}"#,
        r#"{"uuid":"../../etc","conversation_uuid":"CON-1"}"#,
        r#"{"uuid":"a b","conversation_uuid":"CON-1"}"#,
        r#"{"uuid":"a\u0000","conversation_uuid":"CON-1"}"#,
        r#"{"uuid":"é","conversation_uuid":"CON-1"}"#,
        r#"{"uuid":"a","conversation_uuid":"CON/1"}"#,
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        deep(129).into_bytes(),
        deep(100_000).into_bytes(),
        format!(r#"{{"uuid":"{long}","conversation_uuid":"CON-1"}}"#).into_bytes(),
        format!(r#"{{"uuid":"a","conversation_uuid":"{long}"}}"#).into_bytes(),
        b"{\"uuid\":\"a\",\"conversation_uuid\":\"b\",\"from\":\"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf\xff".to_vec(),
        vec![0; 1000],
    ])
    .collect();
    for path in READING {
        for body in &bodies {
            let token = world.signer.post(body);
            let answered = post_raw(&world, path, Some(&token), body.clone()).await;
            let shown = String::from_utf8_lossy(&body[..body.len().min(90)]).into_owned();
            assert_unreadable(&answered, &format!("{path}: {shown:?}"));
        }
    }
    for body in [
        json!({ "recording_uuid": "a/b", "recording_url": "https://api.nexmo.com/x" }),
        json!({ "recording_uuid": "..", "recording_url": "" }),
        json!({ "recording_uuid": null, "recording_url": null }),
        json!({ "recording_uuid": "r", "conversation_uuid": "a#b", "recording_url": "" }),
    ] {
        for path in ["/webhooks/event", "/webhooks/recording"] {
            let answered = world.post(path, &body).await;
            assert_unreadable(&answered, &format!("{path}: {body}"));
        }
    }
    for query in [
        "",
        "to=1&from=2",
        "uuid=a%23b&conversation_uuid=c",
        "uuid=%FF&conversation_uuid=c",
        "&&&=",
        "uuid[]=a",
    ] {
        for path in READING {
            assert_unreadable(&world.get(path, query).await, &format!("{path}?{query}"));
        }
    }
    assert_eq!(table(&world).await, before, "nothing is written");
}

#[tokio::test]
async fn where_the_address_says_it_all_a_caller_is_spoken_to_whatever_the_body() {
    let world = World::open().await;
    for path in ROUTES.into_iter().filter(|path| !READING.contains(path)) {
        for body in [&b""[..], b"{", b"[]", b"\xff\xfe", b"null"] {
            let token = world.signer.post(body);
            let answered = post_raw(&world, path, Some(&token), body).await;
            assert_eq!(answered.status, 200, "{path}: {body:?}");
            assert!(!kinds(&answered.body).is_empty(), "{path}: {body:?}");
        }
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_too_large_however_it_comes() {
    let world = World::open().await;
    let before = table(&world).await;
    let message = format!("the body is larger than {BODY_MAX} bytes");
    for path in ROUTES {
        let mut body = body_for(path, "leg");
        body["padding"] = json!("a".repeat(BODY_MAX));
        let body = body.to_string();
        let token = world.signer.post(body.as_bytes());
        let answered = post_raw(&world, path, Some(&token), body.clone()).await;
        assert_refused(&answered, 413, "too-large", &message, path);
        let chunks: Vec<Result<Vec<u8>, std::io::Error>> = body
            .as_bytes()
            .chunks(16 * 1024)
            .map(|chunk| Ok(chunk.to_vec()))
            .collect();
        let chunked = Body::wrap_stream(stream::iter(chunks));
        let answered = post_raw(&world, path, Some(&token), chunked).await;
        assert_refused(&answered, 413, "too-large", &message, path);
    }
    assert_eq!(table(&world).await, before, "nothing is written");
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_not_waited_for() {
    let world = World::open().await;
    let address = world.board.url().strip_prefix("http://").unwrap();
    for path in ROUTES {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9000000000\r\n\r\n"
        );
        connection.write_all(head.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        let read = connection.read_exact(&mut first);
        tokio::time::timeout(crate::world::PATIENCE, read)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&first, b"HTTP/1.1 413", "{path}");
    }
}

#[tokio::test]
async fn a_body_just_within_the_limit_is_taken_and_kept() {
    let world = World::open().await;
    let mut body = effective("leg");
    let room = BODY_MAX - body.to_string().len() - r#","padding":"""#.len();
    body["padding"] = json!("a".repeat(room));
    assert_eq!(body.to_string().len(), BODY_MAX);
    let answered = world.post("/webhooks/event", &body).await;
    assert_eq!(answered.status, 200, "{:?}", answered.body);
    let home = Home::Leg("leg".parse().unwrap());
    let events = world.board.store().events(&home).await.unwrap();
    assert_eq!(events[0].body, body.to_string());
}

#[tokio::test]
async fn other_pages_and_other_methods_are_refused_in_our_form() {
    let world = World::open().await;
    for path in [
        "/",
        "/webhooks",
        "/webhooks/",
        "/webhooks/answer/",
        "/webhooks/nothing",
        "/webhooks/ncco/",
        "/.env",
        "/agents/alice",
        "/webhooks//answer",
    ] {
        let answered = post_raw(&world, path, None, "{}").await;
        assert_refused(&answered, 404, "not-found", "there is no such page", path);
    }
    for path in ROUTES
        .into_iter()
        .chain(["/agents/alice/free", "/agentfree", "/healthz"])
    {
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            let answered = world.send(world.request(method, path)).await;
            let message = "this page is not asked with that method";
            assert_refused(&answered, 405, "method", message, path);
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_text_is_refused_in_our_form_and_only_after_the_signature() {
    let world = World::open().await;
    for path in [
        "/webhooks/ncco/%FF",
        "/webhooks/answer/agent/CON-1/%FF",
        "/agents/%FF/free",
        "/agents/%FF/away",
    ] {
        let answered = post_raw(&world, path, None, "{}").await;
        assert_eq!(answered.status, 401, "{path}");
        assert!(answered.body["error"]["code"].is_string(), "{path}");
    }
}

#[tokio::test]
async fn an_address_with_an_id_that_is_none_names_no_call() {
    let world = World::open().await;
    for path in [
        "/webhooks/ncco/a%23b",
        "/webhooks/ncco/..%2Fx",
        "/webhooks/answer/agent/a%20b/leg",
        "/webhooks/answer/agent/CON-1/a%23b",
    ] {
        let answered = world.post(path, &json!({})).await;
        assert_refused(&answered, 404, "not-found", "there is no such call", path);
    }
}

#[tokio::test]
async fn a_region_elsewhere_is_not_used_and_the_call_is_answered_all_the_same() {
    let stranger = Stranger::start();
    let world = World::open().await;
    let own = world.platform.url();
    let elsewhere = [
        (json!(stranger.url()), "not https"),
        (json!(stranger.url_by_name()), "not https"),
        (
            json!(stranger.url().replace("http:", "https:")),
            "neither nexmo.com nor vonage.com",
        ),
        (
            json!("https://api-us-3.vonage.com.evil.example"),
            "neither nexmo.com nor vonage.com",
        ),
        (
            json!("https://evilnexmo.com"),
            "neither nexmo.com nor vonage.com",
        ),
        (
            json!("https://evil.example/.nexmo.com/"),
            "neither nexmo.com nor vonage.com",
        ),
        (json!("https://user@api.nexmo.com"), "names a user"),
        (json!("https://api.nexmo.com@evil.example"), "names a user"),
        (
            json!(own.replace("http://", "http://user@")),
            "names a user",
        ),
        (json!("http://api.nexmo.com"), "not https"),
        (json!("https://api.nexmo.com:8443"), "names a port"),
        (
            json!("https://evil.example\\.nexmo.com"),
            "no place in a URL",
        ),
        (json!("javascript:alert(1)"), "not https"),
        (json!("//api.nexmo.com"), "not a URL"),
        (json!(17), "not a URL"),
    ];
    for (n, (url, why)) in elsewhere.iter().enumerate() {
        let leg = format!("leg-{n}");
        let mut body = incoming(SUPPORT, &leg);
        body["region_url"] = url.clone();
        let answered = world.post("/webhooks/answer", &body).await;
        assert_eq!(answered.status, 200, "{url}");
        assert_eq!(kinds(&answered.body)[0], "talk", "{url}");
        let call = call(&world, &leg).await.unwrap();
        assert_eq!(call.region, None, "{url}");
        let refused = call.refused.unwrap();
        assert!(refused.contains("region_url"), "{url}: {refused}");
        assert!(refused.contains(why), "{url}: {refused}");
        assert!(!refused.contains("evil"), "{url}: {refused}");
        world.later(1);
    }
    for agent in ["alice", "bob", "carol"] {
        world.says(agent, "free").await;
    }
    let moved: Vec<_> = world
        .transfers(3)
        .await
        .into_iter()
        .map(|one| one.leg)
        .collect();
    assert_eq!(moved, ["leg-0", "leg-1", "leg-2"]);
    assert!(!stranger.saw_authorization() && !stranger.saw_token());
    assert!(stranger.requests().is_empty(), "{:?}", stranger.requests());
}

#[tokio::test]
async fn a_call_is_moved_in_the_region_that_vonage_named() {
    let world = World::open().await;
    let done = Reply {
        status: 204,
        ..Reply::default()
    };
    world.platform.fail("/region-7/v1/calls/", "PUT", done);
    let mut body = incoming(SUPPORT, "leg-1");
    body["region_url"] = json!(format!("{}/region-7?x=1", world.platform.url()));
    assert_eq!(world.post("/webhooks/answer", &body).await.status, 200);
    let call = call(&world, "leg-1").await.unwrap();
    assert_eq!(
        call.region,
        Some(format!("{}/region-7", world.platform.url()))
    );
    assert_eq!(call.refused, None);
    let said = world.says("alice", "free").await;
    assert_eq!(said.body["outcome"], "transferred");
    let requests = world.platform.requests();
    let paths: Vec<_> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(paths, ["/region-7/v1/calls/leg-1"]);
    assert!(requests[0].sound);
}

#[tokio::test]
async fn a_call_whose_region_is_named_by_nobody_or_by_nothing_has_none() {
    let world = World::open().await;
    for (leg, url) in [
        ("a", Value::Null),
        ("b", json!("")),
        ("c", json!({ "url": "x" })),
    ] {
        let mut body = incoming(SUPPORT, leg);
        body["region_url"] = url;
        assert_eq!(world.post("/webhooks/answer", &body).await.status, 200);
        let call = call(&world, leg).await.unwrap();
        assert_eq!((call.region, call.refused), (None, None), "{leg}");
    }
}

/// An event of each status, and of each kind that has none, as Vonage words them.
fn every_event() -> Vec<Value> {
    let at = |second: usize| format!("2026-01-01T12:00:{second:02}.000Z");
    let mut events: Vec<Value> = [
        "started",
        "ringing",
        "answered",
        "busy",
        "cancelled",
        "unanswered",
        "rejected",
        "failed",
        "timeout",
        "completed",
        "disconnected",
        "teleported",
    ]
    .iter()
    .enumerate()
    .map(|(n, status)| {
        json!({
            "headers": {},
            "from": "447700900123",
            "to": SUPPORT,
            "uuid": "leg-1",
            "conversation_uuid": "CON-leg-1",
            "status": status,
            "direction": "inbound",
            // `started` and `ringing` are made together.
            "timestamp": at(n.max(1)),
        })
    })
    .collect();
    events[2]["start_time"] = Value::Null;
    events[2]["rate"] = Value::Null;
    events[3]["sip_code"] = json!(486);
    events[7]["detail"] = json!("cannot_route");
    events[9]["duration"] = json!("7");
    events[9]["price"] = json!("0.00052500");
    for (status, sub_state) in [("human", Value::Null), ("machine", json!("beep_start"))] {
        events.push(json!({
            "call_uuid": "leg-1",
            "conversation_uuid": "CON-leg-1",
            "status": status,
            "sub_state": sub_state,
            "timestamp": at(4),
        }));
    }
    events.extend([
        json!({
            "conversation_uuid": "CON-leg-1", "recording_uuid": "r-1", "status": "transcribed",
            "type": "record", "transcription_url": "https://api.nexmo.com/t", "timestamp": at(30),
        }),
        json!({
            "conversation_uuid": "CON-leg-1", "recording_uuid": "r-1", "recording_url": "",
            "size": 0, "start_time": at(1), "end_time": at(2), "timestamp": at(30),
        }),
        json!({
            "uuid": "leg-1", "conversation_uuid": "CON-leg-1", "from": "447700900123",
            "dtmf": { "digits": "2", "timed_out": true },
            "speech": { "error": "Speech was not enabled" }, "timestamp": at(31),
        }),
        json!({
            "uuid": "leg-1", "conversation_uuid_from": "CON-leg-1", "conversation_uuid_to": "CON-2",
            "type": "transfer", "timestamp": at(32),
        }),
        json!({ "payload": { "foo": "bar" }, "conversation_uuid": "CON-leg-1", "timestamp": at(33) }),
        json!({ "reason": "Syntax error in NCCO", "conversation_uuid": "CON-leg-1", "timestamp": at(34) }),
        json!({ "uuid": "leg-1", "novelty": [1, 2.5, null], "timestamp": null }),
    ]);
    events
}

/// A world in which these were told, and all that it remembers of them.
async fn remembered(events: impl Iterator<Item = Value>) -> (BTreeSet<String>, World) {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    for event in events {
        let answered = world.post("/webhooks/event", &event).await;
        assert_eq!(answered.status, 200, "{event}: {:?}", answered.body);
    }
    let store = world.board.store();
    let mut ledger = BTreeSet::new();
    let conversation = |id: &str| Home::Conversation(id.parse().unwrap());
    for home in [
        Home::Leg("leg-1".parse().unwrap()),
        conversation("CON-leg-1"),
        conversation("CON-2"),
    ] {
        for event in store.events(&home).await.unwrap() {
            // Below, from its own item.
            if event.word == "recording" {
                continue;
            }
            let (leg, conversation, at) = (event.leg, event.conversation, event.at);
            ledger.insert(format!(
                "{home:?} {} {leg:?} {conversation:?} {at:?} {}",
                event.word, event.body
            ));
        }
    }
    let recordings = store.recordings_of(&"CON-leg-1".parse().unwrap()).await;
    for recording in recordings.unwrap() {
        ledger.insert(format!("{recording:?}"));
    }
    eventually(|| async { world.waiting("support").await.is_empty().then_some(()) }).await;
    (ledger, world)
}

#[tokio::test]
async fn every_event_told_twice_in_two_orders_leaves_the_same_ledger() {
    let events = every_event();
    let there = events.clone().into_iter().chain(events.clone());
    let (first, one) = remembered(there).await;
    let back = events
        .iter()
        .rev()
        .flat_map(|event| [event.clone(), event.clone()]);
    let (second, other) = remembered(back).await;
    assert_eq!(first.len(), events.len(), "each once: {first:#?}");
    assert_eq!(first, second);
    for world in [one, other] {
        assert!(
            world.platform.requests().is_empty(),
            "nothing is asked of Vonage"
        );
        let call = call(&world, "leg-1").await.unwrap();
        assert!(call.ended.is_some() && call.served.is_none() && call.offer.is_none());
    }
}

#[tokio::test]
async fn when_a_call_ended_does_not_depend_on_the_order_of_its_events() {
    let ends = |status: &str, second: u8| {
        json!({
            "uuid": "leg-1", "conversation_uuid": "CON-leg-1", "direction": "inbound",
            "status": status, "timestamp": format!("2026-01-01T12:00:{second:02}.000Z"),
        })
    };
    let events = [ends("cancelled", 5), ends("completed", 6)];
    let (_, one) = remembered(events.iter().cloned()).await;
    let (_, other) = remembered(events.iter().rev().cloned()).await;
    let (one, other) = (call(&one, "leg-1").await, call(&other, "leg-1").await);
    assert_eq!(one.unwrap().ended, other.unwrap().ended);
}

#[tokio::test]
async fn events_with_new_words_nulls_and_numbers_for_text_are_kept_and_end_nothing() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    let bodies = [
        json!({ "uuid": "leg-1", "status": "teleported", "direction": "inbound", "timestamp": crate::world::now() }),
        json!({ "uuid": "leg-1", "status": "COMPLETED", "timestamp": null }),
        json!({ "uuid": "leg-1", "status": "", "from": "\u{0}\u{202e}", "to": null }),
        json!({ "uuid": "leg-1", "status": null, "headers": null }),
        json!({ "uuid": "leg-1", "status": 5, "timestamp": 1_767_268_800 }),
        json!({ "uuid": "leg-1", "status": { "completed": true } }),
        json!({ "uuid": "leg-1", "status": "answered", "timestamp": "yesterday", "start_time": null, "rate": null, "network": null }),
        json!({ "uuid": "leg-1", "status": "answered", "rate": 0.0045, "sip_code": "200", "duration": 7, "to": 447_700_900_002_i64 }),
        json!({ "uuid": "leg-1", "status": "#/..%00", "timestamp": "2026-01-01T12:00:00.000Z" }),
        json!({ "uuid": "leg-1", "dtmf": null, "speech": null }),
        json!({ "uuid": "leg-1", "dtmf": { "digits": null, "timed_out": null }, "speech": [] }),
        json!({ "uuid": "leg-1", "dtmf": "12" }),
        json!({ "uuid": "leg-1", "speech": { "results": [{ "text": 1, "confidence": ".91" }, null, 3] } }),
        json!({ "uuid": "leg-1", "payload": null }),
        json!({ "uuid": "leg-1", "payload": [1, { "call": "leg-1" }] }),
        json!({ "uuid": "leg-1", "payload": { "call": "leg-1", "flow": "nowhere", "hold": "-1" } }),
        json!({ "call_uuid": "leg-1", "status": "machine", "direction": null }),
        json!({ "uuid": 17, "status": "ringing" }),
    ];
    for body in &bodies {
        let answered = world.post("/webhooks/event", body).await;
        assert_eq!(answered.status, 200, "{body}: {:?}", answered.body);
        assert_eq!(answered.body, json!([]), "{body}");
    }
    let mut kept = BTreeSet::new();
    for home in ["leg-1", "17"] {
        let home = Home::Leg(home.parse().unwrap());
        let events = world.board.store().events(&home).await.unwrap();
        kept.extend(events.into_iter().map(|event| event.body));
    }
    let sent: BTreeSet<_> = bodies.iter().map(ToString::to_string).collect();
    assert_eq!(kept, sent);
    assert_eq!(world.waiting("support").await, ["leg-1"]);
    assert_eq!(call(&world, "leg-1").await.unwrap().ended, None);
}

#[tokio::test]
async fn an_answer_with_nulls_numbers_and_new_fields_is_answered() {
    let world = World::open().await;
    for (n, change) in [
        json!({ "from": null }),
        json!({ "from": null, "from_user": "bob", "custom_data": { "a": [1] } }),
        json!({ "from": 447_700_900_123_i64, "to": 447_700_900_002_i64 }),
        json!({ "to": "sip:line@example.com", "SipHeader_X-A": "b", "SipHeader_User-to-User": "c" }),
        json!({ "to": null }),
        json!({ "from": "\u{0}\u{1F4DE}<script>" }),
        json!({ "from": "a".repeat(100_000) }),
        json!({ "endpoint_type": { "new": true }, "tomorrow": null }),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = incoming(SUPPORT, &format!("leg-{n}"));
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answered = world.post("/webhooks/answer", &body).await;
        assert_eq!(answered.status, 200, "{n}");
        assert!(!action(&answered.body, "talk")["text"].is_null(), "{n}");
        assert!(call(&world, &format!("leg-{n}")).await.is_some(), "{n}");
    }
}

#[tokio::test]
async fn a_caller_who_hung_up_is_gone_though_the_event_names_no_direction() {
    for direction in [None, Some(Value::Null), Some(json!(""))] {
        let world = World::open().await;
        world.call(SUPPORT, "leg-1").await;
        let mut body = json!({
            "uuid": "leg-1", "conversation_uuid": "CON-leg-1", "status": "completed",
            "start_time": null, "rate": null, "network": null, "timestamp": crate::world::now(),
        });
        if let Some(direction) = &direction {
            body["direction"] = direction.clone();
        }
        assert_eq!(world.post("/webhooks/event", &body).await.status, 200);
        let ended = call(&world, "leg-1").await.unwrap().ended;
        assert!(ended.is_some(), "direction {direction:?}");
    }
}

/// The signed part of a link, as `switchboard link` makes it.
fn link(world: &World, agent: &str, lasts: i64) -> String {
    signed_with(world, "VONAGE_SIGNATURE_SECRET", agent, lasts)
}

fn signed_with(world: &World, secret: &'static str, agent: &str, lasts: i64) -> String {
    let environment = world.board.environment().clone();
    let mut lookup = Lookup::new(move |name| match name {
        "VONAGE_SIGNATURE_SECRET" => environment.get(secret),
        _ => None,
    });
    let people = People::from_lookup(&mut lookup);
    let expires = world.clock.now() + SignedDuration::from_secs(lasts);
    let link = people.link(&agent.parse().unwrap(), expires).unwrap();
    format!("expires={}&signature={}", link.expires, link.signature)
}

async fn press(world: &World, path: &str) -> Answered {
    world.send(world.request(Method::POST, path)).await
}

#[track_caller]
fn assert_not_let_in(answered: &Answered, what: &str) {
    let message = "the request carries no valid token or link";
    assert_refused(answered, 401, "unauthorized", message, what);
}

#[tokio::test]
async fn a_signed_link_lets_its_agent_in_until_it_expires_and_nobody_else() {
    let world = World::open().await;
    let link = link(&world, "alice", 60);
    let said = press(&world, &format!("/agentfree?agent=alice&{link}")).await;
    assert_eq!((said.status, &said.body["outcome"]), (200, &json!("free")));
    let said = press(&world, &format!("/agents/alice/away?{link}")).await;
    assert_eq!((said.status, &said.body["outcome"]), (200, &json!("away")));
    let said = press(&world, &format!("/agents/alice/free?{link}")).await;
    assert_eq!((said.status, &said.body["outcome"]), (200, &json!("free")));
    world.says("alice", "away").await;

    let (expires, signature) = link.split_once('&').unwrap();
    let seconds: i64 = expires.strip_prefix("expires=").unwrap().parse().unwrap();
    let longer = format!("expires={}&{signature}", seconds + 1);
    let cut = &link[..link.len() - 1];
    for path in [
        "/agents/alice/free".to_owned(),
        "/agentfree?agent=alice".to_owned(),
        format!("/agents/bob/free?{link}"),
        format!("/agentfree?agent=bob&{link}"),
        format!("/agents/alice/free?{longer}"),
        format!("/agents/alice/free?{cut}"),
        format!("/agents/alice/free?{cut}z"),
        format!("/agents/alice/free?{expires}"),
        format!("/agents/alice/free?{signature}"),
        format!("/agents/alice/free?{expires}&signature="),
        format!("/agents/ALICE/free?{link}"),
        format!("/agents/alice%20/free?{link}"),
        format!("/agentfree?agent=bob&agent=alice&{link}"),
    ] {
        assert_not_let_in(&press(&world, &path).await, &path);
    }
    for name in ["alice", "bob"] {
        assert_eq!(world.state(name).await, "away", "{name}");
    }

    let page = format!("/agentfree?agent=alice&{link}");
    let shown = async || {
        let answer = world.request(Method::GET, &page).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.text().await.unwrap()
    };
    assert!(
        !shown().await.contains("name=\"token\""),
        "the link is enough"
    );
    world.later(61);
    assert!(shown().await.contains("name=\"token\""), "it no longer is");
    for path in [page.clone(), format!("/agents/alice/free?{link}")] {
        assert_not_let_in(&press(&world, &path).await, &path);
    }
    assert_eq!(world.state("alice").await, "away");
}

#[tokio::test]
async fn a_link_made_before_a_rotation_works_while_it_is_under_way() {
    let previous = "VONAGE_SIGNATURE_SECRET_PREVIOUS";
    let old = "the secret before, long enough too".to_owned();
    let settings = vec![(previous.to_owned(), old)];
    let world = World::start(PLAN, None, settings, Platform::start()).await;
    for link in [
        link(&world, "alice", 60),
        signed_with(&world, previous, "alice", 60),
    ] {
        let said = press(&world, &format!("/agents/alice/free?{link}")).await;
        assert_eq!(said.status, 200);
    }
}

#[tokio::test]
async fn a_link_does_not_pass_for_a_webhook_nor_a_webhooks_token_for_one_of_our_people() {
    let world = World::open().await;
    let body = effective("leg").to_string();
    let token = world.signer.post(body.as_bytes());
    let request = world
        .request(Method::POST, "/agents/alice/free")
        .bearer_auth(&token)
        .body(body.clone());
    assert_not_let_in(&world.send(request).await, "a webhook's token");
    let path = format!("/webhooks/event?{}", link(&world, "alice", 60));
    assert_unsigned(&post_raw(&world, &path, None, body.clone()).await, "a link");
    let token = world.board.secrets().operator_token.clone();
    let answered = post_raw(&world, "/webhooks/event", Some(&token), body).await;
    assert_unsigned(&answered, "an operator's token");
}

#[tokio::test]
async fn an_agents_token_acts_for_that_agent_alone() {
    let tokens = json!([{ "name": "alice", "role": "agent", "sha256": token_hash("alices") }]);
    let settings = vec![("SWITCHBOARD_API_TOKENS".to_owned(), tokens.to_string())];
    let world = World::start(PLAN, None, settings, Platform::start()).await;
    for (path, token, status) in [
        ("/agents/alice/free", "alices", 200),
        ("/agents/alice/away", "alices", 200),
        ("/agents/bob/free", "alices", 401),
        ("/agents/nobody/free", "alices", 401),
        ("/agents/alice/free", "alices ", 200),
        ("/agents/alice/free", "Alices", 401),
        ("/agents/alice/free", "", 401),
        (
            "/agents/nobody/free",
            world.board.secrets().operator_token.as_str(),
            404,
        ),
    ] {
        let request = world.request(Method::POST, path).bearer_auth(token);
        let answered = world.send(request).await;
        assert_eq!(answered.status, status, "{path} by {token:?}");
    }
}

#[tokio::test]
async fn a_token_in_an_address_lets_nobody_in() {
    let world = World::open().await;
    let token = world.board.secrets().operator_token.clone();
    for path in [
        format!("/agents/alice/free?token={token}"),
        format!("/agentfree?agent=alice&token={token}"),
    ] {
        assert_not_let_in(&press(&world, &path).await, &path);
    }
    let page = format!("/agentfree?agent=alice&token={token}");
    let page = world.request(Method::GET, &page).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("name=\"token\"") && !page.contains(&token));
    assert_eq!(world.state("alice").await, "away");
}

#[tokio::test]
async fn no_name_writes_into_the_page() {
    let world = World::open().await;
    let token = world.board.secrets().operator_token.clone();
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "alice<b>",
        "alice' onmouseover='x",
        "alice\r\nset-cookie: a=b",
        "alice\0",
        "&lt;script&gt;",
        "javascript:alert(1)",
        "",
    ] {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let path = format!("/agentfree?agent={encoded}");
        let looked = world.request(Method::GET, &path);
        let pressed = world.request(Method::POST, &path).bearer_auth(&token);
        let typed = world
            .request(Method::POST, "/agentfree")
            .body(format!("agent={encoded}&token={token}"));
        let direct = world
            .request(Method::POST, &format!("/agents/{encoded}x/free"))
            .bearer_auth(&token);
        for (what, request, status) in [
            ("looked", looked, 400),
            ("pressed", pressed, 401),
            ("typed", typed, 401),
            ("direct", direct, 401),
        ] {
            if name.is_empty() && what == "direct" {
                continue;
            }
            let answer = request.header("accept", "text/html").send().await.unwrap();
            assert_eq!(answer.status(), status, "{what} {name:?}");
            assert!(answer.headers().get("set-cookie").is_none());
            let text = answer.text().await.unwrap();
            for bad in [
                "<script",
                "<img",
                "<b>",
                "onmouseover=",
                "onerror=",
                "javascript:",
            ] {
                assert!(!text.contains(bad), "{what} {name:?}: {text}");
            }
        }
    }
}

#[tokio::test]
async fn a_webhook_that_comes_again_with_its_own_token_is_taken_and_changes_nothing() {
    let world = World::open().await;
    let body = effective(&unique::uuid()).to_string();
    let token = world.signer.post(body.as_bytes());
    for path in ["/webhooks/answer", "/webhooks/event"] {
        let first = post_raw(&world, path, Some(&token), body.clone()).await;
        let again = post_raw(&world, path, Some(&token), body.clone()).await;
        assert_eq!((first.status, again.status), (200, 200), "{path}");
        assert_eq!(first.body, again.body, "{path}");
    }
}

#[tokio::test]
async fn a_board_told_only_the_secret_takes_every_application_of_the_account() {
    let body = incoming("447700900004", "leg-1").to_string();
    // One that was told its application takes no other.
    let world = World::open().await;
    let forged = world
        .signer
        .forged(Forgery::OtherApplication, body.as_bytes());
    let send = |url: &str| {
        let request = crate::world::http().post(format!("{url}/webhooks/answer"));
        request.bearer_auth(&forged).body(body.clone()).send()
    };
    assert_eq!(send(world.board.url()).await.unwrap().status(), 401);

    let plan = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(plan.path(), PLAN).unwrap();
    let mut environment = Environment::default();
    environment.set("VONAGE_SIGNATURE_SECRET", &world.signer.secret);
    let board = Board::start(BoardConfig {
        data: None,
        port: 0,
        plan: plan.path().to_owned(),
        environment,
        clock: Clock::default(),
        delays: None,
        phone: None,
        meter: None,
    });
    let board = board.await.unwrap();
    assert_eq!(send(board.url()).await.unwrap().status(), 200);
}
