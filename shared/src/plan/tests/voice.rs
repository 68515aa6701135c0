//! Menus and voicemails in a plan.

use super::{check, check_flow, faults};
use crate::plan::{FlowKind, FlowName, Key, Plan};
use std::time::Duration;

const HEAD: &str = "[[line]]\nnumber = \"447700900000\"\nname = \"Desk\"\nflow = \"main\"\n";
const CLOSED: &str = "[flow.closed]\ntype = \"message\"\nsay = \"Closed.\"\n";

fn kind(plan: &Plan, name: &str) -> FlowKind {
    let name = FlowName::new(name).unwrap();
    plan.flow(&name).unwrap().kind.clone()
}

#[test]
fn a_menu_says_what_is_in_its_text() {
    let text = format!(
        r##"{HEAD}
[flow.main]
type = "menu"
say = "For sales press 1."
also-say = {{ fr-FR = "Pour les ventes, tapez 1.", cy-GB = "Pwyswch 1." }}
keys = {{ 1 = "closed", "*" = "main", "#" = "box" }}
speech = {{ closed = ["Sales", "I'd like to buy"], box = "message" }}
no-input = "We did not hear anything."
wrong-input = "That is not one of the choices."
tries = 10
timeout = "10s"
otherwise = "box"
[flow.box]
type = "voicemail"
language = "de-DE"
say = "Sprechen Sie."
thanks = "Danke."
max-length = "1h"
silence = "10s"
end-key = "*"
transcription = true
{CLOSED}"##
    );
    assert_eq!(faults(&text, None), "");
    let plan = Plan::parse(&text).plan.unwrap();
    let FlowKind::Menu(menu) = kind(&plan, "main") else {
        panic!()
    };
    // In the order of the text.
    let languages = menu.also_say.iter().map(|(language, _)| language.as_str());
    assert_eq!(languages.collect::<Vec<_>>(), ["fr-FR", "cy-GB"]);
    assert_eq!(menu.by_key("#").map(FlowName::as_str), Some("box"));
    assert_eq!(menu.speech[1].words, ["i'd", "like", "to", "buy"]);
    assert_eq!(menu.no_input.as_deref(), Some("We did not hear anything."));
    assert_eq!((menu.tries, menu.timeout), (10, Duration::from_secs(10)));
    let flow = plan.flow(&FlowName::new("main").unwrap()).unwrap();
    let exits = flow.exits();
    let exits: Vec<_> = exits
        .iter()
        .map(|(key, to)| format!("{key} {to}"))
        .collect();
    assert_eq!(
        exits,
        [
            "1 closed",
            "* main",
            "# box",
            "speech closed",
            "speech box",
            "otherwise box"
        ]
    );
    let FlowKind::Voicemail(voicemail) = kind(&plan, "box") else {
        panic!()
    };
    assert_eq!(voicemail.thanks.as_deref(), Some("Danke."));
    assert_eq!(voicemail.max_length, Duration::from_secs(3600));
    assert_eq!(voicemail.silence, Duration::from_secs(10));
    assert_eq!(voicemail.end_key, Key::parse("*").unwrap());
    assert_eq!(voicemail.transcription.as_deref(), Some("de-DE"));
}

#[test]
fn what_is_left_out_has_a_sensible_value() {
    let text = format!(
        "{HEAD}[flow.main]\ntype = \"menu\"\nsay = \"x\"\nkeys = {{ 0 = \"box\" }}\notherwise = \"closed\"\n\
         [flow.box]\ntype = \"voicemail\"\nsay = \"x\"\n{CLOSED}"
    );
    assert_eq!(faults(&text, None), "");
    let plan = Plan::parse(&text).plan.unwrap();
    let FlowKind::Menu(menu) = kind(&plan, "main") else {
        panic!()
    };
    assert_eq!((menu.tries, menu.timeout), (3, Duration::from_secs(5)));
    assert!(menu.speech.is_empty() && menu.also_say.is_empty());
    let FlowKind::Voicemail(voicemail) = kind(&plan, "box") else {
        panic!()
    };
    assert_eq!(voicemail.max_length, Duration::from_secs(180));
    assert_eq!(voicemail.silence, Duration::from_secs(5));
    assert_eq!(voicemail.end_key, Key::HASH);
    assert_eq!((voicemail.thanks, voicemail.transcription), (None, None));
}

#[test]
fn wrong_menus_are_told() {
    for (body, expected) in [
        (
            "",
            "1:1: flow \"x\" has no `keys` and no `speech`: there is nothing to choose (write keys = { 1 = \"NAME\" })",
        ),
        (
            "keys = {}",
            "5:8: `keys` is empty (write keys = { 1 = \"NAME\", 2 = \"NAME\" } with names of flows)",
        ),
        (
            "keys = \"desk\"",
            "5:8: `keys` is text, expected a table (write keys = { 1 = \"NAME\", 2 = \"NAME\" } with names of flows)",
        ),
        (
            "keys = { 10 = \"desk\" }",
            "5:10: \"10\" is no key of a phone (keys are 0 to 9, \"*\" and \"#\")",
        ),
        (
            "keys = { 1 = \"dsk\" }",
            "5:14: there is no flow \"dsk\" (did you mean \"desk\"?)",
        ),
        (
            "keys = { 1 = 2 }",
            "5:14: `keys` is an integer, expected the name of a flow (write it in quotes)",
        ),
        (
            "speech = { desk = [] }",
            "5:19: \"desk\" has no words: nobody could say it (write speech = { NAME = [\"word\", \"a few words\"] })",
        ),
        (
            "speech = { desk = [\"?!\"] }",
            "5:20: \"?!\" is no word (write what people say, in letters)",
        ),
        (
            "speech = { desk = [\"help\"], closed = \"Help!\" }",
            "5:38: \"Help!\" is there twice (let each word lead to one flow)",
        ),
        (
            "speech = { dsk = \"help\" }",
            "5:12: there is no flow \"dsk\" (did you mean \"desk\"?)",
        ),
        (
            "keys = { 1 = \"desk\" }\ntries = 0",
            "6:9: `tries` is out of range (write 1 to 10)",
        ),
        (
            "keys = { 1 = \"desk\" }\ntries = 99999999999999999999",
            "6:9: `tries` is out of range (write 1 to 10)",
        ),
        (
            "keys = { 1 = \"desk\" }\ntries = \"3\"",
            "6:9: `tries` is text, expected a whole number",
        ),
        (
            "keys = { 1 = \"desk\" }\ntimeout = \"11s\"",
            "6:11: `timeout` cannot be used: \"11s\" is out of range (write a time from \"1s\" to \"10s\")",
        ),
        (
            "keys = { 1 = \"desk\" }\nno-input = \"\"",
            "6:12: `no-input` cannot be said: there is nothing to say (write a sentence, or leave the key out where it is optional)",
        ),
        (
            "keys = { 1 = \"desk\" }\nalso-say = { french = \"Un.\" }",
            "6:14: \"french\" is no language code (write it like \"en-GB\")",
        ),
        (
            "keys = { 1 = \"desk\" }\nalso-say = { fr-FR = \"\" }",
            "6:22: `also-say` cannot be said: there is nothing to say (write a sentence, or leave the key out where it is optional)",
        ),
        (
            "keys = { 1 = \"desk\" }\nkey = 1",
            "6:1: flow \"x\" has no key \"key\" (keys are type, language, say, also-say, keys, speech, no-input, wrong-input, tries, timeout, otherwise)",
        ),
    ] {
        let start = "type = \"menu\"\nsay = \"Choose.\"\notherwise = \"closed\"";
        check_flow(&format!("{start}\n{body}"), &[expected]);
    }
    let long = "a".repeat(101);
    check_flow(
        &format!(
            "type = \"menu\"\nsay = \"x\"\nspeech = {{ desk = \"{long}\" }}\notherwise = \"closed\""
        ),
        &["4:19: the phrase has 101 characters (write at most 100)"],
    );
    let many: Vec<String> = (0..101).map(|n| format!("\"w{n}\"")).collect();
    check_flow(
        &format!(
            "type = \"menu\"\nsay = \"x\"\nspeech = {{ desk = [{}] }}\notherwise = \"closed\"",
            many.join(", ")
        ),
        &["4:10: `speech` has 101 phrases (write at most 100)"],
    );
    let languages =
        "de-DE = \"x\", fr-FR = \"x\", es-ES = \"x\", it-IT = \"x\", nl-NL = \"x\", pl-PL = \"x\"";
    check_flow(
        &format!(
            "type = \"menu\"\nsay = \"x\"\nalso-say = {{ {languages} }}\nkeys = {{ 1 = \"desk\" }}\notherwise = \"closed\""
        ),
        &["4:12: `also-say` has 6 languages (write at most 5: all of them are said to everybody)"],
    );
    check_flow(
        "type = \"menu\"\nsay = \"x\"\nkeys = { 1 = \"desk\" }",
        &[
            "1:1: flow \"x\" has no `otherwise`: a call would end nowhere (write otherwise = \"NAME\" with a flow's name)",
        ],
    );
}

#[test]
fn wrong_voicemails_are_told() {
    for (body, expected) in [
        (
            "max-length = \"5s\"",
            "4:14: `max-length` cannot be used: \"5s\" is out of range (write a time from \"10s\" to \"1h\")",
        ),
        (
            "silence = \"2s\"",
            "4:11: `silence` cannot be used: \"2s\" is out of range (write a time from \"3s\" to \"10s\")",
        ),
        (
            "end-key = \"##\"",
            "4:11: \"##\" is no key of a phone (keys are \"0\" to \"9\", \"*\" and \"#\")",
        ),
        (
            "end-key = 1",
            "4:11: `end-key` is an integer, expected a key of a phone (write it in quotes)",
        ),
        (
            "transcription = \"english\"",
            "4:17: \"english\" is no language code (write it like \"en-GB\")",
        ),
        (
            "transcription = 1",
            "4:17: `transcription` is an integer, expected true or a language",
        ),
        (
            "otherwise = \"closed\"",
            "4:1: flow \"x\" has no key \"otherwise\" (keys are type, language, say, thanks, max-length, silence, end-key, transcription)",
        ),
    ] {
        check_flow(
            &format!("type = \"voicemail\"\nsay = \"Speak.\"\n{body}"),
            &[expected],
        );
    }
}

/// A plan of menus and hours: each flow's name, whether it is a menu, where a choice or `then` leads,
/// and where `otherwise` does.
fn plan(flows: &[(&str, bool, &str, &str)]) -> String {
    let flows = flows.iter().map(|(name, is_menu, to, otherwise)| {
        let body = if *is_menu {
            format!("type = \"menu\"\nsay = \"x\"\nkeys = {{ 1 = \"{to}\" }}")
        } else {
            format!(
                "type = \"hours\"\nopen = \"Mon 09:00-10:00\"\ntimezone = \"UTC\"\nthen = \"{to}\""
            )
        };
        format!("[flow.{name}]\n{body}\notherwise = \"{otherwise}\"\n")
    });
    format!("{HEAD}{}{CLOSED}", flows.collect::<String>())
}

#[test]
fn a_circle_is_fine_where_a_caller_chooses_to_go_round() {
    for flows in [
        &[("main", true, "main", "closed")][..],
        &[
            ("main", true, "sub", "closed"),
            ("sub", true, "main", "main"),
        ],
        &[
            ("main", true, "day", "closed"),
            ("day", false, "main", "main"),
        ],
    ] {
        check(&plan(flows), &[]);
    }
}

#[test]
fn a_circle_that_nobody_chooses_is_refused() {
    for (flows, expected) in [
        (
            &[("main", true, "closed", "main")][..],
            "9:13: a caller could go round for ever: main → main (let the way end, for instance in a message)",
        ),
        (
            &[
                ("main", true, "closed", "sub"),
                ("sub", true, "closed", "main"),
            ],
            "14:13: a caller could go round for ever: main → sub → main (let the way end, for instance in a message)",
        ),
        (
            &[
                ("main", true, "closed", "day"),
                ("day", false, "main", "closed"),
            ],
            "14:8: a caller could go round for ever: main → day → main (let the way end, for instance in a message)",
        ),
    ] {
        check(&plan(flows), &[expected]);
    }
}

#[test]
fn what_only_a_choice_reaches_is_reached() {
    let text = plan(&[
        ("main", true, "sub", "closed"),
        ("sub", true, "closed", "closed"),
    ]);
    check(&text, &[]);
}
