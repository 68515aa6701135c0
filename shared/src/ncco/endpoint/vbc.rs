//! An extension.

use super::Endpoint;
use serde::{Deserialize, Serialize};

/// An extension of Vonage Business Communications.
///
/// See [Vonage/Voice API/Endpoints](https://developer.vonage.com/en/voice/voice-api/concepts/endpoints).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vbc {
    /// The extension, as text.
    pub extension: String,
}

impl Vbc {
    /// The extension of this number.
    #[must_use]
    pub fn of(extension: impl Into<String>) -> Self {
        Self {
            extension: extension.into(),
        }
    }
}

impl From<Vbc> for Endpoint {
    fn from(vbc: Vbc) -> Self {
        Self::Vbc(vbc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_extension_has_the_shape_vonage_wants() {
        assert_eq!(
            serde_json::to_value(Endpoint::from(Vbc::of("1234"))).unwrap(),
            json!({"type": "vbc", "extension": "1234"})
        );
    }
}
