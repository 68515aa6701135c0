//! Rooms.

use crate::shape::check;
use crate::stage::{AGENT, CALLER, LINE, Stage, connect, script, seconds, talk, url, wait};
use serde_json::{Value, json};
use switchboard_phone::{Ending, LEGS_MAX, Manner};

/// A script that joins the room.
fn room(more: Value) -> Value {
    let mut action = json!({ "action": "conversation", "name": "room" });
    let fields = action.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    json!([action])
}

/// Whether what one leg says is heard by another.
fn hears(stage: &mut Stage, listener: &str, speaker: &str) -> bool {
    let before = stage.heard(listener).len();
    stage.platform.say(speaker, "Hello.").unwrap();
    stage.run(2.0);
    stage.heard(listener).len() > before
}

#[test]
fn all_in_a_room_hear_one_another_and_those_of_another_room_do_not() {
    let mut stage = Stage::new();
    let one = stage.caller(room(json!({})));
    let two = stage.caller(room(json!({})));
    let other = stage.caller(room(json!({ "name": "another" })));
    assert!(hears(&mut stage, &one, &two) && hears(&mut stage, &two, &one));
    assert!(!hears(&mut stage, &other, &one));
}

#[test]
fn joining_is_told_as_a_transfer() {
    let mut stage = Stage::new();
    let leg = stage.caller(room(json!({})));
    let own = stage.at("/answer")[0].body["conversation_uuid"].clone();
    let now = stage.conversation(&leg);
    let shape = json!({
        "conversation_uuid_from": own, "conversation_uuid_to": now, "uuid": leg,
        "type": "transfer", "timestamp": "moment",
    });
    check(
        "transfer",
        &stage.with_key("conversation_uuid_from").body,
        shape,
    );
    assert_ne!(own, now);
    stage.platform.hang_up(&leg).unwrap();
    stage.run(1.0);
    let completed = &stage.status(&leg, "completed").body;
    assert_eq!(completed["conversation_uuid"], now);
}

#[test]
fn who_waits_for_a_moderator_hears_music_until_one_is_there() {
    let mut stage = Stage::new();
    let music = url("/music.mp3");
    let waiting = room(json!({ "startOnEnter": false, "musicOnHoldUrl": [music] }));
    let one = stage.caller(waiting.clone());
    let two = stage.caller(waiting);
    assert_eq!(stage.heard(&one), std::slice::from_ref(&music));
    assert!(!hears(&mut stage, &one, &two));
    let moderator = stage.caller(room(json!({})));
    assert!(hears(&mut stage, &one, &two) && hears(&mut stage, &one, &moderator));
    let late = stage.caller(room(
        json!({ "startOnEnter": false, "musicOnHoldUrl": [music] }),
    ));
    assert!(stage.heard(&late).is_empty(), "it has begun");
}

#[test]
fn a_room_ends_for_all_with_whom_it_is_told_to() {
    for (ends, over) in [(true, true), (false, false)] {
        let mut stage = Stage::new();
        let one = stage.caller(room(json!({})));
        let two = stage.caller(room(json!({ "endOnExit": ends })));
        stage.platform.hang_up(&two).unwrap();
        stage.run(1.0);
        assert_eq!(stage.is_over(&one), over);
        if over {
            let ended = stage.platform.leg(&one).unwrap().ended();
            assert_eq!(ended.map(|(_, why)| why), Some(Ending::Left));
        }
    }
}

#[test]
fn a_room_ends_also_when_that_leg_is_moved_out_of_it() {
    let mut stage = Stage::new();
    let one = stage.caller(room(json!({})));
    let two = stage.caller(room(json!({ "endOnExit": true })));
    assert_eq!(stage.transfer(&two, json!([wait(5)])), 204);
    stage.run(1.0);
    assert!(stage.is_over(&one) && !stage.is_over(&two));
}

#[test]
fn lists_of_legs_say_who_hears_whom_and_an_empty_one_is_nobody() {
    let mut stage = Stage::new();
    let one = stage.caller(room(json!({})));
    let two = stage.caller(room(json!({})));
    let whisperer = stage.caller(room(json!({ "canSpeak": [one] })));
    assert!(hears(&mut stage, &one, &whisperer) && !hears(&mut stage, &two, &whisperer));
    assert!(hears(&mut stage, &whisperer, &two));
    let listener = stage.caller(room(json!({ "canHear": [two], "canSpeak": [] })));
    assert!(hears(&mut stage, &listener, &two) && !hears(&mut stage, &listener, &one));
    assert!(!hears(&mut stage, &one, &listener));
    let deaf = stage.caller(room(json!({ "canHear": [] })));
    assert!(!hears(&mut stage, &deaf, &one) && hears(&mut stage, &one, &deaf));
}

#[test]
fn who_is_muted_hears_and_is_not_heard() {
    let mut stage = Stage::new();
    let one = stage.caller(room(json!({})));
    let mute = stage.caller(room(json!({ "mute": true })));
    assert!(hears(&mut stage, &mute, &one) && !hears(&mut stage, &one, &mute));
    assert_eq!(stage.put(&mute, "", json!({ "action": "unmute" })), 204);
    assert!(hears(&mut stage, &one, &mute));
}

#[test]
fn a_room_holds_two_hundred() {
    assert_eq!(LEGS_MAX, 200);
    let mut stage = Stage::new();
    stage.on("/answer", script(room(json!({}))));
    let legs: Vec<String> = (0..=LEGS_MAX)
        .map(|_| stage.platform.call(CALLER, LINE).unwrap())
        .collect();
    stage.run(1.0);
    let (last, others) = legs.split_last().unwrap();
    assert!(others.iter().all(|leg| !stage.is_over(leg)));
    assert!(stage.is_over(last));
    let shape = json!({
        "reason": "text", "conversation_uuid": "conversation", "timestamp": "moment",
    });
    check("error", &stage.with_key("reason").body, shape);
}

#[test]
fn its_event_url_hears_nothing_of_the_calls_progress() {
    let mut stage = Stage::new();
    let leg = stage.caller(room(json!({ "eventUrl": [url("/room")] })));
    stage.platform.hang_up(&leg).unwrap();
    stage.settle();
    assert!(stage.at("/room").is_empty());
    assert_eq!(stage.statuses(&leg).len(), 4);
}

#[test]
fn a_name_that_nobody_uses_any_more_is_another_room() {
    let mut stage = Stage::new();
    let one = stage.caller(room(json!({})));
    let first = stage.conversation(&one);
    stage.platform.hang_up(&one).unwrap();
    stage.run(1.0);
    let two = stage.caller(room(json!({})));
    assert_ne!(stage.conversation(&two), first);
}

#[test]
fn a_transfer_action_takes_every_leg_along_and_nothing_after_it_runs() {
    let mut stage = Stage::new();
    stage
        .platform
        .set_manners(AGENT, vec![Manner::answers(seconds(1.0), None)]);
    let one = stage.caller(json!([connect(AGENT, json!({}))]));
    stage.run(2.0);
    let agent = stage.leg_to(AGENT);
    let conversation = stage.conversation(&one);
    let transfer = json!({ "action": "transfer", "conversationId": conversation });
    let two = stage.caller(json!([transfer, talk("Never heard.")]));
    stage.run(1.0);
    assert_eq!(stage.conversation(&two), conversation);
    assert!(hears(&mut stage, &one, &two) && hears(&mut stage, &agent, &two));
    assert!(hears(&mut stage, &two, &one) && hears(&mut stage, &two, &agent));
    assert!(!stage.heard(&two).contains(&"Never heard.".to_owned()));
}

#[test]
fn a_transfer_to_nowhere_ends_the_call() {
    let mut stage = Stage::new();
    let nowhere = "CON-00000000-0000-4000-8000-000000000000";
    let leg = stage.caller(json!([{ "action": "transfer", "conversationId": nowhere }, wait(9)]));
    assert!(stage.is_over(&leg));
    assert!(stage.with_key("reason").body["reason"].is_string());
}
