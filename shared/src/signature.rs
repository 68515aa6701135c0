//! Is this webhook really Vonage's, and for us?
//!
//! Vonage sends `Authorization: Bearer <JWT>`, signed by HS256 with the account's signature secret,
//! which is neither the API secret nor the application's key. `payload_hash` ties the token to the body.
//!
//! Not looked at: `exp` and `nbf`, which Vonage does not send (`iat` bounds the age), and whether
//! `jti` came before, because the platform's own second attempt may carry the same token.
//!
//! See [Vonage/Webhooks/Signed webhooks](https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks).

use crate::crypto;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// How far `iat` may lie from our clock, before or after. Vonage names no tolerance; five minutes is
/// what others use. It covers a clock that drifts and the platform's second attempt, and bounds how
/// long a token that leaked can be replayed.
pub const ISSUED_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// Checks webhooks against the secrets of one account and the identity of one application.
///
/// Cheap to clone. `Debug` shows no secret.
#[derive(Clone)]
pub struct Verifier {
    keys: Vec<(Secret, DecodingKey)>,
    application_id: Option<String>,
    api_key: Option<String>,
}

/// The account's signature secrets: the bytes of the text as the dashboard shows it.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The secret Vonage signs with now.
    pub current: SecretString,
    /// The one it signed with before, while a rotation is under way.
    pub previous: Option<SecretString>,
}

/// What of a request is signed.
#[derive(Clone, Copy)]
pub enum Signed<'a> {
    /// A body, byte for byte as it came.
    Post(&'a [u8]),
    /// A query string as it came, percent-encoded and without the `?`.
    Get {
        /// May be empty.
        query: &'a str,
    },
}

/// A webhook that is Vonage's and for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Which secret it was signed with. No more [`Secret::Previous`] means a rotation is complete.
    pub secret: Secret,
    /// How the payload compares with its hash. Worth a log line when it is [`Payload::Differs`].
    pub payload: Payload,
}

/// One of the two [`Secrets`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secret {
    /// The one in use.
    Current,
    /// The one being phased out.
    Previous,
}

/// How a payload compares with the token's `payload_hash`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// It is what was signed.
    Matches,
    /// A GET whose query hashes to something else. How Vonage writes a query down before it hashes
    /// it is not documented in full, so this is a remark and not a refusal.
    Differs,
    /// The token has no hash, and there was no body to protect.
    Unhashed,
}

/// Why a webhook is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// We have no secret, so nothing can be verified.
    #[error("no signature secret is set")]
    NoSecret,
    /// Unsigned: signing may be off for the application.
    #[error("the webhook carries no Authorization header")]
    Missing,
    /// `Basic`, or something else that is not a bearer token.
    #[error("the Authorization header is not of the form Bearer and a token")]
    Scheme,
    /// Not three parts of base64url, or no JSON in them.
    #[error("the token is not a JWT")]
    Malformed,
    /// `none`, RS256 and the like.
    #[error("the token is not signed by HS256")]
    Algorithm,
    /// Another secret, or a token somebody changed.
    #[error("the token is not signed with our secret")]
    Signature,
    /// No `iat`.
    #[error("the token does not say when it was issued")]
    NoIssueTime,
    /// `iat` is longer ago than [`ISSUED_WITHIN`].
    #[error("the token was issued more than five minutes ago")]
    TooOld,
    /// `iat` lies further ahead than [`ISSUED_WITHIN`]: one of the clocks is wrong.
    #[error("the token was issued more than five minutes ahead of our clock")]
    FromTheFuture,
    /// A body that nothing vouches for.
    #[error("the token carries no hash of the body")]
    NoPayloadHash,
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed")]
    PayloadHash,
    /// One secret serves all applications of an account; this webhook is another one's.
    #[error("the token is for another application")]
    Application,
    /// This webhook is another account's.
    #[error("the token is for another API key")]
    ApiKey,
}

impl Verifier {
    /// Checks with these secrets. An empty one is left out, since anybody can sign with it.
    ///
    /// `application_id` and `api_key` are compared where they are given and the token has the claim;
    /// Vonage documents `application_id` as optional.
    #[must_use]
    pub fn new(secrets: &Secrets, application_id: Option<String>, api_key: Option<String>) -> Self {
        crypto::install();
        let current = Some((Secret::Current, &secrets.current));
        let previous = secrets
            .previous
            .as_ref()
            .map(|secret| (Secret::Previous, secret));
        let keys = current
            .into_iter()
            .chain(previous)
            .map(|(which, secret)| (which, secret.expose_secret().as_bytes()))
            .filter(|(_, secret)| !secret.is_empty())
            .map(|(which, secret)| (which, DecodingKey::from_secret(secret)))
            .collect();
        Self {
            keys,
            application_id,
            api_key,
        }
    }

    /// Decides whether a request is Vonage's and for us. `authorization` is the header as it came.
    ///
    /// # Errors
    /// A [`SignatureError`] for whatever was found wrong first. All of them call for a 401.
    pub fn verify(
        &self,
        authorization: Option<&str>,
        signed: Signed<'_>,
        now: Timestamp,
    ) -> Result<Verified, SignatureError> {
        if self.keys.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let token = bearer(authorization.ok_or(SignatureError::Missing)?)?;
        let (secret, claims) = self.open(token)?;
        fresh(claims.iat, now)?;
        if differs(
            self.application_id.as_deref(),
            claims.application_id.as_deref(),
        ) {
            return Err(SignatureError::Application);
        }
        if differs(self.api_key.as_deref(), claims.api_key.as_deref()) {
            return Err(SignatureError::ApiKey);
        }
        let payload = compare(signed, claims.payload_hash.as_deref())?;
        Ok(Verified { secret, payload })
    }

    /// Checks the signature with each secret, and reads the claims only then.
    fn open(&self, token: &str) -> Result<(Secret, Claims), SignatureError> {
        let malformed = SignatureError::Malformed;
        let (message, signature) = token.rsplit_once('.').ok_or(malformed)?;
        let (header, claims) = message.split_once('.').ok_or(malformed)?;
        // Nothing else in the header is believed: no key, no address of one, no other algorithm.
        if part::<Algo>(header)?.alg != "HS256" {
            return Err(SignatureError::Algorithm);
        }
        for (which, key) in &self.keys {
            let verified =
                jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, Algorithm::HS256);
            if verified.map_err(|_| malformed)? {
                return Ok((*which, part(claims)?));
            }
        }
        Err(SignatureError::Signature)
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let secrets: Vec<Secret> = self.keys.iter().map(|(which, _)| *which).collect();
        f.debug_struct("Verifier")
            .field("secrets", &secrets)
            .field("application_id", &self.application_id)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Algo {
    alg: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(default)]
    iat: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_hash: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    application_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
}

fn bearer(header: &str) -> Result<&str, SignatureError> {
    match header.trim().split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(SignatureError::Scheme),
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, SignatureError> {
    let json = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| SignatureError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| SignatureError::Malformed)
}

fn fresh(iat: Option<i64>, now: Timestamp) -> Result<(), SignatureError> {
    let iat = iat.ok_or(SignatureError::NoIssueTime)?;
    let age = now.as_second().saturating_sub(iat);
    let limit = ISSUED_WITHIN.as_secs();
    match age {
        age if age > limit => Err(SignatureError::TooOld),
        age if age < -limit => Err(SignatureError::FromTheFuture),
        _ => Ok(()),
    }
}

fn differs(ours: Option<&str>, claim: Option<&str>) -> bool {
    ours.zip(claim).is_some_and(|(ours, claim)| ours != claim)
}

fn compare(signed: Signed<'_>, claim: Option<&str>) -> Result<Payload, SignatureError> {
    let matches =
        claim.map(|claim| crypto::same(payload_hash(signed).as_bytes(), claim.as_bytes()));
    match (signed, matches) {
        (_, Some(true)) => Ok(Payload::Matches),
        (Signed::Post(_), Some(false)) => Err(SignatureError::PayloadHash),
        (Signed::Post(body), None) if !body.is_empty() => Err(SignatureError::NoPayloadHash),
        (Signed::Get { .. }, Some(false)) => Ok(Payload::Differs),
        (_, None) => Ok(Payload::Unhashed),
    }
}

/// SHA-256 of the body or, for a GET, of its parameters as one compact JSON object, in their order.
fn payload_hash(signed: Signed<'_>) -> String {
    match signed {
        Signed::Post(body) => crypto::sha256_hex(body),
        Signed::Get { query } => {
            let mut json = Vec::new();
            serde_json::Serializer::new(&mut json)
                .collect_map(url::form_urlencoded::parse(query.as_bytes()))
                .expect("a map of text is always JSON");
            crypto::sha256_hex(&json)
        }
    }
}

/// What Vonage would put into `Authorization` for this POST: `Bearer`, a space and a token.
///
/// For tests, and for trying a webhook out from a terminal.
#[must_use]
pub fn sign_post(
    secret: &SecretString,
    application_id: &str,
    api_key: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> String {
    sign(secret, application_id, api_key, Signed::Post(body), now)
}

/// What Vonage would put into `Authorization` for a GET with this query: see [`sign_post`].
#[must_use]
pub fn sign_get(
    secret: &SecretString,
    application_id: &str,
    api_key: Option<&str>,
    query: &str,
    now: Timestamp,
) -> String {
    sign(secret, application_id, api_key, Signed::Get { query }, now)
}

fn sign(
    secret: &SecretString,
    application_id: &str,
    api_key: Option<&str>,
    signed: Signed<'_>,
    now: Timestamp,
) -> String {
    crypto::install();
    let claims = Claims {
        iat: Some(now.as_second()),
        payload_hash: Some(payload_hash(signed)),
        application_id: Some(application_id.to_owned()),
        api_key: api_key.map(str::to_owned),
        iss: Some("Vonage".to_owned()),
        jti: Some(crypto::random_id()),
    };
    let key = EncodingKey::from_secret(secret.expose_secret().as_bytes());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .expect("HMAC signs any claims that are JSON");
    format!("Bearer {token}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SECRET: &str = "current-signature-secret-of-the-test";
    const OLD: &str = "previous-signature-secret-of-the-test";
    const APP: &str = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab";
    const BODY: &[u8] = br#"{"from":"447700900000","to":"447700900001"}"#;

    fn now() -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }

    fn verifier() -> Verifier {
        let secrets = Secrets {
            current: SECRET.into(),
            previous: Some(OLD.into()),
        };
        Verifier::new(&secrets, Some(APP.into()), Some("abcd1234".into()))
    }

    /// A header built by hand, so that the tests do not rest on the function they test.
    fn forge(header: &Value, claims: &Value, secret: &str) -> String {
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", encode(header), encode(claims));
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = ring::hmac::sign(&key, message.as_bytes());
        format!("Bearer {message}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn claims() -> Value {
        json!({
            "iat": now().as_second(),
            "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
            "iss": "Vonage",
            "payload_hash": crypto::sha256_hex(BODY),
            "api_key": "abcd1234",
            "application_id": APP,
        })
    }

    #[track_caller]
    fn check(change: impl FnOnce(&mut Value), expected: Result<Verified, SignatureError>) {
        let mut claims = claims();
        change(&mut claims);
        let header = forge(&json!({"alg": "HS256", "typ": "JWT"}), &claims, SECRET);
        assert_eq!(
            verifier().verify(Some(&header), Signed::Post(BODY), now()),
            expected
        );
    }

    const GOOD: Verified = Verified {
        secret: Secret::Current,
        payload: Payload::Matches,
    };

    #[test]
    fn a_webhook_as_vonage_sends_it_is_taken() {
        check(|_| {}, Ok(GOOD));
        let header = sign_post(&SECRET.into(), APP, Some("abcd1234"), BODY, now());
        assert_eq!(
            verifier().verify(Some(&header), Signed::Post(BODY), now()),
            Ok(GOOD)
        );
        let lower = header.replace("Bearer", "bearer");
        assert_eq!(
            verifier().verify(Some(&lower), Signed::Post(BODY), now()),
            Ok(GOOD)
        );
    }

    #[test]
    fn the_claims_vonage_calls_optional_may_be_absent() {
        check(
            |claims| drop(claims.as_object_mut().unwrap().remove("application_id")),
            Ok(GOOD),
        );
        check(
            |claims| drop(claims.as_object_mut().unwrap().remove("api_key")),
            Ok(GOOD),
        );
        check(|claims| claims["something"] = json!({"new": 1}), Ok(GOOD));
    }

    #[test]
    fn a_webhook_for_somebody_else_is_refused() {
        check(
            |claims| claims["application_id"] = json!("other"),
            Err(SignatureError::Application),
        );
        check(
            |claims| claims["api_key"] = json!("other"),
            Err(SignatureError::ApiKey),
        );
    }

    #[test]
    fn a_token_is_good_for_five_minutes_either_way() {
        let at = |seconds: i64| {
            move |claims: &mut Value| claims["iat"] = json!(now().as_second() + seconds)
        };
        check(at(-300), Ok(GOOD));
        check(at(300), Ok(GOOD));
        check(at(-301), Err(SignatureError::TooOld));
        check(at(301), Err(SignatureError::FromTheFuture));
        check(
            |claims| claims["iat"] = json!(i64::MIN),
            Err(SignatureError::TooOld),
        );
        check(
            |claims| claims["iat"] = json!(i64::MAX),
            Err(SignatureError::FromTheFuture),
        );
        check(
            |claims| claims["iat"] = Value::Null,
            Err(SignatureError::NoIssueTime),
        );
        check(
            |claims| claims["iat"] = json!("soon"),
            Err(SignatureError::Malformed),
        );
    }

    #[test]
    fn a_body_nobody_vouches_for_is_refused() {
        let none =
            |claims: &mut Value| drop(claims.as_object_mut().unwrap().remove("payload_hash"));
        check(none, Err(SignatureError::NoPayloadHash));
        check(
            |claims| claims["payload_hash"] = json!(""),
            Err(SignatureError::PayloadHash),
        );
        let upper = crypto::sha256_hex(BODY).to_uppercase();
        check(
            |claims| claims["payload_hash"] = json!(upper),
            Err(SignatureError::PayloadHash),
        );
        // The same JSON with one space more is another body.
        let header = sign_post(&SECRET.into(), APP, None, BODY, now());
        let spaced = br#"{"from": "447700900000","to":"447700900001"}"#;
        let refused = verifier().verify(Some(&header), Signed::Post(spaced), now());
        assert_eq!(refused, Err(SignatureError::PayloadHash));
        let emptied = verifier().verify(Some(&header), Signed::Post(b""), now());
        assert_eq!(emptied, Err(SignatureError::PayloadHash));
    }

    #[test]
    fn a_post_without_body_needs_no_hash() {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("payload_hash");
        let header = forge(&json!({"alg": "HS256"}), &claims, SECRET);
        let verified = verifier()
            .verify(Some(&header), Signed::Post(b""), now())
            .unwrap();
        assert_eq!(verified.payload, Payload::Unhashed);
    }

    #[test]
    fn a_query_that_hashes_otherwise_is_remarked_on_and_not_refused() {
        let query = "to=447700900001&from=447700900000&SipHeader_X-A=b%20c&dtmf=%7B%22digits%22:%2212%22%7D";
        // Written out, so that the form hashed is pinned and not merely agreed between two functions.
        let json = r#"{"to":"447700900001","from":"447700900000","SipHeader_X-A":"b c","dtmf":"{\"digits\":\"12\"}"}"#;
        let mut claims = claims();
        claims["payload_hash"] = json!(crypto::sha256_hex(json.as_bytes()));
        let header = forge(&json!({"alg": "HS256"}), &claims, SECRET);
        let payload = |query| {
            verifier()
                .verify(Some(&header), Signed::Get { query }, now())
                .map(|it| it.payload)
        };
        assert_eq!(payload(query), Ok(Payload::Matches));
        assert_eq!(
            payload("from=447700900000&to=447700900001"),
            Ok(Payload::Differs)
        );
        let header = sign_get(&SECRET.into(), APP, None, query, now());
        let signed = verifier().verify(Some(&header), Signed::Get { query }, now());
        assert_eq!(signed, Ok(GOOD));
    }

    #[test]
    fn both_secrets_serve_while_one_is_being_rotated() {
        let header = sign_post(&OLD.into(), APP, None, BODY, now());
        let verified = verifier()
            .verify(Some(&header), Signed::Post(BODY), now())
            .unwrap();
        assert_eq!(verified.secret, Secret::Previous);
        let alone = Verifier::new(
            &Secrets {
                current: SECRET.into(),
                previous: None,
            },
            None,
            None,
        );
        let refused = alone.verify(Some(&header), Signed::Post(BODY), now());
        assert_eq!(refused, Err(SignatureError::Signature));
    }

    #[test]
    fn an_empty_secret_verifies_nothing() {
        let header = sign_post(&"".into(), APP, None, BODY, now());
        let verify = |current: &str| {
            let secrets = Secrets {
                current: current.into(),
                previous: Some("".into()),
            };
            Verifier::new(&secrets, None, None).verify(Some(&header), Signed::Post(BODY), now())
        };
        assert_eq!(verify(SECRET), Err(SignatureError::Signature));
        assert_eq!(verify(""), Err(SignatureError::NoSecret));
    }

    #[test]
    fn only_hs256_is_believed() {
        for alg in [
            "none", "None", "HS384", "HS512", "RS256", "ES256", "hs256", "",
        ] {
            let header = forge(&json!({"alg": alg}), &claims(), SECRET);
            let refused = verifier().verify(Some(&header), Signed::Post(BODY), now());
            assert_eq!(refused, Err(SignatureError::Algorithm), "{alg}");
        }
        let unsigned = forge(&json!({"alg": "HS256"}), &claims(), SECRET);
        let unsigned = &unsigned[..=unsigned.rfind('.').unwrap()];
        let refused = verifier().verify(Some(unsigned), Signed::Post(BODY), now());
        assert_eq!(refused, Err(SignatureError::Signature));
    }

    #[test]
    fn what_is_no_token_is_refused_with_its_own_reason() {
        for (header, why) in [
            (None, SignatureError::Missing),
            (Some(""), SignatureError::Scheme),
            (Some("Bearer"), SignatureError::Scheme),
            (Some("Basic YTpi"), SignatureError::Scheme),
            (Some("Bearer x"), SignatureError::Malformed),
            (Some("Bearer a.b.c"), SignatureError::Malformed),
            (Some("Bearer e30.e30.e30"), SignatureError::Malformed),
            (Some("Bearer ..."), SignatureError::Malformed),
        ] {
            let refused = verifier().verify(header, Signed::Post(BODY), now());
            assert_eq!(refused, Err(why), "{header:?}");
        }
    }

    #[test]
    fn a_changed_token_is_refused() {
        let header = sign_post(&SECRET.into(), APP, None, BODY, now());
        let (message, signature) = header.rsplit_once('.').unwrap();
        let (head, _) = message.split_once('.').unwrap();
        let claims = URL_SAFE_NO_PAD.encode(claims().to_string());
        let swapped = format!("{head}.{claims}.{signature}");
        let refused = verifier().verify(Some(&swapped), Signed::Post(BODY), now());
        assert_eq!(refused, Err(SignatureError::Signature));
    }

    #[test]
    fn debug_shows_no_secret() {
        let secrets = Secrets {
            current: SECRET.into(),
            previous: Some(OLD.into()),
        };
        let shown = format!("{secrets:?} {:?}", verifier());
        assert!(!shown.contains(SECRET) && !shown.contains(OLD), "{shown}");
        assert!(!shown.contains("abcd1234"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_header_and_no_body_makes_it_panic(header in any::<String>(), body in any::<Vec<u8>>()) {
            let header = format!("Bearer {header}");
            prop_assert!(verifier().verify(Some(&header), Signed::Post(&body), now()).is_err());
        }

        #[test]
        fn any_query_is_signed_and_verified_alike(query in any::<String>()) {
            let header = sign_get(&SECRET.into(), APP, None, &query, now());
            let signed = Signed::Get { query: &query };
            prop_assert_eq!(verifier().verify(Some(&header), signed, now()), Ok(GOOD));
        }
    }
}
