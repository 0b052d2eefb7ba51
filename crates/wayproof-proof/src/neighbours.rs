//! Asks the tests that turned green for other values than their own, by copies of them that run beside them.
//!
//! In one kind of copy a value is another wherever it stands: a fix that is worth its name makes a difference beside
//! the very value of its test as well. In the other a single literal is another: a test that passes whatever stands
//! in it asserts nothing. Neither is a verdict; detectors say what it means. A copy that does not build, or that fails
//! for another reason than an assertion, says nothing.

mod band;
mod vary;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wayproof_receipt::predicate::{Check, CheckKind, Side};

pub(crate) use self::band::Band;
use self::vary::{Altered, copies_of, decimal};
use crate::compare::Compared;
use crate::mutation::{Planted, own_file};
use crate::plan::Suite;
use crate::report::{RedReason, TestId};
use crate::row::Case;
use crate::run::{Host, Seen, Selection, SuiteRun, Tree, Trouble, run_suite};
use crate::sandbox::Limits;
use crate::tree_tests;

/// How many tests are asked.
const MOST_TESTS: usize = 3;
/// What one run of the copies may take.
const WALL: Duration = Duration::from_mins(1);
/// A value says something when so many of its copies did.
const FEWEST: usize = 3;

/// What the copies showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// Tests of which at least one copy said something on both sides.
    pub asked: BTreeSet<TestId>,
    /// Values for which the change makes a difference, and beside which it makes none.
    pub pinned: BTreeMap<TestId, BTreeSet<String>>,
    /// Tests that pass whatever stands in them.
    pub toothless: BTreeSet<TestId>,
    /// Tests for which the change makes a difference in a band of numbers around their own, which nothing asks for
    /// its edges.
    pub banded: BTreeMap<TestId, Band>,
    /// What ran.
    pub checks: Vec<Check>,
}

/// Asks the tests that the change fixed, on the tree without the change and on the one with it.
pub(crate) fn ask(
    case: &Case<'_>,
    suite: &Suite,
    (before, head_tree): (&Tree, &Tree),
    compared: &Compared,
) -> Result<Neighbours, Trouble> {
    let mut found = Neighbours::default();
    if suite.command.is_some() || before.path == head_tree.path {
        return Ok(found);
    }
    let ids: BTreeSet<TestId> = compared
        .fixed
        .iter()
        .map(|fixed| TestId::new(fixed.entry.test_id.clone()))
        .take(MOST_TESTS)
        .collect();
    let copies = copies(suite, head_tree, &ids);
    if copies.is_empty() {
        return Ok(found);
    }
    case.tell(
        suite,
        head_tree.side,
        "the tests that turned green, with other values",
    );
    let limits = Limits {
        wall: WALL.min(case.host.limits.wall),
        ..*case.host.limits
    };
    let host = Host {
        limits: &limits,
        ..*case.host
    };
    let mut runs = Vec::new();
    for tree in [before, head_tree] {
        match run(&host, suite, tree, &copies) {
            Ok(Some(run)) => runs.push(run),
            // A copy that this machine cannot run says nothing of the change.
            Ok(None) | Err(Trouble::Infra(_)) => return Ok(found),
            Err(trouble) => return Err(trouble),
        }
    }
    if let [before, head] = runs.as_slice() {
        found.compare(&copies, before, head);
        found
            .banded
            .retain(|id, band| !is_asked_for_its_edges(suite, head_tree, id, band));
    }
    let checks = runs.into_iter().flat_map(|run| run.checks);
    found.checks = checks
        .map(|check| Check {
            kind: CheckKind::Other,
            side: Side::Other,
            ..check
        })
        .collect();
    Ok(found)
}

/// Whether the file of a test asks for numbers on both sides of a band, where the test itself asks for one inside.
fn is_asked_for_its_edges(suite: &Suite, head: &Tree, id: &TestId, band: &Band) -> bool {
    let found = tree_tests::found(&head.path, suite, &BTreeSet::from([id.clone()]));
    let Some(place) = found.get(id) else {
        return true;
    };
    let file = own_file(&head.path, &place.path);
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    band.has_asked_edges(&place.path, &text.unwrap_or_default(), &place.text)
}

/// Copies of each test whose text is found.
fn copies(suite: &Suite, head: &Tree, ids: &BTreeSet<TestId>) -> Vec<Altered> {
    let found = tree_tests::found(&head.path, suite, ids);
    let mut copies = Vec::new();
    for (id, place) in &found {
        let Some(file) = own_file(&head.path, &place.path) else {
            continue;
        };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        copies.extend(copies_of(id, &place.path, &text, copies.len()));
    }
    copies
}

/// Runs the copies in a tree; nothing where the tests are not in it as well.
fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    copies: &[Altered],
) -> Result<Option<SuiteRun>, Trouble> {
    let mut by_file: BTreeMap<&str, Vec<&Altered>> = BTreeMap::new();
    for copy in copies {
        by_file.entry(&copy.path).or_default().push(copy);
    }
    let mut all = Vec::new();
    for (path, copies) in by_file {
        let Some(place) = own_file(&tree.path, path) else {
            continue;
        };
        let text = std::fs::read_to_string(&place).map_err(Trouble::io("read a test file"))?;
        if let Some(text) = vary::with_copies(&text, &copies) {
            all.push(Planted::new(host, place, &text)?);
        }
    }
    if all.is_empty() {
        return Ok(None);
    }
    let plain = Tree {
        side: Side::Other,
        path: tree.path.clone(),
        content: None,
    };
    let ids: BTreeSet<TestId> = copies.iter().map(|copy| copy.id.clone()).collect();
    let run = run_suite(host, suite, &plain, Selection::Only(&ids));
    for planted in all {
        planted.undo(host)?;
    }
    let mut run = run?;
    // Where a tree stands is no difference between two of them.
    let place = tree.path.to_string_lossy();
    for result in run.results.values_mut() {
        result.message = result.message.replace(place.as_ref(), ".");
    }
    Ok(Some(run))
}

impl Neighbours {
    fn compare(&mut self, copies: &[Altered], before: &SuiteRun, head: &SuiteRun) {
        let mut by_value: BTreeMap<(&TestId, &str), Vec<Option<bool>>> = BTreeMap::new();
        let mut alone: BTreeMap<&TestId, Vec<bool>> = BTreeMap::new();
        let mut numbers: BTreeMap<(&TestId, u64), Vec<(u64, bool)>> = BTreeMap::new();
        for copy in copies {
            let (was, is) = (before.seen(&copy.id), head.seen(&copy.id));
            let differs = differs(&was, &is);
            if let Some(swap) = &copy.swap {
                let said = by_value.entry((&copy.of, swap.was.as_str())).or_default();
                said.push(differs);
                let both = decimal(&swap.was).zip(decimal(&swap.is)).zip(differs);
                if let Some(((own, other), differs)) = both {
                    let said = numbers.entry((&copy.of, own)).or_default();
                    said.push((other, differs));
                }
            } else if matches!(is, Seen::Green | Seen::Red(_)) {
                alone.entry(&copy.of).or_default().push(is == Seen::Green);
            }
            if differs.is_some() {
                self.asked.insert(copy.of.clone());
            }
        }
        for ((id, value), said) in by_value {
            let said: Vec<bool> = said.into_iter().flatten().collect();
            if said.len() >= FEWEST && !said.contains(&true) {
                let values = self.pinned.entry(id.clone()).or_default();
                values.insert(value.to_owned());
            }
        }
        for ((id, own), said) in numbers {
            let band = Band::around(own, &said);
            self.banded.extend(band.map(|band| (id.clone(), band)));
        }
        let toothless = alone
            .into_iter()
            .filter(|(_, greens)| greens.len() >= 2 && greens.iter().all(|green| *green));
        self.toothless = toothless.map(|(id, _)| id.clone()).collect();
    }
}

/// Whether a copy went otherwise with the change; nothing where it did not come to its assertions on both sides.
fn differs(was: &Seen, is: &Seen) -> Option<bool> {
    let said = |seen: &Seen| match seen {
        Seen::Green => Some(None),
        Seen::Red(red) if red.reason == RedReason::Assertion => Some(Some(plain(&red.message))),
        Seen::Red(_) | Seen::Skipped | Seen::Missing => None,
    };
    match (said(was), said(is)) {
        (Some(was), Some(is)) => Some(was != is),
        // One of them came to its end and the other did not: that is a difference, too.
        (None, Some(_)) | (Some(_), None) => matches!(
            (was, is),
            (Seen::Red(_) | Seen::Green, Seen::Red(_) | Seen::Green)
        )
        .then_some(true),
        (None, None) => None,
    }
}

/// A message without addresses and times, which differ from run to run.
fn plain(message: &str) -> String {
    let mut parts = message.split("0x");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |out, part| {
        out + part.trim_start_matches(|c: char| c.is_ascii_hexdigit())
    });
    let words = text.split_whitespace();
    let is_time = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit());
        let rest = word.replace(digits, "");
        !digits.is_empty() && matches!(rest.as_str(), "(" | "(ms)" | "(s)")
    };
    let words: Vec<&str> = words.filter(|word| !is_time(word)).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::vary::Swap;
    use super::{Altered, Neighbours};
    use crate::report::{RedReason, Status, TestId};
    use crate::run::{SuiteRun, plain, red};

    fn copy(number: usize, value: Option<&str>) -> Altered {
        Altered {
            of: TestId::new("t"),
            id: TestId::new(format!("t_{number}")),
            swap: value.map(|was| Swap {
                was: was.to_owned(),
                is: String::new(),
            }),
            path: String::new(),
            name: String::new(),
            lines: Vec::new(),
        }
    }

    fn said(of: &[Option<&str>]) -> SuiteRun {
        let mut run = SuiteRun::empty();
        for (number, message) in of.iter().enumerate() {
            let result = match message {
                None => plain(Status::Passed),
                Some(message) => red(RedReason::Assertion, (*message).to_owned()),
            };
            run.results
                .insert(TestId::new(format!("t_{number}")), result);
        }
        run
    }

    fn judged(value: Option<&str>, before: &[Option<&str>], head: &[Option<&str>]) -> Neighbours {
        let copies: Vec<Altered> = (0..before.len())
            .map(|number| copy(number, value))
            .collect();
        let mut found = Neighbours::default();
        found.compare(&copies, &said(before), &said(head));
        found
    }

    #[test]
    fn a_difference_at_one_value_alone_is_told() {
        let red = [Some("43 == 10"), Some("41 == 10"), Some("52 == 10")];
        assert!(
            judged(Some("42"), &red, &red)
                .pinned
                .contains_key(&TestId::new("t"))
        );
        let one_passes = [Some("43 == 10"), None, Some("52 == 10")];
        assert!(judged(Some("42"), &red, &one_passes).pinned.is_empty());
        let another_answer = [Some("10 == 11"), Some("41 == 10"), Some("52 == 10")];
        assert!(judged(Some("42"), &red, &another_answer).pinned.is_empty());
        assert!(judged(Some("42"), &red[..2], &red[..2]).pinned.is_empty());
    }

    #[test]
    fn a_test_that_passes_whatever_stands_in_it_is_told() {
        let red = [Some("no attribute"), Some("no attribute")];
        assert_eq!(judged(None, &red, &[None, None]).toothless.len(), 1);
        assert!(
            judged(None, &red, &[None, Some("10 == 11")])
                .toothless
                .is_empty()
        );
        assert!(judged(None, &red[..1], &[None]).toothless.is_empty());
    }
}
