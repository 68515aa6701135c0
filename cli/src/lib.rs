//! The board, and the operator's commands.

pub mod board;
pub mod cloud;
pub mod command;
pub mod engines;
pub mod environment;
pub mod plan_change;
pub mod plan_diff;
pub mod plan_graph;
pub mod plan_report;
mod poller;
mod reception;
pub mod secrets;
mod serve;
pub mod simulate;
pub mod trial;
mod work;
