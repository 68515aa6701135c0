//! The scenarios of `scenarios/`.

use std::path::{Path, PathBuf};
use switchboard_cli::simulate::{Scenario, Simulation};

/// Where they are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// Each of them, in the order of their names.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn all() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).expect("there are scenarios");
    let files = files.map(|file| file.expect("it can be listed").path());
    let mut files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// A scenario, and how it is played unless a test wants it otherwise: as `switchboard simulate` does.
///
/// # Panics
/// When it does not read.
#[must_use]
pub fn read(file: &Path) -> (Scenario, Simulation) {
    let text = std::fs::read_to_string(file).expect("it is there");
    let scenario = Scenario::read(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let plan = scenario.plan.clone().expect("each names its plan");
    let at = scenario.at.clone().expect("each says when");
    let how = Simulation {
        plan: file.parent().expect("it lies in a folder").join(plan),
        at: format!("{at}:00Z").parse().expect("a time"),
        seed: 1,
        disorder: None,
        at_once: 1,
        meter: None,
    };
    (scenario, how)
}
