//! PHPUnit and Pest: the sums and the numbered failures.

use super::log::{Ends, Log};
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static PHPUNIT: Recognizer = Recognizer {
    triggers: &["OK (", "Assertions: ", " assertions)", "No tests executed!"],
    read,
};

/// How lines begin and end that are read.
static ENDS: Ends = Ends::first(b"0123456789OTN");

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "phpunit");
    let mut counts: Option<Counts> = None;
    for (_, line) in log.lines_with(&ENDS) {
        let line = line.trim();
        if let Some(more) = all_good(line).or_else(|| sums(line)).or_else(|| pest(line)) {
            counts = Some(scan::sum(counts, more));
            report.next_run();
        } else if line == "No tests executed!" {
            counts.get_or_insert_default();
        } else if let Some(name) = entry(line) {
            report.fail(name, "");
        }
    }
    counts.map(|counts| {
        let is_failing = counts.failed + counts.errors > 0;
        if is_failing {
            report.tested(Some(counts))
        } else {
            Report::new(EvidenceKind::Test, "phpunit").tested(Some(counts))
        }
    })
}

/// Reads `OK (5 tests, 7 assertions)`.
fn all_good(line: &str) -> Option<Counts> {
    let (passed, rest) = scan::leading_number(line.strip_prefix("OK (")?)?;
    (rest.starts_with(" test") && rest.contains(" assertion")).then(|| Counts {
        run: passed,
        passed,
        ..Counts::default()
    })
}

/// Reads `Tests: 5, Assertions: 7, Failures: 1, Errors: 1, Skipped: 1.`
fn sums(line: &str) -> Option<Counts> {
    let (tests, _) = scan::leading_number(line.strip_prefix("Tests: ")?)?;
    scan::number_after(line, "Assertions:")?;
    let of = |label: &str| scan::number_after(line, label).unwrap_or(0);
    let (failed, errors) = (of("Failures:"), of("Errors:"));
    let skipped = of("Skipped:") + of("Incomplete:");
    let run = tests.saturating_sub(skipped);
    Some(Counts {
        run,
        passed: run.saturating_sub(failed + errors),
        failed,
        skipped,
        errors,
    })
}

/// Reads Pest's `Tests:    1 failed, 5 passed (7 assertions)`.
fn pest(line: &str) -> Option<Counts> {
    let sums = line
        .strip_prefix("Tests:")
        .filter(|_| line.ends_with(" assertions)"))?;
    let mut counts = Counts::default();
    for (number, word) in scan::counted(sums) {
        match word {
            "passed" => counts.passed = number,
            "failed" => counts.failed = number,
            "skipped" | "todo" | "incomplete" => counts.skipped += number,
            _ => {}
        }
    }
    counts.run = counts.passed + counts.failed;
    Some(counts)
}

/// Reads `1) App\FooTest::testBar`, also `with data set "x"`.
fn entry(line: &str) -> Option<&str> {
    let (_, rest) = scan::leading_number(line)?;
    let name = rest.strip_prefix(") ")?;
    let class = name.split("::").next().unwrap_or(name);
    (name.contains("::") && !class.contains(' ')).then_some(name)
}
