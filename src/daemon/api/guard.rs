//! What a request must look like before anything is made of it.
//!
//! A browser sends its cookie with requests that other sites' pages make. So one that changes something must not come from
//! such a page: its `Origin` (RFC 6454 §7) is this server's own or absent, its `Sec-Fetch-Site` (Fetch Metadata) is this
//! site's own, absent, or the person's own doing; and a body is JSON, which no form can send. Programs send none of it.

use crate::http::{Method, Request, Response, Status, grammar};
use crate::ws::Origins;

/// Lets a request pass, or says why not.
///
/// # Errors
/// 403 for another site's, 415 for a body that is no JSON.
pub(super) fn admit(request: &Request<'_>) -> Result<(), Response> {
    let is_safe = matches!(request.method, Method::Get | Method::Head | Method::Options);
    let is_own = is_from_own_origin(request) && is_from_own_site(request);
    if !is_safe && !is_own {
        let message = "Another site's page cannot ask for that.";
        return Err(Response::error(Status::FORBIDDEN, "foreign_origin", message));
    }
    if !request.body.is_empty() && !is_json(request) {
        let status = Status::UNSUPPORTED_MEDIA_TYPE;
        let message = "The body is to be JSON, and its Content-Type application/json.";
        return Err(Response::error(status, status.code(), message));
    }
    Ok(())
}

/// Whether a token is shown on purpose, as programs do, beside or without a cookie.
pub(super) fn shows_token(request: &Request<'_>) -> bool {
    request.headers.value("authorization").is_some()
}

/// That token: of the one `Authorization` field, of the scheme `Bearer` (RFC 6750 §2.1).
pub(super) fn bearer<'a>(request: &Request<'a>) -> Option<&'a str> {
    let mut fields = request.headers.values("authorization");
    let field = fields.next()?;
    fields.next().is_none().then(|| credentials(field))?
}

fn credentials(field: &[u8]) -> Option<&str> {
    let (scheme, token) = str::from_utf8(field).ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_matches(' '))
}

fn is_from_own_origin(request: &Request<'_>) -> bool {
    // Every one of them, and what is no text is not ours: never taken for absent.
    request.headers.values("origin").all(|origin| {
        let origin = str::from_utf8(origin).unwrap_or_default();
        Origins::default().admits(Some(origin), request.host())
    })
}

fn is_from_own_site(request: &Request<'_>) -> bool {
    let mut sites = request.headers.values("sec-fetch-site");
    sites.all(|site| matches!(site, b"same-origin" | b"none"))
}

fn is_json(request: &Request<'_>) -> bool {
    let Some(media_type) = request.headers.value("content-type") else { return false };
    let essence = media_type.split(|&byte| byte == b';').next().unwrap_or_default();
    grammar::trim(essence).eq_ignore_ascii_case(b"application/json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader};

    fn status(method: &str, fields: &str, body: &str) -> u16 {
        let length = body.len();
        let head = format!("{method} /api/me HTTP/1.1\r\nHost: h.example:8080\r\n{fields}");
        let bytes = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        let mut reader = Reader::new();
        let request = reader.next_request(&mut bytes.as_bytes(), &Limits::default());
        admit(&request.unwrap().unwrap())
            .map_or_else(|response| response.status().number(), |()| 200)
    }

    #[test]
    fn what_changes_something_comes_from_no_other_site() {
        for (fields, changing) in [
            ("", 200),
            ("Origin: http://h.example:8080\r\n", 200),
            ("Origin: https://H.example:8080\r\n", 200),
            ("Origin: http://h.example:8080\r\nSec-Fetch-Site: same-origin\r\n", 200),
            ("Sec-Fetch-Site: none\r\n", 200),
            ("Origin: http://h.example\r\n", 403),
            ("Origin: http://evil.example:8080\r\n", 403),
            ("Origin: http://h.example.evil.example:8080\r\n", 403),
            ("Origin: null\r\n", 403),
            ("Origin: \r\n", 403),
            ("Origin: http://h.example:8080, http://evil.example\r\n", 403),
            ("Origin: http://h.example:8080\r\nOrigin: http://evil.example\r\n", 403),
            ("Origin: http://h.example:8080\r\nSec-Fetch-Site: cross-site\r\n", 403),
            ("Sec-Fetch-Site: cross-site\r\n", 403),
            ("Sec-Fetch-Site: same-site\r\n", 403),
            ("Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n", 403),
            ("Sec-Fetch-Site: SAME-ORIGIN\r\n", 403),
        ] {
            for method in ["POST", "PATCH", "DELETE", "PUT"] {
                assert_eq!(status(method, fields, ""), changing, "{method} {fields}");
            }
            for method in ["GET", "HEAD"] {
                assert_eq!(status(method, fields, ""), 200, "{method} {fields}");
            }
        }
    }

    #[test]
    fn a_body_is_json_and_says_so() {
        for (fields, expected) in [
            ("Content-Type: application/json\r\n", 200),
            ("Content-Type: Application/JSON ; charset=utf-8\r\n", 200),
            ("", 415),
            ("Content-Type: text/plain\r\n", 415),
            ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
            ("Content-Type: application/json-patch+json\r\n", 415),
            ("Content-Type: text/plain; application/json\r\n", 415),
            ("Content-Type: \r\n", 415),
        ] {
            assert_eq!(status("POST", fields, "{}"), expected, "{fields}");
            assert_eq!(status("POST", fields, ""), 200, "{fields}");
        }
    }

    #[test]
    fn a_bearer_token_is_the_word_behind_its_scheme() {
        for (field, token) in [
            (&b"Bearer a_x"[..], Some("a_x")),
            (b"bearer  a_x", Some("a_x")),
            (b"Bearer", None),
            (b"Bearer ", Some("")),
            (b"Basic a_x", None),
            (b"Bearera_x", None),
            (b"Bearer \xff", None),
            (b"", None),
        ] {
            assert_eq!(credentials(field), token, "{}", field.escape_ascii());
        }
    }
}
