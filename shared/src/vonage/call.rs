//! Making calls, and looking them up.

use super::pace::Lane;
use super::{Leg, RegionUrl, Repeat, Request, Vonage, VonageError};
use crate::id::{ConversationId, LegId};
use crate::ncco::Ncco;
use crate::number::{PhoneNumber, mask};
use crate::webhook::CallStatus;
use http::Method;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;
use url::Url;

/// Seconds a phone may ring (`ringing_timer`).
pub const RING_SECONDS: RangeInclusive<u64> = 1..=120;

/// Seconds a call may last (`length_timer`): up to a day.
pub const LENGTH_SECONDS: RangeInclusive<u64> = 1..=86_400;

/// Most calls on one page of a list.
pub const PAGE_SIZE_MAX: u32 = 100;

/// A new outbound leg.
///
/// See [Vonage/Voice API reference/Create an outbound call](https://developer.vonage.com/en/api/voice#createCall).
pub struct NewCall<'a> {
    /// Whom to ring.
    pub to: To,
    /// Who seems to ring.
    pub from: Caller,
    /// What happens once they answer.
    pub script: Script<'a>,
    /// Where events about it go, by POST. To the application's own URL, if absent.
    pub event_url: Option<Url>,
    /// How long to ring: 1 to 120 s, to which other values are moved. 60 s, if absent.
    pub ring: Option<Duration>,
    /// How long it may last: 1 s to a day, to which other values are moved. Two hours, if absent.
    pub length: Option<Duration>,
    /// What to do when a machine answers.
    pub machine: Option<MachineDetection>,
}

/// Whom a leg is connected with. `Debug` shows the kind alone.
#[derive(Clone, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum To {
    /// A telephone.
    Phone {
        /// Its number.
        number: PhoneNumber,
        /// Keys to press once it answers; `p` is half a second's pause.
        #[serde(rename = "dtmfAnswer", skip_serializing_if = "Option::is_none")]
        dtmf_answer: Option<String>,
    },
    /// A SIP endpoint.
    Sip {
        /// `sip:rebekka@sip.example.com`, at most 50 characters.
        uri: String,
        /// Sent along as `X-` headers.
        #[serde(skip_serializing_if = "Map::is_empty")]
        headers: Map<String, Value>,
    },
    /// A user of the Client SDK.
    App {
        /// The user's name.
        user: String,
    },
    /// An extension of Vonage Business Cloud.
    Vbc {
        /// Its number.
        extension: String,
    },
    /// A websocket.
    Websocket {
        /// `wss://…`
        uri: String,
        /// `audio/l16;rate=16000` or `audio/l16;rate=8000`.
        #[serde(rename = "content-type")]
        content_type: String,
        /// Sent along in the first message.
        #[serde(skip_serializing_if = "Map::is_empty")]
        headers: Map<String, Value>,
    },
}

/// Who seems to ring.
#[derive(Debug, Clone)]
pub enum Caller {
    /// One of our numbers.
    Number(PhoneNumber),
    /// Any number of the application, of the same country if there is one.
    Random,
}

/// What an answered leg hears.
pub enum Script<'a> {
    /// This.
    Ncco(&'a Ncco),
    /// What Vonage gets from here, by POST.
    Url(Url),
}

/// What to do when a machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineDetection {
    /// Tell us, and go on.
    Continue,
    /// Hang up.
    HangUp,
}

/// A leg that has just been made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Created {
    /// The leg.
    pub uuid: LegId,
    /// The conversation it is in.
    pub conversation_uuid: ConversationId,
    /// `started`, as a rule.
    #[serde(default)]
    pub status: Option<String>,
}

/// What Vonage knows about a leg, for two days as a rule.
///
/// See [Vonage/Voice API reference/Get detail of a specific call](https://developer.vonage.com/en/api/voice#getCall).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CallRecord {
    /// The leg.
    pub uuid: LegId,
    /// The conversation it is in.
    #[serde(default)]
    pub conversation_uuid: Option<ConversationId>,
    /// `started`, `ringing`, `answered`, `completed`, …: more may come.
    #[serde(default)]
    pub status: Option<String>,
    /// `inbound` or `outbound`.
    #[serde(default)]
    pub direction: Option<String>,
    /// Who rang.
    #[serde(default, deserialize_with = "party")]
    pub from: Option<Party>,
    /// Who was rung.
    #[serde(default, deserialize_with = "party")]
    pub to: Option<Party>,
    /// When it was answered. Only once it is over.
    #[serde(default, deserialize_with = "time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "time")]
    pub end_time: Option<Timestamp>,
    /// Seconds, as text.
    #[serde(default, deserialize_with = "text")]
    pub duration: Option<String>,
    /// What it cost, as text, in the account's currency.
    #[serde(default, deserialize_with = "text")]
    pub price: Option<String>,
    /// What a minute costs, as text.
    #[serde(default, deserialize_with = "text")]
    pub rate: Option<String>,
    /// The carrier's network.
    #[serde(default, deserialize_with = "text")]
    pub network: Option<String>,
}

impl CallRecord {
    /// Whether the leg is over. A status we do not know is not.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let status = self.status.clone().map(CallStatus::from);
        status.is_some_and(|status| status == CallStatus::Completed || status.is_failure())
    }
}

/// One end of a leg. `Debug` masks the address.
#[derive(Clone, PartialEq, Eq)]
pub struct Party {
    /// `phone`, `sip`, `app`, …; empty if Vonage does not say.
    pub kind: String,
    /// Number, URI, user or extension.
    pub address: String,
}

/// Which calls to list. All, by default.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    /// Only those with this status.
    pub status: Option<String>,
    /// Only those after this.
    pub from: Option<Timestamp>,
    /// Only those before this.
    pub until: Option<Timestamp>,
    /// Only the legs of this conversation.
    pub conversation: Option<ConversationId>,
    /// Calls on a page, 1 to 100, to which other values are moved. 10, if absent.
    pub page_size: Option<u32>,
    /// How many to leave out first.
    pub record_index: Option<u32>,
    /// Oldest first, if absent.
    pub order: Option<Order>,
}

/// In which order calls are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Some of the calls that were asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CallPage {
    /// How many there are on all pages.
    pub count: u64,
    /// How many come before this page.
    pub record_index: u64,
    /// This page.
    pub calls: Vec<CallRecord>,
}

impl Vonage {
    /// Rings somebody. Waits its turn, as Vonage takes three new legs in a second.
    ///
    /// Not repeated where it may have been done: a phone would ring twice.
    ///
    /// # Errors
    /// See [`VonageError`]. If `may_have_been_applied`, look at the events before ringing again.
    pub async fn create_call(
        &self,
        call: &NewCall<'_>,
        region: Option<&RegionUrl>,
    ) -> Result<Created, VonageError> {
        let url = self.url(region, &["v1", "calls"]);
        let request =
            Request::new("create a call".to_owned(), Method::POST, url).json(&call.body());
        self.ask(Request {
            repeat: Repeat::Unsafe,
            lane: Lane::NewLeg,
            ..request
        })
        .await
    }

    /// Looks up a leg. What it is known to have recorded is not in there.
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn call(&self, leg: Leg<'_>) -> Result<CallRecord, VonageError> {
        self.ask(self.request(leg, "look up", Method::GET, &[]))
            .await
    }

    /// Lists calls, one page of them.
    ///
    /// See [Vonage/Voice API reference/Get details of your calls](https://developer.vonage.com/en/api/voice#getCalls).
    ///
    /// # Errors
    /// See [`VonageError`].
    pub async fn list_calls(
        &self,
        filter: &CallFilter,
        region: Option<&RegionUrl>,
    ) -> Result<CallPage, VonageError> {
        let mut url = self.url(region, &["v1", "calls"]);
        filter.write(&mut url);
        let request = Request::new("list calls".to_owned(), Method::GET, url);
        self.ask::<Page>(request).await.map(CallPage::from)
    }
}

impl NewCall<'_> {
    fn body(&self) -> Value {
        let mut body = json!({ "to": [self.to] });
        match &self.from {
            Caller::Number(number) => body["from"] = json!({ "type": "phone", "number": number }),
            Caller::Random => body["random_from_number"] = json!(true),
        }
        match &self.script {
            Script::Ncco(ncco) => body["ncco"] = json!(ncco),
            Script::Url(url) => {
                body["answer_url"] = json!([url.as_str()]);
                body["answer_method"] = json!("POST");
            }
        }
        if let Some(url) = &self.event_url {
            body["event_url"] = json!([url.as_str()]);
            body["event_method"] = json!("POST");
        }
        if let Some(ring) = self.ring {
            body["ringing_timer"] = json!(seconds(ring, RING_SECONDS));
        }
        if let Some(length) = self.length {
            body["length_timer"] = json!(seconds(length, LENGTH_SECONDS));
        }
        if let Some(machine) = self.machine {
            body["machine_detection"] = json!(match machine {
                MachineDetection::Continue => "continue",
                MachineDetection::HangUp => "hangup",
            });
        }
        body
    }
}

fn seconds(duration: Duration, range: RangeInclusive<u64>) -> u64 {
    duration.as_secs().clamp(*range.start(), *range.end())
}

impl CallFilter {
    fn write(&self, url: &mut Url) {
        let order = self.order.map(|order| match order {
            Order::Ascending => "asc",
            Order::Descending => "desc",
        });
        let pairs = [
            ("status", self.status.clone()),
            ("date_start", self.from.map(|time| time.to_string())),
            ("date_end", self.until.map(|time| time.to_string())),
            (
                "conversation_uuid",
                self.conversation.as_ref().map(ToString::to_string),
            ),
            (
                "page_size",
                self.page_size
                    .map(|size| size.clamp(1, PAGE_SIZE_MAX).to_string()),
            ),
            (
                "record_index",
                self.record_index.map(|index| index.to_string()),
            ),
            ("order", order.map(str::to_owned)),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(key, &value);
            }
        }
    }
}

impl fmt::Debug for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Phone { .. } => "Phone",
            Self::Sip { .. } => "Sip",
            Self::App { .. } => "App",
            Self::Vbc { .. } => "Vbc",
            Self::Websocket { .. } => "Websocket",
        })
    }
}

impl fmt::Debug for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, mask(&self.address))
    }
}

/// A page as it is on the wire.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    count: u64,
    #[serde(default)]
    record_index: u64,
    #[serde(default, rename = "_embedded")]
    embedded: Embedded,
}

#[derive(Default, Deserialize)]
struct Embedded {
    #[serde(default)]
    calls: Vec<CallRecord>,
}

impl From<Page> for CallPage {
    fn from(page: Page) -> Self {
        Self {
            count: page.count,
            record_index: page.record_index,
            calls: page.embedded.calls,
        }
    }
}

/// An object, as the reference says, or a list of one, as was also seen.
fn party<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Party>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let one = value.get(0).unwrap_or(&value);
    let text = |key| one.get(key).and_then(Value::as_str);
    let address = ["number", "uri", "user", "extension"]
        .into_iter()
        .find_map(text);
    Ok(address.map(|address| Party {
        kind: text("type").unwrap_or_default().to_owned(),
        address: address.to_owned(),
    }))
}

/// ISO 8601, or `2020-01-01 12:00:00` as the reference has it, which is UTC. Anything else is absent.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = text(deserializer)?.unwrap_or_default();
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    Ok(text
        .parse()
        .ok()
        .or_else(|| civil().map(|zoned| zoned.timestamp())))
}

/// Text, or a number, which is taken as it was written.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::standin::{Standin, config, leg_id};
    use super::*;

    const CREATED: &str = r#"{"uuid":"63f61863-4a51-4f6b-86e1-46edebcf9356","status":"started",
        "direction":"outbound","conversation_uuid":"CON-f972836a-550f-45fa-956c-12a2ab5b7d22"}"#;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    fn call<'a>(to: To, script: Script<'a>) -> NewCall<'a> {
        NewCall {
            to,
            from: Caller::Number(number("447700900000")),
            script,
            event_url: None,
            ring: None,
            length: None,
            machine: None,
        }
    }

    #[tokio::test]
    async fn a_call_is_made_as_the_reference_asks_for() {
        let standin = Standin::start().await;
        standin.answer(201, CREATED);
        let ncco = Ncco::default().then(crate::ncco::Talk::say("Hello"));
        let to = To::Phone {
            number: number("447700900001"),
            dtmf_answer: None,
        };
        let created = standin
            .client()
            .create_call(&call(to, Script::Ncco(&ncco)), None)
            .await
            .unwrap();
        assert_eq!(created.uuid, leg_id());
        assert_eq!(
            created.conversation_uuid.as_str(),
            "CON-f972836a-550f-45fa-956c-12a2ab5b7d22"
        );
        let sent = standin.taken();
        assert_eq!(
            (sent[0].method.as_str(), sent[0].uri.as_str()),
            ("POST", "/v1/calls")
        );
        assert_eq!(sent[0].headers["content-type"], "application/json");
        assert_eq!(sent[0].claims()["application_id"], "app");
        let body = json!({
            "to": [{ "type": "phone", "number": "447700900001" }],
            "from": { "type": "phone", "number": "447700900000" },
            "ncco": [{ "action": "talk", "text": "Hello" }],
        });
        assert_eq!(sent[0].json(), body);
    }

    #[test]
    fn every_option_of_a_call_is_spelt_as_the_reference_does() {
        let url = |text| Url::parse(text).unwrap();
        let call = NewCall {
            from: Caller::Random,
            event_url: Some(url("https://example.com/event")),
            ring: Some(Duration::from_secs(900)),
            length: Some(Duration::ZERO),
            machine: Some(MachineDetection::HangUp),
            ..call(
                To::App {
                    user: "jamie".into(),
                },
                Script::Url(url("https://example.com/answer")),
            )
        };
        let body = json!({
            "to": [{ "type": "app", "user": "jamie" }],
            "random_from_number": true,
            "answer_url": ["https://example.com/answer"],
            "answer_method": "POST",
            "event_url": ["https://example.com/event"],
            "event_method": "POST",
            "ringing_timer": 120,
            "length_timer": 1,
            "machine_detection": "hangup",
        });
        assert_eq!(call.body(), body);
    }

    #[test]
    fn every_kind_of_endpoint_is_spelt_as_the_reference_does() {
        let headers = Map::from_iter([("a".to_owned(), json!("b"))]);
        for (to, expected) in [
            (
                To::Phone {
                    number: number("447700900001"),
                    dtmf_answer: Some("p*1#".into()),
                },
                json!({"type": "phone", "number": "447700900001", "dtmfAnswer": "p*1#"}),
            ),
            (
                To::Sip {
                    uri: "sip:a@example.com".into(),
                    headers: Map::new(),
                },
                json!({"type": "sip", "uri": "sip:a@example.com"}),
            ),
            (
                To::Vbc {
                    extension: "123".into(),
                },
                json!({"type": "vbc", "extension": "123"}),
            ),
            (
                To::Websocket {
                    uri: "wss://example.com".into(),
                    content_type: "audio/l16;rate=16000".into(),
                    headers,
                },
                json!({"type": "websocket", "uri": "wss://example.com",
                    "content-type": "audio/l16;rate=16000", "headers": {"a": "b"}}),
            ),
        ] {
            assert_eq!(json!(to), expected);
            assert!(!format!("{to:?}").contains("example") && !format!("{to:?}").contains("44"));
        }
    }

    #[tokio::test]
    async fn a_leg_is_looked_up_in_every_form_seen() {
        let standin = Standin::start().await;
        let (vonage, id) = (standin.client(), leg_id());
        let leg = Leg {
            id: &id,
            region: None,
            started: None,
        };
        let look_up = async |body: Value| {
            standin.answer(200, &body.to_string());
            vonage.call(leg).await.unwrap()
        };
        let reference = look_up(json!({
            "uuid": id, "conversation_uuid": "CON-x", "status": "completed", "direction": "outbound",
            "to": {"type": "phone", "number": "447700900001"}, "from": {"type": "app", "user": "jo"},
            "rate": "0.39", "price": "23.40", "duration": "60", "network": "65512",
            "start_time": "2020-01-01 12:00:00", "end_time": "2020-01-01 12:01:00", "_links": {},
        }));
        let reference = reference.await;
        let noon: Timestamp = "2020-01-01T12:00:00Z".parse().unwrap();
        assert_eq!(reference.start_time, Some(noon));
        assert_eq!(reference.duration.as_deref(), Some("60"));
        assert_eq!(reference.from.as_ref().unwrap().address, "jo");
        assert!(!format!("{reference:?}").contains("447700900001"));

        let seen = look_up(json!({
            "uuid": id, "status": "teleported", "conversation_uuid": null, "start_time": null,
            "to": [{"type": "phone", "number": "447700900001"}], "from": null,
            "duration": 60, "price": 23.4, "end_time": "2020-01-01T12:00:00.000Z",
        }));
        let seen = seen.await;
        assert_eq!(seen.to, reference.to);
        assert_eq!((seen.end_time, seen.start_time), (Some(noon), None));
        assert_eq!(
            (seen.duration.as_deref(), seen.price.as_deref()),
            (Some("60"), Some("23.4"))
        );

        let sent = standin.taken();
        assert_eq!((sent[0].method.as_str(), sent[0].body.len()), ("GET", 0));
        assert_eq!(sent[0].uri, format!("/v1/calls/{id}"));
    }

    #[tokio::test]
    async fn calls_are_listed_by_page() {
        let standin = Standin::start().await;
        let calls = json!({"count": 7, "page_size": 2, "record_index": 4, "_links": {},
            "_embedded": {"calls": [{"uuid": "a"}, {"uuid": "b", "status": "busy"}]}});
        standin.answer(200, &calls.to_string());
        standin.answer(200, "{}");
        let vonage = standin.client();
        let filter = CallFilter {
            status: Some("busy".into()),
            from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            until: Some("2026-01-02T00:00:00Z".parse().unwrap()),
            conversation: Some(ConversationId::new("CON-x").unwrap()),
            page_size: Some(1000),
            record_index: Some(4),
            order: Some(Order::Descending),
        };
        let page = vonage.list_calls(&filter, None).await.unwrap();
        assert_eq!((page.count, page.record_index, page.calls.len()), (7, 4, 2));
        assert_eq!(page.calls[1].status.as_deref(), Some("busy"));
        let none = vonage
            .list_calls(&CallFilter::default(), None)
            .await
            .unwrap();
        assert!(none.calls.is_empty());
        let sent = standin.taken();
        let query = "status=busy&date_start=2026-01-01T00%3A00%3A00Z&date_end=2026-01-02T00%3A00%3A00Z\
            &conversation_uuid=CON-x&page_size=100&record_index=4&order=desc";
        assert_eq!(sent[0].uri, format!("/v1/calls?{query}"));
        assert_eq!(sent[1].uri, "/v1/calls");
    }

    #[tokio::test]
    async fn no_phone_rings_twice() {
        let standin = Standin::start().await;
        let vonage = standin.client();
        let url = Url::parse("https://example.com/answer").unwrap();
        let call = call(
            To::App {
                user: "jamie".into(),
            },
            Script::Url(url),
        );
        standin.answer(503, "");
        let error = vonage.create_call(&call, None).await.unwrap_err();
        assert!(
            error.may_have_been_applied() && error.is_retryable(),
            "{error}"
        );
        assert_eq!(standin.taken().len(), 1);
        // A 429 says that nothing was done, so that is tried again.
        standin.answer(429, "");
        standin.answer(201, CREATED);
        vonage.create_call(&call, None).await.unwrap();
        assert_eq!(standin.taken().len(), 2);
    }

    #[tokio::test]
    async fn a_fourth_phone_does_not_ring_in_the_same_second() {
        let standin = Standin::start().await;
        let vonage = Vonage::new(config(&standin.url(), Duration::from_millis(500))).unwrap();
        let url = Url::parse("https://example.com/answer").unwrap();
        let call = call(
            To::App {
                user: "jamie".into(),
            },
            Script::Url(url),
        );
        for _ in 0..3 {
            standin.answer(201, CREATED);
            vonage.create_call(&call, None).await.unwrap();
        }
        let error = vonage.create_call(&call, None).await.unwrap_err();
        assert!(matches!(error, VonageError::Busy { .. }), "{error}");
        assert!(!error.may_have_been_applied() && error.is_retryable());
        assert_eq!(standin.taken().len(), 3);
    }

    #[tokio::test]
    async fn an_answer_that_does_not_read_is_told_without_its_words() {
        let standin = Standin::start().await;
        standin.answer(201, r#"{"uuid": {"number": "447700900001"}}"#);
        let url = Url::parse("https://example.com/answer").unwrap();
        let call = call(
            To::App {
                user: "jamie".into(),
            },
            Script::Url(url),
        );
        let error = standin.client().create_call(&call, None).await.unwrap_err();
        assert!(error.may_have_been_applied() && !error.is_retryable());
        let text = "could not create a call: the answer does not read, at line 1 column 9";
        assert_eq!(error.to_string(), text);
    }
}
