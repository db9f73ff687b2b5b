#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::proxy::proxy_header(data));
