//! The name by which a reader reached us.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header};

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The `Host` of a request: a name or an address, and a port.
#[derive(Clone, Debug)]
pub(crate) struct Host(String);

impl Host {
    /// The one host that a request names, if it could be one; a trusted proxy may name the one it was asked for.
    pub(super) fn of(headers: &HeaderMap, is_from_proxy: bool) -> Option<Self> {
        let is_passed_on = is_from_proxy && headers.contains_key(FORWARDED_HOST);
        let name = if is_passed_on {
            &FORWARDED_HOST
        } else {
            &header::HOST
        };
        let mut all = headers.get_all(name).iter();
        let host = all.next()?.to_str().ok()?;
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        let is_host = !host.is_empty() && host.len() <= 255 && host.chars().all(is_plain);
        (is_host && all.next().is_none()).then(|| Self(host.to_ascii_lowercase()))
    }

    /// Whether it means this machine, whoever resolves it.
    pub(super) fn is_loopback(&self) -> bool {
        let name = self.name();
        name == "localhost"
            || name
                .parse::<IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether a page of this origin is one of ours.
    pub(super) fn is_origin(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        let place = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        place == Some(self.0.as_str())
    }

    /// As it was written, with its port.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the port and without the brackets of an address.
    fn name(&self) -> &str {
        if let Some(rest) = self.0.strip_prefix('[') {
            return rest.split(']').next().unwrap_or_default();
        }
        match self.0.rsplit_once(':') {
            Some((name, _)) if !name.contains(':') => name,
            Some(_) | None => &self.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn host(text: &str) -> Option<Host> {
        let mut headers = HeaderMap::new();
        headers.append(header::HOST, HeaderValue::from_str(text).unwrap());
        Host::of(&headers, false)
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for text in [
            "localhost:4417",
            "127.0.0.1",
            "[::1]:80",
            "127.9.9.9:1",
            "LOCALHOST",
        ] {
            assert!(host(text).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:1",
            "10.0.0.1",
            "0.0.0.0",
        ] {
            assert!(!host(text).unwrap().is_loopback(), "{text}");
        }
        assert!(host("a/b").is_none() && host("a b").is_none() && host("a@b").is_none());
    }

    #[test]
    fn an_origin_is_ours_with_its_port() {
        let ours = host("localhost:4417").unwrap();
        assert!(ours.is_origin("http://localhost:4417"));
        for foreign in [
            "http://localhost:4418",
            "null",
            "http://localhost:4417.evil.example",
            "file://",
        ] {
            assert!(!ours.is_origin(foreign), "{foreign}");
        }
    }
}
