//! When two names mean the same test. Runners and labels spell one test in many ways:
//! `tests/test_a.py::T::test_b`, `tests.test_a::T::test_b`, `test_b (tests.test_a.T)`.

use std::collections::BTreeSet;

use super::hits::Hits;

type Words = BTreeSet<String>;

/// Compares named tests with the true ones, one to one and every mention: names with the same
/// words first, then names of which one has all the words of the other.
pub(super) fn compare(found: &[String], true_ones: &[String]) -> Hits {
    let all = |names: &[String]| names.iter().map(|name| words(name)).collect();
    matched(all(found), all(true_ones))
}

/// The same, but a name that is mentioned several times counts once on either side.
pub(super) fn compare_distinct(found: &[String], true_ones: &[String]) -> Hits {
    let distinct = |names: &[String]| {
        let distinct: BTreeSet<Words> = names.iter().map(|name| words(name)).collect();
        distinct.into_iter().collect()
    };
    matched(distinct(found), distinct(true_ones))
}

fn matched(found: Vec<Words>, true_ones: Vec<Words>) -> Hits {
    let same: fn(&Words, &Words) -> bool = |one, other| one == other;
    let within: fn(&Words, &Words) -> bool = |one, other| {
        !one.is_empty() && !other.is_empty() && (one.is_subset(other) || other.is_subset(one))
    };
    Hits::matched(found, true_ones, &[same, within])
}

/// The words of a name, without the suffix of a Python file.
fn words(name: &str) -> Words {
    name.replace(".py", " ")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_test_is_known_in_every_spelling() {
        let label = names(&["tests.test_a::T::test_b"]);
        for spelling in [
            "tests/test_a.py::T::test_b",
            "test_b (tests.test_a.T)",
            "T.test_b",
        ] {
            assert!(
                compare(&names(&[spelling]), &label).is_exact(),
                "{spelling}"
            );
        }
        for other in ["T.test_c", "tests/test_a.py::U::test_b", ""] {
            assert_eq!(
                compare(&names(&[other]), &label).recall(),
                Some(0.0),
                "{other}"
            );
        }
    }

    #[test]
    fn mentions_count_unless_told_otherwise() {
        let (once, twice) = (names(&["a.b"]), names(&["a.b", "a.b"]));
        assert_eq!(compare(&once, &twice).recall(), Some(0.5));
        assert_eq!(compare(&twice, &once).precision(), Some(0.5));
        assert!(compare(&twice, &twice).is_exact());
        assert!(compare_distinct(&once, &twice).is_exact());
    }

    #[test]
    fn the_nearer_name_is_taken() {
        let found = names(&["suite adds", "adds"]);
        assert!(compare(&found, &names(&["adds", "suite adds"])).is_exact());
    }
}
