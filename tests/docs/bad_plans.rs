//! Plans that are refused or warned of, each with what `switchboard plan check` says.
//!
//! A new one is a file `tests/bad-plans/HEADING/SENTENCE.toml`, as small as it can be.

use crate::messages::messages;
use crate::page::{fenced, keep, note, sentence};
use crate::{names, place, text};
use jiff::civil::{Date, date};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use switchboard_cli::plan_report;
use switchboard_shared::plan::{Checked, Plan};
use switchboard_tests::binary::built;

const FOLDER: &str = "tests/bad-plans";
const PAGE: &str = "docs/bad-plans.md";

/// What a plan is called where it is checked: as everybody's is.
const NAME: &str = "switchboard.toml";

/// The day on which they are checked. Days in them lie years before or after it.
const TODAY: Date = date(2026, 11, 23);

/// Lines up to which a plan is shown on the page; a longer one is only linked.
const SHOWN_MAX: usize = 40;

/// Messages that no small file can show.
const NOT_SHOWN: [&str; 2] = [
    "the plan has {} KiB, more than {limit} KiB",
    "the plan was not read: there is no memory for tables in so many braces",
];

/// A plan with something wrong.
struct BadPlan {
    /// What is wrong, in words with dashes.
    name: String,
    path: String,
    text: String,
}

impl BadPlan {
    fn checked(&self) -> Checked {
        Plan::parse_on(&self.text, Some(TODAY))
    }

    /// What the command prints.
    fn report(&self) -> String {
        plan_report::draw(NAME, &self.text, &self.checked().faults, false)
    }

    fn section(&self) -> String {
        let (title, path) = (sentence(&self.name), &self.path);
        let mut section = format!("### {title}\n\n");
        if self.text.lines().count() > SHOWN_MAX {
            write!(section, "[`{path}`](../{path})\n\n").unwrap();
        } else {
            section.push_str(&fenced("toml", &self.text));
        }
        section.push_str(&fenced("text", &self.report()));
        section
    }
}

/// All of them, by heading.
fn bad_plans() -> BTreeMap<String, Vec<BadPlan>> {
    let of = |heading: &String| {
        let folder = format!("{FOLDER}/{heading}");
        let plans = names(&folder, ".toml").into_iter().map(|name| {
            let path = format!("{folder}/{name}.toml");
            let text = text(&path);
            BadPlan { name, path, text }
        });
        plans.collect()
    };
    let headings = names(FOLDER, "");
    headings
        .iter()
        .map(|heading| (heading.clone(), of(heading)))
        .collect()
}

#[test]
fn the_page_of_bad_plans_is_as_it_would_be_written() {
    let mut page = note(&format!("{FOLDER}/"));
    page.push_str(
        "# Plans that are refused\n\n`switchboard plan check` shows every fault of a plan in one run, with its line and what to do about \
         it. A plan with a fault (`×`) is not used; one with no more than warnings (`⚠`) is. Below, each plan has one thing wrong.\n",
    );
    for (heading, plans) in bad_plans() {
        write!(page, "\n## {}\n\n", sentence(&heading)).unwrap();
        for plan in plans {
            page.push_str(&plan.section());
        }
        page.truncate(page.trim_end().len());
        page.push('\n');
    }
    keep(&BTreeMap::from([(PAGE.to_owned(), page)]), None);
}

#[test]
fn every_bad_plan_has_something_wrong_with_it_and_says_what_to_do() {
    for plan in bad_plans().values().flatten() {
        let faults = plan.checked().faults;
        assert!(!faults.is_empty(), "{}", plan.path);
        // A plan that shows much at once shows nothing.
        assert!(faults.len() <= 3, "{}: {faults:?}", plan.path);
    }
}

#[test]
fn every_message_of_the_checker_is_in_some_bad_plan() {
    let told: Vec<String> = bad_plans()
        .values()
        .flatten()
        .flat_map(|plan| plan.checked().faults)
        .map(|fault| fault.message)
        .collect();
    let missing: Vec<String> = messages()
        .into_iter()
        .filter(|message| !NOT_SHOWN.contains(&message.text.as_str()))
        .filter(|message| !told.iter().any(|told| message.fits(told)))
        .map(|message| format!("{}: {}", message.file, message.text))
        .collect();
    assert!(
        missing.is_empty(),
        "no plan in {FOLDER} shows these; write one as {FOLDER}/HEADING/SENTENCE.toml and run `make docs`\n{}",
        missing.join("\n")
    );
}

#[test]
fn the_command_prints_what_the_page_shows() {
    let folder = tempfile::tempdir().unwrap();
    for plan in bad_plans().values().flatten() {
        std::fs::write(folder.path().join(NAME), &plan.text).unwrap();
        let ran = Command::new(built("switchboard"))
            .args(["plan", "check"])
            .current_dir(folder.path())
            .env_remove("RUST_LOG")
            .output()
            .unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(
            printed.trim_end(),
            plan.report().trim_end(),
            "{}",
            plan.path
        );
        assert_eq!(
            ran.status.success(),
            plan.checked().plan.is_some(),
            "{}",
            plan.path
        );
    }
    assert!(place(PAGE).is_file());
}
