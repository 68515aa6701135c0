//! All orders in which things can happen, each state once.

use crate::mutation::Mutation;
use crate::office::Stand;
use crate::phone::{Line, Plays, Ring};
use crate::rule;
use crate::state::{Budget, State};
use crate::step::{Broken, Move, World};
use crate::task::Happening;
use std::collections::HashMap;
use std::fmt::Write;
use std::time::Instant;

/// Who does what. Everything in `before` happens first and one after the other, each a second after
/// the last; some seconds pass; then everything in `then` happens at once, each handler beginning at
/// its own second.
#[derive(Clone, Default)]
pub(crate) struct Case {
    pub(crate) callers: usize,
    pub(crate) before: Vec<Happening>,
    pub(crate) pass: i64,
    pub(crate) then: Vec<(Happening, i64)>,
    pub(crate) left: Budget,
}

/// What the search of a case came to.
pub(crate) struct Found {
    pub(crate) states: usize,
    pub(crate) schedules: f64,
    pub(crate) broken: Option<String>,
}

/// Longer than any phone rings in the plan, and shorter than a promise.
const PAST_EVERY_RING: i64 = 25;

/// Longer than every promise and every rest of the plan.
const PAST_EVERY_LEASE: i64 = 300;

/// Rests that end after one another, after a caller's music came back.
const LATER_ROUNDS: usize = 6;

impl Case {
    /// Looks at every order.
    pub(crate) fn explore(&self, mutations: &[Mutation]) -> Found {
        let begun = Instant::now();
        let mut world = World::new(mutations.to_vec());
        let mut state = world.empty(self.callers);
        for (index, what) in self.before.iter().enumerate() {
            let at = i64::try_from(index).unwrap();
            state.clock = at;
            world.spawn(&mut state, what.clone(), at, None);
            state = drain(&mut world, state, &mut None).expect("one after the other all goes well");
        }
        for (what, at) in &self.then {
            world.spawn(&mut state, what.clone(), *at, None);
        }
        state.clock += self.pass;
        state.left = self.left;
        let mut seen: HashMap<State, usize> = HashMap::from([(state.clone(), 0)]);
        let mut all = vec![(state, None)];
        let mut next: Vec<Vec<usize>> = Vec::new();
        let mut broken = None;
        let mut index = 0;
        while index < all.len() && broken.is_none() {
            let state: State = all[index].0.clone();
            let mut reached = Vec::new();
            if state.tasks.is_empty() && settled(&mut world, &state, &mut None).is_err() {
                let mut end = Some(Vec::new());
                let rule = settled(&mut world, &state, &mut end).expect_err("as before");
                let end = end.unwrap_or_default();
                broken = Some(tell(&mut world, &all, index, None, &end, &rule));
            }
            for choice in world.moves(&state) {
                match world.apply(&state, choice) {
                    Ok(then) => {
                        let number = *seen.entry(then.clone()).or_insert(all.len());
                        if number == all.len() {
                            all.push((then, Some((index, choice))));
                        }
                        reached.push(number);
                    }
                    Err(rule) => {
                        broken.get_or_insert_with(|| {
                            tell(&mut world, &all, index, Some(choice), &[], &rule)
                        });
                    }
                }
            }
            next.push(reached);
            index += 1;
        }
        let found = Found {
            states: all.len(),
            schedules: if broken.is_none() {
                schedules(&next)
            } else {
                0.0
            },
            broken,
        };
        println!(
            "{} states, {:.3e} schedules, {} handler runs, {} requests to the engine, {:.1} s",
            found.states,
            found.schedules,
            world.programs.runs,
            world.table.asked(),
            begun.elapsed().as_secs_f64(),
        );
        found
    }

    /// Looks at every order, and wants no rule broken.
    #[track_caller]
    pub(crate) fn holds(&self) {
        let found = self.explore(&[]);
        assert!(found.broken.is_none(), "\n{}", found.broken.unwrap());
    }
}

/// How many ways lead from the first state to an end.
fn schedules(next: &[Vec<usize>]) -> f64 {
    let mut ways: Vec<Option<f64>> = vec![None; next.len()];
    let mut stack = vec![0];
    while let Some(&index) = stack.last() {
        let open: Vec<_> = next[index]
            .iter()
            .filter(|one| ways[**one].is_none())
            .collect();
        if open.is_empty() {
            let sum: f64 = next[index].iter().map(|one| ways[*one].unwrap()).sum();
            ways[index] = Some(if next[index].is_empty() { 1.0 } else { sum });
            stack.pop();
        } else {
            stack.extend(open);
        }
    }
    ways[0].unwrap()
}

/// Does what is left to do, one after the other.
fn drain(
    world: &mut World,
    mut state: State,
    end: &mut Option<Vec<String>>,
) -> Result<State, Broken> {
    let left = std::mem::take(&mut state.left);
    while let Some(&choice) = world.moves(&state).first() {
        if let Some(end) = end {
            end.push(world.words(&state, choice));
        }
        state = world.apply(&state, choice)?;
    }
    state.left = left;
    Ok(state)
}

/// Everyone has moved. Without faults all is well at once; with them, when phones were rung in vain
/// and talks are over, every lease has run out, music came to its end and one sweep ran. Whoever is
/// rung in the end answers.
fn settled(world: &mut World, state: &State, end: &mut Option<Vec<String>>) -> Result<(), Broken> {
    if !state.faults {
        let rows = world.rows.get(state.rows).clone();
        rule::quiet(&rows, state.clock, &state.legs, false)?;
    }
    if let Some(end) = end {
        end.push(format!("{PAST_EVERY_LEASE} s pass"));
    }
    let state = afterwards(world, state.clone(), end)?;
    let rows = world.rows.get(state.rows).clone();
    rule::quiet(&rows, state.clock, &state.legs, true)
}

fn afterwards(
    world: &mut World,
    mut state: State,
    end: &mut Option<Vec<String>>,
) -> Result<State, Broken> {
    state.left = Budget::default();
    state.clock += PAST_EVERY_RING;
    for caller in 0..state.legs.len() {
        let leg = &state.legs[caller];
        match leg.plays {
            Plays::Connect { ring, .. } if leg.line == Line::Open && ring.is_on() => {
                let status = match ring {
                    Ring::Talks => "completed",
                    Ring::Rings | Ring::Over => "timeout",
                };
                world.ring(&mut state, caller, Ring::Over, status);
            }
            _ => {}
        }
    }
    state = drain(world, state, end)?;
    state = answered(world, state, end)?;
    state.clock += PAST_EVERY_LEASE;
    state = due(world, state, end)?;
    for caller in 0..state.legs.len() {
        let leg = &state.legs[caller];
        let ends = match leg.plays {
            Plays::Connect { ring, .. } => !ring.is_on(),
            Plays::Hold { .. } => true,
            Plays::Nothing | Plays::Told => false,
        };
        if ends && leg.line == Line::Open {
            world.tune_ends(&mut state, caller);
            state = drain(world, state, end)?;
            state = answered(world, state, end)?;
        }
    }
    let at = state.clock;
    world.spawn(&mut state, Happening::Sweep, at, None);
    state = drain(world, state, end)?;
    state = answered(world, state, end)?;
    due(world, state, end)
}

/// Whoever is rung answers.
fn answered(
    world: &mut World,
    mut state: State,
    end: &mut Option<Vec<String>>,
) -> Result<State, Broken> {
    for caller in 0..state.legs.len() {
        let leg = &state.legs[caller];
        let rings = matches!(
            &leg.plays,
            Plays::Connect {
                ring: Ring::Rings,
                ..
            }
        );
        if rings && leg.line == Line::Open {
            world.ring(&mut state, caller, Ring::Talks, "answered");
            state = drain(world, state, end)?;
        }
    }
    Ok(state)
}

/// Jobs for later are due, and those they lead to.
fn due(
    world: &mut World,
    mut state: State,
    end: &mut Option<Vec<String>>,
) -> Result<State, Broken> {
    for _ in 0..LATER_ROUNDS {
        if state.later.is_empty() {
            break;
        }
        state.clock += 60;
        let at = state.clock;
        for job in std::mem::take(&mut state.later) {
            world.spawn(&mut state, Happening::Job(job), at, None);
        }
        state = drain(world, state, end)?;
        state = answered(world, state, end)?;
    }
    Ok(state)
}

/// The way to a broken rule, in words.
fn tell(
    world: &mut World,
    all: &[(State, Option<(usize, Move)>)],
    index: usize,
    last: Option<Move>,
    end: &[String],
    rule: &str,
) -> String {
    let mut way = Vec::new();
    let mut at = index;
    while let Some((from, choice)) = all[at].1 {
        way.push((from, choice));
        at = from;
    }
    way.reverse();
    way.extend(last.map(|choice| (index, choice)));
    let mut told = format!("BROKEN: {rule}\n");
    for (number, (from, choice)) in way.into_iter().enumerate() {
        let words = world.words(&all[from].0, choice);
        writeln!(told, "{:3}. {words}", number + 1).unwrap();
    }
    for words in end {
        writeln!(told, "  -> {words}").unwrap();
    }
    let rows = world.rows.get(all[index].0.rows).clone();
    for (key, row) in &*rows {
        writeln!(told, "     {key}: {row}").unwrap();
    }
    for (task, point) in &all[index].0.tasks {
        if let Stand::Failed(why) = world.programs.stand(*point) {
            writeln!(told, "     {}: {why}", world.tasks.get(*task).words()).unwrap();
        }
    }
    told
}
