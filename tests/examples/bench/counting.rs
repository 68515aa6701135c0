//! A DynamoDB that counts: requests, and the capacity units they are billed.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::{Arc, Mutex};
use switchboard_cli::meter::units;
use switchboard_tests::loopback::Loopback;
use switchboard_tests::world;

/// What was asked, and what it cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bill {
    /// The operations, in order.
    pub(crate) operations: Vec<String>,
    pub(crate) units: f64,
}

/// Passes requests on, and asks for the bill of each.
pub(crate) struct Counting {
    bill: Arc<Mutex<Bill>>,
    server: Loopback,
}

#[derive(Clone)]
struct Gate {
    bill: Arc<Mutex<Bill>>,
    http: reqwest::Client,
    to: String,
}

impl Counting {
    pub(crate) fn before(url: &str) -> Self {
        let bill = Arc::<Mutex<Bill>>::default();
        let gate = Gate {
            bill: bill.clone(),
            http: world::http(),
            to: url.to_owned(),
        };
        let server = Loopback::serve(Router::new().fallback(pass).with_state(gate));
        Self { bill, server }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The bill since it was last taken.
    pub(crate) fn take(&self) -> Bill {
        std::mem::take(&mut *self.bill.lock().unwrap())
    }
}

async fn pass(State(gate): State<Gate>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").unwrap().clone();
    let mut asked: Value = serde_json::from_slice(&body).unwrap();
    asked["ReturnConsumedCapacity"] = "TOTAL".into();
    let mut request = gate.http.post(&gate.to).body(asked.to_string());
    for (name, value) in &headers {
        if name != header::CONTENT_LENGTH && name != header::HOST {
            request = request.header(name, value);
        }
    }
    let answer = request.send().await.unwrap();
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap();
    let text = answer.text().await.unwrap();
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    let operation = target.to_str().unwrap().rsplit('.').next().unwrap();
    let mut bill = gate.bill.lock().unwrap();
    bill.operations.push(operation.to_owned());
    bill.units += units(&said);
    (status, text).into_response()
}
