//! Callers who wait and agents who become free.

use crate::platform::{Destination, Reply};
use crate::world::{World, action, eventually, kinds, rings};
use reqwest::Method;
use serde_json::{Value, json};
use switchboard_shared::offer::{By, Offer};
use switchboard_shared::store::Claimed;

/// The line whose queue Alice, Bob and Carol serve.
const SUPPORT: &str = "447700900002";

#[tokio::test]
async fn a_caller_on_hold_hears_a_sentence_and_music_that_comes_back_to_us() {
    let world = World::open().await;
    let ncco = world.call(SUPPORT, "leg-1").await;
    assert_eq!(
        kinds(&ncco),
        ["talk", "stream", "notify", "stream", "notify", "talk"]
    );
    assert_eq!(ncco[0]["text"], "Please hold.");
    assert_eq!(ncco[1]["streamUrl"], json!(["https://example.com/a.mp3"]));
    let again = world.notify(&ncco).await;
    assert_eq!(again.status, 200);
    assert_eq!(
        kinds(&again.body),
        ["stream", "notify", "stream", "notify", "talk"]
    );
    assert_eq!(
        again.body[0]["streamUrl"],
        json!(["https://example.com/b.mp3"]),
        "the next tune"
    );
    assert_eq!(world.waiting("support").await, ["leg-1"]);
}

#[tokio::test]
async fn an_agent_who_says_free_gets_the_waiting_caller() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    let said = world.says("alice", "free").await;
    assert_eq!(
        (said.status, &said.body["outcome"]),
        (200, &json!("transferred"))
    );
    assert_eq!(said.body["call"], "leg-1");
    let ncco = world.moved("leg-1").await;
    assert_eq!(kinds(&ncco)[..2], ["talk", "connect"]);
    assert_eq!(ncco[0]["text"], "Here we go.");
    assert_eq!(rings(&ncco), "447700900011");
    assert_eq!(action(&ncco, "connect")["from"], SUPPORT);
    assert!(world.waiting("support").await.is_empty());
    assert_eq!(world.state("alice").await, "ringing");
    world.connected_leg(&ncco, "answered", Value::Null).await;
    assert_eq!(world.state("alice").await, "talking");
    world
        .connected_leg(&ncco, "completed", json!({ "duration": "60" }))
        .await;
    assert_eq!(world.state("alice").await, "free");
}

#[tokio::test]
async fn free_after_pretends_that_an_agent_became_free() {
    let world = World::open().await;
    world.call("447700900006", "leg-1").await;
    assert_eq!(world.state("alice").await, "away");
    let transfers = world.transfers(1).await;
    assert_eq!(transfers[0].leg, "leg-1");
    assert_eq!(world.state("alice").await, "ringing");
}

#[tokio::test]
async fn the_page_shows_a_button_and_only_the_button_acts() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    let page = world
        .request(Method::GET, "/agentfree?agent=alice")
        .send()
        .await
        .unwrap();
    assert_eq!(page.status(), 200);
    assert!(
        page.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    let html = page.text().await.unwrap();
    assert!(
        html.contains("<button") && html.contains("method=\"post\""),
        "{html}"
    );
    assert_eq!(
        world.waiting("support").await,
        ["leg-1"],
        "looking does nothing"
    );

    let path = "/agentfree?agent=alice";
    let refused = world.send(world.request(Method::POST, path)).await;
    assert_eq!(
        (refused.status, &refused.body["error"]["code"]),
        (401, &json!("unauthorized"))
    );

    let token = world.board.secrets().operator_token.clone();
    let form = world
        .request(Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("accept", "text/html")
        .body(format!("token={token}"));
    let told = form.send().await.unwrap();
    assert_eq!(told.status(), 200);
    assert!(told.text().await.unwrap().contains("phone rings"));
    assert_eq!(world.transfers(1).await[0].leg, "leg-1");
}

#[tokio::test]
async fn an_agent_moved_by_url_fetches_the_script_from_us() {
    let world = World::open().await;
    world.call("447700900005", "leg-1").await;
    world.says("alice", "free").await;
    let transfers = world.transfers(1).await;
    let Destination::Url(url) = &transfers[0].to else {
        panic!("moved inline")
    };
    assert_eq!(*url, format!("{}/webhooks/ncco/leg-1", world.board.url()));
    let body = json!({ "uuid": "leg-1", "conversation_uuid": "CON-leg-1" });
    let ncco = world.post(url, &body).await.body;
    assert_eq!(rings(&ncco), "447700900011");
    let again = world.get("/webhooks/ncco/leg-1", "uuid=leg-1").await.body;
    assert_eq!(again, ncco, "by GET, and a second time");
}

#[tokio::test]
async fn two_agents_freed_at_once_and_one_caller_make_one_transfer() {
    for _ in 0..10 {
        let world = World::open().await;
        world.call(SUPPORT, "leg-1").await;
        let (alice, bob) = tokio::join!(world.says("alice", "free"), world.says("bob", "free"));
        let outcomes = [alice.body["outcome"].clone(), bob.body["outcome"].clone()];
        assert!(outcomes.contains(&json!("transferred")), "{outcomes:?}");
        assert!(outcomes.contains(&json!("free")), "{outcomes:?}");
        assert_eq!(world.platform.transfers().len(), 1);
        // The one who lost is free, and gets the next caller at once.
        let ncco = world.call(SUPPORT, "leg-2").await;
        let loser = if alice.body["outcome"] == "free" {
            "447700900011"
        } else {
            "447700900012"
        };
        assert_eq!(rings(&ncco), loser);
    }
}

#[tokio::test]
async fn ten_callers_and_three_agents_are_served_in_order_of_arrival() {
    let world = World::open().await;
    let legs: Vec<_> = (0..10).map(|n| format!("leg-{n}")).collect();
    for leg in &legs {
        world.call(SUPPORT, leg).await;
        world.later(1);
    }
    for agent in ["alice", "bob", "carol"] {
        world.says(agent, "free").await;
    }
    for served in 0..legs.len() {
        let transfers = world.transfers(served + 1).await;
        assert_eq!(transfers[served].leg, legs[served]);
        // The talk ends, and the same agent takes the next one by themselves.
        let ncco = world.moved(&legs[served]).await;
        world.connected_leg(&ncco, "answered", Value::Null).await;
        if served + 3 < legs.len() {
            world
                .connected_leg(&ncco, "completed", json!({ "duration": "9" }))
                .await;
            world.transfers(served + 4).await;
        }
    }
    let order: Vec<_> = world
        .platform
        .transfers()
        .into_iter()
        .map(|one| one.leg)
        .collect();
    assert_eq!(order, legs);
}

#[tokio::test]
async fn an_agent_who_is_free_gets_the_next_caller_straight_from_the_answer() {
    let world = World::open().await;
    let said = world.says("bob", "free").await;
    assert_eq!(said.body["outcome"], "free");
    let ncco = world.call(SUPPORT, "leg-1").await;
    assert_eq!(kinds(&ncco)[0], "connect");
    assert_eq!(rings(&ncco), "447700900012");
    assert!(world.platform.transfers().is_empty(), "nothing to move");
    assert_eq!(world.state("bob").await, "ringing");
}

#[tokio::test]
async fn the_agent_who_is_free_longest_is_rung_first() {
    let world = World::open().await;
    for agent in ["carol", "alice", "bob"] {
        world.says(agent, "free").await;
        world.later(1);
    }
    for (leg, number) in [
        ("a", "447700900013"),
        ("b", "447700900011"),
        ("c", "447700900012"),
    ] {
        assert_eq!(rings(&world.call(SUPPORT, leg).await), number);
    }
    assert_eq!(
        kinds(&world.call(SUPPORT, "d").await)[0],
        "talk",
        "nobody is left"
    );
}

#[tokio::test]
async fn an_agent_who_does_not_answer_loses_the_caller_no_place() {
    for status in ["busy", "unanswered", "rejected", "failed", "timeout"] {
        let world = World::open().await;
        world.call(SUPPORT, "first").await;
        world.later(1);
        world.call(SUPPORT, "second").await;
        world.says("alice", "free").await;
        let ncco = world.moved("first").await;
        let held = world.connected_leg(&ncco, status, Value::Null).await;
        assert_eq!(held.status, 200);
        assert_eq!(
            kinds(&held.body)[0],
            "stream",
            "{status}: music, without the sentence again"
        );
        assert_eq!(
            world.waiting("support").await,
            ["first", "second"],
            "{status}"
        );
        assert_eq!(world.state("alice").await, "resting", "{status}");
        // Then the leg is over, as every leg is: nothing changes by it.
        world.connected_leg(&ncco, "completed", Value::Null).await;
        assert_eq!(
            world.waiting("support").await,
            ["first", "second"],
            "{status}"
        );
        assert_eq!(world.state("alice").await, "resting", "{status}");
        world.says("bob", "free").await;
        assert_eq!(world.transfers(2).await[1].leg, "first", "{status}");
        world.later(31);
        assert_eq!(world.state("alice").await, "free", "{status}");
    }
}

#[tokio::test]
async fn a_failed_connect_goes_straight_to_another_agent_who_is_free() {
    let world = World::open().await;
    world.says("alice", "free").await;
    let ncco = world.call(SUPPORT, "leg-1").await;
    assert_eq!(rings(&ncco), "447700900011");
    world.says("bob", "free").await;
    let next = world.connected_leg(&ncco, "busy", Value::Null).await.body;
    assert_eq!(rings(&next), "447700900012");
}

#[tokio::test]
async fn failure_and_completion_of_a_leg_may_come_in_either_order_and_twice() {
    for order in [
        ["completed", "timeout", "completed", "timeout"],
        ["timeout", "completed", "timeout", "completed"],
    ] {
        let world = World::open().await;
        world.call(SUPPORT, "leg-1").await;
        world.says("alice", "free").await;
        let ncco = world.moved("leg-1").await;
        for status in order {
            let answered = world.connected_leg(&ncco, status, Value::Null).await;
            assert_eq!(answered.status, 200);
        }
        assert_eq!(world.waiting("support").await, ["leg-1"], "{order:?}");
        assert_eq!(world.state("alice").await, "resting", "{order:?}");
    }
}

#[tokio::test]
async fn completion_of_a_leg_that_never_connected_takes_nobody_from_their_talk() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    let nothing = json!({ "start_time": null });
    world.connected_leg(&ncco, "completed", nothing).await;
    assert!(world.waiting("support").await.is_empty());
    assert_eq!(world.state("alice").await, "ringing");
    // Were the word of the failure lost, the caller's own script would come back to us.
    world.notify(&ncco).await;
    assert_eq!(world.waiting("support").await, ["leg-1"]);
    assert_eq!(world.state("alice").await, "resting");
}

#[tokio::test]
async fn completion_of_a_talk_may_come_before_its_beginning() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    world
        .connected_leg(&ncco, "completed", json!({ "duration": "5" }))
        .await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    assert_eq!(world.state("alice").await, "free");
    assert!(world.waiting("support").await.is_empty());
    let last = world.notify(&ncco).await.body;
    assert_eq!(last[0]["text"], "Goodbye.");
}

#[tokio::test]
async fn a_caller_who_hung_up_is_never_moved() {
    let world = World::open().await;
    world.call(SUPPORT, "gone").await;
    world.later(1);
    world.call(SUPPORT, "here").await;
    assert_eq!(world.hang_up("gone").await.status, 200);
    let said = world.says("alice", "free").await;
    assert_eq!(said.body["call"], "here");
    eventually(|| async { world.waiting("support").await.is_empty().then_some(()) }).await;
    assert_eq!(world.platform.transfers().len(), 1);
}

#[tokio::test]
async fn a_caller_whom_vonage_no_longer_knows_makes_room_for_the_next() {
    let world = World::open().await;
    world.call(SUPPORT, "gone").await;
    world.later(1);
    world.call(SUPPORT, "here").await;
    world.platform.end("gone");
    let said = world.says("alice", "free").await;
    assert_eq!(
        (&said.body["outcome"], &said.body["call"]),
        (&json!("transferred"), &json!("here"))
    );
    assert!(world.waiting("support").await.is_empty());
    assert_eq!(world.state("alice").await, "ringing");
}

#[tokio::test]
async fn a_caller_who_hangs_up_while_the_phone_rings_frees_the_agent_at_once() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    world.hang_up("leg-1").await;
    world.connected_leg(&ncco, "cancelled", Value::Null).await;
    eventually(|| async { (world.state("alice").await == "free").then_some(()) }).await;
    assert!(world.waiting("support").await.is_empty());
    assert_eq!(rings(&world.call(SUPPORT, "leg-2").await), "447700900011");
}

#[tokio::test]
async fn vonage_saying_no_to_a_transfer_costs_nobody_their_place() {
    for status in [400, 401, 500, 503] {
        let world = World::open().await;
        world.call(SUPPORT, "first").await;
        world.later(10);
        world.call(SUPPORT, "second").await;
        let reply = Reply {
            status,
            times: 100,
            ..Reply::default()
        };
        world.platform.fail("/v1/calls", "PUT", reply);
        let said = world.says("alice", "free").await;
        assert_eq!(
            (said.status, &said.body["error"]["code"]),
            (502, &json!("vonage")),
            "{status}"
        );
        assert_eq!(
            world.waiting("support").await,
            ["first", "second"],
            "{status}"
        );
        assert_eq!(world.state("alice").await, "free", "{status}");
        // The caller's music comes back, finds the agent free, and no transfer is needed.
        let ncco = world.call(SUPPORT, "first").await;
        assert_eq!(rings(&ncco), "447700900011", "{status}");
    }
}

#[tokio::test]
async fn a_transfer_without_any_answer_is_settled_by_what_the_caller_hears() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    world.platform.drop_connection("/v1/calls", "PUT", 100);
    let said = world.says("alice", "free").await;
    assert_eq!(said.status, 502);
    // It may have been done: nobody else is given this caller now.
    assert_eq!(world.says("bob", "free").await.body["outcome"], "free");
    let kept = world.notify(&hold).await;
    assert_eq!(kept.body, json!([]), "what plays goes on");
    // It was not done: the music still plays when the promise has run out.
    world.later(60);
    let ncco = world.notify(&hold).await.body;
    assert!(
        ["447700900011", "447700900012"].contains(&rings(&ncco)),
        "{ncco}"
    );
}

#[tokio::test]
async fn the_longest_wait_ends_in_the_next_flow() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    world.later(599);
    assert_eq!(kinds(&world.notify(&hold).await.body)[0], "stream");
    world.later(2);
    let left = world.notify(&hold).await;
    assert_eq!(left.body[0]["text"], "We are closed.");
    assert!(world.waiting("support").await.is_empty());
    assert_eq!(
        world.notify(&hold).await.body,
        left.body,
        "the same when asked again"
    );
    assert_eq!(world.says("alice", "free").await.body["outcome"], "free");
    assert!(world.platform.transfers().is_empty());
}

#[tokio::test]
async fn a_wait_that_ends_while_a_phone_rings_lets_the_phone_decide() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    world.later(599);
    world.says("alice", "free").await;
    world.later(2);
    assert_eq!(
        world.notify(&hold).await.body,
        json!([]),
        "nobody is thrown out of the transfer"
    );
    let ncco = world.moved("leg-1").await;
    let after = world
        .connected_leg(&ncco, "timeout", Value::Null)
        .await
        .body;
    assert_eq!(
        after[0]["text"], "We are closed.",
        "and then the wait is over"
    );
}

#[tokio::test]
async fn an_agent_who_is_away_gets_nobody() {
    let world = World::open().await;
    world.says("alice", "free").await;
    let said = world.says("alice", "away").await;
    assert_eq!((said.status, &said.body["outcome"]), (200, &json!("away")));
    assert_eq!(kinds(&world.call(SUPPORT, "leg-1").await)[0], "talk");
    assert!(world.platform.transfers().is_empty());
}

#[tokio::test]
async fn an_agent_who_goes_away_while_talking_gets_nobody_afterwards() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    world.call(SUPPORT, "leg-2").await;
    world.says("alice", "away").await;
    world
        .connected_leg(&ncco, "completed", json!({ "duration": "5" }))
        .await;
    assert_eq!(world.state("alice").await, "away");
    assert_eq!(world.waiting("support").await, ["leg-2"]);
}

#[tokio::test]
async fn saying_free_while_the_phone_rings_brings_no_second_caller() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.call(SUPPORT, "leg-2").await;
    world.says("alice", "free").await;
    let said = world.says("alice", "free").await;
    assert_eq!(
        (&said.body["outcome"], &said.body["state"]),
        (&json!("engaged"), &json!("ringing"))
    );
    assert_eq!(world.platform.transfers().len(), 1);
}

#[tokio::test]
async fn saying_free_after_a_talk_whose_end_was_never_reported_asks_vonage() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    world.call(SUPPORT, "leg-2").await;
    assert_eq!(
        world.says("alice", "free").await.body["outcome"],
        "engaged",
        "the talk goes on"
    );
    world.platform.end("agent-leg-447700900011");
    let said = world.says("alice", "free").await;
    assert_eq!(
        (&said.body["outcome"], &said.body["call"]),
        (&json!("transferred"), &json!("leg-2"))
    );
}

#[tokio::test]
async fn after_the_rest_the_agent_is_given_the_next_caller_unasked() {
    let plan = crate::world::PLAN.replace("cool-down = \"30s\"", "cool-down = \"1s\"");
    let world = World::with_plan(&plan).await;
    world.says("alice", "free").await;
    let ncco = world.call(SUPPORT, "leg-1").await;
    world.connected_leg(&ncco, "busy", Value::Null).await;
    let moved = world.transfers(1).await;
    assert_eq!(moved[0].leg, "leg-1");
}

#[tokio::test]
async fn who_may_say_free() {
    let world = World::open().await;
    for (path, token) in [
        ("/agents/alice/free", None),
        ("/agents/alice/free", Some("wrong")),
        ("/agents/alice/away", Some("")),
        ("/agents/nobody/free", None),
        ("/agents/a%23b/free", None),
    ] {
        let mut request = world.request(Method::POST, path);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let refused = world.send(request).await;
        assert_eq!(refused.status, 401, "{path} with {token:?}");
    }
    assert_eq!(world.says("nobody", "free").await.status, 404);
    let read = world
        .send(world.request(Method::GET, "/agents/alice/free"))
        .await;
    assert_eq!(
        (read.status, &read.body["error"]["code"]),
        (405, &json!("method"))
    );
}

#[tokio::test]
async fn a_promise_nobody_came_back_for_runs_out() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    // A handler that claims and never comes back.
    let store = world.board.store();
    store
        .free(&"alice".parse().unwrap(), world.clock.now())
        .await
        .unwrap();
    let call = store
        .call(&"leg-1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    let plan = switchboard_shared::plan::Plan::parse(crate::world::PLAN)
        .plan
        .unwrap();
    let (_, queue) = plan.queue(&"support".parse().unwrap()).unwrap();
    let offer = Offer::new(
        &"alice".parse().unwrap(),
        queue,
        By::Transfer,
        world.clock.now(),
    );
    let place = call.place.clone().unwrap();
    let claimed = store
        .claim(&call.leg, &place, &offer, world.clock.now())
        .await
        .unwrap();
    assert_eq!(claimed, Claimed::Yes);
    assert!(world.waiting("support").await.is_empty());
    world.later(120);
    let ncco = world.notify(&hold).await.body;
    assert_eq!(
        rings(&ncco),
        "447700900011",
        "the agent is free again, and the caller theirs"
    );
}

/// What else there is in a script: its n-th `notify`, as a script of its own.
fn nth_notify(ncco: &Value, n: usize) -> Value {
    let all = ncco
        .as_array()
        .unwrap()
        .iter()
        .filter(|action| action["action"] == "notify");
    json!([all.clone().nth(n).unwrap()])
}

/// Runs the sweep, as the schedule does, and waits until it is over.
async fn sweep(world: &World) {
    let url = world
        .board
        .environment()
        .get("SWITCHBOARD_DISPATCH_QUEUE_URL")
        .unwrap();
    let send = world
        .board
        .sqs()
        .send_message()
        .queue_url(&url)
        .message_body(r#"{"job":"sweep"}"#);
    send.send().await.unwrap();
    eventually(|| async {
        use aws_sdk_sqs::types::QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as InWork,
        };
        let asked = world.board.sqs().get_queue_attributes().queue_url(&url);
        let asked = asked
            .attribute_names(Visible)
            .attribute_names(InWork)
            .send()
            .await
            .unwrap();
        let left = asked.attributes.unwrap();
        (left[&Visible] == "0" && left[&InWork] == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_that_brought_the_caller_to_an_agent_is_given_once_more() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    // Free, but told nobody: the caller's own music finds her.
    let store = world.board.store();
    store
        .free(&"alice".parse().unwrap(), world.clock.now())
        .await
        .unwrap();
    let first = world.notify(&hold).await.body;
    assert_eq!(rings(&first), "447700900011");
    // Vonage did not get that, and asks again; then its script goes on to the second `notify`.
    assert_eq!(world.notify(&hold).await.body, first);
    assert_eq!(world.notify(&nth_notify(&hold, 1)).await.body, first);
}

#[tokio::test]
async fn a_caller_promised_over_rest_is_never_left_with_an_empty_script() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    world.platform.drop_connection("/v1/calls", "PUT", 100);
    world.says("alice", "free").await;
    assert_eq!(
        world.notify(&hold).await.body,
        json!([]),
        "another tune follows"
    );
    let last = world.notify(&nth_notify(&hold, 1)).await.body;
    assert_eq!(
        kinds(&last)[..2],
        ["stream", "notify"],
        "nothing follows: the music goes on"
    );
}

#[tokio::test]
async fn a_caller_of_whom_vonage_denies_everything_is_found_by_their_music() {
    let world = World::open().await;
    let hold = world.call(SUPPORT, "leg-1").await;
    world.later(1);
    world.call(SUPPORT, "leg-2").await;
    let gone = Reply {
        status: 404,
        times: 1,
        ..Reply::default()
    };
    world.platform.fail("/v1/calls/leg-1", "PUT", gone);
    assert_eq!(world.says("alice", "free").await.body["call"], "leg-2");
    assert!(world.waiting("support").await.is_empty());
    let music = world.notify(&hold).await.body;
    assert_eq!(kinds(&music)[0], "stream");
    assert_eq!(
        world.waiting("support").await,
        ["leg-1"],
        "at the old place"
    );
    assert_eq!(world.says("bob", "free").await.body["call"], "leg-1");
}

#[tokio::test]
async fn nobody_overtakes_those_who_wait_longer() {
    let world = World::open().await;
    world.call(SUPPORT, "first").await;
    world.later(1);
    let store = world.board.store();
    store
        .free(&"alice".parse().unwrap(), world.clock.now())
        .await
        .unwrap();
    // Alice is free and has not looked yet; she is the first caller's.
    let second = world.call(SUPPORT, "second").await;
    assert_eq!(kinds(&second)[0], "talk");
    assert_eq!(world.transfers(1).await[0].leg, "first");
    assert_eq!(world.waiting("support").await, ["second"]);
}

#[tokio::test]
async fn the_fallback_asks_again_about_a_caller_on_hold_and_gives_up_in_the_end() {
    let world = World::open().await;
    let mut ncco = world.call(SUPPORT, "leg-1").await;
    for _ in 0..switchboard_shared::cue::AGAIN_MAX {
        let failed = json!({
            "payload": action(&ncco, "notify")["payload"],
            "conversation_uuid": "CON-leg-1",
            "reason": "Socket timeout.",
            "original_request": { "url": action(&ncco, "notify")["eventUrl"][0], "type": "event" },
        });
        ncco = world.post("/webhooks/fallback", &failed).await.body;
        assert_eq!(kinds(&ncco), ["talk", "wait", "notify", "talk"]);
    }
    let back = world.notify(&ncco).await.body;
    assert_eq!(
        kinds(&back)[0],
        "stream",
        "we are back, and the caller holds"
    );
    let failed = json!({
        "payload": action(&ncco, "notify")["payload"],
        "conversation_uuid": "CON-leg-1",
        "reason": "Socket timeout.",
    });
    let end = world.post("/webhooks/fallback", &failed).await.body;
    assert_eq!(kinds(&end), ["talk"]);
}

#[tokio::test]
async fn the_fallback_knows_a_failed_connect_by_its_event_url() {
    let world = World::open().await;
    let ncco = world.call("447700900003", "leg-1").await;
    let failed = json!({
        "uuid": "agent-leg", "conversation_uuid": "CON-leg-1", "status": "busy",
        "reason": "Connection reset.",
        "original_request": { "url": action(&ncco, "connect")["eventUrl"][0], "type": "event" },
    });
    let again = world.post("/webhooks/fallback", &failed).await.body;
    let next = world.notify(&again).await.body;
    assert_eq!(rings(&next), "447700900012", "the next agent of the line");
}

#[tokio::test]
async fn an_answer_told_after_the_end_of_a_ringing_lines_talk_begins_nothing() {
    let world = World::open().await;
    let ncco = world.call("447700900003", "leg-1").await;
    world.says("alice", "free").await;
    let lasted = json!({ "duration": "5" });
    world.connected_leg(&ncco, "completed", lasted).await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    assert_eq!(world.state("alice").await, "free");
    let goodbye = world.notify(&ncco).await.body;
    assert_eq!(goodbye[0]["text"], "Goodbye.");
}

#[tokio::test]
async fn the_word_that_they_talked_ends_the_wait_of_a_caller_who_was_put_back() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    // The talk is over, and nothing of it is known: the caller waits again.
    world.notify(&ncco).await;
    assert_eq!(world.waiting("support").await, ["leg-1"]);
    world.connected_leg(&ncco, "answered", Value::Null).await;
    assert!(world.waiting("support").await.is_empty());
    let goodbye = world.notify(&ncco).await.body;
    assert_eq!(goodbye[0]["text"], "Goodbye.");
}

#[tokio::test]
async fn whoever_talks_on_another_line_is_not_rung_for_the_queue() {
    let world = World::open().await;
    world.says("alice", "free").await;
    let direct = world.call("447700900003", "direct").await;
    world.connected_leg(&direct, "answered", Value::Null).await;
    assert_eq!(world.state("alice").await, "talking");
    assert_eq!(
        kinds(&world.call(SUPPORT, "leg-1").await)[0],
        "talk",
        "held"
    );
    world
        .connected_leg(&direct, "completed", json!({ "duration": "9" }))
        .await;
    assert_eq!(world.transfers(1).await[0].leg, "leg-1", "and then hers");
}

#[tokio::test]
async fn a_talk_whose_beginning_was_never_reported_is_not_torn_apart() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    // `answered` never comes. The promise runs out while they talk.
    world.later(300);
    sweep(&world).await;
    world.says("bob", "free").await;
    assert_eq!(
        world.platform.transfers().len(),
        1,
        "nobody takes the caller out of the talk"
    );
    let last = world.notify(&ncco).await.body;
    assert_eq!(
        last[0]["text"], "Goodbye.",
        "the connect is over, long after any ringing"
    );
}

#[tokio::test]
async fn a_tune_longer_than_the_longest_wait_is_cut_short_by_the_sweep() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.later(599);
    sweep(&world).await;
    assert_eq!(world.waiting("support").await, ["leg-1"]);
    world.later(90);
    sweep(&world).await;
    let ncco = world.moved("leg-1").await;
    assert_eq!(ncco[0]["text"], "We are closed.");
    assert!(world.waiting("support").await.is_empty());
}

#[tokio::test]
async fn the_sweep_forgets_callers_whose_end_was_never_reported() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.platform.end("leg-1");
    world.later(700);
    sweep(&world).await;
    assert!(world.waiting("support").await.is_empty());
    let call = world
        .board
        .store()
        .call(&"leg-1".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert!(call.ended.is_some());
}

#[tokio::test]
async fn a_leg_vonage_refuses_to_move_does_not_block_those_behind_it() {
    let world = World::open().await;
    world.call(SUPPORT, "first").await;
    world.later(10);
    world.call(SUPPORT, "second").await;
    let odd = Reply {
        status: 400,
        times: 100,
        ..Reply::default()
    };
    world.platform.fail("/v1/calls/first", "PUT", odd);
    assert_eq!(world.says("alice", "free").await.body["call"], "second");
    assert_eq!(world.waiting("support").await, ["first"]);
}

#[tokio::test]
async fn an_agent_added_to_the_plan_serves_those_who_wait_already() {
    let without = crate::world::PLAN.replace("[\"alice\", \"bob\", \"carol\"]", "[\"alice\"]");
    let world = World::with_plan(&without).await;
    world.call(SUPPORT, "leg-1").await;
    world.change_plan(crate::world::PLAN);
    let said = world.says("carol", "free").await;
    assert_eq!(
        (said.status, &said.body["call"]),
        (200, &json!("leg-1")),
        "{:?}",
        said.body
    );
    assert_eq!(rings(&world.moved("leg-1").await), "447700900013");
}

#[tokio::test]
async fn the_plan_is_edited_while_calls_are_live_and_each_keeps_the_one_it_began_with() {
    let world = World::open().await;
    let before = world.call(SUPPORT, "leg-1").await;
    let edited = crate::world::PLAN
        .replace("Please hold.", "Hang on.")
        .replace("/a.mp3", "/c.mp3")
        .replace("/b.mp3", "/d.mp3");
    world.change_plan(&edited);
    let after = world.call(SUPPORT, "leg-2").await;
    assert_eq!(after[0]["text"], "Hang on.");
    let tune = |ncco: &Value| ncco[0]["streamUrl"][0].as_str().unwrap().to_owned();
    let round = world.notify(&before).await;
    assert_eq!(tune(&round.body), "https://example.com/b.mp3");
    let round = world.notify(&after).await;
    assert_eq!(tune(&round.body), "https://example.com/d.mp3");
}

#[tokio::test]
async fn the_word_that_they_talked_is_kept_though_the_caller_is_gone_already() {
    let world = World::open().await;
    world.call(SUPPORT, "leg-1").await;
    world.says("alice", "free").await;
    let ncco = world.moved("leg-1").await;
    world.notify(&ncco).await;
    world.platform.end("leg-1");
    world.hang_up("leg-1").await;
    eventually(|| async { world.waiting("support").await.is_empty().then_some(()) }).await;
    world.connected_leg(&ncco, "answered", Value::Null).await;
    let call = world.board.store().call(&"leg-1".parse().unwrap()).await;
    let served = call.unwrap().unwrap().served.unwrap();
    assert_eq!(served.as_str(), "alice");
}
