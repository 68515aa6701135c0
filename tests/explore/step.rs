//! What can happen next, and what it does.

use crate::mutation::Mutation;
use crate::office::{Ask, Reply, Stand, moment};
use crate::phone::{Leg, Line, Plays, Ring, payload_of};
use crate::program::{Numbers, Programs, reply_words, words};
use crate::rule;
use crate::state::State;
use crate::table::{Rows, Table};
use crate::task::{Happening, Task, caller, leg};
use crate::text::Text;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// One choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// A handler's request is served; Vonage's as things stand there.
    Serve(u32),
    /// Vonage refuses a transfer.
    Refuse(u32),
    /// A transfer gets no answer, and was done or not.
    Doubt(u32, bool),
    /// A webhook's reply arrives.
    Reply(u32),
    /// A handler never comes back. Whether Vonage asks again.
    Crash(u32, bool),
    /// A caller hangs up.
    HangUp(usize),
    /// The agent who is rung for a caller declines.
    Decline(usize),
    /// The agent who is rung for a caller answers.
    Answer(usize),
    /// The agent who talks with a caller hangs up.
    TalkEnds(usize),
    /// What plays on a leg comes to its `notify`.
    TuneEnds(usize),
}

/// Everything that states are numbers into.
pub(crate) struct World {
    pub(crate) table: Table,
    pub(crate) programs: Programs,
    pub(crate) rows: Numbers<Rows>,
    pub(crate) tasks: Numbers<Task>,
    kinds: Numbers<Happening>,
    /// What a request to the table did, by rows, point and clock: rows and point.
    served: HashMap<(u32, u32, i64), (u32, u32)>,
    /// Tables in which every rule held, by rows and clock.
    held: HashSet<(u32, i64)>,
    /// What is heard of the script a handler sends or replies with, by its point.
    heard: HashMap<u32, Plays>,
}

/// A rule that is broken, in words.
pub(crate) type Broken = String;

impl World {
    pub(crate) fn new(mutations: Vec<Mutation>) -> Self {
        Self {
            table: Table::new(mutations),
            programs: Programs::new(),
            rows: Numbers::default(),
            tasks: Numbers::default(),
            kinds: Numbers::default(),
            served: HashMap::new(),
            held: HashSet::new(),
            heard: HashMap::new(),
        }
    }

    /// Nothing has happened.
    pub(crate) fn empty(&mut self, callers: usize) -> State {
        State {
            rows: self.rows.of(Rc::default()),
            clock: 0,
            tasks: Vec::new(),
            later: Vec::new(),
            legs: vec![Leg::default(); callers],
            counts: Vec::new(),
            left: crate::state::Budget::default(),
            faults: false,
        }
    }

    /// A handler begins, up to its first request.
    pub(crate) fn spawn(
        &mut self,
        state: &mut State,
        what: Happening,
        at: i64,
        about: Option<(usize, Text)>,
    ) {
        let kind = self.kinds.of(Rc::new(what.clone()));
        let nth = match state.counts.iter_mut().find(|(one, _)| *one == kind) {
            Some((_, count)) => {
                *count += 1;
                *count
            }
            None => {
                state.counts.push((kind, 0));
                state.counts.sort_unstable();
                0
            }
        };
        let task = Rc::new(Task {
            what,
            nth,
            at,
            about,
        });
        let number = self.tasks.of(task.clone());
        let point = self.programs.begin(&task);
        self.stand(state, number, point);
    }

    /// A handler has come to a point.
    fn stand(&mut self, state: &mut State, task: u32, point: u32) {
        match self.programs.stand(point) {
            Stand::Asks(_) | Stand::Says(Some(_)) => {
                state.tasks.push((task, point));
                state.tasks.sort_unstable();
            }
            Stand::Says(None) => {}
            Stand::Failed(_) => {
                state.faults = true;
                // A job that failed comes again.
                if let Happening::Job(body) = &self.tasks.get(task).what {
                    state.later.push(body.clone());
                    state.later.sort();
                }
            }
        }
    }

    /// What can happen next.
    pub(crate) fn moves(&self, state: &State) -> Vec<Move> {
        let mut moves = Vec::new();
        let left = state.left;
        for &(task, point) in &state.tasks {
            match self.programs.stand(point) {
                // A job handed over touches nothing of what others see, and whoever takes it may do
                // so at any time from then on: no order is lost by handing it over at once.
                Stand::Asks(Ask::Job { .. }) if left.crashes == 0 => {
                    return vec![Move::Serve(task)];
                }
                Stand::Asks(Ask::Vonage { method, leg, .. }) if method == "PUT" => {
                    let line = state.legs[caller(leg).unwrap()].line;
                    // A leg that is still being built is tried again until it is there.
                    if line != Line::Dials {
                        moves.push(Move::Serve(task));
                    }
                    if line == Line::Open && left.refusals > 0 {
                        moves.push(Move::Refuse(task));
                    }
                    if line == Line::Open && left.doubts > 0 {
                        moves.extend([Move::Doubt(task, true), Move::Doubt(task, false)]);
                    }
                }
                Stand::Asks(_) => moves.push(Move::Serve(task)),
                Stand::Says(_) => moves.push(Move::Reply(task)),
                Stand::Failed(_) => {}
            }
            if left.crashes > 0 {
                moves.push(Move::Crash(task, false));
                if self.tasks.get(task).is_webhook() {
                    moves.push(Move::Crash(task, true));
                }
            }
        }
        for (caller, leg) in state.legs.iter().enumerate() {
            if left.hang_ups > 0 && leg.line != Line::Over {
                moves.push(Move::HangUp(caller));
            }
            if leg.line != Line::Open {
                continue;
            }
            match &leg.plays {
                Plays::Connect {
                    ring: Ring::Rings, ..
                } => {
                    if left.declines > 0 {
                        moves.push(Move::Decline(caller));
                    }
                    if left.answers > 0 {
                        moves.push(Move::Answer(caller));
                    }
                }
                Plays::Connect {
                    ring: Ring::Talks, ..
                } if left.talks > 0 => {
                    moves.push(Move::TalkEnds(caller));
                }
                Plays::Hold { .. } if left.tunes > 0 => moves.push(Move::TuneEnds(caller)),
                _ => {}
            }
        }
        moves
    }

    /// Does it.
    pub(crate) fn apply(&mut self, state: &State, choice: Move) -> Result<State, Broken> {
        let before = state.rows;
        let mut state = state.clone();
        match choice {
            Move::Serve(task) => self.serve(&mut state, task)?,
            Move::Refuse(task) => {
                state.left.refusals -= 1;
                state.faults = true;
                self.go_on(&mut state, task, &Reply::Http(401, "{}".to_owned()));
            }
            Move::Doubt(task, done) => {
                state.left.doubts -= 1;
                state.faults = true;
                if done {
                    self.transfer(&mut state, task)?;
                }
                self.go_on(&mut state, task, &Reply::NoAnswer);
            }
            Move::Reply(number) => {
                let point = take(&mut state, number);
                let task = self.tasks.get(number).clone();
                let (caller, about) = match (&task.what, &task.about) {
                    (Happening::Call { caller, .. }, _) => (*caller, None),
                    (_, Some((caller, about))) => (*caller, Some(about)),
                    _ => return Ok(state),
                };
                // What the reply is about does not play any more: it is too late.
                let late =
                    about.is_some_and(|about| state.legs[caller].plays.script() != Some(about));
                if !late {
                    let plays = self.plays(point);
                    hear(&mut state, caller, plays)?;
                }
            }
            Move::Crash(number, again) => {
                state.left.crashes -= 1;
                state.faults = true;
                take(&mut state, number);
                let task = self.tasks.get(number).clone();
                if again {
                    let at = task.at.max(state.clock);
                    self.spawn(&mut state, task.what.clone(), at, task.about.clone());
                } else if let Happening::Call { caller, .. } = task.what
                    && state.legs[caller].line == Line::Dials
                {
                    // Vonage gives up: the fallback's apology, and the end.
                    self.end(&mut state, caller);
                }
            }
            Move::HangUp(caller) => {
                state.left.hang_ups -= 1;
                self.end(&mut state, caller);
            }
            Move::Decline(caller) => {
                state.left.declines -= 1;
                self.ring(&mut state, caller, Ring::Over, "busy");
            }
            Move::Answer(caller) => {
                state.left.answers -= 1;
                self.ring(&mut state, caller, Ring::Talks, "answered");
            }
            Move::TalkEnds(caller) => {
                state.left.talks -= 1;
                self.ring(&mut state, caller, Ring::Over, "completed");
            }
            Move::TuneEnds(caller) => {
                state.left.tunes -= 1;
                self.tune_ends(&mut state, caller);
            }
        }
        if before != state.rows {
            rule::step(self.rows.get(before), self.rows.get(state.rows))?;
        }
        if self.held.insert((state.rows, state.clock)) {
            rule::rows(self.rows.get(state.rows), state.clock).inspect_err(|_| {
                self.held.remove(&(state.rows, state.clock));
            })?;
        }
        Ok(state)
    }

    fn serve(&mut self, state: &mut State, number: u32) -> Result<(), Broken> {
        let point = point_of(state, number);
        let task = self.tasks.get(number).clone();
        if self.programs.is_fresh(point) {
            state.clock = state.clock.max(task.at);
        }
        let stand = self.programs.stand_of(point);
        let Stand::Asks(ask) = &*stand else {
            panic!("{} asks nothing", task.words())
        };
        let reply = match ask {
            Ask::Table { operation, body } => {
                let known = (state.rows, point, state.clock);
                let (rows, next) = match self.served.get(&known) {
                    Some(served) => *served,
                    None => {
                        let rows = self.rows.get(state.rows).clone();
                        let (rows, (status, reply)) =
                            self.table.serve(&rows, operation, &body.as_str().into());
                        let rows = self.rows.of(Rc::new(rows));
                        let reply = Reply::Http(status, reply.to_string());
                        let next = self.programs.next(&task, point, &reply, state.clock);
                        self.served.insert(known, (rows, next));
                        (rows, next)
                    }
                };
                state.rows = rows;
                take(state, number);
                self.stand(state, number, next);
                return Ok(());
            }
            Ask::Job { body, delay } => {
                let body: Text = body.as_str().into();
                if *delay == 0 {
                    let at = state.clock;
                    self.spawn(state, Happening::Job(body), at, None);
                } else {
                    state.later.push(body);
                    state.later.sort();
                }
                Reply::Http(200, json!({ "MessageId": "1" }).to_string())
            }
            Ask::Vonage { method, leg, .. } if method == "PUT" => {
                if state.legs[caller(leg).unwrap()].line == Line::Over {
                    Reply::Http(404, "{}".to_owned())
                } else {
                    self.transfer(state, number)?;
                    Reply::Http(204, String::new())
                }
            }
            Ask::Vonage { leg, .. } => {
                let status = if is_over(state, leg) {
                    "completed"
                } else {
                    "answered"
                };
                Reply::Http(200, json!({ "uuid": leg, "status": status }).to_string())
            }
        };
        self.go_on(state, number, &reply);
        Ok(())
    }

    /// A handler goes on with a reply.
    fn go_on(&mut self, state: &mut State, number: u32, reply: &Reply) {
        let point = take(state, number);
        let task = self.tasks.get(number).clone();
        let next = self.programs.next(&task, point, reply, state.clock);
        self.stand(state, number, next);
    }

    /// Vonage moves a leg.
    fn transfer(&mut self, state: &mut State, number: u32) -> Result<(), Broken> {
        let point = point_of(state, number);
        let stand = self.programs.stand_of(point);
        let Stand::Asks(Ask::Vonage { leg, .. }) = &*stand else {
            panic!("nobody is moved")
        };
        let plays = self.plays(point);
        hear(state, caller(leg).unwrap(), plays)
    }

    /// What is heard of the script with which a handler stands at a point.
    fn plays(&mut self, point: u32) -> Plays {
        if let Some(plays) = self.heard.get(&point) {
            return plays.clone();
        }
        let script = match self.programs.stand(point) {
            Stand::Says(Some(script)) => script.clone(),
            Stand::Asks(Ask::Vonage { body, .. }) => {
                let body: Value = serde_json::from_str(body).unwrap();
                body["destination"]["ncco"].to_string()
            }
            other => panic!("there is no script in {other:?}"),
        };
        let plays = Plays::read(&script);
        self.heard.insert(point, plays.clone());
        plays
    }

    /// A caller's leg is over.
    fn end(&mut self, state: &mut State, caller: usize) {
        state.legs[caller].line = Line::Over;
        match &state.legs[caller].plays {
            Plays::Connect {
                ring: Ring::Rings, ..
            } => {
                self.ring(state, caller, Ring::Over, "cancelled");
            }
            Plays::Connect {
                ring: Ring::Talks, ..
            } => {
                self.ring(state, caller, Ring::Over, "completed");
            }
            _ => {}
        }
        let body = json!({
            "uuid": leg(caller), "conversation_uuid": format!("CON-{}", leg(caller)),
            "direction": "inbound", "status": "completed", "duration": "7",
            "timestamp": moment(state.clock).to_string(),
        });
        let words = format!("{} hung up", leg(caller));
        self.event(state, &body, "", &words, None);
    }

    /// The phone of the agent who is rung for a caller: how it is now, and the event that says so.
    pub(crate) fn ring(&mut self, state: &mut State, caller: usize, now: Ring, status: &str) {
        let Plays::Connect {
            script,
            query,
            agent,
            offer,
            ring,
        } = &mut state.legs[caller].plays
        else {
            panic!("nobody is rung for {}", leg(caller))
        };
        let talked = *ring == Ring::Talks;
        *ring = now;
        let (script, query, agent) = (script.clone(), query.clone(), *agent);
        let mut body = json!({
            "uuid": format!("agent-{offer}"), "conversation_uuid": "CON-agent",
            "direction": "outbound", "status": status,
            "timestamp": moment(state.clock).to_string(),
        });
        if talked {
            body["duration"] = "5".into();
        }
        let words = format!("{agent}'s phone for {}: {status}", leg(caller));
        self.event(state, &body, &query, &words, Some((caller, script)));
    }

    /// What plays on a leg comes to a `notify`: of a connect, to the one behind it.
    pub(crate) fn tune_ends(&mut self, state: &mut State, caller: usize) {
        let plays = &mut state.legs[caller].plays;
        let (script, nth) = match plays {
            Plays::Hold { script, tune } => {
                *tune += 1;
                (script.clone(), *tune - 1)
            }
            Plays::Connect { script, .. } => (script.clone(), 0),
            Plays::Nothing | Plays::Told => panic!("nothing plays for {}", leg(caller)),
        };
        let Some(payload) = payload_of(&script, nth) else {
            // Behind the last one is the apology, and the end.
            *plays = Plays::Told;
            return self.end(state, caller);
        };
        let body = json!({
            "payload": payload, "conversation_uuid": format!("CON-{}", leg(caller)),
            "timestamp": moment(state.clock).to_string(),
        });
        let words = format!("the tune of {} is over", leg(caller));
        self.event(state, &body, "", &words, Some((caller, script)));
    }

    fn event(
        &mut self,
        state: &mut State,
        body: &Value,
        query: &str,
        words: &str,
        about: Option<(usize, Text)>,
    ) {
        let what = Happening::Event {
            body: body.to_string().into(),
            query: query.into(),
            words: words.into(),
        };
        let at = state.clock;
        self.spawn(state, what, at, about);
    }

    /// A choice in words, and what came of it.
    pub(crate) fn words(&mut self, state: &State, choice: Move) -> String {
        let who = |world: &Self, number: u32| world.tasks.get(number).words();
        match choice {
            Move::Serve(number) => {
                let stand = self.programs.stand_of(point_of(state, number));
                let Stand::Asks(ask) = &*stand else {
                    unreachable!()
                };
                let reply = match ask {
                    Ask::Table { operation, body } => {
                        let rows = self.rows.get(state.rows).clone();
                        let (_, (status, reply)) =
                            self.table.serve(&rows, operation, &body.as_str().into());
                        reply_words(ask, &Reply::Http(status, reply.to_string()))
                    }
                    _ => "done".to_owned(),
                };
                format!("{} {} -> {reply}", who(self, number), words(ask))
            }
            Move::Refuse(number) => format!("{}: Vonage refuses the transfer", who(self, number)),
            Move::Doubt(number, done) => {
                let done = if done { "was done" } else { "was not done" };
                format!(
                    "{}: no answer to the transfer, which {done}",
                    who(self, number)
                )
            }
            Move::Reply(number) => {
                let stand = self.programs.stand_of(point_of(state, number));
                let Stand::Says(Some(script)) = &*stand else {
                    unreachable!()
                };
                let what = match Plays::read(script) {
                    Plays::Connect { agent, .. } => format!("a connect to {agent}"),
                    Plays::Hold { .. } => "music".to_owned(),
                    _ => "a last sentence".to_owned(),
                };
                format!("{} replies with {what}", who(self, number))
            }
            Move::Crash(number, again) => {
                let again = if again { ", and is asked again" } else { "" };
                format!("{} never comes back{again}", who(self, number))
            }
            Move::HangUp(caller) => format!("{} hangs up", leg(caller)),
            Move::Decline(caller) => format!("whoever is rung for {} declines", leg(caller)),
            Move::Answer(caller) => format!("whoever is rung for {} answers", leg(caller)),
            Move::TalkEnds(caller) => format!("the talk of {} ends", leg(caller)),
            Move::TuneEnds(caller) => format!("the music of {} ends", leg(caller)),
        }
    }
}

fn point_of(state: &State, number: u32) -> u32 {
    let found = state.tasks.iter().find(|(task, _)| *task == number);
    found.expect("the task is at work").1
}

fn take(state: &mut State, number: u32) -> u32 {
    let index = state.tasks.iter().position(|(task, _)| *task == number);
    state.tasks.remove(index.expect("the task is at work")).1
}

/// Whether a leg, a caller's or an agent's, is over.
fn is_over(state: &State, leg: &str) -> bool {
    match caller(leg) {
        Some(caller) => state.legs[caller].line == Line::Over,
        None => !state.legs.iter().any(|one| {
            matches!(&one.plays, Plays::Connect { offer, ring: Ring::Talks, .. }
                if leg == format!("agent-{offer}"))
        }),
    }
}

/// A script of ours begins to play on a leg.
fn hear(state: &mut State, caller: usize, plays: Plays) -> Result<(), Broken> {
    if state.legs[caller].line == Line::Over {
        return Ok(());
    }
    if let Plays::Connect { agent, offer, .. } = &plays {
        for (other, leg_of_other) in state.legs.iter().enumerate() {
            let Plays::Connect {
                agent: rung,
                offer: under,
                ring,
                ..
            } = &leg_of_other.plays
            else {
                continue;
            };
            if !ring.is_on() || leg_of_other.line == Line::Over {
                continue;
            }
            if other == caller && under != offer {
                return Err(format!(
                    "{} is connected to {agent} while {rung}'s phone still rings for them",
                    leg(caller)
                ));
            }
            if other != caller && rung == agent {
                return Err(format!(
                    "{agent} is rung for {} and for {} at once",
                    leg(caller),
                    leg(other)
                ));
            }
        }
    }
    state.legs[caller] = Leg {
        line: Line::Open,
        plays,
    };
    Ok(())
}
