//! Settings: looked up once at start, all faults reported together, secrets named and never shown.

use crate::clock::Clock;
use crate::crypto;
use crate::secret::Secret;
use aws_config::SdkConfig;
use std::fmt;

type Get = Box<dyn Fn(&str) -> Option<String> + Send>;

/// Where settings are looked up, and what was wrong with them.
pub struct Lookup {
    get: Get,
    clock: Clock,
    faults: Vec<String>,
    /// What stands behind the environment, and may change.
    secret: Option<Secret>,
}

/// Settings that are missing or wrong, each by its name.
#[derive(thiserror::Error)]
pub struct ConfigError(Vec<String>);

/// As `Display`: a `main` that returns the error prints it in this form.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl ConfigError {
    /// One fault alone.
    #[must_use]
    pub fn one(fault: impl Into<String>) -> Self {
        Self(vec![fault.into()])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "a setting is missing or wrong: {one}"),
            all => {
                write!(f, "{} settings are missing or wrong:", all.len())?;
                all.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
            }
        }
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup")
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl Lookup {
    /// Looks settings up with a function. An empty value counts as none.
    pub fn new(get: impl Fn(&str) -> Option<String> + Send + 'static) -> Self {
        let get = move |name: &str| get(name).filter(|text| !text.trim().is_empty());
        Self {
            get: Box::new(get),
            clock: Clock::default(),
            faults: Vec::new(),
            secret: None,
        }
    }

    /// The same, where values come from a secret.
    pub(crate) fn behind(
        secret: Secret,
        get: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Self {
        Self {
            secret: Some(secret),
            ..Self::new(get)
        }
    }

    /// The environment, and behind it the secret named by `SWITCHBOARD_SECRET_ARN`: a JSON object
    /// of names and values. A variable that is set wins over the secret's.
    ///
    /// # Errors
    /// When the secret is named and cannot be read.
    pub async fn from_environment(sdk: &SdkConfig) -> Result<Self, ConfigError> {
        let variable = |name: &str| std::env::var(name).ok();
        let Some(arn) = variable("SWITCHBOARD_SECRET_ARN").filter(|arn| !arn.is_empty()) else {
            return Ok(Self::new(variable));
        };
        let client = aws_sdk_secretsmanager::Client::new(sdk);
        Ok(Secret::open(client, arn).await?.lookup())
    }

    /// The secret that values come from, if there is one.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.secret.as_ref()
    }

    /// The same settings, and another clock for whoever reads them.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The clock to go by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// A setting that may be absent.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        (self.get)(name)
    }

    /// A setting that must be there. Empty text where it is not, and a fault.
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.fault(format!("{name} is not set"));
            String::new()
        })
    }

    /// A switch: `true` or `false`; absent is `false`.
    pub fn switch(&mut self, name: &str) -> bool {
        match self.optional(name).as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(other) => {
                self.fault(format!("{name}={other} is neither true nor false"));
                false
            }
        }
    }

    /// Reads a setting that may be absent. A value that does not read is a fault, shown with what
    /// the reader says of it; so the reader's errors must not quote secrets.
    pub fn read<T, E: fmt::Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.optional(name)?;
        match read(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(format!("{name}: {error}"));
                None
            }
        }
    }

    /// Adds a fault found elsewhere.
    pub fn fault(&mut self, fault: impl Into<String>) {
        let fault = fault.into();
        // Several may read the same setting; one word about it is enough.
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// What was looked up, if nothing was wrong.
    ///
    /// # Errors
    /// All the faults together.
    pub fn finish<T>(self, settings: Option<T>) -> Result<T, ConfigError> {
        match settings {
            Some(settings) if self.faults.is_empty() => Ok(settings),
            _ => Err(ConfigError(self.faults)),
        }
    }
}

/// Hex SHA-256 of a token, as `SWITCHBOARD_API_TOKENS` keeps it.
#[must_use]
pub fn token_hash(token: &str) -> String {
    crypto::sha256_hex(token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_faults_are_reported_together_by_name() {
        let mut lookup = Lookup::new(|name| match name {
            "A" => Some(" ".to_owned()),
            "B" => Some("maybe".to_owned()),
            "C" => Some("x".to_owned()),
            _ => None,
        });
        let a = lookup.required("A");
        let b = lookup.switch("B");
        lookup.read("C", |text| {
            text.parse::<u8>().map_err(|_| "not a number from 0 to 255")
        });
        let error = lookup.finish(Some((a, b))).unwrap_err();
        assert_eq!(
            error.to_string(),
            "3 settings are missing or wrong:\n- A is not set\n\
             - B=maybe is neither true nor false\n- C: not a number from 0 to 255"
        );
    }
}
