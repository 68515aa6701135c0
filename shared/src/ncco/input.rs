//! Listening to keys and words.

use super::{Action, Dtmf, Method, Speech, wire};
use serde::{Deserialize, Serialize};

/// Waits for digits, for speech, or for whichever comes first.
///
/// The reply to its event may be a new script; without one the next action runs. `type` on the wire
/// is made from what is there, so the two cannot differ.
///
/// See [Vonage/Voice API/NCCO reference/Input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Wire", into = "Wire")]
pub struct Input {
    /// Takes digits.
    pub dtmf: Option<Dtmf>,
    /// Takes speech.
    pub speech: Option<Speech>,
    /// Whether the script waits. It does, unless given.
    pub mode: Option<Mode>,
    /// Where the input goes; else to the event URL of the call.
    pub event_url: Option<String>,
    /// How that URL is called.
    pub event_method: Option<Method>,
}

impl Input {
    /// Waits for digits.
    #[must_use]
    pub fn dtmf(dtmf: Dtmf) -> Self {
        Self {
            dtmf: Some(dtmf),
            speech: None,
            mode: None,
            event_url: None,
            event_method: None,
        }
    }

    /// Waits for speech.
    #[must_use]
    pub fn speech(speech: Speech) -> Self {
        Self {
            dtmf: None,
            speech: Some(speech),
            mode: None,
            event_url: None,
            event_method: None,
        }
    }

    /// Waits for digits or speech.
    #[must_use]
    pub fn either(dtmf: Dtmf, speech: Speech) -> Self {
        Self {
            speech: Some(speech),
            ..Self::dtmf(dtmf)
        }
    }

    /// Goes on at once and sends every digit as an event of its own from here on. Takes digits only,
    /// and no settings for them.
    #[must_use]
    pub fn digits_from_here() -> Self {
        Self {
            mode: Some(Mode::Asynchronous),
            ..Self::dtmf(Dtmf::default())
        }
    }
}

impl From<Input> for Action {
    fn from(input: Input) -> Self {
        Self::Input(input)
    }
}

/// Whether the script waits for an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// It waits.
    Synchronous,
    /// It goes on, and every digit comes as an event.
    Asynchronous,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Dtmf,
    Speech,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    r#type: Vec<Kind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dtmf: Option<Dtmf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    speech: Option<Speech>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    event_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_method: Option<Method>,
}

impl From<Input> for Wire {
    fn from(input: Input) -> Self {
        let dtmf = input.dtmf.as_ref().map(|_| Kind::Dtmf);
        let speech = input.speech.as_ref().map(|_| Kind::Speech);
        Self {
            r#type: dtmf.into_iter().chain(speech).collect(),
            mode: input.mode,
            dtmf: input.dtmf,
            speech: input.speech,
            event_url: input.event_url,
            event_method: input.event_method,
        }
    }
}

impl From<Wire> for Input {
    /// `type` decides: settings for what it does not name have no effect at Vonage either.
    fn from(wire: Wire) -> Self {
        let takes = |kind| wire.r#type.contains(&kind);
        Self {
            dtmf: takes(Kind::Dtmf).then(|| wire.dtmf.unwrap_or_default()),
            speech: takes(Kind::Speech).then(|| wire.speech.unwrap_or_default()),
            mode: wire.mode,
            event_url: wire.event_url,
            event_method: wire.event_method,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::LegId;
    use crate::ncco::SpeechProvider;
    use serde_json::{Map, json};
    use std::time::Duration;

    #[test]
    fn an_input_has_the_shape_vonage_wants() {
        let dtmf = Dtmf {
            time_out: Some(Duration::from_secs(5)),
            max_digits: Some(1),
            submit_on_hash: Some(true),
        };
        let speech = Speech {
            uuid: Some(LegId::new("aaaaaaaa-0001").unwrap()),
            end_on_silence: Some(Duration::from_millis(400)),
            language: Some("en-GB".into()),
            context: Some(vec!["sales".into(), "support".into()]),
            start_timeout: Some(Duration::from_secs(10)),
            max_duration: Some(Duration::from_secs(30)),
            save_audio: Some(true),
            sensitivity: Some(50),
            provider: Some(SpeechProvider::Google),
            provider_options: Some(Map::from_iter([("model".into(), json!("short"))])),
        };
        let input = Input {
            mode: Some(Mode::Synchronous),
            event_url: Some("https://example.com/event".into()),
            event_method: Some(Method::Post),
            ..Input::either(dtmf, speech)
        };
        insta::assert_json_snapshot!(Action::from(input), @r#"
        {
          "action": "input",
          "type": [
            "dtmf",
            "speech"
          ],
          "mode": "synchronous",
          "dtmf": {
            "timeOut": 5,
            "maxDigits": 1,
            "submitOnHash": true
          },
          "speech": {
            "uuid": [
              "aaaaaaaa-0001"
            ],
            "endOnSilence": 0.4,
            "language": "en-GB",
            "context": [
              "sales",
              "support"
            ],
            "startTimeout": 10,
            "maxDuration": 30,
            "saveAudio": true,
            "sensitivity": 50,
            "provider": "google",
            "providerOptions": {
              "model": "short"
            }
          },
          "eventUrl": [
            "https://example.com/event"
          ],
          "eventMethod": "POST"
        }
        "#);
    }

    #[test]
    fn the_type_names_what_is_there() {
        let json = |input| serde_json::to_value(Action::Input(input)).unwrap();
        assert_eq!(
            json(Input::speech(Speech::default())),
            json!({"action": "input", "type": ["speech"], "speech": {}})
        );
        assert_eq!(
            json(Input::digits_from_here()),
            json!({"action": "input", "type": ["dtmf"], "mode": "asynchronous", "dtmf": {}})
        );
    }

    #[test]
    fn settings_for_what_the_type_does_not_name_are_not_read() {
        let read: Input =
            serde_json::from_value(json!({"type": ["dtmf"], "speech": {"language": "de-DE"}}))
                .unwrap();
        assert_eq!(read, Input::dtmf(Dtmf::default()));
    }
}
