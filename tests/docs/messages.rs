//! The messages that the checker can give, as its source has them.

use crate::{names, place, text};

/// A message, with `{…}` where a plan's own words stand.
pub(crate) struct Message {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// What stands before a message, without spaces. With a backtick, `format!(` may stand between.
const BEFORE: [&str; 8] = [
    "letmessage=",
    "letwhy=",
    "Wrong::new(",
    "wrong(",
    "at_start(",
    "#[error(",
    "message:",
    ".clone(),",
];

/// Where they are.
const SOURCES: [&str; 2] = ["shared/src/plan", "shared/src/plan/read"];

impl Message {
    /// Whether this is what was said: its own words, in their order.
    pub(crate) fn fits(&self, said: &str) -> bool {
        let mut rest = said;
        let mut words = self.text.split(['{', '}']).enumerate();
        words.all(|(at, words)| {
            if at % 2 == 1 {
                return true;
            }
            match rest.find(words) {
                Some(found) => {
                    rest = &rest[found + words.len()..];
                    true
                }
                None => false,
            }
        })
    }
}

/// All of them.
pub(crate) fn messages() -> Vec<Message> {
    let mut files: Vec<String> = vec![
        "shared/src/number.rs".to_owned(),
        "shared/src/plan/read.rs".to_owned(),
    ];
    for folder in SOURCES {
        files.extend(
            names(folder, ".rs")
                .into_iter()
                .map(|name| format!("{folder}/{name}.rs")),
        );
    }
    files.sort();
    files.dedup();
    let mut messages = Vec::new();
    for file in files
        .iter()
        .filter(|file| place(file).is_file() && !file.ends_with("/tests.rs"))
    {
        let source = text(file);
        let source = source
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        for (before, literal) in literals(source) {
            let before = before.strip_suffix("format!(").unwrap_or(&before);
            if BEFORE.iter().any(|word| before.ends_with(word)) && literal.contains(' ') {
                let file = file.clone();
                messages.push(Message {
                    file,
                    text: literal,
                });
            }
        }
    }
    assert!(
        messages.len() > 40,
        "the source is written in another way than this reads"
    );
    messages
}

/// Each text of a source, with the code before it, without spaces.
fn literals(source: &str) -> Vec<(String, String)> {
    let (mut found, mut before) = (Vec::new(), String::new());
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| *c == '\n');
            }
            // A character in quotes, which may be a quote.
            '\'' if chars.clone().nth(1) == Some('\'') => {
                chars.nth(1);
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    match (c, chars.peek()) {
                        ('\\', Some(&next)) => {
                            chars.next();
                            literal.push(next);
                        }
                        _ => literal.push(c),
                    }
                }
                found.push((std::mem::take(&mut before), literal));
            }
            c if c.is_whitespace() => {}
            c => before.push(c),
        }
    }
    found
}

#[test]
fn a_message_fits_what_was_said_by_it_alone() {
    let message = Message {
        file: String::new(),
        text: "there is no {what} {}".to_owned(),
    };
    assert!(message.fits("there is no flow \"clsoed\""));
    assert!(!message.fits("no call reaches the flow \"closed\""));
}
