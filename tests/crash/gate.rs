//! A gate before an engine, where one kind of request waits for ever: what was written before it stays
//! written, and whoever sent it can be killed just there.

use crate::loopback::Loopback;
use crate::world::{self, PATIENCE};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use std::sync::Arc;
use tokio::sync::watch;

/// A request as the gate looks at it.
pub(crate) struct Look<'a> {
    /// Of the JSON protocols: `SendMessage`.
    pub(crate) action: &'a str,
    pub(crate) method: &'a str,
    pub(crate) query: &'a str,
}

type Holds = dyn Fn(&Look<'_>) -> bool + Send + Sync;

struct Before {
    upstream: String,
    holds: Box<Holds>,
    http: reqwest::Client,
    held: watch::Sender<usize>,
}

pub(crate) struct Gate {
    server: Loopback,
    held: watch::Receiver<usize>,
}

impl Gate {
    /// Lets everything through to `upstream` but what `holds` picks.
    pub(crate) fn before(
        upstream: &str,
        holds: impl Fn(&Look<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        let (sender, held) = watch::channel(0);
        let before = Before {
            upstream: upstream.trim_end_matches('/').to_owned(),
            holds: Box::new(holds),
            http: world::http(),
            held: sender,
        };
        let router = Router::new().fallback(pass).with_state(Arc::new(before));
        Self {
            server: Loopback::serve(router),
            held,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Waits until a request is held.
    pub(crate) async fn held(&self) {
        let mut held = self.held.clone();
        let one = held.wait_for(|count| *count > 0);
        let waited = tokio::time::timeout(PATIENCE, one).await;
        waited.expect("nothing came to the gate").unwrap();
    }
}

async fn pass(State(before): State<Arc<Before>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let target = head.headers.get("x-amz-target");
    let target = target
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let look = Look {
        action: target.rsplit('.').next().unwrap_or_default(),
        method: head.method.as_str(),
        query: head.uri.query().unwrap_or_default(),
    };
    if (before.holds)(&look) {
        before.held.send_modify(|count| *count += 1);
        return std::future::pending().await;
    }
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // The host stays as it was signed.
    let answer = before
        .http
        .request(head.method, format!("{}{}", before.upstream, head.uri))
        .headers(head.headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" {
            response = response.header(name, value);
        }
    }
    response
        .body(Body::from(answer.bytes().await.unwrap()))
        .unwrap()
}
