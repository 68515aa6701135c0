//! libFuzzer drives `plan`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::plan::target(data));
