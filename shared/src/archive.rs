//! The archive: recordings in S3, complete and verified.

mod audio;
mod transcript;
mod upload;

pub use audio::Audio;

use upload::Vouched;

use crate::config::Lookup;
use crate::crypto::hex;
use crate::recording::Recording;
use crate::vonage::{Download, VonageError};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectError;
use jiff::tz::TimeZone;
use ring::digest;
use std::collections::HashMap;

/// Where recordings without a known line are kept.
const NO_LINE: &str = "unknown-line";

/// Longest value of an object's metadata: six of them stay below S3's 2 KB.
const METADATA_MAX: usize = 256;

/// The bucket.
#[derive(Debug, Clone)]
pub struct Archive {
    client: Client,
    bucket: String,
}

/// What lies in the bucket now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// Hex SHA-256 of it.
    pub sha256: String,
}

/// A recording did not get into the bucket. Nothing is left half done there.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Vonage did not give it, or not to the end.
    #[error("could not download the recording")]
    Download(#[source] VonageError),
    /// Other than announced.
    #[error("the recording has {got} bytes, announced were {announced}")]
    Size {
        /// Bytes announced.
        announced: u64,
        /// Bytes that came.
        got: u64,
    },
    /// What lies in the bucket is not what was put there.
    #[error("the bucket holds other bytes than were put there")]
    Content,
    /// S3 said no.
    #[error("could not {operation}")]
    S3 {
        /// What was asked.
        operation: &'static str,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ArchiveError {
    fn s3<E>(operation: &'static str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| Self::S3 {
            operation,
            source: Box::new(source),
        }
    }
}

impl Archive {
    /// A bucket behind a client.
    #[must_use]
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    /// The bucket named by `SWITCHBOARD_BUCKET`.
    pub fn from_lookup(lookup: &mut Lookup, sdk: &SdkConfig) -> Self {
        Self::new(crate::aws::s3(sdk), lookup.required("SWITCHBOARD_BUCKET"))
    }

    /// Streams audio into the bucket: in one piece below 8 MiB, in parts beyond.
    /// Memory is bounded whatever the size.
    ///
    /// # Errors
    /// When the download or the upload fails, or size or hash are not as they should be.
    pub async fn keep(
        &self,
        recording: &Recording,
        announced: Option<u64>,
        audio: Download,
    ) -> Result<Archived, ArchiveError> {
        let (archived, vouched) = upload::stream(self, recording, announced, audio).await?;
        let (bytes, sha256) = match vouched {
            Vouched::Yes => (self.size(&archived.key).await?, archived.sha256.clone()),
            Vouched::No => self.hash(&archived.key).await?,
        };
        if (bytes, &sha256) != (archived.bytes, &archived.sha256) {
            // Nobody shall find it and take it for whole.
            let delete = self
                .client
                .delete_object()
                .bucket(&self.bucket)
                .key(&archived.key);
            delete
                .send()
                .await
                .map_err(ArchiveError::s3("remove what does not fit"))?;
            return Err(ArchiveError::Content);
        }
        Ok(archived)
    }

    /// A recording that is in the bucket already though its item does not say so: whoever put it
    /// there stopped before writing it down. Read through once, to know its hash.
    ///
    /// # Errors
    /// When S3 does not answer.
    pub async fn find(&self, recording: &Recording) -> Result<Option<Archived>, ArchiveError> {
        let Some(key) = self.own_keys(recording).await?.into_iter().next() else {
            return Ok(None);
        };
        let (bytes, sha256) = self.hash(&key).await?;
        if recording.notice.size.is_some_and(|size| size != bytes) {
            return Ok(None);
        }
        Ok(Some(Archived { key, bytes, sha256 }))
    }

    /// Removes whatever is left of a recording. What is gone already is no fault.
    ///
    /// # Errors
    /// When S3 does not answer; then some of it may be left.
    pub async fn remove(&self, recording: &Recording) -> Result<(), ArchiveError> {
        let mut keys = self.own_keys(recording).await?;
        keys.extend(transcript::keys(recording));
        if let Some(key) = recording.key.as_ref().filter(|key| !keys.contains(key)) {
            // Its line may have become known after it was archived.
            let head = self.client.head_object().bucket(&self.bucket).key(key);
            match head.send().await {
                Ok(_) => keys.push(key.clone()),
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(HeadObjectError::is_not_found) => {}
                Err(error) => return Err(ArchiveError::s3("look for the recording")(error)),
            }
        }
        for key in keys {
            let delete = self.client.delete_object().bucket(&self.bucket).key(key);
            delete
                .send()
                .await
                .map_err(ArchiveError::s3("remove a recording whose time is over"))?;
        }
        Ok(())
    }

    /// The keys under which a recording lies: one, as a rule.
    async fn own_keys(&self, recording: &Recording) -> Result<Vec<String>, ArchiveError> {
        let listed = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("{}.", key(recording)))
            .send()
            .await
            .map_err(ArchiveError::s3("look for the recording in the archive"))?;
        // An id may hold a full stop, so more may begin alike.
        let own = Audio::ALL.map(|audio| format!("{}.{}", key(recording), audio.ending()));
        let keys = listed.contents().iter().filter_map(|object| object.key());
        let own = keys.filter(|key| own.iter().any(|own| own == key));
        Ok(own.map(str::to_owned).collect())
    }

    /// The size of an object.
    async fn size(&self, key: &str) -> Result<u64, ArchiveError> {
        let head = self
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await;
        let head = head.map_err(ArchiveError::s3("look at the archived recording"))?;
        Ok(head
            .content_length()
            .and_then(|n| u64::try_from(n).ok())
            .unwrap_or_default())
    }

    /// Size and hex SHA-256 of an object, read through once.
    async fn hash(&self, key: &str) -> Result<(u64, String), ArchiveError> {
        let mut object = self.open(key).await?;
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut bytes = 0;
        let fail = |error| ArchiveError::s3("read the archived recording")(error);
        while let Some(chunk) = object.body.try_next().await.map_err(fail)? {
            hash.update(&chunk);
            bytes += chunk.len() as u64;
        }
        Ok((bytes, hex(hash.finish().as_ref())))
    }

    /// Opens an archived recording to read it.
    ///
    /// # Errors
    /// When S3 does not give it.
    pub async fn open(
        &self,
        key: &str,
    ) -> Result<aws_sdk_s3::operation::get_object::GetObjectOutput, ArchiveError> {
        self.open_from(key, 0).await
    }

    /// The same from a byte on, which must be one of its bytes.
    ///
    /// # Errors
    /// When S3 does not give it.
    pub async fn open_from(
        &self,
        key: &str,
        from_byte: u64,
    ) -> Result<aws_sdk_s3::operation::get_object::GetObjectOutput, ArchiveError> {
        let object = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_range((from_byte > 0).then(|| format!("bytes={from_byte}-")))
            .send()
            .await;
        object.map_err(ArchiveError::s3("open an archived recording"))
    }
}

/// Key of a recording, without its ending: by line and day (UTC).
fn key(recording: &Recording) -> String {
    let day = recording.at.to_zoned(TimeZone::UTC).strftime("%Y/%m/%d");
    // What was called came from outside; only digits make a folder.
    let line = recording
        .line
        .as_deref()
        .filter(|line| !line.is_empty() && line.bytes().all(|b| b.is_ascii_digit()));
    format!(
        "recordings/{}/{day}/{}",
        line.unwrap_or(NO_LINE),
        recording.notice.recording
    )
}

/// What leads from the object back to the call.
fn metadata(recording: &Recording) -> HashMap<String, String> {
    let fields = [
        ("recording", Some(recording.notice.recording.to_string())),
        (
            "conversation",
            recording.conversation.as_ref().map(ToString::to_string),
        ),
        ("call", recording.call.as_ref().map(ToString::to_string)),
        ("line", recording.line.clone()),
        ("start", recording.notice.start.clone()),
        ("end", recording.notice.end.clone()),
    ];
    // S3 carries metadata in headers, 2 KB of them in all: what is not short plain text stays out.
    let plain = |text: &String| {
        text.len() <= METADATA_MAX && text.bytes().all(|b| (0x20..0x7f).contains(&b))
    };
    let known = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    known.filter(|(_, value)| plain(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::Notice;

    fn recording(line: Option<&str>) -> Recording {
        let notice = Notice {
            recording: "r-1".parse().unwrap(),
            url: "https://api.nexmo.com/v1/files/x".to_owned(),
            size: None,
            start: Some("2026-01-01T12:00:00Z".to_owned()),
            end: Some("naïve\n".to_owned()),
        };
        let at = "2026-01-01T23:59:59Z".parse().unwrap();
        let mut recording =
            Recording::noticed(notice, "{}".to_owned(), Some("CON-1".parse().unwrap()), at);
        recording.line = line.map(str::to_owned);
        recording
    }

    #[test]
    fn a_key_has_line_and_day_and_nothing_from_outside() {
        for (line, folder) in [
            (Some("447700900000"), "447700900000"),
            (Some("../../etc"), NO_LINE),
            (Some("sip:a@b"), NO_LINE),
            (None, NO_LINE),
        ] {
            assert_eq!(
                key(&recording(line)),
                format!("recordings/{folder}/2026/01/01/r-1")
            );
        }
    }

    #[test]
    fn metadata_leads_back_to_the_call_and_fits_a_header() {
        let metadata = metadata(&recording(Some("447700900000")));
        assert_eq!(metadata["conversation"], "CON-1");
        assert_eq!(metadata["line"], "447700900000");
        assert!(!metadata.contains_key("end"));
    }
}
