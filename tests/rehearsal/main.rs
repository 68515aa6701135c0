//! The stack that `template.yaml` describes, deployed by `sam deploy` to an AWS on this machine, where
//! roles are enforced, and rung by the phone. What people hear there is what they hear on the board.
//!
//! `make test` and `make rehearse` install the tools. Where they cannot be installed this is left out.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod aws;
mod stack;

use stack::Deployed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use switchboard_cli::simulate::transcript::{self, Line};
use switchboard_cli::simulate::{Played, Scenario, Simulation, play, rehearse};
use switchboard_shared::plan::Plan;

/// How long a message may take through all its attempts into the dead letters.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(120);

/// The attempts of a job, shortened.
const HIDDEN: &str = "1";

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("rehearsal")
        .join(name)
}

fn scenario(name: &str) -> Scenario {
    Scenario::read(&std::fs::read_to_string(here(name)).unwrap()).unwrap()
}

/// What each person does and hears, in order. How the moments of two people lie to one another, and how
/// long something took, is not the same on two machines.
fn stories(played: &Played) -> BTreeMap<String, Vec<String>> {
    let mut stories = BTreeMap::<String, Vec<String>>::new();
    for Line { text, .. } in transcript::of(played) {
        let who = ["the caller", "alice", "bob"];
        let who = who
            .into_iter()
            .find(|who| text.starts_with(who))
            .unwrap_or("the rest");
        // How long a recording is goes by the clock on the wall.
        let recorded = text.starts_with("a recording of ");
        let text = if recorded {
            "a recording is ready".to_owned()
        } else {
            text
        };
        stories.entry(who.to_owned()).or_default().push(text);
    }
    stories
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployed_stack_answers_holds_transfers_keeps_events_archives_and_gives_up_as_the_board()
{
    let Some(tools) = std::env::var_os("SWITCHBOARD_TOOLS") else {
        eprintln!(
            "left out: `make test` installs the tools and names their folder in SWITCHBOARD_TOOLS"
        );
        return;
    };
    let file = here("plan.toml");
    let plan = Plan::parse(&std::fs::read_to_string(&file).unwrap())
        .plan
        .unwrap();
    let deployed = Deployed::open(Path::new(&tools), &file).await;
    for name in [
        "closed.toml",
        "held.toml",
        "moved.toml",
        "recorded.toml",
        "timer.toml",
    ] {
        let scenario = scenario(name);
        let rehearsed = rehearse(&scenario, &plan, deployed.stack.clone())
            .await
            .unwrap();
        let how = Simulation {
            plan: file.clone(),
            at: rehearsed.began,
            seed: 1,
            disorder: None,
            at_once: 1,
            meter: None,
        };
        let on_the_board = play(&scenario, &how, |_, _| {}).await.unwrap();
        let log = || deployed.aws.logs();
        assert_eq!(
            stories(&rehearsed),
            stories(&on_the_board),
            "{name}\n{}",
            log()
        );
        assert_eq!(
            rehearsed.ledger.outline, on_the_board.ledger.outline,
            "{name}"
        );
        assert!(
            rehearsed.is_well(),
            "{name}: {:#?}\n{}",
            rehearsed.ledger,
            log()
        );
        assert_eq!(rehearsed.recordings, on_the_board.recordings, "{name}");
        eprintln!("{name}: as on the board, in {:?}", rehearsed.took);
        for agent in plan.agents() {
            deployed.says(agent.name.as_str(), "away").await;
        }
    }
    deployed.gives_up().await;
    let log = deployed.aws.logs();
    assert!(
        !log.contains("not authorized"),
        "a role allows too little:\n{log}"
    );
}

impl Deployed {
    async fn says(&self, agent: &str, word: &str) {
        let url = format!("{}/agents/{agent}/{word}", self.stack.url);
        let http = switchboard_tests::world::http();
        let said = http
            .post(url)
            .bearer_auth(&self.stack.operator_token)
            .send();
        assert_eq!(said.await.unwrap().status(), 200);
    }

    /// What is no job comes to the dead letters of its queue, and is not lost there.
    async fn gives_up(&self) {
        let sqs = aws_sdk_sqs::Client::new(&self.aws.config().await);
        for queue in ["Archive", "Dispatch"] {
            let url = &self.outputs[&format!("{queue}QueueUrl")];
            let dead = &self.outputs[&format!("{queue}DeadLettersUrl")];
            sqs.set_queue_attributes()
                .queue_url(url)
                .attributes(
                    aws_sdk_sqs::types::QueueAttributeName::VisibilityTimeout,
                    HIDDEN,
                )
                .send()
                .await
                .unwrap();
            let words = format!("no job of {queue}");
            sqs.send_message()
                .queue_url(url)
                .message_body(&words)
                .send()
                .await
                .unwrap();
            let until = Instant::now() + GIVEN_UP_WITHIN;
            loop {
                let found = sqs
                    .receive_message()
                    .queue_url(dead)
                    .wait_time_seconds(1)
                    .send();
                let found = found.await.unwrap();
                if found
                    .messages()
                    .iter()
                    .any(|one| one.body() == Some(words.as_str()))
                {
                    break;
                }
                assert!(Instant::now() < until, "{queue}:\n{}", self.aws.logs());
            }
            eprintln!("{queue}: what is no job is among the dead letters");
        }
    }
}
