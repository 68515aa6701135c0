//! What people do, and how it must have ended whatever went wrong on the way.

use crate::caller::Caller;
use crate::platform::Content;
use crate::stage::{AGENTS, QUEUES, Stage, Wants};
use serde_json::json;
use std::time::{Duration, Instant};
use switchboard_shared::call::Call;
use switchboard_shared::id::LegId;
use switchboard_shared::plan::AgentName;
use switchboard_shared::recording::State;
use switchboard_shared::script::SORRY;

const CLOSED: &str = "447700900001";
const SUPPORT: &str = "447700900002";
const DIRECT: &str = "447700900003";
const MASKED: &str = "447700900004";
const BY_URL: &str = "447700900005";
const TRIAL: &str = "447700900006";

/// How often people and the schedule come round before a caller counts as stuck.
const ROUNDS: usize = 40;

/// After so many rounds nothing goes wrong any more.
const MENDED_AFTER: usize = 3;

/// Seconds from one round to the next: longer than a promise lasts that nobody kept.
const ROUND: i64 = 50;

/// Longer than a job is hidden from others while somebody is at it.
const JOB_COMES_AGAIN: Duration = Duration::from_secs(60);

/// Seconds until a talk of which nobody heard any more is over.
const LONGEST_TALK: i64 = 8_000;

/// Seconds until a recording is looked at again, with whoever was at it given up.
const RECORDING_LATER: i64 = 1_000;

/// Bytes of a recording that goes in one piece, and of one that goes in two.
const SMALL: u64 = 40_000;
const LARGE: u64 = 8 * 1024 * 1024 + 1_000;

/// What people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Scenario {
    /// A closed line says so.
    Message,
    /// The first agent of a line answers.
    Ring,
    /// The first agent of a line is busy, the second answers.
    RingNext,
    /// A masked number is put through.
    Masked,
    /// A caller holds, an agent says free and has them transferred, they talk.
    Queue,
    /// An agent is free before the caller comes.
    IdleAgent,
    /// The agent who has the caller transferred does not pick up; another one does.
    AgentFails,
    /// A caller hangs up on hold.
    HangUp,
    /// The transfer is by URL.
    ByUrl,
    /// Nobody says free: it is pretended.
    FreeAfter,
    /// Two callers wait for one agent, who has one after the other.
    NextInLine,
    /// A short recording.
    Recording,
    /// One that is put into the archive in parts.
    LongRecording,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Outcome {
    /// Whom each caller talked with, in the order in which they called.
    pub(crate) talked: Vec<Vec<&'static str>>,
    /// Whether each caller heard an apology.
    pub(crate) apology: Vec<bool>,
    /// How far the recording got.
    pub(crate) recording: Option<State>,
}

impl Scenario {
    /// Plays it out to the end. `id` tells it from others on the same stage.
    pub(crate) async fn play(self, stage: &Stage, id: &str) -> Outcome {
        let calls = |line, busy: &'static [&'static str]| {
            let leg = format!("leg-{id}");
            Caller::calls(stage, line, leg, busy)
        };
        let none: &[&str] = &[];
        match self {
            Self::Message => over(stage, vec![calls(CLOSED, &[]).await], &[], none).await,
            Self::Ring => over(stage, vec![calls(DIRECT, &[]).await], &[], none).await,
            Self::RingNext => {
                let caller = calls(DIRECT, &["alice"]).await;
                over(stage, vec![caller], &[], &["alice"]).await
            }
            Self::Masked => over(stage, vec![calls(MASKED, &[]).await], &[], none).await,
            Self::Queue => over(stage, vec![calls(SUPPORT, &[]).await], &["alice"], none).await,
            Self::IdleAgent => {
                if !stage.says("alice", "free").await {
                    stage.says("alice", "free").await;
                }
                over(stage, vec![calls(SUPPORT, &[]).await], &["alice"], none).await
            }
            Self::AgentFails => {
                let caller = calls(SUPPORT, &[]).await;
                over(stage, vec![caller], &["alice", "bob"], &["alice"]).await
            }
            Self::HangUp => {
                let mut caller = calls(SUPPORT, &[]).await;
                if !caller.over {
                    caller.hang_up().await;
                }
                over(stage, vec![caller], &["alice"], none).await
            }
            Self::ByUrl => over(stage, vec![calls(BY_URL, &[]).await], &["alice"], none).await,
            Self::FreeAfter => over(stage, vec![calls(TRIAL, &[]).await], &[], none).await,
            Self::NextInLine => {
                let first = calls(SUPPORT, &[]).await;
                let leg = format!("leg-{id}-second");
                stage.world.later(1);
                let second = Caller::calls(stage, SUPPORT, leg, &[]).await;
                over(stage, vec![first, second], &["alice"], none).await
            }
            Self::Recording => recording(stage, id, SMALL).await,
            Self::LongRecording => recording(stage, id, LARGE).await,
        }
    }
}

/// The agents of `free` say so, one after the other, until each was heard; callers listen to what is
/// played to them; time goes by; until all calls are over.
async fn over(
    stage: &Stage,
    mut callers: Vec<Caller<'_>>,
    free: &[&str],
    busy: &[&str],
) -> Outcome {
    let mut unheard: Vec<_> = free.iter().rev().collect();
    for round in 0.. {
        if round == MENDED_AFTER {
            stage.mend();
        }
        if let Some(agent) = unheard.last()
            && stage.says(agent, "free").await
        {
            unheard.pop();
        }
        stage.jobs_done().await;
        for caller in &mut callers {
            caller.listen(busy).await;
        }
        stage.jobs_done().await;
        if unheard.is_empty() && callers.iter().all(|caller| caller.over) {
            break;
        }
        if round == ROUNDS {
            stage.wrong("a caller is stuck on hold".to_owned());
            for caller in &mut callers {
                caller.hang_up().await;
            }
            break;
        }
        stage.later(ROUND).await;
        stage.jobs_done().await;
    }
    ended(stage, &callers).await;
    Outcome {
        talked: callers.iter().map(|one| one.talked.clone()).collect(),
        apology: callers
            .iter()
            .map(|one| one.said.iter().any(|said| said == SORRY))
            .collect(),
        recording: None,
    }
}

/// Nothing is left of the calls: in no queue, with no agent, and the ledger has all that was
/// acknowledged.
async fn ended(stage: &Stage, callers: &[Caller<'_>]) {
    stage.mend();
    // Promises run out, and then the sweep looks again.
    for _ in 0..2 {
        stage.later(ROUND * 2).await;
        stage.jobs_done().await;
    }
    let given_up = stage.given_up();
    let acknowledged_all = given_up == 0;
    for missing in stage.not_kept().await {
        stage.wrong(missing);
    }
    for caller in callers {
        if caller.talked.len() > 1 {
            stage.wrong(format!("the caller was connected to {:?}", caller.talked));
        }
        let Some(call) = written(stage, caller).await else {
            stage.wrong("the call is not in the ledger".to_owned());
            continue;
        };
        if acknowledged_all && call.ended.is_none() {
            stage.wrong("the call has no end in the ledger".to_owned());
        }
        let served = call.served.as_ref().map(AgentName::as_str);
        if acknowledged_all && served != caller.talked.first().copied() {
            stage.wrong(format!(
                "the ledger says served by {served:?}, it was {:?}",
                caller.talked
            ));
        }
    }
    for queue in QUEUES {
        let waiting = stage
            .store
            .waiting(&queue.parse().unwrap(), None)
            .await
            .unwrap();
        if !waiting.is_empty() {
            stage.wrong(format!("{} wait in {queue}", waiting.len()));
            // The next case is not to find them.
            for one in waiting {
                stage
                    .store
                    .forget_waiting(&queue.parse().unwrap(), &one)
                    .await
                    .unwrap();
            }
        }
    }
    for agent in AGENTS {
        let mut state = stage.state(agent).await;
        if given_up > 0 && state == "talking" {
            // The end of the talk was never heard: it is over when no talk can last any longer.
            stage.later(LONGEST_TALK).await;
            state = stage.state(agent).await;
        }
        if !["free", "away"].contains(&state.as_str()) {
            stage.wrong(format!("{agent} is left {state}"));
        }
    }
}

/// The call, as soon as it is written: what could not be at once is a job, and a job that fails comes
/// again by itself.
async fn written(stage: &Stage, caller: &Caller<'_>) -> Option<Call> {
    let leg = LegId::new(caller.leg()).unwrap();
    let asked = Instant::now();
    loop {
        let call = stage.store.call(&leg).await.unwrap();
        if call.is_some() || asked.elapsed() > JOB_COMES_AGAIN {
            return call;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Vonage announces a recording, and it is archived.
async fn recording(stage: &Stage, id: &str, length: u64) -> Outcome {
    let content = Content::Seeded { seed: 7, length };
    let name = format!("recording-{id}");
    let url = stage
        .world
        .platform
        .recording(&name, content.clone(), "audio/mpeg");
    let notice = json!({
        "start_time": "2026-03-01T23:58:04Z",
        "recording_url": stage.over_wire(&url),
        "size": length,
        "recording_uuid": name,
        "end_time": "2026-03-01T23:58:09Z",
        "conversation_uuid": format!("CON-{id}"),
        "timestamp": "2026-03-01T23:58:09.426Z",
    });
    let heard = stage.announce(&notice).await;
    let id = name.parse().unwrap();
    let mut found = None;
    for round in 0..ROUNDS {
        stage.jobs_done().await;
        found = stage.store.recording(&id).await.unwrap();
        if found.as_ref().is_none_or(|one| one.state != State::Pending) {
            break;
        }
        stage.recordings_rest().await;
        found = stage.store.recording(&id).await.unwrap();
        if found.as_ref().is_none_or(|one| one.state != State::Pending) {
            break;
        }
        if round == MENDED_AFTER {
            stage.mend();
        }
        stage.later(RECORDING_LATER).await;
    }
    stage.mend();
    let keys = stage.keys(&name).await;
    let state = found.as_ref().map(|one| one.state);
    match &found {
        None if heard => stage.wrong("a notice was acknowledged and is not kept".to_owned()),
        Some(one) if one.state == State::Archived => {
            let key = one.key.clone().unwrap_or_default();
            if keys != [key.clone()] {
                stage.wrong(format!("archived as {key}, in the bucket are {keys:?}"));
            }
            let object = stage.archive.open(&key).await.unwrap();
            let bytes = object.body.collect().await.unwrap().into_bytes();
            let sha256 = Content::from(bytes.to_vec()).sha256();
            let right = content.sha256();
            if (bytes.len() as u64, &sha256) != (length, &right) {
                stage.wrong("other bytes are archived than were offered".to_owned());
            }
            if (one.bytes, one.sha256.as_ref()) != (Some(length), Some(&right)) {
                stage.wrong("the item says another size or hash".to_owned());
            }
        }
        Some(one) if one.state == State::Failed => {
            let as_should_be = one.reason.is_some() && keys.is_empty();
            if !as_should_be {
                stage.wrong(format!("it failed, and in the bucket are {keys:?}"));
            }
        }
        Some(one) if heard => stage.wrong(format!("the recording is left {:?}", one.state)),
        _ => {}
    }
    let unfinished = stage.unfinished().await;
    if unfinished > 0 {
        stage.wrong(format!("{unfinished} uploads are left unfinished"));
    }
    Outcome {
        recording: state,
        ..Outcome::default()
    }
}

impl Stage {
    /// Announces a recording as Vonage does. True when it was acknowledged.
    async fn announce(&self, notice: &serde_json::Value) -> bool {
        // Kept as an item of its own, not among the events of a call.
        let before = self.given_up();
        self.tell("", "/webhooks/recording", notice, Wants::Kept)
            .await;
        self.given_up() == before
    }
}
