//! HTTP on a port, for whoever comes. Nobody holds a connection for nothing.

use axum::Router;
use axum::serve::Listener;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Time for the head of a request, and for the next one to begin on a connection that is kept. What
/// comes over a line that works is there within a second; a thousand connections that say nothing
/// would use up the files that a process may open.
const HEAD_WITHIN: Duration = Duration::from_secs(30);

/// Serves until it is stopped; then requests under way finish.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: watch::Receiver<bool>) {
    serve_within(listener, router, stop, HEAD_WITHIN).await;
}

async fn serve_within(
    mut listener: TcpListener,
    router: Router,
    stop: watch::Receiver<bool>,
    head: Duration,
) {
    let mut connections = JoinSet::new();
    let mut stopped = pin!(stopped(stop.clone()));
    loop {
        let stream = tokio::select! {
            (stream, _) = Listener::accept(&mut listener) => stream,
            () = stopped.as_mut() => break,
        };
        while connections.try_join_next().is_some() {}
        connections.spawn(talk(stream, router.clone(), stop.clone(), head));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// One connection. How it ends concerns nobody: whoever sent a request has seen it.
async fn talk(stream: TcpStream, router: Router, stop: watch::Receiver<bool>, head: Duration) {
    let mut http = Builder::new(TokioExecutor::new()).http1_only();
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head);
    let service = TowerToHyperService::new(router);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the board is gone, and so are we.
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use std::net::{Ipv4Addr, SocketAddr};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Longest wait for what comes at once. Generous: CI machines stall.
    const PATIENCE: Duration = Duration::from_secs(20);

    const ASKS: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";

    async fn start(head: Duration) -> (SocketAddr, watch::Sender<bool>, JoinSet<()>) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { "here" }));
        let mut served = JoinSet::new();
        served.spawn(serve_within(listener, router, stopped, head));
        (address, stop, served)
    }

    /// All that comes until the other side closes.
    async fn rest(connection: &mut TcpStream) -> String {
        let mut text = Vec::new();
        let read = connection.read_to_end(&mut text);
        // Closed with a reset is closed, too.
        let _ = tokio::time::timeout(PATIENCE, read)
            .await
            .expect("it is closed");
        String::from_utf8(text).unwrap()
    }

    #[tokio::test]
    async fn who_says_nothing_or_half_a_thing_is_not_waited_for() {
        let (address, _stop, _served) = start(Duration::from_millis(100)).await;
        for beginning in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: here\r\nx-more: "] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(beginning).await.unwrap();
            assert!(!rest(&mut connection).await.contains("200"));
        }
        // Also not for the next request. A machine that stalls may be late with the first.
        let mut answer = String::new();
        while answer.is_empty() {
            let mut connection = TcpStream::connect(address).await.unwrap();
            let _ = connection.write_all(ASKS).await;
            answer = rest(&mut connection).await;
        }
        assert!(answer.ends_with("here"));
    }

    #[tokio::test]
    async fn a_stop_ends_connections_that_are_kept_and_lets_no_others_in() {
        let (address, stop, mut served) = start(PATIENCE).await;
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection.write_all(ASKS).await.unwrap();
        let mut status = [0; 12];
        connection.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
        stop.send_replace(true);
        assert!(rest(&mut connection).await.ends_with("here"));
        let ended = tokio::time::timeout(PATIENCE, served.join_next()).await;
        ended.expect("it ends").unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
}
