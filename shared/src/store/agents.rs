//! Whether agents can be rung.

use super::transact::{Expression, through_conflicts};
use super::{Key, Store, StoreError, from_item, key, key_of, millis, text};
use crate::offer::OfferId;
use crate::plan::AgentName;
use crate::presence::Presence;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue};
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// What came of an agent's "free".
#[derive(Debug, Clone, PartialEq)]
pub enum Freed {
    /// Free now.
    Free,
    /// Rings or talks: present, and free by itself afterwards.
    Engaged(Presence),
}

impl Store {
    /// How these agents are, read with strong consistency, in the order asked. At most 100.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn agents(&self, names: &[AgentName]) -> Result<Vec<Presence>, StoreError> {
        let keys: Vec<_> = names.iter().map(|name| key_of(Key::Agent(name))).collect();
        let mut ask = KeysAndAttributes::builder()
            .set_keys(Some(keys))
            .consistent_read(true);
        let mut found = HashMap::new();
        // DynamoDB may leave some keys for another request when it is throttled.
        for _ in 0..3 {
            let asked = ask.build().expect("keys are set");
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, asked)
                .send()
                .await
                .map_err(StoreError::unavailable("read the agents"))?;
            for item in answer.responses.unwrap_or_default().into_values().flatten() {
                let presence: Presence = from_item("an agent", item)?;
                found.insert(presence.name.clone(), presence);
            }
            let left = answer
                .unprocessed_keys
                .unwrap_or_default()
                .remove(&self.table);
            let Some(left) = left.filter(|left| !left.keys().is_empty()) else {
                break;
            };
            ask = KeysAndAttributes::builder()
                .set_keys(Some(left.keys().to_vec()))
                .consistent_read(true);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let of = |name: &AgentName| {
            found
                .remove(name)
                .unwrap_or_else(|| Presence::unknown(name.clone()))
        };
        Ok(names.iter().map(of).collect())
    }

    /// An agent says "free".
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn free(&self, agent: &AgentName, now: Timestamp) -> Result<Freed, StoreError> {
        let free = Expression::new(
            "SET #name = :name, #present = :true, #free_from = :now \
             REMOVE #call, #offer, #leg, #last",
            "attribute_not_exists(#offer) OR #free_from <= :now",
        )
        .with(":name", text(agent.to_string()))
        .with(":true", AttributeValue::Bool(true))
        .with(":now", millis(now));
        if self.update_agent(agent, &free).await?.is_some() {
            return Ok(Freed::Free);
        }
        // Engaged: present from now on, and what goes on ends as it would have.
        let present = Expression::new("SET #present = :true", "attribute_exists(#offer)")
            .with(":true", AttributeValue::Bool(true));
        match self.update_agent(agent, &present).await? {
            Some(presence) => Ok(Freed::Engaged(presence)),
            // Released between the two: then the first applies.
            None => self.update_agent(agent, &free).await.map(|_| Freed::Free),
        }
    }

    /// An agent says "away". What goes on ends as it would have.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn away(&self, agent: &AgentName) -> Result<Presence, StoreError> {
        let away = Expression::new(
            "SET #name = :name, #present = :false, #free_from = if_not_exists(#free_from, :zero)",
            "",
        )
        .with(":name", text(agent.to_string()))
        .with(":false", AttributeValue::Bool(false))
        .with(":zero", millis(Timestamp::UNIX_EPOCH));
        let presence = self.update_agent(agent, &away).await?;
        Ok(presence.unwrap_or_else(|| Presence::unknown(agent.clone())))
    }

    /// The agent's leg is known to be over, though no event said so.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn release(
        &self,
        agent: &AgentName,
        offer: &OfferId,
        free_from: Timestamp,
    ) -> Result<(), StoreError> {
        let write = self.release_write(agent, offer, free_from);
        self.transact("release an agent", vec![write])
            .await
            .map(drop)
    }

    /// The agent as the update left it; `None` where its condition failed.
    async fn update_agent(
        &self,
        agent: &AgentName,
        expression: &Expression,
    ) -> Result<Option<Presence>, StoreError> {
        let update = self.update(Key::Agent(agent), expression);
        let update = update.return_values(ReturnValue::AllNew);
        let sent = through_conflicts(|| update.clone().send()).await;
        match sent {
            Ok(done) => {
                let mut item = done.attributes.unwrap_or_default();
                item.remove(key::PK);
                from_item("an agent", item).map(Some)
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(None),
                _ => Err(StoreError::unavailable("update an agent")(error)),
            },
        }
    }
}
