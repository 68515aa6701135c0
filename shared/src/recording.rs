//! A recording: the audio, and what is known of it.

use crate::id::{ConversationId, LegId};
use crate::plan::voicemail::MESSAGE_MIN;
use crate::webhook::Notice;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Bytes of a second of audio, in the format that is made unless another is asked for: MP3 of 32
/// kbit/s.
///
/// See [Vonage/Voice API/Recording](https://developer.vonage.com/en/voice/voice-api/guides/recording).
const BYTES_A_SECOND: u64 = 4_000;

/// How exactly a notice says when a recording began and ended.
const SAID_TO: Duration = Duration::from_secs(1);

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

impl Recording {
    /// How long it is. Its notice says to the second when it began and ended, so that may be wrong
    /// by almost one; its bytes say it better, if they agree so far. `None` where neither is known.
    #[must_use]
    pub fn length(&self) -> Option<Duration> {
        let at = |text: &Option<String>| text.as_ref()?.parse::<Timestamp>().ok();
        let said = at(&self.notice.start).zip(at(&self.notice.end));
        let said = said.and_then(|(start, end)| Duration::try_from(end.duration_since(start)).ok());
        let bytes = self.notice.size;
        let heard =
            bytes.map(|bytes| Duration::from_millis(bytes.saturating_mul(1000) / BYTES_A_SECOND));
        match (said, heard) {
            (Some(said), Some(heard)) if said.abs_diff(heard) > SAID_TO => Some(said),
            (said, heard) => heard.or(said),
        }
    }

    /// Whether it is long enough to be a message. One whose length is not known is: better an empty
    /// message than a lost one.
    #[must_use]
    pub fn is_message(&self) -> bool {
        let long = |length| length >= MESSAGE_MIN;
        self.state != State::Empty && self.length().is_none_or(long)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_a_message_from_three_seconds_on_or_where_nobody_can_tell() {
        let at = "2026-03-02T10:00:00Z";
        for (start, end, size, message) in [
            (Some(at), Some("2026-03-02T10:00:02Z"), Some(90_000), false),
            (Some(at), Some("2026-03-02T10:00:03Z"), Some(1), true),
            (Some(at), Some("2026-03-02T10:00:03Z"), None, true),
            // It began late in one second and ended early in another, or the other way round.
            (Some(at), Some("2026-03-02T10:00:03Z"), Some(8_800), false),
            (Some(at), Some("2026-03-02T10:00:02Z"), Some(12_000), true),
            (Some(at), Some("2026-03-02T10:00:03Z"), Some(u64::MAX), true),
            (Some(at), None, Some(11_999), false),
            (Some(at), Some("soon"), Some(12_000), true),
            // The clock was set between the two.
            (Some("2026-03-02T11:00:00Z"), Some(at), Some(12_000), true),
            (None, None, Some(0), false),
            (None, None, None, true),
        ] {
            let notice = Notice {
                recording: "r-1".parse().unwrap(),
                url: "https://api.nexmo.com/v1/files/x".to_owned(),
                size,
                start: start.map(str::to_owned),
                end: end.map(str::to_owned),
            };
            let told = format!("{notice:?}");
            let recording =
                |notice| Recording::noticed(notice, "{}".to_owned(), None, at.parse().unwrap());
            assert_eq!(recording(notice.clone()).is_message(), message, "{told}");
            let empty = Notice {
                url: String::new(),
                ..notice
            };
            assert!(!recording(empty).is_message());
        }
    }
}
