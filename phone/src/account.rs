//! An account: its key and secret, the applications it made, the numbers it rents. At Vonage they are
//! looked after in the dashboard, and by the Application and Numbers APIs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The pair that Vonage makes where nobody sends a public key. The same for every application, and
/// known to everybody: it guards nothing.
pub(crate) const MADE_PRIVATE_KEY: &str = include_str!("account/pair.pem");

/// Its public half.
pub(crate) const MADE_PUBLIC_KEY: &str = include_str!("account/pair.pub.pem");

/// Hours that conversations are kept, unless the application says otherwise.
///
/// See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).
const CONVERSATIONS_TTL: u64 = 48;

/// Days that legs are kept, unless the application says otherwise.
const LEG_PERSISTENCE_TIME: u64 = 2;

/// What belongs to one API key.
#[derive(Debug, Clone, Default)]
pub struct Account {
    api_key: String,
    api_secret: String,
    /// In the order in which they were made.
    applications: Vec<Application>,
    numbers: Vec<Map<String, Value>>,
}

/// An application, as the Application API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// Name, capabilities, keys and privacy.
    pub body: Map<String, Value>,
}

impl Application {
    /// Whole, as a request about this application is answered.
    #[must_use]
    pub fn whole(&self) -> Value {
        let mut whole = self.listed();
        whole["keys"] = self.body.get("keys").cloned().unwrap_or_else(|| json!({}));
        whole
    }

    /// As it stands in a list. The description of the API has no keys there.
    pub(crate) fn listed(&self) -> Value {
        let mut listed = json!({ "id": self.id });
        for (name, value) in &self.body {
            if name != "keys" {
                listed[name] = value.clone();
            }
        }
        listed["_links"] = json!({ "self": { "href": format!("/v2/applications/{}", self.id) } });
        listed
    }

    /// Fills in what Vonage sets where nothing is said.
    pub(crate) fn complete(&mut self) {
        if let Some(voice) = self
            .body
            .get_mut("capabilities")
            .and_then(|all| all.get_mut("voice"))
        {
            or_set(voice, "signed_callbacks", json!(true));
            or_set(voice, "conversations_ttl", json!(CONVERSATIONS_TTL));
            or_set(voice, "leg_persistence_time", json!(LEG_PERSISTENCE_TIME));
            let times = [
                ("answer_url", 5000),
                ("fallback_answer_url", 5000),
                ("event_url", 10_000),
            ];
            for (name, socket_timeout) in times {
                if let Some(webhook) = voice.get_mut("webhooks").and_then(|all| all.get_mut(name)) {
                    or_set(webhook, "connect_timeout", json!(1000));
                    or_set(webhook, "socket_timeout", json!(socket_timeout));
                }
            }
        }
        let privacy = self.body.entry("privacy").or_insert_with(|| json!({}));
        or_set(privacy, "improve_ai", json!(true));
    }
}

fn or_set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.entry(name).or_insert(value);
    }
}

impl Account {
    /// An account without applications or numbers.
    pub fn new(api_key: impl Into<String>, api_secret: impl Into<String>) -> Self {
        Self {
            api_key: api_key.into(),
            api_secret: api_secret.into(),
            ..Self::default()
        }
    }

    /// Whether an `Authorization` header carries this account's key and secret. Without a secret
    /// nobody is let in.
    ///
    /// See [Vonage/Authentication](https://developer.vonage.com/en/getting-started/concepts/authentication#basic-authentication).
    #[must_use]
    pub fn admits(&self, authorization: Option<&str>) -> bool {
        let sent = authorization.and_then(|header| {
            let (scheme, pair) = header.split_once(' ')?;
            scheme.eq_ignore_ascii_case("basic").then_some(())?;
            String::from_utf8(STANDARD.decode(pair).ok()?).ok()
        });
        let own = format!("{}:{}", self.api_key, self.api_secret);
        !self.api_secret.is_empty() && sent.as_deref() == Some(own.as_str())
    }

    /// Its applications, in the order in which they were made.
    #[must_use]
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// An application.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&Application> {
        self.applications.iter().find(|one| one.id == id)
    }

    /// Adds an application, or puts it in the place of the one with its id.
    pub fn put_application(&mut self, mut application: Application) -> &Application {
        application.complete();
        let at = self
            .applications
            .iter()
            .position(|one| one.id == application.id);
        let at = at.unwrap_or(self.applications.len());
        if at == self.applications.len() {
            self.applications.push(application);
        } else {
            self.applications[at] = application;
        }
        &self.applications[at]
    }

    /// Removes an application; its numbers are linked to none any more.
    pub fn remove_application(&mut self, id: &str) -> bool {
        let before = self.applications.len();
        self.applications.retain(|one| one.id != id);
        for number in &mut self.numbers {
            if number.get("app_id").is_some_and(|linked| linked == id) {
                number.remove("app_id");
            }
        }
        self.applications.len() < before
    }

    /// Its numbers.
    #[must_use]
    pub fn numbers(&self) -> &[Map<String, Value>] {
        &self.numbers
    }

    /// Rents a number: an object with at least `country` and `msisdn`, and whatever else the Numbers
    /// API shows of one.
    pub fn rent(&mut self, number: Value) {
        if let Value::Object(number) = number {
            self.numbers.push(number);
        }
    }

    /// A number, to be changed by hand.
    pub fn number_mut(&mut self, country: &str, msisdn: &str) -> Option<&mut Map<String, Value>> {
        self.numbers.iter_mut().find(|number| {
            number.get("country").is_some_and(|it| it == country)
                && number.get("msisdn").is_some_and(|it| it == msisdn)
        })
    }
}
