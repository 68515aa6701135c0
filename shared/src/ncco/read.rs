//! A script that someone else wrote: known actions as types, and everything else kept as it came.

use super::Action;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;

/// A script as it came.
///
/// Writes back (`Display`, serde) the JSON it was read from: every action and key, in its order. Only
/// white space, the spelling of numbers and escapes, and keys given twice are not kept.
///
/// `Debug` shows names of actions only: texts, numbers and URLs are the callers'.
///
/// ```
/// use switchboard_shared::ncco::{Action, read::ReadNcco};
///
/// let text = r#"[{"action":"wait","since":"tomorrow"},{"action":"dance"}]"#;
/// let ncco: ReadNcco = text.parse()?;
/// assert!(matches!(ncco.actions()[0].known(), Some(Action::Wait(_))));
/// assert_eq!(ncco.actions()[1].known(), None);
/// assert_eq!(ncco.to_string(), text);
/// # Ok::<(), switchboard_shared::ncco::read::ReadError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ReadNcco(Vec<ReadAction>);

impl ReadNcco {
    /// The actions, in the order in which they run.
    #[must_use]
    pub fn actions(&self) -> &[ReadAction] {
        &self.0
    }
}

/// An action as it came.
#[derive(Clone, PartialEq)]
pub struct ReadAction {
    json: Map<String, Value>,
    known: Option<Action>,
}

impl ReadAction {
    /// The action, if it is one we know and its values are what they must be. Keys that we do not
    /// know are in [`ReadAction::json`] only.
    #[must_use]
    pub fn known(&self) -> Option<&Action> {
        self.known.as_ref()
    }

    /// The action's name, known or not.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.json.get("action").and_then(Value::as_str)
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> &Map<String, Value> {
        &self.json
    }
}

impl fmt::Debug for ReadAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadAction")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Serialize for ReadAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// Text that is not a script at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or nested deeper than serde_json reads (128).
    #[error("could not read the script as JSON")]
    Json(#[source] serde_json::Error),
    /// JSON, but not an array.
    #[error("could not read the script: it is not an array")]
    NotAnArray,
    /// An array in which something is not an object.
    #[error("could not read action {position} of the script: it is not an object")]
    NotAnObject {
        /// Its place, from 0.
        position: usize,
    },
}

impl TryFrom<Value> for ReadNcco {
    type Error = ReadError;

    /// Takes in a script.
    ///
    /// # Errors
    /// When it is not an array of objects.
    fn try_from(json: Value) -> Result<Self, ReadError> {
        let Value::Array(actions) = json else {
            return Err(ReadError::NotAnArray);
        };
        let read = |(position, action)| {
            let Value::Object(json) = action else {
                return Err(ReadError::NotAnObject { position });
            };
            let known = Action::deserialize(&json).ok();
            Ok(ReadAction { json, known })
        };
        actions
            .into_iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for ReadNcco {
    type Err = ReadError;

    /// Reads a script.
    ///
    /// # Errors
    /// When it is not JSON, or not an array of objects.
    fn from_str(text: &str) -> Result<Self, ReadError> {
        serde_json::from_str::<Value>(text)
            .map_err(ReadError::Json)?
            .try_into()
    }
}

impl fmt::Display for ReadNcco {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).expect("what was read as JSON is JSON");
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ncco::check::{Severity, check_value};
    use crate::ncco::generate;
    use proptest::prelude::*;

    #[test]
    fn what_is_not_an_array_of_objects_is_refused() {
        let read = |text: &str| text.parse::<ReadNcco>().unwrap_err().to_string();
        assert_eq!(read("{"), "could not read the script as JSON");
        assert_eq!(read("{}"), "could not read the script: it is not an array");
        assert_eq!(
            read(r#"[{}, 1]"#),
            "could not read action 1 of the script: it is not an object"
        );
        let deep = "[".repeat(100_000);
        assert_eq!(read(&deep), "could not read the script as JSON");
    }

    #[test]
    fn a_script_in_a_log_shows_names_only() {
        let ncco: ReadNcco = r#"[{"action": "talk", "text": "secret"}]"#.parse().unwrap();
        assert_eq!(
            format!("{ncco:?}"),
            r#"ReadNcco([ReadAction { name: Some("talk"), .. }])"#
        );
    }

    #[test]
    fn tolerated_forms_are_read() {
        let ncco: ReadNcco = r#"[
            {"action": "stream", "streamUrl": ["https://example.com/a.mp3"], "loop": "0"},
            {"action": "transfer", "conversation_id": "CON-1"},
            {"action": "wait", "timeout": -3},
            {"action": "connect", "from": "Vonage", "ringbackTone": ["https://example.com/r.mp3"],
             "advanced_machine_detection": {"beepTimeout": "45"},
             "endpoint": [{"type": "sip", "uri": "sip:a@example.com", "standard_headers": {}}]}
        ]"#
        .parse()
        .unwrap();
        for action in ncco.actions() {
            assert!(action.known().is_some(), "{action:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(actions in prop::collection::vec(generate::object(), 0..5)) {
            let text = Value::from(actions).to_string();
            prop_assert_eq!(text.parse::<ReadNcco>().unwrap().to_string(), text);
        }

        #[test]
        fn an_action_without_faults_is_known(ncco in generate::nearly_an_ncco()) {
            let mut faults = check_value(&ncco);
            faults.retain(|fault| fault.severity == Severity::Fault);
            let read = ReadNcco::try_from(ncco).ok();
            for (position, action) in read.iter().flat_map(ReadNcco::actions).enumerate() {
                let here = format!("/{position}");
                let faulty = faults.iter().any(|f| {
                    f.pointer.strip_prefix(&here).is_some_and(|r| r.is_empty() || r.starts_with('/'))
                });
                if !faulty {
                    prop_assert!(action.known().is_some(), "{:?}", action.json());
                }
            }
        }

        #[test]
        fn a_typed_script_is_known_throughout(ncco in generate::ncco()) {
            let read: ReadNcco = serde_json::to_string(&ncco).unwrap().parse().unwrap();
            let known: Vec<_> = read.actions().iter().filter_map(ReadAction::known).collect();
            prop_assert_eq!(known, ncco.actions().iter().collect::<Vec<_>>());
        }
    }
}
