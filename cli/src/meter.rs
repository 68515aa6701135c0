//! What the functions ask of AWS: which requests, under which permission, and what is billed for them.
//!
//! A board that is given a meter has each function's requests pass it. The roles of `template.yaml` are
//! held to what it saw, and `docs/cost.md` is made from it.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// A function, by the name of its binary.
pub type Function = &'static str;

/// Counts. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Meter(Arc<Mutex<Usage>>);

/// What was counted, in the order in which it ended.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    /// Requests to AWS.
    pub requests: Vec<Request>,
    /// Invocations of functions.
    pub invocations: Vec<Invocation>,
}

/// A request to AWS.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asked.
    pub function: Function,
    /// For what: `dynamodb:TransactWriteItems`.
    pub operation: String,
    /// What its role must allow for it.
    pub grants: BTreeSet<Grant>,
    /// The read units it is billed, of 4 kB each; a transaction's count twice, and what may be a little
    /// old by half.
    ///
    /// See [AWS](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html).
    pub read: f64,
    /// The write units, of 1 kB each and for each index as well.
    pub write: f64,
    /// How many of those are an index's.
    pub indexes: BTreeMap<String, f64>,
}

/// A permission: an action on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// As IAM names it: `dynamodb:UpdateItem`.
    ///
    /// See [AWS](https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html).
    pub action: String,
    /// `table/NAME`, `table/NAME/index/NAME`, the name of a queue, or `BUCKET/*`.
    pub resource: String,
}

/// A function at work once.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Which.
    pub function: Function,
    /// What for.
    pub trigger: Trigger,
    /// From its being asked until it had answered. What it asked the engines is part of that.
    pub took: Duration,
}

/// What a function is invoked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A request through the API.
    Http,
    /// A message of a queue.
    Message,
    /// The time.
    Schedule,
}

/// An invocation that goes on until this is dropped.
#[derive(Debug)]
pub(crate) struct Begun {
    meter: Meter,
    function: Function,
    trigger: Trigger,
    at: Instant,
}

impl Meter {
    /// What was counted since the start, or since it was last taken.
    #[must_use]
    pub fn take(&self) -> Usage {
        std::mem::take(&mut *self.usage())
    }

    /// Has the requests of a function counted that are made by a configuration.
    #[must_use]
    pub(crate) fn before(&self, function: Function, sdk: &SdkConfig) -> SdkConfig {
        let Some(client) = sdk.http_client() else {
            return sdk.clone();
        };
        let counted = Counted {
            meter: self.clone(),
            function,
            client,
        };
        sdk.to_builder().http_client(counted).build()
    }

    /// A function is invoked.
    pub(crate) fn begin(&self, function: Function, trigger: Trigger) -> Begun {
        Begun {
            meter: self.clone(),
            function,
            trigger,
            at: Instant::now(),
        }
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.meter.usage().invocations.push(Invocation {
            function: self.function,
            trigger: self.trigger,
            took: self.at.elapsed(),
        });
    }
}

/// A client of one function, whose requests are counted.
#[derive(Debug)]
struct Counted {
    meter: Meter,
    function: Function,
    client: SharedHttpClient,
}

impl HttpClient for Counted {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Counting {
            meter: self.meter.clone(),
            function: self.function,
            connector: self.client.http_connector(settings, components),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.client.connector_metadata()
    }
}

#[derive(Debug)]
struct Counting {
    meter: Meter,
    function: Function,
    connector: SharedHttpConnector,
}

impl HttpConnector for Counting {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let mut counted = read(self.function, &request);
        let asks_for_bill = ask_for_bill(&mut request);
        let (meter, answer) = (self.meter.clone(), self.connector.call(request));
        HttpConnectorFuture::new(async move {
            let mut answer = answer.await?;
            if asks_for_bill {
                let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
                let body = ByteStream::new(body).collect().await;
                let body = body.map_err(|error| ConnectorError::io(error.into()))?;
                let body = body.into_bytes();
                bill(
                    &mut counted,
                    &serde_json::from_slice(&body).unwrap_or_default(),
                );
                *answer.body_mut() = SdkBody::from(body);
            }
            meter.usage().requests.push(counted);
            Ok(answer)
        })
    }
}

/// Has DynamoDB say what a request costs. The signature does not fit any more; the board's engine reads
/// none.
fn ask_for_bill(request: &mut HttpRequest) -> bool {
    let asks = target(request).is_some_and(|(service, _)| service == "DynamoDB_20120810");
    if asks {
        let mut body = body(request);
        body["ReturnConsumedCapacity"] = json!("INDEXES");
        let body = body.to_string();
        let length = body.len().to_string();
        request.headers_mut().insert("content-length", length);
        *request.body_mut() = SdkBody::from(body);
    }
    asks
}

/// What DynamoDB says that an answer is billed for: a part for each table, which has `CapacityUnits` and
/// those of its indexes.
fn consumed(said: &Value) -> &[Value] {
    let consumed = &said["ConsumedCapacity"];
    consumed
        .as_array()
        .map_or(std::slice::from_ref(consumed), Vec::as_slice)
}

/// The units of an answer of DynamoDB's that was asked to say them.
#[must_use]
pub fn units(said: &Value) -> f64 {
    let tables = consumed(said).iter();
    tables
        .filter_map(|table| table["CapacityUnits"].as_f64())
        .sum()
}

fn bill(counted: &mut Request, said: &Value) {
    let kind = said["__type"].as_str().unwrap_or_default();
    if let Some(cancelled) = said["CancellationReasons"].as_array() {
        // Nothing is said of what was not done, and it is billed all the same: twice the size of what
        // is there, for each.
        counted.write += 2.0 * cancelled.len() as f64;
    } else if kind.ends_with("ConditionalCheckFailedException") {
        counted.write += 1.0;
    } else if counted.operation.contains("Get") || counted.operation.ends_with("Query") {
        counted.read += units(said);
    } else {
        counted.write += units(said);
        let tables = consumed(said).iter();
        let indexes = tables.filter_map(|table| table["GlobalSecondaryIndexes"].as_object());
        for (index, consumed) in indexes.flatten() {
            let units = consumed["CapacityUnits"].as_f64().unwrap_or_default();
            *counted.indexes.entry(index.clone()).or_default() += units;
        }
    }
}

/// What a request asks for.
fn read(function: Function, request: &HttpRequest) -> Request {
    let (operation, grants) = match target(request) {
        Some(("DynamoDB_20120810", operation)) => (
            format!("dynamodb:{operation}"),
            of_table(operation, &body(request)),
        ),
        Some((_, operation)) => {
            let queue = &body(request)["QueueUrl"];
            let queue = queue.as_str().and_then(|url| url.rsplit('/').next());
            // Permission for one is permission for a batch.
            let action = format!("sqs:{}", operation.trim_end_matches("Batch"));
            let grant = Grant {
                action,
                resource: queue.unwrap_or_default().to_owned(),
            };
            (format!("sqs:{operation}"), BTreeSet::from([grant]))
        }
        None => of_bucket(request),
    };
    Request {
        function,
        operation,
        grants,
        read: 0.0,
        write: 0.0,
        indexes: BTreeMap::new(),
    }
}

/// Service and operation, of services that are asked by JSON.
fn target(request: &HttpRequest) -> Option<(&str, &str)> {
    request.headers().get("x-amz-target")?.split_once('.')
}

fn body(request: &HttpRequest) -> Value {
    let bytes = request.body().bytes().unwrap_or_default();
    serde_json::from_slice(bytes).unwrap_or_default()
}

fn of_table(operation: &str, asked: &Value) -> BTreeSet<Grant> {
    let grant = |action: &str, of: &Value| {
        let table = of["TableName"].as_str().unwrap_or_default();
        let index = of["IndexName"]
            .as_str()
            .map(|index| format!("/index/{index}"));
        Grant {
            action: format!("dynamodb:{action}"),
            resource: format!("table/{table}{}", index.unwrap_or_default()),
        }
    };
    // A transaction needs the permission of each of its parts, and none of its own.
    if let Some(items) = asked["TransactItems"].as_array() {
        let parts = items.iter().filter_map(Value::as_object).flatten();
        return parts
            .map(|(part, of)| match part.as_str() {
                "ConditionCheck" => grant("ConditionCheckItem", of),
                part => grant(&format!("{part}Item"), of),
            })
            .collect();
    }
    if let Some(tables) = asked["RequestItems"].as_object() {
        let tables = tables.keys();
        return tables
            .map(|table| grant(operation, &json!({ "TableName": table })))
            .collect();
    }
    BTreeSet::from([grant(operation, asked)])
}

/// S3's operations, by method, path and query.
///
/// See [AWS](https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html).
fn of_bucket(request: &HttpRequest) -> (String, BTreeSet<Grant>) {
    let url = Url::parse(request.uri()).ok();
    let path = url.as_ref().map_or("", |url| url.path());
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .unwrap_or((path, ""));
    let asks = |name: &str| {
        let query = url.iter().flat_map(|url| url.query_pairs());
        query.into_iter().any(|(named, _)| named == name)
    };
    let (operation, action) = match (request.method(), key.is_empty()) {
        ("PUT", false) if asks("uploadId") => ("UploadPart", "PutObject"),
        ("PUT", false) => ("PutObject", "PutObject"),
        ("POST", false) if asks("uploads") => ("CreateMultipartUpload", "PutObject"),
        ("POST", false) if asks("uploadId") => ("CompleteMultipartUpload", "PutObject"),
        ("DELETE", false) if asks("uploadId") => ("AbortMultipartUpload", "AbortMultipartUpload"),
        ("DELETE", false) => ("DeleteObject", "DeleteObject"),
        ("GET", false) => ("GetObject", "GetObject"),
        ("HEAD", false) => ("HeadObject", "GetObject"),
        ("GET", true) => ("ListObjectsV2", "ListBucket"),
        (method, _) => (method, "unknown"),
    };
    let all = if key.is_empty() { "" } else { "/*" };
    let grant = Grant {
        action: format!("s3:{action}"),
        resource: format!("{bucket}{all}"),
    };
    (format!("s3:{operation}"), BTreeSet::from([grant]))
}
