//! Plan files.

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use switchboard_shared::call::Call;
use switchboard_shared::ncco::Ncco;
use switchboard_shared::ncco::check::Severity as Grade;
use switchboard_shared::offer::{By, Offer};
use switchboard_shared::plan::fault::{PlanFault, Severity};
use switchboard_shared::plan::keep::{KEEP_MAX, KEEP_MIN};
use switchboard_shared::plan::{FlowKind, Plan};
use switchboard_shared::script::{self, Next, menu, room};
use switchboard_shared::webhook::Digits;

/// Lines and flows of one plan that are followed: more of the same say nothing new.
const FOLLOWED: usize = 8;

/// Faults of one plan that are looked at: a text of nothing but faults has tens of thousands.
const PLACED: usize = 300;

/// Reads the bytes as a plan, and calls each of its lines.
///
/// # Panics
/// When a fault is placed outside the text, or an accepted plan says what Vonage would refuse.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let checked = Plan::parse(text);
    let rows: Vec<&str> = text.split('\n').collect();
    for fault in checked.faults.iter().take(PLACED) {
        placed(text, &rows, fault);
    }
    let mut starts = checked.faults.iter().map(|fault| fault.span.start);
    assert!(starts.by_ref().is_sorted(), "in the order of the text");
    let sound = checked
        .faults
        .iter()
        .all(|f| f.severity == Severity::Warning);
    assert_eq!(
        checked.plan.is_some(),
        sound,
        "a plan if and only if it has no fault"
    );
    let Some(plan) = checked.plan else {
        return;
    };
    assert_eq!(plan.text(), text);
    let keep = plan.keep();
    let kept = std::iter::once(keep.ledger).chain(keep.recordings);
    kept.for_each(|time| assert!((KEEP_MIN..=KEEP_MAX).contains(&time), "{time}"));
    // The day may bring warnings, never another plan.
    let dated = Plan::parse_on(text, Some(date(2026, 7, 1)));
    assert_eq!(dated.plan.as_ref(), Some(&plan));
    for now in moments() {
        for line in plan.lines().take(FOLLOWED) {
            let call = call(&plan, line.number.as_str(), now);
            let decision = script::answer(&plan, &call, now);
            assert!(!decision.why.is_empty());
            match decision.next {
                Next::Say(ncco) | Next::Mailbox(_, ncco) => sayable(&ncco),
                Next::Wait(flow, queue) => sayable(&script::hold(flow, queue, &call, 0)),
                Next::Gather(flow, hotline) => sayable(&room::room(&plan, flow, hotline, &call)),
            }
            sayable(&script::to_agent(&plan, Some(&call)));
        }
    }
    for flow in plan.flows().take(FOLLOWED) {
        let call = call(&plan, "447700900000", Timestamp::UNIX_EPOCH);
        match &flow.kind {
            FlowKind::Message(_) | FlowKind::Hours(_) => {}
            FlowKind::Menu(menu) => {
                let said = menu.speech.first().map(|phrase| phrase.words.join(" "));
                let keys = menu.keys.keys().map(ToString::to_string);
                let inputs = keys
                    .chain(["x".to_owned(), String::new()])
                    .map(|keys| Digits {
                        keys,
                        spoken: said.iter().cloned().collect(),
                        ..Digits::default()
                    });
                for input in inputs.map(Some).chain([None]) {
                    for reading in [0, 1, u8::MAX] {
                        let chosen = menu::chosen(
                            &plan,
                            &flow.name,
                            reading,
                            input.as_ref(),
                            &call,
                            call.at,
                        );
                        if let Next::Say(ncco) | Next::Mailbox(_, ncco) = chosen.next {
                            sayable(&ncco);
                        }
                    }
                }
            }
            FlowKind::Voicemail(_) => {
                for consent in [None, Some(true), Some(false)] {
                    let call = Call {
                        consent,
                        ..call.clone()
                    };
                    match script::follow(&plan, &flow.name, &call, call.at).next {
                        Next::Say(ncco) | Next::Mailbox(_, ncco) => sayable(&ncco),
                        Next::Wait(..) | Next::Gather(..) => panic!("a voicemail is no queue"),
                    }
                }
            }
            FlowKind::Ring(ring) => {
                for index in 0..ring.agents.len() {
                    let ncco = script::ring_agent(&plan, flow, ring, index, &call, call.at);
                    sayable(&ncco.expect("a ring's agents are in the plan"));
                    let after = script::after_ring(&plan, &flow.name, index, &call, call.at);
                    if let Next::Say(ncco) | Next::Mailbox(_, ncco) = after.next {
                        sayable(&ncco);
                    }
                }
            }
            FlowKind::Hotline(hotline) => {
                sayable(&room::room(&plan, flow, hotline, &call));
                sayable(&room::enter(&plan, flow, hotline, &call));
                for agent in hotline.staff() {
                    let cue = room::staff_cue(&call, flow, agent);
                    for cue in [cue.clone(), cue.asking()] {
                        sayable(&room::question(&plan, flow, hotline, agent, &call, &cue));
                    }
                }
            }
            FlowKind::Queue(queue) => {
                for round in [0, 1, 7, u32::MAX] {
                    sayable(&script::hold(flow, queue, &call, round));
                }
                for agent in &queue.agents {
                    let offer = Offer::new(agent, queue, By::Reply, call.at);
                    for held in [true, false] {
                        let ncco = script::connect_offer(&plan, flow, queue, &offer, &call, held);
                        sayable(&ncco.expect("a queue's agents are in the plan"));
                    }
                }
            }
        }
    }
}

/// Within the text, between characters, and told in one line.
fn placed(text: &str, rows: &[&str], fault: &PlanFault) {
    let span = fault.span.clone();
    assert!(
        text.get(span.clone()).is_some(),
        "{fault}: {span:?} of {}",
        text.len()
    );
    assert!((1..=rows.len()).contains(&fault.line), "{fault}");
    let columns = rows[fault.line - 1].chars().count() + 1;
    assert!(
        (1..=columns).contains(&fault.column),
        "{fault}: {columns} columns"
    );
    let told = fault.to_string();
    assert!(!told.contains(char::is_control), "{told:?}");
}

fn sayable(ncco: &Ncco) {
    let faults = ncco.check();
    assert!(!ncco.actions().is_empty(), "the caller hears something");
    assert!(
        faults.iter().all(|fault| fault.severity == Grade::Warning),
        "{faults:?} in {}",
        serde_json::to_string(ncco).unwrap()
    );
}

/// A working day at noon, the night before a change of the clocks, and both ends of time.
fn moments() -> impl Iterator<Item = Timestamp> {
    let moments = ["2026-07-01T12:00:00Z", "2026-10-25T00:59:59Z"];
    let moments = moments.into_iter().map(|text| text.parse().unwrap());
    // A call has a future: what lies at the very end of time could not ring.
    let last = Timestamp::MAX.saturating_sub(SignedDuration::from_hours(48));
    moments.chain([Timestamp::MIN, last.unwrap()])
}

fn call(plan: &Plan, line: &str, now: Timestamp) -> Call {
    Call::new(
        "fuzz-leg".parse().unwrap(),
        "CON-fuzz".parse().unwrap(),
        line.to_owned(),
        now,
        "https://switchboard.example".to_owned(),
        plan,
    )
}
