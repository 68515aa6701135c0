//! A caller, and Vonage going through the script that it was given for them.

use crate::platform::Destination;
use crate::stage::{Stage, Wants, event_url, rung};
use crate::world::{incoming, now};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// Actions that one call may come to. The longest of the scenarios takes some dozens.
const ACTIONS_MAX: usize = 400;

/// Seconds a talk takes.
const TALK: i64 = 20;

/// Somebody who called, and what became of it.
pub(crate) struct Caller<'s> {
    stage: &'s Stage,
    leg: String,
    /// What is still to be played to them.
    script: VecDeque<Value>,
    /// Transfers of theirs that took place.
    moved: usize,
    actions: usize,
    /// Whose phones were rung for them.
    rung: usize,
    /// What they heard.
    pub(crate) said: Vec<String>,
    /// Whom they talked with.
    pub(crate) talked: Vec<&'static str>,
    /// They have hung up, or nothing was left to play.
    pub(crate) over: bool,
}

impl<'s> Caller<'s> {
    /// Calls a line, and listens until there is music, or nothing more. Those of `busy` do not
    /// answer their phones.
    pub(crate) async fn calls(stage: &'s Stage, line: &str, leg: String, busy: &[&str]) -> Self {
        let script = stage.answer(line, &leg).await;
        let mut caller = Self {
            stage,
            leg,
            script: actions(script),
            moved: 0,
            actions: 0,
            rung: 0,
            said: Vec::new(),
            talked: Vec::new(),
            over: false,
        };
        caller.listen(busy).await;
        caller
    }

    /// The leg by which the call is known.
    pub(crate) fn leg(&self) -> &str {
        &self.leg
    }

    /// Goes on with whatever is played: from the end of a tune to the next one, or to the end.
    pub(crate) async fn listen(&mut self, busy: &[&str]) {
        while !self.over {
            self.be_moved().await;
            self.actions += 1;
            if self.actions > ACTIONS_MAX {
                self.stage.wrong("a call goes round and round".to_owned());
                return self.hang_up().await;
            }
            let Some(action) = self.script.pop_front() else {
                return self.hang_up().await;
            };
            match action["action"].as_str().unwrap() {
                "talk" => self.said.push(action["text"].as_str().unwrap().to_owned()),
                "stream" => return,
                "notify" => self.notify(&action).await,
                "connect" => self.connect(&action, busy).await,
                "wait" => {}
                other => panic!("nobody plays {other}"),
            }
        }
    }

    /// A transfer takes them out of whatever they hear.
    async fn be_moved(&mut self) {
        let transfers = self.stage.world.platform.transfers();
        let own: Vec<_> = transfers
            .into_iter()
            .filter(|transfer| transfer.leg == self.leg)
            .collect();
        let count = own.len();
        // Of several at once the last one counts: it replaces what the others began.
        if let Some(last) = own.into_iter().nth(self.moved.max(count.saturating_sub(1))) {
            self.moved = count;
            match last.to {
                Destination::Ncco(ncco) => self.script = actions(ncco),
                Destination::Url(url) => {
                    let asked = incoming("447700900005", &self.leg);
                    let said = self
                        .stage
                        .tell(&self.leg, &url, &asked, Wants::Script)
                        .await;
                    self.script = said.map(actions).unwrap_or_default();
                }
            }
        }
    }

    async fn notify(&mut self, action: &Value) {
        let body = json!({
            "payload": action["payload"],
            "conversation_uuid": format!("CON-{}", self.leg),
            "timestamp": now(),
        });
        let said = self
            .stage
            .tell(&self.leg, event_url(action), &body, Wants::Reply)
            .await;
        if let Some(script) = said {
            self.script = actions(script);
        }
    }

    /// Rings an agent, and they talk, or not.
    async fn connect(&mut self, action: &Value, busy: &[&str]) {
        let agent = rung(action);
        self.rung += 1;
        // From here on nothing is played until the connect is over.
        let Self {
            stage, leg: call, ..
        } = &*self;
        let leg = format!("{call}-{agent}-{}", self.rung);
        let event = |status: &str| {
            json!({
                "uuid": leg,
                "conversation_uuid": format!("CON-{call}"),
                "from": action["from"],
                "to": action["endpoint"][0]["number"],
                "direction": "outbound",
                "status": status,
                "timestamp": now(),
            })
        };
        let url = event_url(action);
        let tell = async |event: Value, wants| stage.tell(call, url, &event, wants).await;
        tell(event("ringing"), Wants::Nothing).await;
        if busy.contains(&agent) {
            stage.world.platform.end(&leg);
            let said = tell(event("busy"), Wants::Reply).await;
            tell(event("completed"), Wants::Nothing).await;
            if let Some(script) = said {
                self.script = actions(script);
            }
            return;
        }
        tell(event("answered"), Wants::Nothing).await;
        stage.world.later(TALK);
        stage.world.platform.end(&leg);
        let mut completed = event("completed");
        completed["duration"] = json!(TALK.to_string());
        tell(completed, Wants::Nothing).await;
        self.talked.push(agent);
    }

    /// The caller's leg is over.
    pub(crate) async fn hang_up(&mut self) {
        self.over = true;
        self.stage.world.platform.end(&self.leg);
        let body = json!({
            "uuid": self.leg,
            "conversation_uuid": format!("CON-{}", self.leg),
            "direction": "inbound",
            "status": "completed",
            "duration": "7",
            "timestamp": now(),
        });
        self.stage
            .tell(&self.leg, "/webhooks/event", &body, Wants::Nothing)
            .await;
    }
}

fn actions(script: Value) -> VecDeque<Value> {
    match script {
        Value::Array(actions) => actions.into(),
        other => panic!("no script: {other}"),
    }
}
