//! Tells stories to a board, as Vonage would.

use crate::story::{Aside, End, RING_AGENTS, Story, Way, queue_agent, ring_agent};
use fastrand::Rng;
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use switchboard_tests::world::{World, action};

/// How the webhooks come.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Delivery {
    /// Each once, when it is due.
    Tidy,
    /// By this seed.
    Disorder(u64),
}

/// A webhook that nobody waits for the answer to.
#[derive(Debug, Clone)]
struct Mail {
    to: String,
    body: Value,
}

/// One telling.
pub(crate) struct Telling<'w> {
    world: &'w World,
    rng: Option<RefCell<Rng>>,
    /// Due, and not delivered.
    outbox: RefCell<Vec<Mail>>,
    /// Seconds into the story, by Vonage's clock.
    seconds: Cell<i64>,
    /// Every event told, by the leg of its call: what the ledger must hold.
    told: RefCell<BTreeMap<String, BTreeSet<String>>>,
    /// What each caller hears, script by script.
    heard: RefCell<BTreeMap<String, Vec<Value>>>,
}

/// Sets the board's clock aside: Vonage's own times are the same in every telling.
const BEGINNING: &str = "2026-03-02T10:00:00Z";

impl<'w> Telling<'w> {
    pub(crate) fn new(world: &'w World, delivery: Delivery) -> Self {
        Self {
            world,
            rng: match delivery {
                Delivery::Tidy => None,
                Delivery::Disorder(seed) => Some(RefCell::new(Rng::with_seed(seed))),
            },
            outbox: RefCell::default(),
            seconds: Cell::new(0),
            told: RefCell::default(),
            heard: RefCell::default(),
        }
    }

    /// Tells all of them, one after the other; what is late comes during those that follow.
    pub(crate) async fn tell(self, stories: &[Story]) -> Self {
        for (slot, story) in stories.iter().enumerate() {
            self.tell_one(slot, story).await;
        }
        self.deliver_all().await;
        self
    }

    pub(crate) fn heard(&self) -> BTreeMap<String, Vec<Value>> {
        self.heard.borrow().clone()
    }

    pub(crate) fn told(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.told.borrow().clone()
    }

    async fn tell_one(&self, slot: usize, story: &Story) {
        let leg = leg(slot);
        for index in 0..RING_AGENTS {
            self.free(&ring_agent(slot, index)).await;
        }
        if let Way::Queue { idle: true, .. } = story.way {
            self.free(&queue_agent(slot)).await;
        }
        // Vonage speaks of the caller's leg before it asks what to do with it.
        self.caller(slot, "started", Value::Null).await;
        self.caller(slot, "ringing", Value::Null).await;
        let ncco = self.ask_line(slot, story).await;
        self.caller(slot, "answered", Value::Null).await;
        for (index, aside) in story.asides.iter().enumerate() {
            self.aside(slot, index, *aside).await;
        }
        let rung = self.until_somebody_rings(slot, story, ncco).await;
        for index in 0..story.recordings {
            self.recording(slot, index).await;
        }
        if let Some(ncco) = rung {
            self.ring_out(slot, story, &ncco).await;
        }
        if story.is_over() {
            self.world.platform.end(&leg);
            let lasted = json!({ "duration": "30", "start_time": BEGINNING });
            self.caller(slot, "completed", lasted).await;
        }
    }

    /// Up to the script that rings the one who answers, or over whom the caller hangs up.
    async fn until_somebody_rings(&self, slot: usize, story: &Story, ncco: Value) -> Option<Value> {
        let mut ncco = ncco;
        match &story.way {
            Way::Message => None,
            Way::Ring(silences) => {
                for (attempt, silence) in silences.iter().enumerate() {
                    ncco = self.does_not_answer(slot, attempt, &ncco, silence.0).await;
                }
                (silences.len() < RING_AGENTS).then_some(ncco)
            }
            Way::Queue {
                idle,
                silences,
                rounds,
            } => {
                let mut rings = *idle;
                if !rings {
                    for _ in 0..*rounds {
                        ncco = self.come_back(slot, &ncco).await;
                    }
                }
                for (attempt, silence) in silences.iter().enumerate() {
                    if !rings {
                        ncco = self.next_agent(slot).await;
                    }
                    ncco = self.does_not_answer(slot, attempt, &ncco, silence.0).await;
                    rings = false;
                }
                if matches!(story.end, End::HangsUp | End::Stays) {
                    return None;
                }
                Some(if rings {
                    ncco
                } else {
                    self.next_agent(slot).await
                })
            }
        }
    }

    /// The phone rings; on to the end.
    async fn ring_out(&self, slot: usize, story: &Story, ncco: &Value) {
        let attempt = 9;
        let lasted = json!({ "duration": "20", "start_time": BEGINNING });
        self.agent(slot, attempt, ncco, "started", Value::Null)
            .await;
        self.agent(slot, attempt, ncco, "ringing", Value::Null)
            .await;
        match story.end {
            End::HangsUpRinging => {
                self.world.platform.end(&leg(slot));
                self.agent(slot, attempt, ncco, "cancelled", Value::Null)
                    .await;
                let nothing = json!({ "start_time": null });
                self.agent(slot, attempt, ncco, "completed", nothing).await;
            }
            End::Talks => {
                self.agent(slot, attempt, ncco, "answered", Value::Null)
                    .await;
            }
            End::TalkedCallerHangsUp => {
                self.agent(slot, attempt, ncco, "answered", Value::Null)
                    .await;
                self.agent(slot, attempt, ncco, "completed", lasted).await;
            }
            End::TalkedAgentHangsUp => {
                self.agent(slot, attempt, ncco, "answered", Value::Null)
                    .await;
                if let Way::Ring(_) = story.way {
                    // Where nothing of a talk is known by its end, the next one is rung.
                    self.deliver_all().await;
                }
                self.agent(slot, attempt, ncco, "completed", lasted).await;
                // "Goodbye", or music where nothing of the talk is known yet.
                self.come_back(slot, ncco).await;
                self.heard.borrow_mut().entry(leg(slot)).or_default().pop();
            }
            End::HangsUp | End::Rings | End::Stays => {}
        }
    }

    async fn ask_line(&self, slot: usize, story: &Story) -> Value {
        let body = switchboard_tests::world::incoming(&story.line(slot), &leg(slot));
        self.ask(slot, "/webhooks/answer", body).await
    }

    /// The connect fails, and Vonage asks what now.
    async fn does_not_answer(
        &self,
        slot: usize,
        attempt: usize,
        ncco: &Value,
        status: &str,
    ) -> Value {
        self.agent(slot, attempt, ncco, "started", Value::Null)
            .await;
        self.agent(slot, attempt, ncco, "ringing", Value::Null)
            .await;
        let (to, body) = self.agent_event(slot, attempt, ncco, status, Value::Null);
        let next = self.ask(slot, &to, body).await;
        let nothing = json!({ "start_time": null });
        self.agent(slot, attempt, ncco, "completed", nothing).await;
        next
    }

    /// The script reaches its first `notify`.
    async fn come_back(&self, slot: usize, ncco: &Value) -> Value {
        let notify = action(ncco, "notify");
        let body = json!({
            "payload": notify["payload"],
            "conversation_uuid": conversation(slot),
            "timestamp": self.moment(),
        });
        let to = notify["eventUrl"][0].as_str().unwrap().to_owned();
        self.ask(slot, &to, body).await
    }

    /// The agent says "free", and the caller is moved: the script they were moved to.
    async fn next_agent(&self, slot: usize) -> Value {
        let before = self.world.platform.transfers().len();
        self.free(&queue_agent(slot)).await;
        assert_eq!(
            self.world.platform.transfers().len(),
            before + 1,
            "the agent who says free gets the caller who waits"
        );
        let ncco = self.world.moved(&leg(slot)).await;
        let moved = json!({
            "uuid": leg(slot),
            "conversation_uuid_from": conversation(slot),
            "conversation_uuid_to": format!("{}-moved", conversation(slot)),
            "type": "transfer",
            "timestamp": self.moment(),
        });
        self.keep(slot, &moved);
        self.send("/webhooks/event", moved).await;
        ncco
    }

    async fn free(&self, agent: &str) {
        let said = self.world.says(agent, "free").await;
        assert_eq!(said.status, 200, "{}", said.body);
    }

    async fn caller(&self, slot: usize, status: &str, more: Value) {
        let mut body = json!({
            "uuid": leg(slot),
            "conversation_uuid": conversation(slot),
            "direction": "inbound",
            "status": status,
            "timestamp": self.moment(),
        });
        extend(&mut body, more);
        self.keep(slot, &body);
        self.send("/webhooks/event", body).await;
    }

    async fn agent(&self, slot: usize, attempt: usize, ncco: &Value, status: &str, more: Value) {
        let (to, body) = self.agent_event(slot, attempt, ncco, status, more);
        self.send(&to, body).await;
    }

    fn agent_event(
        &self,
        slot: usize,
        attempt: usize,
        ncco: &Value,
        status: &str,
        more: Value,
    ) -> (String, Value) {
        let connect = action(ncco, "connect");
        let mut body = json!({
            "uuid": format!("agent-leg-{slot}-{attempt}"),
            "conversation_uuid": format!("{}-{attempt}", conversation(slot)),
            "from": connect["from"],
            "to": connect["endpoint"][0]["number"],
            "direction": "outbound",
            "status": status,
            "timestamp": self.moment(),
        });
        extend(&mut body, more);
        self.keep(slot, &body);
        (connect["eventUrl"][0].as_str().unwrap().to_owned(), body)
    }

    async fn aside(&self, slot: usize, index: usize, aside: Aside) {
        let mut body = json!({
            "uuid": leg(slot),
            "conversation_uuid": conversation(slot),
            "timestamp": self.moment(),
            "index": index,
        });
        extend(
            &mut body,
            match aside {
                Aside::Input => json!({ "dtmf": { "digits": "12", "timed_out": false } }),
                Aside::Unheard => json!({ "speech": { "results": [] } }),
                Aside::Human => json!({ "status": "human" }),
                Aside::Error => json!({ "reason": "something did not work" }),
                Aside::Transfer => json!({ "conversation_uuid_from": "CON-x", "type": "transfer" }),
                Aside::Novelty => json!({ "novelty": true }),
            },
        );
        self.keep(slot, &body);
        self.send("/webhooks/event", body).await;
    }

    async fn recording(&self, slot: usize, index: usize) {
        let id = recording(slot, index);
        let audio = audio(slot, index);
        let size = audio.len();
        let url = self.world.platform.recording(&id, audio, "audio/mpeg");
        let body = json!({
            "recording_uuid": id,
            "recording_url": url,
            "size": size,
            "conversation_uuid": conversation(slot),
            "timestamp": self.moment(),
        });
        // Where an NCCO names no URL of its own for it, the notice comes with the events.
        let to = ["/webhooks/recording", "/webhooks/event"][index % 2];
        self.send(to, body).await;
    }

    /// What the ledger is to hold of this call.
    fn keep(&self, slot: usize, body: &Value) {
        let body = without_offers(body).to_string();
        self.told
            .borrow_mut()
            .entry(leg(slot))
            .or_default()
            .insert(body);
    }

    fn moment(&self) -> String {
        self.seconds.set(self.seconds.get() + 1);
        let beginning: jiff::Timestamp = BEGINNING.parse().unwrap();
        let now = beginning + jiff::SignedDuration::from_secs(self.seconds.get());
        now.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// Asks what now. In disorder Vonage may ask twice, and goes by the second answer; and the
    /// first may have been on its way for long.
    async fn ask(&self, slot: usize, to: &str, body: Value) -> Value {
        if to != "/webhooks/answer" {
            self.keep(slot, &body);
        }
        let mut reply = self.post(to, &body).await;
        if self.chance(2) {
            reply = self.post(to, &body).await;
        }
        if self.chance(3) {
            self.outbox.borrow_mut().push(Mail {
                to: to.to_owned(),
                body,
            });
        }
        self.heard
            .borrow_mut()
            .entry(leg(slot))
            .or_default()
            .push(without_offers(&reply));
        self.deliver_some().await;
        reply
    }

    /// Sends a webhook whose answer says nothing.
    async fn send(&self, to: &str, body: Value) {
        let copies = self
            .rng
            .as_ref()
            .map_or(1, |rng| rng.borrow_mut().usize(1..=3));
        let mail = Mail {
            to: to.to_owned(),
            body,
        };
        self.outbox
            .borrow_mut()
            .extend(std::iter::repeat_n(mail, copies));
        match self.rng {
            None => self.deliver_all().await,
            Some(_) => self.deliver_some().await,
        }
    }

    fn chance(&self, of: usize) -> bool {
        let rng = self.rng.as_ref();
        rng.is_some_and(|rng| rng.borrow_mut().usize(0..of) == 0)
    }

    async fn deliver_some(&self) {
        while self.chance(2) && self.deliver_one().await {}
    }

    async fn deliver_all(&self) {
        while self.deliver_one().await {}
    }

    async fn deliver_one(&self) -> bool {
        let mail = {
            let mut outbox = self.outbox.borrow_mut();
            if outbox.is_empty() {
                return false;
            }
            let index = self
                .rng
                .as_ref()
                .map_or(0, |rng| rng.borrow_mut().usize(0..outbox.len()));
            outbox.remove(index)
        };
        self.post(&mail.to, &mail.body).await;
        true
    }

    async fn post(&self, to: &str, body: &Value) -> Value {
        let answered = self.world.post(to, body).await;
        assert_eq!(answered.status, 200, "{to}: {body}: {}", answered.body);
        answered.body
    }
}

pub(crate) fn leg(slot: usize) -> String {
    format!("leg-{slot}")
}

pub(crate) fn conversation(slot: usize) -> String {
    format!("CON-leg-{slot}")
}

pub(crate) fn recording(slot: usize, index: usize) -> String {
    format!("recording-{slot}-{index}")
}

pub(crate) fn audio(slot: usize, index: usize) -> Vec<u8> {
    let mut audio = vec![0xff, 0xfb, 0x90, 0x00];
    audio.resize(2_000 + 700 * slot + 90 * index, index as u8);
    audio
}

fn extend(body: &mut Value, more: Value) {
    if let Value::Object(more) = more {
        body.as_object_mut().unwrap().extend(more);
    }
}

/// The same with stars for what differs from telling to telling by nature: random ids of promises,
/// and the board's port.
pub(crate) fn without_offers(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let mut text = text.clone();
            if let Some(start) = text.find("offer=") {
                let end = text[start..]
                    .find('&')
                    .map_or(text.len(), |end| start + end);
                text.replace_range(start..end, "offer=*");
            }
            if let Some(path) = text
                .strip_prefix("http://127.0.0.1:")
                .and_then(|rest| rest.split_once('/'))
            {
                text = format!("*/{}", path.1);
            }
            Value::String(text)
        }
        Value::Array(all) => all.iter().map(without_offers).collect(),
        Value::Object(fields) => {
            let star = |(name, value): (&String, &Value)| {
                let value = if name == "offer" {
                    json!("*")
                } else {
                    without_offers(value)
                };
                (name.clone(), value)
            };
            let mut fields: Vec<_> = fields.iter().map(star).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        other => other.clone(),
    }
}
