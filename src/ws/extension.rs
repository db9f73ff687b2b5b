//! `Sec-WebSocket-Extensions`: its grammar (RFC 6455 §9.1), and what is agreed about
//! `permessage-deflate` (RFC 7692 §5 and §7).
//!
//! A linear hand parser over bytes: no table of names, no recursion, nothing allocated unless a
//! quoted value has a backslash in it. It must never know frames; all that leaves it is [`Deflate`].
//!
//! Our policy: no message ever needs the one before it, in either direction, so that no connection
//! keeps a compressor (`server_no_context_takeover`, `client_no_context_takeover`).

use std::borrow::Cow;

use crate::http::grammar::is_token;

/// That `permessage-deflate` was agreed, and whether this endpoint makes use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deflate {
    /// Whether this endpoint may send compressed messages. Not if the peer asked for a window smaller
    /// than ours: then what we send goes uncompressed, which RFC 7692 §6 allows for any message.
    pub sends_compressed: bool,
}

/// An agreement to `permessage-deflate`, as the server words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// `server_max_window_bits`, if the client asked for it.
    server_window_bits: Option<u8>,
}

impl Agreement {
    /// The first acceptable offer among the values of the client's fields.
    ///
    /// An offer that names a parameter unknown, twice, or with a value it cannot have is declined and
    /// the next one tried (RFC 7692 §7.1). What breaks the grammar is an error, wherever it stands.
    pub(crate) fn choose<'a>(
        values: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Self>, Malformed> {
        let mut chosen = None;
        for value in values {
            let mut offer = Parameters::of_another_extension();
            let mut listed = false;
            for element in Elements::new(value) {
                match element? {
                    Element::Extension(name) => {
                        chosen = chosen.or(offer.agreement());
                        offer = Parameters::of(name);
                        listed = true;
                    }
                    Element::Parameter(name, value) => offer.take(name, value.as_deref()),
                }
            }
            // RFC 6455 §9.1: `extension-list = 1#extension`.
            if !listed {
                return Err(Malformed);
            }
            chosen = chosen.or(offer.agreement());
        }
        Ok(chosen)
    }

    /// What the connection will do with it, on the server's side.
    pub(crate) fn deflate(self) -> Deflate {
        Deflate { sends_compressed: self.server_window_bits.is_none_or(|bits| bits == WINDOW_BITS) }
    }

    /// Appends the value of the server's field.
    ///
    /// RFC 7692 §7.1.1 lets a server include both `no_context_takeover` parameters unasked.
    /// `client_max_window_bits` is left out: any window fits into ours.
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.extend_from_slice(OFFER.as_bytes());
        if let Some(bits) = self.server_window_bits {
            out.extend_from_slice(b"; server_max_window_bits=");
            out.extend_from_slice(bits.to_string().as_bytes());
        }
    }
}

/// What a client of ours offers, and the core of what a server of ours answers.
pub(crate) const OFFER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// What a server's fields answer to [`OFFER`], for the client (RFC 6455 §4.1, RFC 7692 §7.1).
///
/// `offered` is whether anything was. Anything else than nothing, or one answer that keeps to our offer,
/// is an error: the client "MUST _Fail the WebSocket Connection_".
pub(crate) fn answered<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    offered: bool,
) -> Result<Option<Deflate>, BadAnswer> {
    let mut answer: Option<Parameters> = None;
    for value in values {
        let mut listed = false;
        for element in Elements::new(value) {
            match (element.map_err(|Malformed| BadAnswer::Malformed)?, &mut answer) {
                (Element::Extension(DEFLATE), None) if offered => {
                    answer = Some(Parameters::of(DEFLATE));
                    listed = true;
                }
                (Element::Parameter(name, value), Some(answer)) => {
                    answer.take(name, value.as_deref());
                }
                _ => return Err(BadAnswer::NotOffered),
            }
        }
        if !listed {
            return Err(BadAnswer::Malformed);
        }
    }
    match answer {
        None => Ok(None),
        // RFC 7692 §7.1.1.1: a server that accepts a `server_no_context_takeover` says so. §7.1.2.2: one
        // that was not offered `client_max_window_bits` must not answer it.
        Some(answer) if answer.valid && answer.server_no_context && !answer.client_window => {
            Ok(Some(Deflate { sends_compressed: true }))
        }
        Some(_) => Err(BadAnswer::NotOffered),
    }
}

/// Why a client cannot take a server's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadAnswer {
    /// Breaks the grammar.
    Malformed,
    /// Says what was not offered, or not in this way.
    NotOffered,
}

/// The parameters of one `permessage-deflate`, or of an extension that we do not know.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    /// Ours, and every parameter so far known, once, and with a value it can have.
    valid: bool,
    server_no_context: bool,
    client_no_context: bool,
    server_window: Option<u8>,
    client_window: bool,
}

impl Parameters {
    fn of(extension: &str) -> Self {
        Self { valid: extension == DEFLATE, ..Self::of_another_extension() }
    }

    fn of_another_extension() -> Self {
        Self {
            valid: false,
            server_no_context: false,
            client_no_context: false,
            server_window: None,
            client_window: false,
        }
    }

    fn take(&mut self, name: &str, value: Option<&str>) {
        let first = match (name, value) {
            ("server_no_context_takeover", None) => !replace(&mut self.server_no_context),
            ("client_no_context_takeover", None) => !replace(&mut self.client_no_context),
            ("server_max_window_bits", Some(bits)) => match window_bits(bits) {
                Some(bits) => self.server_window.replace(bits).is_none(),
                None => false,
            },
            ("client_max_window_bits", bits) => {
                bits.is_none_or(|bits| window_bits(bits).is_some())
                    && !replace(&mut self.client_window)
            }
            _ => false,
        };
        self.valid &= first;
    }

    fn agreement(&self) -> Option<Agreement> {
        self.valid.then_some(Agreement { server_window_bits: self.server_window })
    }
}

/// Sets a flag; returns what it was.
fn replace(flag: &mut bool) -> bool {
    std::mem::replace(flag, true)
}

/// RFC 7692 §7.1.2.1: "a decimal integer value without leading zeroes between 8 to 15, inclusive".
fn window_bits(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [digit @ b'8'..=b'9'] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

const DEFLATE: &str = "permessage-deflate";
/// The window that our compressor uses, the largest there is.
const WINDOW_BITS: u8 = 15;

/// A field value breaks the grammar of RFC 6455 §9.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One step through `extension-list = 1#extension`, where
/// `extension = token *( ";" token [ "=" ( token | quoted-string ) ] )`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element<'a> {
    /// An extension begins.
    Extension(&'a str),
    /// A parameter of the extension last named.
    Parameter(&'a str, Option<Cow<'a, str>>),
}

/// Walks one field value. Ends after the first error.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Where an extension, or an empty list element, may stand.
    Extension,
    /// Behind a name or a value.
    Behind,
    End,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(value: &'a [u8]) -> Self {
        Self { rest: value, at: At::Extension }
    }

    fn step(&mut self) -> Result<Option<Element<'a>>, Malformed> {
        loop {
            self.skip_blanks();
            let Some(&byte) = self.rest.first() else {
                self.at = At::End;
                return Ok(None);
            };
            match (self.at, byte) {
                // RFC 9110 §5.6.1.2: empty list elements are ignored.
                (_, b',') => {
                    self.rest = &self.rest[1..];
                    self.at = At::Extension;
                }
                (At::Extension, _) => {
                    self.at = At::Behind;
                    return Ok(Some(Element::Extension(self.token()?)));
                }
                (At::Behind, b';') => {
                    self.rest = &self.rest[1..];
                    self.skip_blanks();
                    return self.parameter().map(Some);
                }
                (At::Behind | At::End, _) => return Err(Malformed),
            }
        }
    }

    fn parameter(&mut self) -> Result<Element<'a>, Malformed> {
        let name = self.token()?;
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix(b"=") else {
            return Ok(Element::Parameter(name, None));
        };
        self.rest = rest;
        self.skip_blanks();
        let value = match self.rest.strip_prefix(b"\"") {
            Some(rest) => {
                self.rest = rest;
                self.quoted()?
            }
            None => Cow::Borrowed(self.token()?),
        };
        Ok(Element::Parameter(name, Some(value)))
    }

    /// The rest of a quoted string. "the value after quoted-string unescaping MUST conform to the
    /// 'token' ABNF" (RFC 6455 §9.1).
    fn quoted(&mut self) -> Result<Cow<'a, str>, Malformed> {
        let end = closing_quote(self.rest).ok_or(Malformed)?;
        let (inside, rest) = (&self.rest[..end], &self.rest[end + 1..]);
        self.rest = rest;
        if !inside.contains(&b'\\') {
            return text(inside).map(Cow::Borrowed);
        }
        let mut escaped = false;
        let mut unescaped = Vec::with_capacity(inside.len());
        for &byte in inside {
            escaped = byte == b'\\' && !escaped;
            if !escaped {
                unescaped.push(byte);
            }
        }
        text(&unescaped).map(|text| Cow::Owned(text.to_owned()))
    }

    fn token(&mut self) -> Result<&'a str, Malformed> {
        let end = self.rest.iter().position(|byte| !is_token(&[*byte]));
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        text(token)
    }

    fn skip_blanks(&mut self) {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let end = self.rest.iter().position(|byte| !blank(byte));
        self.rest = &self.rest[end.unwrap_or(self.rest.len())..];
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == At::End {
            return None;
        }
        let step = self.step();
        if step.is_err() {
            self.at = At::End;
        }
        step.transpose()
    }
}

/// Where the quote stands that ends a quoted string (RFC 9110 §5.6.4).
fn closing_quote(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    bytes.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

/// A token as text.
fn text(token: &[u8]) -> Result<&str, Malformed> {
    if !is_token(token) {
        return Err(Malformed);
    }
    str::from_utf8(token).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Renders a walk as `name;parameter=value,name`, or `malformed`.
    fn walk(value: &str) -> String {
        let mut out = String::new();
        for element in Elements::new(value.as_bytes()) {
            match element {
                Ok(Element::Extension(name)) => {
                    out.push_str(if out.is_empty() { "" } else { "," });
                    out.push_str(name);
                }
                Ok(Element::Parameter(name, value)) => {
                    out.push(';');
                    out.push_str(name);
                    if let Some(value) = value {
                        out.push('=');
                        out.push_str(&value);
                    }
                }
                Err(Malformed) => return "malformed".to_owned(),
            }
        }
        out
    }

    #[test]
    fn the_grammar_is_walked_or_refused() {
        let rows = [
            ("a", "a"),
            (" a ; b ,\tc ; d = e ", "a;b,c;d=e"),
            ("a;b=\"c\"", "a;b=c"),
            (r#"a;b="\c\d""#, "a;b=cd"),
            ("a,,b,", "a,b"),
            (", a", "a"),
            ("a;b;b=1", "a;b;b=1"),
            ("", ""),
            ("a;", "malformed"),
            ("a;;b", "malformed"),
            ("a;,b", "malformed"),
            (";a", "malformed"),
            ("a b", "malformed"),
            ("a;b c", "malformed"),
            ("a;b=", "malformed"),
            ("a;=b", "malformed"),
            ("a;b=c=d", "malformed"),
            ("a=b", "malformed"),
            ("a;b=\"\"", "malformed"),
            ("a;b=\"c d\"", "malformed"),
            ("a;b=\"c", "malformed"),
            (r#"a;b="c\""#, "malformed"),
            (r#"a;b="\"""#, "malformed"),
            (r#"a;b="c"d"#, "malformed"),
            ("a;b=\"c,d\"", "malformed"),
            ("a/b", "malformed"),
            ("\u{e9}", "malformed"),
        ];
        for (value, expected) in rows {
            assert_eq!(walk(value), expected, "{value:?}");
        }
    }

    /// The answer that a server of ours gives to one field.
    fn answer(value: &str) -> String {
        match Agreement::choose([value.as_bytes()].into_iter()) {
            Ok(None) => "declined".to_owned(),
            Err(Malformed) => "malformed".to_owned(),
            Ok(Some(agreement)) => {
                let mut out = Vec::new();
                agreement.encode(&mut out);
                let compresses = agreement.deflate().sends_compressed;
                let out = String::from_utf8(out).unwrap();
                let extra = out.strip_prefix(OFFER).unwrap();
                format!("{extra}{}", if compresses { " compresses" } else { "" })
            }
        }
    }

    #[test]
    fn the_first_acceptable_offer_is_taken() {
        let plain = " compresses";
        let rows = [
            ("permessage-deflate", plain),
            ("permessage-deflate; client_max_window_bits", plain),
            ("permessage-deflate; client_max_window_bits=8", plain),
            ("permessage-deflate; client_max_window_bits=\"15\"", plain),
            ("permessage-deflate; server_no_context_takeover; client_no_context_takeover", plain),
            (
                "permessage-deflate; server_max_window_bits=15",
                "; server_max_window_bits=15 compresses",
            ),
            ("permessage-deflate; server_max_window_bits=8", "; server_max_window_bits=8"),
            ("permessage-deflate; server_max_window_bits=\"1\\0\"", "; server_max_window_bits=10"),
            (
                "permessage-deflate; server_max_window_bits=9, permessage-deflate",
                "; server_max_window_bits=9",
            ),
            ("permessage-deflate; x, permessage-deflate", plain),
            ("x; y=z, permessage-deflate", plain),
            ("x-webkit-deflate-frame", "declined"),
            ("Permessage-Deflate", "declined"),
            ("permessage-deflate; x", "declined"),
            ("permessage-deflate; server_max_window_bits", "declined"),
            ("permessage-deflate; server_max_window_bits=7", "declined"),
            ("permessage-deflate; server_max_window_bits=16", "declined"),
            ("permessage-deflate; server_max_window_bits=08", "declined"),
            ("permessage-deflate; server_max_window_bits=+9", "declined"),
            ("permessage-deflate; client_max_window_bits=7", "declined"),
            ("permessage-deflate; server_no_context_takeover=1", "declined"),
            ("permessage-deflate; client_no_context_takeover=true", "declined"),
            (
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                "declined",
            ),
            ("permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "declined"),
            ("permessage-deflate; client_max_window_bits; client_max_window_bits=9", "declined"),
            ("permessage-deflate, permessage-deflate;", "malformed"),
            ("", "malformed"),
            (",", "malformed"),
        ];
        for (value, expected) in rows {
            assert_eq!(answer(value), expected, "{value:?}");
        }
    }

    #[test]
    fn a_client_takes_only_an_answer_to_its_offer() {
        let yes = Ok(Some(Deflate { sends_compressed: true }));
        let rows = [
            (OFFER, true, yes),
            ("permessage-deflate; server_no_context_takeover", true, yes),
            ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9", true, yes),
            (OFFER, false, Err(BadAnswer::NotOffered)),
            ("permessage-deflate", true, Err(BadAnswer::NotOffered)),
            (
                "permessage-deflate; server_no_context_takeover; client_max_window_bits=15",
                true,
                Err(BadAnswer::NotOffered),
            ),
            ("permessage-deflate; server_no_context_takeover; x", true, Err(BadAnswer::NotOffered)),
            ("x", true, Err(BadAnswer::NotOffered)),
            (
                "permessage-deflate; server_no_context_takeover, permessage-deflate",
                true,
                Err(BadAnswer::NotOffered),
            ),
            ("permessage-deflate;", true, Err(BadAnswer::Malformed)),
            ("", true, Err(BadAnswer::Malformed)),
        ];
        for (value, offered, expected) in rows {
            assert_eq!(answered([value.as_bytes()].into_iter(), offered), expected, "{value:?}");
        }
        assert_eq!(answered(std::iter::empty(), true), Ok(None));
    }
}
