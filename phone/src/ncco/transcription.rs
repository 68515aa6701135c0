//! Writing down what was said.

use super::object::Object;
use super::{Hook, Refused, language};

/// `transcription` of a record or a conversation. An empty object turns it on.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcription {
    /// Who is told when it is done.
    pub hook: Option<Hook>,
    /// A BCP-47 tag. Which it is by default is not documented.
    pub language: Option<String>,
}

impl Transcription {
    /// Reads the key of that name.
    pub(super) fn read(object: &Object<'_>) -> Result<Option<Self>, Refused> {
        let Some(object) = object.object("transcription")? else {
            return Ok(None);
        };
        object.flag("sentimentAnalysis")?;
        Ok(Some(Self {
            hook: Hook::read(&object)?,
            language: language::read(&object, "language")?,
        }))
    }
}
