//! The API's own description, where it is at hand.

use super::{Operation, ask, ask_with, bodies_of, faults, operations};
use serde_json::{Value, json};
use std::collections::BTreeSet;

struct Description {
    whole: Value,
}

/// What `SWITCHBOARD_OPENAPI` names; nothing if it is unset.
fn description() -> Option<Description> {
    let Some(path) = std::env::var_os("SWITCHBOARD_OPENAPI") else {
        eprintln!("skipped: SWITCHBOARD_OPENAPI names no description of the Voice API");
        return None;
    };
    let yaml = std::fs::read_to_string(path).expect("SWITCHBOARD_OPENAPI names a file");
    let whole = serde_saphyr::from_str(&yaml).expect("the description is YAML");
    Some(Description { whole })
}

impl Description {
    /// Every operation: its id, its method in capitals, its path, and the whole of it.
    fn operations(&self) -> Vec<(String, String, String, &Value)> {
        let mut found = Vec::new();
        for (path, item) in self.whole["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                if let Some(id) = operation["operationId"].as_str() {
                    let method = method.to_uppercase();
                    found.push((id.to_owned(), method, path.clone(), operation));
                }
            }
        }
        found
    }

    fn operation(&self, wanted: &str) -> Option<&Value> {
        let operations = self.operations();
        operations
            .into_iter()
            .find(|(id, ..)| id == wanted)
            .map(|(.., operation)| operation)
    }

    /// A schema, with all that it may refer to.
    fn schema(&self, schema: &Value) -> Value {
        json!({ "allOf": [schema], "components": self.whole["components"] })
    }

    /// Every property below a schema, by its path: `to.number`.
    fn properties(&self, schema: &Value, path: &str, found: &mut BTreeSet<String>) {
        if let Some(name) = schema["$ref"].as_str() {
            let pointer = name.strip_prefix('#').unwrap();
            self.properties(self.whole.pointer(pointer).unwrap(), path, found);
        }
        for key in ["oneOf", "allOf", "anyOf"] {
            for part in schema[key].as_array().into_iter().flatten() {
                self.properties(part, path, found);
            }
        }
        if schema["items"].is_object() {
            self.properties(&schema["items"], path, found);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{name}");
            found.insert(path.clone());
            self.properties(property, &path, found);
        }
    }
}

/// Every property in a body.
fn used(body: &Value, path: &str, found: &mut BTreeSet<String>) {
    match body {
        Value::Array(items) => items.iter().for_each(|item| used(item, path, found)),
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{path}.{name}");
                found.insert(path.clone());
                used(value, &path, found);
            }
        }
        _ => {}
    }
}

fn valid(operation: &Operation) -> Vec<Value> {
    let bodies = bodies_of(operation).into_iter();
    bodies
        .filter_map(|body| body.is_valid.then_some(body.json))
        .collect()
}

#[test]
fn every_operation_and_every_property_is_tried() {
    let Some(description) = description() else {
        return;
    };
    let ours = operations();
    for (id, method, path, described) in description.operations() {
        let operation = ours.iter().find(|operation| operation.id == id);
        let operation = operation.unwrap_or_else(|| panic!("{id} is not tried"));
        assert_eq!(
            (operation.method, operation.path),
            (method.as_str(), path.as_str()),
            "{id}"
        );
        let mut wanted = BTreeSet::new();
        let content = &described["requestBody"]["content"]["application/json"]["schema"];
        description.properties(content, "", &mut wanted);
        let mut tried = BTreeSet::new();
        valid(operation)
            .iter()
            .for_each(|body| used(body, "", &mut tried));
        let missing: Vec<_> = wanted.difference(&tried).collect();
        assert!(missing.is_empty(), "{id}: {missing:?}");
    }
}

#[test]
fn every_answer_is_as_described() {
    let Some(description) = description() else {
        return;
    };
    for operation in operations() {
        let Some(described) = description.operation(operation.id) else {
            continue;
        };
        let status = operation.status.to_string();
        let response = &described["responses"][&status];
        assert!(
            response.is_object(),
            "{}: {status} is not described",
            operation.id
        );
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let bodies = valid(&operation);
        let none = [Value::Null];
        for body in if bodies.is_empty() {
            &none[..]
        } else {
            &bodies
        } {
            let (_, answer) = ask_with(&operation, body);
            let faults = faults(&description.schema(schema), &answer);
            assert_eq!(faults, [""; 0], "{} {body}: {answer}", operation.id);
            let mut known = BTreeSet::new();
            description.properties(schema, "", &mut known);
            let mut told = BTreeSet::new();
            used(&answer, "", &mut told);
            // The links to other pages are in no list of properties, only in samples.
            told.retain(|path| !path.starts_with("._links"));
            let unknown: Vec<_> = told.difference(&known).collect();
            assert!(unknown.is_empty(), "{}: {unknown:?}", operation.id);
        }
    }
}

#[test]
fn every_choice_and_every_bound_of_a_query_is_taken() {
    let Some(description) = description() else {
        return;
    };
    let all = operations();
    let list = all
        .iter()
        .find(|operation| operation.id == "getCalls")
        .unwrap();
    let parameters = description.operation("getCalls").unwrap()["parameters"]
        .as_array()
        .unwrap();
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        let schema = &parameter["schema"];
        let mut values: Vec<Value> = schema["enum"].as_array().cloned().unwrap_or_default();
        values.extend(["minimum", "maximum", "default", "example"].map(|key| schema[key].clone()));
        for value in values.iter().filter(|value| !value.is_null()) {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            assert_eq!(
                ask(list, &format!("{name}={text}"), b"").0,
                200,
                "{name}={text}"
            );
        }
        let past = |key: &str, by: i64| schema[key].as_i64().map(|value| value + by);
        for value in [past("minimum", -1), past("maximum", 1)]
            .into_iter()
            .flatten()
        {
            assert_eq!(
                ask(list, &format!("{name}={value}"), b"").0,
                400,
                "{name}={value}"
            );
        }
    }
}

#[test]
fn every_language_and_voice_is_taken() {
    let Some(description) = description() else {
        return;
    };
    let all = operations();
    let talk = all
        .iter()
        .find(|operation| operation.id == "startTalk")
        .unwrap();
    for name in ["language", "voice_name"] {
        let choices = &description.whole["components"]["schemas"][name]["enum"];
        for choice in choices.as_array().expect("they are listed") {
            let body = json!({ "text": "Hello", name: choice });
            assert_eq!(ask_with(talk, &body).0, 200, "{body}");
        }
    }
}
