//! Calls that were never made: a scenario, played by the phone against a board of its own, on a clock
//! that jumps from one thing that happens to the next.

pub mod ledger;
pub mod load;
mod outage;
mod play;
pub mod scenario;
pub mod transcript;

pub use play::{Caller, Played, Simulation, Stack, play, rehearse};
pub use scenario::Scenario;
