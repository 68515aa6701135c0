//! The table itself, as the board and the tests create it. In the cloud `template.yaml` does, and a
//! test compares the two.

use super::{StoreError, key};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

/// The table's keys: name of the index (none for the table itself), partition key, sort key.
pub const TABLE_KEYS: [(Option<&str>, &str, &str); 3] = [
    (None, key::PK, key::SK),
    (Some(key::BY_LISTING), key::LISTING, key::LISTED),
    (Some(key::BY_CONVERSATION), key::CONVERSATION, key::SK),
];

fn schema(pk: &str, sk: &str) -> Vec<KeySchemaElement> {
    [(pk, KeyType::Hash), (sk, KeyType::Range)]
        .into_iter()
        .map(|(name, kind)| {
            let element = KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind);
            element.build().expect("name and kind are set")
        })
        .collect()
}

/// Creates the table, unless it is there.
///
/// # Errors
/// When DynamoDB does not answer.
pub async fn create_table(client: &Client, table: &str) -> Result<(), StoreError> {
    let names: std::collections::BTreeSet<_> = TABLE_KEYS
        .iter()
        .flat_map(|(_, pk, sk)| [*pk, *sk])
        .collect();
    let attributes = names.into_iter().map(|name| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .expect("name and type are set")
    });
    let projection = Projection::builder()
        .projection_type(ProjectionType::All)
        .build();
    let mut create = client
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(attributes.collect()));
    for (index, pk, sk) in TABLE_KEYS {
        create = match index {
            None => create.set_key_schema(Some(schema(pk, sk))),
            Some(index) => create.global_secondary_indexes(
                GlobalSecondaryIndex::builder()
                    .index_name(index)
                    .set_key_schema(Some(schema(pk, sk)))
                    .projection(projection.clone())
                    .build()
                    .expect("name and keys are set"),
            ),
        };
    }
    if let Err(error) = create.send().await {
        let there = error
            .as_service_error()
            .is_some_and(CreateTableError::is_resource_in_use_exception);
        if !there {
            return Err(StoreError::unavailable("create the table")(error));
        }
        return Ok(());
    }
    let ttl = TimeToLiveSpecification::builder()
        .attribute_name(key::TTL)
        .enabled(true)
        .build();
    client
        .update_time_to_live()
        .table_name(table)
        .time_to_live_specification(ttl.expect("name and switch are set"))
        .send()
        .await
        .map_err(StoreError::unavailable("set the table's expiry"))?;
    Ok(())
}
