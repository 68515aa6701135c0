//! `make bench`: how fast it is, in one run on one machine, beside what it is compared with.
//!
//! Figures are ratios first, since machines differ. Called with a folder of optimised binaries and
//! the names of parts, which are printed, or of pages, which are written: `docs/performance.md` and
//! `docs/cost.md`. Without a name both are.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

mod archive;
mod claims;
mod cold;
mod cost;
mod counting;
mod instructions;
mod machine;
mod plot;
mod report;
mod requests;
mod stage;
mod starts;
mod subject;
mod sustained;
mod warm;

use report::Section;
use stage::Stage;
use std::path::PathBuf;

/// The pages of `docs/` that are written, and the parts of each in order.
const PAGES: [(&str, &[&str]); 2] = [
    (
        "performance",
        &[
            "cold",
            "starts",
            "warm",
            "sustained",
            "instructions",
            "requests",
            "claims",
            "archive",
        ],
    ),
    ("cost", &["cost"]),
];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().expect("run me by `make bench`"));
    let asked: Vec<_> = arguments
        .map(|argument| argument.into_string().unwrap())
        .collect();
    let known = |name: &str| {
        let mut pages = PAGES.iter();
        pages.any(|(page, parts)| *page == name || parts.contains(&name))
    };
    if let Some(unknown) = asked.iter().find(|name| !known(name)) {
        panic!("there is no part {unknown}; there are {PAGES:?}");
    }
    let machine = machine::line();
    report::say(&machine);
    let stage = Stage::open(folder).await;
    for (page, parts) in PAGES {
        let is_asked = |name: &str| asked.iter().any(|one| one == name);
        let whole = asked.is_empty() || is_asked(page);
        let mut sections = Vec::new();
        for part in parts.iter().filter(|part| whole || is_asked(part)) {
            for section in measure(part, &stage).await {
                report::say(&section.text());
                sections.push(section);
            }
        }
        if whole {
            report::write(page, &machine, &sections);
        }
    }
}

async fn measure(part: &str, stage: &Stage) -> Vec<Section> {
    let section = match part {
        "cold" => cold::measure(stage).await,
        "starts" => starts::measure(stage).await,
        "warm" => warm::measure(stage).await,
        "sustained" => sustained::measure(stage).await,
        "instructions" => instructions::measure(stage).await,
        "requests" => requests::measure(stage).await,
        "claims" => claims::measure().await,
        "archive" => archive::measure(stage).await,
        _ => return cost::measure().await,
    };
    vec![section]
}
