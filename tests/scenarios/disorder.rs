use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use switchboard_cli::simulate::{Played, Simulation, play};
use switchboard_phone::Direction;
use switchboard_tests::scenario;
use tokio::task::JoinSet;

/// Disorders that each scenario is played in, unless a variable says otherwise.
const SEEDS: u64 = 3;

/// Scenarios played at once: a play does one thing after the other, and mostly waits for loopback.
const AT_ONCE: usize = 3;

/// The same, of one that waits for the platform's pace most of the time.
const PACED_AT_ONCE: usize = 12;

/// A play takes a second, or the seconds of its pace. Where the machine stalls for so long, requests
/// are given up and tried again by the clock on the wall, and another story is told: it is told anew.
const STALLED: Duration = Duration::from_secs(60);

/// Twenty of a staff, rung at three a second.
const TWENTY: &str = "hotline-twenty.toml";

pub(crate) async fn played(file: &Path, disorder: Option<u64>) -> Played {
    let (scenario, how) = scenario::read(file);
    let how = Simulation { disorder, ..how };
    loop {
        let played = play(&scenario, &how, |_, _| {}).await.expect("it plays");
        if played.took < STALLED {
            return played;
        }
        eprintln!(
            "{} took {:?}, and is played again",
            file.display(),
            played.took
        );
    }
}

/// The scenarios to be played: all, unless a variable names some.
fn chosen() -> impl Iterator<Item = PathBuf> {
    let names = std::env::var("SWITCHBOARD_DISORDER_SCENARIOS").unwrap_or_default();
    let names: Vec<_> = names.split_whitespace().map(str::to_owned).collect();
    scenario::all().into_iter().filter(move |file| {
        names.is_empty()
            || names
                .iter()
                .any(|name| file.file_stem().is_some_and(|stem| stem == name.as_str()))
    })
}

fn seeds() -> u64 {
    std::env::var("SWITCHBOARD_DISORDER_SEEDS").map_or(SEEDS, |text| {
        text.parse()
            .expect("SWITCHBOARD_DISORDER_SEEDS is a number")
    })
}

/// Plays a scenario in every disorder, some at once, and looks at each. Ends at the first that `look`
/// complains of.
async fn in_every_disorder(
    file: &Path,
    at_once: usize,
    look: impl Fn(&Played) -> Result<(), String>,
) -> Result<(), String> {
    let mut plays = JoinSet::new();
    let mut seeds = 1..=seeds();
    loop {
        while plays.len() < at_once {
            let Some(seed) = seeds.next() else { break };
            let file = file.to_owned();
            plays.spawn(async move { (seed, played(&file, Some(seed)).await) });
        }
        let Some(ended) = plays.join_next().await else {
            return Ok(());
        };
        let (seed, played) = ended.expect("a play does not panic");
        look(&played).map_err(|why| format!("{} in disorder {seed}: {why}", file.display()))?;
    }
}

/// The same calls and a whole ledger, and nobody stranded.
fn tells_the_same(disorderly: &Played, tidy: &Played) -> Result<(), String> {
    let (outline, before) = (&disorderly.ledger.outline, &tidy.ledger.outline);
    if outline != before {
        return Err(format!("{outline:#?}, and in order it was {before:#?}"));
    }
    if !disorderly.is_well() {
        return Err(format!("{:#?}", disorderly.ledger));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ledger_comes_out_the_same_in_every_disorder() {
    let mut others = Vec::new();
    for file in chosen() {
        let tidy = played(&file, None).await;
        // What is lost while the store is away is lost in other ways in another order.
        if file.ends_with(TWENTY) || !tidy.ledger.is_whole() {
            continue;
        }
        let same = in_every_disorder(&file, AT_ONCE, |disorderly| {
            tells_the_same(disorderly, &tidy)
        });
        match same.await {
            Ok(()) => eprintln!("{}: the same in {} disorders", file.display(), seeds()),
            Err(other) => {
                eprintln!("{other}");
                others.push(other);
            }
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_staff_of_twenty_each_is_rung_once_in_every_disorder_and_in_the_ledger() {
    let Some(file) = chosen().find(|file| file.ends_with(TWENTY)) else {
        return;
    };
    let tidy = played(&file, None).await;
    let same = in_every_disorder(&file, PACED_AT_ONCE, |disorderly| {
        let mut rung = BTreeMap::new();
        for leg in &disorderly.legs {
            if leg.direction() == Direction::Outbound {
                *rung.entry(leg.to().to_owned()).or_insert(0) += 1;
            }
        }
        if rung.len() != 20 || rung.values().any(|count| *count != 1) {
            return Err(format!("not each of them is rung once: {rung:?}"));
        }
        let served = disorderly.callers()[0].served;
        if served != Some("otto") {
            return Err(format!("{served:?} is first, not Otto"));
        }
        tells_the_same(disorderly, &tidy)
    });
    same.await
        .expect("each is rung once, and Otto has the caller");
    eprintln!("{TWENTY}: each rung once in {} disorders", seeds());
}
