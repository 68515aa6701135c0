//! The signature of what is sent, by which a target knows that it came from us.
//!
//! It is that of Standard Webhooks, so that libraries for many languages can check it: HMAC-SHA-256
//! over id, time and body, in three headers. Each target has a key of its own, made from the secret of
//! Vonage's webhooks: no target can sign for another.
//!
//! See [Standard Webhooks](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).

use crate::config::Lookup;
use crate::crypto;
use crate::plan::TargetName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

/// Signs for every target.
#[derive(Debug)]
pub struct Seal {
    secrets: Vec<SecretString>,
}

impl Seal {
    /// Reads the secrets of webhooks. While they rotate there are two, and two signatures.
    pub fn from_lookup(lookup: &Lookup) -> Self {
        let names = [
            "VONAGE_SIGNATURE_SECRET",
            "VONAGE_SIGNATURE_SECRET_PREVIOUS",
        ];
        let secrets = names.iter().filter_map(|name| lookup.optional(name));
        Self {
            secrets: secrets.map(SecretString::from).collect(),
        }
    }

    /// The key that a target checks signatures with, as its libraries read it: `whsec_…`. `None`
    /// without a secret to make it from.
    #[must_use]
    pub fn key(&self, target: &TargetName) -> Option<SecretString> {
        let secret = self.secrets.first()?;
        Some(format!("whsec_{}", STANDARD.encode(key(secret, target))).into())
    }

    /// The value of `webhook-signature`, one signature per secret. `None` without a secret.
    #[must_use]
    pub fn sign(&self, target: &TargetName, id: &str, at: Timestamp, body: &str) -> Option<String> {
        let sign = |secret| signature(&key(secret, target), id, at.as_second(), body);
        let all: Vec<_> = self.secrets.iter().map(sign).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }
}

fn key(secret: &SecretString, target: &TargetName) -> Vec<u8> {
    let purpose = format!("switchboard notifications\n{target}");
    crypto::hmac_sha256(secret.expose_secret().as_bytes(), purpose.as_bytes())
}

fn signature(key: &[u8], id: &str, seconds: i64, body: &str) -> String {
    let tag = crypto::hmac_sha256(key, format!("{id}.{seconds}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(secrets: &[&str]) -> Seal {
        Seal {
            secrets: secrets.iter().map(|s| SecretString::from(*s)).collect(),
        }
    }

    #[test]
    fn the_signature_is_the_one_that_the_standard_shows() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        assert_eq!(
            signature(&key, id, 1_614_265_330, r#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn each_target_has_a_key_of_its_own_and_while_secrets_rotate_two() {
        let (team, sheet) = ("team".parse().unwrap(), "sheet".parse().unwrap());
        let (old, both) = (seal(&["old"]), seal(&["new", "old"]));
        let sign = |seal: &Seal, target| seal.sign(target, "id", Timestamp::UNIX_EPOCH, "{}");
        assert_ne!(sign(&old, &team), sign(&old, &sheet));
        let (before, during) = (sign(&old, &team).unwrap(), sign(&both, &team).unwrap());
        assert_eq!(during.split(' ').nth(1), Some(before.as_str()));
        assert_eq!(sign(&seal(&[]), &team), None);
        assert!(seal(&[]).key(&team).is_none());
        let key = |seal: &Seal| seal.key(&team).unwrap().expose_secret().to_owned();
        assert!(key(&old).starts_with("whsec_"));
        assert_ne!(key(&old), key(&both));
    }
}
