//! What the ledger holds, beside what the platform told.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_phone::{Entry, Leg, What};
use switchboard_shared::id::{ConversationId, LegId};
use switchboard_shared::store::{Home, Store, StoreError};

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
            if !name.ends_with("/webhooks/event") {
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
        let legs_of = legs.iter().map(|leg| leg.id().to_owned());
        for leg in legs_of {
            let Ok(id) = LegId::new(leg.clone()) else {
                continue;
            };
            let inbound = legs.iter().any(|one| {
                one.id() == leg && one.direction() == switchboard_phone::Direction::Inbound
            });
            if inbound && store.call(&id).await?.is_none() {
                unknown += 1;
            }
            count(store, &Home::Leg(id), &mut kept).await?;
        }
        for conversation in homes {
            if let Ok(id) = ConversationId::new(conversation) {
                count(store, &Home::Conversation(id), &mut kept).await?;
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
        })
    }
}

async fn count(
    store: &Store,
    home: &Home,
    kept: &mut BTreeMap<String, usize>,
) -> Result<(), StoreError> {
    for event in store.events(home).await? {
        let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
        *kept.entry(sorted(&body)).or_default() += 1;
    }
    Ok(())
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
