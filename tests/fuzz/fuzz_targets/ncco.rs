//! libFuzzer drives `ncco`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::ncco::target(data));
