//! JUnit XML, in the dialects of those who write it. It refuses a report whose own counts promise more than it holds.

use super::builder::{Builder, passed, place, quiet, red, relative};
use super::reason::classify;
use super::xml::{self, Element};
use super::{JunitDialect, Location, RedReason, Status, TestResult, TestRun};

/// Reads a report.
pub(super) fn read(dialect: JunitDialect, root: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let (document, problem) = xml::read(bytes);
    if let Some(problem) = problem {
        run.broken(problem);
    }
    let is_report = document
        .children
        .iter()
        .any(|element| matches!(element.name.as_str(), "testsuites" | "testsuite"));
    if !is_report {
        run.broken("the XML is no JUnit report".to_owned());
    }
    let reader = Junit { dialect, root };
    for element in &document.children {
        reader.walk(element, &mut Vec::new(), &mut run);
    }
    // Node adds its totals as comments at the very end, so they tell that the end was reached.
    let has_totals = |element: &Element| {
        element
            .comments
            .iter()
            .any(|comment| comment.starts_with("tests "))
    };
    if dialect == JunitDialect::Node && !document.children.iter().any(has_totals) {
        run.broken("the report lacks its closing totals".to_owned());
    }
    run.finish()
}

/// A reader of one dialect.
struct Junit<'a> {
    dialect: JunitDialect,
    root: &'a str,
}

impl Junit<'_> {
    /// Reads an element and what is in it.
    fn walk<'e>(&self, element: &'e Element, suites: &mut Vec<&'e Element>, run: &mut Builder) {
        match element.name.as_str() {
            "testcase" => self.case(element, suites, run),
            "testsuites" | "testsuite" => {
                suites.push(element);
                for child in &element.children {
                    self.walk(child, suites, run);
                }
                suites.pop();
                self.check_count(element, run);
            }
            _ => {}
        }
    }

    /// Compares a suite's own count with what it holds.
    fn check_count(&self, suite: &Element, run: &mut Builder) {
        let Some(declared) = suite
            .attribute("tests")
            .and_then(|text| text.replace(',', "").trim().parse::<u64>().ok())
        else {
            return;
        };
        let held = match self.dialect {
            // A nested suite counts as one test of the suite around it.
            JunitDialect::Node => suite.children.len() as u64,
            _ => cases(suite),
        };
        // Some writers add a case for a broken hook without counting it.
        let counts_hooks = !matches!(self.dialect, JunitDialect::Mocha | JunitDialect::Pytest);
        if held < declared || (held > declared && counts_hooks) {
            let name = suite.attribute("name").unwrap_or("without a name");
            run.broken(format!(
                "suite {name} announces {declared} tests and holds {held}"
            ));
        }
    }

    /// Reads one test.
    fn case(&self, case: &Element, suites: &[&Element], run: &mut Builder) {
        let id = self.id(case, suites);
        let file = case.attribute("file").map(|file| Location {
            file: relative(self.root, file),
            // Most count this one attribute from zero.
            line: case
                .attribute("line")
                .and_then(|line| line.parse::<u32>().ok())
                .map(|line| line.saturating_add(u32::from(self.dialect != JunitDialect::PhpUnit))),
            column: None,
        });
        if self.dialect == JunitDialect::Ctest {
            return super::ctest::add(self.root, &id, case, run);
        }
        let mut result = self.result(case, file);
        if self.dialect == JunitDialect::PhpUnit && id.contains("\\WarningTestCase::") {
            // It stands in for a class without tests.
            result = quiet(Status::Skipped, "");
        }
        // A file whose process ends early is shown as one passed test with the name of the file.
        let is_whole_file = match self.dialect {
            JunitDialect::Node => case.attribute("name").is_some_and(is_script),
            JunitDialect::Vitest => case.attribute("name") == case.attribute("classname"),
            JunitDialect::Pytest
            | JunitDialect::Nextest
            | JunitDialect::Gotestsum
            | JunitDialect::Jest
            | JunitDialect::Mocha
            | JunitDialect::PhpUnit
            | JunitDialect::Ctest
            | JunitDialect::Surefire => false,
        };
        if is_whole_file && result.status == Status::Passed {
            run.broken(format!("{id} ended without reporting a test"));
            return;
        }
        if is_whole_file && result.status == Status::Failed {
            result.status = Status::Error;
            result.red = result.red.map(|reason| reason_of(true, reason));
        }
        run.add(&id, result);
    }

    /// Names a test.
    fn id(&self, case: &Element, suites: &[&Element]) -> String {
        let name = case.attribute("name").unwrap_or_default();
        let class = case.attribute("classname").unwrap_or_default();
        let file = case.attribute("file").map(|file| relative(self.root, file));
        match self.dialect {
            JunitDialect::Pytest => pytest_id(file.as_deref(), class, name),
            JunitDialect::Nextest => join(&[class, name], "::"),
            JunitDialect::Gotestsum => join(&[class, name], "."),
            JunitDialect::Vitest if class == name => relative(self.root, class),
            JunitDialect::Vitest => join(&[&relative(self.root, class), name], " > "),
            JunitDialect::Jest => join(&[file.as_deref().unwrap_or_default(), name.trim()], " > "),
            JunitDialect::Mocha => join(&[file.as_deref().unwrap_or_default(), class, name], " > "),
            JunitDialect::Node => {
                let name = relative(self.root, name);
                let outer = suites.iter().filter(|suite| suite.name == "testsuite");
                let outer = outer.filter_map(|suite| suite.attribute("name"));
                let parts: Vec<&str> = file
                    .as_deref()
                    .into_iter()
                    .chain(outer)
                    .chain([name.as_str()])
                    .collect();
                join(&parts, " > ")
            }
            JunitDialect::Ctest => name.to_owned(),
            JunitDialect::PhpUnit => {
                let class = case.attribute("class").unwrap_or(class);
                let name = super::phpunit::with_data_set(name);
                join(&[file.as_deref().unwrap_or_default(), class, &name], "::")
            }
            JunitDialect::Surefire => {
                let suite = suites
                    .last()
                    .and_then(|suite| suite.attribute("name"))
                    .unwrap_or_default();
                join(&[if class.is_empty() { suite } else { class }, name], "::")
            }
        }
    }

    /// Reads how a test ended; the worst mark counts.
    fn result(&self, case: &Element, file: Option<Location>) -> TestResult {
        let skipped = case.child("skipped").or_else(|| case.child("disabled"));
        let is_todo = skipped.is_some_and(|mark| mark.attribute("type") == Some("todo"));
        if let Some(mark) = skipped {
            let is_expected = is_todo
                || mark
                    .attribute("type")
                    .is_some_and(|kind| kind.contains("xfail"));
            let status = if is_expected {
                Status::XFail
            } else {
                Status::Skipped
            };
            return quiet(status, mark.attribute("message").unwrap_or(&mark.text));
        }
        let red_mark = |name: &str, status: Status| {
            case.child(name)
                .map(|mark| self.red(mark, status, file.clone()))
        };
        let flaky = ["flakyFailure", "flakyError", "rerunFailure", "rerunError"]
            .iter()
            .find_map(|name| red_mark(name, Status::Failed));
        red_mark("error", Status::Error)
            .or_else(|| red_mark("failure", Status::Failed))
            .or(flaky)
            .unwrap_or_else(|| {
                match case
                    .attribute("status")
                    .or_else(|| case.attribute("result"))
                {
                    Some("failed" | "failure" | "error") => {
                        red(Status::Failed, RedReason::Exception, "", file)
                    }
                    Some("skipped" | "notrun" | "disabled" | "suppressed") => {
                        quiet(Status::Skipped, "")
                    }
                    Some(_) | None => TestResult {
                        location: file,
                        ..passed()
                    },
                }
            })
    }

    /// Reads a mark of failure.
    fn red(&self, mark: &Element, status: Status, file: Option<Location>) -> TestResult {
        let kind = mark.attribute("type").unwrap_or_default();
        let message = mark.attribute("message").unwrap_or_default();
        let is_panic = self.dialect == JunitDialect::Nextest && mark.text.contains("panicked at ");
        if is_panic {
            let words = super::libtest::panic_words(&mark.text);
            let found = place_after("", &mark.text, "panicked at ");
            return red(status, classify(kind, &words), &words, found.or(file));
        }
        let whole = match (message.is_empty(), mark.text.trim().is_empty()) {
            (true, _) => mark.text.clone(),
            (false, true) => message.to_owned(),
            (false, false) => format!("{message}\n{}", mark.text.trim()),
        };
        let reason = match self.dialect {
            // Go's own word for every kind of failure says nothing; its output does.
            JunitDialect::Gotestsum => super::gotest::classify_output(&mark.text),
            _ => classify(kind, &whole),
        };
        let found = super::junit_place::find(self.dialect, self.root, &mark.text);
        red(
            status,
            reason,
            if whole.trim().is_empty() {
                kind
            } else {
                &whole
            },
            found.or(file),
        )
    }
}

/// Counts the tests in a suite and below.
fn cases(element: &Element) -> u64 {
    element
        .children
        .iter()
        .map(|child| {
            if child.name == "testcase" {
                1
            } else {
                cases(child)
            }
        })
        .sum()
}

/// Joins the parts of a name that are there.
fn join(parts: &[&str], separator: &str) -> String {
    parts
        .iter()
        .filter(|part| !part.is_empty())
        .copied()
        .collect::<Vec<_>>()
        .join(separator)
}

/// Tells whether a name is the path of a script.
pub(super) fn is_script(name: &str) -> bool {
    let is_path = name.starts_with('/') || name.starts_with("./");
    is_path
        && [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// Turns `package.module.Class` and a name into pytest's own `path::Class::name`.
fn pytest_id(file: Option<&str>, class: &str, name: &str) -> String {
    if class.is_empty() {
        // A module that could not be collected is a "test" with the module's name.
        return format!("{}.py", name.replace('.', "/"));
    }
    let parts: Vec<&str> = class.split('.').collect();
    let modules = match file {
        Some(file) => file
            .trim_end_matches(".py")
            .split('/')
            .count()
            .min(parts.len()),
        // By convention classes start with a capital and modules do not.
        None => parts
            .iter()
            .position(|part| part.starts_with(char::is_uppercase))
            .unwrap_or(parts.len()),
    };
    let (module, classes) = parts.split_at(modules);
    let path = file.map_or_else(|| format!("{}.py", module.join("/")), str::to_owned);
    let mut id = vec![path.as_str()];
    id.extend(classes);
    id.push(name);
    id.join("::")
}

/// Tells why a test is red that may stand for a whole file: one that shows no test of its own did not load.
pub(super) fn reason_of(is_file: bool, reason: RedReason) -> RedReason {
    if is_file && reason == RedReason::Exception {
        RedReason::BuildError
    } else {
        reason
    }
}

/// Gives the place after a word in a text, as in `panicked at src/lib.rs:8:26`.
pub(super) fn place_after(root: &str, text: &str, word: &str) -> Option<Location> {
    let (_, rest) = text.split_once(word)?;
    place(
        root,
        rest.split_whitespace()
            .next()?
            .trim_end_matches([':', ')', ',']),
    )
}
