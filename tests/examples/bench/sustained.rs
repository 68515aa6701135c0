//! As many answers as one process gives when the next event always waits.

use super::report::{Section, ms, times};
use super::stage::Stage;
use super::subject;
use futures_util::{StreamExt, stream};
use std::time::{Duration, Instant};

/// Answers counted. Some seconds' worth.
const ANSWERS: usize = 10_000;
/// Python gives a tenth as many in the same time.
const ANSWERS_OF_PYTHON: usize = 2_000;
/// Events waiting ahead, so that the process never waits for one.
const AHEAD: usize = 8;

pub(crate) async fn measure(stage: &Stage) -> Section {
    let mut subjects = vec![
        (stage.hello(), ANSWERS),
        (stage.function("answer"), ANSWERS),
    ];
    subjects.extend(stage.python().map(|python| (python, ANSWERS_OF_PYTHON)));
    let title = "Sustained: answers of one process that always has the next event";
    let head = [
        "",
        "answers",
        "per second",
        "hello gives",
        "p99 between two",
    ];
    let mut section = Section::new(title, &head);
    let mut hello = None;
    for (subject, count) in subjects {
        let function = subject.start();
        subject::answer(&function, subject::call(stage)).await;
        let events: Vec<_> = (0..count).map(|_| subject::call(stage)).collect();
        let started = Instant::now();
        let function = &function;
        let answered: Vec<_> = stream::iter(events)
            .map(|event| async move {
                subject::answer(function, event).await;
                Instant::now()
            })
            .buffered(AHEAD)
            .collect()
            .await;
        let rate = count as f64 / started.elapsed().as_secs_f64();
        let mut between: Vec<Duration> = answered
            .windows(2)
            .map(|pair| pair[1].saturating_duration_since(pair[0]))
            .collect();
        between.sort();
        let fewer = *hello.get_or_insert(rate) / rate;
        section.row(&[
            subject.name.to_owned(),
            count.to_string(),
            format!("{rate:.0}"),
            times(fewer),
            ms(between[between.len() * 99 / 100]),
        ]);
        section.bar("time per answer, sustained", subject.name, fewer, None);
    }
    section
}
