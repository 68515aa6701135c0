//! Recordings: what sounded in a conversation, kept as a score and rendered when it is fetched.

use crate::audio::{self, Score, Sound};
use crate::event;
use crate::journal::{Heard, What as Happened};
use crate::leg::LegId;
use crate::ncco::{self, Format, Hook, Transcription};
use crate::platform::{Due, Platform};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::time::Duration;

/// How long a recording can be fetched.
///
/// See [Vonage/Voice API/Recording](https://developer.vonage.com/en/voice/voice-api/guides/recording).
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Channels of a split recording that names no number: one for each side of a call.
///
/// See [Vonage/Voice API/Recording](https://developer.vonage.com/en/voice/voice-api/guides/recording).
const SIDES: u8 = 2;

/// Time from a recording's end until its event. Not documented; a second is what samples show.
const READY_AFTER: Duration = Duration::from_secs(1);

/// Time from a recording's end until it is written down.
const TRANSCRIBED_AFTER: Duration = Duration::from_secs(3);

/// How long the beep before a recording is. Not documented.
const BEEP: Duration = Duration::from_millis(400);

/// The latest sounds that are looked at for those that a new one cuts short: few sound together.
const STOPPED_AT_ONCE: usize = 8;

/// A recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The id in its URL.
    pub(crate) id: String,
    /// The id in its event, which is another.
    pub(crate) uuid: String,
    /// Where it began, as its event has it.
    pub(crate) conversation: String,
    /// Where it is now: it follows its leg from one conversation to the next.
    pub(crate) room: String,
    /// Whose script began it.
    pub(crate) leg: LegId,
    /// It goes on for as long as the conversation, whoever leaves.
    pub(crate) of_room: bool,
    pub(crate) hook: Option<Hook>,
    pub(crate) began: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) format: Format,
    /// 1, unless split.
    pub(crate) channels: u8,
    /// Who speaks on which channel, in the order they spoke.
    pub(crate) people: Vec<LegId>,
    pub(crate) sounds: Vec<Sound>,
    pub(crate) transcription: Option<Transcription>,
    /// The server was told of all there is.
    pub(crate) told: bool,
}

impl Recording {
    /// Bytes of the file.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.score().size()
    }

    /// How long it is, so far.
    #[must_use]
    pub fn length(&self) -> Duration {
        event::between(self.began, self.ended.unwrap_or(self.began))
    }

    /// What is rendered.
    #[must_use]
    pub fn score(&self) -> Score {
        Score {
            format: match self.format {
                Format::Mp3 => audio::Format::Mp3,
                Format::Wav => audio::Format::Wav,
                Format::Ogg => audio::Format::Ogg,
            },
            channels: self.channels,
            length: self.length(),
            sounds: self.sounds.clone(),
        }
    }

    /// What was said, as the transcription's file has it.
    pub(crate) fn transcript(&self) -> Value {
        let sentences = self.sounds.iter().filter_map(|sound| match &sound.what {
            audio::What::Speech { text, .. } => Some(json!({
                "sentence": text,
                "raw_sentence": text.to_lowercase(),
                "duration": sound.length.as_millis(),
                "timestamp": sound.at.as_millis(),
                "words": [],
            })),
            _ => None,
        });
        json!({
            "ver": "1.0.0",
            "request_id": self.uuid,
            "channels": [{
                "transcript": sentences.collect::<Vec<_>>(),
                "duration": self.length().as_millis(),
            }],
        })
    }

    fn channel_of(&mut self, leg: Option<&LegId>) -> u8 {
        let Some(leg) = leg.filter(|_| self.channels > 1) else {
            return 0;
        };
        let index = self.people.iter().position(|one| one == leg);
        let index = index.unwrap_or_else(|| {
            self.people.push(leg.clone());
            self.people.len() - 1
        });
        // Who comes beyond the last channel shares it.
        u8::try_from(index)
            .unwrap_or(u8::MAX)
            .min(self.channels - 1)
    }
}

impl ncco::Record {
    /// How a `conversation` records itself: whole, in mono.
    pub(crate) fn of_conversation(conversation: &ncco::Conversation) -> Self {
        Self {
            format: Format::Mp3,
            channels: None,
            split: false,
            end_on_silence: None,
            end_on_key: None,
            time_out: None,
            beep: false,
            hook: conversation.hook.clone(),
            transcription: conversation.transcription.clone(),
        }
    }
}

impl Platform {
    /// Begins to record the conversation a leg is in.
    pub(crate) fn begin_recording(&mut self, id: &LegId, record: &ncco::Record) -> String {
        let recording = Recording {
            id: self.uuid(),
            uuid: self.uuid(),
            conversation: self.legs[id].conversation.clone(),
            room: self.legs[id].conversation.clone(),
            leg: id.clone(),
            of_room: false,
            hook: record.hook.clone(),
            began: self.now,
            ended: None,
            format: record.format,
            channels: if record.split {
                record.channels.unwrap_or(SIDES)
            } else {
                1
            },
            people: Vec::new(),
            sounds: Vec::new(),
            transcription: record.transcription.clone(),
            told: false,
        };
        let file = recording.id.clone();
        if let Some(room) = self.conversations.get_mut(&recording.conversation) {
            room.recordings.push(file.clone());
        }
        self.recordings.insert(file.clone(), recording);
        if record.beep {
            self.sound(id, None, BEEP, &audio::What::Beep);
            self.journal
                .note(self.now, Some(id), Happened::Hears(Heard::Beep));
        }
        file
    }

    /// Something sounds in the conversation of a leg, and so on its recordings. `by`: who says it;
    /// nobody for what the platform plays.
    pub(crate) fn sound(
        &mut self,
        id: &LegId,
        by: Option<&LegId>,
        length: Duration,
        what: &audio::What,
    ) {
        self.for_recordings(id, |recording, at| {
            let channel = recording.channel_of(by.or(Some(id)));
            recording.sounds.push(Sound {
                at,
                length,
                channel,
                what: what.clone(),
            });
        });
    }

    /// What was to sound for longer has stopped.
    pub(crate) fn hush(&mut self, id: &LegId) {
        self.for_recordings(id, |recording, now| {
            for sound in recording.sounds.iter_mut().rev().take(STOPPED_AT_ONCE) {
                if sound.at + sound.length > now && !matches!(sound.what, audio::What::Key(_)) {
                    sound.length = now.saturating_sub(sound.at);
                }
            }
        });
    }

    /// What is being recorded where a leg is, and how far each is.
    fn for_recordings(&mut self, id: &LegId, mut act: impl FnMut(&mut Recording, Duration)) {
        let room = self.conversations.get(&self.legs[id].conversation);
        for file in room.iter().flat_map(|room| &room.recordings) {
            if let Some(recording) = self.recordings.get_mut(file) {
                let at = event::between(recording.began, self.now);
                act(recording, at);
            }
        }
    }

    /// The recording is complete: its event follows.
    pub(crate) fn finish_recording(&mut self, file: &str) {
        let now = self.now;
        let Some(recording) = self.recordings.get_mut(file) else {
            return;
        };
        if recording.ended.is_some() {
            return;
        }
        recording.ended = Some(now);
        let room = recording.room.clone();
        if let Some(room) = self.conversations.get_mut(&room) {
            room.recordings.retain(|one| one != file);
        }
        self.after(READY_AFTER, Due::Recorded(file.to_owned()));
        if self.recordings[file].transcription.is_some() {
            self.after(TRANSCRIBED_AFTER, Due::Transcribed(file.to_owned()));
        }
    }

    /// A leg's script leads it into another conversation: what it began to record goes on there.
    pub(crate) fn recordings_follow(&mut self, id: &LegId, to: &str) {
        let Some(from) = self.conversations.get_mut(&self.legs[id].conversation) else {
            return;
        };
        let recordings = &mut self.recordings;
        let follows = |file: &mut String| {
            let recording = recordings.get_mut(file);
            let recording = recording.filter(|one| one.leg == *id && !one.of_room);
            recording
                .map(|one| one.room.replace_range(.., to))
                .is_some()
        };
        let files: Vec<String> = from.recordings.extract_if(.., follows).collect();
        if let Some(room) = self.conversations.get_mut(to) {
            room.recordings.extend(files);
        }
    }

    /// Ends what a leg's script began to record.
    pub(crate) fn finish_recordings_of(&mut self, id: &LegId) {
        let going = self.recordings.values();
        let going = going.filter(|one| one.ended.is_none() && one.leg == *id && !one.of_room);
        for file in going.map(|one| one.id.clone()).collect::<Vec<_>>() {
            self.finish_recording(&file);
        }
    }

    /// Tells that a recording can be fetched.
    pub(crate) fn announce(&mut self, file: &str) {
        let Some(recording) = self.recordings.get_mut(file) else {
            return;
        };
        recording.told = recording.transcription.is_none();
        let recording = &self.recordings[file];
        let body = event::record(recording, &self.file_url(file), self.now);
        let what = Happened::Recorded {
            recording: recording.uuid.clone(),
            bytes: recording.size(),
            length: recording.length(),
        };
        let leg = recording.leg.clone();
        let hook = recording.hook.clone();
        self.journal.note(self.now, Some(&leg), what);
        self.tell_hook(hook.as_ref(), body);
    }

    /// Tells that a recording was written down.
    pub(crate) fn announce_transcript(&mut self, file: &str) {
        let Some(recording) = self.recordings.get_mut(file) else {
            return;
        };
        recording.told = true;
        let recording = &self.recordings[file];
        let url = format!("{}/v1/files/{file}/transcript", self.base);
        let body = event::transcribed(recording, &url, self.now);
        let hook = recording
            .transcription
            .as_ref()
            .and_then(|transcription| transcription.hook.clone())
            .or_else(|| recording.hook.clone());
        self.tell_hook(hook.as_ref(), body);
    }

    /// A recording that can still be fetched.
    pub(crate) fn recording(&self, file: &str) -> Option<&Recording> {
        let recording = self.recordings.get(file)?;
        let ended = recording.ended?;
        (self.now.duration_since(ended) < KEPT).then_some(recording)
    }

    pub(crate) fn file_url(&self, file: &str) -> String {
        format!("{}/v1/files/{file}", self.base)
    }
}
