//! Instructions of a start and of an answer, counted by callgrind: the same on a busy machine.

use super::report::{Section, times};
use super::stage::Stage;
use super::subject::{self, Subject};
use std::process::Command;

/// Answers after the first.
const WARM: u64 = 200;

pub(crate) async fn measure(stage: &Stage) -> Section {
    let title = "Instructions, outside of the kernel";
    let head = [
        "",
        "start and first answer",
        "× hello",
        "each answer after",
        "× hello",
    ];
    let mut section = Section::new(title, &head);
    if Command::new("valgrind").arg("--version").output().is_err() {
        section.note("Not counted: valgrind is not installed on this machine.");
        return section;
    }
    let mut hello = None;
    for subject in [
        stage.hello(),
        stage.function("answer"),
        stage.answer_over_tls(),
        stage.answer_with_few_roots(),
    ] {
        let first = count(stage, &subject, 0).await;
        let all = count(stage, &subject, WARM).await;
        let each = (all.saturating_sub(first)) / WARM;
        let (first_of, each_of) = *hello.get_or_insert((first, each));
        let millions = |count: u64| format!("{:.2} M", count as f64 / 1e6);
        let more = first as f64 / first_of as f64;
        section.row(&[
            subject.name.to_owned(),
            millions(first),
            times(more),
            millions(each),
            times(each as f64 / each_of as f64),
        ]);
        section.bar("instructions of a start", subject.name, more, None);
    }
    section
}

/// Instructions from `exec` to the end, with so many answers after the first.
async fn count(stage: &Stage, subject: &Subject, more: u64) -> u64 {
    let file = tempfile::NamedTempFile::new().unwrap();
    let out = format!("--callgrind-out-file={}", file.path().display());
    let counted = subject.under("valgrind", &["--tool=callgrind".to_owned(), out]);
    let function = counted.start();
    for _ in 0..=more {
        subject::answer(&function, subject::call(stage)).await;
    }
    // Asked to end, callgrind writes down what it counted.
    let pid = function.pid().to_string();
    Command::new("kill").arg(&pid).status().unwrap();
    let total = switchboard_tests::world::eventually(|| async {
        let text = std::fs::read_to_string(file.path()).ok()?;
        let total = text.lines().find_map(|line| {
            line.strip_prefix("totals:")
                .or(line.strip_prefix("summary:"))
        })?;
        total.trim().parse().ok()
    });
    let total = total.await;
    if let Ok(keep) = std::env::var("BENCH_CALLGRIND") {
        let name = format!(
            "{keep}/{}-{more}.callgrind",
            subject.name.replace(", ", "-")
        );
        std::fs::copy(file.path(), name).unwrap();
    }
    total
}
