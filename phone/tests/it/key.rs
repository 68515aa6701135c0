//! The application's key pair, made for these tests, and tokens signed with it.

use crate::stage::APPLICATION;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, rand::SystemRandom};
use serde_json::{Value, json};
use std::sync::LazyLock;
use switchboard_phone::PublicKey;

pub(crate) const PEM: &str = include_str!("key.pem");

static PAIR: LazyLock<RsaKeyPair> = LazyLock::new(|| pair(PEM));
static OTHER: LazyLock<RsaKeyPair> = LazyLock::new(|| pair(include_str!("other.pem")));

fn pair(pem: &str) -> RsaKeyPair {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    let der = STANDARD
        .decode(lines.collect::<String>())
        .expect("the fixture is PEM");
    RsaKeyPair::from_pkcs8(&der).expect("the fixture is a key")
}

pub(crate) fn public() -> PublicKey {
    PublicKey::pkcs1(PAIR.public().as_ref())
}

/// The claims of a sound token.
pub(crate) fn claims(now: Timestamp) -> Value {
    json!({
        "application_id": APPLICATION,
        "iat": now.as_second(),
        "exp": now.as_second() + 900,
        "jti": "f1e2d3c4",
    })
}

/// The header of a request with a sound token.
pub(crate) fn token(now: Timestamp) -> String {
    signed(&claims(now))
}

pub(crate) fn signed(claims: &Value) -> String {
    by_rsa(&PAIR, "RS256", claims)
}

/// With the right key, under another algorithm's name.
pub(crate) fn signed_as(algorithm: &str, claims: &Value) -> String {
    by_rsa(&PAIR, algorithm, claims)
}

pub(crate) fn signed_by_another(claims: &Value) -> String {
    by_rsa(&OTHER, "RS256", claims)
}

fn by_rsa(pair: &RsaKeyPair, algorithm: &str, claims: &Value) -> String {
    let text = unsigned(algorithm, claims);
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .expect("the key is large enough");
    format!("Bearer {text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// As a verifier takes it that believes the token's own header: the public key as a secret.
pub(crate) fn signed_with_the_public_key(claims: &Value) -> String {
    let text = unsigned("HS256", claims);
    let secret = hmac::Key::new(hmac::HMAC_SHA256, PAIR.public().as_ref());
    let tag = hmac::sign(&secret, text.as_bytes());
    format!("Bearer {text}.{}", URL_SAFE_NO_PAD.encode(tag))
}

pub(crate) fn unsigned(algorithm: &str, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({ "alg": algorithm, "typ": "JWT" });
    format!("{}.{}", part(&header), part(claims))
}
