//! The script of a call: Vonage's Call Control Object, as we send it.
//!
//! What is required of an action goes through its constructor, the rest through field names:
//!
//! ```
//! use std::time::Duration;
//! use switchboard_shared::ncco::{Connect, Ncco, Phone, Talk};
//! use switchboard_shared::number::PhoneNumber;
//!
//! let agent = PhoneNumber::parse("447700900001")?;
//! let ncco = Ncco::default()
//!     .then(Talk { language: Some("en-GB".into()), ..Talk::say("Putting you through.") })
//!     .then(Connect { timeout: Some(Duration::from_secs(20)), ..Connect::to(Phone::of(agent)) });
//! assert!(ncco.check().is_empty());
//! # Ok::<(), switchboard_shared::number::NumberError>(())
//! ```
//!
//! Sending is strict, by these types; [`check`] finds the faults that types cannot see, in our
//! scripts and in anyone's; [`read`] takes in what others wrote.
//!
//! See [Vonage/Voice API/NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference).

pub mod check;
mod connect;
mod conversation;
mod dtmf;
mod endpoint;
#[cfg(test)]
mod generate;
mod input;
pub mod limits;
mod machine;
mod method;
mod notify;
pub mod read;
mod record;
mod speech;
mod stream;
mod talk;
mod transcription;
mod transfer;
mod wait;
mod wire;

pub use connect::{Connect, EventType};
pub use conversation::Conversation;
pub use dtmf::Dtmf;
pub use endpoint::{
    App, Authorization, ContentType, Endpoint, OnAnswer, Phone, Sip, SipAddress, StandardHeaders,
    Vbc, Websocket,
};
pub use input::{Input, Mode};
pub use machine::{AdvancedMachineDetection, MachineDetection, MachineMode};
pub use method::Method;
pub use notify::Notify;
pub use record::{Format, Record, Split};
pub use speech::{Speech, SpeechProvider};
pub use stream::Stream;
pub use talk::{Talk, TalkProvider};
pub use transcription::Transcription;
pub use transfer::Transfer;
pub use wait::Wait;

use check::Fault;
use serde::{Deserialize, Serialize};

/// A script: actions, run in order. When the last one is over, so is the call.
///
/// On the wire a JSON array. The empty script is allowed and hangs up.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ncco(Vec<Action>);

impl Ncco {
    /// The script with one more action at its end.
    #[must_use]
    pub fn then(mut self, action: impl Into<Action>) -> Self {
        self.0.push(action.into());
        self
    }

    /// The actions, in the order in which they run.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.0
    }

    /// Everything wrong with the script, as [`check::check_value`] finds it.
    #[must_use]
    pub fn check(&self) -> Vec<Fault> {
        let json = serde_json::to_value(self).expect("an NCCO is always JSON: its keys are text");
        check::check_value(&json)
    }
}

impl<A: Into<Action>> FromIterator<A> for Ncco {
    fn from_iter<I: IntoIterator<Item = A>>(actions: I) -> Self {
        Self(actions.into_iter().map(Into::into).collect())
    }
}

impl<A: Into<Action>> Extend<A> for Ncco {
    fn extend<I: IntoIterator<Item = A>>(&mut self, actions: I) {
        self.0.extend(actions.into_iter().map(Into::into));
    }
}

/// One step of a script. On the wire an object whose `action` names the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Action {
    /// Records the call or a part of it.
    Record(Record),
    /// Puts the leg into a named room.
    Conversation(Conversation),
    /// Rings an endpoint and joins it to the leg.
    Connect(Connect),
    /// Speaks.
    Talk(Talk),
    /// Plays audio.
    Stream(Stream),
    /// Waits for digits or speech.
    Input(Input),
    /// Calls our server, which may answer with a new script.
    Notify(Notify),
    /// Pauses.
    Wait(Wait),
    /// Moves the legs into another conversation. Nothing after it runs.
    Transfer(Transfer),
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_script_is_an_array_of_its_actions_in_order() {
        let ncco = Ncco::default()
            .then(Talk::say("Hello"))
            .then(Wait::default());
        insta::assert_json_snapshot!(ncco, @r#"
        [
          {
            "action": "talk",
            "text": "Hello"
          },
          {
            "action": "wait"
          }
        ]
        "#);
        assert_eq!(ncco.actions().len(), 2);
        assert_eq!(serde_json::to_value(Ncco::default()).unwrap(), json!([]));
    }

    #[test]
    fn a_script_can_be_collected_and_extended() {
        let mut ncco: Ncco = ["one", "two"].into_iter().map(Talk::say).collect();
        ncco.extend([Wait::default()]);
        let by_hand = Ncco::default()
            .then(Talk::say("one"))
            .then(Talk::say("two"))
            .then(Wait::default());
        assert_eq!(ncco, by_hand);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(ncco in generate::ncco()) {
            let text = serde_json::to_string(&ncco).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ncco>(&text).unwrap(), ncco);
        }

        #[test]
        fn a_script_within_the_limits_has_no_faults(ncco in generate::ncco()) {
            prop_assert_eq!(ncco.check(), vec![]);
        }
    }
}
