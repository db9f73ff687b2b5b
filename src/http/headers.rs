//! The fields of a head (RFC 9110 §5), found by name.
//!
//! Holds positions, not copies: eight bytes a field beside a borrow of the head. Names compare without
//! regard to case, values are bytes, since RFC 9110 §5.5 lets them hold more than text. A caller that
//! decides something by a value must not take one that is not text for one that is not there.

use super::grammar::{self, Elements};

/// More fields than any client of ours sends, few enough to keep in place.
pub const HEADERS_MAX: usize = 64;

/// The field lines of one head, in their order.
///
/// ```
/// # use wsrelay::http::{Limits, Reader};
/// # let mut reader = Reader::new();
/// # let mut input = &b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\r\n"[..];
/// let request = reader.next_request(&mut input, &Limits::default()).unwrap().unwrap();
/// assert_eq!(request.headers.value("host"), Some(&b"a"[..]));
/// assert!(request.headers.list("connection").any(|option| option == b"Upgrade"));
/// ```
#[derive(Clone)]
pub struct Headers<'a> {
    head: &'a [u8],
    fields: [Field; HEADERS_MAX],
    count: usize,
}

impl<'a> Headers<'a> {
    /// From fields that were found within `head`.
    pub(crate) fn new(head: &'a [u8], parsed: &[httparse::Header<'a>]) -> Self {
        let mut fields = [Field::default(); HEADERS_MAX];
        for (field, header) in fields.iter_mut().zip(parsed) {
            *field = Field {
                name: Span::of(header.name.as_bytes(), head),
                value: Span::of(header.value, head),
            };
        }
        Self { head, fields, count: parsed.len() }
    }

    /// Every field as it came: name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a, '_> {
        self.fields[..self.count].iter().map(|field| {
            let name = str::from_utf8(field.name.within(self.head));
            (name.expect("a field name is a token"), field.value.within(self.head))
        })
    }

    /// The value of the first field of that name.
    pub fn value(&self, name: &str) -> Option<&'a [u8]> {
        self.values(name).next()
    }

    /// The values of all fields of that name.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n, '_> {
        self.fields[..self.count]
            .iter()
            .filter(move |field| field.name.within(self.head).eq_ignore_ascii_case(name.as_bytes()))
            .map(|field| field.value.within(self.head))
    }

    /// The elements of a list that may be spread over several fields (RFC 9110 §5.6.1): trimmed, empty
    /// ones left out, commas in quoted strings respected.
    pub fn list<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n, '_> {
        self.values(name).flat_map(|value| -> Elements<'a> { grammar::elements(value) })
    }

    /// Whether that list has `element`, compared without regard to case.
    pub fn lists(&self, name: &str, element: &str) -> bool {
        self.list(name).any(|found| found.eq_ignore_ascii_case(element.as_bytes()))
    }
}

impl std::fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii().to_string())))
            .finish()
    }
}

#[derive(Clone, Copy, Default)]
struct Field {
    name: Span,
    value: Span,
}

/// A part of the head. A head has at most [`HEAD_BYTES_MAX`](super::head::HEAD_BYTES_MAX) bytes.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Where `part`, a slice of `head`, lies in it.
    fn of(part: &[u8], head: &[u8]) -> Self {
        let start = part.as_ptr().addr() - head.as_ptr().addr();
        let position = |at| u16::try_from(at).expect("a head is shorter than 64 KiB");
        Self { start: position(start), end: position(start + part.len()) }
    }

    fn within(self, head: &[u8]) -> &[u8] {
        &head[usize::from(self.start)..usize::from(self.end)]
    }
}
