//! Somebody who calls, and what Vonage does for them: it goes by the script it was given, tells what
//! becomes of the legs, and asks again where the script says so.

use crate::vonage::{Destination, Said, Vonage, incoming};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use switchboard_shared::script::SORRY;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Actions after which a call has gone round in a circle: ten minutes of the shortest tunes are less.
const STEPS_MAX: usize = 3_000;

/// Ways in which a phone is not answered.
const FAILURES: [&str; 5] = ["busy", "timeout", "rejected", "failed", "unanswered"];

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// After a talk.
    Served,
    /// Heard to the end what there was to be said.
    Told,
    /// Had enough.
    HungUp,
    /// Two attempts and two at the fallback brought nothing: Vonage ends the call.
    Dropped,
}

/// What goes on after an action.
enum Next {
    On,
    Script(Value),
    HangsUp,
    Dropped,
}

/// A caller on the phone.
struct Caller {
    vonage: Arc<Vonage>,
    leg: String,
    dice: fastrand::Rng,
    moves: mpsc::UnboundedReceiver<Destination>,
    /// Tunes after which they have had enough.
    patience: u32,
    heard: Vec<String>,
    served: bool,
    /// A webhook about them came to nothing.
    lost: bool,
    /// Webhooks whose answer nobody waits for.
    mail: Vec<JoinHandle<()>>,
}

/// What is drawn for a call.
pub(crate) struct Draw {
    pub(crate) leg: String,
    pub(crate) line: &'static str,
    /// Bytes of a recording of it.
    pub(crate) recording: Option<usize>,
    pub(crate) dice: fastrand::Rng,
}

/// Makes a call.
pub(crate) async fn call(vonage: Arc<Vonage>, mut draw: Draw) -> End {
    let moves = vonage.dial(&draw.leg);
    let mut caller = Caller {
        patience: match draw.dice.u8(..6) {
            0 => draw.dice.u32(1..4),
            _ => u32::MAX,
        },
        leg: draw.leg,
        dice: draw.dice,
        vonage,
        moves,
        heard: Vec::new(),
        served: false,
        lost: false,
        mail: Vec::new(),
    };
    if caller.dice.u8(..4) == 0 {
        let started = caller.of_leg("started");
        caller.post("/webhooks/event", started);
    }
    let end = caller.talk(draw.line).await;
    caller.vonage.hang_up(&caller.leg);
    let over = caller.of_leg("completed");
    if caller.dice.u8(..6) == 0 {
        // The same event twice, as after an answer that came too late.
        caller.post("/webhooks/event", over.clone());
    }
    caller.post("/webhooks/event", over);
    if let Some(length) = draw.recording {
        caller.announce(length);
    }
    for mail in std::mem::take(&mut caller.mail) {
        mail.await.unwrap();
    }
    caller.look_back(end);
    end
}

impl Caller {
    async fn talk(&mut self, line: &str) -> End {
        let body = incoming(line, &self.leg);
        let Next::Script(mut script) = self.ask("/webhooks/answer", body).await else {
            return End::Dropped;
        };
        let mut at = 0;
        for _ in 0..STEPS_MAX {
            let next = if let Ok(destination) = self.moves.try_recv() {
                self.arrive(destination).await
            } else {
                let Some(action) = script.get(at).cloned() else {
                    return if self.served { End::Served } else { End::Told };
                };
                at += 1;
                self.act(&action).await
            };
            match next {
                Next::On => {}
                Next::Script(new) => (script, at) = (new, 0),
                Next::HangsUp if self.served => return End::Served,
                Next::HangsUp => return End::HungUp,
                Next::Dropped => return End::Dropped,
            }
        }
        self.vonage
            .fault(format!("{} is on the phone for ever", self.leg));
        End::HungUp
    }

    async fn act(&mut self, action: &Value) -> Next {
        match action["action"].as_str().unwrap_or_default() {
            "talk" => {
                self.heard
                    .push(action["text"].as_str().unwrap_or_default().to_owned());
                Next::On
            }
            "stream" | "wait" => self.tune().await,
            "notify" => {
                let body = json!({
                    "payload": action["payload"],
                    "conversation_uuid": format!("CON-{}", self.leg),
                    "timestamp": self.vonage.stamp(),
                });
                let url = action["eventUrl"][0]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned();
                match self.ask(&url, body).await {
                    // With the fallback away, too, the old script goes on.
                    Next::Dropped => Next::On,
                    next => next,
                }
            }
            "connect" => self.connect(action).await,
            other => {
                self.vonage
                    .fault(format!("{} is given an unknown {other}", self.leg));
                Next::On
            }
        }
    }

    /// Music, until it ends or the leg is moved.
    async fn tune(&mut self) -> Next {
        if self.patience == 0 {
            return Next::HangsUp;
        }
        self.patience -= 1;
        let mut ticks = self.vonage.ticks.subscribe();
        self.vonage.holds(true);
        let moved = tokio::select! {
            _ = ticks.changed() => None,
            moved = self.moves.recv() => moved,
        };
        self.vonage.holds(false);
        match moved {
            Some(destination) => self.arrive(destination).await,
            None => Next::On,
        }
    }

    /// The leg was moved.
    async fn arrive(&mut self, destination: Destination) -> Next {
        match destination {
            Destination::Ncco(script) => Next::Script(script),
            Destination::Url(url) => {
                let body =
                    json!({ "uuid": self.leg, "conversation_uuid": format!("CON-{}", self.leg) });
                self.ask(&url, body).await
            }
        }
    }

    /// Rings a phone and joins them.
    async fn connect(&mut self, action: &Value) -> Next {
        let number = action["endpoint"][0]["number"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let url = action["eventUrl"][0]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let promised = url.contains("offer=");
        let Some(leg) = self.vonage.ring(&number, &self.leg, promised) else {
            let leg = format!("busy-{}", self.leg);
            return self.unanswered(&url, &leg, "busy").await;
        };
        if self.dice.u8(..4) == 0 {
            let ringing = self.of_agent(&leg, "ringing", false);
            self.post(&url, ringing);
        }
        self.passes(1..15).await;
        let how = self.dice.u8(..10);
        if how < 6 {
            return self.answered(&number, &url, &leg).await;
        }
        self.vonage.put_down(&number, &leg);
        self.not_moved();
        if how == 6 {
            let cancelled = self.of_agent(&leg, "cancelled", false);
            self.vonage.hang_up(&self.leg);
            self.post(&url, cancelled);
            return Next::HangsUp;
        }
        let status = FAILURES[self.dice.usize(..FAILURES.len())];
        self.unanswered(&url, &leg, status).await
    }

    async fn answered(&mut self, number: &str, url: &str, leg: &str) -> Next {
        self.served = true;
        let answered = self.of_agent(leg, "answered", false);
        // Events are made in order, and may come in any.
        let late = self.dice.u8(..6) == 0;
        if !late {
            self.post(url, answered.clone());
        }
        self.passes(5..40).await;
        self.not_moved();
        self.vonage.put_down(number, leg);
        let by_caller = self.dice.bool();
        if by_caller {
            self.vonage.hang_up(&self.leg);
        }
        let completed = self.of_agent(leg, "completed", true);
        self.post(url, completed);
        if late {
            self.post(url, answered);
        }
        if by_caller { Next::HangsUp } else { Next::On }
    }

    /// Vonage says why, and takes the next script in reply; `completed` comes before or after.
    async fn unanswered(&mut self, url: &str, leg: &str, status: &str) -> Next {
        let failed = self.of_agent(leg, status, false);
        let completed = self.of_agent(leg, "completed", false);
        let first = self.dice.bool();
        if first {
            self.post(url, completed.clone());
        }
        let next = match self.ask(url, failed).await {
            Next::Dropped => Next::On,
            next => next,
        };
        if !first {
            self.post(url, completed);
        }
        next
    }

    /// Nobody who rings or talks is ever taken away.
    fn not_moved(&mut self) {
        if self.moves.try_recv().is_ok() {
            self.vonage
                .fault(format!("{} is moved out of a talk", self.leg));
        }
    }

    /// A webhook that takes a script in reply; the fallback, where it comes to nothing.
    async fn ask(&mut self, to: &str, body: Value) -> Next {
        let patient = self.patient();
        let said = match self.vonage.tell(to, &body, patient).await {
            Said::Yes(reply, _) => reply,
            Said::Lost => {
                self.lost = true;
                let mut again = body;
                again["reason"] = json!("Connection reset.");
                again["original_request"] = json!({ "url": to, "type": "event" });
                match self
                    .vonage
                    .tell("/webhooks/fallback", &again, patient)
                    .await
                {
                    Said::Yes(reply, _) => reply,
                    Said::Lost => return Next::Dropped,
                }
            }
        };
        match said.as_array() {
            Some(script) if !script.is_empty() => Next::Script(said),
            _ => Next::On,
        }
    }

    /// A webhook whose reply says nothing.
    fn post(&mut self, to: &str, body: Value) {
        let (vonage, to, patient) = (Arc::clone(&self.vonage), to.to_owned(), self.patient());
        self.mail.push(tokio::spawn(async move {
            vonage.tell(&to, &body, patient).await;
        }));
    }

    /// A recording of the call is there.
    fn announce(&mut self, length: usize) {
        let id = format!("recording-{}", self.leg);
        let mut bytes = vec![0; length];
        self.dice.fill(&mut bytes);
        self.vonage.keep_file(&id, Bytes::from(bytes));
        let notice = json!({
            "conversation_uuid": format!("CON-{}", self.leg),
            "recording_uuid": id,
            "recording_url": format!("{}/v1/files/{id}", self.vonage.url()),
            "size": length.to_string(),
            "timestamp": self.vonage.stamp(),
        });
        let to = if self.dice.bool() {
            "/webhooks/recording"
        } else {
            "/webhooks/event"
        };
        self.post(to, notice);
    }

    /// Most second attempts find a board again.
    fn patient(&mut self) -> bool {
        self.dice.u8(..6) > 0
    }

    /// A moment of ringing or talk.
    async fn passes(&mut self, milliseconds: std::ops::Range<u64>) {
        let time = Duration::from_millis(self.dice.u64(milliseconds));
        tokio::time::sleep(time).await;
    }

    fn of_leg(&self, status: &str) -> Value {
        json!({
            "uuid": self.leg,
            "conversation_uuid": format!("CON-{}", self.leg),
            "direction": "inbound",
            "status": status,
            "timestamp": self.vonage.stamp(),
        })
    }

    fn of_agent(&self, leg: &str, status: &str, talked: bool) -> Value {
        let mut body = json!({
            "uuid": leg,
            "conversation_uuid": format!("CON-{}", self.leg),
            "direction": "outbound",
            "status": status,
            "timestamp": self.vonage.stamp(),
        });
        if talked {
            body["duration"] = json!("7");
            body["start_time"] = body["timestamp"].clone();
        }
        body
    }

    /// Whether it was right that the call ended so.
    fn look_back(&self, end: End) {
        let sorry = self.heard.iter().any(|text| text == SORRY);
        if sorry && !self.lost && self.heard.len() > 1 {
            let heard = self.heard.join(" / ");
            self.vonage.fault(format!(
                "{} hears an apology for nothing: {heard}",
                self.leg
            ));
        }
        match end {
            End::Told if self.heard.is_empty() => {
                self.vonage
                    .fault(format!("{} is left in silence", self.leg));
            }
            End::Dropped if !self.lost => {
                self.vonage
                    .fault(format!("{} is dropped for nothing", self.leg));
            }
            _ => {}
        }
    }
}
