//! Turns faults into responses that the client's own dialect understands.

use http::header::{ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER, UPGRADE};
use http::{HeaderValue, Response, StatusCode};
use wayproof_wire::{Fault, FaultKind, Protocol, render};

use crate::body::Outgoing;

/// Answers with a fault.
pub(crate) fn respond(protocol: Protocol, fault: &Fault, id: &str) -> Response<Outgoing> {
    let rendered = render(protocol, fault, id);
    let mut response = json(
        StatusCode::from_u16(rendered.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        rendered.body,
    );
    let headers = response.headers_mut();
    if let Some(seconds) = rendered.retry_after_s {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if fault.kind == FaultKind::UnknownPacking {
        // Whoever packs bodies may choose another way (RFC 9110, 15.5.16).
        let known = HeaderValue::from_static("gzip, deflate, br, zstd");
        headers.insert(ACCEPT_ENCODING, known);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        if protocol == Protocol::Messages {
            headers.insert("request-id", value.clone());
        }
        headers.insert("x-wayproof-exchange", value);
    }
    response
}

/// Answers a method that a path does not have.
pub(crate) fn wrong_method(
    protocol: Protocol,
    allowed: &'static str,
    id: &str,
) -> Response<Outgoing> {
    let fault = Fault::new(FaultKind::BadRequest, format!("this path takes {allowed}"));
    let mut response = respond(protocol, &fault, id);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// Turns a WebSocket away. Agents take the status as a word to send plain requests instead.
pub(crate) fn no_websocket(id: &str, why: &str) -> Response<Outgoing> {
    let message = format!("{why}; send POST /v1/responses");
    let fault = Fault::new(FaultKind::BadRequest, message);
    let mut response = respond(Protocol::Responses, &fault, id);
    *response.status_mut() = StatusCode::UPGRADE_REQUIRED;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    response
}

/// Answers with a piece of JSON.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Outgoing> {
    let mut response = Response::new(Outgoing::whole(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
