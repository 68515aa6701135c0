//! The little cryptography there is, all of it on ring.
//!
//! ring is in the binaries already, for TLS. The alternatives cost more: the `rsa` crate has an open
//! timing advisory (RUSTSEC-2023-0071), and aws-lc takes about 20 ms to seed itself, at the start of
//! a function, while a caller waits.

mod jwt;
mod tls;

pub use jwt::install;
pub(crate) use jwt::rsa_key_pair;
pub use tls::{TlsError, tls};

use ring::{digest, hmac, rand};

/// Bytes of randomness in [`random_id`]: as many as in a UUID, so two never meet.
const RANDOM_ID_BYTES: usize = 16;

/// SHA-256 of the bytes as 64 lower-case hex digits.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Whether two texts or tokens are equal, in a time that depends on their lengths alone.
///
/// Both are run through HMAC and the tags are compared by `ring::hmac::verify`, which is the
/// comparison in constant time that ring offers publicly. The HMAC key need not be secret: finding
/// two inputs with one tag would mean a collision of SHA-256.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    let tag = hmac::sign(&key, a);
    hmac::verify(&key, b, tag.as_ref()).is_ok()
}

/// A fresh id of 32 hex digits that nobody can guess.
#[must_use]
pub fn random_id() -> String {
    random_hex::<RANDOM_ID_BYTES>()
}

/// `N` bytes that nobody can guess, as twice as many hex digits.
///
/// # Panics
/// When the operating system gives no randomness. TLS would not work either.
#[must_use]
pub fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    let random = rand::SystemRandom::new();
    rand::SecureRandom::fill(&random, &mut bytes).expect("the operating system gives randomness");
    hex(&bytes)
}

/// HMAC-SHA-256 of a message, as 64 lower-case hex digits.
#[must_use]
pub fn hmac_hex(key: &[u8], message: &[u8]) -> String {
    hex(&hmac_sha256(key, message))
}

/// HMAC-SHA-256 of a message, as 32 bytes.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().to_vec()
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a String does not fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_hash_is_the_published_one() {
        // FIPS 180-2, appendix B.1, and the well-known hash of nothing.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256_hex(b"abc"), abc);
        assert_eq!(sha256_hex(b""), nothing);
    }

    #[test]
    fn ids_are_long_and_differ() {
        let (a, b) = (random_id(), random_id());
        assert_eq!(a.len(), RANDOM_ID_BYTES * 2);
        assert_ne!(a, b);
    }

    proptest! {
        #[test]
        fn same_means_equal(a in any::<Vec<u8>>(), b in any::<Vec<u8>>()) {
            prop_assert!(same(&a, &a.clone()));
            prop_assert_eq!(same(&a, &b), a == b);
        }
    }
}
