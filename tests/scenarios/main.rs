//! The scenarios of `scenarios/`: each is played by the built binary and compared with the transcript
//! beside it, and by the library in disorder.
//!
//! `SWITCHBOARD_TRANSCRIPTS=write` writes the transcripts anew; look at what changed before it is kept.
//! `SWITCHBOARD_DISORDER_SEEDS=1000` plays each in so many disorders in place of a few.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod disorder;
mod edges;
mod load;
mod reading;
mod transcripts;
