//! What a command prints: data on stdout, words on stderr.

use super::Global;
use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{IsTerminal as _, Write as _};

/// Prints a line of data. A reader that went away (`| head`) is no error of ours.
pub(super) fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints a text as it is, for a file.
pub(super) fn text(text: &str) {
    let _ = write!(std::io::stdout(), "{text}");
}

/// What somebody else wrote down, without what a terminal would obey.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Prints data as JSON.
pub(super) fn json(data: &impl Serialize) {
    line(&serde_json::to_string_pretty(data).expect("what we print is JSON"));
}

/// Prints one value: bare, or as JSON under its name.
pub(super) fn one(global: &Global, name: &str, value: &str) {
    if global.json {
        json(&serde_json::json!({ name: value }));
    } else {
        line(value);
    }
}

/// Says something to the person, apart from the data.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Says what went wrong.
pub(super) fn complain(text: &str) {
    say(&format!("error: {text}"));
}

/// Prints rows under headings; says so when there are none.
pub(super) fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>, none: &str) {
    if rows.is_empty() {
        say(none);
        return;
    }
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    line(&table.to_string());
}

/// Whether to draw in colour: to a terminal, unless `NO_COLOR` says no.
pub(super) fn colour() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// A moment on this machine's clock.
pub(super) fn local(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
