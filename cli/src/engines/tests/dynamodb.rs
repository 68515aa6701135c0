use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, KeysAndAttributes, Projection, ProjectionType, Put, ReturnValue,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType, TimeToLiveSpecification,
    TimeToLiveStatus, TransactWriteItem, Update,
};

use crate::engines::Engines;
use switchboard_shared::clock::Clock;

type Item = HashMap<String, AttributeValue>;

pub(super) const TABLE: &str = "switchboard";
const INDEX: &str = "by-line";

#[tokio::test]
async fn a_second_put_of_the_same_key_fails_and_shows_the_first_item() {
    let (_engines, client) = table().await;
    let put = |note: &str| {
        client
            .put_item()
            .table_name(TABLE)
            .set_item(Some(item("CALL#1", "CALL", &[("note", note)])))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
    };
    put("first").await.unwrap();
    let error = put("second").await.unwrap_err().into_service_error();
    let PutItemError::ConditionalCheckFailedException(failed) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        failed.item(),
        Some(&item("CALL#1", "CALL", &[("note", "first")]))
    );
}

#[tokio::test]
async fn a_refused_transaction_changes_nothing_and_names_each_condition_that_failed() {
    let (_engines, client) = table().await;
    for key in ["CALL#2", "CALL#3"] {
        put(&client, item(key, "CALL", &[("state", "held")])).await;
    }
    let claim = |key: &str| {
        let put = Put::builder()
            .table_name(TABLE)
            .set_item(Some(item(key, "CALL", &[("state", "claimed")])))
            .condition_expression("attribute_not_exists(pk)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        TransactWriteItem::builder()
            .put(put.build().unwrap())
            .build()
    };
    let error = client
        .transact_write_items()
        .transact_items(claim("CALL#1"))
        .transact_items(claim("CALL#2"))
        .transact_items(claim("CALL#3"))
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        panic!("{error:?}");
    };
    let reasons: Vec<_> = canceled
        .cancellation_reasons()
        .iter()
        .map(|reason| (reason.code().unwrap(), reason.item()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("None", None),
            (
                "ConditionalCheckFailed",
                Some(&item("CALL#2", "CALL", &[("state", "held")]))
            ),
            (
                "ConditionalCheckFailed",
                Some(&item("CALL#3", "CALL", &[("state", "held")]))
            ),
        ]
    );
    assert_eq!(get(&client, "CALL#1", "CALL").await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_transactions_for_the_same_caller_and_agent_one_wins() {
    let (_engines, client) = table().await;
    put(&client, item("CALLER#1", "WAIT", &[("state", "waiting")])).await;
    put(&client, item("AGENT#1", "FREE", &[("state", "waiting")])).await;
    let take = |key: (&str, &str), winner: &str| {
        let update = Update::builder()
            .table_name(TABLE)
            .set_key(Some(item(key.0, key.1, &[])))
            .update_expression("SET #s = :taken, winner = :winner")
            .condition_expression("#s = :waiting")
            .expression_attribute_names("#s", "state")
            .expression_attribute_values(":taken", s("taken"))
            .expression_attribute_values(":waiting", s("waiting"))
            .expression_attribute_values(":winner", s(winner));
        TransactWriteItem::builder()
            .update(update.build().unwrap())
            .build()
    };
    let claims: Vec<_> = (0..16)
        .map(|number| {
            let winner = number.to_string();
            let claim = client
                .transact_write_items()
                .transact_items(take(("CALLER#1", "WAIT"), &winner))
                .transact_items(take(("AGENT#1", "FREE"), &winner));
            tokio::spawn(async move { claim.send().await.map(|_| winner) })
        })
        .collect();
    let mut winners = Vec::new();
    for claim in claims {
        match claim.await.unwrap() {
            Ok(winner) => winners.push(winner),
            Err(error) => assert!(
                error
                    .as_service_error()
                    .is_some_and(TransactWriteItemsError::is_transaction_canceled_exception),
                "{error:?}"
            ),
        }
    }
    assert_eq!(winners.len(), 1);
    for (pk, sk) in [("CALLER#1", "WAIT"), ("AGENT#1", "FREE")] {
        let item = get(&client, pk, sk).await.unwrap();
        assert_eq!(item["winner"], s(&winners[0]));
    }
}

#[tokio::test]
async fn a_consistent_query_gives_the_items_under_a_prefix_in_order_page_by_page() {
    let (_engines, client) = table().await;
    for sort in ["EVENT#2", "WAIT#1", "EVENT#10", "EVENT#1", "EVENT"] {
        put(&client, item("CALL#1", sort, &[])).await;
    }
    let query = || {
        client
            .query()
            .table_name(TABLE)
            .consistent_read(true)
            .scan_index_forward(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":pk", s("CALL#1"))
            .expression_attribute_values(":prefix", s("EVENT#"))
            .limit(2)
    };
    let first = query().send().await.unwrap();
    assert_eq!(sorts(first.items()), ["EVENT#1", "EVENT#10"]);
    let second = query()
        .set_exclusive_start_key(first.last_evaluated_key().cloned())
        .send()
        .await
        .unwrap();
    assert_eq!(sorts(second.items()), ["EVENT#2"]);
    assert_eq!(second.last_evaluated_key(), None);
}

#[tokio::test]
async fn a_batch_of_gets_gives_what_is_there_and_leaves_out_what_is_not() {
    let (_engines, client) = table().await;
    for key in ["AGENT#1", "AGENT#2"] {
        put(&client, item(key, "AGENT", &[])).await;
    }
    let keys = ["AGENT#2", "AGENT#1", "AGENT#9"].map(|key| item(key, "AGENT", &[]));
    let wanted = KeysAndAttributes::builder()
        .set_keys(Some(keys.into()))
        .consistent_read(true)
        .build()
        .unwrap();
    let answer = client
        .batch_get_item()
        .request_items(TABLE, wanted)
        .send()
        .await
        .unwrap();
    let mut found: Vec<_> = answer.responses().unwrap()[TABLE]
        .iter()
        .map(|item| item["pk"].as_s().unwrap().as_str())
        .collect();
    found.sort_unstable();
    assert_eq!(found, ["AGENT#1", "AGENT#2"]);
    assert!(answer.unprocessed_keys().is_none_or(HashMap::is_empty));
}

#[tokio::test]
async fn an_index_holds_the_items_that_have_its_keys_newest_first_if_wanted() {
    let (_engines, client) = table().await;
    for (key, day) in [("CALL#1", "01"), ("CALL#2", "03"), ("CALL#3", "02")] {
        let keys = [("gpk", "LINE#44"), ("gsk", day), ("kept", "yes")];
        put(&client, item(key, "CALL", &keys)).await;
    }
    put(&client, item("CALL#4", "CALL", &[("kept", "yes")])).await;
    let answer = client
        .query()
        .table_name(TABLE)
        .index_name(INDEX)
        .scan_index_forward(false)
        .key_condition_expression("gpk = :line AND gsk BETWEEN :from AND :to")
        .expression_attribute_values(":line", s("LINE#44"))
        .expression_attribute_values(":from", s("02"))
        .expression_attribute_values(":to", s("03"))
        .send()
        .await
        .unwrap();
    let found: Vec<_> = answer
        .items()
        .iter()
        .map(|item| (item["pk"].as_s().unwrap().as_str(), item["kept"].clone()))
        .collect();
    assert_eq!(found, [("CALL#2", s("yes")), ("CALL#3", s("yes"))]);
}

#[tokio::test]
async fn the_attribute_that_expires_items_can_be_set() {
    let (_engines, client) = table().await;
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name("expires")
        .enabled(true)
        .build()
        .unwrap();
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(expiry)
        .send()
        .await
        .unwrap();
    let answer = client
        .describe_time_to_live()
        .table_name(TABLE)
        .send()
        .await
        .unwrap();
    let told = answer.time_to_live_description().unwrap();
    assert_eq!(told.attribute_name(), Some("expires"));
    assert_eq!(told.time_to_live_status(), Some(&TimeToLiveStatus::Enabled));
}

#[tokio::test]
async fn an_update_fills_in_what_is_missing_and_obeys_its_condition() {
    let (_engines, client) = table().await;
    let update = |value: &str, most: &str| {
        client
            .update_item()
            .table_name(TABLE)
            .set_key(Some(item("CALL#1", "CALL", &[])))
            .update_expression("SET began = if_not_exists(began, :value) ADD rings :one")
            .condition_expression("attribute_not_exists(rings) OR rings < :most")
            .expression_attribute_values(":value", s(value))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":most", AttributeValue::N(most.to_owned()))
            .return_values(ReturnValue::AllNew)
            .send()
    };
    let first = update("first", "2").await.unwrap();
    assert_eq!(first.attributes().unwrap()["began"], s("first"));
    let second = update("second", "2").await.unwrap();
    let mut wanted = item("CALL#1", "CALL", &[("began", "first")]);
    wanted.insert("rings".to_owned(), AttributeValue::N("2".to_owned()));
    assert_eq!(second.attributes(), Some(&wanted));
    let third = update("third", "2").await.unwrap_err().into_service_error();
    assert!(
        matches!(third, UpdateItemError::ConditionalCheckFailedException(_)),
        "{third:?}"
    );
}

/// Engines with a table in them like the one of the stack.
async fn table() -> (Engines, Client) {
    let engines = Engines::in_memory(Clock::default()).await.unwrap();
    let client = engines.dynamodb_client();
    create_table(&client).await;
    (engines, client)
}

pub(super) async fn create_table(client: &Client) {
    let attribute = |name: &str| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .unwrap()
    };
    let key = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name(INDEX)
        .key_schema(key("gpk", KeyType::Hash))
        .key_schema(key("gsk", KeyType::Range))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        );
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .set_attribute_definitions(Some(["pk", "sk", "gpk", "gsk"].map(attribute).into()))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index.build().unwrap())
        .send()
        .await
        .unwrap();
}

pub(super) async fn put(client: &Client, item: Item) {
    client
        .put_item()
        .table_name(TABLE)
        .set_item(Some(item))
        .send()
        .await
        .unwrap();
}

pub(super) async fn get(client: &Client, pk: &str, sk: &str) -> Option<Item> {
    client
        .get_item()
        .table_name(TABLE)
        .set_key(Some(item(pk, sk, &[])))
        .consistent_read(true)
        .send()
        .await
        .unwrap()
        .item
}

pub(super) fn item(pk: &str, sk: &str, rest: &[(&str, &str)]) -> Item {
    [("pk", pk), ("sk", sk)]
        .iter()
        .chain(rest)
        .map(|(name, value)| ((*name).to_owned(), s(value)))
        .collect()
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn sorts(items: &[Item]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["sk"].as_s().unwrap().as_str())
        .collect()
}
