//! The built binaries.

use std::path::{Path, PathBuf};

/// A binary that stands beside the tests: `switchboard`, `answer`, `examples/NAME`.
///
/// # Panics
/// When it is not built.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let binary = folder.join(name);
    assert!(
        binary.is_file(),
        "{} is not built: `make test` builds it before it runs the tests",
        binary.display()
    );
    binary
}
