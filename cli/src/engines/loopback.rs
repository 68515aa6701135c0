use std::io;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// One engine's server, on a free port of this machine alone.
pub(super) struct Loopback {
    url: String,
    task: JoinHandle<()>,
}

impl Loopback {
    /// Runs what `serve` makes of a listener and its URL.
    pub(super) async fn start<F>(serve: impl FnOnce(TcpListener, &str) -> F) -> io::Result<Self>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = tokio::spawn(serve(listener, &url));
        Ok(Self { url, task })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Waits until the server, told to stop, has answered its last request.
    pub(super) async fn finished(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "an engine broke before it was closed");
        }
    }
}

/// Serves `router` until `stop` is asked.
pub(super) async fn serve_router(listener: TcpListener, router: Router, stop: Stop) {
    // Answers are small and someone waits for each: send them at once.
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "carrying on with delayed packets");
        }
    });
    let served = axum::serve(listener, router)
        .with_graceful_shutdown(async move { stop.asked().await })
        .await;
    if let Err(error) = served {
        tracing::error!(%error, "an engine's server ended");
    }
}

/// The wish to stop, as each server hears it.
#[derive(Clone)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(super) fn new(stop: watch::Receiver<bool>) -> Self {
        Self(stop)
    }

    /// Waits until the engines are closed or dropped.
    pub(super) async fn asked(&self) {
        // An error means that the sender is gone, and so are the engines.
        let _ = self.0.clone().wait_for(|stop| *stop).await;
    }
}
