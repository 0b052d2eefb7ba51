//! What the repository promises about its own shape, checked on every test run.

#![expect(
    clippy::unwrap_used,
    reason = "a repository that cannot be read is a failed test"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn files_under(folder: &str, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && name != "node_modules" {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == kind) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The edges of the design, crate by crate. An edge that is not here does not build.
fn allowed_edges() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let table: [(&str, &[&str]); 14] = [
        ("wayproof-redact", &[]),
        ("wayproof-wire", &[]),
        ("wayproof-engine", &["wire"]),
        ("wayproof-receipt", &[]),
        ("wayproof-repo", &[]),
        ("wayproof-ledger", &["wire", "engine", "receipt", "redact"]),
        ("wayproof-import", &["wire", "ledger"]),
        ("wayproof-otlp", &["wire", "engine", "receipt", "ledger"]),
        ("wayproof-upstream", &["wire"]),
        ("wayproof-proof", &["engine", "repo", "receipt"]),
        (
            "wayproof-gateway",
            &["wire", "engine", "upstream", "ledger", "redact"],
        ),
        ("wayproof-dashboard", &["engine", "ledger", "receipt"]),
        ("wayproof-testkit", &[]),
        ("xtask", &["engine"]),
    ];
    table
        .into_iter()
        .map(|(name, edges)| (name, edges.iter().copied().collect()))
        .collect()
}

#[test]
fn crates_use_only_what_the_design_allows() {
    let metadata = MetadataCommand::new()
        .current_dir(root())
        .no_deps()
        .exec()
        .unwrap();
    let allowed = allowed_edges();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        if package.name.as_str() == "wayproof" {
            continue;
        }
        let Some(allowed) = allowed.get(package.name.as_str()) else {
            panic!("crate {} has no line in the table of edges", package.name);
        };
        for dependency in &package.dependencies {
            let Some(short) = dependency.name.strip_prefix("wayproof-") else {
                continue;
            };
            let is_for_tests = dependency.kind == DependencyKind::Development;
            let is_fine = allowed.contains(short) || (is_for_tests && short == "testkit");
            if !is_fine {
                wrong.push(format!("{} must not use {}", package.name, dependency.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_crates_stay_pure() {
    let banned: [(&str, &[&str]); 5] = [
        ("wayproof-redact", &["tokio", "hyper", "jiff", "sqlx"]),
        ("wayproof-wire", &["tokio", "hyper", "jiff", "sqlx"]),
        (
            "wayproof-engine",
            &["tokio", "hyper", "jiff", "sqlx", "rand", "getrandom"],
        ),
        ("wayproof-receipt", &["tokio", "hyper", "sqlx"]),
        ("wayproof-gateway", &["sqlx"]),
    ];
    for (name, banned) in banned {
        let manifest =
            fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let manifest = manifest.split("[dev-dependencies]").next().unwrap();
        for library in banned {
            let line = format!("\n{library}.workspace");
            assert!(!manifest.contains(&line), "{name} must not use {library}");
        }
    }
}

#[test]
fn files_are_short_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for path in [files_under("crates", "rs"), files_under("xtask", "rs")].concat() {
        let text = fs::read_to_string(&path).unwrap();
        let product = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap();
        let lines = product.lines().count();
        if lines > 500 {
            wrong.push(format!(
                "{} has {lines} lines; split it by idea",
                path.display()
            ));
        }
        if !text.starts_with("//!") && !text.starts_with("#![doc = include_str!") {
            wrong.push(format!(
                "{} does not open with what it is for",
                path.display()
            ));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            wrong.push(format!(
                "{} should be named after its module",
                path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_sandbox_may_be_unsafe() {
    for path in files_under("crates", "rs") {
        if !path.ends_with("src/lib.rs") && !path.ends_with("src/main.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let is_proof = path.to_string_lossy().contains("wayproof-proof");
        assert!(
            is_proof || text.contains("#![forbid(unsafe_code)]"),
            "{} must forbid unsafe code",
            path.display()
        );
    }
}

#[test]
fn no_gap_is_left_in_a_comment() {
    let marks = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("HA", "CK"),
    ];
    for path in files_under("crates", "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for mark in marks {
            let comment = format!("// {mark}");
            assert!(
                !text.contains(&comment),
                "{} holds {mark}; file an issue instead",
                path.display()
            );
        }
    }
}

#[test]
fn changelog_fragments_are_named_by_kind() {
    let kinds = ["added", "changed", "fixed", "removed", "security"];
    for path in files_under("changelog.d", "md") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let kind = name
            .trim_end_matches(".md")
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .to_owned();
        assert!(
            name == "README.md" || kinds.contains(&kind.as_str()),
            "{name}: unknown kind {kind}"
        );
    }
}

#[test]
fn links_in_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for path in [files_under("docs", "md"), top_documents()].concat() {
        let text = fs::read_to_string(&path).unwrap();
        for piece in text.split("](").skip(1) {
            let target = piece.split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") || file.starts_with("mailto:") {
                continue;
            }
            if !path.parent().unwrap().join(file).exists() {
                wrong.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn top_documents() -> Vec<PathBuf> {
    fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .collect()
}

#[test]
fn the_glossary_has_every_word_of_the_table() {
    let glossary = fs::read_to_string(root().join("docs/concepts/glossary.md")).unwrap();
    for word in [
        "agent",
        "protocol",
        "provider",
        "target",
        "class",
        "task",
        "session",
        "job",
        "turn",
        "exchange",
        "attempt",
        "evidence",
        "cause",
        "escalate",
        "fallback",
        "check",
        "proof",
        "verdict",
        "obligation",
        "receipt",
        "ledger",
        "event",
        "policy",
        "settings",
    ] {
        assert!(
            glossary.contains(&format!("**{word}**")),
            "the glossary lacks {word}"
        );
    }
}
