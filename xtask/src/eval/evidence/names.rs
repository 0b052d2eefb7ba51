//! When two names mean the same test. Runners and labels spell one test in many ways:
//! `tests/test_a.py::T::test_b`, `tests.test_a::T::test_b`, `test_b (tests.test_a.T)`.
//! A test that is named twice, by a retry or by a second runner, is one test on either side.

use std::collections::BTreeSet;

use super::Hits;

/// Compares named tests with the true ones, one to one: names with the same words first, then
/// names of which one has all the words of the other. A name that is repeated counts once.
pub(super) fn compare(found: &[String], true_ones: &[String]) -> Hits {
    matched(distinct(found), distinct(true_ones))
}

/// The same, but every repetition of a name counts.
pub(super) fn compare_repeats(found: &[String], true_ones: &[String]) -> Hits {
    let all = |names: &[String]| names.iter().map(|name| words(name)).collect();
    matched(all(found), all(true_ones))
}

fn matched(mut left: Vec<BTreeSet<String>>, mut open: Vec<BTreeSet<String>>) -> Hits {
    let (found, true_ones) = (left.len(), open.len());
    let mut both = 0;
    let same: fn(&BTreeSet<String>, &BTreeSet<String>) -> bool = |a, b| a == b;
    let within: fn(&BTreeSet<String>, &BTreeSet<String>) -> bool =
        |a, b| !a.is_empty() && !b.is_empty() && (a.is_subset(b) || b.is_subset(a));
    for is_match in [same, within] {
        open.retain(|name| {
            let Some(at) = left.iter().position(|other| is_match(name, other)) else {
                return true;
            };
            left.swap_remove(at);
            both += 1;
            false
        });
    }
    Hits {
        found,
        true_ones,
        both,
    }
}

/// The words of each name, every name once.
fn distinct(names: &[String]) -> Vec<BTreeSet<String>> {
    let distinct: BTreeSet<_> = names.iter().map(|name| words(name)).collect();
    distinct.into_iter().collect()
}

/// The words of a name, without the suffix of a Python file.
fn words(name: &str) -> BTreeSet<String> {
    name.replace(".py", " ")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
