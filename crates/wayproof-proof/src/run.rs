//! Runs one suite in one tree and says, id by id, what happened.
//!
//! A result counts only when the runner reported it inside a fresh folder of ours and the run came to its end.
//! What the machine could not do (a missing program, a missing dependency) is trouble, never a red test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde::{Deserialize, Serialize};
use wayproof_receipt::ResourceDescriptor;
use wayproof_receipt::predicate::{Check, CheckKind, CheckLimits, CheckResult, Side};

use crate::kept::{self, KeptChecks};
use crate::machine::Machine;
use crate::plan::{Ecosystem, Suite};
use crate::report::{RedReason, Status, TestId, TestResult};
use crate::runner;
use crate::sandbox::{Confined, Limits, Ran, Sandbox, SandboxError};

/// How a suite is run, beyond which of its tests.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mode<'a> {
    /// In another order each time, where the runner can.
    pub shuffle: Option<u32>,
    /// The folder to put down in which lines were run, where the runner can.
    pub coverage: Option<&'a Path>,
}

/// What every run of a proof shares.
#[derive(Clone, Copy)]
pub(crate) struct Host<'a> {
    /// Where commands run.
    pub sandbox: &'a Sandbox,
    /// Where programs are.
    pub machine: &'a Machine,
    /// What one command may use.
    pub limits: &'a Limits,
    /// The folder of this proof.
    pub scratch: &'a Path,
    /// The repository's own ignored dependency folders, which stay where they are.
    pub dependencies: &'a [PathBuf],
    /// Numbers the output folders.
    pub count: &'a AtomicU64,
    /// What was found out once and holds for every run.
    pub memo: &'a Memo,
    /// How suites are run.
    pub mode: Mode<'a>,
    /// Checks of earlier proofs, where they are kept.
    pub kept: Option<&'a KeptChecks>,
}

/// What holds for every run of a proof: the interpreter, and what each tree's build left.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// The Python that runs the tests.
    pub python: OnceLock<runner::python::Python>,
    /// Built and listed Rust suites by their folder.
    pub rust: Mutex<BTreeMap<PathBuf, Arc<runner::rust::Prepared>>>,
}

/// A tree to run in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tree {
    /// What it is made of.
    pub side: Side,
    /// Where it is.
    pub path: PathBuf,
    /// The digest of what it held before anything ran in it; nothing where that is not known, or no longer so.
    pub content: Option<String>,
}

/// Which tests to run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Selection<'a> {
    /// The whole suite.
    All,
    /// These, and perhaps others of the same file.
    Only(&'a BTreeSet<TestId>),
    /// The tests of these files, where the runner knows files; else the whole suite.
    Files(&'a [String]),
}

/// Why a run could not say anything about the change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// The machine lacks something; one sentence.
    #[error("{0}")]
    Infra(String),
    /// The sandbox failed.
    #[error("the sandbox could not run a check")]
    Sandbox(#[from] SandboxError),
    /// A file of ours failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Trouble {
    /// Wraps a failure of the file system with what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io {
            doing: doing.into(),
            source,
        }
    }
}

/// What stopped a scope (a file, a binary, a package) before its tests could speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    /// What kind of red its tests are.
    pub reason: RedReason,
    /// The first error.
    pub message: String,
    /// Where, as `file:line`.
    pub place: Option<String>,
}

/// What one run of a suite showed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SuiteRun {
    /// The ids that were listed before the run.
    pub planned: BTreeSet<TestId>,
    /// What was reported.
    pub results: BTreeMap<TestId, TestResult>,
    /// Scopes that did not build, load or finish; the scope "" is the whole suite.
    pub stopped: BTreeMap<String, Stop>,
    /// Whether the runner reached its end and said so.
    pub is_complete: bool,
    /// What does not fit together: a forged or truncated report.
    pub problems: Vec<String>,
    /// Whether reports were structured; a bare exit status is not.
    pub is_structured: bool,
    /// The commands that ran.
    pub checks: Vec<Check>,
}

/// What a run says about one id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It passed.
    Green,
    /// It failed.
    Red(Red),
    /// It was skipped, or failed as expected.
    Skipped,
    /// It is not there.
    Missing,
}

/// How a test failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Red {
    /// Why.
    pub reason: RedReason,
    /// In the runner's words.
    pub message: String,
    /// Where, as `file:line`.
    pub place: Option<String>,
}

impl SuiteRun {
    /// A run of nothing, which came to its end.
    pub(crate) fn empty() -> Self {
        Self {
            is_complete: true,
            is_structured: true,
            ..Self::default()
        }
    }

    /// What this run says about one id.
    pub(crate) fn seen(&self, id: &TestId) -> Seen {
        if let Some(result) = self.results.get(id) {
            return match result.status {
                Status::Passed => Seen::Green,
                Status::Skipped | Status::XFail => Seen::Skipped,
                Status::Failed | Status::Error => Seen::Red(Red {
                    reason: result.red.unwrap_or(RedReason::Exception),
                    message: result.message.clone(),
                    place: result.location.as_ref().map(|at| match at.line {
                        Some(line) => format!("{}:{line}", at.file),
                        None => at.file.clone(),
                    }),
                }),
            };
        }
        let stops = self
            .stopped
            .iter()
            .filter(|(scope, _)| runner::is_in(id, scope));
        match stops.max_by_key(|(scope, _)| scope.len()) {
            Some((_, stop)) => Seen::Red(Red {
                reason: stop.reason,
                message: stop.message.clone(),
                place: stop.place.clone(),
            }),
            None => Seen::Missing,
        }
    }

    /// The ids that passed.
    pub(crate) fn greens(&self) -> BTreeSet<TestId> {
        self.results
            .iter()
            .filter(|(_, result)| result.status == Status::Passed)
            .map(|(id, _)| id.clone())
            .collect()
    }
}

/// A result without anything to say.
pub(crate) fn plain(status: Status) -> TestResult {
    TestResult {
        status,
        red: None,
        message: String::new(),
        location: None,
    }
}

/// A failed result.
pub(crate) fn red(reason: RedReason, message: String) -> TestResult {
    TestResult {
        status: Status::Failed,
        red: Some(reason),
        message,
        location: None,
    }
}

/// A command to run in a tree.
pub(crate) struct Command<'a> {
    /// What question it answers.
    pub kind: CheckKind,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Where, inside the tree.
    pub cwd: PathBuf,
    /// Variables beyond the common ones.
    pub env: Vec<(String, String)>,
    /// Folders it may write besides the tree.
    pub writable: Vec<PathBuf>,
    /// Folders it may read besides the toolchains.
    pub readable: Vec<PathBuf>,
    /// The tree it belongs to.
    pub tree: &'a Tree,
}

impl Host<'_> {
    /// Forgets what was built of a tree, after its source was changed.
    pub(crate) fn forget_builds(&self) -> Result<(), Trouble> {
        let died = |_| Trouble::Infra("a thread of the prover died".to_owned());
        self.memo.rust.lock().map_err(died)?.clear();
        Ok(())
    }

    /// A fresh, empty folder for the output of one command.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf, Trouble> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let folder = self.scratch.join("out").join(format!("{number:04}-{name}"));
        std::fs::create_dir_all(&folder).map_err(Trouble::io("make an output folder"))?;
        Ok(folder)
    }

    /// A name for a check that no other of this proof has.
    pub(crate) fn next_check(&self) -> String {
        format!("c{}", self.count.fetch_add(1, Ordering::Relaxed))
    }

    /// A folder of this proof that several commands share, made when missing.
    pub(crate) fn shared(&self, name: &str) -> Result<PathBuf, Trouble> {
        let folder = self.scratch.join(name);
        std::fs::create_dir_all(&folder).map_err(Trouble::io("make a shared folder"))?;
        Ok(folder)
    }

    /// The program of that name, or one sentence about its absence.
    pub(crate) fn program(&self, name: &str, why: &str) -> Result<String, Trouble> {
        let found = self
            .machine
            .find(name)
            .map(|path| path.to_string_lossy().into_owned());
        found.ok_or_else(|| Trouble::Infra(format!("`{name}` is not installed, and {why}")))
    }

    /// Runs a command confined to its tree and records it.
    pub(crate) fn run(&self, command: Command<'_>) -> Result<(Ran, Check), Trouble> {
        let home = self.fresh("home")?;
        let temporary = home.join("tmp");
        std::fs::create_dir_all(&temporary).map_err(Trouble::io("make a temporary folder"))?;
        let mut env = self.environment(&home, &temporary);
        env.extend(command.env);
        let mut writable = command.writable;
        writable.extend([command.tree.path.clone(), home]);
        let mut readable: Vec<PathBuf> = self.machine.readable().into_iter().collect();
        readable.extend(command.readable);
        readable.extend(self.dependencies.iter().cloned());
        let confined = Confined {
            argv: command.argv,
            cwd: command.cwd,
            env,
            writable,
            readable,
            limits: *self.limits,
        };
        let ran = self.sandbox.run(&confined)?;
        let id = self.next_check();
        let inside = confined
            .cwd
            .strip_prefix(&command.tree.path)
            .unwrap_or(Path::new(""));
        let cwd = inside.to_string_lossy().into_owned();
        let check = Check {
            id,
            kind: command.kind,
            side: command.tree.side,
            argv: self.shorten(&confined.argv, command.tree),
            cwd: Some(if cwd.is_empty() { ".".to_owned() } else { cwd }),
            exit_status: ran.exit,
            signal: ran.signal,
            is_complete: ran.exit.is_some() && !ran.is_timed_out,
            limits: Some(limits_of(self.limits)),
            isolation: ran.isolation.clone(),
            result: match (ran.is_timed_out, ran.exit) {
                (true, _) => CheckResult::TimedOut,
                (false, Some(0)) => CheckResult::Passed,
                (false, Some(_)) => CheckResult::Failed,
                (false, None) => CheckResult::Unknown,
            },
            ..Check::default()
        };
        Ok((ran, check))
    }

    /// What every command finds in its environment: toolchains, and nothing of the operator's own.
    fn environment(&self, home: &Path, temporary: &Path) -> BTreeMap<String, String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut env = self.machine.variables.clone();
        env.insert("PATH".to_owned(), self.machine.path_variable(&[]));
        env.insert("HOME".to_owned(), text(home));
        env.insert("TMPDIR".to_owned(), text(temporary));
        let common = [
            ("LANG", "C.UTF-8"),
            ("LC_ALL", "C.UTF-8"),
            ("TZ", "UTC"),
            ("CI", "true"),
            ("NO_COLOR", "1"),
            ("TERM", "dumb"),
        ];
        env.extend(common.map(|(name, value)| (name.to_owned(), value.to_owned())));
        env
    }

    /// A command without the places of this machine.
    pub(crate) fn shorten(&self, argv: &[String], tree: &Tree) -> Vec<String> {
        let tree = tree.path.to_string_lossy().into_owned();
        let scratch = self.scratch.to_string_lossy().into_owned();
        let place = |word: &String| word.replace(&tree, ".").replace(&scratch, "$SCRATCH");
        let mut argv: Vec<String> = argv.iter().map(place).collect();
        if let Some(program) = argv.first_mut() {
            *program = program.rsplit('/').next().unwrap_or_default().to_owned();
        }
        argv
    }
}

fn limits_of(limits: &Limits) -> CheckLimits {
    CheckLimits {
        wall_seconds: Some(limits.wall.as_secs()),
        cpu_seconds: Some(limits.cpu_s),
        memory_bytes: Some(limits.memory_bytes),
        processes: Some(limits.processes),
        output_bytes: u64::try_from(limits.output_bytes).ok(),
    }
}

/// A report as the receipt points to it.
pub(crate) fn report(media_type: &str, bytes: &[u8]) -> ResourceDescriptor {
    let digest = wayproof_receipt::sha256_hex(bytes);
    ResourceDescriptor {
        media_type: Some(media_type.to_owned()),
        ..ResourceDescriptor::digest("sha256", &digest)
    }
}

/// Runs a suite, or part of it, in a tree; or takes over what the same run showed earlier.
pub(crate) fn run_suite(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    // Which lines were run is written beside the results, and kept with them by who asks for it.
    if host.mode.coverage.is_some() {
        return run_now(host, suite, tree, selection);
    }
    let what = format!("suite {suite:?} {selection:?} {:?}", host.mode.shuffle);
    kept::or_run(host, tree, &what, || run_now(host, suite, tree, selection))
}

/// Why tests have no result, where the sandbox ended a run.
fn ended_by_force(checks: &[Check]) -> Option<(RedReason, &'static str)> {
    const KILLED: i32 = 9;
    checks.iter().find_map(|check| match check.result {
        CheckResult::TimedOut => {
            Some((RedReason::Timeout, "it had no result when the time ran out"))
        }
        _ if check.signal == Some(KILLED) => Some((
            RedReason::Crash,
            "it had no result when the run was killed, as it is at a limit of the sandbox",
        )),
        _ => None,
    })
}

fn run_now(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    if let Some(argv) = &suite.command {
        return runner::program::run(host, argv, tree.path.join(&suite.dir), tree);
    }
    let mut run = match suite.ecosystem {
        Ecosystem::Rust => runner::rust::run(host, suite, tree, selection),
        Ecosystem::Python => runner::python::run(host, suite, tree, selection),
        Ecosystem::JavaScript => runner::javascript::run(host, suite, tree, selection),
        Ecosystem::Go => runner::go::run(host, suite, tree, selection),
        Ecosystem::Ruby => runner::ruby::run(host, suite, tree, selection),
        Ecosystem::Php => runner::php::run(host, suite, tree, selection),
        Ecosystem::Java => runner::java::run(host, suite, tree, selection),
        Ecosystem::C => runner::cmake::run(host, suite, tree, selection),
    }?;
    let is_unreported =
        |id: &&TestId| !run.results.contains_key(*id) && run.seen(id) == Seen::Missing;
    let unreported: Vec<String> = run
        .planned
        .iter()
        .filter(is_unreported)
        .map(ToString::to_string)
        .collect();
    if let Some((reason, message)) = ended_by_force(&run.checks) {
        for id in unreported {
            run.results
                .insert(TestId::new(id), red(reason, message.to_owned()));
        }
    } else if let Some(first) = unreported.first() {
        run.problems.push(format!(
            "{} planned tests were never reported, the first is {first}",
            unreported.len()
        ));
    }
    Ok(run)
}
