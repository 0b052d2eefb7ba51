//! Runs new tests again and again: all of them in another order each time, and each file of them alone.
//!
//! A test that reads the clock is given time to disagree with itself.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wayproof_receipt::predicate::{Check, Side};

use crate::plan::Suite;
use crate::report::TestId;
use crate::row::Case;
use crate::run::{Host, Mode, Seen, Selection, Trouble, run_suite};
use crate::runner;
use crate::stopwatch::Stopwatch;

/// How often, where time allows.
const TIMES: u32 = 10;
/// How often at most, for tests that read the clock.
const MOST_TIMES: u32 = 60;
/// Long enough for a second to pass from even to odd and back.
const CLOCK: Duration = Duration::from_millis(3_200);
/// What all of it may take.
const BUDGET: Duration = Duration::from_mins(1);
/// More files than this are not run alone.
const MOST_ALONE: usize = 12;

/// What repeating showed.
#[derive(Default)]
pub(super) struct Repeated {
    /// How often every test was run.
    pub runs: u32,
    /// Tests that did not pass every time.
    pub flaky: BTreeSet<TestId>,
    pub checks: Vec<Check>,
}

/// Repeats tests that passed once.
pub(super) fn repeat(
    case: &Case<'_>,
    suite: &Suite,
    green: &BTreeSet<TestId>,
    texts: &BTreeMap<TestId, String>,
) -> Result<Repeated, Trouble> {
    let watch = Stopwatch::start();
    let mut repeated = Repeated {
        runs: 1,
        ..Repeated::default()
    };
    let reads_clock = texts.values().any(|text| reads_clock(text));
    case.tell(suite, Side::Head, "the new tests alone");
    for group in groups(suite, green).values().take(MOST_ALONE) {
        if watch.elapsed() < BUDGET {
            repeated.once(case, suite, group, Mode::default())?;
        }
    }
    case.tell(suite, Side::Head, "the new tests again, in another order");
    let least = case.runs.head.max(2);
    while repeated.flaky.is_empty() {
        let elapsed = watch.elapsed();
        let is_early = reads_clock && elapsed < CLOCK && repeated.runs < MOST_TIMES;
        let has_time = elapsed < BUDGET;
        if repeated.runs >= least && !(has_time && (repeated.runs < TIMES || is_early)) {
            break;
        }
        let mode = Mode {
            shuffle: Some(repeated.runs),
            ..Mode::default()
        };
        repeated.once(case, suite, green, mode)?;
        repeated.runs += 1;
    }
    Ok(repeated)
}

impl Repeated {
    fn once(
        &mut self,
        case: &Case<'_>,
        suite: &Suite,
        ids: &BTreeSet<TestId>,
        mode: Mode<'_>,
    ) -> Result<(), Trouble> {
        let host = Host { mode, ..*case.host };
        let run = run_suite(&host, suite, &case.trees.head, Selection::Only(ids))?;
        let odd = ids.iter().filter(|id| run.seen(id) != Seen::Green);
        self.flaky.extend(odd.cloned());
        self.checks.extend(run.checks);
        Ok(())
    }
}

/// Tests that stand together: by file, or else by the test they are cases of.
fn groups(suite: &Suite, ids: &BTreeSet<TestId>) -> BTreeMap<String, BTreeSet<TestId>> {
    let mut groups: BTreeMap<String, BTreeSet<TestId>> = BTreeMap::new();
    for id in ids {
        let text = id.as_str();
        let is_file = text.contains("::") || text.contains(" > ");
        let name = if suite.ecosystem.names_files() && is_file {
            runner::file_of(id)
        } else if suite.ecosystem.names_files() {
            // A test of Python's own runner: its class.
            text.rsplit_once('.').map_or(text, |(class, _)| class)
        } else {
            text.split(['/', '[']).take(1).next().unwrap_or(text)
        };
        groups
            .entry(name.to_owned())
            .or_default()
            .insert(id.clone());
    }
    // Where all stand together, the first whole run of them was that already, but beside others.
    groups
}

/// Whether a test asks what time it is, or for chance.
fn reads_clock(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "time.",
        "datetime",
        "Date",
        "now(",
        "Now(",
        "SystemTime",
        "Instant",
        "random",
        "Random",
        "rand.",
        "performance.",
        "hrtime",
        "uuid",
    ];
    WORDS.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{groups, reads_clock};
    use crate::plan::{Ecosystem, Suite};
    use crate::report::TestId;

    fn names(ecosystem: Ecosystem, ids: &[&str]) -> Vec<String> {
        let suite = Suite {
            ecosystem,
            dir: String::new(),
            scripts: Vec::new(),
            command: None,
        };
        let ids = ids.iter().map(|id| TestId::new(*id)).collect();
        groups(&suite, &ids).into_keys().collect()
    }

    #[test]
    fn tests_stand_alone_by_file_class_or_name() {
        let pytest = [
            "tests/test_a.py::test_a",
            "tests/test_a.py::T::test_b",
            "tests/test_b.py::test_c",
        ];
        assert_eq!(
            names(Ecosystem::Python, &pytest),
            ["tests/test_a.py", "tests/test_b.py"]
        );
        assert_eq!(
            names(
                Ecosystem::Python,
                &["tests.test_a.T.test_b", "tests.test_a.T.test_c"]
            ),
            ["tests.test_a.T"]
        );
        assert_eq!(
            names(Ecosystem::JavaScript, &["test/a.test.js > adds > one"]),
            ["test/a.test.js"]
        );
        let go = ["example.org/calc.TestA/one", "example.org/calc.TestA"];
        assert_eq!(
            names(Ecosystem::Go, &go).len(),
            1,
            "{:?}",
            names(Ecosystem::Go, &go)
        );
    }

    #[test]
    fn clocks_and_chance_are_seen() {
        assert!(reads_clock("assert int(time.time()) % 2 == 0"));
        assert!(!reads_clock("assert total([1]) == 1"));
    }
}
