//! The page, embedded: a fixed table from path to bytes.
//!
//! Owns what is served and how browsers may keep it. Each file has a strong ETag, the hash of its bytes, and is asked for
//! anew each time (`no-cache`): an unchanged one costs a 304, a changed one is never stale.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha1::{Digest, Sha1};

use crate::http::{Response, Status};

#[derive(Debug)]
pub(super) struct Page {
    assets: Vec<Asset>,
}

#[derive(Debug)]
struct Asset {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
    etag: String,
}

impl Page {
    pub(super) fn new() -> Self {
        let assets = FILES.iter().map(|&(path, content_type, bytes)| {
            let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha1::digest(bytes)));
            Asset { path, content_type, bytes, etag }
        });
        Self { assets: assets.collect() }
    }

    /// The file at this path, if the page has one there.
    pub(super) fn asset(&self, path: &str) -> Option<Response> {
        let asset = self.assets.iter().find(|asset| asset.path == path)?;
        let response = Response::new(Status::OK)
            .body(asset.content_type, asset.bytes)
            .etag(asset.etag.clone())
            .header("Cache-Control", "no-cache")
            .header("Content-Security-Policy", POLICY)
            .header("Referrer-Policy", "no-referrer")
            .header("X-Content-Type-Options", "nosniff");
        Some(response)
    }
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("../page/index.html")),
    ("/style.css", CSS, include_bytes!("../page/style.css")),
    ("/main.js", JS, include_bytes!("../page/main.js")),
    ("/model.js", JS, include_bytes!("../page/model.js")),
    ("/socket.js", JS, include_bytes!("../page/socket.js")),
    ("/view.js", JS, include_bytes!("../page/view.js")),
    ("/favicon.svg", SVG, include_bytes!("../page/favicon.svg")),
];

/// Nothing but the page's own files, and its own socket: no inline script or style, no frame around it, no form sent
/// anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
