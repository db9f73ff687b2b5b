//! A frame header is read the same however few bytes follow, and encodes to what was read.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::ws::frame_header(data));
