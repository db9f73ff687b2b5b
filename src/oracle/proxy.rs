//! What must hold of a header of the PROXY protocol, whatever the bytes: how they are cut changes neither the outcome nor the
//! byte at which it is found, memory follows what was received, and the outcome equals a naive model's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::http::Fault;
use crate::http::proxy::{HEADER_BYTES_MAX, HeaderReader, Source};

/// A header and what is behind it, cut in any way.
pub fn proxy_header(data: &[u8]) {
    let whole = read(data, usize::MAX);
    for piece_bytes in [1, 2, 3, 7, 16] {
        assert_eq!(whole, read(data, piece_bytes), "cuts make a difference");
    }
    match (model(data), whole) {
        (Model::Unfinished, Ok(found)) => assert_eq!(found, None, "takes what is not whole"),
        // The model looks only at what is whole, and is not the first to know.
        (Model::Unfinished | Model::Refused, Err(_)) => {}
        (Model::Accepted(model), found) => {
            assert_eq!(found, Ok(Some(model)), "not as the model has it")
        }
        (Model::Refused, found) => panic!("takes what it must refuse: {found:?}"),
    }
}

type Outcome = Result<Option<(usize, Source)>, (usize, Fault)>;

fn read(data: &[u8], piece_bytes: usize) -> Outcome {
    let mut reader = HeaderReader::default();
    let mut at = 0;
    for piece in data.chunks(piece_bytes.min(data.len().max(1))) {
        let mut input = piece;
        let outcome = reader.next(&mut input);
        at += piece.len() - input.len();
        assert!(
            reader.held_bytes() <= (2 * at).clamp(8, 2 * HEADER_BYTES_MAX),
            "holds more than was received"
        );
        match outcome {
            Ok(None) => assert!(input.is_empty(), "wants more, but left some"),
            Ok(Some(source)) => return Ok(Some((at, source))),
            Err(fault) => return Err((at, fault)),
        }
    }
    Ok(None)
}

enum Model {
    Unfinished,
    Refused,
    Accepted((usize, Source)),
}

/// What version 2 begins with.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn model(data: &[u8]) -> Model {
    let verdict = match data.strip_prefix(SIGNATURE) {
        Some(rest) => binary(rest).map(|found| found.map(|(bytes, source)| (bytes + 12, source))),
        None if SIGNATURE.starts_with(data) => None,
        None => line(data),
    };
    match verdict {
        Some(Some(accepted)) => Model::Accepted(accepted),
        Some(None) => Model::Refused,
        None => Model::Unfinished,
    }
}

/// The outer `None`: not whole; the inner: refused.
#[expect(clippy::option_option, reason = "a model says it in the fewest words")]
fn line(data: &[u8]) -> Option<Option<(usize, Source)>> {
    let end = data.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
    let Some(end) = end else { return (data.len() >= 107).then_some(None) };
    let text = String::from_utf8(data[..end].to_vec()).unwrap_or_default();
    let is_plain = text
        .strip_suffix("\r\n")
        .is_some_and(|line| line.bytes().all(|byte| (0x20..0x7f).contains(&byte)));
    let words: Vec<&str> = text.trim_end_matches("\r\n").split(' ').collect();
    let accepted = |address| Some(Some((end, Source { address, secure: false })));
    if !is_plain || end > 107 || words[0] != "PROXY" {
        return Some(None);
    }
    let (from, to, port) = match words[..] {
        [_, "UNKNOWN", ..] => return accepted(None),
        [_, family, from, to, port, other] if number(other) => {
            let parse = |text: &str| match family {
                "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::from),
                "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::from),
                _ => None,
            };
            (parse(from), parse(to), Some(port).filter(|port| number(port)))
        }
        _ => return Some(None),
    };
    match (from, to, port) {
        (Some(from), Some(_), Some(port)) => {
            accepted(Some((from.to_canonical(), port.parse().expect("a port"))))
        }
        _ => Some(None),
    }
}

fn number(text: &str) -> bool {
    text.parse::<u16>().is_ok_and(|number| number.to_string() == text)
}

#[expect(clippy::option_option, reason = "as above")]
fn binary(rest: &[u8]) -> Option<Option<(usize, Source)>> {
    let &[command, kind, high, low, ..] = rest else { return None };
    let length = usize::from(high) * 256 + usize::from(low);
    if !(command == 0x20 || command == 0x21) || 16 + length > HEADER_BYTES_MAX {
        return Some(None);
    }
    let block = rest.get(4..4 + length)?;
    let local = Source { address: None, secure: false };
    if command == 0x20 {
        return Some(Some((4 + length, local)));
    }
    let places = match kind {
        0x00 => Some((0, 0)),
        0x11 => Some((4, 12)),
        0x21 => Some((16, 36)),
        0x31 => Some((0, 216)),
        _ => None,
    };
    let Some((address_bytes, addresses_bytes)) = places.filter(|(_, bytes)| *bytes <= length)
    else {
        return Some(None);
    };
    let port = |at: usize| u16::from(block[at]) << 8 | u16::from(block[at + 1]);
    let address = match address_bytes {
        4 => {
            let bytes: [u8; 4] = block[..4].try_into().expect("four");
            Some((IpAddr::from(bytes), port(8)))
        }
        16 => {
            let bytes: [u8; 16] = block[..16].try_into().expect("sixteen");
            Some((IpAddr::from(bytes).to_canonical(), port(32)))
        }
        _ => None,
    };
    let (mut at, mut secure) = (addresses_bytes, false);
    while at < length {
        let Some([kind, high, low]) = block.get(at..at + 3) else { return Some(None) };
        let value_bytes = usize::from(*high) << 8 | usize::from(*low);
        let Some(value) = block.get(at + 3..at + 3 + value_bytes) else { return Some(None) };
        secure |= *kind == 0x20 && !value.is_empty() && value[0] & 1 == 1;
        at += 3 + value_bytes;
    }
    Some(Some((4 + length, Source { address, secure })))
}
