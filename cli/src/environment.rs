//! The variables a board goes by: the process's, or a test's own.

use std::collections::BTreeMap;
use std::ffi::OsString;

/// Variables and their values. Tests run side by side, each with its own.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// What this process was started with, as far as it concerns us.
    #[must_use]
    pub fn of_process() -> Self {
        let ours = |name: &str| {
            ["VONAGE_", "SWITCHBOARD_", "AWS_"]
                .iter()
                .any(|p| name.starts_with(p))
        };
        // What is not text is none of ours.
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os()
            .filter_map(text)
            .filter(|(name, _)| ours(name))
            .collect()
    }

    /// A variable; one set to nothing counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .filter(|text| !text.trim().is_empty())
            .cloned()
    }

    /// All of them, as a child process would be given them.
    pub fn pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Sets a variable, unless it is set.
    pub fn or_set(&mut self, name: &str, value: impl Into<String>) {
        if self.get(name).is_none() {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    /// Sets a variable.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Names alone: some values are secrets.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
