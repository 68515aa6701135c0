//! Webhook signatures as Vonage makes them, and as an attacker would.

use crate::{
    clock,
    jwt::{self, Algorithm},
    query, unique,
};
use ring::digest;
use serde_json::{Value, json};

/// How far a stale or future `iat` lies from now, in seconds. Switchboard allows five minutes; this
/// is twice that, so a slow test machine does not bring it back inside.
const IAT_FAR: u64 = 600;

/// Signs webhooks as Vonage does for one application.
///
/// The token goes into `Authorization: Bearer …`. See
/// [Vonage/Decode Signed Webhooks](https://developer.vonage.com/en/getting-started/concepts/webhooks).
#[derive(Clone)]
pub struct Signer {
    /// The account's signature secret.
    pub secret: String,
    /// The application the webhook is for.
    pub application_id: String,
    /// The account.
    pub api_key: String,
}

/// A token that must not be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// Signed with a secret that is not ours.
    WrongSecret,
    /// `alg` is `none`, no signature.
    AlgNone,
    /// Signed with the application's RSA key.
    Rs256,
    /// Signed with the right secret, but HS384.
    Hs384,
    /// Issued too long ago.
    StaleIat,
    /// Issued in the future.
    FutureIat,
    /// A good token of another body.
    OtherBody,
    /// A good token of another application of the same account: the secret is shared.
    OtherApplication,
    /// A good token that names another account.
    OtherApiKey,
    /// `payload_hash` is missing.
    NoPayloadHash,
}

impl Forgery {
    /// Each of them, for a table.
    pub const ALL: [Self; 10] = [
        Self::WrongSecret,
        Self::AlgNone,
        Self::Rs256,
        Self::Hs384,
        Self::StaleIat,
        Self::FutureIat,
        Self::OtherBody,
        Self::OtherApplication,
        Self::OtherApiKey,
        Self::NoPayloadHash,
    ];
}

impl Signer {
    /// The token of a POST with this body.
    #[must_use]
    pub fn post(&self, body: &[u8]) -> String {
        self.token(&self.claims(body))
    }

    /// The token of a GET with this raw query (without the `?`). The hash is taken over the
    /// parameters as a compact JSON object of strings, in their order.
    ///
    /// # Panics
    /// When the query cannot stand in a URL.
    #[must_use]
    pub fn get(&self, query: &str) -> String {
        let fields: Vec<String> = query::pairs(query)
            .into_iter()
            .map(|(name, value)| format!("{}:{}", Value::from(name), Value::from(value)))
            .collect();
        self.post(format!("{{{}}}", fields.join(",")).as_bytes())
    }

    /// A token for a POST with this body that must be refused, for the one reason `forgery` names:
    /// all else about it is right.
    #[must_use]
    pub fn forged(&self, forgery: Forgery, body: &[u8]) -> String {
        let mut claims = self.claims(body);
        match forgery {
            Forgery::WrongSecret => {
                let secret = format!("not {}", self.secret);
                return jwt::sign(Algorithm::Hs256(secret.as_bytes()), &claims);
            }
            Forgery::AlgNone => return jwt::sign(Algorithm::None, &claims),
            Forgery::Rs256 => return jwt::sign(Algorithm::Rs256, &claims),
            Forgery::Hs384 => return jwt::sign(Algorithm::Hs384(self.secret.as_bytes()), &claims),
            Forgery::StaleIat => claims["iat"] = json!(clock::epoch_seconds() - IAT_FAR),
            Forgery::FutureIat => claims["iat"] = json!(clock::epoch_seconds() + IAT_FAR),
            Forgery::OtherBody => {
                let mut other = body.to_vec();
                other.push(b' ');
                claims["payload_hash"] = json!(hash(&other));
            }
            Forgery::OtherApplication => claims["application_id"] = json!(unique::uuid()),
            Forgery::OtherApiKey => claims["api_key"] = json!(format!("x{}", self.api_key)),
            Forgery::NoPayloadHash => {
                claims
                    .as_object_mut()
                    .expect("claims are an object")
                    .remove("payload_hash");
            }
        }
        self.token(&claims)
    }

    fn token(&self, claims: &Value) -> String {
        jwt::sign(Algorithm::Hs256(self.secret.as_bytes()), claims)
    }

    fn claims(&self, body: &[u8]) -> Value {
        json!({
            "iat": clock::epoch_seconds(),
            "jti": unique::uuid(),
            "iss": "Vonage",
            "payload_hash": hash(body),
            "api_key": self.api_key,
            "application_id": self.application_id,
        })
    }
}

fn hash(body: &[u8]) -> String {
    unique::hex(digest::digest(&digest::SHA256, body).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use ring::hmac;

    fn signer() -> Signer {
        Signer {
            secret: "a secret of the account".to_owned(),
            application_id: unique::uuid(),
            api_key: "abcd1234".to_owned(),
        }
    }

    fn claims(token: &str) -> Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    /// What a sound verifier looks at, said again in the shortest way.
    fn is_sound(signer: &Signer, token: &str, body: &[u8]) -> bool {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, signer.secret.as_bytes());
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let claims = claims(token);
        hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
            && claims["iat"]
                .as_u64()
                .unwrap()
                .abs_diff(clock::epoch_seconds())
                <= 300
            && claims["payload_hash"] == hash(body)
            && claims["application_id"] == signer.application_id
            && claims["api_key"] == signer.api_key
            && claims["iss"] == "Vonage"
    }

    #[test]
    fn a_signed_post_is_sound_and_no_forgery_is() {
        let signer = signer();
        let body = br#"{"status":"answered"}"#;
        assert!(is_sound(&signer, &signer.post(body), body));
        for forgery in Forgery::ALL {
            let token = signer.forged(forgery, body);
            assert!(!is_sound(&signer, &token, body), "{forgery:?}");
        }
    }

    #[test]
    fn a_get_is_hashed_as_a_compact_object_in_the_order_of_the_query() {
        let token = signer().get("to=1&from=2&dtmf=%7B%22digits%22:%223%22%7D");
        let object = br#"{"to":"1","from":"2","dtmf":"{\"digits\":\"3\"}"}"#;
        assert_eq!(claims(&token)["payload_hash"], hash(object));
    }

    #[test]
    fn two_tokens_of_one_body_differ() {
        let signer = signer();
        assert_ne!(signer.post(b"{}"), signer.post(b"{}"));
    }
}
