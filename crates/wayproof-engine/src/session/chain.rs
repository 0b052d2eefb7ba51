//! Multi-file causal chains: one failure, after an edit, that reaches sources in more than one directory.
//! The places are the ones the tool points at, the frames in its output and the files the job changed. Tests do not
//! count, since a test always lies elsewhere, and neither does code that is not the repository's own.

use super::JobState;
use crate::{
    classify::{is_test, named_in},
    evidence::{Evidence, Severity},
    names::Cause,
};

/// Parts of a path that say it belongs to somebody else.
const FOREIGN: &[&str] = &[
    "/.cargo/registry/",
    "/.rustup/",
    "/rustc/",
    "/usr/",
    "/lib/python",
    "/nix/store/",
    "/pkg/mod/",
    "dist-packages/",
    "node_modules/",
    "site-packages/",
    "node:internal",
    ".venv/",
    "target/debug/",
    "target/release/",
];

/// Extensions of sources.
const SOURCES: &[&str] = &[
    "c", "cc", "cjs", "cpp", "cs", "cxx", "ex", "exs", "go", "h", "hpp", "java", "js", "jsx", "kt",
    "mjs", "php", "py", "rb", "rs", "scala", "svelte", "swift", "ts", "tsx", "vue",
];

/// Looks for a chain in a failure.
pub(crate) fn find(
    job: &JobState,
    evidence: &Evidence,
    text: Option<&str>,
) -> Option<(Cause, String)> {
    let mut modules: Vec<String> = Vec::new();
    for path in places(evidence).chain(text.into_iter().flat_map(|text| named_in(end(text)))) {
        add(&mut modules, &path);
    }
    for path in &job.edits {
        add(&mut modules, path);
    }
    let [first, second, ..] = modules.as_slice() else {
        return None;
    };
    Some((
        Cause::MultiFileCausalChain,
        format!(
            "one {} failure reaches `{first}` and `{second}`",
            evidence.tool
        ),
    ))
}

/// The end of a long output, where its failures are.
fn end(text: &str) -> &str {
    const MOST: usize = 8 << 10;
    let mut start = text.len().saturating_sub(MOST);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default()
}

fn places(evidence: &Evidence) -> impl Iterator<Item = String> + '_ {
    let failures = evidence
        .failures
        .iter()
        .filter_map(|failure| failure.location.as_ref());
    let errors = evidence
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let errors = errors.filter_map(|found| found.location.as_ref());
    failures.chain(errors).map(|location| location.file.clone())
}

/// Adds the directory of a source file, unless it is there in one spelling or another.
fn add(modules: &mut Vec<String>, path: &str) {
    let path = path.replace('\\', "/");
    let is_source = path
        .rsplit_once('.')
        .is_some_and(|(_, extension)| SOURCES.contains(&extension));
    if !is_source || FOREIGN.iter().any(|part| path.contains(part)) || is_test(near(&path)) {
        return;
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if !modules.iter().any(|known| is_same(known, folder)) {
        modules.push(folder.to_owned());
    }
}

/// The last folders of a path: what lies above the repository says nothing about the file.
fn near(path: &str) -> &str {
    match path.rmatch_indices('/').nth(3) {
        Some((cut, _)) if path.starts_with('/') => path.get(cut + 1..).unwrap_or(path),
        Some(_) | None => path,
    }
}

/// One tool writes paths from the root, another from the repository: equal tails are the same folder.
fn is_same(a: &str, b: &str) -> bool {
    let is_tail = |long: &str, short: &str| {
        (short.is_empty() && long.starts_with('/'))
            || long
                .strip_suffix(short)
                .is_some_and(|head| head.ends_with('/'))
    };
    a == b || is_tail(a, b) || is_tail(b, a)
}
