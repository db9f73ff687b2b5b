//! What must hold of requests and opening handshakes, whatever the bytes.
//!
//! Each function takes any bytes, panics if a property does not hold, and is called both by the property
//! tests and by a fuzz target of its name. The properties:
//!
//! - how the input is cut changes no request, no fault, and no byte taken;
//! - no byte past a request, or past a response head, is taken;
//! - memory follows the bytes received, stays within limits, and is given back;
//! - the work is linear, one byte at a time too;
//! - what is accepted, and what is found in it, equals a naive model;
//! - what a client makes up does not hide whom its proxy names;
//! - nothing is agreed to that was not offered, and our client takes what our server answers.

mod naive;

use self::naive::Verdict;
use crate::http::head::work;
use crate::http::{
    Date, Fault, Forwarded, Limits, Reader, Request, Response, Status, Trusted, grammar,
};
use crate::ws::extension::{Agreement, Element, Elements, Malformed};
use crate::ws::handshake::client::{Agreed, ClientHandshake, Opening, ServerFault};
use crate::ws::handshake::{Offer, Refusal, SUBPROTOCOLS_MAX, is_upgrade};

/// Small, so that random input meets them.
pub const LIMITS: Limits = Limits {
    request_line_bytes_max: 200,
    head_bytes_max: 800,
    headers_max: 16,
    body_bytes_max: 64,
};

/// Whatever reads requests off a stream: the real one, and broken ones that must be caught.
pub trait Requests: Default {
    /// As [`Reader::next_request`]; what was seen of the request is rendered.
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault>;
    /// As [`Reader::held_bytes`].
    fn held_bytes(&self) -> usize;
}

/// All that can be seen of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Method, target, version, fields and body.
    pub rendered: String,
    /// What the naive model also finds.
    pub facts: String,
    /// Bytes of head and body together, if nothing came before.
    pub body_bytes: usize,
}

impl Requests for Reader {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        Ok(self.next_request(input, limits)?.map(|request| {
            // What the checks look at is not the reader's work.
            let reading = work::take();
            targets_decode_as_the_model(&request);
            responses_are_framed(&request);
            if is_upgrade(&request) {
                offers_hold(&request);
            }
            work::take();
            work::add(reading);
            Seen::of(&request)
        }))
    }

    fn held_bytes(&self) -> usize {
        Reader::held_bytes(self)
    }
}

impl Seen {
    fn of(request: &Request<'_>) -> Self {
        let target = &request.target;
        let method = request.method.as_str();
        Self {
            rendered: format!("{request:?}"),
            facts: format!(
                "{method} {} {:?} {:?} {}",
                target.path(),
                target.query(),
                request.host(),
                request.keep_alive(),
            ),
            body_bytes: request.body.len(),
        }
    }
}

/// Requests, one behind the other, cut in any way.
pub fn request_head(data: &[u8]) {
    requests_hold::<Reader>(data);
}

/// Every property of reading requests, of any [`Requests`].
pub fn requests_hold<R: Requests>(data: &[u8]) {
    let whole = read::<R>(data, || usize::MAX);
    let single = read::<R>(data, || 1);
    assert_eq!(whole, single, "one byte at a time makes a difference");
    let mut cuts = Cuts::seeded_by(data);
    let cut = read::<R>(data, || cuts.next_bytes());
    assert_eq!(whole, cut, "cuts make a difference");
    let longer = read::<R>(&[data, b"\x81\x85GET /".as_slice()].concat(), || usize::MAX);
    assert!(
        longer.requests.starts_with(&whole.requests),
        "what follows a request changes it, or is taken with it"
    );
    equals_the_model(data, &whole);
}

/// What a client made up, and behind it what its proxy says: the client is whom the proxy names, or the request is refused.
pub fn forwarded(made_up: &[u8]) {
    for (name, own) in [
        ("X-Forwarded-For", "192.0.2.1"),
        ("Forwarded", "for=192.0.2.1"),
        ("Forwarded", "for=\"192.0.2.1:80\";proto=https"),
        ("Forwarded", "by=_a;for=192.0.2.1;host=\"a\\\"b\""),
    ] {
        let before = format!("GET / HTTP/1.1\r\nHost: h\r\n{name}: ");
        let bytes = [before.as_bytes(), made_up, b", ", own.as_bytes(), b"\r\n\r\n"].concat();
        let mut reader = Reader::new();
        match reader.next_request(&mut &bytes[..], &Limits::default()) {
            Ok(Some(request)) if request.headers.iter().count() == 2 => {
                match Forwarded::read(&request.headers, &Trusted::default()) {
                    Ok(said) => {
                        assert_eq!(said.address, Some([192, 0, 2, 1].into()), "{own} is hidden");
                    }
                    Err(_) => assert_eq!(name, "Forwarded", "commas alone part {name}"),
                }
            }
            // It is no value of one field.
            _ => {}
        }
    }
}

/// Requests with the stream positions where they end, up to a fault.
#[derive(Debug, PartialEq, Eq)]
struct Reading {
    requests: Vec<(usize, Seen)>,
    fault: Option<Fault>,
}

/// Reads `data` in pieces of the sizes that `piece_bytes` gives, and holds memory and work to bounds.
fn read<R: Requests>(data: &[u8], mut piece_bytes: impl FnMut() -> usize) -> Reading {
    let mut reader = R::default();
    let mut reading = Reading { requests: Vec::new(), fault: None };
    let (mut at, mut start) = (0, 0);
    work::take();
    while at < data.len() && reading.fault.is_none() {
        let piece = &data[at..data.len().min(at.saturating_add(piece_bytes().max(1)))];
        let mut input = piece;
        loop {
            let step = reader.next(&mut input, &LIMITS);
            let taken_to = at + piece.len() - input.len();
            let held_bytes_max =
                2 * (taken_to - start).min(LIMITS.head_bytes_max + LIMITS.body_bytes_max);
            assert!(reader.held_bytes() <= held_bytes_max.max(8), "holds more than was received");
            match step {
                Ok(Some(seen)) => {
                    reading.requests.push((taken_to, seen));
                    start = taken_to;
                    // The next call gives back what this one needed.
                    if input.is_empty() {
                        assert!(reader.next(&mut input, &LIMITS).is_ok_and(|r| r.is_none()));
                        assert_eq!(reader.held_bytes(), 0, "holds memory between requests");
                        break;
                    }
                }
                Ok(None) => {
                    assert!(input.is_empty(), "wants more, but left some");
                    break;
                }
                Err(fault) => {
                    assert_eq!(reader.held_bytes(), 0, "holds memory behind a fault");
                    reading.fault = Some(fault);
                    break;
                }
            }
        }
        at += piece.len();
    }
    // Once by the scanner, and at most twice by the parser, where a head came in pieces.
    assert!(work::take() <= 3 * data.len(), "looks at bytes again and again");
    reading
}

/// The first request, or its refusal, is what the naive model says.
fn equals_the_model(data: &[u8], found: &Reading) {
    match naive::request(data, &LIMITS) {
        Verdict::Unfinished => assert!(found.requests.is_empty(), "accepts a head without an end"),
        Verdict::Refused => {
            assert!(found.requests.is_empty(), "accepts what it must refuse: {found:?}");
            assert!(found.fault.is_some(), "does not refuse a whole head");
        }
        Verdict::Accepted(model) => {
            let request_bytes = model.head_bytes + model.body_bytes;
            let Some((end, seen)) = found.requests.first() else {
                assert!(data.len() < request_bytes, "refuses what it must accept: {found:?}");
                assert_eq!(found.fault, None, "refuses what it must accept");
                return;
            };
            assert_eq!((*end, seen.body_bytes), (request_bytes, model.body_bytes));
            let (path, query) = path_and_query(&model);
            let naive::Request { method, host, keep_alive, .. } = &model;
            assert_eq!(seen.facts, format!("{method} {path} {query:?} {host:?} {keep_alive}"));
        }
    }
}

fn path_and_query(model: &naive::Request) -> (String, Option<String>) {
    let text = match model.target.find("://").filter(|_| !model.target.starts_with('/')) {
        Some(at) => model.target[at + 3..].trim_start_matches(|c| c != '/' && c != '?'),
        None => &model.target,
    };
    let mut parts = text.splitn(2, '?').map(str::to_owned);
    let path = parts.next().filter(|path| !path.is_empty()).unwrap_or("/".to_owned());
    (path, parts.next())
}

/// Decoding equals the model, and a decoded path can mean one thing only.
fn targets_decode_as_the_model(request: &Request<'_>) {
    let path = request.target.path();
    let model = naive::percent_decoded(path).filter(|decoded| {
        let slashes = |text: &str| text.matches('/').count();
        slashes(decoded) == slashes(path)
            && !decoded.chars().any(|c| c.is_control() || c == '\\')
            && !format!("{decoded}/").contains("/../")
            && !format!("{decoded}/").contains("/./")
    });
    assert_eq!(request.target.decoded_path().ok().as_deref(), model.as_deref(), "{path:?}");
    for (name, value) in request.headers.iter() {
        let found: Vec<_> = grammar::elements(value).map(<[u8]>::to_vec).collect();
        assert_eq!(found, naive::list(value), "{name}: {}", value.escape_ascii());
    }
}

/// Whatever is answered is one whole response, of the length that it says.
fn responses_are_framed(request: &Request<'_>) {
    let exchange = request.exchange();
    let response = Response::text(Status::OK, request.target.path()).etag("\"v1\"");
    let bytes = response.encode(&exchange, &Date::from_unix(0));
    let mut fields = [httparse::EMPTY_HEADER; 16];
    let mut parsed = httparse::Response::new(&mut fields);
    let head_bytes = parsed.parse(&bytes).expect("a response is well formed").unwrap();
    let value = |name: &str| {
        let field = parsed.headers.iter().find(|field| field.name == name);
        field.map(|field| String::from_utf8_lossy(field.value).into_owned())
    };
    let body_bytes = bytes.len() - head_bytes;
    match parsed.code {
        Some(304) => assert_eq!((value("Content-Length"), body_bytes), (None, 0)),
        Some(200) => {
            let length: usize = value("Content-Length")
                .expect("a 200 has a length")
                .parse()
                .expect("a length is a number");
            let is_head = request.method == crate::http::Method::Head;
            assert_eq!(length, request.target.path().len() + 1);
            assert_eq!(body_bytes, if is_head { 0 } else { length });
        }
        other => panic!("a 200 became {other:?}"),
    }
    let closes = value("Connection").as_deref() == Some("close");
    assert_eq!(closes, response.closes(&exchange));
}

/// A handshake that is whole but for these field lines.
///
/// They come last, each ended by CRLF; whatever is no field line is refused as HTTP.
pub fn handshake_headers(data: &[u8]) {
    let head = [OPENING, data, b"\r\n\r\n".as_slice()].concat();
    let mut reader = Reader::new();
    let mut input = &head[..];
    if let Ok(Some(request)) = reader.next_request(&mut input, &Limits::default())
        && is_upgrade(&request)
    {
        offers_hold(&request);
    }
}

/// A handshake is refused for its subprotocols or extensions exactly if the model does, and otherwise
/// accepted in a way that our own client takes.
fn offers_hold(request: &Request<'_>) {
    let names: Vec<_> = request.headers.list("sec-websocket-protocol").collect();
    let tokens: Option<Vec<_>> = names.iter().map(|name| naive::token(name)).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    let nothing_listed =
        request.headers.values("sec-websocket-protocol").any(|value| naive::list(value).is_empty());
    let names_hold = tokens.is_some()
        && unique.len() == names.len()
        && names.len() <= SUBPROTOCOLS_MAX
        && !nothing_listed;
    let values = || request.headers.values("sec-websocket-extensions");
    let extensions: Option<Vec<_>> = values().map(naive::extensions).collect();
    for value in values() {
        assert_eq!(walked(value), naive::extensions(value), "{}", value.escape_ascii());
    }

    match Offer::parse(request) {
        Err(Refusal::Subprotocols | Refusal::TooManySubprotocols) => assert!(!names_hold),
        Err(Refusal::Extensions) => assert!(names_hold && extensions.is_none()),
        Err(refusal) => {
            let answer = Response::from(&refusal);
            assert!(answer.closes(&request.exchange()));
            assert!(answer.status().number() >= 400);
        }
        Ok(offer) => {
            assert!(names_hold, "takes subprotocols that are none");
            let offers = extensions.expect("takes extensions that break the grammar");
            let chosen = offers.iter().flatten().find_map(naive::acceptable);
            let agreement = Agreement::choose(values()).expect("it was parsed before");
            let sends_compressed = agreement.map(|a| a.deflate().sends_compressed);
            assert_eq!(sends_compressed, chosen.map(|bits| bits.is_none_or(|bits| bits == 15)));
            a_client_takes_the_answer(&offer, &tokens.unwrap_or_default());
        }
    }
}

/// The extensions of a value as the real parser walks them.
fn walked(value: &[u8]) -> Option<Vec<naive::Extension>> {
    let mut extensions: Vec<naive::Extension> = Vec::new();
    for element in Elements::new(value) {
        match element {
            Ok(Element::Extension(name)) => extensions.push((name.to_owned(), Vec::new())),
            Ok(Element::Parameter(name, value)) => {
                let last = extensions.last_mut().expect("a parameter follows its extension");
                last.1.push((name.to_owned(), value.map(std::borrow::Cow::into_owned)));
            }
            Err(Malformed) => return None,
        }
    }
    (!extensions.is_empty()).then_some(extensions)
}

/// Agreeing to everything offered, or to nothing, makes a response that our client takes.
fn a_client_takes_the_answer(offer: &Offer<'_>, names: &[String]) {
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert!(offer.subprotocols().eq(names.iter().copied()));
    assert!(offer.accept(Some("not/offered"), None).is_err(), "agrees to what was not offered");
    let opening = Opening { subprotocols: &names, deflate: true, ..Opening::at("h") };
    for (subprotocol, deflate) in [(None, None), (names.last().copied(), offer.deflate())] {
        let answer = offer.accept(subprotocol, deflate).expect("both were offered");
        let mut client = ClientHandshake::new(*KEY, &opening).expect("the names are tokens");
        let agreed = client.verify(&mut &answer[..], &Limits::default());
        match agreed {
            Ok(Some(agreed)) => {
                assert_eq!(agreed.subprotocol.as_deref(), subprotocol);
                assert_eq!(agreed.deflate.is_some(), deflate.is_some());
            }
            // A key of its own makes an accept value that this client did not expect.
            other => assert_eq!(other, Err(ServerFault::Accept)),
        }
    }
}

/// A server's response, cut in any way, to a client that offered two subprotocols and deflate.
pub fn client_handshake(data: &[u8]) {
    let whole = verify(data, || usize::MAX);
    assert_eq!(whole, verify(data, || 1), "one byte at a time makes a difference");
    let mut cuts = Cuts::seeded_by(data);
    assert_eq!(whole, verify(data, || cuts.next_bytes()), "cuts make a difference");
    let longer = verify(&[data, b"\x81\x05hello".as_slice()].concat(), || usize::MAX);
    if whole != Ok(None) {
        assert_eq!(whole, longer, "what follows a response changes it, or is taken with it");
    }
    if let Ok(Some((_, agreed))) = &whole {
        let Some(end) = responses_end(data) else { panic!("agrees without a 101") };
        let Verdict::Accepted(head) = naive::head(&data[end..], false, &LIMITS) else {
            panic!("agrees to a head that is none");
        };
        agreement_equals_the_model(&head, agreed);
    }
}

/// Where the first response starts that does not merely inform.
fn responses_end(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        match naive::head(&data[at..], false, &LIMITS) {
            Verdict::Accepted(head) if head.first_line.starts_with(b"HTTP/1.1 101") => {
                return Some(at);
            }
            Verdict::Accepted(head) => at += head.end,
            Verdict::Refused | Verdict::Unfinished => return None,
        }
    }
}

fn agreement_equals_the_model(head: &naive::Head, agreed: &Agreed) {
    let one = |name: &str| match &head.values(name)[..] {
        [one] => Some(String::from_utf8_lossy(one).into_owned()),
        _ => None,
    };
    assert_eq!(one("sec-websocket-accept").as_deref(), Some(ACCEPT));
    assert_eq!(one("upgrade").map(|u| u.to_ascii_lowercase()).as_deref(), Some("websocket"));
    assert!(head.lists("connection", "upgrade"));
    assert_eq!(one("sec-websocket-protocol").as_deref(), agreed.subprotocol.as_deref());
    assert!(matches!(agreed.subprotocol.as_deref(), None | Some("v1" | "v2")));
    let extensions: Vec<_> = head
        .values("sec-websocket-extensions")
        .iter()
        .flat_map(|value| naive::extensions(value).expect("agrees to malformed extensions"))
        .collect();
    assert_eq!(extensions.len(), usize::from(agreed.deflate.is_some()));
    for (name, parameters) in &extensions {
        assert_eq!(name, "permessage-deflate");
        let has = |name: &str| parameters.iter().any(|(found, _)| found == name);
        assert!(has("server_no_context_takeover") && !has("client_max_window_bits"));
    }
}

type Verified = Result<Option<(usize, Agreed)>, ServerFault>;

/// Hands `data` to a client in pieces; the position is where the response head ends.
fn verify(data: &[u8], mut piece_bytes: impl FnMut() -> usize) -> Verified {
    let opening = Opening { subprotocols: &["v1", "v2"], deflate: true, ..Opening::at("h") };
    let mut client = ClientHandshake::new(*KEY, &opening).expect("the opening is valid");
    let mut at = 0;
    work::take();
    let verified = loop {
        let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) else { break Ok(None) };
        let piece = &rest[..rest.len().min(piece_bytes().max(1))];
        let mut input = piece;
        match client.verify(&mut input, &LIMITS) {
            Ok(Some(agreed)) => break Ok(Some((at + piece.len() - input.len(), agreed))),
            Ok(None) => assert!(input.is_empty(), "wants more, but left some"),
            Err(fault) => break Err(fault),
        }
        at += piece.len();
        let held_bytes_max = 2 * at.min(LIMITS.head_bytes_max);
        assert!(client.held_bytes() <= held_bytes_max.max(8), "holds more than was received");
    };
    assert!(work::take() <= 2 * data.len(), "looks at bytes again and again");
    verified
}

/// Piece sizes that depend on nothing but the data, so that a failing input fails again.
struct Cuts(u64);

impl Cuts {
    fn seeded_by(data: &[u8]) -> Self {
        // FNV-1a, made odd.
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(data.iter().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    /// 1 to 32, small ones more often: xorshift.
    fn next_bytes(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bits = self.0 % 32;
        1 + usize::try_from(bits & (self.0 >> 32)).expect("below 32")
    }
}

/// The example of RFC 6455 §1.3.
const KEY: &[u8; 16] = b"the sample nonce";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
/// A handshake up to where more fields may follow.
const OPENING: &[u8] =
    b"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
