//! The token that says we are the application.

use super::key::PrivateKey;
use crate::crypto;
use crate::secret::Derived;
use http::HeaderValue;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How long a token holds: Vonage's own default. It takes 30 s to 24 h; short means that a token
/// which got away is soon worth nothing.
///
/// See [Vonage/Authentication/JWT](https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens).
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(15);

/// How long before its end a token is replaced. Whoever gets one can use it for at least this long:
/// enough for the slowest request with its repetitions, for a download that is redirected, and for
/// clocks that differ by a minute.
pub(super) const REFRESH_MARGIN: SignedDuration = SignedDuration::from_mins(2);

/// The application's keys: the one in use, and while they are rotated the one before. Between a new
/// secret and a new public key at Vonage either may be the right one.
pub(super) struct Keys {
    all: Vec<Tokens>,
    /// Which of them Vonage accepted last.
    accepted: AtomicUsize,
}

impl Keys {
    /// The key in use first.
    pub(super) fn new(application_id: &str, keys: impl IntoIterator<Item = PrivateKey>) -> Self {
        let tokens = |key| Tokens::new(application_id.to_owned(), key);
        Self {
            all: keys.into_iter().map(tokens).collect(),
            accepted: AtomicUsize::new(0),
        }
    }
}

/// One operation's way through the keys: the one that was accepted last, then the other, then what the
/// secret says by now.
pub(super) struct Trying<'k> {
    keys: &'k Derived<Keys>,
    now: Arc<Keys>,
    nth: usize,
    tried: usize,
    looked: bool,
}

impl<'k> Trying<'k> {
    pub(super) fn of(keys: &'k Derived<Keys>) -> Self {
        let now = keys.now();
        Self {
            nth: now.accepted.load(Ordering::Relaxed),
            keys,
            now,
            tried: 0,
            looked: false,
        }
    }

    /// The `Authorization` header for a request made now.
    pub(super) fn header(&self, now: Timestamp) -> Result<HeaderValue, TokenError> {
        let key = self.now.all.get(self.nth).ok_or(TokenError::NoKey)?;
        key.header(now)
    }

    /// Vonage took the token.
    pub(super) fn accepted(&self) {
        self.now.accepted.store(self.nth, Ordering::Relaxed);
    }

    /// Vonage did not take the token, and so did nothing. True where another key is to be tried.
    pub(super) async fn refused(&mut self) -> bool {
        self.tried += 1;
        if self.tried < self.now.all.len() {
            self.nth = (self.nth + 1) % self.now.all.len();
            return true;
        }
        if std::mem::replace(&mut self.looked, true) {
            return false;
        }
        // Where the secret is away, that is logged, and what Vonage said counts.
        let Ok(Some(other)) = self.keys.instead_of(&self.now).await else {
            return false;
        };
        self.nth = other.accepted.load(Ordering::Relaxed);
        self.tried = 0;
        self.now = other;
        true
    }
}

/// Mints tokens and keeps the last one.
pub(super) struct Tokens {
    application_id: String,
    key: PrivateKey,
    last: Mutex<Option<Token>>,
}

struct Token {
    header: HeaderValue,
    minted: Timestamp,
}

/// Why no token could be made.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The settings have none, and with that a function does not start.
    #[error("there is no private key")]
    NoKey,
    /// The key read well at start, and yet it does not sign.
    #[error("could not sign a token")]
    Sign {
        /// What the signer said.
        #[source]
        source: jsonwebtoken::errors::Error,
    },
}

#[derive(Serialize)]
struct Claims<'a> {
    application_id: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

impl Tokens {
    pub(super) fn new(application_id: String, key: PrivateKey) -> Self {
        crypto::install();
        Self {
            application_id,
            key,
            last: Mutex::new(None),
        }
    }

    /// The `Authorization` header for a request made now, marked sensitive so that nothing prints it.
    pub(super) fn header(&self, now: Timestamp) -> Result<HeaderValue, TokenError> {
        // Minting under the lock costs a millisecond every 13 minutes, and makes one token, not ten.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(token) if token.serves(now) => Ok(token.header.clone()),
            _ => {
                let header = self.mint(now)?;
                *last = Some(Token {
                    header: header.clone(),
                    minted: now,
                });
                Ok(header)
            }
        }
    }

    fn mint(&self, now: Timestamp) -> Result<HeaderValue, TokenError> {
        let claims = Claims {
            application_id: &self.application_id,
            iat: now.as_second(),
            exp: now.as_second() + LIFETIME.as_secs(),
            jti: crypto::random_id(),
        };
        let token =
            jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, self.key.signing())
                .map_err(|source| TokenError::Sign { source })?;
        let mut header =
            HeaderValue::try_from(format!("Bearer {token}")).expect("a JWT is base64url and dots");
        header.set_sensitive(true);
        Ok(header)
    }
}

impl Token {
    /// Not too old; and not from the future, as it would be after the clock was set back.
    fn serves(&self, now: Timestamp) -> bool {
        let age = now.duration_since(self.minted);
        !age.is_negative() && age < LIFETIME - REFRESH_MARGIN
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::key::tests::key;
    use super::*;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    /// Verifies an `Authorization` header with the application's public key and gives its claims.
    #[track_caller]
    pub(crate) fn open(header: &HeaderValue) -> Value {
        let token = header.to_str().unwrap().strip_prefix("Bearer ").unwrap();
        let public = include_bytes!("../../fixtures/keys/rsa-public.pem");
        let mut validation = Validation::new(Algorithm::RS256);
        validation.validate_exp = false;
        decode(
            token,
            &DecodingKey::from_rsa_pem(public).unwrap(),
            &validation,
        )
        .unwrap()
        .claims
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    #[test]
    fn a_token_names_the_application_and_ends_after_fifteen_minutes() {
        let tokens = Tokens::new("app".into(), key());
        let claims = open(&tokens.header(at(0)).unwrap());
        assert_eq!(claims["application_id"], "app");
        assert_eq!(claims["iat"], 1_790_000_000);
        assert_eq!(claims["exp"], 1_790_000_900);
        assert_eq!(claims["jti"].as_str().unwrap().len(), 32);
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        let tokens = Tokens::new("app".into(), key());
        let issued = |second| {
            open(&tokens.header(at(second)).unwrap())["iat"]
                .as_i64()
                .unwrap()
        };
        let start = issued(0);
        assert_eq!(issued(13 * 60 - 1), start);
        assert_eq!(issued(13 * 60), start + 13 * 60);
        // A clock set back makes a new one as well.
        assert_eq!(issued(-60), start - 60);
    }

    #[test]
    fn a_token_is_not_printed() {
        let header = Tokens::new("app".into(), key()).header(at(0)).unwrap();
        assert_eq!(format!("{header:?}"), "Sensitive");
    }
}
