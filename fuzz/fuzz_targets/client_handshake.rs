#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::http::client_handshake(data));
