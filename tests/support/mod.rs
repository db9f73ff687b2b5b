//! What the integration tests share: servers to talk to, and a blocking client that can also misbehave.
//!
//! Every wait has a deadline and ends as soon as what is waited for has happened; nothing sleeps and hopes.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use wsrelay::Config;
use wsrelay::engine::{Engine, Service, Waker};
use wsrelay::ws::{CloseCode, Codec, Connection, Event, Limits, Message, Role};

/// How long anything may take before the test gives up on it. Generous, since the machine may be busy.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Polls until `holds`, and fails when it never does.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The daemon as its users run it: a process of its own on a free port of the loopback.
pub struct Daemon {
    child: Child,
    pub address: SocketAddr,
}

impl Daemon {
    pub fn start(args: &[&str]) -> Self {
        Self::start_limited(None, args)
    }

    /// Starts it under a hard limit of `descriptors` open files.
    pub fn start_limited(descriptors: Option<u32>, args: &[&str]) -> Self {
        let program = env!("CARGO_BIN_EXE_wsrelay");
        let mut command = match descriptors {
            None => Command::new(program),
            Some(most) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\""), program]);
                shell
            }
        };
        // Told to end, it closes all connections at once, unless the test is about that.
        command.env("WSRELAY_DRAIN_SECONDS", "0");
        command.args(["--listen", "127.0.0.1:0"]).args(args).stdout(Stdio::piped());
        if !args.contains(&"--data") {
            command.arg("--memory");
        }
        let mut child = command.spawn().expect("the daemon starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a first line");
        let address =
            line.trim().strip_prefix("listening on http://").expect("says where it listens");
        Self { address: address.parse().expect("an address"), child }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn proc(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.id()).into()
    }

    /// Memory in bytes that no file is behind: all that the process has asked for, and nothing of the executable, a share of
    /// which is everybody's who runs it at the same time.
    pub fn anonymous(&self) -> usize {
        self.memory("Anonymous:")
    }

    /// Resident set size in bytes.
    pub fn rss(&self) -> usize {
        self.memory("Rss:")
    }

    fn memory(&self, field: &str) -> usize {
        let rollup = std::fs::read_to_string(self.proc("smaps_rollup")).expect("Linux has it");
        let line = rollup.lines().find(|line| line.starts_with(field)).expect("a known field");
        let kib: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("in KiB");
        kib * 1024
    }

    /// Processor time used so far.
    pub fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(self.proc("stat")).expect("running");
        let fields: Vec<&str> =
            stat.rsplit(')').next().expect("a name").split_whitespace().collect();
        let ticks: u64 =
            fields[11..=12].iter().map(|field| field.parse::<u64>().expect("ticks")).sum();
        Duration::from_millis(ticks * 10)
    }

    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).expect("running").count()
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    /// Waits for the process to end by itself.
    pub fn ended(mut self) -> std::process::ExitStatus {
        let mut status = None;
        eventually("the daemon ends", || {
            status = self.child.try_wait().expect("our child");
            status.is_some()
        });
        status.expect("ended")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An engine with a service of the test's own, in a thread, until dropped.
pub struct Server {
    pub address: SocketAddr,
    pub waker: Waker,
    thread: Option<JoinHandle<usize>>,
}

impl Server {
    pub fn start<S: Service + Send + 'static>(config: Config, service: S) -> Self {
        Self::start_engine(Engine::new(config).expect("descriptors"), service)
    }

    /// One that may listen elsewhere already.
    pub fn start_engine<S: Service + Send + 'static>(mut engine: Engine, mut service: S) -> Self {
        let address = engine.listen(([127, 0, 0, 1], 0).into()).expect("a free port");
        let waker = engine.waker();
        let thread = std::thread::spawn(move || {
            engine.run(&mut service).expect("the poller works");
            engine.connections()
        });
        Self { address, waker, thread: Some(thread) }
    }

    /// Asks it to drain, without waiting.
    pub fn drain(&self) {
        self.waker.drain().expect("the loop runs");
    }

    /// Drains, and answers with the connections that were left at the end.
    pub fn stopped(mut self) -> usize {
        self.drain();
        self.thread.take().expect("not stopped yet").join().expect("no panic")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.drain();
            let joined = thread.join();
            assert!(joined.is_ok() || std::thread::panicking(), "the loop panicked");
        }
    }
}

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>),
    /// The stream ended or was reset.
    End,
}

/// A blocking WebSocket client with the crate's own client role, which also lets a test send any bytes it likes.
pub struct Client {
    pub stream: TcpStream,
    protocol: Connection,
    codec: Codec,
    unread: Vec<u8>,
}

impl Client {
    pub fn connect(address: SocketAddr, path: &str) -> Self {
        Self::connect_with(address, path, "")
    }

    /// With these field lines in the handshake, each ended by CRLF.
    pub fn connect_with(address: SocketAddr, path: &str, fields: &str) -> Self {
        let mut stream = connect(address);
        let handshake = handshake(path).replacen("Host:", &format!("{fields}Host:"), 1);
        stream.write_all(handshake.as_bytes()).expect("sent");
        let head = read_head(&mut stream);
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self {
            stream,
            protocol: Connection::new(Role::Client, None),
            codec: Codec::new(Limits::for_messages(64 << 20)),
            unread: Vec::new(),
        }
    }

    pub fn send_text(&mut self, text: &str) {
        self.send_raw(&frame(0x81, text.as_bytes()));
    }

    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.send_raw(&frame(0x82, bytes));
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes it");
    }

    /// The next thing heard, whatever it is.
    pub fn hear(&mut self) -> Heard {
        loop {
            let mut input = &mut self.unread[..];
            let before = input.len();
            let event = self.protocol.next_event(&mut input, &mut self.codec);
            let heard = event.expect("a server that keeps the rules").map(|event| match event {
                Event::Message(Message::Text(text)) => Heard::Text(text.to_owned()),
                Event::Message(Message::Binary(bytes)) => Heard::Binary(bytes.to_vec()),
                Event::Ping(payload) => Heard::Ping(payload.to_vec()),
                Event::Pong(payload) => Heard::Pong(payload.to_vec()),
                Event::Close(close) => Heard::Close(close.map(|close| close.code)),
            });
            let used = before - input.len();
            self.unread.drain(..used);
            if let Some(heard) = heard {
                return heard;
            }
            let mut buffer = [0; 16 * 1024];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Heard::End,
                Ok(n) => self.unread.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == ErrorKind::ConnectionReset => return Heard::End,
                Err(e) => panic!("nothing heard in time: {e}"),
            }
        }
    }

    pub fn hear_text(&mut self) -> String {
        match self.hear() {
            Heard::Text(text) => text,
            other => panic!("expected text, heard {other:?}"),
        }
    }

    /// Reads on until the server closes, and answers with the code of its Close frame.
    pub fn close_code(&mut self) -> Option<CloseCode> {
        loop {
            match self.hear() {
                Heard::Close(code) => return code,
                Heard::End => return None,
                _ => {}
            }
        }
    }

    /// That this client is still served: what it sends to `/echo` comes back.
    pub fn assert_echoed(&mut self, text: &str) {
        self.send_text(text);
        assert_eq!(self.hear(), Heard::Text(text.to_owned()));
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).expect("accepted");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    stream.set_nodelay(true).expect("TCP");
    stream
}

pub fn handshake(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
}

/// Reads a response head byte by byte, so that nothing behind it is taken.
pub fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => break,
        }
    }
    String::from_utf8(head).expect("ASCII")
}

/// A masked frame with this first byte.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..126 => bytes.push(0x80 | u8::try_from(short).expect("under 126")),
        medium @ 126..0x1_0000 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(medium).expect("under 65,536").to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    let key = [0x37, 0xfa, 0x21, 0x3d];
    bytes.extend(key);
    bytes.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}
