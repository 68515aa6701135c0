//! `switchboard plan`: the plan file, and the versions in force.

mod compared;
mod diff;
mod history;
mod push;

use super::{Found, Global, show};
use crate::plan_graph::PlanGraph;
use crate::plan_report;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use switchboard_shared::plan::{Plan as Parsed, PlanFault};

/// Look after the plan: its file, and the versions in force.
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
    /// Put a plan file in force: it is answered by within half a minute.
    Push(push::Push),
    /// List what was put in force, by whom and when.
    History(history::History),
    /// Show what differs: the file from the plan in force, or one version from another.
    Diff(diff::Diff),
    /// Put an earlier version in force again.
    Rollback(push::Rollback),
    /// Print a version as the file it was.
    Show(diff::Show),
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
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        match self {
            Self::Check { file } => check(&file, global),
            Self::Graph {
                file,
                format,
                output,
            } => graph(&file, format, output.as_deref(), global),
            Self::Push(push) => push.run(global).await,
            Self::History(history) => history.run(global).await,
            Self::Diff(diff) => diff.run(global).await,
            Self::Rollback(rollback) => rollback.run(global).await,
            Self::Show(show) => show.run(global).await,
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

/// Prints what is wrong with a plan.
fn faults(name: &str, text: &str, faults: &[PlanFault], global: &Global) {
    show::line(&if global.json {
        plan_report::json(faults)
    } else {
        plan_report::draw(name, text, faults, show::colour())
    });
}

fn check(file: &Path, global: &Global) -> anyhow::Result<Found> {
    let text = plan_report::text(file)?;
    let checked = Parsed::parse_on(&text, Some(jiff::Zoned::now().date()));
    if global.json || !checked.faults.is_empty() {
        faults(&file.display().to_string(), &text, &checked.faults, global);
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
