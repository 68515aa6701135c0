//! libFuzzer drives `webhook`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| switchboard_fuzz::webhook::target(data));
