//! Tokens: those that sign webhooks, and those that REST requests carry.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::{digest, hmac, signature};
use serde_json::{Value, json};

/// Longest life of an application token.
///
/// See [Vonage/Authentication](https://developer.vonage.com/en/getting-started/concepts/authentication).
const LIFE_MAX: i64 = 24 * 3600;

/// Shortest life of an application token that names its end.
const LIFE_MIN: i64 = 30;

/// Life of a token that names no end.
const LIFE_DEFAULT: i64 = 15 * 60;

/// How far a token may be dated ahead, in seconds. Vonage names no figure; clocks differ.
const SKEW: i64 = 60;

/// The name of RSA, as a key in X.509's form carries it ([RFC 3279](https://www.rfc-editor.org/rfc/rfc3279#section-2.3.1)).
const RSA: [u8; 15] = [
    0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// The public half of an application's key pair.
#[derive(Debug, Clone)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// An RSA key in the DER form of PKCS #1: modulus and exponent.
    #[must_use]
    pub fn pkcs1(der: impl Into<Vec<u8>>) -> Self {
        Self(der.into())
    }

    /// An RSA key in PEM (`BEGIN PUBLIC KEY`), of 2048 bits or more, as applications are given one.
    #[must_use]
    pub fn pem(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("-----BEGIN PUBLIC KEY-----")?;
        let base64 = rest.strip_suffix("-----END PUBLIC KEY-----")?;
        let base64: String = base64.split_whitespace().collect();
        let der = STANDARD.decode(base64).ok()?;
        // Two heads with lengths of two bytes each, around the algorithm's name and the key.
        let (head, key) = der.split_at_checked(24)?;
        (head[0..2] == [0x30, 0x82] && head[4..19] == RSA && head[19..21] == [0x03, 0x82])
            .then(|| Self::pkcs1(key))
    }
}

/// Whether an `Authorization` header carries a sound token of this application.
///
/// See [Vonage/Authentication](https://developer.vonage.com/en/getting-started/concepts/authentication).
#[must_use]
pub fn admits(
    key: &PublicKey,
    application: &str,
    authorization: Option<&str>,
    now: Timestamp,
) -> bool {
    claims(key, authorization).is_some_and(|claims| {
        let seconds = |name: &str| claims[name].as_i64();
        let now = now.as_second();
        let Some(issued) = seconds("iat") else {
            return false;
        };
        let ends = match &claims["exp"] {
            Value::Null => Some(issued.saturating_add(LIFE_DEFAULT)),
            exp => exp.as_i64(),
        };
        let begins = seconds("nbf").unwrap_or(issued);
        claims["application_id"] == application
            && claims["jti"].as_str().is_some_and(|id| !id.is_empty())
            && issued <= now.saturating_add(SKEW)
            && begins <= now.saturating_add(SKEW)
            && ends.is_some_and(|ends| {
                now < ends && (LIFE_MIN..=LIFE_MAX).contains(&ends.saturating_sub(issued))
            })
    })
}

/// What a token says that is signed by this key, with RS256 and nothing else.
fn claims(key: &PublicKey, authorization: Option<&str>) -> Option<Value> {
    let (scheme, token) = authorization?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, body) = signed.split_once('.')?;
    let read = |part: &str| -> Option<Value> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
    };
    if read(head)?["alg"] != "RS256" {
        return None;
    }
    signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, &key.0)
        .verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?)
        .ok()?;
    read(body)
}

/// Whom a webhook is signed for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) secret: &'a str,
    pub(crate) api_key: &'a str,
    pub(crate) application: &'a str,
}

impl Signer<'_> {
    /// The `Authorization` header of a webhook. `content`: the body of a POST; of a GET, its
    /// parameters as a compact JSON object in their order.
    ///
    /// See [Vonage/Signed webhooks](https://developer.vonage.com/en/getting-started/concepts/webhooks).
    pub(crate) fn header(self, content: &[u8], id: &str, now: Timestamp) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "iat": now.as_second(),
            "jti": id,
            "iss": "Vonage",
            "payload_hash": hex(digest::digest(&digest::SHA256, content).as_ref()),
            "api_key": self.api_key,
            "application_id": self.application,
        });
        let signed = format!(
            "{}.{}",
            part(&json!({ "alg": "HS256", "typ": "JWT" })),
            part(&claims)
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret.as_bytes());
        let tag = hmac::sign(&key, signed.as_bytes());
        format!("Bearer {signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
