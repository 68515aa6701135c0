//! What an event asks of us. Pure: the event and its cue in, one of a few things to do out.

use switchboard_shared::cue::{Cue, Step};
use switchboard_shared::id::LegId;
use switchboard_shared::offer::OfferId;
use switchboard_shared::plan::{AgentName, FlowName};
use switchboard_shared::webhook::{CallStatus, Digits, Event, Kind, Notice};

/// What an event asks of us.
#[derive(Debug, Clone, PartialEq)]
pub enum Asks {
    /// To be noted.
    Nothing,
    /// A caller of ours is here: to be noted, and told.
    Started(LegId),
    /// To archive a recording.
    Archive(Notice),
    /// The caller's leg is over: their place is to be cleared.
    Clear(LegId),
    /// A script of ours came to its `notify`, or may be replaced: what now?
    Script(Cue),
    /// The caller chose something, or did not in time: what now?
    Chosen(Cue, Digits),
    /// The n-th agent of a `ring` flow answered.
    RingAnswered(Cue, u32),
    /// The n-th agent of a `ring` flow did not.
    RingFailed(Cue, u32),
    /// The talk is over on the side of the n-th agent of a `ring` flow.
    RingOver(Cue, u32),
    /// The agent promised to the caller answered.
    Answered(Promise),
    /// The agent promised to the caller did not.
    Unanswered {
        /// Which promise.
        promise: Promise,
        /// How.
        how: Silence,
    },
    /// The talk is over on the agent's side.
    AgentOver(Promise),
    /// One of the staff of a hotline picked up.
    StaffAnswered(Cue, AgentName),
    /// The phone of one of the staff is done with.
    StaffOver {
        /// For whom it rang.
        cue: Cue,
        /// Whose it is.
        agent: AgentName,
        /// It could not even be made to ring.
        failed: bool,
    },
    /// Who picked up a phone was asked for a key.
    Pressed(Cue, String),
}

/// Why an agent did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// The caller hung up first. No fault of the agent's, and nobody is left to hear a reply.
    CallerHungUp,
    /// The connect failed: the agent is left alone for a while, and Vonage takes a script in reply.
    Failed,
}

impl Asks {
    /// Whether somebody listens for what we reply.
    #[must_use]
    pub fn wants_script(&self) -> bool {
        matches!(
            self,
            Self::Script(_)
                | Self::Pressed(..)
                | Self::Chosen(..)
                | Self::RingFailed(..)
                | Self::Unanswered {
                    how: Silence::Failed,
                    ..
                }
        )
    }
}

/// A promise, as a cue names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Promise {
    /// The caller.
    pub call: LegId,
    /// The flow in which they wait.
    pub flow: FlowName,
    /// The agent.
    pub agent: AgentName,
    /// Which promise between the two.
    pub id: OfferId,
    /// Whether who picks up has to press a key before they have the call.
    pub screened: bool,
}

/// Sorts an event. `cue` is from the query of the URL it came to.
#[must_use]
pub fn asks(event: &Event, cue: Option<Cue>) -> Asks {
    match &event.kind {
        Kind::Recording(notice) => Asks::Archive(notice.clone()),
        Kind::Notify(payload) => Cue::from_payload(payload).map_or(Asks::Nothing, Asks::Script),
        Kind::Status(status) => match cue {
            Some(cue) => of_agent_leg(event, status, cue),
            None => of_caller_leg(event, status),
        },
        Kind::Input(input) => match cue {
            Some(cue) if matches!(cue.step, Step::Menu(_) | Step::Consent) => {
                Asks::Chosen(cue, input.clone())
            }
            Some(cue) if cue.asked.is_some() => Asks::Pressed(cue, input.keys.clone()),
            _ => Asks::Nothing,
        },
        Kind::Transfer | Kind::Transcribed | Kind::Error(_) | Kind::Unknown => Asks::Nothing,
    }
}

/// A leg that we have no cue for is the caller's, unless it says it went out.
fn of_caller_leg(event: &Event, status: &CallStatus) -> Asks {
    let over = *status == CallStatus::Completed || status.is_failure();
    let outbound = event.fields.text("direction").is_some() && !event.is_inbound();
    match &event.leg {
        Some(leg) if over && !outbound => Asks::Clear(leg.clone()),
        // Either may be the only one that comes.
        Some(leg)
            if event.is_inbound()
                && matches!(status, CallStatus::Started | CallStatus::Answered) =>
        {
            Asks::Started(leg.clone())
        }
        _ => Asks::Nothing,
    }
}

fn of_agent_leg(event: &Event, status: &CallStatus, cue: Cue) -> Asks {
    let (agent, id) = match cue.step.clone() {
        Step::Hold { .. } | Step::Room | Step::Menu(_) | Step::Consent | Step::Message => {
            return Asks::Nothing;
        }
        Step::Staff { agent } => {
            return match status {
                CallStatus::Answered => Asks::StaffAnswered(cue, agent),
                CallStatus::Completed => Asks::StaffOver {
                    cue,
                    agent,
                    failed: false,
                },
                status if status.is_failure() => Asks::StaffOver {
                    failed: *status == CallStatus::Failed,
                    cue,
                    agent,
                },
                _ => Asks::Nothing,
            };
        }
        Step::Ring(index) => {
            return match status {
                // Who is asked for a key has the call when they have pressed it.
                CallStatus::Answered if cue.asked.is_some() => Asks::Nothing,
                CallStatus::Answered => Asks::RingAnswered(cue, index),
                // The caller hung up: nobody is left to ring another phone for.
                CallStatus::Cancelled => Asks::Nothing,
                CallStatus::Completed if event.was_connected() => Asks::RingOver(cue, index),
                status if status.is_failure() => Asks::RingFailed(cue, index),
                _ => Asks::Nothing,
            };
        }
        Step::Offer { agent, id } => (agent, id),
    };
    let promise = Promise {
        call: cue.call,
        flow: cue.flow,
        agent,
        id,
        screened: cue.asked.is_some(),
    };
    match status {
        CallStatus::Answered if promise.screened => Asks::Nothing,
        CallStatus::Answered => Asks::Answered(promise),
        CallStatus::Cancelled => Asks::Unanswered {
            promise,
            how: Silence::CallerHungUp,
        },
        // Of a leg that never connected it says nothing: why it failed is said by an event of its
        // own, before or after; and were that lost, the caller's script comes back to us.
        CallStatus::Completed if event.was_connected() => Asks::AgentOver(promise),
        status if status.is_failure() => Asks::Unanswered {
            promise,
            how: Silence::Failed,
        },
        _ => Asks::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_shared::webhook::Fields;

    fn check(body: &str, cue: Option<&str>, expected: &str) {
        let event = Event::read(Fields::from_body(body.as_bytes()).unwrap()).unwrap();
        let asks = asks(&event, cue.and_then(Cue::from_query));
        let word = format!("{asks:?}");
        let word = word.split(['(', ' ', '{']).next().unwrap();
        assert_eq!(word, expected, "{body} with {cue:?}");
    }

    const OFFER: Option<&str> = Some("call=c&flow=support&agent=alice&offer=0123456789abcdef");
    const SCREENED: Option<&str> = Some("call=c&flow=direct&ring=0&asked=0");
    const STAFF: Option<&str> = Some("call=c&flow=hotline&staff=alice&asked=1");
    const RING: Option<&str> = Some("call=c&flow=direct&ring=0");

    #[test]
    fn every_event_asks_for_one_thing() {
        let status = |status: &str| format!(r#"{{"uuid":"a","status":"{status}"}}"#);
        for (word, cue, expected) in [
            ("ringing", OFFER, "Nothing"),
            ("answered", OFFER, "Answered"),
            ("busy", OFFER, "Unanswered"),
            ("timeout", OFFER, "Unanswered"),
            ("cancelled", OFFER, "Unanswered"),
            ("completed", OFFER, "Nothing"),
            ("teleported", OFFER, "Nothing"),
            ("answered", RING, "RingAnswered"),
            ("rejected", RING, "RingFailed"),
            ("cancelled", RING, "Nothing"),
            ("completed", RING, "Nothing"),
            ("answered", SCREENED, "Nothing"),
            ("completed", SCREENED, "Nothing"),
            ("busy", SCREENED, "RingFailed"),
            ("ringing", STAFF, "Nothing"),
            ("answered", STAFF, "StaffAnswered"),
            ("machine", STAFF, "Nothing"),
            ("busy", STAFF, "StaffOver"),
            ("failed", STAFF, "StaffOver"),
            ("completed", STAFF, "StaffOver"),
            ("started", None, "Nothing"),
            ("completed", None, "Clear"),
            ("cancelled", None, "Clear"),
            ("teleported", None, "Nothing"),
        ] {
            check(&status(word), cue, expected);
        }
        check(
            r#"{"uuid":"a","status":"completed","duration":"7"}"#,
            OFFER,
            "AgentOver",
        );
        check(
            r#"{"uuid":"a","status":"completed","start_time":"2026-01-01 12:00:00"}"#,
            RING,
            "RingOver",
        );
        check(
            r#"{"uuid":"a","status":"completed","direction":"outbound"}"#,
            None,
            "Nothing",
        );
        for (word, expected) in [
            ("started", "Started"),
            ("answered", "Started"),
            ("ringing", "Nothing"),
        ] {
            let body = format!(r#"{{"uuid":"a","status":"{word}","direction":"inbound"}}"#);
            check(&body, None, expected);
        }
        check(
            r#"{"uuid":"a","status":"answered","direction":"outbound"}"#,
            None,
            "Nothing",
        );
        check(
            r#"{"conversation_uuid":"b","payload":{"call":"c","flow":"support","hold":"1"}}"#,
            None,
            "Script",
        );
        let keys = r#"{"uuid":"a","dtmf":{"digits":"1","timed_out":false}}"#;
        check(keys, STAFF, "Pressed");
        check(keys, None, "Nothing");
        check(
            r#"{"conversation_uuid":"b","payload":{"foo":"bar"}}"#,
            None,
            "Nothing",
        );
        check(
            r#"{"conversation_uuid":"b","recording_uuid":"r","recording_url":"u"}"#,
            None,
            "Archive",
        );
        let input = r#"{"uuid":"a","dtmf":{"digits":"1","timed_out":false}}"#;
        check(input, Some("call=c&flow=main&menu=1&menus=1"), "Chosen");
        check(input, Some("call=c&flow=direct&consent=1"), "Chosen");
        // Of a leg that listens to no choice of ours.
        for cue in [None, OFFER, RING, Some("call=c&flow=box&message=1")] {
            check(input, cue, "Nothing");
        }
        for cue in ["call=c&flow=main&menu=1", "call=c&flow=box&message=1"] {
            check(&status("completed"), Some(cue), "Nothing");
        }
    }
}
