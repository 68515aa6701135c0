//! Vonage on paper: where no `VONAGE_API_URL` says otherwise, the board's requests to Vonage end
//! here and are read out, so that a newcomer without an account sees what would happen. Nothing
//! rings.

use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use switchboard_shared::number::mask;

/// Says what Vonage would be asked to do, and agrees.
pub(crate) fn router() -> Router {
    Router::new().fallback(read_out)
}

async fn read_out(method: Method, uri: Uri, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    tracing::info!(
        "Vonage would be asked: {method} {}{}",
        uri.path(),
        words(&body)
    );
    match method {
        Method::PUT => StatusCode::NO_CONTENT.into_response(),
        // Recordings and calls are not here.
        Method::GET => {
            let missing = json!({ "type": "NOT_FOUND", "error_title": "Not Found" });
            (StatusCode::NOT_FOUND, Json(missing)).into_response()
        }
        _ => StatusCode::NOT_IMPLEMENTED.into_response(),
    }
}

/// What a request asks for, in words that may stand in a log.
fn words(body: &Value) -> String {
    let action = body["action"].as_str().unwrap_or_default();
    let script = body["destination"]["ncco"].as_array();
    let steps: Vec<_> = script.into_iter().flatten().map(step).collect();
    match steps.as_slice() {
        [] => format!(" {action}"),
        steps => format!(" {action} to: {}", steps.join(", ")),
    }
}

fn step(action: &Value) -> String {
    let kind = action["action"].as_str().unwrap_or_default();
    match (
        kind,
        action["text"].as_str(),
        action["endpoint"][0]["number"].as_str(),
    ) {
        ("talk", Some(text), _) => format!("talk “{text}”"),
        ("connect", _, Some(number)) => format!("connect {}", mask(number)),
        _ => kind.to_owned(),
    }
}
