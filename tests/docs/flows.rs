//! A page for each kind of flow.
//!
//! A new kind is a file `docs/flows/text/KIND.toml`, with its scenarios in `scenarios/`.

use crate::excerpt::excerpt;
use crate::keys::{Example, Key};
use crate::page::{fenced, keep, note};
use crate::{names, place, text};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use switchboard_cli::plan_graph::PlanGraph;
use switchboard_cli::simulate::Scenario;
use switchboard_shared::plan::Plan;
use switchboard_shared::plan::flow::KINDS;

const FOLDER: &str = "docs/flows";

/// What is written by hand about a kind of flow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// What it is, in two sentences.
    about: String,
    /// Names of scenarios, all by the same plan, in the order of the page.
    scenarios: Vec<String>,
    /// Every key but `type`.
    key: Vec<Key>,
}

/// A kind with its entry, and of the scenarios' plan what their calls can meet.
struct Kind {
    name: String,
    entry: Entry,
    plan: String,
}

impl Kind {
    fn read(name: &str) -> Self {
        let file = format!("{FOLDER}/text/{name}.toml");
        assert!(
            place(&file).is_file(),
            "flows of type `{name}` have no page: write {file} and run `make docs`"
        );
        let entry: Entry = toml::from_str(&text(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let (mut plans, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for scenario in &entry.scenarios {
            let path = format!("scenarios/{scenario}.toml");
            let read = Scenario::read(&text(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            plans.insert(read.plan.expect("each names its plan"));
            numbers.extend(read.calls.iter().map(|call| call.to.clone()));
        }
        let [plan] = plans.iter().collect::<Vec<_>>()[..] else {
            panic!("{file}: its scenarios are to have one plan, and have {plans:?}");
        };
        let plan = excerpt(&text(&format!("scenarios/{}", plan.display())), &numbers);
        Self {
            name: name.to_owned(),
            entry,
            plan,
        }
    }

    fn parsed(&self) -> Plan {
        Plan::parse(&self.plan).plan.expect("an excerpt is a plan")
    }

    /// A flow of the kind in its plan.
    fn example(&self) -> Example {
        let plan = self.parsed();
        let flow = plan.flows().find(|flow| flow.kind.word() == self.name);
        let flow = flow.unwrap_or_else(|| panic!("its scenarios meet no `{}`", self.name));
        Example::new(&self.plan, flow.name.as_str())
    }

    fn page(&self) -> String {
        let name = &self.name;
        let mut page = note(&format!("{FOLDER}/text/{name}.toml and scenarios/"));
        write!(
            page,
            "# `{name}`\n\n{}\n\n## Keys\n\n",
            self.entry.about.trim()
        )
        .unwrap();
        page.push_str("| key | what it says | written as | range | without it |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        for key in &self.entry.key {
            page.push_str(&key.row());
        }
        page.push_str("\n## A plan with it\n\n");
        page.push_str(&fenced("toml", &self.plan));
        write!(
            page,
            "Drawn by `switchboard plan graph`:\n\n![The plan above as boxes and arrows]({name}.svg)\n\n## What callers hear\n\n"
        )
        .unwrap();
        for scenario in &self.entry.scenarios {
            let story = text(&format!("scenarios/{scenario}.txt"));
            let (title, story) = story.split_once('\n').expect("a title stands first");
            write!(
                page,
                "### {title}\n\n`switchboard simulate` [`scenarios/{scenario}.toml`](../../scenarios/{scenario}.toml)\n\n"
            )
            .unwrap();
            page.push_str(&fenced("text", story.trim_start()));
        }
        page.truncate(page.trim_end().len());
        page.push('\n');
        page
    }

    fn picture(&self) -> String {
        let plan = self.parsed();
        let name = format!("A plan with a flow of type {}", self.name);
        PlanGraph::new(&plan).svg(&name).expect("it is small")
    }
}

/// The page with all kinds on it.
fn contents(kinds: &[Kind]) -> String {
    let mut page = note(&format!("{FOLDER}/text/"));
    page.push_str("# Flows\n\nWhat a caller can meet, one page for each `type`.\n\n");
    for kind in kinds {
        let about = kind.entry.about.trim();
        writeln!(page, "- [`{0}`]({0}.md): {about}", kind.name).unwrap();
    }
    page
}

fn kinds() -> Vec<Kind> {
    KINDS.iter().map(|name| Kind::read(name)).collect()
}

#[test]
fn every_kind_of_flow_has_its_page_as_it_would_be_written() {
    let kinds = kinds();
    let mut pages = BTreeMap::from([(format!("{FOLDER}/README.md"), contents(&kinds))]);
    for kind in &kinds {
        pages.insert(format!("{FOLDER}/{}.md", kind.name), kind.page());
        pages.insert(format!("{FOLDER}/{}.svg", kind.name), kind.picture());
    }
    keep(&pages, Some(FOLDER));
}

#[test]
fn nothing_is_written_about_a_kind_that_does_not_exist() {
    for name in names(&format!("{FOLDER}/text"), ".toml") {
        assert!(KINDS.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn a_page_names_every_key_that_the_checker_knows() {
    for kind in kinds() {
        let listed: BTreeSet<&str> = kind.entry.key.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(
            listed.len(),
            kind.entry.key.len(),
            "{}: one twice",
            kind.name
        );
        let known = kind.example().keys();
        let known: BTreeSet<&str> = known
            .iter()
            .map(String::as_str)
            .filter(|key| *key != "type")
            .collect();
        assert_eq!(
            listed, known,
            "keys of `{}` in {FOLDER}/text and in the checker",
            kind.name
        );
    }
}

#[test]
fn a_key_is_needed_or_has_its_default_as_its_page_says() {
    for kind in kinds() {
        let example = kind.example();
        for key in &kind.entry.key {
            key.check_default(&example);
        }
    }
}

#[test]
fn a_range_on_a_page_is_the_checkers() {
    for kind in kinds() {
        let example = kind.example();
        for key in &kind.entry.key {
            key.check_range(&example);
        }
    }
}
