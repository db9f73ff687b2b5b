//! Status codes (RFC 9110 §15, RFC 6585 §5): those that this server sends.

/// A status code with its reason phrase.
///
/// ```
/// use wsrelay::http::Status;
/// assert_eq!(Status::NOT_FOUND.number(), 404);
/// assert_eq!(Status::NOT_FOUND.reason(), "Not Found");
/// assert_eq!(Status::NOT_FOUND.code(), "not_found");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Status(u16);

/// Name, number, reason phrase, and the word for it in our JSON errors, once each.
macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $reason:literal, $code:literal;)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($number);)*

            /// The reason phrase of the status line.
            pub fn reason(self) -> &'static str {
                match self.0 {
                    $($number => $reason,)*
                    _ => "",
                }
            }

            /// The usual `code` of a JSON error with this status.
            pub fn code(self) -> &'static str {
                match self.0 {
                    $($number => $code,)*
                    _ => "error",
                }
            }
        }
    };
}

statuses! {
    /// 200.
    OK = 200, "OK", "ok";
    /// 201.
    CREATED = 201, "Created", "created";
    /// 204, which never has a body.
    NO_CONTENT = 204, "No Content", "no_content";
    /// 304, which never has a body.
    NOT_MODIFIED = 304, "Not Modified", "not_modified";
    /// 400.
    BAD_REQUEST = 400, "Bad Request", "bad_request";
    /// 401.
    UNAUTHORIZED = 401, "Unauthorized", "unauthorized";
    /// 403.
    FORBIDDEN = 403, "Forbidden", "forbidden";
    /// 404.
    NOT_FOUND = 404, "Not Found", "not_found";
    /// 405; see [`Response::method_not_allowed`](super::Response::method_not_allowed).
    METHOD_NOT_ALLOWED = 405, "Method Not Allowed", "method_not_allowed";
    /// 408.
    REQUEST_TIMEOUT = 408, "Request Timeout", "request_timeout";
    /// 409.
    CONFLICT = 409, "Conflict", "conflict";
    /// 413.
    CONTENT_TOO_LARGE = 413, "Content Too Large", "content_too_large";
    /// 414.
    URI_TOO_LONG = 414, "URI Too Long", "uri_too_long";
    /// 415.
    UNSUPPORTED_MEDIA_TYPE = 415, "Unsupported Media Type", "unsupported_media_type";
    /// 417.
    EXPECTATION_FAILED = 417, "Expectation Failed", "expectation_failed";
    /// 422.
    UNPROCESSABLE_CONTENT = 422, "Unprocessable Content", "unprocessable_content";
    /// 426.
    UPGRADE_REQUIRED = 426, "Upgrade Required", "upgrade_required";
    /// 429.
    TOO_MANY_REQUESTS = 429, "Too Many Requests", "too_many_requests";
    /// 431.
    HEADERS_TOO_LARGE = 431, "Request Header Fields Too Large", "headers_too_large";
    /// 500.
    INTERNAL_SERVER_ERROR = 500, "Internal Server Error", "internal";
    /// 501.
    NOT_IMPLEMENTED = 501, "Not Implemented", "not_implemented";
    /// 503.
    SERVICE_UNAVAILABLE = 503, "Service Unavailable", "unavailable";
    /// 505.
    VERSION_NOT_SUPPORTED = 505, "HTTP Version Not Supported", "http_version_not_supported";
}

impl Status {
    /// The number on the wire.
    pub fn number(self) -> u16 {
        self.0
    }

    /// Whether a response with it may carry content (RFC 9110 §6.4.1).
    pub(crate) fn has_content(self) -> bool {
        self != Self::NO_CONTENT && self != Self::NOT_MODIFIED
    }
}
