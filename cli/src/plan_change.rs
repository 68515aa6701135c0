//! What changes from one plan to another, in words.

use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use switchboard_shared::number::PhoneNumber;
use switchboard_shared::plan::Plan;
use toml::{Table, Value};

/// One thing that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlanChange {
    /// What becomes of it.
    pub change: Change,
    /// What it is.
    pub what: What,
    /// Its name, or the number of a line; `None` for what a plan has once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a person calls it besides: a line's name, a flow's type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<String>,
    /// Of what is changed, the keys that are written otherwise. None are where it is changed by what it
    /// takes from `[defaults]`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// What becomes of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It comes.
    Added,
    /// It is there, and otherwise.
    Changed,
    /// It goes.
    Removed,
}

/// What a plan is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// `[defaults]`.
    Defaults,
    /// `[keep]`.
    Keep,
    /// A `[[line]]`.
    Line,
    /// An `[[agent]]`.
    Agent,
    /// A `[flow.…]`.
    Flow,
    /// A `[[notify]]`.
    Notify,
}

impl What {
    /// As it is written in the plan.
    fn word(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Keep => "keep",
            Self::Line => "line",
            Self::Agent => "agent",
            Self::Flow => "flow",
            Self::Notify => "notify",
        }
    }
}

impl fmt::Display for PlanChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.change {
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Removed => "removed",
        };
        write!(f, "{change} {}", self.what.word())?;
        if let Some(name) = &self.name {
            write!(f, " {name}")?;
        }
        if let Some(also) = &self.also {
            write!(f, " ({also})")?;
        }
        match (self.change, self.keys.as_slice()) {
            (Change::Changed, []) => f.write_str(": by [defaults]"),
            (_, []) => Ok(()),
            (_, keys) => write!(f, ": {}", keys.join(", ")),
        }
    }
}

/// What changes from one plan to another. Empty where calls are answered alike: the texts may still
/// differ, in comments, in their order or in how something is written.
#[must_use]
pub fn changes(old: &Plan, new: &Plan) -> Vec<PlanChange> {
    let texts = Texts {
        old: tree(old),
        new: tree(new),
    };
    let mut changes = Vec::new();
    changes.extend((old.defaults() != new.defaults()).then(|| texts.once(What::Defaults)));
    changes.extend((old.keep() != new.keep()).then(|| texts.once(What::Keep)));
    changes.extend(texts.each(What::Line, old.lines(), new.lines(), |line| {
        (line.number.to_string(), Some(line.name.clone()))
    }));
    changes.extend(
        texts.each(What::Agent, old.agents(), new.agents(), |agent| {
            (agent.name.to_string(), None)
        }),
    );
    changes.extend(texts.each(What::Flow, old.flows(), new.flows(), |flow| {
        (flow.name.to_string(), Some(flow.kind.word().to_owned()))
    }));
    changes.extend(
        texts.each(What::Notify, old.targets(), new.targets(), |target| {
            (target.name.to_string(), None)
        }),
    );
    changes
}

/// Both plans as they are written, to say which keys of something differ.
struct Texts {
    old: Table,
    new: Table,
}

fn tree(plan: &Plan) -> Table {
    // The checker knows every key, so nothing in here is nested deeply.
    plan.text().parse().expect("a plan is TOML")
}

impl Texts {
    /// Says what a plan has once is changed.
    fn once(&self, what: What) -> PlanChange {
        PlanChange {
            change: Change::Changed,
            what,
            name: None,
            also: None,
            keys: self.keys(what, ""),
        }
    }

    /// Compares what a plan has many of. `called` says by which name, and how besides.
    fn each<'p, T: PartialEq + 'p>(
        &self,
        what: What,
        old: impl Iterator<Item = &'p T>,
        new: impl Iterator<Item = &'p T>,
        called: impl Fn(&T) -> (String, Option<String>),
    ) -> Vec<PlanChange> {
        let mut gone: BTreeMap<String, &T> = old.map(|one| (called(one).0, one)).collect();
        let mut changes = Vec::new();
        for one in new {
            let (name, also) = called(one);
            let (change, keys) = match gone.remove(&name) {
                Some(same) if same == one => continue,
                Some(_) => (Change::Changed, self.keys(what, &name)),
                None => (Change::Added, Vec::new()),
            };
            changes.push(PlanChange {
                change,
                what,
                name: Some(name),
                also,
                keys,
            });
        }
        changes.extend(gone.into_values().map(|one| {
            let (name, also) = called(one);
            PlanChange {
                change: Change::Removed,
                what,
                name: Some(name),
                also,
                keys: Vec::new(),
            }
        }));
        changes
    }

    /// The keys that are written otherwise.
    fn keys(&self, what: What, name: &str) -> Vec<String> {
        let none = Table::new();
        let old = table(&self.old, what, name).unwrap_or(&none);
        let new = table(&self.new, what, name).unwrap_or(&none);
        let all: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differ = all.into_iter().filter(|key| old.get(*key) != new.get(*key));
        differ.cloned().collect()
    }
}

/// Where something is written.
fn table<'t>(tree: &'t Table, what: What, name: &str) -> Option<&'t Table> {
    let written = tree.get(what.word())?;
    let all = match what {
        What::Defaults | What::Keep => return written.as_table(),
        What::Flow => return written.get(name)?.as_table(),
        What::Line | What::Agent | What::Notify => written.as_array()?,
    };
    let is = |one: &&Table| {
        let text = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or_default();
        match what {
            // As people write it: +44 7700 900000.
            What::Line => PhoneNumber::parse(text("number")).is_ok_and(|it| it.as_str() == name),
            _ => text("name") == name,
        }
    };
    all.iter().filter_map(Value::as_table).find(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"
[defaults]
language = "en-GB"
timezone = "Europe/London"

[[line]]
number = "+44 7700 900000"
name = "Front desk"
flow = "support"

[[line]]
number = "447700900001"
name = "Sales"
flow = "closed"

[[agent]]
name = "alice"
phone = "447700900011"

[[agent]]
name = "bob"
phone = "447700900012"

[flow.support]
type = "queue"
say = "Please hold."
music = "https://example.com/a.mp3"
agents = ["alice", "bob"]
max-wait = "600s"
otherwise = "closed"

[flow.closed]
type = "message"
say = "We are closed."
"#;

    fn plan(text: &str) -> Plan {
        let checked = Plan::parse(text);
        checked
            .plan
            .unwrap_or_else(|| panic!("{:?}", checked.faults))
    }

    /// What changes when parts of [`OLD`] are replaced.
    fn changed(replaced: &[(&str, &str)]) -> Vec<String> {
        let mut text = OLD.to_owned();
        for (from, to) in replaced {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        let changes = changes(&plan(OLD), &plan(&text));
        changes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_is_added_changed_and_removed_is_named() {
        assert_eq!(
            changed(&[("+44 7700 900000", "447700900009")]),
            [
                "added line 447700900009 (Front desk)",
                "removed line 447700900000 (Front desk)"
            ]
        );
        assert_eq!(
            changed(&[("name = \"bob\"", "name = \"carol\""), (", \"bob\"", "")]),
            [
                "added agent carol",
                "removed agent bob",
                "changed flow support (queue): agents"
            ]
        );
        assert_eq!(
            changed(&[
                ("flow = \"closed\"", "flow = \"later\"\ncaller = \"mask\""),
                (
                    "[flow.closed]",
                    "[flow.later]\ntype = \"voicemail\"\nsay = \"Speak.\"\n\n[flow.closed]"
                ),
            ]),
            [
                "changed line 447700900001 (Sales): caller, flow",
                "added flow later (voicemail)"
            ]
        );
        assert_eq!(
            changed(&[(
                "[flow.support]",
                "[keep]\nrecordings = \"30d\"\n\n[[notify]]\nname = \"team\"\n\
                 slack = \"https://hooks.slack.com/services/a\"\n\n[flow.support]"
            )]),
            ["changed keep: recordings", "added notify team"]
        );
    }

    #[test]
    fn what_follows_from_the_defaults_is_said_to() {
        assert_eq!(
            changed(&[("language = \"en-GB\"", "language = \"fr-FR\"")]),
            [
                "changed defaults: language",
                "changed flow closed (message): by [defaults]",
                "changed flow support (queue): by [defaults]"
            ]
        );
    }

    #[test]
    fn what_only_reads_otherwise_is_no_change() {
        let none: [&str; 0] = [];
        for replaced in [
            &[("\"600s\"", "\"10m\"")][..],
            &[("+44 7700 900000", "447700900000")],
            &[("[flow.closed]", "# At night.\n[flow.closed]")],
            &[(
                "type = \"queue\"\nsay = \"Please hold.\"",
                "say = \"Please hold.\"\ntype = \"queue\"",
            )],
        ] {
            assert_eq!(changed(replaced), none, "{replaced:?}");
        }
    }

    #[test]
    fn a_program_reads_changes_as_json() {
        let text = OLD.replace("\"600s\"", "\"5m\"");
        insta::assert_json_snapshot!(changes(&plan(OLD), &plan(&text)), @r#"
        [
          {
            "change": "changed",
            "what": "flow",
            "name": "support",
            "also": "queue",
            "keys": [
              "max-wait"
            ]
          }
        ]
        "#);
    }
}
