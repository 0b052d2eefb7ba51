//! How a connection becomes a WebSocket, and which of its headers hold for the turns on it.

use http::header::{
    ACCEPT, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::body::Outgoing;

/// What the handshake is to be answered with, if it is one.
pub(super) fn accept(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name: HeaderName, word: &str| {
        headers.get_all(name).iter().any(|value| {
            let mut words = value.as_bytes().split(|byte| *byte == b',');
            words.any(|found| found.trim_ascii().eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    let is_one = has(UPGRADE, "websocket")
        && has(CONNECTION, "upgrade")
        && headers
            .get(SEC_WEBSOCKET_VERSION)
            .is_some_and(|version| version == "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_one)?;
    HeaderValue::try_from(derive_accept_key(key.as_bytes())).ok()
}

/// The answer that turns the connection into a WebSocket. Frames are plain: no extension is taken up.
pub(super) fn switching(accept: HeaderValue, id: &str) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::whole(Vec::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert("x-wayproof-socket", id);
    }
    response
}

/// The headers of the handshake that hold for the turns: all but those of the handshake itself.
pub(super) fn kept(headers: &HeaderMap) -> HeaderMap {
    const OF_THE_HANDSHAKE: [HeaderName; 7] = [
        CONNECTION,
        UPGRADE,
        TE,
        TRANSFER_ENCODING,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        ACCEPT,
    ];
    let mut kept = HeaderMap::with_capacity(headers.len() + 2);
    for (name, value) in headers {
        let is_of_the_handshake = OF_THE_HANDSHAKE.contains(name)
            || name.as_str().starts_with("sec-websocket-")
            || value.as_bytes().starts_with(b"responses_websockets=");
        if !is_of_the_handshake {
            kept.append(name, value.clone());
        }
    }
    kept.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    kept.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    kept
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName};

    use super::{accept, kept};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_handshake_is_answered_as_the_standard_says() {
        // The key and its answer are the example of RFC 6455.
        let mut asked = headers(&[
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("openai-beta", "responses_websockets=2026-02-06"),
            ("authorization", "Bearer k"),
        ]);
        assert_eq!(accept(&asked).unwrap(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        let kept = kept(&asked);
        assert_eq!(kept.len(), 3, "{kept:?}");
        assert_eq!(kept["authorization"], "Bearer k");
        asked.insert("sec-websocket-version", "8".parse().unwrap());
        assert_eq!(accept(&asked), None);
    }
}
