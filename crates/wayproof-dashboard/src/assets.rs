//! Files that never change while the process runs, packed when it was built and lent from the binary.

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

struct Asset {
    name: &'static str,
    kind: &'static str,
    plain: &'static [u8],
    packed: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $kind:literal) => {
        Asset {
            name: $name,
            kind: $kind,
            plain: include_bytes!(concat!("../assets/", $name)),
            packed: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz")),
        }
    };
}

static ASSETS: [Asset; 5] = [
    asset!("style.css", "text/css; charset=utf-8"),
    asset!("htmx.min.js", "text/javascript; charset=utf-8"),
    asset!("hx-sse.min.js", "text/javascript; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("LICENSE-htmx", "text/plain; charset=utf-8"),
];

/// The address of the files carries the version, so that a browser may keep them.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Sends a file, packed where that is understood.
pub(crate) async fn send(
    Path((_version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    std::future::ready(()).await;
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let takes = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let is_packed =
        takes.is_some_and(|value| value.contains("gzip") && !value.contains("gzip;q=0,"));
    let fixed = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "private, max-age=3600"),
        (header::VARY, "accept-encoding"),
    ];
    if is_packed {
        (fixed, [(header::CONTENT_ENCODING, "gzip")], asset.packed).into_response()
    } else {
        (fixed, asset.plain).into_response()
    }
}
