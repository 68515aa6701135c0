//! From the tree of the text to lines, agents and flows.
//!
//! Walks by hand, so that every wrong value is found in one run. What cannot be read is left out of
//! the [`Draft`]; its place in the [`Graph`] stays, so that nobody is told it is missing.

mod calendar;
mod fields;
mod flow;
mod hotline;
mod keep;
mod menu;
mod notify;
mod voicemail;

use super::agent::{Agent, Endpoint, sip};
use super::fault::{Faults, Wrong, did_you_mean, listed, quoted};
use super::language;
use super::line::{CallerShown, Consent, LABEL_LENGTH_MAX, Line};
use super::name::{AgentName, FlowName, NameError, tidied};
use super::{Calendar, Defaults, Flow, Keep, Target, syntax, zone};
use crate::number::PhoneNumber;
use fields::{Fields, Item, text, type_of};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What could be read of a plan. Whole if there are no faults.
pub(super) struct Draft {
    pub(super) defaults: Defaults,
    pub(super) keep: Keep,
    pub(super) lines: Vec<Line>,
    pub(super) agents: Vec<Agent>,
    pub(super) flows: Vec<Flow>,
    pub(super) targets: Vec<Target>,
    pub(super) graph: Graph,
}

/// Names and what leads to them, as written, with their places.
#[derive(Default)]
pub(super) struct Graph {
    /// All flows, also those with faults.
    pub(super) flows: BTreeMap<String, Node>,
    /// All agents, also those with faults; a name written twice stands for the first.
    pub(super) agents: BTreeMap<String, Node>,
    /// From lines to flows.
    pub(super) entries: Vec<Reference>,
    /// Numbers of lines, in order.
    pub(super) numbers: Vec<(PhoneNumber, Range<usize>)>,
    /// Phones of agents, in order.
    pub(super) phones: Vec<(PhoneNumber, Range<usize>)>,
    /// Lines written, with faults or without.
    pub(super) line_count: usize,
    /// Whether some line's flow could not be read.
    pub(super) entries_lost: bool,
    /// Whether some list of agents could not be read.
    pub(super) agents_lost: bool,
}

/// A flow or an agent.
#[derive(Default)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    /// Where a flow leads by itself.
    pub(super) exits: Vec<Reference>,
    /// Where it leads by a caller's choice in a menu.
    pub(super) choices: Vec<Reference>,
    /// Whom a flow rings.
    pub(super) agents: Vec<Reference>,
    /// Whether there may be exits that could not be read.
    pub(super) exits_lost: bool,
}

impl Node {
    /// All flows that this one leads to.
    pub(super) fn ways(&self) -> impl Iterator<Item = &Reference> {
        self.exits.iter().chain(&self.choices)
    }
}

/// A name written somewhere.
pub(super) struct Reference {
    pub(super) to: String,
    pub(super) span: Range<usize>,
}

/// What every reader needs.
struct Reading<'f, 't> {
    faults: &'f mut Faults<'t>,
    today: Option<Date>,
    defaults: Defaults,
    graph: Graph,
}

pub(super) fn read(text: &str, today: Option<Date>, faults: &mut Faults<'_>) -> Draft {
    syntax::with_tree(text, faults, |root, faults| {
        let defaults = Defaults {
            language: language::DEFAULT.to_owned(),
            timezone: None,
        };
        let mut reading = Reading {
            faults,
            today,
            defaults,
            graph: Graph::default(),
        };
        let mut fields = Fields::new("the plan", root, 0..0);
        let defaults = fields.take("defaults");
        let lines = fields.take("line");
        let agents = fields.take("agent");
        let flows = fields.take("flow");
        let targets = fields.take("notify");
        let keep = fields.take("keep");
        fields.done(&mut reading);
        if let Some(item) = defaults {
            read_defaults(&mut reading, &item);
        }
        let keep = keep::read(&mut reading, keep);
        let any = lines.is_some();
        let lines = tables(&mut reading, lines, "[[line]]", read_line);
        reading.graph.entries_lost |= any && reading.graph.line_count == 0;
        Draft {
            lines,
            agents: tables(&mut reading, agents, "[[agent]]", read_agent),
            flows: read_flows(&mut reading, flows),
            targets: notify::read(&mut reading, targets),
            defaults: reading.defaults,
            keep,
            graph: reading.graph,
        }
    })
}

fn read_defaults(reading: &mut Reading<'_, '_>, item: &Item<'_>) {
    let Some(table) = item.value.as_table() else {
        let advice = "write [defaults] and the keys below it".to_owned();
        reading.mismatch(item, "a table", Some(advice));
        return;
    };
    let mut fields = Fields::new("[defaults]", table, item.span.clone());
    let language = fields.optional(reading, "language", read_language);
    let zone = fields.optional(reading, "timezone", read_zone);
    fields.done(reading);
    if let Some(Some(language)) = language {
        reading.defaults.language = language;
    }
    // A zone that does not exist has its fault; hours that rely on it need no second one.
    reading.defaults.timezone = zone.unwrap_or(Some(TimeZone::UTC));
}

/// Reads each table of a list of tables.
fn tables<T>(
    reading: &mut Reading<'_, '_>,
    item: Option<Item<'_>>,
    header: &str,
    read: impl Fn(&mut Reading<'_, '_>, &DeTable<'_>, Range<usize>) -> Option<T>,
) -> Vec<T> {
    let Some(item) = item else { return Vec::new() };
    let mut all = Vec::new();
    let advice = || Some(format!("write {header} before each"));
    match item.value {
        DeValue::Array(array) => {
            for value in array {
                match value.get_ref() {
                    DeValue::Table(table) => all.extend(read(reading, table, value.span())),
                    _ => reading.mismatch(&item.part(value), "a table", advice()),
                }
            }
        }
        // `[line]` for `[[line]]`: one fault for the brackets, and those of what is in it.
        DeValue::Table(table) => {
            reading.mismatch(&item, "a list of tables", advice());
            all.extend(read(reading, table, item.span.clone()));
        }
        _ => reading.mismatch(&item, "a list of tables", advice()),
    }
    all
}

fn read_line(
    reading: &mut Reading<'_, '_>,
    table: &DeTable<'_>,
    span: Range<usize>,
) -> Option<Line> {
    reading.graph.line_count += 1;
    let mut fields = Fields::new("the line", table, span);
    let number = fields.required(reading, "number", "number = \"447700900000\"", read_number);
    let name = fields.required(reading, "name", "name = \"Front desk\"", read_label);
    let flow = fields.required(reading, "flow", "flow = \"NAME\"", |reading, item| {
        let (name, reference) = reading.flow_name(item)?;
        reading.graph.entries.push(reference);
        Some(name)
    });
    reading.graph.entries_lost |= flow.is_none();
    let consent = fields.optional(reading, "consent", |reading, item| {
        word(reading, item, "a kind of consent", Consent::WORDS)
    });
    let caller = fields.optional(reading, "caller", |reading, item| {
        word(reading, item, "a way to show callers", CallerShown::WORDS)
    });
    if let (Some(number), Some(item)) = (&number, fields.take("number")) {
        reading.graph.numbers.push((number.clone(), item.span));
    }
    fields.done(reading);
    Some(Line {
        number: number?,
        name: name?,
        flow: flow??,
        consent: consent?.unwrap_or_default(),
        caller: caller?.unwrap_or_default(),
    })
}

fn read_agent(
    reading: &mut Reading<'_, '_>,
    table: &DeTable<'_>,
    span: Range<usize>,
) -> Option<Agent> {
    let mut fields = Fields::new("the agent", table, span.clone());
    let name = fields.required(reading, "name", "name = \"alice\"", |reading, item| {
        let name = text(reading, item, "a name", Ok)?;
        if reading.graph.agents.contains_key(&name) {
            let message = format!("two agents have the name {}", quoted(&name));
            let advice = "give each agent a name of its own".to_owned();
            reading
                .faults
                .fault(item.span.clone(), message, Some(advice));
        } else {
            let node = Node {
                span: item.span.clone(),
                ..Node::default()
            };
            reading.graph.agents.insert(name.clone(), node);
        }
        let checked = AgentName::new(name.as_str());
        reading.checked_name("the agent's name", &name, item.span.clone(), checked)
    });
    let mut given = Vec::new();
    let mut endpoint = None;
    for key in ["phone", "sip", "app"] {
        let Some(item) = fields.take(key) else {
            continue;
        };
        let read = match key {
            "phone" => read_number(reading, &item).map(Endpoint::Phone),
            "sip" => text(reading, &item, "a SIP URI", |uri| sip(&uri)).map(Endpoint::Sip),
            _ => read_label(reading, &item).map(Endpoint::App),
        };
        if let Some(Endpoint::Phone(number)) = &read {
            let phone = (number.clone(), item.span.clone());
            reading.graph.phones.push(phone);
        }
        endpoint = endpoint.or(read);
        given.push((key, item.key_span));
    }
    let on_duty = duty(reading, &mut fields);
    fields.done(reading);
    let advice = || Some("give one of phone, sip and app".to_owned());
    match given.as_slice() {
        [] if ["phone", "sip", "app"]
            .iter()
            .any(|key| reading.faults.mentions(key)) => {}
        [] => {
            let message = "the agent has no `phone`, `sip` or `app`: nothing can be rung";
            reading.faults.fault(span, message, advice());
        }
        [_] => {}
        [(first, _), others @ ..] => {
            for (key, span) in others {
                let message = format!("the agent has `{key}` beside `{first}`");
                reading.faults.fault(span.clone(), message, advice());
            }
        }
    }
    Some(Agent {
        name: name?,
        endpoint: endpoint?,
        on_duty: on_duty?,
    })
}

/// Reads when an agent is on duty.
#[allow(clippy::option_option)]
fn duty(reading: &mut Reading<'_, '_>, fields: &mut Fields<'_>) -> Option<Option<Calendar>> {
    let open = fields.optional(reading, "on-duty", |reading, item| {
        let advice = "write on-duty = [\"Mon-Fri 09:00-17:00\"], or take the key out".to_owned();
        calendar::windows(reading, item, "the agent is never rung", advice)
    })?;
    let Some(open) = open else {
        return Some(None);
    };
    let timezone = calendar::timezone(reading, fields)?;
    Some(Some(Calendar {
        open,
        closed_on: Vec::new(),
        timezone,
    }))
}

fn read_flows(reading: &mut Reading<'_, '_>, item: Option<Item<'_>>) -> Vec<Flow> {
    let Some(item) = item else { return Vec::new() };
    let advice = || Some("write [flow.NAME] before each".to_owned());
    let Some(table) = item.value.as_table() else {
        reading.mismatch(&item, "tables with names", advice());
        return Vec::new();
    };
    let mut flows = Vec::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        let checked = FlowName::new(name);
        let checked = reading.checked_name("the flow's name", name, key.span(), checked);
        let node = Node {
            span: key.span(),
            ..Node::default()
        };
        let DeValue::Table(table) = value.get_ref() else {
            // `[flow]` and then keys: a flow without a name.
            let what = format!("`{}`", name.escape_debug());
            let message = format!(
                "{what} under [flow] is {}, expected a table",
                type_of(value.get_ref())
            );
            reading.faults.fault(key.span(), message, advice());
            continue;
        };
        let (kind, node) = flow::read(reading, name, table, value.span(), node);
        reading.graph.flows.insert(name.to_owned(), node);
        if let (Some(name), Some((language, kind))) = (checked, kind) {
            flows.push(Flow {
                name,
                language,
                kind,
            });
        }
    }
    flows
}

fn read_number(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<PhoneNumber> {
    let key = item.key;
    text(reading, item, "a phone number", |number| {
        // The number itself is not repeated: faults are logged, numbers are not.
        PhoneNumber::parse(&number).map_err(|why| {
            let message = format!("`{key}` is not an E.164 number: {why}");
            Wrong::new(message, "write it like \"447700900000\"")
        })
    })
}

fn read_label(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<String> {
    let key = item.key;
    text(reading, item, "text", |label| {
        let length = label.chars().count();
        if label.trim().is_empty() || label.chars().any(char::is_control) {
            let message = format!("`{key}` is empty or holds a control character");
            return Err(Wrong::new(message, "write a word or a few"));
        }
        if length > LABEL_LENGTH_MAX {
            let message = format!("`{key}` has {length} characters");
            let advice = format!("write at most {LABEL_LENGTH_MAX}");
            return Err(Wrong::new(message, advice));
        }
        Ok(label)
    })
}

fn read_language(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<String> {
    let code = text(reading, item, "a language", Ok)?;
    read_language_code(reading, &code, &item.span)
}

fn read_language_code(
    reading: &mut Reading<'_, '_>,
    code: &str,
    span: &Range<usize>,
) -> Option<String> {
    if language::KNOWN.contains(&code) {
        return Some(code.to_owned());
    }
    // The commonest slip: the country's code is GB.
    let meant = code.replace("UK", "GB");
    let near = reading.faults.nearest(&meant, language::KNOWN);
    let advice = near.map(did_you_mean);
    if language::is_code(code) {
        let message = format!("Vonage is not known to speak {}", quoted(code));
        reading.faults.warning(span.clone(), message, advice);
        return Some(code.to_owned());
    }
    let message = format!("{} is no language code", quoted(code));
    let advice = advice.or_else(|| Some("write it like \"en-GB\"".to_owned()));
    reading.faults.fault(span.clone(), message, advice);
    None
}

fn read_zone(reading: &mut Reading<'_, '_>, item: &Item<'_>) -> Option<TimeZone> {
    let name = text(reading, item, "a time zone", Ok)?;
    if let Some(zone) = zone::zone(&name) {
        return Some(zone);
    }
    let near = zone::of_city(&name).or_else(|| reading.faults.nearest(&name, zone::names()));
    let advice = near.map_or_else(
        || "write an IANA name like \"Europe/London\"".to_owned(),
        did_you_mean,
    );
    let message = format!("there is no time zone {}", quoted(&name));
    reading
        .faults
        .fault(item.span.clone(), message, Some(advice));
    None
}

impl Reading<'_, '_> {
    /// A value of another type than was expected.
    fn mismatch(&mut self, item: &Item<'_>, expected: &str, advice: Option<String>) {
        let found = type_of(item.value);
        let message = format!("`{}` is {found}, expected {expected}", item.key);
        self.faults.fault(item.span.clone(), message, advice);
    }

    /// A name where it is given.
    fn checked_name<N>(
        &mut self,
        what: &str,
        text: &str,
        span: Range<usize>,
        name: Result<N, NameError>,
    ) -> Option<N> {
        name.map_err(|why| {
            let advice = tidied(text).map(|name| format!("write {}", quoted(&name)));
            let message = format!("{what} {} cannot be used: {why}", quoted(text));
            self.faults.fault(span, message, advice);
        })
        .ok()
    }

    /// A flow's name where it is used. Whether there is such a flow, the checker says: a name that
    /// no flow can have is `None` here and a fault there.
    fn flow_name(&mut self, item: &Item<'_>) -> Option<(Option<FlowName>, Reference)> {
        let to = text(self, item, "the name of a flow", Ok)?;
        let reference = Reference {
            to,
            span: item.span.clone(),
        };
        Some((FlowName::new(reference.to.as_str()).ok(), reference))
    }
}

/// Reads one of some words. `expected` says what they are, with its article.
fn word<T: Copy, const N: usize>(
    reading: &mut Reading<'_, '_>,
    item: &Item<'_>,
    expected: &str,
    words: [(&'static str, T); N],
) -> Option<T> {
    let given = text(reading, item, expected, Ok)?;
    let found = words.iter().find(|(word, _)| *word == given);
    if found.is_none() {
        let key = item.key;
        let message = format!("`{key}` cannot be {}", quoted(&given));
        let advice = one_of(reading.faults, &given, words.map(|(word, _)| word), "words");
        reading
            .faults
            .fault(item.span.clone(), message, Some(advice));
    }
    found.map(|(_, value)| *value)
}

/// Advice where one of some words was expected.
fn one_of<'w>(
    faults: &mut Faults<'_>,
    text: &str,
    words: impl IntoIterator<Item = &'w str> + Clone,
    plural: &str,
) -> String {
    let all = listed(plural, words.clone());
    match faults.nearest(text, words) {
        Some(word) => format!("{} {all}", did_you_mean(word)),
        None => all,
    }
}

/// The values of a list, or the one value in place of a list.
fn parts<'d>(item: &Item<'d>) -> Vec<Item<'d>> {
    match item.value {
        DeValue::Array(array) => array.iter().map(|v: &Spanned<_>| item.part(v)).collect(),
        _ => vec![item.clone()],
    }
}
