//! Masking equals its naive twin.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::mask(data));
