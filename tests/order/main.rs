//! However the webhooks of a call are delayed, shuffled and repeated, what is left of it is the same:
//! the ledger, the queue, who is free, and what was asked of Vonage.
//!
//! A story is told twice, each time to a board of its own: once tidily, each webhook when it is due,
//! and once in disorder. What Vonage waits for an answer to cannot be late, since it decides what
//! happens next; everything else may come at any later time, in any order, up to three times.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod picture;
mod story;
mod telling;

use picture::Picture;
use proptest::prelude::*;
use proptest::test_runner::{TestRng, TestRunner};
use story::Story;
use switchboard_tests::world::{World, eventually};
use telling::{Delivery, Telling};

/// Stories per test, the same ones each time; `SWITCHBOARD_STORIES` says how many others to make up.
const STORIES: u32 = 16;

/// Tells the stories to one board each way and compares what is left.
fn check(stories: impl Strategy<Value = Vec<Story>>) {
    let more = std::env::var("SWITCHBOARD_STORIES").ok();
    let config = ProptestConfig {
        cases: more.as_ref().map_or(STORIES, |text| text.parse().unwrap()),
        failure_persistence: None,
        // A failure waits for what never comes about: each try at a smaller one costs seconds.
        max_shrink_iters: 4,
        ..ProptestConfig::default()
    };
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        None => {
            let rng = TestRng::deterministic_rng(config.rng_algorithm);
            TestRunner::new_with_rng(config, rng)
        }
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let told = runner.run(&(stories, any::<u64>()), |(stories, seed)| {
        runtime.block_on(compare(&stories, seed))
    });
    if let Err(error) = told {
        panic!("{error}");
    }
}

async fn compare(stories: &[Story], seed: u64) -> Result<(), TestCaseError> {
    let (tidy_world, world) = tokio::join!(open(), open());
    let (tidy, disorderly) = tokio::join!(
        Telling::new(&tidy_world, Delivery::Tidy).tell(stories),
        Telling::new(&world, Delivery::Disorder(seed)).tell(stories),
    );
    let expected = Picture::expected(stories, &tidy);
    settled(&tidy_world, &tidy, &expected, "told tidily").await?;
    prop_assert_eq!(
        disorderly.heard(),
        tidy.heard(),
        "what the callers hear, told in disorder {}",
        seed
    );
    settled(&world, &disorderly, &expected, "told in disorder").await?;
    // Nothing comes after it either.
    prop_assert_eq!(Picture::of(&world, &disorderly).await, expected);
    tokio::join!(tidy_world.board.stop(), world.board.stop());
    Ok(())
}

async fn open() -> World {
    World::with_plan(&story::plan()).await
}

/// Waits until the queue of jobs is worked off.
async fn settled(
    world: &World,
    telling: &Telling<'_>,
    expected: &Picture,
    how: &str,
) -> Result<(), TestCaseError> {
    let alike = eventually(|| async {
        let picture = Picture::of(world, telling).await;
        (picture == *expected).then_some(())
    });
    if tokio::time::timeout(std::time::Duration::from_secs(8), alike)
        .await
        .is_err()
    {
        let picture = Picture::of(world, telling).await;
        prop_assert_eq!(&picture, expected, "{}", how);
    }
    Ok(())
}

#[test]
fn the_events_of_a_ringing_line_may_come_in_any_order_and_any_number() {
    check(story::ring().prop_map(|story| vec![story]));
}

#[test]
fn the_events_of_a_caller_who_waits_may_come_in_any_order_and_any_number() {
    check(story::queue().prop_map(|story| vec![story]));
}

#[test]
fn calls_side_by_side_do_not_mind_one_anothers_disorder() {
    check(prop::collection::vec(story::call(), 2..=story::SLOTS));
}
