//! Versions of the plan.

use super::{Key, Store, StoreError, key_of, to_item};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A version of the plan, as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanText {
    /// Its version.
    pub version: String,
    /// The TOML.
    pub text: String,
    /// When it was pushed.
    pub pushed: String,
}

impl Store {
    /// The plan in force, or a version that a running call began with.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn plan(&self, version: Option<&str>) -> Result<Option<PlanText>, StoreError> {
        let key = version.map_or(Key::CurrentPlan, Key::Plan);
        self.get("read the plan", key).await
    }

    /// Puts a plan in force. The version is kept for the calls that begin with it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn push_plan(
        &self,
        version: &str,
        plan: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let plan = PlanText {
            version: version.to_owned(),
            text: plan.to_owned(),
            pushed: now.to_string(),
        };
        // The version first: a call may ask for it as soon as it is in force.
        for key in [Key::Plan(version), Key::CurrentPlan] {
            let mut item = key_of(key);
            item.extend(to_item(&plan));
            self.client
                .put_item()
                .table_name(&self.table)
                .set_item(Some(item))
                .send()
                .await
                .map_err(StoreError::unavailable("push a plan"))?;
        }
        Ok(())
    }
}
