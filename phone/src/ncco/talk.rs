//! Saying a text.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use super::object::Object;
use super::{Refused, Times, language, line};

/// Vonage's limit, in characters, on what is said once SSML tags are taken out.
const LONGEST: usize = 1500;
/// From softest to loudest; 0 is neither.
pub(super) const LEVEL: RangeInclusive<f64> = -1.0..=1.0;

/// Says a text to everybody in the conversation.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Talk {
    /// What is said: 1 to 1500 characters, not counting SSML tags. SSML is in `<speak>`.
    pub text: String,
    /// A BCP-47 tag, `en-US` by default.
    pub language: String,
    /// Once by default.
    pub times: Times,
    /// Whether a key or a word of the caller ends it. Also true after an earlier action's `bargeIn`, up to
    /// the next input.
    pub barge_in: bool,
}

impl Talk {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let text = object.required("text", object.name("text")?)?;
        // Whether Vonage counts Unicode's characters or UTF-16's is not known; nor does any page say that
        // it refuses a script for SSML that is not well-formed.
        let length = spoken(&text).chars().count();
        if length > LONGEST {
            return Err(object.refuse(
                "text",
                format!("must be at most {LONGEST} characters besides tags, not {length}"),
            ));
        }
        object.number_in("level", LEVEL)?;
        object.whole("style", 0..=u64::from(u32::MAX))?;
        object.flag("premium")?;
        Ok(Self {
            text,
            language: language::read(object, "language")?
                .unwrap_or_else(|| language::DEFAULT.to_owned()),
            times: Times::read(object)?,
            barge_in: object.flag("bargeIn")?,
        })
    }

    pub(super) fn summary(&self) -> String {
        let line = line::fit(&spoken(&self.text));
        format!("“{line}”{}", self.times.ending())
    }
}

/// The text without the tags of SSML, if it is SSML: elsewhere `<` is read out.
fn spoken(text: &str) -> Cow<'_, str> {
    if !text.trim_start().starts_with("<speak") {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        // A tag that is never closed is no tag.
        let Some((_, after)) = after.split_once('>') else {
            kept.push_str(&rest[before.len()..]);
            return Cow::Owned(kept);
        };
        rest = after;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}
