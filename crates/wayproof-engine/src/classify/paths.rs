//! Paths that an ask names. Text in, strings out: nothing is looked up on a disk.

/// The longest text that is searched, in bytes, and the most paths that are kept.
const MAX_TEXT: usize = 8 << 10;
const MAX_PATHS: usize = 64;

/// Things in the text that look like paths of a repository.
pub(crate) fn named_in(text: &str) -> impl Iterator<Item = String> {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end)
        .unwrap_or_default()
        .split(is_between)
        .filter(|word| word.contains(['/', '.']))
        .filter_map(path)
        .take(MAX_PATHS)
}

fn is_between(c: char) -> bool {
    // Nearly every character is a letter, and that is quickly seen.
    !c.is_ascii_alphanumeric() && is_separator(c)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '\'' | '`' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | ',' | ';' | '|'
        )
}

fn path(word: &str) -> Option<String> {
    let word = word.trim_start_matches("./").trim_start_matches('@');
    let word = word.trim_end_matches(['.', ':', '!', '?']);
    // A compiler's `src/lib.rs:12:5` names the file before the colon.
    let word = word.split(':').next().unwrap_or(word);
    if word.len() < 3 || word.starts_with("//") || word.starts_with('-') || word.contains("..") {
        return None;
    }
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-+@".contains(&b))
    };
    let name = word.rsplit('/').next().unwrap_or(word);
    let has_extension = name.rsplit_once('.').is_some_and(|(stem, extension)| {
        (!stem.is_empty() || name.starts_with(".env"))
            && (1..=5).contains(&extension.len())
            && extension.bytes().all(|b| b.is_ascii_alphanumeric())
            && extension.bytes().any(|b| b.is_ascii_alphabetic())
            && !is_sentence_end(stem, extension)
    });
    let parts: Vec<&str> = word.trim_matches('/').split('/').collect();
    let is_path = parts.iter().all(|part| is_name(part));
    // `and/or` is no path, `src/auth/` is one.
    (is_path && (has_extension || (word.ends_with('/') && !parts.is_empty()) || parts.len() > 2))
        .then(|| word.trim_end_matches('/').to_owned())
}

/// `e.g` and `v1.2` have a dot in them and are no files.
fn is_sentence_end(stem: &str, extension: &str) -> bool {
    stem.len() == 1 && extension.len() == 1
}

/// What a path is, for the text classifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathKind {
    Test,
    Docs,
    Pipeline,
    Config,
    Lock,
    Source,
}

/// Whether a path is a document for people.
pub(crate) fn is_document(path: &str) -> bool {
    PathKind::of(path) == PathKind::Docs
}

impl PathKind {
    /// How many there are.
    pub(crate) const COUNT: usize = 6;

    /// All of them.
    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Test,
        Self::Docs,
        Self::Pipeline,
        Self::Config,
        Self::Lock,
        Self::Source,
    ];

    /// Its name, for people.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Test => "tests",
            Self::Docs => "documents",
            Self::Pipeline => "pipeline files",
            Self::Config => "settings",
            Self::Lock => "lock files",
            Self::Source => "source",
        }
    }

    /// The kind of a path, by the customs of the languages.
    pub(crate) fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let name = lower.rsplit('/').next().unwrap_or(&lower);
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if lower.contains(".github/workflows/")
            || lower.contains(".circleci/")
            || name.starts_with(".gitlab-ci")
        {
            Self::Pipeline
        } else if name.ends_with(".lock")
            || name.ends_with("-lock.json")
            || name.ends_with("-lock.yaml")
            || name == "go.sum"
        {
            Self::Lock
        } else if super::is_test(path) {
            Self::Test
        } else if matches!(extension, "md" | "mdx" | "rst" | "adoc" | "txt")
            || lower.starts_with("docs/")
        {
            Self::Docs
        } else if matches!(
            extension,
            "json" | "toml" | "yml" | "yaml" | "ini" | "cfg" | "conf"
        ) || name.starts_with('.')
        {
            Self::Config
        } else {
            Self::Source
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_kind() {
        for (path, kind) in [
            ("src/lib.rs", PathKind::Source),
            ("tests/it.rs", PathKind::Test),
            ("docs/guide.md", PathKind::Docs),
            (".github/workflows/ci.yml", PathKind::Pipeline),
            ("config.json", PathKind::Config),
            ("Cargo.lock", PathKind::Lock),
        ] {
            assert_eq!(PathKind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn paths_are_found_and_prose_is_not() {
        let text = "Fix `src/auth/login.rs:12:5`, and/or see ./docs/guide.md. e.g. v1.2 or README.md! look in migrations/ too";
        let found: Vec<String> = named_in(text).collect();
        assert_eq!(
            found,
            [
                "src/auth/login.rs",
                "docs/guide.md",
                "README.md",
                "migrations"
            ]
        );
    }
}
