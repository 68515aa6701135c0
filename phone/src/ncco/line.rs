//! Names and texts within one short line.

/// Enough of a text to know it by, on one line of a page.
const SHOWN: usize = 60;

/// The text without line breaks and runs of blanks, and its beginning alone if it is long.
pub(super) fn fit(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SHOWN) {
        line.truncate(end);
        line.push('…');
    }
    line
}
