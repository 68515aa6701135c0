use switchboard_cli::simulate::{Scenario, Simulation, play};
use switchboard_tests::scenario::folder;

/// Calls of the load in `make test`; `make load` makes five hundred.
const CALLS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_at_once_in_disorder_strand_nobody_and_lose_nothing() {
    let scenario = Scenario::read(
        r#"
        [[call]]
        to = "447700900002"
        [[call]]
        to = "447700900003"
        [[call]]
        to = "447700900000"
        patience = "50s"
        [agent.alice]
        says = ["5s free"]
        [agent.bob]
        says = ["20s free"]
        "#,
    )
    .unwrap();
    let how = Simulation {
        plan: folder().join("plans/office.toml"),
        at: "2026-11-23T10:00:00Z".parse().unwrap(),
        seed: 1,
        disorder: Some(7),
        at_once: 16,
        meter: None,
    };
    let played = play(&scenario.times(CALLS, 20.0), &how, |_, _| {})
        .await
        .unwrap();
    let callers = played.callers();
    assert_eq!(callers.len(), CALLS);
    let stranded: Vec<_> = callers
        .iter()
        .filter_map(|caller| caller.stranded.clone())
        .collect();
    assert!(stranded.is_empty(), "{stranded:?}");
    assert!(played.ledger.is_whole(), "{:#?}", played.ledger);
    assert!(callers.iter().any(|caller| caller.served.is_some()));
    assert_eq!(played.recordings.0, played.recordings.1);
    assert!(!played.bare.is_empty());
}
