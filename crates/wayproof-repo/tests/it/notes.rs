//! Notes on commits.

use rstest::rstest;
use wayproof_repo::RepoError;

use crate::fixture::Fixture;

#[test]
fn a_note_comes_back_byte_for_byte() {
    let fixture = Fixture::with(&[("a", "1")]);
    let repo = fixture.repo();
    let head = repo.head().unwrap().id;
    let bytes = b"{\"line\":1}\n\n\n  trailing \x00\xff\n\n".to_vec();
    assert_eq!(repo.read_note("refs/notes/wayproof", &head).unwrap(), None);
    repo.write_note("refs/notes/wayproof", &head, &bytes)
        .unwrap();
    assert_eq!(
        repo.read_note("refs/notes/wayproof", &head).unwrap(),
        Some(bytes)
    );
    repo.write_note("refs/notes/wayproof", &head, b"second")
        .unwrap();
    assert_eq!(
        repo.read_note("refs/notes/wayproof", &head)
            .unwrap()
            .as_deref(),
        Some(b"second".as_slice())
    );
    assert_eq!(repo.read_note("refs/notes/other", &head).unwrap(), None);
}

#[test]
fn a_snapshot_can_carry_a_note() {
    let fixture = Fixture::with(&[("a", "1")]);
    fixture.write("a", "2");
    let repo = fixture.repo();
    let snapshot = repo.snapshot().unwrap();
    repo.write_note("refs/notes/wayproof", &snapshot.commit, b"x")
        .unwrap();
    assert!(
        repo.read_note("refs/notes/wayproof", &snapshot.commit)
            .unwrap()
            .is_some()
    );
}

#[rstest]
#[case("refs/heads/main")]
#[case("refs/notes/")]
#[case("refs/notes/../heads/main")]
#[case("refs/notes/a b")]
#[case("wayproof")]
#[case("--help")]
fn other_references_are_refused(#[case] reference: &str) {
    let fixture = Fixture::with(&[("a", "1")]);
    let repo = fixture.repo();
    let head = repo.head().unwrap().id;
    assert!(matches!(
        repo.write_note(reference, &head, b"x"),
        Err(RepoError::BadNotesRef(_))
    ));
    assert!(matches!(
        repo.read_note(reference, &head),
        Err(RepoError::BadNotesRef(_))
    ));
}
