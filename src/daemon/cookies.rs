//! The one cookie: which token a browser shows, and what it is told to keep (RFC 6265).
//!
//! Reads what anybody may have sent: one pass over the field, nothing allocated, nothing decoded.

use crate::http::{Headers, grammar};

/// The token in the request's session cookie.
///
/// A browser sends a cookie that a neighbouring host has set (RFC 6265 §8.6) beside ours, and in an order that the neighbour
/// chooses. So two different values are none: nobody is logged in as somebody else's choice.
pub(super) fn session<'a>(headers: &Headers<'a>) -> Option<&'a str> {
    let mut values = headers.values("cookie").flat_map(|field| values(field, NAME));
    let token = values.next()?;
    if values.any(|other| other != token) {
        return None;
    }
    str::from_utf8(token).ok()
}

/// The `Set-Cookie` that makes a browser show this token from now on. Scripts cannot read it, and other sites' requests
/// carry it only when they lead here as a link does.
pub(super) fn keep(token: &str, for_seconds: u64, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{NAME}={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age={for_seconds}{secure}")
}

/// The `Set-Cookie` that makes a browser forget it.
pub(super) fn forget(secure: bool) -> String {
    keep("", 0, secure)
}

/// The values that `field` has for a cookie of that name (RFC 6265 §4.2.1), in their order.
fn values<'a>(field: &'a [u8], name: &str) -> impl Iterator<Item = &'a [u8]> {
    field.split(|&byte| byte == b';').filter_map(move |pair| {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (found, value) = (&pair[..equals], &pair[equals + 1..]);
        (grammar::trim(found) == name.as_bytes()).then(|| grammar::trim(value))
    })
}

const NAME: &str = "wsrelay_session";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader};

    /// The token of a request with these cookie fields.
    fn token(fields: &[&[u8]]) -> Option<String> {
        let mut head = b"GET / HTTP/1.1\r\nHost: h\r\n".to_vec();
        for field in fields {
            head.extend_from_slice(b"Cookie: ");
            head.extend_from_slice(field);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        let mut reader = Reader::new();
        let limits = Limits { head_bytes_max: 60_000, ..Limits::default() };
        let request = reader.next_request(&mut &head[..], &limits).unwrap().unwrap();
        session(&request.headers).map(str::to_owned)
    }

    #[test]
    fn the_session_is_found_among_any_cookies() {
        for (field, expected) in [
            (&b"wsrelay_session=a_b"[..], Some("a_b")),
            (b"x=1; wsrelay_session=a_b; y=2", Some("a_b")),
            (b"x=1;wsrelay_session=a_b;y", Some("a_b")),
            (b" ; ;; = ; wsrelay_session = a_b ;", Some("a_b")),
            (b"wsrelay_session=a=b", Some("a=b")),
            (b"wsrelay_session=", Some("")),
            (b"x=wsrelay_session=a_b", None),
            (b"wsrelay_session", None),
            (b"xwsrelay_session=a_b", None),
            (b"WSRELAY_SESSION=a_b", None),
            (b"wsrelay_session=\xff", None),
            (b"", None),
            (b";;;;", None),
        ] {
            assert_eq!(token(&[field]).as_deref(), expected, "{}", field.escape_ascii());
        }
        assert_eq!(token(&[]), None);
        assert_eq!(token(&[b"x=1", b"wsrelay_session=a_b"]).as_deref(), Some("a_b"));
    }

    #[test]
    fn two_sessions_are_none() {
        let (one, two) = (&b"wsrelay_session=a_1"[..], &b"wsrelay_session=a_2"[..]);
        assert_eq!(token(&[b"wsrelay_session=a_1; wsrelay_session=a_2"]), None);
        assert_eq!(token(&[one, two]), None);
        assert_eq!(token(&[one, one]).as_deref(), Some("a_1"), "the same one twice is one");
    }

    #[test]
    fn a_field_of_separators_is_read_in_one_pass() {
        let field = [b"=;".repeat(5_000), b"wsrelay_session=a_b".to_vec()].concat();
        assert_eq!(token(&[&field]).as_deref(), Some("a_b"));
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        assert_eq!(
            keep("a_b", 7_776_000, false),
            "wsrelay_session=a_b; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000"
        );
        assert_eq!(
            forget(true),
            "wsrelay_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Secure"
        );
    }
}
