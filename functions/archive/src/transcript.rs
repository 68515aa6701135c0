//! Transcripts, beside the audio.
//!
//! A transcript waits for its recording, and never the other way round: whatever is wrong with what
//! was written down, the audio is kept.

use super::{Archiver, Done, Next, STORE_AWAY, Undone, Why, later};
use switchboard_shared::archive::ArchiveError;
use switchboard_shared::chain;
use switchboard_shared::id::RecordingId;
use switchboard_shared::recording::State;
use switchboard_shared::store::StoreError;
use switchboard_shared::transcript::{self, Transcript};

/// Longest transcript that is taken, in bytes: it is held in memory. Two hours of talk, each word
/// with its times, have about 2 MB.
pub(super) const TRANSCRIPT_MAX: usize = 8 * 1024 * 1024;

impl Archiver {
    pub(super) async fn write_down(&self, id: &RecordingId) -> Result<Done, Undone> {
        let away = |error: StoreError| Undone {
            why: error.into(),
            next: Next::In(STORE_AWAY),
        };
        let Some(mut transcript) = self.store.transcript(id).await.map_err(away)? else {
            tracing::error!(recording.id = %id, "a job names a transcript that nobody announced");
            return Ok(Done::Nothing);
        };
        match transcript.state {
            State::Archived | State::Empty | State::Expired | State::Deleted => {
                return Ok(Done::Nothing);
            }
            State::Failed => return Ok(Done::GivenUp),
            State::Pending => {}
        }
        // Two messages at once put the same bytes under the same key.
        transcript.attempts = transcript.attempts.saturating_add(1);
        let tried = self.fetch_transcript(&mut transcript).await;
        let Err(why) = tried else {
            self.store
                .update_transcript(&transcript)
                .await
                .map_err(away)?;
            return Ok(Done::WrittenDown(transcript.bytes.unwrap_or_default()));
        };
        let (next, state, wait) = self.after(transcript.attempts, &why);
        transcript.state = state;
        transcript.reason = Some(chain(&why));
        transcript.due = later(self.clock.now(), wait);
        if let Err(error) = self.store.update_transcript(&transcript).await {
            tracing::error!(recording.id = %id, error = %chain(&error), "why it failed is not written");
        }
        Err(Undone { why, next })
    }

    async fn fetch_transcript(&self, transcript: &mut Transcript) -> Result<(), Why> {
        let recording = self.store.recording(&transcript.recording).await?;
        // Beside the audio, wherever that came to lie.
        let recording = recording.filter(|recording| recording.state != State::Pending);
        let recording = recording.ok_or(Why::AudioFirst)?;
        if matches!(recording.state, State::Expired | State::Deleted) {
            // Its time is over: nothing is put where everything was removed.
            transcript.state = State::Deleted;
            return Ok(());
        }
        let file = self.download_text(&transcript.url).await?;
        let text = transcript::text(&file);
        let archived = self.archive.keep_transcript(&recording, file).await?;
        transcript.state = State::Archived;
        transcript.reason = None;
        transcript.key = Some(archived.key);
        transcript.bytes = Some(archived.bytes);
        transcript.sha256 = Some(archived.sha256);
        transcript.text = text;
        Ok(())
    }

    async fn download_text(&self, url: &str) -> Result<Vec<u8>, Why> {
        let mut download = self.vonage.download(url).await?;
        let mut file = Vec::new();
        while let Some(chunk) = download.chunk().await.map_err(ArchiveError::Download)? {
            if file.len() + chunk.len() > TRANSCRIPT_MAX {
                return Err(Why::TooLong);
            }
            file.extend_from_slice(&chunk);
        }
        Ok(file)
    }
}
