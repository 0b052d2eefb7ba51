//! A proxy in front that signs people in and names them in a header.
//!
//! The header is believed from the proxy's own addresses alone; from anywhere else it says nothing. A request of the
//! proxy never counts as one of this machine, wherever the proxy runs. Where the header holds an OpenID Connect token,
//! a claim of it names the person, once the token's signature is found to be its issuer's.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName};

use super::token::{Issuer, LONGEST_NAME};

/// Who may say which person asks.
#[derive(Debug, Clone)]
pub struct TrustedProxy {
    networks: Vec<Network>,
    header: HeaderName,
    /// Whose tokens name the person, where the header holds one.
    issuer: Option<Issuer>,
}

/// Why a proxy cannot be trusted as told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProxyError {
    /// A text is no network.
    Network(String),
    /// A text is no name of a header.
    Header(String),
}

impl std::fmt::Display for ProxyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Network(text) => write!(
                f,
                "`{text}` is no network; write an address such as 10.0.0.7, or a network such as 10.0.0.0/24"
            ),
            Self::Header(text) => write!(f, "`{text}` is no name of a header"),
        }
    }
}

impl std::error::Error for ProxyError {}

/// Addresses that begin with the same bits; both kinds of address as the longer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    bits: u128,
    mask: u128,
}

/// What a header says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Nothing.
    Nobody,
    /// Something that is no one name.
    Unclear,
    Person(String),
}

impl TrustedProxy {
    /// The proxies of these networks, which name people in this header.
    ///
    /// # Errors
    ///
    /// When a text is no network or no name of a header.
    pub fn new(networks: &[String], header: &str) -> Result<Self, ProxyError> {
        let read =
            |text: &String| Network::parse(text).ok_or_else(|| ProxyError::Network(text.clone()));
        Ok(Self {
            networks: networks.iter().map(read).collect::<Result<_, _>>()?,
            header: HeaderName::from_bytes(header.as_bytes())
                .map_err(|_| ProxyError::Header(header.to_owned()))?,
            issuer: None,
        })
    }

    /// The same, with an OpenID Connect token of this issuer in the header.
    #[must_use]
    pub fn with_tokens_of(self, issuer: Option<Issuer>) -> Self {
        Self { issuer, ..self }
    }

    /// Whether a peer is such a proxy.
    pub(super) fn is_at(&self, peer: IpAddr) -> bool {
        let bits = bits(peer);
        let mut networks = self.networks.iter();
        networks.any(|network| bits & network.mask == network.bits)
    }

    /// The person whom the header names at a moment, in microseconds since 1970.
    pub(super) fn person(&self, headers: &HeaderMap, now_us: i64) -> Named {
        let mut values = headers.get_all(&self.header).iter();
        let Some(value) = values.next() else {
            return Named::Nobody;
        };
        let name = std::str::from_utf8(value.as_bytes()).map(str::trim);
        match name {
            Ok("") => Named::Nobody,
            // Two headers would be the proxy's and that of whoever asks.
            Ok(text) if values.next().is_none() => {
                let name = match &self.issuer {
                    Some(issuer) => issuer
                        .person(text, now_us)
                        .inspect_err(|why| tracing::warn!(why, "a token names nobody"))
                        .ok(),
                    None => Some(text.to_owned()),
                };
                let name = name.filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
                name.map_or(Named::Unclear, Named::Person)
            }
            _ => Named::Unclear,
        }
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = text
            .split_once('/')
            .map_or((text, None), |(address, length)| (address, Some(length)));
        let address: IpAddr = address.parse().ok()?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length {
            None => longest,
            Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            Some(_) => return None,
        };
        if length > longest {
            return None;
        }
        let zeros = longest - length;
        let mask = u128::MAX.checked_shl(zeros).unwrap_or(0);
        Some(Self {
            bits: bits(address) & mask,
            mask,
        })
    }
}

fn bits(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(networks: &[&str], peer: &str) -> bool {
        let networks: Vec<String> = networks.iter().map(|text| (*text).to_owned()).collect();
        let proxy = TrustedProxy::new(&networks, "x-forwarded-user").unwrap();
        proxy.is_at(peer.parse().unwrap())
    }

    #[test]
    fn a_network_is_its_first_bits() {
        assert!(at(&["10.0.0.0/24"], "10.0.0.255") && !at(&["10.0.0.0/24"], "10.0.1.0"));
        assert!(at(&["10.0.0.7"], "10.0.0.7") && !at(&["10.0.0.7"], "10.0.0.8"));
        assert!(at(&["10.9.9.9/8"], "::ffff:10.1.2.3"));
        assert!(at(&["2001:db8::/32"], "2001:db8::1") && !at(&["2001:db8::/32"], "2001:db9::1"));
        assert!(at(&["0.0.0.0/0"], "203.0.113.9") && !at(&["0.0.0.0/0"], "2001:db8::1"));
        assert!(at(&["::/0"], "203.0.113.9"));
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "ten",
            "::1/129",
            "10.0.0.0/",
        ] {
            let wrong = TrustedProxy::new(&[text.to_owned()], "x-user");
            assert!(wrong.is_err(), "{text}");
        }
        assert!(TrustedProxy::new(&[], "x user").is_err());
    }

    #[test]
    fn one_header_names_one_person() {
        let proxy = TrustedProxy::new(&["::1".to_owned()], "X-User").unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(proxy.person(&headers, 0), Named::Nobody);
        headers.append("x-user", " ana ".parse().unwrap());
        assert_eq!(proxy.person(&headers, 0), Named::Person("ana".to_owned()));
        headers.append("x-user", "root".parse().unwrap());
        assert_eq!(proxy.person(&headers, 0), Named::Unclear);
    }
}
