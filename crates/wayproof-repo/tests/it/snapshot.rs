//! The working tree as a dangling commit.

use std::fs;

use crate::fixture::Fixture;

#[test]
fn a_clean_tree_snapshots_to_itself() {
    let fixture = Fixture::with(&[("a", "1")]);
    let repo = fixture.repo();
    let head = repo.head().unwrap();
    let snapshot = repo.snapshot().unwrap();
    assert_eq!(snapshot.tree, head.tree);
    assert!(!repo.is_dirty().unwrap());
    assert_eq!(
        fixture.git(&["rev-parse", &format!("{}^", snapshot.commit)]),
        head.id.as_str()
    );
    assert_eq!(snapshot, repo.snapshot().unwrap());
}

#[test]
fn edits_new_files_and_deletions_are_in_and_ignored_files_are_not() {
    let fixture = Fixture::with(&[
        ("edited", "1"),
        ("gone", "1"),
        ("kept", "1"),
        (".gitignore", "*.log\n"),
    ]);
    fixture.write("edited", "2");
    fixture.write("new/file", "3");
    fixture.write("noise.log", "4");
    fixture.write("forced.log", "5");
    fixture.git(&["add", "--force", "forced.log"]);
    fs::remove_file(fixture.root().join("gone")).unwrap();
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    let paths: Vec<_> = repo
        .ls_tree(snapshot.commit.as_str())
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(
        paths,
        [".gitignore", "edited", "forced.log", "kept", "new/file"]
    );
    assert_eq!(
        repo.read(snapshot.tree.as_str(), "edited")
            .unwrap()
            .as_deref(),
        Some(b"2".as_slice())
    );
    assert!(repo.is_dirty().unwrap());
}

#[test]
fn private_excludes_hold() {
    let fixture = Fixture::with(&[("a", "1")]);
    fs::write(fixture.root().join(".git/info/exclude"), "scratch\n").unwrap();
    fixture.write("scratch", "mine");
    assert!(!fixture.repo().is_dirty().unwrap());
}

#[test]
fn the_index_and_the_references_stay_as_they_were() {
    let fixture = Fixture::with(&[("a", "1"), ("b", "1")]);
    fixture.write("a", "staged");
    fixture.git(&["add", "a"]);
    fixture.write("a", "unstaged");
    fixture.write("c", "untracked");
    let state = || {
        (
            fs::read(fixture.root().join(".git/index")).unwrap(),
            fixture.git(&["for-each-ref"]),
            fixture.git(&["rev-parse", "HEAD"]),
            fixture.git(&["reflog"]),
        )
    };
    let before = state();
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    assert_eq!(before, state());
    assert_eq!(
        repo.read(snapshot.tree.as_str(), "a").unwrap().as_deref(),
        Some(b"unstaged".as_slice())
    );
}

#[test]
fn an_unfinished_merge_is_taken_as_it_lies() {
    let fixture = Fixture::with(&[("a", "1\n")]);
    fixture.git(&["checkout", "--quiet", "-b", "topic"]);
    fixture.commit(&[("a", "topic\n")]);
    fixture.git(&["checkout", "--quiet", "main"]);
    fixture.commit(&[("a", "main\n")]);
    #[expect(clippy::disallowed_methods, reason = "the merge is meant to fail")]
    let merge = std::process::Command::new("git")
        .current_dir(fixture.root())
        .args([
            "-c",
            "user.name=F",
            "-c",
            "user.email=f@localhost",
            "merge",
            "topic",
        ])
        .output()
        .unwrap();
    assert!(!merge.status.success());
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    let content = repo.read(snapshot.tree.as_str(), "a").unwrap().unwrap();
    assert!(content.starts_with(b"<<<<<<<"));
}

#[test]
fn files_outside_a_sparse_checkout_are_kept() {
    let fixture = Fixture::with(&[("in/a", "1"), ("out/b", "1")]);
    fixture.git(&["sparse-checkout", "set", "in"]);
    assert!(!fixture.root().join("out/b").exists());
    assert!(!fixture.repo().is_dirty().unwrap());
    fixture.write("in/a", "2");
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    assert_eq!(
        repo.changes("HEAD", snapshot.commit.as_str())
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn an_empty_tree_is_a_tree() {
    let fixture = Fixture::with(&[]);
    assert!(!fixture.repo().is_dirty().unwrap());
}
