//! Node packages: node:test, vitest, jest, mocha, ava, and programs that print TAP or only end well.
//!
//! A program is run a file at a time, so that one that dies does not hide the others. A bare exit status is kept
//! as a result, but marked as unstructured.

use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::CheckKind;

use super::node_files::{is_node_test_file, matching, split_program, walk, without_reporter};
use super::node_report::{files_that_failed, read_node};
use super::program;
use crate::plan::Suite;
use crate::plan::role::{Role, role_of};
use crate::plan::script::{ScriptCommand, ScriptRunner};
use crate::report::{TestFormat, read_tests};
use crate::run::{Command, Host, Selection, SuiteRun, Tree, Trouble, report};
use crate::sandbox::Ran;

const REPORTER: &str = include_str!("assets/wayproof_node.mjs");

/// Runs the suite: every command of its script.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let node = host.program("node", "the change needs it to run its tests")?;
    let cwd = tree.path.join(&suite.dir);
    let mut whole = SuiteRun {
        is_structured: true,
        is_complete: true,
        ..SuiteRun::default()
    };
    if suite.scripts.is_empty() {
        return Err(Trouble::Infra(
            "package.json has no test script that names a known test runner".to_owned(),
        ));
    }
    let javascript = JavaScript {
        host,
        tree,
        node,
        cwd,
        selection,
    };
    for script in &suite.scripts {
        let run = match script.runner {
            ScriptRunner::NodeTest => javascript.node_test(script),
            ScriptRunner::Vitest | ScriptRunner::Jest => javascript.json_runner(script),
            ScriptRunner::Mocha => javascript.mocha(script),
            ScriptRunner::Ava => javascript.ava(script),
            ScriptRunner::Tape | ScriptRunner::Tap | ScriptRunner::Program => {
                javascript.programs(script)
            }
        }?;
        whole.planned.extend(run.planned);
        whole.results.extend(run.results);
        whole.stopped.extend(run.stopped);
        whole.problems.extend(run.problems);
        whole.checks.extend(run.checks);
        whole.is_complete &= run.is_complete;
        whole.is_structured &= run.is_structured;
    }
    Ok(whole)
}

struct JavaScript<'a> {
    host: &'a Host<'a>,
    tree: &'a Tree,
    node: String,
    cwd: PathBuf,
    selection: Selection<'a>,
}

impl JavaScript<'_> {
    fn start(
        &self,
        args: Vec<String>,
        out: &Path,
    ) -> Result<(Ran, wayproof_receipt::predicate::Check), Trouble> {
        let argv = [vec![self.node.clone()], args].concat();
        let mut env = vec![
            ("NODE_ENV".to_owned(), "test".to_owned()),
            ("FORCE_COLOR".to_owned(), "0".to_owned()),
        ];
        let mut writable = vec![out.to_path_buf()];
        if let Some(folder) = self.host.mode.coverage {
            let folder_text = folder.to_string_lossy().into_owned();
            env.push(("NODE_V8_COVERAGE".to_owned(), folder_text));
            writable.push(folder.to_path_buf());
        }
        self.host.run(Command {
            kind: CheckKind::Test,
            argv,
            cwd: self.cwd.clone(),
            env,
            writable,
            readable: vec![self.host.shared("assets")?],
            tree: self.tree,
        })
    }

    /// The program a package installs, or one sentence about its absence.
    fn installed(&self, package: &str, file: &str) -> Result<String, Trouble> {
        let path = self.cwd.join("node_modules").join(package).join(file);
        if path.exists() {
            return Ok(path.to_string_lossy().into_owned());
        }
        Err(Trouble::Infra(format!(
            "the tests need {package}, which is not installed in node_modules"
        )))
    }

    /// The files of the chosen tests, when only some are chosen.
    fn chosen_files(&self) -> Option<Vec<String>> {
        let mut files: Vec<String> = match self.selection {
            Selection::All => return None,
            Selection::Only(ids) => ids.iter().map(|id| super::file_of(id).to_owned()).collect(),
            Selection::Files(files) => files.to_vec(),
        };
        files.sort();
        files.dedup();
        files.retain(|file| self.cwd.join(file).is_file());
        Some(files)
    }

    fn node_test(&self, script: &ScriptCommand) -> Result<SuiteRun, Trouble> {
        let out = self.host.fresh("node")?;
        let reporter = self.host.shared("assets/node")?.join("wayproof_node.mjs");
        std::fs::write(&reporter, REPORTER).map_err(Trouble::io("write the reporter"))?;
        let file = out.join("events.jsonl");
        let (options, patterns): (Vec<String>, Vec<String>) = script
            .args
            .iter()
            .cloned()
            .partition(|arg| arg.starts_with('-'));
        let files = self
            .chosen_files()
            .unwrap_or_else(|| self.test_files(&patterns));
        if files.is_empty() {
            return Ok(SuiteRun {
                is_complete: true,
                is_structured: true,
                ..SuiteRun::default()
            });
        }
        let mut args = vec![
            "--test".to_owned(),
            format!("--test-reporter={}", reporter.display()),
        ];
        args.push(format!("--test-reporter-destination={}", file.display()));
        args.extend(options.into_iter().filter(|option| {
            !option.contains("coverage") && !option.contains("only") && !option.contains("watch")
        }));
        args.extend(files.iter().cloned());
        let (ran, mut check) = self.start(args, &out)?;
        let bytes = std::fs::read(&file).unwrap_or_default();
        let mut run = read_node(&bytes, &self.cwd.to_string_lossy(), &files);
        run.is_complete &= !ran.is_timed_out && ran.exit.is_some();
        let has_red =
            run.results.values().any(|result| result.red.is_some()) || !run.stopped.is_empty();
        if run.is_complete && has_red == (ran.exit == Some(0)) {
            run.problems
                .push("the exit status does not agree with the report".to_owned());
        }
        check.is_complete = run.is_complete;
        check.reports = vec![report("application/x-ndjson", &bytes)];
        check.parser = Some("wayproof-node".to_owned());
        run.checks.push(check);
        Ok(run)
    }

    /// The files node's runner would take for these patterns.
    fn test_files(&self, patterns: &[String]) -> Vec<String> {
        let all = walk(&self.cwd);
        let is_script = |path: &str| {
            matches!(
                path.rsplit_once('.').map(|(_, extension)| extension),
                Some("js" | "mjs" | "cjs" | "ts" | "mts" | "cts")
            )
        };
        if patterns.is_empty() {
            return all
                .into_iter()
                .filter(|path| is_script(path) && is_node_test_file(path))
                .collect();
        }
        let mut files = Vec::new();
        for pattern in patterns {
            let plain = pattern.trim_start_matches("./").trim_end_matches('/');
            if self.cwd.join(plain).is_dir() {
                let inside = format!("{plain}/");
                let is_taken = |path: &&String| {
                    path.starts_with(&inside)
                        && is_script(path)
                        && (is_node_test_file(path) || path.split('/').any(|part| part == "test"))
                };
                files.extend(all.iter().filter(is_taken).cloned());
            } else {
                files.extend(matching(&all, plain));
            }
        }
        files.sort();
        files.dedup();
        files
    }

    fn json_runner(&self, script: &ScriptCommand) -> Result<SuiteRun, Trouble> {
        let out = self.host.fresh("js")?;
        let file = out.join("report.json");
        let is_jest = script.runner == ScriptRunner::Jest;
        let args = self.json_arguments(script, &out, &file)?;
        let (ran, mut check) = self.start(args, &out)?;
        let bytes = std::fs::read(&file).unwrap_or_default();
        let root = self.cwd.to_string_lossy().into_owned();
        let read = read_tests(&TestFormat::Jest, &root, &bytes);
        let mut run = SuiteRun {
            is_structured: true,
            is_complete: read.is_complete,
            ..SuiteRun::default()
        };
        run.planned = read.results.keys().cloned().collect();
        run.results.extend(read.results);
        run.problems.extend(read.problems);
        run.stopped = files_that_failed(&bytes, &self.cwd.to_string_lossy());
        if bytes.is_empty() {
            run.stopped.insert(String::new(), program::silent(&ran));
        }
        check.is_complete &= run.is_complete;
        check.reports = vec![report("application/json", &bytes)];
        check.parser = Some(if is_jest { "jest-json" } else { "vitest-json" }.to_owned());
        run.checks.push(check);
        Ok(run)
    }

    /// How jest or vitest is asked for a JSON report, without what would change or hide results.
    fn json_arguments(
        &self,
        script: &ScriptCommand,
        out: &Path,
        file: &Path,
    ) -> Result<Vec<String>, Trouble> {
        let noise = [
            "--watch",
            "--coverage",
            "--reporter",
            "--passWithNoTests",
            "--silent",
            "--ui",
            "--verbose",
            "--bail",
            "--update",
            "-u",
        ];
        let is_kept =
            |arg: &&String| !noise.iter().any(|word| arg.starts_with(word)) && *arg != "run";
        let kept = script.args.iter().filter(is_kept).cloned();
        let files = self.chosen_files();
        let mut args = Vec::new();
        if script.runner == ScriptRunner::Jest {
            args.push(self.installed("jest", "bin/jest.js")?);
            args.extend(kept);
            args.extend(
                ["--ci", "--json", "--coverage=false", "--watchAll=false"].map(str::to_owned),
            );
            args.push(format!("--cacheDirectory={}", out.join("cache").display()));
            args.extend(files.is_some().then(|| "--runTestsByPath".to_owned()));
        } else {
            args.extend([self.installed("vitest", "vitest.mjs")?, "run".to_owned()]);
            args.extend(kept);
            args.extend(
                [
                    "--reporter=json",
                    "--coverage.enabled=false",
                    "--update=false",
                ]
                .map(str::to_owned),
            );
            if let Some(seed) = self.host.mode.shuffle {
                args.push("--sequence.shuffle".to_owned());
                args.push(format!("--sequence.seed={seed}"));
            }
        }
        args.push(format!("--outputFile={}", file.display()));
        args.extend(files.unwrap_or_default());
        Ok(args)
    }

    fn mocha(&self, script: &ScriptCommand) -> Result<SuiteRun, Trouble> {
        let out = self.host.fresh("mocha")?;
        let program = self
            .installed("mocha", "bin/_mocha")
            .or_else(|_| self.installed("mocha", "bin/mocha.js"))?;
        let options = without_reporter(&script.args);
        let file = out.join("report.json");
        let mut args = vec![program.clone()];
        args.extend(options.iter().cloned());
        args.extend(["--reporter", "json", "--no-color", "--reporter-option"].map(str::to_owned));
        args.push(format!("output={}", file.display()));
        let (ran, mut check) = self.start(args, &out)?;
        let bytes = std::fs::read(&file).unwrap_or_default();
        let root = self.cwd.to_string_lossy().into_owned();
        let read = read_tests(&TestFormat::Mocha, &root, &bytes);
        let mut run = SuiteRun {
            is_structured: true,
            is_complete: read.is_complete,
            ..SuiteRun::default()
        };
        run.planned = read.results.keys().cloned().collect();
        run.results.extend(read.results);
        if bytes.is_empty() {
            run.stopped.insert(String::new(), program::silent(&ran));
            run.is_complete = ran.exit.is_some() && !ran.is_timed_out;
        }
        check.is_complete &= run.is_complete;
        check.reports = vec![report("application/json", &bytes)];
        check.parser = Some("mocha-json".to_owned());
        run.checks.push(check);
        Ok(run)
    }

    fn ava(&self, script: &ScriptCommand) -> Result<SuiteRun, Trouble> {
        let out = self.host.fresh("ava")?;
        let program = self
            .installed("ava", "entrypoints/cli.mjs")
            .or_else(|_| self.installed("ava", "cli.js"))?;
        let (options, patterns): (Vec<String>, Vec<String>) = script
            .args
            .iter()
            .cloned()
            .partition(|arg| arg.starts_with('-'));
        let mut args = vec![program, "--tap".to_owned()];
        args.extend(options.into_iter().filter(|option| {
            !matches!(
                option.as_str(),
                "--tap" | "--watch" | "-w" | "--fail-fast" | "--update-snapshots" | "-u"
            )
        }));
        args.extend(patterns);
        let (ran, check) = self.start(args, &out)?;
        Ok(program::read("ava", &ran, check))
    }

    fn programs(&self, script: &ScriptCommand) -> Result<SuiteRun, Trouble> {
        let out = self.host.fresh("tap")?;
        let (options, patterns) = split_program(script);
        let files = match self.chosen_files() {
            Some(files) => files,
            None => self.program_files(&patterns),
        };
        let mut run = SuiteRun {
            is_structured: true,
            is_complete: true,
            ..SuiteRun::default()
        };
        for file in files {
            let (ran, check) = self.start([options.clone(), vec![file.clone()]].concat(), &out)?;
            let one = program::read(&file, &ran, check);
            run.planned.extend(one.planned);
            run.results.extend(one.results);
            run.stopped.extend(one.stopped);
            run.problems.extend(one.problems);
            run.checks.extend(one.checks);
            run.is_structured &= one.is_structured;
            run.is_complete &= one.is_complete;
        }
        Ok(run)
    }

    fn program_files(&self, patterns: &[String]) -> Vec<String> {
        let all = walk(&self.cwd);
        let mut files = Vec::new();
        for pattern in patterns {
            let plain = pattern.trim_start_matches("./").trim_end_matches('/');
            let named = [
                plain.to_owned(),
                format!("{plain}.js"),
                format!("{plain}/index.js"),
            ];
            match named.iter().find(|name| self.cwd.join(name).is_file()) {
                Some(file) => files.push(file.clone()),
                None if self.cwd.join(plain).is_dir() => {
                    files.extend(matching(&all, &format!("{plain}/**/*.{{js,cjs,mjs}}")));
                }
                None => files.extend(matching(&all, plain)),
            }
        }
        if patterns.is_empty() {
            files.extend(all.into_iter().filter(|path| {
                path.ends_with("js") && role_of(path) == Role::Test && is_node_test_file(path)
            }));
        }
        files.sort();
        files.dedup();
        files
    }
}
