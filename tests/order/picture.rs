//! What is left of the calls: what a board shows, and what it is to show.

use crate::story::{End, SLOTS, Story, Way, queue_agent, ring_agent};
use crate::telling::{Telling, audio, leg, recording, without_offers};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use switchboard_shared::store::Home;
use switchboard_tests::platform::Destination;
use switchboard_tests::world::World;

/// All that must not depend on the order of webhooks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Picture {
    calls: BTreeMap<String, CallPicture>,
    /// Who waits, per queue.
    queues: BTreeMap<String, Vec<String>>,
    /// What each agent is doing.
    agents: BTreeMap<String, String>,
    /// Where each leg was moved, in order.
    moves: BTreeMap<String, Vec<Value>>,
    /// Per recording, how far it got, its SHA-256, and how often it was downloaded.
    recordings: BTreeMap<String, (String, Option<String>, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
struct CallPicture {
    served: Option<String>,
    over: bool,
    waits: bool,
    ledger: BTreeSet<String>,
}

impl Picture {
    /// What these stories are to leave.
    pub(crate) fn expected(stories: &[Story], telling: &Telling<'_>) -> Self {
        let mut told = telling.told();
        let mut picture = Self {
            calls: BTreeMap::new(),
            queues: BTreeMap::new(),
            agents: BTreeMap::new(),
            moves: BTreeMap::new(),
            recordings: BTreeMap::new(),
        };
        for slot in 0..SLOTS {
            picture.queues.insert(format!("queue-{slot}"), Vec::new());
            let here = slot < stories.len();
            for index in 0..2 {
                let state = if here { "free" } else { "away" };
                picture
                    .agents
                    .insert(ring_agent(slot, index), state.to_owned());
            }
            picture.agents.insert(queue_agent(slot), "away".to_owned());
        }
        for (slot, story) in stories.iter().enumerate() {
            let waits = matches!((&story.way, story.end), (Way::Queue { .. }, End::Stays));
            picture.calls.insert(
                leg(slot),
                CallPicture {
                    served: story.talker(slot),
                    over: story.is_over(),
                    waits,
                    ledger: told.remove(&leg(slot)).unwrap_or_default(),
                },
            );
            if waits {
                picture
                    .queues
                    .insert(format!("queue-{slot}"), vec![leg(slot)]);
            }
            if let Some(state) = server_state(story) {
                picture.agents.insert(queue_agent(slot), state.to_owned());
            }
            if let (Way::Ring(_), End::Talks, Some(agent)) =
                (&story.way, story.end, story.last_rung(slot))
            {
                picture.agents.insert(agent, "talking".to_owned());
            }
            let rung = rung_by_transfer(story);
            if rung > 0 {
                picture.moves.insert(leg(slot), vec![Value::Null; rung]);
            }
            for index in 0..story.recordings {
                let hash = switchboard_shared::crypto::sha256_hex(&audio(slot, index));
                picture.recordings.insert(
                    recording(slot, index),
                    ("archived".to_owned(), Some(hash), 1),
                );
            }
        }
        picture
    }

    /// What a board shows.
    pub(crate) async fn of(world: &World, telling: &Telling<'_>) -> Self {
        let store = world.board.store();
        let mut calls = BTreeMap::new();
        for leg in telling.heard().into_keys() {
            let id = leg.parse().unwrap();
            let call = store.call(&id).await.unwrap().expect("the call is kept");
            let events = store.events(&Home::Leg(id)).await.unwrap();
            let events = events.into_iter().map(|event| {
                let body: Value = serde_json::from_str(&event.body).unwrap();
                without_offers(&body).to_string()
            });
            let call = CallPicture {
                served: call.served.as_ref().map(ToString::to_string),
                over: call.ended.is_some(),
                waits: call.is_waiting(),
                ledger: events.collect(),
            };
            calls.insert(leg, call);
        }
        let (mut queues, mut agents) = (BTreeMap::new(), BTreeMap::new());
        for slot in 0..SLOTS {
            let queue = format!("queue-{slot}");
            queues.insert(queue.clone(), world.waiting(&queue).await);
            for name in [ring_agent(slot, 0), ring_agent(slot, 1), queue_agent(slot)] {
                agents.insert(name.clone(), world.state(&name).await);
            }
        }
        let mut moves = BTreeMap::<_, Vec<Value>>::new();
        for transfer in world.platform.transfers() {
            let Destination::Ncco(_) = &transfer.to else {
                panic!("moved to a URL")
            };
            moves.entry(transfer.leg).or_default().push(Value::Null);
        }
        let mut recordings = BTreeMap::new();
        let requests = world.platform.requests();
        for slot in 0..SLOTS {
            for index in 0..2 {
                let id = recording(slot, index);
                let Some(kept) = store.recording(&id.parse().unwrap()).await.unwrap() else {
                    continue;
                };
                let path = format!("/v1/files/{id}");
                let downloads = requests
                    .iter()
                    .filter(|request| request.path == path)
                    .count();
                let state = serde_json::to_value(kept.state).unwrap();
                let state = state.as_str().unwrap().to_owned();
                recordings.insert(id, (state, kept.sha256, downloads));
            }
        }
        Self {
            calls,
            queues,
            agents,
            moves,
            recordings,
        }
    }
}

/// What the agent of a queue does in the end; nothing where they never said "free".
fn server_state(story: &Story) -> Option<&'static str> {
    let Way::Queue { idle, silences, .. } = &story.way else {
        return None;
    };
    match story.end {
        End::HangsUp | End::Stays if !silences.is_empty() => Some("resting"),
        End::HangsUp | End::Stays => idle.then_some("free"),
        End::HangsUpRinging => Some("free"),
        End::TalkedCallerHangsUp | End::TalkedAgentHangsUp => Some("resting"),
        End::Talks => Some("talking"),
        End::Rings => Some("ringing"),
    }
}

/// How often the agent was rung by moving the caller.
fn rung_by_transfer(story: &Story) -> usize {
    let Way::Queue { idle, silences, .. } = &story.way else {
        return 0;
    };
    let last = !matches!(story.end, End::HangsUp | End::Stays);
    silences.len() + usize::from(last) - usize::from(*idle)
}
