//! Where an action's events go.

use super::Refused;
use super::object::Object;

/// `eventUrl` and `eventMethod` of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// An absolute http or https URL. On the wire it is the only one of an array.
    pub url: String,
    /// POST unless the script says otherwise.
    pub method: Method,
}

/// How a webhook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// With the fields in the query.
    Get,
    /// With the fields in a JSON body.
    #[default]
    Post,
}

impl Hook {
    /// A method without a URL is taken, and has nothing to act on: whether Vonage would use it for the
    /// application's event URL is not known.
    pub(super) fn read(object: &Object<'_>) -> Result<Option<Self>, Refused> {
        let method = object.word(
            "eventMethod",
            &[("GET", Method::Get), ("POST", Method::Post)],
        )?;
        let method = method.unwrap_or_default();
        let url = object.urls("eventUrl")?;
        Ok(url.map(|url| Self { url, method }))
    }
}
