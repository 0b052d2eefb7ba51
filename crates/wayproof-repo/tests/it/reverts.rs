//! Commits that take others back, as git itself writes them.

use std::collections::BTreeSet;

use crate::fixture::Fixture;

#[test]
fn reverts_of_commits_and_of_merges_are_found() {
    let fixture = Fixture::with(&[("a", "1")]);
    let first = fixture.commit(&[("a", "2")]);
    fixture.git(&["revert", "--no-edit", &first]);
    fixture.git(&["switch", "--quiet", "-c", "topic"]);
    let one = fixture.commit(&[("b", "1")]);
    let two = fixture.commit(&[("b", "2")]);
    fixture.git(&["switch", "--quiet", "main"]);
    fixture.git(&["merge", "--quiet", "--no-ff", "-m", "take it", "topic"]);
    let merge = fixture.git(&["rev-parse", "HEAD"]);
    fixture.git(&["revert", "--no-edit", "-m", "1", &merge]);
    fixture.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "-m",
        "This reverts commit nothing.",
    ]);

    let repo = fixture.repo();
    let head = repo.head().unwrap();
    let reverts = repo.reverts(&head).unwrap();
    let named: Vec<&str> = reverts
        .iter()
        .map(|found| found.reverted.as_str())
        .collect();
    assert_eq!(named, [merge.as_str(), first.as_str()], "newest first");
    assert!(reverts.iter().all(|found| found.at_s > 0));
    let brought = |index: usize| -> BTreeSet<String> {
        let all = repo.brought(&reverts[index].reverted).unwrap();
        all.iter().map(ToString::to_string).collect()
    };
    assert_eq!(brought(0), BTreeSet::from([merge, one, two.clone()]));
    assert_eq!(brought(1), BTreeSet::from([first]));

    let commits = repo.commits(&head).unwrap();
    assert_eq!(commits[0], head);
    assert!(commits.iter().any(|commit| commit.id.as_str() == two));
    let root = &commits[commits.len() - 1].id;
    assert_eq!(repo.brought(root).unwrap(), std::slice::from_ref(root));
}
