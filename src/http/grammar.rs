//! The small grammars of RFC 9110 §5.6 and RFC 3986 §2.1 that several files need: tokens, lists,
//! quoted strings, percent-encoding.
//!
//! Pure functions over bytes, each one pass. Nothing here knows what a field means.

use std::borrow::Cow;

/// May stand in a token (RFC 9110 §5.6.2).
pub(crate) const TOKEN: u8 = 1;
/// May stand in a request target as it comes off the wire.
pub(crate) const TARGET: u8 = 2;
/// May stand in a field value (RFC 9110 §5.5): visible, space, tab, or above ASCII.
pub(crate) const VALUE: u8 = 4;

/// How many bytes at the front of `bytes` are of this class.
pub(crate) fn run(class: u8, bytes: &[u8]) -> usize {
    bytes.iter().position(|&byte| CLASS[usize::from(byte)] & class == 0).unwrap_or(bytes.len())
}

/// Whether `bytes` are a token: at least one character, none of them a delimiter (RFC 9110 §5.6.2).
///
/// ```
/// use wsrelay::http::grammar::is_token;
/// assert!(is_token(b"permessage-deflate"));
/// assert!(!is_token(b"") && !is_token(b"a b") && !is_token(b"a/b"));
/// ```
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && run(TOKEN, bytes) == bytes.len()
}

/// `bytes` without the spaces and tabs at its ends (OWS, RFC 9110 §5.6.3).
pub fn trim(bytes: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = bytes.iter().position(|byte| !blank(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1), trimmed, empty ones left out.
///
/// A comma within a quoted string does not separate. "A recipient MUST parse and ignore a reasonable
/// number of empty list elements": ours are bounded by the head.
///
/// ```
/// let list: Vec<_> = wsrelay::http::grammar::elements(br#"a, ,"b,c" ;x"#).collect();
/// assert_eq!(list, [&b"a"[..], br#""b,c" ;x"#]);
/// ```
pub fn elements(value: &[u8]) -> Elements<'_> {
    Elements { rest: value, separator: b',' }
}

/// The parts of an element between semicolons, by the same rules.
pub(crate) fn parts(element: &[u8]) -> Elements<'_> {
    Elements { rest: element, separator: b';' }
}

/// Iterator made by [`elements`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    rest: &'a [u8],
    separator: u8,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        while !self.rest.is_empty() {
            let end = element_bytes(self.rest, self.separator);
            let element = trim(&self.rest[..end]);
            self.rest = self.rest.get(end + 1..).unwrap_or_default();
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }
}

/// Bytes up to the separator that ends the first element of `list`, or all.
fn element_bytes(list: &[u8], separator: u8) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, &byte) in list.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            byte if byte == separator && !quoted => return at,
            _ => {}
        }
    }
    list.len()
}

/// Percent-decodes (RFC 3986 §2.1); with `plus_is_space`, also as an HTML form encodes.
///
/// `None` where a `%` is not followed by two hex digits, or the outcome is not UTF-8. Copies only if
/// there is something to decode. Decodes once: `%2541` is `%41`.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Option<Cow<'_, str>> {
    let coded = |byte: u8| byte == b'%' || (plus_is_space && byte == b'+');
    if !text.bytes().any(coded) {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            b'+' if plus_is_space => b' ',
            plain => plain,
        });
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[expect(clippy::cast_possible_truncation, reason = "the loop ends at 256")]
        let of = classes(byte as u8);
        class[byte] = of;
        byte += 1;
    }
    class
};

const fn classes(byte: u8) -> u8 {
    let token = matches!(byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`'
        | b'|' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z');
    // Wider than RFC 3986: browsers leave `|`, `^`, `{` and others bare in a query. A fragment is
    // never sent (RFC 9112 §3.2), so `#` is not among them.
    let target = matches!(byte, 0x21..=0x7e) && byte != b'#';
    let value = matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff);
    (if token { TOKEN } else { 0 })
        | (if target { TARGET } else { 0 })
        | (if value { VALUE } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_split_at_commas_outside_quotes_only() {
        let rows: [(&str, &[&str]); 8] = [
            ("", &[]),
            (" \t ", &[]),
            (",,,", &[]),
            ("a", &["a"]),
            (" a ,\tb,c ", &["a", "b", "c"]),
            (r#""a,b",c"#, &[r#""a,b""#, "c"]),
            (r#""a\",b",c"#, &[r#""a\",b""#, "c"]),
            (r#"a,"never closed, b"#, &["a", r#""never closed, b"#]),
        ];
        for (list, expected) in rows {
            let found: Vec<_> = elements(list.as_bytes()).collect();
            let expected: Vec<_> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(found, expected, "{list:?}");
        }
    }

    #[test]
    fn percent_decoding_is_strict_and_done_once() {
        let rows = [
            ("plain", false, Some("plain")),
            ("a+b", false, Some("a+b")),
            ("a+b%2B", true, Some("a b+")),
            ("%41%c3%a9", false, Some("Aé")),
            ("%2541", false, Some("%41")),
            ("%", false, None),
            ("%4", false, None),
            ("%4g", false, None),
            ("%+1", false, None),
            ("%ff", false, None),
        ];
        for (text, plus_is_space, expected) in rows {
            assert_eq!(percent_decode(text, plus_is_space).as_deref(), expected, "{text:?}");
        }
        assert!(matches!(percent_decode("plain", true), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn a_token_has_no_delimiter() {
        for byte in 0..=255u8 {
            let delimiter = br#"(),/:;<=>?@[\]{}""#.contains(&byte);
            let expected = byte.is_ascii_graphic() && !delimiter;
            assert_eq!(is_token(&[byte]), expected, "{byte:#04x}");
        }
        assert!(!is_token(b""));
    }
}
