//! Whose turn it is, in flows that ring their agents by turns.

use super::transact::{Expression, through_conflicts};
use super::{Key, Store, StoreError};
use crate::id::LegId;
use crate::plan::FlowName;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

impl Store {
    /// Takes the next turn of a flow: 0, 1, 2 and so on, then round again. A turn that is taken and not
    /// used, since we failed in between, is skipped.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take_turn(&self, flow: &FlowName) -> Result<u32, StoreError> {
        let count =
            Expression::new("ADD #count :one", "").with(":one", AttributeValue::N("1".to_owned()));
        let update = self.update(Key::Turns(flow), &count);
        let update = update.return_values(ReturnValue::UpdatedNew);
        let counted = through_conflicts(|| update.clone().send())
            .await
            .map_err(StoreError::unavailable("take a turn"))?;
        let counted = counted.attributes.unwrap_or_default();
        let count = counted.get("count").and_then(|count| count.as_n().ok());
        let count: u64 = count.and_then(|text| text.parse().ok()).unwrap_or(1);
        Ok(u32::try_from(count.saturating_sub(1) % u64::from(u32::MAX)).unwrap_or_default())
    }

    /// Gives back a turn of which the call had no need: it had taken one when it was told of before.
    /// Where another call took the next meanwhile, it is skipped.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn give_back_turn(&self, flow: &FlowName, turn: u32) -> Result<(), StoreError> {
        let number = |count: u64| AttributeValue::N(count.to_string());
        let back = Expression::new("SET #count = :before", "#count = :taken")
            .with(":before", number(turn.into()))
            .with(":taken", number(u64::from(turn) + 1));
        let given = self.update_if("give a turn back", Key::Turns(flow), &back);
        given.await.map(drop)
    }

    /// Keeps the turn with a call that has begun already. False when it has one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn keep_turn(&self, call: &LegId, turn: u32) -> Result<bool, StoreError> {
        let keep = Expression::new(
            "SET #turn = :turn",
            "attribute_exists(#line) AND attribute_not_exists(#turn)",
        )
        .with(":turn", AttributeValue::N(turn.to_string()));
        self.change_call("keep a turn", call, &keep).await
    }
}
