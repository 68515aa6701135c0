//! Scripts that others wrote.

use crate::json;
use serde_json::Value;
use switchboard_shared::ncco::Ncco;
use switchboard_shared::ncco::check::{FAULTS_MAX, Fault, Severity, check_value};
use switchboard_shared::ncco::read::ReadNcco;

/// Longest line about one fault, its pointer left out: a sentence with the words it may be.
const LINE_MAX: usize = 600;

/// Reads the bytes as a script.
///
/// # Panics
/// When a script does not come back as it was, or its faults make no sense.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let json = serde_json::from_str::<Value>(text);
    let read = text.parse::<ReadNcco>();
    let Ok(json) = json else {
        assert!(read.is_err(), "a script that is no JSON");
        return;
    };
    let faults = check_value(&json);
    for fault in &faults {
        sensible(&json, fault);
    }
    for severity in [Severity::Fault, Severity::Warning] {
        let told = faults.iter().filter(|f| f.severity == severity).count();
        assert!(told <= FAULTS_MAX + 1, "{told} lines");
    }
    let sound = faults
        .iter()
        .all(|fault| fault.severity == Severity::Warning);
    let Ok(read) = read else {
        assert!(!sound, "what is no script has a fault");
        return;
    };
    let back: ReadNcco = read.to_string().parse().unwrap();
    let (once, twice) = (serde_json::to_value(&read), serde_json::to_value(&back));
    assert!(json::same(&once.unwrap(), &json), "as it came");
    assert!(json::same(&twice.unwrap(), &json), "and again");
    assert_eq!(read.actions().len(), json.as_array().unwrap().len());
    if !sound {
        return;
    }
    assert!(read.actions().iter().all(|action| action.known().is_some()));
    typed(&json);
}

/// A sound script reads as our types; what they write is sound, and stays as it is.
fn typed(json: &Value) {
    let ncco: Ncco = serde_json::from_value(json.clone()).expect("a sound script reads");
    let faults = ncco.check();
    assert!(
        faults
            .iter()
            .all(|fault| fault.severity == Severity::Warning),
        "{json} became {} with {faults:?}",
        serde_json::to_string(&ncco).unwrap()
    );
    let once = serde_json::to_value(&ncco).unwrap();
    let again: Ncco = serde_json::from_value(once.clone()).unwrap();
    let twice = serde_json::to_value(&again).unwrap();
    assert!(json::same(&once, &twice), "{once} became {twice}");
}

/// It points at something, in one line without what a log must not hold.
fn sensible(json: &Value, fault: &Fault) {
    assert!(
        json.pointer(&fault.pointer).is_some(),
        "{fault} points nowhere"
    );
    assert!(fault.message.len() <= LINE_MAX, "{fault}");
    let line = fault.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
}
