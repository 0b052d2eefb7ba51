//! CMake projects, by CTest's list of tests and its JUnit report.
//!
//! Every tree has a build folder of its own, outside the tree, which starts empty. A target that does not build keeps
//! no other from being tested.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wayproof_receipt::predicate::{Check, CheckKind};

use crate::plan::Suite;
use crate::report::{JunitDialect, RedReason, Status, TestFormat, TestId, TestRun, read_tests};
use crate::run::{Command, Host, Selection, Stop, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;
use crate::typecheck::Checker;

const WHY: &str = "the change needs it to build and run its tests";
/// The longest pattern that is passed on; with more tests than fit, all are run.
const PATTERN_LIMIT: usize = 64 << 10;

#[derive(Deserialize)]
struct Listed {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    name: String,
    #[serde(default)]
    properties: Vec<Property>,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: serde_json::Value,
}

struct CMake<'a> {
    host: &'a Host<'a>,
    tree: &'a Tree,
    cwd: PathBuf,
    build: PathBuf,
    checks: Vec<Check>,
}

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let cwd = tree.path.join(&suite.dir);
    if !cwd.is_dir() {
        return Ok(SuiteRun::empty());
    }
    let mut cmake = CMake {
        host,
        tree,
        cwd,
        build: build_folder(host, tree)?,
        checks: Vec::new(),
    };
    let stop = cmake.build()?;
    let mut run = match &stop {
        Some(stop) if stop.reason == RedReason::Missing => SuiteRun::empty(),
        Some(_) | None => cmake.test(selection)?,
    };
    run.checks = [cmake.checks, run.checks].concat();
    if let Some(stop) = stop {
        let reason = RedReason::BuildError;
        run.stopped.insert(String::new(), Stop { reason, ..stop });
    }
    Ok(run)
}

/// How to check the head: configure and build it in one step.
pub(crate) fn checker(host: &Host<'_>, tree: &Tree, suite: &Suite) -> Result<Checker, Trouble> {
    let ctest = host.program("ctest", WHY)?;
    let cwd = tree.path.join(&suite.dir);
    let build = host.fresh("cmake-check")?;
    let mut argv = vec![ctest, "--build-and-test".to_owned()];
    argv.extend([&cwd, &build].map(|path| path.to_string_lossy().into_owned()));
    argv.extend(["--build-generator", "Unix Makefiles"].map(str::to_owned));
    Ok(Checker {
        argv,
        env: Vec::new(),
        writable: vec![build],
        readable: Vec::new(),
        format: None,
    })
}

fn build_folder(host: &Host<'_>, tree: &Tree) -> Result<PathBuf, Trouble> {
    let name = tree.path.file_name().unwrap_or_default();
    let build = host.shared("cmake")?.join(name);
    std::fs::create_dir_all(&build).map_err(Trouble::io("make a build folder"))?;
    Ok(build)
}

impl CMake<'_> {
    fn start(
        &self,
        kind: CheckKind,
        argv: Vec<String>,
        out: &[PathBuf],
    ) -> Result<(Ran, Check), Trouble> {
        let mut writable = vec![self.build.clone()];
        writable.extend_from_slice(out);
        self.host.run(Command {
            kind,
            argv,
            cwd: self.cwd.clone(),
            env: vec![("CMAKE_BUILD_PARALLEL_LEVEL".to_owned(), "2".to_owned())],
            writable,
            readable: Vec::new(),
            tree: self.tree,
        })
    }

    /// Configures and builds; what went wrong, with the reason `Missing` when there is nothing to test at all.
    fn build(&mut self) -> Result<Option<Stop>, Trouble> {
        let cmake = self.host.program("cmake", WHY)?;
        self.host.program("make", WHY)?;
        let build = self.build.to_string_lossy().into_owned();
        let words = |words: &[&str]| -> Vec<String> {
            let words = words.iter().map(|word| (*word).to_owned());
            std::iter::once(cmake.clone()).chain(words).collect()
        };
        let configure = [
            "-S",
            ".",
            "-B",
            &build,
            "-G",
            "Unix Makefiles",
            "-DBUILD_TESTING=ON",
            "-DCMAKE_BUILD_TYPE=Debug",
            "-DFETCHCONTENT_FULLY_DISCONNECTED=OFF",
        ];
        let (ran, check) = self.start(CheckKind::Build, words(&configure), &[])?;
        self.checks.push(check);
        if ran.exit != Some(0) {
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            if let Some(sentence) = missing_library(&said) {
                return Err(Trouble::Infra(sentence));
            }
            return Ok(Some(stop(&ran, &self.cwd, RedReason::Missing)));
        }
        let arguments = ["--build", &build, "--", "-k"];
        let (ran, check) = self.start(CheckKind::Build, words(&arguments), &[])?;
        self.checks.push(check);
        Ok((ran.exit != Some(0)).then(|| stop(&ran, &self.cwd, RedReason::BuildError)))
    }

    fn test(&self, selection: Selection<'_>) -> Result<SuiteRun, Trouble> {
        let ctest = self.host.program("ctest", WHY)?;
        let build = self.build.to_string_lossy().into_owned();
        let start = [ctest, "--test-dir".to_owned(), build].to_vec();
        let list = [start.clone(), vec!["--show-only=json-v1".to_owned()]].concat();
        let (listed, _) = self.start(CheckKind::Other, list, &[])?;
        let mut planned = planned(&listed.stdout);
        if planned.is_empty() {
            return Ok(SuiteRun::empty());
        }
        let out = self.host.fresh("ctest")?;
        let junit = out.join("junit.xml");
        let mut argv = start;
        argv.extend([
            "--output-junit".to_owned(),
            junit.to_string_lossy().into_owned(),
        ]);
        for option in ["--test-output-size-passed", "--test-output-size-failed"] {
            argv.extend([option.to_owned(), "65536".to_owned()]);
        }
        if let Selection::Only(ids) = selection
            && let Some(pattern) = pattern(ids)
        {
            planned.retain(|id| ids.contains(id));
            argv.extend(["-R".to_owned(), pattern]);
        }
        let (ran, mut check) = self.start(CheckKind::Test, argv, &[out])?;
        let bytes = std::fs::read(&junit).unwrap_or_default();
        let format = TestFormat::Junit(JunitDialect::Ctest);
        let read = without_unbuilt(read_tests(&format, &self.cwd.to_string_lossy(), &bytes));
        let mut run = SuiteRun {
            is_complete: read.is_complete && ran.exit.is_some() && !ran.is_timed_out,
            results: read.results,
            problems: read.problems,
            ..SuiteRun::empty()
        };
        // A test whose program was not built cannot be reported.
        planned.retain(|id| run.results.contains_key(id) || self.is_built());
        run.planned = planned;
        let has_red = run.results.values().any(|result| result.red.is_some());
        if ran.exit == Some(0) && has_red {
            let problem = "the runner ended well although tests failed";
            run.problems.push(problem.to_owned());
        }
        check.is_complete &= run.is_complete;
        check.reports = vec![report("application/xml", &bytes)];
        check.parser = Some("ctest-junit".to_owned());
        run.checks.push(check);
        Ok(run)
    }

    fn is_built(&self) -> bool {
        self.checks.iter().all(|check| check.exit_status == Some(0))
    }
}

/// The listed tests that are to run.
fn planned(bytes: &[u8]) -> BTreeSet<TestId> {
    let Ok(listed) = serde_json::from_slice::<Listed>(bytes) else {
        return BTreeSet::new();
    };
    let is_disabled = |test: &Test| {
        let mut properties = test.properties.iter();
        properties.any(|it| it.name == "DISABLED" && it.value == serde_json::Value::Bool(true))
    };
    listed
        .tests
        .into_iter()
        .filter(|test| !is_disabled(test) && !test.name.ends_with("_NOT_BUILT"))
        .map(|test| TestId::new(test.name))
        .collect()
}

/// Results of tests whose program was not built say nothing; that it was not built does.
fn without_unbuilt(mut read: TestRun) -> TestRun {
    read.results.retain(|id, result| {
        let is_unbuilt = result.status == Status::Skipped
            && result.message.contains("Unable to find executable");
        !is_unbuilt && !id.as_str().ends_with("_NOT_BUILT")
    });
    read
}

fn pattern(ids: &BTreeSet<TestId>) -> Option<String> {
    let escape = |id: &TestId| -> String {
        let mut text = String::new();
        for letter in id.as_str().chars() {
            if "^$.*+?()[]|\\".contains(letter) {
                text.push('\\');
            }
            text.push(letter);
        }
        text
    };
    let names: Vec<String> = ids.iter().map(escape).collect();
    let pattern = format!("^({})$", names.join("|"));
    (pattern.len() < PATTERN_LIMIT).then_some(pattern)
}

/// A library that the configuration looks for and does not find, or wants to download.
fn missing_library(said: &str) -> Option<String> {
    let flat: String = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "Could not find a package configuration file provided by \"",
        "Could NOT find ",
    ] {
        if let Some((_, rest)) = flat.split_once(words) {
            let name = rest.split(['"', ' ']).next().unwrap_or(rest);
            return Some(format!(
                "`{name}` is not installed, and CMakeLists.txt needs it"
            ));
        }
    }
    let downloads = [
        "FetchContent",
        "ExternalProject",
        "Failed to clone",
        "git clone",
    ];
    let is_download = downloads.iter().any(|words| flat.contains(words));
    is_download.then(|| {
        "CMakeLists.txt downloads a dependency, and the network is off; install it instead"
            .to_owned()
    })
}

/// The first error of CMake or of the compiler.
fn stop(ran: &Ran, cwd: &Path, reason: RedReason) -> Stop {
    let said =
        String::from_utf8_lossy(&ran.stderr).into_owned() + &String::from_utf8_lossy(&ran.stdout);
    let root = format!("{}/", cwd.to_string_lossy().trim_end_matches('/'));
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let at = lines
        .iter()
        .position(|line| line.contains("error: ") || line.starts_with("CMake Error"));
    let line = at.and_then(|at| lines.get(at)).copied().unwrap_or_default();
    if let Some((place, words)) = line.split_once("error: ") {
        let place = place
            .trim_end()
            .trim_end_matches(':')
            .trim_end_matches(" fatal");
        let mut parts = place.trim_end_matches(':').split(':');
        let (file, number) = (parts.next().unwrap_or_default(), parts.next());
        let file = file.strip_prefix(&root).unwrap_or(file);
        return Stop {
            reason,
            message: words.to_owned(),
            place: number.map(|number| format!("{file}:{number}")),
        };
    }
    let linker = lines
        .iter()
        .find(|line| line.contains("undefined reference"));
    let after = at.and_then(|at| lines.iter().skip(at + 1).find(|line| !line.is_empty()));
    let message = after.or(linker).or(lines.last());
    Stop {
        reason,
        message: message.map_or_else(|| "the build failed".to_owned(), |line| (*line).to_owned()),
        place: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{missing_library, pattern, planned};
    use crate::report::TestId;

    #[test]
    fn disabled_and_unbuilt_tests_are_not_planned() {
        let list = br#"{"kind":"ctestInfo","tests":[{"name":"A.One","properties":[]},
            {"name":"A.Two","properties":[{"name":"DISABLED","value":true}]},{"name":"a_NOT_BUILT"}]}"#;
        let ids: Vec<String> = planned(list).iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["A.One"]);
    }

    #[test]
    fn names_are_no_patterns() {
        let ids = [TestId::new("A.One/0"), TestId::new("b (c)")].into();
        assert_eq!(pattern(&ids).as_deref(), Some("^(A\\.One/0|b \\(c\\))$"));
    }

    #[test]
    fn a_missing_library_is_named() {
        let said = "CMake Error at CMakeLists.txt:5 (find_package):\n  Could not find a package configuration file provided by \"Catch2\" with any\n";
        assert_eq!(
            missing_library(said).as_deref(),
            Some("`Catch2` is not installed, and CMakeLists.txt needs it")
        );
        assert_eq!(missing_library("CMake Error: no such function"), None);
    }
}
