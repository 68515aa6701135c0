//! A scenario at work: on a board of its own, whose clock jumps; or on a deployed stack, in real time.

use super::ledger::Ledger;
use super::outage::Door;
use super::scenario::{Deed, Doing, LONGEST, Scenario, Talks};
use crate::board::{Board, BoardConfig};
use crate::environment::Environment;
use crate::meter::Meter;
use crate::plan_report;
use crate::trial::{self, Trial};
use anyhow::{Context as _, bail};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;
use switchboard_phone::audio::Voice;
use switchboard_phone::{Ending, Entry, Leg, LegId, Phone, Platform, What};
use switchboard_shared::clock::Clock;
use switchboard_shared::crypto;
use switchboard_shared::plan::Plan;
use switchboard_shared::recording::State;
use switchboard_shared::store::{Listing, Store};
use tokio::sync::watch;

/// Silence that makes a caller think the line is dead.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(10);

/// How often what happens in real time is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long a recording may take through the stack's queue into its bucket.
const ARCHIVED_WITHIN: Duration = Duration::from_secs(60);

/// Outbound legs in a second when many calls come at once: an account for that many has its limit
/// raised.
const LEGS_PER_SECOND: usize = 100;

/// How a scenario is played.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// The plan the board goes by.
    pub plan: PathBuf,
    /// When it begins.
    pub at: Timestamp,
    /// What the phone makes its ids from.
    pub seed: u64,
    /// Mishandles webhooks by this seed.
    pub disorder: Option<u64>,
    /// Webhooks under way at once. With one the same scenario gives the same calls.
    pub at_once: usize,
    /// Counts what the functions do, if somebody wants to know. What the board did before anybody called
    /// is in it too.
    pub meter: Option<Meter>,
}

/// What came of it.
#[derive(Debug)]
pub struct Played {
    /// When it began.
    pub began: Timestamp,
    /// How long it went on, by its own clock.
    pub lasted: SignedDuration,
    /// How long that took.
    pub took: Duration,
    /// Everything that happened.
    pub entries: Vec<Entry>,
    /// Every leg, as it was in the end.
    pub legs: Vec<Leg>,
    /// Names of lines and agents by their numbers.
    pub names: HashMap<String, String>,
    /// The ledger beside what the platform told.
    pub ledger: Ledger,
    /// Recordings that were told of, and how many of them are archived.
    pub recordings: (usize, usize),
    /// Round trips of the bare loopback, where many webhooks were under way at once.
    pub bare: Vec<Duration>,
}

/// How a caller fared.
#[derive(Debug, Clone)]
pub struct Caller<'a> {
    /// The leg.
    pub leg: &'a Leg,
    /// The line's name.
    pub line: &'a str,
    /// Who took the call.
    pub served: Option<&'a str>,
    /// From calling to being connected, or to the end.
    pub waited: Duration,
    /// How long they talked.
    pub talked: Duration,
    /// Why they count as stranded, if they do.
    pub stranded: Option<String>,
}

impl Played {
    /// The callers, in the order they called.
    #[must_use]
    pub fn callers(&self) -> Vec<Caller<'_>> {
        let mut first: HashMap<&str, (Timestamp, &str)> = HashMap::new();
        let mut spoken_to = HashSet::new();
        for entry in &self.entries {
            let Some(leg) = entry.leg.as_deref() else {
                continue;
            };
            match &entry.what {
                What::Joined { with } => {
                    first.entry(leg).or_insert((entry.at, with));
                }
                What::Hears(_) => {
                    spoken_to.insert(leg);
                }
                _ => {}
            }
        }
        let callers = self
            .legs
            .iter()
            .filter(|leg| leg.direction() == switchboard_phone::Direction::Inbound);
        callers
            .map(|leg| {
                let end = leg
                    .ended()
                    .map_or(self.began.saturating_add(self.lasted), |(at, _)| Ok(at))
                    .unwrap_or(self.began);
                let joined = first.get(leg.id());
                let talks =
                    joined.and_then(|(_, with)| self.legs.iter().find(|one| one.id() == *with));
                let talked = match (joined, talks) {
                    (Some((at, _)), Some(agent)) => {
                        let over = agent.ended().map_or(end, |(at, _)| at.min(end));
                        between(*at, over)
                    }
                    _ => Duration::ZERO,
                };
                Caller {
                    leg,
                    line: self.name(leg.to()),
                    served: talks.map(|agent| self.name(agent.to())),
                    waited: between(leg.made(), joined.map_or(end, |(at, _)| *at)),
                    talked,
                    stranded: stranded(leg, spoken_to.contains(leg.id())),
                }
            })
            .collect()
    }

    /// The name behind a number, or the number.
    #[must_use]
    pub fn name<'a>(&'a self, number: &'a str) -> &'a str {
        self.names.get(number).map_or(number, String::as_str)
    }

    /// Whether all is as it should be: nobody stranded, no event lost or kept twice, every recording
    /// archived.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.ledger.is_whole()
            && self.recordings.0 == self.recordings.1
            && self
                .callers()
                .iter()
                .all(|caller| caller.stranded.is_none())
    }
}

fn stranded(leg: &Leg, heard: bool) -> Option<String> {
    let why = match leg.ended() {
        None => "is still on the line".to_owned(),
        Some((_, Ending::NoScript)) => "was cut off: no script could be had".to_owned(),
        Some((_, Ending::Limit)) => "was left until the platform hung up".to_owned(),
        Some((_, Ending::ScriptOver)) if !heard => "was hung up on without a word".to_owned(),
        _ if leg.longest_silence() > SILENCE_MAX => {
            format!("heard nothing for {} s", leg.longest_silence().as_secs())
        }
        _ => return None,
    };
    Some(why)
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

/// Something that is to happen.
#[derive(Debug, Clone)]
enum Act {
    Calls(usize),
    Does(usize, Doing),
    LosesPatience(usize),
    HasTalked(usize),
    Says(String, &'static str),
    Store(bool),
}

/// A deployed stack, rung by a phone beside it.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Vonage's part. Nobody else drives it.
    pub phone: Phone,
    /// Where the stack is reached; no slash at the end.
    pub url: String,
    /// Lets act as operator.
    pub operator_token: String,
    /// Its table.
    pub store: Store,
}

/// Where calls are answered.
enum Site {
    Board(Box<Board>),
    Stack(Stack),
}

impl Site {
    fn url(&self) -> &str {
        match self {
            Self::Board(board) => board.url(),
            Self::Stack(stack) => &stack.url,
        }
    }

    fn operator_token(&self) -> &str {
        match self {
            Self::Board(board) => &board.secrets().operator_token,
            Self::Stack(stack) => &stack.operator_token,
        }
    }

    fn store(&self) -> &Store {
        match self {
            Self::Board(board) => board.store(),
            Self::Stack(stack) => &stack.store,
        }
    }
}

struct Stage {
    site: Site,
    phone: Phone,
    clock: Clock,
    scenario: Scenario,
    at_once: usize,
    /// What is to happen; of one moment's, what was planned first.
    agenda: BTreeMap<(Timestamp, usize), Act>,
    planned: usize,
    /// The leg of each caller, once they have called.
    legs: Vec<Option<LegId>>,
    /// Callers who were connected.
    connected: Vec<bool>,
    seen: u64,
    door: Option<Door>,
    http: reqwest::Client,
}

/// Plays a scenario. `progress` is told how many callers there are, and how many are done.
///
/// # Errors
/// When the plan cannot be used, the scenario names what the plan does not have, or the board does not
/// start.
pub async fn play(
    scenario: &Scenario,
    how: &Simulation,
    mut progress: impl FnMut(usize, usize),
) -> anyhow::Result<Played> {
    let plan = plan_report::read(&how.plan)?;
    let began = std::time::Instant::now();
    let mut stage = Stage::build(scenario, how, &plan).await?;
    stage.run(how.at, &mut progress).await?;
    let took = began.elapsed();
    stage.finish(how.at, &plan, took).await
}

/// Plays a scenario against a deployed stack, which goes by `plan`, in real time. Its phone may have
/// been called on before: what came of those calls is left out.
///
/// # Errors
/// When the scenario names what the plan does not have, or the stack's table does not answer.
pub async fn rehearse(scenario: &Scenario, plan: &Plan, stack: Stack) -> anyhow::Result<Played> {
    let began = std::time::Instant::now();
    let clock = Clock::default();
    let now = clock.now();
    let (phone, site) = (stack.phone.clone(), Site::Stack(stack));
    let mut stage = Stage::new(scenario, site, phone, clock)?;
    stage.learn(plan)?;
    stage.schedule(now);
    stage.run_in_real_time(now).await?;
    stage.finish(now, plan, began.elapsed()).await
}

impl Stage {
    async fn build(scenario: &Scenario, how: &Simulation, plan: &Plan) -> anyhow::Result<Self> {
        let clock = Clock::standing(how.at);
        let mut environment = Environment::default();
        // Nobody called, so nobody is told.
        environment.set("SWITCHBOARD_NOTIFY", "off");
        let door = if scenario.store.away.is_empty() {
            None
        } else {
            let door = Door::build(clock.clone()).await?;
            environment.set("AWS_ENDPOINT_URL_DYNAMODB", door.url());
            Some(door)
        };
        let many = scenario.calls.len() > switchboard_phone::LEGS_PER_SECOND;
        let board = Board::start(BoardConfig {
            data: None,
            port: 0,
            plan: how.plan.clone(),
            environment,
            clock: clock.clone(),
            delays: None,
            phone: Some(Trial {
                seed: how.seed,
                disorder: how.disorder,
                voice: Voice::Babble,
                journal: usize::MAX,
                legs_per_second: if many {
                    LEGS_PER_SECOND
                } else {
                    switchboard_phone::LEGS_PER_SECOND
                },
                stepped: true,
            }),
            meter: how.meter.clone(),
        })
        .await
        .context("could not start the board")?;
        let phone = board.phone().cloned().context("the board has no phone")?;
        let site = Site::Board(Box::new(board));
        let mut stage = Self {
            at_once: how.at_once,
            door,
            ..Self::new(scenario, site, phone, clock)?
        };
        stage.learn(plan)?;
        stage.schedule(how.at);
        Ok(stage)
    }

    fn new(scenario: &Scenario, site: Site, phone: Phone, clock: Clock) -> anyhow::Result<Self> {
        Ok(Self {
            legs: vec![None; scenario.calls.len()],
            connected: vec![false; scenario.calls.len()],
            scenario: scenario.clone(),
            site,
            phone,
            clock,
            at_once: 1,
            agenda: BTreeMap::new(),
            planned: 0,
            seen: 0,
            door: None,
            http: reqwest::Client::builder()
                .tls_backend_preconfigured(crypto::tls()?)
                .no_proxy()
                .build()?,
        })
    }

    /// Has the agents' phones behave.
    fn learn(&self, plan: &Plan) -> anyhow::Result<()> {
        let unknown = self
            .scenario
            .agents
            .keys()
            .find(|name| !plan.agents().any(|agent| agent.name.as_str() == *name));
        if let Some(name) = unknown {
            bail!("the scenario names the agent {name}, whom the plan does not have");
        }
        for agent in plan.agents() {
            let behaviour = self.scenario.agents.get(agent.name.as_str());
            let manners = behaviour.cloned().unwrap_or_default().phone.manners();
            let address = trial::address(&agent.endpoint);
            self.phone
                .with(|platform| platform.set_manners(address, manners));
        }
        Ok(())
    }

    fn schedule(&mut self, began: Timestamp) {
        let scenario = self.scenario.clone();
        for (index, caller) in scenario.calls.iter().enumerate() {
            let calls = after(began, caller.at.0);
            self.plan_act(calls, Act::Calls(index));
            for Deed { after: when, what } in &caller.does {
                self.plan_act(after(calls, *when), Act::Does(index, what.clone()));
            }
            if let Some(patience) = caller.patience {
                self.plan_act(after(calls, patience.0), Act::LosesPatience(index));
            }
        }
        for (name, behaviour) in &scenario.agents {
            for word in &behaviour.says {
                let act = Act::Says(name.clone(), word.says.word());
                self.plan_act(after(began, word.after), act);
            }
        }
        for away in &scenario.store.away {
            self.plan_act(after(began, away.from), Act::Store(false));
            self.plan_act(after(began, away.to), Act::Store(true));
        }
    }

    fn plan_act(&mut self, at: Timestamp, act: Act) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), act);
    }

    async fn run(
        &mut self,
        began: Timestamp,
        progress: &mut impl FnMut(usize, usize),
    ) -> anyhow::Result<()> {
        let last = after(began, LONGEST);
        loop {
            self.settle().await;
            self.notice();
            let callers = self.legs.len();
            let over = (0..callers).filter(|index| self.has_ended(*index));
            progress(callers, over.count());
            if self.is_over() {
                return Ok(());
            }
            let now = self.clock.now();
            let due = self.phone.look(Platform::due);
            let timer = self.clock.next().filter(|next| *next > now);
            let act = self.agenda.keys().next().map(|(at, _)| *at);
            let Some(next) = [due, timer, act].into_iter().flatten().min() else {
                return Ok(());
            };
            if next > last {
                return Ok(());
            }
            self.clock.set(next.max(now));
            self.phone.with(|_| ());
            self.act_until(next).await?;
        }
    }

    /// The same where nobody can move the clock: the phone runs by itself.
    async fn run_in_real_time(&mut self, began: Timestamp) -> anyhow::Result<()> {
        let last = after(began, LONGEST);
        let (_stop, mut stopped) = watch::channel(());
        let runs = self.phone.clone();
        // Until this returns.
        tokio::spawn(async move {
            runs.run(async move { while stopped.changed().await.is_ok() {} })
                .await;
        });
        loop {
            self.notice();
            let now = self.clock.now();
            if self.is_over() || now > last {
                return Ok(());
            }
            self.act_until(now).await?;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn act_until(&mut self, now: Timestamp) -> anyhow::Result<()> {
        while let Some(entry) = self.agenda.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let act = entry.remove();
            self.act(act).await?;
        }
        Ok(())
    }

    /// Until nothing is left to do at this moment.
    async fn settle(&self) {
        let Site::Board(board) = &self.site else {
            return;
        };
        loop {
            board.idle().await;
            if self.phone.deliver(self.at_once).await > 0 {
                continue;
            }
            board.idle().await;
            if !self.phone.look(Platform::has_outgoing) {
                return;
            }
        }
    }

    /// Who was connected hangs up some time.
    fn notice(&mut self) {
        let seen = self.seen;
        let (new, next) = self.phone.look(|platform| {
            let journal = || platform.journal().rev();
            let new = journal().take_while(|entry| entry.id >= seen);
            let joined = new.filter(|entry| matches!(entry.what, What::Joined { .. }));
            let joined = joined.filter_map(|entry| Some((entry.at, entry.leg.clone()?)));
            let next = journal().next().map_or(0, |entry| entry.id + 1);
            (joined.collect::<Vec<_>>(), next)
        });
        self.seen = next;
        for (at, leg) in new.into_iter().rev() {
            let Some(index) = self.legs.iter().position(|one| one.as_ref() == Some(&leg)) else {
                continue;
            };
            self.connected[index] = true;
            if let Talks::For(time) = self.scenario.calls[index].talks {
                self.plan_act(after(at, time), Act::HasTalked(index));
            }
        }
    }

    fn is_over(&self) -> bool {
        let nothing_more = self.agenda.values().all(|act| match act {
            Act::Calls(_) | Act::Says(..) | Act::Store(_) => false,
            Act::Does(index, _) | Act::LosesPatience(index) | Act::HasTalked(index) => {
                self.has_ended(*index)
            }
        });
        nothing_more && self.phone.look(Platform::is_idle)
    }

    /// Whether a caller has called, and the call is over.
    fn has_ended(&self, index: usize) -> bool {
        self.legs[index].as_ref().is_some_and(|leg| {
            self.phone
                .look(|platform| platform.leg(leg).is_none_or(|leg| leg.ended().is_some()))
        })
    }

    async fn act(&mut self, act: Act) -> anyhow::Result<()> {
        match act {
            Act::Calls(index) => {
                let caller = &self.scenario.calls[index];
                let called = self
                    .phone
                    .with(|platform| platform.call(&caller.from, &caller.to));
                let leg =
                    called.with_context(|| format!("{} cannot call {}", caller.from, caller.to))?;
                self.legs[index] = Some(leg);
            }
            // What cannot be done any more is not done.
            Act::Does(index, doing) => self.does(index, |platform, leg| {
                let _ = match &doing {
                    Doing::Press(keys) => platform.press(leg, keys),
                    Doing::Say(text) => platform.say(leg, text),
                    Doing::HangUp => platform.hang_up(leg),
                };
            }),
            Act::LosesPatience(index) => {
                if !self.connected[index] {
                    self.does(index, hang_up);
                }
            }
            Act::HasTalked(index) => self.does(index, hang_up),
            Act::Says(agent, word) => {
                self.phone
                    .with(|platform| platform.note(format!("{agent} says: {word}")));
                let url = format!("{}/agents/{agent}/{word}", self.site.url());
                let token = self.site.operator_token();
                // A refusal is part of the story: an agent would see it, and say it again.
                let said = self.http.post(url).bearer_auth(token).send().await;
                let status = said.map(|response| response.status());
                if !status.as_ref().is_ok_and(reqwest::StatusCode::is_success) {
                    let words = format!("{agent} is told that it did not work");
                    self.phone.with(|platform| platform.note(words));
                }
            }
            Act::Store(open) => {
                if let Some(door) = &self.door {
                    door.set(open);
                }
                let words = if open {
                    "the store is back"
                } else {
                    "the store is away"
                };
                self.phone.with(|platform| platform.note(words));
            }
        }
        Ok(())
    }

    fn does(&self, index: usize, act: impl FnOnce(&mut Platform, &str)) {
        if let Some(leg) = &self.legs[index] {
            self.phone.with(|platform| act(platform, leg));
        }
    }

    async fn finish(self, began: Timestamp, plan: &Plan, took: Duration) -> anyhow::Result<Played> {
        let bare = if self.at_once > 1 {
            super::load::bare(&self.http).await?
        } else {
            Vec::new()
        };
        // The platform counts milliseconds.
        let since = began.as_millisecond();
        let (entries, legs) = self.phone.look(|platform| {
            let entries = platform.journal();
            let entries = entries.filter(|entry| entry.at.as_millisecond() >= since);
            let legs = platform.legs();
            let legs = legs.filter(|leg| leg.made().as_millisecond() >= since);
            (
                entries.cloned().collect::<Vec<_>>(),
                legs.cloned().collect::<Vec<_>>(),
            )
        });
        let store = self.site.store();
        let ledger = Ledger::compare(store, &entries, &legs).await?;
        let told: HashSet<_> = entries
            .iter()
            .filter_map(|entry| match &entry.what {
                What::Recorded { recording, .. } => Some(recording.clone()),
                _ => None,
            })
            .collect();
        let until = std::time::Instant::now() + ARCHIVED_WITHIN;
        let archived = loop {
            let archived = archived(store, &told, began, self.clock.now()).await?;
            // A board has nothing left to do.
            let waits = matches!(self.site, Site::Stack(_)) && archived < told.len();
            if !waits || std::time::Instant::now() > until {
                break archived;
            }
            tokio::time::sleep(LOOK).await;
        };
        let lines = plan
            .lines()
            .map(|line| (line.number.to_string(), line.name.clone()));
        let agents = plan
            .agents()
            .map(|agent| (trial::address(&agent.endpoint), agent.name.to_string()));
        let played = Played {
            began,
            lasted: self.clock.now().duration_since(began),
            took,
            names: lines.chain(agents).collect(),
            entries,
            legs,
            ledger,
            recordings: (told.len(), archived),
            bare,
        };
        if let Site::Board(board) = self.site {
            board.stop().await;
        }
        if let Some(door) = self.door {
            door.close().await;
        }
        Ok(played)
    }
}

/// How many of these recordings are archived.
async fn archived(
    store: &Store,
    told: &HashSet<String>,
    from: Timestamp,
    to: Timestamp,
) -> anyhow::Result<usize> {
    let day = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut archived = 0;
    let (mut one, last) = (day(from), day(to));
    while one <= last {
        let listed = store.recordings_in(Listing::Archived(one)).await?;
        let ours = listed.iter().filter(|recording| {
            recording.state == State::Archived && told.contains(recording.notice.recording.as_str())
        });
        archived += ours.count();
        one = one.tomorrow()?;
    }
    Ok(archived)
}

fn hang_up(platform: &mut Platform, leg: &str) {
    // Over already, if not.
    let _ = platform.hang_up(leg);
}

fn after(at: Timestamp, time: Duration) -> Timestamp {
    at.saturating_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use switchboard_phone::{Outcome, Settings, Webhook};

    /// How a caller fares whose call is answered thus, after so many seconds, of which they hang up in
    /// the last if they are still there.
    #[track_caller]
    fn check(reply: &(u16, Value), seconds: u64, hangs_up: bool, expected: Option<&str>) {
        let began: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
        let settings = Settings {
            answer: Webhook::script("http://board.invalid/answer"),
            event: Webhook::event("http://board.invalid/event"),
            ..Settings::default()
        };
        let mut platform = Platform::new(settings, "http://vonage.invalid", began);
        let leg = platform
            .call(super::super::scenario::CALLER, "447700900000")
            .unwrap();
        let end = after(began, Duration::from_secs(seconds));
        loop {
            for out in platform.outgoing(began) {
                let script = out.url.ends_with("answer");
                let (status, body) = if script {
                    reply.clone()
                } else {
                    (200, Value::Null)
                };
                let outcome = Outcome::Reply {
                    status,
                    content_type: Some("application/json".to_owned()),
                    body: body.to_string().into_bytes(),
                };
                platform.replied(out.webhook, outcome, Duration::ZERO);
            }
            match platform.due().filter(|due| *due <= end) {
                Some(due) => platform.advance(due),
                None if platform.has_outgoing() => {}
                None => break,
            }
        }
        platform.advance(end);
        if hangs_up {
            platform.hang_up(&leg).unwrap();
        }
        let heard = platform
            .journal()
            .any(|entry| matches!(entry.what, What::Hears(_)));
        let stranded = stranded(platform.leg(&leg).unwrap(), heard);
        assert_eq!(stranded.as_deref(), expected);
    }

    #[test]
    fn who_is_cut_off_kept_or_left_in_silence_is_stranded_and_nobody_else_is() {
        let talk = json!({ "action": "talk", "text": "Goodbye." });
        let wait = |seconds: u32| json!({ "action": "wait", "timeout": seconds });
        check(&(200, json!([talk])), 60, false, None);
        check(
            &(500, Value::Null),
            60,
            false,
            Some("was cut off: no script could be had"),
        );
        check(
            &(200, json!([])),
            60,
            false,
            Some("was hung up on without a word"),
        );
        check(&(200, json!([wait(8), talk])), 60, false, None);
        check(
            &(200, json!([wait(12), talk])),
            60,
            false,
            Some("heard nothing for 12 s"),
        );
        check(
            &(200, json!([talk, wait(600)])),
            30,
            true,
            Some("heard nothing for 29 s"),
        );
        let for_ever = json!({ "action": "talk", "text": "Hold the line, please.", "loop": 0 });
        check(&(200, json!([for_ever])), 600, true, None);
        check(
            &(200, json!([for_ever])),
            600,
            false,
            Some("is still on the line"),
        );
        check(
            &(200, json!([for_ever])),
            7300,
            false,
            Some("was left until the platform hung up"),
        );
    }
}
