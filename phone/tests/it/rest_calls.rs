//! Calls over REST: made, found, changed, refused.

use crate::shape::check;
use crate::stage::{AGENT, CALLER, LINE, REGION, Stage, seconds, talk, url, wait};
use serde_json::{Value, json};
use std::time::Duration;
use switchboard_phone::{EARLY, LEGS_PER_SECOND, Manner, REQUESTS_PER_SECOND};

fn create() -> Value {
    json!({
        "to": [{ "type": "phone", "number": AGENT }],
        "from": { "type": "phone", "number": LINE },
        "ncco": [talk("Hello"), wait(600)],
    })
}

#[test]
fn a_call_that_is_made_is_told_and_rings_for_sixty_seconds() {
    let mut stage = Stage::new();
    let (status, made) = stage.rest("POST", "/v1/calls", create());
    assert_eq!(status, 201);
    let shape = json!({
        "uuid": "text", "status": "started", "direction": "outbound",
        "conversation_uuid": "conversation",
    });
    check("created", &made, shape);
    stage.settle();
    let leg = stage.leg_to(AGENT);
    assert_eq!(
        stage.statuses(&leg),
        ["started", "ringing", "timeout", "completed"]
    );
    assert_eq!(stage.status(&leg, "timeout").at, 60_000);
}

#[test]
fn timers_end_the_ringing_and_the_call() {
    let mut stage = Stage::new();
    stage.platform.set_manners(
        AGENT,
        vec![Manner::Silent, Manner::answers(seconds(1.0), None)],
    );
    let mut body = create();
    body["ringing_timer"] = json!(5);
    body["length_timer"] = json!(20);
    stage.rest("POST", "/v1/calls", body.clone());
    stage.run(6.0);
    let leg = stage.leg_to(AGENT);
    assert_eq!(stage.status(&leg, "timeout").at, 5000);
    stage.rest("POST", "/v1/calls", body);
    stage.settle();
    let leg = stage.leg_to(AGENT);
    assert_eq!(
        stage.over_at(&leg) - stage.status(&leg, "answered").at,
        20_000
    );
}

#[test]
fn its_events_go_where_it_says() {
    let mut stage = Stage::new();
    let mut body = create();
    body["event_url"] = json!([url("/mine")]);
    body["event_method"] = json!("GET");
    stage.rest("POST", "/v1/calls", body);
    stage.run(70.0);
    assert_eq!(stage.at("/mine").len(), 4);
    assert!(stage.at("/event").is_empty());
}

#[test]
fn a_foreign_number_is_rejected() {
    for from in [
        json!({ "type": "phone", "number": "14155550100" }),
        Value::Null,
    ] {
        let mut stage = Stage::new();
        let mut body = create();
        body["from"] = from;
        assert_eq!(stage.rest("POST", "/v1/calls", body).0, 201);
        stage.settle();
        let leg = stage.leg_to(AGENT);
        assert_eq!(stage.statuses(&leg), ["started", "rejected"]);
    }
}

#[test]
fn an_ended_call_shows_its_price_and_times_and_one_that_goes_on_does_not() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(60)]));
    let path = format!("/v1/calls/{leg}");
    let mut shape = json!({
        "_links": { "self": { "href": format!("/calls/{leg}") } },
        "uuid": leg,
        "conversation_uuid": "conversation",
        "to": { "type": "phone", "number": LINE },
        "from": { "type": "phone", "number": CALLER },
        "status": "answered",
        "direction": "inbound",
        "network": "text",
    });
    let (status, call) = stage.rest("GET", &path, Value::Null);
    assert_eq!(status, 200);
    check("answered", &call, shape.clone());
    stage.settle();
    let more = json!({
        "status": "completed", "rate": "0.00450000", "price": "0.00457500", "duration": "61",
        "start_time": "moment", "end_time": "moment",
    });
    shape
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    check("completed", &stage.rest("GET", &path, Value::Null).1, shape);
}

#[test]
fn a_call_is_shown_and_found_by_how_it_came_out() {
    for (manner, status) in [
        (Manner::Busy, "busy"),
        (Manner::Declines(seconds(1.0)), "unanswered"),
        (Manner::Unreachable, "unanswered"),
        (Manner::NoSuchNumber, "failed"),
        (Manner::Silent, "timeout"),
    ] {
        let mut stage = Stage::new();
        stage.platform.set_manners(AGENT, vec![manner]);
        stage.rest("POST", "/v1/calls", create());
        stage.settle();
        let leg = stage.leg_to(AGENT);
        let (_, call) = stage.rest("GET", &format!("/v1/calls/{leg}"), Value::Null);
        assert_eq!(call["status"], status);
        let (_, list) = stage.rest("GET", &format!("/v1/calls?status={status}"), Value::Null);
        assert_eq!(list["count"], 1, "{status}");
        let (_, list) = stage.rest("GET", "/v1/calls?status=completed", Value::Null);
        assert_eq!(list["count"], 0, "{status}");
    }
}

/// The legs that a list gives, by their place.
#[track_caller]
fn listed(stage: &mut Stage, query: &str, wanted: &[usize], count: u64) -> Value {
    let legs: Vec<String> = stage
        .platform
        .legs()
        .map(|leg| leg.id().to_owned())
        .collect();
    let (status, list) = stage.rest("GET", &format!("/v1/calls?{query}"), Value::Null);
    assert_eq!(status, 200, "{list}");
    let found: Vec<usize> = list["_embedded"]["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| legs.iter().position(|leg| call["uuid"] == *leg).unwrap())
        .collect();
    assert_eq!(found, wanted, "{query}");
    assert_eq!(list["count"], count, "{query}");
    list
}

#[test]
fn calls_are_listed_by_page_order_time_status_and_conversation() {
    let mut stage = Stage::new();
    for _ in 0..12 {
        stage.caller(json!([wait(600)]));
        stage.run(9.5);
    }
    let leg = stage.platform.legs().next().unwrap().id().to_owned();
    stage.platform.hang_up(&leg).unwrap();
    let conversation = stage.conversation(&leg);
    let all: Vec<usize> = (0..10).collect();
    let list = listed(&mut stage, "", &all, 12);
    check(
        "links",
        &list["_links"],
        json!({
            "self": { "href": "/calls?page_size=10&record_index=0&order=asc" },
            "first": { "href": "/calls?page_size=10&record_index=0&order=asc" },
            "last": { "href": "/calls?page_size=10&record_index=10&order=asc" },
            "next": { "href": "/calls?page_size=10&record_index=10&order=asc" },
        }),
    );
    assert_eq!(
        (&list["page_size"], &list["record_index"]),
        (&json!(10), &json!(0))
    );
    let list = listed(&mut stage, "record_index=10", &[10, 11], 12);
    assert!(list["_links"].get("next").is_none() && list["_links"]["prev"].is_object());
    let (_, list) = stage.rest("GET", "/v1/calls?page_size=1&status=answered", Value::Null);
    let next = list["_links"]["next"]["href"].as_str().unwrap();
    assert!(next.ends_with("&status=answered"), "{next}");
    listed(&mut stage, "page_size=1", &[0], 12);
    listed(&mut stage, "order=desc&page_size=2", &[11, 10], 12);
    listed(
        &mut stage,
        "page_size=100",
        &(0..12).collect::<Vec<_>>(),
        12,
    );
    listed(&mut stage, "record_index=99", &[], 12);
    listed(&mut stage, "status=completed", &[0], 1);
    listed(&mut stage, "status=busy", &[], 0);
    listed(&mut stage, "status=answered&page_size=2", &[1, 2], 11);
    listed(
        &mut stage,
        &format!("conversation_uuid={conversation}"),
        &[0],
        1,
    );
    listed(&mut stage, "date_start=2026-03-02T09:01:35Z", &[10, 11], 2);
    listed(&mut stage, "date_end=2026-03-02T09:00:15Z", &[0, 1], 2);
    listed(
        &mut stage,
        "date_start=2026-03-02T09:00:05Z&date_end=2026-03-02T09:00:15Z",
        &[1],
        1,
    );
    for wrong in [
        "status=human",
        "status=disconnected",
        "status=transcribed",
        "page_size=0",
        "page_size=101",
        "page_size=x",
        "record_index=-1",
        "order=up",
        "date_start=yesterday",
        "date_end=x",
    ] {
        let (status, body) = stage.rest("GET", &format!("/v1/calls?{wrong}"), Value::Null);
        assert_eq!(status, 400, "{wrong}");
        let name = wrong.split('=').next().unwrap();
        assert_eq!(body["invalid_parameters"][0]["name"], name);
    }
}

/// What a change does to a call, and which status it gets.
#[track_caller]
fn change(stage: &mut Stage, leg: &str, action: &str, wanted: u16) {
    let status = stage.put(leg, "", json!({ "action": action }));
    assert_eq!(status, wanted, "{action}");
}

#[test]
fn a_hang_up_ends_the_call_as_the_platforms_doing() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(600)]));
    change(&mut stage, &leg, "hangup", 204);
    assert!(stage.is_over(&leg));
    assert_eq!(
        stage.status(&leg, "completed").body["disconnected_by"],
        "platform"
    );
}

#[test]
fn who_is_muted_is_not_heard_and_who_is_earmuffed_hears_nothing() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::answers(seconds(1.0), None), json!({}));
    stage.run(3.0);
    let callee = stage.leg_to(AGENT);
    let hears = |stage: &mut Stage| {
        let before = stage.heard(&callee).len();
        stage.platform.say(&caller, "Hello.").unwrap();
        stage.run(2.0);
        stage.heard(&callee).len() > before
    };
    assert!(hears(&mut stage));
    change(&mut stage, &caller, "mute", 204);
    assert!(!hears(&mut stage));
    change(&mut stage, &caller, "unmute", 204);
    assert!(hears(&mut stage));
    change(&mut stage, &callee, "earmuff", 204);
    assert!(!hears(&mut stage));
    change(&mut stage, &callee, "unearmuff", 204);
    assert!(hears(&mut stage));
}

#[test]
fn within_two_seconds_of_its_making_a_call_takes_no_change() {
    assert_eq!(EARLY, Duration::from_secs(2));
    for action in ["hangup", "mute", "unmute", "earmuff", "unearmuff"] {
        let mut stage = Stage::new();
        let leg = stage.create(json!([wait(600)]));
        stage.platform.pick_up(&leg).unwrap();
        stage.run(1.99);
        change(&mut stage, &leg, action, 400);
        assert_eq!(stage.transfer(&leg, json!([])), 400);
        stage.run(0.01);
        change(&mut stage, &leg, action, 204);
    }
}

#[test]
fn an_early_refusal_has_the_shape_that_was_seen() {
    let mut stage = Stage::new();
    let leg = stage.create(json!([wait(600)]));
    let (status, body) = stage.rest(
        "PUT",
        &format!("/v1/calls/{leg}"),
        json!({ "action": "hangup" }),
    );
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!({ "type": "BAD_REQUEST", "error_title": "Bad Request" })
    );
}

#[test]
fn a_call_that_rings_can_be_hung_up_and_not_moved() {
    let mut stage = Stage::new();
    let leg = stage.create(json!([wait(600)]));
    stage.run(5.0);
    assert_eq!(stage.transfer(&leg, json!([])), 400);
    change(&mut stage, &leg, "hangup", 204);
    assert_eq!(
        stage.statuses(&leg),
        ["started", "ringing", "cancelled", "completed"]
    );
}

#[test]
fn a_call_that_is_over_is_shown_and_not_found_for_any_change() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([]));
    let path = format!("/v1/calls/{leg}");
    assert_eq!(stage.rest("GET", &path, Value::Null).0, 200);
    change(&mut stage, &leg, "hangup", 404);
    assert_eq!(stage.transfer(&leg, json!([])), 404);
    assert_eq!(stage.put(&leg, "/talk", json!({ "text": "Hello" })), 404);
    assert_eq!(
        stage.put(&leg, "/stream", json!({ "stream_url": [url("/a.mp3")] })),
        404
    );
    assert_eq!(stage.put(&leg, "/dtmf", json!({ "digits": "1" })), 404);
    assert_eq!(
        stage.rest("DELETE", &format!("{path}/talk"), Value::Null).0,
        404
    );
    change(&mut stage, "no-such-call", "hangup", 404);
    assert_eq!(
        stage.rest("GET", "/v1/calls/no-such-call", Value::Null).0,
        404
    );
}

#[test]
fn legs_are_known_for_two_days() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([]));
    let path = format!("/v1/calls/{leg}");
    stage.run(47.9 * 3600.0);
    assert_eq!(stage.rest("GET", &path, Value::Null).0, 200);
    stage.run(0.2 * 3600.0);
    assert_eq!(stage.rest("GET", &path, Value::Null).0, 404);
    assert_eq!(stage.rest("GET", "/v1/calls", Value::Null).1["count"], 0);
}

#[test]
fn a_call_is_known_in_its_own_region_alone() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(600)]));
    let base = stage.at("/answer")[0].body["region_url"]
        .as_str()
        .unwrap()
        .to_owned();
    let below = base.strip_prefix("https://vonage.test").unwrap().to_owned();
    let at = |stage: &mut Stage, region: &str| {
        stage
            .rest("GET", &format!("{region}/v1/calls/{leg}"), Value::Null)
            .0
    };
    assert_eq!(below, format!("/{REGION}"));
    assert_eq!(at(&mut stage, &below), 200);
    assert_eq!(at(&mut stage, ""), 200, "the global host");
    assert_eq!(at(&mut stage, "/na-east"), 404);
}

#[test]
fn other_methods_are_not_allowed_and_other_paths_not_found() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(600)]));
    for (method, path, wanted) in [
        ("PUT", "/v1/calls".to_owned(), 405),
        ("DELETE", "/v1/calls".to_owned(), 405),
        ("POST", format!("/v1/calls/{leg}"), 405),
        ("DELETE", format!("/v1/calls/{leg}"), 405),
        ("POST", format!("/v1/calls/{leg}/talk"), 405),
        ("GET", format!("/v1/calls/{leg}/stream"), 405),
        ("DELETE", format!("/v1/calls/{leg}/dtmf"), 405),
        ("GET", format!("/v1/calls/{leg}/input/dtmf"), 405),
        ("GET", "/v1".to_owned(), 404),
        ("GET", "/".to_owned(), 404),
        ("GET", "/v2/calls".to_owned(), 404),
        ("PUT", format!("/v1/calls/{leg}/sing"), 404),
    ] {
        assert_eq!(
            stage.rest(method, &path, Value::Null).0,
            wanted,
            "{method} {path}"
        );
    }
}

#[test]
fn the_fourth_leg_within_a_second_is_too_many() {
    assert_eq!(LEGS_PER_SECOND, 3);
    let mut stage = Stage::new();
    stage.pause = Duration::from_millis(100);
    let wanted = [201, 201, 201, 429, 429];
    for status in wanted {
        let (found, body) = stage.rest("POST", "/v1/calls", create());
        assert_eq!(found, status);
        if status == 429 {
            let shape = json!({
                "type": "text", "title": "Rate Limit Hit", "detail": "text", "instance": "text",
            });
            check("429", &body, shape);
        }
    }
    // A second after the first one.
    stage.wall += Duration::from_millis(500);
    assert_eq!(stage.rest("POST", "/v1/calls", create()).0, 201);
    assert_eq!(
        stage.rest("POST", "/v1/calls", create()).0,
        201,
        "a window that rolls"
    );
}

#[test]
fn the_sixteenth_request_within_a_second_is_too_many() {
    assert_eq!(REQUESTS_PER_SECOND, 15);
    let mut stage = Stage::new();
    stage.pause = Duration::from_millis(10);
    for number in 1..=20 {
        let (status, _) = stage.rest("GET", "/v1/calls", Value::Null);
        assert_eq!(
            status,
            if number <= 15 { 200 } else { 429 },
            "request {number}"
        );
    }
    stage.wall += Duration::from_secs(1);
    assert_eq!(stage.rest("GET", "/v1/calls", Value::Null).0, 200);
}
