//! A band of numbers around a test's own, in which a change makes a difference and beside which it makes none. Pure.
//!
//! Such a fix may be right: some rules hold from one number to another. Then its edges are what a test has to ask for.

use std::collections::BTreeSet;
use std::fmt;

use super::vary::decimal;
use crate::code::{Code, Kind};

/// How many numbers above a band have to be without a difference.
const FEWEST_ABOVE: usize = 2;

/// A band, between two numbers that no longer are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// The test's own number.
    own: u64,
    /// The nearest below it at which nothing changed.
    below: u64,
    /// The nearest above it at which nothing changed.
    above: u64,
}

impl fmt::Display for Band {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { own, below, above } = self;
        write!(
            f,
            "it makes a difference at {own} and near it, but none at {below} and below nor at {above} and above"
        )
    }
}

impl Band {
    /// The band around a number, where what was heard of others shows one.
    pub(super) fn around(own: u64, heard: &[(u64, bool)]) -> Option<Self> {
        let side = |is_above: bool| {
            let others = heard.iter().copied();
            let mut side: Vec<(u64, bool)> = others
                .filter(|(other, _)| *other != own && (*other > own) == is_above)
                .collect();
            side.sort_unstable_by_key(|(other, _)| other.abs_diff(own));
            side.dedup_by_key(|(other, _)| *other);
            let inside = side.iter().take_while(|(_, differs)| *differs).count();
            let outside = side.get(inside..).unwrap_or_default();
            let ends = outside.iter().all(|(_, differs)| !differs);
            let first = outside.first().filter(|_| ends).map(|(other, _)| *other);
            first.map(|first| (first, inside, outside.len()))
        };
        let (below, inside_below, _) = side(false)?;
        let (above, inside_above, outside) = side(true)?;
        (inside_below + inside_above > 0 && outside >= FEWEST_ABOVE).then_some(Self {
            own,
            below,
            above,
        })
    }

    /// Whether a file of tests has numbers at both edges where this test has its own.
    pub(super) fn has_asked_edges(&self, path: &str, file: &str, test: &str) -> bool {
        let places: BTreeSet<Place> = numbers(path, test)
            .into_iter()
            .filter(|(_, number)| *number == self.own)
            .map(|(place, _)| place)
            .collect();
        let asked: BTreeSet<u64> = numbers(path, file)
            .into_iter()
            .filter(|(place, _)| places.contains(place))
            .map(|(_, number)| number)
            .collect();
        let is_any = |from: u64, to: u64| asked.range(from..to).next().is_some();
        is_any(self.below, self.own) && is_any(self.own + 1, self.above.saturating_add(1))
    }
}

/// Where a number stands: in the brackets after which word, behind how many commas, and by which name.
type Place = (String, usize, String);

/// Every number of a text with its place.
fn numbers(path: &str, text: &str) -> Vec<(Place, u64)> {
    let Some(code) = Code::read(path, text) else {
        return Vec::new();
    };
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut found = Vec::new();
    for (at, token) in code.tokens.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| code.at(at));
        match (token.kind, token.text) {
            (Kind::Sign, "(" | "[" | "{") => {
                let word = before.filter(|before| before.kind == Kind::Word);
                open.push((word.map_or("", |word| word.text).to_owned(), 0));
            }
            (Kind::Sign, ")" | "]" | "}") => drop(open.pop()),
            (Kind::Sign, ",") => {
                if let Some((_, commas)) = open.last_mut() {
                    *commas += 1;
                }
            }
            (Kind::Number, number) => {
                let is_negative = before.is_some_and(|before| before.is("-"));
                let Some(number) = decimal(number).filter(|_| !is_negative) else {
                    continue;
                };
                let names = before.is_some_and(|sign| sign.is(":") || sign.is("="));
                let name = at.checked_sub(2).and_then(|at| code.at(at));
                let name = name.filter(|_| names).map_or("", |name| name.text);
                let (word, commas) = open.last().cloned().unwrap_or_default();
                found.push(((word, commas, name.to_owned()), number));
            }
            (Kind::Word | Kind::Text | Kind::Sign, _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Band;

    fn heard(of: &[(u64, u8)]) -> Vec<(u64, bool)> {
        of.iter()
            .map(|(other, said)| (*other, *said == 1))
            .collect()
    }

    #[test]
    fn a_difference_that_ends_on_both_sides_is_a_band() {
        let band = Band::around(
            4,
            &heard(&[(1, 0), (2, 0), (3, 1), (5, 1), (6, 0), (8, 0), (12, 0)]),
        );
        assert_eq!(
            band,
            Some(Band {
                own: 4,
                below: 2,
                above: 6
            })
        );
        for open in [
            // To all that is larger, to all that is smaller, everywhere, nowhere else, here and there.
            [(2, 0), (3, 0), (5, 1), (6, 1), (12, 1)],
            [(2, 1), (3, 1), (5, 0), (6, 0), (12, 0)],
            [(2, 1), (3, 1), (5, 1), (6, 1), (12, 1)],
            [(2, 0), (3, 0), (5, 0), (6, 0), (12, 0)],
            [(2, 0), (3, 1), (5, 1), (6, 0), (12, 1)],
        ] {
            assert_eq!(Band::around(4, &heard(&open)), None, "{open:?}");
        }
    }

    #[test]
    fn tests_beside_the_edges_are_found_where_the_number_stands() {
        let band = Band {
            own: 15,
            below: 7,
            above: 25,
        };
        let test = "def test_teen():\n    assert group(15, 2) == 'teen'\n";
        let with = |more: &str| format!("{test}\ndef test_more():\n    {more}\n");
        for (more, is_asked) in [
            (
                "assert group(12, 2) == 'child' and group(20, 2) == 'adult'",
                true,
            ),
            ("assert group(13, 2) == group(19, 2)", true),
            ("assert group(12, 2) == 'child'", false),
            (
                "assert group(3, 12) == 'child' and group(40, 20) == 'adult'",
                false,
            ),
            ("assert other(12, 2) and other(20, 2)", false),
            ("assert group(-12, 2) and group(20, 2)", false),
        ] {
            assert_eq!(
                band.has_asked_edges("t.py", &with(more), test),
                is_asked,
                "{more}"
            );
        }
        let table = "var rows = []row{\n\t{age: 15, want: 1},\n\t{age: 12, want: 2},\n\t{age: 20, want: 3},\n}\n";
        assert!(band.has_asked_edges("t_test.go", table, table));
    }
}
