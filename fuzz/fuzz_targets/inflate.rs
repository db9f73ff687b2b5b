//! Inflated output is bounded and is what flate2 reads.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::inflate(data));
