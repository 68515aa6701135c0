//! Why Vonage would not take a script.

use std::fmt;

/// The first fault of a script, or of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it is, as a JSON pointer: `/0/text`. Empty for the value as a whole.
    pub pointer: String,
    /// What is wrong with it, in lower case and without a full stop.
    pub reason: String,
}

impl Refused {
    pub(super) fn new(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "{}: ", self.pointer)?;
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Refused {}
