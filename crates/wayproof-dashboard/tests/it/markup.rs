//! What a browser would make of a page, as far as safety goes: its tags, their attributes, where they lead.

use std::collections::BTreeSet;

/// One tag that opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
}

/// Every tag that opens, read as HTML reads: a `<` before a letter begins one, quotes end where they began.
pub(crate) fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')
            .unwrap_or(rest.len());
        let name = rest[..end].to_ascii_lowercase();
        rest = &rest[end..];
        let (attributes, after) = attributes(rest);
        rest = after;
        tags.push(Tag { name, attributes });
    }
    tags
}

fn attributes(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() || rest.starts_with('>') {
            return (found, rest.get(1..).unwrap_or_default());
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))
            .unwrap_or(rest.len());
        let name = rest[..end.max(1)].to_ascii_lowercase();
        rest = rest[end.max(1)..].trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            found.push((name, String::new()));
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = if let Some(quote) = quote {
            value[1..].split_once(quote).unwrap_or((&value[1..], ""))
        } else {
            let end = value
                .find(|c: char| c.is_ascii_whitespace() || c == '>')
                .unwrap_or(value.len());
            value.split_at(end)
        };
        found.push((name, value.to_owned()));
        rest = after;
    }
}

/// The kinds of tags with the names of their attributes.
pub(crate) fn kinds(html: &str) -> BTreeSet<String> {
    let tags = tags(html);
    let kinds = tags.iter().flat_map(|tag| {
        let names = tag
            .attributes
            .iter()
            .map(|(name, _)| format!("{} {name}", tag.name));
        names.chain([tag.name.clone()])
    });
    kinds.collect()
}

/// Nothing in the page runs, loads or leads anywhere but to our own pages.
pub(crate) fn is_tame(path: &str, html: &str) {
    for tag in tags(html) {
        for (name, value) in &tag.attributes {
            assert!(
                !name.starts_with("on") && name != "style",
                "{path}: {tag:?}"
            );
            if matches!(
                name.as_str(),
                "href" | "src" | "action" | "formaction" | "hx-sse:connect"
            ) {
                let is_ours =
                    value.starts_with('#') || (value.starts_with('/') && !value.starts_with("//"));
                assert!(is_ours || path.starts_with("/docs"), "{path}: {tag:?}");
            }
        }
        let has_source = tag.attributes.iter().any(|(name, _)| name == "src");
        assert!(tag.name != "script" || has_source, "{path}: {tag:?}");
        let is_strange = matches!(
            tag.name.as_str(),
            "style" | "iframe" | "object" | "embed" | "base" | "img" | "video" | "audio"
        );
        assert!(!is_strange, "{path}: {tag:?}");
    }
}

#[test]
fn tags_are_seen_however_they_are_written() {
    let seen = tags("<p a='>' b=c d>x<IMG/onerror=alert(1) src=\"x\">&lt;b&gt;< i>");
    let names: Vec<_> = seen.iter().map(|tag| tag.name.as_str()).collect();
    assert_eq!(names, ["p", "img"]);
    assert_eq!(seen[1].attributes[0].0, "onerror");
}
