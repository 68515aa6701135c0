//! TLS for the HTTP client: rustls on ring, with the roots of the system.

use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};

/// A TLS client configuration for reqwest's `tls_backend_preconfigured`.
///
/// The system's root certificates are read once in a process; a copy is cheap after that.
///
/// # Errors
/// When the system has no root certificates, as in a bare container.
pub fn tls() -> Result<ClientConfig, TlsError> {
    static CONFIG: OnceLock<ClientConfig> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        return Err(TlsError::NoRoots {
            source: found.errors.into_iter().next(),
        });
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Versions { source })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| config).clone())
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Without roots no server can be believed.
    #[error("found no root certificates: install ca-certificates or set SSL_CERT_FILE")]
    NoRoots {
        /// What the system said, if anything.
        #[source]
        source: Option<rustls_native_certs::Error>,
    },
    /// The provider and rustls have no protocol version in common.
    #[error("could not set up TLS versions")]
    Versions {
        /// What rustls said.
        #[source]
        source: rustls::Error,
    },
}
