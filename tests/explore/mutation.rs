//! A write on its way to the table that has lost one of its conditions, or a part.

use serde_json::{Value, json};

/// True of every item, there or not, and so no condition at all.
const ALWAYS: &str = "(attribute_exists(pk) OR attribute_not_exists(pk))";

/// What is changed on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mutation {
    /// What the key of the item begins with.
    pub(crate) item: &'static str,
    /// What its update begins with, to tell it from other writes of the same item. Empty for a put
    /// or a delete.
    pub(crate) update: &'static str,
    /// What is left out.
    pub(crate) lost: Lost,
}

/// What is left out of a write.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lost {
    /// This part of its condition.
    Condition(&'static str),
    /// The write itself, in a transaction that is otherwise done.
    Write,
}

impl Mutation {
    /// Changes the request, if it is one of those meant.
    pub(crate) fn apply(&self, request: &mut Value) {
        if request.get("Key").is_some() {
            self.apply_to(request);
        }
        let writes = request
            .get_mut("TransactItems")
            .and_then(Value::as_array_mut);
        for write in writes.into_iter().flatten() {
            let (kind, mut inner) = {
                let (kind, inner) = write.as_object().unwrap().iter().next().unwrap();
                (kind.clone(), inner.clone())
            };
            if matches!(self.lost, Lost::Write) && self.means(&inner) {
                let key = inner.get("Key").cloned().unwrap_or_else(
                    || json!({ "pk": inner["Item"]["pk"], "sk": inner["Item"]["sk"] }),
                );
                *write = json!({ "ConditionCheck": {
                    "TableName": inner["TableName"], "Key": key, "ConditionExpression": ALWAYS,
                } });
                continue;
            }
            self.apply_to(&mut inner);
            write[kind] = inner;
        }
    }

    fn means(&self, write: &Value) -> bool {
        let key = write.get("Key").or_else(|| write.get("Item"));
        let pk = key.and_then(|key| key["pk"]["S"].as_str());
        let update = write["UpdateExpression"].as_str().unwrap_or_default();
        let same = if self.update.is_empty() {
            update.is_empty()
        } else {
            update.starts_with(self.update)
        };
        pk.is_some_and(|pk| pk.starts_with(self.item)) && same
    }

    fn apply_to(&self, write: &mut Value) {
        let Lost::Condition(lost) = self.lost else {
            return;
        };
        if !self.means(write) {
            return;
        }
        if let Some(condition) = write["ConditionExpression"].as_str() {
            // Beside what is always true, the values it names stay in use.
            let dropped = condition.replace(lost, &format!("({lost} OR {ALWAYS})"));
            write["ConditionExpression"] = dropped.into();
        }
    }
}
