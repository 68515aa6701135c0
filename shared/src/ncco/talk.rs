//! Speaking.

use super::{Action, wire};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Speaks a text. The script waits until it is said, unless `barge_in`.
///
/// See [Vonage/Voice API/NCCO reference/Talk](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Talk {
    /// What is said: plain, or SSML in `<speak>`. At most 1500 characters besides tags.
    pub text: String,
    /// Whether a key or a word ends it. Needs an `input` as the next action that is neither `talk`
    /// nor `stream`. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub barge_in: Option<bool>,
    /// How often it is said, on the wire `loop`; 0 is for ever. Once, unless given.
    #[serde(
        default,
        rename = "loop",
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub repeat: Option<u32>,
    /// Loudness from -1 to 1; 0 unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::decimal"
    )]
    pub level: Option<f64>,
    /// Language, BCP-47 such as `en-GB`; `en-US` unless given. Text, since Vonage adds some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Number of the voice within the language; 0 unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub style: Option<u32>,
    /// Whether the better make of the voice is taken. No, unless given; charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub premium: Option<bool>,
    /// Whose voice it is. Known from Vonage's .NET SDK only, not from the reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<TalkProvider>,
    /// Settings for `provider`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_options: Option<Map<String, Value>>,
}

impl Talk {
    /// Says this.
    #[must_use]
    pub fn say(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            barge_in: None,
            repeat: None,
            level: None,
            language: None,
            style: None,
            premium: None,
            provider: None,
            provider_options: None,
        }
    }
}

impl From<Talk> for Action {
    fn from(talk: Talk) -> Self {
        Self::Talk(talk)
    }
}

/// Whose voice speaks.
///
/// See [Vonage/vonage-dotnet-sdk](https://github.com/Vonage/vonage-dotnet-sdk/blob/main/Vonage/Voice/Nccos/TalkAction.cs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TalkProvider {
    /// ElevenLabs.
    ElevenLabs,
    /// Google.
    Google,
    /// Amazon Polly.
    Polly,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_talk_has_the_shape_vonage_wants() {
        let talk = Talk {
            barge_in: Some(true),
            repeat: Some(3),
            level: Some(-0.4),
            language: Some("en-GB".into()),
            style: Some(2),
            premium: Some(true),
            provider: Some(TalkProvider::ElevenLabs),
            provider_options: Some(Map::from_iter([("model".into(), json!("v2"))])),
            ..Talk::say("Hello")
        };
        insta::assert_json_snapshot!(Action::from(talk), @r#"
        {
          "action": "talk",
          "text": "Hello",
          "bargeIn": true,
          "loop": 3,
          "level": -0.4,
          "language": "en-GB",
          "style": 2,
          "premium": true,
          "provider": "ElevenLabs",
          "providerOptions": {
            "model": "v2"
          }
        }
        "#);
    }

    #[test]
    fn a_loop_for_ever_stays_on_the_wire() {
        let talk = Talk {
            repeat: Some(0),
            level: Some(0.0),
            ..Talk::say("hold")
        };
        assert_eq!(
            serde_json::to_value(Action::from(talk)).unwrap(),
            json!({"action": "talk", "text": "hold", "loop": 0, "level": 0.0})
        );
    }
}
