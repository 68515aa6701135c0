//! The words in which somebody is told: the operator's, as a small template, or the usual ones.
//!
//! Of the template language there is what one sentence needs: variables, `upper` and `lower`, and
//! `if`. No loops and no arithmetic, so what is written is hardly longer than the template and what
//! it names, whatever the template is.

use crate::news::Topic;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};

/// Longest template, in characters: more than anybody reads in a message.
pub const WORDS_LENGTH_MAX: usize = 1_000;

/// Longest text that is written, in bytes: a template of the longest kind and ten values of the
/// longest kind. Slack cuts a text off at 40 000 characters.
pub const WRITTEN_MAX: usize = 8 * 1024;

/// Statements that a template may hold.
const STATEMENTS: [&str; 4] = ["if", "elif", "else", "endif"];

/// A template that can be written with the variables of its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(String);

/// Why a template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// Nothing to say.
    #[error("they are empty")]
    Empty,
    /// Longer than [`WORDS_LENGTH_MAX`].
    #[error("they have more than {WORDS_LENGTH_MAX} characters")]
    TooLong,
    /// A statement that one sentence does not need.
    #[error("`{{% … %}}` can be `if`, `elif`, `else` and `endif`")]
    Statement,
    /// An operator that one sentence does not need.
    #[error("between braces there can be names, text in quotes, comparisons and `|`")]
    Operator,
    /// Not a template.
    #[error("line {line} of them does not read: {what}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A variable that its topic does not have.
    #[error("there is no variable {0:?}")]
    Variable(String),
    /// It reads, and yet cannot be written.
    #[error("they cannot be written: {0}")]
    Write(String),
}

/// How values are written into the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// As they are.
    Plain,
    /// As Slack demands, so that no value is taken for a mention or a link.
    ///
    /// See [Slack/Formatting text/Escaping](https://docs.slack.dev/messaging/formatting-message-text#escaping).
    Slack,
}

impl Words {
    /// Reads a template, and tries it.
    ///
    /// # Errors
    /// When it is no template, or names a variable that the topic does not have.
    pub fn parse(topic: Topic, text: &str) -> Result<Self, WordsError> {
        if text.trim().is_empty() {
            return Err(WordsError::Empty);
        }
        if text.chars().count() > WORDS_LENGTH_MAX {
            return Err(WordsError::TooLong);
        }
        plain_enough(text)?;
        let environment = environment(Escape::Plain);
        let syntax = |error: Error| WordsError::Syntax {
            line: error.line().unwrap_or(1),
            what: said(&error),
        };
        let template = environment.template_from_str(text).map_err(syntax)?;
        let known = Self::variables(topic);
        let mut unknown: Vec<String> = template
            .undeclared_variables(false)
            .into_iter()
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        unknown.sort();
        if let Some(name) = unknown.into_iter().next() {
            return Err(WordsError::Variable(name));
        }
        let words = Self(text.to_owned());
        // What a look at the template does not find, as a filter that does not exist.
        let values: Vec<_> = known.iter().map(|name| (*name, "x".to_owned())).collect();
        words.write(&values, Escape::Plain)?;
        Ok(words)
    }

    /// The words where the operator has none.
    #[must_use]
    pub fn usual(topic: Topic) -> Self {
        let text = match topic {
            Topic::Started => "{{ line_name }}: a call from {{ caller }}.",
            Topic::Answered => {
                "{{ line_name }}: {{ agent }} has the call from {{ caller }}, after {{ waited }}."
            }
            Topic::Missed => {
                "{{ line_name }}: missed a call from {{ caller }} at {{ at }}, after {{ waited }}."
            }
            Topic::Voicemail => {
                "{{ line_name }}: {{ caller }} left a message of {{ duration }} at {{ at }}. \
                 Recording {{ recording }}."
            }
            Topic::Archived => {
                "{{ line_name }}: recording {{ recording }} of {{ duration }} is archived."
            }
            Topic::StaffFailing => {
                "{{ agent }}'s phone could not be rung {{ failures }} times in a row. Is the number right?"
            }
            Topic::NobodyOnDuty => {
                "{{ line_name }}: nobody is on duty in {{ flow }}. {{ caller }} called at {{ at }}."
            }
        };
        Self(text.to_owned())
    }

    /// What words about a topic may name.
    #[must_use]
    pub fn variables(topic: Topic) -> &'static [&'static str] {
        match topic {
            Topic::Started => &["line_name", "line", "caller", "call", "at"],
            Topic::Answered => &[
                "line_name",
                "line",
                "caller",
                "call",
                "at",
                "agent",
                "waited",
            ],
            Topic::Missed => &["line_name", "line", "caller", "call", "at", "waited"],
            Topic::Voicemail | Topic::Archived => &[
                "line_name",
                "line",
                "caller",
                "call",
                "at",
                "recording",
                "duration",
            ],
            Topic::StaffFailing => &[
                "line_name",
                "line",
                "caller",
                "call",
                "at",
                "agent",
                "failures",
            ],
            Topic::NobodyOnDuty => &["line_name", "line", "caller", "call", "at", "flow"],
        }
    }

    /// Writes them.
    ///
    /// # Errors
    /// When a variable has no value, or the text gets longer than [`WRITTEN_MAX`].
    pub fn write(
        &self,
        values: &[(&'static str, String)],
        escape: Escape,
    ) -> Result<String, WordsError> {
        let environment = environment(escape);
        let fail = |error: Error| WordsError::Write(said(&error));
        let template = environment.template_from_str(&self.0).map_err(fail)?;
        let values = values
            .iter()
            .map(|(name, value)| (*name, Value::from(value.as_str())));
        let text = template.render(Value::from_pairs(values)).map_err(fail)?;
        if text.len() > WRITTEN_MAX {
            return Err(WordsError::Write(format!("more than {WRITTEN_MAX} bytes")));
        }
        Ok(text)
    }
}

/// Refuses what could make much out of little. Between the braces there is nothing but letters,
/// quotes, comparisons and filters, and no brace either, so that they end where they seem to.
fn plain_enough(text: &str) -> Result<(), WordsError> {
    let mut rest = text;
    while let Some(start) = rest.find("{{").into_iter().chain(rest.find("{%")).min() {
        let (opened, inside) = rest[start..].split_at(2);
        let Some(end) = inside.find(if opened == "{{" { "}}" } else { "%}" }) else {
            // It does not end for the template's reader either, who says so.
            return Ok(());
        };
        let (inside, after) = inside.split_at(end);
        let plain =
            |c: char| c.is_alphanumeric() || c.is_whitespace() || "_|'\"=!<>().,:;?&/-".contains(c);
        if !inside.chars().all(plain) || !quotes_end(inside) {
            return Err(WordsError::Operator);
        }
        if opened == "{%" {
            let word = inside.strip_prefix('-').unwrap_or(inside).trim_start();
            let end = word.find(|c: char| !c.is_alphanumeric() && c != '_');
            if !STATEMENTS.contains(&&word[..end.unwrap_or(word.len())]) {
                return Err(WordsError::Statement);
            }
        }
        rest = after;
    }
    Ok(())
}

/// Whether text in quotes ends before the braces do. There is no backslash to write a quote with.
fn quotes_end(inside: &str) -> bool {
    let mut open = None;
    for c in inside.chars().filter(|c| matches!(c, '\'' | '"')) {
        match open {
            None => open = Some(c),
            Some(quote) if quote == c => open = None,
            Some(_) => {}
        }
    }
    open.is_none()
}

fn environment(escape: Escape) -> Environment<'static> {
    // Empty: without the library's own functions, filters and tests.
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("upper", |text: String| text.to_uppercase());
    environment.add_filter("lower", |text: String| text.to_lowercase());
    environment.set_formatter(move |out, _, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let text = value.to_string();
        let text = match escape {
            Escape::Plain => text,
            Escape::Slack => for_slack(&text),
        };
        out.write_str(&text)
            .map_err(|_| Error::from(ErrorKind::WriteFailure))
    });
    environment
}

/// The three characters by which Slack tells markup from text.
fn for_slack(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The library's words without the place, which is not the operator's file.
fn said(error: &Error) -> String {
    let what = error.detail().map_or_else(
        || error.kind().to_string(),
        |detail| format!("{}: {detail}", error.kind()),
    );
    what.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn write(topic: Topic, text: &str, caller: &str, escape: Escape) -> String {
        let words = Words::parse(topic, text).unwrap();
        let values: Vec<_> = Words::variables(topic)
            .iter()
            .map(|name| match *name {
                "caller" => (*name, caller.to_owned()),
                name => (name, name.to_uppercase()),
            })
            .collect();
        words.write(&values, escape).unwrap()
    }

    #[test]
    fn the_operators_words_are_written_with_what_happened() {
        let write = |text: &str| write(Topic::Missed, text, "447700900123", Escape::Plain);
        assert_eq!(
            write("*{{ line_name }}*: call {{ caller }} back"),
            "*LINE_NAME*: call 447700900123 back"
        );
        assert_eq!(
            write("{{caller|upper}}{{ line | lower }}"),
            "447700900123line"
        );
        assert_eq!(
            write("{% if caller == 'hidden' %}?{% else %}+{{ caller }}{% endif %}"),
            "+447700900123"
        );
        assert_eq!(write("a\n{%- if caller -%} b {%- endif %}\n"), "ab");
        assert_eq!(
            write("{} { } %} }} {# said to nobody #}."),
            "{} { } %} }} ."
        );
    }

    #[test]
    fn no_value_is_markup_of_slack() {
        let text = "<!here> {{ caller }} {{ caller | lower }} {{ '<!channel>' }}";
        assert_eq!(
            write(Topic::Started, text, "<!channel> & <@U1>", Escape::Slack),
            "<!here> &lt;!channel&gt; &amp; &lt;@U1&gt; &lt;!channel&gt; &amp; &lt;@u1&gt; \
             &lt;!channel&gt;"
        );
    }

    #[test]
    fn words_that_cannot_be_used_are_refused_with_the_reason() {
        let long = "x".repeat(WORDS_LENGTH_MAX + 1);
        for (text, why) in [
            ("", "they are empty"),
            (" \n", "they are empty"),
            (long.as_str(), "they have more than 1000 characters"),
            ("{{ agent }}", "there is no variable \"agent\""),
            ("{{ calller }}", "there is no variable \"calller\""),
            (
                "{% if agent %}x{% endif %}",
                "there is no variable \"agent\"",
            ),
            ("{{ caller }", "line 1 of them does not read"),
            ("a\n{{ caller caller }}", "line 2 of them does not read"),
            ("{% if caller %}x", "line 1 of them does not read"),
            (
                "{{ caller|shout }}",
                "they cannot be written: unknown filter",
            ),
            ("{{ caller.x.y }}", "they cannot be written"),
            ("{{ range(9) }}", "there is no variable \"range\""),
            (
                "{% for x in caller %}{{ x }}{% endfor %}",
                "`{% … %}` can be",
            ),
            ("{% set x = caller %}", "`{% … %}` can be"),
            ("{%- include 'x' %}", "`{% … %}` can be"),
            ("{% raw %}{{ x * 9 }}{% endraw %}", "`{% … %}` can be"),
            ("{{ 'a' * 99999999 }}", "between braces"),
            ("{{ caller ~ caller }}", "between braces"),
            ("{{ caller + caller }}", "between braces"),
            ("{{ [1, 2] }}", "between braces"),
            ("{{ '}}' * 9 }}", "between braces"),
            ("{{ \"'}}\" ~ caller }}", "between braces"),
            ("{% if '%}' * 9 %}{% endif %}", "between braces"),
            ("{{ '\\'' }}", "between braces"),
        ] {
            let error = Words::parse(Topic::Missed, text).unwrap_err().to_string();
            assert!(error.starts_with(why), "{text:?}: {error}");
        }
    }

    #[test]
    fn the_usual_words_can_be_used() {
        for (_, topic) in Topic::WORDS {
            let usual = Words::usual(topic);
            assert_eq!(Words::parse(topic, &usual.0).as_ref(), Ok(&usual));
        }
    }

    #[test]
    fn what_gets_too_long_is_not_written() {
        let words = Words::parse(Topic::Missed, "{{ caller }}").unwrap();
        let values = [("caller", "x".repeat(WRITTEN_MAX + 1))];
        assert!(words.write(&values, Escape::Plain).is_err());
    }

    proptest! {
        #[test]
        fn no_template_makes_it_panic_or_writes_at_length(
            parts in prop::collection::vec(
                prop_oneof![
                    Just("{{"), Just("}}"), Just("{%"), Just("%}"), Just(" if "), Just(" caller "),
                    Just("|upper"), Just("'"), Just("-"), Just("("), Just(")"), Just("endif"),
                    Just("{#"), Just("#}"), Just("=="), Just("a"), Just("\n"), Just("."), Just("else"),
                ],
                0..40,
            )
        ) {
            let text = parts.concat();
            if let Ok(words) = Words::parse(Topic::Missed, &text) {
                let values: Vec<_> = Words::variables(Topic::Missed)
                    .iter()
                    .map(|name| (*name, "<".repeat(64)))
                    .collect();
                let written = words.write(&values, Escape::Slack).unwrap();
                prop_assert!(written.len() <= WRITTEN_MAX && !written.contains('<'));
            }
        }
    }
}
