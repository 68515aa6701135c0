//! What is left when a process is killed: a board in the middle of fifty calls, a function between its
//! write and its message.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) use switchboard_tests::*;

mod caller;
mod cloud;
mod gate;
mod half_done;
mod life;
mod plan;
mod run;
mod staff;
mod verdict;
mod vonage;

use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Runs in `make test`. Each is fifty calls, and takes ten seconds of a processor in a debug build:
/// `make crash` makes a faster one, and runs a hundred.
const SEEDS: u64 = 10;

/// Runs at once. A run waits for the disk and for processes to start as much as for the processor; but
/// more of them on two processors would have requests time out that no board's death is to blame for.
const AT_ONCE: usize = 2;

/// The seeds to run: the first few, as many as `SWITCHBOARD_CRASH_SEEDS` says, or the one that
/// `SWITCHBOARD_CRASH_SEED` names.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse().expect("a seed, and how many, is a number"))
    };
    match number("SWITCHBOARD_CRASH_SEED") {
        Some(seed) => seed..seed + number("SWITCHBOARD_CRASH_SEEDS").unwrap_or(1),
        None => 0..number("SWITCHBOARD_CRASH_SEEDS").unwrap_or(SEEDS),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_killed_in_the_midst_of_fifty_calls_leaves_nobody_stuck_and_loses_nothing() {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut runs = JoinSet::new();
    for seed in seeds() {
        let room = Arc::clone(&room);
        runs.spawn(async move {
            let _permit = room.acquire_owned().await.unwrap();
            // A panic in a run is its own: the others go on, and all that fail are named.
            let ran = tokio::spawn(run::run(seed)).await;
            (seed, ran)
        });
    }
    let mut tally = run::Tally::default();
    let mut failed = Vec::new();
    while let Some(ended) = runs.join_next().await {
        match ended.unwrap() {
            (_, Ok(ran)) if ran.faults.is_empty() => tally.add(&ran),
            (seed, Ok(ran)) => failed.push((seed, ran.faults.join("\n  "))),
            (seed, Err(panic)) => failed.push((seed, panic.to_string())),
        }
    }
    failed.sort();
    let told: Vec<_> = failed
        .iter()
        .map(|(seed, faults)| {
            format!(
                "seed {seed}:\n  {faults}\n  alone: SWITCHBOARD_CRASH_SEED={seed} cargo test \
                 --package switchboard-tests --test crash -- fifty_calls"
            )
        })
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    // What was never met proves nothing.
    tally.assert_varied();
}
