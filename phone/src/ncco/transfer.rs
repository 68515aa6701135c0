//! Moving every leg to another room.

use super::object::Object;
use super::{Refused, line};

/// Moves every leg of the conversation into another, whose script then rules. What follows never runs.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#transfer).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The conversation they move to: `CON-…`.
    pub conversation: String,
    /// The legs that hear these. `None` is everybody, an empty list nobody.
    pub can_speak: Option<Vec<String>>,
    /// The legs these hear. `None` is everybody, an empty list nobody.
    pub can_hear: Option<Vec<String>>,
    /// Whether nobody hears them.
    pub mute: bool,
}

impl Transfer {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        Ok(Self {
            // The page's table says `conversation_id`, its example and the SDKs say this.
            conversation: object.required("conversationId", object.name("conversationId")?)?,
            can_speak: object.texts("canSpeak")?,
            can_hear: object.texts("canHear")?,
            // Beside `canSpeak`, a conversation refuses it; of a transfer that is not known.
            mute: object.flag("mute")?,
        })
    }

    pub(super) fn summary(&self) -> String {
        line::fit(&self.conversation)
    }
}
