//! From `exec` to the first response.

use super::report::{Section, at_least, at_most, ms, ratio, times};
use super::stage::Stage;
use super::subject::{self, Subject};
use std::time::{Duration, Instant};

/// Starts of each; the median counts.
const STARTS: usize = 41;
/// Python takes a hundred times as long.
const STARTS_OF_PYTHON: usize = 7;

pub(crate) async fn measure(stage: &Stage) -> Section {
    let mut subjects = vec![
        (stage.hello(), STARTS),
        (stage.function("answer"), STARTS),
        (stage.answer_over_tls(), STARTS),
        (stage.answer_with_few_roots(), STARTS),
    ];
    subjects.extend(stage.python().map(|python| (python, STARTS_OF_PYTHON)));
    let mut took = vec![Vec::new(); subjects.len()];
    // In turns: what else the machine does hits all of them alike.
    for round in 0..STARTS {
        for ((subject, starts), took) in subjects.iter().zip(&mut took) {
            if round < *starts {
                took.push(start(stage, subject).await);
            }
        }
    }
    let medians: Vec<_> = took.into_iter().map(median).collect();
    let title = "Start: from exec to the first response";
    let mut section = Section::new(title, &["", "median", "× hello", "aim"]);
    for ((subject, _), &median) in subjects.iter().zip(&medians) {
        let slower = ratio(median, medians[0]);
        let limit = match subject.name {
            "answer" => Some(2.2),
            "answer, TLS" | "answer, TLS, 6 roots" => Some(3.0),
            _ => None,
        };
        let aim = match limit {
            Some(limit) => at_most(limit, "× hello", slower),
            None if subject.name == "Python" => {
                at_least(40.0, "× answer", ratio(median, medians[1]))
            }
            None => String::new(),
        };
        section.row(&[subject.name.to_owned(), ms(median), times(slower), aim]);
        section.bar("start", subject.name, slower, limit);
    }
    section
}

async fn start(stage: &Stage, subject: &Subject) -> Duration {
    let event = subject::call(stage);
    let started = Instant::now();
    let function = subject.start();
    subject::answer(&function, event).await;
    started.elapsed()
}

pub(crate) fn median(mut all: Vec<Duration>) -> Duration {
    all.sort();
    all[all.len() / 2]
}
