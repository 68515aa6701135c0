//! What must hold: in every state, and once everyone has moved.

use crate::office::{SERVED, moment};
use crate::phone::{Leg, Line, Plays};
use crate::step::Broken;
use crate::table::{Rows, plain_item};
use crate::task::leg as leg_of;
use serde_json::Value;
use switchboard_shared::call::Call;
use switchboard_shared::presence::Presence;
use switchboard_shared::store::Waiting;

/// The table, read.
struct Read {
    calls: Vec<Call>,
    agents: Vec<Presence>,
    waiting: Vec<(String, Waiting)>,
}

fn read(rows: &Rows) -> Read {
    let mut all = Read {
        calls: Vec::new(),
        agents: Vec::new(),
        waiting: Vec::new(),
    };
    for (key, row) in rows {
        let item = plain_item(&serde_json::from_str::<Value>(row).unwrap());
        if key.starts_with("AGENT#") {
            all.agents.push(serde_json::from_value(item).unwrap());
        } else if let Some(key) = key.strip_prefix("QUEUE#") {
            let queue = key.split_once('|').unwrap().0.to_owned();
            all.waiting
                .push((queue, serde_json::from_value(item).unwrap()));
        } else if key.ends_with("|CALL") && item.get("line").is_some() {
            all.calls.push(serde_json::from_value(item).unwrap());
        }
    }
    all
}

/// What holds in every state of the table.
pub(crate) fn rows(rows: &Rows, clock: i64) -> Result<(), Broken> {
    let now = moment(clock);
    let all = read(rows);
    for call in &all.calls {
        let leg = &call.leg;
        let entries: Vec<_> = all
            .waiting
            .iter()
            .filter(|(_, one)| one.leg == *leg)
            .collect();
        if call
            .place
            .as_ref()
            .is_some_and(|place| place.since != call.at)
        {
            return Err(format!("{leg} has lost the place of their first moment"));
        }
        if call.is_waiting() {
            let place = call.place.as_ref().unwrap();
            match entries.as_slice() {
                [(queue, one)] if *queue == place.queue.as_str() && one.since == place.since => {}
                _ => {
                    return Err(format!(
                        "{leg} waits, and stands in a queue {} times",
                        entries.len()
                    ));
                }
            }
        } else if call.ended.is_none() && !entries.is_empty() {
            return Err(format!("{leg} does not wait, and stands in a queue"));
        }
        let offer = call.offer.as_ref().filter(|offer| !offer.is_void(now));
        if let Some(offer) = offer.filter(|_| call.ended.is_none()) {
            let agent = all.agents.iter().find(|agent| agent.name == offer.agent);
            let meant = agent.is_some_and(|agent| {
                agent.offer.as_ref() == Some(&offer.id) && agent.call.as_ref() == Some(leg)
            });
            if !meant {
                return Err(format!(
                    "{leg} is promised to {}, who is meant for somebody else",
                    offer.agent
                ));
            }
            if call.served.is_some() || call.place.is_none() {
                return Err(format!(
                    "{leg} is promised, and has no place to come back to"
                ));
            }
        }
    }
    for agent in all.agents.iter().filter(|agent| agent.free_from > now) {
        let Some((call, offer)) = agent.call.as_ref().zip(agent.offer.as_ref()) else {
            continue;
        };
        let call = all.calls.iter().find(|one| one.leg == *call);
        let meant = call.is_some_and(|call| {
            call.ended.is_some()
                || call.served.as_ref() == Some(&agent.name)
                || call.offer.as_ref().is_some_and(|one| one.id == *offer)
        });
        if !meant {
            return Err(format!(
                "{} is kept for a caller who is not theirs",
                agent.name
            ));
        }
    }
    Ok(())
}

/// What no write does: ring an agent who has gone away.
pub(crate) fn step(before: &Rows, after: &Rows) -> Result<(), Broken> {
    for (key, row) in after.iter().filter(|(key, _)| key.starts_with("AGENT#")) {
        let Some(old) = before.get(key).filter(|old| *old != row) else {
            continue;
        };
        let agent = |row: &str| {
            let item = plain_item(&serde_json::from_str::<Value>(row).unwrap());
            serde_json::from_value::<Presence>(item).unwrap()
        };
        let (old, new) = (agent(old), agent(row));
        if !old.present && new.offer.is_some() && new.offer != old.offer {
            return Err(format!("{} is rung, and has gone away", new.name));
        }
    }
    Ok(())
}

/// What holds once everyone has moved. A caller whose hang-up came before their call was written
/// leaves an entry behind, which is cleared by whoever looks next: `looked` says that somebody has.
pub(crate) fn quiet(rows: &Rows, clock: i64, legs: &[Leg], looked: bool) -> Result<(), Broken> {
    let now = moment(clock);
    let all = read(rows);
    for (queue, agents) in SERVED {
        let here = |one: &Waiting| {
            let call = all.calls.iter().find(|call| call.leg == one.leg);
            call.is_none_or(|call| call.ended.is_none())
        };
        let waits = all
            .waiting
            .iter()
            .find(|(name, one)| name == queue && here(one));
        let idle = all
            .agents
            .iter()
            .find(|agent| agents.contains(&agent.name.as_str()) && agent.is_free(now));
        if let Some(((_, one), agent)) = waits.zip(idle) {
            return Err(format!("{} is idle and {} waits", agent.name, one.leg));
        }
    }
    for (index, leg) in legs.iter().enumerate() {
        let name = leg_of(index);
        let call = all.calls.iter().find(|call| call.leg.as_str() == name);
        if leg.line == Line::Over {
            let entry = all.waiting.iter().find(|(_, one)| one.leg.as_str() == name);
            if looked && entry.is_some() && call.is_none_or(|call| call.ended.is_some()) {
                return Err(format!("{name} is gone, and still stands in a queue"));
            }
            let kept = all.agents.iter().find(|agent| {
                agent.free_from > now && agent.call.as_ref().is_some_and(|one| one.as_str() == name)
            });
            if let Some(agent) = kept {
                return Err(format!(
                    "{name} is gone, and {} is kept for them",
                    agent.name
                ));
            }
            continue;
        }
        let Some(call) = call else {
            match leg.plays {
                Plays::Told => continue,
                _ => {
                    return Err(format!(
                        "{name} is not in the table, and hears {:?}",
                        leg.plays
                    ));
                }
            }
        };
        let offer = call.offer.as_ref().filter(|offer| !offer.is_void(now));
        let fits = match (&leg.plays, offer) {
            (
                Plays::Connect {
                    offer: rung, ring, ..
                },
                Some(offer),
            ) => ring.is_on() && offer.id.to_string() == **rung,
            (Plays::Connect { .. }, None) => call.served.is_some(),
            (Plays::Told, None) => call.served.is_some() || call.place.is_none(),
            (Plays::Hold { .. }, None) => call.is_waiting(),
            _ => false,
        };
        if !fits {
            return Err(format!(
                "{name} hears {:?}, and stands as {call:?}",
                leg.plays
            ));
        }
    }
    Ok(())
}
