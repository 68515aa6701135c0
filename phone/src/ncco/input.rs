//! Listening for keys or speech.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::object::Object;
use super::{Hook, Refused, language};

/// Seconds in which the next key must come.
const TIME_OUT: RangeInclusive<u64> = 0..=10;
const DEFAULT_TIME_OUT: Duration = Duration::from_secs(3);
/// Keys in one answer: a card number is 16, a phone number 15.
const MAX_DIGITS: RangeInclusive<u64> = 1..=20;
const DEFAULT_MAX_DIGITS: usize = 4;
/// Seconds of silence after which somebody has finished.
const END_ON_SILENCE: RangeInclusive<f64> = 0.4..=10.0;
const DEFAULT_END_ON_SILENCE: Duration = Duration::from_secs(2);
/// Seconds until somebody begins. Older pages end at 10.
const START_TIMEOUT: RangeInclusive<f64> = 1.0..=60.0;
const DEFAULT_START_TIMEOUT: Duration = Duration::from_secs(10);
/// Seconds of speech that are listened to.
const MAX_DURATION: RangeInclusive<f64> = 1.0..=60.0;
const DEFAULT_MAX_DURATION: Duration = Duration::from_secs(60);
/// How soft a voice is still speech. One SDK lets it begin at 0; the page does not.
const SENSITIVITY: RangeInclusive<u64> = 10..=100;

/// Listens for keys, speech, or whichever comes first.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// How keys are taken, if they are: `type` has `dtmf`.
    pub keys: Option<Keys>,
    /// How speech is taken, if it is: `type` has `speech`.
    pub speech: Option<Speech>,
    /// Whether the script goes on at once and each key is an event of its own. For keys alone, and then
    /// what `keys` says has no meaning.
    pub asynchronous: bool,
    /// Who is told what was entered. Its reply may be another script, unless this is asynchronous.
    pub hook: Option<Hook>,
}

/// How keys are taken: `dtmf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// Time in which the next key must come, 0 to 10 s. 3 s by default.
    pub time_out: Duration,
    /// How many keys, 1 to 20. 4 by default.
    pub max: usize,
    /// Whether `#` ends it.
    pub submit_on_hash: bool,
}

/// How speech is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Speech {
    /// Silence that ends it, 0.4 to 10 s. 2 s by default.
    pub end_on_silence: Duration,
    /// Time in which somebody must begin, 1 to 60 s. 10 s by default.
    pub start_timeout: Duration,
    /// How long it may last, 1 to 60 s. 60 s by default.
    pub max_duration: Duration,
    /// A BCP-47 tag, `en-US` by default.
    pub language: String,
    /// Words to be expected.
    pub context: Vec<String>,
    /// Whom to listen to: a leg's id. By default the first leg.
    pub leg: Option<String>,
    /// Whether the audio is kept.
    pub save_audio: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Keys,
    Speech,
}

impl Input {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let kinds = kinds(object)?;
        let modes = [("synchronous", false), ("asynchronous", true)];
        let asynchronous = object.word("mode", &modes)?.unwrap_or_default();
        let dtmf = object.object("dtmf")?;
        let speech = object.object("speech")?;
        if asynchronous {
            if kinds.contains(&Kind::Speech) {
                return Err(object.refuse("type", "speech cannot be asynchronous"));
            }
            if speech.is_some() {
                return Err(object.refuse("speech", "speech cannot be asynchronous"));
            }
            if dtmf.as_ref().is_some_and(|dtmf| !dtmf.is_empty()) {
                return Err(object.refuse("dtmf", "must be blank when asynchronous"));
            }
        }
        // Settings for what is not listened to have no effect. They are read all the same: whether Vonage
        // would overlook a fault in them is not known.
        let keys = dtmf
            .as_ref()
            .map_or_else(|| Ok(Keys::default()), Keys::read)?;
        let speech = speech
            .as_ref()
            .map_or_else(|| Ok(Speech::default()), Speech::read)?;
        Ok(Self {
            keys: kinds.contains(&Kind::Keys).then_some(keys),
            speech: kinds.contains(&Kind::Speech).then_some(speech),
            asynchronous,
            hook: Hook::read(object)?,
        })
    }

    pub(super) fn summary(&self) -> String {
        match (&self.keys, &self.speech) {
            (Some(_), _) if self.asynchronous => "each key as it is pressed".to_owned(),
            (Some(Keys { max: 1, .. }), None) => "a key".to_owned(),
            (Some(keys), None) => format!("up to {} keys", keys.max),
            (Some(Keys { max: 1, .. }), Some(_)) => "a key or speech".to_owned(),
            (Some(keys), Some(_)) => format!("up to {} keys or speech", keys.max),
            (None, _) => "speech".to_owned(),
        }
    }
}

fn kinds(object: &Object<'_>) -> Result<Vec<Kind>, Refused> {
    let names = object.required("type", object.texts("type")?)?;
    if names.is_empty() {
        return Err(object.refuse("type", "must have dtmf, speech or both"));
    }
    let kind = |name: &String| match name.as_str() {
        "dtmf" => Ok(Kind::Keys),
        "speech" => Ok(Kind::Speech),
        _ => Err(object.refuse("type", format!("is of dtmf and speech, not {name:?}"))),
    };
    names.iter().map(kind).collect()
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            time_out: DEFAULT_TIME_OUT,
            max: DEFAULT_MAX_DIGITS,
            submit_on_hash: false,
        }
    }
}

impl Keys {
    fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let max = object.whole("maxDigits", MAX_DIGITS)?;
        Ok(Self {
            time_out: object
                .seconds("timeOut", TIME_OUT)?
                .unwrap_or(DEFAULT_TIME_OUT),
            max: max.map_or(DEFAULT_MAX_DIGITS, |max| {
                usize::try_from(max).expect("the range is within the type")
            }),
            submit_on_hash: object.flag("submitOnHash")?,
        })
    }
}

impl Default for Speech {
    fn default() -> Self {
        Self {
            end_on_silence: DEFAULT_END_ON_SILENCE,
            start_timeout: DEFAULT_START_TIMEOUT,
            max_duration: DEFAULT_MAX_DURATION,
            language: language::DEFAULT.to_owned(),
            context: Vec::new(),
            leg: None,
            save_audio: false,
        }
    }
}

impl Speech {
    fn read(object: &Object<'_>) -> Result<Self, Refused> {
        object.whole("sensitivity", SENSITIVITY)?;
        let default = Self::default();
        let time = |key, range, default| {
            let seconds = object.number_in(key, range)?;
            Ok(seconds.map_or(default, Duration::from_secs_f64))
        };
        Ok(Self {
            end_on_silence: time("endOnSilence", END_ON_SILENCE, default.end_on_silence)?,
            start_timeout: time("startTimeout", START_TIMEOUT, default.start_timeout)?,
            max_duration: time("maxDuration", MAX_DURATION, default.max_duration)?,
            language: language::read(object, "language")?.unwrap_or(default.language),
            context: object.texts("context")?.unwrap_or_default(),
            leg: leg(object)?,
            save_audio: object.flag("saveAudio")?,
        })
    }
}

fn leg(object: &Object<'_>) -> Result<Option<String>, Refused> {
    match object.texts("uuid")? {
        None => Ok(None),
        Some(legs) => match <[String; 1]>::try_from(legs) {
            Ok([leg]) => Ok(Some(leg)),
            Err(_) => Err(object.refuse("uuid", "must be an array of exactly one leg")),
        },
    }
}
