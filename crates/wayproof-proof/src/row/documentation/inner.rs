//! Links inside the repository: the file is there and so is the anchor.

use std::collections::BTreeSet;

use super::{markdown, sources::decoded};

/// A tree, as far as links need it.
pub(crate) struct Tree<'a> {
    /// Every file.
    pub paths: &'a BTreeSet<String>,
    /// Reads one.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a link of a document leads nowhere; nothing if it does not.
pub(crate) fn problem(tree: &Tree<'_>, document: &str, link: &str) -> Option<String> {
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let path = path.split('?').next().unwrap_or(path);
    let target = if path.is_empty() {
        document.to_owned()
    } else {
        match resolved(document, &decoded(path)) {
            Some(target) => target,
            None => return Some(format!("`{link}` leads out of the repository")),
        }
    };
    let is_folder = || {
        let inside = format!("{}/", target.trim_end_matches('/'));
        target.is_empty() || tree.paths.iter().any(|path| path.starts_with(&inside))
    };
    if !tree.paths.contains(&target) {
        return (!is_folder()).then(|| format!("`{link}` leads to `{target}`, which is not there"));
    }
    if anchor.is_empty() || !is_markdown(&target) {
        return None;
    }
    let text = (tree.read)(&target)?;
    let anchors = markdown::anchors(&text);
    let wanted = decoded(anchor);
    let is_there = anchors.contains(&wanted) || anchors.contains(&wanted.to_lowercase());
    (!is_there).then(|| format!("`{link}` leads to no heading of `{target}`"))
}

/// Whether a link stays inside the repository.
pub(crate) fn is_inner(link: &str) -> bool {
    let scheme = link.split([':', '/', '#', '?']).next().unwrap_or_default();
    let has_scheme = link
        .get(scheme.len()..)
        .is_some_and(|rest| rest.starts_with(':'));
    !has_scheme && !link.starts_with("//") && !link.starts_with('{')
}

fn is_markdown(path: &str) -> bool {
    matches!(crate::plan::extension(path), "md" | "markdown" | "mdx")
}

/// The path a link means, seen from its document.
fn resolved(document: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => document
            .rsplit_once('/')
            .map_or(Vec::new(), |(folder, _)| folder.split('/').collect()),
    };
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_files_folders_and_headings() {
        let read = |path: &str| (path == "docs/b.md").then(|| "# A heading\n".to_owned());
        let paths = ["docs/a.md", "docs/b.md", "src/x y.rs"]
            .map(str::to_owned)
            .into();
        let tree = Tree {
            paths: &paths,
            read: &read,
        };
        for good in [
            "b.md",
            "b.md#a-heading",
            "../src/",
            "../src/x%20y.rs#L3",
            "/docs/b.md",
            "./b.md?plain=1",
            "..",
        ] {
            assert_eq!(problem(&tree, "docs/a.md", good), None, "{good}");
        }
        for bad in ["c.md", "b.md#another", "../../etc/passwd", "../srcs/"] {
            assert!(problem(&tree, "docs/a.md", bad).is_some(), "{bad}");
        }
        assert!(is_inner("a.md#x") && is_inner("#x") && is_inner("/a"));
        assert!(!is_inner("https://x") && !is_inner("mailto:a@b") && !is_inner("//host/x"));
    }
}
