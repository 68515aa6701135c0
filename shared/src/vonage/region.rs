//! Where a call lives.

use super::trust::{Trust, UrlRefused};
use url::Url;

/// The base URL of the region a call lives in, as the answer webhook gives it.
///
/// A call is known in its region alone: asked about elsewhere it is a 404. Can only be made from a
/// URL that [`Trust`] admits.
///
/// See [Vonage/Voice API/Regions](https://developer.vonage.com/en/voice/voice-api/concepts/regions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionUrl(Url);

impl RegionUrl {
    /// Reads a `region_url`, from a webhook or from our own store. A query or fragment is dropped.
    ///
    /// # Errors
    /// When it is not Vonage's: see [`UrlRefused`]. Without a region, calls go to the API's own URL.
    pub fn parse(text: &str, trust: &Trust) -> Result<Self, UrlRefused> {
        let mut url = trust.parse(text)?;
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self(url))
    }

    /// As text, to be kept.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_survives_being_kept_and_read_back() {
        let trust = Trust::new(None);
        let region = RegionUrl::parse("https://api-us-3.vonage.com?x=1#y", &trust).unwrap();
        assert_eq!(region.as_str(), "https://api-us-3.vonage.com/");
        assert_eq!(RegionUrl::parse(region.as_str(), &trust), Ok(region));
    }

    #[test]
    fn a_region_elsewhere_is_refused() {
        let refused = RegionUrl::parse(
            "https://api-us-3.vonage.com.evil.example",
            &Trust::new(None),
        );
        assert_eq!(refused, Err(UrlRefused::Host));
    }
}
