//! The same rules once more, written for the eye: whole strings, copies, no state.
//!
//! Slow and allocating, and sharing nothing with the parsers it is held against but
//! [`Authority::parse`], whose own table is in its file.

use crate::http::{Authority, Limits};

/// A head that keeps the rules of its lines.
pub(super) struct Head {
    pub(super) first_line: Vec<u8>,
    /// Names in lower case, values without white space around them.
    pub(super) fields: Vec<(String, Vec<u8>)>,
    /// Bytes up to the end of the head.
    pub(super) end: usize,
}

pub(super) enum Verdict<T> {
    /// No end of a head in sight, so nothing can be said.
    Unfinished,
    Refused,
    Accepted(T),
}

/// Looks for one head. `blank_line` is whether an empty line may come before it.
pub(super) fn head(data: &[u8], blank_line: bool, limits: &Limits) -> Verdict<Head> {
    let blank_bytes = if blank_line && data.starts_with(b"\r\n") { 2 } else { 0 };
    let text = &data[blank_bytes..];
    let Some(end) = text.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Verdict::Unfinished;
    };
    let mut lines = split(&text[..end], b"\r\n").into_iter();
    let first_line = lines.next().unwrap_or_default();
    let lines: Vec<_> = lines.collect();
    let end = blank_bytes + end + 4;
    let fits = blank_bytes + first_line.len() + 2 <= limits.request_line_bytes_max
        && lines.len() <= limits.headers_max
        && end <= limits.head_bytes_max;
    let is_clean = |line: &Vec<u8>| line.iter().all(|&byte| byte == 9 || byte > 31 && byte != 127);
    if !fits || text.starts_with(b"\r\n") || !is_clean(&first_line) || !lines.iter().all(is_clean) {
        return Verdict::Refused;
    }
    let fields: Option<Vec<_>> = lines.iter().map(|line| field(line)).collect();
    match fields {
        Some(fields) => Verdict::Accepted(Head { first_line, fields, end }),
        None => Verdict::Refused,
    }
}

fn field(line: &[u8]) -> Option<(String, Vec<u8>)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let name = token(&line[..colon])?.to_ascii_lowercase();
    Some((name, blank_trimmed(&line[colon + 1..])))
}

impl Head {
    pub(super) fn values(&self, name: &str) -> Vec<Vec<u8>> {
        self.fields.iter().filter(|(n, _)| n == name).map(|(_, value)| value.clone()).collect()
    }

    pub(super) fn list(&self, name: &str) -> Vec<Vec<u8>> {
        self.values(name).iter().flat_map(|value| list(value)).collect()
    }

    /// Whether that list has `element`, which is in lower case.
    pub(super) fn lists(&self, name: &str, element: &str) -> bool {
        self.list(name).iter().any(|found| found.to_ascii_lowercase() == element.as_bytes())
    }
}

/// What is known of an accepted request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) keep_alive: bool,
    pub(super) body_bytes: usize,
    pub(super) head_bytes: usize,
}

/// The request at the front of `data`, by the rules between its fields.
pub(super) fn request(data: &[u8], limits: &Limits) -> Verdict<Request> {
    match head(data, true, limits) {
        Verdict::Unfinished => Verdict::Unfinished,
        Verdict::Refused => Verdict::Refused,
        Verdict::Accepted(head) => match request_of(&head, limits) {
            Some(request) => Verdict::Accepted(request),
            None => Verdict::Refused,
        },
    }
}

fn request_of(head: &Head, limits: &Limits) -> Option<Request> {
    let line = String::from_utf8(head.first_line.clone()).ok()?;
    let [method, target, version] = line.split(' ').collect::<Vec<_>>().try_into().ok()?;
    let newer = match version {
        "HTTP/1.0" => false,
        "HTTP/1.1" => true,
        _ => return None,
    };
    token(method.as_bytes())?;
    let in_target = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if method.len() > 32 || method == "CONNECT" || !target.bytes().all(in_target) {
        return None;
    }
    let authority = authority(target, method)?;
    let hosts = head.values("host");
    let host = match &hosts[..] {
        [] if !newer => None,
        [one] => Some(String::from_utf8(one.clone()).ok()?),
        _ => return None,
    };
    if let Some(host) = &host {
        Authority::parse(host)?;
    }
    let upgrades = head.lists("upgrade", "websocket");
    let body_bytes = match &head.values("content-length")[..] {
        [] => 0,
        [one] if !upgrades && one.iter().all(u8::is_ascii_digit) => {
            String::from_utf8(one.clone()).ok()?.parse().ok()?
        }
        _ => return None,
    };
    let refused = !head.values("transfer-encoding").is_empty()
        || body_bytes > limits.body_bytes_max
        || newer && !head.values("expect").is_empty();
    let asked = |option| head.lists("connection", option);
    let keep_alive = !asked("close") && (newer || asked("keep-alive"));
    (!refused).then(|| Request {
        method: method.to_owned(),
        target: target.to_owned(),
        host: authority.or(host),
        keep_alive,
        body_bytes,
        head_bytes: head.end,
    })
}

/// The authority of a target, if it has one; the outer `None` if it is no target.
fn authority(target: &str, method: &str) -> Option<Option<String>> {
    if target.starts_with('/') || (target == "*" && method == "OPTIONS") {
        return Some(None);
    }
    let lower = target.to_ascii_lowercase();
    let skipped = ["http://", "https://"].iter().find(|scheme| lower.starts_with(**scheme))?.len();
    let rest = &target[skipped..];
    let authority = rest.split(['/', '?']).next()?;
    Authority::parse(authority).map(|_| Some(authority.to_owned()))
}

/// Elements of a comma-separated list, commas in quotes left alone.
pub(super) fn list(value: &[u8]) -> Vec<Vec<u8>> {
    let mut elements = vec![Vec::new()];
    let mut bytes = value.iter().copied();
    let mut quoted = false;
    while let Some(byte) = bytes.next() {
        let last = elements.last_mut().expect("there is always one");
        match byte {
            b',' if !quoted => elements.push(Vec::new()),
            b'\\' if quoted => {
                last.push(byte);
                last.extend(bytes.next());
            }
            _ => {
                quoted ^= byte == b'"';
                last.push(byte);
            }
        }
    }
    elements.iter().map(|e| blank_trimmed(e)).filter(|e| !e.is_empty()).collect()
}

/// Percent-decoding by cutting at the signs.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (hex, rest) = piece.split_at_checked(2)?;
        if !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(hex, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

/// An extension with its parameters.
pub(super) type Extension = (String, Vec<(String, Option<String>)>);

/// One value of `Sec-WebSocket-Extensions`, or `None` if it breaks the grammar.
///
/// A value is a token, so no quoted string that counts has a comma, a semicolon or an equals sign in it,
/// and cutting at those first is right: what it cuts wrongly is malformed either way.
pub(super) fn extensions(value: &[u8]) -> Option<Vec<Extension>> {
    let text = str::from_utf8(value).ok()?;
    let elements = text.split(',').map(|e| e.trim_matches([' ', '\t'])).filter(|e| !e.is_empty());
    let extensions: Vec<_> = elements.map(extension).collect::<Option<_>>()?;
    (!extensions.is_empty()).then_some(extensions)
}

fn extension(text: &str) -> Option<Extension> {
    let mut parts = text.split(';').map(|part| part.trim_matches([' ', '\t']));
    let name = token(parts.next()?.as_bytes())?;
    let parameters = parts.map(|part| match part.split_once('=') {
        None => Some((token(part.as_bytes())?, None)),
        Some((name, value)) => {
            let name = token(name.trim_end_matches([' ', '\t']).as_bytes())?;
            Some((name, Some(parameter_value(value.trim_start_matches([' ', '\t']))?)))
        }
    });
    Some((name, parameters.collect::<Option<_>>()?))
}

fn parameter_value(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else { return token(text.as_bytes()) };
    let mut unescaped = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => break,
            '\\' => unescaped.push(chars.next()?),
            c => unescaped.push(c),
        }
    }
    if chars.next().is_some() {
        return None;
    }
    token(unescaped.as_bytes())
}

/// Whether an offer of `permessage-deflate` is acceptable, and with which `server_max_window_bits`.
pub(super) fn acceptable((name, parameters): &Extension) -> Option<Option<u8>> {
    let mut names: Vec<_> = parameters.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    if name != "permessage-deflate" || names.len() != parameters.len() {
        return None;
    }
    let mut window = None;
    for (name, value) in parameters {
        let bits = value.as_ref().map(|v| (8..=15).find(|bits: &u8| bits.to_string() == *v));
        match (name.as_str(), bits) {
            ("server_no_context_takeover" | "client_no_context_takeover", None) => {}
            ("client_max_window_bits", None | Some(Some(_))) => {}
            ("server_max_window_bits", Some(Some(bits))) => window = Some(bits),
            _ => return None,
        }
    }
    Some(window)
}

pub(super) fn token(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let ok = |c: char| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]{}".contains(c);
    (!text.is_empty() && text.chars().all(ok)).then(|| text.to_owned())
}

fn blank_trimmed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes;
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes.to_vec()
}

fn split(bytes: &[u8], separator: &[u8; 2]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(separator) {
            parts.push(Vec::new());
            at += separator.len();
        } else {
            parts.last_mut().expect("there is always one").push(bytes[at]);
            at += 1;
        }
    }
    parts
}
