use super::*;
use reqwest::Method;
use std::time::Instant;

const SOON: Duration = Duration::from_secs(10);

async fn send(platform: &Platform, method: Method, path: &str, body: Value) -> (u16, Value) {
    let response = crate::world::http()
        .request(method, format!("{}{path}", platform.url()))
        .bearer_auth(application_token())
        .json(&body)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or_default())
}

async fn put(platform: &Platform, leg: &str, body: Value) -> u16 {
    send(platform, Method::PUT, &format!("/v1/calls/{leg}"), body)
        .await
        .0
}

/// The status and the body of a download, or that it broke off.
async fn download(url: &str) -> Result<(u16, Vec<u8>), reqwest::Error> {
    let client = crate::world::http();
    let response = client
        .get(url)
        .bearer_auth(application_token())
        .send()
        .await?;
    let status = response.status().as_u16();
    Ok((status, response.bytes().await?.to_vec()))
}

#[tokio::test]
async fn a_transfer_is_recorded_as_it_was_asked_for() {
    let platform = Platform::start();
    let ncco = json!([{"action": "talk", "text": "hello"}]);
    let by_ncco = json!({"action": "transfer", "destination": {"type": "ncco", "ncco": ncco}});
    let url = "https://example.com/ncco";
    let by_url = json!({"action": "transfer", "destination": {"type": "ncco", "url": [url]}});
    assert_eq!(put(&platform, "leg-1", by_ncco).await, 204);
    assert_eq!(put(&platform, "leg-2", by_url).await, 204);
    let transfers = platform.transfers();
    assert_eq!(transfers[0].leg, "leg-1");
    assert!(transfers[0].to == Destination::Ncco(ncco));
    assert_eq!(transfers[1].leg, "leg-2");
    assert!(transfers[1].to == Destination::Url(url.to_owned()));
    assert_eq!(platform.tokens_seen().len(), 2);
}

#[tokio::test]
async fn a_leg_that_has_ended_is_not_found() {
    let platform = Platform::start();
    platform.end("leg-1");
    assert_eq!(
        put(&platform, "leg-1", json!({"action": "mute"})).await,
        404
    );
    assert_eq!(
        put(&platform, "leg-2", json!({"action": "hangup"})).await,
        204
    );
    assert_eq!(
        put(&platform, "leg-2", json!({"action": "hangup"})).await,
        404
    );
    let (status, call) = send(&platform, Method::GET, "/v1/calls/leg-2", Value::Null).await;
    assert_eq!((status, &call["status"]), (200, &json!("completed")));
}

#[tokio::test]
async fn without_a_sound_token_nothing_is_done() {
    let platform = Platform::start();
    let url = format!("{}/v1/calls/leg-1", platform.url());
    let unsigned = jwt::sign(jwt::Algorithm::None, &json!({}));
    for token in [None, Some(unsigned)] {
        let mut request = crate::world::http()
            .put(&url)
            .json(&json!({"action": "hangup"}));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    let seen: Vec<_> = platform
        .requests()
        .into_iter()
        .map(|request| request.sound)
        .collect();
    assert_eq!(seen, [false, false]);
    assert_eq!(
        put(&platform, "leg-1", json!({"action": "mute"})).await,
        204
    );
}

#[tokio::test]
async fn scripted_answers_come_as_often_as_they_were_asked_for() {
    let platform = Platform::start();
    platform.fail(
        "/v1/calls/leg-1",
        "PUT",
        Reply {
            status: 503,
            body: json!({"title": "away"}),
            delay: Duration::from_millis(50),
            times: 2,
        },
    );
    let started = Instant::now();
    let mute = || json!({"action": "mute"});
    assert_eq!(put(&platform, "leg-2", mute()).await, 204);
    assert_eq!(put(&platform, "leg-1", mute()).await, 503);
    assert_eq!(put(&platform, "leg-1", mute()).await, 503);
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(put(&platform, "leg-1", mute()).await, 204);
}

#[tokio::test]
async fn a_connection_can_be_dropped_or_hang() {
    let platform = Platform::start();
    platform.drop_connection("/v1/calls/leg-1", ANY, 1);
    platform.hang("/v1/calls/leg-2", ANY, 1);
    let client = crate::world::http();
    let url = |leg: &str| format!("{}/v1/calls/{leg}", platform.url());
    let dropped = client.put(url("leg-1")).send().await.unwrap_err();
    assert!(
        !dropped.is_timeout() && !dropped.is_connect(),
        "{dropped:?}"
    );
    let hung = client
        .put(url("leg-2"))
        .timeout(Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    assert!(hung.is_timeout(), "{hung:?}");
    let requests = platform.requests();
    assert_eq!(requests.len(), 2);
    assert!(requests.iter().all(|request| request.status.is_none()));
    assert_eq!(
        put(&platform, "leg-1", json!({"action": "mute"})).await,
        204
    );
}

#[tokio::test]
async fn a_test_can_wait_for_what_it_expects() {
    let platform = Platform::start();
    let answered = |requests: &[Request]| requests.iter().any(|one| one.status == Some(204));
    let (requests, _) = tokio::join!(platform.wait_for(answered, SOON), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        put(&platform, "leg-1", json!({"action": "mute"})).await
    });
    assert_eq!(format!("{requests:?}"), "[PUT /v1/calls/leg-1 -> 204]");
}

#[tokio::test]
#[should_panic(expected = "PUT /v1/calls/leg-1 -> 204")]
async fn waiting_in_vain_tells_what_came() {
    let platform = Platform::start();
    put(&platform, "leg-1", json!({"action": "mute"})).await;
    let never = |_: &[Request]| false;
    platform.wait_for(never, Duration::from_millis(50)).await;
}

#[tokio::test]
async fn a_recording_is_served_whole() {
    let platform = Platform::start();
    let url = platform.recording("short", &b"sound"[..], "audio/mpeg");
    assert_eq!(download(&url).await.unwrap(), (200, b"sound".to_vec()));
    let content = Content::Seeded {
        seed: 7,
        length: 3_000_001,
    };
    let url = platform.recording("long", content.clone(), "audio/wav");
    let (_, bytes) = download(&url).await.unwrap();
    assert_eq!(bytes.len(), 3_000_001);
    assert_eq!(Content::from(bytes).sha256(), content.sha256());
    let missing = format!("{}/v1/files/other", platform.url());
    assert_eq!(download(&missing).await.unwrap().0, 404);
    assert_eq!(
        crate::world::http()
            .get(&url)
            .send()
            .await
            .unwrap()
            .status(),
        401
    );
}

#[tokio::test]
async fn a_recording_goes_wrong_in_the_order_it_was_told_to() {
    let platform = Platform::start();
    let content = Content::Seeded {
        seed: 7,
        length: 200_000,
    };
    let url = platform.recording("r", content.clone(), "audio/mpeg");
    platform.spoil("r", RecordingFault::Status(404), 2);
    platform.spoil(
        "r",
        RecordingFault::Redirect("https://example.com/r".to_owned()),
        1,
    );
    platform.spoil("r", RecordingFault::Length(100), 1);
    platform.spoil("r", RecordingFault::Length(200_001), 1);
    platform.spoil("r", RecordingFault::Chunked, 1);
    platform.spoil("r", RecordingFault::Slow(Duration::from_millis(20)), 1);
    for (status, length) in [
        (404, 0),
        (404, 0),
        (302, 0),
        (200, 100),
        (200, 200_001),
        (200, 200_000),
    ] {
        let (got, bytes) = download(&url).await.unwrap();
        assert_eq!((got, bytes.len()), (status, length));
    }
    let started = Instant::now();
    let (_, bytes) = download(&url).await.unwrap();
    assert_eq!(Content::from(bytes).sha256(), content.sha256());
    assert!(started.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_download_that_is_cut_gives_its_first_bytes_and_then_an_error() {
    let platform = Platform::start();
    let content = Content::Seeded {
        seed: 7,
        length: 200_000,
    };
    let url = platform.recording("r", content, "audio/mpeg");
    platform.spoil("r", RecordingFault::Cut(70_000), 1);
    let mut response = crate::world::http()
        .get(&url)
        .bearer_auth(application_token())
        .send()
        .await
        .unwrap();
    assert_eq!(response.content_length(), Some(200_000));
    let mut received = 0;
    let broken = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => received += chunk.len(),
            Ok(None) => break false,
            Err(_) => break true,
        }
    };
    assert!(broken);
    assert_eq!(received, 70_000);
    assert_eq!(download(&url).await.unwrap().1.len(), 200_000);
}

#[tokio::test]
async fn a_stranger_tells_whether_a_token_came() {
    let stranger = Stranger::start();
    let client = crate::world::http();
    let get = |url: String| client.get(url);
    get(stranger.url()).send().await.unwrap();
    assert_eq!(
        (stranger.saw_authorization(), stranger.saw_token()),
        (false, false)
    );
    let in_query = format!("{}/?jwt={}", stranger.url_by_name(), application_token());
    get(in_query).send().await.unwrap();
    assert_eq!(
        (stranger.saw_authorization(), stranger.saw_token()),
        (false, true)
    );
    let bytes = get(stranger.url())
        .bearer_auth("opaque")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(bytes, STRANGERS_BYTES);
    assert!(stranger.saw_authorization());
    assert_eq!(stranger.requests().len(), 3);
}
