//! What the page shows, as JSON.

use super::timeline;
use crate::event::moment;
use crate::leg::{Audio, Direction, Leg, LegId, Playing};
use crate::manner::Manner;
use crate::platform::Platform;
use crate::play::Doing;
use jiff::SignedDuration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Entries of the timeline that are shown.
const TIMELINE: usize = 300;

/// Phones that are shown, the newest first.
const LEGS: usize = 30;

/// How long a phone is shown after its call.
const SHOWN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// Whose numbers they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Lines that can be called: number and name.
    pub lines: Vec<(String, String)>,
    /// Phones that are rung: number, SIP address or user, and whose it is.
    pub contacts: Vec<(String, String)>,
}

impl Directory {
    fn contact(&self, id: &str) -> Option<&str> {
        name_in(&self.contacts, id)
    }

    fn line(&self, number: &str) -> Option<&str> {
        name_in(&self.lines, number)
    }

    /// The name of whoever has this number or address, as the page writes it; itself where nobody is
    /// known to.
    pub(super) fn name(&self, id: &str) -> String {
        if let Some(contact) = self.contact(id) {
            let mut letters = contact.chars();
            let first = letters.next().map(char::to_uppercase);
            return first.into_iter().flatten().chain(letters).collect();
        }
        self.line(id).unwrap_or(id).to_owned()
    }
}

fn name_in<'a>(list: &'a [(String, String)], id: &str) -> Option<&'a str> {
    let found = list.iter().find(|(one, _)| one == id);
    found.map(|(_, name)| name.as_str())
}

/// The whole state.
pub(super) fn of(platform: &Platform, directory: &Directory) -> Value {
    let now = platform.now();
    let shown = platform.legs().rev().filter(|leg| {
        leg.ended()
            .is_none_or(|(ended, _)| now.duration_since(ended) < SHOWN_AFTER)
    });
    let legs: Vec<Value> = shown
        .take(LEGS)
        .map(|leg| of_leg(platform, directory, leg))
        .collect();
    let mut timeline: Vec<Value> = platform
        .journal()
        .rev()
        .filter_map(|entry| timeline::of(entry, platform, directory))
        .take(TIMELINE)
        .collect();
    timeline.reverse();
    let lines = directory.lines.iter();
    let contacts = directory.contacts.iter();
    json!({
        "now": moment(now),
        "lines": lines
            .map(|(number, name)| json!({ "number": number, "name": name }))
            .collect::<Vec<_>>(),
        "contacts": contacts
            .map(|(id, name)| json!({
                "id": id,
                "name": name,
                "manner": manner(&platform.manner(id)),
            }))
            .collect::<Vec<_>>(),
        "legs": legs,
        "timeline": timeline,
    })
}

fn manner(manner: &Manner) -> &'static str {
    match manner {
        Manner::Ask => "ask",
        Manner::Silent => "silent",
        Manner::Declines(_) => "declines",
        Manner::Busy => "busy",
        Manner::Unreachable => "unreachable",
        Manner::NoSuchNumber => "no such number",
        Manner::Mailbox(_) => "mailbox",
        Manner::Answers { .. } => "answers",
    }
}

fn of_leg(platform: &Platform, directory: &Directory, leg: &Leg) -> Value {
    let (role, name) = match leg.direction() {
        Direction::Inbound => ("caller", directory.line(leg.to())),
        Direction::Outbound => ("callee", directory.contact(leg.to())),
    };
    let audible = platform.audible(leg.id());
    let script = leg.run.as_ref().map(|run| {
        let actions = run.actions.iter().zip(&run.json);
        let actions = actions.map(|(action, json)| {
            json!({ "action": action.kind(), "summary": action.summary(), "json": json })
        });
        actions.collect::<Vec<_>>()
    });
    let takes = match leg.run.as_ref().map(|run| &run.doing) {
        Some(Doing::Takes(taking)) => json!({
            "keys": taking.keys.is_some(),
            "speech": taking.speech.is_some(),
        }),
        _ => Value::Null,
    };
    json!({
        "leg": leg.id(),
        "role": role,
        "from": leg.from(),
        "to": leg.to(),
        "name": name,
        "status": leg.status().word(),
        "at": moment(leg.since),
        "answered": leg.answered().map(moment),
        "ended": leg.ended().map(|(at, _)| moment(at)),
        "ending": leg.ended().map(|(_, why)| why.to_string()),
        "hears": hears(platform, leg, &audible),
        "with": audible
            .iter()
            .filter_map(|other| platform.leg(other))
            .map(Leg::person)
            .collect::<Vec<_>>(),
        "script": script.unwrap_or_default(),
        "current": leg.run.as_ref().map(|run| run.at),
        "takes": takes,
    })
}

fn hears(platform: &Platform, leg: &Leg, audible: &[LegId]) -> Vec<Value> {
    if !leg.is_up() {
        return Vec::new();
    }
    let played = platform.playing(leg);
    let played = played.iter().map(of_playing);
    let voices = audible
        .iter()
        .filter_map(|other| platform.leg(other))
        .filter_map(|other| {
            let speaking = other.speaking.as_ref()?;
            Some(json!({
                "id": speaking.id,
                "kind": "voice",
                "text": speaking.text,
                "language": null,
                "audio": null,
                "loop": false,
                "from": other.person(),
                "since": moment(speaking.since),
            }))
        });
    played.chain(voices).collect()
}

fn of_playing(playing: &Playing) -> Value {
    let (kind, text, language, audio) = match &playing.what {
        Audio::Talk { text, language } => ("talk", Some(text), Some(language), None),
        Audio::Stream { url } => {
            let url = utf8_percent_encode(url, NON_ALPHANUMERIC);
            ("stream", None, None, Some(format!("/phone/tune?url={url}")))
        }
        Audio::Ringback => ("ringback", None, None, None),
    };
    json!({
        "id": playing.id,
        "kind": kind,
        "text": text,
        "language": language,
        "audio": audio,
        "loop": playing.repeats,
        "from": null,
        "since": moment(playing.since),
    })
}
