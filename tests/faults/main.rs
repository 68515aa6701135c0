//! Faults on the wire: between the board and its engines, and between the board and Vonage. In each
//! scenario each request goes wrong, one at a time; what was promised holds all the same.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) use switchboard_tests::*;

mod caller;
mod gone;
mod matrix;
mod scenario;
mod stage;

use matrix::whatever_goes_wrong;
use scenario::Scenario;

/// Faults that each request meets.
const PER_REQUEST: usize = 2;

/// The same where a case has 8 MiB to carry and to hash.
const PER_PART: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_a_caller_who_is_put_through_is_served_or_told() {
    let scenarios = [
        Scenario::Message,
        Scenario::Ring,
        Scenario::RingNext,
        Scenario::Masked,
    ];
    whatever_goes_wrong(&scenarios, PER_REQUEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_a_caller_who_waits_is_served_once_or_told() {
    let scenarios = [
        Scenario::Queue,
        Scenario::IdleAgent,
        Scenario::HangUp,
        Scenario::ByUrl,
    ];
    whatever_goes_wrong(&scenarios, PER_REQUEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_nobody_is_lost_between_two_agents_or_two_callers() {
    let scenarios = [
        Scenario::AgentFails,
        Scenario::FreeAfter,
        Scenario::NextInLine,
    ];
    whatever_goes_wrong(&scenarios, PER_REQUEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_a_recording_arrives_once_and_whole() {
    whatever_goes_wrong(&[Scenario::Recording], PER_REQUEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_goes_wrong_a_recording_in_parts_arrives_once_and_whole() {
    whatever_goes_wrong(&[Scenario::LongRecording], PER_PART).await;
}
