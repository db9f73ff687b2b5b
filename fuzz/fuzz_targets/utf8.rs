//! UTF-8 in pieces is what the standard library says of the whole.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::utf8(data));
