//! The events in which AWS hands requests, messages and schedules to a function.

pub mod md5;

use crate::{clock, query, unique};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// The account that every event names.
pub const ACCOUNT: &str = "123456789012";
/// The region that every event names.
pub const REGION: &str = "eu-west-1";
/// The host of the HTTP API, unless the request brings a `Host` of its own (a custom domain).
pub const DOMAIN: &str = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com";

const SOURCE_IP: &str = "203.0.113.7";
const ROUTE_KEY: &str = "$default";

/// An API Gateway HTTP API event, payload format 2.0.
///
/// `path` and `raw_query` go in as they stand in the request line. `base64` says how the body is
/// carried; API Gateway does so for content types that are not text.
///
/// See [AWS/Lambda proxy integrations](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
///
/// # Panics
/// When the query cannot stand in a URL, or the body is not UTF-8 and `base64` is false.
#[must_use]
pub fn api_gateway_v2(
    method: &str,
    path: &str,
    raw_query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
    base64: bool,
) -> Value {
    let now = clock::epoch_ms();
    let headers = gateway_headers(headers, body.len());
    let user_agent = headers.get("user-agent").cloned();
    let domain = headers["host"].as_str().unwrap_or(DOMAIN).to_owned();
    let prefix = domain.split('.').next().unwrap_or_default();
    let mut event = json!({
        "version": "2.0",
        "routeKey": ROUTE_KEY,
        "rawPath": path,
        "rawQueryString": raw_query,
        "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": DOMAIN.split('.').next(),
            "domainName": domain,
            "domainPrefix": prefix,
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": SOURCE_IP,
                "userAgent": user_agent.unwrap_or_default(),
            },
            "requestId": unique::uuid(),
            "routeKey": ROUTE_KEY,
            "stage": "$default",
            "time": clock::common_log(now / 1000),
            "timeEpoch": now,
        },
        "isBase64Encoded": base64,
    });
    let fields = event.as_object_mut().expect("an event is an object");
    // What a request does not have is left out, not null. Cookies have a place of their own.
    if let Some(cookies) = fields["headers"]
        .as_object_mut()
        .and_then(|headers| headers.remove("cookie"))
    {
        let cookies: Vec<&str> = cookies.as_str().unwrap_or_default().split("; ").collect();
        fields.insert("cookies".to_owned(), json!(cookies));
    }
    let parameters = joined(query::pairs(raw_query), ",");
    if !parameters.is_empty() {
        fields.insert("queryStringParameters".to_owned(), parameters.into());
    }
    if !body.is_empty() {
        let body = if base64 {
            STANDARD.encode(body)
        } else {
            String::from_utf8(body.to_vec()).expect("a body that is not base64 is UTF-8")
        };
        fields.insert("body".to_owned(), body.into());
    }
    event
}

/// Status, headers and body that API Gateway makes of what a function answered.
///
/// An answer without `statusCode` is the body of a 200. `cookies` become `set-cookie`.
///
/// # Panics
/// When a field has a shape that API Gateway would answer with a 500.
#[must_use]
pub fn response_parts(answer: &Value) -> (u16, Vec<(String, String)>, Vec<u8>) {
    let Some(status) = answer.get("statusCode") else {
        let json = ("content-type".to_owned(), "application/json".to_owned());
        return (200, vec![json], answer.to_string().into_bytes());
    };
    let status = status
        .as_u64()
        .and_then(|status| u16::try_from(status).ok())
        .unwrap_or_else(|| panic!("statusCode is not a status: {status}"));
    let mut headers = Vec::new();
    if let Some(fields) = answer.get("headers").and_then(Value::as_object) {
        for (name, value) in fields {
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            headers.push((name.to_ascii_lowercase(), value));
        }
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().expect("a cookie is text");
        headers.push(("set-cookie".to_owned(), cookie.to_owned()));
    }
    let body = match &answer["body"] {
        Value::Null => "",
        body => body.as_str().expect("a body is text"),
    };
    let body = if answer["isBase64Encoded"] == true {
        STANDARD.decode(body).expect("a base64 body is base64")
    } else {
        body.as_bytes().to_vec()
    };
    (status, headers, body)
}

/// A batch of messages as the SQS event source hands it over, each received for the first time.
///
/// See [AWS/Using Lambda with Amazon SQS](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html).
#[must_use]
pub fn sqs_batch(queue_arn: &str, bodies: &[impl AsRef<str>]) -> Value {
    let region = queue_arn.split(':').nth(3).unwrap_or(REGION);
    let records: Vec<Value> = bodies
        .iter()
        .map(|body| {
            let now = clock::epoch_ms();
            json!({
                "messageId": unique::uuid(),
                "receiptHandle": STANDARD.encode(unique::uuid()),
                "body": body.as_ref(),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": now.to_string(),
                    "SenderId": ACCOUNT,
                    "ApproximateFirstReceiveTimestamp": now.to_string(),
                },
                "messageAttributes": {},
                "md5OfBody": md5::hex(body.as_ref().as_bytes()),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region,
            })
        })
        .collect();
    json!({"Records": records})
}

/// What an EventBridge rule with a schedule sends (SAM's event type `Schedule`).
///
/// See [AWS/EventBridge scheduled rules](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html).
#[must_use]
pub fn scheduled() -> Value {
    json!({
        "version": "0",
        "id": unique::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": clock::iso8601(clock::epoch_seconds()),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/sweep")],
        "detail": {},
    })
}

/// The headers as they arrive behind the gateway: names in lower case, repeats joined, and those
/// that the gateway sets itself where the request has none.
fn gateway_headers(headers: &[(&str, &str)], length: usize) -> Map<String, Value> {
    let (cookies, others): (Vec<_>, Vec<_>) = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), (*value).to_owned()))
        .partition(|(name, _)| name == "cookie");
    let mut all = joined(others, ",");
    all.extend(joined(cookies, "; "));
    let length = length.to_string();
    let trace = format!(
        "Root=1-{:08x}-{}",
        clock::epoch_seconds(),
        &unique::uuid().replace('-', "")[..24]
    );
    for (name, value) in [
        ("host", DOMAIN),
        ("content-length", &length),
        ("x-amzn-trace-id", &trace),
        ("x-forwarded-for", SOURCE_IP),
        ("x-forwarded-port", "443"),
        ("x-forwarded-proto", "https"),
    ] {
        all.entry(name).or_insert_with(|| value.into());
    }
    all
}

fn joined(pairs: Vec<(String, String)>, separator: &str) -> Map<String, Value> {
    let mut all: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        let value = match all.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before}{separator}{value}"),
            None => value,
        };
        all.insert(name, value.into());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_a_payload_2_0_event() {
        let event = api_gateway_v2(
            "POST",
            "/webhooks/event",
            "a=1&b=x%20y&a=2",
            &[
                ("Content-Type", "application/json"),
                ("Accept", "a"),
                ("accept", "b"),
                ("Cookie", "one=1; two=2"),
                ("User-Agent", "test"),
            ],
            b"{}",
            false,
        );
        assert_eq!(event["version"], "2.0");
        assert_eq!(event["rawPath"], "/webhooks/event");
        assert_eq!(event["rawQueryString"], "a=1&b=x%20y&a=2");
        assert_eq!(
            event["queryStringParameters"],
            json!({"a": "1,2", "b": "x y"})
        );
        assert_eq!(event["headers"]["content-type"], "application/json");
        assert_eq!(event["headers"]["accept"], "a,b");
        assert_eq!(event["headers"]["host"], DOMAIN);
        assert_eq!(event["headers"]["content-length"], "2");
        assert_eq!(event["headers"].get("cookie"), None);
        assert_eq!(event["cookies"], json!(["one=1", "two=2"]));
        let context = &event["requestContext"];
        assert_eq!(context["http"]["method"], "POST");
        assert_eq!(context["http"]["path"], "/webhooks/event");
        assert_eq!(context["http"]["userAgent"], "test");
        assert_eq!(context["stage"], "$default");
        assert_eq!(context["domainName"], DOMAIN);
        assert!(context["timeEpoch"].as_u64().unwrap() > 1_600_000_000_000);
        assert_eq!(event["body"], "{}");
        assert_eq!(event["isBase64Encoded"], false);
    }

    #[test]
    fn what_a_request_lacks_is_left_out() {
        let event = api_gateway_v2(
            "GET",
            "/healthz",
            "",
            &[("Host", "calls.example.com")],
            b"",
            false,
        );
        for field in ["body", "queryStringParameters", "cookies"] {
            assert_eq!(event.get(field), None, "{field}");
        }
        assert_eq!(event["requestContext"]["domainName"], "calls.example.com");
        assert_eq!(event["requestContext"]["domainPrefix"], "calls");
    }

    #[test]
    fn a_body_in_base64_reads_back() {
        let event = api_gateway_v2("POST", "/", "", &[], &[0, 255], true);
        assert_eq!(event["body"], "AP8=");
        assert_eq!(event["isBase64Encoded"], true);
        let answer = json!({"statusCode": 200, "body": "AP8=", "isBase64Encoded": true});
        assert_eq!(response_parts(&answer).2, [0, 255]);
    }

    #[test]
    fn an_answer_comes_apart_as_the_gateway_takes_it_apart() {
        let answer = json!({
            "statusCode": 404,
            "headers": {"Content-Type": "text/plain"},
            "cookies": ["a=1", "b=2"],
            "body": "not here",
            "isBase64Encoded": false,
        });
        let (status, headers, body) = response_parts(&answer);
        let expected = [
            ("content-type", "text/plain"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ];
        assert_eq!(status, 404);
        assert_eq!(
            headers,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(body, b"not here");
        assert_eq!(response_parts(&json!({"ok": true})).2, br#"{"ok":true}"#);
        assert_eq!(
            response_parts(&json!({"statusCode": 204, "body": null})).2,
            b""
        );
    }

    #[test]
    fn a_batch_names_its_queue_and_hashes_its_bodies() {
        let arn = "arn:aws:sqs:eu-central-1:123456789012:archive";
        let batch = sqs_batch(arn, &["hello", "world"]);
        let records = batch["Records"].as_array().unwrap();
        assert_eq!(records.len(), 2);
        assert_ne!(records[0]["messageId"], records[1]["messageId"]);
        assert_eq!(records[0]["body"], "hello");
        assert_eq!(records[0]["md5OfBody"], "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(records[0]["awsRegion"], "eu-central-1");
        assert_eq!(records[1]["eventSourceARN"], arn);
        assert_eq!(records[1]["attributes"]["ApproximateReceiveCount"], "1");
    }
}
