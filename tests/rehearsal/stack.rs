//! The stack, deployed.

use crate::aws::{Aws, REGION};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use switchboard_cli::simulate::Stack;
use switchboard_phone::audio::Voice;
use switchboard_phone::{Phone, Platform, PublicKey, Settings, Webhook};
use switchboard_shared::config::token_hash;
use switchboard_shared::plan::Plan;
use switchboard_shared::store::Store;
use switchboard_shared::vonage::PrivateKey;
use switchboard_tests::binary::built;
use switchboard_tests::fixtures;
use switchboard_tests::loopback::Loopback;
use switchboard_tests::world;

const NAME: &str = "switchboard";
const SIGNATURE_SECRET: &str = "the secret of these tests, long enough";
const OPERATOR: &str = "the operator's token of these tests";

/// How SAM is told to build a function. What is deployed here is built already.
const BUILDS: &str =
    "    Metadata:\n      BuildMethod: rust-cargolambda\n      BuildProperties: { Binary: ";

/// A stack on an AWS of this machine, with a phone that rings it.
pub(crate) struct Deployed {
    pub(crate) aws: Aws,
    pub(crate) stack: Stack,
    /// The outputs, by name.
    pub(crate) outputs: HashMap<String, String>,
    _servers: [Loopback; 2],
}

impl Deployed {
    /// Deploys `template.yaml`, puts secrets and the plan in, and opens the phone.
    pub(crate) async fn open(tools: &Path, plan: &Path) -> Self {
        let aws = Aws::start(tools).await;
        let front = Arc::new(Front {
            aws: aws.url(),
            port: aws.port(),
            api: OnceLock::new(),
            http: world::http(),
        });
        let gateway = Loopback::serve(Router::new().fallback(pass).with_state(front.clone()));
        let vonage = Arc::new(OnceLock::<Phone>::new());
        // The stack is told where Vonage is before there is a phone to be rung.
        let rest = Loopback::serve(Router::new().fallback(call).with_state(vonage.clone()));

        let template = template(&aws);
        aws.sam(&[
            "deploy",
            "--template-file",
            template.to_str().unwrap(),
            // Otherwise looked for beside the template.
            "--config-file",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../samconfig.toml"),
            "--stack-name",
            NAME,
            "--region",
            REGION,
            "--no-confirm-changeset",
            "--no-progressbar",
            "--parameter-overrides",
            &format!(
                "Architecture={}",
                std::env::consts::ARCH.replace("aarch64", "arm64")
            ),
            &format!("BaseUrl={}", gateway.url()),
            &format!("VonageApiUrl={}", rest.url()),
        ]);
        let api = aws.python("routes.py", NAME);
        front.api.set(api.trim().to_owned()).unwrap();
        let outputs = aws.sam(&[
            "list",
            "stack-outputs",
            "--stack-name",
            NAME,
            "--output",
            "json",
        ]);
        let outputs: Vec<HashMap<String, String>> = serde_json::from_str(&outputs).unwrap();
        let outputs: HashMap<_, _> = outputs
            .into_iter()
            .map(|one| (one["OutputKey"].clone(), one["OutputValue"].clone()))
            .collect();

        let sdk = aws.config().await;
        aws_sdk_secretsmanager::Client::new(&sdk)
            .put_secret_value()
            .secret_id(&outputs["SecretArn"])
            .secret_string(secret().to_string())
            .send()
            .await
            .unwrap();
        push(&aws, &outputs["Table"], plan).await;
        // It lets nobody in without TLS, which an AWS on loopback does not speak.
        switchboard_shared::aws::s3(&sdk)
            .delete_bucket_policy()
            .bucket(&outputs["Bucket"])
            .send()
            .await
            .unwrap();
        let store = Store::new(aws_sdk_dynamodb::Client::new(&sdk), &outputs["Table"]);
        let plan = Plan::parse(&std::fs::read_to_string(plan).unwrap())
            .plan
            .unwrap();
        let phone = phone(&rest.url(), &outputs, &gateway.url(), &plan);
        assert!(vonage.set(phone.clone()).is_ok());
        Self {
            stack: Stack {
                phone,
                url: outputs["BaseUrl"].clone(),
                operator_token: OPERATOR.to_owned(),
                store,
            },
            aws,
            outputs,
            _servers: [gateway, rest],
        }
    }
}

/// The template beside the functions: those that the tests were built with, or, where
/// `SWITCHBOARD_BUILT` names a template that `sam build` wrote, what it built.
fn template(aws: &Aws) -> PathBuf {
    if let Some(built) = std::env::var_os("SWITCHBOARD_BUILT") {
        return PathBuf::from(built);
    }
    let folder = aws.folder().join("stack");
    let text = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(text).unwrap();
    let mut parts = text.split(BUILDS);
    let mut changed = parts.next().unwrap().to_owned();
    for part in parts {
        let (function, rest) = part
            .split_once(" }\n    Properties:\n")
            .expect("properties follow");
        let code = folder.join(function);
        std::fs::create_dir_all(&code).unwrap();
        let bootstrap = code.join("bootstrap");
        // Without what only a debugger reads: five sixths of it.
        let strip = Command::new("strip")
            .arg("-o")
            .args([&bootstrap, &built(function)])
            .status();
        if !strip.is_ok_and(|status| status.success()) {
            std::fs::copy(built(function), &bootstrap).unwrap();
        }
        changed.push_str(&format!(
            "    Properties:\n      CodeUri: {function}\n{rest}"
        ));
    }
    let path = folder.join("template.yaml");
    std::fs::write(&path, changed).unwrap();
    path
}

fn secret() -> Value {
    let tokens =
        json!([{ "name": "rehearsal", "role": "operator", "sha256": token_hash(OPERATOR) }]);
    json!({
        "VONAGE_APPLICATION_ID": fixtures::APPLICATION_ID,
        "VONAGE_PRIVATE_KEY": fixtures::PRIVATE_KEY,
        "VONAGE_SIGNATURE_SECRET": SIGNATURE_SECRET,
        "SWITCHBOARD_API_TOKENS": tokens.to_string(),
    })
}

/// As an operator does it.
async fn push(aws: &Aws, table: &str, plan: &Path) {
    let pushed = tokio::process::Command::new(built("switchboard"))
        .args(["--aws", "plan", "push"])
        .arg(plan)
        .envs(aws.variables())
        .env("SWITCHBOARD_TABLE", table)
        .output()
        .await
        .unwrap();
    assert!(
        pushed.status.success(),
        "{}",
        String::from_utf8_lossy(&pushed.stderr)
    );
}

fn phone(rest: &str, outputs: &HashMap<String, String>, gateway: &str, plan: &Plan) -> Phone {
    let key = PrivateKey::parse(fixtures::PRIVATE_KEY).unwrap();
    let settings = Settings {
        application_id: fixtures::APPLICATION_ID.to_owned(),
        api_key: "abcd1234".to_owned(),
        signature_secret: SIGNATURE_SECRET.to_owned(),
        public_key: PublicKey::pkcs1(key.public_key()),
        numbers: plan.lines().map(|line| line.number.to_string()).collect(),
        answer: Webhook::script(outputs["AnswerUrl"].as_str()),
        // Its own address is a name that only AWS knows.
        fallback: Some(Webhook::script(format!("{gateway}/webhooks/fallback"))),
        event: Webhook::event(outputs["EventUrl"].as_str()),
        ..Settings::default()
    };
    let platform = Platform::new(settings, rest, jiff::Timestamp::now());
    Phone::new(platform, world::http(), Voice::Babble, jiff::Timestamp::now)
}

/// Vonage's REST.
async fn call(
    State(phone): State<Arc<OnceLock<Phone>>>,
    request: axum::extract::Request,
) -> Response {
    use tower::ServiceExt as _;
    let phone = phone.get().expect("nobody calls before it is there");
    phone.rest_router().oneshot(request).await.into_response()
}

/// What stands for the name of the API: MiniStack knows it by the host that is asked.
struct Front {
    aws: String,
    port: u16,
    api: OnceLock<String>,
    http: reqwest::Client,
}

async fn pass(
    State(front): State<Arc<Front>>,
    method: Method,
    uri: Uri,
    mut headers: HeaderMap,
    body: Bytes,
) -> Response {
    let api = front.api.get().expect("nobody asks before it is deployed");
    let host = format!("{api}.execute-api.localhost:{}", front.port);
    headers.insert(header::HOST, host.parse().unwrap());
    headers.remove(header::CONTENT_LENGTH);
    let asked = front
        .http
        .request(method, format!("{}{uri}", front.aws))
        .timeout(Duration::from_secs(30))
        .headers(headers)
        .body(body)
        .send()
        .await;
    let Ok(answer) = asked else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let mut response = Response::new(Body::from(answer.bytes().await.unwrap_or_default()));
    *response.status_mut() = status;
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response
}
