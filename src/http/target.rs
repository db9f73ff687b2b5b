//! The request target (RFC 9112 §3.2): its four forms, its path and its query.
//!
//! Splits and decodes text; serves nothing. A path that could mean something else to whoever reads it
//! next does not decode ([`Target::decoded_path`]).

use std::borrow::Cow;

use super::{Authority, Fault, Method, grammar};

/// What a request is for.
///
/// ```
/// # use wsrelay::http::{Limits, Reader};
/// # let mut reader = Reader::new();
/// # let mut input = &b"GET /relay/caf%C3%A9?nick=ann+b&echo=off HTTP/1.1\r\nHost: a\r\n\r\n"[..];
/// let request = reader.next_request(&mut input, &Limits::default()).unwrap().unwrap();
/// assert_eq!(request.target.path(), "/relay/caf%C3%A9");
/// assert_eq!(request.target.decoded_path().unwrap(), "/relay/café");
/// assert_eq!(request.target.query_value("nick").unwrap(), "ann b");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes apart the second word of a request line.
    pub(crate) fn parse(text: &'a str, method: Method<'_>) -> Result<Self, Fault> {
        if text.starts_with('/') {
            return Ok(Self::origin_form(None, text));
        }
        // RFC 9112 §3.2.4: the asterisk is "only used for a server-wide OPTIONS request".
        if text == "*" && method == Method::Options {
            return Ok(Self { authority: None, path: text, query: None });
        }
        Self::absolute_form(text).ok_or(Fault::Target)
    }

    /// `http://authority/path?query`, which "a server MUST accept" (RFC 9112 §3.2.2).
    fn absolute_form(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return None;
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at(end);
        Authority::parse(authority)?;
        Some(Self::origin_form(Some(authority), rest))
    }

    fn origin_form(authority: Option<&'a str>, text: &'a str) -> Self {
        let (path, query) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        // RFC 9110 §4.2.3: "an empty path component is equivalent to an absolute path of "/"".
        Self { authority, path: if path.is_empty() { "/" } else { path }, query }
    }

    /// The path as it came, still encoded: starts with `/`, or is `*`.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// `host[:port]`, if the target has the absolute form.
    pub fn authority(&self) -> Option<&'a str> {
        self.authority
    }

    /// What follows the first `?`, still encoded.
    pub fn query(&self) -> Option<&'a str> {
        self.query
    }

    /// The path, percent-decoded once.
    ///
    /// [`Fault::Path`] where the outcome could be read in two ways: a broken escape, bad UTF-8, a
    /// control character, an encoded slash, a backslash, or a segment that is `.` or `..`, encoded or
    /// not. No client needs such a path: browsers resolve dot segments before they ask.
    pub fn decoded_path(&self) -> Result<Cow<'a, str>, Fault> {
        let decoded = grammar::percent_decode(self.path, false).ok_or(Fault::Path)?;
        let slashes = |text: &str| text.bytes().filter(|&byte| byte == b'/').count();
        let ambiguous = decoded.contains(|c: char| c.is_control() || c == '\\')
            || decoded.split('/').any(|segment| matches!(segment, "." | ".."))
            || (matches!(decoded, Cow::Owned(_)) && slashes(&decoded) != slashes(self.path));
        if ambiguous { Err(Fault::Path) } else { Ok(decoded) }
    }

    /// The value of the first parameter of that name in a query of the form `a=1&b=2`, decoded as an
    /// HTML form encodes (`+` is a space). A parameter without `=` has the empty value.
    ///
    /// A value that does not decode to UTF-8 is given as it came, so that nobody takes it for one that is not there.
    pub fn query_value(&self, name: &str) -> Option<Cow<'a, str>> {
        let decode = |text| grammar::percent_decode(text, true);
        let mut pairs =
            self.query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let (_, value) = pairs.find(|(key, _)| decode(key).is_some_and(|key| key == name))?;
        Some(decode(value).unwrap_or(Cow::Borrowed(value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_target_are_told_apart() {
        let rows = [
            ("/", Method::Get, Some((None, "/", None))),
            ("//a/b", Method::Get, Some((None, "//a/b", None))),
            ("/a?b?c", Method::Get, Some((None, "/a", Some("b?c")))),
            ("/?", Method::Get, Some((None, "/", Some("")))),
            ("http://h", Method::Get, Some((Some("h"), "/", None))),
            ("HTTPS://h:1/x?y", Method::Post, Some((Some("h:1"), "/x", Some("y")))),
            ("http://h?y", Method::Get, Some((Some("h"), "/", Some("y")))),
            ("*", Method::Options, Some((None, "*", None))),
            ("*", Method::Get, None),
            ("*a", Method::Options, None),
            ("a", Method::Get, None),
            ("h:80", Method::Get, None),
            ("http:///x", Method::Get, None),
            ("http://ann@h/x", Method::Get, None),
            ("http://h:x/", Method::Get, None),
            ("ftp://h/", Method::Get, None),
            ("://h/", Method::Get, None),
        ];
        for (text, method, expected) in rows {
            let found = Target::parse(text, method).ok().map(|t| (t.authority, t.path, t.query));
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_path_decodes_to_a_plain_path_or_not_at_all() {
        let rows = [
            ("/", Some("/")),
            ("/a/b", Some("/a/b")),
            ("/a//b/", Some("/a//b/")),
            ("/%61", Some("/a")),
            ("/caf%c3%a9", Some("/café")),
            ("/%252e%252e/", Some("/%2e%2e/")),
            ("/...", Some("/...")),
            ("/..a/.b", Some("/..a/.b")),
            ("/a+b", Some("/a+b")),
            ("/.", None),
            ("/..", None),
            ("/a/../b", None),
            ("/./a", None),
            ("/%2e%2E/a", None),
            ("/.%2e", None),
            ("/a%2fb", None),
            ("/a%2F..%2Fb", None),
            ("/a\\b", None),
            ("/a%5cb", None),
            ("/%00", None),
            ("/%0d%0a", None),
            ("/%7f", None),
            ("/%c2%85", None),
            ("/%ff", None),
            ("/%c0%ae", None),
            ("/%", None),
            ("/%zz", None),
        ];
        for (path, expected) in rows {
            let target = Target::parse(path, Method::Get).unwrap();
            assert_eq!(target.decoded_path().ok().as_deref(), expected, "{path:?}");
        }
    }

    #[test]
    fn query_values_are_decoded_as_forms_are() {
        let rows = [
            ("/?nick=ann", Some("ann")),
            ("/?a=1&nick=a%26b+c&nick=second", Some("a&b c")),
            ("/?%6eick=x", Some("x")),
            ("/?nick", Some("")),
            ("/?nick==", Some("=")),
            ("/?", None),
            ("/", None),
            ("/?nicks=x&xnick=y", None),
            ("/?%ff=x&nick=y", Some("y")),
            ("/?nick=%f", Some("%f")),
            ("/?nick=%ff+", Some("%ff+")),
        ];
        for (target, expected) in rows {
            let target = Target::parse(target, Method::Get).unwrap();
            assert_eq!(target.query_value("nick").as_deref(), expected, "{target:?}");
        }
    }
}
