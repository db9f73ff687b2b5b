//! `wsrelay bench` as its users run it: against our own server, against the floor, and against servers that do wrong on
//! purpose.
#![cfg(all(feature = "bench", target_os = "linux"))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod careless;
mod chat;
#[path = "../support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use serde_json::Value;
use support::read_head;

/// Runs `wsrelay bench` with these arguments.
fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsrelay"));
    command.arg("bench").args(arguments).output().expect("it runs")
}

/// A measurement that has to go well, and its report.
fn report(arguments: &[&str]) -> Value {
    let file = Scratch::new("json");
    let output = bench(&[arguments, &["--json", file.path()]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    serde_json::from_str(&file.read()).expect("JSON")
}

/// The last line on standard error of a measurement that must not go well.
fn error(arguments: &[&str]) -> String {
    let output = bench(arguments);
    let line = said(&output).lines().last().unwrap_or_default().to_owned();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {line}");
    line
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file of this test's own, gone when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(extension: &str) -> Self {
        let thread = format!("{:?}", std::thread::current().id());
        let number: String = thread.chars().filter(char::is_ascii_digit).collect();
        let name = format!("wsrelay-bench-{}-{number}.{extension}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn read(&self) -> String {
        std::fs::read_to_string(&self.0).expect("it was written")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn number(value: &Value, path: &str) -> f64 {
    let found = value.pointer(path).unwrap_or_else(|| panic!("{path} is not in {value:#}"));
    found.as_f64().unwrap_or_else(|| panic!("{path} is {found}"))
}

fn count(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {value:#}"))
}

const SUBJECTS: &[&str] = &["server", "floor", "floor_batched"];
const QUICK: &[&str] = &["--repeat", "1", "--duration", "0.3", "--warm-up", "0.1"];

/// Every one of these subjects got every message to every one who was to have it.
fn assert_complete(report: &Value, subjects: &[&str], hearers: u64) {
    for point in report["points"].as_array().unwrap() {
        for subject in subjects {
            let counts = &point["subjects"][subject]["counts"];
            let [sent, expected, received] =
                ["/sent", "/expected", "/received"].map(|name| count(counts, name));
            assert!(sent > 0, "{subject}: {counts}");
            assert_eq!(
                (expected, received),
                (sent * hearers, sent * hearers),
                "{subject}: {counts}"
            );
            for accident in ["lost", "duplicated", "reordered", "corrupted", "connections_dropped"]
            {
                assert_eq!(counts[accident], 0, "{subject}: {counts}");
            }
        }
    }
}

#[test]
fn fanout_reaches_every_member_of_every_room_once() {
    let rooms = ["fanout", "-n", "20", "--rooms", "4", "--publishers", "8", "--bystanders", "3"];
    for pace in [&["--rate", "300"][..], &["--closed"], &["--closed", "--text", "--workers", "2"]] {
        let report = report(&[&rooms[..], pace, QUICK].concat());
        assert_complete(&report, SUBJECTS, 5);
    }
}

#[test]
fn the_open_loop_sends_what_is_due_and_no_more() {
    let arguments = ["fanout", "-n", "20", "--rate", "200", "--floor", "off"];
    let report = report(&[&arguments[..], QUICK].concat());
    let server = &report["points"][0]["subjects"]["server"];
    assert_eq!(count(server, "/counts/sent"), 80, "200 a second for 0.1 + 0.3 s");
    for figure in ["deliveries_per_s", "latency_p50_us", "latency_max_us", "last_receiver_p99_us"] {
        assert!(number(server, &format!("/figures/{figure}/median")) > 0.0, "{figure}");
    }
    let median = |figure: &str| number(server, &format!("/figures/{figure}/median"));
    assert!(median("latency_p50_us") <= median("latency_p99_us"));
    assert!(median("cpu_per_delivery_us") > 0.0, "the server's processor time is found");
    assert!(report["points"][0]["subjects"].get("floor").is_none(), "it was not asked for");
}

#[test]
fn echo_comes_back_to_each() {
    for pace in [&[][..], &["--rate", "500"]] {
        let report = report(&[&["echo", "-n", "20", "--bytes", "64"], pace, QUICK].concat());
        assert_complete(&report, &["server", "floor"], 1);
    }
}

#[test]
fn large_messages_come_back_whole() {
    let report = report(&[&["echo", "-n", "3", "--bytes", "60000"], QUICK].concat());
    assert_complete(&report, &["server", "floor"], 1);
}

#[test]
fn idle_weighs_connections_and_handshakes() {
    let report = report(&["idle", "-n", "200", "--hold", "0.3", "--repeat", "1", "--workers", "2"]);
    for subject in ["server", "floor"] {
        let figures = &report["points"][0]["subjects"][subject]["figures"];
        for figure in ["handshakes_per_s", "cpu_per_handshake_us", "handshake_p99_us"] {
            assert!(number(figures, &format!("/{figure}/median")) > 0.0, "{subject}: {figure}");
        }
        for kind in ["pss", "rss", "private_dirty"] {
            // So few connections weigh less than what else the process touches or lets go of.
            let each = number(figures, &format!("/{kind}_per_connection_bytes/median"));
            assert!(each.abs() < 65_536.0, "{subject}: {each} bytes {kind}");
        }
        assert!(figures.get("holding_cpu_percent").is_some());
    }
    let ratios = &report["points"][0]["subjects"]["floor"]["ratio_of_server"];
    assert!(number(ratios, "/cpu_per_handshake_us") > 0.0, "{ratios}");
}

#[test]
fn storm_brings_everybody_back() {
    let report = report(&["storm", "-n", "50", "--repeat", "1"]);
    for subject in ["server", "floor"] {
        let figures = &report["points"][0]["subjects"][subject]["figures"];
        assert!(number(figures, "/all_back_s/median") > 0.0, "{subject}");
        assert_eq!(report["points"][0]["subjects"][subject]["counts"]["connections_dropped"], 0);
    }
}

#[test]
fn a_sweep_is_one_report_with_plots() {
    let page = Scratch::new("html");
    let arguments = ["sweep", "fanout", "--over", "5,20", "--html", page.path()];
    let report = report(&[&arguments[..], QUICK].concat());
    let places: Vec<f64> =
        report["points"].as_array().unwrap().iter().map(|point| number(point, "/at")).collect();
    assert_eq!(places, [5.0, 20.0]);
    for (point, hearers) in [(0, 5), (1, 20)] {
        let counts = &report["points"][point]["subjects"]["server"]["counts"];
        assert_eq!(count(counts, "/received"), count(counts, "/sent") * hearers);
    }
    let page = page.read();
    for part in
        ["<svg", "Throughput", "CPU per delivery", "Latency: wsrelay", ">connections", ">20<"]
    {
        assert!(page.contains(part), "{part} is not on the page");
    }
    assert!(page.matches("<svg").count() >= 6 && !page.contains("NaN"), "plots are whole");
    for foreign in ["<script", "http://", "https://", "src=", "@import", "url("] {
        assert!(!page.contains(foreign), "the page needs {foreign}");
    }
}

#[test]
fn a_sweep_over_rates_varies_the_rate() {
    let arguments = ["sweep", "echo", "-n", "5", "--rates", "50,200", "--floor", "off"];
    let report = report(&[&arguments[..], QUICK].concat());
    let sent =
        |point: usize| count(&report, &format!("/points/{point}/subjects/server/counts/sent"));
    assert_eq!((sent(0), sent(1)), (20, 80), "for 0.4 s");
}

#[test]
fn a_command_can_be_the_server() {
    let command =
        format!("{} bench floor --batch --listen {{listen}}", env!("CARGO_BIN_EXE_wsrelay"));
    let arguments = ["fanout", "-n", "20", "--floor", "off", "--server", &command];
    let report = report(&[&arguments[..], QUICK].concat());
    assert_complete(&report, &["server"], 20);
    let storm = ["storm", "-n", "20", "--repeat", "1", "--floor", "off", "--server", &command];
    assert!(bench(&storm).status.success());
}

#[test]
fn a_server_that_runs_already_is_found_and_left_running() {
    let daemon = support::Daemon::start(&[]);
    let url = format!("ws://{}", daemon.address);
    let report =
        report(&[&["fanout", "-n", "20", "--floor", "off", "--url", &url], QUICK].concat());
    assert_complete(&report, &["server"], 20);
    let figures = &report["points"][0]["subjects"]["server"]["figures"];
    assert!(number(figures, "/cpu_per_delivery_us/median") > 0.0, "its process was found");
    support::Client::connect(daemon.address, "/echo").assert_echoed("still there");
}

/// A listener that answers each connection in its own way, in a thread that ends with the first answer.
fn answers(with: &'static str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_head(&mut stream);
        stream.write_all(with.as_bytes()).unwrap();
    });
    (address, thread)
}

#[test]
fn a_target_that_does_wrong_is_told_in_one_line() {
    let rows = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "answered with status 200"),
        ("", "closed before the handshake was answered"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "is not HTTP"),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAA\r\n\r\n",
            "Sec-WebSocket-Accept",
        ),
    ];
    for (answer, why) in rows {
        let (address, thread) = answers(answer);
        let url = format!("ws://{address}/");
        let line = error(&["echo", "-n", "1", "--floor", "off", "--url", &url]);
        assert!(line.starts_with("error: ") && line.contains(why), "{line}");
        assert!(line.contains(&url), "{line}");
        thread.join().unwrap();
    }
}

#[test]
fn a_target_that_refuses_is_told_in_one_line() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line = error(&["idle", "-n", "1", "--floor", "off", "--url", &format!("ws://{free}")]);
    assert!(line.contains("connection refused"), "{line}");
}

#[test]
fn what_makes_no_sense_is_told_before_anything_starts() {
    let rows: &[(&[&str], &str)] = &[
        (&["idle", "--url", "ws://192.0.2.1/"], "--allow-remote"),
        (&["idle", "--url", "wss://127.0.0.1/"], "no TLS"),
        (&["idle", "-n", "999999"], "descriptors"),
        (&["storm", "--url", "ws://127.0.0.1:1"], "--server"),
        (&["fanout", "-n", "2", "--publishers", "3"], "3 publishers"),
        (&["fanout", "-n", "2", "--rooms", "3"], "3 rooms"),
        (&["fanout", "-n", "4", "--rooms", "2", "--path", "/one"], "{room}"),
        (&["idle", "--server", "echo hello", "--floor", "off"], "names no address"),
        (&["idle", "--server", "true", "--floor", "off"], "ended before"),
        (&["sweep", "idle", "--rates", "1"], "cannot be measured"),
        (&["sweep", "echo", "--vary", "bytes", "--over", "3"], "cannot be measured"),
    ];
    for (arguments, why) in rows {
        let line = error(arguments);
        assert!(line.contains(why), "{arguments:?}: {line}");
    }
    for arguments in
        [&["idle", "-n", "0"][..], &["fanout", "--rate", "1", "--closed"], &["sweep", "idle"]]
    {
        assert_eq!(bench(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_server_that_is_no_relay_is_told_apart_from_one_that_loses() {
    let daemon = support::Daemon::start(&[]);
    let url = format!("ws://{}/echo", daemon.address);
    let arguments = ["fanout", "-n", "3", "--floor", "off", "--patience", "0.5", "--url", &url];
    let line = error(&arguments);
    assert!(line.contains("no relay: 1 of 3 members"), "{line}");
}

/// A measurement under way, ended if the test ends first.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_interrupt_ends_it_with_what_it_has() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wsrelay"));
    command.args(["bench", "idle", "-n", "10", "--hold", "600"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let mut lines = BufReader::new(running.0.stderr.take().unwrap()).lines();
    let holds = |line: &String| line.contains("holding 10 connections");
    assert!(lines.any(|line| line.is_ok_and(|line| holds(&line))), "it says what it does");
    let id = running.0.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
    let mut table = String::new();
    std::io::Read::read_to_string(&mut running.0.stdout.take().unwrap(), &mut table).unwrap();
    assert!(running.0.wait().unwrap().success());
    assert!(table.contains("handshakes") && table.contains("interrupted"), "{table}");
}
