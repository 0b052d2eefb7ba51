//! Second stage: the body, once, into one buffer of the right size.
//!
//! A packed body is unpacked for reading and kept as it came for sending. Nothing above the limit
//! is kept in memory, and a client that stops sending is not waited for.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use wayproof_wire::{Fault, FaultKind};

use crate::exchange::admit::{Admitted, Call};
use crate::exchange::unpack::{Packing, unpack};
use crate::gateway::Shared;

/// A request with its body.
pub(crate) struct Received {
    pub(crate) call: Call,
    pub(crate) body: Bytes,
    /// The body as it was sent, if that was packed.
    pub(crate) packed: Option<Bytes>,
}

/// How long a client may go on sending a body that will not be read.
const DISCARD_TIME: Duration = Duration::from_secs(5);

/// How many times the limit of such a body is read over.
const DISCARD_TIMES: usize = 4;

/// Reads the body.
pub(crate) async fn read(shared: &Shared, admitted: Admitted) -> Result<Received, Fault> {
    let Admitted { call, mut incoming } = admitted;
    let limit = shared.settings.max_body_bytes;
    let read = read_within(&mut incoming, &call.head.headers, limit, shared);
    let sent = match read.await {
        Ok(sent) => sent,
        Err(Unread::TooLarge) => {
            discard(&mut incoming, limit).await;
            return Err(too_large(limit));
        }
        Err(Unread::Broken(message)) => return Err(bad(message)),
    };
    match packing(&call.head.headers) {
        Some(Packing::Plain) => Ok(Received {
            call,
            body: sent,
            packed: None,
        }),
        Some(packing) => match unpack(packing, &sent, limit) {
            Ok(body) => Ok(Received {
                call,
                body: Bytes::from(body),
                packed: Some(sent),
            }),
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Err(too_large(limit)),
            Err(error) => Err(bad(format!("the body cannot be unpacked: {error}"))),
        },
        None => Err(Fault::new(
            FaultKind::UnknownPacking,
            "the body's content-encoding is none of gzip, deflate, br and zstd",
        )),
    }
}

enum Unread {
    TooLarge,
    Broken(String),
}

async fn read_within(
    incoming: &mut Incoming,
    headers: &HeaderMap,
    limit: usize,
    shared: &Shared,
) -> Result<Bytes, Unread> {
    let announced = announced(headers);
    if announced.is_some_and(|length| length > limit) {
        return Err(Unread::TooLarge);
    }
    let mut body = Vec::with_capacity(announced.unwrap_or_default());
    let pause = shared.settings.longest_body_pause;
    loop {
        let frame = match tokio::time::timeout(pause, incoming.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                return Err(Unread::Broken(format!("the body broke off: {error}")));
            }
            Ok(None) => return Ok(Bytes::from(body)),
            Err(_elapsed) => {
                let message = format!("the body paused for more than {} s", pause.as_secs());
                return Err(Unread::Broken(message));
            }
        };
        if let Ok(data) = frame.into_data() {
            if body.len() + data.len() > limit {
                return Err(Unread::TooLarge);
            }
            body.extend_from_slice(&data);
        }
    }
}

/// Lets the client finish sending, within reason, so that it gets to read why it was refused.
async fn discard(incoming: &mut Incoming, limit: usize) {
    let mut left = limit.saturating_mul(DISCARD_TIMES);
    let rest = async {
        while let Some(Ok(frame)) = incoming.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(less) => left = less,
                None => return,
            }
        }
    };
    if tokio::time::timeout(DISCARD_TIME, rest).await.is_err() {
        tracing::debug!("a client kept sending a body that is too large");
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// How the body is packed; `None` is a way that is not known, or several on top of each other.
fn packing(headers: &HeaderMap) -> Option<Packing> {
    let mut named = headers.get_all(CONTENT_ENCODING).iter();
    match (named.next(), named.next()) {
        (None, _) => Some(Packing::Plain),
        (Some(value), None) => Packing::of(value.to_str().ok()?),
        (Some(_), Some(_)) => None,
    }
}

fn too_large(limit: usize) -> Fault {
    Fault::new(
        FaultKind::TooLarge,
        format!("the body is larger than {} MiB", limit >> 20),
    )
}

fn bad(message: impl Into<String>) -> Fault {
    Fault::new(FaultKind::BadRequest, message)
}
