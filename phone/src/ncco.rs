//! Scripts: what Vonage takes, and what it refuses.
//!
//! [`read`] takes an NCCO as it came and says what it does, with every default filled in, or where the
//! first fault is. It is strict where Vonage's pages state a type, a range or a choice, since a script
//! Vonage refuses costs a caller the call. Keys it does not know are let through: Vonage adds options,
//! and keeps deprecated ones such as `voiceName`. What is taken but changes nothing here (`level`,
//! `style`, `premium`, `sensitivity`, …) is checked and not kept.
//!
//! Where no page says, a comment does. Some of it holds everywhere: whether Vonage takes `null`, `3.0`
//! for a whole number, or `get` for `GET` is not known, and is refused.
//!
//! Pages: [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference), and for what
//! only REST spells the [Voice API](https://developer.vonage.com/en/api/voice).

use serde_json::Value;

mod connect;
mod conversation;
mod endpoint;
mod hook;
mod input;
mod language;
mod line;
mod machine;
mod notify;
mod number;
mod object;
mod record;
mod refused;
mod stream;
mod talk;
mod times;
mod transcription;
mod transfer;
mod wait;

#[cfg(test)]
mod tests;

pub use connect::Connect;
pub use conversation::Conversation;
pub use endpoint::{Endpoint, OnAnswer, caller_of_rest, endpoint_of_rest};
pub use hook::{Hook, Method};
pub use input::{Input, Keys, Speech};
pub use machine::{Behavior, Machine, Mode, machine_of_rest};
pub use notify::Notify;
pub use record::{Format, Record};
pub use refused::Refused;
pub use stream::Stream;
pub use talk::Talk;
pub use times::Times;
pub use transcription::Transcription;
pub use transfer::Transfer;
pub use wait::Wait;

use object::Object;

/// Reads a script: a JSON array of action objects. An empty one does nothing, and is a script.
///
/// `bargeIn` is read as it works: once true, it is true of every talk and stream up to the next input.
///
/// # Errors
///
/// The first thing in it that Vonage would refuse, and where it is. Vonage refuses the script as a whole,
/// so no action of it runs.
pub fn read(ncco: &Value) -> Result<Vec<Action>, Refused> {
    let values = ncco
        .as_array()
        .ok_or_else(|| Refused::new("", "a script is an array of actions"))?;
    let mut barging = false;
    let mut actions = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let object = Object::of(value, format!("/{index}"))?;
        let mut action = Action::read(&object)?;
        match &mut action {
            Action::Talk(Talk { barge_in, .. }) | Action::Stream(Stream { barge_in, .. }) => {
                barging |= *barge_in;
                *barge_in = barging;
            }
            Action::Input(_) => barging = false,
            _ if barging => {
                return Err(object.refuse(
                    "action",
                    "after bargeIn, what is not a talk or a stream must be an input",
                ));
            }
            _ => {}
        }
        actions.push(action);
    }
    // Whether Vonage minds a script that ends with bargeIn and no input at all is not known: let through.
    Ok(actions)
}

/// One step of a script.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Says a text.
    Talk(Talk),
    /// Plays a file.
    Stream(Stream),
    /// Does nothing for a while.
    Wait(Wait),
    /// Tells the server.
    Notify(Notify),
    /// Listens for keys or speech.
    Input(Input),
    /// Records.
    Record(Record),
    /// Rings somebody.
    Connect(Connect),
    /// Joins a room with a name.
    Conversation(Conversation),
    /// Moves every leg to another room.
    Transfer(Transfer),
}

impl Action {
    fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let kind = object.required("action", object.text("action")?)?;
        Ok(match kind {
            "talk" => Self::Talk(Talk::read(object)?),
            "stream" => Self::Stream(Stream::read(object)?),
            "wait" => Self::Wait(Wait::read(object)?),
            "notify" => Self::Notify(Notify::read(object)?),
            "input" => Self::Input(Input::read(object)?),
            "record" => Self::Record(Record::read(object)?),
            "connect" => Self::Connect(Connect::read(object)?),
            "conversation" => Self::Conversation(Conversation::read(object)?),
            "transfer" => Self::Transfer(Transfer::read(object)?),
            other => {
                return Err(object.refuse("action", format!("there is no action {other:?}")));
            }
        })
    }

    /// Its name as the script spells it: `talk`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Talk(_) => "talk",
            Self::Stream(_) => "stream",
            Self::Wait(_) => "wait",
            Self::Notify(_) => "notify",
            Self::Input(_) => "input",
            Self::Record(_) => "record",
            Self::Connect(_) => "connect",
            Self::Conversation(_) => "conversation",
            Self::Transfer(_) => "transfer",
        }
    }

    /// What it does, in one short line for people: `“Please hold.”`, `music.mp3, for ever`.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Talk(talk) => talk.summary(),
            Self::Stream(stream) => stream.summary(),
            Self::Wait(wait) => wait.summary(),
            Self::Notify(notify) => notify.summary(),
            Self::Input(input) => input.summary(),
            Self::Record(record) => record.summary(),
            Self::Connect(connect) => connect.summary(),
            Self::Conversation(conversation) => conversation.summary(),
            Self::Transfer(transfer) => transfer.summary(),
        }
    }
}
