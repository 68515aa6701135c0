//! A phone.

use super::Endpoint;
use crate::number::PhoneNumber;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A phone on the public network.
///
/// `Debug` shows the masked number only: the rest can hold a PIN or an identity.
///
/// See [Vonage/Voice API/Endpoints](https://developer.vonage.com/en/voice/voice-api/concepts/endpoints).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phone {
    /// Its number.
    pub number: PhoneNumber,
    /// Digits pressed once it answers: `0`-`9`, `*`, `#`, and `p` for a pause of 500 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtmf_answer: Option<String>,
    /// What who answers hears before being joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_answer: Option<OnAnswer>,
    /// Our own STIR/SHAKEN identity. Vonage allows it on request only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shaken: Option<String>,
}

impl Phone {
    /// The phone of this number.
    #[must_use]
    pub fn of(number: PhoneNumber) -> Self {
        Self {
            number,
            dtmf_answer: None,
            on_answer: None,
            shaken: None,
        }
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Phone")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl From<Phone> for Endpoint {
    fn from(phone: Phone) -> Self {
        Self::Phone(phone)
    }
}

/// A script of its own for who answers, before the two are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnAnswer {
    /// Where the script is.
    pub url: String,
    /// URL of the audio that the caller hears meanwhile.
    #[serde(alias = "ringback", skip_serializing_if = "Option::is_none")]
    pub ringback_tone: Option<String>,
}

impl OnAnswer {
    /// Runs the script at this URL.
    #[must_use]
    pub fn run(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ringback_tone: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_has_the_shape_vonage_wants() {
        let phone = Phone {
            dtmf_answer: Some("1p2#".into()),
            on_answer: Some(OnAnswer {
                ringback_tone: Some("https://example.com/ring.mp3".into()),
                ..OnAnswer::run("https://example.com/whisper")
            }),
            shaken: Some("identity".into()),
            ..Phone::of(PhoneNumber::parse("447700900001").unwrap())
        };
        assert_eq!(format!("{phone:?}"), "Phone { number: 44•••••0001, .. }");
        insta::assert_json_snapshot!(Endpoint::from(phone), @r#"
        {
          "type": "phone",
          "number": "447700900001",
          "dtmfAnswer": "1p2#",
          "onAnswer": {
            "url": "https://example.com/whisper",
            "ringbackTone": "https://example.com/ring.mp3"
          },
          "shaken": "identity"
        }
        "#);
    }
}
