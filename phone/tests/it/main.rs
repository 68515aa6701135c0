//! The platform against what is known of Vonage's: every webhook's fields, every limit, every refusal.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(
    clippy::needless_pass_by_value,
    reason = "the rows of a table are values"
)]

mod answer;
mod applications;
mod connect;
mod conversation;
mod disorder;
mod event;
mod fallback;
mod files;
mod input;
mod key;
mod machine;
mod manner;
mod notify;
mod numbers;
mod openapi;
mod record;
mod rest_calls;
mod rest_playback;
mod retry;
mod sdk;
mod shape;
mod signature;
mod sound;
mod stage;
mod time;
mod token;
mod transfer;
