//! A move into another conversation.

use super::Action;
use crate::id::{ConversationId, LegId};
use serde::{Deserialize, Serialize};

/// Moves every leg of this conversation into another one, whose script rules from then on. Nothing
/// after it runs.
///
/// See [Vonage/Voice API/NCCO reference/Transfer](https://developer.vonage.com/en/voice/voice-api/ncco-reference#transfer).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transfer {
    /// The conversation to move into.
    #[serde(alias = "conversation_id")]
    pub conversation_id: ConversationId,
    /// Legs that the moved ones hear. Everyone, unless given; an empty list is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_hear: Option<Vec<LegId>>,
    /// Legs that hear the moved ones. Everyone, unless given; an empty list is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_speak: Option<Vec<LegId>>,
    /// Whether nobody hears the moved ones. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mute: Option<bool>,
}

impl Transfer {
    /// Moves into this conversation.
    #[must_use]
    pub fn to(conversation: ConversationId) -> Self {
        Self {
            conversation_id: conversation,
            can_hear: None,
            can_speak: None,
            mute: None,
        }
    }
}

impl From<Transfer> for Action {
    fn from(transfer: Transfer) -> Self {
        Self::Transfer(transfer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transfer_has_the_shape_vonage_wants() {
        let transfer = Transfer {
            can_hear: Some(vec![LegId::new("aaaaaaaa-0001").unwrap()]),
            can_speak: Some(vec![]),
            mute: Some(false),
            ..Transfer::to(ConversationId::new("CON-aaaaaaaa-0002").unwrap())
        };
        insta::assert_json_snapshot!(Action::from(transfer), @r#"
        {
          "action": "transfer",
          "conversationId": "CON-aaaaaaaa-0002",
          "canHear": [
            "aaaaaaaa-0001"
          ],
          "canSpeak": [],
          "mute": false
        }
        "#);
    }
}
