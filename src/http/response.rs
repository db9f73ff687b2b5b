//! Responses: said once, encoded for the request that they answer (RFC 9110 §6–§15, RFC 9112 §4, §9).
//!
//! A [`Response`] says what; an [`Exchange`] knows to whom. Together they decide what goes on the wire:
//! whether there is a body (`HEAD`, 304), whether the client has it already (`If-None-Match`), whether
//! the connection goes on. Nothing that a peer sent can end a line: a control byte in a value is sent as
//! a space.

use std::borrow::Cow;

use super::{Date, Method, Request, Status, Version, grammar};

/// What is answered.
///
/// ```
/// use wsrelay::http::{Date, Exchange, Response, Status};
/// let page = Response::new(Status::OK).etag("\"v1\"").body("text/html", b"<h1>hi</h1>");
/// let bytes = page.encode(&Exchange::broken(), &Date::from_unix(0));
/// assert!(bytes.starts_with(b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
/// assert!(bytes.ends_with(b"\r\n\r\n<h1>hi</h1>"));
/// ```
#[derive(Clone, Debug)]
pub struct Response {
    status: Status,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    content_type: Cow<'static, str>,
    body: Cow<'static, [u8]>,
    etag: Option<Cow<'static, str>>,
    upgrade: Option<&'static str>,
    closing: bool,
}

impl Response {
    /// With that status, no fields of its own and no body.
    pub fn new(status: Status) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content_type: Cow::Borrowed(""),
            body: Cow::Borrowed(b""),
            etag: None,
            upgrade: None,
            closing: false,
        }
    }

    /// A line of text for people; a line feed is added.
    pub fn text(status: Status, message: &str) -> Self {
        Self::new(status).body("text/plain; charset=utf-8", format!("{message}\n").into_bytes())
    }

    /// An error for programs: `{"error":{"code":"…","message":"…"}}`.
    pub fn error(status: Status, code: &str, message: &str) -> Self {
        let mut json = String::with_capacity(40 + code.len() + message.len());
        json.push_str("{\"error\":{\"code\":\"");
        push_json(&mut json, code);
        json.push_str("\",\"message\":\"");
        push_json(&mut json, message);
        json.push_str("\"}}\n");
        Self::new(status).body("application/json", json.into_bytes())
    }

    /// 405, which "MUST generate an Allow header field" (RFC 9110 §15.5.6): `GET, HEAD`.
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let status = Status::METHOD_NOT_ALLOWED;
        Self::error(status, status.code(), "this path does not take that method")
            .header("Allow", allow)
    }

    /// 501, for a method that is understood nowhere here (RFC 9110 §9.1).
    pub fn not_implemented() -> Self {
        let status = Status::NOT_IMPLEMENTED;
        Self::error(status, status.code(), "the method is not known here")
    }

    /// Adds a field. `Date`, `Connection`, `Upgrade`, `ETag`, `Content-Type` and `Content-Length` are
    /// not for this: they have their own ways in, or follow from the exchange.
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body and its type.
    pub fn body(
        mut self,
        content_type: impl Into<Cow<'static, str>>,
        bytes: impl Into<Cow<'static, [u8]>>,
    ) -> Self {
        self.content_type = content_type.into();
        self.body = bytes.into();
        self
    }

    /// Sets the entity tag, quotes included: `"v1"` (RFC 9110 §8.8.3). A client that has this version
    /// gets a 304.
    pub fn etag(mut self, tag: impl Into<Cow<'static, str>>) -> Self {
        self.etag = Some(tag.into());
        self
    }

    /// Names the protocol to upgrade to, which a 426 MUST (RFC 9110 §15.5.22).
    pub fn upgrade(mut self, protocol: &'static str) -> Self {
        self.upgrade = Some(protocol);
        self
    }

    /// Closes the connection after this, whatever the client wants.
    pub fn closing(mut self) -> Self {
        self.closing = true;
        self
    }

    /// The status, unless the exchange makes it a 304.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Whether to close the connection once this is sent.
    pub fn closes(&self, exchange: &Exchange) -> bool {
        self.closing || !exchange.keep_alive
    }

    /// The status that is sent: 304 to whoever has this version already (RFC 9110 §13.1.2).
    pub fn status_for(&self, exchange: &Exchange) -> Status {
        let is_known = self.etag.as_deref().is_some_and(|tag| exchange.has_version(tag));
        if self.status == Status::OK && is_known { Status::NOT_MODIFIED } else { self.status }
    }

    /// All bytes to send. `date` is now.
    pub fn encode(&self, exchange: &Exchange, date: &Date) -> Vec<u8> {
        let etag = self.etag.as_deref();
        let status = self.status_for(exchange);
        let with_body = status.has_content() && !exchange.head;

        let mut out = Vec::with_capacity(self.bytes_max(with_body));
        push(&mut out, &[b"HTTP/1.1 ", status.number().to_string().as_bytes(), b" "]);
        push(&mut out, &[status.reason().as_bytes(), b"\r\nDate: ", date.as_bytes(), b"\r\n"]);
        for (name, value) in &self.headers {
            push_field(&mut out, name, value);
        }
        if let Some(tag) = etag {
            push_field(&mut out, "ETag", tag);
        }
        if status.has_content() {
            if !self.content_type.is_empty() {
                push_field(&mut out, "Content-Type", &self.content_type);
            }
            // RFC 9110 §9.3.2: to HEAD the same fields as to GET.
            push_field(&mut out, "Content-Length", &self.body.len().to_string());
        }
        if let Some(protocol) = self.upgrade {
            push_field(&mut out, "Upgrade", protocol);
        }
        if let Some(options) = self.connection(exchange) {
            push_field(&mut out, "Connection", options);
        }
        out.extend_from_slice(b"\r\n");
        if with_body {
            out.extend_from_slice(&self.body);
        }
        out
    }

    /// The options that both sides need to hear (RFC 9112 §9.3, §9.6; RFC 9110 §7.8).
    fn connection(&self, exchange: &Exchange) -> Option<&'static str> {
        Some(match (self.upgrade, self.closes(exchange), exchange.version) {
            (Some(_), true, _) => "Upgrade, close",
            (Some(_), false, Version::Http11) => "Upgrade",
            (Some(_), false, Version::Http10) => "Upgrade, keep-alive",
            (None, true, _) => "close",
            (None, false, Version::Http10) => "keep-alive",
            (None, false, Version::Http11) => return None,
        })
    }

    fn bytes_max(&self, with_body: bool) -> usize {
        let fields: usize = self.headers.iter().map(|(n, v)| n.len() + v.len() + 4).sum();
        let etag = self.etag.as_ref().map_or(0, |tag| tag.len() + 8);
        let body = if with_body { self.body.len() } else { 0 };
        FIXED_HEAD_BYTES_MAX + self.content_type.len() + fields + etag + body
    }
}

/// What a response must know of its request. Owned, and a few bytes unless `If-None-Match` was sent.
#[derive(Clone, Debug)]
pub struct Exchange {
    head: bool,
    keep_alive: bool,
    version: Version,
    /// `If-None-Match`, its fields joined; only of a `GET` or `HEAD`, where it asks for a 304.
    if_none_match: Option<Box<[u8]>>,
}

impl Exchange {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let reads = matches!(request.method, Method::Get | Method::Head);
        let tags: Vec<_> = request.headers.values("if-none-match").filter(|_| reads).collect();
        Self {
            head: request.method == Method::Head,
            keep_alive: request.keep_alive(),
            version: request.version,
            if_none_match: (!tags.is_empty()).then(|| tags.join(&b","[..]).into_boxed_slice()),
        }
    }

    /// For a [`Fault`](super::Fault), where no request was understood: the response closes.
    pub fn broken() -> Self {
        Self::broken_off(false)
    }

    /// The same; `head`: what there was of the request began as a `HEAD`, which is answered without a body (RFC 9110 §9.3.2).
    pub(super) fn broken_off(head: bool) -> Self {
        Self { head, keep_alive: false, version: Version::Http11, if_none_match: None }
    }

    /// Lets the connection end behind the response, whatever the client would like.
    pub(crate) fn close(&mut self) {
        self.keep_alive = false;
    }

    /// Whether the client would go on using the connection.
    pub fn keeps_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the client holds the version of that tag, by weak comparison (RFC 9110 §13.1.2).
    fn has_version(&self, tag: &str) -> bool {
        let Some(tags) = &self.if_none_match else { return false };
        let tag = opaque(tag.as_bytes());
        grammar::elements(tags).any(|known| known == b"*" || opaque(known) == tag)
    }
}

/// An entity tag without its mark of weakness (RFC 9110 §8.8.3).
fn opaque(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// More than status line, `Date`, `Content-Length`, `Upgrade` and `Connection` together ever take.
const FIXED_HEAD_BYTES_MAX: usize = 256;

fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn push_field(out: &mut Vec<u8>, name: &str, value: &str) {
    push(out, &[name.as_bytes(), b": "]);
    out.extend(value.bytes().map(|byte| if byte.is_ascii_control() { b' ' } else { byte }));
    out.extend_from_slice(b"\r\n");
}

/// Appends `text` as the inside of a JSON string (RFC 8259 §7).
fn push_json(json: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c < ' ' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Fault, Limits, Reader};

    fn exchange(head: &str) -> Exchange {
        let mut reader = Reader::new();
        let mut input = head.as_bytes();
        let request = reader.next_request(&mut input, &Limits::default()).unwrap().unwrap();
        request.exchange()
    }

    fn encoded(response: &Response, head: &str) -> String {
        let date = Date::from_unix(784_111_777);
        String::from_utf8(response.encode(&exchange(head), &date)).unwrap()
    }

    #[test]
    fn a_response_fits_its_exchange() {
        let page = Response::new(Status::OK)
            .header("Cache-Control", "no-cache")
            .etag("\"v1\"")
            .body("text/plain", b"hello");
        let head = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Cache-Control: no-cache\r\nETag: \"v1\"\r\n\
                    Content-Type: text/plain\r\nContent-Length: 5\r\n";
        let known = "HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                     Cache-Control: no-cache\r\nETag: \"v1\"\r\n\r\n";
        let rows = [
            ("GET / HTTP/1.1\r\nHost: h\r\n\r\n", format!("{head}\r\nhello")),
            ("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", format!("{head}\r\n")),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n",
                format!("{head}Connection: close\r\n\r\nhello"),
            ),
            ("GET / HTTP/1.0\r\n\r\n", format!("{head}Connection: close\r\n\r\nhello")),
            (
                "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                format!("{head}Connection: keep-alive\r\n\r\nhello"),
            ),
            ("GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n", known.to_owned()),
            (
                "HEAD / HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"v0\"\r\n\
                 If-None-Match: W/\"v1\"\r\n\r\n",
                known.to_owned(),
            ),
            (
                "GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"v0,v1\", v1\r\n\r\n",
                format!("{head}\r\nhello"),
            ),
            ("POST / HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n", format!("{head}\r\nhello")),
        ];
        for (request, expected) in rows {
            assert_eq!(encoded(&page, request), expected, "{request:?}");
        }
    }

    #[test]
    fn an_error_is_json_whatever_is_in_it() {
        let response = Response::error(Status::CONFLICT, "taken", "\"a\\b\"\n is taken");
        let text = encoded(&response, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        let body = r#"{"error":{"code":"taken","message":"\"a\\b\"\u000a is taken"}}"#;
        assert!(text.ends_with(&format!("\r\n\r\n{body}\n")), "{text}");
        assert!(text.contains(&format!("Content-Length: {}\r\n", body.len() + 1)));
    }

    #[test]
    fn no_value_can_end_its_line() {
        let response = Response::new(Status::OK).header("X", "a\r\nSet-Cookie: b\0");
        let text = encoded(&response, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        assert!(text.contains("X: a  Set-Cookie: b \r\n"), "{text}");
    }

    #[test]
    fn statuses_that_need_a_field_have_it() {
        let get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        let not_allowed = encoded(&Response::method_not_allowed("GET, HEAD"), get);
        assert!(not_allowed.contains("\r\nAllow: GET, HEAD\r\n"), "{not_allowed}");
        let upgrade = Response::new(Status::UPGRADE_REQUIRED).upgrade("websocket").closing();
        let upgrade = encoded(&upgrade, get);
        let fields = "\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n";
        assert!(upgrade.contains(fields), "{upgrade}");
        let no_content = encoded(&Response::new(Status::NO_CONTENT), get);
        assert!(!no_content.contains("Content-"), "{no_content}");
    }

    #[test]
    fn a_fault_closes_and_tells_the_rule() {
        let response = Response::from(&Fault::ObsFold);
        assert!(response.closes(&Exchange::broken()));
        let bytes = response.encode(&Exchange::broken(), &Date::from_unix(0));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{text}");
        assert!(text.contains("\r\nConnection: close\r\n"), "{text}");
        assert!(text.contains(Fault::ObsFold.message()), "{text}");
    }
}
