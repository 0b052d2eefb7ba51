//! `go test`, plain and `-json`. A package that fails without a failing test is an error under
//! the package's name; packages that had nothing to run count for nothing.

use memchr::memmem::Finder;
use serde::Deserialize;

use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, Location, Outcome, location};

pub(super) static GOTEST: Recognizer = Recognizer {
    triggers: &[
        "--- FAIL: ",
        "--- PASS: ",
        "--- SKIP: ",
        "FAIL\t",
        "ok  \t",
        "\"Action\":",
        "\nok ",
        "\nFAIL",
        "\nPASS",
    ],
    read,
};

/// What is known of a run so far.
#[derive(Default)]
struct Run {
    counts: Counts,
    /// Packages that passed and had something to run.
    good_packages: u64,
    /// Failed tests seen since the last package line.
    failed_here: u64,
    /// The package line said FAIL.
    has_failed: bool,
    /// Anything only `go test` prints.
    has_spoken: bool,
    /// `no tests to run` stood above the package line.
    is_empty: bool,
    /// The last log line of a test, `file_test.go:9: message`.
    last: Option<(Location, String)>,
    /// The last failed test still waits for its place.
    is_open: bool,
}

/// A line of `go test -json`.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "Action")]
    action: &'a str,
    #[serde(rename = "Package", default)]
    package: std::borrow::Cow<'a, str>,
    #[serde(rename = "Test")]
    test: Option<std::borrow::Cow<'a, str>>,
}

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "go-test");
    let mut run = Run::default();
    let mark = Finder::new("--- ");
    for line in &log.lines {
        if line.starts_with('{') && line.contains("\"Action\":") {
            if let Ok(event) = serde_json::from_str::<Event<'_>>(line) {
                run.event(&mut report, &event);
            }
        } else {
            run.line(&mut report, line, &mark);
        }
    }
    run.end(report)
}

impl Run {
    fn line(&mut self, report: &mut Report, line: &str, mark: &Finder<'_>) {
        if let Some((status, name)) = result(line, mark) {
            self.test(report, status, name);
        } else if line.starts_with("=== ") {
            self.is_open = false;
        } else if line == "FAIL" {
            self.has_failed = true;
        } else if line == "testing: warning: no tests to run" {
            self.is_empty = true;
        } else if let Some(package) = line.strip_prefix("FAIL\t") {
            self.bad_package(report, package);
        } else if let Some(rest) = line.strip_prefix("ok ") {
            self.good_package(rest);
        } else if line.starts_with("    ") {
            self.remember(report, line.trim_start());
        }
    }

    fn test(&mut self, report: &mut Report, status: &str, name: &str) {
        self.has_spoken = true;
        match status {
            "PASS" => self.counts.passed += 1,
            "SKIP" => self.counts.skipped += 1,
            _ => {
                self.counts.failed += 1;
                self.failed_here += 1;
                self.is_open = self.last.is_none();
                // A test has one result line in its package; packages may share names.
                report.next_run();
                match self.last.take() {
                    Some((place, message)) => report.fail_at(name, &message, Some(place)),
                    None => report.fail(name, ""),
                }
            }
        }
        self.last = None;
    }

    /// Reads `FAIL<tab>package<tab>0.1s` and `FAIL<tab>package [build failed]`.
    fn bad_package(&mut self, report: &mut Report, text: &str) {
        let name = text.split([' ', '\t']).next().unwrap_or_default();
        self.close_package(report, name, text.trim());
    }

    fn close_package(&mut self, report: &mut Report, name: &str, why: &str) {
        self.has_spoken = true;
        self.has_failed = true;
        if self.failed_here == 0 && !name.is_empty() {
            self.counts.errors += 1;
            report.next_run();
            report.fail(name, why);
        }
        self.failed_here = 0;
        self.is_empty = false;
    }

    /// Reads what follows `ok `: `<tab>package<tab>0.1s`, perhaps `[no tests to run]`.
    fn good_package(&mut self, rest: &str) {
        let mut words = rest.split_whitespace();
        let is_package = words.next().is_some()
            && words.next().is_some_and(|word| {
                word == "(cached)"
                    || word.ends_with('s') && word.starts_with(|c: char| c.is_ascii_digit())
            });
        if is_package {
            self.has_spoken = true;
            self.good_packages += u64::from(!rest.contains("[no tests to run]") && !self.is_empty);
            self.failed_here = 0;
            self.is_empty = false;
        }
    }

    /// Keeps the last log line of a test: above the result when verbose, below it when not.
    fn remember(&mut self, report: &mut Report, line: &str) {
        let Some((place, message)) =
            location::leading(line).filter(|(place, _)| location::has_suffix(&place.file, "go"))
        else {
            return;
        };
        let message = message.trim_start_matches(':').trim();
        if self.is_open {
            self.is_open = false;
            report.locate_last(place, message);
        } else {
            self.last = Some((place, message.to_owned()));
        }
    }

    fn event(&mut self, report: &mut Report, event: &Event<'_>) {
        match (event.action, &event.test) {
            ("pass", Some(name)) => self.test(report, "PASS", name),
            ("skip", Some(name)) => self.test(report, "SKIP", name),
            ("fail", Some(name)) => self.test(report, "FAIL", name),
            ("pass", None) => self.has_spoken = true,
            ("fail", None) => self.close_package(report, &event.package, "failed"),
            _ => {}
        }
    }

    fn end(mut self, report: Report) -> Option<Evidence> {
        if !self.has_spoken {
            return None;
        }
        self.counts.run = self.counts.passed + self.counts.failed + self.counts.errors;
        if self.has_failed || report.has_failures() {
            if self.counts.failed + self.counts.errors == 0 {
                self.counts.errors = 1;
                self.counts.run += 1;
            }
            return Some(report.tested(Some(self.counts)));
        }
        if self.counts.run == 0 && self.good_packages > 0 {
            return Some(report.ended(Outcome::Passed));
        }
        Some(report.tested(Some(self.counts)))
    }
}

/// Reads `--- FAIL: TestName (0.00s)`, which a test's own output may stand in front of.
fn result<'l>(line: &'l str, mark: &Finder<'_>) -> Option<(&'l str, &'l str)> {
    let at = mark.find(line.as_bytes())?;
    let (status, rest) = line.get(at + 4..)?.split_once(": ")?;
    if !matches!(status, "PASS" | "FAIL" | "SKIP") {
        return None;
    }
    let name = rest.split(" (").next().unwrap_or(rest).trim();
    (!name.is_empty() && !name.contains(' ')).then_some((status, name))
}
