//! Recording.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::object::Object;
use super::{Hook, Refused, Transcription};

/// Seconds of silence that may end a recording.
const END_ON_SILENCE: RangeInclusive<u64> = 3..=10;
/// Seconds a recording may be told to last.
const TIME_OUT: RangeInclusive<u64> = 3..=7200;
/// As many as Vonage keeps apart; further speakers share the last.
const CHANNELS: RangeInclusive<u64> = 1..=32;
/// MP3 has no more, so what has is a WAV unless told otherwise.
const STEREO: u8 = 2;

/// Records the conversation from here on.
///
/// With an end condition (`end_on_silence`, `end_on_key`, `time_out`) the script waits for it; without one it
/// goes on at once and the recording ends with the call.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// MP3 by default, WAV with more than two channels.
    pub format: Format,
    /// How many channels, 1 to 32, and only with `split`.
    pub channels: Option<u8>,
    /// Whether each side has a channel of its own.
    pub split: bool,
    /// Silence that ends it, 3 to 10 s.
    pub end_on_silence: Option<Duration>,
    /// The key that ends it: a digit, `*` or `#`.
    pub end_on_key: Option<char>,
    /// Its length at most, 3 s to two hours.
    pub time_out: Option<Duration>,
    /// Whether it begins with a beep.
    pub beep: bool,
    /// Who is told when it is there.
    pub hook: Option<Hook>,
    /// Whether, and how, it is written down.
    pub transcription: Option<Transcription>,
}

/// What a recording is kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// MPEG audio.
    Mp3,
    /// PCM.
    Wav,
    /// Ogg.
    Ogg,
}

impl Format {
    /// As the script spells it, and as a file ends: `mp3`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Wav => "wav",
            Self::Ogg => "ogg",
        }
    }
}

impl Record {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let split = object.word("split", &[("conversation", ())])?.is_some();
        let channels = object
            .whole("channels", CHANNELS)?
            .map(|channels| u8::try_from(channels).expect("the range is within the type"));
        if channels.is_some() && !split {
            return Err(object.refuse("channels", "needs split"));
        }
        let formats = [Format::Mp3, Format::Wav, Format::Ogg].map(|format| (format.name(), format));
        // Whether Vonage refuses `mp3` with more than two channels is not known.
        let default = match channels {
            Some(channels) if channels > STEREO => Format::Wav,
            _ => Format::Mp3,
        };
        Ok(Self {
            format: object.word("format", &formats)?.unwrap_or(default),
            channels,
            split,
            end_on_silence: object.seconds("endOnSilence", END_ON_SILENCE)?,
            end_on_key: end_on_key(object)?,
            time_out: object.seconds("timeOut", TIME_OUT)?,
            beep: object.flag("beepStart")?,
            hook: Hook::read(object)?,
            transcription: Transcription::read(object)?,
        })
    }

    pub(super) fn summary(&self) -> String {
        let silence = self
            .end_on_silence
            .map(|time| format!("{} s of silence", time.as_secs()));
        let key = self.end_on_key.map(String::from);
        let length = self.time_out.map(|time| format!("{} s", time.as_secs()));
        let ends: Vec<_> = [silence, key, length].into_iter().flatten().collect();
        let end = if ends.is_empty() {
            "the end".to_owned()
        } else {
            ends.join(" or ")
        };
        format!("{}, to {end}", self.format.name())
    }
}

fn end_on_key(object: &Object<'_>) -> Result<Option<char>, Refused> {
    let Some(text) = object.text("endOnKey")? else {
        return Ok(None);
    };
    let mut keys = text.chars();
    match (keys.next(), keys.next()) {
        (Some(key @ ('0'..='9' | '*' | '#')), None) => Ok(Some(key)),
        _ => Err(object.refuse("endOnKey", "must be one of 0 to 9, * and #")),
    }
}
