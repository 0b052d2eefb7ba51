//! What an address or a form says, read without trust: unknown names are ignored, long values cut.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Names and values; of a repeated name the last value counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

/// The longest value of an address that is looked at, in characters.
const MAX_VALUE: usize = 200;

impl Params {
    /// Reads `name=value&…`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).take(256);
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    /// A short value; an empty one is none.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then(|| value.chars().take(MAX_VALUE).collect())
    }

    /// A value as it was sent.
    pub(crate) fn whole(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The names that begin so, in their order.
    pub(crate) fn names(&self, beginning: &'static str) -> impl Iterator<Item = &str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(move |name| name.starts_with(beginning))
    }

    /// A number; one that cannot be read is none.
    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        std::future::ready(Ok(Self::parse(
            parts.uri.query().unwrap_or_default().as_bytes(),
        )))
        .await
    }
}

/// Writes an address with the values that are there.
pub(crate) fn address(path: &str, values: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in values {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}
