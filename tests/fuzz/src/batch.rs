//! What Lambda hands to the functions behind the queues.

use crate::functions::FUNCTIONS;
use serde_json::Value;
use switchboard_shared::job::{ArchiveJob, Job};

/// Reads the bytes as an event for `archive` and for `dispatch`.
///
/// # Panics
/// When a message that is no job is acknowledged, or one that is done is not.
pub fn target(data: &[u8]) {
    let Ok(event) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    let functions = &*FUNCTIONS;
    if !is_objects(&event) {
        // Read or not, it is answered: the AWS crate takes lists for objects, and AWS sends none.
        let _ = functions
            .runtime
            .block_on(functions.archiver.take(event.clone()));
        let _ = functions.runtime.block_on(functions.dispatch.take(event));
        return;
    }
    let archived = functions.archiver.take(event.clone());
    if let Ok(answer) = functions.runtime.block_on(archived) {
        let is_job = |body: &str| serde_json::from_str::<ArchiveJob>(body).is_ok();
        assert_eq!(failures(&answer), unread(&event, is_job), "{event}");
    }
    let dispatched = functions.dispatch.take(event.clone());
    if let Ok(answer) = functions.runtime.block_on(dispatched) {
        if answer["swept"] == true {
            assert!(event["source"] == "aws.events" || event["job"] == "sweep");
            return;
        }
        let is_job = |body: &str| serde_json::from_str::<Job>(body).is_ok();
        assert_eq!(failures(&answer), unread(&event, is_job), "{event}");
    }
}

fn is_objects(event: &Value) -> bool {
    let records = event["Records"].as_array();
    event.is_object() && records.is_none_or(|all| all.iter().all(Value::is_object))
}

/// The messages that are to come again.
fn failures(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array();
    let failures = failures.expect("an answer in the form of a batch");
    let id = |failure: &Value| failure["itemIdentifier"].as_str().map(str::to_owned);
    failures.iter().map(|one| id(one).expect("an id")).collect()
}

/// The messages that are no job, in their order.
fn unread(event: &Value, is_job: impl Fn(&str) -> bool) -> Vec<String> {
    let records = event["Records"].as_array().into_iter().flatten();
    let bad = records.filter(|record| !is_job(record["body"].as_str().unwrap_or_default()));
    bad.map(|record| record["messageId"].as_str().unwrap_or_default().to_owned())
        .collect()
}
