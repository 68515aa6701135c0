//! A recording as a score, and its performance.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Voice, Wave, mp3, samples, speech, tone, tune, wav};

/// The channels a split recording may have:
/// <https://developer.vonage.com/en/voice/voice-api/ncco-reference#record>.
pub const MOST_CHANNELS: u8 = 32;

/// The channels an mp3 may have.
const MOST_MP3_CHANNELS: u8 = 2;

/// Samples of each channel rendered at once: about a second, and a whole number of mp3 frames.
const BLOCK: u64 = 28 * mp3::FRAME;

/// How long a sound rises and falls at its ends, in samples: 5 ms, so that a cut does not click.
const EDGE: u64 = 80;

/// A recording: what sounded when.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// What was asked for. What the file is says [`Score::served`].
    pub format: Format,
    /// 1 to [`MOST_CHANNELS`]; others count as the nearest of them.
    pub channels: u8,
    /// How long the recording is. What sounds past it is cut.
    pub length: Duration,
    /// In any order; those at the same time in the same channel are mixed. Where none is, is silence.
    pub sounds: Vec<Sound>,
}

/// What a recording is encoded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// 32 kbit/s constant.
    Mp3,
    /// 16 bits a sample.
    Wav,
    /// Served as [`Format::Wav`].
    Ogg,
}

/// Something that sounds for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    /// From the start of the recording.
    pub at: Duration,
    /// How long it sounds. Cut off before its own end if shorter.
    pub length: Duration,
    /// From 0. One that the recording does not have is its last: further people share that.
    pub channel: u8,
    /// What sounds.
    pub what: What,
}

/// What may sound.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Somebody talks.
    Speech {
        /// Plain, or SSML.
        text: String,
        /// Who: each number has a pitch of its own, eight in all.
        voice: u8,
        /// As in an NCCO: `en-US`.
        language: String,
    },
    /// A file is played; from its start, and going on as long as it is asked to.
    Tune {
        /// Its address, which is all that is known of it.
        url: String,
    },
    /// The two tones of a key: `0` to `9`, `*`, `#`, `A` to `D`. Others are silent.
    Key(char),
    /// The far phone rings.
    Ringback,
    /// A recording begins.
    Beep,
}

impl Score {
    /// What the file is: see the table of [`crate::audio`].
    pub fn served(&self) -> Format {
        match self.format {
            Format::Mp3 if self.channel_count() <= MOST_MP3_CHANNELS => Format::Mp3,
            Format::Mp3 | Format::Wav | Format::Ogg => Format::Wav,
        }
    }

    /// The bytes of [`Score::render`], known without rendering.
    pub fn size(&self) -> u64 {
        match self.served() {
            Format::Mp3 => mp3::size(samples(self.length)),
            Format::Wav | Format::Ogg => wav::size(samples(self.length), self.channel_count()),
        }
    }

    /// The media type of the file: `audio/mpeg` or `audio/wav`.
    pub fn content_type(&self) -> &'static str {
        match self.served() {
            Format::Mp3 => "audio/mpeg",
            Format::Wav => "audio/wav",
            Format::Ogg => "audio/ogg",
        }
    }

    /// The whole file: always the same for the same score, with [`Voice::Babble`]; with
    /// [`Voice::Espeak`], on the same machine. An hour of wav is 115 MB: see [`Score::chunks`].
    pub fn render(&self, voice: Voice) -> Vec<u8> {
        self.chunks(voice).flatten().collect()
    }

    /// The file by and by, about a second of it at once.
    pub fn chunks(&self, voice: Voice) -> Chunks {
        let mut waiting = self.sounds.clone();
        waiting.sort_by_key(|sound| sound.at);
        let length = samples(self.length);
        let channels = self.channel_count();
        Chunks {
            voice,
            at: 0,
            length,
            waiting: waiting.into(),
            sounding: Vec::new(),
            mix: vec![Vec::new(); usize::from(channels)],
            encoder: match self.served() {
                Format::Mp3 => Encoder::Mp3(Box::new(mp3::Encoder::new(channels))),
                Format::Wav | Format::Ogg => Encoder::Wav,
            },
            begun: false,
        }
    }

    fn channel_count(&self) -> u8 {
        self.channels.clamp(1, MOST_CHANNELS)
    }
}

/// A recording as it is rendered: the bytes of its file, in order.
pub struct Chunks {
    voice: Voice,
    /// The sample that comes next.
    at: u64,
    length: u64,
    /// In the order in which they begin. What they sound like is found out when they do.
    waiting: VecDeque<Sound>,
    sounding: Vec<Sounding>,
    /// Room for a block of each channel.
    mix: Vec<Vec<f32>>,
    encoder: Encoder,
    begun: bool,
}

enum Encoder {
    Wav,
    Mp3(Box<mp3::Encoder>),
}

impl Iterator for Chunks {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let first = !std::mem::replace(&mut self.begun, true);
        if self.at >= self.length && !first {
            return None;
        }
        let until = (self.at + BLOCK).min(self.length);
        self.play(until);
        self.at = until;
        Some(match &mut self.encoder {
            Encoder::Wav => {
                let mut bytes = Vec::new();
                if first {
                    bytes = wav::header(self.length, self.mix.len());
                }
                wav::encode(&self.mix, &mut bytes);
                bytes
            }
            Encoder::Mp3(encoder) => {
                let mut bytes = encoder.encode(&self.mix);
                if until == self.length {
                    bytes.extend(encoder.finish(self.length));
                }
                bytes
            }
        })
    }
}

impl Chunks {
    /// Mixes what sounds from the sample that is next until another.
    fn play(&mut self, until: u64) {
        for channel in &mut self.mix {
            channel.clear();
            channel.resize((until - self.at) as usize, 0.0);
        }
        while let Some(sound) = self.waiting.pop_front_if(|sound| samples(sound.at) < until) {
            self.sounding.push(Sounding::new(sound, self.voice));
        }
        for sounding in &self.sounding {
            let channel = sounding.channel.min(self.mix.len() - 1);
            let from = sounding.from.max(self.at);
            let to = sounding.to.min(until);
            for at in from..to {
                let edge = (at - sounding.from + 1).min(sounding.to - at);
                let mut sample = (sounding.wave)(at - sounding.from);
                if edge < EDGE {
                    sample *= edge as f32 / EDGE as f32;
                }
                self.mix[channel][(at - self.at) as usize] += sample;
            }
        }
        for sample in self.mix.iter_mut().flatten() {
            *sample = sample.clamp(-1.0, 1.0);
        }
        self.sounding.retain(|sounding| sounding.to > until);
    }
}

/// A [`Sound`] in samples.
struct Sounding {
    from: u64,
    to: u64,
    channel: usize,
    wave: Wave,
}

impl Sounding {
    fn new(sound: Sound, voice: Voice) -> Self {
        let from = samples(sound.at);
        let length = samples(sound.length);
        Self {
            from,
            to: from.saturating_add(length),
            channel: usize::from(sound.channel),
            wave: match sound.what {
                What::Speech {
                    text,
                    voice: who,
                    language,
                } => speech::wave(&text, who, &language, length, voice),
                What::Tune { url } => tune::wave(&url),
                What::Key(key) => tone::key(key),
                What::Ringback => tone::ringback(),
                What::Beep => tone::beep(),
            },
        }
    }
}
