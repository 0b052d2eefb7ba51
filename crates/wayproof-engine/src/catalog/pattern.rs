//! Patterns for model names: plain text, `*` for anything and `#` for one digit; a leading `!` after a `|` excludes.
//! Small on purpose, so that looking a model up costs nothing beside the request.

/// A pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// The name itself.
    Exact(String),
    /// A name with wildcards, and names it leaves out.
    Wild { like: String, unless: Vec<String> },
}

impl Pattern {
    /// Reads `gpt-*|!*-tts*`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = text.split("|!").map(str::to_ascii_lowercase);
        let like = parts.next().unwrap_or_default();
        let unless: Vec<String> = parts.collect();
        if unless.is_empty() && !like.contains(['*', '#']) {
            Self::Exact(like)
        } else {
            Self::Wild { like, unless }
        }
    }

    /// Whether a name in lower case fits.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exact(id) => id == name,
            Self::Wild { like, unless } => {
                fits(like.as_bytes(), name.as_bytes())
                    && !unless
                        .iter()
                        .any(|not| fits(not.as_bytes(), name.as_bytes()))
            }
        }
    }
}

/// Wildcard matching with one point of return, linear for the patterns there are.
fn fits(mut like: &[u8], mut name: &[u8]) -> bool {
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (like.split_first(), name.split_first()) {
            (Some((b'*', rest)), _) => {
                retry = Some((rest, name));
                like = rest;
            }
            (Some((p, like_rest)), Some((n, name_rest)))
                if p == n || (*p == b'#' && n.is_ascii_digit()) =>
            {
                (like, name) = (like_rest, name_rest);
            }
            (None, None) => return true,
            (Some(_) | None, _) => {
                let Some((after_star, from)) = retry else {
                    return false;
                };
                let Some((_, from)) = from.split_first() else {
                    return false;
                };
                retry = Some((after_star, from));
                (like, name) = (after_star, from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_exclusions() {
        let is = |pattern: &str, name: &str| Pattern::parse(pattern).matches(name);
        assert!(is("claude-2", "claude-2") && !is("claude-2", "claude-2.1"));
        assert!(is("claude-2*", "claude-2.1"));
        assert!(is("*sonnet*", "us.sonnet-4") && !is("*sonnet", "sonnet-4"));
        assert!(
            is("opus-5-########", "opus-5-20261014") && !is("opus-5-########", "opus-5-x0261014")
        );
        assert!(
            is("gemini-3*|!*-tts*", "gemini-3-pro") && !is("gemini-3*|!*-tts*", "gemini-3-tts")
        );
        assert!(is("*ab", "aab") && is("*", ""));
    }
}
