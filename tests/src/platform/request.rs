use super::{Destination, Transfer, public_key};
use crate::{fixtures, query};
use axum::body::{Bytes, to_bytes};
use jiff::Timestamp;
use serde_json::Value;
use std::{fmt, time::Instant};

/// The longest body that is read, in bytes. Far above any NCCO.
const BODY_LENGTH_MAX: usize = 4 * 1024 * 1024;

/// A request that came in. Its `Debug` shows method, path and status, and nothing secret.
#[derive(Clone)]
pub struct Request {
    /// Such as `PUT`.
    pub method: String,
    /// Up to the `?`.
    pub path: String,
    /// Name and decoded value, in their order.
    pub query: Vec<(String, String)>,
    /// As it came.
    pub(super) raw_query: String,
    /// Name in lower case and value, in their order.
    pub headers: Vec<(String, String)>,
    /// The JSON body; null where there is none or it does not read.
    pub body: Value,
    /// When its head arrived.
    pub at: Instant,
    /// Whether its application token is sound.
    pub sound: bool,
    /// What it was answered with; `None` while it is under way, hangs or was dropped.
    pub status: Option<u16>,
}

impl Request {
    /// The first header of this name (in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(header, _)| header == name)?;
        Some(value)
    }

    /// The token of `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// The transfer this is, if it is one and was accepted.
    #[must_use]
    pub fn transfer(&self) -> Option<Transfer> {
        let leg = self.path.strip_prefix("/v1/calls/")?;
        if self.status != Some(204) || self.method != "PUT" || self.body["action"] != "transfer" {
            return None;
        }
        let destination = &self.body["destination"];
        let to = match destination["url"][0].as_str() {
            Some(url) => Destination::Url(url.to_owned()),
            None => Destination::Ncco(destination["ncco"].clone()),
        };
        Some(Transfer {
            leg: leg.to_owned(),
            to,
        })
    }

    pub(super) async fn take(request: axum::extract::Request) -> (Self, Bytes) {
        let at = Instant::now();
        let (parts, body) = request.into_parts();
        let headers = parts.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        let body = to_bytes(body, BODY_LENGTH_MAX).await.unwrap_or_default();
        let mut request = Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: query::pairs(parts.uri.query().unwrap_or_default()),
            raw_query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: headers.collect(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            at,
            sound: false,
            status: None,
        };
        request.sound = switchboard_phone::admits(
            &public_key(),
            fixtures::APPLICATION_ID,
            request.header("authorization"),
            Timestamp::now(),
        );
        (request, body)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        match self.status {
            Some(status) => write!(f, " -> {status}"),
            None => f.write_str(" -> no answer"),
        }
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transfer({}, {:?})", self.leg, self.to)
    }
}

/// Names the actions and not what they say: texts and numbers stay out.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(_) => f.write_str("Url"),
            Self::Ncco(ncco) => {
                let actions = ncco.as_array().into_iter().flatten();
                f.write_str("Ncco")?;
                f.debug_list()
                    .entries(actions.map(|action| action["action"].as_str().unwrap_or("?")))
                    .finish()
            }
        }
    }
}
