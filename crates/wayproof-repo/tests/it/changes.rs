//! What changed, its lines and its digests.

use wayproof_repo::{ChangeKind, EntryKind, LineKind};

use crate::fixture::Fixture;

const LONG: &str = "one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n";

#[test]
fn every_kind_of_change_is_recognized() {
    let fixture = Fixture::with(&[
        ("kept", "1"),
        ("edited", "1"),
        ("gone", "going"),
        ("old/name", LONG),
        ("link", "1"),
    ]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    for path in ["gone", "old/name", "link"] {
        std::fs::remove_file(fixture.root().join(path)).unwrap();
    }
    std::os::unix::fs::symlink("kept", fixture.root().join("link")).unwrap();
    fixture.commit(&[("edited", "2"), ("fresh", "1"), ("new/name", LONG)]);
    let changes = fixture.repo().changes(&base, "HEAD").unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                change.kind,
                change.old_path.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("edited", ChangeKind::Modified, None),
            ("fresh", ChangeKind::Added, None),
            ("gone", ChangeKind::Deleted, None),
            ("link", ChangeKind::TypeChanged, None),
            ("new/name", ChangeKind::Renamed, Some("old/name")),
        ]
    );
    assert!(changes[1].old_blob.is_none() && changes[1].new_blob.is_some());
    assert!(changes[2].old_blob.is_some() && changes[2].new_blob.is_none());
}

#[test]
fn hunks_carry_the_changed_lines_only() {
    let fixture = Fixture::with(&[("f", LONG)]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    fixture.commit(&[(
        "f",
        "one\n--- two\n@@ -1 +1 @@\nthree\nfour\nfive\nsix\nseven\n",
    )]);
    let hunks = fixture.repo().diff(&base, "HEAD", "f").unwrap();
    assert_eq!(hunks.len(), 2);
    assert_eq!(
        (
            hunks[0].old_start,
            hunks[0].old_lines,
            hunks[0].new_start,
            hunks[0].new_lines
        ),
        (2, 1, 2, 2)
    );
    let lines: Vec<_> = hunks[0]
        .lines
        .iter()
        .map(|line| (line.kind, line.text.as_str()))
        .collect();
    assert_eq!(
        lines,
        [
            (LineKind::Removed, "two"),
            (LineKind::Added, "--- two"),
            (LineKind::Added, "@@ -1 +1 @@")
        ]
    );
    assert_eq!(
        (hunks[1].old_start, hunks[1].old_lines, hunks[1].new_lines),
        (8, 1, 0)
    );
}

#[test]
fn a_moved_file_is_compared_by_its_blobs() {
    let fixture = Fixture::with(&[("old", LONG)]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    std::fs::remove_file(fixture.root().join("old")).unwrap();
    fixture.commit(&[("new", &LONG.replace("four", "FOUR"))]);
    let repo = fixture.repo();
    let change = repo.changes(&base, "HEAD").unwrap().remove(0);
    let hunks = repo
        .diff_blobs(&change.old_blob.unwrap(), &change.new_blob.unwrap())
        .unwrap();
    assert_eq!(hunks.len(), 1);
    assert_eq!(hunks[0].new_start, 4);
}

#[test]
fn a_binary_file_has_no_hunks() {
    let fixture = Fixture::with(&[("b", "\0\u{1}")]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    fixture.commit(&[("b", "\0\u{2}")]);
    assert!(fixture.repo().diff(&base, "HEAD", "b").unwrap().is_empty());
    assert_eq!(fixture.repo().changes(&base, "HEAD").unwrap().len(), 1);
}

#[test]
fn digests_follow_the_change_and_not_its_place_in_history() {
    let fixture = Fixture::with(&[("a", LONG), ("b", "1")]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    let one = fixture.commit(&[("a", &LONG.replace("two", "2"))]);
    let reverted = fixture.commit(&[("a", LONG)]);
    let again = fixture.commit(&[("a", &LONG.replace("two", "2"))]);
    let other = fixture.commit(&[("a", &LONG.replace("two", "3"))]);
    let repo = fixture.repo();
    let digest = repo.change_digest(&base, &one).unwrap();
    assert_eq!(digest.len(), 64);
    assert_eq!(digest, repo.change_digest(&reverted, &again).unwrap());
    assert_ne!(digest, repo.change_digest(&base, &other).unwrap());
    assert_eq!(
        repo.patch_id(&base, &one).unwrap(),
        repo.patch_id(&reverted, &again).unwrap()
    );
    assert!(repo.patch_id(&base, &one).unwrap().is_some());
    assert_eq!(repo.patch_id(&base, &base).unwrap(), None);
}

#[test]
fn trees_list_and_read_without_following() {
    let fixture = Fixture::with(&[("dir/file", "text"), ("\"quoted\"", "q")]);
    std::os::unix::fs::symlink("/etc/passwd", fixture.root().join("out")).unwrap();
    fixture.commit(&[]);
    let repo = fixture.repo();
    let entries = repo.ls_tree("HEAD").unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|entry| (entry.path.as_str(), entry.kind))
        .collect();
    assert_eq!(
        seen,
        [
            ("\"\\\"quoted\\\"\"", EntryKind::File),
            ("dir/file", EntryKind::File),
            ("out", EntryKind::Symlink)
        ]
    );
    assert_eq!(
        repo.read("HEAD", "dir/file").unwrap().as_deref(),
        Some(b"text".as_slice())
    );
    assert_eq!(
        repo.read("HEAD", &entries[0].path).unwrap().as_deref(),
        Some(b"q".as_slice())
    );
    assert_eq!(
        repo.read("HEAD", "out").unwrap().as_deref(),
        Some(b"/etc/passwd".as_slice())
    );
    for missing in ["dir", "nowhere", "../etc/passwd", "/etc/passwd", ""] {
        assert_eq!(repo.read("HEAD", missing).unwrap(), None, "{missing}");
    }
}

#[test]
fn names_that_are_not_text_survive() {
    use std::os::unix::ffi::OsStrExt;
    let fixture = Fixture::with(&[("a", "1")]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    std::fs::write(
        fixture
            .root()
            .join(std::ffi::OsStr::from_bytes(b"caf\xe9\n")),
        "old",
    )
    .unwrap();
    fixture.commit(&[]);
    let repo = fixture.repo();
    let change = repo.changes(&base, "HEAD").unwrap().remove(0);
    assert_eq!(change.path, "\"caf\\351\\012\"");
    assert_eq!(
        repo.read("HEAD", &change.path).unwrap().as_deref(),
        Some(b"old".as_slice())
    );
    assert_eq!(repo.diff(&base, "HEAD", &change.path).unwrap().len(), 1);
}

#[test]
fn patches_name_their_files_whatever_the_content_looks_like() {
    let fixture = Fixture::with(&[
        ("a b\n.txt", "one\ntwo\nthree\n"),
        ("link", "text\n"),
        ("gone.rs", "fn old() {}\n"),
    ]);
    let base = fixture.git(&["rev-parse", "HEAD"]);
    for path in ["gone.rs", "link"] {
        std::fs::remove_file(fixture.root().join(path)).unwrap();
    }
    std::os::unix::fs::symlink("a", fixture.root().join("link")).unwrap();
    std::fs::write(fixture.root().join("new.bin"), [0_u8, 1, 2]).unwrap();
    fixture.commit(&[(
        "a b\n.txt",
        "one\n-- a/x\n++ b/x\ndiff --git a/x b/x\n@@ -1 +1 @@\nthree",
    )]);
    let files = fixture.repo().patches(&base, "HEAD", 1).unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names, ["a b\n.txt", "gone.rs", "link", "new.bin"]);
    let text: Vec<(Option<LineKind>, u32, &str)> = files[0].runs[0]
        .iter()
        .map(|line| (line.kind, line.number, line.text.as_str()))
        .collect();
    assert_eq!(text[0], (None, 1, "one"));
    assert_eq!(text[1], (Some(LineKind::Removed), 2, "two"));
    assert!(text.contains(&(Some(LineKind::Added), 2, "-- a/x")));
    assert!(text.contains(&(Some(LineKind::Added), 4, "diff --git a/x b/x")));
    assert!(text.contains(&(Some(LineKind::Added), 5, "@@ -1 +1 @@")));
    assert_eq!(
        files[2].runs.len(),
        2,
        "a file that went and a link that came"
    );
    assert_eq!(files[3].runs, Vec::<Vec<_>>::new());
}

#[test]
fn merging_is_tried_and_the_makers_are_named() {
    let fixture = Fixture::with(&[("a", "1\n2\n3\n4\n5\n")]);
    let repo = fixture.repo();
    let at = |revision: &str| repo.resolve(revision).unwrap();
    let start = at("HEAD");
    fixture.commit(&[("a", "1\n2\n3\n4\nfive\n")]);
    fixture.git(&[
        "commit",
        "--quiet",
        "--amend",
        "-m",
        "head\n\nCo-authored-by: Bob <bob@example.org>",
    ]);
    let head = at("HEAD");
    let merged = repo.merged_tree(&start, &head).unwrap();
    assert_eq!(merged, Some(head.tree.clone()));
    fixture.git(&["checkout", "--quiet", start.id.as_str()]);
    fixture.commit(&[("a", "one\n2\n3\n4\n5\n")]);
    let merged = repo.merged_tree(&at("HEAD"), &head).unwrap().unwrap();
    let both = repo.read(merged.as_str(), "a").unwrap().unwrap();
    assert_eq!(both, b"one\n2\n3\n4\nfive\n");
    fixture.commit(&[("a", "1\n2\n3\n4\n6\n")]);
    assert_eq!(repo.merged_tree(&at("HEAD"), &head).unwrap(), None);
    let makers = repo.makers(&start, &head).unwrap();
    assert!(
        makers
            .people
            .iter()
            .any(|one| one.mail == "bob@example.org")
    );
    assert_eq!(makers.people.len(), 2, "{makers:?}");
}

#[test]
fn many_blobs_are_read_in_one_go() {
    let fixture = Fixture::with(&[("a", "one\n"), ("b", ""), ("c", "no end"), ("d", LONG)]);
    let repo = fixture.repo();
    let entries = repo.ls_tree("HEAD").unwrap();
    // A commit is no blob, and another object is not there.
    let commit = repo.resolve("HEAD").unwrap().id;
    let mut blobs: Vec<_> = entries.iter().map(|entry| &entry.blob).collect();
    blobs.insert(1, &commit);
    blobs.push(blobs[0]);
    let read = repo.read_blobs(&blobs, 20).unwrap();
    let texts: Vec<Option<&str>> = read
        .iter()
        .map(|bytes| {
            bytes
                .as_deref()
                .map(|bytes| std::str::from_utf8(bytes).unwrap())
        })
        .collect();
    assert!(LONG.len() > 20);
    assert_eq!(
        texts,
        [
            Some("one\n"),
            None,
            Some(""),
            Some("no end"),
            None,
            Some("one\n")
        ]
    );
    assert!(repo.read_blobs(&[], 20).unwrap().is_empty());
}
