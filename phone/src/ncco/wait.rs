//! Doing nothing for a while.

use std::time::Duration;

use super::Refused;
use super::object::Object;

/// What is shorter or longer is made to fit, and not refused.
const SHORTEST: f64 = 0.1;
const LONGEST: f64 = 7200.0;
const DEFAULT: f64 = 10.0;

/// Does nothing for a while. Sends no event.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#wait).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// `timeout` on the wire, in seconds: 0.1 s to two hours, 10 s by default.
    pub time: Duration,
}

impl Wait {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let seconds = object.number("timeout")?.unwrap_or(DEFAULT);
        Ok(Self {
            time: Duration::from_secs_f64(seconds.clamp(SHORTEST, LONGEST)),
        })
    }

    pub(super) fn summary(&self) -> String {
        format!("{} s", self.time.as_secs_f64())
    }
}
