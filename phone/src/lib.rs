//! A Vonage Voice platform in a box: legs, conversations, NCCOs, webhooks, the REST API and
//! recordings, on a clock of its own. It rings a server as Vonage would, for tests and for a browser.
//!
//! It is a reading of Vonage's documents of its own, and depends on nothing of Switchboard's: what one
//! side misreads, the other does not mirror.

pub mod audio;
pub mod ncco;
