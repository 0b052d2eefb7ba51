//! Who serves models: where, in which protocol, and with which credential.
//!
//! A provider is checked once, when it is made; nothing here connects.

use std::fmt;
use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Uri};
use secrecy::{ExposeSecret, SecretString};
use wayproof_wire::{ChatHabits, Protocol, Protocols};

use crate::cloud::{AwsKeys, Cloud, Fitted, TokenSource};
use crate::known::Known;

/// Whose credential a provider is shown.
#[derive(Clone, Debug)]
pub enum Credential {
    /// The client's own, as it was sent.
    PassThrough,
    /// A key of the gateway's; the client's own never goes out.
    Key(SecretString),
    /// Keys of AWS that requests are signed with; the client's own never goes out.
    Aws(AwsKeys),
    /// Tokens that run out and are fetched anew; the client's own never goes out.
    Tokens(Arc<dyn TokenSource>),
    /// None at all, as local servers want it; the client's own never goes out.
    Nothing,
}

/// Someone who serves models.
#[derive(Clone)]
pub struct Provider {
    /// The name that policies and ledgers use.
    pub name: String,
    /// Where it is; a path here goes before the path of every request.
    pub base: Uri,
    /// The protocols it speaks.
    pub protocols: Protocols,
    /// Whose credential it is shown.
    pub credential: Credential,
    /// What is known of whoever is at this address.
    pub(crate) known: Option<&'static Known>,
    /// The cloud it is in, where that is asked in its own way.
    pub(crate) cloud: Option<Cloud>,
    habits: ChatHabits,
    host_header: HeaderValue,
    is_tls: bool,
}

/// Why a provider cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProviderError {
    /// The address has no host, or a scheme other than `http` or `https`.
    #[error("provider {name}: {base} is not an http or https address with a host")]
    Address {
        /// The provider's name.
        name: String,
        /// The address as it was given.
        base: String,
    },
    /// The key has characters that cannot stand in a header.
    #[error("provider {name}: its key has characters that cannot stand in a header")]
    Key {
        /// The provider's name.
        name: String,
    },
    /// Two providers have one name.
    #[error("provider {name} is given twice")]
    Twice {
        /// The name both have.
        name: String,
    },
}

impl Provider {
    /// Whether its address is this machine's own, where nobody sends a bill.
    pub fn is_on_this_machine(&self) -> bool {
        self.base.host().is_some_and(|host| {
            let bare = host.trim_start_matches('[').trim_end_matches(']');
            host.eq_ignore_ascii_case("localhost")
                || bare
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        })
    }

    /// Makes a provider after checking its address and its key.
    pub fn new(
        name: impl Into<String>,
        base: Uri,
        protocols: Protocols,
        credential: Credential,
    ) -> Result<Self, ProviderError> {
        let name = name.into();
        let is_tls = match base.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => return Err(bad_address(name, &base)),
        };
        let Some(host_header) = host_header(&base) else {
            return Err(bad_address(name, &base));
        };
        if let Credential::Key(key) = &credential
            && HeaderValue::from_str(key.expose_secret()).is_err()
        {
            return Err(ProviderError::Key { name });
        }
        let known = Known::at(&base);
        Ok(Self {
            cloud: Cloud::at(&base),
            known,
            habits: known.map(|known| known.habits).unwrap_or_default(),
            name,
            base,
            protocols,
            credential,
            host_header,
            is_tls,
        })
    }

    /// Where it keeps to less than Chat.
    pub const fn habits(&self) -> ChatHabits {
        self.habits
    }

    /// The same provider with other habits than its address tells, as behind a proxy of one's own.
    #[must_use]
    pub const fn with_habits(mut self, habits: ChatHabits) -> Self {
        self.habits = habits;
        self
    }

    /// The same provider as one in a cloud, where its address does not tell, as that of a private door.
    #[must_use]
    pub fn in_cloud(mut self, cloud: Cloud) -> Self {
        self.cloud = Some(cloud);
        self
    }

    /// The cloud it is in, where that is asked in its own way. Bodies are made anew there, so packed ones are of no use.
    pub const fn cloud(&self) -> Option<&Cloud> {
        self.cloud.as_ref()
    }

    /// Who seals the reasoning in its answers. Anthropic and the clouds that serve its models read each other's seals.
    pub fn sealer(&self, protocol: Protocol) -> &str {
        let is_anthropic = self.base.host() == Some("api.anthropic.com") || self.cloud.is_some();
        if protocol == Protocol::Messages && is_anthropic {
            "anthropic"
        } else {
            &self.name
        }
    }

    /// What of a request in this protocol it would refuse the whole for; `None` where it takes everything.
    pub fn fitted(&self, protocol: Protocol, headers: &HeaderMap) -> Option<Fitted> {
        match (protocol, &self.cloud) {
            (Protocol::Messages, Some(cloud)) => Some(cloud.fitted(headers)),
            (Protocol::Chat, _) if !self.habits.refused.is_empty() => Some(Fitted {
                headers: headers.clone(),
                fields: self.habits.refused.to_vec(),
                losses: Vec::new(),
            }),
            _ => None,
        }
    }

    /// Says whether connections to it are encrypted.
    pub const fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// The `Host` of every request to it.
    pub(crate) const fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// Joins the provider's base path and the path of a request.
    ///
    /// A base that already ends in the version segment a request starts with, as
    /// `https://api.openai.com/v1` does, does not get it twice. A query of the base goes behind that of the request.
    pub(crate) fn join(&self, protocol: Protocol, request: &PathAndQuery) -> Option<PathAndQuery> {
        let prefix = self.base.path().trim_end_matches('/');
        let moved = self
            .known
            .and_then(|known| known.path(protocol, prefix, request));
        let request = moved.as_ref().unwrap_or(request);
        let query = self.base.query();
        if prefix.is_empty() && query.is_none() {
            return Some(request.clone());
        }
        let wanted = request.as_str();
        let rest = prefix
            .rsplit_once('/')
            .and_then(|(_, last)| wanted.strip_prefix('/')?.strip_prefix(last))
            .filter(|rest| rest.starts_with('/'))
            .unwrap_or(wanted);
        let joined = match (query, request.query()) {
            (None, _) => format!("{prefix}{rest}"),
            (Some(query), None) => format!("{prefix}{rest}?{query}"),
            (Some(query), Some(_)) => format!("{prefix}{rest}&{query}"),
        };
        PathAndQuery::try_from(joined).ok()
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.name)
            .field("base", &self.base)
            .field("protocols", &self.protocols)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

fn host_header(base: &Uri) -> Option<HeaderValue> {
    let host = base.host().filter(|host| !host.is_empty())?;
    let text = match base.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    HeaderValue::try_from(text).ok()
}

fn bad_address(name: String, base: &Uri) -> ProviderError {
    ProviderError::Address {
        name,
        base: base.to_string(),
    }
}
