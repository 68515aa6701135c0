//! The HTTP side of the Runtime API and the queue behind it.

use super::{FUNCTION_NAME, FunctionError, locked};
use crate::{clock, envelope, unique};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// The longest answer Lambda takes from a function, in bytes: 6 MiB and a hundred for the frame.
const ANSWER_LENGTH_MAX: usize = 6 * 1024 * 1024 + 100;
const ERROR_TYPE: &str = "Lambda-Runtime-Function-Error-Type";

/// What a function answered: a payload, or an error.
pub(super) type Answer = Result<Bytes, FunctionError>;

/// The queue of events and what the function has said so far.
#[derive(Default)]
pub(super) struct RuntimeApi {
    state: Mutex<Stage>,
    changed: watch::Sender<()>,
}

/// Where a function is in its life.
#[derive(Default)]
pub(super) struct Stage {
    queue: VecDeque<Invocation>,
    /// Those who wait, by request id. Dropping a sender tells its invoker that nothing will come.
    waiting: HashMap<String, oneshot::Sender<Answer>>,
    /// When the function first asked for an event.
    pub(super) first_next: Option<Instant>,
    /// What it posted to `/init/error`.
    pub(super) init_error: Option<FunctionError>,
    /// How the process ended.
    pub(super) ended: Option<String>,
}

struct Invocation {
    id: String,
    event: Value,
    deadline_ms: u64,
}

impl RuntimeApi {
    /// Puts an event into the queue. The receiver fails at once when the function is gone.
    pub(super) fn enqueue(
        &self,
        event: Value,
        wait: Duration,
    ) -> (String, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        let id = unique::uuid();
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let mut state = locked(&self.state);
        if state.init_error.is_none() && state.ended.is_none() {
            state.waiting.insert(id.clone(), sender);
            state.queue.push_back(Invocation {
                id: id.clone(),
                event,
                deadline_ms: clock::epoch_ms().saturating_add(wait_ms),
            });
        }
        drop(state);
        self.changed.send_replace(());
        (id, receiver)
    }

    /// Takes an event out again that nobody waits for any more.
    pub(super) fn forget(&self, id: &str) {
        let mut state = locked(&self.state);
        state.waiting.remove(id);
        state.queue.retain(|invocation| invocation.id != id);
    }

    /// Notes that the process has ended, and how.
    pub(super) fn end(&self, status: String) {
        self.change(|state| {
            state.ended = Some(status);
            state.waiting.clear();
        });
    }

    /// The init error and the way the process ended, as far as they are known.
    pub(super) fn ending(&self) -> (Option<FunctionError>, Option<String>) {
        let state = locked(&self.state);
        (state.init_error.clone(), state.ended.clone())
    }

    /// Waits until `look` finds something.
    pub(super) async fn reached<T>(&self, mut look: impl FnMut(&mut Stage) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        loop {
            // In a block of its own: the lock must not be held while waiting.
            let found = look(&mut locked(&self.state));
            if let Some(found) = found {
                return found;
            }
            changed.changed().await.expect("the sender lives in self");
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Stage) -> T) -> T {
        let result = change(&mut locked(&self.state));
        self.changed.send_replace(());
        result
    }

    fn answer(&self, id: &str, answer: Answer) -> StatusCode {
        let Some(invoker) = locked(&self.state).waiting.remove(id) else {
            return StatusCode::BAD_REQUEST;
        };
        // An invoker that gave up meanwhile has said so itself.
        let _ = invoker.send(answer);
        StatusCode::ACCEPTED
    }
}

impl fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RuntimeApi")
    }
}

/// The four routes of the Runtime API.
pub(super) fn router(api: Arc<RuntimeApi>) -> Router {
    let runtime = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{id}/response", post(response))
        .route("/invocation/{id}/error", post(error))
        .route("/init/error", post(init_error))
        .layer(DefaultBodyLimit::disable())
        .with_state(api);
    Router::new().nest("/2018-06-01/runtime", runtime)
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    api.change(|state| {
        state.first_next.get_or_insert_with(Instant::now);
    });
    let invocation = api.reached(|state| state.queue.pop_front()).await;
    let arn = format!(
        "arn:aws:lambda:{}:{}:function:{FUNCTION_NAME}",
        envelope::REGION,
        envelope::ACCOUNT
    );
    let trace = format!(
        "Root=1-{:08x}-{};Parent={};Sampled=0",
        clock::epoch_seconds(),
        &invocation.id.replace('-', "")[..24],
        &unique::uuid().replace('-', "")[..16]
    );
    (
        [
            (CONTENT_TYPE.as_str(), "application/json".to_owned()),
            ("Lambda-Runtime-Aws-Request-Id", invocation.id),
            (
                "Lambda-Runtime-Deadline-Ms",
                invocation.deadline_ms.to_string(),
            ),
            ("Lambda-Runtime-Invoked-Function-Arn", arn),
            ("Lambda-Runtime-Trace-Id", trace),
        ],
        invocation.event.to_string(),
    )
        .into_response()
}

async fn response(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    body: Body,
) -> StatusCode {
    match to_bytes(body, ANSWER_LENGTH_MAX).await {
        Ok(payload) => api.answer(&id, Ok(payload)),
        Err(_) => {
            let error = FunctionError {
                error_type: "Function.ResponseSizeTooLarge".to_owned(),
                message: format!(
                    "the answer is longer than {ANSWER_LENGTH_MAX} bytes or broke off"
                ),
            };
            api.answer(&id, Err(error));
            StatusCode::PAYLOAD_TOO_LARGE
        }
    }
}

async fn error(
    State(api): State<Arc<RuntimeApi>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    api.answer(&id, Err(reported(&headers, &body)))
}

async fn init_error(
    State(api): State<Arc<RuntimeApi>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    api.change(|state| {
        state.init_error = Some(reported(&headers, &body));
        state.waiting.clear();
    });
    StatusCode::ACCEPTED
}

fn reported(headers: &HeaderMap, body: &[u8]) -> FunctionError {
    let header = headers
        .get(ERROR_TYPE)
        .and_then(|value| value.to_str().ok());
    FunctionError::read(header, body)
}
