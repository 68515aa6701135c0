//! Conversation and transfer.

use super::*;

#[test]
fn a_conversation_starts_at_once_and_everybody_hears_everybody_unless_told_otherwise() {
    let expected = Conversation {
        name: "staff".to_owned(),
        music: None,
        start_on_enter: true,
        end_on_exit: false,
        record: false,
        can_speak: None,
        can_hear: None,
        mute: false,
        hook: None,
        transcription: None,
    };
    let base = json!({"action": "conversation", "name": "staff"});
    let read = taken("plain", base.clone());
    assert_eq!(read, Action::Conversation(expected));
    assert_eq!(read.summary(), "staff");
    let read = taken("two lines", with(&base, "/name", json!("staff\nroom")));
    assert_eq!(read.summary(), "staff room");
    hook(&base, "");
    refused(
        "name is required",
        json!({"action": "conversation"}),
        "/name",
    );
    range(
        &base,
        "/name",
        [json!("a")],
        [json!(""), json!(" "), json!(7)],
    );
    range(
        &base,
        "/musicOnHoldUrl",
        [json!([URL])],
        [json!(URL), json!([]), json!([URL, URL])],
    );
    for key in ["/canSpeak", "/canHear"] {
        range(
            &base,
            key,
            [json!([]), json!(["a", "b"])],
            [json!("a"), json!([1]), json!({})],
        );
    }
}

#[test]
fn nobody_and_everybody_are_told_apart() {
    let base =
        json!({"action": "conversation", "name": "staff", "canSpeak": [], "canHear": ["leg"]});
    let Action::Conversation(read) = taken("lists", base) else {
        panic!()
    };
    assert_eq!(
        (read.can_speak, read.can_hear),
        (Some(vec![]), Some(vec!["leg".to_owned()]))
    );
}

#[test]
fn mute_and_can_speak_exclude_one_another_and_a_transcription_needs_a_record() {
    let base = json!({"action": "conversation", "name": "staff"});
    let muted = with(&base, "/mute", json!(true));
    taken("mute", muted.clone());
    taken(
        "mute beside canHear",
        with(&muted, "/canHear", json!(["leg"])),
    );
    refused(
        "mute beside canSpeak",
        with(&muted, "/canSpeak", json!(["leg"])),
        "/mute",
    );
    refused(
        "mute beside nobody",
        with(&muted, "/canSpeak", json!([])),
        "/mute",
    );
    let written = with(&base, "/transcription", json!({}));
    taken(
        "transcription of a record",
        with(&written, "/record", json!(true)),
    );
    refused(
        "transcription of nothing",
        written.clone(),
        "/transcription",
    );
    refused(
        "record off",
        with(&written, "/record", json!(false)),
        "/transcription",
    );
    hook(&with(&written, "/record", json!(true)), "/transcription");
}

#[test]
fn a_transfer_names_its_conversation() {
    let base = json!({"action": "transfer", "conversationId": "CON-1"});
    let expected = Transfer {
        conversation: "CON-1".to_owned(),
        can_speak: None,
        can_hear: None,
        mute: false,
    };
    assert_eq!(taken("plain", base.clone()), Action::Transfer(expected));
    refused("required", json!({"action": "transfer"}), "/conversationId");
    refused(
        "one spelling",
        json!({"action": "transfer", "conversation_id": "CON-1"}),
        "/conversationId",
    );
    range(
        &base,
        "/conversationId",
        [json!("CON-2")],
        [json!(""), json!(["CON-1"])],
    );
    for key in ["/canSpeak", "/canHear"] {
        range(
            &base,
            key,
            [json!([]), json!(["a"])],
            [json!("a"), json!([null])],
        );
    }
}
