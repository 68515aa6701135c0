//! What the ledger holds, beside what the platform told.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_phone::{Direction, Entry, Leg, What};
use switchboard_shared::call::{self, Call};
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::store::{Home, LedgerEvent, Store, StoreError};
use switchboard_shared::webhook::CallStatus;

/// The comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Different events that were told.
    pub told: usize,
    /// Events in the ledger.
    pub kept: usize,
    /// Told and not kept.
    pub missing: Vec<String>,
    /// Kept more than once.
    pub twice: Vec<String>,
    /// Calls of which the ledger knows nothing.
    pub unknown: usize,
    /// Callers who came to a voicemail.
    pub mailboxes: usize,
    /// Messages they left there.
    pub messages: usize,
    /// Messages that are written down.
    pub written_down: usize,
    /// Each call in a line: who took it, and what became of each leg. The same, in whatever disorder
    /// the same story was told.
    pub outline: Vec<String>,
}

impl Ledger {
    /// Whether each event is there, once.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty() && self.twice.is_empty() && self.unknown == 0
    }

    /// Compares.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn compare(
        store: &Store,
        entries: &[Entry],
        legs: &[Leg],
    ) -> Result<Self, StoreError> {
        let mut told = BTreeSet::new();
        let mut homes = BTreeSet::new();
        for entry in entries {
            let What::Webhook { name, body, .. } = &entry.what else {
                continue;
            };
            // A recording is an item of its own, and no event.
            let transcribed = body["status"] == "transcribed";
            if !name.ends_with("/webhooks/event") && !transcribed {
                continue;
            }
            for key in [
                "conversation_uuid",
                "conversation_uuid_from",
                "conversation_uuid_to",
            ] {
                homes.extend(body[key].as_str().map(str::to_owned));
            }
            told.insert(sorted(body));
        }
        let mut kept = BTreeMap::new();
        let mut unknown = 0;
        let (mut mailboxes, mut messages, mut written_down) = (0, 0, 0);
        let mut outline = Vec::new();
        for leg in legs {
            let Ok(id) = LegId::new(leg.id()) else {
                continue;
            };
            let events = store.events(&Home::Leg(id.clone())).await?;
            count(&events, &mut kept);
            if leg.direction() == Direction::Inbound {
                match store.call(&id).await? {
                    Some(call) => {
                        outline.push(in_a_line(&call, &events, legs));
                        mailboxes += usize::from(call.mailbox.is_some());
                        if let Some(message) = &call.voicemail {
                            messages += 1;
                            let transcript = store.transcript(message).await?;
                            let text = transcript.and_then(|transcript| transcript.text);
                            written_down += usize::from(text.is_some());
                        }
                    }
                    None => unknown += 1,
                }
            }
        }
        for conversation in homes {
            if let Ok(id) = ConversationId::new(conversation) {
                let events = store.events(&Home::Conversation(id)).await?;
                count(&events, &mut kept);
            }
        }
        let twice = kept.iter().filter(|(_, times)| **times > 1);
        Ok(Self {
            told: told.len(),
            kept: kept.values().sum(),
            missing: told
                .iter()
                .filter(|event| !kept.contains_key(*event))
                .cloned()
                .collect(),
            twice: twice.map(|(event, _)| event.clone()).collect(),
            unknown,
            mailboxes,
            messages,
            written_down,
            outline,
        })
    }
}

fn count(events: &[LedgerEvent], kept: &mut BTreeMap<String, usize>) {
    for event in events {
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        *kept.entry(sorted(&body)).or_default() += 1;
    }
}

/// A call, and the last of each of its legs, in the order they were made.
fn in_a_line(call: &Call, events: &[LedgerEvent], legs: &[Leg]) -> String {
    let mut parts = vec![match &call.served {
        Some(agent) => format!("served by {agent}"),
        None => "not served".to_owned(),
    }];
    if call.ended.is_none() {
        parts.push("not over".to_owned());
    }
    if call.place.is_some() {
        parts.push("still in a queue".to_owned());
    }
    if call.voicemail.is_some() {
        parts.push("left a message".to_owned());
    }
    // Phones of one stage are rung at once: which of them first is no part of the story.
    let mut legs: Vec<_> = legs.iter().collect();
    legs.sort_by_key(|leg| leg.to());
    for leg in legs {
        let said = events
            .iter()
            .filter(|event| event.leg.as_deref() == Some(leg.id()))
            .map(|event| CallStatus::from(event.word.clone()));
        let said: Vec<_> = said
            .filter(|status| !matches!(status, CallStatus::Other(_)))
            .collect();
        if let Some(last) = call::status(&said) {
            parts.push(format!("{} {}", leg.to(), last.as_str()));
        }
    }
    let from = call.from.as_deref().unwrap_or("unknown");
    format!("{from} to {}: {}", call.line, parts.join(", "))
}

/// An event in a form of its own, whatever order its fields came in.
fn sorted(body: &Value) -> String {
    match body {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> = fields
                .iter()
                .map(|(name, value)| (name, sorted(value)))
                .collect();
            format!("{fields:?}")
        }
        other => other.to_string(),
    }
}
