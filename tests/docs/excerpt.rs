//! Of a plan, only what calls to some of its lines can meet.

use std::collections::BTreeSet;
use switchboard_shared::plan::{FlowName, Plan};

/// One table of a plan's text, with the remarks above its header.
struct Table<'t> {
    text: &'t str,
    read: toml::Table,
}

/// The text of a plan without lines, flows and agents that calls to `numbers` never meet. What it does
/// not know stays.
///
/// # Panics
/// When what is left is no plan: the text is cut at lines that begin with a bracket.
pub(crate) fn excerpt(text: &str, numbers: &BTreeSet<String>) -> String {
    let plan = whole(text);
    let lines = || {
        plan.lines()
            .filter(|line| numbers.contains(line.number.as_str()))
    };
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut agents: BTreeSet<&str> = BTreeSet::new();
    let mut ahead: Vec<&FlowName> = lines().map(|line| &line.flow).collect();
    while let Some(name) = ahead.pop() {
        if reached.insert(name.as_str()) {
            let flow = plan.flow(name).expect("a plan leads somewhere");
            ahead.extend(flow.exits().into_iter().map(|(_, next)| next));
            agents.extend(flow.agents().iter().map(|agent| agent.as_str()));
        }
    }
    let met = |table: &Table<'_>| {
        let of = |kind: &str, key: &str| {
            let entry = table.read.get(kind)?.as_array()?.first()?.get(key)?;
            entry.as_str().map(str::to_owned)
        };
        if let Some(number) = of("line", "number") {
            return numbers.contains(&number);
        }
        if let Some(name) = of("agent", "name") {
            return agents.contains(name.as_str());
        }
        let flows = table.read.get("flow").and_then(toml::Value::as_table);
        flows.is_none_or(|flows| flows.keys().any(|name| reached.contains(name.as_str())))
    };
    let kept: Vec<&str> = tables(text)
        .iter()
        .filter(|table| met(table))
        .map(|table| table.text.trim())
        .filter(|text| !text.is_empty())
        .collect();
    let excerpt = kept.join("\n\n");
    let short = whole(&excerpt);
    assert!(
        short
            .flows()
            .all(|flow| plan.flow(&flow.name) == Some(flow))
    );
    excerpt
}

fn whole(text: &str) -> Plan {
    let checked = Plan::parse(text);
    let faults = checked.faults;
    checked
        .plan
        .unwrap_or_else(|| panic!("{faults:?} in\n{text}"))
}

/// A plan's text, cut above each header. What stands before the first is about the whole file.
fn tables(text: &str) -> Vec<Table<'_>> {
    let mut cuts = Vec::new();
    let (mut at, mut remarks) = (0, None);
    for line in text.split_inclusive('\n') {
        if line.starts_with('[') {
            cuts.push(remarks.unwrap_or(at));
        }
        remarks = line.starts_with('#').then(|| remarks.unwrap_or(at));
        at += line.len();
    }
    cuts.push(text.len());
    let pieces = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]);
    pieces
        .map(|text| Table {
            text,
            read: text
                .parse()
                .expect("each table of a plan is TOML by itself"),
        })
        .collect()
}
