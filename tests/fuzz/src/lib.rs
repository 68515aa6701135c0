//! Hostile input, one noun per file: each `target` takes any bytes and holds what must be true of
//! them, whatever they are. A fuzzer drives them for long (`make fuzz`), `it/short.rs` for seconds.

#![allow(clippy::unwrap_used, reason = "what fails here is what is looked for")]

pub mod address;
pub mod batch;
pub mod cue;
mod functions;
pub mod gateway;
pub mod job;
pub mod json;
pub mod ncco;
pub mod plan;
pub mod token;
pub mod webhook;

/// A target by its name, which is that of its binary, its corpus and its dictionary.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// `ncco`.
    pub name: &'static str,
    /// Panics where something does not hold.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    target("address", address::target),
    target("batch", batch::target),
    target("cue", cue::target),
    target("gateway", gateway::target),
    target("job", job::target),
    target("ncco", ncco::target),
    target("plan", plan::target),
    target("token", token::target),
    target("webhook", webhook::target),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}
