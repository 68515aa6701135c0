//! The keys of a flow, held to what the checker does with them.

use serde::Deserialize;
use switchboard_shared::plan::{Flow, FlowName, Plan, PlanFault};
use toml::Value;

/// One key, as its page tells of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    pub(crate) name: String,
    /// What it says, in one sentence.
    what: String,
    /// How it is written.
    unit: Unit,
    /// From the least to the most, both included: `1s to 2m`, `1 to 100`. Of text, its characters; of
    /// a list, its members.
    range: Option<String>,
    /// What holds without it, as the plan would write it.
    default: Option<Value>,
    /// What holds without it, where the plan could not write that.
    absent: Option<String>,
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    /// To be said: text, or SSML.
    Text,
    /// A word of a few, which `what` names.
    Word,
    /// `20s`, `1h30m`.
    Time,
    /// A whole number.
    Number,
    Bool,
    /// The name of a flow.
    Flow,
    /// Names of agents.
    Agents,
    /// https addresses.
    Addresses,
    /// One https address.
    Address,
    /// Windows of a week.
    Windows,
    /// Days.
    Dates,
    /// An IANA time zone.
    Zone,
    /// A language code.
    Language,
    /// A table of its own.
    Table,
    /// A list of words.
    Words,
    /// A list of tables, each with agents and when they are rung.
    Stages,
}

impl Unit {
    fn words(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Word => "word",
            Self::Time => "time: `20s`, `1h30m`",
            Self::Number => "number",
            Self::Bool => "`true` or `false`",
            Self::Flow => "name of a flow",
            Self::Agents => "names of agents",
            Self::Addresses => "https addresses",
            Self::Address => "https address",
            Self::Windows => "windows: `Mon-Fri 09:00-17:30`",
            Self::Dates => "days: `2026-12-25`, `2026-12-24/2026-12-26`",
            Self::Zone => "IANA time zone: `Europe/London`",
            Self::Language => "language code: `en-GB`",
            Self::Table => "table",
            Self::Words => "words",
            Self::Stages => "list of `{ after = \"15s\", agents = [\"alice\"] }`",
        }
    }
}

impl Key {
    /// Its line of the page's table.
    pub(crate) fn row(&self) -> String {
        let name = &self.name;
        let without = match (&self.default, &self.absent) {
            (Some(value), None) => format!("`{value}`"),
            (None, Some(words)) => words.clone(),
            (None, None) => "has to be there".to_owned(),
            (Some(_), Some(_)) => panic!("`{name}` has a default, or words for one"),
        };
        let range = match (&self.range, self.unit) {
            (None, _) => String::new(),
            (Some(range), Unit::Text) => format!("{range} characters"),
            (Some(range), _) => range.clone(),
        };
        let (what, unit) = (&self.what, self.unit.words());
        format!("| `{name}` | {what} | {unit} | {range} | {without} |\n")
    }

    /// Whether the checker wants it, does without it, or puts in its place what the page says.
    pub(crate) fn check_default(&self, example: &Example) {
        let (name, without) = (&self.name, example.without(&self.name));
        let Some(default) = &self.default else {
            let needed = self.absent.is_none();
            assert_eq!(without.is_err(), needed, "`{name}`: {without:?}");
            return;
        };
        let with = example.with(name, default.clone());
        let with = with.unwrap_or_else(|faults| panic!("`{name} = {default}`: {faults:?}"));
        assert_eq!(
            Ok(with),
            without,
            "`{name} = {default}` is not the same as nothing"
        );
    }

    /// Whether the checker draws the line where the page does.
    pub(crate) fn check_range(&self, example: &Example) {
        let (name, unit) = (&self.name, self.unit);
        let bounded = matches!(
            unit,
            Unit::Text | Unit::Time | Unit::Number | Unit::Agents | Unit::Addresses | Unit::Stages
        );
        assert_eq!(
            self.range.is_some(),
            bounded,
            "whether `{name}` has a range"
        );
        let Some(range) = &self.range else { return };
        let (least, most) = range
            .split_once(" to ")
            .expect("a range is `LEAST to MOST`");
        let number = |text: &str| text.parse::<i64>().expect("a range of numbers");
        let beyond = |value: Value| match example.with(name, value) {
            Ok(_) => Vec::new(),
            // Its size is what is asked for: names that nobody has, and the like, are no matter.
            Err(faults) => faults.iter().map(PlanFault::to_string).collect::<Vec<_>>(),
        };
        let outside = |value: Value, part: &str| {
            let told = beyond(value);
            told.iter().any(|fault| fault.contains(part))
        };
        match unit {
            Unit::Time => {
                let told = beyond(Value::from("99999s")).join("\n");
                let advice = format!("write a time from \"{least}\" to \"{most}\"");
                assert!(told.contains(&advice), "`{name}` within {range}: {told}");
            }
            Unit::Number => {
                for (value, out) in [
                    (number(least), false),
                    (number(most), false),
                    (number(least) - 1, true),
                    (number(most) + 1, true),
                ] {
                    let told = outside(Value::from(value), &format!("`{name}`"));
                    assert_eq!(told, out, "`{name} = {value}` within {range}");
                }
            }
            Unit::Text => {
                for (length, out) in [
                    (number(least), false),
                    (number(most), false),
                    (number(most) + 1, true),
                ] {
                    let said = "x".repeat(usize::try_from(length).expect("a length"));
                    let told = outside(Value::from(said), &format!("`{name}`"));
                    assert_eq!(told, out, "`{name}` of {length} characters within {range}");
                }
                assert!(outside(Value::from(""), &format!("`{name}`")));
            }
            _ => {
                for (size, out) in [
                    (number(least), false),
                    (number(most), false),
                    (number(most) + 1, true),
                ] {
                    let list: Vec<String> = (0..size)
                        .map(|n| format!("https://example.com/{n}"))
                        .collect();
                    let told = outside(Value::from(list), &format!("`{name}` has {size} "));
                    assert_eq!(told, out, "`{name}` with {size} members within {range}");
                }
                assert!(outside(Value::Array(Vec::new()), &format!("`{name}`")));
            }
        }
    }
}

/// A plan in which one flow is changed.
pub(crate) struct Example {
    plan: toml::Table,
    flow: String,
}

impl Example {
    pub(crate) fn new(plan: &str, flow: &str) -> Self {
        Self {
            plan: plan.parse().expect("a plan is TOML"),
            flow: flow.to_owned(),
        }
    }

    /// The flow as it is read, with a key changed or added.
    fn with(&self, key: &str, value: Value) -> Result<Flow, Vec<PlanFault>> {
        self.changed(|flow| {
            flow.insert(key.to_owned(), value);
        })
    }

    /// The flow as it is read without a key.
    fn without(&self, key: &str) -> Result<Flow, Vec<PlanFault>> {
        self.changed(|flow| {
            flow.remove(key);
        })
    }

    /// Every key that the checker knows of such a flow: it says so of one that it does not know.
    pub(crate) fn keys(&self) -> Vec<String> {
        let faults = self
            .with("qqqqqqqqqqqqqqqqqqqqqqqqqqqq", Value::from(1))
            .unwrap_err();
        let advice = faults
            .iter()
            .find_map(|fault| fault.advice.as_deref()?.strip_prefix("keys are "));
        let keys = advice.unwrap_or_else(|| panic!("{faults:?}"));
        keys.split(", ").map(str::to_owned).collect()
    }

    fn changed(&self, change: impl FnOnce(&mut toml::Table)) -> Result<Flow, Vec<PlanFault>> {
        let mut plan = self.plan.clone();
        let flows = plan.get_mut("flow").and_then(Value::as_table_mut);
        let flow = flows.and_then(|flows| flows.get_mut(&self.flow)?.as_table_mut());
        change(flow.expect("the flow is in the plan"));
        let checked = Plan::parse(&plan.to_string());
        let name = FlowName::new(self.flow.as_str()).expect("it has a name");
        let flow = checked.plan.as_ref().and_then(|plan| plan.flow(&name));
        flow.cloned().ok_or(checked.faults)
    }
}
