//! The way to a daemon, through whatever stands before it: what is tried, and what its outcome means.
//!
//! Each step is tried as a browser would: on a connection of its own, under the name that the URL has. What a step needs is
//! found by those before it; where nothing answers at all, the rest is not tried. What is tried on WebSockets is in
//! [`sockets`].

mod sockets;

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use super::finding::Finding;
use super::link::{Link, NoLink};
use super::talk::{self, Answer, NoSocket, Socket};
use super::url::Url;
use crate::ws::handshake::client::Opening;

/// What to look at, and how patiently.
pub(super) struct Way<'a> {
    pub(super) url: &'a Url,
    pub(super) ca: Option<&'a Path>,
    pub(super) patience: Duration,
    pub(super) idle: Duration,
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
        findings.extend(self.metrics());
        let upgrade = self.upgrade();
        let opens = upgrade.as_ref().is_ok_and(|(_, path)| path.is_some());
        match upgrade {
            Err(finding) => findings.push(finding),
            Ok((finding, path)) => {
                findings.push(finding);
                let path = path.unwrap_or(sockets::CHAT);
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
                    answer.field("location").unwrap_or("").trim_end_matches("/healthz")
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
                match (status, self.url.is_secure()) {
                    (400, false) => "Is TLS spoken there? Then say https.",
                    _ => "Does the proxy pass all paths on, from / down, to the daemon?",
                },
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
            NoLink::Connect(e) if e.kind() == ErrorKind::NotFound => Finding::bad(
                TOPIC,
                format!("there is no socket at {url}"),
                "Start the daemon with --listen on this path.",
            ),
            NoLink::Connect(e) if e.kind() == ErrorKind::PermissionDenied => Finding::bad(
                TOPIC,
                format!("{url} is not writable for you"),
                "Run the doctor as the daemon's user, or as the proxy's to see what it sees.",
            ),
            NoLink::Connect(e) => Finding::bad(
                TOPIC,
                format!("{url} cannot be connected to: {e}"),
                "Is a firewall between?",
            ),
            NoLink::NoTls => Finding::bad(
                TOPIC,
                format!("nothing speaks TLS at {url}"),
                "Is it the daemon's own port, which speaks none? Say http, or have the proxy listen with TLS.",
            ),
            NoLink::Trust(says) => Finding::bad(
                TOPIC,
                format!("the certificates to trust cannot be read: {says}"),
                "Name a file of certificates as PEM with --ca.",
            ),
            NoLink::Tls(says) => Finding::bad(
                TOPIC,
                format!("TLS fails at {url}: {says}"),
                "Check the certificate's names, dates and chain; --ca FILE trusts one that you made yourself, if it does not say of \
                 itself that it is an authority (basicConstraints=CA:FALSE).",
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

    /// Whether strangers are told the figures. What speaks TLS is a proxy's, and in front of everybody: the daemon serves them to
    /// its own machine, and has taken the proxy for that.
    fn metrics(&self) -> Option<Finding> {
        let answer = self.ask("GET /metrics", "").ok().filter(|_| self.url.is_secure())?;
        (answer.status == 200).then(|| {
            Finding::bad(
                "metrics",
                "whoever asks is told /metrics: the proxy does not say for whom it comes",
                "nginx: proxy_set_header X-Forwarded-For $remote_addr;  and --trust-proxy for the daemon, or --metrics-listen",
            )
        })
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

/// Log-ins of guests and accounts are checked to the second; people notice half a minute.
const CLOCKS_APART_MAX: SignedDuration = SignedDuration::from_secs(30);
/// Just under what the daemon takes, and under what proxies allow by default.
const BODY_BYTES: usize = 60_000;
