//! A websocket.

use super::Endpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::fmt;

/// A websocket that takes and gives the call's audio.
///
/// `Debug` shows the audio format only: address, headers and authorization can hold secrets.
///
/// See [Vonage/Voice API/Websockets](https://developer.vonage.com/en/voice/voice-api/concepts/websockets).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Websocket {
    /// Its address, `wss://…`.
    pub uri: String,
    /// Format of the audio. With a hyphen on the wire, unlike its neighbours.
    #[serde(rename = "content-type")]
    pub content_type: ContentType,
    /// What is sent with the first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<Map<String, Value>>,
    /// How Vonage shows who it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
}

impl Websocket {
    /// The websocket at this address.
    #[must_use]
    pub fn at(uri: impl Into<String>, content_type: ContentType) -> Self {
        Self {
            uri: uri.into(),
            content_type,
            headers: None,
            authorization: None,
        }
    }
}

impl fmt::Debug for Websocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Websocket")
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

impl From<Websocket> for Endpoint {
    fn from(websocket: Websocket) -> Self {
        Self::Websocket(websocket)
    }
}

/// Audio on a websocket: linear, 16 bit, at so many samples a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentType {
    /// 8 000.
    #[serde(rename = "audio/l16;rate=8000")]
    L16At8000,
    /// 16 000.
    #[serde(rename = "audio/l16;rate=16000")]
    L16At16000,
    /// 24 000. In the [Voice API](https://developer.vonage.com/en/api/voice), not yet on the NCCO page.
    #[serde(rename = "audio/l16;rate=24000")]
    L16At24000,
}

/// The `Authorization` header with which Vonage opens a websocket. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Authorization {
    /// A token signed like those of webhooks.
    Vonage,
    /// A header of our own.
    Custom {
        /// The whole header, at most 8191 printable ASCII characters.
        value: String,
    },
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vonage => "Vonage",
            Self::Custom { .. } => "Custom(hidden)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_websocket_has_the_shape_vonage_wants() {
        let websocket = Websocket {
            headers: Some(Map::from_iter([("call".into(), json!({"line": 1}))])),
            authorization: Some(Authorization::Custom {
                value: "Bearer secret".into(),
            }),
            ..Websocket::at(
                "wss://example.com/audio?token=secret",
                ContentType::L16At16000,
            )
        };
        assert_eq!(
            format!("{websocket:?}"),
            "Websocket { content_type: L16At16000, .. }"
        );
        assert!(!format!("{:?}", websocket.authorization).contains("secret"));
        insta::assert_json_snapshot!(Endpoint::from(websocket), @r#"
        {
          "type": "websocket",
          "uri": "wss://example.com/audio?token=secret",
          "content-type": "audio/l16;rate=16000",
          "headers": {
            "call": {
              "line": 1
            }
          },
          "authorization": {
            "type": "custom",
            "value": "Bearer secret"
          }
        }
        "#);
        assert_eq!(
            serde_json::to_value(Authorization::Vonage).unwrap(),
            json!({"type": "vonage"})
        );
    }
}
