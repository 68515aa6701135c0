use std::fmt::Write as _;
use std::process::Command;
use switchboard_tests::binary::built;
use switchboard_tests::scenario::{self, folder};

/// What `switchboard simulate` prints of a scenario, and its exit code.
fn simulate(file: &std::path::Path) -> String {
    let ran = Command::new(built("switchboard"))
        .current_dir(folder())
        .arg("simulate")
        .arg(file.file_name().expect("a scenario has a name"))
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary is built: `make test` builds it");
    let mut text = String::from_utf8(ran.stdout).expect("it prints text");
    text.push_str(&String::from_utf8_lossy(&ran.stderr));
    if let Some(code) = ran.status.code().filter(|code| *code != 0) {
        writeln!(text, "exit code {code}").expect("a string takes text");
    }
    text
}

#[test]
fn every_scenario_reads_as_its_transcript_does() {
    let writes = std::env::var("SWITCHBOARD_TRANSCRIPTS").is_ok_and(|word| word == "write");
    let mut differ = String::new();
    for file in scenario::all() {
        let kept = file.with_extension("txt");
        let played = simulate(&file);
        if writes {
            std::fs::write(&kept, &played).expect("it can be written");
            continue;
        }
        let expected = std::fs::read_to_string(&kept).unwrap_or_default();
        if expected != played {
            let (before, now) = expected
                .lines()
                .zip(played.lines())
                .find(|(before, now)| before != now)
                .unwrap_or(("(the end)", "(another length)"));
            let name = file.display();
            writeln!(differ, "{name}\n  was: {before}\n  now: {now}").expect("a string takes text");
        }
    }
    assert!(
        differ.is_empty(),
        "transcripts differ; SWITCHBOARD_TRANSCRIPTS=write writes them anew\n{differ}"
    );
}

#[test]
fn the_same_scenario_reads_the_same_each_time() {
    let file = folder().join("two-callers.toml");
    assert_eq!(simulate(&file), simulate(&file));
}

#[test]
fn every_kind_of_flow_is_in_some_scenario() {
    let plans = std::fs::read_dir(folder().join("plans")).expect("it is there");
    let plans = plans.map(|plan| {
        let path = plan.expect("it can be listed").path();
        std::fs::read_to_string(path).expect("it is text")
    });
    let plans: String = plans.collect();
    for kind in switchboard_shared::plan::flow::KINDS {
        assert!(plans.contains(&format!("type = \"{kind}\"")), "{kind}");
    }
}

#[test]
fn the_readme_shows_a_transcript_as_it_is() {
    let readme = std::fs::read_to_string(folder().join("../README.md")).expect("it is there");
    let kept = std::fs::read_to_string(folder().join("held.txt")).expect("it is there");
    let (_, story) = kept.split_once("\n\n").expect("a heading stands before it");
    assert!(readme.contains(story.trim_end()), "{story}");
}
