//! What a client receives is read the same however it is cut, within its limits.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::frames_client(data));
