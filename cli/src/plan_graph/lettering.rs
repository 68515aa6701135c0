//! How wide text is, and where it is broken.
//!
//! Nobody knows which font will draw it, so widths are those of a wide one.

use std::fmt;

/// Characters of a line of text in a box. Names have 64 at most, and are broken into three lines.
const LINE_LENGTH: usize = 24;

/// Width of a character of a name, in its own size: that of every common font for code, and a little.
const CODE: f64 = 0.62;

/// Width of a small letter or a digit, in its own size.
const SMALL: f64 = 0.62;

/// Width of a capital and of the widest small letters, in its own size.
const CAPITAL: f64 = 0.85;

/// Width of a character of a script that fills the square, such as Han, in its own size.
const SQUARE: f64 = 1.05;

/// First character of the scripts of which some fill the square: before it, none does.
const FIRST_SQUARE: char = '\u{1100}';

/// Text in a font for code, this size: names and keys, as the plan writes them.
pub(super) fn code_width(text: &str, size: f64) -> f64 {
    let letters = text
        .chars()
        .map(|c| if c < FIRST_SQUARE { CODE } else { SQUARE });
    letters.sum::<f64>() * size
}

/// Text in a font for reading, this size.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let letters = text.chars().map(|c| match c {
        'm' | 'w' | '@' | '%' | '&' | '—' | '…' => CAPITAL,
        c if c >= FIRST_SQUARE => SQUARE,
        c if c.is_uppercase() => CAPITAL,
        _ => SMALL,
    });
    letters.sum::<f64>() * size
}

/// Breaks text into lines that fit a box: after a space or a dash where there is one in the second
/// half of a line, else where the line is full.
pub(super) fn broken(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest: &str = text.trim();
    while let Some((full, _)) = rest.char_indices().nth(LINE_LENGTH) {
        let (half, _) = rest
            .char_indices()
            .nth(LINE_LENGTH / 2)
            .expect("a full line has a half");
        let seam = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | ',');
        let at = rest[half..full]
            .char_indices()
            .rfind(|&(_, c)| seam(c))
            .map_or(full, |(at, c)| half + at + c.len_utf8());
        let (line, after) = rest.split_at(at);
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    lines.push(rest.to_owned());
    lines
}

/// Text of a plan as XML takes it, in an element or in quotes.
///
/// What XML 1.0 has no place for at all is shown as `�`: see
/// [Characters](https://www.w3.org/TR/xml/#charsets).
pub(super) struct Xml<'t>(pub(super) &'t str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\u{fffe}' | '\u{ffff}' => f.write_char('\u{fffd}')?,
                c if c.is_control() => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
