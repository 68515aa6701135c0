//! What comes back in our event URLs and `notify` payloads, and the ids and numbers in it.

use serde_json::{Map, Value};
use switchboard_shared::cue::Cue;
use switchboard_shared::id::{ID_LENGTH_MAX, LegId};
use switchboard_shared::ncco::check::Severity;
use switchboard_shared::number::{DIGITS, PhoneNumber, mask};
use switchboard_shared::plan::AgentName;
use switchboard_shared::script;

/// Most characters of a number or a name that a log may show.
const SHOWN_MAX: usize = 6;

/// Reads the bytes as the query of an event URL, and as an id, a name and a number.
///
/// # Panics
/// When what is read does not come back as it was.
pub fn target(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(cue) = Cue::from_query(&text) {
        assert_eq!(Cue::from_query(&cue.to_query()).as_ref(), Some(&cue));
        let pairs = cue.pairs().into_iter();
        let payload: Map<String, Value> = pairs
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        let payload = Value::Object(payload);
        assert_eq!(Cue::from_payload(&payload).as_ref(), Some(&cue));
        // Asked again and again, it comes to an end.
        let mut next = Some(cue);
        let mut times = 0;
        while let Some(cue) = next.take() {
            let ncco = script::ask_again(cue.clone(), "https://switchboard.example");
            let faults = ncco.check();
            assert!(
                faults.iter().all(|f| f.severity == Severity::Warning),
                "{faults:?}"
            );
            let ncco = serde_json::to_value(ncco).unwrap();
            let actions = ncco.as_array().unwrap();
            assert!(!actions.is_empty(), "the caller hears something");
            let payload = actions.iter().find_map(|action| action.get("payload"));
            next = payload.map(|payload| Cue::from_payload(payload).expect("our own cue reads"));
            times += 1;
            assert!(times < 10, "asked again without end");
        }
    }
    if let Ok(id) = text.parse::<LegId>() {
        assert!(id.as_str() == text && text.len() <= ID_LENGTH_MAX);
        assert!(!text.contains(['#', '/', '?', '%', ' ', '\n']), "{text}");
    }
    if let Ok(name) = text.parse::<AgentName>() {
        assert_eq!(name.as_str(), text);
        assert!(!text.contains(['#', '/', '.', '<', '"', '&']), "{text}");
    }
    if let Ok(number) = PhoneNumber::parse(&text) {
        assert_eq!(PhoneNumber::parse(number.as_str()).as_ref(), Ok(&number));
        assert!(DIGITS.contains(&number.as_str().len()));
        assert!(!format!("{number:?}").contains(number.as_str()));
    }
    let shown = mask(&text).chars().filter(|c| *c != '•').count();
    assert!(shown <= SHOWN_MAX, "{shown} characters are shown");
}
