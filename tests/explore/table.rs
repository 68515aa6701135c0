//! The table as a function: rows and a request in, rows and a reply out.

use crate::mutation::Mutation;
use dynoxide::Database;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// What lies in the table: by key, each item as canonical JSON.
pub(crate) type Rows = BTreeMap<String, Rc<str>>;

/// The name of the table.
pub(crate) const TABLE: &str = "switchboard";

/// Status and body, as DynamoDB would send them.
pub(crate) type Reply = (u16, Rc<str>);

/// A request, and the rows it may touch.
type Asked = (Rc<str>, Vec<(String, Rc<str>)>);

/// What a request did: rows set or removed, and its reply.
type Served = (Vec<(String, Option<Rc<str>>)>, Reply);

/// The board's engine, asked in this process, with a memory of what it was asked.
pub(crate) struct Table {
    engine: Database,
    mutations: Vec<Mutation>,
    served: HashMap<Asked, Rc<Served>>,
}

impl Table {
    pub(crate) fn new(mutations: Vec<Mutation>) -> Self {
        let engine = Database::memory().unwrap();
        let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
        let schema = json!({
            "TableName": TABLE,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        });
        engine.create_table(read(&schema)).unwrap();
        Self {
            engine,
            mutations,
            served: HashMap::new(),
        }
    }

    /// How many different requests the engine itself has served.
    pub(crate) fn asked(&self) -> usize {
        self.served.len()
    }

    /// Serves a request on these rows.
    pub(crate) fn serve(&mut self, rows: &Rows, operation: &str, body: &Rc<str>) -> (Rows, Reply) {
        let mut request: Value = serde_json::from_str(body).unwrap();
        let touched: Vec<_> = touched(rows, &request)
            .into_iter()
            .map(|key| {
                let row = rows.get(&key).cloned();
                (key, row.unwrap_or_else(|| "".into()))
            })
            .collect();
        let asked = (Rc::from(format!("{operation} {body}")), touched);
        let served = match self.served.get(&asked) {
            Some(served) => served.clone(),
            None => {
                for mutation in &self.mutations {
                    mutation.apply(&mut request);
                }
                let served = Rc::new(self.run(operation, &request, &asked.1));
                self.served.insert(asked, served.clone());
                served
            }
        };
        let mut rows = rows.clone();
        for (key, row) in &served.0 {
            match row {
                Some(row) => rows.insert(key.clone(), row.clone()),
                None => rows.remove(key),
            };
        }
        (rows, served.1.clone())
    }

    /// Serves a request in an engine that holds just the rows it touches.
    fn run(&mut self, operation: &str, request: &Value, touched: &[(String, Rc<str>)]) -> Served {
        let engine = &self.engine;
        for (_, row) in touched.iter().filter(|(_, row)| !row.is_empty()) {
            let item: Value = serde_json::from_str(row).unwrap();
            let put = json!({ "TableName": TABLE, "Item": item });
            engine.put_item(read(&put)).unwrap();
        }
        let done = match operation {
            "GetItem" => engine.get_item(read(request)).map(|r| text(&r)),
            "PutItem" => engine.put_item(read(request)).map(|r| text(&r)),
            "UpdateItem" => engine.update_item(read(request)).map(|r| text(&r)),
            "DeleteItem" => engine.delete_item(read(request)).map(|r| text(&r)),
            "BatchGetItem" => engine.batch_get_item(read(request)).map(|r| text(&r)),
            "Query" => engine.query(read(request)).map(|r| text(&r)),
            "TransactWriteItems" => engine.transact_write_items(read(request)).map(|r| text(&r)),
            other => panic!("nobody asks for {other} here"),
        };
        let reply = match done {
            Ok(body) => (200, body),
            Err(error) => {
                let body: Value = serde_json::from_str(&error.to_json()).unwrap();
                let kind = body["__type"].as_str().unwrap_or_default();
                assert!(
                    kind.contains("Conditional") || kind.contains("TransactionCanceled"),
                    "{operation} {request}: {body}"
                );
                (error.status_code(), text(&body))
            }
        };
        let all = engine.scan(read(&json!({ "TableName": TABLE }))).unwrap();
        let all: Value = serde_json::to_value(&all).unwrap();
        let mut left = Rows::new();
        for item in all["Items"].as_array().into_iter().flatten() {
            let key = json!({ "pk": item["pk"], "sk": item["sk"] });
            left.insert(key_of(&key), text(item));
            let delete = json!({ "TableName": TABLE, "Key": key });
            engine.delete_item(read(&delete)).unwrap();
        }
        let mut changes: Vec<_> = left
            .iter()
            .filter(|(key, row)| !touched.iter().any(|(k, r)| k == *key && r == *row))
            .map(|(key, row)| (key.clone(), Some(row.clone())))
            .collect();
        let removed = touched
            .iter()
            .filter(|(key, row)| !row.is_empty() && !left.contains_key(key));
        changes.extend(removed.map(|(key, _)| (key.clone(), None)));
        (changes, reply)
    }
}

/// The keys a request may read or write. Of a query: every row of its partition. Nothing that is
/// explored asks an index for anything that is there.
fn touched(rows: &Rows, request: &Value) -> Vec<String> {
    let mut keys = Vec::new();
    if let Some(values) = request.get("KeyConditionExpression") {
        assert!(values.is_string());
        let pk = request["ExpressionAttributeValues"][":pk"]["S"].as_str();
        let prefix = format!("{}|", pk.expect("no index is asked"));
        keys.extend(rows.keys().filter(|key| key.starts_with(&prefix)).cloned());
    }
    if let Some(batch) = request.get("RequestItems") {
        let asked = batch[TABLE]["Keys"].as_array().into_iter().flatten();
        keys.extend(asked.map(key_of));
    }
    if let Some(key) = request.get("Key").or_else(|| request.get("Item")) {
        keys.push(key_of(key));
    }
    for write in request["TransactItems"].as_array().into_iter().flatten() {
        for write in write.as_object().into_iter().flat_map(Map::values) {
            let key = write.get("Key").or_else(|| write.get("Item"));
            keys.push(key_of(key.unwrap()));
        }
    }
    keys.sort();
    keys.dedup();
    keys
}

/// `pk|sk` of an item or a key.
pub(crate) fn key_of(item: &Value) -> String {
    let part = |name: &str| item[name]["S"].as_str().unwrap().to_owned();
    format!("{}|{}", part("pk"), part("sk"))
}

fn read<T: serde::de::DeserializeOwned>(request: &Value) -> T {
    serde_json::from_value(request.clone()).unwrap()
}

fn text(value: &impl serde::Serialize) -> Rc<str> {
    canonical(&serde_json::to_value(value).unwrap())
        .to_string()
        .into()
}

/// The same JSON with its names in order.
pub(crate) fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields
                .iter()
                .map(|(name, value)| (name.clone(), canonical(value)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(all) => Value::Array(all.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// An item without DynamoDB's marks of types.
pub(crate) fn plain(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|one| one.iter().next()) else {
        return value.clone();
    };
    match kind.as_str() {
        "N" => inner.as_str().unwrap().parse::<i64>().unwrap().into(),
        "M" => plain_item(inner),
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

/// The same for a whole item.
pub(crate) fn plain_item(item: &Value) -> Value {
    let fields = item.as_object().unwrap().iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
    )
}

/// The short form of a value for people: nested marks of types taken off.
pub(crate) fn plain_deep(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}: {}", plain_deep(value)));
            fields.collect::<Vec<_>>().join(" ")
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
