//! Whole calls, through the board and through the built Lambda binaries.

// The harness: a Lambda runtime API, a stand-in for Vonage's REST side, signatures.
pub mod captured;
pub mod clock;
pub mod envelope;
pub mod fixtures;
pub mod jwt;
pub mod lambda;
pub mod loopback;
pub mod platform;
pub mod query;
pub mod unique;
pub mod webhook_signing;
pub mod world;

// The tests.
mod queue;
mod scenarios;
