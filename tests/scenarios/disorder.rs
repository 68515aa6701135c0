use crate::scenarios;
use std::path::{Path, PathBuf};
use switchboard_cli::simulate::{Played, Scenario, Simulation, play};

/// Disorders that each scenario is played in, unless a variable says otherwise.
const SEEDS: u64 = 3;

async fn played(file: &Path, disorder: Option<u64>) -> Played {
    let text = std::fs::read_to_string(file).expect("it is there");
    let scenario = Scenario::read(&text).unwrap_or_else(|error| panic!("{file:?}: {error}"));
    let plan: PathBuf = scenario.plan.clone().expect("each names its plan");
    let at = scenario.at.clone().expect("each says when");
    let how = Simulation {
        plan: file.parent().expect("it lies in a folder").join(plan),
        at: format!("{at}:00Z").parse().expect("a time"),
        seed: 1,
        disorder,
        at_once: 1,
    };
    play(&scenario, &how, |_, _| {}).await.expect("it plays")
}

fn seeds() -> u64 {
    std::env::var("SWITCHBOARD_DISORDER_SEEDS").map_or(SEEDS, |text| {
        text.parse()
            .expect("SWITCHBOARD_DISORDER_SEEDS is a number")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_comes_out_the_same_in_every_disorder() {
    for file in scenarios() {
        let tidy = played(&file, None).await;
        // What is lost while the store is away is lost in other ways in another order.
        if !tidy.ledger.is_whole() {
            continue;
        }
        for seed in 1..=seeds() {
            let disorderly = played(&file, Some(seed)).await;
            let which = format!("{} with disorder {seed}", file.display());
            assert_eq!(disorderly.ledger.outline, tidy.ledger.outline, "{which}");
            assert!(disorderly.is_well(), "{which}: {:#?}", disorderly.ledger);
        }
    }
}
