//! Every scenario, with every request of it going wrong in every way.

use crate::scenario::{Outcome, Scenario};
use crate::stage::{Stage, Way};
use crate::wire::{Fault, Spoil};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_cli::engines::Engines;
use switchboard_shared::clock::Clock;
use switchboard_shared::recording::State;
use tokio::task::JoinSet;

/// Cases that run at once. They wait more than they work: for what is late, and between tries.
const AT_ONCE: usize = 8;

/// No case takes so long unless it is stuck, even on a machine that stalls.
const STUCK: Duration = Duration::from_secs(120);

/// No answer takes so long unless it is stuck. What is promised is 1.5 s, and held by the deadline
/// that the functions set themselves; a clock on the wall proves nothing on a machine that stalls.
const FAR_TOO_LONG: Duration = Duration::from_secs(10);

/// Once: the SDK's own repetition makes up for it. Often: neither it nor Vonage's repetition does.
const ONCE: usize = 1;
const OFTEN: usize = 6;

/// What may go wrong with a request, and for how long. Each request of each scenario meets some of
/// them, by turns; all of them where [`EVERY`] is set, which takes many times as long.
const TURNS: [(Fault, usize); 12] = [
    (Fault::Lost, ONCE),
    (Fault::Broken, OFTEN),
    (Fault::Cut, ONCE),
    (Fault::Lost, OFTEN),
    (Fault::Reset, ONCE),
    (Fault::Throttled, OFTEN),
    (Fault::Late, ONCE),
    (Fault::Reset, OFTEN),
    (Fault::Throttled, ONCE),
    (Fault::Stuck, OFTEN),
    (Fault::Broken, ONCE),
    (Fault::Stuck, ONCE),
];

/// The variable that has every request meet every fault.
const EVERY: &str = "SWITCHBOARD_EVERY_FAULT";

/// A request that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Point {
    way: Way,
    operation: String,
    nth: usize,
}

/// A scenario in which one request goes wrong.
#[derive(Debug, Clone)]
struct Case {
    scenario: Scenario,
    point: Point,
    fault: Fault,
    times: usize,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point {
            way,
            operation,
            nth,
        } = &self.point;
        let times = if self.times == ONCE { "once" } else { "often" };
        write!(
            f,
            "{:?}: {way:?} {operation} no. {nth}, {:?} {times}",
            self.scenario, self.fault
        )
    }
}

/// What was found.
#[derive(Debug, Default)]
struct Report {
    cases: usize,
    missed: usize,
    failures: Vec<String>,
    points: BTreeMap<String, usize>,
    slowest_answer: Duration,
    slowest_reply: Duration,
}

/// Runs every case of some scenarios, and panics with all that went wrong.
pub(crate) async fn whatever_goes_wrong(scenarios: &[Scenario], per_request: usize) {
    let per_request = match std::env::var_os(EVERY) {
        Some(_) => TURNS.len(),
        None => per_request,
    };
    let mut turns = TURNS.iter().cycle();
    let engines = Arc::new(Engines::in_memory(Clock::default()).await.unwrap());
    let stage = Stage::open(Arc::clone(&engines)).await;
    let mut report = Report::default();
    let mut cases = VecDeque::new();
    let mut clean = Vec::new();
    for scenario in scenarios {
        stage.clear().await;
        let outcome = scenario.play(&stage, &format!("clean-{scenario:?}")).await;
        let seen = stage.take_seen();
        assert!(seen.wrong.is_empty(), "{scenario:?}: {:?}", seen.wrong);
        clean.push((*scenario, outcome));
        let points = points(&stage);
        report.points.insert(format!("{scenario:?}"), points.len());
        for point in points {
            for (fault, times) in turns.by_ref().take(per_request) {
                cases.push_back(Case {
                    scenario: *scenario,
                    point: point.clone(),
                    fault: *fault,
                    times: *times,
                });
            }
        }
    }
    drop(stage);
    report.cases = cases.len();
    let clean = Arc::new(clean);
    let work = Arc::new((Mutex::new(cases), Mutex::new(report)));
    let mut workers = JoinSet::new();
    for _ in 0..AT_ONCE {
        workers.spawn(worker(
            Arc::clone(&engines),
            Arc::clone(&clean),
            Arc::clone(&work),
        ));
    }
    while let Some(ended) = workers.join_next().await {
        ended.unwrap();
    }
    let report = std::mem::take(&mut *work.1.lock().unwrap());
    eprintln!(
        "{} cases from {:?} requests; {} not met; slowest answer {:?}, slowest reply {:?}",
        report.cases, report.points, report.missed, report.slowest_answer, report.slowest_reply,
    );
    assert!(
        report.failures.is_empty(),
        "{} of {} went wrong:\n{}",
        report.failures.len(),
        report.cases,
        report.failures.join("\n")
    );
    assert!(
        report.missed * 5 < report.cases,
        "{} of {} cases met no fault",
        report.missed,
        report.cases
    );
    assert!(report.slowest_answer < FAR_TOO_LONG, "an answer was stuck");
}

type Work = (Mutex<VecDeque<Case>>, Mutex<Report>);

/// Takes cases until none is left, on a stage that is made anew after one that went wrong, or whose
/// fault lasted.
async fn worker(engines: Arc<Engines>, clean: Arc<Vec<(Scenario, Outcome)>>, work: Arc<Work>) {
    let mut stage: Option<Arc<Stage>> = None;
    let mut number = 0;
    loop {
        let Some(case) = work.0.lock().unwrap().pop_front() else {
            return;
        };
        number += 1;
        let on = match stage.take() {
            Some(stage) => stage,
            None => Arc::new(Stage::open(Arc::clone(&engines)).await),
        };
        let expected = clean
            .iter()
            .find(|(scenario, _)| *scenario == case.scenario);
        let expected = expected.expect("it was run clean").1.clone();
        let running = {
            let (on, case) = (Arc::clone(&on), case.clone());
            // A task of its own, since what panics in it is a failure of this case alone.
            tokio::spawn(async move { run(&on, &case, number, &expected).await })
        };
        let ran = tokio::time::timeout(STUCK, running).await;
        let seen = on.take_seen();
        let mut report = work.1.lock().unwrap();
        report.slowest_answer = report.slowest_answer.max(seen.slowest_answer);
        report.slowest_reply = report.slowest_reply.max(seen.slowest_reply);
        let mut wrong = seen.wrong;
        match ran {
            Ok(Ok(met)) => report.missed += usize::from(!met),
            Ok(Err(panicked)) => wrong.push(format!("it panicked: {panicked}")),
            Err(_) => wrong.push("it is stuck".to_owned()),
        }
        if wrong.is_empty() {
            // A job that failed for good comes again by itself, perhaps in the midst of the next case,
            // whose own jobs could not be counted then: it gets another stage.
            stage = Some(on).filter(|_| case.times == ONCE);
        } else {
            let failure = format!("{case}: {}", wrong.join("; "));
            eprintln!("{failure}");
            report.failures.push(failure);
        }
    }
}

/// Runs one case. True when something did go wrong in it.
async fn run(stage: &Stage, case: &Case, number: usize, expected: &Outcome) -> bool {
    stage.clear().await;
    stage.spoil(
        case.point.way,
        Spoil {
            operation: case.point.operation.clone(),
            nth: case.point.nth,
            times: case.times,
            fault: case.fault,
        },
    );
    let outcome = case.scenario.play(stage, &number.to_string()).await;
    if !fine(&outcome, expected, case.times > ONCE) {
        stage.wrong(format!("{outcome:?} in place of {expected:?}"));
    }
    stage.wire(case.point.way).spoilt() > 0
}

/// What passes changes nothing. What lasts may cost a caller a talk, but not without a word; and a
/// recording may wait for the operator.
fn fine(outcome: &Outcome, expected: &Outcome, lasts: bool) -> bool {
    let recording = match outcome.recording {
        None | Some(State::Failed) if lasts => true,
        recording => recording == expected.recording,
    };
    let calls = outcome.talked.len() == expected.talked.len();
    let mut callers = (0..outcome.talked.len()).map(|index| {
        let same = outcome.talked[index] == expected.talked[index];
        same || (lasts && outcome.talked[index].is_empty() && outcome.apology[index])
    });
    recording && calls && callers.all(|fine| fine)
}

/// The requests of the scenario just played: per wire and operation, the first to the last.
fn points(stage: &Stage) -> Vec<Point> {
    let mut points = Vec::new();
    for way in Way::ALL {
        let mut counts = BTreeMap::<String, usize>::new();
        for operation in stage.at_risk(way) {
            let nth = counts.entry(operation.clone()).or_default();
            // Queues are asked all the time.
            if *nth == 0 || operation != "ReceiveMessage" {
                points.push(Point {
                    way,
                    operation,
                    nth: *nth,
                });
            }
            *nth += 1;
        }
    }
    points
}
