//! The item a recognizer is filling in. It keeps lists short and free of repeats; it decides
//! nothing about the exit status, which is [`settle`](super::settle)'s.
//!
//! A failure's identity is its name within its run: a runner that names a test on its progress
//! line and again above its sums means one failure, a job that is tried again means another.

use std::collections::BTreeMap;

use super::{
    Counts, Diagnostic, Evidence, EvidenceKind, Failure, Location, Outcome, Severity, scan,
};

/// An [`Evidence`] in the making.
pub(super) struct Report {
    evidence: Evidence,
    /// Where the failures of the run that is being read stand, by name.
    known: BTreeMap<String, usize>,
    has_errors: bool,
}

impl Report {
    /// Starts an item about `tool`.
    pub(super) fn new(kind: EvidenceKind, tool: &str) -> Self {
        Self {
            evidence: Evidence::observed(kind, tool),
            known: BTreeMap::new(),
            has_errors: false,
        }
    }

    /// Starts another run of the tool: names from here on are failures of their own.
    pub(super) fn next_run(&mut self) {
        self.known.clear();
    }

    /// Adds a failed test; a name that the run has already only gains what it lacked.
    pub(super) fn fail(&mut self, name: &str, message: &str) {
        let name = name.trim();
        if name.is_empty() {
            return;
        }
        let kept = scan::clipped(name);
        if let Some(failure) = self
            .known
            .get(&kept)
            .and_then(|at| self.evidence.failures.get_mut(*at))
        {
            if failure.message.is_empty() {
                failure.message = scan::clipped(message);
            }
            return;
        }
        if self.evidence.failures.len() < Evidence::MAX_ITEMS {
            self.known
                .insert(kept.clone(), self.evidence.failures.len());
            self.evidence.failures.push(Failure {
                name: kept,
                location: None,
                message: scan::clipped(message),
            });
        }
    }

    /// Adds a failed test with the place where it failed, where that is known.
    pub(super) fn fail_at(&mut self, name: &str, message: &str, location: Option<Location>) {
        self.fail(name, message);
        let kept = scan::clipped(name);
        let failure = self
            .known
            .get(&kept)
            .and_then(|at| self.evidence.failures.get_mut(*at));
        if let (Some(failure), Some(location)) = (failure, location) {
            failure.location.get_or_insert(location);
        }
    }

    /// Gives the last failed test its place and message.
    pub(super) fn locate_last(&mut self, location: Location, message: &str) {
        if let Some(failure) = self.evidence.failures.last_mut() {
            failure.location.get_or_insert(location);
            failure.message = scan::clipped(message);
        }
    }

    /// True when a finding was an error, also one that the full list has no room for.
    pub(super) fn has_errors(&self) -> bool {
        self.has_errors
    }

    /// True when there is no room for another finding. Its severity still counts.
    pub(super) fn is_full_with(&mut self, severity: Severity) -> bool {
        self.has_errors |= severity == Severity::Error;
        self.evidence.diagnostics.len() >= Evidence::MAX_ITEMS
    }

    /// Adds a finding.
    pub(super) fn diagnose(&mut self, diagnostic: Diagnostic) {
        self.has_errors |= diagnostic.severity == Severity::Error;
        if self.evidence.diagnostics.len() < Evidence::MAX_ITEMS {
            self.evidence.diagnostics.push(diagnostic);
        }
    }

    /// True when a failed test has been named.
    pub(super) fn has_failures(&self) -> bool {
        !self.evidence.failures.is_empty()
    }

    /// How many failed tests have been named.
    pub(super) fn failure_count(&self) -> u64 {
        u64::try_from(self.evidence.failures.len()).unwrap_or(u64::MAX)
    }

    /// The findings so far.
    pub(super) fn diagnostics(&self) -> &[Diagnostic] {
        &self.evidence.diagnostics
    }

    /// Ends the item with what a test runner's summary said. Nothing ran means nothing is known,
    /// and a named failure outweighs any sum.
    pub(super) fn tested(mut self, counts: Option<Counts>) -> Evidence {
        let named = self.failure_count();
        self.evidence.outcome = match counts {
            _ if named > 0 => Outcome::Failed,
            Some(counts) if counts.failed + counts.errors > 0 => Outcome::Failed,
            Some(counts) if counts.passed > 0 => Outcome::Passed,
            Some(_) | None => Outcome::Unknown,
        };
        self.evidence.counts = counts;
        self.evidence
    }

    /// Ends the item with an outcome.
    pub(super) fn ended(mut self, outcome: Outcome) -> Evidence {
        self.evidence.outcome = outcome;
        self.evidence
    }
}
