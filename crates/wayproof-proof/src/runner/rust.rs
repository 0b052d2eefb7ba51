//! Cargo packages: built once a tree, then run by nextest (a process a test), or binary by binary without it.
//!
//! Documentation tests are not run: they come and go with the source, so they cannot be told from it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wayproof_receipt::predicate::CheckKind;

use super::cache;
use super::cargo_output::{Built, Listed, missing_dependency, read_build, read_list};
use crate::plan::Suite;
use crate::report::{
    CompileFormat, JunitDialect, RedReason, Status, TestFormat, TestId, TestResult, read_tests,
};
use crate::run::{Command, Host, Selection, Stop, SuiteRun, Tree, Trouble, plain, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

const PROFILE: &str = "[profile.wayproof]\nfail-fast = false\nretries = 0\nsuccess-output = \"never\"\nfailure-output = \"never\"\n\
slow-timeout = { period = \"60s\", terminate-after = 2 }\n[profile.wayproof.junit]\npath = \"@JUNIT@\"\n";

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let cargo = host.program("cargo", "the change needs it to build")?;
    let cwd = tree.path.join(&suite.dir);
    let rust = Rust {
        host,
        tree,
        cargo,
        cwd,
        target: target_of(host, suite, tree)?,
        home: cache::cargo_home(host, tree)?,
    };
    let mut run = SuiteRun {
        is_structured: true,
        ..SuiteRun::default()
    };
    let prepared = rust.prepare(&mut run)?;
    if prepared.built.binaries.is_empty() {
        run.stopped = prepared.built.stopped.clone();
        run.is_complete = true;
        return Ok(run);
    }
    match &prepared.listed {
        Some(listed) => rust.nextest(&prepared.targets(), listed, selection, &mut run)?,
        None => rust.libtest(&prepared.built, selection, &mut run)?,
    }
    run.stopped.extend(prepared.built.stopped.clone());
    Ok(run)
}

/// A tree that was built, and listed by nextest where that is installed.
#[derive(Debug)]
pub(crate) struct Prepared {
    built: Built,
    listed: Option<(Listed, BTreeSet<TestId>)>,
}

impl Prepared {
    /// What to tell cargo to take: everything, or just what builds.
    fn targets(&self) -> Vec<String> {
        if self.built.stopped.is_empty() {
            return ["--workspace", "--tests"].map(str::to_owned).into();
        }
        self.built
            .binaries
            .iter()
            .flat_map(|binary| binary.flags.clone())
            .collect()
    }
}

/// How to typecheck the packages.
pub(crate) fn checker(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<Checker, Trouble> {
    let cargo = host.program("cargo", "the change needs it to build")?;
    let cwd = tree.path.join(&suite.dir);
    let rust = Rust {
        host,
        tree,
        cargo: cargo.clone(),
        cwd,
        target: target_of(host, suite, tree)?,
        home: cache::cargo_home(host, tree)?,
    };
    let options = [
        "check",
        "--workspace",
        "--all-targets",
        "--message-format=json",
    ];
    let argv = std::iter::once(cargo)
        .chain(options.map(str::to_owned))
        .collect();
    let command = rust.command(CheckKind::Typecheck, argv, Vec::new());
    let Command {
        argv,
        env,
        writable,
        readable,
        ..
    } = command;
    Ok(Checker {
        argv,
        env,
        writable,
        readable,
        format: Some(CompileFormat::Cargo),
    })
}

/// How to build everything with nothing left over from earlier builds, exactly as the lock file says where there is
/// one; with the folder it is built in.
pub(crate) fn builder(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
) -> Result<(Checker, PathBuf), Trouble> {
    let target = cache::folder(host, tree, "clean-target", &BTreeSet::new())?;
    let mut checker = checker(host, suite, tree)?;
    let is_locked = tree.path.join(&suite.dir).join("Cargo.lock").exists();
    let cargo = checker.argv.first().cloned().unwrap_or_default();
    checker.argv = vec![cargo];
    checker
        .argv
        .extend(["build", "--workspace", "--message-format=json"].map(str::to_owned));
    checker
        .argv
        .extend(is_locked.then(|| "--locked".to_owned()));
    checker.env.retain(|(name, _)| name != "CARGO_TARGET_DIR");
    checker.env.push((
        "CARGO_TARGET_DIR".to_owned(),
        target.to_string_lossy().into_owned(),
    ));
    checker.writable.push(target.clone());
    Ok((checker, target))
}

struct Rust<'a> {
    host: &'a Host<'a>,
    tree: &'a Tree,
    cargo: String,
    cwd: PathBuf,
    target: PathBuf,
    home: PathBuf,
}

/// The tree's own target folder, without what the suite's own packages left in the base's.
fn target_of(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<PathBuf, Trouble> {
    let own = own_packages(&tree.path.join(&suite.dir));
    cache::folder(host, tree, "target", &own)
}

/// Every package and target name the manifests below mention, and the names of test files.
fn own_packages(root: &Path) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for file in super::node_files::walk(root) {
        let name = file.rsplit('/').next().unwrap_or(&file);
        if name == "Cargo.toml" {
            let text = std::fs::read_to_string(root.join(&file)).unwrap_or_default();
            let values = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix("name"));
            own.extend(values.filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned())));
        } else if let Some(stem) = name.strip_suffix(".rs") {
            own.insert(stem.to_owned());
        }
    }
    own
}

impl Rust<'_> {
    fn command(&self, kind: CheckKind, argv: Vec<String>, out: Vec<PathBuf>) -> Command<'_> {
        let mut env: Vec<(String, String)> = [
            ("CARGO_NET_OFFLINE", "true"),
            ("CARGO_INCREMENTAL", "0"),
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_PROFILE_DEV_DEBUG", "0"),
            ("CARGO_PROFILE_TEST_DEBUG", "0"),
            ("RUSTC_WRAPPER", ""),
            ("RUSTC_WORKSPACE_WRAPPER", ""),
            ("RUST_BACKTRACE", "0"),
            ("INSTA_UPDATE", "no"),
            ("INSTA_FORCE_PASS", "0"),
            ("NEXTEST_NO_INPUT_HANDLER", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        env.push((
            "CARGO_HOME".to_owned(),
            self.home.to_string_lossy().into_owned(),
        ));
        env.push((
            "CARGO_TARGET_DIR".to_owned(),
            self.target.to_string_lossy().into_owned(),
        ));
        let rustup = self.host.machine.folder("RUSTUP_HOME", ".rustup");
        env.push((
            "RUSTUP_HOME".to_owned(),
            rustup.to_string_lossy().into_owned(),
        ));
        let mut writable = out;
        writable.extend([self.target.clone(), self.home.clone()]);
        let readable = vec![
            self.host
                .machine
                .folder("CARGO_HOME", ".cargo")
                .join("registry"),
            rustup,
        ];
        Command {
            kind,
            argv,
            cwd: self.cwd.clone(),
            env,
            writable,
            readable,
            tree: self.tree,
        }
    }

    /// Builds and lists, once a tree.
    fn prepare(&self, run: &mut SuiteRun) -> Result<Arc<Prepared>, Trouble> {
        let broken = |_| Trouble::Infra("a thread of the prover died".to_owned());
        let known = self
            .host
            .memo
            .rust
            .lock()
            .map_err(broken)?
            .get(&self.cwd)
            .cloned();
        if let Some(prepared) = known {
            return Ok(prepared);
        }
        let mut prepared = Prepared {
            built: self.build(run)?,
            listed: None,
        };
        if self.host.machine.find("cargo-nextest").is_some() && !prepared.built.binaries.is_empty()
        {
            let mut argv = vec![self.cargo.clone(), "nextest".to_owned(), "list".to_owned()];
            argv.extend(prepared.targets());
            argv.extend(["--message-format", "json"].map(str::to_owned));
            let (listed, _) = self
                .host
                .run(self.command(CheckKind::Other, argv, Vec::new()))?;
            prepared.listed = Some(read_list(&listed.stdout).ok_or_else(|| not_listed(&listed))?);
        }
        let prepared = Arc::new(prepared);
        let mut memo = self.host.memo.rust.lock().map_err(broken)?;
        memo.insert(self.cwd.clone(), Arc::clone(&prepared));
        Ok(prepared)
    }

    /// Builds every test target, going on past those that fail.
    fn build(&self, run: &mut SuiteRun) -> Result<Built, Trouble> {
        let mut argv = vec![self.cargo.clone()];
        let options = [
            "test",
            "--no-run",
            "--workspace",
            "--tests",
            "--no-fail-fast",
            "--message-format=json",
        ];
        argv.extend(options.map(str::to_owned));
        let (ran, mut check) = self
            .host
            .run(self.command(CheckKind::Build, argv, Vec::new()))?;
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        if let Some(sentence) = missing_dependency(&said) {
            return Err(Trouble::Infra(sentence));
        }
        if ran.is_timed_out {
            return Err(Trouble::Infra("the build ran out of its time".to_owned()));
        }
        let mut built = read_build(&ran.stdout, &self.tree.path);
        if ran.exit != Some(0) && built.stopped.is_empty() {
            let message = said
                .lines()
                .find(|line| line.starts_with("error"))
                .unwrap_or("cargo could not build")
                .to_owned();
            built.stopped.insert(
                String::new(),
                Stop {
                    reason: RedReason::BuildError,
                    message,
                    place: None,
                },
            );
            built.binaries.clear();
        }
        check.reports = vec![report("application/json", &ran.stdout)];
        check.parser = Some("cargo-json".to_owned());
        if ran.exit != Some(0) && !built.binaries.is_empty() {
            // Targets that do not build count as failed tests; the others still speak.
            check.kind = CheckKind::Test;
        }
        run.checks.push(check);
        Ok(built)
    }

    fn nextest(
        &self,
        targets: &[String],
        listed: &(Listed, BTreeSet<TestId>),
        selection: Selection<'_>,
        run: &mut SuiteRun,
    ) -> Result<(), Trouble> {
        let out = self.host.fresh("nextest")?;
        let junit = out.join("junit.xml");
        let config = out.join("nextest.toml");
        std::fs::write(
            &config,
            PROFILE.replace("@JUNIT@", &junit.to_string_lossy()),
        )
        .map_err(Trouble::io("write the profile"))?;
        let (planned, skipped) = listed;
        let mut argv = vec![self.cargo.clone(), "nextest".to_owned(), "run".to_owned()];
        argv.extend(targets.iter().cloned());
        let fixed = [
            "--profile",
            "wayproof",
            "--no-fail-fast",
            "--no-tests",
            "pass",
            "--tool-config-file",
        ];
        argv.extend(fixed.map(str::to_owned));
        argv.push(format!("wayproof:{}", config.display()));
        let chosen = chosen(planned, selection);
        if let Selection::Only(_) = selection {
            argv.push("-E".to_owned());
            argv.push(expression(&chosen));
        }
        run.planned.extend(chosen.into_keys());
        run.planned.extend(skipped.iter().cloned());
        run.results.extend(
            skipped
                .iter()
                .map(|id| (id.clone(), plain(Status::Skipped))),
        );
        let (ran, mut check) = self
            .host
            .run(self.command(CheckKind::Test, argv, vec![out]))?;
        let bytes = std::fs::read(&junit).unwrap_or_default();
        let root = self.tree.path.to_string_lossy().into_owned();
        let read = read_tests(&TestFormat::Junit(JunitDialect::Nextest), &root, &bytes);
        let results = read.results.into_iter();
        run.results
            .extend(results.map(|(id, result)| (id, own_process(result, &self.tree.path))));
        run.problems.extend(read.problems);
        run.is_complete = read.is_complete && matches!(ran.exit, Some(0 | 100));
        let has_red = run.results.values().any(|result| result.red.is_some());
        if run.is_complete && has_red == (ran.exit == Some(0)) {
            run.problems
                .push("the exit status does not agree with the report".to_owned());
        }
        check.is_complete = run.is_complete;
        check.reports = vec![report("application/xml", &bytes)];
        check.parser = Some("nextest-junit".to_owned());
        run.checks.push(check);
        Ok(())
    }

    /// Without nextest: lists and runs each binary itself, chosen tests one process each.
    fn libtest(
        &self,
        built: &Built,
        selection: Selection<'_>,
        run: &mut SuiteRun,
    ) -> Result<(), Trouble> {
        run.is_complete = true;
        for binary in &built.binaries {
            let program = binary.path.to_string_lossy().into_owned();
            let start = |kind, args: Vec<String>| {
                let mut command =
                    self.command(kind, [vec![program.clone()], args].concat(), Vec::new());
                command.cwd.clone_from(&binary.folder);
                command.env.push((
                    "CARGO_MANIFEST_DIR".to_owned(),
                    binary.folder.to_string_lossy().into_owned(),
                ));
                self.host.run(command)
            };
            let (listed, _) = start(
                CheckKind::Other,
                ["--list", "--format", "terse"].map(str::to_owned).into(),
            )?;
            let text = String::from_utf8_lossy(&listed.stdout).into_owned();
            let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
            let planned: Listed = names
                .map(|name| {
                    (
                        TestId::new(format!("{}::{name}", binary.scope)),
                        (binary.scope.clone(), name.to_owned()),
                    )
                })
                .collect();
            let chosen = chosen(&planned, selection);
            run.planned.extend(chosen.keys().cloned());
            let batches: Vec<Vec<String>> = match selection {
                Selection::All | Selection::Files(_) => vec![Vec::new()],
                Selection::Only(_) => chosen
                    .values()
                    .map(|(_, name)| vec!["--exact".to_owned(), name.clone()])
                    .collect(),
            };
            for args in batches {
                let (ran, mut check) = start(CheckKind::Test, args)?;
                let read = read_tests(
                    &TestFormat::Libtest {
                        binary: binary.scope.clone(),
                    },
                    &self.tree.path.to_string_lossy(),
                    &ran.stdout,
                );
                run.is_complete &= read.is_complete;
                run.problems.extend(read.problems);
                run.results.extend(read.results);
                check.is_complete = read.is_complete;
                check.reports = vec![report("text/plain", &ran.stdout)];
                check.parser = Some("libtest".to_owned());
                run.checks.push(check);
            }
        }
        Ok(())
    }
}

fn chosen(planned: &Listed, selection: Selection<'_>) -> Listed {
    match selection {
        Selection::All | Selection::Files(_) => planned.clone(),
        Selection::Only(ids) => planned
            .iter()
            .filter(|(id, _)| ids.contains(*id))
            .map(|(id, place)| (id.clone(), place.clone()))
            .collect(),
    }
}

fn expression(chosen: &Listed) -> String {
    if chosen.is_empty() {
        return "none()".to_owned();
    }
    let one = |(binary, name): &(String, String)| format!("(binary_id(={binary}) & test(={name}))");
    chosen.values().map(one).collect::<Vec<_>>().join(" | ")
}

/// A test that had a process of its own and died by a signal failed by its own doing, not by a neighbor's.
fn own_process(mut result: TestResult, root: &Path) -> TestResult {
    if result.red == Some(RedReason::Crash) {
        result.red = Some(RedReason::Exception);
    }
    if let Some(location) = &mut result.location {
        location.file = super::events::relative(&location.file, &root.to_string_lossy());
    }
    result
}

fn not_listed(ran: &Ran) -> Trouble {
    let said = String::from_utf8_lossy(&ran.stderr);
    let line = said
        .lines()
        .find(|line| line.contains("error"))
        .unwrap_or("it said nothing")
        .trim();
    Trouble::Infra(format!("nextest could not list the tests: {line}"))
}
