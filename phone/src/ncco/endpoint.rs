//! Whom a call can reach.

use serde_json::{Map, Value};

use super::object::Object;
use super::{Refused, number};

/// What a websocket can be sent: 16-bit samples at these rates. The page leaves the last one out, the
/// OpenAPI file has it.
const CONTENT_TYPES: &[&str] = &[
    "audio/l16;rate=8000",
    "audio/l16;rate=16000",
    "audio/l16;rate=24000",
];
/// The longest `Authorization` a websocket is opened with.
const LONGEST_AUTHORIZATION: usize = 8191;
/// The longest `User-to-User` header of a SIP call.
const LONGEST_USER_TO_USER: usize = 256;
/// The longest SIP address REST takes. Of a script none is documented.
const LONGEST_REST_SIP: usize = 50;

/// Whom a call can reach.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A telephone.
    Phone {
        /// 7 to 15 digits with the country code, without `+`.
        number: String,
        /// Keys pressed once it answers; `p` is half a second's pause.
        dtmf_answer: Option<String>,
        /// What the callee hears before the two are joined. Scripts only.
        on_answer: Option<OnAnswer>,
    },
    /// Somebody's app, made with the Client SDK.
    App {
        /// The user's name.
        user: String,
    },
    /// A SIP telephone or exchange.
    Sip {
        /// `sip:…` or `sips:…`; of a trunk's `user` and `domain`, `sip:user@domain`.
        uri: String,
        /// Sent as `X-…`.
        headers: Map<String, Value>,
    },
    /// A program that hears and speaks.
    Websocket {
        /// `ws://…` or `wss://…`.
        uri: String,
        /// `audio/l16;rate=…` with 8000, 16000 or 24000.
        content_type: String,
        /// Sent with its first message.
        headers: Map<String, Value>,
    },
    /// An extension of Vonage Business Communications.
    Vbc {
        /// Its number.
        extension: String,
    },
}

/// What a callee hears before being joined with the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnAnswer {
    /// Where its script is fetched.
    pub url: String,
    /// What the caller hears meanwhile. `ringbackTone`, once `ringback`.
    pub ringback: Option<String>,
}

/// Reads a `to` of `POST /v1/calls`.
///
/// It is spelled as in a script, but for `standard_headers`. It knows neither `onAnswer` nor a SIP trunk's
/// `user` and `domain`.
///
/// # Errors
///
/// What Vonage would refuse of it, and where in `value`.
pub fn endpoint_of_rest(value: &Value) -> Result<Endpoint, Refused> {
    Endpoint::read_as(&Object::of(value, String::new())?, Spelling::Rest)
}

/// Reads the `from` of `POST /v1/calls`: `{"type": "phone", "number": …}`, where the number may also be a
/// SIP address.
///
/// # Errors
///
/// What Vonage would refuse of it, and where in `value`.
pub fn caller_of_rest(value: &Value) -> Result<String, Refused> {
    let object = Object::of(value, String::new())?;
    object.required("type", object.word("type", &[("phone", ())])?)?;
    match object.text("number")? {
        Some(uri) if is_sip(uri) => Ok(uri.to_owned()),
        _ => object.required("number", number::read(&object, "number")?),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Spelling {
    Script,
    Rest,
}

#[derive(Clone, Copy)]
enum Kind {
    Phone,
    App,
    Sip,
    Websocket,
    Vbc,
}

const KINDS: &[(&str, Kind)] = &[
    ("phone", Kind::Phone),
    ("app", Kind::App),
    ("sip", Kind::Sip),
    ("websocket", Kind::Websocket),
    ("vbc", Kind::Vbc),
];

impl Endpoint {
    /// Its type as the wire spells it: `phone`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Phone { .. } => "phone",
            Self::App { .. } => "app",
            Self::Sip { .. } => "sip",
            Self::Websocket { .. } => "websocket",
            Self::Vbc { .. } => "vbc",
        }
    }

    /// What events call it in `to`: the number, user, address or extension.
    #[must_use]
    pub fn address(&self) -> String {
        match self {
            Self::Phone { number, .. } => number.clone(),
            Self::App { user } => user.clone(),
            Self::Sip { uri, .. } | Self::Websocket { uri, .. } => uri.clone(),
            Self::Vbc { extension } => extension.clone(),
        }
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        Self::read_as(object, Spelling::Script)
    }

    fn read_as(object: &Object<'_>, spelling: Spelling) -> Result<Self, Refused> {
        let kind = object.required("type", object.word("type", KINDS)?)?;
        Ok(match kind {
            Kind::Phone => Self::Phone {
                number: object.required("number", number::read(object, "number")?)?,
                dtmf_answer: dtmf_answer(object)?,
                on_answer: match spelling {
                    Spelling::Script => OnAnswer::read(object)?,
                    Spelling::Rest => None,
                },
            },
            Kind::App => Self::App {
                user: object.required("user", object.name("user")?)?,
            },
            Kind::Sip => {
                standard_headers(object, spelling)?;
                Self::Sip {
                    uri: sip_address(object, spelling)?,
                    headers: headers(object)?,
                }
            }
            Kind::Websocket => {
                authorization(object)?;
                let uri = object.address("uri", &["ws", "wss"], "an absolute ws or wss URL")?;
                let types: Vec<_> = CONTENT_TYPES.iter().map(|name| (*name, *name)).collect();
                let content_type = object.word("content-type", &types)?;
                Self::Websocket {
                    uri: object.required("uri", uri)?,
                    // Required by the OpenAPI file, though SDKs let it be left out.
                    content_type: object.required("content-type", content_type)?.to_owned(),
                    headers: headers(object)?,
                }
            }
            Kind::Vbc => Self::Vbc {
                extension: object.required("extension", object.name("extension")?)?,
            },
        })
    }
}

impl OnAnswer {
    fn read(endpoint: &Object<'_>) -> Result<Option<Self>, Refused> {
        let Some(object) = endpoint.object("onAnswer")? else {
            return Ok(None);
        };
        let old = object.url("ringback")?;
        Ok(Some(Self {
            url: object.required("url", object.url("url")?)?,
            ringback: object.url("ringbackTone")?.or(old),
        }))
    }
}

fn dtmf_answer(object: &Object<'_>) -> Result<Option<String>, Refused> {
    object.text("shaken")?;
    match object.text("dtmfAnswer")? {
        // What Vonage does with anything but keys and pauses is not known.
        Some(keys)
            if !keys
                .chars()
                .all(|key| matches!(key, '0'..='9' | '*' | '#' | 'p')) =>
        {
            Err(object.refuse("dtmfAnswer", "must be of 0 to 9, *, # and p"))
        }
        keys => Ok(keys.map(str::to_owned)),
    }
}

fn sip_address(object: &Object<'_>, spelling: Spelling) -> Result<String, Refused> {
    let uri = object.text("uri")?;
    let user = object.name("user")?;
    let domain = object.name("domain")?;
    if spelling == Spelling::Script && uri.is_none() {
        let is_part = |part: &String| !part.contains(|c: char| c.is_whitespace() || c == '@');
        return match (user, domain) {
            (Some(user), Some(domain)) if is_part(&user) && is_part(&domain) => {
                Ok(format!("sip:{user}@{domain}"))
            }
            _ => Err(object.refuse("uri", "is required, or a user and a domain")),
        };
    }
    let uri = object.required("uri", uri)?;
    if !is_sip(uri) {
        return Err(object.refuse("uri", "must begin with sip: or sips: and have no blanks"));
    }
    if spelling == Spelling::Script && (user.is_some() || domain.is_some()) {
        return Err(object.refuse("uri", "cannot be together with user and domain"));
    }
    if spelling == Spelling::Rest && uri.chars().count() > LONGEST_REST_SIP {
        return Err(object.refuse(
            "uri",
            format!("must be at most {LONGEST_REST_SIP} characters"),
        ));
    }
    Ok(uri.to_owned())
}

fn is_sip(text: &str) -> bool {
    text.strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"))
        .is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// Any JSON is taken as a value: what Vonage makes of one that is no string is not known.
fn headers(object: &Object<'_>) -> Result<Map<String, Value>, Refused> {
    let headers = object.object("headers")?;
    Ok(headers.map_or_else(Map::new, |headers| headers.fields().clone()))
}

fn standard_headers(object: &Object<'_>, spelling: Spelling) -> Result<(), Refused> {
    let key = match spelling {
        Spelling::Script => "standardHeaders",
        Spelling::Rest => "standard_headers",
    };
    let Some(headers) = object.object(key)? else {
        return Ok(());
    };
    // The OpenAPI file requires it of whoever sends the object.
    let value = headers.required("User-to-User", headers.text("User-to-User")?)?;
    if value.chars().count() > LONGEST_USER_TO_USER {
        let reason = format!("must be at most {LONGEST_USER_TO_USER} characters");
        return Err(headers.refuse("User-to-User", reason));
    }
    Ok(())
}

fn authorization(object: &Object<'_>) -> Result<(), Refused> {
    let Some(object) = object.object("authorization")? else {
        return Ok(());
    };
    let custom = object.word("type", &[("vonage", false), ("custom", true)])?;
    let value = object.text("value")?;
    if custom != Some(true) {
        return Ok(());
    }
    let value = object.required("value", value)?;
    let printable = value.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if value.is_empty() || value.len() > LONGEST_AUTHORIZATION || !printable {
        let reason = format!("must be 1 to {LONGEST_AUTHORIZATION} printable ASCII characters");
        return Err(object.refuse("value", reason));
    }
    Ok(())
}
