//! Vonage's own SDK for Python drives the double over HTTPS, as it would drive Vonage.
//!
//! `SWITCHBOARD_SDK_PYTHON` names the Python that has it: `make test` sees to that.

use crate::stage::{AGENT, APPLICATION, LINE, SECRET, beginning, nothing, seconds, settings};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchboard_phone::audio::Voice;
use switchboard_phone::{Manner, Phone, Platform};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A certificate for `localhost`, made for this test, and its key.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/tls/certificate.pem");
const CERTIFICATE_KEY: &[u8] = include_bytes!("tls/key.pem");

/// How far the clock goes on whenever somebody looks: with each request, a call gets further.
const STEP: i64 = 3;

#[test]
fn the_python_sdk_makes_finds_changes_and_ends_a_call_and_downloads_its_recording() {
    let Some(python) = std::env::var_os("SWITCHBOARD_SDK_PYTHON") else {
        eprintln!("skipped: SWITCHBOARD_SDK_PYTHON names no Python that has Vonage's SDK");
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let host = runtime.block_on(serve());
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let drive = Command::new(python)
        .arg(format!("{folder}/sdk/python/drive.py"))
        .args([
            &host,
            &format!("{folder}/it/key.pem"),
            APPLICATION,
            SECRET,
            LINE,
            AGENT,
        ])
        .env("REQUESTS_CA_BUNDLE", CERTIFICATE)
        .env("NO_PROXY", "localhost")
        .output()
        .expect("SWITCHBOARD_SDK_PYTHON can be run");
    let words = String::from_utf8_lossy(&drive.stderr);
    assert!(drive.status.success(), "{words}");
}

/// Webhooks of a platform, as they would arrive.
type Told = Arc<Mutex<Vec<Value>>>;

/// The double behind TLS: its host and port.
async fn serve() -> String {
    // Whoever has installed one before is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("localhost:{}", tls.local_addr().unwrap().port());
    let mut platform = Platform::new(settings(), format!("https://{host}"), beginning());
    platform.set_manners(AGENT, vec![Manner::answers(seconds(1.0), None)]);
    let looks = AtomicI64::new(0);
    let clock = move || {
        let seconds = looks.fetch_add(1, Ordering::Relaxed) * STEP;
        beginning() + SignedDuration::from_secs(seconds)
    };
    let http = reqwest::Client::builder().build().unwrap();
    let phone = Phone::new(platform, http, Voice::Babble, clock);
    let test = Router::new()
        .route("/told", get(tell))
        .with_state((phone.clone(), Told::default()));
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = plain.local_addr().unwrap();
    let router = test.fallback_service(phone.rest_router());
    tokio::spawn(async move { axum::serve(plain, router).await });
    tokio::spawn(async move {
        let acceptor = acceptor();
        while let Ok((client, _)) = tls.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    host
}

fn acceptor() -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_slice(CERTIFICATE_KEY).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// Lets some seconds go by, takes what is told meanwhile, and shows all of it.
async fn tell(State((phone, told)): State<(Phone, Told)>) -> axum::Json<Value> {
    let mut told = told.lock().unwrap();
    while phone.with(|platform| platform.has_outgoing()) {
        phone.with(|platform| {
            for out in platform.outgoing(Timestamp::now()) {
                let body: Value = serde_json::from_slice(&out.body).unwrap_or_default();
                told.push(json!({ "authorization": out.authorization, "body": body }));
                platform.replied(out.webhook, nothing(), Duration::ZERO);
            }
        });
    }
    axum::Json(json!(std::mem::take(&mut *told)))
}
