//! A function that is measured.

use super::stage::Stage;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use switchboard_tests::lambda::Lambda;
use switchboard_tests::{envelope, unique, world};

/// A program under the Runtime API, and how it is named in a table.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

impl Subject {
    pub(crate) fn start(&self) -> Lambda {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments);
        Lambda::run(command, self.environment.clone())
    }

    /// The same program, started by another that looks at it.
    pub(crate) fn under(&self, program: &str, arguments: &[String]) -> Self {
        let mut all = arguments.to_vec();
        all.push(self.program.display().to_string());
        all.extend(self.arguments.iter().cloned());
        Self {
            program: program.into(),
            arguments: all,
            ..self.clone()
        }
    }
}

/// A signed call to a line that rings: one write, one decision, one script.
pub(crate) fn call(stage: &Stage) -> Value {
    call_to(stage, "447700900004")
}

/// A signed call to a line.
pub(crate) fn call_to(stage: &Stage, line: &str) -> Value {
    let call = world::incoming(line, &unique::uuid());
    webhook(stage, "/webhooks/answer", &call)
}

/// A webhook as Vonage signs it.
pub(crate) fn webhook(stage: &Stage, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let token = stage.world.signer.post(body.as_bytes());
    post(path, &token, &body)
}

/// A request through the API, by whoever has this token.
pub(crate) fn post(path: &str, token: &str, body: &str) -> Value {
    let token = format!("Bearer {token}");
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    envelope::api_gateway_v2("POST", path, "", &headers, body.as_bytes(), false)
}

/// Hands over one event, and insists on a good answer.
pub(crate) async fn answer(function: &Lambda, event: Value) -> Value {
    let response = function.invoke(event).await.unwrap();
    let (status, _, body) = envelope::response_parts(&response);
    assert_eq!(status, 200, "{response}");
    serde_json::from_slice(&body).unwrap()
}

/// A figure of a running process's `/proc/PID/status`, in MiB.
pub(crate) fn memory(function: &Lambda, figure: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", function.pid()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
