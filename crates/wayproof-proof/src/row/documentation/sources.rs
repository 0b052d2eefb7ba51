//! Which addresses are primary sources, and whether a page says what it is quoted for.

use std::collections::BTreeSet;

use wayproof_receipt::predicate::Link;
use wayproof_receipt::{ResourceDescriptor, Time, sha256_hex};

use super::claims::Claim;
use crate::request::{Page, PrimarySources};

/// Hosts of specifications, official documentation and registries; a path narrows a host that has others' pages, too.
const KNOWN: &[&str] = &[
    "ai.google.dev",
    "cloud.google.com",
    "cmake.org",
    "crates.io",
    "datatracker.ietf.org",
    "dev.mysql.com",
    "developer.android.com",
    "developer.apple.com",
    "developer.mozilla.org",
    "developers.google.com",
    "docs.anthropic.com",
    "docs.aws.amazon.com",
    "docs.djangoproject.com",
    "docs.docker.com",
    "docs.github.com",
    "docs.gitlab.com",
    "docs.npmjs.com",
    "docs.oracle.com",
    "docs.pytest.org",
    "docs.python.org",
    "docs.rs",
    "docs.spring.io",
    "ecma-international.org",
    "gcc.gnu.org",
    "git-scm.com",
    "go.dev",
    "html.spec.whatwg.org",
    "iso.org",
    "json-schema.org",
    "kernel.org",
    "kubernetes.io",
    "learn.microsoft.com",
    "llvm.org",
    "man7.org",
    "nodejs.org",
    "open-std.org",
    "opentelemetry.io",
    "peps.python.org",
    "php.net",
    "pkg.go.dev",
    "platform.openai.com",
    "postgresql.org",
    "pypi.org",
    "react.dev",
    "readthedocs.io",
    "registry.npmjs.org",
    "rfc-editor.org",
    "ruby-doc.org",
    "ruby-lang.org",
    "rust-lang.org",
    "spec.whatwg.org",
    "sqlite.org",
    "tc39.es",
    "toml.io",
    "typescriptlang.org",
    "unicode.org",
    "vuejs.org",
    "w3.org",
    "yaml.org",
];

/// Whether an address is that of a primary source, by the policy's hosts or, where it names none, by those known here.
pub(crate) fn is_primary(url: &str, sources: &PrimarySources) -> bool {
    let Some((host, path)) = place(url) else {
        return false;
    };
    let fits = |pattern: &str| {
        let (wanted, under) = pattern.split_once('/').unwrap_or((pattern, ""));
        let is_host = host == wanted
            || host
                .strip_suffix(wanted)
                .is_some_and(|rest| rest.ends_with('.'));
        let under = under.trim_end_matches('/');
        let rest = path.trim_start_matches('/').strip_prefix(under);
        let is_under =
            under.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        is_host && is_under
    };
    if sources.hosts.is_empty() {
        return KNOWN.iter().copied().any(fits) || is_pinned_source(&host, &path);
    }
    sources.hosts.iter().any(|pattern| {
        if pattern == "known" {
            KNOWN.iter().copied().any(fits) || is_pinned_source(&host, &path)
        } else {
            fits(pattern)
        }
    })
}

/// A file of a forge at a commit or a tag: the source itself, which nobody changes afterwards.
fn is_pinned_source(host: &str, path: &str) -> bool {
    if !matches!(host, "github.com" | "raw.githubusercontent.com") {
        return false;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let revision = match (host, parts.as_slice()) {
        ("github.com", [_, _, "blob" | "tree" | "raw", revision, ..]) => *revision,
        ("github.com", [_, _, "releases", "tag", tag]) => return is_version(tag),
        ("raw.githubusercontent.com", [_, _, revision, _, ..]) => *revision,
        _ => return false,
    };
    let is_commit = revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit || is_version(revision)
}

fn is_version(tag: &str) -> bool {
    let tag = tag.rsplit(['@', '/']).next().unwrap_or(tag);
    tag.trim_start_matches('v')
        .split('.')
        .take(2)
        .filter(|part| part.bytes().any(|byte| byte.is_ascii_digit()))
        .count()
        == 2
}

/// Host and path of an address, in lower case and without its port; nothing if it is no page.
fn place(url: &str) -> Option<(String, String)> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // What stands before `@` is no host, whatever it looks like.
    if authority.contains('@') {
        return None;
    }
    let host = authority.split(':').next()?.to_ascii_lowercase();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Some((host.trim_start_matches("www.").to_owned(), path.to_owned()))
}

/// Whether two addresses belong to the same repository of a forge: what a change says about itself is no source.
pub(crate) fn is_of(url: &str, remote: Option<&str>) -> bool {
    let Some(remote) = remote else { return false };
    let remote = remote.trim_end_matches(".git").trim_end_matches('/');
    let mut parts = remote.rsplit(['/', ':']);
    let (Some(name), Some(owner)) = (parts.next(), parts.next()) else {
        return false;
    };
    let own = format!("/{owner}/{name}").to_ascii_lowercase();
    place(url).is_some_and(|(_, path)| {
        let path = path.to_ascii_lowercase();
        path == own || path.starts_with(&format!("{own}/"))
    })
}

/// What a page shows for a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The anchor, the quoted words, or what the claim names.
    Found,
    /// None of that.
    Absent,
    /// The page says that there is no such page.
    Gone,
}

/// Looks a claim up in the page that it links to.
pub(crate) fn look_up(url: &str, page: &Page, claim: &Claim, quotes: &[String]) -> Shown {
    let raw = String::from_utf8_lossy(&page.body);
    let text = plain(&raw);
    if !(200..300).contains(&page.status) || is_soft_404(&raw) || is_sent_home(url, &page.final_url)
    {
        return Shown::Gone;
    }
    let (_, fragment) = url.split_once('#').unwrap_or((url, ""));
    let is_anchor_there = match fragment.split_once(":~:text=") {
        Some((_, words)) => words
            .split('&')
            .all(|words| has_words(&text, &fragment_words(words))),
        None => fragment.is_empty() || has_anchor(&raw, &decoded(fragment)),
    };
    let are_quotes_there = quotes.iter().all(|quote| has_words(&text, quote));
    let names = |token: &String| {
        let name = token.split('(').next().unwrap_or(token);
        let last = name
            .rsplit(['.', ':', ' ', '/'])
            .find(|part| !part.is_empty())
            .unwrap_or(name);
        let is_number = token.starts_with(|c: char| c.is_ascii_digit());
        has_words(&text, if is_number { token } else { last })
    };
    let is_named = claim.tokens.iter().all(names);
    if is_anchor_there && are_quotes_there && is_named {
        Shown::Found
    } else {
        Shown::Absent
    }
}

fn has_anchor(raw: &str, name: &str) -> bool {
    ["id", "name"].iter().any(|key| {
        [format!("{key}=\"{name}\""), format!("{key}='{name}'"), format!("{key}={name}>"), format!("{key}={name} ")]
            .iter()
            .any(|wanted| raw.contains(wanted.as_str()))
    })
    // Lines of a file on a forge are drawn by a script.
        || name.strip_prefix('L').is_some_and(|number| number.starts_with(|c: char| c.is_ascii_digit()))
}

/// The words of `prefix-,start,end,-suffix`: what is quoted of a page.
fn fragment_words(text: &str) -> String {
    let parts = text
        .split(',')
        .filter(|part| !part.ends_with('-') && !part.starts_with('-'));
    parts.map(decoded).next().unwrap_or_default()
}

pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (other, _) => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The words of a page without its marks, in lower case, one space between them.
fn plain(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len() / 2);
    let mut is_tag = false;
    let mut skips: Option<&str> = None;
    for (at, c) in raw.char_indices() {
        if c == '<' {
            let from = raw.get(at + 1..).unwrap_or_default();
            if let Some(name) = skips {
                if from
                    .strip_prefix('/')
                    .is_some_and(|rest| rest.starts_with(name))
                {
                    skips = None;
                }
            } else {
                skips = ["script", "style"]
                    .into_iter()
                    .find(|name| from.starts_with(name));
            }
            is_tag = from
                .starts_with(|next: char| next.is_ascii_alphabetic() || matches!(next, '/' | '!'));
            if is_tag {
                out.push(' ');
                continue;
            }
        }
        if is_tag {
            is_tag = c != '>';
            continue;
        }
        if skips.is_none() {
            out.push(c);
        }
    }
    let mut text = out;
    for (entity, c) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, c);
    }
    squeezed(&text)
}

fn squeezed(text: &str) -> String {
    let straight = |c| match c {
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{201c}' | '\u{201d}' => '"',
        '\u{2013}' | '\u{2014}' => '-',
        other => other,
    };
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| {
            word.chars()
                .map(straight)
                .collect::<String>()
                .to_lowercase()
        })
        .collect();
    words.join(" ")
}

/// Whether words stand in a text, not as a part of others.
fn has_words(text: &str, words: &str) -> bool {
    let words = squeezed(words);
    if words.is_empty() {
        return true;
    }
    text.match_indices(&words).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text
            .get(at + words.len()..)
            .and_then(|text| text.chars().next());
        let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !goes_on(before) && !goes_on(after)
    })
}

/// A page that says "not found" with a good status.
fn is_soft_404(raw: &str) -> bool {
    let lower = raw
        .get(..raw.len().min(65_536))
        .unwrap_or(raw)
        .to_lowercase();
    let title = lower
        .split_once("<title")
        .and_then(|(_, rest)| rest.split_once("</title"));
    title.is_some_and(|(title, _)| {
        [
            "404",
            "not found",
            "page doesn't exist",
            "page does not exist",
        ]
        .iter()
        .any(|words| title.contains(words))
    })
}

/// Whether a deep address ended at a home page.
fn is_sent_home(url: &str, end: &str) -> bool {
    let path = |url: &str| place(url).map(|(_, path)| path.trim_matches('/').to_owned());
    matches!((path(url), path(end)), (Some(from), Some(to)) if !from.is_empty() && to.is_empty())
}

/// Words that a text quotes: three or more between quotation marks.
pub(crate) fn quotes(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (open, close) in [('"', '"'), ('\u{201c}', '\u{201d}')] {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(open) {
            let Some((quote, then)) = after.split_once(close) else {
                break;
            };
            if quote.split_whitespace().count() >= 3 {
                found.push(quote.to_owned());
            }
            rest = then;
        }
    }
    found
}

/// A link, as the receipt has it.
pub(crate) fn link(url: &str, page: Option<&Page>, shown: Shown) -> Link {
    Link {
        url: url.to_owned(),
        final_url: page.map(|page| page.final_url.clone()),
        status: page.map(|page| page.status),
        fetched_at: page.map(|page| Time(page.fetched_at_us)),
        digest: page
            .map(|page| ResourceDescriptor::digest("sha256", &sha256_hex(&page.body)).digest)
            .unwrap_or_default(),
        is_primary: true,
        is_found: shown == Shown::Found,
    }
}

/// Addresses of pages among links, each once.
pub(crate) fn pages<'l>(links: impl Iterator<Item = &'l String>) -> BTreeSet<&'l str> {
    links
        .map(String::as_str)
        .filter(|link| link.starts_with("https://") || link.starts_with("http://"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page {
        Page {
            final_url: "https://docs.python.org/3/library/os.html".into(),
            status: 200,
            body: body.as_bytes().to_vec(),
            fetched_at_us: 0,
        }
    }

    fn claim(token: &str) -> Claim {
        Claim {
            line: 1,
            tokens: vec![token.into()],
        }
    }

    #[test]
    fn primary_is_what_the_policy_says_and_by_default_who_makes_it() {
        let known = PrimarySources::default();
        for url in [
            "https://docs.python.org/3/",
            "https://doc.rust-lang.org/std/",
            "https://github.com/a/b/blob/0123456789012345678901234567890123456789/x.md",
            "https://github.com/a/b/blob/v1.2.0/x.md",
        ] {
            assert!(is_primary(url, &known), "{url}");
        }
        for url in [
            "https://medium.com/docs.python.org",
            "https://docs.python.org.evil.example/",
            "https://evildocs.python.org@evil.example/",
            "https://github.com/a/b/blob/main/x.md",
            "ftp://docs.python.org/",
            "https://notdocs.rs/x",
        ] {
            assert!(!is_primary(url, &known), "{url}");
        }
        let own = PrimarySources {
            hosts: vec!["example.org/manual".into()],
            pages: None,
        };
        assert!(is_primary("https://example.org/manual/x", &own));
        assert!(!is_primary("https://example.org/manuals", &own));
        assert!(!is_primary("https://docs.python.org/3/", &own));
        assert!(is_of(
            "https://github.com/A/b/blob/v1.0.0/x",
            Some("git@github.com:a/B.git")
        ));
        assert!(!is_of(
            "https://github.com/a/bc/blob/v1.0.0/x",
            Some("https://github.com/a/b")
        ));
    }

    #[test]
    fn a_page_must_say_what_it_is_quoted_for() {
        let body = "<title>os</title><h2 id=\"files\">Files</h2><p>os.<b>open</b>(path) &mdash; New in version 3.12.</p><script>secret_name</script>";
        let url = "https://docs.python.org/3/library/os.html";
        let at = |fragment: &str| format!("{url}#{fragment}");
        let none: [String; 0] = [];
        assert_eq!(
            look_up(url, &page(body), &claim("3.12"), &none),
            Shown::Found
        );
        assert_eq!(
            look_up(url, &page(body), &claim("3.1"), &none),
            Shown::Absent
        );
        assert_eq!(
            look_up(url, &page(body), &claim("os.open()"), &none),
            Shown::Found
        );
        assert_eq!(
            look_up(url, &page(body), &claim("secret_name()"), &none),
            Shown::Absent
        );
        assert_eq!(
            look_up(&at("files"), &page(body), &claim("3.12"), &none),
            Shown::Found
        );
        assert_eq!(
            look_up(&at("dirs"), &page(body), &claim("3.12"), &none),
            Shown::Absent
        );
        assert_eq!(
            look_up(
                &at(":~:text=New%20in%20version"),
                &page(body),
                &claim("3.12"),
                &none
            ),
            Shown::Found
        );
        let quoted = ["Old in version".to_owned()];
        assert_eq!(
            look_up(url, &page(body), &claim("3.12"), &quoted),
            Shown::Absent
        );
        let gone = page("<title>404 Not Found</title> 3.12");
        assert_eq!(look_up(url, &gone, &claim("3.12"), &none), Shown::Gone);
        let home = Page {
            final_url: "https://docs.python.org/".into(),
            ..page("3.12")
        };
        assert_eq!(look_up(url, &home, &claim("3.12"), &none), Shown::Gone);
    }
}
