//! Trees written out as plain files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use wayproof_repo::RepoError;

use crate::fixture::{Fixture, git};

#[test]
fn a_revision_becomes_plain_files() {
    let fixture = Fixture::with(&[
        ("src/a.txt", "one\n"),
        ("run.sh", "#!/bin/sh\n"),
        (".gitattributes", "src export-ignore\n"),
    ]);
    fs::set_permissions(
        fixture.root().join("run.sh"),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
    let first = fixture.commit(&[]);
    fixture.commit(&[("src/a.txt", "two\n")]);
    let destination = fixture.beside("out/deep");
    fixture.repo().checkout(&first, &destination).unwrap();
    assert_eq!(
        fs::read_to_string(destination.join("src/a.txt")).unwrap(),
        "one\n"
    );
    assert_ne!(
        fs::metadata(destination.join("run.sh"))
            .unwrap()
            .permissions()
            .mode()
            & 0o111,
        0
    );
    assert!(!destination.join(".git").exists());
    assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_snapshot_and_a_tree_can_be_checked_out() {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.write("b", "2");
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    repo.checkout(snapshot.commit.as_str(), &fixture.beside("one"))
        .unwrap();
    repo.checkout(snapshot.tree.as_str(), &fixture.beside("two"))
        .unwrap();
    assert_eq!(fs::read_to_string(fixture.beside("one/b")).unwrap(), "2");
    assert_eq!(fs::read_to_string(fixture.beside("two/b")).unwrap(), "2");
}

#[test]
fn a_destination_with_something_in_it_is_refused() {
    let fixture = Fixture::with(&[("a", "1")]);
    let destination = fixture.beside("full");
    fs::create_dir(&destination).unwrap();
    fs::write(destination.join("mine"), "precious").unwrap();
    let error = fixture.repo().checkout("HEAD", &destination).unwrap_err();
    assert!(matches!(error, RepoError::NotEmpty(_)), "{error}");
    assert!(!destination.join("a").exists());
}

#[test]
fn a_submodule_is_an_empty_directory() {
    let inner = Fixture::with(&[("i", "1")]);
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.git(&[
        "submodule",
        "--quiet",
        "add",
        inner.root().to_str().unwrap(),
        "sub",
    ]);
    fixture.commit(&[]);
    git(
        &fixture.root().join("sub"),
        &["checkout", "--quiet", "--detach"],
    );
    fs::write(fixture.root().join("sub/dirty"), "x").unwrap();
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    assert_eq!(snapshot.tree, repo.head().unwrap().tree);
    repo.checkout("HEAD", &fixture.beside("out")).unwrap();
    assert_eq!(fs::read_dir(fixture.beside("out/sub")).unwrap().count(), 0);
}
