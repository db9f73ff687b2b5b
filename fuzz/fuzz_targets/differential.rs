//! We and tungstenite see the same in the same bytes.
#![no_main]

#[path = "../differential.rs"]
mod differential;

libfuzzer_sys::fuzz_target!(|data: &[u8]| differential::agrees_with_tungstenite(data));
