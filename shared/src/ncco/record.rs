//! Recording the call.

use super::{Action, Method, Transcription, wire};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Records the call, or a part of it.
///
/// Without an end condition (`end_on_silence`, `end_on_key`, `time_out`) the next action starts at
/// once and the recording lasts as long as the call. With one, the script waits for it.
///
/// See [Vonage/Voice API/NCCO reference/Record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// File format. MP3 unless given; WAV for more than two channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// One channel per participant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// Number of channels, 1 to 32. Needs `split`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub channels: Option<u32>,
    /// Silence that ends the recording, 3 to 10 s.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub end_on_silence: Option<Duration>,
    /// Key that ends the recording: a digit, `*` or `#`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_on_key: Option<char>,
    /// Length after which the recording ends, 3 to 7200 s.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub time_out: Option<Duration>,
    /// Whether a beep tells that the recording begins. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beep_start: Option<bool>,
    /// Turns speech into text afterwards. Charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Transcription>,
    /// Where the notice of the finished recording goes; else to the event URL of the call.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    pub event_url: Option<String>,
    /// How that URL is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_method: Option<Method>,
}

/// File format of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// 32 kbit/s.
    Mp3,
    /// 16 bit, 16 kHz.
    Wav,
    /// Ogg.
    Ogg,
}

/// How a recording is split into channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Each participant of the conversation on a channel.
    Conversation,
}

impl From<Record> for Action {
    fn from(record: Record) -> Self {
        Self::Record(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_shape_vonage_wants() {
        let record = Record {
            format: Some(Format::Wav),
            split: Some(Split::Conversation),
            channels: Some(2),
            end_on_silence: Some(Duration::from_secs(3)),
            end_on_key: Some('#'),
            time_out: Some(Duration::from_secs(120)),
            beep_start: Some(true),
            transcription: Some(Transcription::default()),
            event_url: Some("https://example.com/recording".into()),
            event_method: Some(Method::Post),
        };
        insta::assert_json_snapshot!(Action::from(record), @r##"
        {
          "action": "record",
          "format": "wav",
          "split": "conversation",
          "channels": 2,
          "endOnSilence": 3,
          "endOnKey": "#",
          "timeOut": 120,
          "beepStart": true,
          "transcription": {},
          "eventUrl": [
            "https://example.com/recording"
          ],
          "eventMethod": "POST"
        }
        "##);
        insta::assert_json_snapshot!(Action::from(Record::default()), @r#"
        {
          "action": "record"
        }
        "#);
    }
}
