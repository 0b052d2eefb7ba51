//! Sends what happens by OTLP over HTTP, as protobuf.
//!
//! Source: the OpenTelemetry protocol specification, OTLP/HTTP: paths, status codes that are tried again, `Retry-After`.

use std::{collections::VecDeque, io::Write as _, path::Path};

use anyhow::{Context, Result};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::{
    HeaderMap, Uri,
    header::{self, HeaderName, HeaderValue},
};
use wayproof_ledger::{Ledger, StoredEvent};
use wayproof_otlp::{Encoder, Source};
use wayproof_upstream::{Bounds, Proxy, post, retry_after};

use super::{Follow, Position, Receiver, Refusal, words};
use crate::{cli::OtlpArgs, exit::Mistake, gateway, settings};

/// Spans and records sent at once.
const FULL: usize = 400;
/// The most of a receiver's answer that is read.
const MOST_ANSWER: usize = 1 << 20;
/// Headers that are the protocol's own.
const OWN: [&str; 6] = [
    "host",
    "content-type",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
];

/// A receiver of OpenTelemetry.
#[derive(Debug)]
pub(crate) struct Otlp {
    encoder: Encoder,
    base: Base,
    headers: HeaderMap,
    proxy: Option<Proxy>,
    /// Messages of the batch that were not taken yet.
    batch: VecDeque<(Uri, Bytes)>,
}

/// An address up to `/v1/…`.
#[derive(Debug)]
struct Base {
    /// As it is shown, without a user or a query.
    shown: String,
    traces: Uri,
    logs: Uri,
    metrics: Uri,
}

/// Where to send, and with which headers.
#[derive(Debug)]
pub(crate) struct Target {
    base: Base,
    headers: HeaderMap,
}

/// The receiver that the arguments name.
pub(crate) fn target(args: &OtlpArgs) -> Result<Option<Target>> {
    let Some(address) = &args.otlp else {
        return Ok(None);
    };
    let base = Base::parse(address)?;
    let headers = args
        .otlp_headers_env
        .as_deref()
        .map(headers)
        .transpose()?
        .unwrap_or_default();
    Ok(Some(Target { base, headers }))
}

/// A follower of the ledger that tells a receiver; one that is new is told from `new` on.
pub(crate) async fn follow(
    ledger: Ledger,
    data: &Path,
    Target { base, headers }: Target,
    new: i64,
) -> Result<Follow<Otlp>> {
    let origin = ledger.origin().await.context("reading the ledger")?;
    let position = Position::load(data, &base.shown, &origin, new)?;
    let source = Source {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        instance: origin,
        start_us: ledger.clock().now_us(),
    };
    Ok(Follow {
        receiver: Otlp {
            encoder: Encoder::new(source),
            base,
            headers,
            proxy: gateway::proxy()?,
            batch: VecDeque::new(),
        },
        position,
        ledger,
    })
}

impl Base {
    fn parse(address: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Mistake(format!(
                "--otlp {address}: {why}; it takes the address before /v1/traces, such as http://127.0.0.1:4318"
            ))
        };
        let uri: Uri = address.parse().map_err(|_| wrong("it is no address"))?;
        let scheme = uri
            .scheme_str()
            .filter(|scheme| ["http", "https"].contains(scheme));
        let scheme = scheme.ok_or_else(|| wrong("it begins with neither http:// nor https://"))?;
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a password has no place in it; --otlp-headers-env takes it").into());
        }
        if uri.query().is_some() {
            return Err(wrong("it has a query").into());
        }
        let path = uri.path().trim_end_matches('/');
        let shown = format!("{scheme}://{authority}{path}");
        let of = |signal: &str| {
            let full = format!("{shown}/v1/{signal}");
            full.parse::<Uri>().map_err(|_| wrong("it is no address"))
        };
        Ok(Self {
            traces: of("traces")?,
            logs: of("logs")?,
            metrics: of("metrics")?,
            shown,
        })
    }
}

/// Headers in the form of `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, values percent-encoded.
fn headers(variable: &str) -> Result<HeaderMap> {
    let text = settings::variable(variable).ok_or_else(|| {
        Mistake(format!(
            "--otlp-headers-env {variable}: the variable is not set"
        ))
    })?;
    // What stands in the variable is a secret and is not repeated.
    let wrong = |why: &str| Mistake(format!("--otlp-headers-env {variable}: {why}"));
    let mut headers = HeaderMap::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| wrong("it should read name=value,name=value"))?;
        let name = name.trim().to_ascii_lowercase();
        if OWN.contains(&name.as_str()) {
            return Err(wrong("one of its headers is the protocol's own").into());
        }
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| wrong("one of its names is none of a header"))?;
        let value =
            decoded(value.trim()).ok_or_else(|| wrong("a % is not followed by two digits"))?;
        let mut value = HeaderValue::from_bytes(&value)
            .map_err(|_| wrong("one of its values cannot stand in a header"))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut made = Vec::with_capacity(text.len());
    let digit = |byte: u8| char::from(byte).to_digit(16);
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (digit(bytes.next()?)?, digit(bytes.next()?)?);
            made.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            made.push(byte);
        }
    }
    Some(made)
}

impl Receiver for Otlp {
    fn recall(&mut self, stored: &StoredEvent) {
        self.encoder.recall(stored);
    }

    fn observe(&mut self, stored: &StoredEvent) {
        self.encoder.observe(stored);
    }

    fn oldest_open(&self) -> Option<i64> {
        self.encoder.oldest_open()
    }

    fn is_full(&self) -> bool {
        self.encoder.waiting() >= FULL
    }

    fn pack(&mut self, now_us: i64) -> bool {
        let batch = self.encoder.take(now_us);
        let messages = [
            (&self.base.traces, batch.traces),
            (&self.base.logs, batch.logs),
            (&self.base.metrics, batch.metrics),
        ];
        for (uri, message) in messages {
            if let Some(message) = message {
                self.batch.push_back((uri.clone(), packed(&message)));
            }
        }
        !self.batch.is_empty()
    }

    async fn send(&mut self) -> Result<(), Refusal> {
        while let Some((uri, body)) = self.batch.front() {
            let mut headers = self.headers.clone();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/x-protobuf"),
            );
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            let answer = post(
                uri,
                self.proxy.clone(),
                headers,
                body.clone(),
                Bounds::of(MOST_ANSWER),
            )
            .await;
            let answer = answer.map_err(|error| {
                let error = anyhow::Error::new(error);
                Refusal::Later(crate::exit::chain(&error), None)
            })?;
            let status = answer.status;
            if status.is_success() {
                self.batch.pop_front();
                continue;
            }
            let why = format!("{} answers {status} {}", uri.path(), words(&answer.body));
            // Not every receiver keeps every signal.
            if matches!(status.as_u16(), 404 | 405 | 501) && uri != &self.base.traces {
                tracing::debug!(receiver = self.base.shown, "{why}");
                self.batch.pop_front();
                continue;
            }
            return Err(
                if matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504) {
                    Refusal::Later(why, retry_after(&answer.headers))
                } else {
                    Refusal::Never(why)
                },
            );
        }
        Ok(())
    }

    fn drop_batch(&mut self) {
        // The signals are independent: another may well be taken.
        self.batch.pop_front();
    }

    fn name(&self) -> &str {
        &self.base.shown
    }
}

fn packed(message: &[u8]) -> Bytes {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    let written = packer.write_all(message).and_then(|()| packer.finish());
    // Memory takes what is written.
    Bytes::from(written.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_wrong_ones_are_named() {
        let base = Base::parse("http://127.0.0.1:4318/").unwrap();
        assert_eq!(base.traces, "http://127.0.0.1:4318/v1/traces");
        let base = Base::parse("https://host/api/public/otel").unwrap();
        assert_eq!(base.metrics, "https://host/api/public/otel/v1/metrics");
        for (address, why) in [
            ("grpc://host:4317", "neither http"),
            ("host:4318", "neither http"),
            ("/v1/traces", "neither http"),
            ("http://user:secret@host", "password"),
            ("http://host?x=1", "query"),
            ("http://ho st", "no address"),
        ] {
            let said = Base::parse(address).unwrap_err().to_string();
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn header_values_are_decoded() {
        assert_eq!(decoded("Basic%20YQ%3D%3D").unwrap(), b"Basic YQ==");
        assert_eq!(decoded("%4"), None);
        assert_eq!(decoded("%zz"), None);
    }
}
