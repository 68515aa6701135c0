//! Rows for a spreadsheet: CSV, and how else a command may print.

use super::Global;
use anyhow::Context as _;
use std::borrow::Cow;
use std::io::Write;

/// How rows are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For a person.
    #[default]
    Table,
    /// For a spreadsheet.
    Csv,
    /// For a program.
    Json,
}

impl Format {
    /// What was asked for; `--json` goes before.
    pub(super) fn of(asked: Self, global: &Global) -> Self {
        if global.json { Self::Json } else { asked }
    }
}

/// What a cell may hold: our own numbers and words as they are, or text that came from outside.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    /// Written by us: a number, a time, a word of ours.
    Own(String),
    /// From outside: a caller's number, what they said, what somebody wrote in the plan.
    Text(String),
}

impl Cell {
    #[allow(
        clippy::needless_pass_by_value,
        reason = "numbers and times, a word each"
    )]
    pub(super) fn own(text: impl ToString) -> Self {
        Self::Own(text.to_string())
    }

    pub(super) fn maybe(text: Option<impl ToString>) -> Self {
        Self::Own(text.map(|text| text.to_string()).unwrap_or_default())
    }

    pub(super) fn text(text: Option<&str>) -> Self {
        Self::Text(text.unwrap_or_default().to_owned())
    }
}

/// Writes rows under headings as CSV.
pub(super) fn csv<const N: usize>(
    to: impl Write,
    headings: [&str; N],
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> anyhow::Result<()> {
    let mut sheet = csv::Writer::from_writer(to);
    sheet.write_record(headings)?;
    for row in rows {
        sheet.write_record(row.iter().map(|cell| {
            match cell {
                Cell::Own(text) => Cow::Borrowed(text.as_str()),
                Cell::Text(text) => harmless(text),
            }
            .into_owned()
        }))?;
    }
    sheet.flush().context("could not write the table")
}

/// The same to standard output. A reader that went away (`| head`) is no error of ours.
pub(super) fn print<const N: usize>(
    headings: [&str; N],
    rows: impl IntoIterator<Item = [Cell; N]>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    csv(&mut bytes, headings, rows)?;
    let _ = std::io::stdout().write_all(&bytes);
    Ok(())
}

/// Text that no spreadsheet takes for a formula. A caller chooses their number and what they say, and
/// a cell that begins with `=` is run when the operator opens the file. An apostrophe before it makes
/// it text. Control characters other than a line's end, which CSV can hold, are left out: some programs
/// begin a new cell at them.
///
/// See [OWASP/CSV injection](https://owasp.org/www-community/attacks/CSV_Injection).
fn harmless(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    if text.chars().any(|c| c.is_control() && c != '\n') {
        let plain = text.chars().filter(|c| !c.is_control() || *c == '\n');
        text = Cow::Owned(plain.collect());
    }
    // The wide ones count as well where people write with them; and who leaves out blanks at the
    // beginning finds what is behind them.
    let first = text.trim_start().chars().next();
    let runs = |c| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠'
        )
    };
    if first.is_some_and(runs) {
        text = Cow::Owned(format!("'{text}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for (text, written) in [
            ("447700900123", "447700900123"),
            ("anonymous", "anonymous"),
            ("", ""),
            ("+447700900123", "'+447700900123"),
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("-1+1", "'-1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'=1"),
            ("\r\n=1", "'\n=1"),
            ("  =1", "'  =1"),
            ("\u{feff}=1", "\u{feff}=1"),
            ("|calc", "'|calc"),
            ("＝1+1", "'＝1+1"),
            ("a=1", "a=1"),
            ("a\u{0}b\u{1b}c", "abc"),
        ] {
            assert_eq!(harmless(text), written, "{text:?}");
        }
    }

    #[test]
    fn cells_are_quoted_and_only_text_from_outside_is_made_harmless() {
        let mut written = Vec::new();
        let row = |text: &str| [Cell::own(-5), Cell::Text(text.to_owned())];
        let rows = ["a,b", "say \"no\"", "=1,\"", "two\nlines"].map(row);
        csv(&mut written, ["n", "text"], rows).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "n,text\n-5,\"a,b\"\n-5,\"say \"\"no\"\"\"\n-5,\"'=1,\"\"\"\n-5,\"two\nlines\"\n"
        );
    }
}
