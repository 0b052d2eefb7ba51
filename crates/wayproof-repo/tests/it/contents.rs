//! Contents that a tree only points to.

use std::fs;
use std::process::Command;

use wayproof_repo::Missing;

use crate::fixture::{Fixture, git};

const ATTRIBUTES: (&str, &str) = (
    ".gitattributes",
    "*.bin filter=lfs diff=lfs merge=lfs -text\n",
);
/// A digest of nothing that is here.
const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

fn digest(text: &str) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "another program reckons the digest"
    )]
    let output = Command::new("sha256sum").arg(file.path()).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    said.split_whitespace().next().unwrap().to_owned()
}

fn pointer(oid: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}

#[test]
fn what_lfs_keeps_here_is_filled_in_and_the_rest_is_named() {
    let content = "a large content\n";
    let oid = digest(content);
    let fixture = Fixture::with(&[
        ATTRIBUTES,
        ("data/here.bin", &pointer(&oid, content.len())),
        ("data/away.bin", &pointer(OID, 6)),
        ("data/plain.txt", "plain\n"),
    ]);
    let (one, rest) = oid.split_at(2);
    let (two, _) = rest.split_at(2);
    let store = fixture.root().join(".git/lfs/objects").join(one).join(two);
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join(&oid), content).unwrap();
    let (repo, out) = (fixture.repo(), fixture.beside("out"));
    repo.checkout("HEAD", &out).unwrap();
    let missing = repo.fill("HEAD", &out).unwrap();
    assert_eq!(missing, [Missing::Lfs("data/away.bin".to_owned())]);
    assert_eq!(
        fs::read_to_string(out.join("data/here.bin")).unwrap(),
        content
    );
    // What is kept under a name that is not its digest is not it.
    fs::write(store.join(&oid), "b large content\n").unwrap();
    let again = fixture.beside("again");
    repo.checkout("HEAD", &again).unwrap();
    assert_eq!(repo.fill("HEAD", &again).unwrap().len(), 2);
}

#[test]
fn a_working_tree_with_contents_in_place_of_pointers_is_clean() {
    let content = "a large content\n";
    let fixture = Fixture::with(&[
        ATTRIBUTES,
        ("data/here.bin", &pointer(&digest(content), content.len())),
    ]);
    fixture.write("data/here.bin", content);
    let repo = fixture.repo();
    let head = repo.head().unwrap();
    assert_eq!(repo.snapshot().unwrap().tree, head.tree);
    fixture.write("data/here.bin", "another content\n");
    assert_ne!(repo.snapshot().unwrap().tree, head.tree);
}

#[test]
fn a_submodule_that_is_checked_out_is_filled_in_with_what_it_holds() {
    let inner = Fixture::with(&[("lib/a.txt", "inner\n")]);
    let fixture = Fixture::with(&[("a", "1")]);
    let address = inner.root();
    fixture.git(&[
        "submodule",
        "--quiet",
        "add",
        address.to_str().unwrap(),
        "deps/inner",
    ]);
    fixture.commit(&[]);
    let (repo, out) = (fixture.repo(), fixture.beside("out"));
    repo.checkout("HEAD", &out).unwrap();
    assert_eq!(repo.fill("HEAD", &out).unwrap(), []);
    assert_eq!(
        fs::read_to_string(out.join("deps/inner/lib/a.txt")).unwrap(),
        "inner\n"
    );

    // A clone that never got it names it.
    git(
        &fixture.beside(""),
        &[
            "clone",
            "--quiet",
            fixture.root().to_str().unwrap(),
            "clone",
        ],
    );
    let clone = wayproof_repo::Repo::discover(&fixture.beside("clone")).unwrap();
    let out = fixture.beside("of-clone");
    clone.checkout("HEAD", &out).unwrap();
    let missing = clone.fill("HEAD", &out).unwrap();
    assert_eq!(missing, [Missing::Submodule("deps/inner".to_owned())]);
}
