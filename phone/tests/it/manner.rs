//! How phones behave.

use crate::stage::{AGENT, CALLER, LINE, Stage, connect, seconds, wait};
use serde_json::json;
use switchboard_phone::{Direction, Manner, NotNow, Status};

#[test]
fn a_phone_behaves_in_turn_and_the_last_stays() {
    let mut stage = Stage::new();
    stage
        .platform
        .set_manners(AGENT, vec![Manner::Busy, Manner::Declines(seconds(1.0))]);
    for wanted in ["busy", "unanswered", "unanswered"] {
        stage.caller(json!([connect(AGENT, json!({}))]));
        stage.run(3.0);
        let leg = stage.leg_to(AGENT);
        assert!(
            stage.statuses(&leg).contains(&wanted),
            "{:?}",
            stage.statuses(&leg)
        );
    }
}

#[test]
fn a_person_says_and_presses_what_they_are_told_to() {
    let mut stage = Stage::new();
    let manner = Manner::Answers {
        after: seconds(2.0),
        says: Some("Alice here.".to_owned()),
        presses: Some((seconds(3.0), "1".to_owned())),
        takes: false,
        talks: Some(seconds(10.0)),
    };
    let caller = stage.connecting(manner, json!({}));
    stage.run(4.0);
    assert_eq!(stage.heard(&caller), ["(rings)", "Alice here."]);
    stage.settle();
    let callee = stage.leg_to(AGENT);
    let completed = stage.status(&callee, "completed");
    assert_eq!(completed.at - stage.status(&callee, "answered").at, 10_000);
}

#[test]
fn a_mailbox_greets_waits_for_a_message_and_hangs_up() {
    let mut stage = Stage::new();
    let caller = stage.connecting(Manner::Mailbox(Manner::MAILBOX_AFTER), json!({}));
    stage.settle();
    let callee = stage.leg_to(AGENT);
    assert_eq!(
        stage.status(&callee, "answered").at - stage.status(&callee, "ringing").at,
        25_000
    );
    assert!(stage.heard(&caller).contains(&Manner::GREETING.to_owned()));
    assert_eq!(
        stage.status(&callee, "completed").body["disconnected_by"],
        "user"
    );
}

#[test]
fn nobody_can_do_what_cannot_be_done_now() {
    let mut stage = Stage::new();
    let platform = &mut stage.platform;
    assert_eq!(platform.call("123", LINE), Err(NotNow::NoNumber));
    assert_eq!(
        platform.call(CALLER, "+442079460001"),
        Err(NotNow::NoNumber)
    );
    assert_eq!(platform.pick_up("nobody"), Err(NotNow::NoLeg));
    let caller = platform.call(CALLER, LINE).unwrap();
    assert_eq!(
        platform.pick_up(&caller),
        Err(NotNow::NotRinging),
        "it is not ours to pick up"
    );
    assert_eq!(platform.press(&caller, "1"), Err(NotNow::NotUp));
    assert_eq!(platform.say(&caller, "Hello."), Err(NotNow::NotUp));
    assert_eq!(platform.press(&caller, "A"), Err(NotNow::NoKey));
    platform.hang_up(&caller).unwrap();
    assert_eq!(platform.hang_up(&caller), Err(NotNow::Over));
}

#[test]
fn a_phone_that_rings_can_be_declined_and_not_twice() {
    let mut stage = Stage::new();
    stage.connecting(Manner::Ask, json!({}));
    let leg = stage.leg_to(AGENT);
    stage.platform.decline(&leg).unwrap();
    assert_eq!(stage.platform.decline(&leg), Err(NotNow::NotRinging));
    assert_eq!(stage.platform.pick_up(&leg), Err(NotNow::NotRinging));
}

#[test]
fn a_leg_says_what_it_is() {
    let mut stage = Stage::new();
    let leg = stage.caller(json!([wait(5)]));
    let leg = stage.platform.leg(&leg).unwrap();
    assert_eq!((leg.from(), leg.to()), (CALLER, LINE));
    assert_eq!(
        (leg.direction(), leg.status()),
        (Direction::Inbound, Status::Answered)
    );
}
