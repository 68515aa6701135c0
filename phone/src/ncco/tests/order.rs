//! What an action may follow.

use super::*;

fn talk(barge_in: bool) -> Value {
    json!({"action": "talk", "text": "Press 1.", "bargeIn": barge_in})
}

fn stream() -> Value {
    json!({"action": "stream", "streamUrl": [URL]})
}

fn input() -> Value {
    json!({"action": "input", "type": ["dtmf"]})
}

fn wait() -> Value {
    json!({"action": "wait"})
}

#[test]
fn barge_in_stays_in_force_up_to_the_next_input() {
    let rows = [
        (
            "off without",
            vec![talk(false), stream()],
            vec![false, false],
        ),
        (
            "not before it",
            vec![talk(false), talk(true)],
            vec![false, true],
        ),
        (
            "on for a following stream",
            vec![talk(true), stream(), input()],
            vec![true, true],
        ),
        (
            "false does not end it",
            vec![talk(true), talk(false), input()],
            vec![true, true],
        ),
        (
            "an input does",
            vec![talk(true), input(), stream(), wait()],
            vec![true, false],
        ),
        (
            "no input at the end is let through",
            vec![talk(true), stream()],
            vec![true, true],
        ),
    ];
    for (rule, script, expected) in rows {
        let actions =
            read(&Value::from(script)).unwrap_or_else(|refused| panic!("{rule}: {refused}"));
        let barging = actions.iter().filter_map(|action| match action {
            Action::Talk(talk) => Some(talk.barge_in),
            Action::Stream(stream) => Some(stream.barge_in),
            _ => None,
        });
        assert_eq!(barging.collect::<Vec<_>>(), expected, "{rule}");
    }
}

#[test]
fn after_barge_in_only_an_input_may_follow_what_is_played() {
    let rows = [
        ("at once", vec![talk(true), wait(), input()], "/1/action"),
        (
            "after more talk",
            vec![talk(true), talk(false), stream(), wait()],
            "/3/action",
        ),
        (
            "for the second menu too",
            vec![talk(true), input(), talk(true), wait()],
            "/3/action",
        ),
    ];
    for (rule, script, pointer) in rows {
        assert_eq!(
            read(&Value::from(script)).unwrap_err().pointer,
            pointer,
            "{rule}"
        );
    }
    for (name, action) in types::full() {
        let is_played = matches!(action["action"].as_str(), Some("talk" | "stream" | "input"));
        assert_eq!(
            read(&json!([talk(true), action])).is_ok(),
            is_played,
            "{name}"
        );
    }
}
