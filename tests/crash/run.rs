//! One seed: fifty calls, and the lives of a board beside them.

use crate::caller::{self, Draw, End};
use crate::fixtures;
use crate::life::Death;
use crate::plan::{LINES, QUEUE_STAFF};
use crate::staff;
use crate::verdict;
use crate::vonage::Vonage;
use crate::webhook_signing::Signer;
use jiff::SignedDuration;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_shared::clock::Clock;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Calls of a run.
const CALLS: usize = 50;

/// Calls at once.
const TRUNKS: usize = 10;

/// Bytes of a recording that is archived in parts: one part and a bit.
const IN_PARTS: usize = 9 * 1024 * 1024;

/// A run whose calls do not end meanwhile hangs.
const GUARD: Duration = Duration::from_secs(180);

/// How often it is looked whether all are on hold. Then nothing happens before the music ends, and
/// where the clock is ours it ends at once.
const BEAT: Duration = Duration::from_millis(25);

/// Beats of a tune otherwise.
const TUNE: u32 = 12;

/// What a tune lasts where the clock can be moved on.
const TUNE_LASTS: SignedDuration = SignedDuration::from_secs(7);

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) faults: Vec<String>,
    served: usize,
    told: usize,
    hung_up: usize,
    dropped: usize,
    moved: usize,
    archived: usize,
    in_parts: usize,
    lives: usize,
    webhooks: usize,
}

/// What came of all runs.
#[derive(Debug, Default)]
pub(crate) struct Tally(Ran, usize);

impl Tally {
    pub(crate) fn add(&mut self, ran: &Ran) {
        self.1 += 1;
        let all = &mut self.0;
        all.served += ran.served;
        all.told += ran.told;
        all.hung_up += ran.hung_up;
        all.dropped += ran.dropped;
        all.moved += ran.moved;
        all.archived += ran.archived;
        all.in_parts += ran.in_parts;
        all.lives += ran.lives;
        all.webhooks += ran.webhooks;
    }

    /// Of many runs, each way a call can go was gone.
    pub(crate) fn assert_varied(&self) {
        let all = &self.0;
        eprintln!("{self:#?}");
        if self.1 < 10 {
            return;
        }
        for (what, count) in [
            ("served", all.served),
            ("told", all.told),
            ("hung up", all.hung_up),
            ("dropped", all.dropped),
            ("moved", all.moved),
            ("archived", all.archived),
            ("archived in parts", all.in_parts),
        ] {
            assert!(count > 0, "nobody was {what} in {} runs", self.1);
        }
    }
}

/// Runs a seed.
pub(crate) async fn run(seed: u64) -> Ran {
    let mut dice = fastrand::Rng::with_seed(seed);
    let signer = Signer {
        secret: format!("the secret of seed {seed}, long enough"),
        application_id: fixtures::APPLICATION_ID.to_owned(),
        api_key: "abcd1234".to_owned(),
    };
    let (vonage, server) = Vonage::open(signer);
    let mut ran = Ran::default();
    let (over, is_over) = watch::channel(false);
    let calls = tokio::spawn(calls(Arc::clone(&vonage), draws(seed, &mut dice), over));
    let mut staff = JoinSet::new();
    for agent in QUEUE_STAFF {
        let (vonage, dice) = (Arc::clone(&vonage), dice.fork());
        staff.spawn(async move { staff::work(vonage, agent, dice).await });
    }
    let time = Arc::new(Mutex::new(None));
    let beats = tokio::spawn(beat(Arc::clone(&vonage), Arc::clone(&time)));

    for life in 0..dice.usize(1..=3) {
        let death = death(life, &mut dice);
        let mut is_over = is_over.clone();
        let over = async {
            is_over.wait_for(|over| *over).await.ok();
        };
        vonage.lives.live(&server.url(), death, over).await;
        ran.lives += 1;
    }
    let (board, clock) = vonage.lives.last(&server.url()).await;
    *time.lock().unwrap() = Some(clock.clone());

    match tokio::time::timeout(GUARD, calls).await {
        Ok(ends) => {
            for end in ends.unwrap() {
                match end {
                    End::Served => ran.served += 1,
                    End::Told => ran.told += 1,
                    End::HungUp => ran.hung_up += 1,
                    End::Dropped => ran.dropped += 1,
                }
            }
            while staff.join_next().await.is_some() {}
            verdict::look(&vonage, &board, &clock).await;
        }
        Err(_) => vonage.fault("the calls do not end".to_owned()),
    }
    beats.abort();
    let (archived, in_parts) = verdict::archived(&vonage, &board).await;
    (ran.archived, ran.in_parts) = (archived, in_parts);
    ran.moved = vonage.stage().moved;
    ran.webhooks = vonage.stage().acknowledged.len();
    board.stop().await;
    ran.faults = std::mem::take(&mut vonage.stage().faults);
    if !ran.faults.is_empty() {
        let log = std::env::temp_dir().join(format!("switchboard-crash-{seed}.log"));
        std::fs::write(&log, vonage.lives.said()).unwrap();
        ran.faults
            .push(format!("what the killed boards logged: {}", log.display()));
    }
    ran
}

/// All that is random about the calls.
fn draws(seed: u64, dice: &mut fastrand::Rng) -> Vec<Draw> {
    let all: u32 = LINES.iter().map(|(_, share)| share).sum();
    let draw = |number: usize| {
        let mut left = dice.u32(..all);
        let line = LINES.iter().find(|(_, share)| {
            let here = left < *share;
            left = left.saturating_sub(*share);
            here
        });
        let recording = match dice.u8(..8) {
            // One in parts, now and then: nine megabytes take their time.
            _ if number == 20 && seed.is_multiple_of(4) => Some(IN_PARTS),
            0 => Some(dice.usize(1..200_000)),
            _ => None,
        };
        Draw {
            leg: format!("leg-{number}"),
            line: line.expect("the shares are all there is").0,
            recording,
            dice: dice.fork(),
        }
    };
    (0..CALLS).map(draw).collect()
}

/// The first life has more to live for.
fn death(life: usize, dice: &mut fastrand::Rng) -> Death {
    let unborn = life > 0 && dice.u8(..5) == 0;
    let delay = match dice.u8(..3) {
        _ if unborn => dice.u64(..150_000),
        0 => 0,
        _ => dice.u64(..15_000),
    };
    Death {
        moment: dice.u32(1..if life == 0 { 500 } else { 200 }),
        delay: Duration::from_micros(delay),
        unborn,
    }
}

/// The calls, as lines are free.
async fn calls(vonage: Arc<Vonage>, draws: Vec<Draw>, over: watch::Sender<bool>) -> Vec<End> {
    let trunks = Arc::new(Semaphore::new(TRUNKS));
    let mut calls = JoinSet::new();
    for draw in draws {
        let trunk = Arc::clone(&trunks).acquire_owned().await.unwrap();
        let vonage = Arc::clone(&vonage);
        calls.spawn(async move {
            let end = caller::call(vonage, draw).await;
            drop(trunk);
            end
        });
    }
    let ends = calls.join_all().await;
    over.send_replace(true);
    ends
}

/// Tunes end. When everybody on the phone hears one, time passes, where it is ours.
async fn beat(vonage: Arc<Vonage>, time: Arc<Mutex<Option<Clock>>>) {
    let mut played = 0;
    loop {
        tokio::time::sleep(BEAT).await;
        played += 1;
        let clock = time.lock().unwrap().clone();
        let ends = match clock {
            Some(clock) if vonage.all_hold() => {
                clock.advance(TUNE_LASTS);
                true
            }
            _ => played >= TUNE,
        };
        if ends {
            played = 0;
            vonage.ticks.send_modify(|ticks| *ticks += 1);
        }
    }
}
