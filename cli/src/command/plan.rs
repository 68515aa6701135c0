//! `switchboard plan`: the plan file.

use super::{Found, Global, show};
use crate::plan_graph::PlanGraph;
use crate::plan_report;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use switchboard_shared::plan::Plan as Parsed;

/// Look after the plan file.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Plan {
    /// Find every fault in a plan, with its line and what to do about it.
    Check {
        /// The plan file.
        #[arg(default_value = "switchboard.toml")]
        file: PathBuf,
    },
    /// Draw a plan: lines, the flows they lead to, the agents whom those ring, and where calls end.
    Graph {
        /// The plan file.
        #[arg(default_value = "switchboard.toml")]
        file: PathBuf,
        /// How it is drawn.
        #[arg(long, value_enum, default_value_t = Format::Svg)]
        format: Format,
        /// File to write; without it the drawing is printed.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// How a plan is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A picture that any browser shows.
    Svg,
    /// Text that Mermaid, and whatever has it built in, makes a picture of.
    Mermaid,
}

impl Format {
    fn word(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Mermaid => "mermaid",
        }
    }
}

impl Plan {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Found> {
        match self {
            Self::Check { file } => check(&file, global),
            Self::Graph {
                file,
                format,
                output,
            } => graph(&file, format, output.as_deref(), global),
        }
    }
}

fn graph(
    file: &Path,
    format: Format,
    output: Option<&Path>,
    global: &Global,
) -> anyhow::Result<Found> {
    let plan = plan_report::read(file)?;
    let graph = PlanGraph::new(&plan);
    let drawn = match format {
        Format::Svg => {
            let name = file.file_name().unwrap_or(file.as_os_str());
            graph.svg(&name.to_string_lossy())?
        }
        Format::Mermaid => graph.mermaid(),
    };
    match output {
        Some(output) => {
            std::fs::write(output, drawn).with_context(|| {
                let output = output.display();
                format!("could not write {output}; name another file by `--output`")
            })?;
            show::say(&format!("{}: written", output.display()));
        }
        None => show::one(global, format.word(), drawn.trim_end()),
    }
    Ok(Found::Fine)
}

fn check(file: &Path, global: &Global) -> anyhow::Result<Found> {
    let text = plan_report::text(file)?;
    let checked = Parsed::parse_on(&text, Some(jiff::Zoned::now().date()));
    if global.json {
        show::line(&plan_report::json(&checked.faults));
    } else if !checked.faults.is_empty() {
        show::line(&plan_report::draw(
            &file.display().to_string(),
            &text,
            &checked.faults,
            show::colour(),
        ));
    }
    let Some(plan) = checked.plan else {
        return Ok(Found::Problem);
    };
    if !global.json {
        let (lines, flows) = (plan.lines().count(), plan.flows().count());
        let agents = plan.agents().count();
        show::say(&format!(
            "{}: {lines} lines, {flows} flows, {agents} agents, no fault",
            file.display()
        ));
    }
    Ok(Found::Fine)
}
