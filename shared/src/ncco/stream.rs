//! Playing audio.

use super::{Action, wire};
use serde::{Deserialize, Serialize};

/// Plays audio, MP3 or 16 bit WAV. The script waits until it is over, unless `barge_in`.
///
/// See [Vonage/Voice API/NCCO reference/Stream](https://developer.vonage.com/en/voice/voice-api/ncco-reference#stream).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stream {
    /// Where the audio is. Vonage keeps it as long as its `Cache-Control` says. On the wire an array
    /// of one.
    #[serde(with = "wire::one")]
    pub stream_url: String,
    /// Loudness from -1 to 1 in steps of 0.1; 0 unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::decimal"
    )]
    pub level: Option<f64>,
    /// Whether a key or a word ends it. Needs an `input` as the next action that is neither `talk`
    /// nor `stream`. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barge_in: Option<bool>,
    /// How often it is played, on the wire `loop`; 0 is for ever. Once, unless given.
    #[serde(
        default,
        rename = "loop",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub repeat: Option<u32>,
}

impl Stream {
    /// Plays the audio at this URL.
    #[must_use]
    pub fn play(url: impl Into<String>) -> Self {
        Self {
            stream_url: url.into(),
            level: None,
            barge_in: None,
            repeat: None,
        }
    }
}

impl From<Stream> for Action {
    fn from(stream: Stream) -> Self {
        Self::Stream(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_has_the_shape_vonage_wants() {
        let stream = Stream {
            level: Some(0.5),
            barge_in: Some(true),
            repeat: Some(0),
            ..Stream::play("https://example.com/hold.mp3")
        };
        insta::assert_json_snapshot!(Action::from(stream), @r#"
        {
          "action": "stream",
          "streamUrl": [
            "https://example.com/hold.mp3"
          ],
          "level": 0.5,
          "bargeIn": true,
          "loop": 0
        }
        "#);
    }
}
