//! A platform with a server at its other end, on a clock that jumps from one moment to the next.

use crate::key;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use switchboard_phone::{
    Answered, Asked, Content, Heard, LegId, Manner, Method, Outcome, Outgoing, Platform, Settings,
    Webhook, What,
};

pub(crate) const CALLER: &str = "447700900123";
pub(crate) const LINE: &str = "442079460001";
pub(crate) const AGENT: &str = "447700900999";
pub(crate) const OTHER_AGENT: &str = "447700900888";
pub(crate) const APPLICATION: &str = "5f2c1a34-0b7e-4d6c-9a51-1c3d5e7f9a0b";
pub(crate) const SECRET: &str = "a secret that signs webhooks, made up for these tests";
pub(crate) const REGION: &str = "eu-west";
pub(crate) const BASE: &str = "https://vonage.test";

/// A webhook that arrived.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    /// By the platform's clock, in milliseconds since the beginning.
    pub(crate) at: i64,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The JSON of a POST; of a GET the parameters, all of them texts.
    pub(crate) body: Value,
    pub(crate) sent: Vec<u8>,
    pub(crate) query: String,
    pub(crate) authorization: String,
    pub(crate) timeouts: (Duration, Duration),
}

pub(crate) struct Stage {
    pub(crate) platform: Platform,
    pub(crate) seen: Vec<Seen>,
    /// By which tokens are made and paces counted.
    pub(crate) wall: Timestamp,
    /// How far the wall clock goes on before each request: far enough that no pace is met.
    pub(crate) pause: Duration,
    replies: BTreeMap<String, VecDeque<Outcome>>,
}

pub(crate) fn beginning() -> Timestamp {
    "2026-03-02T09:00:00.250Z".parse().expect("it is a moment")
}

pub(crate) fn settings() -> Settings {
    Settings {
        application_id: APPLICATION.to_owned(),
        api_key: "a1b2c3d4".to_owned(),
        signature_secret: SECRET.to_owned(),
        public_key: key::public(),
        numbers: vec![LINE.to_owned()],
        answer: Webhook::script(url("/answer")),
        event: Webhook::event(url("/event")),
        region: REGION.to_owned(),
        ..Settings::default()
    }
}

pub(crate) fn url(path: &str) -> String {
    format!("https://server.test{path}")
}

/// A script, as a reply.
pub(crate) fn script(actions: Value) -> Outcome {
    reply(200, "application/json", &actions.to_string())
}

pub(crate) fn reply(status: u16, content_type: &str, body: &str) -> Outcome {
    Outcome::Reply {
        status,
        content_type: Some(content_type.to_owned()),
        body: body.as_bytes().to_vec(),
    }
}

/// Taken, and nothing to say to it.
pub(crate) fn nothing() -> Outcome {
    Outcome::Reply {
        status: 200,
        content_type: None,
        body: Vec::new(),
    }
}

pub(crate) fn talk(text: &str) -> Value {
    json!({ "action": "talk", "text": text })
}

pub(crate) fn wait(seconds: u32) -> Value {
    json!({ "action": "wait", "timeout": seconds })
}

/// Rings a phone from the line. `more`: further options.
pub(crate) fn connect(to: &str, more: Value) -> Value {
    let mut action = json!({
        "action": "connect", "from": LINE, "endpoint": [{ "type": "phone", "number": to }],
    });
    let fields = action.as_object_mut().expect("it is an object");
    fields.extend(more.as_object().expect("options are an object").clone());
    action
}

pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::set(|_| {})
    }

    pub(crate) fn set(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        Self {
            platform: Platform::new(settings, BASE, beginning()),
            seen: Vec::new(),
            wall: "2026-11-01T12:00:00Z".parse().expect("it is a moment"),
            pause: Duration::from_secs(2),
            replies: BTreeMap::new(),
        }
    }

    /// What the server replies there, from now on.
    pub(crate) fn on(&mut self, path: &str, outcome: Outcome) {
        self.on_each(path, vec![outcome]);
    }

    /// What the server replies there, one after the other; the last stays.
    pub(crate) fn on_each(&mut self, path: &str, outcomes: Vec<Outcome>) {
        self.replies.insert(path.to_owned(), outcomes.into());
    }

    /// Somebody calls, and the server answers with this script.
    pub(crate) fn caller(&mut self, actions: Value) -> LegId {
        self.on("/answer", script(actions));
        let leg = self.platform.call(CALLER, LINE).expect("numbers are fine");
        self.run(0.5);
        leg
    }

    /// A caller who is being connected to the agent, whose phone does this.
    pub(crate) fn connecting(&mut self, manner: Manner, more: Value) -> LegId {
        self.platform.set_manners(AGENT, vec![manner]);
        self.caller(json!([connect(AGENT, more), talk("Nobody is there.")]))
    }

    /// Lets so many seconds go by.
    pub(crate) fn run(&mut self, seconds: f64) {
        let to = self.platform.now() + SignedDuration::from_secs_f64(seconds);
        self.until(to);
    }

    pub(crate) fn until(&mut self, to: Timestamp) {
        self.deliver();
        while let Some(due) = self.platform.due().filter(|due| *due <= to) {
            self.platform.advance(due);
            self.deliver();
        }
        self.platform.advance(to);
    }

    /// Until nothing is due any more.
    pub(crate) fn settle(&mut self) {
        self.deliver();
        while let Some(due) = self.platform.due() {
            self.until(due);
        }
    }

    fn deliver(&mut self) {
        while self.platform.has_outgoing() {
            for out in self.platform.outgoing(self.wall) {
                let seen = self.look(&out);
                let outcome = self.replies.get_mut(&seen.path).map(|replies| {
                    if replies.len() > 1 {
                        replies.pop_front().expect("there is more than one")
                    } else {
                        replies[0].clone()
                    }
                });
                self.seen.push(seen);
                let outcome = outcome.unwrap_or_else(nothing);
                self.platform
                    .replied(out.webhook, outcome, Duration::from_millis(3));
            }
        }
    }

    fn look(&self, out: &Outgoing) -> Seen {
        let url = url::Url::parse(&out.url).expect("webhooks go to a URL");
        let body = match out.method {
            Method::Post => serde_json::from_slice(&out.body).expect("a POST has JSON"),
            Method::Get => {
                assert!(out.body.is_empty(), "a GET has no body");
                let pairs = url.query_pairs();
                Value::Object(
                    pairs
                        .map(|(name, text)| (name.into_owned(), text.into_owned().into()))
                        .collect(),
                )
            }
        };
        Seen {
            at: self.ms(),
            method: out.method,
            path: url.path().to_owned(),
            body,
            sent: out.body.clone(),
            query: url.query().unwrap_or_default().to_owned(),
            authorization: out.authorization.clone(),
            timeouts: (out.connect_timeout, out.socket_timeout),
        }
    }

    /// Milliseconds since the beginning.
    pub(crate) fn ms(&self) -> i64 {
        let ms = self.platform.now().duration_since(beginning()).as_millis();
        i64::try_from(ms).expect("stories are short")
    }

    // REST.

    pub(crate) fn ask(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) -> Answered {
        self.wall += self.pause;
        let asked = Asked {
            method,
            path,
            query,
            authorization,
            content_type: Some("application/json"),
            body,
        };
        let answered = self.platform.rest(asked, self.wall);
        self.deliver();
        answered
    }

    /// A request with a sound token.
    pub(crate) fn rest(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let token = key::token(self.wall);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let answered = self.ask(method, path, query, Some(&token), &body);
        let json = match answered.content {
            Content::Nothing => Value::Null,
            Content::Json(json) => json,
            Content::Audio(_) => panic!("{path} gave audio"),
        };
        (answered.status, json)
    }

    /// `PUT /v1/calls/{leg}{below}`.
    pub(crate) fn put(&mut self, leg: &str, below: &str, body: Value) -> u16 {
        self.rest("PUT", &format!("/v1/calls/{leg}{below}"), body).0
    }

    /// Moves a leg to another script.
    pub(crate) fn transfer(&mut self, leg: &str, actions: Value) -> u16 {
        let destination = json!({ "type": "ncco", "ncco": actions });
        let body = json!({ "action": "transfer", "destination": destination });
        self.put(leg, "", body)
    }

    /// Makes a call by REST to the agent, with this script.
    pub(crate) fn create(&mut self, actions: Value) -> LegId {
        let (status, made) = self.rest(
            "POST",
            "/v1/calls",
            json!({
                "to": [{ "type": "phone", "number": AGENT }],
                "from": { "type": "phone", "number": LINE },
                "ncco": actions,
            }),
        );
        assert_eq!(status, 201, "{made}");
        made["uuid"].as_str().expect("it has an id").to_owned()
    }

    /// A file's status, content type, size and length.
    pub(crate) fn file(&mut self, url: &str) -> Result<(String, Vec<u8>), u16> {
        let token = key::token(self.wall);
        let path = url.strip_prefix(BASE).expect("it is the platform's");
        let answered = self.ask("GET", path, "", Some(&token), b"");
        match answered.content {
            Content::Audio(score) => Ok((
                score.content_type().to_owned(),
                score.render(switchboard_phone::audio::Voice::Babble),
            )),
            _ => Err(answered.status),
        }
    }

    // What came of it.

    /// The newest leg to this address.
    pub(crate) fn leg_to(&self, to: &str) -> LegId {
        let mut legs = self.platform.legs().rev();
        let leg = legs.find(|leg| leg.to() == to).expect("it was rung");
        leg.id().to_owned()
    }

    pub(crate) fn conversation(&mut self, leg: &str) -> String {
        let (_, call) = self.rest("GET", &format!("/v1/calls/{leg}"), Value::Null);
        call["conversation_uuid"]
            .as_str()
            .expect("it has one")
            .to_owned()
    }

    /// The statuses of a leg, as they were told.
    pub(crate) fn statuses(&self, leg: &str) -> Vec<&str> {
        let of_leg = |seen: &&Seen| seen.body["uuid"] == leg || seen.body["call_uuid"] == leg;
        let events = self.seen.iter().filter(of_leg);
        events
            .filter_map(|seen| seen.body["status"].as_str())
            .collect()
    }

    /// The event that told a leg's status.
    #[track_caller]
    pub(crate) fn status(&self, leg: &str, status: &str) -> &Seen {
        let mut seen = self.seen.iter();
        let found = seen.find(|seen| {
            (seen.body["uuid"] == leg || seen.body["call_uuid"] == leg)
                && seen.body["status"] == status
        });
        found.unwrap_or_else(|| panic!("no {status} in {:?}", self.statuses(leg)))
    }

    /// What arrived there.
    pub(crate) fn at(&self, path: &str) -> Vec<&Seen> {
        self.seen.iter().filter(|seen| seen.path == path).collect()
    }

    /// The first of those with this key.
    #[track_caller]
    pub(crate) fn with_key(&self, key: &str) -> &Seen {
        let mut seen = self.seen.iter();
        let found = seen.find(|seen| seen.body.get(key).is_some());
        found.unwrap_or_else(|| panic!("no webhook has {key}"))
    }

    /// What a leg heard, in words.
    pub(crate) fn heard(&self, leg: &str) -> Vec<String> {
        let entries = self
            .platform
            .journal()
            .filter(|entry| entry.leg.as_deref() == Some(leg));
        entries
            .filter_map(|entry| match &entry.what {
                What::Hears(heard) => Some(match heard {
                    Heard::Talk { text, .. } | Heard::Voice { text, .. } => text.clone(),
                    Heard::Stream { url } => url.clone(),
                    Heard::Ringback => "(rings)".to_owned(),
                    Heard::Beep => "(beep)".to_owned(),
                }),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn is_over(&self, leg: &str) -> bool {
        self.platform
            .leg(leg)
            .is_some_and(|leg| leg.ended().is_some())
    }

    /// When a leg was over, in milliseconds since the beginning.
    #[track_caller]
    pub(crate) fn over_at(&self, leg: &str) -> i64 {
        let leg = self.platform.leg(leg).expect("it is known");
        let (ended, _) = leg.ended().expect("it is over");
        i64::try_from(ended.duration_since(beginning()).as_millis()).expect("stories are short")
    }
}
