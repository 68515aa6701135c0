//! A recording: the audio, and what is known of it.

use crate::id::{ConversationId, LegId};
use crate::plan::Keep;
use crate::plan::keep::KEEP_MIN;
use crate::plan::voicemail::MESSAGE_MIN;
use crate::webhook::Notice;
use jiff::{SignedDuration, Timestamp};
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
    /// When it is looked at next, whether its time is over; absent while it is to be archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Timestamp>,
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
    /// Its time is over, and its object about to be removed.
    Expired,
    /// Its time was over: no object of it is left.
    Deleted,
}

/// What is to become of a recording whose time to be looked at has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// To be looked at again then.
    Later(Timestamp),
    /// Its object is to be removed.
    Expire,
    /// Its item is to be removed: nothing of it is in the bucket.
    Forget,
}

/// Longest time between two looks at a recording. A plan that is changed to keep recordings for a
/// shorter time reaches all of them within it.
pub const LOOKED_AT_EVERY: SignedDuration = SignedDuration::from_hours(24 * 30);

impl Recording {
    /// What is to become of it now, by a plan that keeps things so long.
    #[must_use]
    pub fn due(&self, keep: Keep, now: Timestamp) -> Due {
        let later = |time| now.saturating_add(time).unwrap_or(Timestamp::MAX);
        let (kept, over) = match self.state {
            State::Pending => return Due::Later(later(KEEP_MIN)),
            State::Expired => return Due::Expire,
            State::Archived => (keep.recordings, Due::Expire),
            // A download that failed at its last step may have left something.
            State::Failed => (Some(keep.ledger), Due::Expire),
            State::Empty | State::Deleted => (Some(keep.ledger), Due::Forget),
        };
        let next = later(LOOKED_AT_EVERY);
        match kept.and_then(|kept| self.at.saturating_add(kept).ok()) {
            Some(end) if end <= now => over,
            Some(end) => Due::Later(end.min(next)),
            None => Due::Later(next),
        }
    }

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
            look: None,
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

    /// When it was over: as its notice says, else when that came.
    #[must_use]
    pub fn ended(&self) -> Timestamp {
        let said = self.notice.end.as_ref().and_then(|end| end.parse().ok());
        said.unwrap_or(self.at)
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

    /// `kept` and `ledger` in days, `age` of the recording in hours.
    #[track_caller]
    fn check(state: State, kept: Option<i64>, ledger: i64, age: i64, expected: Due) {
        let notice = Notice {
            recording: "r-1".parse().unwrap(),
            url: "https://api.nexmo.com/v1/files/x".to_owned(),
            size: None,
            start: None,
            end: None,
        };
        let mut recording = Recording::noticed(notice, String::new(), None, Timestamp::UNIX_EPOCH);
        recording.state = state;
        let keep = Keep {
            ledger: SignedDuration::from_hours(24 * ledger),
            recordings: kept.map(|days| SignedDuration::from_hours(24 * days)),
        };
        assert_eq!(recording.due(keep, hour(age)), expected, "{state:?} {age}");
    }

    fn hour(hours: i64) -> Timestamp {
        Timestamp::from_second(hours * 3600).unwrap()
    }

    #[test]
    fn what_becomes_of_a_recording_depends_on_its_state_and_age() {
        use Due::{Expire, Forget, Later};
        for (state, kept, ledger, age, expected) in [
            (State::Archived, Some(10), 120, 24, Later(hour(240))),
            (State::Archived, Some(10), 120, 239, Later(hour(240))),
            (State::Archived, Some(10), 120, 240, Expire),
            (State::Archived, Some(365), 1, 48, Later(hour(48 + 720))),
            (State::Archived, None, 1, 48, Later(hour(48 + 720))),
            (State::Expired, None, 120, 24, Expire),
            (State::Pending, Some(1), 1, 999, Later(hour(999 + 24))),
            (State::Failed, Some(1), 3, 71, Later(hour(72))),
            (State::Failed, None, 3, 72, Expire),
            (State::Empty, None, 3, 72, Forget),
            (State::Deleted, Some(1), 3, 71, Later(hour(72))),
            (State::Deleted, Some(1), 3, 72, Forget),
        ] {
            check(state, kept, ledger, age, expected);
        }
    }
}
