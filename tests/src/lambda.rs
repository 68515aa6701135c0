//! AWS Lambda in the test's own process: the Runtime API on loopback and a built function beside it.

mod invoke_error;
mod output;
mod runtime_api;

pub use invoke_error::{FunctionError, InvokeError};
pub use output::Output;

use crate::loopback::Loopback;
use runtime_api::RuntimeApi;
use serde_json::Value;
use std::{
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// How long anything is waited for. A function answers in milliseconds; this is for a machine that
/// builds something else at the same time. A test that hangs fails after it, with the output.
pub const WAIT: Duration = Duration::from_secs(30);

/// How often the process is looked at to see whether it has ended.
const EXIT_POLL: Duration = Duration::from_millis(10);

/// The name the function is told it has.
pub const FUNCTION_NAME: &str = "switchboard-under-test";

/// A function's binary, running as Lambda runs it. Ends with this value.
///
/// See [AWS/Lambda runtime API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
#[derive(Debug)]
pub struct Lambda {
    api: Arc<RuntimeApi>,
    child: Arc<Mutex<Child>>,
    output: Output,
    watcher: JoinHandle<()>,
    started: Instant,
    wait: Duration,
    _server: Loopback,
}

impl Lambda {
    /// Starts `binary` with the environment Lambda gives, changed and completed by `env`. Of the
    /// test's own environment only `PATH` is handed on.
    ///
    /// # Panics
    /// Outside a Tokio runtime, and when the binary cannot be started (is it built?).
    #[must_use]
    pub fn start(binary: &Path, env: Vec<(String, String)>) -> Self {
        Self::run(Command::new(binary), env)
    }

    /// The same for a program that takes arguments.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    pub fn run(mut command: Command, env: Vec<(String, String)>) -> Self {
        let api = Arc::new(RuntimeApi::default());
        let server = Loopback::serve(runtime_api::router(Arc::clone(&api)));
        let started = Instant::now();
        let mut child = command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(usual_environment())
            .env("AWS_LAMBDA_RUNTIME_API", server.address().to_string())
            .envs(env)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|fault| panic!("could not start {command:?}: {fault}"));
        let output = Output::of(&mut child);
        let child = Arc::new(Mutex::new(child));
        let watcher = tokio::spawn(watch(Arc::clone(&child), Arc::clone(&api), output.clone()));
        Self {
            api,
            child,
            output,
            watcher,
            started,
            wait: WAIT,
            _server: server,
        }
    }

    /// The same, with another time than [`WAIT`] for each wait.
    #[must_use]
    pub fn waiting_at_most(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Hands an event to the function and waits for what it answers. Several may be under way: they
    /// queue, and the function takes one after the other as it asks for them.
    ///
    /// # Errors
    /// When the function reports an error, ends, or does not answer in time.
    pub async fn invoke(&self, event: Value) -> Result<Value, InvokeError> {
        let (id, answer) = self.api.enqueue(event, self.wait);
        match tokio::time::timeout(self.wait, answer).await {
            Ok(Ok(Ok(payload))) => {
                serde_json::from_slice(&payload).map_err(|_| InvokeError::Unreadable {
                    payload: String::from_utf8_lossy(&payload).into_owned(),
                    output: self.output.clone(),
                })
            }
            Ok(Ok(Err(error))) => Err(InvokeError::Function {
                error,
                output: self.output.clone(),
            }),
            Ok(Err(_)) => Err(self.ended()),
            Err(_) => {
                self.api.forget(&id);
                Err(self.timed_out())
            }
        }
    }

    /// Waits until the function has asked for its first event, and says how long after the start of
    /// the process that was.
    ///
    /// # Errors
    /// When it reports an init error or ends before that, or takes too long.
    pub async fn ready(&self) -> Result<Duration, InvokeError> {
        let reached = self.api.reached(|state| {
            state
                .first_next
                .map(Some)
                .or_else(|| (state.init_error.is_some() || state.ended.is_some()).then_some(None))
        });
        match tokio::time::timeout(self.wait, reached).await {
            Ok(Some(at)) => Ok(at - self.started),
            Ok(None) => Err(self.ended()),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// What the function posted to `/runtime/init/error`; waits for it. `None` when the function
    /// asked for an event, ended, or did nothing in time instead.
    pub async fn init_error(&self) -> Option<FunctionError> {
        let reached = self.api.reached(|state| {
            let over = state.first_next.is_some() || state.ended.is_some();
            state
                .init_error
                .clone()
                .map(Some)
                .or_else(|| over.then_some(None))
        });
        tokio::time::timeout(self.wait, reached).await.ok()?
    }

    /// All that the process has written so far.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output.clone()
    }

    /// The process's id, to look at its memory.
    #[must_use]
    pub fn pid(&self) -> u32 {
        locked(&self.child).id()
    }

    fn ended(&self) -> InvokeError {
        let output = self.output.clone();
        match self.api.ending() {
            (Some(error), _) => InvokeError::Init { error, output },
            (None, status) => InvokeError::Exited {
                status: status.unwrap_or_default(),
                output,
            },
        }
    }

    fn timed_out(&self) -> InvokeError {
        InvokeError::TimedOut {
            after: self.wait,
            output: self.output.clone(),
        }
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        self.watcher.abort();
        let mut child = locked(&self.child);
        // Both fail only for a process that is gone already.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Tells the API when the process has ended and all its output is in.
async fn watch(child: Arc<Mutex<Child>>, api: Arc<RuntimeApi>, output: Output) {
    loop {
        let exit = locked(&child).try_wait();
        if let Some(status) = exit.expect("a child of this process can be waited for") {
            output.complete().await;
            api.end(status.to_string());
            return;
        }
        tokio::time::sleep(EXIT_POLL).await;
    }
}

/// The lock is held for one call at a time and nothing is half done in it, so a panic elsewhere
/// does not spoil what it guards.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The variables that Lambda sets. See
/// [AWS/Defined runtime environment variables](https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).
fn usual_environment() -> [(&'static str, &'static str); 14] {
    [
        ("_HANDLER", "bootstrap"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_NAME", FUNCTION_NAME),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            "/aws/lambda/switchboard-under-test",
        ),
        (
            "AWS_LAMBDA_LOG_STREAM_NAME",
            "2026/01/01/[$LATEST]00000000000000000000000000000000",
        ),
        ("AWS_REGION", "eu-west-1"),
        ("LAMBDA_RUNTIME_DIR", "/var/runtime"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::built;
    use crate::world::eventually;
    use serde_json::json;
    use std::path::PathBuf;

    /// `examples/fake_function.rs`, which `cargo test` builds beside the tests.
    fn fake_function() -> PathBuf {
        built("examples/fake_function")
    }

    fn start(env: &[(&str, &str)]) -> Lambda {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Lambda::start(&fake_function(), env.collect())
    }

    #[tokio::test]
    async fn an_event_goes_in_and_its_answer_comes_out() {
        let lambda = start(&[("GREETING", "hello")]);
        let answer = lambda.invoke(json!({"n": 1})).await.unwrap();
        assert_eq!(answer["event"], json!({"n": 1}));
        assert_eq!(answer["environment"]["GREETING"], "hello");
        assert_eq!(
            answer["environment"]["AWS_LAMBDA_FUNCTION_NAME"],
            FUNCTION_NAME
        );
        assert_eq!(answer["environment"].get("CARGO_MANIFEST_DIR"), None);
        let headers = &answer["headers"];
        assert_eq!(
            headers["lambda-runtime-aws-request-id"]
                .as_str()
                .unwrap()
                .len(),
            36
        );
        assert!(
            headers["lambda-runtime-invoked-function-arn"]
                .as_str()
                .unwrap()
                .ends_with(FUNCTION_NAME)
        );
        assert!(
            headers["lambda-runtime-trace-id"]
                .as_str()
                .unwrap()
                .starts_with("Root=1-")
        );
        let deadline: u64 = headers["lambda-runtime-deadline-ms"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!(deadline > crate::clock::epoch_ms());
    }

    #[tokio::test]
    async fn events_at_once_are_each_answered() {
        let lambda = start(&[]);
        let answers = tokio::join!(
            lambda.invoke(json!(1)),
            lambda.invoke(json!(2)),
            lambda.invoke(json!(3))
        );
        assert_eq!(answers.0.unwrap()["event"], 1);
        assert_eq!(answers.1.unwrap()["event"], 2);
        assert_eq!(answers.2.unwrap()["event"], 3);
    }

    #[tokio::test]
    async fn an_error_of_the_function_comes_out_with_its_output() {
        let lambda = start(&[]);
        let error = lambda.invoke(json!({"fail": "no luck"})).await.unwrap_err();
        let InvokeError::Function {
            error: reported, ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(reported.error_type, "Fake");
        assert_eq!(reported.message, "no luck");
        // The pipe may be read a moment later than the error has come.
        eventually(|| async { error.to_string().contains("about to fail").then_some(()) }).await;
        // An error ends the invocation, not the function.
        assert!(lambda.invoke(json!(1)).await.is_ok());
    }

    #[tokio::test]
    async fn a_function_that_exits_fails_what_waits_and_what_comes_after() {
        let lambda = start(&[]);
        let (first, second) =
            tokio::join!(lambda.invoke(json!({"exit": 3})), lambda.invoke(json!(1)));
        for error in [first, second, lambda.invoke(json!(2)).await] {
            let error = error.unwrap_err();
            let InvokeError::Exited { status, .. } = &error else {
                panic!("{error}");
            };
            assert!(status.contains('3'), "{status}");
            assert!(error.to_string().contains("about to exit"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_init_error_is_seen() {
        let lambda = start(&[("FAIL_INIT", "no table")]);
        let error = lambda.init_error().await.unwrap();
        assert_eq!(error.message, "no table");
        assert!(matches!(
            lambda.ready().await,
            Err(InvokeError::Init { .. })
        ));
        let invoked = lambda.invoke(json!(1)).await;
        assert!(
            matches!(invoked, Err(InvokeError::Init { .. })),
            "{invoked:?}"
        );
    }

    #[tokio::test]
    async fn a_function_that_starts_well_has_no_init_error() {
        let lambda = start(&[]);
        assert!(lambda.ready().await.unwrap() < WAIT);
        assert!(lambda.init_error().await.is_none());
    }

    #[tokio::test]
    async fn a_function_that_does_not_answer_is_given_up() {
        let lambda = start(&[]).waiting_at_most(Duration::from_millis(500));
        lambda.ready().await.unwrap();
        let error = lambda.invoke(json!({"hang": true})).await.unwrap_err();
        assert!(matches!(error, InvokeError::TimedOut { .. }), "{error}");
        assert!(error.to_string().contains("about to hang"), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_json_is_not_an_answer() {
        let lambda = start(&[]);
        let error = lambda.invoke(json!({"raw": "not json"})).await.unwrap_err();
        assert!(matches!(error, InvokeError::Unreadable { .. }), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_process_ends_with_its_lambda() {
        let lambda = start(&[]);
        lambda.ready().await.unwrap();
        let process = PathBuf::from(format!("/proc/{}", lambda.pid()));
        assert!(process.exists());
        drop(lambda);
        assert!(!process.exists());
    }
}
