//! `switchboard agent`: free and away.

use super::desk::{Desk, Place};
use super::{Found, Global, queue, show};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use switchboard_shared::plan::AgentName;
use switchboard_shared::store::Freed;

/// Say that an agent is free or away.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Agent {
    /// The agent can take the next caller.
    Free {
        /// The agent's name in the plan.
        name: AgentName,
    },
    /// The agent takes no callers.
    Away {
        /// The agent's name in the plan.
        name: AgentName,
    },
    /// Show all agents.
    List,
}

impl Agent {
    pub(super) async fn run(self, global: &Global) -> anyhow::Result<Found> {
        let desk = Desk::open(global).await?;
        let told = match &self {
            Self::Free { name } => act(&desk, name, true).await,
            Self::Away { name } => act(&desk, name, false).await,
            Self::List => {
                let agents = queue::presences(&desk).await;
                desk.close().await;
                let agents = agents?;
                if global.json {
                    show::json(&agents);
                } else {
                    queue::agents(&agents);
                }
                return Ok(Found::Fine);
            }
        };
        desk.close().await;
        let told = told?;
        if global.json {
            show::json(&told);
        } else {
            show::line(told["message"].as_str().unwrap_or_default());
        }
        Ok(Found::Fine)
    }
}

async fn act(desk: &Desk, name: &AgentName, free: bool) -> anyhow::Result<Value> {
    let word = if free { "free" } else { "away" };
    match &desk.place {
        Place::Running { url, token, .. } => {
            let answer = reqwest::Client::builder()
                .tls_backend_preconfigured(switchboard_shared::crypto::tls()?)
                .no_proxy()
                .build()?
                .post(format!("{url}/agents/{name}/{word}"))
                .bearer_auth(token)
                .send()
                .await
                .context("the board does not answer")?;
            let fine = answer.status().is_success();
            let told: Value = answer
                .json()
                .await
                .context("the board's answer does not read")?;
            if told["error"]["code"] == "no-agent" {
                bail!("the plan has no agent {name}; `switchboard agent list` shows who there is");
            }
            if !fine {
                let message = told["error"]["message"].as_str();
                bail!("{}", message.unwrap_or("the board refused"));
            }
            Ok(told)
        }
        Place::Cloud { exchange, .. } => {
            let outcome = if free {
                exchange.free(name).await?
            } else {
                exchange.away(name).await?
            };
            let mut told = serde_json::to_value(&outcome)?;
            told["agent"] = json!(name);
            told["message"] = json!(switchboard_transfer::sentence(name.as_str(), &outcome));
            Ok(told)
        }
        Place::Asleep { .. } => {
            if desk.plan().await?.agent(name).is_none() {
                bail!("the plan has no agent {name}; `switchboard agent list` shows who there is");
            }
            let engaged = if free {
                matches!(
                    desk.store.free(name, jiff::Timestamp::now()).await?,
                    Freed::Engaged(_)
                )
            } else {
                desk.store.away(name).await?;
                false
            };
            let then = if engaged {
                "with a caller, and free afterwards"
            } else {
                word
            };
            let message =
                format!("{name} is {then}; no board runs, so nobody is moved until one does");
            Ok(
                json!({ "agent": name, "outcome": if engaged { "engaged" } else { word }, "message": message }),
            )
        }
    }
}
