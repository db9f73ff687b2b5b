//! The way to a daemon, through whatever stands before it: what is tried, and what its outcome means.
//!
//! Each step is tried as a browser would: on a connection of its own, under the name that the URL has. What a step needs is
//! found by those before it; where nothing answers at all, the rest is not tried.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::finding::Finding;
use super::link::{Link, NoLink};
use super::talk::{self, Answer, Heard, NoSocket, Socket};
use super::url::Url;
use crate::ws::Frame;
use crate::ws::handshake::client::Opening;

/// What to look at, and how patiently.
pub(super) struct Way<'a> {
    pub(super) url: &'a Url,
    pub(super) ca: Option<&'a Path>,
    pub(super) patience: Duration,
    pub(super) idle: Duration,
}

/// What the chat says of itself in its first message.
struct Welcome {
    message_bytes: usize,
    ping: Duration,
}

impl Way<'_> {
    /// Only whether it answers and is well.
    pub(super) fn look_quickly(&self) -> Vec<Finding> {
        vec![self.reach().unwrap_or_else(|finding| finding)]
    }

    /// All of it.
    pub(super) fn look(&self) -> Vec<Finding> {
        let reached = match self.reach() {
            Err(finding) => return vec![finding],
            Ok(finding) => finding,
        };
        let mut findings = vec![reached, self.page(), self.clock()];
        let upgrade = self.upgrade();
        let opens = upgrade.as_ref().is_ok_and(|(_, path)| path.is_some());
        match upgrade {
            Err(finding) => findings.push(finding),
            Ok((finding, path)) => {
                findings.push(finding);
                let path = path.unwrap_or(CHAT);
                findings.push(self.own_origin(path));
                findings.push(self.foreign_origin(path));
                findings.push(self.compression(path));
                findings.push(self.ping(path));
            }
        }
        findings.push(self.body());
        if opens {
            let welcome = self.welcome(&mut findings);
            findings.extend(self.largest_message(welcome.as_ref()));
            findings.extend(self.idle(welcome.as_ref()));
        }
        findings
    }

    fn reach(&self) -> Result<Finding, Finding> {
        const TOPIC: &str = "reach";
        let bad = |says: String, mend: &str| Err(Finding::bad(TOPIC, says, mend));
        let began = Instant::now();
        let answer = match self.ask("GET /healthz", "") {
            Ok(answer) => answer,
            Err(Failed::Link(no_link)) => return Err(self.unreachable(&no_link)),
            Err(Failed::Talk(e)) => {
                let mend = "Is it HTTP there, and is https in the URL where TLS is spoken?";
                return bad(
                    format!("{} was connected to and does not answer: {e}", self.url),
                    mend,
                );
            }
        };
        match (answer.status, answer.body.trim()) {
            (200, "ok") => {
                let took = millis(began.elapsed());
                Ok(Finding::good(TOPIC, format!("{} answers and is well, in {took}", self.url)))
            }
            (503, "draining") => bad(
                "the daemon is about to end: it takes nobody in any more".to_owned(),
                "Wait for its successor, or start one.",
            ),
            (301 | 302 | 307 | 308, _) => bad(
                format!(
                    "{} sends one elsewhere: {}",
                    self.url,
                    answer.field("location").unwrap_or("")
                ),
                "Give that address to the doctor.",
            ),
            (status @ (502 | 504), _) => bad(
                format!("a proxy answers {status}: it does not reach the daemon"),
                "Start the daemon, and compare its --listen with the proxy's upstream; a Unix socket must be writable for \
                 the proxy's user.",
            ),
            (status, _) => bad(
                format!("something else answers there: GET /healthz is {status}"),
                "Does the proxy pass all paths on, from / down, to the daemon?",
            ),
        }
    }

    fn unreachable(&self, no_link: &NoLink) -> Finding {
        const TOPIC: &str = "reach";
        let url = self.url;
        match no_link {
            NoLink::Name(e) => Finding::bad(
                TOPIC,
                format!("the name in {url} has no address: {e}"),
                "Check its DNS record.",
            ),
            NoLink::Connect(e) if e.kind() == ErrorKind::ConnectionRefused => Finding::bad(
                TOPIC,
                format!("nobody listens at {url}"),
                "Start the daemon or the proxy, and compare its --listen with this address.",
            ),
            NoLink::Connect(e) => Finding::bad(
                TOPIC,
                format!("{url} cannot be connected to: {e}"),
                "Is a firewall between, or a Unix socket not writable for you?",
            ),
            NoLink::Tls(says) => Finding::bad(
                TOPIC,
                format!("TLS fails at {url}: {says}"),
                "Check the certificate's names, dates and chain; --ca FILE trusts one that you made yourself.",
            ),
        }
    }

    fn page(&self) -> Finding {
        const TOPIC: &str = "page";
        let mend = "Does the proxy pass / on as it is, fields included?";
        match self.ask("GET /", "") {
            Ok(page) if page.status == 200 && page.field("content-security-policy").is_some() => {
                match page.field("etag") {
                    Some(tag) if !tag.starts_with("W/") => {
                        Finding::good(TOPIC, "the page comes through")
                    }
                    _ => Finding::poor(
                        TOPIC,
                        "the page comes through, its strong ETag does not: it is fetched anew each time",
                        "Do not let the proxy compress or rewrite the page.",
                    ),
                }
            }
            Ok(page) => {
                Finding::bad(TOPIC, format!("GET / is {}, and not the page", page.status), mend)
            }
            Err(failed) => Finding::bad(TOPIC, format!("GET / fails: {failed}"), mend),
        }
    }

    /// Its clock beside ours: posts have its time, and log-ins end by it.
    fn clock(&self) -> Finding {
        const TOPIC: &str = "its clock";
        let date = self.ask("GET /healthz", "").ok().and_then(|answer| {
            rfc2822::DateTimeParser::new().parse_timestamp(answer.field("date")?).ok()
        });
        let Some(date) = date else {
            return Finding::poor(TOPIC, "no answer has a Date", "Let the proxy pass it on.");
        };
        let apart = date.duration_since(Timestamp::now()).abs();
        let says = format!("{} s from this machine's", apart.as_secs());
        match apart > CLOCKS_APART_MAX {
            false => Finding::good(TOPIC, says),
            true => Finding::poor(
                TOPIC,
                says,
                "Have both kept by NTP, with chrony or systemd-timesyncd.",
            ),
        }
    }

    /// Whether a WebSocket opens at all, and at which path.
    fn upgrade(&self) -> Result<(Finding, Option<&'static str>), Finding> {
        const TOPIC: &str = "upgrade";
        let began = Instant::now();
        let (path, opened) = match self.open(ECHO, None) {
            Err(Failed::Talk(NoSocket::Answer(answer))) if answer.status == 404 => {
                (CHAT, self.open(CHAT, None))
            }
            opened => (ECHO, opened),
        };
        let failed = match opened {
            Ok(_) => {
                let says = format!("a WebSocket opens, in {}", millis(began.elapsed()));
                return Ok((Finding::good(TOPIC, says), Some(path)));
            }
            Err(failed) => failed,
        };
        let upgrade_is_lost = || {
            Finding::bad(
                TOPIC,
                "a handshake reaches the daemon as a plain request: what is before it takes the Upgrade away",
                "nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";",
            )
        };
        Err(match &failed {
            // 505: as HTTP/1.0, which has no upgrade.
            Failed::Talk(NoSocket::Answer(answer)) if [426, 505].contains(&answer.status) => {
                upgrade_is_lost()
            }
            Failed::Talk(NoSocket::Answer(answer)) if answer.status == 400 && answer.is_ours() => {
                upgrade_is_lost()
            }
            Failed::Talk(NoSocket::Answer(Answer { status: status @ (429 | 503), .. })) => {
                Finding::bad(
                    TOPIC,
                    format!(
                        "a handshake is answered {status}: the daemon takes nobody in at present"
                    ),
                    "See --max-connections, --max-connections-per-ip and the descriptor limit, and its log.",
                )
            }
            Failed::Talk(NoSocket::Answer(answer)) => Finding::bad(
                TOPIC,
                format!("a handshake is answered {}", answer.status),
                "Does the proxy pass /ws and /echo on to the daemon?",
            ),
            failed => Finding::bad(
                TOPIC,
                format!("a handshake fails: {failed}"),
                "Does what is before the daemon let WebSockets through?",
            ),
        })
    }

    /// The page's own script must get in.
    fn own_origin(&self, path: &str) -> Finding {
        const TOPIC: &str = "own origin";
        let origin = self.url.origin();
        match self.open(path, Some(&origin)) {
            Ok(_) => Finding::good(TOPIC, format!("the page of {origin} is let in")),
            Err(Failed::Talk(NoSocket::Answer(answer))) if answer.status == 403 => Finding::bad(
                TOPIC,
                format!(
                    "the page of {origin} is refused by its own server: the Host that a browser sends does not arrive"
                ),
                format!(
                    "nginx: proxy_set_header Host $http_host;  or start the daemon with --allow-origin {origin}"
                ),
            ),
            Err(failed) => {
                Finding::bad(TOPIC, format!("the page of {origin} gets: {failed}"), "See above.")
            }
        }
    }

    /// And no other page's.
    fn foreign_origin(&self, path: &str) -> Finding {
        const TOPIC: &str = "foreign";
        match self.open(path, Some(FOREIGN)) {
            Err(Failed::Talk(NoSocket::Answer(answer))) if answer.status == 403 => {
                Finding::good(TOPIC, "pages of other sites are refused")
            }
            Ok(_) => Finding::bad(
                TOPIC,
                "pages of any site are let in, in the name of whoever looks at them",
                "Name the sites with --allow-origin instead of *, and do not let the proxy change the Origin.",
            ),
            Err(failed) => {
                Finding::poor(TOPIC, format!("a page of another site gets: {failed}"), "See above.")
            }
        }
    }

    fn compression(&self, path: &str) -> Finding {
        const TOPIC: &str = "compression";
        match self.open(path, None) {
            Ok(socket) if socket.deflates => {
                Finding::good(TOPIC, "permessage-deflate is agreed on")
            }
            Ok(_) => Finding::poor(
                TOPIC,
                "is not agreed on: text takes several times the bytes",
                "Let the proxy pass Sec-WebSocket-Extensions on, both ways.",
            ),
            Err(failed) => {
                Finding::poor(TOPIC, format!("no socket to see it on: {failed}"), "See above.")
            }
        }
    }

    fn ping(&self, path: &str) -> Finding {
        const TOPIC: &str = "ping";
        let mend = "Does the proxy hold frames back? nginx: proxy_buffering off;";
        let mut socket = match self.open(path, None) {
            Ok(socket) => socket,
            Err(failed) => {
                return Finding::bad(TOPIC, format!("no socket for it: {failed}"), "See above.");
            }
        };
        let mut times = Vec::new();
        for _ in 0..5 {
            let began = Instant::now();
            if let Err(e) = socket.send(&Frame::ping(b"doctor")) {
                return Finding::bad(TOPIC, format!("a ping cannot be sent: {e}"), mend);
            }
            loop {
                match socket.hear(self.patience) {
                    Heard::Pong(payload) if payload == b"doctor" => break,
                    Heard::Close(Some(NOT_LET_IN..)) => return Finding::good(TOPIC, NOT_TRIED),
                    Heard::Lost | Heard::Close(_) | Heard::Nothing => {
                        return Finding::bad(TOPIC, "a ping is not answered", mend);
                    }
                    Heard::Text(_) | Heard::Binary(_) | Heard::Ping(_) | Heard::Pong(_) => {}
                }
            }
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let (median, worst) = (times[times.len() / 2], times[times.len() - 1]);
        Finding::good(
            TOPIC,
            format!("answered in {}, at the worst in {}", millis(median), millis(worst)),
        )
    }

    /// Whether requests may be as large as the daemon takes them.
    fn body(&self) -> Finding {
        const TOPIC: &str = "body";
        // No JSON object, so that it is read whole, refused, and counted as nothing.
        let body = format!("[{}]", " ".repeat(BODY_BYTES));
        match self.ask("POST /api/login", &body) {
            Ok(answer) if answer.is_ours() && answer.status == 400 => {
                Finding::good(TOPIC, format!("requests of {BODY_BYTES} bytes come through"))
            }
            Ok(answer) if answer.status == 413 => Finding::bad(
                TOPIC,
                format!("a request of {BODY_BYTES} bytes is refused before it reaches the daemon"),
                "nginx: client_max_body_size 64k;  or more",
            ),
            Ok(answer) => Finding::poor(
                TOPIC,
                format!("a request of {BODY_BYTES} bytes is answered {}", answer.status),
                "Does the proxy pass /api/ on?",
            ),
            Err(failed) => Finding::bad(
                TOPIC,
                format!("a request of {BODY_BYTES} bytes is not answered: {failed}"),
                "nginx: client_max_body_size 64k;  or more",
            ),
        }
    }

    /// What the chat says of itself; a guest named by chance asks.
    fn welcome(&self, findings: &mut Vec<Finding>) -> Option<Welcome> {
        const TOPIC: &str = "chat";
        let mut tag = [0; 4];
        getrandom::fill(&mut tag).ok()?;
        let target = format!("{CHAT}?nick=doctor{:08x}", u32::from_be_bytes(tag));
        let opening = Opening { subprotocols: &["wsrelay.v1"], ..self.opening(&target, None) };
        let heard = match self.open_as(&opening) {
            Ok(mut socket) => socket.hear(self.patience),
            Err(failed) => {
                findings.push(Finding::bad(
                    TOPIC,
                    format!("the chat's socket: {failed}"),
                    "Does the proxy pass /ws on?",
                ));
                return None;
            }
        };
        let event: Value = match &heard {
            Heard::Text(text) => serde_json::from_str(text).unwrap_or_default(),
            _ => Value::Null,
        };
        let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
        if let (Some(message_bytes), Some(ping_ms)) =
            (number(&event["limits"]["message_bytes"]), event["ping_ms"].as_u64())
        {
            findings.push(Finding::good(TOPIC, format!("messages may have {message_bytes} bytes; silence is broken by a ping after {ping_ms} ms")));
            return Some(Welcome { message_bytes, ping: Duration::from_millis(ping_ms) });
        }
        findings.push(match event["code"].as_str() {
            Some(code) => {
                Finding::good(TOPIC, format!("does not let the doctor in as a guest: {code}"))
            }
            None => Finding::bad(
                TOPIC,
                "the chat does not say what a client may do",
                "Is it a wsrelay?",
            ),
        });
        None
    }

    /// Whether the largest message comes through, there and back.
    fn largest_message(&self, welcome: Option<&Welcome>) -> Option<Finding> {
        const TOPIC: &str = "message";
        let bytes = welcome?.message_bytes.min(MESSAGE_BYTES_MAX);
        let mut socket = match self.open(ECHO, None) {
            Ok(socket) => socket,
            Err(_) => {
                return Some(Finding::good(
                    TOPIC,
                    "not tried: --relay is off, so that nothing is sent back",
                ));
            }
        };
        let mend = "Does what is before the daemon look into messages, or limit them?";
        if let Err(e) = socket.send(&Frame::binary(&vec![0x5a; bytes])) {
            return Some(Finding::bad(
                TOPIC,
                format!("one of {bytes} bytes cannot be sent: {e}"),
                mend,
            ));
        }
        loop {
            match socket.hear(self.patience) {
                Heard::Binary(received) if received == bytes => {
                    return Some(Finding::good(
                        TOPIC,
                        format!("one of {bytes} bytes comes through, there and back"),
                    ));
                }
                Heard::Ping(_) | Heard::Pong(_) => {}
                heard => {
                    return Some(Finding::bad(
                        TOPIC,
                        format!("one of {bytes} bytes is not sent back: {heard:?}"),
                        mend,
                    ));
                }
            }
        }
    }

    /// Whether a connection on which nobody speaks survives until the daemon's ping, which keeps it alive from then on.
    fn idle(&self, welcome: Option<&Welcome>) -> Option<Finding> {
        const TOPIC: &str = "idle";
        if self.idle.is_zero() {
            return None;
        }
        let path = if self.open(ECHO, None).is_ok() { ECHO } else { CHAT };
        let mut socket = match self.open(path, None) {
            Ok(socket) => socket,
            Err(failed) => {
                return Some(Finding::bad(
                    TOPIC,
                    format!("no socket for it: {failed}"),
                    "See above.",
                ));
            }
        };
        let (began, mut pings) = (Instant::now(), 0);
        while let Some(left) = self.idle.checked_sub(began.elapsed()).filter(|left| !left.is_zero())
        {
            match socket.hear(left) {
                Heard::Ping(_) => pings += 1,
                Heard::Text(_) | Heard::Binary(_) | Heard::Pong(_) | Heard::Nothing => {}
                Heard::Close(Some(NOT_LET_IN..)) => return Some(Finding::good(TOPIC, NOT_TRIED)),
                Heard::Lost | Heard::Close(_) => {
                    let seconds = began.elapsed().as_secs_f64();
                    let ping = welcome.map_or(DEFAULT_PING, |welcome| welcome.ping).as_secs();
                    return Some(Finding::bad(
                        TOPIC,
                        format!(
                            "a connection on which nobody speaks is cut after {seconds:.1} s, before the daemon's ping after {ping} s can keep it"
                        ),
                        "nginx: proxy_read_timeout 120s; proxy_send_timeout 120s;",
                    ));
                }
            }
        }
        let seconds = self.idle.as_secs();
        Some(match pings {
            0 => Finding::good(
                TOPIC,
                format!("a connection on which nobody speaks is there after {seconds} s"),
            ),
            _ => Finding::good(
                TOPIC,
                format!(
                    "a connection on which nobody speaks is there after {seconds} s, and {pings} of the daemon's pings came"
                ),
            ),
        })
    }

    fn ask(&self, head: &str, body: &str) -> Result<Answer, Failed<io::Error>> {
        let link = self.link()?;
        talk::ask(link, head, &self.url.host, body, self.patience).map_err(Failed::Talk)
    }

    fn open(&self, path: &str, origin: Option<&str>) -> Result<Socket, Failed<NoSocket>> {
        self.open_as(&self.opening(path, origin))
    }

    fn open_as(&self, opening: &Opening<'_>) -> Result<Socket, Failed<NoSocket>> {
        let link = self.link()?;
        Socket::open(link, opening, self.patience).map_err(Failed::Talk)
    }

    fn opening<'a>(&'a self, target: &'a str, origin: Option<&'a str>) -> Opening<'a> {
        Opening { target, origin, deflate: true, ..Opening::at(&self.url.host) }
    }

    fn link<E>(&self) -> Result<Link, Failed<E>> {
        let link = Link::open(self.url, self.ca, self.patience).map_err(Failed::Link)?;
        link.set_patience(self.patience).map_err(|e| Failed::Link(NoLink::Connect(e)))?;
        Ok(link)
    }
}

/// Why a step came to nothing.
enum Failed<E> {
    Link(NoLink),
    Talk(E),
}

impl std::fmt::Display for Failed<io::Error> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Link(no_link) => no_link.fmt(f),
            Failed::Talk(e) => e.fmt(f),
        }
    }
}

impl std::fmt::Display for Failed<NoSocket> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failed::Link(no_link) => no_link.fmt(f),
            Failed::Talk(NoSocket::Answer(answer)) => write!(f, "status {}", answer.status),
            Failed::Talk(NoSocket::Fault(fault)) => fault.fmt(f),
            Failed::Talk(NoSocket::Io(e)) => e.fmt(f),
        }
    }
}

fn millis(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1e3)
}

/// Sends everything back. Not there with `--relay off`.
const ECHO: &str = "/echo";
const CHAT: &str = "/ws";
/// The first of the close codes that tell a client to stop.
const NOT_LET_IN: u16 = 4_500;
const NOT_TRIED: &str = "not tried: --relay is off, and the chat lets no guests in";
/// A name that is nobody's (RFC 2606 §2).
const FOREIGN: &str = "https://doctor.invalid";
/// Log-ins of guests and accounts are checked to the second; people notice half a minute.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_secs(30);
/// Just under what the daemon takes, and under what proxies allow by default.
const BODY_BYTES: usize = 60_000;
/// Larger messages are the operator's own affair, and nobody's to send as a trial.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const DEFAULT_PING: Duration = Duration::from_secs(25);
