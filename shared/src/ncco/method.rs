//! How Vonage calls a webhook.

use serde::{Deserialize, Serialize};

/// HTTP method of the request to an `eventUrl`. Vonage takes POST where none is given.
///
/// See [Vonage/Voice API/NCCO reference](https://developer.vonage.com/en/voice/voice-api/ncco-reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Values in the query.
    Get,
    /// JSON in the body.
    Post,
}
