//! What was said in a recording, as the platform wrote it down.

use crate::id::{LegId, RecordingId};
use crate::recording::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest text that is kept beside a call, in bytes: an hour of talk has 60 KB, and an item of the
/// table at most 400. The file in the archive is whole.
pub const TEXT_MAX: usize = 64 * 1024;

/// A transcript, from its notice to its place beside the audio.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// The recording it is of.
    pub recording: RecordingId,
    /// Where it lies, as it came; not yet trusted.
    pub url: String,
    /// The call it belongs to, where its notice's URL says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<LegId>,
    /// When its notice came.
    pub at: Timestamp,
    /// How far it got. [`State::Empty`]: the notice names no address.
    pub state: State,
    /// When the next download is due.
    pub due: Timestamp,
    /// Downloads tried.
    #[serde(default)]
    pub attempts: u32,
    /// Why the last one failed.
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
    /// What was said, a line for each channel; at most [`TEXT_MAX`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Transcript {
    /// What a notice makes known.
    #[must_use]
    pub fn noticed(
        recording: RecordingId,
        url: String,
        call: Option<LegId>,
        at: Timestamp,
    ) -> Self {
        let empty = url.is_empty();
        Self {
            state: if empty { State::Empty } else { State::Pending },
            reason: empty.then(|| "the notice has no address".to_owned()),
            recording,
            url,
            call,
            at,
            due: at,
            attempts: 0,
            key: None,
            bytes: None,
            sha256: None,
            text: None,
        }
    }
}

/// Shows no address and no word.
impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript")
            .field("recording", &self.recording)
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

/// The sentences in a transcript's file; `None` where it holds none.
///
/// The shape of the file is known from Vonage's SDK:
/// [Vonage/vonage-dotnet-sdk](https://github.com/Vonage/vonage-dotnet-sdk/blob/main/Vonage/Voice/Transcription).
#[must_use]
pub fn text(file: &[u8]) -> Option<String> {
    let file: Value = serde_json::from_slice(file).ok()?;
    let channels = file.get("channels")?.as_array()?.iter();
    let lines = channels.map(|channel| {
        let sentences = channel.get("transcript").and_then(Value::as_array);
        let sentences = sentences.into_iter().flatten();
        let sentences = sentences.filter_map(|one| one.get("sentence")?.as_str());
        sentences.map(str::trim).collect::<Vec<_>>().join(" ")
    });
    let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
    let mut text = lines.join("\n");
    let end = (0..=TEXT_MAX).rev().find(|end| text.is_char_boundary(*end));
    text.truncate(end.unwrap_or_default());
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn the_sentences_of_a_file_are_its_text() {
        let file = json!({
            "ver": "1.0.0",
            "channels": [
                { "transcript": [{ "sentence": "Hello. " }, { "sentence": "Call me." }, { "raw": 1 }] },
                { "transcript": [] },
                { "transcript": [{ "sentence": "Goodbye." }] },
            ],
        });
        let read = text(file.to_string().as_bytes());
        assert_eq!(read.as_deref(), Some("Hello. Call me.\nGoodbye."));
        for nothing in [
            "",
            "null",
            "{}",
            r#"{"channels":[]}"#,
            r#"{"channels":[{"transcript":3}]}"#,
        ] {
            assert_eq!(text(nothing.as_bytes()), None, "{nothing}");
        }
    }

    #[test]
    fn a_long_text_is_cut_between_two_characters() {
        let long = "é".repeat(TEXT_MAX);
        let file = json!({ "channels": [{ "transcript": [{ "sentence": format!("x{long}") }] }] });
        let read = text(file.to_string().as_bytes()).unwrap();
        assert_eq!(read.len(), TEXT_MAX - 1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = text(&bytes);
        }
    }
}
