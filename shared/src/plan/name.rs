//! Names of flows and agents: text that can be a table key and a segment of a URL.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest name, in bytes: room in a DynamoDB sort key (1024) for a name beside two ids.
pub const NAME_LENGTH_MAX: usize = 64;

/// Text that cannot be a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name is empty")]
    Empty,
    /// Longer than [`NAME_LENGTH_MAX`].
    #[error("a name is longer than {NAME_LENGTH_MAX} characters")]
    TooLong,
    /// A character that would have to be escaped in a key or a URL.
    #[error("a name holds a character other than a-z, 0-9, '-' and '_'")]
    Character,
}

fn fits(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_')
}

fn check(text: &str) -> Result<(), NameError> {
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.len() > NAME_LENGTH_MAX {
        return Err(NameError::TooLong);
    }
    if !text.chars().all(fits) {
        return Err(NameError::Character);
    }
    Ok(())
}

/// The name somebody may have meant: small letters, a dash for each other character.
pub(super) fn tidied(text: &str) -> Option<String> {
    let name: String = text
        .trim()
        .chars()
        .take(NAME_LENGTH_MAX)
        .map(|c| c.to_ascii_lowercase())
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let name = name.trim_matches('-');
    (!name.is_empty()).then(|| name.to_owned())
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// 1 to 64 of `a-z`, `0-9`, `-` and `_`.
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes in a name as it came.
            ///
            /// # Errors
            /// When the text is empty, too long, or holds another character.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
    };
}

name! {
    /// A flow of the plan: `office-hours`.
    FlowName
}
name! {
    /// An agent of the plan: `alice`.
    AgentName
}
name! {
    /// Somebody who is told what happens: `team`.
    TargetName
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_needs_no_escaping_anywhere() {
        for text in ["alice", "office-hours", "a_1", "7"] {
            assert_eq!(FlowName::new(text).unwrap().as_str(), text);
        }
        for (text, why) in [
            ("", NameError::Empty),
            ("Alice", NameError::Character),
            ("a b", NameError::Character),
            ("a/b", NameError::Character),
            ("a#b", NameError::Character),
            ("é", NameError::Character),
            (&"a".repeat(NAME_LENGTH_MAX + 1), NameError::TooLong),
        ] {
            assert_eq!(AgentName::new(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn a_name_read_from_json_is_checked() {
        assert!(serde_json::from_str::<AgentName>("\"alice\"").is_ok());
        assert!(serde_json::from_str::<AgentName>("\"al#ice\"").is_err());
    }

    #[test]
    fn a_wrong_name_is_tidied_into_a_right_one() {
        assert_eq!(tidied("Office Hours").as_deref(), Some("office-hours"));
        assert_eq!(tidied("!!"), None);
    }
}
