//! What is tried on WebSockets: that they open, for whom, and what becomes of what is sent.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::super::finding::Finding;
use super::super::talk::{Answer, Heard, NoSocket};
use super::{Failed, Way, millis};
use crate::ws::Frame;
use crate::ws::handshake::client::Opening;

/// What the chat says of itself in its first message.
pub(super) struct Welcome {
    message_bytes: usize,
    ping: Duration,
}

impl Way<'_> {
    /// Whether a WebSocket opens at all, and at which path.
    pub(super) fn upgrade(&self) -> Result<(Finding, Option<&'static str>), Finding> {
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
    pub(super) fn own_origin(&self, path: &str) -> Finding {
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
    pub(super) fn foreign_origin(&self, path: &str) -> Finding {
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

    pub(super) fn compression(&self, path: &str) -> Finding {
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

    pub(super) fn ping(&self, path: &str) -> Finding {
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

    /// What the chat says of itself; a guest named by chance asks.
    pub(super) fn welcome(&self, findings: &mut Vec<Finding>) -> Option<Welcome> {
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
    pub(super) fn largest_message(&self, welcome: Option<&Welcome>) -> Option<Finding> {
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
    pub(super) fn idle(&self, welcome: Option<&Welcome>) -> Option<Finding> {
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
}

/// Sends everything back. Not there with `--relay off`.
const ECHO: &str = "/echo";
pub(super) const CHAT: &str = "/ws";
/// The first of the close codes that tell a client to stop.
const NOT_LET_IN: u16 = 4_500;
const NOT_TRIED: &str = "not tried: --relay is off, and the chat lets no guests in";
/// A name that is nobody's (RFC 2606 §2).
const FOREIGN: &str = "https://doctor.invalid";
/// Larger messages are the operator's own affair, and nobody's to send as a trial.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
const DEFAULT_PING: Duration = Duration::from_secs(25);
