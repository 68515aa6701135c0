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
    /// What callers are told or asked before anything is recorded.
    pub consent: Consent,
    /// How much of the caller's number our people get to know.
    pub caller: CallerShown,
}

/// What callers of a line are told or asked before they are recorded, whatever flow records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Consent {
    /// They are told.
    #[default]
    Announce,
    /// They are asked: without the key there is no recording.
    Ask,
    /// Neither: the plan's own words say it, or nobody has to know.
    None,
}

impl Consent {
    /// As a plan spells them.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("announce", Self::Announce),
        ("ask", Self::Ask),
        ("none", Self::None),
    ];
}

/// How much of a caller's number agents hear and notifications show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallerShown {
    /// All of it.
    #[default]
    Show,
    /// Its last digits.
    Mask,
    /// Nothing.
    Hide,
}

impl CallerShown {
    /// As a plan spells them.
    pub const WORDS: [(&'static str, Self); 3] = [
        ("show", Self::Show),
        ("mask", Self::Mask),
        ("hide", Self::Hide),
    ];
}
