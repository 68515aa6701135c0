use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use switchboard_shared::clock::Clock;
use tokio::sync::watch;
use winterbaume_core::{MockRequest, MockResponse, MockService as _};
use winterbaume_sqs::SqsService;

use self::messages::Messages;
use super::loopback::{self, Loopback, Stop};
use super::{EnginesError, REGION};

mod messages;

/// Longest delay of one message. SQS refuses more, the engine below would not.
///
/// See [AWS/SQS/SendMessage](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html).
const DELAY_SECONDS_MAX: i64 = 900;

/// SQS in memory, over HTTP.
pub(super) struct Queues {
    loopback: Loopback,
    messages: Arc<Messages>,
    sent: watch::Receiver<u64>,
}

impl Queues {
    pub(super) async fn serve(stop: Stop, clock: Clock) -> Result<Self, EnginesError> {
        let (count, sent) = watch::channel(0);
        let messages = Arc::new(Messages::new(clock));
        tokio::spawn(tell(messages.clone(), count.clone(), stop.clone()));
        let loopback = Loopback::start(|listener, url| {
            let gate = Arc::new(Gate {
                service: SqsService::with_backend(messages.clone()),
                url: format!("{url}/"),
                sent: count,
                stop: stop.clone(),
            });
            let router = Router::new().fallback(answer).with_state(gate);
            loopback::serve_router(listener, router, stop)
        })
        .await
        .map_err(|source| EnginesError::Listen {
            engine: "SQS",
            source,
        })?;
        Ok(Self {
            loopback,
            messages,
            sent,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.loopback.url()
    }

    pub(super) fn sent(&self) -> watch::Receiver<u64> {
        let mut sent = self.sent.clone();
        // A new receiver waits for what comes, not for what was.
        sent.mark_unchanged();
        sent
    }

    /// Whether a queue, named by its URL, has a message that is free to take.
    pub(super) fn has_free(&self, url: &str) -> bool {
        let name = url.rsplit('/').next().unwrap_or_default();
        url.starts_with(self.url()) && self.messages.has_free(name)
    }

    pub(super) async fn finished(self) {
        self.loopback.finished().await;
    }
}

/// What stands between HTTP and the engine.
struct Gate {
    service: SqsService,
    /// Ours, with the slash that ends it.
    url: String,
    sent: watch::Sender<u64>,
    stop: Stop,
}

/// Tells whoever waits of messages whose time has come.
async fn tell(messages: Arc<Messages>, count: watch::Sender<u64>, stop: Stop) {
    loop {
        tokio::select! {
            () = messages.next_free() => count.send_modify(|count| *count += 1),
            () = stop.asked() => return,
        }
    }
}

async fn answer(State(gate): State<Arc<Gate>>, headers: HeaderMap, body: Bytes) -> Response {
    // `AmazonSQS.SendMessage`
    let action = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.rsplit('.').next())
        .unwrap_or_default()
        .to_owned();
    let sends = matches!(action.as_str(), "SendMessage" | "SendMessageBatch");
    let tells_urls = matches!(
        action.as_str(),
        "CreateQueue" | "GetQueueUrl" | "ListQueues" | "ListDeadLetterSourceQueues"
    );
    if sends && !delays_are_allowed(&body) {
        return refusal("DelaySeconds must be from 0 to 900").into_response();
    }

    let request = MockRequest {
        method: "POST".to_owned(),
        uri: url_on_aws(),
        headers,
        body,
    };
    let answer = tokio::select! {
        answer = gate.service.handle(request) => answer,
        // Or a long poll would hold up the end for 20 s.
        () = gate.stop.asked() => MockResponse::json(200, "{}"),
    };
    if sends && answer.status == 200 {
        gate.sent.send_modify(|count| *count += 1);
    }

    let body = if tells_urls {
        with_our_urls(&answer.body, &gate.url)
    } else {
        answer.body
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, answer.headers, body).into_response()
}

/// The engine tells its region, and so the ARNs, by the host it believes in.
fn url_on_aws() -> String {
    format!("https://sqs.{REGION}.amazonaws.com/")
}

/// Whether no message of this request is delayed for longer than SQS allows.
fn delays_are_allowed(body: &[u8]) -> bool {
    let Ok(request) = serde_json::from_slice::<Value>(body) else {
        return true; // the engine has words for it
    };
    let entries = request["Entries"].as_array().into_iter().flatten();
    std::iter::once(&request)
        .chain(entries)
        .filter_map(|message| message["DelaySeconds"].as_i64())
        .all(|delay| (0..=DELAY_SECONDS_MAX).contains(&delay))
}

fn refusal(message: &str) -> (StatusCode, String) {
    let body = json!({ "__type": "InvalidParameterValue", "message": message });
    (StatusCode::BAD_REQUEST, body.to_string())
}

/// Queue URLs that name us, for SDKs that send to the host in the URL.
fn with_our_urls(body: &[u8], url: &str) -> Bytes {
    String::from_utf8_lossy(body)
        .replace(&url_on_aws(), url)
        .into()
}
