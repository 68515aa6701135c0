//! libFuzzer drives `cue`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::cue::target(data));
