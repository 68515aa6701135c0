//! Addresses that Vonage's webhooks name, to which a token might go.

use http::Uri;
use switchboard_shared::vonage::{RegionUrl, Trust};
use url::{Host, Url};

/// What an operator may have configured.
const OWN: &str = "http://127.0.0.1:9001/vonage";

/// Reads the bytes as an address.
///
/// # Panics
/// When one is trusted that does not lead to Vonage, by another reading than ours.
pub fn target(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let trust = Trust::new(None);
    if let Ok(url) = trust.parse(text) {
        assert!(is_vonages(&url), "trusted: {url}");
        // The HTTP client hands the address on in this form: it must lead to the same host.
        let sent: Uri = url.as_str().parse().expect("a trusted address can be sent");
        assert_eq!(sent.host(), url.host_str());
        assert_eq!(sent.port_u16(), None);
        assert_eq!(
            sent.authority().map(http::uri::Authority::as_str),
            url.host_str()
        );
    }
    if let Ok(region) = RegionUrl::parse(text, &trust) {
        let kept = RegionUrl::parse(region.as_str(), &trust);
        assert_eq!(kept.as_ref(), Ok(&region), "kept and read back");
        let url = Url::parse(region.as_str()).unwrap();
        assert!(is_vonages(&url) && url.query().is_none() && url.fragment().is_none());
    }
    // What is trusted besides is the operator's own origin, to the letter.
    let own = Url::parse(OWN).unwrap();
    if let Ok(url) = Trust::new(Some(&own)).parse(text) {
        assert!(url.origin() == own.origin() || is_vonages(&url), "{url}");
        assert!(url.username().is_empty() && url.password().is_none());
    }
}

/// The same question, asked label by label from the end.
fn is_vonages(url: &Url) -> bool {
    let Some(Host::Domain(host)) = url.host() else {
        return false;
    };
    let labels: Vec<&str> = host.split('.').collect();
    let [.., name, "com"] = labels.as_slice() else {
        return false;
    };
    url.scheme() == "https"
        && matches!(*name, "nexmo" | "vonage")
        && labels.iter().all(|label| !label.is_empty())
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}
