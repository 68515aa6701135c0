//! A SIP address.

use super::Endpoint;
use crate::number::mask;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A SIP address or a user on a SIP trunk.
///
/// See [Vonage/Voice API/Endpoints](https://developer.vonage.com/en/voice/voice-api/concepts/endpoints).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sip {
    /// Where it is. Its keys stand beside the others on the wire.
    #[serde(flatten)]
    pub address: SipAddress,
    /// Headers of our own; each goes out as `X-` and its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, String>>,
    /// Headers that SIP defines.
    #[serde(alias = "standard_headers", skip_serializing_if = "Option::is_none")]
    pub standard_headers: Option<StandardHeaders>,
}

impl Sip {
    /// The address `sip:…`, which may carry `;transport=tls` and `;media=srtp`.
    #[must_use]
    pub fn uri(uri: impl Into<String>) -> Self {
        Self {
            address: SipAddress::Uri { uri: uri.into() },
            headers: None,
            standard_headers: None,
        }
    }

    /// A user on the trunk of this name.
    #[must_use]
    pub fn trunk(user: impl Into<String>, domain: impl Into<String>) -> Self {
        Self {
            address: SipAddress::Trunk {
                user: user.into(),
                domain: domain.into(),
            },
            headers: None,
            standard_headers: None,
        }
    }
}

impl fmt::Debug for Sip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sip")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl From<Sip> for Endpoint {
    fn from(sip: Sip) -> Self {
        Self::Sip(sip)
    }
}

/// Where a SIP endpoint is. `Debug` masks it: the user is often a phone number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SipAddress {
    /// An address.
    Uri {
        /// `sip:` or `sips:`, user, `@`, host.
        uri: String,
    },
    /// A user on a trunk.
    Trunk {
        /// The user.
        user: String,
        /// Name of the trunk.
        domain: String,
    },
}

impl fmt::Debug for SipAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uri { uri } => write!(f, "Uri({})", mask(uri)),
            Self::Trunk { user, domain } => write!(f, "Trunk({} at {domain})", mask(user)),
        }
    }
}

/// Headers that SIP defines and Vonage passes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandardHeaders {
    /// `User-to-User`, RFC 7433, at most 256 characters.
    #[serde(rename = "User-to-User", skip_serializing_if = "Option::is_none")]
    pub user_to_user: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sip_address_has_the_shape_vonage_wants() {
        let sip = Sip {
            headers: Some(BTreeMap::from([("line".into(), "front desk".into())])),
            standard_headers: Some(StandardHeaders {
                user_to_user: Some("3132;encoding=hex".into()),
            }),
            ..Sip::uri("sip:447700900001@example.com;transport=tls")
        };
        assert_eq!(format!("{sip:?}"), "Sip { address: Uri(si•••••=tls), .. }");
        insta::assert_json_snapshot!(Endpoint::from(sip), @r#"
        {
          "type": "sip",
          "uri": "sip:447700900001@example.com;transport=tls",
          "headers": {
            "line": "front desk"
          },
          "standardHeaders": {
            "User-to-User": "3132;encoding=hex"
          }
        }
        "#);
        insta::assert_json_snapshot!(Endpoint::from(Sip::trunk("alice", "office")), @r#"
        {
          "type": "sip",
          "user": "alice",
          "domain": "office"
        }
        "#);
    }
}
