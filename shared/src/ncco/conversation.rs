//! A named room.

use super::{Action, Method, Transcription, wire};
use crate::id::LegId;
use serde::{Deserialize, Serialize};

/// Puts the leg into a room with everyone who is in the room of that name, at most 200.
///
/// A name is known within one application and one region: the same name in two regions is two
/// rooms.
///
/// See [Vonage/Voice API/NCCO reference/Conversation](https://developer.vonage.com/en/voice/voice-api/ncco-reference#conversation).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conversation {
    /// Name of the room.
    pub name: String,
    /// MP3 that loops until the conversation starts.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    pub music_on_hold_url: Option<String>,
    /// Whether this leg starts the conversation. Yes, unless given; no waits for someone who does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_on_enter: Option<bool>,
    /// Whether everyone's call ends when this leg leaves. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_on_exit: Option<bool>,
    /// Whether the conversation is recorded. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<bool>,
    /// Legs that hear this one. Everyone, unless given; an empty list is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_speak: Option<Vec<LegId>>,
    /// Legs that this one hears. Everyone, unless given; an empty list is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_hear: Option<Vec<LegId>>,
    /// Whether nobody hears this leg. Not together with `can_speak`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<bool>,
    /// Turns the recording into text. Needs `record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<Transcription>,
    /// Where the notice of the finished recording goes. No call events come here.
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

impl Conversation {
    /// The room of this name.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            music_on_hold_url: None,
            start_on_enter: None,
            end_on_exit: None,
            record: None,
            can_speak: None,
            can_hear: None,
            mute: None,
            transcription: None,
            event_url: None,
            event_method: None,
        }
    }
}

impl From<Conversation> for Action {
    fn from(conversation: Conversation) -> Self {
        Self::Conversation(conversation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_has_the_shape_vonage_wants() {
        let conversation = Conversation {
            music_on_hold_url: Some("https://example.com/hold.mp3".into()),
            start_on_enter: Some(false),
            end_on_exit: Some(true),
            record: Some(true),
            can_speak: Some(vec![]),
            can_hear: Some(vec![LegId::new("aaaaaaaa-0001").unwrap()]),
            mute: Some(false),
            transcription: Some(Transcription {
                language: Some("en-GB".into()),
                event_url: Some("https://example.com/text".into()),
                event_method: Some(Method::Post),
                sentiment_analysis: Some(true),
            }),
            event_url: Some("https://example.com/recording".into()),
            event_method: Some(Method::Get),
            ..Conversation::named("hotline")
        };
        insta::assert_json_snapshot!(Action::from(conversation), @r#"
        {
          "action": "conversation",
          "name": "hotline",
          "musicOnHoldUrl": [
            "https://example.com/hold.mp3"
          ],
          "startOnEnter": false,
          "endOnExit": true,
          "record": true,
          "canSpeak": [],
          "canHear": [
            "aaaaaaaa-0001"
          ],
          "mute": false,
          "transcription": {
            "language": "en-GB",
            "eventUrl": [
              "https://example.com/text"
            ],
            "eventMethod": "POST",
            "sentimentAnalysis": true
          },
          "eventUrl": [
            "https://example.com/recording"
          ],
          "eventMethod": "GET"
        }
        "#);
    }
}
