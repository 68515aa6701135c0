//! What is counted, for CloudWatch: each a line of the log, in CloudWatch's embedded metric format.
//!
//! Nothing is sent and nobody waits: CloudWatch takes the numbers out of the log. A fact is counted
//! where it is decided once, by the write that says it is the first of its kind, so that a webhook
//! told twice counts once. A process that is killed in between leaves a count out; none is made twice.
//!
//! A metric carries the stack's name and nothing else: no number, no line, no agent, no call. Those are in
//! the ledger, and each would be a metric of its own to pay for.
//!
//! See [AWS/CloudWatch/Embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).

use crate::config::Lookup;
use crate::ledger::Price;
use crate::script::Decision;
use jiff::{SignedDuration, Timestamp};
use std::fmt;
use std::io::Write;
use std::sync::OnceLock;

/// Where CloudWatch shows them.
pub const NAMESPACE: &str = "Switchboard";

/// The one dimension: whose they are.
pub const DIMENSION: &str = "Stack";

/// Longest name of a stack, in characters.
///
/// See [AWS/CloudFormation/CreateStack](https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html).
const STACK_LENGTH_MAX: usize = 128;

/// The stack, where this process prints what it counts.
static STACK: OnceLock<String> = OnceLock::new();

/// Something that is counted, and how much of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A call began: it is in the ledger now.
    Calls,
    /// A caller hung up who waited in a queue or a room, or for whom a phone rang from there.
    Abandoned,
    /// How long a caller was in a queue or a room until somebody talked to them. Of several queues,
    /// the last one.
    Wait(SignedDuration),
    /// A webhook was refused that Vonage did not sign, or not with our secret.
    Unsigned,
    /// A caller came to a flow whose agents are all off duty; to a queue, whose agents are all away.
    NobodyOnDuty,
    /// How many callers wait in queues and rooms. Measured by the sweep.
    WaitingCallers(usize),
    /// How long the caller has been in a queue or a room who is in it longest; 0 where none is.
    /// Measured by the sweep.
    LongestWait(SignedDuration),
    /// How old the notice of the oldest recording is that is still to be archived; 0 where none is.
    /// Measured by the sweep.
    RecordingsPendingAge(SignedDuration),
    /// How long a recording took from its end until it lay in the bucket, checked.
    ArchiveAge(SignedDuration),
    /// Telling somebody was given up.
    NotificationsFailed,
    /// The phone of one of a hotline's staff failed so often in a row that people are told.
    StaffFailing,
    /// What Vonage says that a leg cost, once it is over. Vonage names no currency: it is that of the
    /// account.
    Price(Price),
    /// Somebody on the line was told that we are sorry.
    Apologies,
    /// There was no plan to go by.
    NoPlan,
}

/// How CloudWatch is to read a metric's values.
///
/// See [AWS/CloudWatch/MetricDatum](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time.
    Seconds,
    /// CloudWatch has no unit for money.
    None,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "Count",
            Self::Seconds => "Seconds",
            Self::None => "None",
        })
    }
}

/// A number, written as JSON has it.
enum Value {
    Count(usize),
    Time(SignedDuration),
    Money(Price),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Time(time) => {
                // Vonage's clock and ours differ a little, and nobody waits for less than nothing.
                let millis = time.as_millis().max(0);
                write!(f, "{}.{:03}", millis / 1000, millis % 1000)
            }
            Self::Money(price) => write!(f, "{price}"),
        }
    }
}

impl Metric {
    /// The names of all there are.
    pub const NAMES: [&'static str; 14] = [
        "Calls",
        "Abandoned",
        "Wait",
        "Unsigned",
        "NobodyOnDuty",
        "WaitingCallers",
        "LongestWait",
        "RecordingsPendingAge",
        "ArchiveAge",
        "NotificationsFailed",
        "StaffFailing",
        "Price",
        "Apologies",
        "NoPlan",
    ];

    /// Its name in CloudWatch.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Calls => "Calls",
            Self::Abandoned => "Abandoned",
            Self::Wait(_) => "Wait",
            Self::Unsigned => "Unsigned",
            Self::NobodyOnDuty => "NobodyOnDuty",
            Self::WaitingCallers(_) => "WaitingCallers",
            Self::LongestWait(_) => "LongestWait",
            Self::RecordingsPendingAge(_) => "RecordingsPendingAge",
            Self::ArchiveAge(_) => "ArchiveAge",
            Self::NotificationsFailed => "NotificationsFailed",
            Self::StaffFailing => "StaffFailing",
            Self::Price(_) => "Price",
            Self::Apologies => "Apologies",
            Self::NoPlan => "NoPlan",
        }
    }

    /// Its unit in CloudWatch.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self.value() {
            Value::Count(_) => Unit::Count,
            Value::Time(_) => Unit::Seconds,
            Value::Money(_) => Unit::None,
        }
    }

    fn value(&self) -> Value {
        match *self {
            Self::Calls
            | Self::Abandoned
            | Self::Unsigned
            | Self::NobodyOnDuty
            | Self::NotificationsFailed
            | Self::StaffFailing
            | Self::Apologies
            | Self::NoPlan => Value::Count(1),
            Self::WaitingCallers(count) => Value::Count(count),
            Self::Wait(time)
            | Self::LongestWait(time)
            | Self::RecordingsPendingAge(time)
            | Self::ArchiveAge(time) => Value::Time(time),
            Self::Price(price) => Value::Money(price),
        }
    }

    /// Counts it. Nothing happens where [`begin`] has not said whose it is.
    pub fn record(&self, now: Timestamp) {
        let Some(stack) = STACK.get() else { return };
        // Whole, and under the lock that log lines are written under: no line runs into another. A
        // log that takes nothing is nobody's to tell.
        let _ = std::io::stdout()
            .lock()
            .write_all(self.line(stack, now).as_bytes());
    }

    /// The line of the log. By hand, since nothing in it needs escaping: our own names, a stack's, numbers.
    fn line(&self, stack: &str, now: Timestamp) -> String {
        let (name, unit, value) = (self.name(), self.unit(), self.value());
        let at = now.as_millisecond();
        format!(
            r#"{{"_aws":{{"Timestamp":{at},"CloudWatchMetrics":[{{"Namespace":"{NAMESPACE}","Dimensions":[["{DIMENSION}"]],"Metrics":[{{"Name":"{name}","Unit":"{unit}"}}]}}]}},"{DIMENSION}":"{stack}","{name}":{value}}}
"#
        )
    }
}

/// Has this process print what it counts from here on, for the stack that `SWITCHBOARD_STACK` names;
/// without it nothing is printed. For the start of a function: on a terminal nobody wants these lines,
/// so neither the board nor a command calls this.
pub fn begin(lookup: &mut Lookup) {
    let named = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if text.len() <= STACK_LENGTH_MAX && text.chars().all(fits) {
            Ok(text.to_owned())
        } else {
            Err("not a stack's name: letters, digits and dashes")
        }
    };
    if let Some(stack) = lookup.read("SWITCHBOARD_STACK", named) {
        // A second time changes nothing.
        let _ = STACK.set(stack);
    }
}

/// Counts the flows of a decision where nobody is on duty.
pub fn unstaffed(decision: &Decision<'_>, now: Timestamp) {
    for _ in &decision.unstaffed {
        Metric::NobodyOnDuty.record(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value as Json;
    use std::collections::BTreeSet;

    /// One of each, in the order of the enum. Whoever adds one is asked for it by [`place`].
    fn all() -> Vec<Metric> {
        let time = SignedDuration::from_millis(20_500);
        vec![
            Metric::Calls,
            Metric::Abandoned,
            Metric::Wait(time),
            Metric::Unsigned,
            Metric::NobodyOnDuty,
            Metric::WaitingCallers(3),
            Metric::LongestWait(time),
            Metric::RecordingsPendingAge(SignedDuration::ZERO),
            Metric::ArchiveAge(time),
            Metric::NotificationsFailed,
            Metric::StaffFailing,
            Metric::Price(Price::read("0.00450000").unwrap()),
            Metric::Apologies,
            Metric::NoPlan,
        ]
    }

    fn at() -> Timestamp {
        "2026-03-02T10:00:00.123Z".parse().unwrap()
    }

    fn read(metric: Metric) -> Json {
        let line = metric.line("calls-of-ours", at());
        let (json, rest) = line.split_once('\n').unwrap();
        assert!(rest.is_empty(), "one line: {line}");
        serde_json::from_str(json).unwrap()
    }

    fn keys(json: &Json) -> BTreeSet<&str> {
        json.as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    /// What CloudWatch takes for a unit.
    const UNITS: [&str; 27] = [
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    ];

    /// The rules of the format's page, by hand: what it says of each member, and its limits.
    #[test]
    fn every_line_is_what_the_embedded_metric_format_asks_for() {
        for metric in all() {
            let line = read(metric);
            let aws = &line["_aws"];
            assert_eq!(aws["Timestamp"], at().as_millisecond(), "{line}");
            let directives = aws["CloudWatchMetrics"].as_array().unwrap();
            assert_eq!(directives.len(), 1);
            let directive = &directives[0];
            let expected = ["Dimensions", "Metrics", "Namespace"];
            assert_eq!(keys(directive), expected.into());
            let namespace = directive["Namespace"].as_str().unwrap();
            assert!((1..=255).contains(&namespace.len()) && !namespace.starts_with("AWS/"));
            let sets = directive["Dimensions"].as_array().unwrap();
            for name in sets.iter().flat_map(|set| set.as_array().unwrap()) {
                // A dimension is a member of the root, and text. Of at most 30.
                let name = name.as_str().unwrap();
                let value = line[name].as_str().unwrap();
                assert!((1..=250).contains(&name.len()) && (1..=1024).contains(&value.len()));
                assert!(value.is_ascii() && !value.starts_with(':'));
            }
            assert!(sets.iter().all(|set| set.as_array().unwrap().len() <= 30));
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!((1..=100).contains(&metrics.len()));
            for of in metrics {
                let name = of["Name"].as_str().unwrap();
                assert!((1..=1024).contains(&name.len()));
                assert!(UNITS.contains(&of["Unit"].as_str().unwrap()), "{of}");
                // A metric's value is a member of the root, and a number.
                assert!(line[name].as_f64().is_some_and(f64::is_finite), "{line}");
            }
            // Nothing else: no more to pay for, and nothing to give away.
            let expected = ["_aws", DIMENSION, metric.name()];
            assert_eq!(keys(&line), expected.into());
        }
    }

    #[test]
    fn values_are_written_as_they_are() {
        for (metric, value) in [
            (Metric::Calls, "1"),
            (Metric::WaitingCallers(0), "0"),
            (Metric::WaitingCallers(12), "12"),
            (Metric::Wait(SignedDuration::from_millis(20_050)), "20.050"),
            (Metric::Wait(SignedDuration::from_secs(-1)), "0.000"),
            (
                Metric::Price(Price::read("12.00450000").unwrap()),
                "12.0045",
            ),
        ] {
            let line = metric.line("s", at());
            let name = metric.name();
            assert!(line.ends_with(&format!("\"{name}\":{value}}}\n")), "{line}");
        }
    }

    /// The place of a metric in [`all`].
    fn place(metric: &Metric) -> usize {
        match metric {
            Metric::Calls => 0,
            Metric::Abandoned => 1,
            Metric::Wait(_) => 2,
            Metric::Unsigned => 3,
            Metric::NobodyOnDuty => 4,
            Metric::WaitingCallers(_) => 5,
            Metric::LongestWait(_) => 6,
            Metric::RecordingsPendingAge(_) => 7,
            Metric::ArchiveAge(_) => 8,
            Metric::NotificationsFailed => 9,
            Metric::StaffFailing => 10,
            Metric::Price(_) => 11,
            Metric::Apologies => 12,
            Metric::NoPlan => 13,
        }
    }

    #[test]
    fn every_metric_is_on_the_page_about_them_with_its_unit() {
        let all = all();
        let places: Vec<usize> = all.iter().map(place).collect();
        assert_eq!(places, (0..Metric::NAMES.len()).collect::<Vec<_>>());
        let names: Vec<&str> = all.iter().map(Metric::name).collect();
        assert_eq!(names, Metric::NAMES);
        let page = include_str!("../../docs/metrics.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let told: Vec<(&str, &str)> = rows
            .map(|row| {
                let (name, rest) = row.split_once("` | ").unwrap();
                (name, rest.split(" | ").next().unwrap())
            })
            .collect();
        let units: Vec<String> = all.iter().map(|metric| metric.unit().to_string()).collect();
        let expected: Vec<(&str, &str)> = names
            .into_iter()
            .zip(units.iter().map(String::as_str))
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_stack_whose_name_could_break_a_line_is_a_fault() {
        for name in [
            "a\"b",
            "a b",
            "a\nb",
            "é",
            &"a".repeat(STACK_LENGTH_MAX + 1),
        ] {
            let name = name.to_owned();
            let mut lookup = Lookup::new(move |_| Some(name.clone()));
            begin(&mut lookup);
            let error = lookup.finish(Some(())).unwrap_err().to_string();
            assert!(
                error.contains("SWITCHBOARD_STACK: not a stack's name"),
                "{error}"
            );
        }
        assert_eq!(STACK.get(), None);
    }
}
