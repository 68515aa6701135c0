//! The steps, done one after the other.

use super::{Change, Found, Step, Wanted, entry};
use crate::account::{Account, Application, Number};
use crate::key_pair;
use crate::stack::StackSecret;
use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use switchboard_shared::config::token_hash;
use switchboard_shared::crypto;
use switchboard_shared::vonage::PrivateKey;

/// Somebody at work on an account and a stack's secret.
#[derive(Debug)]
pub struct Work {
    account: Account,
    secret: StackSecret,
    wanted: Wanted,
    application: Option<Application>,
    numbers: Vec<Number>,
}

/// What a step came to.
#[derive(Debug)]
pub enum Done {
    /// Nothing more to say.
    Plainly,
    /// The application has this id.
    Application(String),
}

impl Work {
    /// Looks at what there is.
    ///
    /// # Errors
    /// When the account does not answer, or the application cannot be told from others.
    pub async fn look(
        account: Account,
        secret: StackSecret,
        wanted: Wanted,
        adopt: Option<String>,
    ) -> anyhow::Result<Self> {
        let numbers = account.numbers().await?;
        let mut application = None;
        // The one we made before; else one that the operator names.
        for id in secret
            .entries
            .get(entry::APPLICATION_ID)
            .into_iter()
            .chain(adopt)
        {
            if application.is_none() {
                application = account.application(&id).await?;
            }
        }
        // Made, perhaps, and its id was lost on the way to the secret.
        if application.is_none()
            && let Some(key) = secret.entries.get(entry::PRIVATE_KEY)
            && let Ok(key) = PrivateKey::parse(&key)
        {
            let public = key_pair::public_pem(&key);
            application = account.application_with_key(&public).await?;
        }
        Ok(Self {
            account,
            secret,
            wanted,
            application,
            numbers,
        })
    }

    /// What there is.
    #[must_use]
    pub fn found(&self) -> Found {
        Found {
            entries: self.secret.entries.clone(),
            application: self.application.clone(),
            numbers: self.numbers.clone(),
        }
    }

    /// What there should be.
    #[must_use]
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Does a step. `token` is the one whose hash is stored, if the step stores one: whoever asks has
    /// shown it before, since nobody can read it off the secret afterwards.
    ///
    /// # Errors
    /// When AWS or Vonage refuses it or does not answer. What was done before stays done.
    pub async fn take(&mut self, step: &Step, token: &SecretString) -> anyhow::Result<Done> {
        match step {
            Step::Store(changes) => self.store(changes, token).await.map(|()| Done::Plainly),
            Step::Create { .. } => {
                let voice = self.wanted.voice(None, self.public_key()?);
                let made = self.account.create(&Application::new(&voice)).await?;
                let id = made.id.clone();
                self.application = Some(made);
                Ok(Done::Application(id))
            }
            Step::Change { id, .. } => {
                // Somebody may have changed it since it was looked at.
                let found = self.account.application(id).await?;
                let mut application = found.context("the application is gone; run this again")?;
                let voice = self.wanted.voice(Some(&application), self.public_key()?);
                application.bring(&voice);
                self.application = Some(self.account.replace(&application).await?);
                Ok(Done::Plainly)
            }
            Step::StoreId => {
                let mut entries = self.secret.entries.clone();
                entries.set(entry::APPLICATION_ID, self.id()?);
                self.secret.write(entries).await?;
                Ok(Done::Plainly)
            }
            Step::Link { number, .. } => {
                let owned = self.numbers.iter().find(|owned| owned.number == *number);
                let owned = owned.context("the number is gone; run this again")?;
                self.account.link(owned, self.id()?).await?;
                Ok(Done::Plainly)
            }
        }
    }

    fn id(&self) -> anyhow::Result<&str> {
        let application = self.application.as_ref();
        let id = application.map(|application| application.id.as_str());
        id.context("there is no application yet")
    }

    fn public_key(&self) -> anyhow::Result<String> {
        let key = self.secret.entries.get(entry::PRIVATE_KEY);
        let key = PrivateKey::parse(&key.context("there is no key yet")?)?;
        Ok(key_pair::public_pem(&key))
    }

    async fn store(&mut self, changes: &[Change], token: &SecretString) -> anyhow::Result<()> {
        let mut entries = self.secret.entries.clone();
        for change in changes {
            match change {
                Change::MakeKey => {
                    entries.set(entry::PRIVATE_KEY, key_pair::make()?.expose_secret());
                }
                Change::RotateKey => {
                    let before = entries.get(entry::PRIVATE_KEY).unwrap_or_default();
                    entries.set(entry::PREVIOUS_KEY, before);
                    entries.set(entry::PRIVATE_KEY, key_pair::make()?.expose_secret());
                }
                Change::ApiKey => entries.set(entry::API_KEY, self.account.key()),
                Change::Signature => entries.set(entry::SIGNATURE, self.signature()?),
                Change::RotateSignature => {
                    let before = entries.get(entry::SIGNATURE).unwrap_or_default();
                    entries.set(entry::PREVIOUS_SIGNATURE, before);
                    entries.set(entry::SIGNATURE, self.signature()?);
                }
                Change::MakeToken => {
                    let sha256 = token_hash(token.expose_secret());
                    let operator =
                        json!({ "name": "operator", "role": "operator", "sha256": sha256 });
                    entries.set(entry::TOKENS, json!([operator]));
                }
                Change::ForgetKey => entries.remove(entry::PREVIOUS_KEY),
                Change::ForgetSignature => entries.remove(entry::PREVIOUS_SIGNATURE),
            }
        }
        self.secret.write(entries).await
    }

    fn signature(&self) -> anyhow::Result<&str> {
        let given = self.wanted.signature.as_ref();
        Ok(given
            .context("there is no signature secret")?
            .expose_secret())
    }
}

/// A new operator's token.
#[must_use]
pub fn new_token() -> SecretString {
    crypto::random_hex::<32>().into()
}
