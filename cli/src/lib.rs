//! The board, and the operator's commands.

pub mod account;
pub mod board;
pub mod cloud;
pub mod command;
pub mod doctor;
pub mod engines;
pub mod environment;
pub mod key_pair;
pub mod meter;
pub mod plan_change;
pub mod plan_diff;
pub mod plan_graph;
pub mod plan_report;
mod poller;
mod reception;
pub mod secrets;
mod serve;
pub mod setup;
pub mod simulate;
pub mod stack;
pub mod trial;
mod work;
