//! Repositories that try to run something or to lie.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::fixture::Fixture;

/// Makes a program in the fixture that leaves a trace when it runs.
fn trap(fixture: &Fixture) -> (PathBuf, PathBuf) {
    let (program, trace) = (fixture.beside("trap.sh"), fixture.beside("sprung"));
    fs::write(
        &program,
        format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", trace.display()),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program, trace)
}

/// Everything that can name a program in a configuration.
const PROGRAM_KEYS: &[&str] = &[
    "filter.evil.clean",
    "filter.evil.smudge",
    "filter.evil.process",
    "diff.evil.command",
    "diff.evil.textconv",
    "diff.external",
    "core.fsmonitor",
    "core.editor",
    "core.pager",
    "core.sshCommand",
    "core.askPass",
    "core.alternateRefsCommand",
    "credential.helper",
    "gpg.program",
    "pager.diff",
];

/// Puts the trap wherever git can be told to run something.
fn arm(fixture: &Fixture) -> PathBuf {
    let (program, trace) = trap(fixture);
    let program = program.to_str().unwrap();
    for key in PROGRAM_KEYS {
        fixture.git(&["config", key, program]);
    }
    fixture.git(&["config", "filter.evil.required", "true"]);
    let hooks = fixture.root().join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "reference-transaction",
        "post-index-change",
        "post-checkout",
        "pre-commit",
        "post-commit",
    ] {
        fs::copy(program, hooks.join(hook)).unwrap();
    }
    trace
}

#[test]
fn nothing_the_repository_configures_is_run() {
    let fixture = Fixture::with(&[("a.txt", "one\n")]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    fixture.commit(&[
        ("a.txt", "two\n"),
        (".gitattributes", "* filter=evil diff=evil merge=evil\n"),
    ]);
    let trace = arm(&fixture);
    fixture.write("a.txt", "three\n");

    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    assert!(repo.is_dirty().unwrap());
    assert_eq!(
        repo.read(snapshot.tree.as_str(), "a.txt")
            .unwrap()
            .as_deref(),
        Some(b"three\n".as_slice())
    );
    let destination = fixture.beside("out");
    repo.checkout(snapshot.commit.as_str(), &destination)
        .unwrap();
    assert_eq!(
        fs::read_to_string(destination.join("a.txt")).unwrap(),
        "three\n"
    );
    assert_eq!(repo.changes(&base, "HEAD").unwrap().len(), 2);
    assert_eq!(repo.diff(&base, "HEAD", "a.txt").unwrap().len(), 1);
    repo.patch_id(&base, "HEAD").unwrap();
    repo.ignored_dirs().unwrap();
    repo.remote_url().unwrap();
    repo.merge_base(&base, "HEAD").unwrap();
    repo.write_note("refs/notes/wayproof", &snapshot.commit, b"x")
        .unwrap();
    repo.read_note("refs/notes/wayproof", &snapshot.commit)
        .unwrap();
    assert!(
        !trace.exists(),
        "{}",
        fs::read_to_string(&trace).unwrap_or_default()
    );

    // The trap itself works: git run plainly springs it.
    fixture.git(&["config", "--unset", "filter.evil.process"]);
    fixture.git(&["add", "a.txt"]);
    assert!(trace.exists());
}

#[test]
fn marks_in_the_index_hide_nothing() {
    let fixture = Fixture::with(&[("assumed", "1"), ("skipped", "1")]);
    fixture.git(&["update-index", "--assume-unchanged", "assumed"]);
    fixture.git(&["update-index", "--skip-worktree", "skipped"]);
    fixture.write("assumed", "2");
    fixture.write("skipped", "2");
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    for path in ["assumed", "skipped"] {
        assert_eq!(
            repo.read(snapshot.tree.as_str(), path).unwrap().as_deref(),
            Some(b"2".as_slice()),
            "{path}"
        );
    }
}

#[test]
fn replacement_objects_and_grafts_are_not_believed() {
    let fixture = Fixture::with(&[("a", "true")]);
    let honest = fixture.git(&["rev-parse", "HEAD"]);
    let forged = fixture.commit(&[("a", "forged")]);
    fixture.git(&["replace", &honest, &forged]);
    let repo = fixture.repo();
    assert_eq!(
        repo.read(&honest, "a").unwrap().as_deref(),
        Some(b"true".as_slice())
    );
    let destination = fixture.beside("out");
    repo.checkout(&honest, &destination).unwrap();
    assert_eq!(fs::read_to_string(destination.join("a")).unwrap(), "true");
}

#[test]
fn links_out_of_the_tree_are_recorded_and_not_followed() {
    let fixture = Fixture::with(&[("a", "1")]);
    let secret = fixture.beside("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "hunter2").unwrap();
    std::os::unix::fs::symlink(&secret, fixture.root().join("way-out")).unwrap();
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    let paths: Vec<_> = repo
        .ls_tree(snapshot.tree.as_str())
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(paths, ["a", "way-out"]);
    assert_eq!(
        repo.read(snapshot.tree.as_str(), "way-out/key").unwrap(),
        None
    );
}

#[test]
fn a_tracked_path_behind_a_new_link_is_not_read_through_it() {
    let fixture = Fixture::with(&[("dir/key", "public")]);
    let secret = fixture.beside("secret");
    fs::create_dir(&secret).unwrap();
    fs::write(secret.join("key"), "hunter2").unwrap();
    fs::remove_dir_all(fixture.root().join("dir")).unwrap();
    std::os::unix::fs::symlink(&secret, fixture.root().join("dir")).unwrap();
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    let paths: Vec<_> = repo
        .ls_tree(snapshot.tree.as_str())
        .unwrap()
        .into_iter()
        .map(|entry| entry.path)
        .collect();
    assert_eq!(paths, ["dir"]);
}
