//! A command is read as its JSON says, however that is written.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::wire::command(data));
