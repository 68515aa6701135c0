//! The pages of `docs/` that are made from what is true anyway: the flows, each with its plan, its
//! picture and its transcripts, the plans that are refused, each with what is said of it, and the stack.
//!
//! `make docs` writes them anew. Without it, a page that differs from what would be written fails.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod bad_plans;
mod excerpt;
mod flows;
mod keys;
mod messages;
mod page;
mod stack;

use std::path::{Path, PathBuf};

/// A file or folder of the repository.
fn place(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The text of a file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(place(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Names of what lies in a folder of the repository and ends so, in order, without that ending.
fn names(folder: &str, ending: &str) -> Vec<String> {
    let files =
        std::fs::read_dir(place(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(ending).map(str::to_owned))
        .collect();
    names.sort();
    names
}
