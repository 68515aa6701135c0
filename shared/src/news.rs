//! News: what happened on a call, for those whom the plan has told.

use crate::id::{LegId, RecordingId};
use crate::plan::{AgentName, FlowName};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What happened. Each can be worked out again from the same webhooks, in whatever order and however
/// often they come, and then has the same [`id`](Self::id): so nobody is told twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "kebab-case")]
pub enum News {
    /// Somebody calls.
    Started {
        /// The caller.
        call: LegId,
    },
    /// An agent has the caller.
    Answered {
        /// The caller.
        call: LegId,
        /// Who answered.
        agent: AgentName,
    },
    /// The caller is gone, nobody had answered, and no message was left.
    Missed {
        /// The caller.
        call: LegId,
    },
    /// The caller left a message.
    Voicemail {
        /// The caller.
        call: LegId,
        /// The message.
        recording: RecordingId,
    },
    /// A recording lies in the bucket, checked.
    Archived {
        /// The recording.
        recording: RecordingId,
    },
    /// The phone of one of a hotline's staff could not even be made to ring, so many times in a row.
    StaffFailing {
        /// The caller of the last time.
        call: LegId,
        /// Whose phone.
        agent: AgentName,
        /// How many times.
        failures: u32,
    },
    /// A caller came to a flow whose agents are all off duty.
    NobodyOnDuty {
        /// The caller.
        call: LegId,
        /// The flow.
        flow: FlowName,
    },
}

/// A kind of news, as a plan chooses among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// [`News::Started`].
    Started,
    /// [`News::Answered`].
    Answered,
    /// [`News::Missed`].
    Missed,
    /// [`News::Voicemail`].
    Voicemail,
    /// [`News::Archived`].
    Archived,
    /// [`News::StaffFailing`].
    StaffFailing,
    /// [`News::NobodyOnDuty`].
    NobodyOnDuty,
}

impl Topic {
    /// As a plan spells them.
    pub const WORDS: [(&'static str, Self); 7] = [
        ("started", Self::Started),
        ("answered", Self::Answered),
        ("missed", Self::Missed),
        ("voicemail", Self::Voicemail),
        ("archived", Self::Archived),
        ("staff-failing", Self::StaffFailing),
        ("nobody-on-duty", Self::NobodyOnDuty),
    ];

    /// As a plan spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, topic)| *topic == self);
        found.expect("every topic has a word").0
    }
}

impl News {
    /// Its kind.
    #[must_use]
    pub fn topic(&self) -> Topic {
        match self {
            Self::Started { .. } => Topic::Started,
            Self::Answered { .. } => Topic::Answered,
            Self::Missed { .. } => Topic::Missed,
            Self::Voicemail { .. } => Topic::Voicemail,
            Self::Archived { .. } => Topic::Archived,
            Self::StaffFailing { .. } => Topic::StaffFailing,
            Self::NobodyOnDuty { .. } => Topic::NobodyOnDuty,
        }
    }

    /// The call it is about; of a recording, whoever reads it knows.
    #[must_use]
    pub fn call(&self) -> Option<&LegId> {
        match self {
            Self::Started { call }
            | Self::Answered { call, .. }
            | Self::Missed { call }
            | Self::Voicemail { call, .. }
            | Self::StaffFailing { call, .. }
            | Self::NobodyOnDuty { call, .. } => Some(call),
            Self::Archived { .. } => None,
        }
    }

    /// What tells it from all other news, whoever raises it: `missed:LEG`, `answered:LEG:alice`.
    #[must_use]
    pub fn id(&self) -> NewsId {
        let topic = self.topic().word();
        NewsId(match self {
            Self::Started { call } | Self::Missed { call } => format!("{topic}:{call}"),
            Self::Answered { call, agent } | Self::StaffFailing { call, agent, .. } => {
                format!("{topic}:{call}:{agent}")
            }
            Self::Voicemail { recording, .. } | Self::Archived { recording } => {
                format!("{topic}:{recording}")
            }
            Self::NobodyOnDuty { call, flow } => format!("{topic}:{call}:{flow}"),
        })
    }
}

/// What tells one piece of news from another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NewsId(String);

/// Longest id of news, in bytes: the longest topic, a leg's id and a name, with their colons.
pub const NEWS_ID_LENGTH_MAX: usize =
    14 + 1 + crate::id::ID_LENGTH_MAX + 1 + crate::plan::name::NAME_LENGTH_MAX;

/// Text that is no id of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id of news is a topic and ids, joined by colons")]
pub struct NewsIdError;

impl NewsId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NewsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for NewsId {
    type Err = NewsIdError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What ids and names may hold: it becomes a key of the table, and the value of a header.
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        let (topic, rest) = text.split_once(':').ok_or(NewsIdError)?;
        let known = Topic::WORDS.iter().any(|(word, _)| *word == topic);
        if !known || rest.is_empty() || text.len() > NEWS_ID_LENGTH_MAX || !text.chars().all(fits) {
            return Err(NewsIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for NewsId {
    type Error = NewsIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NewsId> for String {
    fn from(id: NewsId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, with the longest ids there are.
    fn all() -> Vec<News> {
        let call: LegId = "a".repeat(crate::id::ID_LENGTH_MAX).parse().unwrap();
        let recording: RecordingId = "r".repeat(crate::id::ID_LENGTH_MAX).parse().unwrap();
        let agent: AgentName = "b".repeat(64).parse().unwrap();
        vec![
            News::Started { call: call.clone() },
            News::Answered {
                call: call.clone(),
                agent: agent.clone(),
            },
            News::Missed { call: call.clone() },
            News::Voicemail {
                call: call.clone(),
                recording: recording.clone(),
            },
            News::Archived { recording },
            News::StaffFailing {
                call: call.clone(),
                agent,
                failures: 3,
            },
            News::NobodyOnDuty {
                call,
                flow: "c".repeat(64).parse().unwrap(),
            },
        ]
    }

    #[test]
    fn every_kind_has_an_id_of_its_own_that_reads() {
        let ids: std::collections::BTreeSet<NewsId> = all().iter().map(News::id).collect();
        assert_eq!(ids.len(), Topic::WORDS.len());
        for id in ids {
            assert_eq!(id.as_str().parse::<NewsId>().unwrap(), id);
        }
    }

    #[test]
    fn what_says_the_same_has_the_same_id() {
        let call: LegId = "leg".parse().unwrap();
        let agent: AgentName = "alice".parse().unwrap();
        let answered = News::Answered {
            call: call.clone(),
            agent: agent.clone(),
        };
        assert_eq!(answered.id().as_str(), "answered:leg:alice");
        // However many times it was by then: the third failure told twice is one.
        let failing = |failures| News::StaffFailing {
            call: call.clone(),
            agent: agent.clone(),
            failures,
        };
        assert_eq!(failing(3).id(), failing(4).id());
    }

    #[test]
    fn text_that_could_split_a_key_or_a_header_is_no_id() {
        for text in [
            "",
            "missed",
            "missed:",
            "lost:leg",
            "missed:a#b",
            "missed:a b",
            "missed:a\r\nx: y",
            "missed:é",
            &format!("missed:{}", "a".repeat(NEWS_ID_LENGTH_MAX)),
        ] {
            assert!(text.parse::<NewsId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn news_read_as_they_were_written() {
        for news in all() {
            let text = serde_json::to_string(&news).unwrap();
            assert!(text.contains(news.topic().word()), "{text}");
            assert_eq!(serde_json::from_str::<News>(&text).unwrap(), news);
        }
    }
}
