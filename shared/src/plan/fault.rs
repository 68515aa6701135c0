//! What is wrong with a plan, and where.

use crate::number::{DIGITS, mask};
use serde::Serialize;
use std::collections::HashSet;
use std::fmt;
use std::ops::Range;

/// One thing wrong with a plan.
///
/// `Display` is one line without the file's name: `12:9: no flow "suport" (did you mean "support"?)`.
/// As JSON: `{"line", "column", "severity", "message", "advice"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanFault {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Whether the plan can be used all the same.
    pub severity: Severity,
    /// What is wrong, and what was expected.
    pub message: String,
    /// What to write instead.
    pub advice: Option<String>,
    /// The place as bytes of the text. May be empty.
    #[serde(skip)]
    pub span: Range<usize>,
}

/// How bad a fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The plan cannot be used.
    Fault,
    /// The plan can be used, but is hardly what was meant.
    Warning,
}

/// A value that cannot be read: what is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Wrong {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub advice: Option<String>,
}

impl Wrong {
    pub(super) fn new(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            advice: Some(advice.into()),
        }
    }
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        self.advice
            .as_ref()
            .map_or(Ok(()), |advice| write!(f, " ({advice})"))
    }
}

pub(super) fn too_long(bytes: usize) -> PlanFault {
    let limit = super::TEXT_MAX / 1024;
    at_start(format!(
        "the plan has {} KiB, more than {limit} KiB",
        bytes.div_ceil(1024)
    ))
}

pub(super) fn no_memory() -> PlanFault {
    at_start("the plan was not read: there is no memory for tables in so many braces".to_owned())
}

fn at_start(message: String) -> PlanFault {
    PlanFault {
        line: 1,
        column: 1,
        severity: Severity::Fault,
        message,
        advice: None,
        span: 0..0,
    }
}

/// Names compared at most in search of the one that was meant, for a whole plan. A plan of nothing
/// but wrong names would otherwise take time in the square of its length.
const COMPARISONS_MAX: usize = 10_000;

/// Longest text that can be a slip of a name, in bytes: names have 64 at most.
const SLIP_LENGTH_MAX: usize = 80;

/// Characters of the plan's text that a message repeats.
const QUOTED_MAX: usize = 40;

/// Names that an advice lists.
const LISTED_MAX: usize = 10;

/// Gathers faults while a plan is read, and places them in the text at the end.
pub(super) struct Faults<'t> {
    text: &'t str,
    found: Vec<Found>,
    /// Whole lines that are not TOML: what was read from them is a guess.
    broken: Vec<Range<usize>>,
    broken_words: HashSet<&'t str>,
    comparisons: usize,
}

struct Found {
    span: Range<usize>,
    severity: Severity,
    message: String,
    advice: Option<String>,
    /// Spared from the rule that a guess has no faults: found by the TOML reader itself.
    syntax: bool,
}

impl<'t> Faults<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self {
            text,
            found: Vec::new(),
            broken: Vec::new(),
            broken_words: HashSet::new(),
            comparisons: 0,
        }
    }

    pub(super) fn fault(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        advice: Option<String>,
    ) {
        self.add(span, Severity::Fault, message.into(), advice, false);
    }

    pub(super) fn warning(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        advice: Option<String>,
    ) {
        self.add(span, Severity::Warning, message.into(), advice, false);
    }

    /// A fault about something that is not there. Kept back where text that could not be read
    /// mentions it: it may well be there.
    pub(super) fn absent(
        &mut self,
        what: &str,
        span: Range<usize>,
        message: impl Into<String>,
        advice: Option<String>,
    ) {
        if !self.mentions(what) {
            self.fault(span, message, advice);
        }
    }

    /// A fault of the TOML itself; `region` is what of the text it makes unreadable.
    pub(super) fn syntax(
        &mut self,
        span: Range<usize>,
        message: String,
        advice: Option<String>,
        region: Range<usize>,
    ) {
        self.add(span, Severity::Fault, message, advice, true);
        // Mostly the same line again: words are gathered once per region.
        if self.broken.last() != Some(&region) {
            let lost = &self.text[region.clone()];
            let part = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            self.broken_words
                .extend(lost.split(part).filter(|w| !w.is_empty()));
            self.broken.push(region);
        }
    }

    /// Whether text that could not be read holds a word.
    pub(super) fn mentions(&self, word: &str) -> bool {
        self.broken_words.contains(word)
    }

    pub(super) fn has_syntax(&self) -> bool {
        !self.broken.is_empty()
    }

    fn add(
        &mut self,
        span: Range<usize>,
        severity: Severity,
        message: String,
        advice: Option<String>,
        syntax: bool,
    ) {
        self.found.push(Found {
            span,
            severity,
            message,
            advice,
            syntax,
        });
    }

    /// The name that was meant, if one is near.
    pub(super) fn nearest<'n>(
        &mut self,
        text: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        if text.len() > SLIP_LENGTH_MAX {
            return None;
        }
        let left = COMPARISONS_MAX.saturating_sub(self.comparisons);
        let compared = &mut self.comparisons;
        let names = names.into_iter().take(left).inspect(|_| *compared += 1);
        nearest(text, names)
    }

    /// All faults in the order of the text. Takes one walk over it, however many they are.
    pub(super) fn finish(mut self) -> Vec<PlanFault> {
        let broken = merged(std::mem::take(&mut self.broken));
        let guessed = |at: usize| {
            let before = broken.partition_point(|region| region.start <= at);
            before > 0 && at <= broken[before - 1].end
        };
        self.found.retain(|f| f.syntax || !guessed(f.span.start));
        self.found.sort_by_key(|f| (f.span.start, f.severity));
        let mut place = Place::at_start(self.text);
        let mut faults: Vec<PlanFault> = Vec::with_capacity(self.found.len());
        for found in self.found {
            place.advance(self.text, found.span.start);
            let fault = PlanFault {
                line: place.line,
                column: place.column,
                severity: found.severity,
                message: found.message,
                advice: found.advice,
                span: found.span,
            };
            if faults.last() != Some(&fault) {
                faults.push(fault);
            }
        }
        faults
    }
}

/// The same places, in order and without overlap.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// A place in the text which only moves on.
struct Place {
    at: usize,
    line: usize,
    column: usize,
}

impl Place {
    fn at_start(text: &str) -> Self {
        // A byte order mark is no column: no editor shows it.
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            at,
            line: 1,
            column: 1,
        }
    }

    fn advance(&mut self, text: &str, to: usize) {
        while self.at < to {
            let Some(c) = text[self.at..].chars().next() else {
                return;
            };
            self.at += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
    }
}

/// Text of the plan as a message repeats it: in quotes, escaped, and not at length. What may be a
/// phone number is masked, since faults reach logs.
pub(super) fn quoted(text: &str) -> String {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number = DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if number {
        return format!("\"{}\"", mask(text));
    }
    let mut chars = text.chars();
    let mut short: String = chars.by_ref().take(QUOTED_MAX).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    format!("{short:?}")
}

pub(super) fn did_you_mean(name: &str) -> String {
    format!("did you mean {}?", quoted(name))
}

/// `flows are "closed" and "support"`, or that there are none.
pub(super) fn listed<'n>(plural: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    let mut names = names.into_iter();
    let list: Vec<String> = names.by_ref().take(LISTED_MAX).map(quoted).collect();
    match list.as_slice() {
        [] => format!("the plan has no {plural}"),
        [one] => format!("{plural} here: {one}"),
        all if names.next().is_some() => format!("{plural} here: {}, …", all.join(", ")),
        all => format!("{plural} here: {}", all.join(", ")),
    }
}

/// The name within a slip or two of a text: one for each three letters, capitals free.
pub(super) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let text = text.trim().to_lowercase();
    let slips = (text.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(text.len()) <= slips + 2)
        .map(|name| (strsim::osa_distance(&text, &name.to_lowercase()), name))
        .filter(|&(distance, _)| distance <= slips)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line() {
        let fault = PlanFault {
            line: 3,
            column: 7,
            severity: Severity::Fault,
            message: "no flow \"suport\"".to_owned(),
            advice: Some(did_you_mean("support")),
            span: 9..17,
        };
        let shown = fault.to_string();
        assert_eq!(shown, "3:7: no flow \"suport\" (did you mean \"support\"?)");
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(
            json,
            r#"{"line":3,"column":7,"severity":"fault","message":"no flow \"suport\"","advice":"did you mean \"support\"?"}"#
        );
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let text = "\u{feff}é = 1\r\nöä = 2\n";
        let mut faults = Faults::new(text);
        for at in [3, 11, 15] {
            faults.fault(at..at, "here", None);
        }
        let places: Vec<_> = faults.finish().iter().map(|f| (f.line, f.column)).collect();
        assert_eq!(places, [(1, 1), (2, 1), (2, 3)]);
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        let names = ["support", "closed", "office-hours", "a"];
        for (text, meant) in [
            ("suport", Some("support")),
            ("Support", Some("support")),
            ("office_hours", Some("office-hours")),
            ("clsoed", Some("closed")),
            ("voicemail", None),
            ("", None),
        ] {
            let found = nearest(text, names.iter().copied().filter(|n| n.len() > 1));
            assert_eq!(found, meant, "{text:?}");
        }
    }

    #[test]
    fn text_of_the_plan_is_repeated_on_one_line_and_not_at_length() {
        assert_eq!(quoted("a\n\"b"), r#""a\n\"b""#);
        assert_eq!(quoted("+447700900000"), "\"+4•••••0000\"");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), QUOTED_MAX + 3);
    }
}
