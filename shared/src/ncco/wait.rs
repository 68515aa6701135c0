//! A pause.

use super::{Action, wire};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Pauses the script. No event tells when it is over: put a `notify` after it for that.
///
/// See [Vonage/Voice API/NCCO reference/Wait](https://developer.vonage.com/en/voice/voice-api/ncco-reference#wait).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// How long, 0.1 to 7200 s, in fractions; 10 s unless given. Vonage takes the nearer end for what
    /// is outside.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::seconds"
    )]
    pub timeout: Option<Duration>,
}

impl Wait {
    /// Pauses this long.
    #[must_use]
    pub fn of(timeout: Duration) -> Self {
        Self {
            timeout: Some(timeout),
        }
    }
}

impl From<Wait> for Action {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_wait_has_the_shape_vonage_wants() {
        let json = |wait| serde_json::to_value(Action::Wait(wait)).unwrap();
        assert_eq!(json(Wait::default()), json!({"action": "wait"}));
        assert_eq!(
            json(Wait::of(Duration::from_millis(500))),
            json!({"action": "wait", "timeout": 0.5})
        );
        assert_eq!(
            json(Wait::of(Duration::from_secs(5))),
            json!({"action": "wait", "timeout": 5})
        );
    }
}
