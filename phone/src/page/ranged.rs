//! A file, whole or the part that was asked for: no browser plays from the middle of what it cannot ask
//! for in parts.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_range_header::parse_range_header;

/// Answers a GET for a file.
///
/// `206` with the part that the `Range` asks for, `416` where the file has no such part. The whole for
/// who asks for several parts or not in bytes: that is always allowed, and nobody here does.
pub fn ranged(asked: &HeaderMap, kind: &str, whole: Bytes) -> Response {
    let length = whole.len();
    let range = asked
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok())
        .and_then(|range| parse_range_header(range).ok())
        .map(|range| range.validate(length as u64));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::ACCEPT_RANGES, "bytes"),
    ];
    match range.as_ref().map(|ranges| ranges.as_deref()) {
        Some(Ok([range])) => {
            let (first, last) = (*range.start(), *range.end());
            let part = whole.slice(first as usize..=last as usize);
            let place = format!("bytes {first}-{last}/{length}");
            let place = [(header::CONTENT_RANGE, place)];
            (StatusCode::PARTIAL_CONTENT, headers, place, part).into_response()
        }
        Some(Err(_)) => {
            let size = [(header::CONTENT_RANGE, format!("bytes */{length}"))];
            (StatusCode::RANGE_NOT_SATISFIABLE, size).into_response()
        }
        Some(Ok(_)) | None => (headers, whole).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_is_asked_for_is_what_comes() {
        let rows = [
            (None, 200, None, "0123456789"),
            (Some("bytes=0-"), 206, Some("bytes 0-9/10"), "0123456789"),
            (Some("bytes=2-4"), 206, Some("bytes 2-4/10"), "234"),
            (Some("bytes=7-99"), 206, Some("bytes 7-9/10"), "789"),
            (Some("bytes=-3"), 206, Some("bytes 7-9/10"), "789"),
            (Some("bytes=10-"), 416, Some("bytes */10"), ""),
            (Some("bytes=0-1,4-5"), 200, None, "0123456789"),
            (Some("lines=1-2"), 200, None, "0123456789"),
            (Some("bytes=two"), 200, None, "0123456789"),
        ];
        for (range, status, content_range, body) in rows {
            let mut asked = HeaderMap::new();
            if let Some(range) = range {
                asked.insert(header::RANGE, range.parse().expect("a header"));
            }
            let answer = ranged(&asked, "audio/wav", Bytes::from_static(b"0123456789"));
            let said = |name| answer.headers().get(name).and_then(|v| v.to_str().ok());
            assert_eq!(answer.status(), status, "{range:?}");
            assert_eq!(said(header::CONTENT_RANGE), content_range, "{range:?}");
            let parts = said(header::ACCEPT_RANGES);
            assert_eq!(parts, (status != 416).then_some("bytes"), "{range:?}");
            let sent = axum::body::to_bytes(answer.into_body(), 100).await;
            assert_eq!(sent.expect("a body"), body, "{range:?}");
        }
    }
}
