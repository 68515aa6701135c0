//! A test call through the public URL, as Vonage would make it.
//!
//! It asks for the script of a caller whom nobody knows: the stack checks the signature, looks into its
//! table, and says that it is sorry. So everything is gone through that an answer needs, and nothing is
//! written, nobody waits, and nobody is rung.

use super::{Ahead, Check, Doctor, Secret, ahead};
use crate::account::date;
use crate::setup::entry;
use crate::stack::Webhooks;
use http::StatusCode;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::Value;
use std::time::{Duration, Instant};
use switchboard_shared::{chain, crypto, signature};
use url::Url;

/// The leg that is asked about. None is ever called so.
const LEG: &str = "switchboard-doctor";

/// What is posted.
const BODY: &[u8] = b"{}";

/// Longest wait for an answer: as long as Vonage waits, connection and all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(6);

/// An answer that a caller notices as silence.
const SLOW: Duration = Duration::from_millis(1_500);

/// What came back.
struct Answered {
    status: StatusCode,
    ahead: Option<Ahead>,
    body: Value,
    took: Duration,
}

impl Answered {
    /// Whether it is something to say.
    fn is_script(&self) -> bool {
        let actions = self.body.as_array();
        self.status == StatusCode::OK && actions.is_some_and(|actions| !actions.is_empty())
    }
}

impl Doctor<'_> {
    /// Makes the calls; also how far the stack's clock is ahead of ours.
    pub(super) async fn call(&self, secret: &Secret) -> (Vec<Check>, Option<Ahead>) {
        let names = ["test call", "fallback", "unsigned"];
        let skipped = |why: &str| names.map(|name| Check::skipped(name, why)).into();
        let webhooks = match self.stack.webhooks() {
            Ok(webhooks) => webhooks,
            Err(error) => return (skipped(&format!("{error:#}")), None),
        };
        let http = match client() {
            Ok(http) => http,
            Err(error) => return (skipped(&error), None),
        };
        let header = secret.as_ref().ok().and_then(|entries| {
            let secret = entries.get(entry::SIGNATURE)?;
            let application = entries.get(entry::APPLICATION_ID)?;
            let key = entries.get(entry::API_KEY);
            let (secret, now) = (secret.into(), Timestamp::now());
            Some(signature::sign_post(
                &secret,
                &application,
                key.as_deref(),
                BODY,
                now,
            ))
        });
        let signed = header.as_deref();
        let (test, fallback, unsigned) = tokio::join!(
            test_call(&http, &webhooks, signed),
            fallback(&http, &webhooks),
            unsigned(&http, &webhooks),
        );
        let (test, ahead) = test;
        (vec![test, fallback, unsigned], ahead)
    }
}

fn client() -> Result<reqwest::Client, String> {
    let tls = crypto::tls().map_err(|error| chain(&error))?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        .timeout(ANSWER_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| chain(&error))
}

async fn post(http: &reqwest::Client, url: Url, signed: Option<&str>) -> Result<Answered, String> {
    let began = Instant::now();
    let mut sending = http
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(BODY);
    if let Some(header) = signed {
        sending = sending.header(AUTHORIZATION, header);
    }
    // Which URL it was, its check says.
    let lost = |error: reqwest::Error| chain(&error.without_url());
    let answer = sending.send().await.map_err(lost)?;
    let (status, ahead) = (answer.status(), date(answer.headers()).map(ahead));
    let body = answer.bytes().await.map_err(lost)?;
    Ok(Answered {
        status,
        ahead,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        took: began.elapsed(),
    })
}

async fn test_call(
    http: &reqwest::Client,
    webhooks: &Webhooks,
    signed: Option<&str>,
) -> (Check, Option<Ahead>) {
    let name = "test call";
    let Some(header) = signed else {
        return (
            Check::skipped(name, "the secret has not all that signs it"),
            None,
        );
    };
    let url = webhooks.answer.join(&format!("ncco/{LEG}"));
    let answered = match url {
        Ok(url) => post(http, url, Some(header)).await,
        Err(error) => Err(error.to_string()),
    };
    let answered = match answered {
        Ok(answered) => answered,
        Err(why) => {
            let todo = "look at the stack's API and at the network between";
            return (
                Check::problem(name, format!("no answer came: {why}"), todo),
                None,
            );
        }
    };
    let ms = answered.took.as_millis();
    let check = match answered.status {
        _ if answered.is_script() && answered.took < SLOW => {
            Check::ok(name, format!("answered in {ms} ms"))
        }
        _ if answered.is_script() => Check::problem(
            name,
            format!("answered in {ms} ms, and a caller hears silence meanwhile"),
            "try again: a first call after a pause is slower; else look at the functions' log",
        ),
        StatusCode::UNAUTHORIZED => Check::problem(
            name,
            "the stack does not accept the signature secret of its own secret",
            "its functions may have read the secret before it changed: deploy again, or wait some minutes",
        ),
        status => Check::problem(
            name,
            format!("answered with {status}"),
            "look at the log of the function `answer`",
        ),
    };
    (check, answered.ahead)
}

/// The fallback speaks to whoever asks: it has no secret to check a signature with.
async fn fallback(http: &reqwest::Client, webhooks: &Webhooks) -> Check {
    let name = "fallback";
    let todo = "a caller hears nothing when all else fails: look at the function behind it";
    match post(http, webhooks.fallback.clone(), None).await {
        Ok(answered) if answered.is_script() => Check::ok(name, "speaks"),
        Ok(answered) => Check::problem(name, format!("answered with {}", answered.status), todo),
        Err(why) => Check::problem(name, format!("no answer came: {why}"), todo),
    }
}

/// Whoever is not Vonage is turned away.
async fn unsigned(http: &reqwest::Client, webhooks: &Webhooks) -> Check {
    let name = "unsigned";
    let (answer, event) = tokio::join!(
        post(http, webhooks.answer.clone(), None),
        post(http, webhooks.event.clone(), None)
    );
    for answered in [answer, event] {
        match answered.map(|answered| answered.status) {
            Ok(StatusCode::UNAUTHORIZED) => {}
            Ok(status) if status.is_success() || status == StatusCode::BAD_REQUEST => {
                return Check::problem(
                    name,
                    "webhooks are let in that nobody signed",
                    "anybody can pose as Vonage: take SWITCHBOARD_ALLOW_UNSIGNED away",
                );
            }
            Ok(status) => {
                let todo = "look at the functions' log";
                return Check::problem(name, format!("answered with {status}"), todo);
            }
            Err(why) => {
                let todo = "look at the stack's API and at the network between";
                return Check::problem(name, format!("no answer came: {why}"), todo);
            }
        }
    }
    Check::ok(name, "turned away")
}
