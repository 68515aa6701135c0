//! How fast the board answered, beside what the loopback alone takes.

use super::Played;
use axum::Router;
use axum::body::Bytes;
use serde::Serialize;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};
use switchboard_phone::What;

/// Bare round trips that are measured.
const BARE: usize = 400;

/// Measured times, in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Times {
    /// How many.
    pub count: usize,
    /// Half of them took no longer.
    pub p50: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

impl Times {
    /// Of these; none of nothing.
    #[must_use]
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let at = |share: usize| {
            let index = (times.len() * share).div_ceil(100).saturating_sub(1);
            times.get(index).map(|time| time.as_secs_f64() * 1000.0)
        };
        Some(Self {
            count: times.len(),
            p50: at(50)?,
            p99: at(99)?,
        })
    }
}

/// How long the board took to answer, for those webhooks whose path ends thus.
#[must_use]
pub fn replies(played: &Played, path: &str) -> Vec<Duration> {
    let replies = played.entries.iter().filter_map(|entry| match &entry.what {
        What::Reply { name, took, .. } if name.ends_with(path) => Some(*took),
        _ => None,
    });
    replies.collect()
}

/// Round trips to a server that says yes to everything, one after the other: what no server could do
/// better.
///
/// # Errors
/// When no port can be had, or the server does not answer.
pub async fn bare(http: &reqwest::Client) -> anyhow::Result<Vec<Duration>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    let router = Router::new().fallback(async |_: Bytes| "[]");
    let served = tokio::spawn(async move { axum::serve(listener, router).await });
    // As long as an answer webhook's.
    let body = "x".repeat(250);
    let mut times = Vec::with_capacity(BARE);
    for _ in 0..BARE {
        let began = Instant::now();
        let response = http.post(&url).body(body.clone()).send().await?;
        response.bytes().await?;
        times.push(began.elapsed());
    }
    served.abort();
    Ok(times)
}
