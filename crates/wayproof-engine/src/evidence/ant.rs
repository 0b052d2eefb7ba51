//! Ant's junit task: suites with their sums, and test cases with the word under them.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, maven, scan};

pub(super) static ANT: Recognizer = Recognizer {
    triggers: &["[junit]", "[junitlauncher]"],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"[");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "ant-junit");
    let mut counts: Option<Counts> = None;
    let mut suite = "";
    let mut case = "";
    let mut summed = "";
    for (_, line) in log.lines_with(&ENDS) {
        let Some(line) = line.trim_start().strip_prefix("[junit] ") else {
            continue;
        };
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix("Testsuite: ")
            .or_else(|| line.strip_prefix("Running "))
        {
            suite = name;
        } else if let Some(more) = maven::sums(line) {
            // The task's own summary and the plain formatter may both print a suite's sums.
            if summed != suite || suite.is_empty() {
                counts = Some(scan::sum(counts, more));
            }
            summed = suite;
        } else if let Some(name) = line.strip_prefix("Testcase: ") {
            let end = name
                .find(" took ")
                .or_else(|| name.find(':'))
                .unwrap_or(name.len());
            case = name.get(..end).unwrap_or(name);
            if name
                .get(end..)
                .is_some_and(|rest| rest.contains("FAILED") || rest.contains("Caused an ERROR"))
            {
                report.fail(&format!("{suite}.{case}"), "");
            }
        } else if !case.is_empty() && (line == "FAILED" || line == "Caused an ERROR") {
            report.fail(&format!("{suite}.{case}"), "");
            case = "";
        }
    }
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}
