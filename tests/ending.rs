//! What is kept of those who are connected when the daemon is told to end.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use support::{Client, Daemon, connect};

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("ending-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Registers somebody, and answers with the field that says who asks.
fn registered(daemon: &Daemon, name: &str) -> String {
    let body = format!(r#"{{"name":"{name}","password":"correct horse"}}"#);
    let mut stream = connect(daemon.address);
    write!(
        stream,
        "POST /api/register HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut told = String::new();
    stream.read_to_string(&mut told).unwrap();
    let (_, body) = told.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    format!("Cookie: wsrelay_session={}\r\n", body["token"].as_str().unwrap())
}

fn connected(daemon: &Daemon, who: &str) -> Client {
    let mut client = Client::connect_with(daemon.address, "/ws", who);
    assert_eq!(told(&mut client)["type"], "welcome");
    client
}

fn told(client: &mut Client) -> Value {
    serde_json::from_str(&client.hear_text()).unwrap()
}

/// Ends it, at once: who is connected goes when told to.
fn end(daemon: Daemon, mut client: Client) {
    daemon.signal("TERM");
    assert!(client.close_code().is_some());
    drop(client);
    assert!(daemon.ended().success());
}

#[test]
fn whoever_is_connected_at_the_end_was_seen_then_and_has_read_what_they_had() {
    let scratch = Scratch::new();
    let file = scratch.0.join("chat.db");
    let args = ["--data", file.to_str().unwrap()];
    let daemon = Daemon::start(&args);
    let (ann, bo) = (registered(&daemon, "ann"), registered(&daemon, "bo"));
    let mut client = connected(&daemon, &ann);
    // Who writes has read so far: that is written half a second later, as what is read is.
    client.send_text(r#"{"type":"post","id":1,"room":"lobby","body":"hi"}"#);
    let posted = told(&mut client);
    assert_eq!(posted["type"], "ok");
    end(daemon, client);

    let daemon = Daemon::start(&args);
    let mut client = connected(&daemon, &bo);
    client.send_text(r#"{"type":"members","id":1,"room":"lobby"}"#);
    let members = told(&mut client);
    let ann = members["members"].as_array().unwrap().iter().find(|member| member["name"] == "ann");
    let ann = ann.unwrap();
    assert_eq!((&ann["online"], &ann["read"]), (&Value::Bool(false), &posted["seq"]), "{ann}");
    assert!(ann["last_seen"].is_string(), "{ann}");
    end(daemon, client);
}
