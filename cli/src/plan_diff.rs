//! Two texts of a plan, line by line: what went, and what came.

use crate::plan_report::hidden;
use anstyle::{AnsiColor, Style};
use similar::udiff::UnifiedHunkHeader;
use similar::{DiffTag, TextDiff, TextDiffConfig};
use std::fmt::Write as _;
use std::time::Duration;

/// Lines shown around a change, as every tool for such drawings has it.
const AROUND: usize = 3;

/// How long the shortest way from one text to the other is looked for. The texts of people take a
/// millisecond; two of the largest with nothing in common would take minutes. What is found by then is
/// longer, and as true.
const LOOKS_FOR: Duration = Duration::from_secs(2);

/// A text, and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// A file, or a version.
    pub name: &'a str,
    /// The TOML.
    pub text: &'a str,
}

/// Draws what leads from the old text to the new one, as a unified diff. Empty where they are the same.
///
/// Shows the texts as they are, phone numbers included: for the operator's own terminal, not for a log.
/// Only addresses of `[[notify]]` are hidden, as [`plan_report`](crate::plan_report) hides them: of one
/// that changed, both lines are shown, and the address in neither.
#[must_use]
pub fn draw(old: Side<'_>, new: Side<'_>, colour: bool) -> String {
    let (old_lines, new_lines) = (lines(old.text), lines(new.text));
    let mut config = TextDiffConfig::default();
    let diff: TextDiff<'_, '_, '_, str> = config
        .timeout(LOOKS_FOR)
        .diff_slices(&old_lines, &new_lines);
    let shown = (hidden(old.text), hidden(new.text));
    let (old_lines, new_lines) = (lines(&shown.0), lines(&shown.1));
    let paint = |with: AnsiColor| {
        if colour {
            with.on_default()
        } else {
            Style::new()
        }
    };
    let (gone, come, place) = (
        paint(AnsiColor::Red),
        paint(AnsiColor::Green),
        paint(AnsiColor::Cyan),
    );
    let mut drawn = String::new();
    for group in diff.grouped_ops(AROUND) {
        if drawn.is_empty() {
            line(&mut drawn, gone, "--- ", old.name);
            line(&mut drawn, come, "+++ ", new.name);
        }
        let header = UnifiedHunkHeader::new(&group).to_string();
        line(&mut drawn, place, "", &header);
        for op in group {
            if op.tag() == DiffTag::Equal {
                for text in &old_lines[op.old_range()] {
                    line(&mut drawn, Style::new(), " ", text);
                }
                continue;
            }
            for text in &old_lines[op.old_range()] {
                line(&mut drawn, gone, "-", text);
            }
            for text in &new_lines[op.new_range()] {
                line(&mut drawn, come, "+", text);
            }
        }
    }
    drawn
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A line of the drawing. What would move the cursor of a terminal, or colour it, is shown as `�`; the
/// sign that some editors put before a line's end, as one.
fn line(drawn: &mut String, style: Style, mark: &str, text: &str) {
    let (text, whole) = match text.strip_suffix('\n') {
        Some(text) => (text, true),
        // Headings, and the last line of a text that does not end.
        None => (text, mark.len() != 1),
    };
    let text: String = text.chars().map(harmless).collect();
    writeln!(drawn, "{style}{mark}{text}{style:#}").expect("a String takes all text");
    if !whole {
        drawn.push_str("\\ No newline at end of file\n");
    }
}

fn harmless(c: char) -> char {
    match c {
        '\t' => c,
        '\r' => '␍',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(old: &str, new: &str) -> String {
        let side = |name, text| Side { name, text };
        draw(side("old", old), side("new", new), false)
    }

    #[test]
    fn what_went_and_what_came_is_drawn_with_the_lines_around_it() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        assert_eq!(
            drawn(old, &old.replace("e\n", "E\nE2\n")),
            "--- old\n+++ new\n@@ -2,6 +2,7 @@\n b\n c\n d\n-e\n+E\n+E2\n f\n g\n"
        );
        assert_eq!(drawn(old, old), "");
        assert_eq!(
            drawn("a\n", "a"),
            "--- old\n+++ new\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n"
        );
    }

    #[test]
    fn of_an_address_that_changed_both_lines_are_shown_and_the_address_in_neither() {
        let text =
            |address| format!("[[notify]]\nname = \"team\"\nslack = \"https://{address}\"\n");
        let drawn = drawn(&text("a.example/s3cret"), &text("b.example/0ther!"));
        assert!(!drawn.contains("example"), "{drawn}");
        assert!(drawn.contains("\n-slack = \"***"), "{drawn}");
        assert!(drawn.contains("\n+slack = \"***"), "{drawn}");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown_and_not_sent() {
        let drawn = drawn("a\n", "# \u{1b}[2J\u{9b}31m\rb\tc\r\n");
        assert!(
            drawn.contains("+# \u{fffd}[2J\u{fffd}31m␍b\tc␍\n"),
            "{drawn:?}"
        );
    }

    #[test]
    fn colours_are_drawn_only_where_they_are_asked_for() {
        let side = |text| Side { name: "plan", text };
        let plain = draw(side("a\n"), side("b\n"), false);
        let coloured = draw(side("a\n"), side("b\n"), true);
        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.contains("\u{1b}[32m+b\u{1b}[0m"), "{coloured:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn a_drawing_leads_from_one_text_to_the_other(
            old in "([ab]?\n){0,12}",
            new in "([ab]?\n){0,12}",
        ) {
            // What a patch would do with it: hunks over the old lines.
            let (from, drawn) = (lines(&old), drawn(&old, &new));
            let (mut at, mut made) = (0, String::new());
            for line in drawn.lines().skip(2) {
                let (mark, text) = line.split_at(1);
                if mark == "@" {
                    let place: usize = line[4..].split([',', ' ']).next().unwrap().parse().unwrap();
                    let counted = line[4..].split(' ').next().unwrap();
                    // A hunk that takes nothing names the line before it.
                    let place = if counted.ends_with(",0") { place } else { place - 1 };
                    made.extend(from[at..place].iter().copied());
                    at = place;
                    continue;
                }
                if mark != "+" {
                    prop_assert_eq!(from[at].trim_end_matches('\n'), text);
                    at += 1;
                }
                if mark != "-" {
                    made.push_str(text);
                    made.push('\n');
                }
            }
            made.extend(from[at..].iter().copied());
            prop_assert_eq!(made, new);
        }
    }
}
