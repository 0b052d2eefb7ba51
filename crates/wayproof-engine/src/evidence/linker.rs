//! Linkers: symbols that nobody defines, and the compiler driver's word that linking failed.

use memchr::memmem::Finder;

use super::log::Log;
use super::report::Report;
use super::table::Recognizer;
use super::{Diagnostic, Evidence, EvidenceKind, Outcome, Severity, scan};

pub(super) static LINKER: Recognizer = Recognizer {
    triggers: &[
        "undefined reference to ",
        "ld returned ",
        "Undefined symbols for architecture",
        "linker command failed",
    ],
    read,
};

fn read(log: &Log<'_>) -> Option<Evidence> {
    let mut report = Report::new(EvidenceKind::Compile, "ld");
    let mut has_failed = false;
    let failed = Finder::new("linker command failed with exit code");
    let undefined = Finder::new("undefined reference to ");
    for line in &log.lines {
        has_failed |= line.starts_with("collect2: error: ld returned ")
            || line.starts_with("Undefined symbols for architecture")
            || failed.find(line.as_bytes()).is_some();
        if undefined.find(line.as_bytes()).is_some() {
            report.diagnose(Diagnostic {
                location: None,
                severity: Severity::Error,
                code: None,
                message: scan::clipped(line),
            });
        }
    }
    (has_failed || !report.diagnostics().is_empty()).then(|| report.ended(Outcome::Failed))
}
