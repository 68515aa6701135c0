//! The Application API, version 2: an account's applications are made and changed.
//!
//! A `PUT` replaces all but the keys, which stay where none are sent. What is not known is refused.
//!
//! See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).

use super::{Asked, Content};
use crate::account::{Application, MADE_PRIVATE_KEY, MADE_PUBLIC_KEY};
use crate::platform::Platform;
use crate::token::PublicKey;
use serde_json::{Map, Value, json};

/// Applications to a page, and how many there may be.
const PAGE: (usize, usize) = (10, 100);

/// Where the pages about errors are.
const ERRORS: &str = "https://developer.nexmo.com/api-errors";

/// What a value may be.
enum May {
    Text,
    Flag,
    Number(u64, u64),
    OneOf(&'static [&'static str]),
    Address,
    PublicKey,
    Object(&'static [(&'static str, May)]),
    /// An object of a product that is not played here.
    Whatever,
}

const APPLICATION: May = May::Object(&[
    ("name", May::Text),
    ("keys", May::Object(&[("public_key", May::PublicKey)])),
    (
        "capabilities",
        May::Object(&[
            ("voice", VOICE),
            ("rtc", May::Whatever),
            ("messages", May::Whatever),
            ("verify", May::Whatever),
            ("vbc", May::Whatever),
            ("video", May::Whatever),
            ("network_apis", May::Whatever),
        ]),
    ),
    ("privacy", May::Object(&[("improve_ai", May::Flag)])),
]);

const VOICE: May = May::Object(&[
    (
        "webhooks",
        May::Object(&[
            ("answer_url", SCRIPT),
            ("fallback_answer_url", SCRIPT),
            ("event_url", EVENT),
        ]),
    ),
    ("signed_callbacks", May::Flag),
    ("conversations_ttl", May::Number(1, 9000)),
    ("leg_persistence_time", May::Number(1, 31)),
    (
        "region",
        May::OneOf(&[
            "na-east",
            "na-west",
            "eu-west",
            "eu-east",
            "apac-sng",
            "apac-australia",
        ]),
    ),
]);

/// `connection_timeout`, which older descriptions have, is not among them.
const SCRIPT: May = May::Object(&[
    ("http_method", May::OneOf(&["GET", "POST"])),
    ("address", May::Address),
    ("socket_timeout", May::Number(1000, 5000)),
    ("connect_timeout", May::Number(300, 1000)),
]);

const EVENT: May = May::Object(&[
    ("http_method", May::OneOf(&["GET", "POST"])),
    ("address", May::Address),
    ("socket_timeout", May::Number(1000, 10_000)),
    ("connect_timeout", May::Number(300, 1000)),
]);

/// Why a request is refused.
enum Refused {
    Credentials,
    NotFound,
    Method,
    ContentType,
    Payload(Vec<Fault>),
    List(Vec<Fault>),
}

/// What is wrong: name and reason.
type Fault = (String, String);

impl Refused {
    fn answer(self, instance: &str) -> (u16, Content) {
        let (status, kind, title, detail, faults) = match self {
            Self::Credentials => (
                401,
                "#unauthorized",
                "Unauthorized",
                "You did not provide correct credentials.",
                None,
            ),
            Self::NotFound => (
                404,
                "#not-found",
                "Not Found",
                "The requested resource could not be found",
                None,
            ),
            Self::Method => (
                405,
                "#method-not-allowed",
                "Method Not Allowed",
                "This resource is not asked with that method",
                None,
            ),
            Self::ContentType => (
                415,
                "#unsupported-media-type",
                "Unsupported Media Type",
                "Content-Type must be application/json",
                None,
            ),
            Self::Payload(faults) => (
                400,
                "/application#payload-validation",
                "Bad Request",
                "The request failed due to validation errors",
                Some(faults),
            ),
            Self::List(faults) => (
                400,
                "/application#list-validation",
                "Bad Request",
                "The request failed due to validation errors",
                Some(faults),
            ),
        };
        let mut body = json!({
            "type": format!("{ERRORS}{kind}"),
            "title": title,
            "detail": detail,
            "instance": instance,
        });
        if let Some(faults) = faults {
            let faults = faults.into_iter();
            body["invalid_parameters"] = faults
                .map(|(name, reason)| json!({ "name": name, "reason": reason }))
                .collect();
        }
        (status, Content::Json(body))
    }
}

impl Platform {
    /// A request below `/v2/applications`.
    pub(super) fn applications(&mut self, asked: Asked<'_>, below: &[&str]) -> (u16, Content) {
        self.about_applications(asked, below)
            .unwrap_or_else(|refused| refused.answer(&self.token_id()))
    }

    fn about_applications(
        &mut self,
        asked: Asked<'_>,
        below: &[&str],
    ) -> Result<(u16, Content), Refused> {
        if !self.account.admits(asked.authorization) {
            return Err(Refused::Credentials);
        }
        let id = match below {
            [] => None,
            [id] => Some(*id),
            _ => return Err(Refused::NotFound),
        };
        let known = |id: &str| self.account.application(id).ok_or(Refused::NotFound);
        match (asked.method, id) {
            ("GET", None) => self.list_applications(asked.query),
            ("GET", Some(id)) => Ok((200, Content::Json(known(id)?.whole()))),
            ("POST", None) => {
                let mut body = read(asked)?;
                let made = !body.contains_key("keys");
                if made {
                    body.insert("keys".to_owned(), json!({ "public_key": MADE_PUBLIC_KEY }));
                }
                let id = self.application_id();
                let mut whole = self
                    .account
                    .put_application(Application { id, body })
                    .whole();
                if made {
                    // This once, and never again.
                    whole["keys"]["private_key"] = MADE_PRIVATE_KEY.into();
                }
                Ok((201, Content::Json(whole)))
            }
            ("PUT", Some(id)) => {
                let keys = known(id)?.body.get("keys").cloned();
                let mut body = read(asked)?;
                if let (false, Some(keys)) = (body.contains_key("keys"), keys) {
                    body.insert("keys".to_owned(), keys);
                }
                let id = id.to_owned();
                let put = self.account.put_application(Application { id, body });
                Ok((200, Content::Json(put.whole())))
            }
            ("DELETE", Some(id)) if self.account.remove_application(id) => {
                Ok((204, Content::Nothing))
            }
            ("DELETE", Some(_)) => Err(Refused::NotFound),
            _ => Err(Refused::Method),
        }
    }

    fn list_applications(&self, query: &str) -> Result<(u16, Content), Refused> {
        let query: Vec<(String, String)> =
            serde_urlencoded::from_str(query).map_err(|_| Refused::List(Vec::new()))?;
        let mut faults = Vec::new();
        let mut number = |name: &str, most: usize, otherwise: usize| {
            let sent = query.iter().find(|(one, _)| one == name);
            let Some((_, text)) = sent else {
                return otherwise;
            };
            match text.parse() {
                Ok(number) if (1..=most).contains(&number) => number,
                _ => {
                    faults.push((name.to_owned(), format!("must be between 1 and {most}")));
                    otherwise
                }
            }
        };
        let page_size = number("page_size", PAGE.1, PAGE.0);
        let page = number("page", usize::MAX, 1);
        if !faults.is_empty() {
            return Err(Refused::List(faults));
        }
        let all = self.account.applications();
        let shown = all
            .iter()
            .skip((page - 1).saturating_mul(page_size))
            .take(page_size);
        Ok((
            200,
            Content::Json(json!({
                "page_size": page_size,
                "page": page,
                "total_items": all.len(),
                "total_pages": all.len().div_ceil(page_size),
                "_embedded": {
                    "applications": shown.map(Application::listed).collect::<Vec<_>>(),
                },
            })),
        ))
    }
}

/// The body of an application that is made or changed, if nothing is wrong with it.
fn read(asked: Asked<'_>) -> Result<Map<String, Value>, Refused> {
    let json = asked
        .content_type
        .is_some_and(|kind| kind.starts_with("application/json"));
    if !json {
        return Err(Refused::ContentType);
    }
    let one = |reason: &str| Refused::Payload(vec![("body".to_owned(), reason.to_owned())]);
    let body: Value = serde_json::from_slice(asked.body).map_err(|_| one("is not JSON"))?;
    let mut faults = Vec::new();
    check("", &body, &APPLICATION, &mut faults);
    if body.get("name").is_none() {
        faults.push(("name".to_owned(), "is required".to_owned()));
    }
    match body {
        Value::Object(body) if faults.is_empty() => Ok(body),
        _ => Err(Refused::Payload(faults)),
    }
}

fn check(name: &str, value: &Value, may: &May, faults: &mut Vec<Fault>) {
    let fault = match may {
        May::Text => {
            let text = value.as_str().is_some_and(|text| !text.is_empty());
            (!text).then(|| "must be a text".to_owned())
        }
        May::Flag => (!value.is_boolean()).then(|| "must be true or false".to_owned()),
        May::Number(least, most) => {
            let number = value.as_u64().filter(|n| (least..=most).contains(&n));
            number
                .is_none()
                .then(|| format!("must be between {least} and {most}"))
        }
        May::OneOf(words) => {
            let word = value.as_str().filter(|word| words.contains(word));
            word.is_none()
                .then(|| format!("must be one of: {}", words.join(", ")))
        }
        May::Address => {
            let url = value.as_str().filter(|url| super::body::is_http(url));
            url.is_none().then(|| "must be a valid URL".to_owned())
        }
        May::PublicKey => {
            let key = value.as_str().and_then(PublicKey::pem);
            key.is_none()
                .then(|| "must be a public key in PEM".to_owned())
        }
        May::Whatever => (!value.is_object()).then(|| "must be an object".to_owned()),
        May::Object(known) => match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let below = if name.is_empty() {
                        key.clone()
                    } else {
                        format!("{name}.{key}")
                    };
                    match known.iter().find(|(known, _)| known == key) {
                        Some((_, may)) => check(&below, value, may, faults),
                        None => {
                            let known: Vec<_> = known.iter().map(|(name, _)| *name).collect();
                            let reason =
                                format!("is not among the known properties: {}", known.join(", "));
                            faults.push((below, reason));
                        }
                    }
                }
                None
            }
            _ => Some("must be an object".to_owned()),
        },
    };
    if let Some(reason) = fault {
        faults.push((name.to_owned(), reason));
    }
}
