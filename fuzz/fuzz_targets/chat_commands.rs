//! Whatever is asked of the chat, its promises hold.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wsrelay::oracle::chat::chat_commands(data));
