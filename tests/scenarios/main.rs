//! The scenarios of `scenarios/`: each is played by the built binary and compared with the transcript
//! beside it, and by the library in disorder.
//!
//! `SWITCHBOARD_TRANSCRIPTS=write` writes the transcripts anew; look at what changed before it is kept.
//! `SWITCHBOARD_DISORDER_SEEDS=1000` plays each in so many disorders in place of a few.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disorder;
mod edges;
mod load;
mod reading;
mod transcripts;

use std::path::{Path, PathBuf};

/// Where they are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

/// Each scenario, in the order of their names.
fn scenarios() -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder()).expect("there are scenarios");
    let files = files.map(|file| file.expect("it can be listed").path());
    let mut files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|kind| kind == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}
