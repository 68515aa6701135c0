//! Webhooks: how the server is asked and told, again when it fails, and the fallback after that.
//!
//! See [Vonage/Webhooks](https://developer.vonage.com/en/getting-started/concepts/webhooks) and
//! [Vonage/How Vonage retries](https://api.support.vonage.com/hc/en-us/articles/115016024247).

use crate::event::object;
use crate::journal::What;
use crate::leg::{Ending, LegId};
use crate::ncco::{self, Action, Hook, Method};
use crate::platform::{Due, Platform};
use crate::settings::{CONNECT_TIMEOUT, EVENT_TIMEOUT, Webhook};
use crate::token::Signer;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};
use std::time::Duration;
use url::Url;

/// Attempts to deliver a webhook: the first, and one more.
pub const ATTEMPTS: u8 = 2;

/// What may not stand in a query as it is. As requests of the platform show, `:` and `,` may.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'[')
    .add(b']')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// An HTTP request to the server, to be sent by whoever drives the platform.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// To be given back with the outcome.
    pub webhook: u64,
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// JSON; empty with GET.
    pub body: Vec<u8>,
    /// For the connection.
    pub connect_timeout: Duration,
    /// For the reply.
    pub socket_timeout: Duration,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server replied.
    Reply {
        /// HTTP status.
        status: u16,
        /// The `Content-Type` header.
        content_type: Option<String>,
        /// The body.
        body: Vec<u8>,
    },
    /// No connection in time.
    ConnectTimeout,
    /// No reply in time.
    SocketTimeout,
    /// The connection was closed, or refused.
    Closed,
    /// The connection was reset.
    Reset,
    /// The URL is none, or the certificate is not to be trusted.
    Impossible,
}

/// A webhook on its way.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    hook: Webhook,
    body: Map<String, Value>,
    wants: Wants,
    attempt: u8,
    sent: Timestamp,
    /// The reply to the first attempt gets lost.
    loses_reply: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Wants {
    Nothing,
    Script {
        leg: LegId,
        turn: u64,
        why: Why,
        fallback: bool,
    },
}

/// What a script is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The leg is answered.
    Answer,
    /// The leg is answered, and hears something before it is connected.
    OnAnswer,
    /// The leg is moved by REST.
    Move,
    /// The script came to its `notify`.
    Notify,
    /// The script took keys or speech.
    Input,
    /// The script's `connect` failed.
    Connect,
    /// Who picked up is known; the script goes on meanwhile.
    Detection,
}

impl Why {
    /// Whether there is a script that goes on where none can be had.
    fn mid_call(self) -> bool {
        !matches!(self, Self::Answer | Self::OnAnswer)
    }

    fn must_have(self) -> bool {
        matches!(self, Self::Answer | Self::OnAnswer | Self::Move)
    }

    /// As the fallback is told.
    fn word(self) -> &'static str {
        match self {
            Self::Answer | Self::OnAnswer | Self::Move => "answer",
            Self::Notify | Self::Input | Self::Connect | Self::Detection => "event",
        }
    }
}

/// What a reply comes to.
enum Verdict {
    /// Once more.
    Again(&'static str),
    /// No script, for this reason.
    Failed(&'static str),
    /// A script that the platform does not take, and why.
    Refused(String),
    /// Taken in; with a script, or without.
    Taken(Option<(Vec<Action>, Vec<Value>)>),
}

impl Platform {
    /// Tells an event, to wherever it is to go.
    pub(crate) fn tell_hook(&mut self, hook: Option<&Hook>, body: Map<String, Value>) {
        let hook = self.hook_of(hook);
        self.tell(&hook.url, hook.method, body);
    }

    /// Tells an event about a leg, where its events go.
    pub(crate) fn tell_of(&mut self, leg: &LegId, body: Map<String, Value>) {
        let hook = self.legs[leg].hook.clone();
        self.tell(&hook.url, hook.method, body);
    }

    /// Tells an event.
    pub(crate) fn tell(&mut self, url: &str, method: Method, body: Map<String, Value>) {
        let hook = self.event_hook(url, method);
        let exchange = Exchange::new(hook, body, Wants::Nothing, self.now);
        let Some(disorder) = &mut self.settings.disorder else {
            self.dispatch(exchange, Duration::ZERO);
            return;
        };
        let mishap = disorder.of_event();
        if let Some(again) = mishap.again {
            self.dispatch(exchange.clone(), mishap.delay + again);
        }
        if mishap.lost {
            let overdue = mishap.delay + exchange.hook.socket_timeout;
            let second = Exchange {
                attempt: ATTEMPTS,
                ..exchange
            };
            self.dispatch(second, overdue);
        } else {
            self.dispatch(exchange, mishap.delay);
        }
    }

    /// Asks for a script by an event.
    pub(crate) fn ask_by_event(
        &mut self,
        leg: &LegId,
        why: Why,
        url: &str,
        method: Method,
        body: Map<String, Value>,
    ) -> u64 {
        let hook = self.event_hook(url, method);
        self.ask(leg, why, hook, body)
    }

    /// Asks for a script.
    pub(crate) fn ask(
        &mut self,
        leg: &LegId,
        why: Why,
        hook: Webhook,
        body: Map<String, Value>,
    ) -> u64 {
        let turn = self.legs.get(leg).map_or(0, |leg| leg.turn);
        let wants = Wants::Script {
            leg: leg.clone(),
            turn,
            why,
            fallback: false,
        };
        let disorder = self.settings.disorder.as_mut();
        let loses_reply = disorder.is_some_and(crate::disorder::Disorder::loses_reply);
        let exchange = Exchange {
            loses_reply,
            ..Exchange::new(hook, body, wants, self.now)
        };
        self.dispatch(exchange, Duration::ZERO)
    }

    /// An event goes by the application's timeouts, wherever it goes.
    fn event_hook(&self, url: &str, method: Method) -> Webhook {
        let event = &self.settings.event;
        Webhook {
            url: url.to_owned(),
            method,
            connect_timeout: event.connect_timeout.min(CONNECT_TIMEOUT),
            socket_timeout: event.socket_timeout.min(EVENT_TIMEOUT),
        }
    }

    fn dispatch(&mut self, exchange: Exchange, delay: Duration) -> u64 {
        let id = self.next_number();
        self.exchanges.insert(id, exchange);
        if delay.is_zero() {
            self.set_out(id);
        } else {
            self.after(delay, Due::Send(id));
        }
        id
    }

    /// A webhook sets out.
    pub(crate) fn set_out(&mut self, id: u64) {
        let Some(exchange) = self.exchanges.get_mut(&id) else {
            return;
        };
        exchange.sent = self.now;
        let what = What::Webhook {
            webhook: id,
            name: path(&exchange.hook.url),
            method: exchange.hook.method,
            attempt: exchange.attempt,
            body: Value::Object(exchange.body.clone()),
        };
        let leg = exchange.leg();
        self.outbox.push_back(id);
        self.journal.note(self.now, leg.as_ref(), what);
    }

    /// The webhooks that are to be sent now, signed at this moment of the wall clock, by which the
    /// server judges them. Each outcome comes back by [`Platform::replied`].
    pub fn outgoing(&mut self, wall: Timestamp) -> Vec<Outgoing> {
        self.outgoing_some(usize::MAX, wall)
    }

    /// The first of them.
    pub fn outgoing_some(&mut self, most: usize, wall: Timestamp) -> Vec<Outgoing> {
        let most = most.min(self.outbox.len());
        let ids: Vec<u64> = self.outbox.drain(..most).collect();
        ids.into_iter()
            .filter_map(|id| self.outgoing_one(id, wall))
            .collect()
    }

    fn outgoing_one(&mut self, id: u64, wall: Timestamp) -> Option<Outgoing> {
        let jti = self.token_id();
        let exchange = self.exchanges.get(&id)?;
        let hook = &exchange.hook;
        let json = Value::Object(exchange.body.clone()).to_string();
        let (url, hashed, body) = match hook.method {
            Method::Post => (hook.url.clone(), json.clone(), json.into_bytes()),
            Method::Get => {
                let (url, hashed) = in_query(&hook.url, &exchange.body);
                (url, hashed, Vec::new())
            }
        };
        let signer = Signer {
            secret: &self.settings.signature_secret,
            api_key: &self.settings.api_key,
            application: &self.settings.application_id,
        };
        Some(Outgoing {
            webhook: id,
            method: hook.method,
            url,
            authorization: signer.header(hashed.as_bytes(), &jti, wall),
            body,
            connect_timeout: hook.connect_timeout,
            socket_timeout: hook.socket_timeout,
        })
    }

    /// What became of a webhook. `took`: measured, for the journal.
    pub fn replied(&mut self, webhook: u64, outcome: Outcome, took: Duration) {
        let Some(exchange) = self.exchanges.get_mut(&webhook) else {
            return;
        };
        // On a clock that is stepped no time has passed, while for the platform it has.
        let lasted = match outcome {
            Outcome::ConnectTimeout => exchange.hook.connect_timeout,
            Outcome::SocketTimeout => exchange.hook.socket_timeout,
            _ => Duration::ZERO,
        };
        let over = exchange.sent.saturating_add(lasted).unwrap_or(self.now);
        if over > self.now {
            self.at(over, Due::Replied(webhook, outcome, took));
            return;
        }
        let outcome = if exchange.loses_reply && exchange.attempt == 1 {
            Outcome::Closed
        } else {
            outcome
        };
        self.note_reply(webhook, &outcome, took);
        let exchange = &self.exchanges[&webhook];
        match exchange.judge(&outcome) {
            Verdict::Again(_) if exchange.attempt < ATTEMPTS => {
                let exchange = self.exchanges.get_mut(&webhook).expect("it was just there");
                exchange.attempt += 1;
                self.set_out(webhook);
            }
            Verdict::Again(reason) | Verdict::Failed(reason) => self.failed(webhook, reason),
            Verdict::Refused(why) => {
                let leg = exchange.leg();
                let note = What::Note(format!("the platform refuses this script: {why}"));
                self.journal.note(self.now, leg.as_ref(), note);
                self.failed(webhook, "Invalid NCCO.");
            }
            Verdict::Taken(script) => {
                let exchange = self.exchanges.remove(&webhook);
                if let Some(Wants::Script { leg, turn, why, .. }) = exchange.map(|one| one.wants) {
                    self.scripted(webhook, &leg, turn, why, script);
                }
            }
        }
    }

    fn note_reply(&mut self, webhook: u64, outcome: &Outcome, took: Duration) {
        let exchange = &self.exchanges[&webhook];
        let (status, words, body) = match outcome {
            Outcome::Reply { status, body, .. } => {
                let json = serde_json::from_slice(body).ok();
                (Some(*status), status.to_string(), json)
            }
            Outcome::ConnectTimeout => (None, "no connection in time".to_owned(), None),
            Outcome::SocketTimeout => (None, "no reply in time".to_owned(), None),
            Outcome::Closed => (None, "the connection was closed".to_owned(), None),
            Outcome::Reset => (None, "the connection was reset".to_owned(), None),
            Outcome::Impossible => (None, "could not be sent".to_owned(), None),
        };
        let what = What::Reply {
            webhook,
            name: path(&exchange.hook.url),
            status,
            words,
            body,
            took,
        };
        let leg = exchange.leg();
        self.journal.note(self.now, leg.as_ref(), what);
    }

    /// Both attempts failed, or one that is not worth another.
    fn failed(&mut self, webhook: u64, reason: &'static str) {
        let Some(exchange) = self.exchanges.remove(&webhook) else {
            return;
        };
        let Wants::Script {
            leg,
            turn,
            why,
            fallback,
        } = exchange.wants.clone()
        else {
            let name = path(&exchange.hook.url);
            let leg = exchange.leg();
            self.journal
                .note(self.now, leg.as_ref(), What::Lost { webhook, name });
            return;
        };
        // Of detections nothing is said in the list of what the fallback stands in for.
        let stands_in = !fallback && why != Why::Detection;
        if let (true, Some(hook)) = (stands_in, self.settings.fallback.clone()) {
            let mut body = exchange.body;
            body.extend(object(json!({
                "reason": reason,
                "original_request": { "url": exchange.hook.url, "type": why.word() },
            })));
            let wants = Wants::Script {
                leg: leg.clone(),
                turn,
                why,
                fallback: true,
            };
            let exchange = Exchange::new(hook, body, wants, self.now);
            let id = self.dispatch(exchange, Duration::ZERO);
            if let Some(leg) = self.legs.get_mut(&leg)
                && leg.moving == Some(webhook)
            {
                leg.moving = Some(id);
            }
            return;
        }
        if !self.still_wants(webhook, &leg, turn, why) {
            return;
        }
        if fallback || !why.mid_call() {
            self.end(&leg, Ending::NoScript);
        } else if matches!(why, Why::Move | Why::Detection) {
            // What plays goes on.
            if let Some(leg) = self.legs.get_mut(&leg) {
                leg.moving = None;
            }
        } else {
            self.next(&leg);
        }
    }

    /// Whether nothing happened to the leg since the script was asked for.
    fn still_wants(&self, webhook: u64, leg: &LegId, turn: u64, why: Why) -> bool {
        self.legs.get(leg).is_some_and(|leg| {
            leg.is_up()
                && if why == Why::Move {
                    leg.moving == Some(webhook)
                } else {
                    leg.turn == turn
                }
        })
    }

    /// A script came, or the word that there is none.
    fn scripted(
        &mut self,
        webhook: u64,
        leg: &LegId,
        turn: u64,
        why: Why,
        script: Option<(Vec<Action>, Vec<Value>)>,
    ) {
        if !self.still_wants(webhook, leg, turn, why) {
            return;
        }
        match script {
            Some((actions, json)) => self.play(leg, actions, json, why == Why::Move),
            None if why == Why::Detection => {}
            None => self.next(leg),
        }
    }
}

impl Exchange {
    /// At its first attempt.
    fn new(hook: Webhook, body: Map<String, Value>, wants: Wants, now: Timestamp) -> Self {
        Self {
            hook,
            body,
            wants,
            attempt: 1,
            sent: now,
            loses_reply: false,
        }
    }

    /// The leg it is about.
    fn leg(&self) -> Option<LegId> {
        if let Wants::Script { leg, .. } = &self.wants {
            return Some(leg.clone());
        }
        let id = self.body.get("uuid").or_else(|| self.body.get("call_uuid"));
        id.and_then(Value::as_str).map(str::to_owned)
    }

    fn judge(&self, outcome: &Outcome) -> Verdict {
        let (status, content_type, body) = match outcome {
            Outcome::Reply {
                status,
                content_type,
                body,
            } => (*status, content_type.as_deref(), body.as_slice()),
            Outcome::ConnectTimeout | Outcome::SocketTimeout => {
                return Verdict::Again("Socket timeout.");
            }
            Outcome::Closed => return Verdict::Again("Connection closed."),
            Outcome::Reset => return Verdict::Again("Connection reset."),
            Outcome::Impossible => return Verdict::Failed("Connection closed."),
        };
        let must_have = match &self.wants {
            Wants::Nothing => false,
            // A fallback is asked for a script, whatever had been asked before.
            Wants::Script { why, fallback, .. } => *fallback || why.must_have(),
        };
        match status {
            429 | 503 | 504 => return Verdict::Again("Invalid response code."),
            200 => {}
            // For whatever is only told, and where a script need not be.
            201..=205 if !must_have => {}
            _ => return Verdict::Failed("Invalid response code."),
        }
        if self.wants == Wants::Nothing {
            return Verdict::Taken(None);
        }
        let json = serde_json::from_slice::<Value>(body).ok();
        let is_json = content_type.is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json")
        });
        match json {
            Some(Value::Array(actions)) if !actions.is_empty() || must_have => {
                if !is_json {
                    return Verdict::Failed("Invalid NCCO.");
                }
                let json = Value::Array(actions);
                match ncco::read(&json) {
                    Ok(read) => Verdict::Taken(Some((read, into_array(json)))),
                    Err(refused) => Verdict::Refused(refused.to_string()),
                }
            }
            _ if must_have => Verdict::Failed("Invalid NCCO."),
            // What the platform makes of anything else that is no script is not known: here it goes
            // on, as with an empty reply.
            _ => Verdict::Taken(None),
        }
    }
}

fn into_array(json: Value) -> Vec<Value> {
    match json {
        Value::Array(array) => array,
        _ => Vec::new(),
    }
}

/// A webhook's name: the path of its URL.
pub(crate) fn path(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned())
}

/// Everything in the query, as a GET has it, and what its signature is made over: the parameters as a
/// compact JSON object of texts. Nothing is said of what is null.
fn in_query(url: &str, body: &Map<String, Value>) -> (String, String) {
    let texts = body.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        Some((name, text))
    });
    let mut pairs = Vec::new();
    let mut hashed = Map::new();
    for (name, text) in texts {
        pairs.push(format!(
            "{}={}",
            utf8_percent_encode(name, QUERY),
            utf8_percent_encode(&text, QUERY)
        ));
        hashed.insert(name.clone(), Value::String(text));
    }
    let join = if url.contains('?') { '&' } else { '?' };
    (
        format!("{url}{join}{}", pairs.join("&")),
        Value::Object(hashed).to_string(),
    )
}
