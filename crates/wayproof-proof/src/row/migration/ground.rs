//! What the base can be held against, where only one set of packages is installed: it runs on the new ones too, so that
//! what fails there may not have failed before.

use crate::dependencies::Moves;
use crate::plan::{Ecosystem, Suite};
use crate::row::refactor::{edits_tests, kept_of};
use crate::row::{Outcome, Work};
use crate::run::{Seen, SuiteRun};
use crate::verdict::{self, Judgment};

/// The gap, and the reason of an unproven change.
pub(crate) const UNKNOWN: &str = "BASE_ENVIRONMENT_UNKNOWN";

/// What the suites say about before and after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground {
    /// A test that fails at the head, where nobody can tell whether it failed before.
    pub red: Option<String>,
    /// Whether tests of the base fail, where that may be for want of its packages.
    pub is_blind: bool,
    /// Whether tests that were there read otherwise now.
    pub edits_tests: bool,
    /// How many tests passed before and pass now.
    pub kept: usize,
    /// How many pass now.
    pub greens: usize,
}

impl Ground {
    /// Looks at what ran.
    pub(crate) fn of(work: &Work<'_>, outcomes: &[Outcome], moves: &Moves) -> Self {
        let shares = |suite: &Suite| {
            matches!(
                suite.ecosystem,
                Ecosystem::Python | Ecosystem::JavaScript | Ecosystem::Ruby | Ecosystem::Php
            )
        };
        let is_shared = !moves.said.moved.is_empty() && work.suites.iter().any(shares);
        let heads = || outcomes.iter().filter_map(Outcome::head);
        let bases = || outcomes.iter().map(|outcome| &outcome.observed.base);
        Self {
            red: heads().find_map(red_of).filter(|_| is_shared),
            is_blind: is_shared && bases().any(|base| red_of(base).is_some()),
            edits_tests: work.case.changes.iter().any(edits_tests),
            kept: outcomes.iter().map(kept_of).sum(),
            greens: heads().map(|head| head.greens().len()).sum(),
        }
    }

    /// What the tests show, in words, or why they show nothing.
    pub(crate) fn words(&self) -> Result<String, Judgment> {
        if let Some(red) = &self.red {
            let fact = format!(
                "{red}; whether it failed before cannot be told, as only the new packages are installed"
            );
            return Err(Judgment::unproven(UNKNOWN, fact));
        }
        if self.is_blind && self.edits_tests {
            let fact = "tests were edited, and those of the base cannot be held against that, as only the new packages are installed";
            return Err(Judgment::unproven(UNKNOWN, fact.to_owned()));
        }
        if self.kept > 0 {
            return Ok(format!("{} tests pass as before", self.kept));
        }
        if self.is_blind && self.greens > 0 {
            return Ok(format!("{} tests pass, none of them edited", self.greens));
        }
        let fact = "no test of the base runs, so nothing says that it still does what it did";
        Err(Judgment::unproven("NO_TESTS_RAN", fact.to_owned()))
    }
}

/// Something of a run that is red.
fn red_of(run: &SuiteRun) -> Option<String> {
    let failed = run.results.keys().find_map(|id| match run.seen(id) {
        Seen::Red(red) => Some(format!("{id}: {}", verdict::red_fact(&red))),
        Seen::Green | Seen::Skipped | Seen::Missing => None,
    });
    let mut stops = run.stopped.iter();
    failed.or_else(|| {
        stops
            .next()
            .map(|(scope, stop)| format!("{scope}: {}", stop.message))
    })
}

#[cfg(test)]
mod tests {
    use super::Ground;

    #[test]
    fn a_base_without_its_packages_hides_no_lost_test() {
        let ground = |kept, greens, is_blind, edits_tests| Ground {
            red: None,
            is_blind,
            edits_tests,
            kept,
            greens,
        };
        let gap = |ground: Ground| ground.words().map_err(|judgment| judgment.gaps.concat());
        assert_eq!(
            gap(ground(3, 3, false, true)).unwrap(),
            "3 tests pass as before"
        );
        assert!(gap(ground(0, 3, true, false)).is_ok());
        let unknown = Err("BASE_ENVIRONMENT_UNKNOWN".to_owned());
        assert_eq!(gap(ground(0, 2, true, true)), unknown);
        assert_eq!(gap(ground(2, 2, true, true)), unknown);
        assert_eq!(
            gap(ground(0, 0, true, false)),
            Err("NO_TESTS_RAN".to_owned())
        );
        assert_eq!(
            gap(ground(0, 3, false, false)),
            Err("NO_TESTS_RAN".to_owned())
        );
    }
}
