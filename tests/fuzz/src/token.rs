//! Tokens of webhooks: ours, ours with something changed, and anybody's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::{digest, hmac};
use serde_json::Value;
use std::sync::LazyLock;
use switchboard_shared::signature::{
    ISSUED_WITHIN, Secrets, SignatureError, Signed, Verifier, sign_get, sign_post,
};

const SECRET: &str = "a secret that no input knows";
const APPLICATION: &str = "app-1";
const API_KEY: &str = "abcd1234";
const BODY: &[u8] = br#"{"uuid":"leg","status":"answered"}"#;
const QUERY: &str = "uuid=leg&status=answered";

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let secrets = Secrets {
        current: SECRET.into(),
        previous: Some("the one before".into()),
    };
    Verifier::new(&secrets, Some(APPLICATION.into()), Some(API_KEY.into()))
});

/// Takes the bytes as an `Authorization` header, as changes to a good one, and as the parts of a
/// token which is signed with the right secret.
///
/// # Panics
/// When one is let in that should not be, or the other way round.
pub fn target(data: &[u8]) {
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    anybodys(data, now);
    let secret = SECRET.into();
    let good = sign_post(&secret, APPLICATION, Some(API_KEY), BODY, now);
    let verified = VERIFIER.verify(Some(&good), Signed::Post(BODY), now);
    assert!(verified.is_ok(), "{verified:?}");
    let good_get = sign_get(&secret, APPLICATION, Some(API_KEY), QUERY, now);
    let query = Signed::Get { query: QUERY };
    assert!(VERIFIER.verify(Some(&good_get), query, now).is_ok());
    changed(&good, data, now);
    other_body(&good, data, now);
    headers(data, now);
    claims(data, now);
}

fn verify(header: &str, now: Timestamp) -> Result<(), SignatureError> {
    VERIFIER
        .verify(Some(header), Signed::Post(BODY), now)
        .map(drop)
}

/// Who does not know the secret signs nothing.
fn anybodys(data: &[u8], now: Timestamp) {
    let text = String::from_utf8_lossy(data);
    assert!(verify(&text, now).is_err(), "{text}");
    assert!(verify(&format!("Bearer {text}"), now).is_err(), "{text}");
}

/// A good token of which any bit is flipped, or any part cut away, is none.
fn changed(good: &str, data: &[u8], now: Timestamp) {
    let token = good.strip_prefix("Bearer ").unwrap();
    let mut bytes = token.as_bytes().to_vec();
    for change in data.chunks_exact(3).take(8) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] ^= change[2] & 0x7f;
    }
    let text = String::from_utf8(bytes).expect("flipped within ASCII");
    // What is around a token is no part of it.
    let same = text.trim() == token;
    assert_eq!(
        verify(&format!("Bearer {text}"), now).is_ok(),
        same,
        "{text}"
    );
    if let Some(&cut) = data.first() {
        let short = &token[..usize::from(cut) % token.len()];
        assert!(verify(&format!("Bearer {short}"), now).is_err(), "{short}");
    }
}

fn other_body(good: &str, data: &[u8], now: Timestamp) {
    let taken = VERIFIER.verify(Some(good), Signed::Post(data), now);
    assert_eq!(taken.is_ok(), data == BODY);
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let header = URL_SAFE_NO_PAD.encode(header);
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, message.as_bytes()));
    format!("Bearer {message}.{signature}")
}

/// Whatever a header says, it must say HS256.
fn headers(data: &[u8], now: Timestamp) {
    let claims = format!(
        r#"{{"iat":{},"payload_hash":"{}"}}"#,
        now.as_second(),
        hash(BODY)
    );
    if verify(&signed(data, claims.as_bytes()), now).is_ok() {
        // What nobody reads of it may be no text; whoever knows the secret wrote it.
        if let Ok(header) = serde_json::from_slice::<Value>(data) {
            assert!(header["alg"] == "HS256" || header[0] == "HS256", "{header}");
        }
    }
    // The same secret, and another algorithm named: none of them is taken.
    for alg in [
        "none", "None", "HS384", "HS512", "RS256", "ES256", "hs256", "",
    ] {
        let header = format!(r#"{{"typ":"JWT","alg":"{alg}"}}"#);
        let token = signed(header.as_bytes(), claims.as_bytes());
        assert_eq!(verify(&token, now), Err(SignatureError::Algorithm), "{alg}");
    }
}

/// Whatever the claims are: fresh, of this body, of this application and account.
fn claims(data: &[u8], now: Timestamp) {
    let token = signed(br#"{"alg":"HS256","typ":"JWT"}"#, data);
    if verify(&token, now).is_err() {
        return;
    }
    // A list is read in the order of the fields, and what nobody reads may be no text: whoever knows
    // the secret may write it so.
    let Some(claims) = serde_json::from_slice::<Value>(data)
        .ok()
        .filter(Value::is_object)
    else {
        return;
    };
    let iat = claims["iat"].as_i64().expect("issued at some time");
    assert!(
        (now.as_second() - iat).abs() <= ISSUED_WITHIN.as_secs(),
        "{iat}"
    );
    assert_eq!(claims["payload_hash"], hash(BODY));
    for (name, ours) in [("application_id", APPLICATION), ("api_key", API_KEY)] {
        let claim = &claims[name];
        assert!(claim.is_null() || claim == ours, "{name}: {claim}");
    }
}

fn hash(body: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, body);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
