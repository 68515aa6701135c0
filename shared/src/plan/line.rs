//! Lines: the numbers that are answered.

use super::FlowName;
use crate::number::PhoneNumber;

/// Longest name of a line or an agent's app user, in characters: what a phone's screen or a
/// sentence can hold, with room.
pub const LABEL_LENGTH_MAX: usize = 64;

/// A number of ours, and how it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The number that is called.
    pub number: PhoneNumber,
    /// What people call it: `Front desk`. At most [`LABEL_LENGTH_MAX`] characters.
    pub name: String,
    /// The flow a call begins with.
    pub flow: FlowName,
}
