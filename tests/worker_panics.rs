//! A thread of the store that panics, for real and in the daemon as it is: it says so and ends, with a log that has all that
//! was acknowledged. Two threads serving and one gone would be worse than none.
//!
//! The panic is the logger's. Whatever logger a program has set before serves, so the child process of this test sets one that
//! panics when a given thread has something to complain of; and what the writer
//! complains of is easily had: its file is moved away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use support::{Client, Heard};
use wsrelay::cli::{self, Invocation};
use wsrelay::daemon;

const FILE: &str = "WSRELAY_TEST_PANIC_FILE";
const THREAD: &str = "WSRELAY_TEST_PANIC_THREAD";

/// Ends whichever thread it is told of, at its first complaint.
struct Fuse {
    thread: String,
}

impl log::Log for Fuse {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        eprintln!("{} {}", record.level(), record.args());
        let is_it = std::thread::current().name() == Some(&*self.thread);
        assert!(!(is_it && record.level() == log::Level::Error), "the fuse has blown");
    }

    fn flush(&self) {}
}

/// Not a test by itself: the daemon, with a fuse.
#[test]
fn serves_with_a_fuse() {
    let (Ok(file), Ok(thread)) = (env::var(FILE), env::var(THREAD)) else { return };
    log::set_boxed_logger(Box::new(Fuse { thread })).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let flags = ["wsrelay", "--listen", "127.0.0.1:0", "--data", &file, "--drain-seconds", "0"];
    let Ok(Invocation::Serve(options)) = cli::parse(flags.map(Into::into)) else {
        panic!("good flags")
    };
    let ended = daemon::serve(&options);
    std::process::exit(if ended.is_err() { 1 } else { 0 });
}

struct Daemon {
    child: Child,
    address: std::net::SocketAddr,
}

impl Daemon {
    fn start(file: &Path, fuse: &str) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "serves_with_a_fuse", "--nocapture"])
            .env(FILE, file)
            .env(THREAD, fuse)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            line.unwrap().rsplit_once("listening on http://").map(|(_, at)| at.parse().unwrap())
        });
        Self { child, address: address.expect("it listens") }
    }

    fn chat(&self) -> Client {
        let mut client = Client::connect(self.address, "/ws?nick=ann");
        ask(&mut client, r#"{"type":"join","id":1,"room":"lobby"}"#, 1);
        client
    }

    /// How it ended, and what it said.
    fn end(mut self) -> (ExitStatus, String) {
        let until = Instant::now() + Duration::from_secs(30);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if Instant::now() > until {
                self.child.kill().unwrap();
                panic!("it goes on with a thread less");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (status, said)
    }
}

/// Asks, and reads on until the answer.
fn ask(client: &mut Client, request: &str, id: u64) -> serde_json::Value {
    client.send_text(request);
    loop {
        let Heard::Text(text) = client.hear() else { continue };
        let event: serde_json::Value = serde_json::from_str(&text).unwrap();
        if event["id"] == id {
            return event;
        }
    }
}

fn post(client: &mut Client, n: u64) -> serde_json::Value {
    let request =
        format!(r#"{{"type":"post","id":{n},"room":"lobby","key":"k{n}","body":"post {n}"}}"#);
    ask(client, &request, n)
}

fn history(client: &mut Client) -> Vec<u64> {
    let page = ask(client, r#"{"type":"history","id":9,"room":"lobby"}"#, 9);
    page["entries"].as_array().unwrap().iter().map(|entry| entry["seq"].as_u64().unwrap()).collect()
}

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("chat.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_writer_that_panics_ends_the_daemon_and_loses_nothing() {
    let scratch = Scratch::new("writer");
    let daemon = Daemon::start(&scratch.file(), "store-writer");
    let mut ann = daemon.chat();
    for n in 1..=5 {
        assert_eq!(post(&mut ann, n)["seq"], n);
    }
    let elsewhere = scratch.0.join("elsewhere.db");
    fs::rename(scratch.file(), &elsewhere).unwrap();
    ann.send_text(r#"{"type":"post","id":6,"room":"lobby","key":"k6","body":"post 6"}"#);
    let (status, said) = daemon.end();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("the fuse has blown") && said.contains("a worker thread has ended"),
        "{said}"
    );

    fs::rename(&elsewhere, scratch.file()).unwrap();
    let mut again = Daemon::start(&scratch.file(), "nobody");
    assert_eq!(history(&mut again.chat()), [1, 2, 3, 4, 5]);
    again.child.kill().unwrap();
    again.child.wait().unwrap();
}
