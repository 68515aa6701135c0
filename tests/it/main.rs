//! Whole calls, through the board and through the built Lambda binaries.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

pub(crate) use switchboard_tests::*;

mod captured_calls;
mod cli;
mod clock;
mod doctor;
mod flood;
mod functions;
mod hostile;
mod hotline;
mod ledger;
mod notify;
mod phone;
mod plans;
mod queue;
mod recordings;
mod restart;
mod roles;
mod scenarios;
mod setup;
mod stack;
mod voice;
