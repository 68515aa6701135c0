//! The secret changes while functions run: nobody starts them anew, and no call is lost.

use super::{Asked, Cloud, DIRECT, Heard, Lambda, SUPPORT, ask};
use crate::fixtures;
use crate::loopback::Loopback;
use crate::webhook_signing::{Forgery, Signer};
use crate::world::incoming;
use axum::http::StatusCode;
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use switchboard_shared::config::{Lookup, token_hash};
use switchboard_shared::people::{LINK_WORKS, Link, People};

/// A key pair of which the application's public key at Vonage is not the half.
const OTHER_KEY: &str = include_str!("../../../shared/fixtures/keys/rsa.pem");

/// A Secrets Manager that holds one secret, and counts how often it is read.
struct Vault {
    held: Arc<Mutex<Held>>,
    server: Loopback,
}

struct Held {
    /// `None`: nobody may read it.
    secret: Option<Value>,
    read: usize,
}

impl Vault {
    fn with(secret: Value) -> Self {
        let held = Arc::new(Mutex::new(Held {
            secret: Some(secret),
            read: 0,
        }));
        let shared = held.clone();
        let answer = move || async move {
            let mut held = shared.lock().unwrap();
            held.read += 1;
            match &held.secret {
                Some(secret) => {
                    let answer = json!({ "Name": "s", "SecretString": secret.to_string() });
                    (StatusCode::OK, Json(answer))
                }
                None => {
                    let answer = json!({ "__type": "AccessDeniedException" });
                    (StatusCode::BAD_REQUEST, Json(answer))
                }
            }
        };
        Self {
            held,
            server: Loopback::serve(Router::new().fallback(answer)),
        }
    }

    fn holds(&self, secret: Value) {
        self.held.lock().unwrap().secret = Some(secret);
    }

    fn is_shut(&self) {
        self.held.lock().unwrap().secret = None;
    }

    fn read(&self) -> usize {
        self.held.lock().unwrap().read
    }

    /// Starts a function that has its secrets from here alone.
    async fn start(&self, cloud: &Cloud, function: &str) -> Lambda {
        let arn = "arn:aws:secretsmanager:eu-west-1:1:secret:s";
        let url = self.server.url();
        let changes = [
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", url.as_str()),
            ("SWITCHBOARD_SECRET_ARN", arn),
            ("VONAGE_SIGNATURE_SECRET", ""),
            ("VONAGE_PRIVATE_KEY", ""),
            ("SWITCHBOARD_API_TOKENS", ""),
        ];
        let function = cloud.start_with(function, &changes);
        function.ready().await.unwrap();
        function
    }
}

/// Vonage, once the secret is another one in its dashboard.
fn changed(cloud: &Cloud) -> Signer {
    Signer {
        secret: "the secret after the rotation, as long as before".to_owned(),
        ..cloud.world.signer.clone()
    }
}

/// What a webhook signed so is answered.
async fn told(function: &Lambda, path: &str, signer: &Signer) -> u16 {
    let asked = Asked::post(path, &incoming(DIRECT, "leg-1"));
    let token = asked.token(signer);
    ask(function, &asked.bearer(&token)).await.status
}

#[tokio::test]
async fn a_warm_function_takes_webhooks_of_both_secrets_in_any_order_during_a_rotation() {
    let cloud = Cloud::open().await;
    let (old, new) = (&cloud.world.signer, &changed(&cloud));
    for (name, path) in [
        ("answer", "/webhooks/answer"),
        ("answer", "/webhooks/answer/agent/CON-leg-1/leg-1"),
        ("event", "/webhooks/event"),
        ("recording", "/webhooks/recording"),
    ] {
        // Before and after the dashboard's change; and when a webhook of before is late.
        for order in [[old, new, old, new], [new, old, new, new]] {
            let vault = Vault::with(json!({ "VONAGE_SIGNATURE_SECRET": old.secret }));
            let function = vault.start(&cloud, name).await;
            let path = format!("{path}?{}", "call=leg-1&flow=direct&ring=0");
            assert_eq!(told(&function, &path, old).await, 200, "{path}");
            vault.holds(json!({
                "VONAGE_SIGNATURE_SECRET": new.secret,
                "VONAGE_SIGNATURE_SECRET_PREVIOUS": old.secret,
            }));
            for signer in order {
                assert_eq!(told(&function, &path, signer).await, 200, "{path}");
            }
            assert_eq!(vault.read(), 2, "at the start, and when it had changed");
            let output = function.output().to_string();
            assert!(!output.contains(&old.secret) && !output.contains(&new.secret));
        }
    }
}

#[tokio::test]
async fn forged_webhooks_stay_refused_and_have_the_secret_read_once() {
    let cloud = Cloud::open().await;
    let signer = &cloud.world.signer;
    let vault = Vault::with(json!({ "VONAGE_SIGNATURE_SECRET": signer.secret }));
    let answer = vault.start(&cloud, "answer").await;
    let asked = Asked::post("/webhooks/answer", &incoming(SUPPORT, "leg-1"));
    // What no secret could make right is not looked up at all.
    let others = Forgery::ALL.into_iter();
    for forgery in others.filter(|forgery| *forgery != Forgery::WrongSecret) {
        let forged = asked.clone().bearer(&signer.forged(forgery, &asked.body));
        assert_eq!(ask(&answer, &forged).await.status, 401, "{forgery:?}");
    }
    assert_eq!(ask(&answer, &asked).await.status, 401);
    assert_eq!(vault.read(), 1);
    let token = signer.forged(Forgery::WrongSecret, &asked.body);
    let forged = asked.clone().bearer(&token);
    for _ in 0..20 {
        assert_eq!(ask(&answer, &forged).await.status, 401);
    }
    assert_eq!(vault.read(), 2);
    assert_eq!(told(&answer, "/webhooks/answer", signer).await, 200);
}

#[tokio::test]
async fn while_the_secret_cannot_be_read_vonage_is_to_ask_again_and_what_is_known_is_taken() {
    let cloud = Cloud::open().await;
    let (old, new) = (&cloud.world.signer, &changed(&cloud));
    let vault = Vault::with(json!({ "VONAGE_SIGNATURE_SECRET": old.secret }));
    let answer = vault.start(&cloud, "answer").await;
    vault.is_shut();
    for signer in [new, new] {
        assert_eq!(told(&answer, "/webhooks/answer", signer).await, 503);
    }
    assert_eq!(vault.read(), 2);
    assert_eq!(told(&answer, "/webhooks/answer", old).await, 200);
    let unsigned = Asked::post("/webhooks/answer", &incoming(DIRECT, "leg-1"));
    assert_eq!(ask(&answer, &unsigned).await.status, 401);
}

/// A link for Alice, signed by a secret.
fn link(secret: &str) -> Link {
    let secret = secret.to_owned();
    let mut lookup =
        Lookup::new(move |name| (name == "VONAGE_SIGNATURE_SECRET").then(|| secret.clone()));
    let expires = Timestamp::now() + LINK_WORKS;
    let link = People::from_lookup(&mut lookup).link(&"alice".parse().unwrap(), expires);
    link.unwrap()
}

async fn by_link(transfer: &Lambda, link: &Link) -> u16 {
    let (expires, signature) = (link.expires, &link.signature);
    let page = format!("/agentfree?agent=alice&expires={expires}&signature={signature}");
    ask(transfer, &Asked::post(&page, &Value::Null))
        .await
        .status
}

async fn by_token(transfer: &Lambda, token: &str) -> Heard {
    let asked = Asked::post("/agents/alice/free", &Value::Null);
    ask(transfer, &asked.bearer(token)).await
}

#[tokio::test]
async fn a_token_made_a_minute_ago_works_and_so_do_links_of_both_secrets() {
    let cloud = Cloud::open().await;
    let key = fixtures::PRIVATE_KEY;
    let vault = Vault::with(json!({
        "VONAGE_SIGNATURE_SECRET": "old",
        "VONAGE_PRIVATE_KEY": key,
    }));
    let transfer = vault.start(&cloud, "transfer").await;
    let (old, new) = (link("old"), link("new"));
    assert_eq!(by_link(&transfer, &old).await, 200);
    let tokens = json!([{ "name": "alice", "role": "agent", "sha256": token_hash("alices") }]);
    vault.holds(json!({
        "VONAGE_SIGNATURE_SECRET": "new",
        "VONAGE_SIGNATURE_SECRET_PREVIOUS": "old",
        "VONAGE_PRIVATE_KEY": key,
        "SWITCHBOARD_API_TOKENS": tokens,
    }));
    assert_eq!(by_token(&transfer, "alices").await.status, 200);
    for link in [&old, &new] {
        assert_eq!(by_link(&transfer, link).await, 200);
    }
    for _ in 0..5 {
        assert_eq!(by_token(&transfer, "nobodys").await.status, 401);
        assert_eq!(by_link(&transfer, &link("another")).await, 401);
    }
    assert_eq!(vault.read(), 2);
}

/// A caller waits, and Alice takes them: what came of it.
async fn takes(cloud: &Cloud, transfer: &Lambda, leg: &str) -> Heard {
    cloud.waits(leg, SUPPORT, "support").await;
    cloud.free("alice").await;
    by_token(transfer, "alices").await
}

/// Alice's token and an application's keys, as the secret holds them.
fn keys(current: &str, previous: Option<&str>) -> Value {
    let tokens = json!([{ "name": "alice", "role": "agent", "sha256": token_hash("alices") }]);
    let mut secret = json!({ "SWITCHBOARD_API_TOKENS": tokens, "VONAGE_PRIVATE_KEY": current });
    if let Some(previous) = previous {
        secret["VONAGE_PRIVATE_KEY_PREVIOUS"] = json!(previous);
    }
    secret
}

#[tokio::test]
async fn a_caller_is_moved_though_vonage_does_not_know_the_new_key_yet() {
    let cloud = Cloud::open().await;
    let vault = Vault::with(keys(OTHER_KEY, Some(fixtures::PRIVATE_KEY)));
    let transfer = vault.start(&cloud, "transfer").await;
    let heard = takes(&cloud, &transfer, "leg-1").await;
    assert_eq!(heard.body["outcome"], "transferred", "{heard:?}");
    let asked = || cloud.world.platform.requests().len();
    assert_eq!(asked(), 2, "with one key, and with the other");
    // Which of them Vonage takes is remembered.
    let alice = "alice".parse().unwrap();
    let presence = cloud.store.agents(&[alice]).await.unwrap().remove(0);
    let offer = presence.offer.unwrap();
    let released = cloud
        .store
        .release(&presence.name, &offer, Timestamp::now())
        .await;
    released.unwrap();
    let heard = takes(&cloud, &transfer, "leg-2").await;
    assert_eq!(heard.body["outcome"], "transferred", "{heard:?}");
    assert_eq!(asked(), 3);
    assert_eq!(vault.read(), 1);
}

#[tokio::test]
async fn a_caller_is_moved_by_a_warm_function_whose_key_vonage_does_not_know_any_more() {
    let cloud = Cloud::open().await;
    let vault = Vault::with(keys(OTHER_KEY, None));
    let transfer = vault.start(&cloud, "transfer").await;
    vault.holds(keys(fixtures::PRIVATE_KEY, Some(OTHER_KEY)));
    let heard = takes(&cloud, &transfer, "leg-1").await;
    assert_eq!(heard.body["outcome"], "transferred", "{heard:?}");
    let transfers = cloud.world.platform.transfers();
    assert_eq!(transfers.len(), 1);
    assert_eq!(vault.read(), 2);
    let output = transfer.output().to_string();
    for key in [OTHER_KEY, fixtures::PRIVATE_KEY] {
        assert!(!output.contains(key.lines().nth(1).unwrap()), "{output}");
    }
}

#[tokio::test]
async fn a_key_that_vonage_does_not_know_has_the_secret_read_once() {
    let cloud = Cloud::open().await;
    let vault = Vault::with(keys(OTHER_KEY, None));
    let transfer = vault.start(&cloud, "transfer").await;
    for leg in ["leg-1", "leg-2", "leg-3"] {
        let heard = takes(&cloud, &transfer, leg).await;
        assert_eq!((heard.status, heard.code()), (502, &json!("vonage")));
    }
    assert_eq!(cloud.world.platform.requests().len(), 3);
    assert_eq!(vault.read(), 2);
    assert_eq!(
        cloud.waiting("support").await.len(),
        3,
        "they keep the place"
    );
}
