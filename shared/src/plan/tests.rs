//! Whole plans: good ones, and each way in which one can be bad.

mod voice;

use super::*;
use crate::plan::flow::{COOL_DOWN_DEFAULT, RING_TIMEOUT_DEFAULT};
use jiff::civil::date;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

const EXAMPLE: &str = include_str!("../../../switchboard.toml");

/// A small plan without faults, to which the tests add bad flows. All of it is in use.
const BASE: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"
[[line]]
number = "447700900000"
name = "Desk"
flow = "desk"
[[agent]]
name = "alice"
phone = "447700900010"
[flow.closed]
type = "message"
say = "Closed."
[flow.desk]
type = "ring"
agents = ["alice"]
otherwise = "closed"
"#;

/// All faults, one to a line, with `warning` before those that are.
fn faults(text: &str, today: Option<Date>) -> String {
    let checked = Plan::parse_on(text, today);
    let any = checked.faults.iter().any(|f| f.severity == Severity::Fault);
    assert_eq!(
        checked.plan.is_none(),
        any,
        "a plan comes out if, and only if, it has no faults"
    );
    let shown = |fault: &PlanFault| match fault.severity {
        Severity::Fault => fault.to_string(),
        Severity::Warning => format!("warning {fault}"),
    };
    checked
        .faults
        .iter()
        .map(shown)
        .collect::<Vec<_>>()
        .join("\n")
}

fn check(text: &str, expected: &[&str]) {
    assert_eq!(faults(text, None), expected.join("\n"), "{text}");
}

/// Checks a text that is put before [`BASE`]'s place in the file: lines count from its first.
fn check_head(head: &str, expected: &[&str]) {
    check(&format!("{head}{BASE}"), expected);
}

/// Checks a flow `x` that the one line leads to: line 1 is its header.
fn check_flow(body: &str, expected: &[&str]) {
    let base = BASE
        .replace("flow = \"desk\"", "flow = \"x\"")
        .replace("name = \"Desk\"", "name = \"Desk\"\n");
    let also = "[[line]]\nnumber = \"447700900001\"\nname = \"Also\"\nflow = \"desk\"\n";
    check(&format!("[flow.x]\n{body}\n{base}{also}"), expected);
}

/// Checks an agent that a flow of its own rings: line 1 is its header. `name` is to be `bob`.
fn check_agent(body: &str, expected: &[&str]) {
    let base = BASE.replace("[\"alice\"]", "[\"alice\", \"bob\"]");
    check(&format!("[[agent]]\n{body}\n{base}"), expected);
}

/// Checks a second line: line 1 is its header.
fn check_line(body: &str, expected: &[&str]) {
    check_head(&format!("[[line]]\n{body}\n"), expected);
}

#[test]
fn the_example_plan_has_neither_faults_nor_warnings() {
    assert_eq!(faults(EXAMPLE, Some(date(2026, 11, 1))), "");
}

#[test]
fn a_plan_says_what_is_in_its_text() {
    let plan = Plan::parse(EXAMPLE).plan.unwrap();
    let number = PhoneNumber::parse("447700900000").unwrap();
    let desk = plan.line(&number).unwrap();
    assert_eq!(
        (desk.name.as_str(), desk.flow.as_str()),
        ("Front desk", "office-hours")
    );
    let flow = plan.flow(&desk.flow).unwrap();
    assert_eq!(flow.language, "en-GB");
    let FlowKind::Hours(hours) = &flow.kind else {
        panic!("{flow:?}")
    };
    assert_eq!(hours.calendar.timezone.iana_name(), Some("Europe/London"));
    assert_eq!(
        (hours.calendar.open.len(), hours.calendar.closed_on.len()),
        (1, 3)
    );
    let FlowKind::Queue(queue) = &plan.flow(&hours.then).unwrap().kind else {
        panic!()
    };
    assert_eq!(queue.max_wait, Duration::from_secs(600));
    assert_eq!(queue.free_after, Some(Duration::from_secs(40)));
    assert_eq!(queue.cool_down, COOL_DOWN_DEFAULT);
    assert_eq!(queue.wrap_up, Duration::ZERO);
    assert_eq!(queue.timeout, RING_TIMEOUT_DEFAULT);
    assert_eq!(queue.transfer, Transfer::Inline);
    assert_eq!(queue.music[0].as_str(), "https://example.com/music.mp3");
    let masked = plan.flow(&FlowName::new("masked").unwrap()).unwrap();
    let FlowKind::Ring(ring) = &masked.kind else {
        panic!()
    };
    assert_eq!((ring.say.as_ref(), ring.agents.len()), (None, 2));
    let alice = plan.agent(&AgentName::new("alice").unwrap()).unwrap();
    assert_eq!(
        alice.endpoint,
        Endpoint::Phone(PhoneNumber::parse("447700900001").unwrap())
    );
    assert_eq!(
        (
            plan.lines().count(),
            plan.agents().count(),
            plan.flows().count()
        ),
        (6, 2, 9)
    );
}

#[test]
fn every_optional_key_is_taken_and_kept() {
    let text = format!(
        r#"{BASE}
[[line]]
number = "+44 7700 900001"
name = "Two"
flow = "two"
[[agent]]
name = "sip-1"
sip = "sip:bob@example.com;transport=tls"
[[agent]]
name = "app-1"
app = "bob"
[flow.two]
type = "hours"
language = "de-DE"
timezone = "America/New_York"
open = "Mon-Fri 09:00-17:00"
closed-on = [2026-12-25, "2026-12-27/2026-12-31"]
then = "three"
otherwise = "closed"
[flow.three]
type = "queue"
say = "<speak>Hold.</speak>"
music = ["https://example.com/a.mp3", "https://example.com/b.mp3"]
agents = ["sip-1", "app-1"]
connect-say = "Now."
timeout = "120s"
free-after = "15m"
max-wait = "2h"
record = true
cool-down = "0s"
wrap-up = "1m30s"
transfer = "url"
otherwise = "closed"
"#
    );
    assert_eq!(faults(&text, None), "");
    let plan = Plan::parse(&text).plan.unwrap();
    let flow = |name: &str| plan.flow(&FlowName::new(name).unwrap()).unwrap();
    let FlowKind::Hours(hours) = &flow("two").kind else {
        panic!()
    };
    assert_eq!(
        hours.calendar.timezone.iana_name(),
        Some("America/New_York")
    );
    assert_eq!(
        hours.calendar.closed_on[0],
        DateRange::from(date(2026, 12, 25))
    );
    assert_eq!(
        (
            flow("two").language.as_str(),
            flow("three").language.as_str()
        ),
        ("de-DE", "en-GB")
    );
    let FlowKind::Queue(queue) = &flow("three").kind else {
        panic!()
    };
    assert_eq!((queue.transfer, queue.music.len()), (Transfer::Url, 2));
    assert!(queue.record);
    assert_eq!(
        (queue.cool_down, queue.wrap_up),
        (Duration::ZERO, Duration::from_secs(90))
    );
}

#[test]
fn a_version_belongs_to_the_text() {
    let version = |text: &str| Plan::parse(text).plan.unwrap().version().to_owned();
    // The first digits of what `sha256sum` says of an empty file.
    assert_eq!(version(""), "e3b0c44298fc");
    assert_ne!(version(BASE), version(&format!("{BASE}\n")));
}

#[test]
fn faults_of_the_whole_plan_are_told() {
    check(
        "",
        &[
            "warning 1:1: the plan has no lines: it answers no call (add [[line]] with number, name and flow)",
        ],
    );
    check_head(
        "lines = 1\n",
        &[
            "1:1: the plan has no key \"lines\" (keys are defaults, line, agent, flow, notify, keep)",
        ],
    );
    check_head(
        "agents = 1\n",
        &[
            "1:1: the plan has no key \"agents\" (keys are defaults, line, agent, flow, notify, keep)",
        ],
    );
    check(
        "[default]\n",
        &[
            "warning 1:1: the plan has no lines: it answers no call (add [[line]] with number, name and flow)",
            "1:2: the plan has no key \"default\" (did you mean `defaults`?)",
        ],
    );
    check(
        "defaults = 1\nline = 2\nagent = 3\nflow = 4\n",
        &[
            "1:12: `defaults` is an integer, expected a table (write [defaults] and the keys below it)",
            "2:8: `line` is an integer, expected a list of tables (write [[line]] before each)",
            "3:9: `agent` is an integer, expected a list of tables (write [[agent]] before each)",
            "4:8: `flow` is an integer, expected tables with names (write [flow.NAME] before each)",
        ],
    );
    check(
        "line = [1]\n",
        &["1:9: `line` is an integer, expected a table (write [[line]] before each)"],
    );
    check(
        "[line]\n",
        &[
            "1:1: `line` is a table, expected a list of tables (write [[line]] before each)",
            "1:1: the line has no `number` (write number = \"447700900000\")",
            "1:1: the line has no `name` (write name = \"Front desk\")",
            "1:1: the line has no `flow` (write flow = \"NAME\")",
        ],
    );
    let long = "#".repeat(TEXT_MAX + 1);
    check(&long, &["1:1: the plan has 257 KiB, more than 256 KiB"]);
    assert!(Plan::parse(&long[1..]).plan.is_some());
}

#[test]
fn wrong_defaults_are_told() {
    for (body, expected) in [
        (
            "language = \"en-UK\"",
            "warning 2:12: Vonage is not known to speak \"en-UK\" (did you mean \"en-GB\"?)",
        ),
        (
            "language = \"en-gb\"",
            "warning 2:12: Vonage is not known to speak \"en-gb\" (did you mean \"en-GB\"?)",
        ),
        (
            "language = \"english\"",
            "2:12: \"english\" is no language code (write it like \"en-GB\")",
        ),
        (
            "language = \"en_GB\"",
            "2:12: \"en_GB\" is no language code (did you mean \"en-GB\"?)",
        ),
        (
            "timezone = \"Europe/Londno\"",
            "2:12: there is no time zone \"Europe/Londno\" (did you mean \"Europe/London\"?)",
        ),
        (
            "timezone = \"London\"",
            "2:12: there is no time zone \"London\" (did you mean \"Europe/London\"?)",
        ),
        (
            "timezone = \"Mars/Olympus\"",
            "2:12: there is no time zone \"Mars/Olympus\" (write an IANA name like \"Europe/London\")",
        ),
        (
            "timezone = 1",
            "2:12: `timezone` is an integer, expected a time zone (write it in quotes)",
        ),
        (
            "time-zone = \"UTC\"",
            "2:1: [defaults] has no key \"time-zone\" (did you mean `timezone`?)",
        ),
    ] {
        let base = BASE.replacen(
            "[defaults]\nlanguage = \"en-GB\"\ntimezone = \"Europe/London\"\n",
            "",
            1,
        );
        check(&format!("[defaults]\n{body}\n{base}"), &[expected]);
    }
}

#[test]
fn wrong_lines_are_told() {
    for (body, expected) in [
        (
            "name = \"B\"\nflow = \"desk\"",
            "1:1: the line has no `number` (write number = \"447700900000\")",
        ),
        (
            "number = \"447700900001\"\nflow = \"desk\"",
            "1:1: the line has no `name` (write name = \"Front desk\")",
        ),
        (
            "number = \"447700900001\"\nname = \"B\"",
            "1:1: the line has no `flow` (write flow = \"NAME\")",
        ),
        (
            "number = 447700900001\nname = \"B\"\nflow = \"desk\"",
            "2:10: `number` is an integer, expected a phone number (write it in quotes)",
        ),
        (
            "number = \"07700900001\"\nname = \"B\"\nflow = \"desk\"",
            "2:10: `number` is not an E.164 number: a phone number starts with its country code, never with 0 (write it like \"447700900000\")",
        ),
        (
            "number = \"4477\"\nname = \"B\"\nflow = \"desk\"",
            "2:10: `number` is not an E.164 number: a phone number has 7 to 15 digits (write it like \"447700900000\")",
        ),
        (
            "number = \"447700900000\"\nname = \"B\"\nflow = \"desk\"",
            "10:10: two lines have this number (give each number one line)",
        ),
        (
            "number = \"447700900001\"\nname = \" \"\nflow = \"desk\"",
            "3:8: `name` is empty or holds a control character (write a word or a few)",
        ),
        (
            "number = \"447700900001\"\nname = \"B\"\nflow = \"dsek\"",
            "4:8: there is no flow \"dsek\" (did you mean \"desk\"?)",
        ),
        (
            "number = \"447700900001\"\nname = \"B\"\nflow = \"voicemail\"",
            "4:8: there is no flow \"voicemail\" (flows here: \"closed\", \"desk\")",
        ),
        (
            "number = \"447700900001\"\nname = \"B\"\nflow = [\"desk\"]",
            "4:8: `flow` is a list, expected the name of a flow",
        ),
        (
            "number = \"447700900001\"\nname = \"B\"\nflow = \"desk\"\nflows = 1",
            "5:1: the line has no key \"flows\" (keys are number, name, flow, consent, caller)",
        ),
    ] {
        check_line(body, &[expected]);
    }
}

#[test]
fn wrong_agents_are_told() {
    for (body, expected) in [
        (
            "phone = \"447700900011\"\nname = \"Bob\"",
            "3:8: the agent's name \"Bob\" cannot be used: a name holds a character other than a-z, 0-9, '-' and '_' (write \"bob\")",
        ),
        (
            "phone = \"447700900011\"",
            "1:1: the agent has no `name` (write name = \"alice\")",
        ),
        (
            "name = \"bob\"",
            "1:1: the agent has no `phone`, `sip` or `app`: nothing can be rung (give one of phone, sip and app)",
        ),
        (
            "name = \"bob\"\nphone = \"447700900011\"\nsip = \"sip:b@example.com\"",
            "4:1: the agent has `sip` beside `phone` (give one of phone, sip and app)",
        ),
        (
            "name = \"bob\"\nsip = \"bob@example.com\"",
            "3:7: `sip` is no SIP URI: it does not begin with sip: or sips: (write it like \"sip:alice@example.com\", with the host last)",
        ),
        (
            "name = \"bob\"\napp = \"\"",
            "3:7: `app` is empty or holds a control character (write a word or a few)",
        ),
        (
            "name = \"bob\"\nphone = \"bob\"",
            "3:9: `phone` is not an E.164 number: a phone number has digits only, with the country code first and without + or 00 (write it like \"447700900000\")",
        ),
        (
            "name = \"bob\"\nphone = \"447700900000\"",
            "3:9: the agent's phone is a line of this plan: the call would come back to us (write the number of the agent's own phone)",
        ),
        (
            "name = \"bob\"\nphone = \"447700900010\"",
            "warning 14:9: another agent has the same phone: it would be rung for both (make them one agent, or write another number)",
        ),
        (
            "name = \"bob\"\nphon = \"447700900010\"\napp = \"bob\"",
            "3:1: the agent has no key \"phon\" (did you mean `phone`?)",
        ),
    ] {
        let mut expected = vec![expected];
        if !body.contains("name = \"bob\"") {
            // Nobody of that name is there to be rung.
            let line = 18 + body.lines().count();
            let missing = format!("{line}:20: there is no agent \"bob\" (agents here: \"alice\")");
            let missing = missing.replace(
                "agents here: \"alice\"",
                if body.contains("Bob") {
                    "did you mean \"Bob\"?"
                } else {
                    "agents here: \"alice\""
                },
            );
            expected.push(missing.leak());
        }
        check_agent(body, &expected);
    }
    check_agent(
        "name = \"alice\"\nphone = \"447700900011\"\n[[agent]]\nname = \"bob\"\napp = \"bob\"",
        &["16:8: two agents have the name \"alice\" (give each agent a name of its own)"],
    );
    check_head(
        "[[agent]]\nname = \"bob\"\napp = \"bob\"\n",
        &[
            "warning 2:8: no flow rings the agent \"bob\" (name the agent in `agents` of a flow, or take it out)",
        ],
    );
}

#[test]
fn wrong_flows_are_told() {
    for (body, expected) in [
        (
            "say = \"x\"",
            "1:1: flow \"x\" has no `type` (write type = \"message\")",
        ),
        (
            "type = \"wizard\"",
            "2:8: there is no type of flow \"wizard\" (types here: \"message\", \"hours\", \"ring\", \"queue\", \"hotline\", \"menu\", \"voicemail\")",
        ),
        (
            "type = \"mesage\"\nsay = \"x\"",
            "2:8: there is no type of flow \"mesage\" (did you mean \"message\"? types here: \"message\", \"hours\", \"ring\", \"queue\", \"hotline\", \"menu\", \"voicemail\")",
        ),
        (
            "type = 1",
            "2:8: `type` is an integer, expected a type of flow (write it in quotes)",
        ),
        (
            "type = \"message\"",
            "1:1: flow \"x\" has no `say` (write say = \"…\")",
        ),
        (
            "type = \"message\"\nsay = \"\"",
            "3:7: `say` cannot be said: there is nothing to say (write a sentence, or leave the key out where it is optional)",
        ),
        (
            "type = \"message\"\nsay = true",
            "3:7: `say` is true or false, expected text",
        ),
        (
            "type = \"message\"\nsay = \"x\"\nthen = \"closed\"",
            "4:1: flow \"x\" has no key \"then\" (keys are type, language, say)",
        ),
        (
            "type = \"message\"\nsay = \"x\"\nlanguage = \"xx-XX\"",
            "warning 4:12: Vonage is not known to speak \"xx-XX\"",
        ),
        (
            "type = \"message\"\nsai = \"x\"\nsay = \"x\"",
            "3:1: flow \"x\" has no key \"sai\" (keys are type, language, say)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]",
            "1:1: flow \"x\" has no `otherwise`: a call would end nowhere (write otherwise = \"NAME\" with a flow's name)",
        ),
        (
            "type = \"ring\"\notherwise = \"closed\"",
            "1:1: flow \"x\" has no `agents` (write agents = [\"alice\"])",
        ),
        (
            "type = \"ring\"\nagents = []\notherwise = \"closed\"",
            "3:10: `agents` is empty: nobody can be rung (write agents = [\"alice\"])",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\", \"alice\"]\notherwise = \"closed\"",
            "3:20: `agents` names \"alice\" twice (name each agent once)",
        ),
        (
            "type = \"ring\"\nagents = [\"alcie\"]\notherwise = \"closed\"",
            "3:11: there is no agent \"alcie\" (did you mean \"alice\"?)",
        ),
        (
            "type = \"ring\"\nagents = [\"carol\"]\notherwise = \"closed\"",
            "3:11: there is no agent \"carol\" (agents here: \"alice\")",
        ),
        (
            "type = \"ring\"\nagents = [1]\notherwise = \"closed\"",
            "3:11: `agents` is an integer, expected the name of an agent (write it in quotes)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\ntimeout = 20\notherwise = \"closed\"",
            "4:11: `timeout` is an integer, expected a duration (write it in quotes)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\ntimeout = \"20\"\notherwise = \"closed\"",
            "4:11: `timeout` cannot be used: \"20\" is no duration (write \"20s\" for seconds or \"20m\" for minutes)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\ntimeout = \"121s\"\notherwise = \"closed\"",
            "4:11: `timeout` cannot be used: \"121s\" is out of range (write a time from \"1s\" to \"2m\")",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\ntimeout = \"0s\"\notherwise = \"closed\"",
            "4:11: `timeout` cannot be used: \"0s\" is out of range (write a time from \"1s\" to \"2m\")",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\ntimout = \"20s\"\notherwise = \"closed\"",
            "4:1: flow \"x\" has no key \"timout\" (did you mean `timeout`?)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\notherwise = \"Closed\"",
            "4:13: there is no flow \"Closed\" (did you mean \"closed\"?)",
        ),
        (
            "type = \"ring\"\nagents = [\"alice\"]\notherwise = \"x\"",
            "4:13: a caller could go round for ever: x → x (let the way end, for instance in a message)",
        ),
    ] {
        check_flow(body, &[expected]);
    }
    check_flow(
        &format!("type = \"message\"\nsay = \"{}\"", "a".repeat(1501)),
        &[
            "3:7: `say` cannot be said: the text has 1501 characters, more than 1500 (shorten it: Vonage says no more in one go)",
        ],
    );
}

#[test]
fn wrong_hours_are_told() {
    const END: &str = "then = \"desk\"\notherwise = \"closed\"";
    for (body, expected) in [
        (
            "",
            "1:1: flow \"x\" has no `open` (write open = [\"Mon-Fri 09:00-17:30\"])",
        ),
        (
            "open = []",
            "5:8: `open` is empty: the flow never opens (write open = [\"Mon-Fri 09:00-17:30\"], or lead to the flow in `otherwise` instead)",
        ),
        (
            "open = [\"Mon 09:00-09:00\"]",
            "5:9: the window \"Mon 09:00-09:00\" never opens: it ends when it begins (for a whole day write 00:00-24:00)",
        ),
        (
            "open = [\"Mno 09:00-17:00\"]",
            "5:9: \"Mno\" is no day of the week (did you mean \"Mon\"?)",
        ),
        (
            "open = [\"Mon 9:00-17:00\"]",
            "5:9: \"9:00\" is no time of day (write 09:00)",
        ),
        (
            "open = [\"Monday\"]",
            "5:9: \"Monday\" is no window (write days, one space and times: \"Mon-Fri 09:00-17:30\", \"Mon,Wed 09:00-12:00\" or \"daily 00:00-24:00\")",
        ),
        (
            "open = [\"Mon-Fri 09:00-17:00\", \"Wed 16:00-18:00\"]",
            "5:32: the window \"Wed 16:00-18:00\" overlaps with \"Mon-Fri 09:00-17:00\" (let one end where the other begins)",
        ),
        (
            "open = [\"Mon 01:00-03:00\", \"Sun 22:00-02:00\"]",
            "5:28: the window \"Sun 22:00-02:00\" overlaps with \"Mon 01:00-03:00\" (let one end where the other begins)",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed-on = [\"25.12.2026\"]",
            "6:14: \"25.12.2026\" is no date (write it like \"2026-12-25\", or \"2026-12-24/2026-12-26\" for more days)",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed-on = [\"2026-02-30\"]",
            "6:14: there is no day \"2026-02-30\" (write year, month and day: \"2026-12-25\")",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed-on = [\"2026-12-26/2026-12-24\"]",
            "6:14: \"2026-12-26/2026-12-24\" ends before it begins (write \"2026-12-24/2026-12-26\")",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed-on = [\"2026-01-01/2036-01-01\"]",
            "6:14: \"2026-01-01/2036-01-01\" are 3653 days, more than 366 (lead the line to the flow in `otherwise` for so long)",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed-on = [09:00:00]",
            "6:14: `closed-on` is a date or time, expected a date (write it in quotes)",
        ),
        (
            "open = \"daily 00:00-24:00\"\ntimezone = \"Europe/Pariis\"",
            "6:12: there is no time zone \"Europe/Pariis\" (did you mean \"Europe/Paris\"?)",
        ),
        (
            "open = \"daily 00:00-24:00\"\nclosed_on = [\"2026-12-25\"]",
            "6:1: flow \"x\" has no key \"closed_on\" (did you mean `closed-on`?)",
        ),
    ] {
        check_flow(&format!("type = \"hours\"\n{END}\n{body}"), &[expected]);
    }
    check_flow(
        "type = \"hours\"\nopen = \"Mon 09:00-10:00\"",
        &[
            "1:1: flow \"x\" has no `then`: a call would end nowhere (write then = \"NAME\" with a flow's name)",
            "1:1: flow \"x\" has no `otherwise`: a call would end nowhere (write otherwise = \"NAME\" with a flow's name)",
        ],
    );
    let zoneless = BASE
        .replacen("timezone = \"Europe/London\"\n", "", 1)
        .replacen("flow = \"desk\"", "flow = \"x\"", 1);
    check(
        &format!("[flow.x]\ntype = \"hours\"\nopen = \"Mon 09:00-10:00\"\n{END}\n{zoneless}"),
        &[
            "1:1: flow \"x\" has no `timezone`, and [defaults] has none (write timezone = \"Europe/London\" here or under [defaults])",
        ],
    );
}

#[test]
fn days_that_are_past_are_warned_of_where_today_is_known() {
    let flow = "[flow.x]\ntype = \"hours\"\nopen = \"Mon 09:00-10:00\"\nclosed-on = [\"2026-12-24\", \"2026-12-20/2026-12-25\"]\nthen = \"desk\"\notherwise = \"closed\"\n";
    let text = format!(
        "{flow}{}",
        BASE.replacen("flow = \"desk\"", "flow = \"x\"", 1)
    );
    assert_eq!(faults(&text, None), "");
    assert_eq!(
        faults(&text, Some(date(2026, 12, 25))),
        "warning 4:14: 2026-12-24 is past (write next year's date, or take it out)"
    );
}

#[test]
fn wrong_queues_are_told() {
    for (body, expected) in [
        (
            "",
            "1:1: flow \"x\" has no `max-wait`: a caller could wait for ever (write max-wait = \"10m\")",
        ),
        (
            "max-wait = \"0s\"",
            "6:12: `max-wait` cannot be used: \"0s\" is out of range (write a time from \"1s\" to \"2h\")",
        ),
        (
            "max-wait = \"2h1s\"",
            "6:12: `max-wait` cannot be used: \"2h1s\" is out of range (write a time from \"1s\" to \"2h\")",
        ),
        (
            "max-wait = \"ever\"",
            "6:12: `max-wait` cannot be used: \"ever\" is no duration (write it like \"20s\", \"10m\" or \"1h30m\")",
        ),
        (
            "max-wait = \"10m\"\nfree-after = \"16m\"",
            "7:14: `free-after` cannot be used: \"16m\" is out of range (write a time from \"1s\" to \"15m\")",
        ),
        (
            "max-wait = \"10m\"\ncool-down = \"1h\"",
            "7:13: `cool-down` cannot be used: \"1h\" is out of range (write a time from \"0s\" to \"15m\")",
        ),
        (
            "max-wait = \"10m\"\nwrap-up = \"-1s\"",
            "7:11: `wrap-up` cannot be used: \"-1s\" is no duration (write it like \"20s\", \"10m\" or \"1h30m\")",
        ),
        (
            "max-wait = \"10m\"\ntransfer = \"in-line\"",
            "7:12: \"in-line\" is no way to transfer (did you mean \"inline\"? ways here: \"inline\", \"url\")",
        ),
        (
            "max-wait = \"10m\"\nmusic = \"music.mp3\"",
            "7:9: \"music.mp3\" is no web address (write it like \"https://example.com/music.mp3\")",
        ),
        (
            "max-wait = \"10m\"\nmusic = [\"https://example.com/a.mp3\", \"file:///a.mp3\"]",
            "7:39: \"file:///a.mp3\" is no web address (write it like \"https://example.com/music.mp3\")",
        ),
        (
            "max-wait = \"10m\"\nmusic = []",
            "7:9: `music` has 0 addresses (write 1 to 20, or leave the key out)",
        ),
        (
            "max-wait = \"10m\"\nmusic = \"http://example.com/a.mp3\"",
            "warning 7:9: the music is fetched by http: anybody on the way can change it (write https, if the server has it)",
        ),
        (
            "max-wait = \"10m\"\nconnect-say = \"\"",
            "7:15: `connect-say` cannot be said: there is nothing to say (write a sentence, or leave the key out where it is optional)",
        ),
        (
            "max-wait = \"10m\"\nrecord = \"yes\"",
            "7:10: `record` is text, expected true or false",
        ),
        (
            "max-wait = \"10m\"\nmaxwait = \"10m\"",
            "7:1: flow \"x\" has no key \"maxwait\" (keys are type, language, say, music, agents, confirm, connect-say, record, timeout, free-after, max-wait, cool-down, wrap-up, transfer, otherwise)",
        ),
    ] {
        let start =
            "type = \"queue\"\nsay = \"Hold.\"\nagents = [\"alice\"]\notherwise = \"closed\"";
        check_flow(&format!("{start}\n{body}"), &[expected]);
    }
}

#[test]
fn a_flow_that_rings_too_many_or_too_long_is_told() {
    let agents = |n: usize| {
        let names: Vec<String> = (0..n).map(|n| format!("\"a{n}\"")).collect();
        let tables: String = (0..n)
            .map(|n| format!("[[agent]]\nname = \"a{n}\"\napp = \"a{n}\"\n"))
            .collect();
        (names.join(", "), tables)
    };
    let (names, tables) = agents(101);
    let body = format!("type = \"ring\"\nagents = [{names}]\notherwise = \"closed\"\n{tables}");
    check_flow(
        &body,
        &[
            "3:10: `agents` has 101 names (write at most 100, since all are looked at in one request)",
        ],
    );
    let (names, tables) = agents(100);
    let body = format!(
        "type = \"ring\"\nagents = [{names}]\ntimeout = \"73s\"\notherwise = \"closed\"\n{tables}"
    );
    check_flow(
        &body,
        &[
            "1:1: flow \"x\" rings for up to 2h1m40s, and Vonage ends a call after 2h (name fewer agents or ring each for less)",
        ],
    );
    check_flow(&body.replace("73s", "72s"), &[]);
}

#[test]
fn a_wrong_flow_name_is_told_and_what_leads_to_it_is_not() {
    check_head(
        "[flow.\"Night Desk\"]\ntype = \"message\"\nsay = \"x\"\n[[line]]\nnumber = \"447700900001\"\nname = \"N\"\nflow = \"Night Desk\"\n",
        &[
            "1:7: the flow's name \"Night Desk\" cannot be used: a name holds a character other than a-z, 0-9, '-' and '_' (write \"night-desk\")",
        ],
    );
    check_head(
        "[flow]\nsay = \"x\"\n",
        &["2:1: `say` under [flow] is text, expected a table (write [flow.NAME] before each)"],
    );
}

#[test]
fn a_circle_of_flows_is_shown_as_a_path() {
    const AGENTS: &str = "agents = [\"alice\"]";
    let ring = |name: &str, next: &str| {
        format!("[flow.{name}]\ntype = \"ring\"\n{AGENTS}\notherwise = \"{next}\"\n")
    };
    let line = "[[line]]\nnumber = \"447700900001\"\nname = \"N\"\nflow = \"a\"\n";
    check_head(
        &[&ring("a", "b"), &ring("b", "c"), &ring("c", "a"), line].concat(),
        &[
            "12:13: a caller could go round for ever: a → b → c → a (let the way end, for instance in a message)",
        ],
    );
    let hours =
        "[flow.a]\ntype = \"hours\"\nopen = \"Mon 09:00-10:00\"\nthen = \"b\"\notherwise = \"b\"\n";
    check_head(&[hours, &ring("b", "closed"), line].concat(), &[]);
    // Two circles are two faults.
    let hours = hours.replace("otherwise = \"b\"", "otherwise = \"a\"");
    check_head(
        &[&hours, &ring("b", "a"), line].concat(),
        &[
            "5:13: a caller could go round for ever: a → a (let the way end, for instance in a message)",
            "9:13: a caller could go round for ever: a → b → a (let the way end, for instance in a message)",
        ],
    );
    let mut long: String = (0..19)
        .map(|n| ring(&format!("f{n}"), &format!("f{}", n + 1)))
        .collect();
    long += &ring("f19", "f0");
    check_head(
        &[long.as_str(), &line.replace("\"a\"", "\"f0\"")].concat(),
        &[
            "80:13: a caller could go round for ever: f0 → f1 → f2 → f3 → f4 → f5 → … → f19 → f0 (let the way end, for instance in a message)",
        ],
    );
}

#[test]
fn what_no_call_reaches_is_warned_of() {
    check_head(
        "[flow.b]\ntype = \"message\"\nsay = \"x\"\n",
        &[
            "warning 1:7: no call reaches the flow \"b\" (lead a line or another flow to it, or take it out)",
        ],
    );
    // Not where it would follow from another fault: a slip of its name, or a flow nobody can read.
    check_head(
        "[flow.night]\ntype = \"message\"\nsay = \"x\"\n[[line]]\nnumber = \"447700900001\"\nname = \"N\"\nflow = \"nigth\"\n",
        &["7:8: there is no flow \"nigth\" (did you mean \"night\"?)"],
    );
    check_head(
        "[flow.b]\ntype = \"message\"\nsay = \"x\"\n[flow.m]\ntype = \"wizard\"\nkeys = \"b\"\n[[line]]\nnumber = \"447700900001\"\nname = \"N\"\nflow = \"m\"\n",
        &[
            "5:8: there is no type of flow \"wizard\" (types here: \"message\", \"hours\", \"ring\", \"queue\", \"hotline\", \"menu\", \"voicemail\")",
        ],
    );
}

#[test]
fn faults_of_the_toml_are_told_together_with_those_of_the_plan() {
    let text = r#"[defaults]
timezone = Europe/London
[[line]]
number = "447700900000
name = "Desk"
flow = "dsek"
[[line]]
number "447700900001"
name = "B"
flow = "closed"
[flow.desk]
type = "message"
say = "Hello."
say = "Hello again."
[flow.closed]
type = "mesage"
"#;
    check(
        text,
        &[
            "2:12: string values must be quoted, expected literal string (put text, times and durations in quotes)",
            "4:23: invalid basic string, expected `\"`",
            "6:8: there is no flow \"dsek\" (did you mean \"desk\"?)",
            "8:8: key with no value, expected `=`",
            "14:1: the key \"say\" is written twice",
            "16:8: there is no type of flow \"mesage\" (did you mean \"message\"? types here: \"message\", \"hours\", \"ring\", \"queue\", \"hotline\", \"menu\", \"voicemail\")",
        ],
    );
}

#[test]
fn a_value_that_is_not_closed_is_one_fault() {
    for (kind, open, place) in [
        ("hours", "open = [\"Mon 09:00-10:00\"", "4:1: missing comma"),
        ("message", "say = \"\"\"Hello", "24:1: invalid multi-line"),
    ] {
        let head =
            format!("[flow.x]\ntype = \"{kind}\"\n{open}\nthen = \"a\"\notherwise = \"b\"\n");
        let all = faults(&format!("{head}{BASE}"), None);
        assert_eq!(all.lines().count(), 1, "{all}");
        assert!(all.starts_with(place), "{all}");
        assert!(
            all.ends_with("(is the value that begins on line 3 closed?)"),
            "{all}"
        );
    }
}

#[test]
fn all_faults_of_a_plan_are_found_in_one_run() {
    let text = r#"
[defaults]
language = "english"
timezone = "Europe/Londno"
colour = "red"
[[line]]
number = "07700900000"
name = "Desk"
flow = "office"
[[line]]
number = "447700900000"
flow = "queue"
[[agent]]
name = "alice"
[[agent]]
name = "bob"
phone = "447700900000"
app = "bob"
[flow.office]
type = "hours"
open = ["Mon-Fri 09:00-17:00", "Thu 16:00-20:00", "Sut 10:00-12:00"]
closed-on = ["2026-13-01"]
then = "queue"
otherwise = "clsed"
[flow.queue]
type = "queue"
say = ""
agents = ["alice", "bbo"]
timeout = "3m"
otherwise = "office"
[flow.closed]
type = "mesage"
[flow.spare]
type = "message"
say = "Nobody hears this."
"#;
    insta::assert_snapshot!(faults(text, None), @r#"
3:12: "english" is no language code (write it like "en-GB")
4:12: there is no time zone "Europe/Londno" (did you mean "Europe/London"?)
5:1: [defaults] has no key "colour" (keys are language, timezone)
7:10: `number` is not an E.164 number: a phone number starts with its country code, never with 0 (write it like "447700900000")
10:1: the line has no `name` (write name = "Front desk")
13:1: the agent has no `phone`, `sip` or `app`: nothing can be rung (give one of phone, sip and app)
17:9: the agent's phone is a line of this plan: the call would come back to us (write the number of the agent's own phone)
18:1: the agent has `app` beside `phone` (give one of phone, sip and app)
21:32: the window "Thu 16:00-20:00" overlaps with "Mon-Fri 09:00-17:00" (let one end where the other begins)
21:51: "Sut" is no day of the week (did you mean "Sat"?)
22:14: there is no day "2026-13-01" (write year, month and day: "2026-12-25")
24:13: there is no flow "clsed" (did you mean "closed"?)
25:1: flow "queue" has no `max-wait`: a caller could wait for ever (write max-wait = "10m")
27:7: `say` cannot be said: there is nothing to say (write a sentence, or leave the key out where it is optional)
28:20: there is no agent "bbo" (did you mean "bob"?)
29:11: `timeout` cannot be used: "3m" is out of range (write a time from "1s" to "2m")
30:13: a caller could go round for ever: office → queue → office (let the way end, for instance in a message)
31:1: flow "closed" has no `say` (write say = "…")
32:8: there is no type of flow "mesage" (did you mean "message"? types here: "message", "hours", "ring", "queue", "hotline", "menu", "voicemail")
warning 33:7: no call reaches the flow "spare" (lead a line or another flow to it, or take it out)
"#);
}

#[test]
fn hostile_texts_are_read_in_a_moment() {
    let fill = |part: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for n in 0.. {
            let part = part(n);
            if text.len() + part.len() > TEXT_MAX {
                break;
            }
            text += &part;
        }
        text
    };
    let deep = ["k"; 79].join(".");
    let keys: String = std::iter::repeat_n(format!("{{{deep} = "), 79).collect();
    let closing = "}".repeat(79);
    let four = format!("{deep} = {{").repeat(4);
    let shallow = format!("[{deep}]\n{four}{deep} = 1}}}}}}}}\n{four}{deep} = 1}}}}}}}}");
    let texts: Vec<(&str, String)> = vec![
        ("errors in one line", fill(&|_| "= ".to_owned())),
        ("quotes in one line", "\"".repeat(TEXT_MAX)),
        ("the deepest without many braces", shallow),
        (
            "wrong values in one line",
            format!("a = [{}1]", &fill(&|_| "x,".to_owned())[..TEXT_MAX - 10]),
        ),
        ("opening brackets", "[".repeat(TEXT_MAX)),
        (
            "a value of brackets",
            format!("a = {}", "[".repeat(TEXT_MAX - 4)),
        ),
        ("braces", format!("a = {}", "{".repeat(TEXT_MAX - 4))),
        ("dots", "a.".repeat(TEXT_MAX / 2)),
        (
            "a header of dots",
            format!("[{}", "a.".repeat(TEXT_MAX / 2 - 1)),
        ),
        (
            "deep tables",
            format!(
                "a = {keys}1{closing}\na = {keys}1{closing}\n[[line]]\nname = {keys}1{closing}"
            ),
        ),
        ("keys without a value", fill(&|n| format!("k{n}\n"))),
        ("unknown keys", fill(&|n| format!("k{n} = 1\n"))),
        (
            "unknown keys in one line",
            format!(
                "defaults = {{{}}}",
                &fill(&|n| format!("k{n}=1,"))[..TEXT_MAX - 20]
            ),
        ),
        (
            "wrong zones",
            fill(&|n| format!("[flow.f{n}]\ntype=\"hours\"\ntimezone=\"Europe/L{n}\"\n")),
        ),
        (
            "unknown flows",
            fill(&|n| format!("[flow.f{n}]\ntype=\"hours\"\nthen=\"g{n}\"\notherwise=\"h{n}\"\n")),
        ),
        (
            "a chain with a way back from each",
            fill(&|n| {
                format!(
                    "[flow.f{n}]\ntype=\"hours\"\nthen=\"f{}\"\notherwise=\"f0\"\n",
                    n + 1
                )
            }),
        ),
        (
            "windows of one flow",
            format!(
                "[flow.f]\ntype=\"hours\"\nopen=[{}]",
                &fill(&|_| "\"daily 09:00-10:00\",".to_owned())[..TEXT_MAX - 100]
            ),
        ),
        (
            "agents of one phone",
            fill(&|n| format!("[[agent]]\nname=\"a{n}\"\nphone=\"447700900000\"\n")),
        ),
        (
            "long names",
            format!(
                "[flow.{}]\n[flow.{}]\n",
                "a".repeat(TEXT_MAX / 3),
                "b".repeat(TEXT_MAX / 3)
            ),
        ),
        (
            "texts without an end",
            fill(&|n| format!("k{n} = \"\"\"\n")),
        ),
        (
            "one table again and again",
            fill(&|_| "[flow.x]\na=1\n".to_owned()),
        ),
    ];
    for (what, text) in texts {
        assert!(text.len() <= TEXT_MAX, "{what}");
        let begin = Instant::now();
        let checked = Plan::parse(&text);
        let took = begin.elapsed();
        assert!(!checked.faults.is_empty(), "{what}");
        // A square of the length would be minutes, also in a build without optimisation.
        assert!(took < Duration::from_secs(20), "{what}: {took:?}");
    }
}

/// Where a call may go, however long: the longest way, in flows, or `None` if it has no end.
fn longest_way(plan: &Plan, name: &FlowName, left: usize) -> Option<usize> {
    let flow = plan.flow(name)?;
    let left = left.checked_sub(1)?;
    let mut longest = 0;
    for (_, exit) in flow.exits() {
        longest = longest.max(longest_way(plan, exit, left)?);
    }
    Some(longest + 1)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), toml in "([a-z.]{1,4}|\\[\\[?|\\]\\]?| ?= ?|\"|'|\\{|\\}|,|#|\n|[0-9:-]{1,5}|\\PC){0,80}") {
        let _ = Plan::parse(&text);
        let _ = Plan::parse(&toml);
    }

    #[test]
    fn a_plan_with_some_text_changed_is_read_without_panic_and_its_faults_lie_in_it(
        from in 0..2600usize, length in 0..40usize, with in "(\\PC|\n|\"|=|\\[|\\]|\\{){0,12}",
    ) {
        let from = EXAMPLE.floor_char_boundary(from);
        let to = EXAMPLE.floor_char_boundary(from + length);
        let text = [&EXAMPLE[..from], with.as_str(), &EXAMPLE[to..]].concat();
        let checked = Plan::parse_on(&text, Some(date(2030, 1, 1)));
        let lines: Vec<&str> = text.split('\n').collect();
        for fault in &checked.faults {
            prop_assert!(fault.span.start <= text.len());
            let line = lines[fault.line - 1];
            prop_assert!(fault.column <= line.chars().count() + 1, "{}", fault);
            prop_assert!(!fault.to_string().contains('\n'));
        }
        let any = checked.faults.iter().any(|f| f.severity == Severity::Fault);
        prop_assert_eq!(checked.plan.is_none(), any);
    }

    #[test]
    fn a_plan_of_any_flows_is_sound_exactly_when_each_way_ends(
        exits in prop::collection::vec((0..6usize, 0..6usize), 1..6),
    ) {
        let mut text = BASE.to_owned();
        let name = |n: usize| if n < exits.len() { format!("f{n}") } else { "closed".to_owned() };
        for (n, (then, otherwise)) in exits.iter().enumerate() {
            let (then, otherwise) = (name(*then), name(*otherwise));
            write!(text, "[flow.f{n}]\ntype = \"hours\"\nopen = \"Mon 09:00-10:00\"\nthen = \"{then}\"\notherwise = \"{otherwise}\"\n").unwrap();
        }
        // By hand: take away flows that lead only to those taken away before.
        let mut ended = BTreeSet::new();
        for _ in 0..exits.len() {
            for (n, (then, otherwise)) in exits.iter().enumerate() {
                if [then, otherwise].iter().all(|&&to| to >= exits.len() || ended.contains(&to)) {
                    ended.insert(n);
                }
            }
        }
        let plan = Plan::parse(&text).plan;
        prop_assert_eq!(plan.is_some(), ended.len() == exits.len());
        if let Some(plan) = plan {
            for flow in plan.flows() {
                prop_assert!(longest_way(&plan, &flow.name, plan.flows().count()).is_some());
            }
        }
    }

    #[test]
    fn a_plan_written_from_its_parts_has_no_faults(
        lines in 1..8usize, agents in 1..8usize, timeout in 1..=120u64, wait in 5..=7200u64, rest in 0..=900u64,
    ) {
        let mut text = "[defaults]\ntimezone = \"Asia/Tokyo\"\n".to_owned();
        let names: Vec<String> = (0..agents).map(|n| format!("\"a_{n}\"")).collect();
        for (n, name) in names.iter().enumerate() {
            write!(text, "[[agent]]\nname = {name}\nphone = \"4477009001{n:02}\"\n").unwrap();
        }
        for n in 0..lines {
            write!(text, "[[line]]\nnumber = \"4477009000{n:02}\"\nname = \"L{n}\"\nflow = \"q{n}\"\n").unwrap();
            write!(text, "[flow.q{n}]\ntype = \"queue\"\nsay = \"Hold.\"\nagents = [{}]\n", names.join(",")).unwrap();
            write!(text, "timeout = \"{timeout}s\"\nmax-wait = \"{wait}s\"\nwrap-up = \"{rest}s\"\notherwise = \"end\"\n").unwrap();
        }
        text += "[flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n";
        prop_assert_eq!(faults(&text, None), "");
    }
}

#[test]
fn a_line_says_what_callers_are_asked_and_how_much_of_them_is_shown() {
    let text = |keys: &str| {
        format!(
            "[[line]]\nnumber = \"447700900000\"\nname = \"Desk\"\nflow = \"end\"\n{keys}\n\
             [flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n"
        )
    };
    let line = |keys: &str| {
        let plan = Plan::parse(&text(keys)).plan.unwrap();
        let line = plan.lines().next().unwrap();
        (line.consent, line.caller)
    };
    assert_eq!(line(""), (Consent::Announce, CallerShown::Show));
    assert_eq!(
        line("consent = \"ask\"\ncaller = \"hide\""),
        (Consent::Ask, CallerShown::Hide)
    );
    assert_eq!(
        faults(&text("consent = \"asks\"\ncaller = 3"), None),
        "5:11: `consent` cannot be \"asks\" (did you mean \"ask\"? words here: \"announce\", \"ask\", \"none\")\n\
         6:10: `caller` is an integer, expected a way to show callers (write it in quotes)"
    );
}

#[test]
fn an_agent_is_on_duty_in_their_windows_and_at_any_time_without() {
    let text = |keys: &str| {
        format!(
            "[[agent]]\nname = \"alice\"\nphone = \"447700900011\"\n{keys}\n[flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n"
        )
    };
    let on_duty = |keys: &str, at: &str| {
        let checked = Plan::parse(&text(keys));
        let plan = checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults));
        plan.agents()
            .next()
            .unwrap()
            .is_on_duty(at.parse().unwrap())
    };
    let paris = "on-duty = [\"Mon-Fri 09:00-17:00\"]\ntimezone = \"Europe/Paris\"";
    for (keys, at, expected) in [
        ("", "2026-11-22T03:00:00Z", true),
        (paris, "2026-11-23T07:59:00Z", false),
        (paris, "2026-11-23T08:00:00Z", true),
        (paris, "2026-11-23T16:00:00Z", false),
        (paris, "2026-11-22T12:00:00Z", false),
    ] {
        assert_eq!(on_duty(keys, at), expected, "{keys} {at}");
    }
    let said = faults(&text("on-duty = []"), None);
    assert!(
        said.contains("`on-duty` is empty: the agent is never rung"),
        "{said}"
    );
    let said = faults(&text("on-duty = \"daily 09:00-17:00\""), None);
    assert!(
        said.contains("the agent has no `timezone`, and [defaults] has none"),
        "{said}"
    );
}

#[test]
fn a_plan_says_how_long_things_are_kept() {
    let keep = |text: &str| {
        let plan = Plan::parse(&format!("{text}{BASE}")).plan;
        plan.unwrap_or_else(|| panic!("{}", faults(text, None)))
            .keep()
    };
    let days = |days: i64| jiff::SignedDuration::from_hours(24 * days);
    for (text, ledger, recordings) in [
        ("", 120, None),
        ("[keep]\n", 120, None),
        ("[keep]\nledger = \"30d\"\n", 30, None),
        ("[keep]\nrecordings = \"1y\"\n", 120, Some(365)),
        (
            "[keep]\nledger = \"2w\"\nrecordings = \"forever\"\n",
            14,
            None,
        ),
    ] {
        let expected = Keep {
            ledger: days(ledger),
            recordings: recordings.map(days),
        };
        assert_eq!(keep(text), expected, "{text:?}");
    }
}

#[test]
fn faults_of_what_is_kept_are_told() {
    check_head(
        "[keep]\nledger = \"1h\"\nrecordings = \"20y\"\n",
        &[
            "2:10: \"1h\" is no time to keep something (write it like \"120d\", \"6w\" or \"1y\")",
            "3:14: \"20y\" is out of range (write a time from \"1d\" to \"10y\", or \"forever\")",
        ],
    );
    check_head(
        "[keep]\nledger = 120\nrecording = \"1y\"\n",
        &[
            "2:10: `ledger` is an integer, expected a time (write it in quotes)",
            "3:1: [keep] has no key \"recording\" (did you mean `recordings`?)",
        ],
    );
    check_head(
        "keep = \"1y\"\n",
        &["1:8: `keep` is text, expected a table (write [keep] and the keys below it)"],
    );
    check_head(
        "[keep]\nledger = \"forever\"\n",
        &[
            "2:10: \"forever\" is no time to keep something (write it like \"120d\", \"6w\" or \"1y\")",
        ],
    );
}

/// A plan with one flow, `x`, of these keys.
fn flow_of(keys: &str) -> String {
    format!(
        "[[agent]]\nname = \"alice\"\nphone = \"447700900011\"\n\
         [[agent]]\nname = \"bob\"\nphone = \"447700900012\"\n\
         [[line]]\nnumber = \"447700900000\"\nname = \"Desk\"\nflow = \"x\"\n\
         [flow.end]\ntype = \"message\"\nsay = \"Bye.\"\n[flow.x]\n{keys}\n"
    )
}

const MUSIC: &str = "music = \"https://example.com/a.mp3\"";

#[test]
fn a_hotline_says_who_is_rung_and_for_how_long() {
    let text = flow_of(&format!(
        "type = \"hotline\"\nname = \"Conduct\"\n{MUSIC}\nstaff = [\"alice\", \"bob\"]\nrecord = true\n\
         confirm = false\ntimeout = \"15s\"\nmax-wait = \"2m\"\nkeep-ringing = true\notherwise = \"end\""
    ));
    let plan = Plan::parse(&text).plan.unwrap();
    let (_, hotline) = plan.hotline(&"x".parse().unwrap()).unwrap();
    let staff: Vec<_> = hotline.staff().map(AgentName::as_str).collect();
    assert_eq!(staff, ["alice", "bob"]);
    assert_eq!(hotline.name.as_deref(), Some("Conduct"));
    assert_eq!(hotline.timeout, Duration::from_secs(15));
    assert_eq!(hotline.max_wait, Duration::from_secs(120));
    assert!(hotline.record && hotline.keep_ringing && hotline.shared && !hotline.confirm);
}

#[test]
fn a_ring_flow_has_the_keys_of_its_strategy() {
    let kind = |keys: &str| {
        let text = flow_of(&format!("type = \"ring\"\n{keys}\notherwise = \"end\""));
        let checked = Plan::parse(&text);
        let plan = checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults));
        plan.flow(&"x".parse().unwrap()).unwrap().kind.clone()
    };
    let agents = "agents = [\"alice\", \"bob\"]";
    let FlowKind::Ring(ring) = kind(agents) else {
        panic!()
    };
    assert!(!ring.by_turns && ring.confirm);
    let FlowKind::Ring(ring) = kind(&format!("strategy = \"round-robin\"\n{agents}")) else {
        panic!()
    };
    let by_turns = |turn| {
        let names = (0..3).map(|n| ring.nth(n, turn).map(AgentName::as_str));
        names.collect::<Vec<_>>()
    };
    assert_eq!(by_turns(0), [Some("alice"), Some("bob"), None]);
    assert_eq!(by_turns(1), [Some("bob"), Some("alice"), None]);
    assert_eq!(by_turns(u32::MAX), [Some("bob"), Some("alice"), None]);
    let together = format!("{MUSIC}\nmax-wait = \"1m\"");
    let FlowKind::Hotline(all) = kind(&format!("strategy = \"all\"\n{agents}\n{together}")) else {
        panic!()
    };
    assert!(!all.shared && all.stages.len() == 1);
    let staged = "stages = [{ agents = [\"alice\"] }, { after = \"15s\", agents = [\"bob\"] }]";
    let FlowKind::Hotline(staged) = kind(&format!("strategy = \"staged\"\n{staged}\n{together}"))
    else {
        panic!()
    };
    let after: Vec<_> = staged
        .stages
        .iter()
        .map(|stage| stage.after.as_secs())
        .collect();
    assert_eq!(after, [0, 15]);
}

#[test]
fn wrong_hotlines_and_strategies_are_told() {
    let hotline = format!("type = \"hotline\"\n{MUSIC}\nmax-wait = \"1m\"\notherwise = \"end\"");
    let staged = format!(
        "type = \"ring\"\nstrategy = \"staged\"\n{MUSIC}\nmax-wait = \"1m\"\notherwise = \"end\""
    );
    for (keys, expected) in [
        (
            hotline.clone(),
            "flow \"x\" has no `staff` (write staff = [\"alice\"])",
        ),
        (
            format!("{hotline}\nstaff = []"),
            "`staff` is empty: nobody can be rung (write staff = [\"alice\"])",
        ),
        (
            format!("{hotline}\nstaff = [\"alise\"]"),
            "there is no agent \"alise\" (did you mean \"alice\"?)",
        ),
        (
            format!("{hotline}\nstaff = [\"alice\"]\nconfirm = 1"),
            "`confirm` is an integer, expected true or false",
        ),
        (
            "type = \"hotline\"\nstaff = [\"alice\"]\notherwise = \"end\"".to_owned(),
            "flow \"x\" has no `max-wait`: a caller could wait for ever (write max-wait = \"10m\")",
        ),
        (
            "type = \"hotline\"\nstaff = [\"alice\"]\nmax-wait = \"1m\"\notherwise = \"end\""
                .to_owned(),
            "flow \"x\" has no `music` (write music = \"https://example.com/music.mp3\")",
        ),
        (
            "type = \"ring\"\nstrategy = \"al\"".to_owned(),
            "`strategy` cannot be \"al\" (did you mean \"all\"? words here: \"in-order\", \"round-robin\", \"all\", \"staged\")",
        ),
        (
            format!("{staged}\nstages = []"),
            "`stages` has 0 stages (write 1 to 10, like stages = [{ agents = [\"alice\"] }, { after = \"15s\", agents = [\"bob\"] }])",
        ),
        (
            format!("{staged}\nstages = [{{ after = \"5s\", agents = [\"alice\"] }}]"),
            "the first stage begins at once (take `after` out of it)",
        ),
        (
            format!("{staged}\nstages = [{{ agents = [\"alice\"] }}, {{ agents = [\"bob\"] }}]"),
            "a later stage does not say when it begins (write after = \"15s\")",
        ),
        (
            format!(
                "{staged}\nstages = [{{ agents = [\"alice\"] }}, {{ after = \"5s\", agents = [\"alice\"] }}]"
            ),
            "`stages` names \"alice\" twice (name each agent once)",
        ),
        (
            format!(
                "{staged}\nstages = [{{ agents = [\"alice\"] }}, {{ after = \"1h\", agents = [\"bob\"] }}]"
            ),
            "`after` cannot be used: \"1h\" is out of range (write a time from \"1s\" to \"15m\")",
        ),
        (
            format!("{staged}\nstages = [{{ agents = [\"alice\"], delay = \"5s\" }}]"),
            "stage 1 of flow \"x\" has no key \"delay\" (keys are after, agents)",
        ),
    ] {
        let said = faults(&flow_of(&keys), None);
        assert!(said.contains(expected), "{keys}\n{said}");
    }
}
