//! `switchboard simulate`: calls that were never made.

use super::at::At;
use super::{Found, Global, show};
use crate::plan_report;
use crate::simulate::load::{self, Times};
use crate::simulate::{Played, Scenario, Simulation, play, transcript};
use anyhow::{Context as _, anyhow, bail};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

/// Webhooks under way at once where many calls are simulated: more than two cores can answer together.
const MANY_AT_ONCE: usize = 64;

/// Calls that are told one by one. More are counted.
const TOLD: usize = 20;

/// Most calls of one simulation: their journal is kept in memory, some 20 kB a call.
const CALLS_MAX: usize = 20_000;

/// Play calls against a board in memory, and print what callers hear. Nothing real is rung.
#[derive(Debug, clap::Args)]
pub(super) struct Simulate {
    /// Scenarios; without one, each line of the plan is called once.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The plan file, where a scenario names none.
    #[arg(long, default_value = "switchboard.toml", value_name = "FILE")]
    plan: PathBuf,
    /// When it begins, like 2026-12-25T10:00, in the plan's time zone.
    #[arg(long, value_name = "TIME")]
    at: Option<At>,
    /// So many calls, each from a number of its own, in place of the scenario's.
    #[arg(long, value_name = "N")]
    calls: Option<usize>,
    /// Calls a second, with --calls.
    #[arg(long, default_value_t = 20.0, value_name = "R", requires = "calls")]
    rate: f64,
    /// Have webhooks come late, twice, swapped and at the second attempt, by this seed.
    #[arg(long, value_name = "SEED")]
    disorder: Option<u64>,
    /// What ids are made from.
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
}

/// A caller, as JSON has them.
#[derive(Debug, Serialize)]
struct Told<'a> {
    from: &'a str,
    line: &'a str,
    agent: Option<&'a str>,
    waited: u64,
    talked: u64,
    ending: String,
    stranded: Option<String>,
}

impl Simulate {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        if !(self.rate.is_finite() && self.rate > 0.0) {
            bail!("--rate must be above 0");
        }
        if self
            .calls
            .is_some_and(|calls| calls == 0 || calls > CALLS_MAX)
        {
            bail!("--calls must be from 1 to {CALLS_MAX}");
        }
        let mut found = Found::Fine;
        let mut all = Vec::new();
        let scenarios = match self.files.as_slice() {
            [] => vec![None],
            files => files.iter().map(Some).collect(),
        };
        for file in scenarios {
            let (scenario, how) = self.read(file.map(PathBuf::as_path))?;
            let draws = std::io::stderr().is_terminal() && scenario.calls.len() > TOLD;
            let mut shown = 0;
            let played = play(&scenario, &how, |callers, over| {
                if draws && over >= shown + callers / 20 {
                    shown = over;
                    show::say(&format!("{over} of {callers} calls are over"));
                }
            })
            .await?;
            if !played.is_well() {
                found = Found::Problem;
            }
            if global.json {
                all.push(as_json(&scenario, &played));
            } else {
                show::line(&in_words(&scenario, &played, &how.plan));
            }
        }
        if global.json {
            show::json(&all);
        }
        Ok(found)
    }

    fn read(&self, file: Option<&Path>) -> anyhow::Result<(Scenario, Simulation)> {
        let mut scenario = match file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("could not read {}", file.display()))?;
                let read = Scenario::read(&text);
                Some(read.map_err(|error| anyhow!("{}: {error}", file.display()))?)
            }
            None => None,
        };
        let beside = |name: &Path| {
            file.and_then(Path::parent)
                .map_or_else(|| name.to_owned(), |folder| folder.join(name))
        };
        let named = scenario.as_ref().and_then(|scenario| scenario.plan.clone());
        let plan_file = named.map_or_else(|| self.plan.clone(), |name| beside(&name));
        let plan = plan_report::read(&plan_file)?;
        let scenario = scenario
            .take()
            .unwrap_or_else(|| Scenario::of_lines(plan.lines().map(|line| line.number.as_str())));
        if scenario.calls.is_empty() {
            bail!("nobody calls in this scenario; add a [[call]] with the line it goes `to`");
        }
        let zone = plan.defaults().timezone.as_ref();
        let at = match (&self.at, &scenario.at) {
            (Some(at), _) => at.moment(zone)?,
            (None, Some(text)) => {
                let at: At = text
                    .parse()
                    .map_err(|why| anyhow!("`at` of the scenario: {why}"))?;
                at.moment(zone)?
            }
            (None, None) => Timestamp::now(),
        };
        let (scenario, at_once) = match self.calls {
            Some(calls) => (scenario.times(calls, self.rate), MANY_AT_ONCE),
            None => (scenario, 1),
        };
        let how = Simulation {
            plan: plan_file,
            at,
            seed: self.seed,
            disorder: self.disorder,
            at_once,
            meter: None,
        };
        Ok((scenario, how))
    }
}

fn in_words(scenario: &Scenario, played: &Played, plan: &Path) -> String {
    let callers = played.callers();
    let mut text = String::new();
    let mut line = |words: &str| {
        text.push_str(words);
        text.push('\n');
    };
    if !scenario.title.is_empty() {
        line(&scenario.title);
    }
    line(&format!("{}, by {}", played.began, plan.display()));
    line("");
    if callers.len() <= TOLD {
        for one in transcript::of(played) {
            line(&one.to_string());
        }
        line("");
        for caller in &callers {
            line(&fared(caller));
        }
    } else {
        counted(played, &mut line);
    }
    let ledger = &played.ledger;
    line(&format!(
        "Ledger: {} events told, {} kept, {} missing, {} twice.",
        ledger.told,
        ledger.kept,
        ledger.missing.len(),
        ledger.twice.len()
    ));
    if played.recordings.0 > 0 {
        let (told, archived) = played.recordings;
        line(&format!(
            "Recordings: {told} announced, {archived} archived."
        ));
    }
    if ledger.mailboxes > 0 {
        let (left, written) = (ledger.messages, ledger.written_down);
        line(&format!("Messages: {left} left, {written} written down."));
    }
    text
}

fn fared(caller: &crate::simulate::Caller<'_>) -> String {
    let from = caller.leg.from();
    let mut words = format!("{from} to {}: ", caller.line);
    match caller.served {
        Some(agent) => words.push_str(&format!(
            "waited {} s, talked {} s with {agent}",
            caller.waited.as_secs(),
            caller.talked.as_secs()
        )),
        None => words.push_str(&format!("on the line for {} s", caller.waited.as_secs())),
    }
    let ending = caller
        .leg
        .ended()
        .map_or_else(|| "not over".to_owned(), |(_, why)| why.to_string());
    words.push_str(&format!("; {ending}"));
    if let Some(why) = &caller.stranded {
        words.push_str(&format!(". STRANDED: {why}"));
    }
    words.push('.');
    words
}

fn counted(played: &Played, line: &mut impl FnMut(&str)) {
    let callers = played.callers();
    let served = callers.iter().filter(|caller| caller.served.is_some());
    let stranded: Vec<_> = callers
        .iter()
        .filter(|caller| caller.stranded.is_some())
        .collect();
    let longest = callers.iter().map(|caller| caller.waited).max();
    line(&format!(
        "{} calls in {} s of their own time, played in {:.1} s: {} connected to somebody, {} stranded, the longest wait {} s.",
        callers.len(),
        played.lasted.as_secs(),
        played.took.as_secs_f64(),
        served.count(),
        stranded.len(),
        longest.unwrap_or_default().as_secs()
    ));
    for caller in stranded.iter().take(TOLD) {
        line(&fared(caller));
    }
    line(&format!("Most at once: {}.", most_at_once(played)));
    for (what, times) in [
        (
            "answer",
            Times::of(load::replies(played, "/webhooks/answer")),
        ),
        (
            "events",
            Times::of(load::replies(played, "/webhooks/event")),
        ),
        ("bare loopback", Times::of(played.bare.clone())),
    ] {
        if let Some(times) = times {
            line(&format!(
                "{what}: {} round trips, half within {:.2} ms, 99 % within {:.2} ms.",
                times.count, times.p50, times.p99
            ));
        }
    }
}

/// Callers on the line at the same time.
fn most_at_once(played: &Played) -> usize {
    let mut steps: Vec<(Timestamp, i32)> = Vec::new();
    for caller in played.callers() {
        steps.push((caller.leg.made(), 1));
        steps.extend(caller.leg.ended().map(|(at, _)| (at, -1)));
    }
    steps.sort_unstable();
    let mut now = 0;
    let counts = steps.iter().map(|(_, step)| {
        now += step;
        now
    });
    usize::try_from(counts.max().unwrap_or(0)).unwrap_or(0)
}

fn as_json(scenario: &Scenario, played: &Played) -> serde_json::Value {
    let callers = played.callers();
    let told = callers.iter().map(|caller| Told {
        from: caller.leg.from(),
        line: caller.line,
        agent: caller.served,
        waited: caller.waited.as_secs(),
        talked: caller.talked.as_secs(),
        ending: caller
            .leg
            .ended()
            .map_or_else(|| "not over".to_owned(), |(_, why)| why.to_string()),
        stranded: caller.stranded.clone(),
    });
    let ledger = &played.ledger;
    json!({
        "title": scenario.title,
        "at": played.began,
        "lines": transcript::of(played),
        "calls": told.collect::<Vec<_>>(),
        "most_at_once": most_at_once(played),
        "ledger": {
            "told": ledger.told,
            "kept": ledger.kept,
            "missing": ledger.missing.len(),
            "twice": ledger.twice.len(),
        },
        "messages": { "left": ledger.messages, "written_down": ledger.written_down },
        "recordings": { "announced": played.recordings.0, "archived": played.recordings.1 },
        "milliseconds": {
            "answer": Times::of(load::replies(played, "/webhooks/answer")),
            "event": Times::of(load::replies(played, "/webhooks/event")),
            "bare": Times::of(played.bare.clone()),
        },
        "well": played.is_well(),
    })
}
