//! Maven's surefire and failsafe: the sums of each module, and the tests marked as failed.
//! Whether the build went through is `build`'s.

use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Counts, Evidence, EvidenceKind, scan};

pub(super) static MAVEN: Recognizer = Recognizer {
    triggers: &["Tests run:", "<<< FAILURE!", "<<< ERROR!"],
    read,
};

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Test, "surefire");
    let mut modules: Option<Counts> = None;
    let mut classes: Option<Counts> = None;
    let mut open = Counts::default();
    for line in &log.lines {
        let line = unprefixed(line);
        if let Some(name) = marked(line) {
            report.fail(&name, "");
        }
        let Some(counts) = sums(line) else {
            continue;
        };
        if line.contains("Time elapsed") {
            classes = Some(scan::sum(classes, counts));
            open = scan::sum(Some(open), counts);
        } else {
            modules = Some(scan::sum(modules, counts));
            report.next_run();
            open = Counts::default();
        }
    }
    // Classes whose module never came to its sum, because the log or the run was cut, still count.
    let counts = match (modules, classes) {
        (Some(modules), _) => Some(scan::sum(Some(modules), open)),
        (None, classes) => classes,
    };
    (counts.is_some() || report.has_failures()).then(|| report.tested(counts))
}

/// The line without Maven's level.
pub(super) fn unprefixed(line: &str) -> &str {
    let line = line.trim();
    if !line.starts_with('[') {
        return line;
    }
    let level = match line.as_bytes().get(1) {
        Some(b'E') => "[ERROR] ",
        Some(b'W') => "[WARNING] ",
        _ => "[INFO] ",
    };
    line.strip_prefix(level).unwrap_or(line).trim_start()
}

/// Reads `Tests run: 56, Failures: 0, Errors: 0, Skipped: 1`.
pub(super) fn sums(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("Tests run:")?;
    let (ran, _) = scan::leading_number(rest.trim_start())?;
    let failed = scan::number_after(line, "Failures:")?;
    let errors = scan::number_after(line, "Errors:")?;
    let skipped = scan::number_after(line, "Skipped:").unwrap_or(0);
    let run = ran.saturating_sub(skipped);
    Some(Counts {
        run,
        passed: run.saturating_sub(failed + errors),
        failed,
        skipped,
        errors,
    })
}

/// Reads `testX(org.foo.BarTest)  Time elapsed: 0.1 sec  <<< FAILURE!` and the later
/// `org.foo.BarTest.testX -- Time elapsed: 0.1 s <<< ERROR!`; lines about a class are not tests.
fn marked(line: &str) -> Option<String> {
    memchr::memchr(b'<', line.as_bytes())?;
    let (rest, _) = line
        .split_once("<<< FAILURE!")
        .or_else(|| line.split_once("<<< ERROR!"))?;
    if rest.starts_with("Tests run:") {
        return None;
    }
    let name = rest.split("Time elapsed").next().unwrap_or(rest);
    let name = name.trim().trim_end_matches("--").trim();
    (!name.is_empty()).then(|| name.to_owned())
}
