//! Phones that are rung by a script.

use crate::stage::{
    AGENT, CALLER, LINE, OTHER_AGENT, Stage, connect, nothing, reply, script, seconds, talk, url,
    wait,
};
use serde_json::{Value, json};
use switchboard_phone::{LEGS_PER_SECOND, Manner, Outcome};

#[test]
fn the_two_hear_one_another_once_it_is_picked_up() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::Ask, json!({}));
    let callee = stage.leg_to(AGENT);
    stage.run(4.0);
    stage.platform.say(&caller, "Is anybody there?").unwrap();
    stage.run(3.0);
    stage.platform.pick_up(&callee).unwrap();
    stage.run(1.0);
    stage.platform.say(&callee, "Alice here.").unwrap();
    stage.run(3.0);
    stage.platform.say(&caller, "Good morning.").unwrap();
    stage.run(3.0);
    assert_eq!(stage.heard(&caller), ["(rings)", "Alice here."]);
    assert_eq!(stage.heard(&callee), ["Good morning."]);
}

#[test]
fn the_caller_hears_the_tone_that_the_script_names() {
    let mut stage = Stage::new();
    let tone = url("/tone.mp3");
    let caller = stage.connecting(Manner::Silent, json!({ "ringbackTone": tone }));
    assert_eq!(stage.heard(&caller), [tone]);
}

/// How long it rings.
#[track_caller]
fn rings(timeout: Value, wanted: i64) {
    let mut stage = Stage::new();
    let more = if timeout.is_null() {
        json!({})
    } else {
        json!({ "timeout": timeout })
    };
    stage.connecting(Manner::Silent, more);
    stage.settle();
    let callee = stage.leg_to(AGENT);
    let rang = stage.status(&callee, "timeout").at - stage.status(&callee, "ringing").at;
    assert_eq!(rang, wanted * 1000);
}

#[test]
fn it_rings_for_1_to_120_seconds_and_60_by_default() {
    rings(json!(1), 1);
    rings(json!(25), 25);
    rings(json!(120), 120);
    rings(Value::Null, 60);
}

#[test]
fn a_talk_ends_at_its_limit_which_is_two_hours_by_default() {
    for (limit, wanted) in [(json!({ "limit": 30 }), 30), (json!({}), 7200)] {
        let mut stage = Stage::new();
        stage.connecting(Manner::answers(seconds(1.0), None), limit);
        stage.settle();
        let callee = stage.leg_to(AGENT);
        let talked = stage.status(&callee, "completed").at - stage.status(&callee, "answered").at;
        // The caller's own two hours began a second earlier.
        assert!(
            (wanted * 1000 - 1000..=wanted * 1000).contains(&talked),
            "{talked}"
        );
        assert_eq!(
            stage.status(&callee, "completed").body["disconnected_by"],
            "platform"
        );
    }
}

#[test]
fn the_script_goes_on_when_the_other_side_hangs_up() {
    let mut stage = Stage::new();
    let manner = Manner::answers(seconds(1.0), Some(seconds(5.0)));
    let caller = stage.connecting(manner, json!({}));
    stage.run(20.0);
    assert_eq!(stage.heard(&caller), ["(rings)", "Nobody is there."]);
}

/// A connect that comes to nothing, what the server says to it, and what the caller hears then.
#[track_caller]
fn after(manner: Manner, from: &str, said: Outcome, heard: &[&str]) {
    let what = format!("{manner:?}, {said:?}");
    let mut stage = Stage::new();
    stage.on_each("/x", vec![nothing(), nothing(), said.clone()]);
    if !manner_rings(&manner) || from != LINE {
        // `started` alone comes before.
        stage.on_each("/x", vec![nothing(), said]);
    }
    let hook = json!({
        "eventType": "synchronous", "eventUrl": [url("/x")], "from": from, "timeout": 5,
    });
    let caller = stage.connecting(manner, hook);
    stage.run(30.0);
    let words = stage.heard(&caller);
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "(rings)")
        .collect();
    assert_eq!(words, heard, "{what}");
}

fn manner_rings(manner: &Manner) -> bool {
    matches!(manner, Manner::Silent | Manner::Declines(_))
}

#[test]
fn each_failure_of_a_synchronous_connect_may_be_answered_with_a_script() {
    let voicemail = || script(json!([talk("Leave a message.")]));
    for manner in [
        Manner::Silent,
        Manner::Declines(seconds(2.0)),
        Manner::Busy,
        Manner::Unreachable,
        Manner::NoSuchNumber,
    ] {
        after(manner, LINE, voicemail(), &["Leave a message."]);
    }
    after(
        Manner::Ask,
        "14155550100",
        voicemail(),
        &["Leave a message."],
    );
}

#[test]
fn what_is_no_script_lets_a_synchronous_connect_go_on() {
    let old = ["Nobody is there."];
    after(Manner::Busy, LINE, nothing(), &old);
    after(Manner::Busy, LINE, reply(204, "application/json", ""), &old);
    after(Manner::Busy, LINE, script(json!([])), &old);
    after(Manner::Busy, LINE, script(json!({})), &old);
    after(
        Manner::Busy,
        LINE,
        reply(200, "text/html", "<p>Hello"),
        &old,
    );
    after(Manner::Busy, LINE, reply(500, "text/plain", "no"), &old);
    after(
        Manner::Busy,
        LINE,
        script(json!([{ "action": "sing" }])),
        &old,
    );
    let html = reply(200, "text/html", r#"[{"action":"talk","text":"Hello"}]"#);
    after(Manner::Busy, LINE, html, &old);
    after(Manner::Busy, LINE, Outcome::Closed, &old);
}

#[test]
fn a_connect_that_is_not_synchronous_is_told_and_not_asked_about() {
    let mut stage = Stage::new();
    stage.on("/event", script(json!([talk("Not asked for.")])));
    let caller = stage.connecting(Manner::Busy, json!({}));
    stage.run(20.0);
    assert_eq!(stage.heard(&caller), ["(rings)", "Nobody is there."]);
}

#[test]
fn a_synchronous_connect_that_worked_is_not_asked_about() {
    let mut stage = Stage::new();
    stage.on("/event", script(json!([talk("Not asked for.")])));
    let manner = Manner::answers(seconds(1.0), Some(seconds(3.0)));
    let caller = stage.connecting(manner, json!({ "eventType": "synchronous" }));
    stage.run(20.0);
    assert_eq!(stage.heard(&caller), ["(rings)", "Nobody is there."]);
}

#[test]
fn a_failover_rings_the_next_agent() {
    let mut stage = Stage::new();
    stage
        .platform
        .set_manners(OTHER_AGENT, vec![Manner::answers(seconds(1.0), None)]);
    let next = script(json!([connect(OTHER_AGENT, json!({}))]));
    stage.on_each("/x", vec![nothing(), next]);
    let caller = stage.connecting(
        Manner::Busy,
        json!({ "eventType": "synchronous", "eventUrl": [url("/x")] }),
    );
    stage.run(5.0);
    let second = stage.leg_to(OTHER_AGENT);
    stage.platform.say(&second, "Bob here.").unwrap();
    assert_eq!(stage.heard(&caller).last().unwrap(), "Bob here.");
}

#[test]
fn a_random_number_is_one_of_the_accounts() {
    let mut stage = Stage::new();
    stage.platform.set_manners(AGENT, vec![Manner::Silent]);
    stage.caller(json!([{
        "action": "connect", "randomFromNumber": true,
        "endpoint": [{ "type": "phone", "number": AGENT }],
    }]));
    let leg = stage.leg_to(AGENT);
    assert_eq!(stage.platform.leg(&leg).unwrap().from(), LINE);
}

#[test]
fn no_number_of_the_accounts_is_needed_for_what_is_no_real_phone() {
    for (kind, field, to, more) in [
        ("sip", "uri", "sip:alice@pbx.example.org", json!({})),
        ("app", "user", "alice", json!({})),
        ("vbc", "extension", "1234", json!({})),
        (
            "websocket",
            "uri",
            "wss://bot.example.org/a",
            json!({ "content-type": "audio/l16;rate=8000" }),
        ),
    ] {
        let mut stage = Stage::new();
        let mut endpoint = json!({ "type": kind, field: to });
        endpoint
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        stage.caller(json!([{ "action": "connect", "endpoint": [endpoint] }]));
        let leg = stage.leg_to(to);
        assert_eq!(stage.statuses(&leg), ["started", "ringing"], "{kind}");
    }
}

#[test]
fn the_callee_hears_its_own_script_before_the_two_are_joined() {
    let mut stage = Stage::new();
    stage.on(
        "/whisper",
        script(json!([talk("A call for sales."), wait(2)])),
    );
    stage
        .platform
        .set_manners(AGENT, vec![Manner::answers(seconds(1.0), None)]);
    let endpoint = json!([{
        "type": "phone", "number": AGENT, "onAnswer": { "url": url("/whisper") },
    }]);
    let caller = stage.caller(json!([connect(AGENT, json!({ "endpoint": endpoint }))]));
    stage.run(1.0);
    let callee = stage.leg_to(AGENT);
    stage.platform.say(&caller, "Hello?").unwrap();
    stage.run(6.0);
    stage.platform.say(&caller, "Hello again?").unwrap();
    assert_eq!(stage.heard(&callee), ["A call for sales.", "Hello again?"]);
}

#[test]
fn scripts_begin_no_more_than_three_legs_a_second() {
    assert_eq!(LEGS_PER_SECOND, 3);
    let mut stage = Stage::new();
    stage.on("/answer", script(json!([connect(AGENT, json!({}))])));
    for _ in 0..7 {
        stage.platform.call(CALLER, LINE).unwrap();
    }
    stage.run(10.0);
    let mut started: Vec<i64> = Vec::new();
    for seen in stage.at("/event") {
        if seen.body["to"] == AGENT && seen.body["status"] == "started" {
            started.push(seen.at);
        }
    }
    assert_eq!(started.len(), 7, "the others wait their turn");
    for four in started.windows(4) {
        assert!(four[3] - four[0] >= 1000, "{started:?}");
    }
}

#[test]
fn legs_made_by_rest_count_for_scripts_and_only_for_a_second() {
    let mut stage = Stage::new();
    stage.pause = seconds(0.01);
    for _ in 0..3 {
        stage.create(json!([]));
    }
    stage
        .platform
        .set_manners(OTHER_AGENT, vec![Manner::Silent]);
    stage.caller(json!([connect(OTHER_AGENT, json!({}))]));
    let rung = |stage: &Stage| stage.platform.legs().any(|leg| leg.to() == OTHER_AGENT);
    assert!(!rung(&stage), "three were begun within this second");
    stage.run(1.0);
    assert!(
        rung(&stage),
        "though nobody has asked anything by REST since"
    );
}
