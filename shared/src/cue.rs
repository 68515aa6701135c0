//! What an event is about, in our own words.
//!
//! Vonage's events name legs and conversations, which change under a transfer, and an agent's leg
//! has an id that we never chose. So each `eventUrl` and `notify` payload that we send carries a cue:
//! which call, which flow, and which step of it.

use crate::call::Call;
use crate::id::LegId;
use crate::offer::OfferId;
use crate::plan::{AgentName, FlowName, Plan};
use serde_json::Value;

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// The caller's leg, by which we know the call.
    pub call: LegId,
    /// The flow that wrote the script.
    pub flow: FlowName,
    /// Where in the flow.
    pub step: Step,
    /// How often it was asked in vain. Each time a caller hears that they are still there, and
    /// after [`AGAIN_MAX`] times the apology.
    pub again: u8,
    /// How often who picked up a phone has been asked to press a key. `None`: nobody is asked, and who
    /// picks up has the call.
    pub asked: Option<u8>,
}

/// How often a script that could not be had is asked for again. Vonage has made two attempts each
/// time, so what is away by then is away for longer than a caller should be left in doubt.
pub const AGAIN_MAX: u8 = 3;

/// Where in a flow a script stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// On hold.
    Hold {
        /// The round of music that comes next.
        round: u32,
        /// Nothing but the apology follows: a reply must say something.
        last: bool,
    },
    /// Ringing the n-th agent of a `ring` flow.
    Ring(u32),
    /// Ringing the agent to whom this caller was promised.
    Offer {
        /// Whose phone rings.
        agent: AgentName,
        /// Which promise: an agent may be promised to the same caller twice.
        id: OfferId,
    },
    /// In a room, waiting for the staff.
    Room,
    /// Ringing one of the staff for a caller who waits in a room.
    Staff {
        /// Whose phone rings.
        agent: AgentName,
    },
}

impl Cue {
    /// The cue as names and values: the payload of a `notify`.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![
            ("call", self.call.to_string()),
            ("flow", self.flow.to_string()),
        ];
        match &self.step {
            Step::Hold { round, last } => {
                pairs.push(("hold", round.to_string()));
                if *last {
                    pairs.push(("last", "1".to_owned()));
                }
            }
            Step::Ring(index) => pairs.push(("ring", index.to_string())),
            Step::Offer { agent, id } => {
                pairs.extend([("agent", agent.to_string()), ("offer", id.to_string())]);
            }
            Step::Room => pairs.push(("room", "1".to_owned())),
            Step::Staff { agent } => pairs.push(("staff", agent.to_string())),
        }
        if let Some(asked) = self.asked {
            pairs.push(("asked", asked.to_string()));
        }
        if self.again > 0 {
            pairs.push(("again", self.again.to_string()));
        }
        pairs
    }

    /// The cue as the query of an event URL.
    #[must_use]
    pub fn to_query(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.pairs())
            .finish()
    }

    /// The same, with the question asked once more.
    #[must_use]
    pub fn asking(&self) -> Self {
        let asked = self.asked.unwrap_or_default();
        Self {
            asked: Some(asked.saturating_add(1)),
            ..self.clone()
        }
    }

    /// Whose phone rings, if one does.
    #[must_use]
    pub fn agent<'a>(&'a self, plan: &'a Plan, call: Option<&Call>) -> Option<&'a AgentName> {
        match &self.step {
            Step::Hold { .. } | Step::Room => None,
            Step::Ring(index) => {
                let turn = call.and_then(|call| call.turn).unwrap_or_default();
                plan.ring(&self.flow)?.1.nth(*index as usize, turn)
            }
            Step::Offer { agent, .. } | Step::Staff { agent } => Some(agent),
        }
    }

    /// Reads the query of an event URL; `None` where it holds no cue.
    #[must_use]
    pub fn from_query(query: &str) -> Option<Self> {
        Self::from_lookup(|name| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, text)| text.into_owned())
        })
    }

    /// Reads the payload of a `notify`; `None` where it holds no cue.
    #[must_use]
    pub fn from_payload(payload: &Value) -> Option<Self> {
        Self::from_lookup(|name| payload.get(name)?.as_str().map(str::to_owned))
    }

    fn from_lookup(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let step = if let Some(round) = get("hold") {
            Step::Hold {
                round: round.parse().ok()?,
                last: get("last").is_some(),
            }
        } else if let Some(index) = get("ring") {
            Step::Ring(index.parse().ok()?)
        } else if let Some(agent) = get("staff") {
            Step::Staff {
                agent: agent.parse().ok()?,
            }
        } else if get("room").is_some() {
            Step::Room
        } else {
            Step::Offer {
                agent: get("agent")?.parse().ok()?,
                id: get("offer")?.parse().ok()?,
            }
        };
        let again = get("again").map_or(Some(0), |text| text.parse().ok())?;
        let asked = match get("asked") {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some(Self {
            call: get("call")?.parse().ok()?,
            flow: get("flow")?.parse().ok()?,
            step,
            again,
            asked,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cue(step: Step) -> Cue {
        Cue {
            call: "leg-1".parse().unwrap(),
            flow: "support".parse().unwrap(),
            step,
            again: 0,
            asked: None,
        }
    }

    #[test]
    fn a_cue_comes_back_as_it_went_out() {
        let offer = Step::Offer {
            agent: "alice".parse().unwrap(),
            id: OfferId::random(),
        };
        for cue in [
            cue(Step::Hold {
                round: 3,
                last: true,
            }),
            cue(Step::Hold {
                round: 3,
                last: false,
            }),
            Cue {
                again: 2,
                ..cue(Step::Ring(0))
            },
            cue(offer),
            cue(Step::Room),
            Cue {
                asked: Some(1),
                ..cue(Step::Staff {
                    agent: "alice".parse().unwrap(),
                })
            },
        ] {
            assert_eq!(Cue::from_query(&cue.to_query()).as_ref(), Some(&cue));
            let payload = cue
                .pairs()
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v.into()));
            assert_eq!(
                Cue::from_payload(&Value::Object(payload.collect())).as_ref(),
                Some(&cue)
            );
        }
    }

    #[test]
    fn anything_else_is_no_cue() {
        for query in [
            "",
            "call=a",
            "call=a&flow=b&hold=x",
            "call=a%23&flow=b&hold=1",
            "call=a&flow=b",
        ] {
            assert_eq!(Cue::from_query(query), None, "{query}");
        }
        assert_eq!(Cue::from_payload(&serde_json::json!([1])), None);
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(query in any::<String>()) {
            let _ = Cue::from_query(&query);
        }
    }
}
