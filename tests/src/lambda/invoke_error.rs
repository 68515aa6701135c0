use super::Output;
use serde_json::Value;
use std::{error::Error, fmt, time::Duration};

/// An error as a function reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// `errorType`, or the header `Lambda-Runtime-Function-Error-Type` where the body has none.
    pub error_type: String,
    /// `errorMessage`, or the whole body where it has another shape.
    pub message: String,
}

impl FunctionError {
    pub(super) fn read(header: Option<&str>, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |field: &str| json[field].as_str().map(str::to_owned);
        Self {
            error_type: text("errorType")
                .or_else(|| header.map(str::to_owned))
                .unwrap_or_default(),
            message: text("errorMessage")
                .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned()),
        }
    }
}

/// Why an invocation has no answer. Shows all that the process has written, also as `Debug`, so that
/// an `unwrap` in a test tells what happened.
pub enum InvokeError {
    /// The function reported an error for this event.
    Function {
        /// What it reported.
        error: FunctionError,
        /// What the process had written.
        output: Output,
    },
    /// The function reported that it cannot start.
    Init {
        /// What it reported.
        error: FunctionError,
        /// What the process had written.
        output: Output,
    },
    /// The process ended.
    Exited {
        /// How, such as `exit status: 101`.
        status: String,
        /// What the process had written.
        output: Output,
    },
    /// No answer in time.
    TimedOut {
        /// How long it was waited for.
        after: Duration,
        /// What the process had written.
        output: Output,
    },
    /// The answer is no JSON.
    Unreadable {
        /// The answer.
        payload: String,
        /// What the process had written.
        output: Output,
    },
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function { error, output } => write!(
                f,
                "the function failed with {}: {}\n{output}",
                error.error_type, error.message
            ),
            Self::Init { error, output } => write!(
                f,
                "the function could not start, with {}: {}\n{output}",
                error.error_type, error.message
            ),
            Self::Exited { status, output } => {
                write!(f, "the process ended with {status}\n{output}")
            }
            Self::TimedOut { after, output } => {
                write!(f, "no answer after {after:?}\n{output}")
            }
            Self::Unreadable { payload, output } => {
                write!(f, "the answer is no JSON: {payload}\n{output}")
            }
        }
    }
}

impl fmt::Debug for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for InvokeError {}
