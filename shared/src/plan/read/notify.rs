//! Targets of notifications.

use super::fields::{Fields, Item, text};
use super::{Reading, parts, read_number, tables, word};
use crate::news::Topic;
use crate::notify::{TargetUrl, Words};
use crate::number::PhoneNumber;
use crate::plan::fault::{Wrong, did_you_mean, quoted};
use crate::plan::notify::{Address, Form};
use crate::plan::{Target, TargetName};
use std::collections::BTreeMap;
use std::ops::Range;
use toml::de::DeTable;

/// What stands in place of a URL that the settings hold.
const SETTING: &str = "setting";

pub(super) fn read(reading: &mut Reading<'_, '_>, item: Option<Item<'_>>) -> Vec<Target> {
    let mut names = Vec::new();
    let names = std::cell::RefCell::new(&mut names);
    tables(reading, item, "[[notify]]", |reading, table, span| {
        read_target(reading, table, span, &mut names.borrow_mut())
    })
}

fn read_target(
    reading: &mut Reading<'_, '_>,
    table: &DeTable<'_>,
    span: Range<usize>,
    names: &mut Vec<String>,
) -> Option<Target> {
    let mut fields = Fields::new("the [[notify]]", table, span.clone());
    let name = fields.required(reading, "name", "name = \"team\"", |reading, item| {
        let name = text(reading, item, "a name", Ok)?;
        if names.contains(&name) {
            let message = format!("two [[notify]] have the name {}", quoted(&name));
            let advice = "give each a name of its own".to_owned();
            reading
                .faults
                .fault(item.span.clone(), message, Some(advice));
            return None;
        }
        let checked = TargetName::new(name.as_str());
        names.push(name.clone());
        reading.checked_name("the name", &name, item.span.clone(), checked)
    });
    let place = place(reading, &mut fields, &span);
    let topics = fields.optional(reading, "events", topics);
    let lines = fields.optional(reading, "lines", lines);
    let words = fields.optional(reading, "words", words);
    fields.done(reading);
    if let (Some(Some(topics)), Some(Some(words)), Some(item)) =
        (&topics, &words, table.get_key_value("words"))
    {
        for topic in words.keys().filter(|topic| !topics.contains(topic)) {
            let topic = topic.word();
            let message = format!("there are words for `{topic}`, which is not among `events`");
            let advice = format!("add {topic:?} to `events`, or take the words out");
            reading.faults.warning(item.0.span(), message, Some(advice));
        }
    }
    let all = || Topic::WORDS.iter().map(|(_, topic)| *topic).collect();
    let (form, address) = place?;
    Some(Target {
        name: name?,
        form,
        address,
        topics: topics?.unwrap_or_else(all),
        lines: lines?.unwrap_or_default(),
        words: words?.unwrap_or_default(),
    })
}

/// Reads `slack` or `webhook`: one of them.
fn place(
    reading: &mut Reading<'_, '_>,
    fields: &mut Fields<'_>,
    span: &Range<usize>,
) -> Option<(Form, Address)> {
    let slack = fields.optional(reading, "slack", address);
    let webhook = fields.optional(reading, "webhook", address);
    match (slack?, webhook?) {
        (Some(address), None) => Some((Form::Slack, address)),
        (None, Some(address)) => Some((Form::Webhook, address)),
        (Some(_), Some(_)) => {
            let message = "a [[notify]] has either `slack` or `webhook`, and this has both";
            let advice = "make them two".to_owned();
            reading.faults.fault(span.clone(), message, Some(advice));
            None
        }
        (None, None) => {
            let why = " and no `webhook`: it is told nowhere";
            fields.missing(reading, "slack", why, "webhook = \"https://…\"");
            None
        }
    }
}

fn address(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Address> {
    let key = item.key;
    // The address itself is not repeated: faults are logged, and who knows it can write there.
    let read = text(reading, item, "a URL", |text| {
        if text == SETTING {
            return Ok(Address::Setting);
        }
        let url = TargetUrl::parse(&text).map_err(|why| {
            let advice = format!(
                "write a public https URL, or {SETTING:?} for one in SWITCHBOARD_NOTIFY_URLS"
            );
            Wrong::new(format!("`{key}` cannot be told anything: {why}"), advice)
        })?;
        Ok(Address::Url(url))
    })?;
    if matches!(&read, Address::Url(url) if url.is_of_this_machine()) {
        let message = format!("`{key}` is this machine: nobody is told there by default");
        let advice = "for a trial, name its origin in SWITCHBOARD_NOTIFY_ALLOW".to_owned();
        reading
            .faults
            .warning(item.span.clone(), message, Some(advice));
    }
    Some(read)
}

fn topics(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Vec<Topic>> {
    let mut topics = Vec::new();
    let mut sound = true;
    for part in parts(item) {
        match word(reading, &part, "a list of events", Topic::WORDS) {
            Some(topic) if topics.contains(&topic) => {}
            Some(topic) => topics.push(topic),
            None => sound = false,
        }
    }
    if topics.is_empty() && sound {
        let message = "`events` is empty: it is never told anything";
        let advice = "name some, or take the key out for all".to_owned();
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    sound.then_some(topics)
}

fn lines(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<Vec<PhoneNumber>> {
    let mut lines: Vec<PhoneNumber> = Vec::new();
    let mut sound = true;
    for part in parts(item) {
        let Some(number) = read_number(reading, &part) else {
            sound = false;
            continue;
        };
        let known = reading
            .graph
            .numbers
            .iter()
            .any(|(line, _)| *line == number);
        if !known && !reading.graph.entries_lost {
            // The number itself is not repeated: faults are logged, numbers are not.
            let advice = "write the number of a [[line]]".to_owned();
            let message = "no line of the plan has this number";
            reading
                .faults
                .fault(part.span.clone(), message, Some(advice));
        }
        if !lines.contains(&number) {
            lines.push(number);
        }
    }
    if lines.is_empty() && sound {
        let message = "`lines` is empty: it is told of no line";
        let advice = "name some, or take the key out for all".to_owned();
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
        return None;
    }
    sound.then_some(lines)
}

fn words(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<BTreeMap<Topic, Words>> {
    let Some(table) = item.value.as_table() else {
        let advice = "write words.missed = \"…\"".to_owned();
        reading.mismatch(item, "a table", Some(advice));
        return None;
    };
    let mut words = BTreeMap::new();
    let mut sound = true;
    for (key, value) in table {
        let name: &str = key.get_ref();
        let Some((word, topic)) = Topic::WORDS.iter().find(|(word, _)| *word == name) else {
            let known = Topic::WORDS.map(|(word, _)| word);
            let near = reading.faults.nearest(name, known);
            let advice =
                near.map_or_else(|| format!("events are {}", known.join(", ")), did_you_mean);
            let message = format!("there is no event {}", quoted(name));
            reading.faults.fault(key.span(), message, Some(advice));
            sound = false;
            continue;
        };
        let part = Item {
            key: word,
            key_span: key.span(),
            value: value.get_ref(),
            span: value.span(),
        };
        let read = text(reading, &part, "text", |text| {
            Words::parse(*topic, &text).map_err(|why| {
                let variables = Words::variables(*topic).join(", ");
                let message = format!("the words for `{word}` cannot be used: {why}");
                Wrong::new(message, format!("variables here are {variables}"))
            })
        });
        match read {
            Some(read) => drop(words.insert(*topic, read)),
            None => sound = false,
        }
    }
    sound.then_some(words)
}

#[cfg(test)]
mod tests {
    use crate::news::Topic;
    use crate::notify::Escape;
    use crate::plan::notify::{Address, Form};
    use crate::plan::{Plan, Severity};

    /// Line 1 is the header of the [[notify]].
    fn plan(body: &str) -> String {
        format!(
            "[[notify]]\n{body}\n[[line]]\nnumber = \"447700900000\"\nname = \"Desk\"\n\
             flow = \"closed\"\n[flow.closed]\ntype = \"message\"\nsay = \"Closed.\"\n"
        )
    }

    #[track_caller]
    fn check(body: &str, expected: &[&str]) {
        let shown = |fault: &crate::plan::PlanFault| match fault.severity {
            Severity::Fault => fault.to_string(),
            Severity::Warning => format!("warning {fault}"),
        };
        let faults: Vec<_> = Plan::parse(&plan(body)).faults.iter().map(shown).collect();
        assert_eq!(faults.join("\n"), expected.join("\n"), "{body}");
    }

    const TEAM: &str = "name = \"team\"\nslack = \"https://hooks.slack.com/services/T/B/x\"";

    #[test]
    fn a_target_is_told_everything_in_the_usual_words_unless_it_says_otherwise() {
        let checked = Plan::parse(&plan(TEAM));
        let plan = checked.plan.unwrap();
        let target = plan.targets().next().unwrap();
        assert_eq!((target.name.as_str(), target.form), ("team", Form::Slack));
        assert!(Topic::WORDS.iter().all(|(_, topic)| plan.tells(*topic)));
        assert!(target.lines.is_empty() && target.words.is_empty());
        assert!(!format!("{plan:?}").contains("/T/B/x") || plan.text().contains("/T/B/x"));
        assert!(!format!("{target:?}").contains("slack.com"));
    }

    #[test]
    fn a_target_has_its_own_events_lines_and_words() {
        let body = "name = \"sheet\"\nwebhook = \"setting\"\nevents = [\"missed\", \"voicemail\", \
                    \"missed\"]\nlines = [\"+44 7700 900000\"]\nwords.missed = \"Call {{ caller }}\"";
        let checked = Plan::parse(&plan(body));
        let plan = checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults));
        let target = plan.targets().next().unwrap();
        assert_eq!(
            (target.form, &target.address),
            (Form::Webhook, &Address::Setting)
        );
        assert_eq!(target.topics, [Topic::Missed, Topic::Voicemail]);
        let line = "447700900000".parse().unwrap();
        let other = "447700900001".parse().unwrap();
        for (topic, line, wanted) in [
            (Topic::Missed, Some(&line), true),
            (Topic::Missed, Some(&other), false),
            (Topic::Missed, None, false),
            (Topic::Answered, Some(&line), false),
            (Topic::StaffFailing, None, false),
        ] {
            assert_eq!(target.wants(topic, line), wanted, "{topic:?} {line:?}");
        }
        let written = target
            .words(Topic::Missed)
            .write(&[("caller", "1".to_owned())], Escape::Plain);
        assert_eq!(written.unwrap(), "Call 1");
    }

    #[test]
    fn wrong_targets_are_told() {
        let keys = "keys are name, slack, webhook, events, lines, words";
        for (body, expected) in [
            (
                "",
                &[
                    "1:1: the [[notify]] has no `name` (write name = \"team\")",
                    "1:1: the [[notify]] has no `slack` and no `webhook`: it is told nowhere \
                     (write webhook = \"https://…\")",
                ][..],
            ),
            (
                "name = \"Team\"\nwebhook = \"setting\"",
                &[
                    "2:8: the name \"Team\" cannot be used: a name holds a character other than a-z, 0-9, \
                   '-' and '_' (write \"team\")",
                ],
            ),
            (
                &format!("{TEAM}\nwebhook = \"https://example.com/\""),
                &[
                    "1:1: a [[notify]] has either `slack` or `webhook`, and this has both (make them two)",
                ],
            ),
            (
                &format!("{TEAM}\ncolour = 1"),
                &[&format!(
                    "4:1: the [[notify]] has no key \"colour\" ({keys})"
                )],
            ),
            (
                &format!("{TEAM}\nevents = [\"mised\", 1]"),
                &[
                    "4:11: `events` cannot be \"mised\" (did you mean \"missed\"? words here: \"started\", \
                     \"answered\", \"missed\", \"voicemail\", \"archived\", \"staff-failing\", \
                     \"nobody-on-duty\")",
                    "4:20: `events` is an integer, expected a list of events (write it in quotes)",
                ],
            ),
            (
                &format!("{TEAM}\nevents = []\nlines = []"),
                &[
                    "4:10: `events` is empty: it is never told anything (name some, or take the key out \
                     for all)",
                    "5:9: `lines` is empty: it is told of no line (name some, or take the key out for all)",
                ],
            ),
            (
                &format!("{TEAM}\nlines = [\"447700900009\", \"x\"]"),
                &[
                    "4:10: no line of the plan has this number (write the number of a [[line]])",
                    "4:26: `lines` is not an E.164 number: a phone number has digits only, with the \
                     country code first and without + or 00 (write it like \"447700900000\")",
                ],
            ),
            (
                &format!("{TEAM}\nwords = \"x\""),
                &["4:9: `words` is text, expected a table (write words.missed = \"…\")"],
            ),
            (
                &format!(
                    "{TEAM}\n[notify.words]\nmised = \"x\"\nmissed = \"{{{{ agent }}}}\"\n\
                     started = \"{{{{ caller\"\nanswered = 1"
                ),
                &[
                    "5:1: there is no event \"mised\" (did you mean \"missed\"?)",
                    "6:10: the words for `missed` cannot be used: there is no variable \"agent\" (variables \
                     here are line_name, line, caller, call, at, waited)",
                    "7:11: the words for `started` cannot be used: line 1 of them does not read: syntax \
                     error: unexpected end of input, expected end of variable block (variables here are \
                     line_name, line, caller, call, at)",
                    "8:12: `answered` is an integer, expected text (write it in quotes)",
                ],
            ),
            (
                &format!("{TEAM}\nevents = [\"started\"]\nwords.missed = \"x\""),
                &[
                    "warning 5:1: there are words for `missed`, which is not among `events` (add \
                   \"missed\" to `events`, or take the words out)",
                ],
            ),
            (
                &format!("{TEAM}\n[[notify]]\n{TEAM}"),
                &["5:8: two [[notify]] have the name \"team\" (give each a name of its own)"],
            ),
        ] {
            check(body, expected);
        }
    }

    #[test]
    fn an_address_that_may_not_be_told_is_refused_and_never_repeated() {
        let advice = "write a public https URL, or \"setting\" for one in SWITCHBOARD_NOTIFY_URLS";
        for (url, why) in [
            ("http://hooks.example.com/secret", "it is not https"),
            ("https://10.0.0.1/secret", "its address is not public"),
            (
                "https://169.254.169.254/secret",
                "its address is not public",
            ),
            ("https://secret:x@example.com/", "it names a user"),
            ("secret", "it is not a URL"),
        ] {
            let body = format!("name = \"team\"\nwebhook = \"{url}\"");
            let expected = format!("3:11: `webhook` cannot be told anything: {why} ({advice})");
            check(&body, &[&expected]);
            assert!(!expected.contains("secret"));
        }
        check(
            "name = \"team\"\nslack = \"http://localhost:8080/secret\"",
            &[
                "warning 3:9: `slack` is this machine: nobody is told there by default (for a trial, name \
               its origin in SWITCHBOARD_NOTIFY_ALLOW)",
            ],
        );
    }
}
