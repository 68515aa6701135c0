//! What the callers hear, and whose phones ring: Vonage's side, and people's.

use crate::office::PHONES;
use crate::text::Text;
use serde_json::Value;

/// One caller's leg.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Leg {
    /// Whether it is there.
    pub(crate) line: Line,
    /// What plays.
    pub(crate) plays: Plays,
}

/// Whether a leg is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) enum Line {
    /// Has called, and hears nothing yet: our reply is on its way.
    #[default]
    Dials,
    /// Hears what plays.
    Open,
    /// Over.
    Over,
}

/// What plays on a leg.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) enum Plays {
    /// Nothing yet.
    #[default]
    Nothing,
    /// Music. `tune`: how many of its tunes are over.
    Hold { script: Text, tune: usize },
    /// An agent's phone rings.
    Connect {
        script: Text,
        query: Text,
        agent: &'static str,
        offer: Text,
        ring: Ring,
    },
    /// A last sentence.
    Told,
}

/// How an agent's phone stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Ring {
    Rings,
    Talks,
    Over,
}

impl Ring {
    /// Somebody is at it, or is about to be.
    pub(crate) fn is_on(self) -> bool {
        self != Self::Over
    }
}

impl Plays {
    /// Reads a script of ours.
    pub(crate) fn read(script: &str) -> Self {
        let ncco: Value = serde_json::from_str(script).unwrap();
        let actions = ncco.as_array().unwrap();
        let script: Text = script.into();
        if let Some(connect) = actions.iter().find(|one| one["action"] == "connect") {
            let number = connect["endpoint"][0]["number"].as_str().unwrap();
            let (_, agent) = PHONES.iter().find(|(phone, _)| *phone == number).unwrap();
            let query = query_of(&script).unwrap();
            let offer = query
                .split('&')
                .find_map(|pair| pair.strip_prefix("offer="));
            return Self::Connect {
                agent,
                offer: offer.unwrap().into(),
                ring: Ring::Rings,
                query: query.as_str().into(),
                script,
            };
        }
        if actions.iter().any(|one| one["action"] == "notify") {
            return Self::Hold { script, tune: 0 };
        }
        Self::Told
    }

    /// The script that plays.
    pub(crate) fn script(&self) -> Option<&Text> {
        match self {
            Self::Hold { script, .. } | Self::Connect { script, .. } => Some(script),
            Self::Nothing | Self::Told => None,
        }
    }
}

/// The query of the event URL of a script's connect.
fn query_of(script: &str) -> Option<String> {
    let ncco: Value = serde_json::from_str(script).unwrap();
    let connect = ncco
        .as_array()?
        .iter()
        .find(|one| one["action"] == "connect")?;
    let url = connect["eventUrl"][0].as_str()?;
    Some(url.split_once('?')?.1.to_owned())
}

/// The payload of a script's n-th `notify`.
pub(crate) fn payload_of(script: &str, nth: usize) -> Option<Value> {
    let ncco: Value = serde_json::from_str(script).unwrap();
    let mut notifies = ncco
        .as_array()?
        .iter()
        .filter(|one| one["action"] == "notify");
    Some(notifies.nth(nth)?["payload"].clone())
}
