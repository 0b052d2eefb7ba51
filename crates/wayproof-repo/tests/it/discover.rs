//! Opening repositories and naming revisions.

use std::fs;
use std::process::Command;

use rstest::rstest;
use wayproof_repo::{Oid, Repo, RepoError};

use crate::fixture::{Fixture, git};

#[test]
fn a_subdirectory_belongs_to_its_repository() {
    let fixture = Fixture::with(&[("a/b/c.txt", "1")]);
    let repo = Repo::discover(&fixture.root().join("a/b")).unwrap();
    assert_eq!(repo.root(), fixture.root().canonicalize().unwrap());
    assert_eq!(
        repo.head().unwrap().id.as_str(),
        fixture.git(&["rev-parse", "HEAD"])
    );
    assert_eq!(
        repo.head().unwrap().tree.as_str(),
        fixture.git(&["rev-parse", "HEAD^{tree}"])
    );
}

#[test]
fn a_plain_directory_is_no_repository() {
    let folder = tempfile::tempdir().unwrap();
    let error = Repo::discover(folder.path()).unwrap_err();
    assert!(matches!(error, RepoError::NotARepository(_)), "{error}");
    assert!(error.to_string().contains("is not inside a git repository"));
}

#[test]
fn a_working_tree_that_went_away_is_not_taken_for_missing_git() {
    let fixture = Fixture::with(&[("a", "1")]);
    let repo = fixture.repo();
    fs::remove_dir_all(fixture.root()).unwrap();
    assert!(matches!(repo.head().unwrap_err(), RepoError::Io { .. }));
}

#[test]
fn a_missing_directory_is_an_io_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = Repo::discover(&folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(error, RepoError::Io { .. }), "{error}");
}

#[test]
fn a_bare_repository_has_no_working_tree() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--bare"]);
    let error = Repo::discover(folder.path()).unwrap_err();
    assert!(matches!(error, RepoError::NoWorkTree(_)), "{error}");
}

#[test]
fn a_working_tree_moved_by_configuration_is_refused() {
    let fixture = Fixture::with(&[("a", "1")]);
    let elsewhere = fixture.beside("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fixture.git(&["config", "core.worktree", elsewhere.to_str().unwrap()]);
    assert!(Repo::discover(&fixture.root()).is_err());
    assert!(Repo::discover(&elsewhere).is_err());
}

#[test]
fn a_repository_without_commits_says_so() {
    let fixture = Fixture::empty();
    let repo = fixture.repo();
    assert!(matches!(repo.head().unwrap_err(), RepoError::NoCommits(_)));
    assert!(matches!(
        repo.snapshot().unwrap_err(),
        RepoError::NoCommits(_)
    ));
}

#[rstest]
#[case("no-such-branch")]
#[case("")]
#[case("--all")]
#[case("--output=/tmp/wayproof-never")]
#[case("HEAD\nHEAD")]
#[case("HEAD:a")]
#[case("main..main")]
#[case("0123456789012345678901234567890123456789")]
fn names_of_no_commit_are_unknown(#[case] name: &str) {
    let fixture = Fixture::with(&[("a", "1")]);
    assert!(matches!(
        fixture.repo().resolve(name).unwrap_err(),
        RepoError::UnknownRevision(_)
    ));
}

#[rstest]
#[case("HEAD")]
#[case("main")]
#[case("annotated")]
#[case("@{0}")]
fn names_of_a_commit_resolve(#[case] name: &str) {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.git(&["tag", "-a", "-m", "tag", "annotated"]);
    assert_eq!(
        fixture.repo().resolve(name).unwrap(),
        fixture.repo().head().unwrap()
    );
}

#[test]
fn the_merge_base_is_the_fork() {
    let fixture = Fixture::with(&[("a", "1")]);
    let fork = fixture.repo().head().unwrap();
    fixture.git(&["checkout", "--quiet", "-b", "topic"]);
    fixture.commit(&[("b", "2")]);
    fixture.git(&["checkout", "--quiet", "main"]);
    fixture.commit(&[("c", "3")]);
    assert_eq!(fixture.repo().merge_base("main", "topic").unwrap(), fork);
}

#[test]
fn unrelated_histories_have_no_merge_base() {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.git(&["checkout", "--quiet", "--orphan", "other"]);
    fixture.commit(&[("b", "2")]);
    let error = fixture.repo().merge_base("main", "other").unwrap_err();
    assert!(matches!(error, RepoError::NoMergeBase { .. }), "{error}");
}

#[test]
fn what_a_clone_left_out_is_told_with_the_way_to_get_it() {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.commit(&[("a", "2")]);
    fixture.git(&["config", "uploadpack.allowFilter", "true"]);
    let from = format!("file://{}", fixture.root().display());
    let clone = |name: &str, how: &[&str]| {
        let to = fixture.beside(name);
        let place = to.to_string_lossy().into_owned();
        fixture.git(&[&["clone", "--quiet"], how, &[from.as_str(), place.as_str()]].concat());
        Repo::discover(&to).unwrap()
    };
    let shallow = clone("shallow", &["--depth", "1"]);
    let said = shallow.resolve("HEAD~1").unwrap_err().to_string();
    assert!(said.contains("--unshallow"), "{said}");
    let partial = clone("partial", &["--filter=blob:none", "--no-checkout"]);
    let said = partial.patch_id("HEAD~1", "HEAD").unwrap_err().to_string();
    assert!(
        said.contains("lacks") && said.contains("--refetch"),
        "{said}"
    );
}

#[test]
fn a_shallow_clone_ends_quietly() {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.commit(&[("a", "2")]);
    let url = format!("file://{}", fixture.root().display());
    let clone = fixture.beside("clone");
    git(
        &fixture.beside("."),
        &[
            "clone",
            "--quiet",
            "--depth=1",
            &url,
            clone.to_str().unwrap(),
        ],
    );
    let repo = Repo::discover(&clone).unwrap();
    assert_eq!(
        repo.merge_base("HEAD", "main").unwrap(),
        repo.head().unwrap()
    );
}

#[test]
fn a_linked_worktree_and_a_sha256_repository_work() {
    let fixture = Fixture::init(&["--object-format=sha256"]);
    fixture.commit(&[("a", "1")]);
    let linked = fixture.beside("linked");
    fixture.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::write(linked.join("a"), "2").unwrap();
    let repo = Repo::discover(&linked).unwrap();
    let snapshot = repo.snapshot().unwrap();
    assert_eq!(snapshot.tree.as_str().len(), 64);
    assert_eq!(
        repo.read(snapshot.commit.as_str(), "a").unwrap().as_deref(),
        Some(b"2".as_slice())
    );
    assert!(!fixture.repo().is_dirty().unwrap());
}

#[test]
fn the_remote_address_loses_its_password() {
    let fixture = Fixture::with(&[("a", "1")]);
    assert_eq!(fixture.repo().remote_url().unwrap(), None);
    fixture.git(&[
        "remote",
        "add",
        "origin",
        "https://me:hunter2@example.com/team/app.git",
    ]);
    assert_eq!(
        fixture.repo().remote_url().unwrap().as_deref(),
        Some("https://example.com/team/app.git")
    );
}

#[test]
fn ignored_dependency_folders_are_listed() {
    let fixture = Fixture::with(&[
        (
            ".gitignore",
            "node_modules/\ntarget\n.venv\n*.log\ncache/\n",
        ),
        ("a", "1"),
    ]);
    for path in [
        "node_modules/x/i.js",
        "web/node_modules/y/i.js",
        "cache/z",
        "a.log",
        ".venv/bin/python",
    ] {
        fixture.write(path, "x");
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc", fixture.root().join("target")).unwrap();
    let found = fixture.repo().ignored_dirs().unwrap();
    let found: Vec<_> = found.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(found, [".venv", "node_modules", "web/node_modules"]);
}

#[rstest]
#[case("0123456789abcdef0123456789abcdef01234567", true)]
#[case("0123456789ABCDEF0123456789abcdef01234567", false)]
#[case("0123", false)]
fn object_names_are_full_and_lower_case(#[case] text: &str, #[case] is_name: bool) {
    assert_eq!(Oid::parse(text).is_some(), is_name);
}

#[test]
fn without_git_the_error_says_so() {
    const MARK: &str = "WAYPROOF_TEST_WITHOUT_GIT";
    if std::env::var_os(MARK).is_some() {
        let error = Repo::discover(&std::env::temp_dir()).unwrap_err();
        assert!(matches!(error, RepoError::GitMissing), "{error}");
        return;
    }
    // PATH belongs to the process, so the test runs itself again without one.
    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the program that is started"
    )]
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "discover::without_git_the_error_says_so"])
        .env(MARK, "1")
        .env("PATH", "/nonexistent")
        .status()
        .unwrap();
    assert!(status.success());
}
