//! Finds the text of tests in a tree that was checked out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::plan::{Suite, extension, join};
use crate::report::TestId;
use crate::runner;
use crate::test_text::tests_in;

/// More files than this are not searched for a test whose id does not name its file.
const MOST_FILES: usize = 5_000;

/// A test in a tree.
pub(crate) struct Found {
    /// Its file.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// The text of each test that is found. Of two of one name the last, which is the one that runs.
pub(crate) fn texts(
    tree: &Path,
    suite: &Suite,
    ids: &BTreeSet<TestId>,
) -> BTreeMap<TestId, String> {
    let found = found(tree, suite, ids).into_iter();
    found.map(|(id, found)| (id, found.text)).collect()
}

/// Where each test stands, with its text.
pub(crate) fn found(tree: &Path, suite: &Suite, ids: &BTreeSet<TestId>) -> BTreeMap<TestId, Found> {
    let mut all = BTreeMap::new();
    if ids.is_empty() {
        return all;
    }
    for path in files(tree, suite, ids) {
        let Ok(text) = std::fs::read_to_string(tree.join(&path)) else {
            continue;
        };
        let tests = tests_in(&text);
        for id in ids {
            if suite.ecosystem.names_files() && join(&suite.dir, runner::file_of(id)) != path {
                continue;
            }
            if let Some(test) = tests.iter().rev().find(|test| test.is_named_by(id)) {
                let found = Found {
                    path: path.clone(),
                    text: test.lines.join("\n"),
                };
                all.insert(id.clone(), found);
            }
        }
    }
    all
}

/// The files that may hold the tests.
fn files(tree: &Path, suite: &Suite, ids: &BTreeSet<TestId>) -> BTreeSet<String> {
    if suite.ecosystem.names_files() {
        return ids
            .iter()
            .map(|id| join(&suite.dir, runner::file_of(id)))
            .collect();
    }
    let wanted = suite.ecosystem.extensions();
    let all = runner::node_files::walk(&tree.join(&suite.dir));
    all.into_iter()
        .filter(|path| wanted.contains(&extension(path)))
        .take(MOST_FILES)
        .map(|path| join(&suite.dir, &path))
        .collect()
}
