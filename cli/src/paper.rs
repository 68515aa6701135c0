//! Vonage on paper: where no `VONAGE_API_URL` says otherwise, the board's requests to Vonage end
//! here and are read out, so that a newcomer without an account sees what would happen. Nothing
//! rings.

use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;

/// Says what Vonage would be asked to do, and agrees.
pub(crate) fn router() -> Router {
    Router::new().fallback(read_out)
}

async fn read_out(method: Method, uri: Uri, body: Bytes) -> Response {
    tracing::info!(
        "Vonage would be asked: {method} {} {}",
        uri.path(),
        String::from_utf8_lossy(&body)
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
