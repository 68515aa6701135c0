//! `make bench`: how fast it is, in one run on one machine, beside what it is compared with.
//!
//! Figures are ratios first, since machines differ. Called with a folder of optimised binaries and
//! the names of parts; with none, it runs all of them and writes `docs/performance.md`.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

mod archive;
mod claims;
mod cold;
mod counting;
mod instructions;
mod machine;
mod plot;
mod report;
mod requests;
mod stage;
mod subject;
mod sustained;
mod tls;
mod warm;

use report::Section;
use stage::Stage;
use std::path::PathBuf;

/// What can be asked for, in the order of the report.
const PARTS: [&str; 7] = [
    "cold",
    "warm",
    "sustained",
    "instructions",
    "requests",
    "claims",
    "archive",
];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args_os().skip(1);
    let folder = PathBuf::from(arguments.next().expect("run me by `make bench`"));
    let asked: Vec<_> = arguments
        .map(|argument| argument.into_string().unwrap())
        .collect();
    if let Some(unknown) = asked.iter().find(|part| !PARTS.contains(&part.as_str())) {
        panic!("there is no part {unknown}; there are {}", PARTS.join(", "));
    }
    let machine = machine::line();
    report::say(&machine);
    let stage = Stage::open(folder).await;
    let mut sections = Vec::new();
    for part in PARTS {
        if !asked.is_empty() && !asked.iter().any(|one| one == part) {
            continue;
        }
        let section = measure(part, &stage).await;
        report::say(&section.text());
        sections.push(section);
    }
    if asked.is_empty() {
        report::write(&machine, &sections);
    }
}

async fn measure(part: &str, stage: &Stage) -> Section {
    match part {
        "cold" => cold::measure(stage).await,
        "warm" => warm::measure(stage).await,
        "sustained" => sustained::measure(stage).await,
        "instructions" => instructions::measure(stage).await,
        "requests" => requests::measure(stage).await,
        "claims" => claims::measure().await,
        _ => archive::measure(stage).await,
    }
}
