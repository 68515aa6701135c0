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

/// What is written by hand about a kind of flow, or about a form of it that has other keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Heading of a form; a kind is called by its type.
    title: Option<String>,
    /// What it is, in two sentences.
    about: String,
    /// Names of scenarios, all by the same plan, in the order of the page.
    scenarios: Vec<String>,
    /// Every key but `type`.
    key: Vec<Key>,
    /// Forms with other keys.
    #[serde(default)]
    form: Vec<Entry>,
}

/// A kind, or a form of it, with its entry, and of the scenarios' plan what their calls can meet.
struct Part {
    kind: &'static str,
    /// Its picture's file, without the ending.
    stem: String,
    entry: Entry,
    plan: String,
}

impl Part {
    /// A kind and its forms.
    fn read(kind: &'static str) -> Vec<Self> {
        let file = format!("{FOLDER}/text/{kind}.toml");
        assert!(
            place(&file).is_file(),
            "flows of type `{kind}` have no page: write {file} and run `make docs`"
        );
        let mut entry: Entry =
            toml::from_str(&text(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let forms = std::mem::take(&mut entry.form);
        let entries = std::iter::once(entry).chain(forms).enumerate();
        let stem = |at| {
            if at == 0 {
                kind.to_owned()
            } else {
                format!("{kind}-{}", at + 1)
            }
        };
        entries
            .map(|(at, entry)| Self::new(kind, stem(at), entry))
            .collect()
    }

    fn new(kind: &'static str, stem: String, entry: Entry) -> Self {
        let (mut plans, mut numbers) = (BTreeSet::new(), BTreeSet::new());
        for scenario in &entry.scenarios {
            let path = format!("scenarios/{scenario}.toml");
            let read = Scenario::read(&text(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            plans.insert(read.plan.expect("each names its plan"));
            numbers.extend(read.calls.iter().map(|call| call.to.clone()));
        }
        let [plan] = plans.iter().collect::<Vec<_>>()[..] else {
            panic!("{stem}: its scenarios are to have one plan, and have {plans:?}");
        };
        let plan = excerpt(&text(&format!("scenarios/{}", plan.display())), &numbers);
        Self {
            kind,
            stem,
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
        let flow = plan.flows().find(|flow| flow.kind.word() == self.kind);
        let flow = flow.unwrap_or_else(|| panic!("its scenarios meet no `{}`", self.kind));
        Example::new(&self.plan, flow.name.as_str())
    }

    /// What of the page is about it; of a form, one heading lower.
    fn section(&self) -> String {
        let (mut section, deep) = match &self.entry.title {
            None => (format!("# `{}`\n\n", self.kind), "##"),
            Some(title) => (format!("## {title}\n\n"), "###"),
        };
        let (about, stem) = (self.entry.about.trim(), &self.stem);
        write!(section, "{about}\n\n{deep} Keys\n\n").unwrap();
        section.push_str("| key | what it says | written as | range | without it |\n");
        section.push_str("| --- | --- | --- | --- | --- |\n");
        for key in &self.entry.key {
            section.push_str(&key.row());
        }
        write!(section, "\n{deep} A plan with it\n\n").unwrap();
        section.push_str(&fenced("toml", &self.plan));
        write!(
            section,
            "Drawn by `switchboard plan graph`:\n\n![The plan above as boxes and arrows]({stem}.svg)\n\n{deep} What callers hear\n\n"
        )
        .unwrap();
        for scenario in &self.entry.scenarios {
            let story = text(&format!("scenarios/{scenario}.txt"));
            let (title, story) = story.split_once('\n').expect("a title stands first");
            write!(
                section,
                "{deep}# {title}\n\n`switchboard simulate` [`scenarios/{scenario}.toml`](../../scenarios/{scenario}.toml)\n\n"
            )
            .unwrap();
            section.push_str(&fenced("text", story.trim_start()));
        }
        section
    }

    fn picture(&self) -> String {
        let plan = self.parsed();
        let name = format!("A plan with a flow of type {}", self.kind);
        PlanGraph::new(&plan).svg(&name).expect("it is small")
    }
}

/// The page of a kind.
fn page(parts: &[Part]) -> String {
    let mut page = note(&format!(
        "{FOLDER}/text/{}.toml and scenarios/",
        parts[0].kind
    ));
    page.extend(parts.iter().map(Part::section));
    page.truncate(page.trim_end().len());
    page.push('\n');
    page
}

/// The page with all kinds on it.
fn contents(kinds: &[Vec<Part>]) -> String {
    let mut page = note(&format!("{FOLDER}/text/"));
    page.push_str("# Flows\n\nWhat a caller can meet, one page for each `type`.\n\n");
    for kind in kinds.iter().map(|parts| &parts[0]) {
        let about = kind.entry.about.trim();
        writeln!(page, "- [`{0}`]({0}.md): {about}", kind.kind).unwrap();
    }
    page
}

/// All kinds, each with its forms.
fn kinds() -> Vec<Vec<Part>> {
    KINDS.iter().map(|kind| Part::read(kind)).collect()
}

#[test]
fn every_kind_of_flow_has_its_page_as_it_would_be_written() {
    let kinds = kinds();
    let mut pages = BTreeMap::from([(format!("{FOLDER}/README.md"), contents(&kinds))]);
    for parts in &kinds {
        pages.insert(format!("{FOLDER}/{}.md", parts[0].kind), page(parts));
        for part in parts {
            pages.insert(format!("{FOLDER}/{}.svg", part.stem), part.picture());
        }
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
    for kind in kinds().iter().flatten() {
        let listed: BTreeSet<&str> = kind.entry.key.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(
            listed.len(),
            kind.entry.key.len(),
            "{}: one twice",
            kind.stem
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
            kind.stem
        );
    }
}

#[test]
fn a_key_is_needed_or_has_its_default_as_its_page_says() {
    for kind in kinds().iter().flatten() {
        let example = kind.example();
        for key in &kind.entry.key {
            key.check_default(&example);
        }
    }
}

#[test]
fn a_range_on_a_page_is_the_checkers() {
    for kind in kinds().iter().flatten() {
        let example = kind.example();
        for key in &kind.entry.key {
            key.check_range(&example);
        }
    }
}
