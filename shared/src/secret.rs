//! The secret in Secrets Manager, and what is made of it.
//!
//! It is read at start, and again when something is refused that it may allow by now: a signature of
//! Vonage's, a token of our own, one of our people. So a rotation costs no call, and nobody has to
//! start a function anew.
//!
//! See [AWS/Secrets Manager/GetSecretValue](https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html).

use crate::config::{ConfigError, Lookup};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::SdkError;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How long after a look at the secret it is looked at again, whatever is refused. Anybody can send
/// what is refused: this is what they can cost us. Whoever rotates a secret waits for as long between
/// the secret and Vonage's dashboard.
pub const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// How long a look may take, while a caller may be waiting. Secrets Manager answers in 20 ms, over a new
/// connection in 100.
pub const READ_WITHIN: Duration = Duration::from_millis(500);

/// How old the secret may be where nobody refuses what is out of date: one of our people whose
/// token was taken away, a signature of our own.
pub const FRESH: Duration = Duration::from_secs(15 * 60);

/// What it holds: names of settings, and their values.
type Values = HashMap<String, Value>;

type Read = Box<dyn Fn() -> BoxFuture<'static, Result<Values, SecretError>> + Send + Sync>;

/// The secret. Clones are the same one.
#[derive(Clone)]
pub struct Secret(Arc<Inner>);

struct Inner {
    read: Read,
    said: Mutex<Said>,
    /// Held while the secret is read, so that whoever comes meanwhile waits for that.
    last: tokio::sync::Mutex<Option<Look>>,
}

/// What it said when it was last read.
struct Said {
    values: Arc<Values>,
    /// Counts the changes.
    version: u64,
    at: Instant,
}

/// The last look at it after the start.
struct Look {
    at: Instant,
    done: bool,
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
enum SecretError {
    #[error("SWITCHBOARD_SECRET_ARN={arn} cannot be read")]
    Away {
        arn: String,
        #[source]
        source: Box<SdkError<GetSecretValueError>>,
    },
    // Without the parser's words: they could quote the secret.
    #[error("the secret {arn} is not a JSON object")]
    NotJson { arn: String },
    #[error("Secrets Manager did not answer in time")]
    Late,
}

/// Whether the secret says something else by now is not known: it could not be read. Logged already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret could not be read again")]
pub struct SecretAway;

impl Secret {
    /// Reads the secret of this name for the first time.
    ///
    /// # Errors
    /// When it cannot be read, or is no JSON object.
    pub async fn open(client: Client, arn: String) -> Result<Self, ConfigError> {
        Self::read_by(move || Box::pin(get(client.clone(), arn.clone())))
            .await
            .map_err(|error| ConfigError::one(crate::chain(&error)))
    }

    async fn read_by(
        read: impl Fn() -> BoxFuture<'static, Result<Values, SecretError>> + Send + Sync + 'static,
    ) -> Result<Self, SecretError> {
        let values = read().await?;
        Ok(Self(Arc::new(Inner {
            read: Box::new(read),
            said: Mutex::new(Said {
                values: Arc::new(values),
                version: 0,
                at: Instant::now(),
            }),
            last: tokio::sync::Mutex::default(),
        })))
    }

    /// The settings as they are now: the environment, and behind it what the secret said when it was last
    /// read.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        let values = self.said().values.clone();
        let get = move |name: &str| {
            let variable = std::env::var(name).ok().filter(|text| !text.is_empty());
            variable.or_else(|| match values.get(name)? {
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            })
        };
        Lookup::behind(self.clone(), get)
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        // Nothing in between can panic, so what another thread left is whole.
        self.0.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads it once more, unless that was done within [`AGAIN_AFTER`]: then that counts. Boxed, since it
    /// is rare: every request's future would have it inside.
    fn read_again(&self) -> BoxFuture<'_, Result<(), SecretAway>> {
        Box::pin(async {
            // Whoever comes while it is read waits for that, and reads nothing.
            let mut last = self.0.last.lock().await;
            if let Some(look) = last.as_ref()
                && look.at.elapsed() < AGAIN_AFTER
            {
                return if look.done { Ok(()) } else { Err(SecretAway) };
            }
            // One that is given up halfway is a look as well.
            let look = last.insert(Look {
                at: Instant::now(),
                done: false,
            });
            let read = timeout(READ_WITHIN, (self.0.read)()).await;
            let values = read.unwrap_or(Err(SecretError::Late)).map_err(|error| {
                tracing::error!(error = %crate::chain(&error), "the secret cannot be read again");
                SecretAway
            })?;
            look.done = true;
            self.say(values);
            Ok(())
        })
    }

    /// Keeps what was read.
    fn say(&self, values: Values) {
        let mut said = self.said();
        said.at = Instant::now();
        if *said.values != values {
            said.values = Arc::new(values);
            said.version += 1;
            tracing::info!("the secret has changed");
        }
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

async fn get(client: Client, arn: String) -> Result<Values, SecretError> {
    let sent = client.get_secret_value().secret_id(&arn).send().await;
    match sent {
        Ok(secret) => {
            let text = secret.secret_string().unwrap_or_default();
            serde_json::from_str(text).map_err(|_| SecretError::NotJson { arn })
        }
        Err(source) => Err(SecretError::Away {
            arn,
            source: Box::new(source),
        }),
    }
}

/// Something that is made of settings, and made anew when the secret has changed. Where there is no
/// secret it stays as it is.
pub struct Derived<T> {
    source: Option<Source<T>>,
    made: Mutex<Made<T>>,
}

struct Source<T> {
    secret: Secret,
    make: fn(&mut Lookup) -> T,
}

struct Made<T> {
    of: u64,
    value: Arc<T>,
}

impl<T> Derived<T> {
    /// Makes it of settings; faults are the settings'.
    pub fn from_lookup(lookup: &mut Lookup, make: fn(&mut Lookup) -> T) -> Self {
        let secret = lookup.secret().cloned();
        let of = secret.as_ref().map_or(0, |secret| secret.said().version);
        let value = Arc::new(make(lookup));
        Self {
            source: secret.map(|secret| Source { secret, make }),
            made: Mutex::new(Made { of, value }),
        }
    }

    /// As the secret has it, as far as that is known here. Asks nobody.
    pub fn now(&self) -> Arc<T> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Source { secret, make }) = &self.source {
            let version = secret.said().version;
            if version != made.of {
                made.of = version;
                let mut lookup = secret.lookup();
                let value = make(&mut lookup);
                match lookup.finish(Some(value)) {
                    Ok(value) => made.value = Arc::new(value),
                    Err(error) => {
                        tracing::error!(%error, "the secret was changed for the worse; what it said before counts");
                    }
                }
            }
        }
        made.value.clone()
    }

    /// Where `refused` made us refuse something, or made us be refused: what the secret says instead, if
    /// it says something else by now. Waits for [`READ_WITHIN`] at most.
    ///
    /// # Errors
    /// When the secret cannot be read: it may say something else, and nobody knows.
    pub async fn instead_of(&self, refused: &Arc<T>) -> Result<Option<Arc<T>>, SecretAway> {
        let other = || Some(self.now()).filter(|now| !Arc::ptr_eq(now, refused));
        let Some(Source { secret, .. }) = &self.source else {
            return Ok(None);
        };
        if let Some(now) = other() {
            return Ok(Some(now));
        }
        let read = secret.read_again().await;
        match other() {
            Some(now) => Ok(Some(now)),
            None => read.map(|()| None),
        }
    }

    /// As the secret had it no longer than [`FRESH`] ago, if it could be read. For work that no caller
    /// waits for.
    pub async fn fresh(&self) -> Arc<T> {
        if let Some(Source { secret, .. }) = &self.source
            && secret.said().at.elapsed() >= FRESH
        {
            // It is logged, and what was said before does.
            let _ = secret.read_again().await;
        }
        self.now()
    }
}

impl<T> From<T> for Derived<T> {
    /// One that no secret changes.
    fn from(value: T) -> Self {
        let value = Arc::new(value);
        Self {
            source: None,
            made: Mutex::new(Made { of: 0, value }),
        }
    }
}

impl<T> std::fmt::Debug for Derived<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Derived").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A store of secrets that counts how often it is asked.
    #[derive(Clone, Default)]
    struct Vault(Arc<Inside>);

    #[derive(Default)]
    struct Inside {
        says: Mutex<Option<Value>>,
        slow: Mutex<Duration>,
        asked: AtomicUsize,
    }

    impl Vault {
        fn of(colour: &str) -> Self {
            let vault = Self::default();
            vault.says(json!({ "SECRET_COLOUR": colour }));
            vault
        }

        fn says(&self, values: Value) {
            *self.0.says.lock().unwrap() = Some(values);
        }

        fn is_away(&self) {
            *self.0.says.lock().unwrap() = None;
        }

        fn takes(&self, time: Duration) {
            *self.0.slow.lock().unwrap() = time;
        }

        fn asked(&self) -> usize {
            self.0.asked.load(Ordering::Relaxed)
        }

        async fn secret(&self) -> Secret {
            let vault = self.clone();
            Secret::read_by(move || {
                let vault = vault.clone();
                Box::pin(async move {
                    vault.0.asked.fetch_add(1, Ordering::Relaxed);
                    let slow = *vault.0.slow.lock().unwrap();
                    tokio::time::sleep(slow).await;
                    let says = vault.0.says.lock().unwrap().clone();
                    let says = says.ok_or(SecretError::Late)?;
                    Ok(serde_json::from_value(says).unwrap())
                })
            })
            .await
            .unwrap()
        }

        async fn colour(&self) -> Derived<String> {
            colour(&self.secret().await)
        }
    }

    fn colour(secret: &Secret) -> Derived<String> {
        Derived::from_lookup(&mut secret.lookup(), |lookup| {
            lookup.required("SECRET_COLOUR")
        })
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_refused_is_looked_up_and_then_what_the_secret_says_counts() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        let red = colour.now();
        assert_eq!(colour.instead_of(&red).await, Ok(None), "it says the same");
        tokio::time::advance(AGAIN_AFTER).await;
        vault.says(json!({ "SECRET_COLOUR": "blue" }));
        assert_eq!(*colour.now(), "red", "nobody has asked");
        let blue = colour.instead_of(&red).await.unwrap().unwrap();
        assert_eq!((blue.as_str(), colour.now().as_str()), ("blue", "blue"));
        assert_eq!(vault.asked(), 3);
        // Whoever was refused before that needs no look of their own.
        assert_eq!(colour.instead_of(&red).await, Ok(Some(blue)));
        assert_eq!(vault.asked(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn however_much_is_refused_the_secret_is_read_once_in_half_a_minute() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        let red = colour.now();
        for _ in 0..100 {
            assert_eq!(colour.instead_of(&red).await, Ok(None));
            tokio::time::advance(AGAIN_AFTER / 50).await;
        }
        // At the start; and in two half minutes, at the beginning of each.
        assert_eq!(vault.asked(), 1 + 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_reads_once_and_all_of_it_gets_what_was_read() {
        let vault = Vault::of("red");
        let secret = vault.secret().await;
        // Two things that are made of it, as in a function that checks people and asks Vonage.
        let (one, other) = (colour(&secret), colour(&secret));
        let (red, other_red) = (one.now(), other.now());
        vault.says(json!({ "SECRET_COLOUR": "blue" }));
        vault.takes(READ_WITHIN / 2);
        let burst = (0..50).map(|_| async {
            let found = tokio::join!(one.instead_of(&red), other.instead_of(&other_red));
            [found.0, found.1].map(|found| found.unwrap().unwrap())
        });
        let found = join_all(burst).await;
        assert!(found.iter().flatten().all(|colour| **colour == "blue"));
        assert_eq!(vault.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_cannot_be_read_is_said_to_be_away_and_not_asked_again_at_once() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        let red = colour.now();
        vault.is_away();
        for _ in 0..3 {
            assert_eq!(colour.instead_of(&red).await, Err(SecretAway));
        }
        assert_eq!(vault.asked(), 2);
        assert_eq!(*colour.now(), "red");
        vault.says(json!({ "SECRET_COLOUR": "blue" }));
        tokio::time::advance(AGAIN_AFTER).await;
        let blue = colour.instead_of(&red).await.unwrap();
        assert_eq!(blue.as_deref().map(String::as_str), Some("blue"));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_long_for_a_secret_that_does_not_come() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        vault.takes(Duration::from_secs(3600));
        let began = Instant::now();
        let (first, second) = (colour.now(), colour.now());
        let both = tokio::join!(colour.instead_of(&first), colour.instead_of(&second));
        assert_eq!(both, (Err(SecretAway), Err(SecretAway)));
        assert_eq!(began.elapsed(), READ_WITHIN);
        // And one that is given up meanwhile leaves no one behind.
        tokio::time::advance(AGAIN_AFTER).await;
        let given_up = timeout(READ_WITHIN / 2, colour.instead_of(&first)).await;
        assert!(given_up.is_err());
        assert_eq!(colour.instead_of(&first).await, Err(SecretAway));
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_that_was_changed_for_the_worse_changes_nothing() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        let red = colour.now();
        vault.says(json!({ "SECRET_SHAPE": "round" }));
        assert_eq!(colour.instead_of(&red).await, Ok(None));
        assert_eq!(*colour.now(), "red");
        vault.says(json!({ "SECRET_COLOUR": "blue" }));
        tokio::time::advance(AGAIN_AFTER).await;
        let blue = colour.instead_of(&red).await.unwrap();
        assert_eq!(blue.as_deref().map(String::as_str), Some("blue"));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_refuses_the_secret_is_read_when_it_is_old() {
        let vault = Vault::of("red");
        let colour = vault.colour().await;
        vault.says(json!({ "SECRET_COLOUR": "blue" }));
        tokio::time::advance(FRESH - Duration::from_secs(1)).await;
        assert_eq!(*colour.fresh().await, "red");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(*colour.fresh().await, "blue");
        assert_eq!(*colour.fresh().await, "blue");
        assert_eq!(vault.asked(), 2);
        vault.is_away();
        tokio::time::advance(FRESH).await;
        assert_eq!(*colour.fresh().await, "blue");
    }

    #[tokio::test]
    async fn without_a_secret_all_stays_as_it_is() {
        let mut lookup = Lookup::new(|_| Some("red".to_owned()));
        let made = Derived::from_lookup(&mut lookup, |lookup| lookup.required("SECRET_COLOUR"));
        for colour in [made, Derived::from("red".to_owned())] {
            let red = colour.now();
            assert_eq!(colour.instead_of(&red).await, Ok(None));
            assert_eq!(*colour.fresh().await, "red");
        }
    }

    #[tokio::test]
    async fn debug_shows_no_secret() {
        let secret = Vault::of("red").secret().await;
        let shown = format!("{secret:?} {:?} {:?}", secret.lookup(), colour(&secret));
        assert!(!shown.contains("red\""), "{shown}");
    }
}
