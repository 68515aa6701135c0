//! The plan as a picture: lines, the flows they lead to, whom those ring, and where calls end.
//!
//! | file | noun |
//! | --- | --- |
//! | `svg.rs` | the drawing, for eyes and for screen readers |
//! | `card.rs` | a box of it, with the doors through which calls leave |
//! | `arrow.rs` | the way from one box to another |
//! | `mermaid.rs` | the same as text, for whatever draws Mermaid |
//! | `lettering.rs` | how wide text is, and where it is broken |
//! | `tests.rs` | what holds of both |
//!
//! It is made from [`Flow::exits`] and [`Flow::agents`] alone, so every kind of flow is in it.

mod arrow;
mod card;
mod lettering;
mod mermaid;
mod svg;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use switchboard_shared::plan::{AgentName, Flow, FlowName, Line, Plan};

/// Boxes of one drawing: more than anybody reads at once.
pub const BOXES_MAX: usize = 150;

/// Arrows of one drawing.
pub const ARROWS_MAX: usize = 400;

/// Layers that the arrows of one drawing pass by, all together: each is a bend that may be needed, and
/// they are what takes the time. So many are laid out within about a second.
const PASSED_MAX: usize = 2000;

/// A plan has too much in it for one drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a picture of {boxes} boxes and {arrows} arrows is none that anybody can read; draw it with `--format mermaid`, which has no bound, or make the plan smaller"
)]
pub struct TooLarge {
    /// Boxes there would be.
    pub boxes: usize,
    /// Arrows there would be.
    pub arrows: usize,
}

/// A plan as boxes and arrows between them.
///
/// The same plan gives the same graph, whatever order its text is in.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanGraph<'p> {
    plan: &'p Plan,
    boxes: Vec<Place<'p>>,
    arrows: Vec<Arrow>,
}

/// What a box stands for.
#[derive(Debug, Clone, PartialEq)]
enum Place<'p> {
    /// Where calls come in.
    Line(&'p Line),
    /// What a caller meets.
    Flow(&'p Flow),
    /// Agents whom the very same flows ring: one box, so that a team is not as many arrows as people.
    Agents(Vec<&'p AgentName>),
    /// Where a flow without exits hangs up. Each has its own: one for all would gather arrows from
    /// everywhere.
    End,
}

/// From one box to another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Arrow {
    from: usize,
    to: usize,
    way: Way,
}

/// Why an arrow is there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// The call goes on, by itself.
    On,
    /// The call goes on by these keys of the plan. At least one.
    By(Vec<String>),
    /// Agents are rung.
    Rings,
}

impl<'p> PlanGraph<'p> {
    /// Lays a plan out as boxes and arrows.
    #[must_use]
    pub fn new(plan: &'p Plan) -> Self {
        let mut graph = Self {
            plan,
            boxes: Vec::new(),
            arrows: Vec::new(),
        };
        let flows: BTreeMap<&FlowName, usize> = {
            graph.boxes.extend(plan.lines().map(Place::Line));
            let first = graph.boxes.len();
            graph.boxes.extend(plan.flows().map(Place::Flow));
            let names = plan.flows().map(|flow| &flow.name);
            names.zip(first..).collect()
        };
        for (at, line) in plan.lines().enumerate() {
            // A plan without faults leads everywhere; nothing is drawn to what is not there.
            if let Some(&to) = flows.get(&line.flow) {
                graph.arrow(at, to, Way::On);
            }
        }
        for flow in plan.flows() {
            graph.exits(flow, &flows);
        }
        graph.rings(&flows);
        graph
    }

    /// The drawing as SVG. `name` is what its title calls the plan.
    ///
    /// The same graph gives the same text, byte by byte, on every machine.
    ///
    /// # Errors
    /// When there is more in the plan than can be read in one picture.
    pub fn svg(&self, name: &str) -> Result<String, TooLarge> {
        svg::draw(self, name).ok_or(TooLarge {
            boxes: self.boxes.len(),
            arrows: self.arrows.len(),
        })
    }

    /// The drawing as a Mermaid flowchart.
    #[must_use]
    pub fn mermaid(&self) -> String {
        mermaid::draw(self)
    }

    fn arrow(&mut self, from: usize, to: usize, way: Way) {
        self.arrows.push(Arrow { from, to, way });
    }

    /// Where a flow leads: one arrow for each flow after it, with every key that leads there.
    fn exits(&mut self, flow: &Flow, flows: &BTreeMap<&FlowName, usize>) {
        let Some(&from) = flows.get(&flow.name) else {
            return;
        };
        let exits = flow.exits();
        if exits.is_empty() {
            self.boxes.push(Place::End);
            self.arrow(from, self.boxes.len() - 1, Way::On);
        }
        let mut ways: Vec<(usize, Vec<String>)> = Vec::new();
        for (key, next) in exits {
            let Some(&to) = flows.get(next) else { continue };
            match ways.iter_mut().find(|(other, _)| *other == to) {
                Some((_, keys)) => keys.push(key.to_string()),
                None => ways.push((to, vec![key.to_string()])),
            }
        }
        for (to, keys) in ways {
            self.arrow(from, to, Way::By(keys));
        }
    }

    /// Whom flows ring, in as few boxes as say the same.
    fn rings(&mut self, flows: &BTreeMap<&FlowName, usize>) {
        let plan = self.plan;
        let mut rung: BTreeMap<&AgentName, Vec<usize>> = BTreeMap::new();
        for flow in plan.flows() {
            for agent in flow.agents() {
                rung.entry(agent).or_default().push(flows[&flow.name]);
            }
        }
        let mut teams: BTreeMap<Vec<usize>, Vec<&AgentName>> = BTreeMap::new();
        for agent in plan.agents() {
            let by = rung.remove(&agent.name).unwrap_or_default();
            teams.entry(by).or_default().push(&agent.name);
        }
        for (by, agents) in teams {
            let to = self.boxes.len();
            self.boxes.push(Place::Agents(agents));
            for from in by {
                self.arrow(from, to, Way::Rings);
            }
        }
    }

    /// How much there is: `6 lines, 7 flows and 2 agents`.
    fn count(&self) -> String {
        let plan = self.plan;
        let of = |count: usize, one: &str| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {one}s"),
        };
        format!(
            "{}, {} and {}",
            of(plan.lines().count(), "line"),
            of(plan.flows().count(), "flow"),
            of(plan.agents().count(), "agent")
        )
    }

    /// The whole picture in sentences, for those who cannot see it.
    fn told(&self) -> String {
        let mut told = String::new();
        for line in self.plan.lines() {
            let (name, number, flow) = (&line.name, &line.number, &line.flow);
            write!(told, "Line {name} ({number}) leads to {flow}. ").expect(TAKES_TEXT);
        }
        for flow in self.plan.flows() {
            write!(told, "{} ({}):", flow.name, flow.kind.word()).expect(TAKES_TEXT);
            let agents = flow.agents();
            let agents: Vec<&str> = agents.iter().map(|agent| agent.as_str()).collect();
            let exits: Vec<String> = flow
                .exits()
                .iter()
                .map(|(key, next)| format!("{key} leads to {next}"))
                .collect();
            match (agents.is_empty(), exits.is_empty()) {
                (false, true) => write!(told, " rings {}; hangs up", agents.join(", ")),
                (false, false) => {
                    let (agents, exits) = (agents.join(", "), exits.join(", "));
                    write!(told, " rings {agents}; {exits}")
                }
                (true, false) => write!(told, " {}", exits.join(", ")),
                (true, true) => write!(told, " hangs up"),
            }
            .expect(TAKES_TEXT);
            told.push_str(". ");
        }
        told.truncate(told.trim_end().len());
        told
    }
}

/// Why writing into a [`String`] cannot fail.
const TAKES_TEXT: &str = "a String takes all text";
