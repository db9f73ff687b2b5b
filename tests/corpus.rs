//! Every input in the fuzz corpora, handed to the property that its target holds: on stable, and in
//! no time. What a fuzzer once found is never lost again.

use std::fs;
use std::panic;
use std::path::Path;

use wsrelay::oracle::{chat, http, wire, ws};

#[path = "../fuzz/differential.rs"]
mod differential;

#[test]
fn request_head() {
    replay("request_head", http::request_head);
}

#[test]
fn handshake_headers() {
    replay("handshake_headers", http::handshake_headers);
}

#[test]
fn client_handshake() {
    replay("client_handshake", http::client_handshake);
}

#[test]
fn frame_header() {
    replay("frame_header", ws::frame_header);
}

#[test]
fn frames_server() {
    replay("frames_server", ws::frames_server);
}

#[test]
fn frames_client() {
    replay("frames_client", ws::frames_client);
}

#[test]
fn utf8() {
    replay("utf8", ws::utf8);
}

#[test]
fn inflate() {
    replay("inflate", ws::inflate);
}

#[test]
fn deflate() {
    replay("deflate", ws::deflate);
}

#[test]
fn mask() {
    replay("mask", ws::mask);
}

#[test]
fn chat_commands() {
    replay("chat_commands", chat::chat_commands);
}

#[test]
fn wire_command() {
    replay("wire_command", wire::command);
}

#[test]
fn differential() {
    replay("differential", differential::agrees_with_tungstenite);
}

#[test]
#[should_panic(expected = "the property does not hold for")]
fn a_property_that_does_not_hold_is_reported() {
    replay("mask", |data| assert!(data.len() < 10));
}

/// Holds the property for every input of the target's corpus, and says for which it does not.
fn replay(target: &str, property: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&corpus).expect("every target has a corpus") {
        let path = entry.expect("the corpus can be listed").path();
        let data = fs::read(&path).expect("an input can be read");
        if panic::catch_unwind(|| property(&data)).is_err() {
            panic!("the property does not hold for {}", path.display());
        }
        inputs += 1;
    }
    assert!(inputs > 0, "the corpus of {target} is empty");
}
