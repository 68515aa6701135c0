//! Each condition of a write, left out on the way to the table: a rule breaks.

use crate::cases;
use crate::mutation::{Lost, Mutation};
use crate::search::Case;

/// The agent's side of a claim.
const CLAIM_AGENT: (&str, &str) = (
    "AGENT#",
    "SET #free_from = :until, #call = :call, #offer = :offer REMOVE",
);
/// The caller's side of a claim.
const CLAIM_CALLER: (&str, &str) = ("CALL#", "SET #offer = :offer");
/// The entry's side of a claim.
const CLAIM_ENTRY: (&str, &str) = ("QUEUE#", "");
/// A caller who is put back.
const PUT_BACK: (&str, &str) = ("CALL#", "REMOVE #offer");
/// A caller whom Vonage does not know.
const LOSE: (&str, &str) = ("CALL#", "SET #lost");
/// An agent who is released.
const RELEASE: (&str, &str) = ("AGENT#", "SET #free_from = :free_from");
/// A caller who moves on.
const LEAVE: (&str, &str) = ("CALL#", "REMOVE #place");
/// An agent who says free.
const FREE: (&str, &str) = ("AGENT#", "SET #name = :name, #present = :true");
/// A caller who is served.
const SERVED: (&str, &str) = ("CALL#", "SET #served");
/// An agent who answers.
const TALKS: (&str, &str) = ("AGENT#", "SET #free_from = :until, #leg");
/// A call that begins.
const BEGIN: (&str, &str) = ("CALL#", "SET #at");

/// Wants a rule broken, in one of these cases, when this is lost.
#[track_caller]
fn is_caught((item, update): (&'static str, &'static str), lost: Lost, cases: &[Case]) {
    let mutation = Mutation { item, update, lost };
    let broken = cases
        .iter()
        .find_map(|case| case.explore(Some(mutation)).broken);
    let broken = broken.unwrap_or_else(|| panic!("nothing shows without {lost:?}"));
    println!("{broken}");
}

fn condition(text: &'static str) -> Lost {
    Lost::Condition(text)
}

#[test]
fn a_claim_of_an_agent_who_is_not_free_any_more_is_caught() {
    is_caught(
        CLAIM_AGENT,
        condition("#free_from <= :now"),
        &[cases::two_call_for_one()],
    );
}

#[test]
fn a_claim_of_an_agent_who_went_away_is_caught() {
    is_caught(CLAIM_AGENT, condition("#present = :true"), &[cases::away()]);
}

#[test]
fn a_claim_of_a_caller_who_is_promised_already_is_caught() {
    is_caught(
        CLAIM_CALLER,
        condition("attribute_not_exists(#offer)"),
        &[cases::one_waits_for_two()],
    );
}

#[test]
fn a_claim_of_a_caller_who_hung_up_is_caught() {
    is_caught(
        CLAIM_CALLER,
        condition("attribute_not_exists(#ended)"),
        &[cases::hang_up()],
    );
}

#[test]
fn a_claim_of_a_caller_who_has_left_is_caught() {
    is_caught(
        CLAIM_CALLER,
        condition("attribute_exists(#place)"),
        &[cases::longest_wait()],
    );
}

#[test]
fn a_claim_of_a_caller_who_stands_in_no_queue_is_caught() {
    is_caught(
        CLAIM_ENTRY,
        condition("attribute_exists(pk)"),
        &[cases::hang_up(), cases::longest_wait()],
    );
}

#[test]
fn a_claim_that_leaves_the_caller_in_the_queue_is_caught() {
    is_caught(CLAIM_ENTRY, Lost::Write, &[cases::one_and_one(10, 11)]);
}

#[test]
fn a_caller_put_back_after_another_promise_is_caught() {
    is_caught(
        PUT_BACK,
        condition("#offer.#id = :offer"),
        &[cases::declined(), cases::declined_and_gone()],
    );
}

#[test]
fn a_caller_put_back_after_hanging_up_is_caught() {
    is_caught(
        PUT_BACK,
        condition("attribute_not_exists(#ended)"),
        &[cases::declined_and_gone()],
    );
}

#[test]
fn a_caller_lost_under_another_promise_is_caught() {
    is_caught(LOSE, condition("#offer.#id = :offer"), &[cases::hang_up()]);
}

#[test]
fn an_agent_released_from_another_promise_is_caught() {
    is_caught(
        RELEASE,
        condition("#offer = :offer"),
        &[cases::declined(), cases::hang_up(), cases::talk()],
    );
}

#[test]
fn a_caller_who_leaves_with_an_agent_promised_is_caught() {
    is_caught(
        LEAVE,
        condition("attribute_not_exists(#offer)"),
        &[cases::longest_wait()],
    );
}

#[test]
fn an_agent_who_says_free_while_engaged_and_is_believed_is_caught() {
    let free = condition("attribute_not_exists(#offer) OR #free_from <= :now");
    is_caught(FREE, free, &[cases::talk()]);
}

#[test]
fn a_caller_served_under_another_promise_is_caught() {
    is_caught(SERVED, condition("#offer.#id = :offer"), &[cases::talk()]);
}

#[test]
fn an_agent_who_talks_under_another_promise_is_caught() {
    is_caught(TALKS, condition("#offer = :offer"), &[cases::talk()]);
}

#[test]
fn a_call_that_begins_twice_is_caught() {
    is_caught(
        BEGIN,
        condition("attribute_not_exists(#line)"),
        &[cases::crashed(cases::one_and_one(10, 11))],
    );
}
