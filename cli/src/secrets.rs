//! The board's own secrets, made at its first start and kept in a file that only its owner reads.

use crate::key_pair::{self, NoKeyPair};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use switchboard_shared::crypto;

/// Stand-ins for what Vonage and the operator would give; whatever the environment sets wins.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secrets {
    /// The Vonage application's id.
    pub application_id: String,
    /// Signs webhooks.
    pub signature_secret: String,
    /// Signs REST requests; PKCS#8 PEM.
    pub private_key: String,
    /// Lets the board's owner act as operator.
    pub operator_token: String,
}

/// The secrets could not be made or kept.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file.
    #[error("could not {operation} {path}")]
    File {
        /// What was tried.
        operation: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Not what this version writes.
    #[error("{path} does not read; delete it to have new secrets made")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// No key pair.
    #[error(transparent)]
    Key(#[from] NoKeyPair),
}

impl Secrets {
    /// The secrets under a data folder, made if there are none.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn open(data: &Path) -> Result<Self, SecretsError> {
        let path = data.join("secrets.json");
        let fail = |operation| {
            let path = path.clone();
            move |source| SecretsError::File {
                operation,
                path,
                source,
            }
        };
        match std::fs::read(&path) {
            Ok(bytes) => {
                return serde_json::from_slice(&bytes)
                    .map_err(|source| SecretsError::Content { path, source });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(fail("read")(error)),
        }
        let secrets = Self::new()?;
        // Written beside and renamed: a start that is cut short leaves no half file.
        let fresh = data.join("secrets.json.new");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .map_err(fail("write"))?;
        let json = serde_json::to_vec_pretty(&secrets).expect("secrets are text");
        file.write_all(&json)
            .and_then(|()| file.sync_all())
            .map_err(fail("write"))?;
        std::fs::rename(&fresh, &path).map_err(fail("write"))?;
        Ok(secrets)
    }

    /// Those of a board that keeps nothing: the same for all of this process, since making a key pair
    /// takes as long as a hundred calls.
    ///
    /// # Errors
    /// When no key pair can be made.
    pub fn in_passing() -> Result<Self, SecretsError> {
        static MADE: Mutex<Option<Secrets>> = Mutex::new(None);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        match &*made {
            Some(secrets) => Ok(secrets.clone()),
            None => Ok(made.insert(Self::new()?).clone()),
        }
    }

    /// New ones.
    fn new() -> Result<Self, SecretsError> {
        Ok(Self {
            application_id: crypto::random_id(),
            signature_secret: crypto::random_hex::<32>(),
            private_key: key_pair::make()?.expose_secret().to_owned(),
            operator_token: crypto::random_hex::<32>(),
        })
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets([redacted])")
    }
}
