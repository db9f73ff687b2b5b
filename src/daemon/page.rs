//! The page, embedded: a fixed table from path to bytes.
//!
//! Owns what is served and how browsers may keep it. Each file has a strong ETag, the hash of its bytes, and is asked for
//! anew each time (`no-cache`): an unchanged one costs a 304, a changed one is never stale.
//!
//! Scripts and styles are squeezed when the server starts, because a page of a chat should be small, and two fifths of what
//! people read in them is for people alone. There is nothing to build and nothing to keep: the sources are the page, and run as
//! they are too. ETags are of what is served.

mod squeeze;

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
    bytes: Vec<u8>,
    etag: String,
}

impl Page {
    pub(super) fn new() -> Self {
        let assets = FILES.iter().map(|&(path, content_type, text)| {
            let bytes = match content_type {
                CSS => squeeze::style(text).into_bytes(),
                JS => squeeze::script(text).into_bytes(),
                _ => text.into(),
            };
            let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(Sha1::digest(&bytes)));
            Asset { path, content_type, bytes, etag }
        });
        Self { assets: assets.collect() }
    }

    /// The file at this path, if the page has one there.
    pub(super) fn asset(&self, path: &str) -> Option<Response> {
        let asset = self.assets.iter().find(|asset| asset.path == path)?;
        let response = Response::new(Status::OK)
            .body(asset.content_type, asset.bytes.clone())
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

const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("../page/index.html")),
    ("/favicon-news.svg", SVG, include_str!("../page/favicon-news.svg")),
    ("/favicon.svg", SVG, include_str!("../page/favicon.svg")),
    ("/css/base.css", CSS, include_str!("../page/css/base.css")),
    ("/css/layout.css", CSS, include_str!("../page/css/layout.css")),
    ("/css/posts.css", CSS, include_str!("../page/css/posts.css")),
    ("/css/windows.css", CSS, include_str!("../page/css/windows.css")),
    ("/api.js", JS, include_str!("../page/api.js")),
    ("/client.js", JS, include_str!("../page/client.js")),
    ("/main.js", JS, include_str!("../page/main.js")),
    ("/model.js", JS, include_str!("../page/model.js")),
    ("/session.js", JS, include_str!("../page/session.js")),
    ("/storage.js", JS, include_str!("../page/storage.js")),
    ("/words.js", JS, include_str!("../page/words.js")),
    ("/client/core.js", JS, include_str!("../page/client/core.js")),
    ("/client/credentials.js", JS, include_str!("../page/client/credentials.js")),
    ("/client/events.js", JS, include_str!("../page/client/events.js")),
    ("/client/host.js", JS, include_str!("../page/client/host.js")),
    ("/client/link.js", JS, include_str!("../page/client/link.js")),
    ("/client/methods.js", JS, include_str!("../page/client/methods.js")),
    ("/client/outbox.js", JS, include_str!("../page/client/outbox.js")),
    ("/client/people.js", JS, include_str!("../page/client/people.js")),
    ("/client/requests.js", JS, include_str!("../page/client/requests.js")),
    ("/client/rooms.js", JS, include_str!("../page/client/rooms.js")),
    ("/client/shelf.js", JS, include_str!("../page/client/shelf.js")),
    ("/client/whispers.js", JS, include_str!("../page/client/whispers.js")),
    ("/client/wire.js", JS, include_str!("../page/client/wire.js")),
    ("/model/format.js", JS, include_str!("../page/model/format.js")),
    ("/model/list.js", JS, include_str!("../page/model/list.js")),
    ("/model/needs.js", JS, include_str!("../page/model/needs.js")),
    ("/model/place.js", JS, include_str!("../page/model/place.js")),
    ("/model/room.js", JS, include_str!("../page/model/room.js")),
    ("/model/rows.js", JS, include_str!("../page/model/rows.js")),
    ("/model/timeline.js", JS, include_str!("../page/model/timeline.js")),
    ("/view/acts.js", JS, include_str!("../page/view/acts.js")),
    ("/view/announcer.js", JS, include_str!("../page/view/announcer.js")),
    ("/view/arrival.js", JS, include_str!("../page/view/arrival.js")),
    ("/view/begin.js", JS, include_str!("../page/view/begin.js")),
    ("/view/completion.js", JS, include_str!("../page/view/completion.js")),
    ("/view/composer.js", JS, include_str!("../page/view/composer.js")),
    ("/view/connection.js", JS, include_str!("../page/view/connection.js")),
    ("/view/details.js", JS, include_str!("../page/view/details.js")),
    ("/view/dialog.js", JS, include_str!("../page/view/dialog.js")),
    ("/view/dom.js", JS, include_str!("../page/view/dom.js")),
    ("/view/emoji.js", JS, include_str!("../page/view/emoji.js")),
    ("/view/formatted.js", JS, include_str!("../page/view/formatted.js")),
    ("/view/header.js", JS, include_str!("../page/view/header.js")),
    ("/view/keys.js", JS, include_str!("../page/view/keys.js")),
    ("/view/lookup.js", JS, include_str!("../page/view/lookup.js")),
    ("/view/menu.js", JS, include_str!("../page/view/menu.js")),
    ("/view/note.js", JS, include_str!("../page/view/note.js")),
    ("/view/pages.js", JS, include_str!("../page/view/pages.js")),
    ("/view/panel.js", JS, include_str!("../page/view/panel.js")),
    ("/view/post.js", JS, include_str!("../page/view/post.js")),
    ("/view/receipt.js", JS, include_str!("../page/view/receipt.js")),
    ("/view/rooms.js", JS, include_str!("../page/view/rooms.js")),
    ("/view/search.js", JS, include_str!("../page/view/search.js")),
    ("/view/settings.js", JS, include_str!("../page/view/settings.js")),
    ("/view/timeline.js", JS, include_str!("../page/view/timeline.js")),
    ("/view/title.js", JS, include_str!("../page/view/title.js")),
    ("/view/toasts.js", JS, include_str!("../page/view/toasts.js")),
    ("/view/tools.js", JS, include_str!("../page/view/tools.js")),
    ("/view/view.js", JS, include_str!("../page/view/view.js")),
    ("/view/who.js", JS, include_str!("../page/view/who.js")),
    ("/words/de.js", JS, include_str!("../page/words/de.js")),
    ("/words/en.js", JS, include_str!("../page/words/en.js")),
];

/// Nothing but the page's own files, and its own socket: no inline script or style, no frame around it, no form sent
/// anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_small() {
        let bytes: usize = Page::new().assets.iter().map(|asset| asset.bytes.len()).sum();
        assert!(bytes < BYTES_MAX, "{bytes} bytes");
    }

    /// Of all that is served: the page, the client, each language.
    const BYTES_MAX: usize = 150_000;
}
