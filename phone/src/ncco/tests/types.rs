//! Every key of every action, with a value of every other type.

use super::*;

/// Every action with every key it has, and its name in messages.
pub(super) fn full() -> Vec<(&'static str, Value)> {
    let hook = |mut action: Value| {
        action["eventUrl"] = json!([URL]);
        action["eventMethod"] = json!("GET");
        action
    };
    let connect = |endpoint: Value| {
        hook(json!({
            "action": "connect", "endpoint": [endpoint], "from": "447700900001", "randomFromNumber": false,
            "eventType": "synchronous", "timeout": 20, "limit": 600, "machineDetection": "hangup",
            "advancedMachineDetection": {"behavior": "continue", "mode": "detect_beep", "beep_timeout": 45},
            "ringbackTone": URL,
        }))
    };
    let transcription = json!({"language": "en-GB", "eventUrl": [URL], "eventMethod": "POST", "sentimentAnalysis": true});
    vec![
        (
            "talk",
            json!({
                "action": "talk", "text": "All our lines are busy.", "bargeIn": false, "loop": 2,
                "level": 0.5, "language": "en-GB", "style": 1, "premium": true,
            }),
        ),
        (
            "stream",
            json!({"action": "stream", "streamUrl": [URL], "level": -0.5, "bargeIn": false, "loop": 0}),
        ),
        ("wait", json!({"action": "wait", "timeout": 2.5})),
        (
            "notify",
            hook(json!({"action": "notify", "payload": {"queue": "sales"}})),
        ),
        (
            "input",
            hook(json!({
                "action": "input", "type": ["dtmf", "speech"], "mode": "synchronous",
                "dtmf": {"timeOut": 5, "maxDigits": 1, "submitOnHash": true},
                "speech": {
                    "uuid": ["leg-1"], "endOnSilence": 0.5, "language": "cy-GB", "context": ["sales"],
                    "startTimeout": 5, "maxDuration": 20, "saveAudio": true, "sensitivity": 50,
                },
            })),
        ),
        (
            "record",
            hook(json!({
                "action": "record", "format": "ogg", "split": "conversation", "channels": 2,
                "endOnSilence": 3, "endOnKey": "#", "timeOut": 60, "beepStart": true,
                "transcription": transcription,
            })),
        ),
        (
            "conversation",
            hook(json!({
                "action": "conversation", "name": "staff", "musicOnHoldUrl": [URL], "startOnEnter": false,
                "endOnExit": true, "record": true, "canSpeak": ["leg-1"], "canHear": ["leg-2"],
                "mute": false, "transcription": transcription,
            })),
        ),
        (
            "transfer",
            json!({
                "action": "transfer", "conversationId": "CON-1", "canSpeak": ["leg-1"], "canHear": [],
                "mute": true,
            }),
        ),
        (
            "phone",
            connect(json!({
                "type": "phone", "number": "447700900002", "dtmfAnswer": "p2#", "shaken": "token",
                "onAnswer": {"url": URL, "ringbackTone": URL, "ringback": URL},
            })),
        ),
        ("app", connect(json!({"type": "app", "user": "alice"}))),
        (
            "sip",
            connect(json!({
                "type": "sip", "uri": "sip:alice@example.org", "headers": {"place": "Hull"},
                "standardHeaders": {"User-to-User": "342342ef34;encoding=hex"},
            })),
        ),
        (
            "trunk",
            connect(json!({"type": "sip", "user": "alice", "domain": "office"})),
        ),
        (
            "websocket",
            connect(json!({
                "type": "websocket", "uri": "wss://example.org/ears", "content-type": "audio/l16;rate=16000",
                "headers": {"caller": 7}, "authorization": {"type": "custom", "value": "Bearer abc"},
            })),
        ),
        ("vbc", connect(json!({"type": "vbc", "extension": "123"}))),
    ]
}

/// Where every value stands whose type is Vonage's to say: what is in a payload or a header is not.
fn pointers(value: &Value, pointer: String, all: &mut Vec<String>) {
    let is_free = pointer.ends_with("/payload") || pointer.ends_with("/headers");
    match value {
        Value::Object(fields) if !is_free => {
            for (key, value) in fields {
                pointers(value, format!("{pointer}/{key}"), all);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                pointers(value, format!("{pointer}/{index}"), all);
            }
        }
        _ => {}
    }
    all.push(pointer);
}

#[test]
fn every_key_is_taken_in_its_own_type_and_refused_in_any_other() {
    let mut swaps = 0;
    for (name, action) in full() {
        taken(name, action.clone());
        let script = json!([action]);
        let mut all = Vec::new();
        pointers(&script, String::new(), &mut all);
        for pointer in all {
            let own = std::mem::discriminant(script.pointer(&pointer).unwrap());
            let others = [
                json!(null),
                json!(true),
                json!(3),
                json!("3"),
                json!([]),
                json!({}),
            ];
            for other in others
                .into_iter()
                .filter(|other| std::mem::discriminant(other) != own)
            {
                let mut changed = script.clone();
                *changed.pointer_mut(&pointer).unwrap() = other.clone();
                let Err(refused) = read(&changed) else {
                    panic!("{name}: {other} is taken at {pointer}");
                };
                assert!(
                    pointer.starts_with(&refused.pointer),
                    "{name}: {other} at {pointer}: {refused}"
                );
                swaps += 1;
            }
        }
    }
    assert!(swaps > 800, "only {swaps} values were swapped");
}

#[test]
fn every_kind_has_its_name_and_a_line_for_people() {
    let rows = [
        ("talk", "talk", "“All our lines are busy.”, 2 times"),
        ("stream", "stream", "vonage, for ever"),
        ("wait", "wait", "2.5 s"),
        ("notify", "notify", "asks /vonage"),
        ("input", "input", "a key or speech"),
        ("record", "record", "ogg, to 3 s of silence or # or 60 s"),
        ("conversation", "conversation", "staff, when it starts"),
        ("transfer", "transfer", "CON-1"),
        ("phone", "connect", "447700900002, rung for 20 s"),
        ("app", "connect", "alice, rung for 20 s"),
        ("sip", "connect", "sip:alice@example.org, rung for 20 s"),
        ("trunk", "connect", "sip:alice@office, rung for 20 s"),
        (
            "websocket",
            "connect",
            "wss://example.org/ears, rung for 20 s",
        ),
        ("vbc", "connect", "123, rung for 20 s"),
    ];
    for ((name, action), (row, kind, summary)) in full().into_iter().zip(rows) {
        let action = taken(name, action);
        assert_eq!(
            (name, action.kind(), action.summary().as_str()),
            (row, kind, summary)
        );
    }
}
