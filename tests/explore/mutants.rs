//! A condition of a write, left out on the way to the table: a rule breaks.
//!
//! No case here misses the id of the promise where a caller is put back, lost or served and an agent
//! released, nor `ended` where a caller is put back: they are for events that come after a promise
//! has run out and another was made, and time does not pass that far while these cases search.

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
/// A caller who moves on.
const LEAVE: (&str, &str) = ("CALL#", "REMOVE #place");
/// An agent who says free.
const FREE: (&str, &str) = ("AGENT#", "SET #name = :name, #present = :true");
/// An agent who answers.
const TALKS: (&str, &str) = ("AGENT#", "SET #free_from = :until, #leg");
/// A call that begins.
const BEGIN: (&str, &str) = ("CALL#", "SET #at");

/// Wants a rule broken, in one of these cases, when this is lost.
#[track_caller]
fn is_caught(lost: &[((&'static str, &'static str), Lost)], cases: &[Case]) {
    let mutations: Vec<_> = lost
        .iter()
        .map(|&((item, update), lost)| Mutation { item, update, lost })
        .collect();
    let broken = cases
        .iter()
        .find_map(|case| case.explore(&mutations).broken);
    let broken = broken.unwrap_or_else(|| panic!("nothing shows without {lost:?}"));
    println!("{broken}");
}

/// The entry of a queue must be there to be deleted. It is there just as long as a caller waits, so
/// alone it stands in for what the call says of itself.
const ENTRY_IS_THERE: ((&str, &str), Lost) = (CLAIM_ENTRY, Lost::Condition("attribute_exists(pk)"));

#[test]
fn a_claim_of_an_agent_who_is_not_free_any_more_is_caught() {
    let lost = Lost::Condition("#free_from <= :now");
    is_caught(&[(CLAIM_AGENT, lost)], &[cases::two_call_for_one()]);
}

#[test]
fn a_claim_of_an_agent_who_went_away_is_caught() {
    let lost = Lost::Condition("#present = :true");
    is_caught(&[(CLAIM_AGENT, lost)], &[cases::away()]);
}

#[test]
fn a_claim_of_a_caller_who_is_promised_already_is_caught() {
    let lost = Lost::Condition("attribute_not_exists(#offer)");
    let lost = [(CLAIM_CALLER, lost), ENTRY_IS_THERE];
    is_caught(&lost, &[cases::one_waits_for_two()]);
}

#[test]
fn a_claim_of_a_caller_who_has_left_is_caught() {
    let lost = Lost::Condition("attribute_exists(#place)");
    let lost = [(CLAIM_CALLER, lost), ENTRY_IS_THERE];
    is_caught(&lost, &[cases::longest_wait()]);
}

#[test]
fn a_claim_that_leaves_the_caller_in_the_queue_is_caught() {
    is_caught(&[(CLAIM_ENTRY, Lost::Write)], &[cases::one_and_one(10, 11)]);
}

#[test]
fn a_caller_who_leaves_with_an_agent_promised_is_caught() {
    let lost = Lost::Condition("attribute_not_exists(#offer)");
    let lost = [(LEAVE, lost), ENTRY_IS_THERE];
    is_caught(&lost, &[cases::longest_wait()]);
}

#[test]
fn an_agent_who_says_free_while_engaged_and_is_believed_is_caught() {
    let lost = Lost::Condition("attribute_not_exists(#offer) OR #free_from <= :now");
    is_caught(&[(FREE, lost)], &[cases::talk()]);
}

#[test]
fn an_agent_who_talks_under_another_promise_is_caught() {
    let lost = Lost::Condition("#offer = :offer");
    is_caught(&[(TALKS, lost)], &[cases::talk()]);
}

#[test]
fn a_call_that_begins_twice_is_caught() {
    let lost = Lost::Condition("attribute_not_exists(#line)");
    is_caught(
        &[(BEGIN, lost)],
        &[cases::crashed(cases::one_and_one(10, 11))],
    );
}

#[test]
fn a_claim_of_a_caller_who_hung_up_is_caught() {
    let lost = Lost::Condition("attribute_not_exists(#ended)");
    is_caught(&[(CLAIM_CALLER, lost)], &[cases::hang_up()]);
}
