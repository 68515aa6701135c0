//! Hotlines through the whole board: who is rung, who comes in, and what people are told of it. The
//! stories in `scenarios/` tell the rest.

use crate::world::{World, action, eventually, kinds, now, rings};
use serde_json::{Value, json};
use switchboard_shared::call::Call;
use switchboard_shared::store::Listing;

const HOTLINE: &str = "447700900010";
const NIGHT: &str = "447700900011";

const PLAN: &str = r#"
[[line]]
number = "447700900010"
name = "Conduct"
flow = "hotline"
caller = "mask"

[[line]]
number = "447700900011"
name = "Night"
flow = "night"

[[agent]]
name = "alice"
phone = "447700900021"

[[agent]]
name = "bob"
phone = "447700900022"

[[agent]]
name = "carol"
phone = "447700900023"
on-duty = ["Mon 03:00-03:01"]
timezone = "UTC"

[flow.hotline]
type = "hotline"
music = ["https://example.com/a.mp3", "https://example.com/b.mp3", "https://example.com/c.mp3"]
staff = ["alice", "bob"]
max-wait = "2m"
otherwise = "nobody"

[flow.night]
type = "hotline"
music = "https://example.com/a.mp3"
staff = ["carol"]
max-wait = "2m"
otherwise = "nobody"

[flow.nobody]
type = "message"
say = "Nobody is here."

[[notify]]
name = "team"
webhook = "https://hooks.example/team"
events = ["staff-failing", "nobody-on-duty", "answered"]
"#;

async fn call(world: &World, leg: &str) -> Call {
    let call = world.board.store().call(&leg.parse().unwrap()).await;
    call.unwrap().unwrap()
}

/// A word about the phone of one of the staff.
async fn staff(world: &World, caller: &str, agent: &str, status: &str) {
    let body = json!({
        "uuid": format!("{caller}-{agent}"),
        "conversation_uuid": format!("CON-{caller}"),
        "direction": "outbound",
        "status": status,
        "timestamp": now(),
    });
    let url = format!("/webhooks/event?call={caller}&flow=hotline&staff={agent}");
    assert_eq!(world.post(&url, &body).await.status, 200);
}

/// One of the staff presses a key.
async fn presses(world: &World, caller: &str, agent: &str, keys: &str) -> Value {
    let body = json!({
        "uuid": format!("{caller}-{agent}"),
        "conversation_uuid": format!("CON-{caller}"),
        "dtmf": { "digits": keys, "timed_out": keys.is_empty() },
        "timestamp": now(),
    });
    let url = format!("/webhooks/event?call={caller}&flow=hotline&staff={agent}&asked=1");
    let answered = world.post(&url, &body).await;
    assert_eq!(answered.status, 200);
    answered.body
}

/// What is to be told, by its ids.
async fn news(world: &World) -> Vec<String> {
    let store = world.board.store();
    let mut ids: Vec<String> = Vec::new();
    for listing in [Listing::Untold, Listing::GivenUp] {
        let found = store.notifications_in(listing).await.unwrap();
        ids.extend(found.iter().map(|one| one.id.to_string()));
    }
    ids.sort();
    ids
}

#[tokio::test]
async fn the_music_is_drawn_for_each_call_and_is_the_same_when_vonage_asks_again() {
    let world = World::with_plan(PLAN).await;
    let mut tunes = std::collections::BTreeSet::new();
    for caller in 0..24 {
        let leg = format!("leg-{caller}");
        let first = world.call(HOTLINE, &leg).await;
        assert_eq!(kinds(&first), ["talk", "conversation"]);
        let room = action(&first, "conversation");
        assert_eq!(room["endOnExit"], true);
        assert_eq!(room["startOnEnter"], false);
        assert_eq!(world.call(HOTLINE, &leg).await, first);
        tunes.insert(room["musicOnHoldUrl"][0].as_str().unwrap().to_owned());
    }
    assert_eq!(tunes.len(), 3, "{tunes:?}");
}

#[tokio::test]
async fn the_first_key_has_the_caller_and_the_same_key_told_again_gets_the_same_room() {
    let world = World::with_plan(PLAN).await;
    world.call(HOTLINE, "leg-1").await;
    let room = presses(&world, "leg-1", "alice", "1").await;
    assert_eq!(kinds(&room), ["conversation"]);
    assert_eq!(presses(&world, "leg-1", "alice", "1").await, room);
    let with = call(&world, "leg-1").await;
    assert_eq!(with.served.as_ref().unwrap().as_str(), "alice");
    assert!(with.place.is_none());
    assert!(world.waiting("hotline").await.is_empty());
    // A second helper comes in beside the first, and the room is the same.
    assert_eq!(presses(&world, "leg-1", "bob", "1").await, room);
    assert_eq!(call(&world, "leg-1").await.helpers.len(), 2);
    // One leaves and the other stays, in whatever order their words come.
    staff(&world, "leg-1", "alice", "completed").await;
    staff(&world, "leg-1", "alice", "answered").await;
    let left = call(&world, "leg-1").await;
    let here: Vec<_> = left.helpers.iter().map(ToString::to_string).collect();
    assert_eq!(here, ["hotline/bob"]);
    assert_eq!(left.joined.len(), 2);
}

#[tokio::test]
async fn whoever_is_done_with_comes_in_no_more_though_their_key_is_told_late() {
    let world = World::with_plan(PLAN).await;
    world.call(HOTLINE, "leg-1").await;
    staff(&world, "leg-1", "alice", "completed").await;
    presses(&world, "leg-1", "alice", "1").await;
    let still = call(&world, "leg-1").await;
    assert!(still.helpers.is_empty() && still.served.is_none());
    assert_eq!(world.waiting("hotline").await, ["leg-1"]);
}

#[tokio::test]
async fn a_wrong_key_is_asked_for_once_more_and_then_given_up() {
    let world = World::with_plan(PLAN).await;
    world.call(HOTLINE, "leg-1").await;
    let again = presses(&world, "leg-1", "bob", "7").await;
    assert_eq!(kinds(&again), ["talk", "input", "notify", "talk"]);
    let url = action(&again, "input")["eventUrl"][0].as_str().unwrap();
    assert!(url.ends_with("staff=bob&asked=2"), "{url}");
    let body = json!({
        "uuid": "leg-1-bob", "conversation_uuid": "CON-1", "timestamp": now(),
        "dtmf": { "digits": "", "timed_out": true },
    });
    let over = world.post(url, &body).await.body;
    assert_eq!(kinds(&over), ["talk"]);
    let passed = presses(&world, "leg-1", "bob", "2").await;
    assert_eq!(kinds(&passed), ["talk"]);
}

#[tokio::test]
async fn who_picks_up_hears_as_much_of_the_caller_as_the_line_shows() {
    let world = World::with_plan(PLAN).await;
    world.call(HOTLINE, "leg-1").await;
    let url = "/webhooks/answer/agent/CON-leg-1/leg-1?call=leg-1&flow=hotline&staff=alice";
    let picked_up =
        json!({ "uuid": "leg-1-alice", "conversation_uuid": "CON-x", "to": "447700900021" });
    let asked = world.post(url, &picked_up).await.body;
    let text = asked[0]["text"].as_str().unwrap();
    assert!(text.starts_with("Conduct. Hello Alice."), "{text}");
    assert!(text.contains("a number that ends in"), "{text}");
    assert_eq!(asked[0]["bargeIn"], true);
    world.hang_up("leg-1").await;
    let late = world.post(url, &picked_up).await.body;
    assert_eq!(late[0]["text"], "The caller has hung up. Thank you.");
}

#[tokio::test]
async fn nobody_on_duty_is_known_at_once_and_told_once() {
    let world = World::with_plan(PLAN).await;
    for _ in 0..2 {
        let heard = world.call(NIGHT, "leg-1").await;
        assert_eq!(heard[0]["text"], "Nobody is here.");
    }
    eventually(|| async {
        (news(&world).await == ["nobody-on-duty:leg-1:night:team"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_number_that_fails_is_told_of_after_three_failures_and_not_before() {
    let world = World::with_plan(PLAN).await;
    let told = async || {
        world.board.idle().await;
        let mut news = news(&world).await;
        news.retain(|id| id.starts_with("staff-failing"));
        news
    };
    for (caller, expected) in [("leg-1", 0), ("leg-2", 0), ("leg-3", 1), ("leg-4", 1)] {
        world.call(HOTLINE, caller).await;
        let failed = json!({
            "uuid": format!("{caller}-bob"), "direction": "outbound", "status": "failed",
            "timestamp": now(),
        });
        let url = format!("/webhooks/event?call={caller}&flow=hotline&staff=bob");
        // Vonage says it twice, and what follows.
        for _ in 0..2 {
            assert_eq!(world.post(&url, &failed).await.status, 200);
        }
        staff(&world, caller, "bob", "completed").await;
        assert_eq!(told().await.len(), expected, "{caller}");
    }
    assert_eq!(told().await, ["staff-failing:leg-3:bob:team"]);
}

#[tokio::test]
async fn a_call_that_is_told_of_twice_takes_one_turn_and_the_next_caller_the_next() {
    let world = World::with_plan(
        r#"
[[line]]
number = "447700900010"
name = "Shop"
flow = "shop"

[[line]]
number = "447700900011"
name = "Menu"
flow = "menu"

[[agent]]
name = "alice"
phone = "447700900021"

[[agent]]
name = "bob"
phone = "447700900022"

[flow.shop]
type = "ring"
strategy = "round-robin"
agents = ["alice", "bob"]
otherwise = "nobody"

[flow.menu]
type = "menu"
say = "Press 1."
keys = { 1 = "shop" }
otherwise = "nobody"

[flow.nobody]
type = "message"
say = "Nobody is here."
"#,
    )
    .await;
    let shop = "447700900010";
    for (leg, number) in [
        ("leg-1", "447700900021"),
        ("leg-1", "447700900021"),
        ("leg-2", "447700900022"),
        ("leg-2", "447700900022"),
        ("leg-1", "447700900021"),
    ] {
        assert_eq!(rings(&world.call(shop, leg).await), number, "{leg}");
    }
    // And where the turn is taken by an event.
    let menu = world.call("447700900011", "leg-3").await;
    let url = action(&menu, "input")["eventUrl"][0].as_str().unwrap();
    let pressed = json!({
        "uuid": "leg-3", "conversation_uuid": "CON-leg-3", "timestamp": now(),
        "dtmf": { "digits": "1", "timed_out": false },
    });
    for _ in 0..2 {
        assert_eq!(rings(&world.post(url, &pressed).await.body), "447700900021");
    }
    assert_eq!(rings(&world.call(shop, "leg-4").await), "447700900022");
}
