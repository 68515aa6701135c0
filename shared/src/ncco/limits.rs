//! The ranges that Vonage allows. Everything here is checked by [`super::check`] and nowhere else,
//! so that a limit Vonage moves is one line here.
//!
//! Source, where none other is named: [Vonage/Voice API/NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference).

use std::ops::RangeInclusive;
use std::time::Duration;

const fn seconds(from: u64, to: u64) -> RangeInclusive<Duration> {
    Duration::from_secs(from)..=Duration::from_secs(to)
}

/// Channels of a recording; people beyond the last one share it.
/// See [record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
pub const CHANNELS: RangeInclusive<u32> = 1..=32;

/// Silence that ends a recording.
/// See [record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
pub const RECORD_END_ON_SILENCE: RangeInclusive<Duration> = seconds(3, 10);

/// Length after which a recording ends.
/// See [record](https://developer.vonage.com/en/voice/voice-api/ncco-reference#record).
pub const RECORD_TIME_OUT: RangeInclusive<Duration> = seconds(3, 7200);

/// How long an endpoint rings. Vonage's Java SDK allows 3 to 7200 s; the page counts.
/// See [connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const CONNECT_TIMEOUT: RangeInclusive<Duration> = seconds(1, 120);

/// Length after which a connected call is ended.
/// See [connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const CONNECT_LIMIT: RangeInclusive<Duration> = seconds(1, 7200);

/// How long a machine's beep is waited for: what both the Voice API and Vonage's SDKs allow.
/// See [connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const BEEP_TIMEOUT: RangeInclusive<Duration> = seconds(45, 120);

/// As [`BEEP_TIMEOUT`], by the [Voice API](https://developer.vonage.com/en/api/voice) alone: the
/// SDKs refuse what is below 45 s, so it is only warned about.
pub const BEEP_TIMEOUT_TOLERATED: RangeInclusive<Duration> = seconds(30, 120);

/// Characters of a spoken text, SSML tags not counted.
/// See [talk](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
pub const TALK_TEXT_MAX: usize = 1500;

/// How often a text or an audio file is played; 0 is for ever. The page gives no upper end: this
/// one is what the type holds.
/// See [talk](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
pub const REPEAT: RangeInclusive<u32> = 0..=u32::MAX;

/// Number of a voice within its language. The page gives no upper end: this one is what the type
/// holds.
/// See [talk](https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk).
pub const STYLE: RangeInclusive<u32> = 0..=u32::MAX;

/// Loudness; 0 is as recorded.
/// See [stream](https://developer.vonage.com/en/voice/voice-api/ncco-reference#stream).
pub const LEVEL: RangeInclusive<f64> = -1.0..=1.0;

/// Steps of loudness in 1 that `stream` knows: it takes tenths.
/// See [stream](https://developer.vonage.com/en/voice/voice-api/ncco-reference#stream).
pub const STREAM_LEVEL_STEPS: f64 = 10.0;

/// Time without a further digit after which the input is over.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const DTMF_TIME_OUT: RangeInclusive<Duration> = seconds(0, 10);

/// Digits after which the input is over.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const DTMF_MAX_DIGITS: RangeInclusive<u32> = 1..=20;

/// Silence after which a speaker has finished. Takes fractions.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const SPEECH_END_ON_SILENCE: RangeInclusive<Duration> =
    Duration::from_millis(400)..=Duration::from_secs(10);

/// How long the first word is waited for. Was 1 to 10 s in 2021.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const SPEECH_START_TIMEOUT: RangeInclusive<Duration> = seconds(1, 60);

/// How long one may speak.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const SPEECH_MAX_DURATION: RangeInclusive<Duration> = seconds(1, 60);

/// How soft a sound still counts as speech.
/// See [input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
pub const SPEECH_SENSITIVITY: RangeInclusive<u32> = 10..=100;

/// As [`SPEECH_SENSITIVITY`], by Vonage's Python SDK: below 10 it is only warned about.
/// See [Vonage/vonage-python-sdk](https://github.com/Vonage/vonage-python-sdk/blob/main/voice/src/vonage_voice/models/ncco.py).
pub const SPEECH_SENSITIVITY_TOLERATED: RangeInclusive<u32> = 0..=100;

/// Length of a pause. Takes fractions; outside the range Vonage takes the nearer end.
/// See [wait](https://developer.vonage.com/en/voice/voice-api/ncco-reference#wait).
pub const WAIT_TIMEOUT: RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(7200);

/// Characters of the SIP header `User-to-User`.
/// See [connect](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
pub const USER_TO_USER_MAX: usize = 256;

/// Characters of the `Authorization` header sent to a websocket; printable ASCII only.
/// See the [Voice API](https://developer.vonage.com/en/api/voice).
pub const AUTHORIZATION_MAX: usize = 8191;
