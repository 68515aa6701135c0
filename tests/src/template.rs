//! The stack's template, as it is written.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// `template.yaml`. CloudFormation's short forms come as the text behind their tags: `!GetAtt Log.Arn`
/// is `"Log.Arn"`.
///
/// # Panics
/// When it is not YAML.
#[must_use]
pub fn read() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let text = std::fs::read_to_string(&path).expect("the template is there");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The properties of its resources of one type, by their names. A function's is that of its binary, with a
/// capital.
///
/// # Panics
/// When it is no template.
#[must_use]
pub fn resources(template: &Value, kind: &str) -> BTreeMap<String, Value> {
    let all = template["Resources"].as_object().expect("it has resources");
    let found = all.iter().filter(|(_, one)| one["Type"] == kind);
    found
        .map(|(name, one)| (name.clone(), one["Properties"].clone()))
        .collect()
}
