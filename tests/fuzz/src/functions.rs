//! All functions in this process, on an AWS that agrees to everything and remembers nothing: no
//! network, and yet the whole way of a request.

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use axum::Router;
use std::sync::LazyLock;
use switchboard_answer::Answer;
use switchboard_archive::Archiver;
use switchboard_dispatch::Dispatch;
use switchboard_event::Events;
use switchboard_recording::Recordings;
use switchboard_shared::aws::{self, Waits};
use switchboard_shared::config::{Lookup, token_hash};
use switchboard_shared::web;
use switchboard_transfer::Transfer;
use tokio::runtime::Runtime;

/// The secret that webhooks are signed with.
pub(crate) const SECRET: &str = "the secret of the fuzzed functions";
/// The application they are for.
pub(crate) const APPLICATION: &str = "1c2a5b6e-3f40-4d8a-9b1d-7e6f5a4b3c2d";
/// What an operator sends.
pub(crate) const OPERATOR: &str = "operators-token";

const PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../switchboard.toml");
const KEY: &str = include_str!("../../../shared/fixtures/keys/rsa.pem");

/// What stands behind the routes and the queues.
pub(crate) struct Functions {
    /// Runs one request at a time.
    pub(crate) runtime: Runtime,
    /// Everything that is asked over HTTP.
    pub(crate) router: Router,
    /// Takes batches of the archive queue.
    pub(crate) archiver: Archiver,
    /// Takes batches of the dispatch queue.
    pub(crate) dispatch: Dispatch,
}

/// The ones of this process.
pub(crate) static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let sdk = runtime.block_on(config());
    let mut lookup = Lookup::new(setting);
    let lookup_mut = &mut lookup;
    let answer = Answer::from_lookup(lookup_mut, &sdk);
    let events = Events::from_lookup(lookup_mut, &sdk);
    let recordings = Recordings::from_lookup(lookup_mut, &sdk);
    let transfer = Transfer::from_lookup(lookup_mut, &sdk);
    let archiver = Archiver::from_lookup(lookup_mut, &sdk);
    let dispatch = Dispatch::from_lookup(lookup_mut, &sdk);
    let webhooks = answer.zip(events).zip(recordings);
    let all = webhooks.zip(transfer.zip(archiver).zip(dispatch));
    let (((answer, events), recordings), ((transfer, archiver), dispatch)) =
        lookup.finish(all).unwrap();
    let router = Router::new()
        .merge(switchboard_answer::router(answer))
        .merge(switchboard_event::router(events))
        .merge(switchboard_recording::router(recordings))
        .merge(switchboard_transfer::router(transfer));
    Functions {
        runtime,
        router: web::whole(router),
        archiver,
        dispatch,
    }
});

fn setting(name: &str) -> Option<String> {
    let operator = token_hash(OPERATOR);
    let value = match name {
        "SWITCHBOARD_TABLE" | "SWITCHBOARD_BUCKET" => "switchboard",
        "SWITCHBOARD_ARCHIVE_QUEUE_URL" | "SWITCHBOARD_DISPATCH_QUEUE_URL" => {
            "https://sqs.eu-west-1.amazonaws.com/123456789012/queue"
        }
        "SWITCHBOARD_PLAN" => PLAN,
        "SWITCHBOARD_API_TOKENS" => {
            return Some(format!(
                r#"[{{"name":"olga","role":"operator","sha256":"{operator}"}}]"#
            ));
        }
        "VONAGE_APPLICATION_ID" => APPLICATION,
        "VONAGE_SIGNATURE_SECRET" => SECRET,
        "VONAGE_PRIVATE_KEY" => KEY,
        _ => return None,
    };
    Some(value.to_owned())
}

async fn config() -> SdkConfig {
    let credentials = Credentials::new("AKID", "nobody's", None, None, "fuzz");
    aws::loader(Waits::Nobody)
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client_fn(|_, _| SharedHttpConnector::new(Agreeable)))
        .load()
        .await
}

/// Answers `{}`: to a write, done; to a read, nothing there.
#[derive(Debug)]
struct Agreeable;

impl HttpConnector for Agreeable {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        let status = 200_u16.try_into().expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from("{}"))))
    }
}
