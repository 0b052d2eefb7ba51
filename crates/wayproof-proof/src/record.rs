//! Writes down what was seen as the receipt's predicates. It judges nothing, and claims no more than a verifier can find.

use wayproof_engine::ProofRequirement;
use wayproof_receipt::ResourceDescriptor;
use wayproof_receipt::predicate::{
    FailToPass, Flake, Proof, Reason, SurfaceChange, TestOutcome, TestResult, Tests as TestCounts,
    Tier,
};
use wayproof_repo::{Commit, Repo};

use crate::compare;
use crate::plan::{FileChange, Role};
use crate::prove::Evidence;
use crate::report::Status;
use crate::request::{ProveError, ProveRequest, Proven, Runs};
use crate::row::Outcome;
use crate::run::SuiteRun;

/// The two ends of a change.
pub(crate) struct Revisions {
    /// What the change is measured against.
    pub base: Commit,
    /// What is proven.
    pub head: Commit,
}

/// The proof and its subjects, as the receipt wants them.
pub(crate) fn write_down(
    repo: &Repo,
    request: &ProveRequest,
    revisions: &Revisions,
    changes: &[FileChange],
    evidence: Evidence,
) -> Result<Proven, ProveError> {
    let (base, head) = (&revisions.base, &revisions.head);
    let digest = repo.change_digest(base.tree.as_str(), head.tree.as_str())?;
    let patch = repo.patch_id(base.tree.as_str(), head.tree.as_str())?;
    let subjects = ResourceDescriptor::change(
        head.id.as_str(),
        head.tree.as_str(),
        &digest,
        patch.as_deref(),
    );
    let outcomes = &evidence.outcomes;
    let requirement = |required: &ProofRequirement| required.to_string();
    let proof = Proof {
        task: request.task.as_str().to_owned(),
        requirements: request
            .requirements
            .iter()
            .map(|group| group.iter().map(requirement).collect())
            .collect(),
        obligation: request
            .obligation
            .as_ref()
            .map(|digest| ResourceDescriptor::digest("sha256", digest)),
        tier: Tier::Reexecuted,
        verdict: evidence.judgment.verdict,
        base: ResourceDescriptor::revision(base.id.as_str(), base.tree.as_str()),
        head: ResourceDescriptor::revision(head.id.as_str(), head.tree.as_str()),
        control_surface_changed: surface_of(changes),
        tests: tests_of(outcomes),
        fail_to_pass: outcomes.iter().flat_map(fixed_of).collect(),
        flake: evidence.flake.or_else(|| flake_of(outcomes, request.runs)),
        mutation: evidence.mutation,
        coverage: evidence.coverage,
        oracle: evidence.oracle,
        public_api: evidence.public_api,
        benchmark: evidence.benchmark,
        dependencies: evidence.dependencies,
        findings: evidence.findings,
        gaps: evidence.judgment.gaps,
        checks: evidence.checks,
        links: evidence.links,
        claims: evidence.claims,
        ..Proof::default()
    };
    let test_results = outcomes
        .iter()
        .filter_map(|outcome| outcome.head())
        .map(test_result)
        .collect();
    let mut proven = Proven {
        proof,
        subjects,
        test_results,
        one_fact: evidence.judgment.one_fact,
    };
    claim_no_more_than_is_shown(&mut proven);
    Ok(proven)
}

/// Makes a proof that was taken over one of these revisions, whose trees are those it was run on.
pub(crate) fn stamp(
    repo: &Repo,
    request: &ProveRequest,
    revisions: &Revisions,
    kept: &mut Proven,
) -> Result<(), ProveError> {
    let (base, head) = (&revisions.base, &revisions.head);
    let digest = repo.change_digest(base.tree.as_str(), head.tree.as_str())?;
    let patch = repo.patch_id(base.tree.as_str(), head.tree.as_str())?;
    kept.subjects = ResourceDescriptor::change(
        head.id.as_str(),
        head.tree.as_str(),
        &digest,
        patch.as_deref(),
    );
    kept.proof.base = ResourceDescriptor::revision(base.id.as_str(), base.tree.as_str());
    kept.proof.head = ResourceDescriptor::revision(head.id.as_str(), head.tree.as_str());
    kept.proof.obligation = request
        .obligation
        .as_ref()
        .map(|digest| ResourceDescriptor::digest("sha256", digest));
    Ok(())
}

/// Lowers the verdict to what a verifier will find in the fields; a higher claim would look like a forgery.
fn claim_no_more_than_is_shown(proven: &mut Proven) {
    let ceiling = proven.proof.ceiling();
    if !proven.proof.verdict.is_above(ceiling.verdict) {
        return;
    }
    proven.proof.verdict = ceiling.verdict;
    let holding = |reason: &&Reason| reason.to == ceiling.verdict;
    if let Some(reason) = ceiling.reasons.iter().find(holding) {
        proven.proof.gaps.push("NOT_SHOWN".to_owned());
        proven.one_fact.clone_from(&reason.why);
    }
}

/// The files of the change that steer checks, ours or the project's own.
fn surface_of(changes: &[FileChange]) -> Vec<SurfaceChange> {
    let steers = |change: &&FileChange| {
        matches!(change.role, Role::Control | Role::Manifest | Role::Pipeline)
    };
    let changed = |change: &FileChange| SurfaceChange {
        path: change.path.clone(),
        before: change.old_blob.clone(),
        after: change.new_blob.clone(),
    };
    changes.iter().filter(steers).map(changed).collect()
}

fn fixed_of(outcome: &Outcome) -> Vec<FailToPass> {
    outcome
        .compared
        .fixed
        .iter()
        .map(|fixed| fixed.entry.clone())
        .collect()
}

fn tests_of(outcomes: &[Outcome]) -> Option<TestCounts> {
    let counted = outcomes.iter().filter_map(|outcome| {
        Some(compare::counts(
            &outcome.observed.base,
            outcome.head()?,
            &outcome.lost,
        ))
    });
    counted.reduce(|mut whole, one| {
        whole.planned += one.planned;
        whole.ran += one.ran;
        whole.passed += one.passed;
        whole.failed += one.failed;
        whole.skipped += one.skipped;
        whole.still_failing.extend(one.still_failing);
        whole.added.extend(one.added);
        whole.removed.extend(one.removed);
        whole.newly_skipped.extend(one.newly_skipped);
        if let (Some(kept), Some(more)) = (&mut whole.pass_to_pass, one.pass_to_pass) {
            kept.kept += more.kept;
            kept.lost.extend(more.lost);
        }
        whole
    })
}

fn flake_of(outcomes: &[Outcome], runs: Runs) -> Option<Flake> {
    let flaky = outcomes
        .iter()
        .flat_map(|outcome| outcome.compared.flaky.iter().cloned())
        .collect();
    let has_repeated = outcomes
        .iter()
        .any(|outcome| outcome.observed.head.len() > 1);
    has_repeated.then(|| compare::flake(runs.head, &flaky))
}

fn test_result(head: &SuiteRun) -> TestResult {
    let named = |wanted: &[Status]| -> Vec<String> {
        head.results
            .iter()
            .filter(|(_, result)| wanted.contains(&result.status))
            .map(|(id, _)| id.to_string())
            .collect()
    };
    let failed = named(&[Status::Failed, Status::Error]);
    TestResult {
        result: if failed.is_empty() {
            TestOutcome::Passed
        } else {
            TestOutcome::Failed
        },
        configuration: Vec::new(),
        url: None,
        passed_tests: named(&[Status::Passed]),
        warned_tests: Vec::new(),
        failed_tests: failed,
    }
}
