//! Finds what a document claims about interfaces and versions that are not its own repository's.
//!
//! What the repository itself says it needs, and names it defines, have their source beside them and need no link.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;

use super::markdown::{Block, code, without_code};

/// A claim: where it is and what it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// The line its block begins at.
    pub line: u32,
    /// The names and numbers it is about.
    pub tokens: Vec<String>,
}

/// What the repository says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    /// Names its source defines.
    pub names: BTreeSet<String>,
    /// The text of its manifests.
    pub manifests: String,
    /// The text of its source, for options of command lines.
    pub options: BTreeSet<String>,
}

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        (?i: \b(?:versions?|since|from|requires?|needs|minimum|at\ least|supports?|deprecated|removed|added|introduced|
            as\ of|starting|until|before|after|newer\ than|older\ than|release)\b ) [^.\n]{0,60}? \b v?(?P<a>\d+(?:\.\d+)+)
        | \b (?P<w>[A-Z][A-Za-z+\#]*) (?:\.[a-z]+)? \s+ v?(?P<b>\d+\.\d+(?:\.\d+)*) \b
        | \b v(?P<c>\d+\.\d+(?:\.\d+)*) \b
        ",
    )
    .ok()
});

/// Words before a number that is a place in a document.
const PLACES: &[&str] = &[
    "Section", "Chapter", "Table", "Figure", "Part", "Step", "Appendix",
];

static SAYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(returns?|accepts?|takes?|throws?|raises?|panics?|defaults?|requires?|expects?|supports?|deprecated|removed|added|must|emits?|yields?|sends?|responds?|replaced?|replaces|allows?|limits?|ignores?|is called|calls|behaves|guarantees?|blocks|parses)\b",
    )
    .ok()
});

static DEFINES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:def|fn|function|class|struct|func(?:\s*\([^)]*\))?|const|let|var|type|interface|enum|trait|mod|module|package|macro_rules!)\s+([A-Za-z_]\w*)",
    )
    .ok()
});

static OPTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"--[a-z][a-z0-9-]+|"[a-z][a-z0-9-]+"|\b[a-z][a-z0-9_]+\s*:"#).ok()
});

impl Own {
    /// Takes in a file of the repository.
    pub(crate) fn read(&mut self, path: &str, text: &str) {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_manifest(name) {
            self.manifests.push_str(text);
            self.manifests.push('\n');
            return;
        }
        let stem = name.split('.').next().unwrap_or(name);
        self.names.insert(stem.to_owned());
        self.names.extend(path.split('/').map(str::to_owned));
        if let Some(defines) = &*DEFINES {
            let found = defines.captures_iter(text).filter_map(|found| found.get(1));
            self.names
                .extend(found.map(|name| name.as_str().to_owned()));
        }
        if let Some(option) = &*OPTION {
            self.options.extend(
                option
                    .find_iter(text)
                    .map(|found| option_name(found.as_str())),
            );
        }
    }

    fn has_number(&self, number: &str) -> bool {
        self.manifests.match_indices(number).any(|(at, _)| {
            let before = self
                .manifests
                .get(..at)
                .and_then(|text| text.chars().next_back());
            let after = self
                .manifests
                .get(at + number.len()..)
                .and_then(|text| text.chars().next());
            let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
            !goes_on(before) && !after.is_some_and(|c| c.is_ascii_digit())
        })
    }

    fn has_api(&self, token: &str) -> bool {
        if token.starts_with("--") {
            return self.options.contains(&option_name(token));
        }
        let names = token
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|name| !name.is_empty());
        let mut names = names.peekable();
        names.peek().is_some() && names.all(|name| self.names.contains(name))
    }
}

fn option_name(text: &str) -> String {
    text.trim_matches(|c: char| matches!(c, '-' | '"' | ':' | ' '))
        .replace('_', "-")
}

/// Whether a file says what a project needs.
pub(crate) fn is_manifest(name: &str) -> bool {
    matches!(
        name,
        "Cargo.toml"
            | "package.json"
            | "pyproject.toml"
            | "setup.py"
            | "setup.cfg"
            | "go.mod"
            | "pom.xml"
            | "build.gradle"
            | "build.gradle.kts"
            | "Gemfile"
            | "composer.json"
            | "CMakeLists.txt"
            | "rust-toolchain.toml"
            | "rust-toolchain"
            | ".nvmrc"
            | ".python-version"
            | ".tool-versions"
    ) || name.ends_with(".gemspec")
        || (name.starts_with("requirements") && name.ends_with(".txt"))
}

/// The claim of a block, if it makes one.
pub(crate) fn claim(block: &Block<'_>, own: &Own) -> Option<Claim> {
    if block.sample.is_some() {
        return None;
    }
    let text = block.text();
    let prose = without_addresses(&without_code(&text));
    let mut tokens: Vec<String> = Vec::new();
    if let Some(version) = &*VERSION {
        for found in version.captures_iter(&without_addresses(&text.replace('`', ""))) {
            let is_place = found
                .name("w")
                .is_some_and(|word| PLACES.contains(&word.as_str()));
            if is_place {
                continue;
            }
            let number = ["a", "b", "c"].iter().find_map(|name| found.name(name));
            let number = number.map(|number| number.as_str().to_owned());
            tokens.extend(number.filter(|number| !own.has_number(number)));
        }
    }
    let says = SAYS.as_ref().is_some_and(|says| says.is_match(&prose));
    if says {
        let named = code(&text).into_iter().filter(|token| is_api(token));
        tokens.extend(named.filter(|token| !own.has_api(token)));
    }
    tokens.dedup();
    (!tokens.is_empty()).then_some(Claim {
        line: block.start,
        tokens,
    })
}

/// A text without the numbers that stand in addresses.
fn without_addresses(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| {
            if word.contains("://") || word.contains("](") {
                " "
            } else {
                word
            }
        })
        .collect()
}

/// Whether a piece of code names part of an interface: a call, a path of names, an option, a request.
fn is_api(token: &str) -> bool {
    const FILES: &[&str] = &[
        "md", "rs", "py", "js", "ts", "go", "java", "toml", "json", "yaml", "yml", "txt", "sh",
        "lock", "xml", "html", "css", "c", "h", "rb", "php", "cfg", "ini", "csv", "sarif", "jsonl",
    ];
    let is_request = ["GET ", "POST ", "PUT ", "PATCH ", "DELETE ", "HEAD "]
        .iter()
        .any(|verb| token.starts_with(verb) && token.contains('/'));
    let is_option = token.strip_prefix("--").is_some_and(|name| {
        name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.contains(' ')
    });
    if is_request || is_option {
        return true;
    }
    let (name, is_call) = match token.split_once('(') {
        Some((name, rest)) if rest.ends_with(')') => (name, true),
        Some(_) => return false,
        None => (token, false),
    };
    let is_word = |part: &str| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    };
    let parts: Vec<&str> = name.split("::").flat_map(|part| part.split('.')).collect();
    let is_name = parts.iter().all(|part| is_word(part));
    let is_file = parts.len() > 1
        && !name.contains("::")
        && parts.last().is_some_and(|end| FILES.contains(end));
    is_name && (is_call || (parts.len() > 1 && !is_file))
}

#[cfg(test)]
mod tests {
    use super::{super::markdown::blocks, *};

    fn tokens(text: &str, own: &Own) -> Vec<String> {
        let claims = blocks(text)
            .iter()
            .filter_map(|block| claim(block, own))
            .collect::<Vec<_>>();
        claims.into_iter().flat_map(|claim| claim.tokens).collect()
    }

    #[test]
    fn versions_and_interfaces_are_claims() {
        let own = Own::default();
        assert_eq!(tokens("This needs Python 3.12 or newer.", &own), ["3.12"]);
        assert_eq!(tokens("Supported since v1.4.", &own), ["1.4"]);
        assert_eq!(
            tokens("`requests.get()` returns a response.", &own),
            ["requests.get()"]
        );
        assert_eq!(
            tokens("`GET /v1/models` returns the list.", &own),
            ["GET /v1/models"]
        );
        assert_eq!(
            tokens("`tokio::spawn` panics outside a runtime.", &own),
            ["tokio::spawn"]
        );
    }

    #[test]
    fn words_and_what_the_repository_says_itself_are_none() {
        let mut own = Own::default();
        own.read("Cargo.toml", "rust-version = \"1.95\"\n");
        own.read(
            "src/lib.rs",
            "pub fn sum(a: i32) {}\nstruct Args { base_rev: String }\n",
        );
        for text in [
            "This text is plain and says that it returns.",
            "Needs Rust 1.95.",
            "`sum()` returns the sum.",
            "`--base-rev` takes a revision.",
            "See `README.md`, which must be read.",
            "It costs 1.50 and takes 2.5 minutes.",
            "[The page](https://x.example/v1.2/) says it.",
        ] {
            assert_eq!(tokens(text, &own), Vec::<String>::new(), "{text}");
        }
        assert_eq!(tokens("Needs Rust 1.9.", &own), ["1.9"]);
    }
}
