//! A small HTTP client for the gateway, on this machine or behind TLS on another; nothing else is asked with it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Uri,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use tokio::io::{AsyncRead, AsyncWrite};
use wayproof_upstream::Bounds;

use super::proxy;

/// An answer larger than this is not from our gateway.
const ANSWER_LIMIT: usize = 64 << 20;
/// Models and proofs take their time; whoever asks for less waits less.
const PATIENCE: Duration = Duration::from_hours(1);

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The value of a header, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Posts JSON.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], body: String) -> Result<Answer> {
    send(Method::POST, url, headers, body).await
}

/// Gets a page.
pub(crate) async fn get(url: &str, headers: &[(&str, &str)]) -> Result<Answer> {
    send(Method::GET, url, headers, String::new()).await
}

async fn send(method: Method, url: &str, headers: &[(&str, &str)], body: String) -> Result<Answer> {
    let uri = address(url)?;
    let mut sent = HeaderMap::new();
    sent.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        let name: HeaderName = name.parse()?;
        let value = HeaderValue::from_str(value);
        sent.insert(name, value.context("a header for the gateway")?);
    }
    let bounds = Bounds {
        bytes: ANSWER_LIMIT,
        patience: PATIENCE,
    };
    let asked = wayproof_upstream::send(&method, &uri, proxy()?, sent, body.into(), bounds);
    let answered = Box::pin(asked).await.with_context(|| whose(&uri))?;
    Ok(Answer {
        status: answered.status.as_u16(),
        headers: answered.headers,
        body: answered.body,
    })
}

/// Opens a connection to a gateway, for what is no exchange of a request and an answer.
pub(crate) async fn open(
    url: &str,
) -> Result<Box<impl AsyncRead + AsyncWrite + Unpin + Send + use<>>> {
    let uri = address(url)?;
    let opened = Box::pin(wayproof_upstream::open(&uri, proxy()?)).await;
    Ok(Box::new(opened.with_context(|| whose(&uri))?))
}

fn address(url: &str) -> Result<Uri> {
    let uri: Uri = url
        .parse()
        .with_context(|| format!("{url} is not an address"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
        bail!("{url}: the address of a gateway reads http://HOST:PORT or https://HOST");
    }
    Ok(uri)
}

fn whose(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("asking the gateway at {authority}")
}
