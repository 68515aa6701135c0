//! Words spoken.

use super::wire;
use crate::id::LegId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::Duration;

/// How speech is listened to.
///
/// See [Vonage/Voice API/NCCO reference/Input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Speech {
    /// Leg that is listened to; the first one unless given. On the wire an array of one.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    pub uuid: Option<LegId>,
    /// Silence after which the speaker has finished, 0.4 to 10 s, in fractions; 2 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::seconds"
    )]
    pub end_on_silence: Option<Duration>,
    /// Spoken language, BCP-47 such as `en-GB`; `en-US` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Words that are likely to be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Vec<String>>,
    /// How long the first word is waited for, 1 to 60 s; 10 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub start_timeout: Option<Duration>,
    /// How long one may speak, 1 to 60 s; 60 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub max_duration: Option<Duration>,
    /// Whether the audio can be fetched afterwards. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub save_audio: Option<bool>,
    /// How soft a sound still counts, 10 to 100; 90 unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub sensitivity: Option<u32>,
    /// Who turns it into text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<SpeechProvider>,
    /// Settings for `provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_options: Option<Map<String, Value>>,
}

/// Who turns speech into text.
///
/// See [Vonage/Voice API/Speech recognition](https://developer.vonage.com/en/voice/voice-api/concepts/asr).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeechProvider {
    /// Deepgram. Known from Vonage's .NET SDK only.
    Deepgram,
    /// Google.
    Google,
}
