//! The graph of a plan: each name leads somewhere, each way ends, nobody is forgotten.

use super::fault::{Faults, quoted};
use super::read::{Draft, Graph, Node, Reference};
use crate::number::PhoneNumber;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Names of a circle that a message shows; between them stands `…`.
const CIRCLE_SHOWN_MAX: usize = 8;

pub(super) fn check(draft: &Draft, faults: &mut Faults<'_>) {
    let graph = &draft.graph;
    let flows = Flows::new(graph);
    numbers(graph, faults);
    let meant = names(&flows, graph, faults);
    circles(&flows, faults);
    // What a plan does not use is known only if all of it was read.
    if !faults.has_syntax() {
        unused(&flows, graph, &meant, faults);
    }
}

/// Flows by position, in the order of the text.
struct Flows<'g> {
    nodes: Vec<(&'g str, &'g Node)>,
    positions: BTreeMap<&'g str, usize>,
}

impl<'g> Flows<'g> {
    fn new(graph: &'g Graph) -> Self {
        let mut nodes: Vec<(&str, &Node)> = graph
            .flows
            .iter()
            .map(|(name, node)| (name.as_str(), node))
            .collect();
        nodes.sort_by_key(|(_, node)| node.span.start);
        let positions = nodes
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (*name, at))
            .collect();
        Self { nodes, positions }
    }

    fn position(&self, reference: &Reference) -> Option<usize> {
        self.positions.get(reference.to.as_str()).copied()
    }
}

/// A number answers one line, and rings one agent who is not a line.
fn numbers(graph: &Graph, faults: &mut Faults<'_>) {
    let mut lines: BTreeSet<&PhoneNumber> = BTreeSet::new();
    for (number, span) in &graph.numbers {
        if !lines.insert(number) {
            let advice = "give each number one line".to_owned();
            faults.fault(span.clone(), "two lines have this number", Some(advice));
        }
    }
    let mut phones: BTreeSet<&PhoneNumber> = BTreeSet::new();
    for (number, span) in &graph.phones {
        if lines.contains(number) {
            let message =
                "the agent's phone is a line of this plan: the call would come back to us";
            let advice = "write the number of the agent's own phone".to_owned();
            faults.fault(span.clone(), message, Some(advice));
        }
        if !phones.insert(number) {
            let message = "another agent has the same phone: it would be rung for both";
            let advice = "make them one agent, or write another number".to_owned();
            faults.warning(span.clone(), message, Some(advice));
        }
    }
}

/// What unknown names were taken for.
#[derive(Default)]
struct Meant<'g> {
    flows: BTreeMap<&'g str, Option<usize>>,
    agents: BTreeMap<&'g str, Option<&'g str>>,
}

fn names<'g>(flows: &Flows<'g>, graph: &'g Graph, faults: &mut Faults<'_>) -> Meant<'g> {
    let mut meant = Meant::default();
    let ways = flows.nodes.iter().flat_map(|(_, node)| node.ways());
    for reference in graph.entries.iter().chain(ways) {
        let name = reference.to.as_str();
        if flows.position(reference).is_some() {
            continue;
        }
        let known = || flows.nodes.iter().map(|(name, _)| *name);
        let near = *meant.flows.entry(name).or_insert_with(|| {
            let near = faults.nearest(name, known());
            near.and_then(|near| flows.positions.get(near).copied())
        });
        let near = near.map(|at| flows.nodes[at].0);
        unknown(faults, "flow", reference, near, known());
    }
    for reference in flows.nodes.iter().flat_map(|(_, node)| &node.agents) {
        let name = reference.to.as_str();
        if graph.agents.contains_key(name) {
            continue;
        }
        let known = || graph.agents.keys().map(String::as_str);
        let near = meant
            .agents
            .entry(name)
            .or_insert_with(|| faults.nearest(name, known()));
        unknown(faults, "agent", reference, *near, known());
    }
    meant
}

fn unknown<'g>(
    faults: &mut Faults<'_>,
    what: &str,
    reference: &Reference,
    near: Option<&str>,
    known: impl Iterator<Item = &'g str>,
) {
    let message = format!("there is no {what} {}", quoted(&reference.to));
    let advice = near.map_or_else(
        || super::fault::listed(&format!("{what}s"), known),
        super::fault::did_you_mean,
    );
    faults.absent(&reference.to, reference.span.clone(), message, Some(advice));
}

/// Refuses flows that lead back to themselves: a caller could go round for ever. By a choice in a
/// menu they may: a call has [`READINGS_MAX`](super::menu::READINGS_MAX) readings of menus in all, and
/// then only what is refused here could go on.
///
/// Walks in depth without recursion, since a plan may be a chain of thousands.
fn circles(flows: &Flows<'_>, faults: &mut Faults<'_>) {
    #[derive(Clone, Copy)]
    enum Mark {
        New,
        /// On the way, at this depth.
        Open(usize),
        Done,
    }
    let mut marks = vec![Mark::New; flows.nodes.len()];
    for root in 0..flows.nodes.len() {
        // The way from the root: flows, each with the exits tried so far.
        let mut way: Vec<(usize, usize)> = Vec::new();
        if matches!(marks[root], Mark::New) {
            marks[root] = Mark::Open(0);
            way.push((root, 0));
        }
        while let Some((flow, tried)) = way.last_mut() {
            let Some(exit) = flows.nodes[*flow].1.exits.get(*tried) else {
                marks[*flow] = Mark::Done;
                way.pop();
                continue;
            };
            *tried += 1;
            let Some(next) = flows.position(exit) else {
                continue;
            };
            match marks[next] {
                Mark::New => {
                    marks[next] = Mark::Open(way.len());
                    way.push((next, 0));
                }
                Mark::Open(depth) => circle(flows, &way[depth..], &exit.span, faults),
                Mark::Done => {}
            }
        }
    }
}

fn circle(flows: &Flows<'_>, way: &[(usize, usize)], span: &Range<usize>, faults: &mut Faults<'_>) {
    let name = |&(flow, _): &(usize, usize)| flows.nodes[flow].0;
    let mut path: Vec<&str> = way.iter().take(CIRCLE_SHOWN_MAX).map(name).collect();
    if way.len() > CIRCLE_SHOWN_MAX {
        path.truncate(CIRCLE_SHOWN_MAX - 2);
        path.push("…");
        path.extend(way.last().map(name));
    }
    path.extend(way.first().map(name));
    let path: Vec<String> = path
        .iter()
        .map(|name| name.escape_debug().to_string())
        .collect();
    let message = format!("a caller could go round for ever: {}", path.join(" → "));
    let advice = "let the way end, for instance in a message".to_owned();
    faults.fault(span.clone(), message, Some(advice));
}

/// Warns of what no call reaches.
fn unused(flows: &Flows<'_>, graph: &Graph, meant: &Meant<'_>, faults: &mut Faults<'_>) {
    if graph.line_count == 0 && !graph.entries_lost {
        let advice = "add [[line]] with number, name and flow".to_owned();
        let message = "the plan has no lines: it answers no call";
        faults.warning(0..0, message, Some(advice));
    }
    // A slip of a name is a fault already; whom it meant is not forgotten as well.
    let target = |reference: &Reference| {
        let slip = || meant.flows.get(reference.to.as_str()).copied().flatten();
        flows.position(reference).or_else(slip)
    };
    let mut reached = vec![false; flows.nodes.len()];
    let mut waiting: Vec<usize> = graph.entries.iter().filter_map(target).collect();
    let mut lost = graph.entries_lost;
    while let Some(flow) = waiting.pop() {
        if !std::mem::replace(&mut reached[flow], true) {
            let node = flows.nodes[flow].1;
            lost |= node.exits_lost;
            waiting.extend(node.ways().filter_map(target));
        }
    }
    if !lost && graph.line_count > 0 {
        for ((name, node), _) in flows
            .nodes
            .iter()
            .zip(&reached)
            .filter(|(_, reached)| !**reached)
        {
            let message = format!("no call reaches the flow {}", quoted(name));
            let advice = "lead a line or another flow to it, or take it out".to_owned();
            faults.warning(node.span.clone(), message, Some(advice));
        }
    }
    if graph.agents_lost {
        return;
    }
    let used: BTreeSet<&str> = flows
        .nodes
        .iter()
        .flat_map(|(_, node)| &node.agents)
        .map(|reference| {
            let slip = meant.agents.get(reference.to.as_str()).copied().flatten();
            slip.unwrap_or(&reference.to)
        })
        .collect();
    for (name, node) in graph
        .agents
        .iter()
        .filter(|(name, _)| !used.contains(name.as_str()))
    {
        let message = format!("no flow rings the agent {}", quoted(name));
        let advice = "name the agent in `agents` of a flow, or take it out".to_owned();
        faults.warning(node.span.clone(), message, Some(advice));
    }
}
