//! What has been found so far, and where we are.

use super::{FAULTS_MAX, Fault, Severity};
use std::fmt::Display;

/// Collects faults at a pointer that follows the walk through the script.
#[derive(Default)]
pub(super) struct Report {
    pointer: String,
    found: Vec<Fault>,
    faults: usize,
    warnings: usize,
}

impl Report {
    /// Looks at what is one step further in.
    pub(super) fn at<T>(&mut self, step: impl Display, look: impl FnOnce(&mut Self) -> T) -> T {
        let here = self.pointer.len();
        let step = step.to_string().replace('~', "~0").replace('/', "~1");
        self.pointer.push('/');
        self.pointer.push_str(&step);
        let seen = look(self);
        self.pointer.truncate(here);
        seen
    }

    /// Notes what Vonage refuses.
    pub(super) fn fault(&mut self, message: impl Display) {
        self.faults += 1;
        if self.faults <= FAULTS_MAX {
            self.note(Severity::Fault, &message);
        }
    }

    /// Notes what Vonage puts up with.
    pub(super) fn warning(&mut self, message: impl Display) {
        self.warnings += 1;
        if self.warnings <= FAULTS_MAX {
            self.note(Severity::Warning, &message);
        }
    }

    /// Whether a further warning would be told at all: what costs time to find can be saved if not.
    pub(super) fn has_room_for_warnings(&self) -> bool {
        self.warnings < FAULTS_MAX
    }

    fn note(&mut self, severity: Severity, message: &dyn Display) {
        let (pointer, message) = (self.pointer.clone(), message.to_string());
        self.found.push(Fault {
            pointer,
            severity,
            message,
        });
    }

    /// All that was found. Faults and warnings are counted apart, so that no number of warnings hides
    /// a fault.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        for (count, severity, what) in [
            (self.faults, Severity::Fault, "faults"),
            (self.warnings, Severity::Warning, "warnings"),
        ] {
            if let Some(left_out @ 1..) = count.checked_sub(FAULTS_MAX) {
                self.note(severity, &format_args!("has {left_out} more {what}"));
            }
        }
        self.found
    }
}
