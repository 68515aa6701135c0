//! Work that nobody on the phone waits for, handed over by SQS.

use crate::call::{Call, Helper};
use crate::config::Lookup;
use crate::id::{LegId, RecordingId};
use crate::news::News;
use crate::notify::NotificationId;
use crate::plan::{AgentName, FlowName, Plan};
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Longest delay of an SQS message.
///
/// See [AWS/SQS/Message timers](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html).
pub const DELAY_MAX: Duration = Duration::from_secs(900);

/// Reads of ten, when a dead letter is looked for.
const DEAD_LOOKED_AT: usize = 20;

/// Something for `dispatch` to do. Each may come twice, late, or when it is no longer due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "kebab-case")]
pub enum Job {
    /// `free-after` is over for this caller: pretend that an agent becomes free.
    Pretend {
        /// The caller.
        call: LegId,
    },
    /// This agent may be free now: give them the caller who waits longest.
    Look {
        /// The agent.
        agent: AgentName,
    },
    /// The caller hung up: clear their place, and the agent who was being rung for them.
    Gone {
        /// The caller.
        call: LegId,
    },
    /// The store was away when this call began, and the caller was answered without: into the ledger
    /// with it.
    Begin {
        /// The call, waiting for nobody.
        call: Box<Call>,
    },
    /// Ring a stage of a hotline's staff for a caller who waits in its room.
    Ring {
        /// The caller.
        call: LegId,
        /// The hotline.
        flow: FlowName,
        /// Which stage, from 0 on.
        stage: usize,
    },
    /// One of the staff came into a caller's room: tell who is in, and let the other phones be.
    Joined {
        /// The caller.
        call: LegId,
        /// Who came.
        helper: Helper,
    },
    /// Who picked up does not take the call: hang up on them.
    HangUp {
        /// The caller.
        call: LegId,
        /// Their leg.
        leg: LegId,
    },
    /// Look at a caller's room: whether anybody is still to be waited for, or the talk is over.
    Room {
        /// The caller.
        call: LegId,
        /// The hotline.
        flow: FlowName,
    },
    /// The caller is gone, and nobody had answered. By now it is known whether they left a message,
    /// and whether word of an answer was only late.
    Missed {
        /// The caller.
        call: LegId,
    },
    /// Something happened: have everybody told whom the plan names.
    Tell {
        /// What.
        news: News,
        /// When.
        at: Timestamp,
        /// The call was not there yet when this was first looked at.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        again: bool,
    },
    /// Tell one of them.
    Notify {
        /// Whom, and of what.
        #[serde(flatten)]
        notification: NotificationId,
    },
    /// Look for what was left half done.
    Sweep,
}

impl Job {
    /// To have people told. Whoever finds something out hands this over, as often as they find it
    /// out: each target is told once.
    #[must_use]
    pub fn tell(news: News, at: Timestamp) -> Self {
        Self::Tell {
            news,
            at,
            again: false,
        }
    }
}

/// Something for `archive` to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveJob {
    /// The recording to archive.
    pub recording: RecordingId,
}

/// Something else for `archive` to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TranscriptJob {
    /// The recording whose transcript is to be put beside it.
    pub transcript: RecordingId,
}

/// A queue of jobs.
#[derive(Debug, Clone)]
pub struct JobQueue {
    client: Arc<LateClient>,
    url: String,
}

/// Made by the first job: a function that answers calls mostly hands none over, and its first
/// caller shall not wait for a client.
type LateClient = LazyLock<Client, Box<dyn FnOnce() -> Client + Send + Sync>>;

/// A job could not be handed over.
#[derive(Debug, thiserror::Error)]
#[error("could not {operation}")]
pub struct JobError {
    operation: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl JobError {
    fn of<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self {
            operation,
            source: Box::new(source),
        }
    }
}

impl JobQueue {
    /// A queue behind a client.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self::late(Box::new(move || client), url.into())
    }

    fn late(client: Box<dyn FnOnce() -> Client + Send + Sync>, url: String) -> Self {
        Self {
            client: Arc::new(LazyLock::new(client)),
            url,
        }
    }

    /// The queue whose URL a setting names.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig, name: &str) -> Self {
        let sdk = sdk.clone();
        Self::late(Box::new(move || Client::new(&sdk)), lookup.required(name))
    }

    /// The same, where the setting is given: for work that is left out without it.
    pub fn from_lookup_if_set(lookup: &mut Lookup, sdk: &SdkConfig, name: &str) -> Option<Self> {
        lookup.optional(name)?;
        Some(Self::from_lookup(lookup, sdk, name))
    }

    /// Hands a job over, to be done after a delay (at most [`DELAY_MAX`], whole seconds).
    ///
    /// # Errors
    /// When SQS does not take it.
    pub async fn send(&self, job: &impl Serialize, delay: Duration) -> Result<(), JobError> {
        let delay = delay.min(DELAY_MAX);
        let body = serde_json::to_string(job).expect("a job is always JSON");
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .delay_seconds(whole_seconds(delay))
            .send()
            .await
            .map_err(JobError::of("hand a job over"))?;
        Ok(())
    }

    /// Hands news over, where the plan names anybody who wants it.
    ///
    /// # Errors
    /// When SQS does not take it.
    pub async fn tell(&self, plan: &Plan, news: News, at: Timestamp) -> Result<(), JobError> {
        if !plan.tells(news.topic()) {
            return Ok(());
        }
        self.send(&Job::tell(news, at), Duration::ZERO).await
    }

    /// Removes a job from this queue's dead letters, where it is about to be taken up again. Looks
    /// at no more of them than a person would.
    ///
    /// # Errors
    /// When SQS does not answer.
    pub async fn take_from_dead(&self, job: &impl Serialize) -> Result<(), JobError> {
        let body = serde_json::to_string(job).expect("a job is always JSON");
        let Some(dead) = self.dead_letters().await? else {
            return Ok(());
        };
        for _ in 0..DEAD_LOOKED_AT {
            let received = self
                .client
                .receive_message()
                .queue_url(&dead)
                .max_number_of_messages(10)
                .visibility_timeout(5)
                .send()
                .await
                .map_err(JobError::of("look at the dead letters"))?;
            let messages = received.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            for message in messages
                .iter()
                .filter(|message| message.body.as_ref() == Some(&body))
            {
                let receipt = message.receipt_handle.as_deref().unwrap_or_default();
                let deleted = self
                    .client
                    .delete_message()
                    .queue_url(&dead)
                    .receipt_handle(receipt);
                deleted
                    .send()
                    .await
                    .map_err(JobError::of("clear a dead letter"))?;
            }
        }
        Ok(())
    }

    /// URL of the queue's dead letters, if it has any.
    async fn dead_letters(&self) -> Result<Option<String>, JobError> {
        let asked = self
            .client
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::RedrivePolicy)
            .send()
            .await
            .map_err(JobError::of("find the dead letters"))?;
        let policy = asked
            .attributes()
            .and_then(|all| all.get(&QueueAttributeName::RedrivePolicy));
        let policy = policy.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
        let arn =
            policy.and_then(|policy| Some(policy["deadLetterTargetArn"].as_str()?.to_owned()));
        let Some(name) = arn.as_deref().and_then(|arn| arn.rsplit(':').next()) else {
            return Ok(None);
        };
        let found = self.client.get_queue_url().queue_name(name).send().await;
        Ok(found
            .map_err(JobError::of("find the dead letters"))?
            .queue_url)
    }

    /// Has a message come again after a delay, in place of the queue's own.
    ///
    /// # Errors
    /// When SQS does not answer; the message then comes again after the queue's own delay.
    pub async fn postpone(&self, receipt: &str, delay: Duration) -> Result<(), JobError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt)
            .visibility_timeout(whole_seconds(delay))
            .send()
            .await
            .map_err(JobError::of("postpone a job"))?;
        Ok(())
    }
}

/// Rounded up: a job that comes early finds nothing due.
fn whole_seconds(delay: Duration) -> i32 {
    let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_reads_as_it_was_written() {
        let agent = "alice".parse().unwrap();
        let job = Job::Look { agent };
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(text, r#"{"job":"look","agent":"alice"}"#);
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
        let job = Job::Notify {
            notification: "missed:leg:team".parse().unwrap(),
        };
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(
            text,
            r#"{"job":"notify","news":"missed:leg","target":"team"}"#
        );
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
        let job = Job::tell(
            News::Answered {
                call: "leg".parse().unwrap(),
                agent: "alice".parse().unwrap(),
            },
            Timestamp::UNIX_EPOCH,
        );
        let text = serde_json::to_string(&job).unwrap();
        assert_eq!(serde_json::from_str::<Job>(&text).unwrap(), job);
        assert_eq!(
            serde_json::to_string(&Job::Sweep).unwrap(),
            r#"{"job":"sweep"}"#
        );
    }
}
