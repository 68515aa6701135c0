//! DynamoDB behind TLS, as it is in AWS.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Made for `localhost` and used by tests and the benchmark alone; the authority's own key is not kept.
const AUTHORITY: &[u8] = include_bytes!("tls/authority.pem");
const CERTIFICATE: &[u8] = include_bytes!("tls/certificate.pem");
const KEY: &[u8] = include_bytes!("tls/key.pem");

/// Where Linux systems, Lambda's among them, keep the root certificates.
const BUNDLES: [&str; 2] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
];

/// A server that takes TLS off and passes everything on.
pub struct Tls {
    port: u16,
    opened: Arc<AtomicUsize>,
    all: tempfile::NamedTempFile,
    few: tempfile::NamedTempFile,
    strangers: tempfile::NamedTempFile,
}

/// Which root certificates a function is given.
#[derive(Debug, Clone, Copy)]
pub enum Roots {
    /// All of the system's.
    All,
    /// As many as Amazon has.
    Few,
    /// All of the system's, and not the one that vouches for this server.
    Strangers,
}

/// Amazon's own roots: four, and the one that vouched for them at first.
const FEW: usize = 5;

impl Tls {
    /// Before the server at an `http` URL.
    pub async fn before(url: &str) -> Self {
        let server = url.trim_start_matches("http://").to_owned();
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE).unwrap();
        let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let opened = Arc::<AtomicUsize>::default();
        let opens = opened.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (acceptor, server) = (acceptor.clone(), server.clone());
                let opens = opens.clone();
                tokio::spawn(async move {
                    client.set_nodelay(true)?;
                    let mut client = acceptor.accept(client).await?;
                    opens.fetch_add(1, Ordering::Relaxed);
                    let mut server = TcpStream::connect(server).await?;
                    server.set_nodelay(true)?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await
                });
            }
        });
        // The system's certificates too: a function in the cloud reads as many.
        let system = BUNDLES.iter().find_map(|file| std::fs::read(file).ok());
        let system = String::from_utf8(system.unwrap_or_default()).unwrap();
        let end = "-----END CERTIFICATE-----\n";
        let few: String = system.split_inclusive(end).take(FEW).collect();
        Self {
            port,
            opened,
            all: bundle(&[system.as_bytes(), AUTHORITY]),
            few: bundle(&[few.as_bytes(), AUTHORITY]),
            strangers: bundle(&[system.as_bytes()]),
        }
    }

    /// Connections whose handshake was done.
    #[must_use]
    pub fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// What leads a function's DynamoDB client here.
    pub fn environment(&self, roots: Roots) -> [(String, String); 2] {
        let roots = match roots {
            Roots::All => &self.all,
            Roots::Few => &self.few,
            Roots::Strangers => &self.strangers,
        };
        let endpoint = format!("https://localhost:{}", self.port);
        [
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), endpoint),
            (
                "SSL_CERT_FILE".to_owned(),
                roots.path().display().to_string(),
            ),
        ]
    }
}

fn bundle(certificates: &[&[u8]]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&certificates.concat()).unwrap();
    file
}
