//! Voicemail: the caller leaves a message.

use super::Key;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A message shorter than this is none: whoever hangs up at the tone, or coughs and does, left
/// nothing that is worth anybody's time. It is kept all the same, and the call counts as missed.
pub const MESSAGE_MIN: Duration = Duration::from_secs(3);

/// How long a message may be: no shorter than a sentence, and an hour is more than anybody listens
/// to. Vonage takes 3 to 7200 s.
///
/// See [Vonage/NCCO reference/Record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
pub const LENGTH: RangeInclusive<Duration> = Duration::from_secs(10)..=Duration::from_secs(3600);

/// How long a message may be where the plan does not say.
pub const LENGTH_DEFAULT: Duration = Duration::from_secs(180);

/// Silence that ends a message: Vonage's range for `record.endOnSilence`.
///
/// See [Vonage/NCCO reference/Record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
pub const SILENCE: RangeInclusive<Duration> = Duration::from_secs(3)..=Duration::from_secs(10);

/// Silence that ends a message where the plan does not say: longer than people take to look for a
/// number.
pub const SILENCE_DEFAULT: Duration = Duration::from_secs(5);

/// Greets the caller, beeps and records what they say, until they press a key, fall silent or have
/// said enough; then thanks them and hangs up. Who says less than [`MESSAGE_MIN`] counts as a missed
/// call.
///
/// Keys: `say`, `thanks`, `max-length`, `silence`, `end-key`, `transcription`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voicemail {
    /// Said before the tone.
    pub say: String,
    /// Said behind the message.
    pub thanks: Option<String>,
    /// How long a message may be. Within [`LENGTH`].
    pub max_length: Duration,
    /// Silence that ends it. Within [`SILENCE`].
    pub silence: Duration,
    /// Key that ends it.
    pub end_key: Key,
    /// Language in which the platform writes it down, where it does. Vonage charges for it.
    pub transcription: Option<String>,
}
