//! Calls with their events, and what is to be read from them.

use super::*;
use crate::plan::Plan;
use proptest::prelude::*;
use serde_json::json;

const CALL: &str = "leg-1";

fn at(second: i64) -> Timestamp {
    "2026-11-28T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
}

/// A call that began at second 0, and ended then.
fn call(ended: Option<i64>) -> Call {
    let plan = Plan::parse("").plan.unwrap();
    let mut call = Call::new(
        CALL.parse().unwrap(),
        "CON-1".parse().unwrap(),
        "447700900000".to_owned(),
        at(0),
        "https://example.com".to_owned(),
        &plan,
    );
    call.ended = ended.map(at);
    call
}

fn event(leg: &str, word: &str, second: i64, agent: Option<&str>, more: &Value) -> LedgerEvent {
    let mut body = json!({ "uuid": leg, "status": word });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().cloned().unwrap_or_default());
    LedgerEvent {
        word: word.to_owned(),
        leg: Some(leg.to_owned()),
        conversation: None,
        at: Some(at(second).to_string()),
        heard: at(second + 1).to_string(),
        agent: agent.map(|name| name.parse().unwrap()),
        took: agent.is_some(),
        body: body.to_string(),
    }
}

fn answered(agent: &str, second: i64) -> LedgerEvent {
    let leg = format!("leg-{agent}");
    event(&leg, "answered", second, Some(agent), &Value::Null)
}

fn talked(agent: &str, second: i64, duration: &str, price: &str) -> LedgerEvent {
    let more = json!({ "duration": duration, "price": price });
    let leg = format!("leg-{agent}");
    event(&leg, "completed", second, Some(agent), &more)
}

fn hung_up(second: i64) -> LedgerEvent {
    let more = json!({ "duration": second.to_string(), "price": "0.00450000" });
    event(CALL, "completed", second, None, &more)
}

/// Outcome, who took it, seconds waited, seconds talked, cost.
#[track_caller]
fn check(
    call: &Call,
    events: &[LedgerEvent],
    expected: (Outcome, &[&str], Option<i64>, i64, Option<&str>),
) -> Facts {
    let facts = Facts::of(call, events);
    let took: Vec<_> = facts.took.iter().map(|took| took.agent.as_str()).collect();
    let cost = facts.cost.map(|cost| cost.to_string());
    assert_eq!(
        (
            facts.outcome,
            took.as_slice(),
            facts.waited.map(|it| it.as_secs()),
            facts.talked.as_secs(),
            cost.as_deref()
        ),
        expected
    );
    facts
}

#[test]
fn a_caller_who_was_taken_waited_until_the_agent_answered() {
    let events = [
        event(CALL, "started", 0, None, &Value::Null),
        event(CALL, "answered", 1, None, &Value::Null),
        event("leg-alice", "ringing", 5, None, &Value::Null),
        answered("alice", 12),
        talked("alice", 72, "60", "0.01200000"),
        hung_up(73),
    ];
    let expected = (Outcome::Taken, &["alice"][..], Some(12), 60, Some("0.0165"));
    let facts = check(&call(Some(73)), &events, expected);
    assert_eq!(facts.status, "completed");
    assert_eq!(facts.lasted, Some(SignedDuration::from_secs(73)));
    assert!(facts.in_time());
    let later = [answered("alice", 21)];
    assert!(!Facts::of(&call(None), &later).in_time());
}

#[test]
fn a_caller_whom_nobody_took_is_missed_unless_they_left_a_message() {
    let mut call = call(Some(30));
    let events = [hung_up(30)];
    let cost = Some("0.0045");
    check(&call, &events, (Outcome::Missed, &[], Some(30), 0, cost));
    call.voicemail = Some("r-1".parse().unwrap());
    check(&call, &events, (Outcome::Voicemail, &[], Some(30), 0, cost));
    call.ended = None;
    call.voicemail = None;
    check(&call, &[], (Outcome::Ongoing, &[], None, 0, None));
}

#[test]
fn an_agent_who_did_not_answer_took_nothing() {
    let failed = event("leg-alice", "timeout", 20, None, &Value::Null);
    let unconnected = event(
        "leg-alice",
        "completed",
        20,
        None,
        &json!({ "duration": "0" }),
    );
    let events = [failed, unconnected, answered("bob", 25)];
    check(
        &call(None),
        &events,
        (Outcome::Taken, &["bob"], Some(25), 0, None),
    );
}

#[test]
fn several_agents_who_took_a_call_are_named_in_their_order() {
    let events = [
        talked("bob", 40, "10", "0.1"),
        answered("bob", 30),
        talked("alice", 50, "45", "0.2"),
        answered("alice", 5),
    ];
    check(
        &call(Some(50)),
        &events,
        (Outcome::Taken, &["alice", "bob"], Some(5), 55, Some("0.30")),
    );
}

/// Not took: who only picked up, or was rung in vain.
fn picked_up(agent: &str, word: &str, second: i64) -> LedgerEvent {
    let leg = format!("leg-{agent}");
    let mut event = event(&leg, word, second, Some(agent), &Value::Null);
    event.took = false;
    event
}

#[test]
fn of_the_staff_of_a_hotline_those_took_a_call_who_were_let_in() {
    let helper = |agent: &str| format!("hotline/{agent}").parse().unwrap();
    let mut call = call(Some(100));
    call.joined = ["alice", "carol"].map(helper).into();
    call.given_up = ["bob", "dave"].map(helper).into();
    call.served = Some("alice".parse().unwrap());
    let pressed = |agent: &str, second: i64| {
        let leg = format!("leg-{agent}");
        event(&leg, "input", second, Some(agent), &Value::Null)
    };
    let mut over = talked("alice", 80, "70", "0.1");
    over.took = false;
    let events = [
        picked_up("alice", "answered", 10),
        pressed("alice", 14),
        over,
        // A mailbox, who pressed nothing; and somebody who pressed too late.
        picked_up("bob", "answered", 11),
        picked_up("dave", "answered", 12),
        pressed("dave", 90),
        // Let in without being asked.
        picked_up("carol", "answered", 20),
    ];
    let took = (
        Outcome::Taken,
        &["alice", "carol"][..],
        Some(14),
        66,
        Some("0.10"),
    );
    check(&call, &events, took);
}

#[test]
fn what_was_never_told_is_taken_from_what_was() {
    // No `answered`: the talk began as long before its end as it lasted.
    let events = [talked("alice", 72, "60", "0")];
    let taken = |waited, talked, cost| (Outcome::Taken, &["alice"][..], waited, talked, cost);
    check(&call(None), &events, taken(Some(12), 60, Some("0.00")));
    // No duration: from one event to the other.
    let end = event("leg-alice", "completed", 72, Some("alice"), &Value::Null);
    let events = [answered("alice", 12), end];
    check(&call(None), &events, taken(Some(12), 60, None));
    // Neither: the call's own item knows.
    let mut call = call(Some(73));
    call.served = Some("alice".parse().unwrap());
    check(&call, &[], taken(None, 0, None));
}

#[test]
fn a_clock_that_is_behind_makes_nobody_wait_for_less_than_nothing() {
    check(
        &call(None),
        &[answered("alice", -2)],
        (Outcome::Taken, &["alice"], Some(0), 0, None),
    );
}

#[test]
fn numbers_may_be_text_or_not_and_what_is_none_counts_for_nothing() {
    for (duration, price, talked, cost) in [
        (json!(60), json!(0.012), 60, Some("0.012")),
        (json!("60.4"), json!("1"), 60, Some("1.00")),
        (json!("-5"), json!("-1"), 88, None),
        (json!("1e99"), json!("1e9"), 88, None),
        (json!("NaN"), json!("=1+1"), 88, None),
        (json!(null), json!(null), 88, None),
        (json!({}), json!([]), 88, None),
    ] {
        let more = json!({ "duration": duration, "price": price });
        let end = event("leg-alice", "completed", 100, Some("alice"), &more);
        let facts = Facts::of(&call(None), &[answered("alice", 12), end]);
        let found = facts.cost.map(|cost| cost.to_string());
        assert_eq!(
            (facts.talked.as_secs(), found.as_deref()),
            (talked, cost),
            "{more}"
        );
    }
    let mut broken = answered("alice", 1);
    broken.body = "[".to_owned();
    broken.at = Some("yesterday".to_owned());
    assert_eq!(Facts::of(&call(None), &[broken]).took.len(), 1);
}

#[test]
fn prices_are_read_and_written_to_the_eighth_decimal() {
    for (text, read) in [
        ("0.00450000", Some("0.0045")),
        ("0.00000001", Some("0.00000001")),
        ("0.000000019", Some("0.00000001")),
        ("12", Some("12.00")),
        ("12.", Some("12.00")),
        ("1.5", Some("1.50")),
        (".5", None),
        ("", None),
        ("1,5", None),
        ("+1", None),
        ("1.5.5", None),
        ("99999999999999999999", None),
    ] {
        let found = Price::read(text).map(|price| price.to_string());
        assert_eq!(found.as_deref(), read, "{text:?}");
    }
}

#[test]
fn many_calls_are_summed_up() {
    let taken = |agent: &str, wait: i64| {
        let events = [answered(agent, wait), talked(agent, 100, "30", "0.5")];
        Facts::of(&call(Some(100)), &events)
    };
    let both = Facts::of(
        &call(Some(90)),
        &[answered("alice", 10), answered("bob", 20)],
    );
    let mut message = call(Some(5));
    message.voicemail = Some("r-1".parse().unwrap());
    let all = [
        taken("alice", 20),
        taken("alice", 21),
        both,
        Facts::of(&call(Some(200)), &[hung_up(200)]),
        Facts::of(&message, &[]),
        Facts::of(&call(None), &[]),
    ];
    let sum = Summary::of(&all);
    assert_eq!(
        (sum.calls, sum.taken, sum.in_time, sum.missed),
        (6, 3, 2, 1)
    );
    assert_eq!((sum.voicemails, sum.ongoing), (1, 1));
    assert_eq!(sum.mean_wait, Some(SignedDuration::from_secs(17)));
    assert_eq!(sum.longest_wait, Some(SignedDuration::from_secs(200)));
    assert_eq!(sum.talked, SignedDuration::from_secs(60));
    assert_eq!(sum.cost.unwrap().to_string(), "1.0045");
    let took: Vec<_> = sum.took.iter().map(|(a, n)| (a.as_str(), *n)).collect();
    assert_eq!(took, [("alice", 3), ("bob", 1)]);
    assert_eq!(Summary::of([]), Summary::default());
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        order in Just((0..6_usize).collect::<Vec<_>>()).prop_shuffle(),
        again in 0..6_usize,
    ) {
        let events = [
            event(CALL, "started", 0, None, &Value::Null),
            answered("alice", 12),
            talked("alice", 72, "60", "0.01200000"),
            answered("bob", 15),
            talked("bob", 70, "55", "0.01100000"),
            hung_up(73),
        ];
        let mut shuffled: Vec<_> = order.iter().map(|&at| events[at].clone()).collect();
        shuffled.push(events[again].clone());
        let call = call(Some(73));
        prop_assert_eq!(Facts::of(&call, &events), Facts::of(&call, &shuffled));
    }

    #[test]
    fn no_price_makes_it_panic(text in any::<String>()) {
        let _ = Price::read(&text);
    }
}
