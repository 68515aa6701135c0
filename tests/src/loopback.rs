//! A web server of the test's own.

use axum::Router;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use tokio::task::JoinHandle;

/// A router served on a free port of 127.0.0.1. No new connection is taken once it is dropped.
#[derive(Debug)]
pub struct Loopback {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Loopback {
    /// Serves `router`. Listens already when this returns.
    ///
    /// # Panics
    /// Outside a Tokio runtime, and when no port is free.
    #[must_use]
    pub fn serve(router: Router) -> Self {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port of 127.0.0.1 is free");
        listener
            .set_nonblocking(true)
            .expect("a listener can be made non-blocking");
        let address = listener.local_addr().expect("a listener has an address");
        let listener = tokio::net::TcpListener::from_std(listener)
            .expect("a server is started inside a Tokio runtime");
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("a server on loopback runs until it is dropped");
        });
        Self { address, task }
    }

    /// Where it listens: `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, no trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.task.abort();
    }
}
