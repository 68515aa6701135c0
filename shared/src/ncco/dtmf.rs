//! Keys pressed.

use super::wire;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// When an input of digits is over.
///
/// See [Vonage/Voice API/NCCO reference/Input](https://developer.vonage.com/en/voice/voice-api/ncco-reference#input).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dtmf {
    /// Time without a further digit, 0 to 10 s; 3 s unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "wire::whole_seconds"
    )]
    pub time_out: Option<Duration>,
    /// Number of digits, 1 to 20; 4 unless given.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "wire::count"
    )]
    pub max_digits: Option<u32>,
    /// Whether `#` ends it. No, unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submit_on_hash: Option<bool>,
}
