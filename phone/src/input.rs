//! What a person presses and says.

use crate::audio;
use crate::event;
use crate::hook::Why;
use crate::leg::LegId;
use crate::ncco::{Action, Hook, Input, Keys, Method, Speech};
use crate::platform::Platform;
use crate::play::{Doing, Step};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a key sounds.
pub(crate) const KEY: Duration = Duration::from_millis(160);

/// How sure the platform is of what it heard: as text, as its events have it.
const CONFIDENCE: &str = "0.9405097";

/// An `input` at work.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Taking {
    pub(crate) keys: Option<Keys>,
    pub(crate) speech: Option<Speech>,
    digits: String,
    said: Vec<String>,
    /// Counts keys and sentences: timers of before are void.
    count: u64,
}

impl Platform {
    pub(crate) fn begin_input(&mut self, id: &LegId, input: &Input) -> bool {
        if input.asynchronous {
            let told = self.told_of_input(id, input.hook.as_ref());
            if let Some(leg) = self.legs.get_mut(id) {
                leg.keys_open = true;
                leg.keys = Some(told);
            }
            return true;
        }
        let taking = Taking {
            keys: input.keys.clone(),
            speech: input.speech.clone(),
            ..Taking::default()
        };
        self.does(id, Doing::Takes(taking));
        if let Some(keys) = &input.keys {
            self.step_after(id, keys.time_out, Step::KeysOver(0));
        }
        if let Some(speech) = &input.speech {
            let speaks = self.legs[id].speaking.is_some();
            if speaks {
                self.begins_to_speak(id);
            } else {
                self.step_after(id, speech.start_timeout, Step::SpeechOver(0));
            }
        }
        let early = self
            .legs
            .get_mut(id)
            .and_then(|leg| leg.run.as_mut())
            .map(|run| std::mem::take(&mut run.early))
            .unwrap_or_default();
        let turn = self.legs[id].turn;
        for key in early {
            // The first may have been enough.
            if self.legs[id].turn == turn && matches!(self.doing(id), Some(Doing::Takes(_))) {
                self.took_key(id, key);
            }
        }
        false
    }

    /// A key is pressed.
    pub(crate) fn pressed(&mut self, id: &LegId, key: char) {
        self.sound(id, Some(id), KEY, &audio::What::Key(key));
        let leg = &self.legs[id];
        if let Some((url, method)) = leg.keys.clone() {
            let dtmf = json!({ "digits": key.to_string(), "timed_out": false });
            let body = event::input(leg, Some(dtmf), None, self.now);
            self.tell(&url, method, body);
        }
        match self.doing(id) {
            Some(Doing::Takes(_)) => self.took_key(id, key),
            Some(Doing::Plays { barge_in: true, .. }) => self.barge_in(id, Some(key)),
            Some(Doing::Records { file, on_key, .. }) if *on_key == Some(key) => {
                let file = file.clone();
                self.finish_recording(&file);
                self.next(id);
            }
            _ => {}
        }
    }

    /// Whether a key would be taken for an answer.
    pub(crate) fn is_asked(&self, id: &str) -> bool {
        let run = self.legs.get(id).filter(|leg| leg.is_up());
        let doing = run.and_then(|leg| leg.run.as_ref()).map(|run| &run.doing);
        matches!(
            doing,
            Some(Doing::Takes(_) | Doing::Plays { barge_in: true, .. })
        )
    }

    /// What is played is interrupted: on to the `input` behind it.
    fn barge_in(&mut self, id: &LegId, key: Option<char>) {
        let Some(run) = self.legs.get(id).and_then(|leg| leg.run.as_ref()) else {
            return;
        };
        let behind = run.actions.iter().enumerate().skip(run.at + 1);
        let input = behind
            .take_while(|(_, action)| {
                matches!(
                    action,
                    Action::Talk(_) | Action::Stream(_) | Action::Input(_)
                )
            })
            .find_map(|(index, action)| match action {
                Action::Input(input) => Some((index, input.clone())),
                _ => None,
            });
        let Some((index, input)) = input else { return };
        let listens = if key.is_some() {
            input.keys.is_some() || input.asynchronous
        } else {
            input.speech.is_some()
        };
        if !listens {
            return;
        }
        self.hush(id);
        let run = self.legs.get_mut(id).and_then(|leg| leg.run.as_mut());
        if let Some(run) = run {
            run.early.extend(key);
            // One before, for the step that follows.
            run.at = index - 1;
        }
        self.next(id);
    }

    fn took_key(&mut self, id: &LegId, key: char) {
        let Some(Doing::Takes(taking)) = self.doing_mut(id) else {
            return;
        };
        let Some(keys) = taking.keys.clone() else {
            return;
        };
        if key == '#' && keys.submit_on_hash {
            self.took(id, false);
            return;
        }
        taking.digits.push(key);
        taking.count += 1;
        let count = taking.count;
        if taking.digits.len() >= keys.max {
            self.took(id, false);
        } else {
            self.step_after(id, keys.time_out, Step::KeysOver(count));
        }
    }

    pub(crate) fn keys_over(&mut self, id: &LegId, count: u64) {
        let Some(Doing::Takes(taking)) = self.doing(id) else {
            return;
        };
        // Who may speak as well is given the time for it.
        let speaks = taking.speech.is_some() && taking.digits.is_empty();
        if taking.count == count && !speaks {
            self.took(id, true);
        }
    }

    /// The keys are taken.
    fn took(&mut self, id: &LegId, timed_out: bool) {
        let Some(Doing::Takes(taking)) = self.doing(id) else {
            return;
        };
        let digits = (!taking.digits.is_empty()).then(|| taking.digits.clone());
        let dtmf = json!({ "digits": digits, "timed_out": timed_out });
        let speech = taking
            .speech
            .is_some()
            .then(|| json!({ "error": "Speech overridden by DTMF" }));
        self.taken(id, Some(dtmf), speech);
    }

    // Speech.

    /// A person begins to speak.
    pub(crate) fn begins_to_speak(&mut self, id: &LegId) {
        match self.doing_mut(id) {
            Some(Doing::Takes(taking)) if taking.speech.is_some() => {
                taking.count += 1;
                let longest = taking.speech.as_ref().map(|speech| speech.max_duration);
                if let (true, Some(longest)) = (taking.said.is_empty(), longest) {
                    self.step_after(id, longest, Step::LongEnough);
                }
            }
            Some(Doing::Plays { barge_in: true, .. }) => self.barge_in(id, None),
            _ => {}
        }
    }

    /// A person has finished a sentence.
    pub(crate) fn spoken(&mut self, id: &LegId, number: u64) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let Some(speaking) = leg.speaking.take_if(|speaking| speaking.id == number) else {
            return;
        };
        self.fell_silent(id);
        let Some(Doing::Takes(taking)) = self.doing_mut(id) else {
            return;
        };
        let Some(speech) = taking.speech.clone() else {
            return;
        };
        taking.said.push(speaking.text);
        taking.count += 1;
        let count = taking.count;
        self.step_after(id, speech.end_on_silence, Step::SpeechOver(count));
    }

    /// Nothing was said for a while: after a sentence, or at all.
    pub(crate) fn speech_over(&mut self, id: &LegId, count: u64) {
        let Some(Doing::Takes(taking)) = self.doing(id) else {
            return;
        };
        if taking.count == count {
            let reason = if taking.said.is_empty() {
                "start_timeout"
            } else {
                "end_on_silence_timeout"
            };
            self.took_speech(id, reason);
        }
    }

    pub(crate) fn speech_too_long(&mut self, id: &LegId) {
        let now = self.now;
        // What was being said counts as far as it came: here as a whole.
        let speaking = self
            .legs
            .get_mut(id)
            .and_then(|leg| leg.speaking.clone())
            .filter(|speaking| speaking.since < now);
        if let (Some(Doing::Takes(taking)), Some(speaking)) = (self.doing_mut(id), speaking) {
            taking.said.push(speaking.text);
        }
        self.took_speech(id, "max_duration");
    }

    fn took_speech(&mut self, id: &LegId, reason: &str) {
        let Some(Doing::Takes(taking)) = self.doing(id) else {
            return;
        };
        let said = taking.said.join(" ");
        let results: Vec<Value> = (!said.is_empty())
            .then(|| json!({ "text": said, "confidence": CONFIDENCE }))
            .into_iter()
            .collect();
        let speech = json!({ "timeout_reason": reason, "results": results });
        let dtmf = taking
            .keys
            .is_some()
            .then(|| json!({ "digits": null, "timed_out": true }));
        self.taken(id, dtmf, Some(speech));
    }

    /// The `input` is over: the server is told, and may say what comes next.
    fn taken(&mut self, id: &LegId, dtmf: Option<Value>, speech: Option<Value>) {
        let leg = &self.legs[id];
        let body = event::input(leg, dtmf, speech, self.now);
        let action = leg.run.as_ref().and_then(|run| run.actions.get(run.at));
        let named = match action {
            Some(Action::Input(input)) => input.hook.as_ref(),
            _ => None,
        };
        let (url, method) = self.told_of_input(id, named);
        if let Some(leg) = self.legs.get_mut(id) {
            leg.turn += 1;
        }
        self.does(id, Doing::Asks);
        self.ask_by_event(id, Why::Input, &url, method, body);
        self.listen(id);
    }

    /// Where it is told what a leg's `input` takes: to whom it names, else where the leg's events go.
    fn told_of_input(&self, id: &LegId, named: Option<&Hook>) -> (String, Method) {
        let own = &self.legs[id].hook;
        named.map_or_else(
            || (own.url.clone(), own.method),
            |hook| (hook.url.clone(), hook.method),
        )
    }
}
