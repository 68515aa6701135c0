//! The queue protocol in every order in which it can happen, for a few callers and agents.
//!
//! The handlers are the real ones, behind the real AWS SDK; the table is the board's engine, called in
//! this process. Each request that a handler makes stops there until the search says that it is
//! served. So a schedule is a list of choices, and the search makes all of them:
//!
//! - `table`: rows in, request in, rows and reply out
//! - `office`: runs one handler up to its next request
//! - `program`: what a handler does after which replies, worked out once
//! - `phone`: what the callers and agents hear, and what they do about it
//! - `state`, `step`: where everybody stands, and what can happen next
//! - `rule`: what must hold
//! - `search`: all orders, each state once; the shortest way to a rule that is broken
//! - `cases`: who calls and who is free; `mutants`: conditions left out, each of which must show

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::print_stdout,
    reason = "how much was searched is half of what is shown"
)]

mod cases;
mod mutants;
mod mutation;
mod office;
mod phone;
mod program;
mod rule;
mod search;
mod state;
mod step;
mod table;
mod task;
mod text;
