//! Tables for a terminal and for the pages of `docs/`, and the plot beside one of them.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

/// What one part found.
#[derive(Debug, Default)]
pub(crate) struct Section {
    title: String,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    /// Bars of the plot, each in multiples of the bare Lambda's figure.
    pub(crate) bars: Vec<Bar>,
}

/// One bar: how many times as much as the bare Lambda.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) ratio: f64,
    /// No more than this is the aim.
    pub(crate) aim: Option<f64>,
}

impl Section {
    pub(crate) fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|&text| text.to_owned()).collect();
        Self {
            title: title.to_owned(),
            rows: vec![head],
            ..Self::default()
        }
    }

    pub(crate) fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    pub(crate) fn bar(&mut self, group: &'static str, name: &str, ratio: f64, aim: Option<f64>) {
        self.bars.push(Bar {
            group,
            name: name.to_owned(),
            ratio,
            aim,
        });
    }

    /// A sentence below the table.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// A sentence below the table, said once.
    pub(crate) fn note_once(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// As Markdown, which reads as well in a terminal.
    pub(crate) fn text(&self) -> String {
        let columns = self.rows[0].len();
        let width = |column: usize| {
            let cells = self.rows.iter().map(|row| row[column].chars().count());
            cells.max().unwrap_or_default().max(3)
        };
        let mut text = format!("\n### {}\n\n", self.title);
        for (index, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                // Names to the left, figures to the right.
                let _ = if column == 0 {
                    write!(text, "| {cell:<width$} ")
                } else {
                    write!(text, "| {cell:>width$} ")
                };
            }
            text.push_str("|\n");
            if index == 0 {
                for column in 0..columns {
                    let dashes = "-".repeat(width(column) - 1);
                    let _ = if column == 0 {
                        write!(text, "| -{dashes} ")
                    } else {
                        write!(text, "| {dashes}: ")
                    };
                }
                text.push_str("|\n");
            }
        }
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        text
    }
}

#[allow(clippy::print_stdout, reason = "this is what it is for")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}

pub(crate) fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1_000.0;
    if ms < 100.0 {
        format!("{ms:.2} ms")
    } else {
        format!("{ms:.0} ms")
    }
}

pub(crate) fn times(ratio: f64) -> String {
    if ratio < 100.0 {
        format!("{ratio:.2} ×")
    } else {
        format!("{ratio:.0} ×")
    }
}

/// An upper limit, and whether it is kept.
pub(crate) fn at_most(limit: f64, unit: &str, value: f64) -> String {
    verdict("≤", limit, unit, value <= limit)
}

/// A lower limit, and whether it is kept.
pub(crate) fn at_least(limit: f64, unit: &str, value: f64) -> String {
    verdict("≥", limit, unit, value >= limit)
}

fn verdict(sign: &str, limit: f64, unit: &str, kept: bool) -> String {
    format!("{sign} {limit} {unit} {}", if kept { "✓" } else { "✗" })
}

/// The ratio of two times.
pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

/// Puts a whole run into a page of `docs/`, between its two marks, and draws its plot if it has one.
pub(crate) fn write(page: &str, machine: &str, sections: &[Section]) {
    const BEGIN: &str = "<!-- make bench writes from here -->\n";
    const END: &str = "<!-- to here -->";
    let docs = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs"));
    let file = docs.join(page).with_extension("md");
    let old = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = old.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let tables: String = sections.iter().map(Section::text).collect();
    let new = format!("{before}{BEGIN}\n{machine}\n{tables}\n{END}{after}");
    std::fs::write(&file, new).unwrap();
    let mut bars = sections.iter().flat_map(|section| &section.bars).peekable();
    if bars.peek().is_some() {
        let plot = docs.join(page).with_extension("svg");
        std::fs::write(plot, super::plot::svg(bars)).unwrap();
    }
}
