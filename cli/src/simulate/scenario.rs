//! Scenarios: who calls whom when, and how the agents' phones behave. A file anyone can read.

use jiff::{SignedDuration, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use switchboard_phone::Manner;

/// Who calls where a scenario does not say: a number that is kept free for stories.
pub const CALLER: &str = "447700900123";

/// How long a scenario may go on. Longer than the longest call: whoever is still on the line then is
/// stranded.
pub const LONGEST: Duration = Duration::from_secs(3 * 3600);

/// When a phone that picks up does so, where a scenario does not say.
const ANSWERS_AFTER: Duration = Duration::from_secs(3);

/// When a phone that is declined is, where a scenario does not say.
const DECLINES_AFTER: Duration = Duration::from_secs(2);

/// What happens from outside: calls, phones, outages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it shows, in a sentence.
    #[serde(default)]
    pub title: String,
    /// When it begins: a moment, or a time on the wall of the plan's zone, like `2026-11-23T10:00`.
    pub at: Option<String>,
    /// The plan, relative to the scenario's own file; else the one the command names.
    pub plan: Option<PathBuf>,
    /// Callers.
    #[serde(default, rename = "call")]
    pub calls: Vec<Caller>,
    /// Agents, by their names in the plan. Those left out pick up after three seconds and talk until the
    /// caller hangs up.
    #[serde(default, rename = "agent")]
    pub agents: BTreeMap<String, Behaviour>,
    /// The board's store.
    #[serde(default)]
    pub store: Outages,
}

/// A caller.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Caller {
    /// Who.
    #[serde(default = "caller")]
    pub from: String,
    /// The line that is called.
    pub to: String,
    /// When, from the beginning.
    #[serde(default)]
    pub at: Time,
    /// Hangs up when not connected to anybody so long after calling.
    pub patience: Option<Time>,
    /// Hangs up so long after being connected to somebody. Half a minute unless said; `"for ever"` is
    /// until the other side hangs up.
    #[serde(default)]
    pub talks: Talks,
    /// What they do besides: `"10s press 1"`, `"5s say hello"`, `"1m hang up"`, from calling on.
    #[serde(default)]
    pub does: Vec<Deed>,
}

fn caller() -> String {
    CALLER.to_owned()
}

/// How long a caller talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Talks {
    /// So long.
    For(Duration),
    /// Until the other side hangs up.
    ForEver,
}

impl Default for Talks {
    fn default() -> Self {
        Self::For(Duration::from_secs(30))
    }
}

impl TryFrom<String> for Talks {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "for ever" {
            return Ok(Self::ForEver);
        }
        text.parse().map(|Time(time)| Self::For(time))
    }
}

/// An agent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Behaviour {
    /// What the phone does when it rings: one sentence for always, or one for each time, the last for
    /// all that follow. Who answers presses 1 where they are asked for a key, unless it says what else:
    /// `"answers after 3s, talks 20s"`, `"answers, presses 2 after 5s"`, `"answers, presses nothing"`, `"declines"`, `"silent"`, `"busy"`,
    /// `"unreachable"`, `"no such number"`, `"mailbox after 20s"`.
    #[serde(default)]
    pub phone: Phones,
    /// What the agent says to the board: `"40s free"`, `"2m away"`.
    #[serde(default)]
    pub says: Vec<Word>,
}

/// What a phone does each time it rings; the last stays. Nothing said: it is picked up.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Sentences")]
pub struct Phones(Vec<Manner>);

/// One sentence, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Sentences {
    One(String),
    Several(Vec<String>),
}

impl TryFrom<Sentences> for Phones {
    type Error = String;

    fn try_from(sentences: Sentences) -> Result<Self, String> {
        let sentences = match sentences {
            Sentences::One(one) => vec![one],
            Sentences::Several(several) => several,
        };
        let manners = sentences.iter().map(|text| {
            manner(text).ok_or_else(|| {
                format!(
                    "`{text}` is nothing a phone does; write answers, declines or mailbox (with `after 5s` if need be), \
                     silent, busy, unreachable or no such number; behind answers also `, talks 20s`, `, says hello`, `, presses 1 after 2s`, `, presses nothing`"
                )
            })
        });
        manners.collect::<Result<_, _>>().map(Self)
    }
}

impl Phones {
    /// What the phone does, each time it rings.
    #[must_use]
    pub fn manners(&self) -> Vec<Manner> {
        if self.0.is_empty() {
            return vec![Manner::answers(ANSWERS_AFTER, None)];
        }
        self.0.clone()
    }
}

/// When the store is away.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Outages {
    /// `"10s to 40s"`, from the beginning.
    #[serde(default)]
    pub away: Vec<Interval>,
}

/// A time from the beginning: `40s`, `1m30s`, `2h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no time; write it like 40s, 1m30s or 2h");
        let span: Span = text.parse().map_err(|_| wrong())?;
        let time = SignedDuration::try_from(span).map_err(|_| wrong())?;
        let time = Duration::try_from(time).map_err(|_| wrong())?;
        if time > LONGEST {
            return Err(format!(
                "`{text}` is longer than a scenario, which is 3 hours"
            ));
        }
        Ok(Self(time))
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// From when to when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Interval {
    /// It begins.
    pub from: Duration,
    /// It is over.
    pub to: Duration,
}

impl TryFrom<String> for Interval {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no interval; write it like 10s to 40s");
        let (from, to) = text.split_once(" to ").ok_or_else(wrong)?;
        let (Time(from), Time(to)) = (from.trim().parse()?, to.trim().parse()?);
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(wrong())
        }
    }
}

/// What a caller does at some time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Deed {
    /// From calling on.
    pub after: Duration,
    /// What.
    pub what: Doing,
}

/// What a caller can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// Presses keys.
    Press(String),
    /// Says something.
    Say(String),
    /// Hangs up.
    HangUp,
}

impl TryFrom<String> for Deed {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is nothing a caller does; write it like 10s press 1, 5s say hello, 1m hang up"
            )
        };
        let (Time(after), what) = timed(&text).ok_or_else(wrong)?;
        let what = match what.split_once(' ') {
            Some(("press", keys)) if keys.chars().all(|key| "0123456789*#".contains(key)) => {
                Doing::Press(keys.to_owned())
            }
            Some(("say", words)) => Doing::Say(words.trim().to_owned()),
            Some(("hang", "up")) => Doing::HangUp,
            _ => return Err(wrong()),
        };
        Ok(Self { after, what })
    }
}

/// What an agent says at some time.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Word {
    /// From the beginning.
    pub after: Duration,
    /// What.
    pub says: Says,
}

/// What an agent can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Ready for the next caller.
    Free,
    /// Not there.
    Away,
}

impl Says {
    /// As the board's route spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Away => "away",
        }
    }
}

impl TryFrom<String> for Word {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is nothing an agent says; write it like 40s free, 2m away");
        let (Time(after), word) = timed(&text).ok_or_else(wrong)?;
        let says = match word {
            "free" => Says::Free,
            "away" => Says::Away,
            _ => return Err(wrong()),
        };
        Ok(Self { after, says })
    }
}

fn timed(text: &str) -> Option<(Time, &str)> {
    let (time, what) = text.trim().split_once(' ')?;
    Some((time.parse().ok()?, what.trim()))
}

fn manner(text: &str) -> Option<Manner> {
    let mut clauses = text.split(',').map(str::trim);
    let first = clauses.next()?;
    let (verb, time) = match first.split_once(" after ") {
        Some((verb, time)) => (verb.trim(), Some(time.trim().parse::<Time>().ok()?.0)),
        None => (first, None),
    };
    if verb != "answers" && clauses.clone().next().is_some() {
        return None;
    }
    Some(match (verb, time) {
        ("answers", time) => {
            let (mut says, mut presses, mut talks) = (None, None, None);
            let mut takes = true;
            for clause in clauses {
                match clause.split_once(' ')? {
                    ("talks", time) => talks = Some(time.parse::<Time>().ok()?.0),
                    ("says", words) => says = Some(words.to_owned()),
                    ("presses", "nothing") => takes = false,
                    ("presses", keys) => {
                        takes = false;
                        let (keys, after) = keys.split_once(" after ")?;
                        presses = Some((after.parse::<Time>().ok()?.0, keys.to_owned()));
                    }
                    _ => return None,
                }
            }
            Manner::Answers {
                after: time.unwrap_or(ANSWERS_AFTER),
                says,
                presses,
                takes,
                talks,
            }
        }
        ("declines", time) => Manner::Declines(time.unwrap_or(DECLINES_AFTER)),
        ("mailbox", time) => Manner::Mailbox(time.unwrap_or(Manner::MAILBOX_AFTER)),
        ("silent", None) => Manner::Silent,
        ("busy", None) => Manner::Busy,
        ("unreachable", None) => Manner::Unreachable,
        ("no such number", None) => Manner::NoSuchNumber,
        _ => return None,
    })
}

impl Scenario {
    /// Reads a scenario. The error says where, and what to write in its place.
    ///
    /// # Errors
    /// When it is no TOML, or says something that is not understood.
    pub fn read(text: &str) -> Result<Self, Box<toml::de::Error>> {
        toml::from_str(text).map_err(Box::new)
    }

    /// One call to each of these lines, one after the other.
    #[must_use]
    pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let calls = lines.into_iter().zip(0..).map(|(line, index)| Caller {
            from: CALLER.to_owned(),
            to: line.to_owned(),
            at: Time(Duration::from_secs(300 * index)),
            patience: None,
            talks: Talks::default(),
            does: Vec::new(),
        });
        Self {
            title: "A call to each line".to_owned(),
            at: None,
            plan: None,
            calls: calls.collect(),
            agents: BTreeMap::new(),
            store: Outages::default(),
        }
    }

    /// The same callers again and again: so many calls in all, so many a second, each from a number of
    /// its own.
    #[must_use]
    pub fn times(mut self, calls: usize, rate: f64) -> Self {
        let model = self.calls.clone();
        let many = (0..calls).zip(model.iter().cycle()).map(|(index, caller)| {
            let index_in_time = u32::try_from(index).unwrap_or(u32::MAX);
            Caller {
                from: format!("4477{:08}", 1_000_000 + index),
                at: Time(Duration::from_secs_f64(f64::from(index_in_time) / rate)),
                ..caller.clone()
            }
        });
        self.calls = many.collect();
        self
    }
}
