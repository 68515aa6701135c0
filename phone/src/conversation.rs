//! A conversation: where legs hear one another.

use crate::leg::{Ending, LegId};
use crate::ncco;
use crate::platform::Platform;
use crate::play::Doing;
use crate::{event, journal::What};

/// Most legs in one conversation.
///
/// See [Vonage/NCCO reference/Conversation](https://developer.vonage.com/en/voice/voice-api/ncco-reference#conversation).
pub const LEGS_MAX: usize = 200;

/// A conversation. Every leg is in one: a call in its own until a script leads it into a named one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conversation {
    pub(crate) name: Option<String>,
    pub(crate) legs: Vec<LegId>,
    /// Somebody is in for whom it starts. One without a name has no need of anybody.
    pub(crate) started: bool,
    /// Recordings going on.
    pub(crate) recordings: Vec<String>,
    /// Recorded by a script's `conversation` already.
    pub(crate) recorded: bool,
}

impl Platform {
    /// A conversation of its own.
    pub(crate) fn converse(&mut self) -> String {
        let id = self.conversation_id();
        let room = Conversation {
            started: true,
            ..Conversation::default()
        };
        self.conversations.insert(id.clone(), room);
        id
    }

    /// Moves a leg into a conversation, and tells so.
    pub(crate) fn move_leg(&mut self, id: &LegId, to: &str) {
        let Some(leg) = self.legs.get_mut(id) else {
            return;
        };
        let from = std::mem::replace(&mut leg.conversation, to.to_owned());
        if from == to {
            return;
        }
        self.leave(id, &from);
        if let Some(conversation) = self.conversations.get_mut(to) {
            conversation.legs.push(id.clone());
        }
        let body = event::transfer(id, &from, to, self.now);
        self.tell_of(id, body);
    }

    /// Takes a leg out of a conversation; the last one closes it.
    pub(crate) fn leave(&mut self, id: &LegId, conversation: &str) {
        let Some(room) = self.conversations.get_mut(conversation) else {
            return;
        };
        room.legs.retain(|leg| leg != id);
        if !room.legs.is_empty() {
            return;
        }
        let recordings = std::mem::take(&mut room.recordings);
        let name = room.name.take();
        self.conversations.remove(conversation);
        if let Some(name) = name {
            self.names.remove(&name);
        }
        for recording in recordings {
            self.finish_recording(&recording);
        }
    }

    /// Somebody leaves for whom the conversation ends: so it does for everybody.
    pub(crate) fn end_others(&mut self, id: &LegId) {
        let room = self.conversations.get(&self.legs[id].conversation);
        let legs = room.map(|room| room.legs.clone()).unwrap_or_default();
        for other in legs.iter().filter(|other| *other != id) {
            self.end(other, Ending::Left);
        }
    }

    /// A script's `conversation`: in for as long as the call lasts.
    pub(crate) fn join(&mut self, id: &LegId, join: &ncco::Conversation) {
        let room = match self.names.get(&join.name) {
            Some(room) => room.clone(),
            None => {
                let room = self.converse();
                self.names.insert(join.name.clone(), room.clone());
                if let Some(conversation) = self.conversations.get_mut(&room) {
                    conversation.name = Some(join.name.clone());
                    conversation.started = false;
                }
                room
            }
        };
        if self.conversations[&room].legs.len() >= LEGS_MAX {
            let body = event::error(&room, "The conversation is full.", self.now);
            self.tell_of(id, body);
            self.end(id, Ending::Left);
            return;
        }
        self.recordings_follow(id, &room);
        self.move_leg(id, &room);
        if let Some(leg) = self.legs.get_mut(id) {
            leg.muted |= join.mute;
        }
        let conversation = self
            .conversations
            .get_mut(&room)
            .expect("the leg is in it, so it is there");
        conversation.started |= join.start_on_enter;
        if join.record && !conversation.recorded {
            conversation.recorded = true;
            let file = self.begin_recording(id, &ncco::Record::of_conversation(join));
            if let Some(recording) = self.recordings.get_mut(&file) {
                recording.of_room = true;
            }
        }
        let open = self.conversations[&room].started;
        for leg in self.conversations[&room].legs.clone() {
            self.listen(&leg);
            if open && leg != *id {
                for (one, other) in [(&leg, id), (id, &leg)] {
                    let what = What::Joined {
                        with: other.clone(),
                    };
                    self.journal.note(self.now, Some(one), what);
                }
            }
        }
    }

    /// A script's `transfer`: every leg of this conversation goes to another one, whose rules hold.
    pub(crate) fn transfer_all(&mut self, id: &LegId, transfer: &ncco::Transfer) {
        let from = self.legs[id].conversation.clone();
        if !self.conversations.contains_key(&transfer.conversation) {
            let body = event::error(&from, "The conversation is not there.", self.now);
            self.tell_of(id, body);
            self.journal.note(
                self.now,
                Some(id),
                What::Note("transfer to a conversation that is not there".to_owned()),
            );
            self.end(id, Ending::NoScript);
            return;
        }
        for leg in self.conversations[&from].legs.clone() {
            self.move_leg(&leg, &transfer.conversation);
            if let Some(moved) = self.legs.get_mut(&leg) {
                moved.turn += 1;
                moved.muted |= transfer.mute;
                if let Some(run) = &mut moved.run {
                    run.doing = Doing::Converses {
                        music: None,
                        ends_all: false,
                        can_speak: transfer.can_speak.clone(),
                        can_hear: transfer.can_hear.clone(),
                    };
                }
            }
            self.listen(&leg);
        }
    }

    /// Whom a leg hears: those it is connected to, or who are in a conversation with it.
    pub(crate) fn audible(&self, id: &str) -> Vec<LegId> {
        let Some(leg) = self.legs.get(id).filter(|leg| leg.is_up()) else {
            return Vec::new();
        };
        if leg.earmuffed {
            return Vec::new();
        }
        let Some(room) = self.conversations.get(&leg.conversation) else {
            return Vec::new();
        };
        let others = room.legs.iter().filter(|other| other.as_str() != id);
        let heard = others.filter(|other| {
            let Some(other) = self.legs.get(*other) else {
                return false;
            };
            other.is_up()
                && !other.muted
                && self.is_open(leg)
                && self.is_open(other)
                && lists(other, &leg.id, true)
                && lists(leg, &other.id, false)
        });
        heard.cloned().collect()
    }

    /// Whether a leg takes part in its conversation, and does not listen to a script of its own.
    fn is_open(&self, leg: &crate::leg::Leg) -> bool {
        match leg.run.as_ref().map(|run| &run.doing) {
            Some(Doing::Connects {
                callee, talking, ..
            }) => *talking && self.legs.get(callee).is_some_and(crate::leg::Leg::is_up),
            Some(Doing::Converses { .. }) => self
                .conversations
                .get(&leg.conversation)
                .is_some_and(|room| room.started),
            // A leg that was connected has no script left, and is in for its caller.
            None => leg.joined,
            Some(_) => false,
        }
    }
}

/// Whether one leg's lists let it speak to, or hear, another.
fn lists(leg: &crate::leg::Leg, other: &str, speak: bool) -> bool {
    let Some(Doing::Converses {
        can_speak,
        can_hear,
        ..
    }) = leg.run.as_ref().map(|run| &run.doing)
    else {
        return true;
    };
    let list = if speak { can_speak } else { can_hear };
    list.as_ref()
        .is_none_or(|list| list.iter().any(|leg| leg == other))
}
