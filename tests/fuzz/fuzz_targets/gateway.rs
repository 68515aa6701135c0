//! libFuzzer drives `gateway`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::gateway::target(data));
