//! Whole calls, through the board and through the built Lambda binaries.

pub(crate) use switchboard_tests::*;

mod queue;
mod scenarios;
