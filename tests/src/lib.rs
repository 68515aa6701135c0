//! What the tests of whole calls stand on: a board with a Vonage beside it, a Lambda Runtime API,
//! AWS's event envelopes, webhook signatures. The tests are in `it/`.

#![allow(
    clippy::unwrap_used,
    reason = "it serves tests: what fails here fails them"
)]

pub mod binary;
pub mod captured;
pub mod clock;
pub mod envelope;
pub mod fixtures;
pub mod jwt;
pub mod lambda;
pub mod loopback;
pub mod outside;
pub mod platform;
pub mod query;
pub mod scenario;
pub mod shell;
pub mod template;
pub mod tls;
pub mod unique;
pub mod webhook_signing;
pub mod wire;
pub mod world;
