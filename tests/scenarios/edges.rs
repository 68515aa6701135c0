//! What goes wrong on other phone systems, a test for each: who ends up with whom, and what is heard.

use crate::disorder::played;
use switchboard_cli::simulate::{Played, transcript};
use switchboard_tests::scenario::folder;

async fn play(scenario: &str) -> Played {
    let played = played(&folder().join(format!("{scenario}.toml")), None).await;
    assert!(
        played.is_well(),
        "{scenario}: {:#?}\n{:#?}",
        played.callers(),
        played.ledger
    );
    played
}

/// Who took each caller's call.
fn served(played: &Played) -> Vec<Option<&str>> {
    played.callers().iter().map(|one| one.served).collect()
}

/// Whether these sentences stand in the transcript, in this order.
#[track_caller]
fn tells(played: &Played, sentences: &[&str]) {
    let told: Vec<String> = transcript::of(played)
        .into_iter()
        .map(|line| line.text)
        .collect();
    let mut rest = told.iter();
    for sentence in sentences {
        assert!(
            rest.any(|line| line.contains(sentence)),
            "“{sentence}” is missing, or comes too early, in {told:#?}"
        );
    }
}

/// How often a sentence stands in the transcript.
fn count(played: &Played, sentence: &str) -> usize {
    let lines = transcript::of(played);
    lines
        .iter()
        .filter(|line| line.text.contains(sentence))
        .count()
}

#[tokio::test]
async fn a_caller_hangs_up_while_staff_phones_ring_or_during_transfer() {
    let gone = play("hotline-caller-gone").await;
    tells(
        &gone,
        &[
            "the caller hangs up",
            "alice's phone stops ringing",
            "bob hears: “The caller has hung up.",
        ],
    );
    assert_eq!(served(&gone), [None]);
    let ringing = play("hangs-up-while-it-rings").await;
    tells(
        &ringing,
        &["caller 1 hangs up", "alice's phone stops ringing"],
    );
    // No rest after it: the next caller is theirs at once.
    assert_eq!(served(&ringing), [None, Some("alice")]);
}

#[tokio::test]
async fn an_agent_does_not_answer_rejects_or_is_busy() {
    let declines = play("declines").await;
    assert_eq!(served(&declines), [Some("alice")]);
    assert_eq!(count(&declines, "alice's phone rings"), 2);
    let silent = play("silent").await;
    tells(
        &silent,
        &["alice's phone has rung for long enough", "bob picks up"],
    );
    assert_eq!(served(&silent), [Some("bob")]);
    let busy = play("busy").await;
    tells(
        &busy,
        &["alice's phone is busy", "Nobody could take your call."],
    );
    assert_eq!(served(&busy), [None]);
}

#[tokio::test]
async fn two_agents_answer_at_once_or_two_become_free_for_one_caller() {
    let two = play("hotline-two-at-once").await;
    tells(
        &two,
        &[
            "alice presses 1",
            "bob presses 1",
            "bob hears: “Somebody else has taken the call already.",
        ],
    );
    assert_eq!(served(&two), [Some("alice")]);
    assert_eq!(count(&two, "the caller and"), 1);
}

#[tokio::test]
async fn a_call_is_answered_by_a_voicemail_a_carrier_message_or_call_screening() {
    let early = play("mailbox-early").await;
    tells(
        &early,
        &[
            "alice hears: “Masked.",
            "No key was pressed",
            "the caller hears: “We are sorry.",
        ],
    );
    assert_eq!(served(&early), [None]);
    let hotline = play("hotline-nobody").await;
    tells(
        &hotline,
        &[
            "alice's mailbox picks up",
            "alice hears: “No key was pressed.",
        ],
    );
    assert_eq!(served(&hotline), [None]);
}

#[tokio::test]
async fn events_come_late_doubled_and_out_of_order_and_legs_that_lost_are_completed() {
    for scenario in ["hotline", "busy", "hangs-up-while-it-rings"] {
        let file = folder().join(format!("{scenario}.toml"));
        let tidy = played(&file, None).await;
        for seed in 41..44 {
            let disorderly = played(&file, Some(seed)).await;
            assert_eq!(
                disorderly.ledger.outline, tidy.ledger.outline,
                "{scenario} {seed}"
            );
            assert!(disorderly.is_well(), "{scenario} {seed}");
        }
    }
}

#[tokio::test]
async fn the_clock_changes_and_hours_go_over_midnight() {
    let night = play("night-shift").await;
    tells(
        &night,
        &[
            "caller 1 hears: “The night desk is here.",
            "caller 2 hears: “The night desk is here.",
            "caller 3 hears: “The night desk is closed.",
        ],
    );
}

#[tokio::test]
async fn the_longest_wait_is_over_in_the_second_an_agent_picks_up() {
    let held = play("hotline-longest-wait").await;
    tells(
        &held,
        &["bob picks up", "bob presses 1", "the caller and bob talk"],
    );
    assert_eq!(served(&held), [Some("bob")]);
    assert_eq!(count(&held, "Nobody could take your call"), 0);
}

#[tokio::test]
async fn nobody_is_on_shift_and_callers_do_not_wait_for_ever() {
    let off_duty = play("hotline-off-duty").await;
    tells(
        &off_duty,
        &["calls Night", "Nobody is on duty at this hour."],
    );
    assert!(off_duty.callers()[0].waited.as_secs() < 5);
    let nobody = play("nobody-free").await;
    tells(&nobody, &["Nobody could take your call."]);
}

#[tokio::test]
async fn a_bad_number_is_in_the_list_and_there_are_more_legs_than_the_platform_takes_in_a_second() {
    let bad = play("bad-number").await;
    tells(&bad, &["alice's number cannot be called", "carol picks up"]);
    assert_eq!(served(&bad), [Some("carol")]);
    let twenty = play("hotline-twenty").await;
    assert_eq!(served(&twenty), [Some("otto")]);
    let refused = twenty.entries.iter().any(|entry| match &entry.what {
        switchboard_phone::What::Request { status, body, .. } => {
            *status == 429
                && body
                    .as_ref()
                    .is_some_and(|body| body.get("answer_url").is_some())
        }
        _ => false,
    });
    assert!(
        !refused,
        "no phone was rung faster than the platform allows"
    );
}

#[tokio::test]
async fn a_voicemail_is_empty_too_short_or_never_started() {
    for scenario in ["voicemail-too-short", "voicemail-greeting"] {
        let played = play(scenario).await;
        assert_eq!(served(&played), [None], "{scenario}");
    }
    let left = play("voicemail").await;
    tells(&left, &["a recording of"]);
    assert_eq!(left.recordings, (1, 1));
}

#[tokio::test]
async fn a_transfer_is_sent_too_early_or_too_late() {
    assert_eq!(served(&play("transfer-too-early").await), [Some("alice")]);
    let late = play("transfer-too-late").await;
    tells(
        &late,
        &[
            "caller 1 is moved: refused with 404",
            "caller 2 and alice talk",
        ],
    );
    assert_eq!(served(&late), [None, Some("alice")]);
}

#[tokio::test]
async fn our_endpoint_fails_at_the_answer_or_in_the_middle_of_a_call() {
    for scenario in ["store-away-at-first", "store-away-on-hold"] {
        let file = folder().join(format!("{scenario}.toml"));
        let played = played(&file, None).await;
        // Nobody hears silence, and nobody is hung up on without a word.
        assert_eq!(count(&played, "CUT OFF"), 0, "{scenario}");
        assert!(count(&played, "the caller hears: “") > 0, "{scenario}");
    }
}
