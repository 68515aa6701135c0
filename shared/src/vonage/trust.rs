//! Which hosts may see our token.

use url::{Origin, Url};

/// The domains Vonage serves its API and its recordings from. The last labels are compared, never a
/// list of whole names: regions come and go.
///
/// See [Vonage/Voice API/Regions](https://developer.vonage.com/en/voice/voice-api/concepts/regions).
pub const DOMAINS: [&str; 2] = ["nexmo.com", "vonage.com"];

/// Longest URL that is read, in bytes. Vonage's have a hundred; what is longer than servers take need
/// not be kept, and beyond 64 KiB the HTTP client cannot even ask for it.
pub const URL_LENGTH_MAX: usize = 8 * 1024;

/// Decides which URLs the bearer token may be sent to.
///
/// `region_url` and `recording_url` come from outside, and so does every redirect. Trusted are https
/// at [`DOMAINS`] or below them, on the usual port; and the origin the operator configured, which may
/// be anything.
#[derive(Debug, Clone)]
pub struct Trust {
    api: Option<Origin>,
}

/// Why a URL gets no token. The text never repeats the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Does not read as an absolute URL.
    #[error("the address is not a URL")]
    NotUrl,
    /// Longer than [`URL_LENGTH_MAX`].
    #[error("the address is longer than {URL_LENGTH_MAX} bytes")]
    TooLong,
    /// White space, a backslash, a control character or one outside ASCII: two readers could take
    /// such an address for two different hosts.
    #[error("the address holds a character that has no place in a URL")]
    Character,
    /// Not https.
    #[error("the address is not https")]
    Scheme,
    /// `user@host`.
    #[error("the address names a user")]
    UserInfo,
    /// Not below [`DOMAINS`].
    #[error("the host is neither nexmo.com nor vonage.com nor below them")]
    Host,
    /// Not the usual port of https.
    #[error("the address names a port")]
    Port,
    /// Sent on and on.
    #[error("the address was redirected too often")]
    Redirects,
}

impl Trust {
    /// Trusts Vonage, and the origin of `api_url` where the operator set one: scheme, host and port,
    /// http included.
    #[must_use]
    pub fn new(api_url: Option<&Url>) -> Self {
        Self {
            api: api_url.map(Url::origin).filter(Origin::is_tuple),
        }
    }

    /// Reads a URL that came from outside.
    ///
    /// # Errors
    /// When the token must not go there: see [`UrlRefused`].
    pub fn parse(&self, text: &str) -> Result<Url, UrlRefused> {
        careful(text)?;
        let url = Url::parse(text).map_err(|_| UrlRefused::NotUrl)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Reads a `Location`, which may be relative to the URL that was asked.
    pub(super) fn follow(&self, from: &Url, location: &str) -> Result<Url, UrlRefused> {
        careful(location)?;
        let url = from.join(location).map_err(|_| UrlRefused::NotUrl)?;
        self.check(&url)?;
        Ok(url)
    }

    /// Decides about a URL as the HTTP client will see it.
    ///
    /// # Errors
    /// When the token must not go there: see [`UrlRefused`].
    pub fn check(&self, url: &Url) -> Result<(), UrlRefused> {
        // As it is written, which may be longer than it was read: what is kept must read again.
        if url.as_str().len() > URL_LENGTH_MAX {
            return Err(UrlRefused::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UrlRefused::UserInfo);
        }
        if self.api.as_ref() == Some(&url.origin()) {
            return Ok(());
        }
        if url.scheme() != "https" {
            return Err(UrlRefused::Scheme);
        }
        if !url.domain().is_some_and(vonage) {
            return Err(UrlRefused::Host);
        }
        if url.port().is_some() {
            return Err(UrlRefused::Port);
        }
        Ok(())
    }
}

/// Whether the host is one of [`DOMAINS`] or below it, label by label. Of letters, digits, dots and
/// dashes alone: `Url` takes more, and others who read the address do not.
fn vonage(host: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    if !host.bytes().all(plain) {
        return false;
    }
    let below = |domain: &str| match host.strip_suffix(domain) {
        Some("") => true,
        Some(rest) => rest.ends_with('.') && !rest.starts_with('.') && !rest.contains(".."),
        None => false,
    };
    DOMAINS.into_iter().any(below)
}

fn careful(text: &str) -> Result<(), UrlRefused> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        Ok(())
    } else {
        Err(UrlRefused::Character)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(api: Option<&str>, text: &str, expected: Result<(), UrlRefused>) {
        let api = api.map(|url| Url::parse(url).unwrap());
        assert_eq!(
            Trust::new(api.as_ref()).parse(text).map(drop),
            expected,
            "{text}"
        );
    }

    #[test]
    fn vonage_is_trusted_wherever_it_is() {
        for text in [
            "https://api.nexmo.com",
            "https://api.nexmo.com/v1/files/aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
            "https://api-us.nexmo.com/v1/files/x",
            "https://api-us-3.vonage.com",
            "https://api-eu.vonage.com/v3/media/x?a=b#c",
            "https://a.b.c.vonage.com/",
            "https://nexmo.com",
            "https://vonage.com:443/",
            "HTTPS://API.Nexmo.COM/v1",
        ] {
            check(None, text, Ok(()));
        }
    }

    #[test]
    fn nobody_who_only_looks_like_vonage_is_trusted() {
        use UrlRefused::{Character, Host, NotUrl, Port, Scheme, UserInfo};
        for (text, why) in [
            ("https://evilnexmo.com/", Host),
            ("https://nexmo.com.evil.example/", Host),
            ("https://evil.example/.nexmo.com/", Host),
            ("https://evil.example/?.nexmo.com", Host),
            ("https://evil.example#.nexmo.com", Host),
            ("https://nexmo.com%2eevil.example/", Host),
            ("https://nexmo.comevil.example/", Host),
            ("https://nexmo-com.example/", Host),
            ("https://nexmo.co/", Host),
            ("https://api.nexmo.com./", Host),
            ("https://.nexmo.com/", Host),
            ("https://a..nexmo.com/", Host),
            ("https://xn--nexo-1oa.com/", Host),
            ("https://api-`us.vonage.com/", Host),
            ("https://{api}.nexmo.com/", Host),
            ("https://a_b.nexmo.com/", Host),
            ("https://169.254.169.254/latest/meta-data", Host),
            ("https://[::1]/", Host),
            ("https://localhost/", Host),
            ("https://api.nexmo.com@evil.example/", UserInfo),
            ("https://evil.example@api.nexmo.com/", UserInfo),
            ("https://user:pass@api.nexmo.com/", UserInfo),
            ("http://api.nexmo.com/", Scheme),
            ("ftp://api.nexmo.com/", Scheme),
            ("file:///etc/passwd", Scheme),
            ("javascript:alert(1)", Scheme),
            ("https://api.nexmo.com:8443/", Port),
            ("https://api.nexmo.com:80/", Port),
            ("https://evil.example\\.nexmo.com/", Character),
            ("https://api.nexmo.com\\@evil.example/", Character),
            ("https://n\u{435}xmo.com/", Character),
            ("https://\u{ff4e}exmo.com/", Character),
            ("https://api.nexmo.com\u{3002}evil.example/", Character),
            (" https://api.nexmo.com/", Character),
            ("https://api.nex\nmo.com/", Character),
            ("https://api.nexmo.com/\t", Character),
            ("", NotUrl),
            ("api.nexmo.com", NotUrl),
            ("//api.nexmo.com/", NotUrl),
            ("https://", NotUrl),
        ] {
            check(None, text, Err(why));
            check(Some("http://127.0.0.1:9001"), text, Err(why));
        }
    }

    #[test]
    fn what_is_trusted_can_be_asked_for_however_long() {
        let longest = format!("https://api.nexmo.com/{}", "a".repeat(URL_LENGTH_MAX - 22));
        let trusted = Trust::new(None).parse(&longest).unwrap();
        assert!(trusted.as_str().parse::<http::Uri>().is_ok());
        check(None, &format!("{longest}a"), Err(UrlRefused::TooLong));
        // Each of these is written in three characters.
        let grows = format!("https://api.nexmo.com/{}", "\"".repeat(URL_LENGTH_MAX / 3));
        check(None, &grows, Err(UrlRefused::TooLong));
    }

    #[test]
    fn what_the_operator_configured_is_trusted_to_the_letter() {
        let api = Some("http://127.0.0.1:9001/vonage");
        check(api, "http://127.0.0.1:9001", Ok(()));
        check(api, "http://127.0.0.1:9001/files/x", Ok(()));
        check(api, "https://api.nexmo.com", Ok(()));
        check(api, "https://127.0.0.1:9001", Err(UrlRefused::Host));
        check(api, "http://127.0.0.1:9002", Err(UrlRefused::Scheme));
        check(api, "http://127.0.0.1", Err(UrlRefused::Scheme));
        check(api, "http://localhost:9001", Err(UrlRefused::Scheme));
        check(api, "http://a@127.0.0.1:9001", Err(UrlRefused::UserInfo));
        check(None, "http://127.0.0.1:9001", Err(UrlRefused::Scheme));
    }

    #[test]
    fn a_redirect_is_read_from_where_it_was_given() {
        let trust = Trust::new(None);
        let from = Url::parse("https://api.nexmo.com/v1/files/x").unwrap();
        let follow = |location| trust.follow(&from, location).map(String::from);
        assert_eq!(
            follow("/v3/media/y"),
            Ok("https://api.nexmo.com/v3/media/y".into())
        );
        assert_eq!(
            follow("//api-eu.vonage.com/z"),
            Ok("https://api-eu.vonage.com/z".into())
        );
        assert_eq!(follow("//evil.example/z"), Err(UrlRefused::Host));
        assert_eq!(follow("http://api.nexmo.com/"), Err(UrlRefused::Scheme));
        assert_eq!(follow("/\\evil.example"), Err(UrlRefused::Character));
    }

    proptest! {
        #[test]
        fn whatever_is_trusted_ends_at_vonage(text in "https?://[a-z.@:/\\\\%0-9-]{0,20}(nexmo|vonage)?\\.com[a-z.@:/?#0-9-]{0,20}") {
            if let Ok(url) = Trust::new(None).parse(&text) {
                let host = format!(".{}", url.host_str().unwrap());
                prop_assert!(host.ends_with(".nexmo.com") || host.ends_with(".vonage.com"));
                prop_assert_eq!(url.scheme(), "https");
                prop_assert_eq!(url.port(), None);
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = Trust::new(None).parse(&text);
        }
    }
}
