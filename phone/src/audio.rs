//! What a call sounds like.
//!
//! While a call goes on nothing sounds: who plays something adds a [`Sound`] to a [`Score`], and the score
//! is rendered when somebody downloads the recording. An hour of call is a list until then, and its
//! [`Score::size`] is known all the same.
//!
//! All audio is at [`RATE`]. Vonage records mp3 and wav at 16 kHz, mp3 at 32 kbit/s constant, wav with 16
//! bits a sample: <https://developer.vonage.com/en/voice/voice-api/concepts/recording>.
//!
//! | asked for | what it is |
//! | --- | --- |
//! | wav | PCM of 16 bits, 1 to 32 channels |
//! | mp3 | MPEG-2 Layer III, 32 kbit/s constant, 1 or 2 channels. No more fit into the format: then it is wav, as at Vonage |
//! | ogg | **wav**, said so by its content type: there is no small encoder for Ogg that we would carry along |
//!
//! Speech is a babble with a syllable for each syllable of the text, or said by `espeak-ng` where that is
//! installed ([`Voice`]). It lasts the same either way.

mod espeak;
mod mp3;
mod score;
mod speech;
mod tone;
mod tune;
mod wav;

pub use score::{Chunks, Format, MOST_CHANNELS, Score, Sound, What};
pub use speech::{Voice, speaking_time};
pub use tune::{tune, tune_time};

use std::time::Duration;

/// Samples a second of everything here.
pub const RATE: u32 = 16_000;

/// What sounds: the sample at a position from its own start, from -1 to 1.
type Wave = Box<dyn Fn(u64) -> f32 + Send>;

/// How many samples last so long, to the nearest.
fn samples(length: Duration) -> u64 {
    let nanos = length.as_nanos() * u128::from(RATE) + 500_000_000;
    u64::try_from(nanos / 1_000_000_000).unwrap_or(u64::MAX)
}

/// The moment of a sample, in seconds.
fn seconds(sample: u64) -> f64 {
    sample as f64 / f64::from(RATE)
}

/// Numbers that look random and are the same for the same text, on every machine: FNV-1a, and a last stir.
fn hash(text: &str, salt: u64) -> u64 {
    let bytes = text.bytes().chain(salt.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 8
}

#[cfg(test)]
mod tests;
