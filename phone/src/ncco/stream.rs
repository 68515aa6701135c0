//! Playing a file.

use super::object::Object;
use super::{Refused, Times, line, talk};

/// Plays a file to everybody in the conversation.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#stream).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// An MP3 or a 16-bit WAV, at an absolute http or https URL.
    pub url: String,
    /// Once by default.
    pub times: Times,
    /// Whether a key or a word of the caller ends it. Also true after an earlier action's `bargeIn`, up to
    /// the next input.
    pub barge_in: bool,
}

impl Stream {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        // Documented in steps of 0.1. That a finer one is refused is not, and floats have no steps.
        object.number_in("level", talk::LEVEL)?;
        Ok(Self {
            url: object.required("streamUrl", object.urls("streamUrl")?)?,
            times: Times::read(object)?,
            barge_in: object.flag("bargeIn")?,
        })
    }

    pub(super) fn summary(&self) -> String {
        let path = self.url.split(['?', '#']).next().unwrap_or_default();
        let (_, file) = path.rsplit_once('/').unwrap_or_default();
        let file = if file.is_empty() { &self.url } else { file };
        format!("{}{}", line::fit(file), self.times.ending())
    }
}
