//! Ringing someone else.

use super::{Action, AdvancedMachineDetection, Endpoint, MachineDetection, Method, wire};
use crate::number::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Rings an endpoint and joins it to the leg.
///
/// See [Vonage/Voice API/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// Who is rung. On the wire an array of one.
    #[serde(with = "wire::one")]
    pub endpoint: Endpoint,
    /// Number shown to who is rung. For a phone it must be one of ours, or nothing connects.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::if_readable"
    )]
    pub from: Option<PhoneNumber>,
    /// Whether Vonage picks one of our numbers to show, of the same country if it can. Not together
    /// with `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_from_number: Option<bool>,
    /// Whether the reply to an event may replace this script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// How long it rings, 1 to 120 s; 60 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub timeout: Option<Duration>,
    /// Length after which the call is ended, 1 to 7200 s; 7200 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub limit: Option<Duration>,
    /// What happens when a machine answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine_detection: Option<MachineDetection>,
    /// The same with more choice; overrides `machine_detection`. Charged.
    #[serde(
        alias = "advanced_machine_detection",
        skip_serializing_if = "Option::is_none"
    )]
    pub advanced_machine_detection: Option<AdvancedMachineDetection>,
    /// Where the events of the new leg go; else to the event URL of the call.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::one_if_any"
    )]
    pub event_url: Option<String>,
    /// How that URL is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_method: Option<Method>,
    /// URL of the audio that the caller hears while it rings.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::text_or_one"
    )]
    pub ringback_tone: Option<String>,
}

impl Connect {
    /// Rings this endpoint.
    #[must_use]
    pub fn to(endpoint: impl Into<Endpoint>) -> Self {
        Self {
            endpoint: endpoint.into(),
            from: None,
            random_from_number: None,
            event_type: None,
            timeout: None,
            limit: None,
            machine_detection: None,
            advanced_machine_detection: None,
            event_url: None,
            event_method: None,
            ringback_tone: None,
        }
    }
}

impl From<Connect> for Action {
    fn from(connect: Connect) -> Self {
        Self::Connect(connect)
    }
}

/// What the reply to a `connect` event may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventType {
    /// Replace the script, when the endpoint does not answer.
    Synchronous,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ncco::{MachineMode, Phone};

    #[test]
    fn a_connect_has_the_shape_vonage_wants() {
        let agent = Phone::of(PhoneNumber::parse("447700900001").unwrap());
        let connect = Connect {
            from: Some(PhoneNumber::parse("447700900000").unwrap()),
            random_from_number: Some(false),
            event_type: Some(EventType::Synchronous),
            timeout: Some(Duration::from_secs(20)),
            limit: Some(Duration::from_secs(3600)),
            machine_detection: Some(MachineDetection::Hangup),
            advanced_machine_detection: Some(AdvancedMachineDetection {
                behavior: Some(MachineDetection::Continue),
                mode: Some(MachineMode::DetectBeep),
                beep_timeout: Some(Duration::from_secs(45)),
            }),
            event_url: Some("https://example.com/event".into()),
            event_method: Some(Method::Post),
            ringback_tone: Some("https://example.com/ring.mp3".into()),
            ..Connect::to(agent)
        };
        insta::assert_json_snapshot!(Action::from(connect), @r#"
        {
          "action": "connect",
          "endpoint": [
            {
              "type": "phone",
              "number": "447700900001"
            }
          ],
          "from": "447700900000",
          "randomFromNumber": false,
          "eventType": "synchronous",
          "timeout": 20,
          "limit": 3600,
          "machineDetection": "hangup",
          "advancedMachineDetection": {
            "behavior": "continue",
            "mode": "detect_beep",
            "beep_timeout": 45
          },
          "eventUrl": [
            "https://example.com/event"
          ],
          "eventMethod": "POST",
          "ringbackTone": "https://example.com/ring.mp3"
        }
        "#);
    }
}
