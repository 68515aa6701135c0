//! Telling a person from a machine.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::Value;

use super::Refused;
use super::object::Object;

/// As the OpenAPI file has it; two SDKs begin at 45.
const BEEP_TIMEOUT: RangeInclusive<u64> = 30..=120;
/// No default is documented. This is the least that everybody takes.
const DEFAULT_BEEP_TIMEOUT: Duration = Duration::from_secs(45);

/// What is done about a machine that answers.
///
/// See [machine detection](https://developer.vonage.com/en/voice/voice-api/concepts/advanced-machine-detection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Whether the call survives it.
    pub behavior: Behavior,
    /// How the advanced detection works. `None` is the plain one.
    pub mode: Option<Mode>,
    /// How long a beep is waited for, 30 to 120 s. 45 s by default.
    pub beep_timeout: Duration,
}

/// What becomes of a call that a machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behavior {
    /// It goes on.
    Continue,
    /// It ends.
    Hangup,
}

/// How the advanced detection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Beside the script; tells of the machine and of the beep.
    Default,
    /// Before the script; tells of the machine.
    Detect,
    /// Before the script; tells of the beep.
    DetectBeep,
}

const BEHAVIORS: &[(&str, Behavior)] = &[
    ("continue", Behavior::Continue),
    ("hangup", Behavior::Hangup),
];
const MODES: &[(&str, Mode)] = &[
    ("default", Mode::Default),
    ("detect", Mode::Detect),
    ("detect_beep", Mode::DetectBeep),
];

/// Reads `machine_detection` and `advanced_machine_detection` of the body of `POST /v1/calls`.
///
/// # Errors
///
/// What Vonage would refuse of the two, and where in the body.
pub fn machine_of_rest(body: &Value) -> Result<Option<Machine>, Refused> {
    let body = Object::of(body, String::new())?;
    Machine::read(&body, "machine_detection", "advanced_machine_detection")
}

impl Machine {
    /// Reads two keys of which the second outranks the first.
    pub(super) fn read(
        object: &Object<'_>,
        plain: &str,
        advanced: &str,
    ) -> Result<Option<Self>, Refused> {
        let plain = object.word(plain, BEHAVIORS)?.map(|behavior| Self {
            behavior,
            mode: None,
            beep_timeout: DEFAULT_BEEP_TIMEOUT,
        });
        let Some(object) = object.object(advanced)? else {
            return Ok(plain);
        };
        let beep_timeout = object.seconds("beep_timeout", BEEP_TIMEOUT)?;
        Ok(Some(Self {
            // No default is documented: a call is ended only if somebody asks.
            behavior: object
                .word("behavior", BEHAVIORS)?
                .unwrap_or(Behavior::Continue),
            // Documented for REST; for a script not known.
            mode: Some(object.word("mode", MODES)?.unwrap_or(Mode::Detect)),
            beep_timeout: beep_timeout.unwrap_or(DEFAULT_BEEP_TIMEOUT),
        }))
    }
}
