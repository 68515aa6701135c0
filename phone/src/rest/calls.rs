//! Calls: made, listed, shown, changed.

use super::body::Body;
use super::{Content, Done, Refusal};
use crate::event::{self, billed, moment};
use crate::hook::Why;
use crate::leg::{Direction, Ending, EventHook, Leg, LegId, Origin, Status};
use crate::ncco::{self, Action, Endpoint, Machine, Method};
use crate::platform::{Platform, URL_METHOD, is_kept};
use crate::settings::Webhook;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Within this time of its creation a leg takes no change.
///
/// See [Vonage/Support](https://api.support.vonage.com/hc/en-us/articles/10359615124380).
pub const EARLY: Duration = Duration::from_secs(2);

/// Longest life of a leg that is made by REST, in seconds.
const LENGTH_TIMER_MAX: u64 = 86_400;

/// Statuses that calls may be listed by.
const LISTED: [&str; 11] = [
    "started",
    "ringing",
    "answered",
    "machine",
    "completed",
    "busy",
    "cancelled",
    "failed",
    "rejected",
    "timeout",
    "unanswered",
];

/// What a leg that was made by REST plays once it is answered.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    Script(Vec<Action>, Vec<Value>),
    Url(Webhook),
}

impl Platform {
    pub(super) fn create_call(&mut self, bytes: &[u8], wall: Timestamp) -> Done {
        let mut body = Body::read(bytes)?;
        let to = endpoint(&mut body);
        let random = body.flag("random_from_number");
        let from = from(&mut body);
        if random && from.is_some() {
            body.fault("random_from_number", "cannot be used together with from");
        }
        let start = start(&mut body);
        let event_method = method(&mut body, "event_method", Method::Post);
        let event_url = body.url("event_url");
        let machine = machine(&mut body);
        let length = body.number("length_timer", 1..=LENGTH_TIMER_MAX);
        let ringing = body.number("ringing_timer", 1..=120).unwrap_or(60);
        body.finish()?;
        let (Some(to), Some(start)) = (to, start) else {
            return Err(Refusal::one("to", "is missing"));
        };
        if !self
            .pace
            .takes_leg(wall, self.now, self.settings.legs_per_second)
        {
            return Err(Refusal::Pace);
        }
        let numbers = self.settings.numbers.clone();
        let from = match from {
            Some(from) => from,
            None if random => self.choose(&numbers).cloned().unwrap_or_default(),
            None => "unknown".to_owned(),
        };
        let hook = EventHook {
            url: event_url.unwrap_or_else(|| self.settings.event.url.clone()),
            method: event_method,
            synchronous: false,
        };
        let id = self.uuid();
        let conversation = self.converse();
        let mut leg = Leg::new(
            id.clone(),
            Direction::Outbound,
            Origin::Rest,
            (&from, &to.address(), to.kind()),
            conversation.clone(),
            hook,
            self.now,
        );
        leg.machine = machine;
        if let Some(length) = length {
            leg.limit = Duration::from_secs(length);
        }
        self.make(leg);
        self.rest_scripts.insert(id.clone(), start);
        if matches!(to, Endpoint::Phone { .. }) && !numbers.contains(&from) {
            self.tell_status(&id, Status::Started);
            self.end(&id, Ending::Unconnected(Status::Rejected));
        } else {
            self.ring(&id, Duration::from_secs(ringing));
        }
        let made = json!({
            "uuid": id,
            "status": "started",
            "direction": "outbound",
            "conversation_uuid": conversation,
        });
        Ok((201, Content::Json(made)))
    }

    pub(super) fn get_call(&self, id: &str) -> Done {
        let leg = self.legs.get(id).filter(|leg| is_kept(leg, self.now));
        let leg = leg.ok_or(Refusal::NotFound)?;
        Ok((200, Content::Json(shown(leg))))
    }

    pub(super) fn list_calls(&self, query: &str) -> Done {
        let filter = Filter::read(query)?;
        let mut found: Vec<&Leg> = self
            .legs()
            .filter(|leg| is_kept(leg, self.now) && filter.takes(leg))
            .collect();
        if filter.descending {
            found.reverse();
        }
        let count = found.len();
        let page: Vec<Value> = found
            .into_iter()
            .skip(filter.index)
            .take(filter.size)
            .map(shown)
            .collect();
        let link = |index: usize| json!({ "href": format!("/calls?{}", filter.query(index)) });
        let last = count.saturating_sub(1) / filter.size * filter.size;
        let mut links = Map::new();
        links.insert("self".to_owned(), link(filter.index));
        links.insert("first".to_owned(), link(0));
        links.insert("last".to_owned(), link(last));
        if filter.index + filter.size < count {
            links.insert("next".to_owned(), link(filter.index + filter.size));
        }
        if filter.index > 0 {
            let before = filter.index.saturating_sub(filter.size);
            links.insert("prev".to_owned(), link(before));
        }
        let list = json!({
            "count": count,
            "page_size": filter.size,
            "record_index": filter.index,
            "_links": links,
            "_embedded": { "calls": page },
        });
        Ok((200, Content::Json(list)))
    }

    pub(super) fn update_call(&mut self, id: &str, bytes: &[u8]) -> Done {
        let leg = self.live(id)?;
        let mut body = Body::read(bytes)?;
        let action = body.one_of(
            "action",
            &[
                "hangup",
                "mute",
                "unmute",
                "earmuff",
                "unearmuff",
                "transfer",
            ],
        );
        if action.is_none() && body.get("action").is_none() {
            body.fault("action", "is missing");
        }
        let destination = match action.as_deref() {
            Some("transfer") => destination(&mut body),
            _ => None,
        };
        body.finish()?;
        let action = action.unwrap_or_default();
        self.early(&leg)?;
        if action == "hangup" {
            self.end(&leg, Ending::Request);
            return Ok((204, Content::Nothing));
        }
        self.up(&leg)?;
        match (action.as_str(), destination) {
            ("transfer", Some(Start::Script(actions, json))) => {
                self.play(&leg, actions, json, true);
            }
            ("transfer", Some(Start::Url(hook))) => {
                let body = event::answer(&self.legs[&leg], &self.region_url());
                let webhook = self.ask(&leg, Why::Move, hook, body);
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.moving = Some(webhook);
                }
            }
            (action, _) => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    match action {
                        "mute" => leg.muted = true,
                        "unmute" => leg.muted = false,
                        "earmuff" => leg.earmuffed = true,
                        _ => leg.earmuffed = false,
                    }
                }
                self.listen(&leg);
            }
        }
        Ok((204, Content::Nothing))
    }

    /// A leg that is not over.
    pub(super) fn live(&self, id: &str) -> Result<LegId, Refusal> {
        let leg = self.legs.get(id).filter(|leg| leg.ended.is_none());
        leg.map(|leg| leg.id.clone()).ok_or(Refusal::NotFound)
    }

    /// A leg that was just made takes nothing yet.
    pub(super) fn early(&self, id: &LegId) -> Result<(), Refusal> {
        let leg = &self.legs[id];
        if leg.origin == Origin::Rest && event::between(leg.made, self.now) < EARLY {
            return Err(Refusal::Early("the call is still being made"));
        }
        Ok(())
    }

    /// A leg that is not answered hears nothing and goes nowhere.
    pub(super) fn up(&self, id: &LegId) -> Result<(), Refusal> {
        if self.legs[id].is_up() {
            Ok(())
        } else {
            Err(Refusal::Early("the call is not answered"))
        }
    }
}

fn endpoint(body: &mut Body) -> Option<Endpoint> {
    let to = match body.get("to") {
        Some(Value::Array(to)) if to.len() == 1 => ncco::endpoint_of_rest(&to[0]),
        Some(_) => {
            body.fault("to", "must be an array of one endpoint");
            return None;
        }
        None => {
            body.fault("to", "is missing");
            return None;
        }
    };
    match to {
        Ok(to) => Some(to),
        Err(refused) => {
            body.fault(&format!("to{}", refused.pointer), refused.reason);
            None
        }
    }
}

/// The number shown to whoever is called: E.164, or a SIP address.
fn from(body: &mut Body) -> Option<String> {
    match ncco::caller_of_rest(body.get("from")?) {
        Ok(number) => Some(number),
        Err(refused) => {
            body.fault(&format!("from{}", refused.pointer), refused.reason);
            None
        }
    }
}

fn start(body: &mut Body) -> Option<Start> {
    let script = body.get("ncco").cloned();
    let method = method(body, "answer_method", URL_METHOD);
    match (script, body.get("answer_url").is_some()) {
        (Some(_), true) => {
            body.fault("ncco", "cannot be used together with answer_url");
            None
        }
        (None, false) => {
            body.fault("ncco", "or answer_url must be given");
            None
        }
        (Some(script), false) => read_script(body, "ncco", &script),
        (None, true) => {
            let url = body.url("answer_url")?;
            let hook = Webhook {
                method,
                ..Webhook::script(url)
            };
            Some(Start::Url(hook))
        }
    }
}

fn read_script(body: &mut Body, name: &str, script: &Value) -> Option<Start> {
    match ncco::read(script) {
        Ok(actions) => {
            let json = script.as_array().cloned().unwrap_or_default();
            Some(Start::Script(actions, json))
        }
        Err(refused) => {
            body.fault(&format!("{name}{}", refused.pointer), refused.reason);
            None
        }
    }
}

fn method(body: &mut Body, name: &str, default: Method) -> Method {
    match body.one_of(name, &["GET", "POST"]).as_deref() {
        Some("GET") => Method::Get,
        Some(_) => Method::Post,
        None => default,
    }
}

fn destination(body: &mut Body) -> Option<Start> {
    let destination = body.get("destination").cloned().unwrap_or_default();
    if destination["type"] != "ncco" {
        body.fault("destination.type", "must be ncco");
        return None;
    }
    match (destination.get("ncco"), destination.get("url")) {
        (Some(script), None) => read_script(body, "destination.ncco", script),
        (None, Some(url)) => {
            let url = url.as_array().filter(|urls| urls.len() == 1);
            let url = url
                .and_then(|urls| urls[0].as_str())
                .filter(|url| super::body::is_http(url));
            if url.is_none() {
                body.fault(
                    "destination.url",
                    "must be an array of one http or https URL",
                );
            }
            let hook = Webhook {
                method: URL_METHOD,
                ..Webhook::script(url?)
            };
            Some(Start::Url(hook))
        }
        _ => {
            body.fault("destination", "must hold either ncco or url");
            None
        }
    }
}

fn machine(body: &mut Body) -> Option<Machine> {
    match ncco::machine_of_rest(body.whole()) {
        Ok(machine) => machine,
        Err(refused) => {
            body.fault(refused.pointer.trim_start_matches('/'), refused.reason);
            None
        }
    }
}

/// How a call stands, or how it came out: of one that was never connected, why.
fn outcome(leg: &Leg) -> Status {
    match leg.ended {
        None => leg.status,
        Some((_, ending)) => ending.failure().unwrap_or(match leg.answered {
            Some(_) => Status::Completed,
            None => Status::Cancelled,
        }),
    }
}

/// A call, as it is shown.
fn shown(leg: &Leg) -> Value {
    let far = match leg.endpoint {
        "sip" | "websocket" => "uri",
        "app" => "user",
        "vbc" => "extension",
        _ => "number",
    };
    let mut to = Map::new();
    to.insert("type".to_owned(), leg.endpoint.into());
    to.insert(far.to_owned(), leg.to.clone().into());
    let mut call = event::object(json!({
        "_links": { "self": { "href": format!("/calls/{}", leg.id) } },
        "uuid": leg.id,
        "conversation_uuid": leg.conversation,
        "to": to,
        "from": { "type": "phone", "number": leg.from },
        "status": outcome(leg).word(),
        "direction": leg.direction.word(),
        "network": event::network(leg),
    }));
    if let (Some(answered), Some((ended, _))) = (leg.answered, leg.ended) {
        let (start, end, seconds) = billed(answered, ended);
        call.extend(event::object(json!({
            "rate": event::rate(leg),
            "price": event::price(leg, seconds),
            "duration": seconds.to_string(),
            "start_time": moment(start),
            "end_time": moment(end),
        })));
    }
    Value::Object(call)
}

/// Which calls are listed.
struct Filter {
    status: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    conversation: Option<String>,
    size: usize,
    index: usize,
    descending: bool,
}

impl Filter {
    fn read(query: &str) -> Result<Self, Refusal> {
        let mut filter = Self {
            status: None,
            from: None,
            until: None,
            conversation: None,
            size: 10,
            index: 0,
            descending: false,
        };
        let mut faults = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let reason = match name.as_ref() {
                "status" if LISTED.contains(&value.as_ref()) => {
                    filter.status = Some(value.into_owned());
                    continue;
                }
                "status" => "is not a status that calls are listed by",
                "date_start" | "date_end" => match value.parse() {
                    Ok(at) if name == "date_start" => {
                        filter.from = Some(at);
                        continue;
                    }
                    Ok(at) => {
                        filter.until = Some(at);
                        continue;
                    }
                    Err(_) => "must be a moment such as 2016-11-14T07:45:14Z",
                },
                "page_size" => match value.parse() {
                    Ok(size @ 1..=100) => {
                        filter.size = size;
                        continue;
                    }
                    _ => "must be from 1 to 100",
                },
                "record_index" => {
                    if let Ok(index) = value.parse() {
                        filter.index = index;
                        continue;
                    }
                    "must be 0 or more"
                }
                "order" if value == "asc" || value == "desc" => {
                    filter.descending = value == "desc";
                    continue;
                }
                "order" => "must be asc or desc",
                "conversation_uuid" => {
                    filter.conversation = Some(value.into_owned());
                    continue;
                }
                _ => continue,
            };
            faults.push((name.into_owned(), reason.to_owned()));
        }
        if faults.is_empty() {
            Ok(filter)
        } else {
            Err(Refusal::Invalid(faults))
        }
    }

    /// The same filter, from another index on.
    fn query(&self, index: usize) -> String {
        let order = if self.descending { "desc" } else { "asc" };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("page_size", &self.size.to_string())
            .append_pair("record_index", &index.to_string())
            .append_pair("order", order);
        let moments = [("date_start", self.from), ("date_end", self.until)];
        for (name, moment) in moments {
            if let Some(moment) = moment {
                query.append_pair(name, &moment.to_string());
            }
        }
        let words = [
            ("status", &self.status),
            ("conversation_uuid", &self.conversation),
        ];
        for (name, word) in words {
            if let Some(word) = word {
                query.append_pair(name, word);
            }
        }
        query.finish()
    }

    fn takes(&self, leg: &Leg) -> bool {
        self.status
            .as_ref()
            .is_none_or(|status| outcome(leg).word() == status)
            && self.from.is_none_or(|from| leg.made >= from)
            && self.until.is_none_or(|until| leg.made <= until)
            && self
                .conversation
                .as_ref()
                .is_none_or(|conversation| leg.conversation == *conversation)
    }
}
