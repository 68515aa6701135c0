//! JSON Web Tokens, good and bad, made and read by hand.
//!
//! The product signs and verifies with a library; these few lines share nothing with it, so the two
//! cannot be wrong in the same way.

use crate::fixtures;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// How a token is signed.
#[derive(Clone, Copy)]
pub enum Algorithm<'a> {
    /// HMAC with SHA-256 and this secret: what Vonage signs webhooks with.
    Hs256(&'a [u8]),
    /// HMAC with SHA-384 and this secret.
    Hs384(&'a [u8]),
    /// RSA with SHA-256 and the test application's private key: what Vonage wants on REST.
    Rs256,
    /// Not at all: `alg` is `none` and the signature is empty.
    None,
}

/// A compact token with these claims.
///
/// # Panics
/// When the private key among the fixtures does not read.
#[must_use]
pub fn sign(algorithm: Algorithm<'_>, claims: &Value) -> String {
    let alg = match algorithm {
        Algorithm::Hs256(_) => "HS256",
        Algorithm::Hs384(_) => "HS384",
        Algorithm::Rs256 => "RS256",
        Algorithm::None => "none",
    };
    let header = json!({"alg": alg, "typ": "JWT"}).to_string();
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let signature = match algorithm {
        Algorithm::Hs256(secret) => mac(hmac::HMAC_SHA256, secret, &signed),
        Algorithm::Hs384(secret) => mac(hmac::HMAC_SHA384, secret, &signed),
        Algorithm::Rs256 => rsa(&signed),
        Algorithm::None => Vec::new(),
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn mac(algorithm: hmac::Algorithm, secret: &[u8], signed: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), signed.as_bytes())
        .as_ref()
        .to_vec()
}

fn rsa(signed: &str) -> Vec<u8> {
    let key = private_key();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        signed.as_bytes(),
        &mut signature,
    )
    .expect("an RSA key signs");
    signature
}

fn private_key() -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(fixtures::PRIVATE_KEY)).expect("the private key is PKCS#8")
}

/// The public key as ring wants it: PKCS#1, without the 24 bytes in front that name the algorithm
/// (the same for every RSA key of 2048 bits).
#[must_use]
pub fn public_key() -> Vec<u8> {
    der(fixtures::PUBLIC_KEY).split_off(24)
}

fn der(pem: &str) -> Vec<u8> {
    let text: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(text).expect("a PEM file is base64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::KeyPair;

    #[test]
    fn the_two_keys_belong_together() {
        assert_eq!(private_key().public_key().as_ref(), public_key());
    }

    #[test]
    fn hs256_gives_the_signature_openssl_gives() {
        // Header {"alg":"HS256","typ":"JWT"}, claims {"sub":"1"}, secret "secret", made with OpenSSL.
        assert_eq!(
            sign(Algorithm::Hs256(b"secret"), &json!({"sub": "1"})),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxIn0.8qZF8vbN3UpcanXFc-mPXJkOPN01-bRch8XX3rToP1U"
        );
    }
}
