//! Fetches single pages for whoever checks what documents link to.
//!
//! An address comes from a document, so it may be anybody's. Only public addresses are asked, also after a redirect and
//! also where a name leads elsewhere; nothing of ours goes along, and answers have limits.

use std::error::Error as StdError;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use tower_service::Service;

use crate::connect::{Proxy, set_up_tls};

const MOST_BYTES: usize = 8 << 20;
const MOST_REDIRECTS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// Where pages may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reachable {
    /// Public addresses only.
    Public,
    /// This machine as well, for trying things out.
    LoopbackToo,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPage {
    /// Where it was in the end.
    pub final_url: String,
    /// The status.
    pub status: u16,
    /// What came.
    pub body: Bytes,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The address is none, or none that may be asked.
    #[error("{url} may not be asked: {why}")]
    Forbidden {
        /// The address.
        url: String,
        /// Why.
        why: &'static str,
    },
    /// Redirects go round in circles.
    #[error("more than {MOST_REDIRECTS} redirects")]
    Redirects,
    /// The host did not answer.
    #[error("no answer from {host}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// It took too long.
    #[error("no whole answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// The machine's trust store could not be loaded.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Fetches pages.
#[derive(Debug, Clone)]
pub struct PageClient {
    reachable: Reachable,
    proxy: Option<Proxy>,
}

impl PageClient {
    /// A client; encrypted pages go through the proxy, if there is one, which then finds their hosts.
    pub fn new(reachable: Reachable, proxy: Option<Proxy>) -> Self {
        Self { reachable, proxy }
    }

    /// The page at an address.
    pub async fn fetch(&self, url: &str) -> Result<FetchedPage, PageError> {
        match tokio::time::timeout(PATIENCE, self.follow(url)).await {
            Ok(fetched) => fetched,
            Err(_elapsed) => Err(PageError::TimedOut),
        }
    }

    async fn follow(&self, url: &str) -> Result<FetchedPage, PageError> {
        let mut at = self.allowed(url)?;
        for _ in 0..=MOST_REDIRECTS {
            let (status, location, body) = self.ask(&at).await?;
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                return Ok(FetchedPage {
                    final_url: at.to_string(),
                    status: status.as_u16(),
                    body,
                });
            };
            let next = self.allowed(&joined(&at, &location))?;
            if at.scheme_str() == Some("https") && next.scheme_str() != Some("https") {
                return Err(forbidden(
                    &next.to_string(),
                    "it leads from an encrypted page to a plain one",
                ));
            }
            at = next;
        }
        Err(PageError::Redirects)
    }

    /// An address that may be asked.
    fn allowed(&self, url: &str) -> Result<Uri, PageError> {
        let uri: Uri = url
            .parse()
            .map_err(|_| forbidden(url, "it is no address"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(forbidden(url, "only http and https are fetched"));
        }
        let authority = uri.authority().map(http::uri::Authority::as_str);
        if authority.is_none_or(|authority| authority.contains('@')) {
            return Err(forbidden(url, "it has no host, or a user before it"));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if let Ok(address) = host.parse::<IpAddr>()
            && !self.reachable.has(address)
        {
            return Err(forbidden(url, "its address is not public"));
        }
        Ok(uri)
    }

    async fn ask(&self, uri: &Uri) -> Result<(StatusCode, Option<String>, Bytes), PageError> {
        let host = uri.host().unwrap_or_default().to_owned();
        let unreachable = |source: Box<dyn StdError + Send + Sync>| PageError::Unreachable {
            host: host.clone(),
            source,
        };
        let mut tcp = HttpConnector::new_with_resolver(Resolver(self.reachable));
        tcp.enforce_http(false);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let request = Request::get(path)
            .header(header::HOST, authority)
            .header(
                header::USER_AGENT,
                concat!("wayproof/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::ACCEPT, "text/html, text/plain, */*;q=0.5")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Empty::new())
            .map_err(|error| unreachable(error.into()))?;
        if uri.scheme_str() == Some("http") {
            let stream = tcp
                .call(uri.clone())
                .await
                .map_err(|error| unreachable(error.into()))?;
            return exchange(stream, request).await.map_err(unreachable);
        }
        let tls = set_up_tls().map_err(PageError::Tls)?;
        let stream = match self.proxy.as_ref().filter(|proxy| proxy.is_for(&host)) {
            Some(proxy) => {
                // The proxy is the operator's own and may be on this machine.
                let mut tunnel = Tunnel::new(
                    proxy.uri.clone(),
                    HttpConnector::new_with_resolver(Resolver(Reachable::LoopbackToo)),
                );
                if let Some(authorization) = &proxy.authorization {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                return match HttpsConnector::from((tunnel, tls)).call(uri.clone()).await {
                    Ok(stream) => exchange(stream, request).await.map_err(unreachable),
                    Err(error) => Err(unreachable(error)),
                };
            }
            None => HttpsConnector::from((tcp, tls)).call(uri.clone()).await,
        };
        let stream = stream.map_err(unreachable)?;
        exchange(stream, request).await.map_err(unreachable)
    }
}

/// Sends one request over a connection of its own.
async fn exchange<S>(
    stream: S,
    request: Request<Empty<Bytes>>,
) -> Result<(StatusCode, Option<String>, Bytes), Box<dyn StdError + Send + Sync>>
where
    S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(stream).await?;
    let talk = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let location = response.headers().get(header::LOCATION);
        let location = location
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = Limited::new(response.into_body(), MOST_BYTES)
            .collect()
            .await?;
        Ok((status, location, body.to_bytes()))
    };
    tokio::pin!(talk);
    tokio::select! {
        done = &mut talk => done,
        closed = connection => {
            closed?;
            talk.await
        }
    }
}

fn forbidden(url: &str, why: &'static str) -> PageError {
    PageError::Forbidden {
        url: url.to_owned(),
        why,
    }
}

/// Where a redirect leads, seen from where it stood.
fn joined(at: &Uri, location: &str) -> String {
    let location = location.split('#').next().unwrap_or(location);
    if location.contains("://") {
        return location.to_owned();
    }
    let scheme = at.scheme_str().unwrap_or("https");
    if location.starts_with("//") {
        return format!("{scheme}:{location}");
    }
    let authority = at.authority().map_or("", |authority| authority.as_str());
    if location.starts_with('/') {
        return format!("{scheme}://{authority}{location}");
    }
    let folder = at.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{scheme}://{authority}{folder}/{location}")
}

impl Reachable {
    /// Whether an address may be asked.
    fn has(self, address: IpAddr) -> bool {
        let is_loopback = match address {
            IpAddr::V4(address) => address.is_loopback(),
            IpAddr::V6(address) => address.is_loopback(),
        };
        match self {
            Self::LoopbackToo if is_loopback => true,
            Self::LoopbackToo | Self::Public => is_public(address),
        }
    }
}

/// Whether an address is one of the internet at large.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(inner) => is_public_v4(inner),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // Shared between carriers, protocol assignments, benchmarks.
        || (first == 100 && (64..128).contains(&second))
        || (first == 192 && second == 0 && third == 0)
        || (first == 198 && (18..20).contains(&second)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Only this range is given out for the internet at large; documentation is a part of it.
    let first = address.segments()[0];
    let is_documentation = first == 0x2001 && address.segments()[1] == 0x0db8;
    (first & 0xe000) == 0x2000 && !is_documentation
}

/// The address of the older kind that one of the newer kind stands for.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let from = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(from(high, low))
        }
        [0x2002, high, low, ..] => Some(from(high, low)),
        _ => None,
    }
}

/// Finds the addresses of a name and leaves out those that may not be asked.
#[derive(Debug, Clone, Copy)]
struct Resolver(Reachable);

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let reachable = self.0;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let kept: Vec<SocketAddr> = found.filter(|found| reachable.has(found.ip())).collect();
            if kept.is_empty() {
                return Err(io::Error::other(format!(
                    "{} has no public address",
                    name.as_str()
                )));
            }
            Ok(kept.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_asked() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::1",
            "2001:db8::1",
            "255.255.255.255",
        ] {
            assert!(
                !Reachable::Public.has(private.parse().unwrap()),
                "{private}"
            );
        }
        for public in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(Reachable::Public.has(public.parse().unwrap()), "{public}");
        }
        assert!(Reachable::LoopbackToo.has("127.0.0.1".parse().unwrap()));
        assert!(!Reachable::LoopbackToo.has("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn addresses_that_hide_a_host_are_refused() {
        let client = PageClient::new(Reachable::Public, None);
        for url in [
            "file:///etc/passwd",
            "ftp://example.org/",
            "http://user@example.org/",
            "http://127.0.0.1/",
            "http://[::1]/",
            "https://169.254.169.254/latest/meta-data",
            "nonsense",
        ] {
            assert!(client.allowed(url).is_err(), "{url}");
        }
        assert!(client.allowed("https://example.org/x?y=z").is_ok());
    }

    #[test]
    fn redirects_are_seen_from_where_they_stand() {
        let at: Uri = "https://a.example/x/y?z".parse().unwrap();
        for (location, wanted) in [
            ("/b#c", "https://a.example/b"),
            ("b", "https://a.example/x/b"),
            ("//b.example/", "https://b.example/"),
            ("http://b.example/", "http://b.example/"),
        ] {
            assert_eq!(joined(&at, location), wanted);
        }
    }
}
