//! Opens connections: TCP with `TCP_NODELAY`, TLS where the address asks for it, through a
//! proxy where the settings name one.
//!
//! It reads no environment. TLS is set up when the first encrypted connection is opened and
//! never for plain HTTP, because trust stores are slow to load and large to keep.

use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tower_service::Service as _;

use crate::provider::Provider;

/// A connection, encrypted or not.
pub(crate) type Connection = MaybeHttpsStream<TokioIo<TcpStream>>;

/// A proxy that encrypted connections are tunnelled through.
#[derive(Clone)]
pub struct Proxy {
    /// Where the proxy is.
    pub uri: Uri,
    /// What the proxy wants as `Proxy-Authorization`.
    pub authorization: Option<HeaderValue>,
    /// Hosts that are reached directly: exact names, or `.suffix` for a domain and all in it.
    pub direct: Vec<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("host", &self.uri.host())
            .field("direct", &self.direct)
            .finish_non_exhaustive()
    }
}

impl Proxy {
    pub(crate) fn is_for(&self, host: &str) -> bool {
        !self.direct.iter().any(|direct| {
            let bare = direct.trim_start_matches('.');
            direct == "*"
                || host == bare
                || host
                    .strip_suffix(bare)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    }
}

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The host was not found, refused, or did not finish the handshake.
    #[error("cannot connect to {host}")]
    Refused {
        /// Who was called.
        host: String,
        /// What went wrong.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Nobody answered in time.
    #[error("no connection to {host} within {} s", .waited.as_secs())]
    TimedOut {
        /// Who was called.
        host: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The machine's trust store could not be loaded.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Opens connections to providers.
#[derive(Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    timeout: Duration,
    proxy: Option<Proxy>,
    tls: OnceLock<Result<ClientConfig, String>>,
}

impl Connector {
    pub(crate) fn new(timeout: Duration, proxy: Option<Proxy>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_keepalive(Some(Duration::from_mins(1)));
        Self {
            tcp,
            timeout,
            proxy,
            tls: OnceLock::new(),
        }
    }

    /// Opens one connection within the connect timeout.
    pub(crate) async fn open(&self, provider: &Provider) -> Result<Connection, ConnectError> {
        let host = || provider.base.host().unwrap_or_default().to_owned();
        match tokio::time::timeout(self.timeout, self.open_slowly(provider)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(Unopened::Tls(why))) => Err(ConnectError::Tls(why)),
            Ok(Err(Unopened::Refused(source))) => Err(ConnectError::Refused {
                host: host(),
                source,
            }),
            Err(_elapsed) => Err(ConnectError::TimedOut {
                host: host(),
                waited: self.timeout,
            }),
        }
    }

    async fn open_slowly(&self, provider: &Provider) -> Result<Connection, Unopened> {
        let target = provider.base.clone();
        if !provider.is_tls() {
            let stream = self.tcp.clone().call(target).await?;
            return Ok(MaybeHttpsStream::Http(stream));
        }
        let tls = self
            .tls
            .get_or_init(set_up_tls)
            .clone()
            .map_err(Unopened::Tls)?;
        let host = provider.base.host().unwrap_or_default();
        match self.proxy.as_ref().filter(|proxy| proxy.is_for(host)) {
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri.clone(), self.tcp.clone());
                if let Some(authorization) = &proxy.authorization {
                    tunnel = tunnel.with_auth(authorization.clone());
                }
                Ok(HttpsConnector::from((tunnel, tls)).call(target).await?)
            }
            None => Ok(HttpsConnector::from((self.tcp.clone(), tls))
                .call(target)
                .await?),
        }
    }
}

enum Unopened {
    Refused(Box<dyn StdError + Send + Sync>),
    Tls(String),
}

impl<E: Into<Box<dyn StdError + Send + Sync>>> From<E> for Unopened {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

pub(crate) fn set_up_tls() -> Result<ClientConfig, String> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| error.to_string())?
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
