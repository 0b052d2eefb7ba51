//! A small HTTP client for the gateway on this machine; nothing else is asked with it.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{HeaderMap, Method, Request, Uri, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// An answer larger than this is not from our gateway.
const ANSWER_LIMIT: usize = 64 << 20;

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
    let uri: Uri = url
        .parse()
        .with_context(|| format!("{url} is not an address"))?;
    if uri.scheme_str() != Some("http") {
        bail!(
            "{url}: the gateway is reached by http, through a tunnel where it is on another machine"
        );
    }
    let authority = uri
        .authority()
        .with_context(|| format!("{url} has no host"))?;
    let place = (authority.host(), authority.port_u16().unwrap_or(80));
    let socket = TcpStream::connect(place)
        .await
        .with_context(|| format!("connecting to the gateway at {authority}"))?;
    socket.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(socket)).await?;
    let mut request = Request::builder()
        .method(method)
        .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", authority.as_str())
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(Bytes::from(body)))?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .context("asking the gateway")?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = Limited::new(response.into_body(), ANSWER_LIMIT)
            .collect()
            .await;
        let body =
            body.map_err(|error| anyhow::anyhow!("reading the gateway's answer: {error}"))?;
        Ok::<_, anyhow::Error>(Answer {
            status,
            headers,
            body: body.to_bytes(),
        })
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        closed = connection => {
            closed.context("the connection to the gateway")?;
            exchange.await
        }
    }
}
