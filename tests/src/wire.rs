//! A wire between a client and a server, on which requests go wrong.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    net::{TcpListener, TcpSocket},
    task::{JoinHandle, JoinSet},
};

/// The longest body that is carried. A part of a recording has 8 MiB.
const BODY_MAX: usize = 64 * 1024 * 1024;

/// Connections that wait for their turn.
const BACKLOG: u32 = 256;

/// What of a request and of an answer belongs to one hop alone.
const HOP: [HeaderName; 3] = [
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::CONTENT_LENGTH,
];

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The connection ends before anything is read of it. Nothing is done.
    Reset,
    /// The server says that it is too much, in its own words. Nothing is done.
    Throttled,
    /// The server says 500. Nothing is done.
    Broken,
    /// Nothing is done, and the connection ends after a long time.
    Stuck,
    /// It is done, and the answer comes after a long time.
    Late,
    /// It is done, and the answer ends in the middle.
    Cut,
    /// It is done, and the connection ends without a word.
    Lost,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Reset,
        Self::Throttled,
        Self::Broken,
        Self::Stuck,
        Self::Late,
        Self::Cut,
        Self::Lost,
    ];

    /// Whether the server gets the request.
    #[must_use]
    pub fn is_applied(self) -> bool {
        matches!(self, Self::Late | Self::Cut | Self::Lost)
    }
}

/// Which requests go wrong, and how.
#[derive(Debug, Clone)]
pub struct Spoil {
    /// The operation, as [`Wire::operations`] names it.
    pub operation: String,
    /// The first one that goes wrong: 0 is the next.
    pub nth: usize,
    /// For how many of them.
    pub times: usize,
    /// What happens to them.
    pub fault: Fault,
}

/// A wire to a server, on a free port of 127.0.0.1. Carries every request there and every answer
/// back, unless it is told otherwise.
///
/// A request is named by its operation: `GetItem`, `SendMessage`, `UploadPart`, `PUT /v1/calls`.
pub struct Wire {
    shared: Arc<Shared>,
    address: SocketAddr,
    listening: Mutex<Listening>,
}

enum Listening {
    Yes(JoinHandle<()>),
    /// The port is kept, and nobody listens: whoever connects is refused.
    No(TcpSocket),
    Changing,
}

struct Shared {
    server: String,
    late: Duration,
    http: reqwest::Client,
    log: Mutex<Log>,
    /// Requests that are under way.
    busy: AtomicUsize,
}

#[derive(Default)]
struct Log {
    operations: Vec<String>,
    spoil: Option<Spoil>,
    seen: usize,
    spoilt: usize,
}

impl Shared {
    /// Nothing is half done under the lock that a panic elsewhere could spoil.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way, until it is answered, cut off or given up.
struct Busy(Arc<Shared>);

impl Busy {
    fn with(shared: &Arc<Shared>) -> Self {
        shared.busy.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(shared))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Log {
    /// Notes a request, and says what is to go wrong with it.
    fn take(&mut self, operation: &str) -> Option<Fault> {
        self.operations.push(operation.to_owned());
        let spoil = self.spoil.as_ref()?;
        if spoil.operation != operation {
            return None;
        }
        let index = self.seen;
        self.seen += 1;
        let hit = index >= spoil.nth && index - spoil.nth < spoil.times;
        self.spoilt += usize::from(hit);
        hit.then_some(spoil.fault)
    }
}

impl Wire {
    /// A wire to a server. What is late on it is late by `late`.
    ///
    /// # Panics
    /// Outside a Tokio runtime, and when no port is free.
    #[must_use]
    pub fn to(server: &str, late: Duration) -> Self {
        let shared = Arc::new(Shared {
            server: server.to_owned(),
            late,
            http: crate::world::http(),
            log: Mutex::default(),
            busy: AtomicUsize::new(0),
        });
        let socket = socket((Ipv4Addr::LOCALHOST, 0).into());
        let address = socket.local_addr().expect("it is bound");
        let task = listen(socket, Arc::clone(&shared));
        Self {
            shared,
            address,
            listening: Mutex::new(Listening::Yes(task)),
        }
    }

    /// Where it begins: `http://127.0.0.1:PORT`, no trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The operations asked for since [`clear`](Self::clear), in the order in which they came.
    #[must_use]
    pub fn operations(&self) -> Vec<String> {
        self.shared.log().operations.clone()
    }

    /// Forgets what went over it, and carries everything.
    pub fn clear(&self) {
        *self.shared.log() = Log::default();
    }

    /// From now on some requests go wrong, in place of those before.
    pub fn spoil(&self, spoil: Spoil) {
        let mut log = self.shared.log();
        log.spoil = Some(spoil);
        log.seen = 0;
    }

    /// Carries everything again.
    pub fn mend(&self) {
        self.shared.log().spoil = None;
    }

    /// How many requests went wrong.
    #[must_use]
    pub fn spoilt(&self) -> usize {
        self.shared.log().spoilt
    }

    /// Whether a request is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.shared.busy.load(Ordering::SeqCst) > 0
    }

    /// The server is gone entirely: connections end, and new ones are refused.
    ///
    /// # Panics
    /// When the port cannot be kept.
    pub async fn cut(&self) {
        let Listening::Yes(task) = self.change() else {
            panic!("it is cut already");
        };
        task.abort();
        // Only when the task has ended is the port free to be taken again.
        let _ = task.await;
        self.become_(Listening::No(socket(self.address)));
    }

    /// The server is back, at the same place.
    ///
    /// # Panics
    /// When it was not gone.
    pub fn restore(&self) {
        let Listening::No(socket) = self.change() else {
            panic!("it is not cut");
        };
        self.become_(Listening::Yes(listen(socket, Arc::clone(&self.shared))));
    }

    fn change(&self) -> Listening {
        self.become_(Listening::Changing)
    }

    fn become_(&self, to: Listening) -> Listening {
        let mut listening = self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut listening, to)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({} to {})", self.address, self.shared.server)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        if let Listening::Yes(task) = self.change() {
            task.abort();
        }
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("there are sockets");
    // Connections of before may still be closing.
    socket
        .set_reuseaddr(true)
        .expect("an address can be reused");
    // Somebody else's connection may have been given the port meanwhile, and has it for a moment.
    let until = Instant::now() + crate::world::PATIENCE;
    while let Err(error) = socket.bind(address) {
        assert!(Instant::now() < until, "{error}");
        std::thread::sleep(Duration::from_millis(20));
    }
    socket
}

fn listen(socket: TcpSocket, shared: Arc<Shared>) -> JoinHandle<()> {
    let listener = socket.listen(BACKLOG).expect("a bound port can listen");
    tokio::spawn(serve(listener, shared))
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let router = Router::new().fallback(carry).with_state(shared);
    // They end with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((connection, _)) = accepted else { continue };
                let _ = connection.set_nodelay(true);
                let service = TowerToHyperService::new(router.clone());
                connections.spawn(async move {
                    let _ = auto::Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(connection), service)
                        .await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn carry(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let _busy = Busy::with(&shared);
    let (parts, body) = request.into_parts();
    let peer = Peer::of(&parts.headers, &parts.uri);
    let fault = {
        let operation = operation(&parts.method, &parts.uri, &parts.headers);
        shared.log().take(&operation)
    };
    match fault {
        Some(Fault::Reset) => hang_up(),
        Some(Fault::Throttled) => return peer.throttled(),
        Some(Fault::Broken) => return peer.broken(),
        Some(Fault::Stuck) => {
            tokio::time::sleep(shared.late).await;
            hang_up();
        }
        Some(Fault::Late | Fault::Cut | Fault::Lost) | None => {}
    }
    let Ok(body) = to_bytes(body, BODY_MAX).await else {
        hang_up()
    };
    let answer = shared
        .ask(&parts.method, &parts.uri, parts.headers, body)
        .await;
    let Some((status, headers, body)) = answer else {
        hang_up()
    };
    match fault {
        Some(Fault::Lost) => hang_up(),
        Some(Fault::Cut) => cut_short(status, headers, &body),
        Some(Fault::Late) => {
            tokio::time::sleep(shared.late).await;
            (status, headers, body).into_response()
        }
        _ => (status, headers, body).into_response(),
    }
}

impl Shared {
    /// Asks the server.
    async fn ask(
        &self,
        method: &Method,
        uri: &Uri,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> Option<(StatusCode, HeaderMap, Bytes)> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        // Host and length stay: S3's signatures are over them.
        let hop = HOP.iter().filter(|name| **name != header::CONTENT_LENGTH);
        hop.for_each(|name| drop(headers.remove(name)));
        let asked = self
            .http
            .request(method.clone(), format!("{}{path}", self.server));
        let answer = asked.headers(headers).body(body).send().await.ok()?;
        let status = answer.status();
        let mut headers = answer.headers().clone();
        // The length of what a HEAD did not bring is told all the same.
        if method != Method::HEAD {
            HOP.iter().for_each(|name| drop(headers.remove(name)));
        }
        Some((status, headers, answer.bytes().await.ok()?))
    }
}

/// Ends the connection. Unwinding ends its task; unlike a panic it prints nothing.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the wire was cut by the test"))
}

/// Half of an answer that was promised whole.
fn cut_short(status: StatusCode, mut headers: HeaderMap, body: &Bytes) -> Response {
    if body.is_empty() {
        hang_up();
    }
    headers.insert(header::CONTENT_LENGTH, body.len().into());
    let half = body.slice(..body.len() / 2);
    let pieces = stream::iter([
        Ok(half),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    (status, headers, Body::from_stream(pieces)).into_response()
}

/// Whose words a refusal is in.
#[derive(Clone, Copy)]
enum Peer {
    DynamoDb,
    Sqs,
    S3,
    Vonage,
}

impl Peer {
    fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        match target(headers) {
            Some(target) if target.starts_with("DynamoDB") => Self::DynamoDb,
            Some(_) => Self::Sqs,
            None if uri.path().starts_with("/v1/") => Self::Vonage,
            None => Self::S3,
        }
    }

    fn throttled(self) -> Response {
        match self {
            // What DynamoDB says of a table on demand; the SDK treats its elder brother alike.
            Self::DynamoDb => json(
                400,
                "com.amazonaws.dynamodb.v20120810#ThrottlingException",
                "Rate exceeded",
            ),
            Self::Sqs => json(
                403,
                "com.amazonaws.sqs#RequestThrottled",
                "Request throttled",
            ),
            Self::S3 => xml(503, "SlowDown", "Please reduce your request rate."),
            Self::Vonage => {
                let body = r#"{"type":"THROTTLED","error_title":"Too Many Requests"}"#;
                let headers = [
                    (header::RETRY_AFTER, "1"),
                    (header::CONTENT_TYPE, "application/json"),
                ];
                (StatusCode::TOO_MANY_REQUESTS, headers, body).into_response()
            }
        }
    }

    fn broken(self) -> Response {
        match self {
            Self::DynamoDb => json(
                500,
                "com.amazonaws.dynamodb.v20120810#InternalServerError",
                "Internal server error",
            ),
            Self::Sqs => json(500, "com.amazonaws.sqs#InternalFailure", "Internal failure"),
            Self::S3 => xml(500, "InternalError", "We encountered an internal error."),
            Self::Vonage => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

fn json(status: u16, kind: &str, message: &str) -> Response {
    let body = serde_json::json!({ "__type": kind, "message": message }).to_string();
    let headers = [(header::CONTENT_TYPE, "application/x-amz-json-1.0")];
    (status_of(status), headers, body).into_response()
}

fn xml(status: u16, code: &str, message: &str) -> Response {
    let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let headers = [(header::CONTENT_TYPE, "application/xml")];
    (status_of(status), headers, body).into_response()
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).expect("it is written above")
}

/// `DynamoDB_20120810.GetItem`, `AmazonSQS.SendMessage`.
fn target(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-amz-target")?.to_str().ok()
}

/// What a request asks for.
fn operation(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if let Some(target) = target(headers) {
        return target.rsplit('.').next().unwrap_or_default().to_owned();
    }
    let path = uri.path();
    if let Some(rest) = path.strip_prefix("/v1/") {
        let what = rest.split('/').next().unwrap_or_default();
        return format!("{method} /v1/{what}");
    }
    let query = uri.query().unwrap_or_default();
    let has = |name: &str| {
        url::form_urlencoded::parse(query.as_bytes()).any(|(parameter, _)| parameter == name)
    };
    let object = path.trim_matches('/').contains('/');
    let name = match method.as_str() {
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" if object => "PutObject",
        "PUT" => "CreateBucket",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        "HEAD" => "HeadObject",
        "GET" if object => "GetObject",
        "GET" => "ListObjects",
        other => other,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::post;

    const LATE: Duration = Duration::from_millis(50);

    struct Served {
        wire: Wire,
        done: Arc<AtomicUsize>,
        http: reqwest::Client,
        _server: crate::loopback::Loopback,
    }

    impl Served {
        fn open() -> Self {
            let done = Arc::new(AtomicUsize::new(0));
            let count = Arc::clone(&done);
            let work = move |body: String| async move {
                count.fetch_add(1, Ordering::SeqCst);
                format!("done with {body}")
            };
            let server =
                crate::loopback::Loopback::serve(Router::new().route("/v1/calls", post(work)));
            Self {
                wire: Wire::to(&server.url(), LATE),
                done,
                http: crate::world::http(),
                _server: server,
            }
        }

        fn done(&self) -> usize {
            self.done.load(Ordering::SeqCst)
        }

        /// Status and body of one request; none where no whole answer came.
        async fn ask(&self) -> Option<(u16, String)> {
            let asked = self.http.post(format!("{}/v1/calls", self.wire.url()));
            let answer = asked.body("it").send().await.ok()?;
            Some((answer.status().as_u16(), answer.text().await.ok()?))
        }
    }

    fn fine() -> Option<(u16, String)> {
        Some((200, "done with it".to_owned()))
    }

    #[tokio::test]
    async fn a_request_and_its_answer_are_carried_as_they_are() {
        let served = Served::open();
        assert_eq!(served.ask().await, fine());
        assert_eq!(served.wire.operations(), ["POST /v1/calls"]);
    }

    #[tokio::test]
    async fn the_chosen_requests_go_wrong_as_chosen_and_no_others() {
        for fault in Fault::ALL {
            let served = Served::open();
            served.wire.spoil(Spoil {
                operation: "POST /v1/calls".to_owned(),
                nth: 1,
                times: 2,
                fault,
            });
            assert_eq!(served.ask().await, fine());
            let spoilt = [served.ask().await, served.ask().await];
            let status =
                |answer: &Option<(u16, String)>| answer.as_ref().map(|(status, _)| *status);
            let expected = match fault {
                Fault::Throttled => Some(429),
                Fault::Broken => Some(500),
                Fault::Late => Some(200),
                Fault::Reset | Fault::Stuck | Fault::Cut | Fault::Lost => None,
            };
            assert_eq!(spoilt.each_ref().map(status), [expected; 2], "{fault:?}");
            assert_eq!(served.ask().await, fine(), "{fault:?}");
            assert_eq!(served.wire.spoilt(), 2);
            let applied = if fault.is_applied() { 4 } else { 2 };
            assert_eq!(served.done(), applied, "{fault:?}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_gone_refuses_and_comes_back_where_it_was() {
        let served = Served::open();
        assert_eq!(served.ask().await, fine());
        served.wire.cut().await;
        let asked = served.http.post(format!("{}/v1/calls", served.wire.url()));
        assert!(asked.send().await.unwrap_err().is_connect());
        served.wire.restore();
        assert_eq!(served.ask().await, fine());
        assert_eq!(served.done(), 2);
    }
}
