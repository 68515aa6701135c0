//! What was said, beside the audio.

use super::{Archive, ArchiveError, Archived, key, upload};
use crate::crypto::hex;
use crate::recording::Recording;
use ring::digest;
use serde::de::IgnoredAny;

/// Ending of a key, and content type of the object.
const JSON: (&str, &str) = ("json", "application/json");

/// The same of what does not read as JSON, and is kept as it is.
const TEXT: (&str, &str) = ("txt", "text/plain; charset=utf-8");

/// Where the transcript of a recording may lie. Removing what is not there is no fault.
pub(super) fn keys(recording: &Recording) -> impl Iterator<Item = String> {
    [JSON, TEXT]
        .map(|(ending, _)| format!("{}.{ending}", key(recording)))
        .into_iter()
}

impl Archive {
    /// Puts the transcript of a recording beside it, in one piece.
    ///
    /// # Errors
    /// When the upload fails, or the bucket holds another size than was put there.
    pub async fn keep_transcript(
        &self,
        recording: &Recording,
        file: Vec<u8>,
    ) -> Result<Archived, ArchiveError> {
        let is_json = serde_json::from_slice::<IgnoredAny>(&file).is_ok();
        let (ending, content_type) = if is_json { JSON } else { TEXT };
        let archived = Archived {
            key: format!("{}.{ending}", key(recording)),
            bytes: file.len() as u64,
            sha256: hex(digest::digest(&digest::SHA256, &file).as_ref()),
        };
        upload::put(self, recording, &archived.key, content_type, file.into()).await?;
        if self.size(&archived.key).await? != archived.bytes {
            return Err(ArchiveError::Content);
        }
        Ok(archived)
    }
}
