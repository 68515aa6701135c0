//! What API Gateway hands to the functions behind HTTP: the envelope, the request in it, and the
//! answer on its way back.

use crate::functions::{APPLICATION, FUNCTIONS, OPERATOR, SECRET};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use jiff::Timestamp;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Context, LambdaEvent, Service};
use serde_json::{Value, json};
use switchboard_shared::ncco::check::{Severity, check_value};
use switchboard_shared::signature::{sign_get, sign_post};
use url::Url;

/// Every refusal there is, word for word: so none can carry anything of the request.
const REFUSALS: [(u64, &str, &str); 11] = [
    (400, "unreadable", "the request does not read"),
    (400, "unreadable", "the body did not arrive"),
    (400, "no-agent", "say which agent: /agentfree?agent=NAME"),
    (401, "unsigned", "the request is not signed as it must be"),
    (
        401,
        "unauthorized",
        "the request carries no valid token or link",
    ),
    (404, "not-found", "there is no such page"),
    (404, "not-found", "there is no such call"),
    (404, "no-agent", "the plan has no agent of that name"),
    (405, "method", "this page is not asked with that method"),
    (503, "later", "something we need is away for now"),
    (503, "later", "something we need is away; say it again"),
];

/// Longest answer: the script of a caller on hold has some kilobytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Who sends the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sender {
    Anybody,
    Vonage,
    Operator,
}

/// Reads the bytes as an event of API Gateway and has it answered as it came, then signed as Vonage
/// would, then with an operator's token.
///
/// # Panics
/// When somebody gets in who should not, or an answer is not in our form.
pub fn target(data: &[u8]) {
    // The envelope itself, in whatever state, is an error and no panic.
    let read = serde_json::from_slice::<LambdaRequest>(data);
    let Ok(event) = serde_json::from_slice::<Value>(data) else {
        return;
    };
    if read.is_err() || !has_an_address(&event) || body(&event).is_none() {
        return;
    }
    answered(&event, Sender::Anybody);
    for sender in [Sender::Vonage, Sender::Operator] {
        if let Some(event) = authorized(&event, sender) {
            answered(&event, sender);
        }
    }
}

/// The address of the request, as it is put together from its parts, is one. The gateway has parsed
/// it before, so nothing else arrives; and the platform's own crate counts on it.
fn has_an_address(event: &Value) -> bool {
    let context = &event["requestContext"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let header = |name: &str| {
        let all = event["headers"].as_object().into_iter().flatten();
        let mut named = all.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.next_back().map(|(_, value)| text(value))
    };
    let host = header("host").unwrap_or_else(|| text(&context["domainName"]));
    let stage = text(&context["stage"]);
    let (path, query) = (text(&event["rawPath"]), text(&event["rawQueryString"]));
    let scheme = header("x-forwarded-proto").unwrap_or_else(|| "https".to_owned());
    let url = format!("{scheme}://{host}{path}");
    matches!(scheme.as_str(), "http" | "https")
        && matches!(stage.as_str(), "" | "$default")
        && path.starts_with('/')
        && !host.is_empty()
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':'))
        && Url::parse(&url).is_ok_and(|url| format!("{url}?{query}").parse::<Uri>().is_ok())
        && url.parse::<Uri>().is_ok()
}

/// The body of the request; none where its base64 is none. The gateway has made it, and the
/// platform's own crate counts on that.
fn body(event: &Value) -> Option<Vec<u8>> {
    let body = event["body"].as_str().unwrap_or_default();
    match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).ok(),
        _ => Some(body.as_bytes().to_vec()),
    }
}

/// The same event with a header that lets it in, if it is a webhook or a request of our people.
fn authorized(event: &Value, sender: Sender) -> Option<Value> {
    let method = event["requestContext"]["http"]["method"].as_str()?;
    let query = event["rawQueryString"].as_str().unwrap_or_default();
    let body = body(event)?;
    let (secret, now) = (SECRET.into(), Timestamp::now());
    let header = match sender {
        Sender::Anybody => return None,
        Sender::Operator => format!("Bearer {OPERATOR}"),
        Sender::Vonage if method == "GET" => sign_get(&secret, APPLICATION, None, query, now),
        Sender::Vonage => sign_post(&secret, APPLICATION, None, &body, now),
    };
    let mut event = event.clone();
    let headers = event.as_object_mut()?.entry("headers").or_insert(json!({}));
    let headers = headers.as_object_mut()?;
    headers.retain(|name, _| !name.eq_ignore_ascii_case("authorization"));
    headers.insert("authorization".to_owned(), header.into());
    Some(event)
}

fn answered(event: &Value, sender: Sender) {
    let text = event.to_string();
    let request: LambdaRequest = serde_json::from_str(&text).expect("it read before");
    let functions = &*FUNCTIONS;
    let mut service = Adapter::from(functions.router.clone());
    let answer = service.call(LambdaEvent::new(request, Context::default()));
    let answer = functions
        .runtime
        .block_on(answer)
        .expect("a router always answers");
    let answer = serde_json::to_value(answer).expect("an answer is JSON");
    let status = answer["statusCode"].as_u64().expect("a status");
    let body = answer["body"].as_str().unwrap_or_default();
    assert!(body.len() <= ANSWER_MAX, "{} bytes", body.len());
    assert_ne!(answer["isBase64Encoded"], true, "our answers are text");
    if event["requestContext"]["http"]["method"] == "HEAD" {
        return;
    }
    let path = event["rawPath"].as_str().unwrap_or_default();
    if status == 200 {
        let webhook = path.starts_with("/webhooks/");
        assert!(
            !webhook || sender == Sender::Vonage,
            "{sender:?} got into {path}"
        );
        good(event, webhook, body);
    } else if path == "/agentfree" && body.starts_with("<!doctype html>") {
        good(event, false, body);
    } else {
        refused(status, body);
    }
}

/// In our form, in our words.
fn refused(status: u64, body: &str) {
    let json: Value = serde_json::from_str(body).unwrap_or_else(|_| panic!("{status}: {body}"));
    let too_large = status == 413 && json["error"]["code"] == "too-large";
    let known = |(s, code, message): &(u64, &str, &str)| {
        *s == status && json == json!({ "error": { "code": code, "message": message } })
    };
    assert!(too_large || REFUSALS.iter().any(known), "{status}: {json}");
}

/// A script that Vonage takes, or a page of ours in which nobody else writes.
fn good(event: &Value, webhook: bool, body: &str) {
    if webhook {
        let script: Value = serde_json::from_str(body).expect("a script is JSON");
        let faults = check_value(&script);
        let sound = faults
            .iter()
            .all(|fault| fault.severity == Severity::Warning);
        assert!(sound, "{faults:?} in {body}");
        return;
    }
    let query = event["rawQueryString"].as_str().unwrap_or_default();
    for (_, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let markup = value.contains(['<', '"', '&']) && value.len() > 4;
        assert!(
            !markup || !body.contains(value.as_ref()),
            "{value} in {body}"
        );
    }
}
