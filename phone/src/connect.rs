//! A script's `connect`: another phone is rung, and joined to the caller.

use crate::event;
use crate::hook::Why;
use crate::journal::What;
use crate::leg::{Audio, Direction, Ending, EventHook, Leg, LegId, Origin, Playing, Status};
use crate::ncco::{self, Action, Behavior, Endpoint, Mode};
use crate::platform::{Due, Platform, URL_METHOD};
use crate::play::{Doing, Step};
use crate::settings::Webhook;
use std::time::Duration;

/// Time until it is found out whether a person or a machine picked up. The documents say up to four
/// or five seconds; most take two.
const DETECTED_AFTER: Duration = Duration::from_secs(2);

/// Time until a machine's beep.
const BEEP_AFTER: Duration = Duration::from_secs(6);

/// Shown where a call names no number of its own.
const UNKNOWN: &str = "unknown";

impl Platform {
    pub(crate) fn begin_connect(&mut self, caller: &LegId, connect: &ncco::Connect) {
        // The account begins so many legs a second and no more. What the platform does with a
        // `connect` beyond is not documented: here it waits its turn.
        if let Some(wait) = self
            .pace
            .wait_for_leg(self.now, self.settings.legs_per_second)
        {
            self.step_after(caller, wait, Step::Dials);
            return;
        }
        let numbers = self.settings.numbers.clone();
        let from = match &connect.from {
            Some(from) => from.clone(),
            None if connect.random_from => self.choose(&numbers).cloned().unwrap_or_default(),
            None => UNKNOWN.to_owned(),
        };
        let hook = EventHook {
            synchronous: connect.synchronous,
            ..self.hook_of(connect.hook.as_ref())
        };
        let callee = self.uuid();
        let to = connect.endpoint.address();
        let mut leg = Leg::new(
            callee.clone(),
            Direction::Outbound,
            Origin::Connect(caller.clone()),
            (&from, &to, connect.endpoint.kind()),
            self.legs[caller].conversation.clone(),
            hook,
            self.now,
        );
        leg.limit = connect.limit;
        leg.machine.clone_from(&connect.machine);
        let ringback = Playing {
            id: self.next_number(),
            what: match &connect.ringback {
                Some(url) => Audio::Stream { url: url.clone() },
                None => Audio::Ringback,
            },
            since: self.now,
            until: None,
            repeats: true,
        };
        self.make(leg);
        self.does(
            caller,
            Doing::Connects {
                callee: callee.clone(),
                ringback,
                talking: false,
            },
        );
        // Real phones are rung from a number of the account, or not at all.
        let real = matches!(connect.endpoint, Endpoint::Phone { .. });
        if real && !numbers.contains(&from) {
            self.tell_status(&callee, Status::Started);
            self.end(&callee, Ending::Unconnected(Status::Rejected));
            return;
        }
        self.ring(&callee, connect.timeout);
    }

    /// A phone that was rung is picked up.
    pub(crate) fn callee_answered(&mut self, caller: &LegId, callee: &LegId) {
        if self.blocks(callee) {
            return;
        }
        let on_answer = match self.connect_of(caller).map(|connect| &connect.endpoint) {
            Some(Endpoint::Phone {
                on_answer: Some(on_answer),
                ..
            }) => on_answer.url.clone(),
            _ => {
                self.connect_now(caller, callee);
                return;
            }
        };
        let body = event::answer(&self.legs[callee], &self.region_url());
        let hook = Webhook {
            method: URL_METHOD,
            ..Webhook::script(on_answer)
        };
        self.ask(callee, Why::OnAnswer, hook, body);
    }

    /// A leg that was made by REST is picked up.
    pub(crate) fn begin_answered(&mut self, id: &LegId) {
        if self.blocks(id) {
            return;
        }
        let Some(script) = self.rest_scripts.remove(id) else {
            return;
        };
        match script {
            crate::rest::Start::Script(actions, json) => self.play(id, actions, json, false),
            crate::rest::Start::Url(hook) => {
                let body = event::answer(&self.legs[id], &self.region_url());
                self.ask(id, Why::Answer, hook, body);
            }
        }
    }

    /// Whether it is first to be found out who picked up.
    fn blocks(&self, id: &LegId) -> bool {
        let leg = &self.legs[id];
        !leg.detected && leg.machine.as_ref().is_some_and(waits_to_know)
    }

    /// Finds out who picked up.
    pub(crate) fn detect(&mut self, id: &LegId) {
        let leg = &self.legs[id];
        let mode = leg.machine.as_ref().and_then(|machine| machine.mode);
        let beeps = leg.is_machine && matches!(mode, Some(Mode::Default | Mode::DetectBeep));
        if !(beeps && mode == Some(Mode::DetectBeep)) {
            self.after(DETECTED_AFTER, Due::Detected(id.clone(), false));
        }
        if beeps {
            self.after(BEEP_AFTER, Due::Detected(id.clone(), true));
        }
    }

    /// It is known who picked up.
    pub(crate) fn detected(&mut self, id: &LegId, beep: bool) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(id).filter(|leg| leg.is_up()) else {
            return;
        };
        let Some(machine) = leg.machine.clone() else {
            return;
        };
        let known = std::mem::replace(&mut leg.detected, true);
        let blocked = !known && waits_to_know(&machine);
        let leg = &self.legs[id];
        let body = event::detection(leg, beep.then_some("beep_start"), now);
        let hook = leg.hook.clone();
        let is_machine = leg.is_machine;
        let origin = leg.origin.clone();
        if machine.mode == Some(Mode::Default) {
            let whose = match &origin {
                Origin::Connect(caller) => caller.clone(),
                _ => id.clone(),
            };
            self.ask_by_event(&whose, Why::Detection, &hook.url, hook.method, body);
        } else {
            self.tell(&hook.url, hook.method, body);
        }
        if is_machine && machine.behavior == Behavior::Hangup {
            self.end(id, Ending::Machine);
        } else if blocked {
            match origin {
                Origin::Connect(caller) => self.callee_answered(&caller, id),
                _ => self.begin_answered(id),
            }
        }
    }

    /// Joins caller and callee.
    pub(crate) fn connect_now(&mut self, caller: &LegId, callee: &LegId) {
        if !self.waits_for(caller, callee) {
            self.end(callee, Ending::Left);
            return;
        }
        if let Some(Doing::Connects { talking, .. }) = self.doing_mut(caller) {
            *talking = true;
        }
        if let Some(leg) = self.legs.get_mut(callee) {
            leg.run = None;
            leg.turn += 1;
            leg.joined = true;
        }
        for (one, other) in [(caller, callee), (callee, caller)] {
            let what = What::Joined {
                with: other.clone(),
            };
            self.journal.note(self.now, Some(one), what);
            self.listen(one);
        }
    }

    /// A phone was not connected. Whether its caller still waits for it; then the caller waits for
    /// what the server says.
    pub(crate) fn callee_failed(&mut self, caller: &LegId, callee: &LegId) -> bool {
        let waits = self.waits_for(caller, callee);
        if waits {
            if let Some(leg) = self.legs.get_mut(caller) {
                leg.turn += 1;
            }
            self.does(caller, Doing::Asks);
            self.listen(caller);
        }
        waits
    }

    /// A phone that was rung, or talked, is gone. `asked`: the server says what comes next.
    pub(crate) fn callee_over(&mut self, caller: &LegId, callee: &LegId, asked: bool) {
        if !asked && self.waits_for(caller, callee) {
            self.next(caller);
        }
    }

    /// Whether a caller's script is at the `connect` that rang this phone.
    fn waits_for(&self, caller: &LegId, callee: &LegId) -> bool {
        matches!(
            self.doing(caller),
            Some(Doing::Connects { callee: rung, .. }) if rung == callee
        )
    }

    fn connect_of(&self, caller: &LegId) -> Option<&ncco::Connect> {
        let run = self.legs.get(caller)?.run.as_ref()?;
        match run.actions.get(run.at)? {
            Action::Connect(connect) => Some(connect),
            _ => None,
        }
    }
}

/// Whether nobody is joined before it is known who picked up.
fn waits_to_know(machine: &ncco::Machine) -> bool {
    matches!(machine.mode, Some(Mode::Detect | Mode::DetectBeep))
}
