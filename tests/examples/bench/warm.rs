//! One request after the other on a function that is up; and its memory afterwards.

use super::report::{Section, at_least, at_most, ms, ratio, times};
use super::stage::Stage;
use super::subject;
use std::time::{Duration, Instant};
use switchboard_shared::call::Call;
use switchboard_shared::plan::Plan;
use switchboard_tests::{unique, world};

/// Requests in each turn, and turns of each function.
const BATCH: usize = 100;
const TURNS: usize = 20;

pub(crate) async fn measure(stage: &Stage) -> Section {
    let mut subjects = vec![
        stage.hello(),
        stage.function("answer"),
        stage.answer_over_tls(),
    ];
    subjects.extend(stage.python());
    let mut running = Vec::new();
    for subject in subjects {
        let function = subject.start();
        subject::answer(&function, subject::call(stage)).await;
        running.push((subject.name, function, Vec::new()));
    }
    let mut writes = Vec::new();
    // In turns: what else the machine does hits all of them alike.
    for _ in 0..TURNS {
        for _ in 0..BATCH {
            writes.push(write(stage).await);
        }
        for (_, function, took) in &mut running {
            for _ in 0..BATCH {
                let event = subject::call(stage);
                let started = Instant::now();
                subject::answer(function, event).await;
                took.push(started.elapsed());
            }
        }
    }
    let mut section = Section::new(
        "Warm: one request after the other",
        &["", "median", "× hello", "p99", "aim", "memory (RSS)", "aim"],
    );
    let mut medians: Vec<Duration> = Vec::new();
    for (name, function, mut took) in running {
        took.sort();
        let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
        let rss = subject::memory(&function, "VmRSS:");
        medians.push(median);
        let slower = ratio(median, medians[0]);
        let (time, room) = match name {
            "answer" | "answer, TLS" => (
                at_most(0.6, "ms", median.as_secs_f64() * 1_000.0),
                at_most(16.0, "MiB", rss),
            ),
            "Python" => (
                at_least(3.0, "× answer", ratio(median, medians[1])),
                String::new(),
            ),
            _ => (String::new(), String::new()),
        };
        let rss = format!("{rss:.1} MiB");
        let cells = [
            name.to_owned(),
            ms(median),
            times(slower),
            ms(p99),
            time,
            rss,
            room,
        ];
        section.row(&cells);
        section.bar("warm, median", name, slower, None);
    }
    section.note(format!(
        "The write alone, from this process through the same SDK to the same engine: {}.",
        ms(super::cold::median(writes))
    ));
    section
}

/// What `answer` writes of a call.
async fn write(stage: &Stage) -> Duration {
    let leg = unique::uuid();
    let plan = Plan::parse(world::PLAN)
        .plan
        .expect("the plan of the tests has no fault");
    let call = Call {
        from: Some(world::CALLER.to_owned()),
        ..Call::new(
            leg.parse().unwrap(),
            format!("CON-{leg}").parse().unwrap(),
            "447700900004".to_owned(),
            jiff::Timestamp::now(),
            "https://example.com".to_owned(),
            &plan,
        )
    };
    let started = Instant::now();
    stage.world.board.store().begin(&call).await.unwrap();
    started.elapsed()
}
