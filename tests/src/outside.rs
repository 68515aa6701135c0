//! All that setting up a stack asks, on one port: Vonage's account, CloudFormation and Secrets Manager.

use crate::loopback::Loopback;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use switchboard_phone::audio::Voice;
use switchboard_phone::{Account, Asked as Request, Content, Phone, Platform, Settings};

/// A number of the account, and of the plan.
pub const LINE: &str = "447700900000";
/// Another.
pub const OTHER_LINE: &str = "447700900002";

/// What the stack is to go by.
pub const PLAN: &str = r#"
[defaults]
language = "en-GB"

[[line]]
number = "447700900000"
name = "Front desk"
flow = "closed"

[[line]]
number = "447700900002"
name = "Support"
flow = "closed"

[flow.closed]
type = "message"
say = "We are closed."
"#;

/// The account's key.
pub const API_KEY: &str = "abcd1234";

/// The account's secret.
pub const API_SECRET: &str = "the account's secret";

/// The secret that webhooks are signed with.
pub const SIGNATURE_SECRET: &str = "the secret of these tests, long enough";

/// The stack's name.
pub const STACK: &str = "desk";

/// The stack's secret.
pub const SECRET_ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:desk-AbCdEf";

/// Vonage and AWS.
#[derive(Debug)]
pub struct Outside {
    shared: Arc<Shared>,
    loopback: Loopback,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `PutSecretValue`, `POST /v2/applications`.
    pub what: String,
    /// Its body.
    pub body: String,
}

/// From which request on nothing is answered well any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Break {
    /// Counted from 0.
    pub at: usize,
    /// Whether that one is done, and only its answer is lost.
    pub is_done: bool,
}

struct Shared {
    phone: Phone,
    cloud: Mutex<Cloud>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Cloud {
    outputs: BTreeMap<String, String>,
    secret: Option<String>,
    asked: Vec<Asked>,
    breaks: Option<Break>,
}

impl Shared {
    /// Nothing is half done under the lock that a panic elsewhere could spoil.
    fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside {
    /// A stack that was just deployed to this base URL, and an account without applications that rents
    /// these numbers.
    #[must_use]
    pub fn start(base: &str, numbers: &[&str]) -> Self {
        let settings = Settings {
            api_key: API_KEY.to_owned(),
            signature_secret: SIGNATURE_SECRET.to_owned(),
            numbers: numbers.iter().map(|number| (*number).to_owned()).collect(),
            legs_per_second: usize::MAX,
            requests_per_second: usize::MAX,
            ..Settings::default()
        };
        let mut platform = Platform::new(settings, "http://vonage.invalid", Timestamp::now());
        *platform.account_mut() = Account::new(API_KEY, API_SECRET);
        let http = crate::world::http();
        let phone = Phone::new(platform, http, Voice::Babble, Timestamp::now);
        let shared = Arc::new(Shared {
            phone,
            cloud: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let outside = Self {
            shared,
            loopback: Loopback::serve(router),
        };
        for number in numbers {
            outside.rent(number, json!({}));
        }
        outside.stands_at(base);
        outside.output("Table", "switchboard");
        outside.output("Bucket", "switchboard-recordings");
        outside.output("SecretArn", SECRET_ARN);
        outside
    }

    /// The variables that lead a command here.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, String)> {
        let url = self.loopback.url();
        [
            ("AWS_ENDPOINT_URL_CLOUDFORMATION", url.as_str()),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &url),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "switchboard"),
            ("AWS_SECRET_ACCESS_KEY", "switchboard-on-one-machine"),
            ("VONAGE_API_URL", &url),
            ("VONAGE_REST_URL", &url),
            ("VONAGE_API_KEY", API_KEY),
            ("VONAGE_API_SECRET", API_SECRET),
            ("VONAGE_SIGNATURE_SECRET", SIGNATURE_SECRET),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Where Vonage is.
    #[must_use]
    pub fn url(&self) -> String {
        self.loopback.url()
    }

    /// The stack's API is at this base URL from now on.
    pub fn stands_at(&self, base: &str) {
        self.output("BaseUrl", base);
        for (name, path) in [
            ("AnswerUrl", "answer"),
            ("EventUrl", "event"),
            ("FallbackUrl", "fallback"),
        ] {
            self.output(name, &format!("{base}/webhooks/{path}"));
        }
    }

    /// Sets an output of the stack.
    pub fn output(&self, name: &str, value: &str) {
        let mut cloud = self.shared.cloud();
        cloud.outputs.insert(name.to_owned(), value.to_owned());
    }

    /// What the stack's secret holds; nothing, if it was never filled.
    #[must_use]
    pub fn secret(&self) -> Value {
        let text = self.shared.cloud().secret.clone();
        text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
    }

    /// Fills the stack's secret.
    pub fn set_secret(&self, secret: &Value) {
        self.shared.cloud().secret = Some(secret.to_string());
    }

    /// Rents a number. `more`: what else is set for it.
    pub fn rent(&self, number: &str, more: Value) {
        let mut whole = json!({
            "country": "GB", "msisdn": number, "type": "landline", "features": ["VOICE", "SMS"],
        });
        let Value::Object(more) = more else {
            panic!("what is set for a number is an object")
        };
        whole.as_object_mut().unwrap().extend(more);
        self.account(|account| account.rent(whole));
    }

    /// Looks at the account, or does something by hand in its dashboard.
    pub fn account<T>(&self, act: impl FnOnce(&mut Account) -> T) -> T {
        self.shared
            .phone
            .with(|platform| act(platform.account_mut()))
    }

    /// The phone.
    #[must_use]
    pub fn phone(&self) -> &Phone {
        &self.shared.phone
    }

    /// Every application of the account, whole.
    #[must_use]
    pub fn applications(&self) -> Vec<Value> {
        self.account(|account| {
            let all = account.applications().iter();
            all.map(switchboard_phone::Application::whole).collect()
        })
    }

    /// A number of the account.
    #[must_use]
    pub fn number(&self, number: &str) -> Value {
        self.account(|account| {
            let mut all = account.numbers().iter();
            let found = all.find(|one| one["msisdn"] == number);
            found.cloned().map_or(Value::Null, Value::Object)
        })
    }

    /// Sets something of a number by hand.
    pub fn set_number(&self, number: &str, name: &str, value: &str) {
        self.account(|account| {
            let number = account.number_mut("GB", number).expect("it is rented");
            number.insert(name.to_owned(), value.into());
        });
    }

    /// Changes the first application by hand.
    pub fn rewrite(&self, change: impl FnOnce(&mut Value)) {
        self.account(|account| {
            let mut application = account.applications()[0].clone();
            let mut body = Value::Object(application.body);
            change(&mut body);
            application.body = body.as_object().expect("it is an object still").clone();
            account.put_application(application);
        });
    }

    /// What came since this was last asked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.shared.cloud().asked)
    }

    /// From now on requests are counted, and fail from one on; or are answered well again.
    pub fn breaks(&self, breaks: Option<Break>) {
        let mut cloud = self.shared.cloud();
        cloud.asked.clear();
        cloud.breaks = breaks;
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok());
    let action = target
        .and_then(|target| target.split_once('.'))
        .map(|(_, action)| action);
    let stacks = body.starts_with(b"Action=DescribeStacks");
    let what = match action {
        Some(action) => action.to_owned(),
        None if stacks => "DescribeStacks".to_owned(),
        None => format!("{method} {}", uri.path()),
    };
    let index = {
        let mut cloud = shared.cloud();
        cloud.asked.push(Asked {
            what,
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        cloud.asked.len() - 1
    };
    let breaks = shared.cloud().breaks;
    if breaks.is_some_and(|it| index > it.at || (index == it.at && !it.is_done)) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let response = match action {
        Some(action) => secrets(&shared, action, &body),
        None if stacks => describe(&shared, &body),
        None => {
            let asked = Request {
                method: method.as_str(),
                path: uri.path(),
                query: uri.query().unwrap_or_default(),
                authorization: text(header::AUTHORIZATION),
                content_type: text(header::CONTENT_TYPE),
                body: &body,
            };
            let answered = shared
                .phone
                .with(|platform| platform.rest(asked, Timestamp::now()));
            let status = StatusCode::from_u16(answered.status).unwrap();
            match answered.content {
                Content::Json(json) => (status, Json(json)).into_response(),
                Content::Nothing | Content::Audio(_) => status.into_response(),
            }
        }
    };
    if breaks.is_some_and(|it| index == it.at) {
        // Ends the connection's task, and so the connection, without a word.
        std::panic::resume_unwind(Box::new("the answer is lost by the test"));
    }
    response
}

fn secrets(shared: &Shared, action: &str, body: &[u8]) -> Response {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let refused = |kind: &str, message: &str| {
        let body = json!({ "__type": kind, "Message": message });
        (StatusCode::BAD_REQUEST, Json(body)).into_response()
    };
    let absent = "ResourceNotFoundException";
    if asked["SecretId"] != SECRET_ARN {
        return refused(absent, "Secrets Manager can't find the specified secret.");
    }
    let mut cloud = shared.cloud();
    match action {
        "GetSecretValue" => match &cloud.secret {
            Some(secret) => Json(json!({
                "ARN": SECRET_ARN, "Name": "desk", "VersionId": "1", "SecretString": secret,
            }))
            .into_response(),
            None => refused(
                absent,
                "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
            ),
        },
        "PutSecretValue" => {
            cloud.secret = asked["SecretString"].as_str().map(str::to_owned);
            Json(json!({ "ARN": SECRET_ARN, "Name": "desk", "VersionId": "2" })).into_response()
        }
        _ => refused("InvalidRequestException", "not played here"),
    }
}

fn describe(shared: &Shared, body: &[u8]) -> Response {
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    let asks_for_us = fields.contains(&("StackName".to_owned(), STACK.to_owned()));
    let (status, xml) = if asks_for_us {
        let outputs = &shared.cloud().outputs;
        let outputs: String = outputs
            .iter()
            .map(|(key, value)| {
                format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
            })
            .collect();
        let xml = format!(
            "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>{STACK}</StackName>\
             <CreationTime>2026-11-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>\
             <Outputs>{outputs}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
        );
        (StatusCode::OK, xml)
    } else {
        let xml = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code>\
                   <Message>Stack with that id does not exist</Message></Error></ErrorResponse>";
        (StatusCode::BAD_REQUEST, xml.to_owned())
    };
    (status, [(header::CONTENT_TYPE, "text/xml")], xml).into_response()
}
