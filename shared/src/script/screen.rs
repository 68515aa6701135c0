//! Screening: who picks up a phone of a `ring` flow or a queue presses a key before the caller is put
//! through, so that no mailbox ever takes a call.
//!
//! Vonage plays these scripts to who picked up, and joins them to the caller when a script ends. So one
//! that puts through ends soon, and one that does not stays silent until we have hung up.
//!
//! See [Vonage/NCCO reference/Connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect), `onAnswer`.

use super::room::{KEY_WITHIN, caller, spoken};
use super::{ask_for_key, line_of, own, own_talk};
use crate::call::Call;
use crate::cue::Cue;
use crate::ncco::{Ncco, Wait};
use crate::plan::{Agent, AgentName, Endpoint, Plan};
use std::time::Duration;

/// Said to who takes the call. The caller is there when it is said, so it is short.
pub const PUT_THROUGH: &str = "Thank you.";

/// How long who does not take the call hears nothing, until we have hung up: long enough for a job
/// that has to come a second time.
const SILENCE: Duration = Duration::from_secs(120);

/// When the phone of who does not take the call is hung up: when the reason is said.
pub const HANGS_UP_AFTER: Duration = Duration::from_secs(3);

/// Whether who picks up is asked for a key. Only a telephone can be: Vonage plays no script to others
/// before they are joined.
#[must_use]
pub fn screens(confirm: bool, agent: &Agent) -> bool {
    confirm && matches!(agent.endpoint, Endpoint::Phone(_))
}

/// What who picked up hears: whose call it is, and which key to press. The cue says how often they
/// were asked before.
#[must_use]
pub fn question(plan: &Plan, agent: &AgentName, call: &Call, cue: &Cue) -> Ncco {
    let text = if cue.asked.unwrap_or_default() == 0 {
        // The name of the line comes first: a phone that screens its calls shows what it hears first.
        let line = line_of(plan, call).map_or("Switchboard", |line| &line.name);
        let from = caller(plan, call).map_or(String::new(), |number| format!(" from {number}"));
        format!(
            "{line}. Hello {}. A call for you{from}. Press 1 to take it, or 2 to pass.",
            spoken(agent)
        )
    } else {
        "Press 1 to take the call, or 2 to pass.".to_owned()
    };
    ask_for_key(own_talk(&text), KEY_WITHIN, &call.base, &cue.asking())
}

/// Ends at once, and so joins who took the call to the caller.
#[must_use]
pub fn put_through() -> Ncco {
    Ncco::default().then(own(PUT_THROUGH))
}

/// A reason, and silence until the phone is hung up.
#[must_use]
pub fn turned_away(why: &str) -> Ncco {
    Ncco::default().then(own(why)).then(Wait::of(SILENCE))
}
