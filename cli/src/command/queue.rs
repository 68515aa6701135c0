//! `switchboard queue`: who waits, and the agents.

use super::desk::Desk;
use super::{Found, Global, show};
use jiff::Timestamp;
use serde::Serialize;
use switchboard_shared::plan::{AgentName, FlowKind, FlowName};
use switchboard_shared::presence::State;
use switchboard_shared::store::Waiting;

/// Show who waits, and the agents.
#[derive(Debug, clap::Args)]
pub(super) struct Queue {}

#[derive(Serialize)]
struct Queues {
    queues: Vec<OneQueue>,
    agents: Vec<OneAgent>,
}

#[derive(Serialize)]
struct OneQueue {
    queue: FlowName,
    waiting: Vec<OneCaller>,
}

#[derive(Serialize)]
struct OneCaller {
    leg: String,
    line: Option<String>,
    from: Option<String>,
    since: Timestamp,
    waited_seconds: i64,
}

#[derive(Serialize)]
pub(super) struct OneAgent {
    agent: AgentName,
    #[serde(flatten)]
    state: State,
}

impl Queue {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let desk = Desk::open(global).await?;
        let shown = look(&desk).await;
        desk.close().await;
        let shown = shown?;
        if global.json {
            show::json(&shown);
            return Ok(Found::Fine);
        }
        let mut rows = Vec::new();
        for queue in &shown.queues {
            for (place, caller) in queue.waiting.iter().enumerate() {
                rows.push([
                    queue.queue.to_string(),
                    (place + 1).to_string(),
                    caller.from.clone().unwrap_or_default(),
                    format!("{} s", caller.waited_seconds),
                    caller.leg.clone(),
                ]);
            }
        }
        show::table(
            ["queue", "place", "from", "waits", "leg"],
            rows,
            "nobody waits",
        );
        agents(&shown.agents);
        Ok(Found::Fine)
    }
}

/// Prints the agents.
pub(super) fn agents(agents: &[OneAgent]) {
    let rows = agents
        .iter()
        .map(|one| [one.agent.to_string(), words(&one.state)])
        .collect();
    show::table(["agent", "state"], rows, "the plan has no agents");
}

fn words(state: &State) -> String {
    match state {
        State::Away => "away".to_owned(),
        State::Free => "free".to_owned(),
        State::Ringing { call } => format!("ringing for {call}"),
        State::Talking { call } => format!("talking with {call}"),
        State::Resting { until } => format!("resting until {}", show::local(*until)),
    }
}

/// How all agents of the plan are.
pub(super) async fn presences(desk: &Desk) -> anyhow::Result<Vec<OneAgent>> {
    let now = Timestamp::now();
    let mut agents = Vec::new();
    for agent in desk.plan().await?.agents() {
        let presence = desk
            .store
            .agents(std::slice::from_ref(&agent.name))
            .await?
            .remove(0);
        agents.push(OneAgent {
            agent: agent.name.clone(),
            state: presence.state(now),
        });
    }
    Ok(agents)
}

async fn look(desk: &Desk) -> anyhow::Result<Queues> {
    let plan = desk.plan().await?;
    let now = Timestamp::now();
    let mut queues = Vec::new();
    for flow in plan
        .flows()
        .filter(|flow| matches!(flow.kind, FlowKind::Queue(_) | FlowKind::Hotline(_)))
    {
        let mut waiting = Vec::new();
        let mut after: Option<Waiting> = None;
        loop {
            let page = desk.store.waiting(&flow.name, after.as_ref()).await?;
            after = page.last().cloned();
            for entry in page {
                let call = desk
                    .store
                    .call(&entry.leg)
                    .await?
                    .filter(|call| call.ended.is_none());
                let Some(call) = call else { continue };
                waiting.push(OneCaller {
                    leg: entry.leg.to_string(),
                    line: Some(call.line),
                    from: call.from,
                    since: entry.since,
                    waited_seconds: now.duration_since(entry.since).as_secs(),
                });
            }
            if after.is_none() {
                break;
            }
        }
        queues.push(OneQueue {
            queue: flow.name.clone(),
            waiting,
        });
    }
    Ok(Queues {
        queues,
        agents: presences(desk).await?,
    })
}
