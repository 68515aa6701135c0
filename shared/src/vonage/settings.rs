//! The client as the settings named in the README describe it.

use super::{Keys, PrivateKey, Trust, Vonage};
use crate::config::Lookup;
use crate::secret::Derived;
use std::time::Duration;
use url::Url;

/// Longest that one operation may take. Three attempts of a leg that is still being built need 2.1 s
/// of waiting; an agent who pressed "free" looks at the page meanwhile.
const BUDGET: Duration = Duration::from_secs(5);

impl Vonage {
    /// Reads `VONAGE_APPLICATION_ID`, `VONAGE_PRIVATE_KEY`, `VONAGE_PRIVATE_KEY_PREVIOUS` and
    /// `VONAGE_API_URL`. A key that does not read is a fault that says what to do about it.
    pub fn from_lookup(lookup: &mut Lookup) -> Option<Self> {
        let api_url = api_url(lookup);
        let keys = Derived::from_lookup(lookup, keys);
        match Self::with_keys(keys, api_url, BUDGET) {
            Ok(vonage) => Some(vonage),
            Err(error) => {
                lookup.fault(format!("VONAGE_API_URL: {}", crate::chain(&error)));
                None
            }
        }
    }
}

/// Reads the application's keys.
fn keys(lookup: &mut Lookup) -> Keys {
    let application_id = lookup.required("VONAGE_APPLICATION_ID");
    lookup.required("VONAGE_PRIVATE_KEY");
    let names = ["VONAGE_PRIVATE_KEY", "VONAGE_PRIVATE_KEY_PREVIOUS"];
    let key = |text: &str| PrivateKey::parse(text).map_err(|error| crate::chain(&error));
    let keys = names.into_iter().filter_map(|name| lookup.read(name, key));
    Keys::new(&application_id, keys)
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
