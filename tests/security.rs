//! What a stranger must not be able to do, tried from outside: speak as another site's page, put words into heads and logs,
//! give somebody a session, or find out who has an account.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Client, Daemon, PATIENCE, connect, handshake, read_head};

/// A whole response.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: Value,
}

impl Told {
    fn field(&self, name: &str) -> Option<&str> {
        let named =
            |line: &&str| line.split(':').next().is_some_and(|n| n.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(": ")).map(|(_, value)| value)
    }

    fn token(&self) -> String {
        self.body["token"].as_str().unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// Asks with these field lines, each ended by CRLF, on a connection of its own.
fn ask(daemon: &Daemon, method: &str, path: &str, fields: &str, body: &str) -> Told {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n",
        daemon.address
    );
    let mut stream = connect(daemon.address);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let (head, body) = all.split_once("\r\n\r\n").unwrap();
    Told {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

fn credentials(name: &str, password: &str) -> String {
    format!(r#"{{"name":"{name}","password":"{password}"}}"#)
}

fn registered(daemon: &Daemon, name: &str) -> String {
    ask(daemon, "POST", "/api/register", JSON, &credentials(name, "correct horse")).token()
}

/// All that changes something, with a body that would do.
const CHANGING: &[(&str, &str, &str)] = &[
    ("POST", "/api/register", r#"{"name":"eve","password":"correct horse"}"#),
    ("POST", "/api/login", r#"{"name":"ann","password":"correct horse"}"#),
    ("POST", "/api/logout", ""),
    ("PATCH", "/api/me", r#"{"hue":1}"#),
    ("DELETE", "/api/me", r#"{"password":"correct horse"}"#),
    ("POST", "/api/password", r#"{"old":"correct horse","new":"another horse"}"#),
    ("DELETE", "/api/sessions/1", ""),
    ("DELETE", "/api/sessions/others", ""),
    ("POST", "/api/rooms", r#"{"kind":"open","name":"tea"}"#),
    ("POST", "/api/guest", r#"{"name":"gus"}"#),
];

#[test]
fn no_other_sites_page_changes_anything() {
    let daemon = Daemon::start(&[]);
    let token = registered(&daemon, "ann");
    let cookie = format!("Cookie: wsrelay_session={token}\r\n");
    let own = daemon.address;
    let foreign = [
        "Origin: null\r\n".to_owned(),
        "Origin: http://evil.example\r\n".to_owned(),
        format!("Origin: http://{}:{}\r\n", own.ip(), own.port() ^ 1),
        format!("Origin: http://sub.{own}\r\n"),
        format!("Origin: http://{}.:{}\r\n", own.ip(), own.port()),
        format!("Origin: ftp://{own}\r\n"),
        format!("Origin: http://{own}/\r\n"),
        format!("Origin: http://{own} http://evil.example\r\n"),
        format!("Origin: http://{own}\r\nSec-Fetch-Site: cross-site\r\n"),
        "Sec-Fetch-Site: cross-site\r\n".to_owned(),
        "Sec-Fetch-Site: same-site\r\n".to_owned(),
    ];
    for (method, path, body) in CHANGING {
        for site in &foreign {
            let told = ask(&daemon, method, path, &format!("{cookie}{JSON}{site}"), body);
            assert_eq!(
                (told.status, told.code()),
                (403, "foreign_origin"),
                "{method} {path} {site}"
            );
            assert_eq!(told.field("Set-Cookie"), None, "{method} {path} {site}");
        }
        for kind in
            ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
        {
            // What a form can send without being asked about: the cookie goes along, and no word of where from.
            let fields = format!("{cookie}Content-Type: {kind}\r\n");
            let form = if body.is_empty() { "x=1" } else { body };
            let told = ask(&daemon, method, path, &fields, form);
            assert_eq!(told.status, 415, "{method} {path} as {kind}");
        }
    }
    let me = ask(&daemon, "GET", "/api/me", &cookie, "");
    assert_eq!((me.status, me.body["user"].get("hue")), (200, None), "nothing has changed");
    assert_eq!(
        ask(&daemon, "GET", "/api/rooms", &cookie, "").body["open"].as_array().unwrap().len(),
        0
    );
    let told = ask(&daemon, "POST", "/api/login", JSON, &credentials("ann", "correct horse"));
    assert_eq!(told.status, 200, "the password is as it was");
}

#[test]
fn no_other_sites_page_opens_a_socket() {
    let daemon = Daemon::start(&[]);
    let open = |host: &str, origin: &str, path: &str| {
        let request =
            handshake(path).replacen("Host: test", &format!("Host: {host}\r\nOrigin: {origin}"), 1);
        let mut stream = connect(daemon.address);
        stream.write_all(request.as_bytes()).unwrap();
        read_head(&mut stream).split(' ').nth(1).unwrap().to_owned()
    };
    for (host, origin, status) in [
        ("chat.example", "http://chat.example", "101"),
        ("chat.example", "https://chat.example", "101"), // TLS ends before us
        ("chat.example", "https://CHAT.Example:443", "101"),
        ("chat.example:8080", "http://chat.example:8080", "101"),
        ("chat.example", "null", "403"),
        ("chat.example", "NULL", "403"),
        ("chat.example", "http://sub.chat.example", "403"),
        ("chat.example", "http://example", "403"),
        ("sub.chat.example", "http://chat.example", "403"),
        ("chat.example", "http://chat.example.", "403"),
        ("chat.example", "http://chat.example.evil.example", "403"),
        ("chat.example", "http://evilchat.example", "403"),
        ("chat.example", "http://chat.example:8080", "403"),
        ("chat.example:8080", "http://chat.example", "403"),
        ("chat.example", "ws://chat.example", "403"),
        ("chat.example", "file://chat.example", "403"),
        ("chat.example", "http://chat.example@evil.example", "403"),
        ("chat.example", "http://evil.example#chat.example", "403"),
        ("chat.example", "http://evil.example\t.chat.example", "403"),
        ("chat.example", "http://chat.example, http://evil.example", "403"),
        ("chat.example", "http://xn--cht-5cd.example", "403"),
        ("chat.example", "//chat.example", "403"),
        ("chat.example", "chat.example", "403"),
        ("chat.example", "*", "403"),
        ("chat.example", "", "403"),
    ] {
        for path in ["/ws", "/relay/r", "/echo"] {
            assert_eq!(open(host, origin, path), status, "{path} of {host} from {origin:?}");
        }
    }
    let twice = "http://chat.example\r\nOrigin: http://evil.example";
    assert_eq!(open("chat.example", twice, "/ws"), "400", "one page has one origin");
}

#[test]
fn a_log_in_makes_a_session_and_adopts_none() {
    let daemon = Daemon::start(&[]);
    let (ann, eve) = (registered(&daemon, "ann"), registered(&daemon, "eve"));
    let made_up = "a_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let mut seen = vec![ann.clone(), eve.clone(), made_up.to_owned()];
    for planted in [made_up, &eve, &ann, "", "x"] {
        let fields = format!("{JSON}Cookie: wsrelay_session={planted}\r\n");
        let told =
            ask(&daemon, "POST", "/api/login", &fields, &credentials("ann", "correct horse"));
        let token = told.token();
        assert!(!seen.contains(&token), "a new one each time");
        let cookie = told.field("Set-Cookie").unwrap();
        let kept =
            format!("wsrelay_session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000");
        assert_eq!(cookie, kept);
        seen.push(token);
    }
    let who = |cookies: &str| {
        let told = ask(&daemon, "GET", "/api/me", &format!("Cookie: {cookies}\r\n"), "");
        told.body["user"]["name"].as_str().map(str::to_owned)
    };
    assert_eq!(
        who(&format!("wsrelay_session={made_up}")),
        None,
        "what was planted is nobody's still"
    );
    assert_eq!(
        who(&format!("wsrelay_session={eve}")).as_deref(),
        Some("eve"),
        "and eve's is eve's"
    );
    assert_eq!(who(&format!("wsrelay_session={eve}; wsrelay_session={ann}")), None, "not either's");
    let last = seen.last().unwrap();
    let out =
        ask(&daemon, "POST", "/api/logout", &format!("Cookie: wsrelay_session={last}\r\n"), "");
    assert_eq!(
        out.field("Set-Cookie"),
        Some("wsrelay_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0")
    );
    assert_eq!(
        who(&format!("wsrelay_session={last}")),
        None,
        "what is logged out is good for nothing"
    );
    assert_eq!(
        who(&format!("wsrelay_session={ann}")).as_deref(),
        Some("ann"),
        "and the other log-ins go on"
    );
}

#[test]
fn no_number_of_log_ins_ends_the_one_that_somebody_is_connected_by() {
    let daemon = Daemon::start(&[]);
    let ann = registered(&daemon, "ann");
    let cookie = |token: &str| format!("Cookie: wsrelay_session={token}\r\n");
    let mut socket = Client::connect_with(daemon.address, "/ws", &cookie(&ann));
    let log_in =
        || ask(&daemon, "POST", "/api/login", JSON, &credentials("ann", "correct horse")).token();
    let second = log_in();
    for _ in 0..31 {
        log_in();
    }
    let status = |token: &str| ask(&daemon, "GET", "/api/me", &cookie(token), "").status;
    assert_eq!((status(&ann), status(&second)), (200, 401));
    socket.send_text(r#"{"type":"ping"}"#);
    assert!(std::iter::repeat_with(|| socket.hear_text()).any(|told| told == r#"{"type":"pong"}"#));
}

#[test]
fn a_refused_log_in_tells_by_no_answer_and_no_time_whether_there_is_an_account() {
    let daemon = Daemon::start(&[]);
    registered(&daemon, "ann");
    let mut times: [Vec<Duration>; 2] = [Vec::new(), Vec::new()];
    let mut answers = Vec::new();
    for n in 0..9 {
        for (which, name) in ["ann".to_owned(), format!("nobody{n}")].into_iter().enumerate() {
            let began = Instant::now();
            let told = ask(&daemon, "POST", "/api/login", JSON, &credentials(&name, "wrong horse"));
            times[which].push(began.elapsed());
            let without_date = told.head.lines().filter(|line| !line.starts_with("Date: "));
            answers.push((without_date.collect::<Vec<_>>().join("\n"), told.body.to_string()));
        }
    }
    assert!(answers[0].0.starts_with("HTTP/1.1 401 "), "{:?}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    // The shortest of each: other work on the machine can only ever add to it. Without a hash for who is not there it would be
    // a hundredth.
    let [known, unknown] = times.map(|times| times.into_iter().min().unwrap().as_secs_f64());
    assert!((0.6..1.7).contains(&(known / unknown)), "{known} s and {unknown} s");
}

#[test]
fn what_peers_send_ends_no_line_of_a_head_or_a_log() {
    let mut daemon = Command::new(env!("CARGO_BIN_EXE_wsrelay"))
        .args([
            "--listen",
            "127.0.0.1:0",
            "--memory",
            "--log",
            "trace",
            "--trust-proxy",
            "127.0.0.1",
        ])
        .env("WSRELAY_DRAIN_SECONDS", "0")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(daemon.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let address = first.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
    // In the background, so that a full pipe never stops the daemon.
    let mut stderr = daemon.stderr.take().unwrap();
    let log = std::thread::spawn(move || {
        let mut all = Vec::new();
        stderr.read_to_end(&mut all).unwrap();
        all
    });

    let forged = "2026-01-01T00:00:00.000Z ERROR forged";
    let coded = format!("%0d%0aSet-Cookie:%20forged=1%0d%0a%0d%0a{}", forged.replace(' ', "%20"));
    let long = "forged".repeat(1_000);
    let mut heads = Vec::new();
    let mut send = |request: String| {
        let mut stream = connect(address);
        let _ = stream.write_all(request.as_bytes());
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        heads.push(String::from_utf8_lossy(&answer).into_owned());
    };
    for path in [
        format!("/{coded}"),
        format!("/relay/{coded}"),
        format!("/ws?nick={coded}"),
        format!("/api/{coded}"),
        format!("/{long}"),
    ] {
        send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
        send(handshake(&path));
    }
    for (name, value) in [
        ("X-Forwarded-For", forged),
        ("X-Forwarded-For", &long),
        ("Forwarded", &format!("for=\"{forged}\"")),
        ("User-Agent", forged),
        ("User-Agent", "forged\u{7f}\u{1b}[31m"),
        ("Origin", &format!("http://{forged}")),
        ("Cookie", &format!("wsrelay_session={forged}")),
        ("Sec-WebSocket-Protocol", &format!("wsrelay.v1, bearer.{long}")),
        ("X", &format!("a\r\n{forged}")),
        ("X", &format!("a\n{forged}")),
        ("X", &format!("a\r{forged}")),
        ("X", &format!("a\0{forged}")),
        ("Host", &format!("t\r\n {forged}")),
    ] {
        send(handshake("/ws").replacen("Host: test", &format!("Host: test\r\n{name}: {value}"), 1));
        send(format!(
            "POST /api/login HTTP/1.1\r\nHost: t\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n"
        ));
    }
    for name in
        ["forged\\r\\nforged: 1", "forged\\u0000", "forged\\u001b[31m", "\\u202eforged", &long]
    {
        for (path, body) in [
            ("/api/register", credentials(name, "forged horse")),
            ("/api/guest", format!(r#"{{"name":"{name}"}}"#)),
        ] {
            let length = body.len();
            send(format!(
                "POST {path} HTTP/1.1\r\nHost: t\r\n{JSON}Content-Length: {length}\r\n\r\n{body}"
            ));
        }
    }
    send(format!("{forged}\r\n\r\n"));
    send("\u{1b}[31mforged\r\n\r\n".to_owned());

    let killed = Command::new("kill").args(["-s", "TERM", &daemon.id().to_string()]).status();
    assert!(killed.unwrap().success());
    let deadline = Instant::now() + PATIENCE;
    while daemon.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    let log = log.join().unwrap();
    assert!(heads.len() > 40);
    for answer in &heads {
        let head = answer.split("\r\n\r\n").next().unwrap();
        let own = |line: &str| !line.contains("forged") && !line.contains(|c: char| c.is_control());
        assert!(head.split("\r\n").all(own), "{head:?}");
    }
    let log = String::from_utf8(log).unwrap();
    assert!(log.lines().count() > 5, "it does log: {log:?}");
    for line in log.lines() {
        assert!(line.starts_with("20") && !line.contains(" ERROR "), "{line:?}");
        assert!(!line.contains(|c: char| c.is_control()) && line.len() < 1_000, "{line:?}");
        assert!(!line.contains("forged"), "what people write is not for the log: {line:?}");
    }
}
