//! What a cloud refuses of a request for Messages: flags of features it does not have, each with the field that goes
//! with it.
//!
//! One flag that is not known there is an error for the whole request, so flags are kept by a list and everything that
//! is not in it is left out and named.

use http::{HeaderMap, HeaderName, HeaderValue};
use wayproof_wire::{Loss, LossKind};

use super::Cloud;

const BETA: HeaderName = HeaderName::from_static("anthropic-beta");

/// Flags that Bedrock's pages list, without their dates.
const AT_BEDROCK: [&str; 10] = [
    "computer-use",
    "context-1m",
    "context-management",
    "dev-full-thinking",
    "effort",
    "interleaved-thinking",
    "output-128k",
    "token-efficient-tools",
    "tool-examples",
    "tool-search-tool",
];

/// Vertex has these besides.
const AT_VERTEX: [&str; 2] = ["claude-code", "web-search"];

/// Fields that need a flag, by the beginnings of its names.
const PAIRS: [(&str, &str); 8] = [
    ("afk-mode", "safeguards"),
    ("code-execution", "container"),
    ("context-management", "context_management"),
    ("dangerous-tool-use", "safeguards"),
    ("fast-mode", "speed"),
    ("mcp-client", "mcp_servers"),
    ("skills", "container"),
    ("structured-outputs", "output_format"),
];

/// Fields that no cloud has: a mark for the cache at the top.
const NOWHERE: [&str; 1] = ["cache_control"];

/// What of a request is not for a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fitted {
    /// The headers without what is refused.
    pub headers: HeaderMap,
    /// Fields at the top that are refused, whether the request has them or not.
    pub fields: Vec<&'static str>,
    /// The flags that were left out.
    pub losses: Vec<Loss>,
}

impl Cloud {
    /// What of a request for Messages is not for this cloud.
    pub(crate) fn fitted(&self, headers: &HeaderMap) -> Fitted {
        let flags = list(headers);
        let (kept, lost): (Vec<&str>, Vec<&str>) = flags.iter().partition(|flag| self.has(flag));
        let mut fields = NOWHERE.to_vec();
        for (_, field) in PAIRS {
            // Several flags may carry one field.
            let mut carriers = PAIRS.iter().filter(|(_, other)| *other == field);
            let is_carried =
                carriers.any(|(flag, _)| kept.iter().any(|kept| kept.starts_with(flag)));
            if !is_carried && !fields.contains(&field) {
                fields.push(field);
            }
        }
        let mut fitted = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            if name != BETA {
                fitted.append(name, value.clone());
            }
        }
        if let Ok(value) = HeaderValue::try_from(kept.join(","))
            && !kept.is_empty()
        {
            fitted.insert(BETA, value);
        }
        let losses = lost.into_iter().map(|flag| Loss {
            kind: LossKind::Header,
            name: format!("anthropic-beta: {flag}"),
            times: 1,
        });
        Fitted {
            headers: fitted,
            fields,
            losses: losses.collect(),
        }
    }

    fn has(&self, flag: &str) -> bool {
        let is_named = |name: &&'static str| {
            let date = flag.strip_prefix(*name);
            date.is_some_and(|date| date.starts_with("-20"))
        };
        let at_vertex = *self == Self::Vertex && AT_VERTEX.iter().any(is_named);
        at_vertex || AT_BEDROCK.iter().any(is_named)
    }
}

/// The flags that headers name, each once.
pub(super) fn list(headers: &HeaderMap) -> Vec<&str> {
    let mut found = Vec::new();
    let values = headers
        .get_all(BETA)
        .iter()
        .filter_map(|value| value.to_str().ok());
    for flag in values.flat_map(|value| value.split(',')).map(str::trim) {
        if !flag.is_empty() && !found.contains(&flag) {
            found.push(flag);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{BETA, list};
    use crate::cloud::Cloud;

    #[test]
    fn flags_are_kept_by_a_list_and_fields_go_with_their_flags() {
        let mut headers = HeaderMap::new();
        headers.append(
            BETA,
            "claude-code-20250219, effort-2025-11-24".parse().unwrap(),
        );
        let more = "context-management-2025-06-27,effort-2025-11-24,afk-mode-2026-01-31";
        headers.append(BETA, more.parse().unwrap());
        headers.append("x-app", "cli".parse().unwrap());
        let bedrock = Cloud::Bedrock {
            region: "r".to_owned(),
        };
        let fitted = bedrock.fitted(&headers);
        let kept = list(&fitted.headers);
        assert_eq!(kept, ["effort-2025-11-24", "context-management-2025-06-27"]);
        assert_eq!(fitted.headers["x-app"], "cli");
        let lost: Vec<String> = fitted.losses.iter().map(|loss| loss.name.clone()).collect();
        let expected = ["claude-code-20250219", "afk-mode-2026-01-31"];
        assert_eq!(lost, expected.map(|flag| format!("anthropic-beta: {flag}")));
        assert!(!fitted.fields.contains(&"context_management"));
        assert!(fitted.fields.contains(&"safeguards") && fitted.fields.contains(&"cache_control"));
        let vertex = Cloud::Vertex.fitted(&headers);
        assert_eq!(list(&vertex.headers).len(), 3);
        let none = bedrock.fitted(&HeaderMap::new());
        assert!(none.losses.is_empty() && none.fields.contains(&"context_management"));
    }
}
