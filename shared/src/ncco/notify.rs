//! A call to our own server.

use super::{Action, Method, wire};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Sends a payload to a URL of ours. A script in the reply replaces the running one; an empty reply
/// lets it go on.
///
/// See [Vonage/Voice API/NCCO reference/Notify](https://developer.vonage.com/en/voice/voice-api/ncco-reference#notify).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notify {
    /// What is sent.
    pub payload: Map<String, Value>,
    /// Where it goes. On the wire an array of one.
    #[serde(with = "wire::one")]
    pub event_url: String,
    /// How that URL is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_method: Option<Method>,
}

impl Notify {
    /// Sends these pairs to this URL.
    #[must_use]
    pub fn to<K: Into<String>, V: Into<Value>>(
        url: impl Into<String>,
        payload: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let payload = payload
            .into_iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        Self {
            payload,
            event_url: url.into(),
            event_method: None,
        }
    }
}

impl From<Notify> for Action {
    fn from(notify: Notify) -> Self {
        Self::Notify(notify)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notify_has_the_shape_vonage_wants() {
        let notify = Notify {
            event_method: Some(Method::Post),
            ..Notify::to(
                "https://example.com/event",
                [("step", "hold"), ("turn", "3")],
            )
        };
        insta::assert_json_snapshot!(Action::from(notify), @r#"
        {
          "action": "notify",
          "payload": {
            "step": "hold",
            "turn": "3"
          },
          "eventUrl": [
            "https://example.com/event"
          ],
          "eventMethod": "POST"
        }
        "#);
    }
}
