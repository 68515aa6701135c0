//! The client as the settings named in the README describe it.

use super::{PrivateKey, Trust, Vonage, VonageConfig};
use crate::config::Lookup;
use std::time::Duration;
use url::Url;

/// Longest that one operation may take. Three attempts of a leg that is still being built need 2.1 s
/// of waiting; an agent who pressed "free" looks at the page meanwhile.
const BUDGET: Duration = Duration::from_secs(5);

impl Vonage {
    /// Reads `VONAGE_APPLICATION_ID`, `VONAGE_PRIVATE_KEY` and `VONAGE_API_URL`. A key that does not
    /// read is a fault that says what to do about it.
    pub fn from_lookup(lookup: &mut Lookup) -> Option<Self> {
        let application_id = lookup.required("VONAGE_APPLICATION_ID");
        let api_url = api_url(lookup);
        lookup.required("VONAGE_PRIVATE_KEY");
        let key = |text: &str| PrivateKey::parse(text).map_err(|error| crate::chain(&error));
        let private_key = lookup.read("VONAGE_PRIVATE_KEY", key)?;
        let config = VonageConfig {
            application_id,
            private_key,
            api_url,
            budget: BUDGET,
        };
        match Self::new(config) {
            Ok(vonage) => Some(vonage),
            Err(error) => {
                lookup.fault(format!("VONAGE_API_URL: {}", crate::chain(&error)));
                None
            }
        }
    }
}

impl Trust {
    /// Reads `VONAGE_API_URL`, for functions that read a call's region but never call Vonage.
    pub fn from_lookup(lookup: &mut Lookup) -> Self {
        Self::new(api_url(lookup).as_ref())
    }
}

fn api_url(lookup: &mut Lookup) -> Option<Url> {
    lookup.read("VONAGE_API_URL", |text| {
        Url::parse(text).map_err(|_| "not a URL")
    })
}
