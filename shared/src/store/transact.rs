//! Several writes that happen together or not at all.

use super::{Item, Key, Store, StoreError, key_of};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure as OnFailure,
    TransactWriteItem, Update,
};
use std::time::Duration;

/// How often a transaction that met another on the same item is tried again. Two handlers that
/// claim the same caller meet once; the loser's second try fails its condition at once.
const CONFLICT_RETRIES: u32 = 5;

/// First wait after a conflict; the others double. A DynamoDB transaction takes about 10 ms.
const CONFLICT_WAIT: Duration = Duration::from_millis(15);

/// Sends a single write again while a transaction is under way on the same item. The SDK does not:
/// it takes the conflict for a final no.
pub(super) async fn through_conflicts<T, E, R, Fut>(
    send: impl Fn() -> Fut,
) -> Result<T, SdkError<E, R>>
where
    E: ProvideErrorMetadata,
    Fut: Future<Output = Result<T, SdkError<E, R>>>,
{
    let mut conflicts = 0;
    loop {
        match send().await {
            Err(SdkError::ServiceError(error))
                if error.err().code() == Some("TransactionConflictException")
                    && conflicts < CONFLICT_RETRIES =>
            {
                tokio::time::sleep(CONFLICT_WAIT * 2_u32.pow(conflicts)).await;
                conflicts += 1;
            }
            sent => return sent,
        }
    }
}

/// One write of a transaction.
#[derive(Debug, Clone)]
pub(super) struct Write(TransactWriteItem);

/// What came of a transaction.
#[derive(Debug)]
pub(super) enum Transacted {
    /// All of it is written.
    Done,
    /// None of it is: per write, whether its own condition failed, and the item as it stands.
    Refused(Vec<Option<Item>>),
}

impl Transacted {
    /// Whether the condition of the n-th write failed.
    pub(super) fn refused(&self, index: usize) -> bool {
        matches!(self, Self::Refused(writes) if writes.get(index).is_some_and(Option::is_some))
    }
}

/// An update expression with its names and values, written as text with `:name` values.
#[derive(Debug, Clone, Default)]
pub(super) struct Expression {
    pub(super) update: String,
    pub(super) condition: String,
    pub(super) values: Item,
}

impl Expression {
    pub(super) fn new(update: &str, condition: &str) -> Self {
        Self {
            update: update.to_owned(),
            condition: condition.to_owned(),
            values: Item::new(),
        }
    }

    pub(super) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// Sets every attribute of an item, besides what the update says already.
    pub(super) fn set_all(mut self, item: Item) -> Self {
        for (name, value) in item {
            let separator = if self.update.is_empty() { "SET " } else { ", " };
            // Our attribute names may be DynamoDB's reserved words: `#` keeps them apart.
            self.update
                .push_str(&format!("{separator}#{name} = :{name}"));
            self.values.insert(format!(":{name}"), value);
        }
        self
    }

    /// The names used, each written `#name` in the expressions.
    pub(super) fn names(&self) -> Option<std::collections::HashMap<String, String>> {
        let mut names = std::collections::HashMap::new();
        for text in [&self.update, &self.condition] {
            for part in text.split('#').skip(1) {
                let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &part[..end.unwrap_or(part.len())];
                names.insert(format!("#{name}"), name.to_owned());
            }
        }
        (!names.is_empty()).then_some(names)
    }

    /// The condition, if there is one.
    pub(super) fn condition(&self) -> Option<String> {
        Some(self.condition.clone()).filter(|text| !text.is_empty())
    }

    pub(super) fn values(&self) -> Option<Item> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }
}

impl Write {
    /// Puts an item where none is.
    pub(super) fn put_new(table: &str, item: Item) -> Self {
        Self::put_when(
            table,
            item,
            &Expression::new("", "attribute_not_exists(pk)"),
        )
    }

    /// Puts an item, under the expression's condition if it has one.
    pub(super) fn put_when(table: &str, item: Item, expression: &Expression) -> Self {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(item))
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        Self(
            TransactWriteItem::builder()
                .put(put.expect("table and item are set"))
                .build(),
        )
    }

    /// Stands in the way of the others unless the expression's condition holds.
    pub(super) fn check(table: &str, key: Key<'_>, expression: &Expression) -> Self {
        let check = ConditionCheck::builder()
            .table_name(table)
            .set_key(Some(key_of(key)))
            .condition_expression(&expression.condition)
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        Self(
            TransactWriteItem::builder()
                .condition_check(check.expect("key and condition are set"))
                .build(),
        )
    }

    /// Deletes an item, under the expression's condition if it has one.
    pub(super) fn delete_when(table: &str, key: Key<'_>, expression: &Expression) -> Self {
        let delete = Delete::builder()
            .table_name(table)
            .set_key(Some(key_of(key)))
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        Self(
            TransactWriteItem::builder()
                .delete(delete.expect("key is set"))
                .build(),
        )
    }

    /// Deletes an item, if it is there.
    pub(super) fn delete_any(table: &str, key: Key<'_>) -> Self {
        Self::delete_when(table, key, &Expression::default())
    }

    /// Deletes an item that must be there.
    pub(super) fn delete(table: &str, key: Key<'_>) -> Self {
        Self::delete_when(table, key, &Expression::new("", "attribute_exists(pk)"))
    }

    /// Puts an item, whether or not one is there.
    pub(super) fn put(table: &str, item: Item) -> Self {
        Self::put_when(table, item, &Expression::default())
    }

    /// Changes an item, under a condition if there is one; makes it where there is none.
    pub(super) fn update(table: &str, key: Key<'_>, expression: &Expression) -> Self {
        Self::update_at(table, key_of(key), expression)
    }

    /// The same of an item that was read, under its own key.
    pub(super) fn update_at(table: &str, key: Item, expression: &Expression) -> Self {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(&expression.update)
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
            .return_values_on_condition_check_failure(OnFailure::AllOld)
            .build();
        Self(
            TransactWriteItem::builder()
                .update(update.expect("key and update are set"))
                .build(),
        )
    }
}

impl Store {
    /// An update of one item by an expression, under its condition if it has one.
    pub(super) fn update(&self, key: Key<'_>, expression: &Expression) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key_of(key)))
            .update_expression(&expression.update)
            .set_condition_expression(expression.condition())
            .set_expression_attribute_names(expression.names())
            .set_expression_attribute_values(expression.values())
    }

    /// The same, done. False where its condition failed.
    pub(super) async fn update_if(
        &self,
        operation: &'static str,
        key: Key<'_>,
        expression: &Expression,
    ) -> Result<bool, StoreError> {
        let update = self.update(key, expression);
        match through_conflicts(|| update.clone().send()).await {
            Ok(_) => Ok(true),
            Err(error) => match error.as_service_error() {
                Some(e) if e.is_conditional_check_failed_exception() => Ok(false),
                _ => Err(StoreError::unavailable(operation)(error)),
            },
        }
    }

    /// Does all the writes, or none and says which condition stood against it.
    pub(super) async fn transact(
        &self,
        operation: &'static str,
        writes: Vec<Write>,
    ) -> Result<Transacted, StoreError> {
        let writes: Vec<_> = writes.into_iter().map(|write| write.0).collect();
        let mut conflicts = 0;
        loop {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Transacted::Done);
            };
            let service = error.as_service_error();
            let Some(cancelled) =
                service.filter(|e| e.is_transaction_canceled_exception()).and_then(|e| match e {
                    aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(e) => Some(e),
                    _ => None,
                })
            else {
                let conflict = error.code() == Some("TransactionInProgressException");
                if conflict && conflicts < CONFLICT_RETRIES {
                    tokio::time::sleep(CONFLICT_WAIT * 2_u32.pow(conflicts)).await;
                    conflicts += 1;
                    continue;
                }
                return Err(StoreError::unavailable(operation)(error));
            };
            let reasons = cancelled.cancellation_reasons();
            let code = |reason: &aws_sdk_dynamodb::types::CancellationReason, code: &str| {
                reason.code() == Some(code)
            };
            if reasons
                .iter()
                .any(|reason| code(reason, "ConditionalCheckFailed"))
            {
                let refused = reasons.iter().map(|reason| {
                    code(reason, "ConditionalCheckFailed")
                        .then(|| reason.item().cloned().unwrap_or_default())
                });
                return Ok(Transacted::Refused(refused.collect()));
            }
            if conflicts < CONFLICT_RETRIES {
                tokio::time::sleep(CONFLICT_WAIT * 2_u32.pow(conflicts)).await;
                conflicts += 1;
                continue;
            }
            return Err(StoreError::unavailable(operation)(error));
        }
    }
}
