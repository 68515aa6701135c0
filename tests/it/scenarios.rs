//! What callers hear: closed, put through, masked, on hold.

use crate::world::{Answered, World, action, kinds, rings};
use serde_json::{Value, json};

/// Sets the board's clock and calls the front desk.
async fn front_desk(world: &World, at: &str, leg: &str) -> Value {
    world.clock.set(at.parse().unwrap());
    world.call("447700900000", leg).await
}

#[tokio::test]
async fn opening_hours_go_by_the_clock_on_the_wall_in_their_zone() {
    let world = World::open().await;
    for (at, open, why) in [
        (
            "2026-11-23T08:59:30Z",
            false,
            "half a minute before nine on a Monday",
        ),
        ("2026-11-23T09:00:00Z", true, "nine"),
        (
            "2026-11-23T17:29:30Z",
            true,
            "half a minute before half past five",
        ),
        ("2026-11-23T17:30:00Z", false, "half past five"),
        ("2026-06-22T08:00:00Z", true, "nine in summer time"),
        (
            "2026-06-22T16:30:00Z",
            false,
            "half past five in summer time",
        ),
        ("2026-12-25T10:00:00Z", false, "a holiday, though a Friday"),
        (
            "2026-11-27T23:30:00Z",
            true,
            "the night that begins on Friday",
        ),
        ("2026-11-28T01:59:00Z", true, "its part that is Saturday"),
        ("2026-11-28T02:00:00Z", false, "its end"),
        (
            "2026-12-26T01:00:00Z",
            false,
            "the night that would have begun on the holiday",
        ),
        // 29 March 2026: 01:00 becomes 02:00. The window 01:30 to 02:30 begins at the first
        // instant that exists.
        (
            "2026-03-29T00:59:30Z",
            false,
            "before the hour that is left out",
        ),
        (
            "2026-03-29T01:00:00Z",
            true,
            "02:00 summer time, the instant after 00:59:59",
        ),
        ("2026-03-29T01:30:00Z", false, "02:30 summer time"),
        // 25 October 2026: 02:00 becomes 01:00. 01:30 comes twice, and counts once.
        ("2026-10-25T00:30:00Z", true, "the first half past one"),
        (
            "2026-10-25T02:29:00Z",
            true,
            "one minute before half past two",
        ),
        ("2026-10-25T02:30:00Z", false, "half past two"),
    ] {
        let leg = format!("leg-{}", at.replace(':', "-"));
        let ncco = front_desk(&world, at, &leg).await;
        let heard = action(&ncco, "talk")["text"].as_str().unwrap();
        assert_eq!(
            heard,
            if open {
                "Please hold."
            } else {
                "We are closed."
            },
            "{at}: {why}"
        );
    }
}

#[tokio::test]
async fn a_closed_line_says_so_in_its_language_and_hangs_up() {
    let world = World::open().await;
    let ncco = front_desk(&world, "2026-12-25T10:00:00Z", "leg-1").await;
    assert_eq!(
        ncco,
        json!([{ "action": "talk", "text": "We are closed.", "language": "en-GB" }])
    );
}

#[tokio::test]
async fn a_call_is_put_through_from_the_lines_own_number() {
    let world = World::open().await;
    let ncco = world.call("447700900003", "leg-1").await;
    assert_eq!(kinds(&ncco), ["talk", "connect", "notify", "talk"]);
    assert_eq!(ncco[0]["text"], "Putting you through.");
    let connect = action(&ncco, "connect");
    assert_eq!(
        connect["endpoint"],
        json!([{ "type": "phone", "number": "447700900011" }])
    );
    assert_eq!(connect["from"], "447700900003");
    assert_eq!(connect["timeout"], 15);
    assert_eq!(connect["eventType"], "synchronous");
}

#[tokio::test]
async fn a_masked_call_says_nothing_and_shows_neither_number_to_the_other() {
    let world = World::open().await;
    let ncco = world.call("447700900004", "leg-1").await;
    assert_eq!(kinds(&ncco)[0], "connect");
    assert_eq!(action(&ncco, "connect")["from"], "447700900004");
    assert!(!ncco.to_string().contains(crate::world::CALLER), "{ncco}");
}

#[tokio::test]
async fn when_one_does_not_answer_the_next_is_rung_and_at_last_the_caller_is_told() {
    for status in ["busy", "unanswered", "rejected", "failed", "timeout"] {
        let world = World::open().await;
        let ncco = world.call("447700900003", "leg-1").await;
        let next = world
            .connected_leg(&ncco, status, json!({ "detail": "cannot_route" }))
            .await
            .body;
        assert_eq!(rings(&next), "447700900012", "{status}");
        assert_eq!(kinds(&next)[0], "connect", "the sentence is said once");
        let last = world.connected_leg(&next, status, Value::Null).await.body;
        assert_eq!(kinds(&last), ["talk"], "{status}: {last}");
        assert_eq!(last[0]["text"], "We are closed.");
    }
}

#[tokio::test]
async fn a_lost_reply_about_a_failed_ring_is_made_good_when_the_script_comes_back() {
    let world = World::open().await;
    let ncco = world.call("447700900003", "leg-1").await;
    // The event never reached us, or its reply never reached Vonage: the script goes on.
    let next = world.notify(&ncco).await.body;
    assert_eq!(rings(&next), "447700900012");
}

#[tokio::test]
async fn a_caller_who_stays_on_after_the_talk_is_not_rung_through_again() {
    let world = World::open().await;
    let ncco = world.call("447700900003", "leg-1").await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    world
        .connected_leg(&ncco, "completed", json!({ "duration": "30" }))
        .await;
    let last = world.notify(&ncco).await.body;
    assert_eq!(kinds(&last), ["talk"]);
    assert_eq!(last[0]["text"], "Goodbye.");
}

#[tokio::test]
async fn a_number_that_is_no_line_is_told_so_aloud() {
    let world = World::open().await;
    let ncco = world.call("15550100", "leg-1").await;
    assert_eq!(kinds(&ncco), ["talk"]);
    assert_eq!(ncco[0]["text"], "This number is not in service. Goodbye.");
}

#[tokio::test]
async fn the_same_webhook_twice_gets_the_same_answer() {
    let world = World::open().await;
    for (line, leg) in [
        ("447700900002", "a"),
        ("447700900003", "b"),
        ("447700900004", "c"),
        ("15550100", "d"),
    ] {
        let first = world.call(line, leg).await;
        assert_eq!(world.call(line, leg).await, first, "{line}");
    }
    // With an agent free, too: the first answer promised the caller, the second says the same.
    world.hang_up("a").await;
    assert_eq!(world.says("bob", "free").await.body["outcome"], "free");
    let first = world.call("447700900002", "e").await;
    assert_eq!(rings(&first), "447700900012");
    assert_eq!(world.call("447700900002", "e").await, first);
}

#[tokio::test]
async fn an_answer_by_get_is_as_good_as_by_post() {
    let world = World::open().await;
    let query = "to=447700900004&from=447700900123&uuid=leg-1&conversation_uuid=CON-leg-1";
    let Answered { status, body } = world.get("/webhooks/answer", query).await;
    assert_eq!(status, 200);
    assert_eq!(rings(&body), "447700900011");
    let call = world
        .board
        .store()
        .call(&"leg-1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(call.from.as_deref(), Some(crate::world::CALLER));
}

#[tokio::test]
async fn the_fallback_speaks_whatever_it_is_sent() {
    let world = World::open().await;
    let mut body = crate::world::incoming("447700900002", "leg-1");
    body["reason"] = json!("Socket timeout.");
    body["original_request"] = json!({ "url": "https://x.example", "type": "answer" });
    let Answered { status, body } = world.post("/webhooks/fallback", &body).await;
    assert_eq!((status, kinds(&body)), (200, vec!["talk"]));
}

#[tokio::test]
async fn every_script_we_send_is_one_that_vonage_takes() {
    let world = World::open().await;
    let mut scripts = Vec::new();
    for (index, line) in ["447700900002", "447700900003", "447700900004", "15550100"]
        .iter()
        .enumerate()
    {
        scripts.push(world.call(line, &format!("leg-{index}")).await);
    }
    world.says("alice", "free").await;
    scripts.push(world.moved("leg-0").await);
    for script in scripts {
        let faults = switchboard_shared::ncco::check::check_value(&script);
        let refused: Vec<_> = faults
            .iter()
            .filter(|fault| fault.severity == switchboard_shared::ncco::check::Severity::Fault)
            .collect();
        assert!(refused.is_empty(), "{refused:?} in {script}");
    }
}
