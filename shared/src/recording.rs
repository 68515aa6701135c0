//! A recording: the audio, and what is known of it.

use crate::id::{ConversationId, LegId};
use crate::webhook::Notice;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A recording, from its notice to its place in the archive.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Recording {
    /// What Vonage said of it.
    #[serde(flatten)]
    pub notice: Notice,
    /// All of its notice, as JSON.
    pub said: String,
    /// The conversation it was made in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationId>,
    /// The call it belongs to, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<LegId>,
    /// The line of that call, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// When its notice came.
    pub at: Timestamp,
    /// How far it got.
    pub state: State,
    /// When the next download is due; the sweep queues what is long overdue again.
    pub due: Timestamp,
    /// Downloads tried.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last one failed, or why none was tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it lies in the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Bytes archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Hex SHA-256 of the bytes archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// How far a recording got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Still to be archived.
    Pending,
    /// In the bucket, complete, size and hash checked.
    Archived,
    /// There is nothing to archive: the notice names no address.
    Empty,
    /// Given up, with the reason beside; `switchboard recordings retry` takes it up again.
    Failed,
}

impl Recording {
    /// What a notice makes known.
    #[must_use]
    pub fn noticed(
        notice: Notice,
        said: String,
        conversation: Option<ConversationId>,
        at: Timestamp,
    ) -> Self {
        let empty = notice.url.is_empty();
        Self {
            state: if empty { State::Empty } else { State::Pending },
            reason: empty.then(|| "the notice has no address: nothing was recorded".to_owned()),
            notice,
            said,
            conversation,
            call: None,
            line: None,
            at,
            due: at,
            attempts: 0,
            key: None,
            bytes: None,
            sha256: None,
        }
    }
}

/// Shows no address.
impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording")
            .field("id", &self.notice.recording)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
