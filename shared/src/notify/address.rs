//! Where a target is told: an address on the public internet, and a secret.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// Longest URL that is read, in bytes. Slack's have 80, those of automation services 200.
pub const URL_LENGTH_MAX: usize = 2 * 1024;

/// A URL that may be told: https and public, as far as the text says; or of this machine, which is
/// told only where the settings allow it.
///
/// Whoever knows such a URL can write there, so `Debug` shows nothing of it, and there is no
/// `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct TargetUrl(Url);

/// Why a URL is not told. The text never repeats the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetUrlError {
    /// Does not read as an absolute URL with a host.
    #[error("it is not a URL")]
    NotUrl,
    /// Longer than [`URL_LENGTH_MAX`].
    #[error("it is longer than {URL_LENGTH_MAX} bytes")]
    TooLong,
    /// White space, a backslash, a control character or one outside ASCII: two readers could take
    /// such a URL for two different hosts.
    #[error("it holds a character that has no place in a URL")]
    Character,
    /// Neither https, nor http to this machine.
    #[error("it is not https")]
    Scheme,
    /// `user@host`.
    #[error("it names a user")]
    UserInfo,
    /// An IP address that is not public.
    #[error("its address is not public")]
    NotPublic,
}

impl TargetUrl {
    /// Reads a URL.
    ///
    /// Any port will do: what is public may be asked on every port, and services behind a router of
    /// the operator's own seldom have 443.
    ///
    /// # Errors
    /// When nothing should be sent there: see [`TargetUrlError`]. A name that turns out to be of a
    /// private address is found when it is looked up.
    pub fn parse(text: &str) -> Result<Self, TargetUrlError> {
        if text.len() > URL_LENGTH_MAX {
            return Err(TargetUrlError::TooLong);
        }
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return Err(TargetUrlError::Character);
        }
        let url = Url::parse(text).map_err(|_| TargetUrlError::NotUrl)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetUrlError::UserInfo);
        }
        let url = Self(url);
        if url.is_of_this_machine() {
            return Ok(url);
        }
        if url.0.scheme() != "https" {
            return Err(TargetUrlError::Scheme);
        }
        match url.0.host() {
            Some(Host::Domain(_)) => Ok(url),
            Some(Host::Ipv4(ip)) if is_public(ip.into()) => Ok(url),
            Some(Host::Ipv6(ip)) if is_public(ip.into()) => Ok(url),
            Some(_) => Err(TargetUrlError::NotPublic),
            None => Err(TargetUrlError::NotUrl),
        }
    }

    /// Whether it is of this machine by name or by address. Told only where the settings allow it.
    #[must_use]
    pub fn is_of_this_machine(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                name == "localhost" || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }

    /// The URL, for whoever sends.
    pub(super) fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TargetUrl([redacted])")
    }
}

/// Whether an address is one of the public internet: neither private, of this machine, of its
/// network, of the cloud's metadata, nor of an entry to another address space (NAT64, 6to4, Teredo,
/// IPv4 written as IPv6).
///
/// See [IANA/IPv4 special-purpose addresses](https://www.iana.org/assignments/iana-ipv4-special-registry)
/// and [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry).
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    !matches!(
        ip.octets(),
        // This network; private; this machine; link-local, where the cloud has its metadata; private.
        [0 | 10 | 127, ..] | [169, 254, ..] | [192, 168, ..] | [172, 16..=31, ..]
        // Shared by a carrier's customers.
        | [100, 64..=127, ..]
        // Protocol assignments, 6to4 relays; documentation; benchmarks.
        | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 51, 100, _] | [203, 0, 113, _]
        | [198, 18 | 19, ..]
        // Multicast, reserved, broadcast.
        | [224..=255, ..]
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    // 2000::/3 is all there is of global unicast: everything else is refused by not being in it.
    first & 0xe000 == 0x2000
        && !matches!(
            (first, second),
            // Protocol assignments with Teredo; documentation; 6to4; documentation.
            (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff)
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for (text, public) in [
            ("1.1.1.1", true),
            ("9.255.255.255", true),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("172.15.255.255", true),
            ("172.32.0.0", true),
            ("192.0.1.1", true),
            ("192.167.255.255", true),
            ("198.17.255.255", true),
            ("198.20.0.0", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.254", false),
            ("169.254.169.254", false),
            ("169.254.0.1", false),
            ("172.16.0.1", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.7", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("239.255.255.255", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("2a00:1450:4009::200e", true),
            ("2001:200::1", true),
            ("2001:4860:4860::8888", true),
            ("::", false),
            ("::1", false),
            ("::ffff:1.1.1.1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::1.1.1.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::1.1.1.1", false),
            ("64:ff9b:1::1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:2::1", false),
            ("2001:20::1", false),
            ("2001:1ff::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), public, "{text}");
        }
    }

    #[track_caller]
    fn check(text: &str, expected: Result<bool, TargetUrlError>) {
        let read = TargetUrl::parse(text).map(|url| url.is_of_this_machine());
        assert_eq!(read, expected, "{text}");
    }

    #[test]
    fn a_public_https_url_is_told() {
        for text in [
            "https://hooks.slack.com/services/T0/B0/x",
            "https://hooks.example.com:8443/row?sheet=1",
            "HTTPS://Hooks.Example.com/",
            "https://1.1.1.1/x",
            "https://[2606:4700::1111]/x",
            "https://intranet/x",
        ] {
            check(text, Ok(false));
        }
    }

    #[test]
    fn this_machine_is_known_by_any_of_its_names() {
        for text in [
            "http://127.0.0.1:8080/x",
            "http://127.1/x",
            "http://2130706433/x",
            "http://0x7f.0.0.1/x",
            "https://127.9.9.9/x",
            "http://[::1]:9/x",
            "http://localhost:9/x",
            "https://LocalHost./x",
            "https://a.localhost/x",
        ] {
            check(text, Ok(true));
        }
    }

    #[test]
    fn anything_else_is_told_nothing() {
        use TargetUrlError::{Character, NotPublic, NotUrl, Scheme, TooLong, UserInfo};
        for (text, why) in [
            ("", NotUrl),
            ("hooks.example.com/x", NotUrl),
            ("/x", NotUrl),
            ("https://", NotUrl),
            ("http://hooks.example.com/x", Scheme),
            ("http://10.0.0.1/x", Scheme),
            ("ftp://127.0.0.1/x", Scheme),
            ("file:///etc/passwd", Scheme),
            ("javascript:alert(1)", Scheme),
            ("https://10.0.0.1/x", NotPublic),
            ("https://169.254.169.254/latest/meta-data", NotPublic),
            ("https://2852039166/latest/meta-data", NotPublic),
            ("https://0251.0376.0251.0376/", NotPublic),
            ("https://0/", NotPublic),
            ("https://[::ffff:127.0.0.1]/", NotPublic),
            ("https://[::ffff:7f00:1]/", NotPublic),
            ("https://[fd00:ec2::254]/", NotPublic),
            ("https://[64:ff9b::a9fe:a9fe]/", NotPublic),
            ("https://user@hooks.example.com/", UserInfo),
            ("https://user:pass@127.0.0.1/", UserInfo),
            ("https://hooks.example.com\\@127.0.0.1/", Character),
            (" https://hooks.example.com/", Character),
            ("https://hooks.exa\nmple.com/", Character),
            ("https://h\u{43e}oks.example.com/", Character),
            (
                &format!("https://hooks.example.com/{}", "x".repeat(URL_LENGTH_MAX)),
                TooLong,
            ),
        ] {
            check(text, Err(why));
        }
    }

    #[test]
    fn debug_shows_nothing_of_a_url() {
        let url = TargetUrl::parse("https://hooks.slack.com/services/T0/B0/secret").unwrap();
        let shown = format!("{url:?}");
        assert!(
            !shown.contains("slack") && !shown.contains("secret"),
            "{shown}"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_no_private_address_is_let_through(
            text in any::<String>(),
            ip in any::<u32>(),
        ) {
            let _ = TargetUrl::parse(&text);
            let ip = Ipv4Addr::from(ip);
            let read = TargetUrl::parse(&format!("https://{ip}/"));
            prop_assert_eq!(read.is_ok(), is_public(ip.into()) || ip.is_loopback());
        }
    }
}
