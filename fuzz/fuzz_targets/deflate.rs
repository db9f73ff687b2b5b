//! What one deflater makes of any sequence of messages inflates to them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::deflate(data));
