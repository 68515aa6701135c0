//! Joining a room with a name.

use super::object::Object;
use super::{Hook, Refused, Transcription, line};

/// Joins a room of that name, and makes it if there is none.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#conversation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its name within the application and the region.
    pub name: String,
    /// An MP3 for those who wait for it to start, again and again.
    pub music: Option<String>,
    /// Whether this leg starts it; by default yes. Those who do not wait for one who does.
    pub start_on_enter: bool,
    /// Whether everybody's call ends when this leg leaves.
    pub end_on_exit: bool,
    /// Whether it is recorded.
    pub record: bool,
    /// The legs that hear this one. `None` is everybody, an empty list nobody.
    pub can_speak: Option<Vec<String>>,
    /// The legs this one hears. `None` is everybody, an empty list nobody.
    pub can_hear: Option<Vec<String>>,
    /// Whether nobody hears this leg. Never beside `can_speak`.
    pub mute: bool,
    /// Who is told of the recording. It hears nothing of the call's progress.
    pub hook: Option<Hook>,
    /// Whether, and how, the recording is written down. Only with `record`.
    pub transcription: Option<Transcription>,
}

impl Conversation {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let mute = object.flag("mute")?;
        let can_speak = object.texts("canSpeak")?;
        // `mute: false` says what is so without it. That Vonage would refuse that is not known.
        if mute && can_speak.is_some() {
            return Err(object.refuse("mute", "cannot be together with canSpeak"));
        }
        let record = object.flag("record")?;
        let transcription = Transcription::read(object)?;
        if transcription.is_some() && !record {
            return Err(object.refuse("transcription", "needs record"));
        }
        Ok(Self {
            name: object.required("name", object.name("name")?)?,
            music: object.urls("musicOnHoldUrl")?,
            start_on_enter: object.flag_or("startOnEnter", true)?,
            end_on_exit: object.flag("endOnExit")?,
            record,
            can_speak,
            can_hear: object.texts("canHear")?,
            mute,
            hook: Hook::read(object)?,
            transcription,
        })
    }

    pub(super) fn summary(&self) -> String {
        let waits = if self.start_on_enter {
            ""
        } else {
            ", when it starts"
        };
        format!("{}{waits}", line::fit(&self.name))
    }
}
