//! Every rule of the `http` layer as a row: bytes in, what is made of them out.
//!
//! Each row runs whole, byte by byte, cut in two at every place, and with bytes behind it: frames, which
//! must be left alone, and a second request, which must be read as if it came alone. A row that breaks
//! a rule ends with the byte that makes it certain, and without that byte it must not be a fault yet.

use wsrelay::http::{Date, Exchange, Fault, Limits, Reader, Request, Response};

/// Name, section, bytes, expected.
type Row = (&'static str, &'static str, &'static [u8], Expected);

enum Expected {
    /// `METHOD path?query host keep-alive|close body`
    Reads(&'static str),
    Breaks(Fault, u16),
}
use Expected::{Breaks, Reads};

/// Small enough for rows to reach.
const LIMITS: Limits =
    Limits { request_line_bytes_max: 48, head_bytes_max: 160, headers_max: 5, body_bytes_max: 9 };

const REQUESTS: &[Row] = &[
    // The request line.
    ("least", "9112 §3", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", Reads("GET / h keep-alive ")),
    ("query", "9112 §3.2.1", b"GET /a?b=c? HTTP/1.1\r\nHost: h\r\n\r\n", Reads("GET /a?b=c? h keep-alive ")),
    ("one empty line before", "9112 §2.2", b"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", Reads("GET / h keep-alive ")),
    ("two empty lines before", "9112 §2.2", b"\r\n\r", Breaks(Fault::BlankLines, 400)),
    ("tls", "9112 §3", b"\x16", Breaks(Fault::NotHttp, 400)),
    ("ssh 1.x is a method", "9112 §3", b"SSH-2.0-x\r", Breaks(Fault::RequestLine, 400)),
    ("space first", "9112 §3", b" ", Breaks(Fault::NotHttp, 400)),
    ("line feed first", "9112 §2.2", b"\n", Breaks(Fault::BareLf, 400)),
    ("a frame is not a request", "9112 §3", b"\x81", Breaks(Fault::NotHttp, 400)),
    ("method is a token", "9110 §9.1", b"G(", Breaks(Fault::RequestLine, 400)),
    ("method in lower case is another", "9110 §9.1", b"get / HTTP/1.1\r\nHost: h\r\n\r\n", Reads("get / h keep-alive ")),
    ("unknown method is read", "9110 §9.1", b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", Reads("BREW / h keep-alive ")),
    ("method without end", "9112 §3", b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Breaks(Fault::MethodTooLong, 501)),
    ("connect", "9110 §9.3.6", b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", Breaks(Fault::Connect, 501)),
    ("two spaces", "9112 §3", b"GET  ", Breaks(Fault::RequestLine, 400)),
    ("tab for a space", "9112 §3", b"GET\t", Breaks(Fault::RequestLine, 400)),
    ("space in the target", "9112 §3.2", b"GET /a b", Breaks(Fault::RequestLine, 400)),
    ("space behind the version", "9112 §3", b"GET / HTTP/1.1 ", Breaks(Fault::RequestLine, 400)),
    ("no version", "9112 §3", b"GET /\r", Breaks(Fault::RequestLine, 400)),
    ("NUL in the target", "9112 §3.2", b"GET /\0", Breaks(Fault::Nul, 400)),
    ("control in the target", "9112 §3.2", b"GET /\x01", Breaks(Fault::Control, 400)),
    ("bare bytes above ASCII", "3986 §2", b"GET /\xc3", Breaks(Fault::RequestLine, 400)),
    ("fragment", "9112 §3.2", b"GET /#", Breaks(Fault::RequestLine, 400)),
    ("line feed ends the line", "9112 §2.2", b"GET / HTTP/1.1\n", Breaks(Fault::BareLf, 400)),
    ("carriage return alone", "9112 §2.2", b"GET / HTTP/1.1\rH", Breaks(Fault::BareCr, 400)),
    ("longest line", "9112 §3", b"GET /56789012345678901234567890123456 HTTP/1.1\r\n\r\n", Breaks(Fault::HostMissing, 400)),
    ("line too long", "9112 §3", b"GET /567890123456789012345678901234567 HTTP/1.1\r\n", Breaks(Fault::RequestLineTooLong, 414)),
    ("target too long", "9112 §3", b"GET /56789012345678901234567890123456789012345678", Breaks(Fault::RequestLineTooLong, 414)),
    // The version.
    ("1.0 needs no host", "9112 §3.2", b"GET / HTTP/1.0\r\n\r\n", Reads("GET / - close ")),
    ("2.0", "9110 §2.5", b"GET / HTTP/2", Breaks(Fault::Version, 505)),
    ("preface of 2", "9113 §3.4", b"PRI * HTTP/2", Breaks(Fault::Version, 505)),
    ("0.9", "9110 §2.5", b"GET / HTTP/0", Breaks(Fault::Version, 505)),
    ("1.2", "9110 §2.5", b"GET / HTTP/1.2", Breaks(Fault::Version, 505)),
    ("1.10", "9112 §2.3", b"GET / HTTP/1.10", Breaks(Fault::RequestLine, 400)),
    ("lower case", "9112 §2.3", b"GET / h", Breaks(Fault::RequestLine, 400)),
    ("another protocol", "9112 §2.3", b"GET / HTTPS", Breaks(Fault::RequestLine, 400)),
    // The target.
    ("absolute form wins over Host", "9112 §3.2.2", b"GET http://t:1/x HTTP/1.1\r\nHost: h\r\n\r\n", Reads("GET /x t:1 keep-alive ")),
    ("absolute form without path", "9110 §4.2.3", b"GET HTTPS://t HTTP/1.1\r\nHost: h\r\n\r\n", Reads("GET / t keep-alive ")),
    ("absolute form, no Host", "9112 §3.2", b"GET http://t/ HTTP/1.1\r\n\r\n", Breaks(Fault::HostMissing, 400)),
    ("user in the target", "9110 §4.2.4", b"GET http://u@t/ HTTP/1.1\r\nHost: t\r\n\r\n", Breaks(Fault::Target, 400)),
    ("no host in the target", "9110 §4.2.1", b"GET http:///x HTTP/1.1\r\nHost: t\r\n\r\n", Breaks(Fault::Target, 400)),
    ("another scheme", "9112 §3.2.2", b"GET ws://t/ HTTP/1.1\r\nHost: t\r\n\r\n", Breaks(Fault::Target, 400)),
    ("asterisk", "9112 §3.2.4", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", Reads("OPTIONS * h keep-alive ")),
    ("asterisk with GET", "9112 §3.2.4", b"GET * HTTP/1.1\r\nHost: h\r\n\r\n", Breaks(Fault::Target, 400)),
    ("authority with GET", "9112 §3.2.3", b"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", Breaks(Fault::Target, 400)),
    ("no slash", "9112 §3.2.1", b"GET x HTTP/1.1\r\nHost: h\r\n\r\n", Breaks(Fault::Target, 400)),
    // Host.
    ("host with port", "9110 §7.2", b"GET / HTTP/1.1\r\nhOST:\t[::1]:80 \r\n\r\n", Reads("GET / [::1]:80 keep-alive ")),
    ("no host", "9112 §3.2", b"GET / HTTP/1.1\r\n\r\n", Breaks(Fault::HostMissing, 400)),
    ("two hosts", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", Breaks(Fault::HostDuplicate, 400)),
    ("two hosts in 1.0", "9112 §3.2", b"GET / HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", Breaks(Fault::HostDuplicate, 400)),
    ("empty host", "9110 §4.2.1", b"GET / HTTP/1.1\r\nHost:\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("list of hosts", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: h, i\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("path in host", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("user in host", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("port out of range", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("bytes above ASCII in host", "9112 §3.2", b"GET / HTTP/1.1\r\nHost: \xe9\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    ("bad host in 1.0", "9112 §3.2", b"GET / HTTP/1.0\r\nHost: a b\r\n\r\n", Breaks(Fault::HostInvalid, 400)),
    // Field lines.
    ("bytes above ASCII in a value", "9110 §5.5", b"GET / HTTP/1.1\r\nHost: h\r\nX: \xff\xfe\r\n\r\n", Reads("GET / h keep-alive ")),
    ("empty value", "9110 §5.5", b"GET / HTTP/1.1\r\nHost: h\r\nX:\r\n\r\n", Reads("GET / h keep-alive ")),
    ("folded line", "9112 §5.2", b"GET / HTTP/1.1\r\nX: a\r\n ", Breaks(Fault::ObsFold, 400)),
    ("folded with a tab", "9112 §5.2", b"GET / HTTP/1.1\r\nX: a\r\n\t", Breaks(Fault::ObsFold, 400)),
    ("space before the first field", "9112 §2.2", b"GET / HTTP/1.1\r\n ", Breaks(Fault::ObsFold, 400)),
    ("space before the colon", "9112 §5.1", b"GET / HTTP/1.1\r\nHost ", Breaks(Fault::SpaceBeforeColon, 400)),
    ("tab before the colon", "9112 §5.1", b"GET / HTTP/1.1\r\nHost\t", Breaks(Fault::SpaceBeforeColon, 400)),
    ("no colon", "9112 §5", b"GET / HTTP/1.1\r\nHost\r", Breaks(Fault::FieldName, 400)),
    ("no name", "9112 §5", b"GET / HTTP/1.1\r\n:", Breaks(Fault::FieldName, 400)),
    ("delimiter in a name", "9110 §5.1", b"GET / HTTP/1.1\r\nA(", Breaks(Fault::FieldName, 400)),
    ("NUL in a name", "9110 §5.1", b"GET / HTTP/1.1\r\nA\0", Breaks(Fault::Nul, 400)),
    ("NUL in a value", "9110 §5.5", b"GET / HTTP/1.1\r\nA: b\0", Breaks(Fault::Nul, 400)),
    ("control in a value", "9110 §5.5", b"GET / HTTP/1.1\r\nA: b\x08", Breaks(Fault::Control, 400)),
    ("delete in a value", "9110 §5.5", b"GET / HTTP/1.1\r\nA: b\x7f", Breaks(Fault::Control, 400)),
    ("line feed in a value", "9112 §2.2", b"GET / HTTP/1.1\r\nA: b\n", Breaks(Fault::BareLf, 400)),
    ("carriage return in a value", "9112 §2.2", b"GET / HTTP/1.1\r\nA: b\rc", Breaks(Fault::BareCr, 400)),
    ("line feed ends the head", "9112 §2.2", b"GET / HTTP/1.1\r\nHost: h\r\n\n", Breaks(Fault::BareLf, 400)),
    ("carriage return at the end", "9112 §2.2", b"GET / HTTP/1.1\r\nHost: h\r\n\rx", Breaks(Fault::BareCr, 400)),
    ("most fields", "6585 §5", b"GET / HTTP/1.1\r\nHost:h\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n", Reads("GET / h keep-alive ")),
    ("too many fields", "6585 §5", b"GET / HTTP/1.1\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF", Breaks(Fault::TooManyHeaders, 431)),
    (
        "largest head",
        "6585 §5",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: 012345678901234567890123456789012345678901234567890123456789\
          01234567890123456789012345678901234567890123456789012345678901234567\r\n\r\n",
        Reads("GET / h keep-alive "),
    ),
    (
        "head too large",
        "6585 §5",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: 012345678901234567890123456789012345678901234567890123456789\
          0123456789012345678901234567890123456789012345678901234567890123456789012",
        Breaks(Fault::HeadTooLarge, 431),
    ),
    // The body.
    ("body", "9112 §6.3", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", Reads("POST / h keep-alive abc")),
    ("body of a GET is not a request", "9110 §9.3.1", b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nGET /", Reads("GET / h keep-alive GET /")),
    ("body of a HEAD", "9110 §9.3.2", b"HEAD / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx", Reads("HEAD / h keep-alive x")),
    ("empty body", "9112 §6.3", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 000\r\n\r\n", Reads("POST / h keep-alive ")),
    ("no length, no body", "9112 §6.3", b"POST / HTTP/1.1\r\nHost: h\r\n\r\n", Reads("POST / h keep-alive ")),
    ("largest body", "9110 §15.5.14", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n\0\r\n\r\n\xffGET", Reads("PUT / h keep-alive \\x00\\r\\n\\r\\n\\xffGET")),
    ("body too large", "9110 §15.5.14", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", Breaks(Fault::BodyTooLarge, 413)),
    ("length beyond 64 bits", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551617\r\n\r\n", Breaks(Fault::BodyTooLarge, 413)),
    ("negative length", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("length with a plus", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("length in hex", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("empty length", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: \r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("list of lengths", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("length twice", "9112 §6.3", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", Breaks(Fault::ContentLength, 400)),
    ("chunked", "9112 §6.1", b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", Breaks(Fault::TransferEncoding, 501)),
    ("unknown coding", "9112 §6.1", b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", Breaks(Fault::TransferEncoding, 501)),
    ("empty coding", "9112 §6.1", b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", Breaks(Fault::TransferEncoding, 501)),
    ("length and coding", "9112 §6.1", b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", Breaks(Fault::ContentLengthWithTransferEncoding, 400)),
    ("coding in 1.0", "9112 §6.1", b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Breaks(Fault::TransferEncodingMisplaced, 400)),
    ("upgrade with a body", "9112 §11.2", b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c, WebSocket\r\nContent-Length: 5\r\n\r\n", Breaks(Fault::UpgradeWithBody, 400)),
    ("upgrade with an empty body", "9112 §11.2", b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", Breaks(Fault::UpgradeWithBody, 400)),
    ("upgrade with a coding", "9112 §11.2", b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n", Breaks(Fault::TransferEncodingMisplaced, 400)),
    ("upgrade with both", "9112 §11.2", b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nTransfer-Encoding: a\r\nContent-Length: 0\r\n\r\n", Breaks(Fault::ContentLengthWithTransferEncoding, 400)),
    ("another upgrade is ignored", "9110 §7.8", b"PUT / HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\nx", Reads("PUT / h keep-alive x")),
    ("expectation", "9110 §10.1.1", b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", Breaks(Fault::Expect, 417)),
    ("unknown expectation", "9110 §10.1.1", b"GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", Breaks(Fault::Expect, 417)),
    ("expectation in 1.0 is ignored", "9110 §10.1.1", b"PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx", Reads("PUT / - close x")),
    // The connection.
    ("close", "9112 §9.3", b"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", Reads("GET / h close ")),
    ("1.0 kept alive", "9112 §9.3", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", Reads("GET / - keep-alive ")),
    ("close wins", "9112 §9.3", b"GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", Reads("GET / - close ")),
    ("an option is a whole word", "9112 §9.3", b"GET / HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", Reads("GET / h keep-alive ")),
];

#[test]
fn every_row_whole() {
    for (name, section, bytes, expected) in REQUESTS {
        let mut reader = Reader::new();
        let mut input = *bytes;
        check(name, section, &next(&mut reader, &mut input), expected);
        if let Reads(_) = expected {
            assert!(input.is_empty() && reader.is_idle(), "{name}");
            assert_eq!(reader.held_bytes(), 0, "{name}: a whole request is borrowed");
        }
    }
}

#[test]
fn every_row_byte_by_byte() {
    for (name, section, bytes, expected) in REQUESTS {
        let mut reader = Reader::new();
        let (last, before) = bytes.split_last().unwrap();
        for byte in before {
            let step = next(&mut reader, &mut &[*byte][..]);
            assert_eq!(step, Ok(None), "{name}: too early");
            assert!(!reader.is_idle(), "{name}");
        }
        check(name, section, &next(&mut reader, &mut &[*last][..]), expected);
        if let Reads(_) = expected {
            assert!(reader.is_idle(), "{name}");
            assert_eq!(next(&mut reader, &mut &b""[..]), Ok(None), "{name}");
        }
        assert_eq!(reader.held_bytes(), 0, "{name}: holds memory afterwards");
    }
}

#[test]
fn every_row_cut_in_two_anywhere() {
    for (name, section, bytes, expected) in REQUESTS {
        for at in 1..bytes.len() {
            let mut reader = Reader::new();
            assert_eq!(next(&mut reader, &mut &bytes[..at]), Ok(None), "{name} at {at}");
            check(name, section, &next(&mut reader, &mut &bytes[at..]), expected);
        }
    }
}

#[test]
fn every_row_with_frames_behind_it() {
    const FRAMES: &[u8] = b"\x81\x85\x01\x02\x03\x04ignored\x88\x80\0\0\0\0";
    for (name, section, bytes, expected) in REQUESTS {
        for at in 0..bytes.len() {
            let mut reader = Reader::new();
            assert_eq!(next(&mut reader, &mut &bytes[..at]), Ok(None), "{name} at {at}");
            let rest = [&bytes[at..], FRAMES].concat();
            let mut input = &rest[..];
            check(name, section, &next(&mut reader, &mut input), expected);
            if let Reads(_) = expected {
                assert_eq!(input, FRAMES, "{name} at {at}: takes what is not its own");
            }
        }
    }
}

#[test]
fn every_row_with_a_request_behind_it() {
    const SECOND: &[u8] = b"POST /second HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
    for (name, section, bytes, expected) in REQUESTS {
        let both = [bytes, SECOND].concat();
        let mut reader = Reader::new();
        let mut input = &both[..];
        check(name, section, &next(&mut reader, &mut input), expected);
        let second = next(&mut reader, &mut input);
        match expected {
            Reads(_) => assert_eq!(second, Ok(Some("POST /second h keep-alive ok".to_owned()))),
            Breaks(fault, _) => assert_eq!(second, Err(*fault), "{name}: goes on after a fault"),
        }
    }
}

#[test]
fn every_fault_is_answered_with_its_status_and_a_close() {
    for (name, _, _, expected) in REQUESTS {
        let Breaks(fault, status) = expected else { continue };
        let response = Response::from(fault);
        assert_eq!(response.status().number(), *status, "{name}");
        assert!(response.closes(&Exchange::broken()), "{name}");
    }
}

fn check(name: &str, section: &str, found: &Result<Option<String>, Fault>, expected: &Expected) {
    match expected {
        Reads(text) => assert_eq!(found, &Ok(Some((*text).to_owned())), "{name} (RFC {section})"),
        Breaks(fault, _) => assert_eq!(found, &Err(*fault), "{name} (RFC {section})"),
    }
}

fn next(reader: &mut Reader, input: &mut &[u8]) -> Result<Option<String>, Fault> {
    Ok(reader.next_request(input, &LIMITS)?.map(|request| facts(&request)))
}

fn facts(request: &Request<'_>) -> String {
    let target = &request.target;
    format!(
        "{} {}{} {} {} {}",
        request.method.as_str(),
        target.path(),
        target.query().map_or(String::new(), |query| format!("?{query}")),
        request.host().unwrap_or("-"),
        if request.keep_alive() { "keep-alive" } else { "close" },
        request.body.escape_ascii(),
    )
}

/// However it was cut, and also when it is asked again.
#[test]
fn a_head_request_that_breaks_a_rule_is_answered_without_a_body() {
    let date = Date::from_unix(0);
    for (request, has_body) in [
        (&b"HEAD / HTTP/1.1\r\n\r\n"[..], false),
        (b"\r\nHEAD / HTTP/1.1\r\n\r\n", false),
        (b"HEAD / HTTP/1.1\r\nHost: h\r\nbad name: x\r\n\r\n", false),
        (b"GET / HTTP/1.1\r\n\r\n", true),
        (b"HEADER / HTTP/1.1\r\n\r\n", true),
    ] {
        for cut in 0..request.len() {
            let mut reader = Reader::new();
            let (mut first, mut second) = request.split_at(cut);
            let limits = Limits::default();
            let fault = match reader.next_request(&mut first, &limits) {
                Err(fault) => fault,
                Ok(_) => reader.next_request(&mut second, &limits).unwrap_err(),
            };
            assert_eq!(reader.next_request(&mut &b"x"[..], &limits).unwrap_err(), fault);
            let response = Response::from(&fault).encode(&reader.broken_exchange(), &date);
            let text = String::from_utf8(response).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains("\r\nConnection: close"), "{head}");
            assert_eq!(!body.is_empty(), has_body, "{request:?} cut at {cut}: {text}");
        }
    }
}
