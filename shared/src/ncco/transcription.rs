//! Text of a recording.

use super::{Method, wire};
use serde::{Deserialize, Serialize};

/// Turns a recording into text once it is over; at most two hours of audio. Charged.
///
/// The default, on the wire `{}`, is enough to turn it on.
///
/// See [Vonage/Voice API/NCCO reference/Record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcription {
    /// Spoken language, BCP-47 such as `en-GB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Where the notice of the finished text goes.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    pub event_url: Option<String>,
    /// How that URL is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_method: Option<Method>,
    /// Whether the mood of each sentence is judged. No, unless given; a developer preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentiment_analysis: Option<bool>,
}
