//! The platform: every leg, conversation and webhook, on a clock that is moved from outside.
//!
//! It does no input or output of its own. Whoever drives it moves the clock, sends the webhooks it
//! gives out, brings back what became of them, and hands in REST requests and what people do. The same
//! seed and the same order of these give the same calls.

use crate::account::Account;
use crate::audio;
use crate::conversation::Conversation;
use crate::event::{self, between};
use crate::hook::{Exchange, Outcome, Why};
use crate::journal::{Entry, Heard, Journal, What};
use crate::leg::{Audio, Direction, Ending, EventHook, Leg, LegId, Origin, Speaking, Status};
use crate::manner::{Manner, RINGS_BEFORE};
use crate::ncco::{Hook, Method};
use crate::play::{Doing, Step};
use crate::recording::Recording;
use crate::rest::{Pace, Start};
use crate::settings::{Settings, Webhook};
use crate::token::PublicKey;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Time from a call's beginning until the platform picks it up, as seen in captured events.
const PICKED_UP_AFTER: Duration = Duration::from_millis(288);

/// Longest life of a leg, unless it is told otherwise.
///
/// See [Vonage/Voice API/Create call](https://developer.vonage.com/en/api/voice#createCall).
pub(crate) const LENGTH_MAX: Duration = Duration::from_secs(7200);

/// How long legs are known after their end, as `leg_persistence_time` has it by default.
///
/// See [Vonage/Application API](https://developer.vonage.com/en/api/application.v2).
const LEG_KEPT: SignedDuration = SignedDuration::from_hours(48);

/// Legs that are over are looked through for old ones whenever so many more were made.
const TIDY_EVERY: usize = 256;

/// The platform.
#[derive(Debug)]
pub struct Platform {
    pub(crate) settings: Settings,
    pub(crate) account: Account,
    /// Where its REST API is reached: `http://127.0.0.1:4000`, no slash at the end.
    pub(crate) base: String,
    pub(crate) now: Timestamp,
    agenda: BTreeMap<(Timestamp, u64), Due>,
    number: u64,
    random: Rng,
    /// Apart from the ids of legs: how often webhooks are sent must not change those.
    tokens: Rng,
    pub(crate) legs: BTreeMap<LegId, Leg>,
    /// All legs, in the order they were made.
    pub(crate) order: Vec<LegId>,
    pub(crate) conversations: BTreeMap<String, Conversation>,
    /// Conversations by name.
    pub(crate) names: BTreeMap<String, String>,
    pub(crate) recordings: BTreeMap<String, Recording>,
    pub(crate) exchanges: BTreeMap<u64, Exchange>,
    pub(crate) outbox: VecDeque<u64>,
    pub(crate) journal: Journal,
    pub(crate) pace: Pace,
    /// What legs that were made by REST play once they are answered.
    pub(crate) rest_scripts: BTreeMap<LegId, Start>,
    manners: BTreeMap<String, VecDeque<Manner>>,
}

/// Something that is due at some moment.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// The platform picks up a call that came in.
    PickUp(LegId),
    /// A phone does something by itself.
    Person(LegId, Act),
    /// It has rung for long enough.
    RingOver(LegId),
    /// It has lasted for long enough.
    LengthOver(LegId),
    /// What a script does goes on. Void for another turn.
    Step(LegId, u64, Step),
    /// A person has finished saying something.
    Spoken(LegId, u64),
    /// What REST plays is over.
    OverlayOver(LegId, u64),
    /// A webhook sets out.
    Send(u64),
    /// The platform has waited long enough for a reply.
    Replied(u64, Outcome, Duration),
    /// A recording can be fetched.
    Recorded(String),
    /// A recording was written down.
    Transcribed(String),
    /// Person or machine has been found out; with `true`, its beep too.
    Detected(LegId, bool),
}

/// What a person, or their phone, does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    PickUp {
        machine: bool,
    },
    Decline,
    IsBusy,
    IsUnreachable,
    IsNoNumber,
    HangUp,
    Say(String),
    Press(String),
    /// Presses 1, if asked for a key.
    Take,
}

/// What a person did cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    /// There is no such leg.
    #[error("there is no such call")]
    NoLeg,
    /// The phone does not ring.
    #[error("this phone is not ringing")]
    NotRinging,
    /// Nobody is on the line.
    #[error("this phone is not in a call")]
    NotUp,
    /// The call is over.
    #[error("this call is over")]
    Over,
    /// A key that no phone has.
    #[error("a phone has the keys 0 to 9, * and #")]
    NoKey,
    /// A number that is none.
    #[error("a phone number has 7 to 15 digits, and no +")]
    NoNumber,
}

impl Platform {
    /// A platform at this moment.
    #[must_use]
    pub fn new(settings: Settings, base: impl Into<String>, now: Timestamp) -> Self {
        Self {
            random: Rng::with_seed(settings.seed),
            tokens: Rng::with_seed(!settings.seed),
            journal: Journal::keeping(settings.journal),
            account: Account::default(),
            settings,
            base: base.into(),
            now,
            agenda: BTreeMap::new(),
            number: 0,
            legs: BTreeMap::new(),
            order: Vec::new(),
            conversations: BTreeMap::new(),
            names: BTreeMap::new(),
            recordings: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            outbox: VecDeque::new(),
            pace: Pace::default(),
            rest_scripts: BTreeMap::new(),
            manners: BTreeMap::new(),
        }
    }

    /// What it is set to, to be changed in mid-life.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The account that its applications and numbers belong to. Nobody may ask about them until it is
    /// given one.
    pub fn account_mut(&mut self) -> &mut Account {
        &mut self.account
    }

    /// The same, to look at.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Takes calls as an application of the account from now on: by its webhooks, with its key, in its
    /// region. False where it has no such application, or one that takes no calls.
    pub fn take_calls_for(&mut self, application: &str) -> bool {
        let Some(body) = self.account.application(application).map(|one| &one.body) else {
            return false;
        };
        let key = body
            .get("keys")
            .and_then(|keys| keys["public_key"].as_str());
        let voice = body.get("capabilities").map(|all| &all["voice"]);
        let (Some(key), Some(voice)) = (key.and_then(PublicKey::pem), voice) else {
            return false;
        };
        let webhook = |name: &str| Webhook::set(&voice["webhooks"][name]);
        let (Some(answer), Some(event)) = (webhook("answer_url"), webhook("event_url")) else {
            return false;
        };
        let fallback = webhook("fallback_answer_url");
        if let Some(region) = voice["region"].as_str() {
            self.settings.region = region.to_owned();
        }
        self.settings.application_id = application.to_owned();
        self.settings.public_key = key;
        self.settings.answer = answer;
        self.settings.event = event;
        self.settings.fallback = fallback;
        true
    }

    /// The moment it has come to.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// When something happens next by itself.
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        self.agenda.keys().next().map(|(at, _)| *at)
    }

    /// Lets everything happen that is due by then, in order, one moment after the other. Whoever wants
    /// replies to come in time goes from one [`Platform::due`] to the next, and sends what is
    /// [`Platform::outgoing`] in between.
    pub fn advance(&mut self, to: Timestamp) {
        while let Some(entry) = self.agenda.first_entry() {
            let at = entry.key().0;
            if at > to {
                break;
            }
            let due = entry.remove();
            self.now = self.now.max(at);
            self.happen(due);
        }
        self.now = self.now.max(to);
    }

    /// What happened so far, oldest first, as far as it is kept.
    pub fn journal(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.journal.entries()
    }

    /// Every leg, in the order they were made.
    pub fn legs(&self) -> impl DoubleEndedIterator<Item = &Leg> {
        self.order.iter().filter_map(|id| self.legs.get(id))
    }

    /// A leg.
    #[must_use]
    pub fn leg(&self, id: &str) -> Option<&Leg> {
        self.legs.get(id)
    }

    /// Whether every call is over, and all is told that there is to tell.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.exchanges.is_empty()
            && self.legs.values().all(|leg| leg.ended.is_some())
            && self.recordings.values().all(|recording| recording.told)
    }

    /// Notes something that happened outside, for the journal.
    pub fn note(&mut self, words: impl Into<String>) {
        self.journal.note(self.now, None, What::Note(words.into()));
    }

    /// Whether webhooks are still to be sent.
    #[must_use]
    pub fn has_outgoing(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// How a phone behaves when it rings: the first time, the second, …; the last stays.
    pub fn set_manners(&mut self, address: impl Into<String>, manners: Vec<Manner>) {
        self.manners.insert(address.into(), manners.into());
    }

    /// How a phone behaves when it rings next.
    #[must_use]
    pub fn manner(&self, address: &str) -> Manner {
        let manners = self.manners.get(address);
        manners
            .and_then(|manners| manners.front())
            .cloned()
            .unwrap_or_default()
    }

    // What people do.

    /// Somebody calls one of our numbers.
    ///
    /// # Errors
    /// When one of the numbers is none.
    pub fn call(&mut self, from: &str, to: &str) -> Result<LegId, NotNow> {
        let digits = |text: &str| {
            (7..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(from) || !digits(to) {
            return Err(NotNow::NoNumber);
        }
        let id = self.hex();
        let hook = self.hook_of(None);
        let conversation = self.converse();
        self.make(Leg::new(
            id.clone(),
            Direction::Inbound,
            Origin::Caller,
            (from, to, "phone"),
            conversation,
            hook,
            self.now,
        ));
        let what = What::Dials {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        self.journal.note(self.now, Some(&id), what);
        self.tell_status(&id, Status::Started);
        self.tell_status(&id, Status::Ringing);
        self.after(PICKED_UP_AFTER, Due::PickUp(id.clone()));
        Ok(id)
    }

    /// A call that somebody else has told the server of, in the midst of which this platform takes over:
    /// it is up, and hears nothing.
    pub fn adopt(&mut self, id: &str) {
        let hook = self.hook_of(None);
        let conversation = self.converse();
        let mut leg = Leg::new(
            id.to_owned(),
            Direction::Inbound,
            Origin::Caller,
            ("unknown", "unknown", "phone"),
            conversation,
            hook,
            self.now,
        );
        leg.status = Status::Answered;
        leg.answered = Some(self.now);
        self.make(leg);
    }

    /// Where events go: to whom a script names, else to the application.
    pub(crate) fn hook_of(&self, named: Option<&Hook>) -> EventHook {
        let event = &self.settings.event;
        let (url, method) =
            named.map_or((&event.url, event.method), |hook| (&hook.url, hook.method));
        EventHook {
            url: url.clone(),
            method,
            synchronous: false,
        }
    }

    /// A person picks up a phone that rings.
    ///
    /// # Errors
    /// When it does not ring.
    pub fn pick_up(&mut self, id: &str) -> Result<(), NotNow> {
        self.answered_by(id, false)
    }

    /// A mailbox picks up, says its greeting and waits for a message.
    ///
    /// # Errors
    /// When it does not ring.
    pub fn mailbox(&mut self, id: &str) -> Result<(), NotNow> {
        self.answered_by(id, true)?;
        self.mailbox_talks(id);
        Ok(())
    }

    pub(crate) fn mailbox_talks(&mut self, id: &str) {
        let greeting = Manner::GREETING;
        self.after(
            Manner::MAILBOX_BEGINS,
            Due::Person(id.to_owned(), Act::Say(greeting.to_owned())),
        );
        let whole = audio::speaking_time(greeting) + Manner::MAILBOX_WAITS;
        self.after(whole, Due::Person(id.to_owned(), Act::HangUp));
    }

    fn answered_by(&mut self, id: &str, machine: bool) -> Result<(), NotNow> {
        let leg = self.legs.get_mut(id).ok_or(NotNow::NoLeg)?;
        if leg.status != Status::Ringing || leg.direction == Direction::Inbound {
            return Err(NotNow::NotRinging);
        }
        leg.is_machine = machine;
        let id = leg.id.clone();
        self.journal
            .note(self.now, Some(&id), What::PicksUp { machine });
        self.answered(&id);
        Ok(())
    }

    /// A person declines a call.
    ///
    /// # Errors
    /// When their phone does not ring.
    pub fn decline(&mut self, id: &str) -> Result<(), NotNow> {
        self.unconnected_by(
            id,
            Ending::Unconnected(Status::Unanswered),
            Some(What::Declines),
        )
    }

    /// A phone is in use.
    ///
    /// # Errors
    /// When it is not being rung.
    pub fn is_busy(&mut self, id: &str) -> Result<(), NotNow> {
        self.unconnected_by(id, Ending::Unconnected(Status::Busy), None)
    }

    fn unconnected_by(
        &mut self,
        id: &str,
        ending: Ending,
        what: Option<What>,
    ) -> Result<(), NotNow> {
        let leg = self.legs.get(id).ok_or(NotNow::NoLeg)?;
        if !matches!(leg.status, Status::Started | Status::Ringing)
            || leg.direction == Direction::Inbound
        {
            return Err(NotNow::NotRinging);
        }
        let id = leg.id.clone();
        if let Some(what) = what {
            self.journal.note(self.now, Some(&id), what);
        }
        self.end(&id, ending);
        Ok(())
    }

    /// A person hangs up.
    ///
    /// # Errors
    /// When the call is over.
    pub fn hang_up(&mut self, id: &str) -> Result<(), NotNow> {
        let leg = self.legs.get(id).ok_or(NotNow::NoLeg)?;
        if leg.ended.is_some() {
            return Err(NotNow::Over);
        }
        if leg.direction == Direction::Outbound && !leg.is_up() {
            return self.decline(id);
        }
        let id = leg.id.clone();
        self.journal.note(self.now, Some(&id), What::HangsUp);
        self.end(&id, Ending::HungUp);
        Ok(())
    }

    /// A person presses keys.
    ///
    /// # Errors
    /// When they are in no call, or there is no such key.
    pub fn press(&mut self, id: &str, keys: &str) -> Result<(), NotNow> {
        if keys.is_empty() || !keys.chars().all(|key| "0123456789*#".contains(key)) {
            return Err(NotNow::NoKey);
        }
        let leg = self.legs.get(id).ok_or(NotNow::NoLeg)?;
        if !leg.is_up() {
            return Err(NotNow::NotUp);
        }
        let id = leg.id.clone();
        let what = What::Presses {
            keys: keys.to_owned(),
        };
        self.journal.note(self.now, Some(&id), what);
        for key in keys.chars() {
            self.pressed(&id, key);
        }
        Ok(())
    }

    /// A person says something.
    ///
    /// # Errors
    /// When they are in no call.
    pub fn say(&mut self, id: &str, text: &str) -> Result<(), NotNow> {
        let leg = self.legs.get(id).ok_or(NotNow::NoLeg)?;
        if !leg.is_up() {
            return Err(NotNow::NotUp);
        }
        let id = leg.id.clone();
        let number = self.next_number();
        let length = audio::speaking_time(text);
        let until = self.now.saturating_add(length).unwrap_or(self.now);
        let speaking = Speaking {
            id: number,
            text: text.to_owned(),
            since: self.now,
            until,
        };
        let what = What::Says {
            text: text.to_owned(),
        };
        self.journal.note(self.now, Some(&id), what);
        let voice = self.voice_of(&id);
        self.sound(
            &id,
            Some(&id),
            length,
            &audio::What::Speech {
                text: text.to_owned(),
                voice,
                language: "en-GB".to_owned(),
            },
        );
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.speaking = Some(speaking);
        }
        self.begins_to_speak(&id);
        self.at(until, Due::Spoken(id.clone(), number));
        // Whom it is heard by is not whom it hears: somebody may be muted, or not listening.
        let room = self.conversations.get(&self.legs[&id].conversation);
        let legs = room.map(|room| room.legs.clone()).unwrap_or_default();
        for other in legs {
            let heard = Heard::Voice {
                of: self.legs[&id].person().to_owned(),
                text: text.to_owned(),
            };
            if self.audible(&other).contains(&id) {
                self.journal
                    .note(self.now, Some(&other), What::Hears(heard));
            }
        }
        Ok(())
    }

    /// Which voice a leg's person has: the first of a conversation the first one.
    fn voice_of(&self, id: &LegId) -> u8 {
        let legs = self
            .conversations
            .get(&self.legs[id].conversation)
            .map(|room| room.legs.as_slice())
            .unwrap_or_default();
        let index = legs.iter().position(|one| one == id).unwrap_or(0);
        u8::try_from(index + 1).unwrap_or(1)
    }

    // Time.

    pub(crate) fn after(&mut self, delay: Duration, due: Due) {
        let at = self.now.saturating_add(delay).unwrap_or(Timestamp::MAX);
        self.at(at, due);
    }

    pub(crate) fn at(&mut self, at: Timestamp, due: Due) {
        let number = self.next_number();
        self.agenda.insert((at, number), due);
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::PickUp(id) => {
                if self.legs.get(&id).is_some_and(|leg| leg.ended.is_none()) {
                    self.answered(&id);
                }
            }
            Due::Person(id, act) => self.act(&id, act),
            Due::RingOver(id) => {
                if self
                    .legs
                    .get(&id)
                    .is_some_and(|leg| leg.ended.is_none() && leg.answered.is_none())
                {
                    self.end(&id, Ending::Unconnected(Status::Timeout));
                }
            }
            Due::LengthOver(id) => self.end(&id, Ending::Limit),
            Due::Step(id, turn, step) => {
                if self
                    .legs
                    .get(&id)
                    .is_some_and(|leg| leg.turn == turn && leg.is_up())
                {
                    self.step(&id, step);
                }
            }
            Due::Spoken(id, number) => self.spoken(&id, number),
            Due::OverlayOver(id, number) => self.overlay_over(&id, number),
            Due::Send(webhook) => self.set_out(webhook),
            Due::Replied(webhook, outcome, took) => self.replied(webhook, outcome, took),
            Due::Recorded(file) => self.announce(&file),
            Due::Transcribed(file) => self.announce_transcript(&file),
            Due::Detected(id, beep) => self.detected(&id, beep),
        }
    }

    /// A phone does something by itself; if it cannot any more, nothing happens.
    fn act(&mut self, id: &LegId, act: Act) {
        let _ = match act {
            Act::PickUp { machine: true } => self.mailbox(id),
            Act::PickUp { machine: false } => self.pick_up(id),
            Act::Decline => self.decline(id),
            Act::IsBusy => self.is_busy(id),
            Act::IsUnreachable => self.unconnected_by(id, Ending::Unreachable, None),
            Act::IsNoNumber => self.unconnected_by(id, Ending::Unconnected(Status::Failed), None),
            Act::HangUp => match self.legs.get(id) {
                Some(leg) if leg.is_up() => self.hang_up(id),
                _ => Ok(()),
            },
            Act::Say(text) => self.say(id, &text),
            Act::Press(keys) => self.press(id, &keys),
            Act::Take if self.is_asked(id) => self.press(id, "1"),
            Act::Take => Ok(()),
        };
    }

    // Legs.

    pub(crate) fn make(&mut self, leg: Leg) {
        if self.order.len().is_multiple_of(TIDY_EVERY) {
            self.tidy();
        }
        let id = leg.id.clone();
        if let Some(room) = self.conversations.get_mut(&leg.conversation) {
            room.legs.push(id.clone());
        }
        self.order.push(id.clone());
        self.legs.insert(id, leg);
    }

    /// Forgets legs that were over long ago, and recordings that are kept no longer.
    fn tidy(&mut self) {
        let now = self.now;
        self.legs.retain(|_, leg| is_kept(leg, now));
        let legs = &self.legs;
        self.order.retain(|id| legs.contains_key(id));
        self.recordings.retain(|_, recording| {
            recording
                .ended
                .is_none_or(|ended| now.duration_since(ended) < crate::recording::KEPT)
        });
    }

    /// Lets an outbound leg ring, and its phone do what it does.
    pub(crate) fn ring(&mut self, id: &LegId, ringing: Duration) {
        self.tell_status(id, Status::Started);
        let leg = &self.legs[id];
        let (from, to) = (leg.from.clone(), leg.to.clone());
        let manner = self.manners.get_mut(&to).and_then(|manners| {
            if manners.len() > 1 {
                manners.pop_front()
            } else {
                manners.front().cloned()
            }
        });
        let manner = manner.unwrap_or_default();
        let (delay, act) = match manner.acts() {
            Some((delay, act)) => (delay, Some(act)),
            None => (Duration::ZERO, None),
        };
        if manner.rings() {
            self.journal
                .note(self.now, Some(id), What::Rings { from, to });
            self.tell_status(id, Status::Ringing);
            self.after(ringing, Due::RingOver(id.clone()));
        }
        if let Some(act) = act {
            self.after(delay.max(RINGS_BEFORE), Due::Person(id.clone(), act));
        }
        for (delay, act) in manner.later() {
            self.after(delay, Due::Person(id.clone(), act));
        }
    }

    /// A leg is answered: by the person, or by the platform.
    fn answered(&mut self, id: &LegId) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        leg.answered = Some(now);
        leg.silent_since = Some(now);
        let (limit, origin) = (leg.limit, leg.origin.clone());
        self.tell_status(id, Status::Answered);
        self.after(limit, Due::LengthOver(id.clone()));
        if self.legs[id].machine.is_some() {
            self.detect(id);
        }
        match origin {
            Origin::Caller => {
                let answer = self.settings.answer.clone();
                let body = event::answer(&self.legs[id], &self.region_url());
                self.ask(id, Why::Answer, answer, body);
            }
            Origin::Rest => self.begin_answered(id),
            Origin::Connect(caller) => self.callee_answered(&caller, id),
        }
        self.listen(id);
    }

    /// A leg is over.
    pub(crate) fn end(&mut self, id: &LegId, ending: Ending) {
        let now = self.now;
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        if leg.ended.is_some() {
            return;
        }
        leg.ended = Some((now, ending));
        leg.turn += 1;
        leg.speaking = None;
        leg.overlay = None;
        let was_up = leg.is_up();
        let run = leg.run.take();
        let origin = leg.origin.clone();
        let conversation = leg.conversation.clone();
        if was_up {
            self.hush(id);
        }
        self.silence_ends(id);
        // What happened first, then that it is over.
        let status = ending.failure();
        let status = status.or((!was_up).then_some(Status::Cancelled));
        self.journal.note(now, Some(id), What::Ended(ending));
        let asked = status.and_then(|status| self.tell_failure(id, status));
        if status != Some(Status::Rejected) {
            self.tell_status(id, Status::Completed);
        } else if let Some(leg) = self.legs.get_mut(id) {
            leg.status = Status::Rejected;
        }
        if let Some(Doing::Connects { callee, .. }) = run.as_ref().map(|run| &run.doing) {
            self.end(&callee.clone(), Ending::Left);
        }
        if let Some(Doing::Converses { ends_all: true, .. }) = run.as_ref().map(|run| &run.doing) {
            self.end_others(id);
        }
        self.rest_scripts.remove(id);
        self.finish_recordings_of(id);
        self.leave(id, &conversation);
        if let Origin::Connect(caller) = origin {
            self.callee_over(&caller, id, asked.is_some());
        }
        if let Some(room) = self.conversations.get(&conversation) {
            for other in room.legs.clone() {
                self.listen(&other);
            }
        }
    }

    /// Tells how a leg stands, and notes it.
    pub(crate) fn tell_status(&mut self, id: &LegId, status: Status) {
        if let Some(body) = self.stands(id, status) {
            self.tell_of(id, body);
        }
    }

    /// Tells that a leg was not connected. Of a synchronous connect it is asked what comes next, on
    /// behalf of the caller; then the webhook is given.
    fn tell_failure(&mut self, id: &LegId, status: Status) -> Option<u64> {
        let leg = self.legs.get(id)?;
        let (hook, origin) = (leg.hook.clone(), leg.origin.clone());
        let body = self.stands(id, status)?;
        match origin {
            Origin::Connect(caller)
                if hook.synchronous
                    && status != Status::Cancelled
                    && self.callee_failed(&caller, id) =>
            {
                Some(self.ask_by_event(&caller, Why::Connect, &hook.url, hook.method, body))
            }
            _ => {
                self.tell_of(id, body);
                None
            }
        }
    }

    /// A leg stands thus from now on. Gives what there is to tell of it.
    fn stands(&mut self, id: &LegId, status: Status) -> Option<Map<String, Value>> {
        let now = self.now;
        let leg = self.legs.get_mut(id)?;
        leg.status = status;
        leg.since = now;
        let body = event::status(leg, status, now);
        self.journal.note(now, Some(id), What::Is(status));
        Some(body)
    }

    /// Where REST requests about the application's calls go.
    pub(crate) fn region_url(&self) -> String {
        format!("{}/{}", self.base, self.settings.region)
    }

    // What is heard.

    /// Looks what a leg hears now, and notes what is new.
    pub(crate) fn listen(&mut self, id: &str) {
        let Some(leg) = self.legs.get(id).filter(|leg| leg.is_up()) else {
            return;
        };
        let heard = self.playing(leg);
        let joined = !self.audible(id).is_empty();
        let ids: Vec<u64> = heard.iter().map(|playing| playing.id).collect();
        let new: Vec<Heard> = heard
            .iter()
            .filter(|playing| !leg.heard.contains(&playing.id))
            .map(|playing| match &playing.what {
                Audio::Talk { text, language } => Heard::Talk {
                    text: text.clone(),
                    language: language.clone(),
                },
                Audio::Stream { url } => Heard::Stream { url: url.clone() },
                Audio::Ringback => Heard::Ringback,
            })
            .collect();
        let id = leg.id.clone();
        // Who was asked to speak after the tone speaks, or is silent because they want to be.
        let speaks = matches!(self.doing(&id), Some(Doing::Records { .. }));
        let silent = ids.is_empty() && !joined && !speaks;
        let now = self.now;
        for heard in new {
            self.journal.note(now, Some(&id), What::Hears(heard));
        }
        let leg = self.legs.get_mut(&id).expect("it was just there");
        leg.heard = ids;
        if silent {
            leg.silent_since.get_or_insert(now);
        } else {
            self.silence_ends(&id);
        }
    }

    fn silence_ends(&mut self, id: &str) {
        let now = self.now;
        if let Some(leg) = self.legs.get_mut(id)
            && let Some(since) = leg.silent_since.take()
        {
            leg.longest_silence = leg.longest_silence.max(between(since, now));
        }
    }

    // Ids.

    pub(crate) fn next_number(&mut self) -> u64 {
        self.number += 1;
        self.number
    }

    fn hex(&mut self) -> String {
        format!("{:032x}", self.random.u128(..))
    }

    pub(crate) fn uuid(&mut self) -> String {
        Self::uuid_of(self.random.u128(..))
    }

    /// An id of an application. Like tokens, these must not change the ids of legs.
    pub(crate) fn application_id(&mut self) -> String {
        Self::uuid_of(self.tokens.u128(..))
    }

    fn uuid_of(bits: u128) -> String {
        // The bits that say: random, version 4.
        let bits = bits & !(0xf << 76) & !(0xc << 60) | (4 << 76) | (8 << 60);
        let hex = format!("{bits:032x}");
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// An id of a token, or of an answer.
    pub(crate) fn token_id(&mut self) -> String {
        format!("{:032x}", self.tokens.u128(..))
    }

    pub(crate) fn conversation_id(&mut self) -> String {
        format!("CON-{}", self.uuid())
    }

    pub(crate) fn choose<'a>(&mut self, list: &'a [String]) -> Option<&'a String> {
        (!list.is_empty()).then(|| &list[self.random.usize(..list.len())])
    }
}

/// Whether a leg is still known at this moment.
pub(crate) fn is_kept(leg: &Leg, now: Timestamp) -> bool {
    leg.ended
        .is_none_or(|(ended, _)| now.duration_since(ended) < LEG_KEPT)
}

/// By which method URLs in requests and scripts are asked, where nothing says. The documents do not
/// tell for a transfer and for `onAnswer`; GET is the default of the one that they do.
pub(crate) const URL_METHOD: Method = Method::Get;
