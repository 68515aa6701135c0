//! What is taken and what is refused, a row to a rule. A row is a script of one action unless it says so.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod connect;
mod endpoint;
mod input;
mod order;
mod record;
mod room;
mod sound;
mod types;

/// A URL that is taken wherever one is asked for.
const URL: &str = "https://pbx.example.org/vonage";

#[track_caller]
fn taken(rule: &str, action: Value) -> Action {
    let actions =
        read(&Value::Array(vec![action])).unwrap_or_else(|refused| panic!("{rule}: {refused}"));
    let [action] = <[Action; 1]>::try_from(actions).unwrap();
    action
}

#[track_caller]
fn refused(rule: &str, action: Value, key: &str) {
    match read(&Value::Array(vec![action])) {
        Ok(actions) => panic!("{rule}: taken as {actions:?}"),
        Err(refused) => assert_eq!(refused.pointer, format!("/0{key}"), "{rule}: {refused}"),
    }
}

/// `base` with `key` (a pointer) set to `value`. The objects on the way must be there.
fn with(base: &Value, key: &str, value: Value) -> Value {
    let mut changed = base.clone();
    let (parent, name) = key.rsplit_once('/').unwrap();
    let parent = changed
        .pointer_mut(parent)
        .unwrap()
        .as_object_mut()
        .unwrap();
    parent.insert(name.to_owned(), value);
    changed
}

/// Takes what is at the edge of a range, refuses what is past it.
#[track_caller]
fn range<const IN: usize, const OUT: usize>(
    base: &Value,
    key: &str,
    inside: [Value; IN],
    outside: [Value; OUT],
) {
    for value in inside {
        taken(&format!("{key} {value}"), with(base, key, value));
    }
    for value in outside {
        refused(&format!("{key} {value}"), with(base, key, value), key);
    }
}

/// Everything that is asked of `eventUrl` and `eventMethod`, wherever they are.
#[track_caller]
fn hook(base: &Value, parent: &str) {
    let key = |name: &str| format!("{parent}/{name}");
    let url = key("eventUrl");
    range(
        base,
        &url,
        [
            json!([URL]),
            json!(["http://127.0.0.1:8080/a?b=c"]),
            json!(["HTTPS://example.org"]),
        ],
        [
            json!(URL),
            json!([]),
            json!([URL, URL]),
            json!([7]),
            json!([[URL]]),
            json!([""]),
            json!(["/events"]),
            json!(["pbx.example.org/events"]),
            json!(["ftp://example.org/events"]),
            json!(["http:example.org"]),
            json!(["http:///events"]),
            json!(["https://"]),
            json!(["https://example.org/two words"]),
            json!([" https://example.org"]),
        ],
    );
    let base = with(base, &url, json!([URL]));
    let methods = [json!("GET"), json!("POST")];
    range(
        &base,
        &key("eventMethod"),
        methods,
        [json!("PUT"), json!("get"), json!("")],
    );
}

#[test]
fn a_script_is_an_array_of_objects_with_a_known_action() {
    assert_eq!(read(&json!([])), Ok(vec![]), "an empty script does nothing");
    for whole in [
        json!({}),
        json!(null),
        json!("[]"),
        json!({"action": "talk", "text": "Hello"}),
    ] {
        assert_eq!(
            read(&whole).unwrap_err().pointer,
            "",
            "{whole} is no script"
        );
    }
    for step in [json!("talk"), json!(null), json!([]), json!(7)] {
        assert_eq!(
            read(&json!([step])).unwrap_err().pointer,
            "/0",
            "{step} is no action"
        );
    }
    refused("an action has a name", json!({"text": "Hello"}), "/action");
    refused("no such action", json!({"action": "sing"}), "/action");
    refused(
        "names have one spelling",
        json!({"action": "Talk", "text": "Hello"}),
        "/action",
    );
    refused(
        "pay has left the platform",
        json!({"action": "pay", "amount": 9.99}),
        "/action",
    );
}

#[test]
fn the_first_fault_is_named_by_its_place() {
    let script = json!([{"action": "talk", "text": "Hello"}, {"action": "talk", "text": ""}, {"action": "x"}]);
    let refused = read(&script).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "/1/text: must be a string that is not blank"
    );
    let whole = read(&json!({})).unwrap_err();
    assert_eq!(whole.to_string(), "a script is an array of actions");
}

#[test]
fn a_key_nobody_knows_is_let_through() {
    let talk = json!({"action": "talk", "text": "Hello", "voiceName": "Amy", "provider": {"name": "Polly"}});
    assert_eq!(
        taken("deprecated or new", talk),
        taken("plain", json!({"action": "talk", "text": "Hello"}))
    );
}

/// The words of scripts, so that arbitrary JSON comes near to being one.
fn word() -> impl Strategy<Value = String> {
    let known = "action talk stream wait notify input record connect conversation transfer text loop level \
        style bargeIn language streamUrl timeout payload eventUrl eventMethod GET type dtmf speech mode \
        asynchronous timeOut maxDigits endOnSilence startTimeout uuid context split channels endOnKey # \
        transcription format wav endpoint phone number 447700900001 from randomFromNumber limit \
        advancedMachineDetection beep_timeout behavior onAnswer url sip uri sip:a@b user domain websocket \
        content-type audio/l16;rate=8000 headers authorization custom value vbc extension name canSpeak mute \
        record conversationId https://example.org/a <speak>a</speak> <speak>< en-GB ringbackTone";
    let known: Vec<_> = known.split_whitespace().map(str::to_owned).collect();
    prop_oneof![9 => prop::sample::select(known), 1 => any::<String>()]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-2..50_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..8)
                .prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn any_action() -> impl Strategy<Value = Value> {
    let kinds = types::full()
        .into_iter()
        .map(|(_, action)| action)
        .collect::<Vec<_>>();
    let fields = prop::collection::vec((word(), any_json()), 0..3);
    (prop::sample::select(kinds), fields).prop_map(|(mut action, fields)| {
        action.as_object_mut().unwrap().extend(fields);
        action
    })
}

/// Reads it, and says it in one line if it is taken.
fn read_whole(script: &Value) {
    match read(script) {
        Ok(actions) => {
            for action in actions {
                assert!(
                    !action.summary().is_empty() && !action.summary().contains('\n'),
                    "{action:?}"
                );
            }
        }
        Err(refused) => assert!(!refused.reason.is_empty()),
    }
}

proptest! {
    #[test]
    fn no_json_makes_it_panic(script in any_json()) {
        read_whole(&script);
        read_whole(&json!([script]));
        let _ = endpoint_of_rest(&script);
        let _ = caller_of_rest(&script);
        let _ = machine_of_rest(&script);
    }

    #[test]
    fn no_near_script_makes_it_panic(script in prop::collection::vec(any_action(), 0..3)) {
        read_whole(&Value::from(script));
    }
}
