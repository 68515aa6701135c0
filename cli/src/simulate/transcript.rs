//! What happened, as one tells it.

use super::Played;
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::HashMap;
use switchboard_phone::{Direction, Ending, Entry, Heard, LegId, Status, What};

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Seconds from the beginning.
    pub second: i64,
    /// What happened.
    pub text: String,
}

impl std::fmt::Display for Line {
    /// `00:43  alice's phone rings`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (minutes, seconds) = (self.second / 60, self.second % 60);
        write!(f, "{minutes:02}:{seconds:02}  {}", self.text)
    }
}

/// The transcript.
#[must_use]
pub fn of(played: &Played) -> Vec<Line> {
    let people = people(played);
    let mut last: HashMap<&LegId, String> = HashMap::new();
    let mut lines = Vec::new();
    for entry in &played.entries {
        let Some(text) = sentence(played, &people, entry) else {
            continue;
        };
        if let Some(leg) = &entry.leg {
            // Music that goes on is told once.
            let before = last.insert(leg, text.clone());
            if matches!(entry.what, What::Hears(_)) && before.as_ref() == Some(&text) {
                continue;
            }
        }
        let since: SignedDuration = entry.at.duration_since(played.began);
        lines.push(Line {
            second: since.as_secs(),
            text,
        });
    }
    lines
}

/// What each leg's person is called: callers by their order, agents by their names.
fn people(played: &Played) -> HashMap<LegId, String> {
    let callers: Vec<_> = played
        .legs
        .iter()
        .filter(|leg| leg.direction() == Direction::Inbound)
        .collect();
    let alone = callers.len() == 1;
    let callers = callers.iter().enumerate().map(|(index, leg)| {
        let name = if alone {
            "the caller".to_owned()
        } else {
            format!("caller {}", index + 1)
        };
        (leg.id().to_owned(), name)
    });
    let agents = played
        .legs
        .iter()
        .filter(|leg| leg.direction() == Direction::Outbound)
        .map(|leg| (leg.id().to_owned(), played.name(leg.to()).to_owned()));
    callers.chain(agents).collect()
}

fn sentence(played: &Played, people: &HashMap<LegId, String>, entry: &Entry) -> Option<String> {
    let leg = entry.leg.as_ref();
    let who = leg
        .and_then(|leg| people.get(leg))
        .map_or("somebody", String::as_str);
    let is_caller = leg.is_some_and(|leg| {
        let leg = played.legs.iter().find(|one| one.id() == leg);
        leg.is_some_and(|leg| leg.direction() == Direction::Inbound)
    });
    Some(match &entry.what {
        What::Dials { to, .. } => format!("{who} calls {}", played.name(to)),
        What::Rings { from, .. } => format!("{who}'s phone rings, showing {from}"),
        What::PicksUp { machine: false } => format!("{who} picks up"),
        What::PicksUp { machine: true } => format!("{who}'s mailbox picks up"),
        What::HangsUp => format!("{who} hangs up"),
        What::Declines => format!("{who} declines"),
        What::Presses { keys } => format!("{who} presses {keys}"),
        What::Says { text } => format!("{who} says: “{text}”"),
        What::Hears(heard) => match heard {
            Heard::Talk { text, .. } => format!("{who} hears: “{text}”"),
            Heard::Stream { url } => format!("{who} hears: music ({})", file(url)),
            Heard::Ringback => format!("{who} hears it ring"),
            Heard::Beep => format!("{who} hears a beep"),
            // Who said it has said it.
            Heard::Voice { .. } => return None,
        },
        What::Is(status) => match status {
            Status::Busy => format!("{who}'s phone is busy"),
            Status::Timeout => format!("{who}'s phone has rung for long enough"),
            Status::Failed => format!("{who}'s number cannot be called"),
            Status::Rejected => format!("the platform refuses to ring {who}"),
            Status::Cancelled if !is_caller => format!("{who}'s phone stops ringing"),
            _ => return None,
        },
        What::Joined { with } if is_caller => {
            let with = people.get(with).map_or("somebody", String::as_str);
            format!("{who} and {with} talk")
        }
        What::Ended(Ending::Unreachable) => format!("{who}'s phone cannot be reached"),
        What::Ended(ending) if is_caller => match ending {
            Ending::HungUp => return None,
            Ending::ScriptOver => format!("{who} is hung up on: the script is over"),
            Ending::NoScript => format!("{who} is CUT OFF: no script could be had"),
            Ending::Limit => format!("{who} is CUT OFF: the longest time is over"),
            Ending::Request
            | Ending::Left
            | Ending::Machine
            | Ending::Unreachable
            | Ending::Unconnected(_) => {
                format!("{who} is hung up on: {ending}")
            }
        },
        // Paces go by the clock on the wall, and whoever was too fast asks again: no part of the story.
        What::Request { status: 429, .. } => return None,
        What::Request { body, status, .. } => {
            let action = body.as_ref().and_then(|body| body["action"].as_str())?;
            let done = if *status < 300 {
                String::new()
            } else {
                format!(": refused with {status}")
            };
            match action {
                "transfer" => format!("{who} is moved{done}"),
                "hangup" => format!("{who} is to be hung up on{done}"),
                action => format!("{who}: {action}{done}"),
            }
        }
        What::Reply {
            name,
            status,
            words,
            ..
        } if !status.is_some_and(|status| status < 300) => {
            format!("{name} fails: {words}")
        }
        What::Lost { name, .. } => format!("an event is LOST: {name}"),
        What::Recorded { length, .. } => {
            format!("a recording of {} s is ready", length.as_secs())
        }
        What::Note(text) => text.clone(),
        What::Joined { .. } | What::Ended(_) | What::Webhook { .. } | What::Reply { .. } => {
            return None;
        }
    })
}

fn file(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}
