//! Paths of Gemini, which name the model and say what is wanted.

use http::uri::PathAndQuery;
use http::{HeaderValue, Uri, request};
use wayproof_upstream::GOOGLE_KEY_HEADER;
use wayproof_wire::path_segment;

/// A path that asks a model for something: `/v1beta/models/NAME:generateContent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GeminiPath<'p> {
    /// What stands before the model.
    prefix: &'p str,
    model: &'p str,
    /// What is wanted.
    pub(crate) verb: GeminiVerb,
}

/// What is wanted of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeminiVerb {
    /// An answer in one piece.
    Generate,
    /// An answer as a stream.
    Stream,
    /// The number of tokens.
    Count,
    /// The vector of a text.
    Embed,
    /// The vectors of several texts.
    EmbedAll,
}

impl GeminiVerb {
    const ALL: [Self; 5] = [
        Self::Generate,
        Self::Stream,
        Self::Count,
        Self::Embed,
        Self::EmbedAll,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Generate => "generateContent",
            Self::Stream => "streamGenerateContent",
            Self::Count => "countTokens",
            Self::Embed => "embedContent",
            Self::EmbedAll => "batchEmbedContents",
        }
    }
}

const PREFIXES: [&str; 3] = ["/v1beta/models/", "/v1/models/", "/v1alpha/models/"];

impl<'p> GeminiPath<'p> {
    /// Reads a path.
    pub(crate) fn of(path: &'p str) -> Option<Self> {
        let prefix = PREFIXES
            .into_iter()
            .find(|prefix| path.starts_with(prefix))?;
        let (prefix, rest) = path.split_at(prefix.len());
        let (model, name) = rest.rsplit_once(':')?;
        let verb = GeminiVerb::ALL
            .into_iter()
            .find(|verb| verb.name() == name)?;
        (!model.is_empty()).then_some(Self {
            prefix,
            model,
            verb,
        })
    }

    /// The model's name, its escapes undone.
    pub(crate) fn model_name(&self) -> String {
        unescaped(self.model)
    }

    /// The same wish to another model; the path stays as it is for the same one.
    pub(crate) fn with_model(&self, model: &str, query: Option<&str>) -> String {
        let escaped;
        let model = if self.model_name() == model {
            self.model
        } else {
            escaped = path_segment(model);
            &escaped
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{model}:{}{query}", self.prefix, self.verb.name())
    }
}

/// The name of the model in a path that wants nothing of it but to be shown.
pub(crate) fn model_of(path: &str) -> Option<String> {
    let name = PREFIXES
        .into_iter()
        .find_map(|prefix| path.strip_prefix(prefix))?;
    (!name.is_empty()).then(|| unescaped(name))
}

fn unescaped(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.split_at_checked(2).filter(|_| *first == b'%');
        let byte = escaped
            .and_then(|(digits, _)| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = match (byte, escaped) {
            (Some(_), Some((_, after))) => after,
            _ => after,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes a key out of the query and shows it in the header that is meant for it, so that it is treated like any
/// other credential and does not get into anybody's log of addresses.
pub(crate) fn move_key(head: &mut request::Parts) {
    let Some(query) = head.uri.query() else {
        return;
    };
    let Some(key) = query.split('&').find_map(|pair| pair.strip_prefix("key=")) else {
        return;
    };
    if let Ok(mut value) = HeaderValue::from_str(key) {
        value.set_sensitive(true);
        head.headers.entry(GOOGLE_KEY_HEADER).or_insert(value);
    }
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| !pair.starts_with("key="))
        .collect();
    let path = head.uri.path();
    let moved = if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    };
    if let Ok(path_and_query) = PathAndQuery::try_from(moved) {
        head.uri = Uri::from(path_and_query);
    }
}

#[cfg(test)]
mod tests {
    use super::{GeminiPath, GeminiVerb};

    #[test]
    fn reads_and_writes_paths() {
        let path = "/v1/models/x%2Fm%20:1:streamGenerateContent";
        let read = GeminiPath::of(path).unwrap();
        assert_eq!(read.verb, GeminiVerb::Stream);
        assert_eq!(read.model_name(), "x/m :1");
        assert_eq!(read.with_model("x/m :1", None), path);
        assert_eq!(
            read.with_model("m é", Some("alt=sse")),
            "/v1/models/m%20%C3%A9:streamGenerateContent?alt=sse"
        );
        assert_eq!(GeminiPath::of("/v1beta/models/:countTokens"), None);
        assert_eq!(GeminiPath::of("/v1beta/models/m:tuneModel"), None);
        assert_eq!(GeminiPath::of("/v1/models/m"), None);
        assert_eq!(
            GeminiPath::of("/v1beta/models/100%:countTokens")
                .unwrap()
                .model_name(),
            "100%"
        );
    }
}
