//! A voice application: what Vonage knows of it, and what it should.
//!
//! Vonage replaces an application as a whole. So it is read, changed where it differs, and sent back
//! with all that we do not know of left as it was.

use super::{Account, AccountError, PAGE_SIZE, PAGES_MAX, Request};
use crate::key_pair;
use crate::trial::EVENT_REPLY;
use http::Method;
use serde_json::{Map, Value, json};
use std::fmt;
use switchboard_shared::vonage::Repeat;
use url::Url;

/// Longest wait of Vonage for a connection to us, in milliseconds: the most there may be.
///
/// See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).
const CONNECT_TIMEOUT: u64 = 1000;

/// Longest wait for our answer, in milliseconds: the most there may be. We answer within 1.5 s; behind
/// it the caller hears the fallback.
const ANSWER_TIMEOUT: u64 = 5000;

/// The same for an event.
const EVENT_TIMEOUT: u64 = 1000 * EVENT_REPLY.as_secs();

/// What Vonage names in its answers and does not take back.
const READ_ONLY: [&str; 2] = ["id", "_links"];

/// An application.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Its id; empty of one that is still to be made.
    pub id: String,
    body: Map<String, Value>,
}

/// Where a voice application's calls are handled. Vonage's names are kept: an operator meets them in
/// the dashboard and in its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[allow(missing_docs, reason = "the names are the places")]
pub enum Region {
    NaEast,
    NaWest,
    EuWest,
    EuEast,
    ApacSng,
    ApacAustralia,
}

impl Region {
    /// As Vonage writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NaEast => "na-east",
            Self::NaWest => "na-west",
            Self::EuWest => "eu-west",
            Self::EuEast => "eu-east",
            Self::ApacSng => "apac-sng",
            Self::ApacAustralia => "apac-australia",
        }
    }

    /// The one nearest to a region of AWS, so that a webhook crosses no ocean.
    #[must_use]
    pub fn near(aws: &str) -> Self {
        match aws {
            "ap-southeast-2" | "ap-southeast-4" => Self::ApacAustralia,
            "eu-central-1" | "eu-central-2" | "eu-north-1" | "eu-south-1" => Self::EuEast,
            _ => match aws.split('-').next() {
                Some("eu" | "af" | "me" | "il") => Self::EuWest,
                Some("ap") => Self::ApacSng,
                _ if aws.starts_with("us-west") || aws.starts_with("us-gov-west") => Self::NaWest,
                _ => Self::NaEast,
            },
        }
    }
}

/// How an application is to handle its calls.
#[derive(Debug, Clone)]
pub struct Voice {
    /// Asked for a script.
    pub answer: Url,
    /// Asked when the other fails.
    pub fallback: Url,
    /// Told of every leg.
    pub event: Url,
    /// Where calls live; `None` leaves it as it is.
    pub region: Option<Region>,
    /// The key that our requests are signed with, as a PEM of its public half.
    pub public_key: String,
    /// What people call it; `None` leaves it as it is.
    pub name: Option<String>,
}

/// Something of an application that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Vonage's name of it: `answer_url.http_method`.
    pub name: String,
    /// How it is; none where it is not set.
    pub is: Option<String>,
    /// How it should be.
    pub should: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, is, should } = self;
        match is {
            Some(is) => write!(f, "{name} {is} → {should}"),
            None => write!(f, "{name} → {should}"),
        }
    }
}

/// A place in an application, and what should stand there.
struct Setting {
    path: Vec<&'static str>,
    value: Value,
}

impl Voice {
    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut set = |path: &[&'static str], value: Value| {
            let path = path.to_vec();
            settings.push(Setting { path, value });
        };
        if let Some(name) = &self.name {
            set(&["name"], json!(name));
        }
        for (webhook, url, socket_timeout) in [
            ("answer_url", &self.answer, ANSWER_TIMEOUT),
            ("fallback_answer_url", &self.fallback, ANSWER_TIMEOUT),
            ("event_url", &self.event, EVENT_TIMEOUT),
        ] {
            for (field, value) in [
                ("address", json!(url.as_str())),
                // Vonage does not document how it hashes the query of a GET.
                ("http_method", json!("POST")),
                ("connect_timeout", json!(CONNECT_TIMEOUT)),
                ("socket_timeout", json!(socket_timeout)),
            ] {
                set(
                    &["capabilities", "voice", "webhooks", webhook, field],
                    value,
                );
            }
        }
        set(&["capabilities", "voice", "signed_callbacks"], json!(true));
        if let Some(region) = self.region {
            set(&["capabilities", "voice", "region"], json!(region.word()));
        }
        // Vonage's default is to learn from what callers say.
        set(&["privacy", "improve_ai"], json!(false));
        settings
    }
}

impl Application {
    /// One that is still to be made.
    #[must_use]
    pub fn new(voice: &Voice) -> Self {
        let mut application = Self {
            id: String::new(),
            body: Map::new(),
        };
        application.bring(voice);
        application
    }

    fn read(value: Value) -> Option<Self> {
        let Value::Object(mut body) = value else {
            return None;
        };
        let id = body.get("id")?.as_str()?.to_owned();
        for name in READ_ONLY {
            body.remove(name);
        }
        Some(Self { id, body })
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> &str {
        self.body
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Where its calls live.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.at(&["capabilities", "voice", "region"])?.as_str()
    }

    /// The public half of its key, as a PEM.
    #[must_use]
    pub fn public_key(&self) -> Option<&str> {
        self.at(&["keys", "public_key"])?.as_str()
    }

    /// Whether our requests are signed with its key.
    #[must_use]
    pub fn has_key(&self, public_pem: &str) -> bool {
        self.public_key()
            .is_some_and(|own| key_pair::same(own, public_pem))
    }

    /// What is not as it should be, besides the key.
    #[must_use]
    pub fn differences(&self, voice: &Voice) -> Vec<Difference> {
        let settings = voice.settings().into_iter();
        let differs = settings.filter(|setting| self.at(&setting.path) != Some(&setting.value));
        differs
            .map(|Setting { path, value }| Difference {
                name: match *path {
                    [.., webhook, field] if webhook.ends_with("_url") => {
                        format!("{webhook}.{field}")
                    }
                    [.., last] => last.to_owned(),
                    [] => String::new(),
                },
                is: self.at(&path).map(bare),
                should: bare(&value),
            })
            .collect()
    }

    /// Makes it as it should be, and leaves everything else as it is.
    pub fn bring(&mut self, voice: &Voice) {
        for Setting { path, value } in voice.settings() {
            self.set(&path, value);
        }
        if !self.has_key(&voice.public_key) {
            self.set(&["keys", "public_key"], json!(voice.public_key));
        }
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.body.get(*first)?, |value, name| value.get(name))
    }

    fn set(&mut self, path: &[&str], value: Value) {
        let (last, above) = path.split_last().expect("a setting has a name");
        let mut object = &mut self.body;
        for name in above {
            let below = object.entry(*name).or_insert_with(|| json!({}));
            if !below.is_object() {
                *below = json!({});
            }
            object = below.as_object_mut().expect("it was made one");
        }
        object.insert((*last).to_owned(), value);
    }
}

/// A value as a person reads it: text without its quotes.
fn bare(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

impl Account {
    pub(super) fn applications_url(&self, id: Option<&str>) -> Url {
        let path = ["v2", "applications"];
        Self::below(
            &self.api_url,
            &path.into_iter().chain(id).collect::<Vec<_>>(),
        )
    }

    /// An application; `None` where the account has none of this id.
    ///
    /// # Errors
    /// When Vonage does not answer.
    pub async fn application(&self, id: &str) -> Result<Option<Application>, AccountError> {
        let url = self.applications_url(Some(id));
        let asked = self
            .about(Request::new("read the application", Method::GET, url))
            .await;
        match asked {
            Err(error) if error.is_absent() => Ok(None),
            asked => asked.map(Some),
        }
    }

    /// The application that has a key, whatever its id and name.
    ///
    /// # Errors
    /// When Vonage does not answer.
    pub async fn application_with_key(
        &self,
        public_pem: &str,
    ) -> Result<Option<Application>, AccountError> {
        for listed in self.applications().await? {
            // A list is not described as showing keys.
            let whole = match listed.public_key() {
                Some(_) => Some(listed),
                None => self.application(&listed.id).await?,
            };
            if let Some(found) = whole.filter(|one| one.has_key(public_pem)) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn applications(&self) -> Result<Vec<Application>, AccountError> {
        let operation = "list the applications";
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let mut url = self.applications_url(None);
            url.set_query(Some(&format!("page_size={PAGE_SIZE}&page={page}")));
            let mut list: Value = self.ask(Request::new(operation, Method::GET, url)).await?;
            let listed = list.pointer_mut("/_embedded/applications").map(Value::take);
            let Some(Value::Array(listed)) = listed else {
                break;
            };
            all.extend(listed.into_iter().filter_map(Application::read));
            let pages = list.get("total_pages").and_then(Value::as_u64);
            if pages.is_none_or(|pages| pages <= page as u64) {
                break;
            }
        }
        Ok(all)
    }

    /// Makes an application.
    ///
    /// # Errors
    /// When Vonage refuses it, or does not answer; then it may have been made all the same.
    pub async fn create(&self, application: &Application) -> Result<Application, AccountError> {
        let url = self.applications_url(None);
        let request = Request::new("create the application", Method::POST, url);
        let request = request.json(&Value::Object(application.body.clone()));
        // Twice would be two applications.
        let repeat = Repeat::Unsafe;
        self.about(Request { repeat, ..request }).await
    }

    /// Puts an application in the place of what Vonage has under its id.
    ///
    /// # Errors
    /// When Vonage refuses it, or does not answer.
    pub async fn replace(&self, application: &Application) -> Result<Application, AccountError> {
        let url = self.applications_url(Some(&application.id));
        let request = Request::new("change the application", Method::PUT, url);
        self.about(request.json(&Value::Object(application.body.clone())))
            .await
    }

    /// A request that is answered with an application.
    async fn about(&self, request: Request) -> Result<Application, AccountError> {
        let operation = request.operation.clone();
        let unreadable = AccountError::Unreadable { operation };
        Application::read(self.ask(request).await?).ok_or(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice() -> Voice {
        let url =
            |path: &str| Url::parse(&format!("https://board.example/webhooks/{path}")).unwrap();
        Voice {
            answer: url("answer"),
            fallback: url("fallback"),
            event: url("event"),
            region: Some(Region::EuWest),
            public_key: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_owned(),
            name: Some("Front desk".to_owned()),
        }
    }

    fn drifted(change: impl FnOnce(&mut Application)) -> Vec<String> {
        let mut application = Application::new(&voice());
        change(&mut application);
        let differences = application.differences(&voice());
        differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_new_application_is_as_it_should_be() {
        let application = Application::new(&voice());
        assert_eq!(application.differences(&voice()), []);
        assert!(application.has_key(&voice().public_key));
        assert_eq!(
            Value::Object(application.body),
            json!({
                "name": "Front desk",
                "capabilities": { "voice": {
                    "webhooks": {
                        "answer_url": {
                            "address": "https://board.example/webhooks/answer",
                            "http_method": "POST", "connect_timeout": 1000, "socket_timeout": 5000,
                        },
                        "fallback_answer_url": {
                            "address": "https://board.example/webhooks/fallback",
                            "http_method": "POST", "connect_timeout": 1000, "socket_timeout": 5000,
                        },
                        "event_url": {
                            "address": "https://board.example/webhooks/event",
                            "http_method": "POST", "connect_timeout": 1000, "socket_timeout": EVENT_TIMEOUT,
                        },
                    },
                    "signed_callbacks": true,
                    "region": "eu-west",
                } },
                "privacy": { "improve_ai": false },
                "keys": { "public_key": voice().public_key },
            })
        );
    }

    #[test]
    fn what_drifted_is_said_with_what_it_should_be() {
        let hook = ["capabilities", "voice", "webhooks", "answer_url"];
        assert_eq!(
            drifted(|it| it.set(&[&hook[..], &["http_method"]].concat(), json!("GET"))),
            ["answer_url.http_method GET → POST"]
        );
        assert_eq!(
            drifted(|it| it.set(&["privacy"], json!({}))),
            ["improve_ai → false"]
        );
        assert_eq!(
            drifted(|it| it.set(&["capabilities", "voice", "signed_callbacks"], json!(false))),
            ["signed_callbacks false → true"]
        );
        assert_eq!(drifted(|it| it.set(&hook, json!("gone"))).len(), 4);
    }

    #[test]
    fn what_we_do_not_know_is_left_as_it_is() {
        let mut application = Application::read(json!({
            "id": "a", "_links": {}, "name": "Theirs",
            "capabilities": {
                "messages": { "webhooks": {} },
                "voice": { "conversations_ttl": 7, "webhooks": { "answer_url": { "more": 1 } } },
            },
            "tomorrow": true,
        }))
        .unwrap();
        let voice = Voice {
            region: None,
            name: None,
            ..voice()
        };
        application.bring(&voice);
        assert_eq!(application.differences(&voice), []);
        assert_eq!(application.name(), "Theirs");
        let body = Value::Object(application.body);
        assert_eq!(body["tomorrow"], true);
        assert_eq!(body["capabilities"]["messages"], json!({ "webhooks": {} }));
        assert_eq!(body["capabilities"]["voice"]["conversations_ttl"], 7);
        assert_eq!(
            body["capabilities"]["voice"]["webhooks"]["answer_url"]["more"],
            1
        );
        // Vonage would refuse its own words.
        assert_eq!((&body["id"], &body["_links"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_stack_has_its_calls_near_it() {
        for (aws, near) in [
            ("us-east-1", "na-east"),
            ("us-west-2", "na-west"),
            ("ca-central-1", "na-east"),
            ("sa-east-1", "na-east"),
            ("eu-west-1", "eu-west"),
            ("eu-central-1", "eu-east"),
            ("ap-southeast-1", "apac-sng"),
            ("ap-southeast-2", "apac-australia"),
            ("ap-northeast-1", "apac-sng"),
            ("me-south-1", "eu-west"),
        ] {
            assert_eq!(Region::near(aws).word(), near, "{aws}");
        }
    }
}
