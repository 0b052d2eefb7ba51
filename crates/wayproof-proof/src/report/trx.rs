//! TRX, the report of Visual Studio's and .NET's test runner. It refuses a report whose summary says that the run was
//! aborted, or counts other tests than it holds.

use std::collections::BTreeMap;

use super::builder::{Builder, passed, quiet, red, relative};
use super::reason::classify;
use super::xml::{self, Element};
use super::{Location, Status, TestResult, TestRun};

/// Reads a report.
pub(super) fn read(root: &str, bytes: &[u8]) -> TestRun {
    let mut run = Builder::new(bytes);
    let (document, problem) = xml::read(bytes);
    if let Some(problem) = problem {
        run.broken(problem);
    }
    let Some(report) = document.child("TestRun") else {
        run.broken("the XML is no TRX report".to_owned());
        return run.finish();
    };
    let classes = classes(report);
    let results = report.child("Results");
    for result in results.iter().flat_map(|results| &results.children) {
        add(result, (root, &classes), &mut run);
    }
    check_summary(report, &mut run);
    run.finish()
}

/// The class of each test, by the id it has in this report.
fn classes(report: &Element) -> BTreeMap<&str, &str> {
    let definitions = report.child("TestDefinitions");
    let tests = definitions.iter().flat_map(|tests| &tests.children);
    tests
        .filter_map(|test| {
            let class = test.child("TestMethod")?.attribute("className")?;
            // Older writers add the assembly behind a comma.
            let class = class.split(',').next().unwrap_or(class).trim();
            Some((test.attribute("id")?, class))
        })
        .collect()
}

fn add(result: &Element, about: (&str, &BTreeMap<&str, &str>), run: &mut Builder) {
    if !result.name.ends_with("Result") {
        return;
    }
    let (root, classes) = about;
    let name = result.attribute("testName").unwrap_or_default();
    let class = result.attribute("testId").and_then(|id| classes.get(id));
    let id = match class {
        Some(class) if !name.starts_with(class) => format!("{class}.{name}"),
        Some(_) | None => name.to_owned(),
    };
    run.add(&id, outcome(root, result));
}

fn outcome(root: &str, result: &Element) -> TestResult {
    let info = result
        .child("Output")
        .and_then(|output| output.child("ErrorInfo"));
    let of = |name: &str| {
        let child = info.and_then(|info| info.child(name));
        child.map_or("", |child| child.text.trim())
    };
    let (message, stack) = (of("Message"), of("StackTrace"));
    let failed = |status| {
        let whole = format!("{message}\n{stack}");
        // `Assert.Equal() Failure` and `Assert.AreEqual failed` stand in messages, the exception's class in the stack.
        let is_assertion = message.starts_with("Assert.") || whole.contains("AssertionException");
        let kind = if is_assertion { "AssertionError" } else { "" };
        red(status, classify(kind, &whole), message, place(root, stack))
    };
    match result.attribute("outcome").unwrap_or_default() {
        "Passed" | "PassedButRunAborted" => passed(),
        "NotExecuted" | "NotRunnable" | "Inconclusive" | "Disconnected" | "Pending" => {
            quiet(Status::Skipped, message)
        }
        "Failed" => failed(Status::Failed),
        _ => failed(Status::Error),
    }
}

/// `at Shop.Tests.Adds() in /src/ShopTests.cs:line 12`.
fn place(root: &str, stack: &str) -> Option<Location> {
    stack.lines().find_map(|line| {
        let (_, place) = line.rsplit_once(" in ")?;
        let (file, number) = place.rsplit_once(":line ")?;
        Some(Location {
            file: relative(root, file),
            line: number.trim().parse().ok(),
            column: None,
        })
    })
}

fn check_summary(report: &Element, run: &mut Builder) {
    let Some(summary) = report.child("ResultSummary") else {
        run.broken("the report lacks its summary".to_owned());
        return;
    };
    let outcome = summary.attribute("outcome").unwrap_or_default();
    if !matches!(outcome, "Completed" | "Passed" | "Failed" | "Warning") {
        run.broken(format!("the report says of the whole run: {outcome}"));
    }
    let counters = summary.child("Counters");
    let total = counters.and_then(|counters| counters.attribute("total")?.parse::<u64>().ok());
    match total {
        Some(total) if total == run.reported() => {}
        Some(total) => {
            let held = run.reported();
            run.broken(format!(
                "the report announces {total} tests and holds {held}"
            ));
        }
        None => run.broken("the report lacks its counts".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::report::{RedReason, Status, TestId};

    const REPORT: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<TestRun id="1" xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010">
  <Results>
    <UnitTestResult testId="a" testName="Shop.Tests.CartTests.Adds" outcome="Passed" />
    <UnitTestResult testId="b" testName="Clamps(value: 42)" outcome="Failed">
      <Output><ErrorInfo><Message>Assert.Equal() Failure: Values differ</Message>
      <StackTrace>   at Shop.Tests.CartTests.Clamps(Int32 value) in /src/CartTests.cs:line 12</StackTrace></ErrorInfo></Output>
    </UnitTestResult>
    <UnitTestResult testId="c" testName="Later" outcome="NotExecuted" />
  </Results>
  <TestDefinitions>
    <UnitTest id="a"><TestMethod className="Shop.Tests.CartTests" name="Adds" /></UnitTest>
    <UnitTest id="b"><TestMethod className="Shop.Tests.CartTests, Shop.Tests" name="Clamps" /></UnitTest>
  </TestDefinitions>
  <ResultSummary outcome="Failed"><Counters total="3" executed="2" passed="1" failed="1" /></ResultSummary>
</TestRun>"#;

    #[test]
    fn results_are_named_by_class_and_told_apart() {
        let run = read("/src", REPORT.as_bytes());
        assert!(run.is_complete, "{:?}", run.problems);
        let of = |id: &str| run.results[&TestId::new(id)].clone();
        assert_eq!(of("Shop.Tests.CartTests.Adds").status, Status::Passed);
        let red = of("Shop.Tests.CartTests.Clamps(value: 42)");
        assert_eq!(red.red, Some(RedReason::Assertion));
        let place = red.location.unwrap();
        assert_eq!(
            (place.file.as_str(), place.line),
            ("CartTests.cs", Some(12))
        );
        assert_eq!(of("Later").status, Status::Skipped);
    }

    #[test]
    fn a_report_that_is_not_whole_is_not_complete() {
        for bent in [
            REPORT.replace("total=\"3\"", "total=\"4\""),
            REPORT.replace(
                "outcome=\"Failed\"><Counters",
                "outcome=\"Aborted\"><Counters",
            ),
            REPORT.replace("<Counters total=\"3\"", "<Counters"),
            REPORT.split("<TestDefinitions>").next().unwrap().to_owned(),
            "<testsuites/>".to_owned(),
        ] {
            assert!(!read("/src", bent.as_bytes()).is_complete, "{bent}");
        }
    }
}
