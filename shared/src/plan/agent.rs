//! Agents: the people who take calls.

use super::fault::Wrong;
use super::{AgentName, Calendar};
use crate::number::{PhoneNumber, mask};
use jiff::Timestamp;
use std::fmt;

/// Longest SIP URI, in bytes. Vonage states no limit; a URI has to fit into a UDP packet with the
/// rest of an `INVITE` (RFC 3261, 18.1.1: 1300 bytes).
pub const SIP_LENGTH_MAX: usize = 512;

/// A person who takes calls.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// Name in the plan, in URLs and in keys.
    pub name: AgentName,
    /// Where the agent is rung.
    pub endpoint: Endpoint,
    /// When the agent may be rung without having said "free"; at any time where the plan does not
    /// say.
    pub on_duty: Option<Calendar>,
}

impl Agent {
    /// Whether the agent may be rung now by a flow that asks nobody whether they are free.
    #[must_use]
    pub fn is_on_duty(&self, now: Timestamp) -> bool {
        let calendar = self.on_duty.as_ref();
        calendar.is_none_or(|calendar| calendar.open_at(now).is_open())
    }
}

/// Where a leg to an agent goes.
///
/// `Debug` masks, as of a [`PhoneNumber`].
///
/// See [Vonage/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// A phone on the public network.
    Phone(PhoneNumber),
    /// A SIP URI: `sip:alice@example.com`, perhaps with `;transport=tls`.
    Sip(String),
    /// The user of an app made with Vonage's Client SDK, by its name.
    App(String),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phone(number) => write!(f, "Phone({number:?})"),
            Self::Sip(uri) => write!(f, "Sip({})", mask(uri)),
            Self::App(user) => write!(f, "App({})", mask(user)),
        }
    }
}

pub(super) fn sip(text: &str) -> Result<String, Wrong> {
    let wrong = |message| {
        Wrong::new(
            message,
            "write it like \"sip:alice@example.com\", with the host last",
        )
    };
    let rest = text
        .strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"))
        .ok_or_else(|| wrong("`sip` is no SIP URI: it does not begin with sip: or sips:"))?;
    if text.len() > SIP_LENGTH_MAX {
        return Err(wrong("`sip` is longer than 512 bytes"));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("`sip` holds a space or a control character"));
    }
    let address = rest.split([';', '?']).next().unwrap_or_default();
    let host = address.rsplit_once('@').map_or(address, |(_, host)| host);
    if host.is_empty() || host.starts_with(':') || address.starts_with('@') {
        return Err(wrong("`sip` names no host to ring"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sip_uris_are_taken_as_they_are_and_their_misspellings_refused() {
        for text in [
            "sip:alice@example.com",
            "sips:alice@example.com:5061",
            "sip:example.com",
            "sip:447700900010@pbx.example.com;transport=tls;media=srtp",
        ] {
            assert_eq!(sip(text).as_deref(), Ok(text));
        }
        for text in [
            "alice@example.com",
            "tel:447700900010",
            "sip:",
            "sip:alice@",
            "sip:@example.com",
            "sip:alice @example.com",
            "sip:;transport=tls",
        ] {
            assert!(sip(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_endpoint_in_a_log_is_masked() {
        let phone = Endpoint::Phone(PhoneNumber::parse("447700900010").unwrap());
        let sip = Endpoint::Sip("sip:447700900010@example.com".to_owned());
        let shown = format!("{phone:?} {sip:?}");
        assert!(!shown.contains("770090"), "{shown}");
    }
}
