//! A notification: news for one target, and how far the telling got.

use crate::news::{NewsId, NewsIdError};
use crate::plan::TargetName;
use crate::plan::name::NameError;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What tells one notification from another: `missed:LEG:team`. The far side gets it as
/// `Idempotency-Key`, the same at every attempt.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotificationId {
    /// The news.
    pub news: NewsId,
    /// Who is told.
    pub target: TargetName,
}

/// Text that is no id of a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotificationIdError {
    /// No colon.
    #[error("it is written NEWS:TARGET, as `switchboard notices` lists it")]
    NoTarget,
    /// The part before the last colon.
    #[error(transparent)]
    News(#[from] NewsIdError),
    /// The part behind it.
    #[error(transparent)]
    Target(#[from] NameError),
}

impl fmt::Display for NotificationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.news, self.target)
    }
}

impl FromStr for NotificationId {
    type Err = NotificationIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A name holds no colon.
        let (news, target) = text.rsplit_once(':').ok_or(NotificationIdError::NoTarget)?;
        Ok(Self {
            news: news.parse()?,
            target: target.parse()?,
        })
    }
}

/// News for one target.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Which.
    #[serde(flatten)]
    pub id: NotificationId,
    /// When it was first to be told.
    pub since: Timestamp,
    /// How far the telling got.
    pub state: State,
    /// When the next attempt is due, or the one under way is taken for lost.
    pub due: Timestamp,
    /// Attempts begun.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last one failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What is sent, the same at every attempt. Gone once it was told: it may hold a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// How far the telling of a notification got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Still to be told.
    Pending,
    /// The far side has it.
    Told,
    /// Given up, with the reason beside; `switchboard notices retry` takes it up again.
    Failed,
}

impl State {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Told => "told",
            Self::Failed => "failed",
        }
    }
}

impl Notification {
    /// One that is due now.
    #[must_use]
    pub fn new(id: NotificationId, body: String, now: Timestamp) -> Self {
        Self {
            id,
            since: now,
            state: State::Pending,
            due: now,
            attempts: 0,
            reason: None,
            body: Some(body),
        }
    }
}

/// Shows nothing of what is sent.
impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("id", &self.id.to_string())
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_as_it_is_written() {
        for text in ["missed:leg:team", "answered:a:b:c.d:alice:team-2"] {
            assert_eq!(text.parse::<NotificationId>().unwrap().to_string(), text);
        }
        for text in ["", "team", "missed:team", "missed:leg:Team", "x:leg:team"] {
            assert!(text.parse::<NotificationId>().is_err(), "{text:?}");
        }
    }
}
