//! Runs tests against planted faults and counts what they notice. The faults are those of the language's own tool where
//! it is installed, and ours otherwise.
//!
//! Faults are planted in the tree itself, one at a time, and taken out again. A fault that does not build, or keeps a
//! file from loading, counts for nothing; so does one under which nothing was heard of the tests.

mod tool;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wayproof_receipt::predicate::{Check, CheckKind, Mutation, MutationScope, Side};

use crate::code::Language;
use crate::compare::is_strong;
use crate::mutate::{Field, Mutant};
use crate::plan::Suite;
use crate::report::{RedReason, TestId};
use crate::request::Step;
use crate::row::Case;
use crate::run::{Host, Seen, Selection, SuiteRun, Tree, Trouble, run_suite};
use crate::sandbox::Limits;
use crate::stopwatch::Stopwatch;

pub(crate) use tool::Faults;

/// What to do with the mutants of one suite.
pub(crate) struct Trial<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// The tree whose source is bent.
    pub tree: &'a Tree,
    /// The tests that have to notice; they pass without a fault.
    pub killers: &'a BTreeSet<TestId>,
    /// Tests that must not notice as well, for a fault to count: those that were there before.
    pub others: &'a BTreeSet<TestId>,
    /// What the faults are taken from.
    pub scope: MutationScope,
    /// How long all of it may take.
    pub budget: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tried {
    /// As the receipt says it.
    pub mutation: Mutation,
    /// How many faults an assertion noticed, and not only a crash.
    pub by_assertion: u64,
    /// Faults that the killers noticed, whether or not others would have.
    pub noticed: u64,
    /// The commands that ran.
    pub checks: Vec<Check>,
}

impl Tried {
    /// The sum of two trials.
    pub(crate) fn and(mut self, other: Self) -> Self {
        let (made, more) = (&mut self.mutation, other.mutation);
        made.generated += more.generated;
        made.viable += more.viable;
        made.caught += more.caught;
        made.timeouts += more.timeouts;
        made.missed.extend(more.missed);
        self.by_assertion += other.by_assertion;
        self.noticed += other.noticed;
        self.checks.extend(other.checks);
        self
    }
}

/// What became of one fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// It does not build, or does not load.
    Unfit,
    /// No test fails.
    Missed,
    /// A test fails; by an assertion or by an exception.
    Noticed { by_assertion: bool },
    /// A test does not come to its end.
    TimedOut,
}

/// What one run may take, with a build and without.
const BUILT_WALL: Duration = Duration::from_secs(90);
const READ_WALL: Duration = Duration::from_secs(20);

/// Makes up to `most` faults in the fields and tries every one, until the budget is used up.
pub(crate) fn run(
    case: &Case<'_>,
    trial: &Trial<'_>,
    fields: &[Field],
    (seed, most): (&str, usize),
) -> Result<Tried, Trouble> {
    let faults = Faults::make(case, trial.suite, fields, (seed, most))?;
    let watch = Stopwatch::start();
    let limits = Limits {
        wall: if trial.suite.ecosystem.is_compiled() {
            BUILT_WALL
        } else {
            READ_WALL
        },
        ..*case.host.limits
    };
    let host = Host {
        limits: &limits,
        ..*case.host
    };
    let mut tried = Tried {
        mutation: Mutation {
            scope: trial.scope,
            tool: faults.tool,
            ..Mutation::default()
        },
        checks: faults.checks,
        ..Tried::default()
    };
    case.progress.step(&Step::Checking {
        what: "whether planted faults are noticed",
    });
    for mutant in &faults.mutants {
        if watch.elapsed() > trial.budget {
            break;
        }
        let Some(place) = own_file(&trial.tree.path, &mutant.path) else {
            continue;
        };
        let was = std::fs::read_to_string(&place).map_err(Trouble::io("read a source file"))?;
        let text = with_copy(&mutant.path, &mutant.text, &was);
        let planted = Planted::new(&host, place, &text)?;
        try_one(&host, trial, mutant, &mut tried)?;
        planted.undo(&host)?;
    }
    Ok(tried)
}

/// A file's text with a copy of its former lines in a comment: who looks for words in it finds them as before.
fn with_copy(path: &str, text: &str, was: &str) -> String {
    let comment = match Language::of(path) {
        Some(Language::Python | Language::Ruby) => "#",
        Some(Language::Php) | None => return text.to_owned(),
        Some(_) => "//",
    };
    let copy: Vec<String> = was
        .lines()
        .map(|line| format!("{comment} {line}"))
        .collect();
    format!("{}\n{}\n", text.trim_end(), copy.join("\n"))
}

/// The tests that fail when nothing but a comment, a copy of its lines, is added to each file.
pub(crate) fn readers(
    case: &Case<'_>,
    suite: &Suite,
    ids: &BTreeSet<TestId>,
    fields: &[Field],
) -> Result<BTreeSet<TestId>, Trouble> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let head = &case.trees.head;
    let mut all = Vec::new();
    for field in fields {
        if let Some(place) = own_file(&head.path, &field.path) {
            let text = with_copy(&field.path, &field.text, &field.text);
            all.push(Planted::new(case.host, place, &text)?);
        }
    }
    let tree = Tree {
        side: Side::Other,
        path: head.path.clone(),
        content: None,
    };
    let run = run_suite(case.host, suite, &tree, Selection::Only(ids));
    for planted in all {
        planted.undo(case.host)?;
    }
    let run = run?;
    let noticed = ids.iter().filter(|id| run.seen(id) != Seen::Green);
    Ok(noticed.cloned().collect())
}

fn try_one(
    host: &Host<'_>,
    trial: &Trial<'_>,
    mutant: &Mutant,
    tried: &mut Tried,
) -> Result<(), Trouble> {
    let tree = Tree {
        side: Side::Other,
        path: trial.tree.path.clone(),
        content: None,
    };
    let mut ask = |ids: &BTreeSet<TestId>| -> Result<Fate, Trouble> {
        let run = match run_suite(host, trial.suite, &tree, Selection::Only(ids)) {
            Ok(run) => run,
            // Without the fault these tests ran on this machine, so it is the fault that keeps them from it.
            Err(Trouble::Infra(_)) => return Ok(Fate::TimedOut),
            Err(other) => return Err(other),
        };
        let fate = fate(&run, ids);
        tried
            .checks
            .extend(run.checks.into_iter().map(|check| Check {
                kind: CheckKind::Mutation,
                ..check
            }));
        Ok(fate)
    };
    let fate = ask(trial.killers)?;
    // Lines that other tests do not reach need no asking; elsewhere another test may notice as well.
    let is_known = match fate {
        Fate::Noticed { .. } if !trial.others.is_empty() => {
            matches!(ask(trial.others)?, Fate::Noticed { .. } | Fate::TimedOut)
        }
        _ => false,
    };
    let made = &mut tried.mutation;
    made.generated += 1;
    match fate {
        Fate::Unfit => {}
        Fate::TimedOut => made.timeouts += 1,
        Fate::Missed => {
            made.viable += 1;
            made.missed.push(mutant.name());
        }
        Fate::Noticed { by_assertion } => {
            made.viable += 1;
            tried.noticed += 1;
            if !is_known {
                made.caught += 1;
                tried.by_assertion += u64::from(by_assertion);
            }
        }
    }
    Ok(())
}

/// What tests that pass without a fault say of it.
fn fate(run: &SuiteRun, killers: &BTreeSet<TestId>) -> Fate {
    let reasons: Vec<Option<RedReason>> = killers
        .iter()
        .map(|id| match run.seen(id) {
            Seen::Red(red) => Some(red.reason),
            Seen::Green => None,
            Seen::Skipped | Seen::Missing => Some(RedReason::Missing),
        })
        .collect();
    let has =
        |wanted: fn(RedReason) -> bool| reasons.iter().flatten().any(|reason| wanted(*reason));
    if has(is_strong) {
        return Fate::Noticed {
            by_assertion: has(|reason| reason == RedReason::Assertion),
        };
    }
    if has(|reason| reason == RedReason::Timeout) {
        return Fate::TimedOut;
    }
    if reasons.iter().all(Option::is_none) && !reasons.is_empty() {
        return Fate::Missed;
    }
    Fate::Unfit
}

/// The place of a file that is the tree's own: not one that a link or a path of dots leads out to.
pub(crate) fn own_file(root: &Path, path: &str) -> Option<PathBuf> {
    let root = root.canonicalize().ok()?;
    let place = root.join(path);
    let is_own = place.canonicalize().ok()? == place && place.starts_with(&root);
    (is_own && place.is_file()).then_some(place)
}

/// Another text in a file's place. What was there comes back, whatever happens.
pub(crate) struct Planted {
    place: PathBuf,
    was: Vec<u8>,
    is_out: bool,
}

impl Planted {
    /// Puts the text there.
    pub(crate) fn new(host: &Host<'_>, place: PathBuf, text: &str) -> Result<Self, Trouble> {
        let was = std::fs::read(&place).map_err(Trouble::io("read a source file"))?;
        let planted = Self {
            place,
            was,
            is_out: false,
        };
        std::fs::write(&planted.place, text).map_err(Trouble::io("plant a fault"))?;
        host.forget_builds()?;
        Ok(planted)
    }

    /// Puts back what was there.
    pub(crate) fn undo(mut self, host: &Host<'_>) -> Result<(), Trouble> {
        std::fs::write(&self.place, &self.was).map_err(Trouble::io("take a planted fault out"))?;
        self.is_out = true;
        host.forget_builds()
    }
}

impl Drop for Planted {
    fn drop(&mut self) {
        if !self.is_out {
            // The proof has failed already; there is nobody left to tell.
            drop(std::fs::write(&self.place, &self.was));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use super::{Fate, fate, own_file};
    use crate::report::{RedReason, Status, TestId};
    use crate::run::{Stop, SuiteRun, plain, red};

    fn said(of: &[(&str, Option<RedReason>)]) -> SuiteRun {
        let mut run = SuiteRun::empty();
        for (id, reason) in of {
            let result = match reason {
                Some(reason) => red(*reason, String::new()),
                None => plain(Status::Passed),
            };
            run.results.insert(TestId::new(*id), result);
        }
        run
    }

    #[rstest]
    #[case::nobody_fails(&[("a", None), ("b", None)], Fate::Missed)]
    #[case::one_asserts(&[("a", None), ("b", Some(RedReason::Assertion))], Fate::Noticed { by_assertion: true })]
    #[case::one_throws(&[("a", None), ("b", Some(RedReason::Exception))], Fate::Noticed { by_assertion: false })]
    #[case::one_hangs(&[("a", None), ("b", Some(RedReason::Timeout))], Fate::TimedOut)]
    #[case::one_is_not_heard_of(&[("a", None)], Fate::Unfit)]
    #[case::nothing_builds(&[("a", Some(RedReason::BuildError)), ("b", Some(RedReason::BuildError))], Fate::Unfit)]
    fn a_fault_counts_only_where_tests_spoke(
        #[case] of: &[(&str, Option<RedReason>)],
        #[case] wanted: Fate,
    ) {
        let killers: BTreeSet<TestId> = ["a", "b"].map(TestId::new).into();
        assert_eq!(fate(&said(of), &killers), wanted);
    }

    #[test]
    fn faults_stay_inside_of_the_tree() {
        let folder = tempfile::TempDir::new().unwrap();
        let tree = folder.path().join("tree");
        std::fs::create_dir_all(tree.join("in")).unwrap();
        std::fs::write(folder.path().join("out.py"), "x = 1\n").unwrap();
        std::fs::write(tree.join("in/own.py"), "x = 1\n").unwrap();
        std::os::unix::fs::symlink("../out.py", tree.join("link.py")).unwrap();
        std::os::unix::fs::symlink("..", tree.join("up")).unwrap();
        assert!(own_file(&tree, "in/own.py").is_some());
        for path in [
            "../out.py",
            "link.py",
            "up/out.py",
            "in/../in/own.py",
            "none.py",
            "in",
        ] {
            assert_eq!(own_file(&tree, path), None, "{path}");
        }
    }

    #[test]
    fn no_tests_notice_nothing() {
        assert_eq!(fate(&said(&[]), &BTreeSet::new()), Fate::Unfit);
        let mut run = SuiteRun::empty();
        let stop = Stop {
            reason: RedReason::BuildError,
            message: String::new(),
            place: None,
        };
        run.stopped.insert(String::new(), stop);
        assert_eq!(fate(&run, &["a"].map(TestId::new).into()), Fate::Unfit);
    }
}
