//! What Switchboard's functions share: NCCO, webhooks and their signature, the Vonage client, the
//! plan, the decisions, the store and the archive.
//!
//! The way of a call is in `ARCHITECTURE.md`. In short: a webhook is let in by [`web`], read by
//! [`webhook`], written by [`store`], answered by [`script`]; callers and agents meet in [`offer`]
//! and [`exchange`]; recordings go through [`archive`].

pub mod archive;
pub mod aws;
pub mod call;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod cue;
pub mod exchange;
pub mod id;
pub mod job;
pub mod ledger;
pub mod metric;
pub mod ncco;
pub mod news;
pub mod notify;
pub mod number;
pub mod offer;
pub mod people;
pub mod plan;
pub mod plans;
pub mod presence;
pub mod recording;
pub mod script;
pub mod secret;
pub mod signature;
pub mod store;
pub mod transcript;
pub mod vonage;
pub mod web;
pub mod webhook;

/// An error with all its causes, outermost first, for the one place that logs it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}
