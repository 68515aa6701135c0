//! The plan as a Mermaid flowchart.
//!
//! See [Mermaid/Flowcharts](https://mermaid.js.org/syntax/flowchart.html).

use super::{Place, PlanGraph, TAKES_TEXT, Way};
use std::fmt::{self, Write as _};

/// Boxes have numbers for names: those of a plan may be words that Mermaid keeps for itself, such as
/// `end`.
pub(super) fn draw(graph: &PlanGraph<'_>) -> String {
    let mut text = String::from("flowchart LR\n");
    writeln!(text, "  accTitle: A plan of {}", graph.count()).expect(TAKES_TEXT);
    for (at, place) in graph.boxes.iter().enumerate() {
        match place {
            Place::Line(line) => {
                let (name, number) = (Label(&line.name), &line.number);
                writeln!(text, "  n{at}([\"{name}<br>{number}\"]):::line")
            }
            Place::Flow(flow) => {
                let (name, kind) = (Label(flow.name.as_str()), flow.kind.word());
                writeln!(text, "  n{at}[\"<b>{name}</b><br>{kind}\"]:::flow")
            }
            Place::Agents(agents) => {
                let names: Vec<String> = agents
                    .iter()
                    .map(|agent| Label(agent.as_str()).to_string())
                    .collect();
                writeln!(text, "  n{at}(\"{}\"):::agents", names.join("<br>"))
            }
            Place::End => writeln!(text, "  n{at}(((\"hangs up\"))):::over"),
        }
        .expect(TAKES_TEXT);
    }
    for arrow in &graph.arrows {
        let (from, to) = (arrow.from, arrow.to);
        match &arrow.way {
            Way::On => writeln!(text, "  n{from} --> n{to}"),
            Way::By(keys) => {
                let keys = keys.join(", ");
                writeln!(text, "  n{from} -->|\"{}\"| n{to}", Label(&keys))
            }
            Way::Rings => writeln!(text, "  n{from} -.->|\"rings\"| n{to}"),
        }
        .expect(TAKES_TEXT);
    }
    text.push_str(CLASSES);
    text
}

/// Only outlines: fills would have to suit the page's theme, which Mermaid knows and we do not.
const CLASSES: &str = "  classDef line stroke:#2f6fb0,stroke-width:2px
  classDef flow stroke:#7d8590
  classDef agents stroke:#2e8b57,stroke-width:2px
  classDef over stroke:#c0566b
";

/// Text of a plan in quotes. Whatever is more than a letter, a digit, a space or, between them, the
/// plainest marks is written as a number, so that none of it is Mermaid's syntax, HTML or Markdown.
struct Label<'t>(&'t str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, c) in self.0.char_indices() {
            // A dash that comes first begins a list, and so does a full stop after a number.
            if c.is_alphanumeric() || (at > 0 && matches!(c, ' ' | '-' | ',')) {
                f.write_char(c)?;
            } else if c.is_control() {
                f.write_char('\u{fffd}')?;
            } else {
                write!(f, "#{};", u32::from(c))?;
            }
        }
        Ok(())
    }
}
