//! A user of an app.

use super::Endpoint;
use serde::{Deserialize, Serialize};

/// A user of Vonage's client SDK.
///
/// See [Vonage/Voice API/Endpoints](https://developer.vonage.com/en/voice/voice-api/concepts/endpoints).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Name of the user.
    pub user: String,
}

impl App {
    /// The user of this name.
    #[must_use]
    pub fn of(user: impl Into<String>) -> Self {
        Self { user: user.into() }
    }
}

impl From<App> for Endpoint {
    fn from(app: App) -> Self {
        Self::App(app)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_app_user_has_the_shape_vonage_wants() {
        assert_eq!(
            serde_json::to_value(Endpoint::from(App::of("alice"))).unwrap(),
            json!({"type": "app", "user": "alice"})
        );
    }
}
