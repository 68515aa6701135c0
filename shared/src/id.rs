//! Ids that do not mix: a leg is not a conversation, a recording is neither.
//!
//! Vonage's ids are opaque text. A leg's `uuid` has been seen as 32 hex digits, as a dashed UUID
//! and as neither, so these types wrap text and check only that it can be kept and shown.
//!
//! See [Vonage/Voice API/Webhook reference](https://developer.vonage.com/en/voice/voice-api/webhook-reference).

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest id that is taken in, in bytes. A dashed UUID with the prefix `CON-` has 40; the rest is
/// room for forms not seen yet. A DynamoDB sort key, which joins two ids and a time, may have 1024.
pub const ID_LENGTH_MAX: usize = 128;

/// Text that cannot be an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("an id is empty")]
    Empty,
    /// Longer than [`ID_LENGTH_MAX`].
    #[error("an id is longer than {ID_LENGTH_MAX} bytes")]
    TooLong,
    /// A character that would split a key or a path.
    #[error("an id holds a character other than letters, digits, '-', '_', '.' and ':'")]
    Character,
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_LENGTH_MAX {
        return Err(IdError::TooLong);
    }
    // '#' separates the parts of a table key and '/' those of a path: neither may come from outside.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    if !text.chars().all(fits) || text.starts_with('.') {
        return Err(IdError::Character);
    }
    Ok(())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes in an id as it came.
            ///
            /// # Errors
            /// When the text is empty, too long, or holds a character that no Vonage id has.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                check(&text)?;
                Ok(Self(text))
            }

            /// The id as text.
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
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
    };
}

id! {
    /// One connection, in or out: Vonage's `uuid` (or `call_uuid`).
    LegId
}
id! {
    /// The room in which legs hear one another: Vonage's `conversation_uuid`, `CON-…`.
    ConversationId
}
id! {
    /// A recording: Vonage's `recording_uuid`. Not the id inside `recording_url`; the two differ.
    RecordingId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_leg_id_seen_in_the_wild_is_taken() {
        for text in [
            "0A0000000123ABCD1",
            "aaaaaaaabbbbccccddddeeeeeeeeeeee",
            "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "CON-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        ] {
            assert_eq!(LegId::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn an_id_that_could_split_a_key_or_climb_a_path_is_refused() {
        for text in ["a#b", "a/b", "../x", "..", "a b", "a\n", "é", "a?b", "%2e"] {
            assert_eq!(LegId::new(text), Err(IdError::Character), "{text:?}");
        }
        assert_eq!(LegId::new(""), Err(IdError::Empty));
        assert_eq!(
            LegId::new("a".repeat(ID_LENGTH_MAX + 1)),
            Err(IdError::TooLong)
        );
    }
}
