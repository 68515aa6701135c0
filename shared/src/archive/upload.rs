//! Audio on its way into the bucket.

use super::{Archive, ArchiveError, Archived, Audio, key, metadata};
use crate::crypto::hex;
use crate::recording::Recording;
use crate::vonage::Download;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use ring::digest;
use std::collections::VecDeque;
use tokio::task::JoinHandle;

/// Size of a part. S3 takes parts from 5 MiB and at most 10 000 of them, so this reaches 80 GB; the
/// largest recording Vonage makes (two hours, 32 channels of 16 bit 16 kHz) has 7.4 GB.
pub(super) const PART: usize = 8 * 1024 * 1024;

/// Room beyond a part for the piece that completes it: pieces are what one read of the connection
/// brought, and hyper reads 400 KiB at most. Without it the buffer would be copied to twice its size.
const PIECE: usize = 512 * 1024;

/// Parts on their way to S3 while the next one is filled. Memory is three parts, whatever the size.
const IN_FLIGHT: usize = 2;

/// Whether S3 itself compared every byte with our SHA-256. It does for one piece, and for parts when
/// it returns a checksum over theirs; a store that returns none did not look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vouched {
    Yes,
    No,
}

type Sent = JoinHandle<Result<CompletedPart, ArchiveError>>;

/// Parts that stop and are removed unless the upload is completed.
struct Parts<'a> {
    archive: &'a Archive,
    key: String,
    id: String,
    in_flight: VecDeque<Sent>,
    done: Vec<CompletedPart>,
    next: i32,
}

pub(super) async fn stream(
    archive: &Archive,
    recording: &Recording,
    announced: Option<u64>,
    mut audio: Download,
) -> Result<(Archived, Vouched), ArchiveError> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut bytes = 0;
    let mut part = fill(&mut audio, &mut hash, &mut bytes).await?;
    let kind = Audio::of(&part);
    let key = format!("{}.{}", key(recording), kind.ending());
    let vouched = if part.len() < PART {
        check_size(announced, bytes)?;
        put(archive, recording, &key, kind.content_type(), part).await?;
        Vouched::Yes
    } else {
        let mut parts = Parts::begin(archive, recording, &key, kind).await?;
        let sent = async {
            while !part.is_empty() {
                parts.send(std::mem::take(&mut part)).await?;
                part = fill(&mut audio, &mut hash, &mut bytes).await?;
            }
            check_size(announced, bytes)
        };
        match sent.await {
            Ok(()) => parts.complete().await?,
            Err(error) => {
                parts.abort().await;
                return Err(error);
            }
        }
    };
    let sha256 = hex(hash.finish().as_ref());
    Ok((Archived { key, bytes, sha256 }, vouched))
}

fn check_size(announced: Option<u64>, got: u64) -> Result<(), ArchiveError> {
    match announced {
        Some(announced) if announced != got => Err(ArchiveError::Size { announced, got }),
        _ => Ok(()),
    }
}

/// Reads up to one part; less only at the end.
async fn fill(
    audio: &mut Download,
    hash: &mut digest::Context,
    bytes: &mut u64,
) -> Result<Bytes, ArchiveError> {
    let mut part = BytesMut::with_capacity(PART + PIECE);
    while part.len() < PART
        && let Some(chunk) = audio.chunk().await.map_err(ArchiveError::Download)?
    {
        hash.update(&chunk);
        *bytes += chunk.len() as u64;
        part.extend_from_slice(&chunk);
    }
    Ok(part.freeze())
}

/// What S3 checks the bytes against when they arrive. It is a signed header, so the signature need
/// not hash the same bytes once more.
fn checksum(part: &[u8]) -> String {
    STANDARD.encode(digest::digest(&digest::SHA256, part))
}

pub(super) async fn put(
    archive: &Archive,
    recording: &Recording,
    key: &str,
    content_type: &str,
    audio: Bytes,
) -> Result<(), ArchiveError> {
    archive
        .client
        .put_object()
        .bucket(&archive.bucket)
        .key(key)
        .content_type(content_type)
        .set_metadata(Some(metadata(recording)))
        .checksum_sha256(checksum(&audio))
        .body(ByteStream::from(audio))
        .customize()
        .disable_payload_signing()
        .send()
        .await
        .map_err(ArchiveError::s3("put the recording into the archive"))?;
    Ok(())
}

impl<'a> Parts<'a> {
    async fn begin(
        archive: &'a Archive,
        recording: &Recording,
        key: &str,
        kind: Audio,
    ) -> Result<Self, ArchiveError> {
        let begun = archive
            .client
            .create_multipart_upload()
            .bucket(&archive.bucket)
            .key(key)
            .content_type(kind.content_type())
            .set_metadata(Some(metadata(recording)))
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send()
            .await
            .map_err(ArchiveError::s3(
                "begin to put the recording into the archive",
            ))?;
        Ok(Self {
            archive,
            key: key.to_owned(),
            id: begun.upload_id.unwrap_or_default(),
            in_flight: VecDeque::new(),
            done: Vec::new(),
            next: 1,
        })
    }

    async fn send(&mut self, part: Bytes) -> Result<(), ArchiveError> {
        if self.in_flight.len() >= IN_FLIGHT {
            self.settle().await?;
        }
        let checksum = checksum(&part);
        let number = self.next;
        let upload = self
            .archive
            .client
            .upload_part()
            .bucket(&self.archive.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .part_number(number)
            .checksum_sha256(&checksum)
            .body(ByteStream::from(part));
        self.in_flight.push_back(tokio::spawn(async move {
            let sent = upload.customize().disable_payload_signing().send().await;
            let sent = sent.map_err(ArchiveError::s3("put a part of the recording"))?;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(sent.e_tag)
                .checksum_sha256(checksum)
                .build())
        }));
        self.next += 1;
        Ok(())
    }

    /// Waits for the oldest part on its way.
    async fn settle(&mut self) -> Result<(), ArchiveError> {
        if let Some(sent) = self.in_flight.pop_front() {
            let part = sent
                .await
                .map_err(ArchiveError::s3("put a part of the recording"))??;
            self.done.push(part);
        }
        Ok(())
    }

    async fn complete(mut self) -> Result<Vouched, ArchiveError> {
        while !self.in_flight.is_empty() {
            if let Err(error) = self.settle().await {
                self.abort().await;
                return Err(error);
            }
        }
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(self.done.clone()))
            .build();
        let completed = self
            .archive
            .client
            .complete_multipart_upload()
            .bucket(&self.archive.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .multipart_upload(parts)
            .send()
            .await
            .map_err(ArchiveError::s3("complete the recording in the archive"));
        match completed {
            Ok(completed) if completed.checksum_sha256.is_some() => Ok(Vouched::Yes),
            Ok(_) => Ok(Vouched::No),
            Err(error) => {
                self.abort().await;
                Err(error)
            }
        }
    }

    /// Removes what arrived. Should that fail too, the bucket's lifecycle removes it in some days.
    async fn abort(self) {
        self.in_flight.iter().for_each(JoinHandle::abort);
        let aborted = self
            .archive
            .client
            .abort_multipart_upload()
            .bucket(&self.archive.bucket)
            .key(&self.key)
            .upload_id(&self.id)
            .send()
            .await;
        if let Err(error) = aborted {
            tracing::warn!(error = %crate::chain(&error), "an unfinished upload is left behind");
        }
    }
}
