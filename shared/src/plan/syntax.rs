//! From text to a tree, with the faults of the TOML itself.

use super::fault::Faults;
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

/// Reads a text as far as it can be read, and hands the tree to `read`.
pub(super) fn with_tree<T>(
    text: &str,
    faults: &mut Faults<'_>,
    read: impl FnOnce(&DeTable<'_>, &mut Faults<'_>) -> T,
) -> T {
    let lines = Lines::new(text);
    let (tree, mut errors) = DeTable::parse_recoverable(text);
    // The reader gives up at a key without a value. What follows has its faults as well, so it is
    // read again without those lines; bytes keep their places.
    let blanks: HashSet<usize> = errors
        .iter()
        .filter(|error| error.message().starts_with("key with no value"))
        .map(|error| lines.around(place(text, error).start).start)
        .collect();
    let rest = without_lines(text, &blanks);
    let tree = if blanks.is_empty() {
        tree
    } else {
        let (tree, more) = DeTable::parse_recoverable(&rest);
        errors.extend(more);
        tree
    };
    report(text, tree.get_ref(), &errors, &lines, faults);
    read(tree.get_ref(), faults)
}

fn report(
    text: &str,
    tree: &DeTable<'_>,
    errors: &[Error],
    lines: &Lines,
    faults: &mut Faults<'_>,
) {
    if errors.is_empty() {
        return;
    }
    let values = outermost_values(tree);
    let mut errors: Vec<(Range<usize>, &str)> = errors
        .iter()
        .map(|error| (place(text, error), error.message()))
        .collect();
    errors.sort_by_key(|(span, message)| (span.start, span.end, *message));
    errors.dedup();
    // A list or a text without its end takes in all that follows, and each line of that is one more
    // error. Only the first of them says anything.
    let unclosed: HashSet<usize> = errors
        .iter()
        .filter(|(_, message)| leaves_open(message))
        .filter_map(|(span, _)| around(&values, span.start))
        .map(|value| value.start)
        .collect();
    let mut told = HashSet::new();
    for (span, message) in errors {
        let line = lines.around(span.start);
        let value = around(&values, span.start).filter(|v| unclosed.contains(&v.start));
        let Some(value) = value else {
            faults.syntax(
                span.clone(),
                worded(text, &span, message),
                advice(message),
                line,
            );
            continue;
        };
        if !told.insert(value.start) {
            continue;
        }
        let first = lines.around(value.start);
        let last = lines.around(value.end);
        let advice = (first != line).then(|| {
            let number = lines.number(value.start);
            format!("is the value that begins on line {number} closed?")
        });
        faults.syntax(span, message.to_owned(), advice, first.start..last.end);
    }
}

fn leaves_open(message: &str) -> bool {
    message.starts_with("unclosed array")
        || message.starts_with("unclosed inline table")
        || message.starts_with("invalid multi-line")
}

fn worded(text: &str, span: &Range<usize>, message: &str) -> String {
    match text.get(span.clone()) {
        Some(key) if message == "duplicate key" => {
            format!("the key {} is written twice", super::fault::quoted(key))
        }
        _ => message.to_owned(),
    }
}

fn advice(message: &str) -> Option<String> {
    message
        .starts_with("string values must be quoted")
        .then(|| "put text, times and durations in quotes".to_owned())
}

/// Where an error is: at a character, or at the end.
fn place(text: &str, error: &Error) -> Range<usize> {
    let span = error.span().unwrap_or(0..0);
    let floor = |at: usize| text.floor_char_boundary(at.min(text.len()));
    let start = floor(span.start);
    start..floor(span.end).max(start)
}

/// Where lines begin. Found once: there may be as many errors as there are bytes, all in one line.
struct Lines {
    starts: Vec<usize>,
    end: usize,
}

impl Lines {
    fn new(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            starts: std::iter::once(0).chain(breaks).collect(),
            end: text.len(),
        }
    }

    /// Number of the line of a place, from 1.
    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// The line of a place, without its end.
    fn around(&self, at: usize) -> Range<usize> {
        let number = self.number(at);
        let next = self.starts.get(number);
        self.starts[number - 1]..next.map_or(self.end, |next| next - 1)
    }
}

/// The spans of all values that are no table with a header, in order, none within another.
fn outermost_values(tree: &DeTable<'_>) -> Vec<Range<usize>> {
    let mut tables = vec![tree];
    let mut spans: Vec<Range<usize>> = Vec::new();
    while let Some(table) = tables.pop() {
        for value in table.values() {
            spans.push(value.span());
            match value.get_ref() {
                DeValue::Table(table) => tables.push(table),
                DeValue::Array(array) => tables.extend(array.iter().filter_map(table_of)),
                _ => {}
            }
        }
    }
    spans.sort_by_key(|span| (span.start, usize::MAX - span.end));
    let mut reach = 0;
    spans.retain(|span| {
        let outer = span.end > reach;
        reach = reach.max(span.end);
        outer
    });
    spans
}

fn table_of<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    value.get_ref().as_table()
}

fn around(values: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    let before = values.partition_point(|value| value.start <= at);
    values[..before].last().filter(|value| at <= value.end)
}

/// The text with spaces in place of the lines that begin at those bytes.
fn without_lines<'t>(text: &'t str, starts: &HashSet<usize>) -> Cow<'t, str> {
    if starts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if starts.contains(&rest.len()) {
            let body = line.trim_end_matches(['\n', '\r']);
            rest.extend(std::iter::repeat_n(' ', body.len()));
            rest.push_str(&line[body.len()..]);
        } else {
            rest.push_str(line);
        }
    }
    Cow::Owned(rest)
}
