//! Which headers cross the gateway, and with whose credential.
//!
//! Everything crosses in the order it came, but for what belongs to one hop, what the sender
//! writes itself (`Host`, `Content-Length`), `Expect` (the gateway has already answered it) and
//! credentials, which are applied separately. A key of the gateway's own never crosses.

use http::HeaderMap;
use http::header::{
    ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HOST, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRANSFER_ENCODING, UPGRADE,
};
use secrecy::ExposeSecret;
use wayproof_wire::Protocol;

use crate::provider::{Credential, Provider};

/// How every key that the gateway gives out begins.
pub const VIRTUAL_KEY_PREFIX: &str = "wp_";

/// The header in which a caller may show its gateway key beside its own credential.
pub const GATEWAY_KEY_HEADER: HeaderName = HeaderName::from_static("x-wayproof-key");

/// The header in which Google's services take a key.
pub const GOOGLE_KEY_HEADER: HeaderName = HeaderName::from_static("x-goog-api-key");

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Whose credential the request that came in carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallerCredential {
    /// The client's own, meant for the provider: it may be passed through.
    Own,
    /// A key of this gateway, or one that only says who the caller is: it stays here.
    Gateway,
}

/// Makes the headers of a request to `provider` out of the ones that came in.
pub(crate) fn outgoing(
    provider: &Provider,
    protocol: Protocol,
    caller: CallerCredential,
    incoming: &HeaderMap,
) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(incoming.len() + 2);
    headers.append(HOST, provider.host_header().clone());
    let named = Named::by_connection(incoming);
    let is_passed_through =
        matches!(provider.credential, Credential::PassThrough) && caller == CallerCredential::Own;
    for (name, value) in incoming {
        if is_hop_by_hop(name) || is_written_by_sender(name) || named.has(name) {
            continue;
        }
        if is_credential(name) && !(is_passed_through && is_clients_own(name, value)) {
            continue;
        }
        headers.append(name, value.clone());
    }
    if incoming.get(TE).is_some_and(accepts_trailers) {
        headers.append(TE, HeaderValue::from_static("trailers"));
    }
    if let Credential::Key(key) = &provider.credential {
        apply(key.expose_secret(), provider, protocol, &mut headers);
    }
    headers
}

/// Makes the headers of a request whose body is translated for `provider`.
///
/// Nearly everything a client says in headers is in the words of its own protocol, so only who it is and its trace
/// cross. Its own credential does too, where the provider is shown that, in the provider's own place for it.
pub fn foreign(provider: &Provider, protocol: Protocol, incoming: &HeaderMap) -> HeaderMap {
    const CROSSING: [&str; 4] = ["user-agent", "traceparent", "tracestate", "baggage"];
    let mut headers = HeaderMap::with_capacity(CROSSING.len() + 4);
    headers.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.append(
        ACCEPT,
        HeaderValue::from_static("application/json, text/event-stream"),
    );
    if protocol == Protocol::Messages {
        headers.append("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    for name in CROSSING {
        for value in incoming.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    if matches!(provider.credential, Credential::PassThrough) {
        let own = incoming
            .iter()
            .find(|(name, value)| is_credential(name) && is_clients_own(name, value));
        let key = own.and_then(|(_, value)| value.to_str().ok());
        if let Some(key) = key {
            let key = String::from_utf8_lossy(bearer(key.as_bytes())).into_owned();
            apply(&key, provider, protocol, &mut headers);
        }
    }
    headers
}

/// Takes the headers of an answer that belong to the hop between gateway and provider away.
///
/// An answer without any is given back as it came, so the usual case copies nothing.
pub(crate) fn answered(headers: HeaderMap) -> HeaderMap {
    if !headers.keys().any(is_hop_by_hop) {
        return headers;
    }
    let named = Named::by_connection(&headers);
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in &headers {
        if !is_hop_by_hop(name) && !named.has(name) {
            kept.append(name, value.clone());
        }
    }
    kept
}

/// Says whether a header value is, or carries as a bearer token, a key of the gateway's own.
pub fn is_virtual_key(value: &HeaderValue) -> bool {
    bearer(value.as_bytes()).starts_with(VIRTUAL_KEY_PREFIX.as_bytes())
}

/// Says whether a header carries a credential.
pub fn is_credential(name: &HeaderName) -> bool {
    name == AUTHORIZATION
        || name == X_API_KEY
        || name == API_KEY
        || name == GOOGLE_KEY_HEADER
        || name == GATEWAY_KEY_HEADER
}

/// Takes the `Bearer` scheme off a credential, if it is there.
pub fn bearer(value: &[u8]) -> &[u8] {
    match value.split_at_checked(7) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"bearer ") => rest.trim_ascii(),
        Some(_) | None => value.trim_ascii(),
    }
}

fn is_clients_own(name: &HeaderName, value: &HeaderValue) -> bool {
    name != GATEWAY_KEY_HEADER && !is_virtual_key(value)
}

fn apply(key: &str, provider: &Provider, protocol: Protocol, headers: &mut HeaderMap) {
    let own = match provider.known {
        Some(known) => known.key_header(protocol),
        // Google's other door, Vertex, takes tokens.
        None if protocol == Protocol::Gemini && provider.cloud.is_none() => Some("x-goog-api-key"),
        None => None,
    };
    let (name, text) = match own.and_then(|name| HeaderName::try_from(name).ok()) {
        Some(name) => (name, key.to_owned()),
        None => (AUTHORIZATION, format!("Bearer {key}")),
    };
    // Providers are checked for a key that fits a header when they are made.
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        headers.append(name, value);
    }
}

fn is_hop_by_hop(name: &HeaderName) -> bool {
    name == CONNECTION
        || name == TRANSFER_ENCODING
        || name == TE
        || name == UPGRADE
        || name == PROXY_AUTHENTICATE
        || name == PROXY_AUTHORIZATION
        || name == KEEP_ALIVE
        || name == PROXY_CONNECTION
}

fn is_written_by_sender(name: &HeaderName) -> bool {
    name == HOST || name == CONTENT_LENGTH || name == EXPECT
}

fn accepts_trailers(value: &HeaderValue) -> bool {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// The headers that a `Connection` header names as belonging to this hop.
struct Named(Vec<HeaderName>);

impl Named {
    fn by_connection(headers: &HeaderMap) -> Self {
        let mut names = Vec::new();
        for value in headers.get_all(CONNECTION) {
            for token in value.as_bytes().split(|byte| *byte == b',') {
                let token = token.trim_ascii();
                if token.eq_ignore_ascii_case(b"keep-alive") || token.eq_ignore_ascii_case(b"close")
                {
                    continue;
                }
                if let Ok(name) = HeaderName::from_bytes(token) {
                    names.push(name);
                }
            }
        }
        Self(names)
    }

    fn has(&self, name: &HeaderName) -> bool {
        !self.0.is_empty() && self.0.contains(name)
    }
}
