//! Keys of a phone.

use std::fmt;

/// A key of a phone's pad: a digit, `*` or `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(u8);

/// Every key there is, as text, in the order of the pad's signals.
const KEYS: [&str; 12] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"];

impl Key {
    /// The key that ends a message where the plan names none: what people are used to.
    pub const HASH: Self = Self(11);

    /// Reads one key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let at = KEYS.iter().position(|key| *key == text)?;
        u8::try_from(at).ok().map(Self)
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        KEYS[usize::from(self.0)]
    }

    /// The key as a character.
    #[must_use]
    pub fn as_char(self) -> char {
        char::from(self.as_str().as_bytes()[0])
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_as_it_is_written_and_nothing_else_is_one() {
        for text in KEYS {
            let key = Key::parse(text).unwrap();
            assert_eq!(
                (key.as_str(), key.as_char().to_string().as_str()),
                (text, text)
            );
        }
        for text in ["", "11", "a", " 1", "١", "+"] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
        assert_eq!(Key::HASH.as_str(), "#");
    }
}
