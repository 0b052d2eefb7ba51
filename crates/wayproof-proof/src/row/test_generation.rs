//! The procedure for new tests: they run, give the same result every time and in any order, reach code that was not
//! reached, and notice faults that are planted there and that nothing noticed before.
//!
//! Green tests are no evidence by themselves, and neither is coverage: a test that asserts nothing has both.

mod judge;
mod repeat;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use wayproof_receipt::predicate::{Check, Coverage, Flake, MutationScope, Oracle};

use self::judge::{Reach, Shown};
use super::{Outcome, Work, bug_fix};
use crate::checkout::changes_source;
use crate::code::Code;
use crate::compare;
use crate::coverage::{self, Lines};
use crate::mutate::Field;
use crate::mutation::{self, Trial, Tried, own_file};
use crate::plan::role::role_of;
use crate::plan::{FileChange, Role, Suite, inline, join};
use crate::prove::{Evidence, checks_of};
use crate::report::TestId;
use crate::run::{Seen, Selection, SuiteRun, Trouble};
use crate::runner::node_files::walk;
use crate::test_text::{Strength, TestText, tests_in};

/// How many faults are planted, and for how long.
const MUTANTS: usize = 12;
const BUDGET: Duration = Duration::from_mins(2);
/// More source files than this are not read for places to plant faults.
const MOST_FILES: usize = 400;

/// The new tests of one suite and what they showed.
struct Found<'a> {
    suite: &'a Suite,
    outcome: Outcome,
    /// Tests the base does not have, or that read otherwise now.
    new: BTreeSet<TestId>,
    /// Of those, tests that passed in the first run.
    green: BTreeSet<TestId>,
}

/// Runs the new tests and judges them.
pub(crate) fn gather(work: &Work<'_>) -> Result<Evidence, Trouble> {
    let changes = work.case.changes;
    let all = find(work)?;
    let mut seen = Gathered::default();
    // What is refused anyway is refused at once.
    if !changes_product(changes) && !all.iter().any(Found::is_bad) {
        for found in all.iter().filter(|found| !found.green.is_empty()) {
            seen.add(work, found)?;
        }
    }
    let of_suites = all.iter().flat_map(|found| checks_of(&found.outcome));
    let checks = of_suites.chain(std::mem::take(&mut seen.checks)).collect();
    let new: BTreeSet<TestId> = all.iter().flat_map(|found| found.new.clone()).collect();
    let skipped = all.iter().flat_map(Found::skipped).collect();
    let outcomes: Vec<Outcome> = all.into_iter().map(|found| found.outcome).collect();
    let findings = bug_fix::findings(work, &outcomes);
    let oracle = oracle(&new, changes);
    let judgment = judge::judge(&Shown {
        outcomes: &outcomes,
        findings: &findings,
        changes_product: changes_product(changes),
        new: &new,
        skipped: &skipped,
        flaky: &seen.flaky,
        readers: &seen.readers,
        oracle: &oracle,
        reach: seen.reach,
        coverage: seen.coverage.as_ref(),
        min_coverage: work.request.min_coverage,
        tried: seen.tried.as_ref(),
    });
    let flake = Flake {
        disagreements: seen.flaky.iter().map(ToString::to_string).collect(),
        ..compare::flake(seen.runs, &BTreeSet::new())
    };
    Ok(Evidence {
        checks,
        outcomes,
        findings,
        mutation: seen.tried.map(|tried| tried.mutation),
        coverage: seen.coverage,
        oracle: Some(oracle),
        flake: Some(flake).filter(|flake| flake.runs > 0),
        ..Evidence::of(judgment)
    })
}

/// Runs every suite on both sides and finds the tests that are new.
fn find<'a>(work: &'a Work<'_>) -> Result<Vec<Found<'a>>, Trouble> {
    let mut all = Vec::new();
    for suite in work.suites {
        let outcome = bug_fix::kept(&work.case, suite)?;
        let new = new_tests(&outcome, work.case.changes);
        let greens = outcome.head().map(SuiteRun::greens).unwrap_or_default();
        let green = new.intersection(&greens).cloned().collect();
        all.push(Found {
            suite,
            outcome,
            new,
            green,
        });
    }
    if all.iter().any(|found| found.outcome.has_tests()) {
        all.retain(|found| found.outcome.has_tests());
    }
    Ok(all)
}

impl Found<'_> {
    /// Whether a test was lost, or a new one fails.
    fn is_bad(&self) -> bool {
        let is_red = |head: &SuiteRun| {
            let mut new = self.new.iter();
            new.any(|id| matches!(head.seen(id), Seen::Red(_)))
        };
        let mut lost = self.outcome.lost.iter();
        lost.any(|lost| !lost.is_replaced) || self.outcome.head().is_some_and(is_red)
    }

    /// New tests that are there and did not run.
    fn skipped(&self) -> BTreeSet<TestId> {
        let Some(head) = self.outcome.head() else {
            return BTreeSet::new();
        };
        let new = self.new.iter().filter(|id| head.seen(id) == Seen::Skipped);
        new.cloned().collect()
    }

    /// The tests that were there before and pass now as then.
    fn old(&self) -> BTreeSet<TestId> {
        let greens = self
            .outcome
            .head()
            .map(SuiteRun::greens)
            .unwrap_or_default();
        let old = self.outcome.observed.base.greens();
        let old = old
            .intersection(&greens)
            .filter(|id| !self.new.contains(*id));
        old.cloned().collect()
    }
}

/// What was gathered over all suites.
#[derive(Default)]
struct Gathered {
    runs: u32,
    flaky: BTreeSet<TestId>,
    /// Tests that look at the text of what they test.
    readers: BTreeSet<TestId>,
    reach: Reach,
    coverage: Option<Coverage>,
    tried: Option<Tried>,
    checks: Vec<Check>,
}

impl Gathered {
    fn add(&mut self, work: &Work<'_>, found: &Found<'_>) -> Result<(), Trouble> {
        let texts = texts_of(&found.green, work.case.changes);
        let repeated = repeat::repeat(&work.case, found.suite, &found.green, &texts)?;
        self.runs = if self.runs == 0 {
            repeated.runs
        } else {
            self.runs.min(repeated.runs)
        };
        self.checks.extend(repeated.checks);
        let is_flaky = !repeated.flaky.is_empty();
        self.flaky.extend(repeated.flaky);
        // A test that disagrees with itself notices faults that are not there.
        if is_flaky {
            return Ok(());
        }
        let (fields, scope) = self.measure(work, found, &texts)?;
        let mut asserting = found.green.clone();
        asserting.retain(|id| asserts(texts.get(id).map(String::as_str)));
        let readers = self.readers_among(work, found, &asserting, &fields)?;
        asserting.retain(|id| !readers.contains(id));
        if asserting.is_empty() {
            return Ok(());
        }
        let old = match scope {
            MutationScope::CoverageDelta => BTreeSet::new(),
            _ => found.old(),
        };
        let trial = Trial {
            suite: found.suite,
            tree: &work.case.trees.head,
            killers: &asserting,
            others: &old,
            scope,
            budget: BUDGET,
        };
        let tried = mutation::run(&work.case, &trial, &fields, (&work.seed(), MUTANTS))?;
        self.checks.extend(tried.checks.clone());
        self.tried = Some(match self.tried.take() {
            Some(before) => before.and(tried),
            None => tried,
        });
        Ok(())
    }

    /// Tests that notice a comment: they tell by the text of the source, and not by what the code does.
    fn readers_among(
        &mut self,
        work: &Work<'_>,
        found: &Found<'_>,
        asserting: &BTreeSet<TestId>,
        fields: &[Field],
    ) -> Result<BTreeSet<TestId>, Trouble> {
        let changes = work
            .case
            .changes
            .iter()
            .filter(|change| holds_tests(change));
        let mut texts = changes.filter_map(|change| change.after.as_deref());
        let readers = if texts.any(inspects) {
            asserting.clone()
        } else {
            mutation::readers(&work.case, found.suite, asserting, fields)?
        };
        self.readers.extend(readers.iter().cloned());
        Ok(readers)
    }

    /// Where the new tests reach, and so where faults are worth planting.
    fn measure(
        &mut self,
        work: &Work<'_>,
        found: &Found<'_>,
        texts: &BTreeMap<TestId, String>,
    ) -> Result<(Vec<Field>, MutationScope), Trouble> {
        let case = &work.case;
        let (suite, head) = (found.suite, &case.trees.head);
        let with = coverage::measure(case.host, suite, head, Selection::Only(&found.green))?;
        let without = match &with {
            Some(_) => coverage::measure(case.host, suite, &case.trees.base, Selection::All)?,
            None => None,
        };
        let (Some((with, more)), Some((without, other))) = (with, without) else {
            self.reach = self.reach.max(Reach::Unmeasured);
            return Ok((plausible(work, suite, texts), MutationScope::Reached));
        };
        self.checks.extend(more);
        self.checks.extend(other);
        let delta = with.beyond(&without);
        self.coverage = Some(covered(self.coverage.take(), &with, &without, &delta));
        let (lines, scope, reach) = if !delta.is_empty() {
            (delta, MutationScope::CoverageDelta, Reach::New)
        } else if with.hit.values().any(|lines| !lines.is_empty()) {
            (with.hit.clone(), MutationScope::Reached, Reach::Known)
        } else {
            (BTreeMap::new(), MutationScope::Reached, Reach::Nothing)
        };
        self.reach = self.reach.max(reach);
        let field = |(path, lines): (String, BTreeSet<u32>)| {
            let text = std::fs::read_to_string(own_file(&head.path, &path)?).ok()?;
            Some(Field {
                path,
                text,
                lines: Some(lines),
            })
        };
        Ok((lines.into_iter().filter_map(field).collect(), scope))
    }
}

/// The share of the code they reach that the new tests run together with the old ones.
fn covered(
    before: Option<Coverage>,
    with: &Lines,
    without: &Lines,
    delta: &BTreeMap<String, BTreeSet<u32>>,
) -> Coverage {
    let mut coverage = before.unwrap_or_else(|| Coverage {
        format: "wayproof-lines".to_owned(),
        delta_vs_base: Some(0),
        ..Coverage::default()
    });
    let none = BTreeSet::new();
    for (path, lines) in with.hit.iter().filter(|(_, lines)| !lines.is_empty()) {
        let known = with.known.get(path).unwrap_or(&none);
        let old = without.hit.get(path).unwrap_or(&none);
        coverage.changed_lines += known.len() as u64;
        coverage.covered_lines += known
            .iter()
            .filter(|line| lines.contains(line) || old.contains(line))
            .count() as u64;
    }
    let more: usize = delta.values().map(BTreeSet::len).sum();
    let total = coverage.delta_vs_base.unwrap_or_default();
    coverage.delta_vs_base = Some(total.saturating_add(i64::try_from(more).unwrap_or(i64::MAX)));
    coverage
}

/// Where coverage is not told: the functions whose names the new tests speak, else all source of the suite.
fn plausible(work: &Work<'_>, suite: &Suite, texts: &BTreeMap<TestId, String>) -> Vec<Field> {
    let root = &work.case.trees.head.path;
    let words: BTreeSet<&str> = texts
        .values()
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_'))
        .collect();
    let wanted = suite.ecosystem.extensions();
    let paths = walk(&root.join(&suite.dir))
        .into_iter()
        .map(|path| join(&suite.dir, &path));
    let sources = paths.filter(|path| {
        wanted.contains(&crate::plan::extension(path)) && role_of(path) == Role::Source
    });
    let fields = sources.take(MOST_FILES).filter_map(|path| {
        let text = std::fs::read_to_string(own_file(root, &path)?).ok()?;
        Some(Field {
            path,
            text,
            lines: None,
        })
    });
    let fields: Vec<Field> = fields.collect();
    let named: Vec<Field> = fields
        .iter()
        .filter_map(|field| named(field, &words))
        .collect();
    if named.is_empty() { fields } else { named }
}

/// The lines of a file's functions whose names are spoken.
fn named(field: &Field, words: &BTreeSet<&str>) -> Option<Field> {
    let code = Code::read(&field.path, &field.text)?;
    let mut lines = BTreeSet::new();
    for function in code.functions() {
        let tokens = code.slice(&function.body);
        if let (true, Some(first), Some(last)) =
            (words.contains(function.name), tokens.first(), tokens.last())
        {
            lines.extend(first.line..=last.line);
        }
    }
    (!lines.is_empty()).then(|| Field {
        lines: Some(lines),
        ..field.clone()
    })
}

/// Whether the change touches what is not tests: source, or data beside it. Words for people are neither.
fn changes_product(changes: &[FileChange]) -> bool {
    let is_prose = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
        matches!(crate::plan::extension(&name), "md" | "rst" | "adoc" | "txt")
            || matches!(
                name.as_str(),
                ".gitignore" | ".gitattributes" | "license" | "changelog"
            )
    };
    changes
        .iter()
        .any(|change| changes_source(change) && !is_prose(&change.path))
}

/// Tests of the head that the base does not have, and those of changed files that read otherwise now.
fn new_tests(outcome: &Outcome, changes: &[FileChange]) -> BTreeSet<TestId> {
    let base = &outcome.observed.base;
    let Some(head) = outcome.head() else {
        return BTreeSet::new();
    };
    let ids = head.planned.iter().chain(head.results.keys());
    let rewritten: Vec<FileChange> = changes
        .iter()
        .filter(|change| holds_tests(change) && change.before.is_some())
        .cloned()
        .collect();
    let is_rewritten = |id: &TestId| {
        rewritten.iter().any(|change| {
            let body = |text: &Option<String>| {
                let tests = tests_in(text.as_deref()?);
                tests
                    .iter()
                    .rev()
                    .find(|test| test.is_named_by(id))
                    .map(TestText::body)
            };
            let (was, now) = (body(&change.before), body(&change.after));
            was.is_some() && now.is_some() && was != now
        })
    };
    ids.filter(|id| {
        let is_known = base.results.contains_key(*id) || base.planned.contains(*id);
        !is_known && base.seen(id) == Seen::Missing || is_rewritten(id)
    })
    .cloned()
    .collect()
}

fn holds_tests(change: &FileChange) -> bool {
    change.role == Role::Test
        || change.role == Role::Source
            && crate::plan::extension(&change.path) == "rs"
            && change
                .after
                .as_deref()
                .and_then(inline::parse)
                .is_some_and(|file| !file.tests().is_empty())
}

/// The text of new tests, where it is found in the change.
fn texts_of(ids: &BTreeSet<TestId>, changes: &[FileChange]) -> BTreeMap<TestId, String> {
    let mut found = BTreeMap::new();
    for change in changes.iter().filter(|change| holds_tests(change)) {
        let Some(text) = change.after.as_deref() else {
            continue;
        };
        let tests = tests_in(text);
        for id in ids {
            let test = tests.iter().rev().find(|test| test.is_named_by(id));
            // Of two files with a test of that name, the one the id names counts.
            if let Some(test) = test.filter(|_| {
                !found.contains_key(id) || change.path.ends_with(crate::runner::file_of(id))
            }) {
                found.insert(id.clone(), test.lines.join("\n"));
            }
        }
    }
    found
}

/// Whether a test looks at how code is written or was translated.
fn inspects(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "getsource",
        "__code__",
        "co_code",
        "co_consts",
        "include_str!(\"../src",
    ];
    WORDS.iter().any(|word| text.contains(word))
}

/// Whether a test can fail by what it asserts. One whose text is not found is taken at its word.
fn asserts(text: Option<&str>) -> bool {
    let strength = text.and_then(|text| tests_in(text).first().map(Strength::of));
    strength.is_none_or(|strength| !strength.is_empty() || strength.has_helper)
}

/// How strongly the new tests assert.
fn oracle(new: &BTreeSet<TestId>, changes: &[FileChange]) -> Oracle {
    let texts = texts_of(new, changes);
    let mut oracle = Oracle::default();
    for (id, text) in &texts {
        let Some(strength) = tests_in(text).first().map(Strength::of) else {
            continue;
        };
        oracle.tests += 1;
        if strength.is_empty() && !strength.has_helper {
            oracle.none.push(id.to_string());
        } else if strength.exact.is_empty() && !strength.has_helper {
            oracle.weak.push(id.to_string());
        }
    }
    oracle
}

#[cfg(test)]
mod tests {
    use super::{asserts, inspects};

    #[test]
    fn tests_that_look_at_how_code_is_written_are_told() {
        assert!(inspects("assert 'x' in inspect.getsource(shop)"));
        assert!(inspects("assert shop.total.__code__.co_argcount == 2"));
        assert!(!inspects("assert shop.total([open('a.csv')]) == 1"));
    }

    #[test]
    fn what_cannot_fail_notices_nothing() {
        assert!(!asserts(Some("def test_a():\n    shop.total([1])\n")));
        assert!(asserts(Some(
            "def test_a():\n    assert shop.total([1]) == 1\n"
        )));
        assert!(asserts(None));
    }
}
