//! From facts to causes: what a failing compiler, a failing test or a rejection means for the job.
//! Each cause has one stated meaning, written at [`Cause`]; a failure that the job did not bring about is none.

use wayproof_wire::{Exit, ToolOutcome};

use super::{JobState, Noted, chain, escalate, seen::hash, signs};
use crate::{
    evidence::{Evidence, EvidenceKind, Grade, Outcome, Severity},
    names::Cause,
    policy::{Policy, Surface},
};

/// Adds a fact to the job and notes what it causes. `text` is the output it was read from.
pub(crate) fn add(
    policy: &Policy,
    job: &mut JobState,
    evidence: Evidence,
    text: Option<&str>,
    noted: &mut Vec<Noted>,
) {
    let mut causes = derive(job, &evidence, text);
    causes.extend(signs::flaky(job, &evidence));
    causes.extend(signs::ambiguity(job, &evidence));
    if evidence.kind == EvidenceKind::Test {
        job.edits_at_last_test = Some(job.edit_count);
    }
    // A successful edit is remembered by its path; as a fact of its own it would crowd out the others.
    let is_worth_keeping =
        evidence.kind != EvidenceKind::Edit || evidence.outcome == Outcome::Failed;
    if is_worth_keeping {
        noted.push(Noted::Evidence(evidence.clone()));
        job.keep(evidence);
    }
    for (cause, why) in causes {
        escalate::note(policy, job, cause, why, noted);
    }
}

/// Notes a sensitive surface, once a job.
pub(crate) fn surface(
    policy: &Policy,
    job: &mut JobState,
    surface: Surface,
    why: String,
    noted: &mut Vec<Noted>,
) {
    if job.surfaces.insert(surface) {
        escalate::note(policy, job, Cause::SensitiveSurface, why, noted);
    }
}

/// Notes what shows in the words of a command's output beyond the facts that are read from it.
pub(crate) fn words(policy: &Policy, job: &mut JobState, text: &str, noted: &mut Vec<Noted>) {
    let found = [
        signs::low_coverage(text),
        signs::ambiguous_migration(job, text),
    ];
    for (cause, why) in found.into_iter().flatten() {
        escalate::note(policy, job, cause, why, noted);
    }
}

/// Notes what an edited document claims, once a job.
pub(crate) fn claim(
    policy: &Policy,
    job: &mut JobState,
    outcome: &ToolOutcome,
    noted: &mut Vec<Noted>,
) {
    let is_known = job.cause_counts.contains_key(&Cause::ApiOrVersionClaim);
    if !is_known && let Some((cause, why)) = signs::claim(&outcome.paths, &outcome.text) {
        escalate::note(policy, job, cause, why, noted);
    }
}

fn derive(job: &mut JobState, evidence: &Evidence, text: Option<&str>) -> Vec<(Cause, String)> {
    if evidence.outcome != Outcome::Failed {
        return Vec::new();
    }
    let tool = &evidence.tool;
    match evidence.kind {
        EvidenceKind::Compile | EvidenceKind::Typecheck | EvidenceKind::Build => {
            // What was broken before the job touched it is not this job's doing.
            if job.edit_count == 0 {
                return Vec::new();
            }
            let mut causes = vec![(Cause::CompileError, format!("{tool} fails after an edit"))];
            causes.extend(again(job, evidence));
            causes.extend(chain::find(job, evidence, text));
            causes
        }
        EvidenceKind::Test => {
            let repeated = again(job, evidence);
            if job.edit_count == 0 {
                return Vec::new();
            }
            let which = evidence
                .failures
                .first()
                .map_or("a test", |failure| &failure.name);
            let mut causes = vec![(
                Cause::TestFailure,
                format!("{which} fails after an edit ({tool})"),
            )];
            causes.extend(repeated);
            causes.extend(chain::find(job, evidence, text));
            causes
        }
        EvidenceKind::Rejection => {
            vec![(
                Cause::UserRejection,
                "the user rejects or corrects the work".to_owned(),
            )]
        }
        EvidenceKind::Proof if evidence.grade >= Grade::Executed => {
            let fact = evidence
                .failures
                .first()
                .map_or_else(String::new, |failure| {
                    format!(": {} {}", failure.name, failure.message)
                        .trim_end()
                        .to_owned()
                });
            vec![named(evidence).unwrap_or_else(|| {
                (
                    Cause::ProofRefuted,
                    format!("the proof ran and failed{fact}"),
                )
            })]
        }
        EvidenceKind::Review if evidence.grade >= Grade::Attested => vec![sent_back(evidence)],
        EvidenceKind::Review
        | EvidenceKind::Proof
        | EvidenceKind::Lint
        | EvidenceKind::Shell
        | EvidenceKind::Edit => Vec::new(),
    }
}

/// The cause that a proof names by itself: it was not refuted, and yet a stronger model should look.
fn named(evidence: &Evidence) -> Option<(Cause, String)> {
    let failure = evidence.failures.first()?;
    let of_proofs = [Cause::FlakyTest, Cause::LowCoverage];
    let cause = of_proofs
        .into_iter()
        .find(|cause| cause.as_str() == failure.name)?;
    Some((cause, format!("the proof found: {}", failure.message)))
}

/// A reviewer's word on the work.
fn sent_back(evidence: &Evidence) -> (Cause, String) {
    let said = evidence.failures.first();
    let remark = said.map_or_else(String::new, |said| {
        format!(": {} {}", said.name, said.message)
            .trim_end()
            .to_owned()
    });
    let why = format!("a reviewer sends the work back{remark}");
    (Cause::ReviewerRedo, why)
}

/// The same failure, with the same message, after another edit.
fn again(job: &mut JobState, evidence: &Evidence) -> Option<(Cause, String)> {
    let mut first = None;
    for (name, message) in signs(evidence) {
        let is_again = job.fails_again(hash(&[&name, &steady(&message)]));
        if is_again && first.is_none() {
            first = Some(name);
        }
    }
    first.map(|name| {
        (
            Cause::RepeatedFailure,
            format!("{name} fails as before the last edit"),
        )
    })
}

/// Names and messages of everything that failed.
fn signs(evidence: &Evidence) -> Vec<(String, String)> {
    let failures = evidence
        .failures
        .iter()
        .map(|failure| (failure.name.clone(), failure.message.clone()));
    let errors = evidence
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error);
    let errors = errors.map(|found| {
        let file = found
            .location
            .as_ref()
            .map_or("", |location| location.file.as_str());
        let code = found.code.as_deref().unwrap_or("an error");
        (format!("{code} in {file}"), found.message.clone())
    });
    failures.chain(errors).collect()
}

/// A message without what changes from run to run: numbers, addresses, spacing.
fn steady(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c if c.is_whitespace() && out.ends_with(' ') => {}
            c if c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The fact that a tool changed files, or failed to.
pub(crate) fn edit(outcome: &ToolOutcome) -> Evidence {
    let result = match outcome.exit {
        Exit::Code(0) | Exit::Succeeded => Outcome::Passed,
        Exit::Code(_) | Exit::Failed => Outcome::Failed,
        Exit::Unknown => Outcome::Unknown,
    };
    plain(EvidenceKind::Edit, &outcome.tool, result)
}

/// The fact that the user turned something down.
pub(crate) fn rejection(why: &str) -> Evidence {
    let mut evidence = plain(EvidenceKind::Rejection, "user", Outcome::Failed);
    evidence.failures.push(crate::evidence::Failure {
        name: "rejection".to_owned(),
        location: None,
        message: super::job::cut(why.lines().next().unwrap_or_default(), 200).to_owned(),
    });
    evidence
}

fn plain(kind: EvidenceKind, tool: &str, outcome: Outcome) -> Evidence {
    Evidence {
        kind,
        tool: tool.to_owned(),
        grade: Grade::Observed,
        outcome,
        counts: None,
        failures: Vec::new(),
        diagnostics: Vec::new(),
    }
}

/// Whether a shell command changes files, by the usual ways agents do that.
pub(crate) fn writes_files(command: &str) -> bool {
    const WRITERS: [&str; 10] = [
        "apply_patch",
        "cat <<",
        "cat >",
        "git apply",
        "patch -p",
        "perl -i",
        "perl -pi",
        "sed -i",
        "tee ",
        ".write_text(",
    ];
    WRITERS.iter().any(|writer| command.contains(writer))
}
