//! Ringing somebody.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::object::Object;
use super::{Endpoint, Hook, Machine, Refused, line, number};

/// Seconds of ringing. One SDK asks for 3 to 7200; the page outranks it.
const TIMEOUT: RangeInclusive<u64> = 1..=120;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Seconds of talking: two hours.
const LIMIT: RangeInclusive<u64> = 1..=7200;
const DEFAULT_LIMIT: Duration = Duration::from_secs(7200);

/// Rings somebody and, once they answer, lets the two hear one another.
///
/// See the [NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference#connect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// Who is rung. On the wire it is the only one of an array.
    pub endpoint: Endpoint,
    /// The number shown: 7 to 15 digits. It must be one of the account's for a real phone to ring, which is
    /// a matter of the call and not of the script.
    pub from: Option<String>,
    /// Whether any number of the application is shown. Never beside `from`.
    pub random_from: bool,
    /// Whether the reply to an event that says it came to nothing may be another script.
    pub synchronous: bool,
    /// How long it rings, 1 to 120 s. 60 s by default.
    pub timeout: Duration,
    /// How long the two may talk, 1 s to two hours. Two hours by default.
    pub limit: Duration,
    /// What is done about a machine, if anything.
    pub machine: Option<Machine>,
    /// Who is told how it goes.
    pub hook: Option<Hook>,
    /// What the caller hears while it rings.
    pub ringback: Option<String>,
}

impl Connect {
    pub(super) fn read(object: &Object<'_>) -> Result<Self, Refused> {
        let endpoint = object.required("endpoint", object.only("endpoint")?)?;
        // One SDK insists on one of the two; the page requires neither.
        let from = number::read(object, "from")?;
        let random_from = object.flag("randomFromNumber")?;
        if random_from && from.is_some() {
            return Err(object.refuse("randomFromNumber", "cannot be together with from"));
        }
        Ok(Self {
            endpoint: Endpoint::read(&endpoint)?,
            from,
            random_from,
            synchronous: object.word("eventType", &[("synchronous", ())])?.is_some(),
            timeout: object
                .seconds("timeout", TIMEOUT)?
                .unwrap_or(DEFAULT_TIMEOUT),
            limit: object.seconds("limit", LIMIT)?.unwrap_or(DEFAULT_LIMIT),
            machine: Machine::read(object, "machineDetection", "advancedMachineDetection")?,
            hook: Hook::read(object)?,
            // One SDK sends an array; the page and another a string.
            ringback: object.url("ringbackTone")?,
        })
    }

    pub(super) fn summary(&self) -> String {
        format!(
            "{}, rung for {} s",
            line::fit(&self.endpoint.address()),
            self.timeout.as_secs()
        )
    }
}
