//! `make bench`: how fast the answer function is, beside a bare Lambda, in one run.
//!
//! Both run as processes under the same Runtime API on this machine; the answer function writes each
//! call to the embedded DynamoDB. Figures are ratios first, since machines differ.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on stops")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use switchboard_tests::lambda::Lambda;
use switchboard_tests::world::World;
use switchboard_tests::{envelope, unique, world};

/// Starts measured per function; the median counts.
const COLD: usize = 15;
/// Requests measured on a warm function.
const WARM: usize = 1_000;

struct Figures {
    cold: Duration,
    median: Duration,
    p99: Duration,
    rss_mib: f64,
}

#[tokio::main]
async fn main() {
    let world = World::open().await;
    let folder = folder();
    let hello = measure(&folder.join("hello"), &world, Vec::new()).await;
    let environment = environment(&world);
    let answer = measure(&folder.join("answer"), &world, environment).await;
    let machine = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let machine = machine
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    say(&format!(
        "{} · {cores} cores · {}",
        machine.unwrap_or("unknown machine"),
        jiff::Zoned::now().date()
    ));
    say("");
    say("                                hello      answer      ratio");
    let row = |name: &str, hello: f64, answer: f64, unit: &str| {
        say(&format!(
            "{name:<26} {hello:>8.2} {unit} {answer:>8.2} {unit} {:>8.2} ×",
            answer / hello
        ));
    };
    row(
        "exec to first response",
        ms(hello.cold),
        ms(answer.cold),
        "ms",
    );
    row("warm, median", ms(hello.median), ms(answer.median), "ms");
    row("warm, 99 of 100", ms(hello.p99), ms(answer.p99), "ms");
    row("memory (RSS)", hello.rss_mib, answer.rss_mib, "MB");
}

#[allow(clippy::print_stdout, reason = "this is what it is for")]
fn say(line: &str) {
    println!("{line}");
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// The folder of the optimised binaries, as the Makefile names it.
fn folder() -> PathBuf {
    std::env::args_os()
        .nth(1)
        .expect("run me by `make bench`")
        .into()
}

fn environment(world: &World) -> Vec<(String, String)> {
    let mut all: Vec<_> = world.board.environment().pairs().collect();
    all.extend(world.board.engines().environment());
    all
}

async fn measure(binary: &Path, world: &World, environment: Vec<(String, String)>) -> Figures {
    let mut cold = Vec::new();
    for _ in 0..COLD {
        let event = call(world);
        let started = Instant::now();
        let function = Lambda::start(binary, environment.clone());
        check(&function.invoke(event).await.unwrap());
        cold.push(started.elapsed());
    }
    let function = Lambda::start(binary, environment);
    check(&function.invoke(call(world)).await.unwrap());
    let mut warm = Vec::new();
    for _ in 0..WARM {
        let event = call(world);
        let started = Instant::now();
        check(&function.invoke(event).await.unwrap());
        warm.push(started.elapsed());
    }
    let rss_mib = rss(function.pid());
    cold.sort();
    warm.sort();
    Figures {
        cold: cold[COLD / 2],
        median: warm[WARM / 2],
        p99: warm[WARM * 99 / 100],
        rss_mib,
    }
}

/// A signed call to a line that rings: one write, one decision, one script.
fn call(world: &World) -> Value {
    let body = world::incoming("447700900004", &unique::uuid()).to_string();
    let token = format!("Bearer {}", world.signer.post(body.as_bytes()));
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    envelope::api_gateway_v2(
        "POST",
        "/webhooks/answer",
        "",
        &headers,
        body.as_bytes(),
        false,
    )
}

fn check(response: &Value) {
    let (status, _, _) = envelope::response_parts(response);
    assert_eq!(status, 200, "{response}");
}

/// Resident memory of a process, in MiB.
fn rss(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
