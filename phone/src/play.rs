//! Scripts at work: one action after the other, until one takes time.

use crate::audio;
use crate::event;
use crate::hook::Why;
use crate::input::Taking;
use crate::leg::{Audio, Ending, Leg, LegId, Origin, Playing};
use crate::ncco::{Action, Record, Times};
use crate::platform::{Due, Platform};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::VecDeque;
use std::time::Duration;

/// Least time of one play. A script that plays nothing again and again must not stop the clock.
const PLAY_MIN: Duration = Duration::from_millis(500);

/// A script at work on a leg.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) actions: Vec<Action>,
    /// The same, as they were sent.
    pub(crate) json: Vec<Value>,
    /// Which one is at work.
    pub(crate) at: usize,
    pub(crate) doing: Doing,
    /// Keys pressed while something was played that keys may interrupt, for the `input` behind it.
    pub(crate) early: VecDeque<char>,
}

/// What a leg does at the action it is at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Doing {
    Nothing,
    Plays {
        playing: Playing,
        /// Time of one play.
        pass: Duration,
        /// Plays to come after this one; `None` is for ever.
        left: Option<u32>,
        barge_in: bool,
    },
    Waits,
    Takes(Taking),
    Records {
        file: String,
        on_key: Option<char>,
        silence: Option<Duration>,
        /// When somebody was last heard.
        voice: Timestamp,
    },
    Connects {
        callee: LegId,
        ringback: Playing,
        talking: bool,
    },
    Converses {
        music: Option<Playing>,
        ends_all: bool,
        can_speak: Option<Vec<String>>,
        can_hear: Option<Vec<String>>,
    },
    /// The server is asked what comes next.
    Asks,
}

/// What an action was waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// One play is over.
    Played,
    /// A pause is over.
    Waited,
    /// The pace of outbound legs lets the next one begin.
    Dials,
    /// Nobody pressed a key for long enough. Void if somebody has since.
    KeysOver(u64),
    /// Nobody said anything for long enough. Void if somebody has since.
    SpeechOver(u64),
    /// What is taken or recorded is as long as it may be.
    LongEnough,
    /// Nobody was heard on a recording for long enough, unless somebody was since.
    Silence,
}

impl Platform {
    /// A new script for a leg, whatever it does. `moved`: by REST, which takes it into a conversation
    /// of its own.
    pub(crate) fn play(&mut self, id: &LegId, actions: Vec<Action>, json: Vec<Value>, moved: bool) {
        self.hush(id);
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        leg.turn += 1;
        leg.moving = None;
        let old = leg.run.replace(Run {
            actions,
            json,
            at: 0,
            doing: Doing::Nothing,
            early: VecDeque::new(),
        });
        let was_callee = leg.joined.then(|| leg.origin.clone());
        leg.joined = false;
        match old.map(|run| run.doing) {
            Some(Doing::Connects { callee, .. }) => self.end(&callee, Ending::Left),
            Some(Doing::Records { file, .. }) => self.finish_recording(&file),
            // Moved out of it is left, too.
            Some(Doing::Converses { ends_all: true, .. }) => self.end_others(id),
            _ => {}
        }
        if moved {
            let room = self.converse();
            self.move_leg(id, &room);
        }
        if let Some(Origin::Connect(caller)) = was_callee {
            // Whoever it was connected to goes on without it.
            self.callee_over(&caller, id, false);
        }
        self.go_on(id);
    }

    /// The action at work is over.
    pub(crate) fn next(&mut self, id: &LegId) {
        if let Some(leg) = self.legs.get_mut(id) {
            leg.turn += 1;
            if let Some(run) = &mut leg.run {
                run.doing = Doing::Nothing;
                run.at += 1;
            }
        }
        self.go_on(id);
    }

    fn go_on(&mut self, id: &LegId) {
        loop {
            let Some(leg) = self.legs.get(id).filter(|leg| leg.is_up()) else {
                return;
            };
            let Some(run) = &leg.run else { return };
            let Some(action) = run.actions.get(run.at).cloned() else {
                self.script_over(id);
                return;
            };
            if !self.begin(id, &action) {
                self.listen(id);
                return;
            }
            // An action may have ended the call, or brought another script.
            if let Some(leg) = self.legs.get_mut(id)
                && let Some(run) = &mut leg.run
            {
                run.at += 1;
            }
        }
    }

    fn script_over(&mut self, id: &LegId) {
        match self.legs[id].origin.clone() {
            Origin::Connect(caller) => self.connect_now(&caller, id),
            Origin::Caller | Origin::Rest => self.end(id, Ending::ScriptOver),
        }
    }

    /// Begins an action; true when the next one follows at once.
    fn begin(&mut self, id: &LegId, action: &Action) -> bool {
        match action {
            Action::Talk(talk) => {
                let what = Audio::Talk {
                    text: talk.text.clone(),
                    language: talk.language.clone(),
                };
                let pass = audio::speaking_time(&talk.text);
                self.begin_playing(id, what, pass, talk.times, talk.barge_in);
            }
            Action::Stream(stream) => {
                let what = Audio::Stream {
                    url: stream.url.clone(),
                };
                let pass = audio::tune_time(&stream.url);
                self.begin_playing(id, what, pass, stream.times, stream.barge_in);
            }
            Action::Wait(wait) => {
                self.does(id, Doing::Waits);
                self.step_after(id, wait.time, Step::Waited);
            }
            Action::Notify(notify) => {
                self.does(id, Doing::Asks);
                let body = event::notify(&self.legs[id], &notify.payload, self.now);
                self.ask_by_event(id, Why::Notify, &notify.hook.url, notify.hook.method, body);
            }
            Action::Input(input) => return self.begin_input(id, input),
            Action::Record(record) => return self.begin_record(id, record),
            Action::Connect(connect) => self.begin_connect(id, connect),
            Action::Conversation(conversation) => {
                let music = conversation.music.clone().map(|url| Playing {
                    id: self.next_number(),
                    what: Audio::Stream { url },
                    since: self.now,
                    until: None,
                    repeats: true,
                });
                let doing = Doing::Converses {
                    music,
                    ends_all: conversation.end_on_exit,
                    can_speak: conversation.can_speak.clone(),
                    can_hear: conversation.can_hear.clone(),
                };
                self.does(id, doing);
                self.join(id, conversation);
            }
            Action::Transfer(transfer) => self.transfer_all(id, transfer),
        }
        false
    }

    pub(crate) fn does(&mut self, id: &LegId, doing: Doing) {
        if let Some(leg) = self.legs.get_mut(id)
            && let Some(run) = &mut leg.run
        {
            run.doing = doing;
        }
    }

    pub(crate) fn doing(&self, id: &str) -> Option<&Doing> {
        Some(&self.legs.get(id)?.run.as_ref()?.doing)
    }

    pub(crate) fn doing_mut(&mut self, id: &str) -> Option<&mut Doing> {
        Some(&mut self.legs.get_mut(id)?.run.as_mut()?.doing)
    }

    pub(crate) fn step_after(&mut self, id: &LegId, delay: Duration, step: Step) {
        let turn = self.legs[id].turn;
        self.after(delay, Due::Step(id.clone(), turn, step));
    }

    /// What an action was waiting for has come.
    pub(crate) fn step(&mut self, id: &LegId, step: Step) {
        match step {
            Step::Played => self.played(id),
            Step::Waited => self.next(id),
            Step::Dials => self.go_on(id),
            Step::KeysOver(count) => self.keys_over(id, count),
            Step::SpeechOver(count) => self.speech_over(id, count),
            Step::LongEnough => self.long_enough(id),
            Step::Silence => self.silence(id),
        }
    }

    // Playing.

    fn begin_playing(
        &mut self,
        id: &LegId,
        what: Audio,
        pass: Duration,
        times: Times,
        barge_in: bool,
    ) {
        let pass = pass.max(PLAY_MIN);
        let left = match times {
            Times::Count(times) => Some(times.saturating_sub(1)),
            Times::Forever => None,
        };
        let whole = left.and_then(|left| pass.checked_mul(left.saturating_add(1)));
        let playing = Playing {
            id: self.next_number(),
            what,
            since: self.now,
            until: whole.and_then(|whole| self.now.saturating_add(whole).ok()),
            repeats: left != Some(0),
        };
        self.pass(id, &playing.what.clone(), pass);
        self.does(
            id,
            Doing::Plays {
                playing,
                pass,
                left,
                barge_in,
            },
        );
    }

    /// One play begins.
    fn pass(&mut self, id: &LegId, what: &Audio, pass: Duration) {
        self.sound(id, None, pass, &sounding(what));
        self.step_after(id, pass, Step::Played);
    }

    fn played(&mut self, id: &LegId) {
        let Some(Doing::Plays {
            playing,
            pass,
            left,
            ..
        }) = self.doing_mut(id)
        else {
            return;
        };
        match left {
            Some(0) => {
                self.next(id);
                return;
            }
            Some(left) => *left -= 1,
            None => {}
        }
        let (what, pass) = (playing.what.clone(), *pass);
        self.pass(id, &what, pass);
    }

    /// What the platform plays to a leg right now.
    pub(crate) fn playing(&self, leg: &Leg) -> Vec<Playing> {
        if leg.earmuffed {
            return Vec::new();
        }
        let script = match leg.run.as_ref().map(|run| &run.doing) {
            Some(Doing::Plays { playing, .. }) => Some(playing),
            Some(Doing::Connects {
                ringback,
                talking: false,
                ..
            }) => Some(ringback),
            Some(Doing::Converses {
                music: Some(music), ..
            }) if !self.is_started(&leg.conversation) => Some(music),
            _ => None,
        };
        leg.overlay.iter().chain(script).cloned().collect()
    }

    fn is_started(&self, conversation: &str) -> bool {
        self.conversations
            .get(conversation)
            .is_some_and(|room| room.started)
    }

    // Recording.

    fn begin_record(&mut self, id: &LegId, record: &Record) -> bool {
        let file = self.begin_recording(id, record);
        let ends = record.end_on_key.is_some()
            || record.end_on_silence.is_some()
            || record.time_out.is_some();
        if !ends {
            return true;
        }
        self.does(
            id,
            Doing::Records {
                file,
                on_key: record.end_on_key,
                silence: record.end_on_silence,
                voice: self.now,
            },
        );
        if let Some(time) = record.time_out {
            self.step_after(id, time, Step::LongEnough);
        }
        if let Some(silence) = record.end_on_silence {
            self.step_after(id, silence, Step::Silence);
        }
        false
    }

    /// Nobody was heard for a while: if so, the recording is over.
    fn silence(&mut self, id: &LegId) {
        if self.legs[id].speaking.is_some() {
            return;
        }
        let now = self.now;
        let Some(Doing::Records {
            file,
            silence: Some(silence),
            voice,
            ..
        }) = self.doing(id)
        else {
            return;
        };
        if event::between(*voice, now) >= *silence {
            let file = file.clone();
            self.finish_recording(&file);
            self.next(id);
        }
    }

    fn long_enough(&mut self, id: &LegId) {
        match self.doing(id) {
            Some(Doing::Records { file, .. }) => {
                let file = file.clone();
                self.finish_recording(&file);
                self.next(id);
            }
            Some(Doing::Takes(_)) => self.speech_too_long(id),
            _ => {}
        }
    }

    /// A person at a recording has fallen silent.
    pub(crate) fn fell_silent(&mut self, id: &LegId) {
        let now = self.now;
        let Some(Doing::Records { silence, voice, .. }) = self.doing_mut(id) else {
            return;
        };
        *voice = now;
        if let Some(silence) = *silence {
            self.step_after(id, silence, Step::Silence);
        }
    }

    // By REST.

    /// Plays over whatever the script does.
    pub(crate) fn lay_over(&mut self, id: &LegId, what: Audio, times: Times) {
        let pass = match &what {
            Audio::Talk { text, .. } => audio::speaking_time(text),
            Audio::Stream { url } => audio::tune_time(url),
            Audio::Ringback => PLAY_MIN,
        }
        .max(PLAY_MIN);
        let whole = match times {
            Times::Count(times) => pass.checked_mul(times.max(1)),
            Times::Forever => None,
        };
        let number = self.next_number();
        let until = whole.and_then(|whole| self.now.saturating_add(whole).ok());
        self.sound(id, None, whole.unwrap_or(pass), &sounding(&what));
        if let Some(leg) = self.legs.get_mut(id) {
            leg.overlay = Some(Playing {
                id: number,
                what,
                since: self.now,
                until,
                repeats: times != Times::Count(1),
            });
        }
        if let Some(until) = until {
            self.at(until, Due::OverlayOver(id.clone(), number));
        }
        self.listen(id);
    }

    pub(crate) fn overlay_over(&mut self, id: &LegId, number: u64) {
        if let Some(leg) = self.legs.get_mut(id)
            && leg.overlay.as_ref().is_some_and(|one| one.id == number)
        {
            leg.overlay = None;
            self.listen(id);
        }
    }
}

/// What something sounds like on a recording.
fn sounding(what: &Audio) -> audio::What {
    match what {
        Audio::Talk { text, language } => audio::What::Speech {
            text: text.clone(),
            voice: 0,
            language: language.clone(),
        },
        Audio::Stream { url } => audio::What::Tune { url: url.clone() },
        Audio::Ringback => audio::What::Ringback,
    }
}
