//! Looks for ways to make a proof look better than the change is. One file a trick; the codes are those of the
//! catalog in the documentation.
//!
//! Pure: it reads the change and what the runs showed. Some tricks need no detector because the procedure leaves
//! them no room: trees are made from git alone (G10), the base is the merge base (G12), and only our own
//! executions are evidence (G14).

mod answers;
mod assertions;
mod bent_source;
mod bent_tests;
mod built;
mod contradicted;
mod copied;
mod drawn;
mod early_exit;
mod equals;
mod evidence_files;
mod exits;
mod generated;
mod goldens;
mod helpers;
mod pinned;
mod replaced;
mod runner_hooks;
mod scope;
mod silenced;
mod skipped;
mod speaks_of_runner;
mod special_case;
mod surroundings;
mod swallowed;
mod usurped;
mod veiled;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wayproof_receipt::predicate::{Finding, Severity};

use crate::plan::{FileChange, Role, inline};
use crate::row::Outcome;
pub(crate) use crate::test_text::is_comment;

/// What there is to look at.
pub(crate) struct Scene<'a> {
    /// What changed.
    pub changes: &'a [FileChange],
    /// What the suites showed.
    pub outcomes: &'a [Outcome],
    /// Files of the base, by path, that a new source file may be a copy of.
    pub base_files: &'a BTreeMap<String, String>,
    /// The row the change is judged by.
    pub task: &'a str,
}

impl<'a> Scene<'a> {
    /// Changes of source, tests and what steers them left out.
    fn sources(&self) -> impl Iterator<Item = &'a FileChange> {
        self.changes
            .iter()
            .filter(|change| change.role == Role::Source)
    }
}

type Detector = fn(&Scene<'_>) -> Vec<Finding>;

/// Every finding, worst first.
pub(crate) fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let detectors: [Detector; 27] = [
        skipped::look,
        assertions::look,
        bent_source::look,
        bent_tests::look,
        contradicted::look,
        copied::look,
        answers::look,
        built::look,
        drawn::look,
        equals::look,
        exits::look,
        replaced::look,
        surroundings::look,
        silenced::look,
        generated::look,
        goldens::look,
        helpers::look,
        pinned::look,
        speaks_of_runner::look,
        runner_hooks::look,
        early_exit::look,
        swallowed::look,
        special_case::look,
        usurped::look,
        veiled::look,
        evidence_files::look,
        scope::look,
    ];
    let mut findings = all(scene, &detectors);
    let rank = |severity: Severity| match severity {
        Severity::High => 0,
        Severity::Medium => 1,
        Severity::Low => 2,
    };
    findings.sort_by_key(|finding| {
        (
            rank(finding.severity),
            finding.code.clone(),
            finding.path.clone(),
            finding.line,
        )
    });
    findings
}

/// From how many files on detectors share the work out.
const MANY_FILES: usize = 64;

/// What each detector says, in their order. Over many files they run side by side.
fn all(scene: &Scene<'_>, detectors: &[Detector]) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(detector) = detectors.get(at) else {
                return found;
            };
            found.push((at, detector(scene)));
        }
    };
    let threads = if scene.changes.len() < MANY_FILES {
        1
    } else {
        thread::available_parallelism().map_or(1, usize::from)
    };
    let mut found = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut all = work();
        for other in others {
            // A detector that panics must not look like one that found nothing.
            all.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        all
    });
    found.sort_by_key(|(at, _)| *at);
    found.into_iter().flat_map(|(_, found)| found).collect()
}

/// Whether a path lies in a folder that builds write to.
pub(crate) fn is_in_output(path: &str) -> bool {
    path.split('/')
        .any(|part| generated::OUTPUTS.contains(&part))
}

/// Whether a file's head holds any of these words; what does not needs no closer reading.
fn speaks_of(change: &FileChange, words: &[&str]) -> bool {
    let text = change.after.as_deref().unwrap_or_default();
    words.iter().any(|word| text.contains(word))
}

/// A line that only the head has.
pub(crate) struct AddedLine<'a> {
    /// Its number at the head, from 1.
    pub number: u32,
    /// Its text.
    pub text: &'a str,
}

/// The numbers of the lines that only the head has.
fn added_numbers(change: &FileChange) -> BTreeSet<u32> {
    added_lines(change).iter().map(|line| line.number).collect()
}

/// The lines of the head that the base does not have, moved lines aside.
pub(crate) fn added_lines(change: &FileChange) -> Vec<AddedLine<'_>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for line in change.before.as_deref().unwrap_or_default().lines() {
        *known.entry(normal(line)).or_default() += 1;
    }
    let mut added = Vec::new();
    for (number, text) in (1_u32..).zip(change.after.as_deref().unwrap_or_default().lines()) {
        match known.get_mut(&normal(text)) {
            Some(left) if *left > 0 => *left -= 1,
            Some(_) | None => added.push(AddedLine { number, text }),
        }
    }
    added
}

/// The change with only the source of a Rust file; blank lines keep the numbers where the rest did not move.
fn without_tests(change: &FileChange) -> FileChange {
    let source = |text: &Option<String>| {
        text.as_deref()
            .and_then(inline::parse)
            .map(|file| file.source())
    };
    if crate::plan::extension(&change.path) != "rs" {
        return change.clone();
    }
    FileChange {
        before: source(&change.before).or_else(|| change.before.clone()),
        after: source(&change.after).or_else(|| change.after.clone()),
        ..change.clone()
    }
}

/// A line without what formatting changes.
fn normal(line: &str) -> String {
    line.replace('\'', "\"").split_whitespace().collect()
}

/// Makes a finding.
pub(crate) fn finding(
    code: &str,
    severity: Severity,
    path: &str,
    line: Option<u32>,
    explanation: impl Into<String>,
) -> Finding {
    Finding {
        code: code.to_owned(),
        path: Some(path.to_owned()),
        line,
        severity,
        explanation: explanation.into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use wayproof_receipt::predicate::Finding;

    use super::Scene;
    use crate::plan::FileChange;
    use crate::plan::role::role_of;

    #[test]
    fn side_by_side_or_not_detectors_say_the_same() {
        let change = |number: usize| FileChange {
            path: format!("tests/test_{number}.py"),
            role: role_of("tests/test_a.py"),
            before: Some("def test_a():\n    assert f() == 1\n".to_owned()),
            after: Some(
                "import pytest\n\n@pytest.mark.skip\ndef test_a():\n    assert True\n".to_owned(),
            ),
            old_blob: Some("1".to_owned()),
            new_blob: Some("2".to_owned()),
        };
        let many: Vec<FileChange> = (0..super::MANY_FILES * 2).map(change).collect();
        let found = |changes: &[FileChange]| {
            super::look(&Scene {
                changes,
                outcomes: &[],
                base_files: &BTreeMap::new(),
                task: "bug-fix",
            })
        };
        let together = found(&many);
        let mut alone: Vec<Finding> = many.chunks(1).flat_map(found).collect();
        assert!(!together.is_empty());
        assert_eq!(together, found(&many));
        let sorted = |mut findings: Vec<Finding>| {
            findings.sort_by_key(|one| (one.code.clone(), one.path.clone(), one.line));
            findings
        };
        alone = sorted(alone);
        assert_eq!(sorted(together), alone);
    }

    /// What a detector says of one edited file.
    pub(crate) fn scene_of(
        task: &str,
        path: &str,
        before: &str,
        after: &str,
        look: fn(&Scene<'_>) -> Vec<Finding>,
    ) -> Vec<Finding> {
        let change = FileChange {
            path: path.to_owned(),
            role: role_of(path),
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            old_blob: Some("1".to_owned()),
            new_blob: Some("2".to_owned()),
        };
        look(&Scene {
            changes: &[change],
            outcomes: &[],
            base_files: &BTreeMap::new(),
            task,
        })
    }
}
