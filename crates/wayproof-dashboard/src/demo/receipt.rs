//! Receipts of the made-up month: they verify, with the two keys that the demo trusts, and show what each task owes.

use wayproof_receipt::predicate::{
    Check, CheckKind, CheckResult, FailToPass, Link, Obligation, PassToPass, Proof, RedReason,
    Review, ReviewDecision, Side, Svr, Tests, Tier, Verifier,
};
use wayproof_receipt::{
    Bundle, Predicate, ResourceDescriptor, Reviewer, SigningKey, Statement, Time, Trust, Verdict,
    seal, sha256_hex,
};

use super::DemoError;
use super::story::Job;

/// Who signs: a machine that proves and a person who reviews.
pub(super) struct Keys {
    prover: SigningKey,
    reviewer: SigningKey,
}

/// The person who reviews.
pub(super) const REVIEWER: &str = "ana (demo)";

impl Keys {
    pub(super) fn generate() -> Result<Self, DemoError> {
        let key = || SigningKey::generate().map_err(DemoError::Key);
        Ok(Self {
            prover: key()?,
            reviewer: key()?,
        })
    }

    /// The key that signs the demo's log, too.
    pub(super) fn prover(&self) -> SigningKey {
        self.prover.clone()
    }

    pub(super) fn trust(&self) -> Trust {
        Trust::default()
            .and("demo", &self.prover.public())
            .and_reviewer(REVIEWER, &self.reviewer.public(), Reviewer::default())
    }
}

/// What a task owes by the built-in policy.
pub(super) fn requirements(task: &str) -> Vec<Vec<String>> {
    let groups: &[&[&str]] = match task {
        "small-edit" => &[&["typecheck", "focused-test"]],
        "test-generation" => &[&["tests-run"]],
        "migration" => &[&["build"], &["smoke"]],
        "documentation" => &[&["primary-sources"]],
        "security-review" => &[&["human-review"]],
        _ => &[&["failing-test-becomes-green"]],
    };
    let owned = |group: &&[&str]| group.iter().map(|name| (*name).to_owned()).collect();
    groups.iter().map(owned).collect()
}

/// The tree that a job ended with.
pub(super) fn tree_of(job: &Job) -> String {
    object(&job.id)
}

fn object(of: &str) -> String {
    sha256_hex(of.as_bytes()).chars().take(40).collect()
}

/// The receipt of a job.
pub(super) fn receipt(job: &Job, verdict: Verdict, keys: &Keys) -> Result<String, DemoError> {
    let task = job.task();
    let tree = tree_of(job);
    let before = object(&format!("before {}", job.id));
    let base = ResourceDescriptor::revision(&before, &before);
    let change = || ResourceDescriptor::change(&tree, &tree, &sha256_hex(tree.as_bytes()), None);
    let sealed = |subject: Vec<ResourceDescriptor>, predicate: Predicate, key: &SigningKey| {
        let sealed = seal(&Statement { subject, predicate }, key);
        sealed.map_err(|error| DemoError::Story(error.to_string()))
    };
    let obligation = Obligation {
        task: task.to_owned(),
        requirements: requirements(task),
        base: base.clone(),
        frozen_at: Some(Time(job.at_us)),
        ..Obligation::default()
    };
    let obligation = sealed(
        vec![base.clone()],
        Predicate::Obligation(Box::new(obligation)),
        &keys.prover,
    )?;
    let proof = Proof {
        obligation: Some(obligation.descriptor("obligation")),
        base: base.clone(),
        head: ResourceDescriptor::revision(&tree, &tree),
        ..proof(task, verdict)
    };
    let proof = Predicate::Proof(Box::new(proof));
    let mut lines = vec![obligation, sealed(change(), proof, &keys.prover)?];
    if task == "security-review" && is_good(verdict) {
        let review = Review {
            reviewer: REVIEWER.to_owned(),
            decision: ReviewDecision::Approved,
            reviewed_at: Some(Time(job.at_us)),
            base: Some(base),
            comment: Some("made up for the demo".to_owned()),
            ..Review::default()
        };
        let review = Predicate::Review(Box::new(review));
        lines.push(sealed(change(), review, &keys.reviewer)?);
    }
    let verifier = Verifier {
        id: "https://wayproof.dev/demo".to_owned(),
        policies: Vec::new(),
    };
    let summary = Svr::new(verifier, Time(job.at_us), (task, verdict), &lines);
    let summary = Predicate::Svr(Box::new(summary));
    lines.push(sealed(change(), summary, &keys.prover)?);
    Ok(Bundle::new(lines).to_jsonl())
}

pub(super) fn is_good(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Proven | Verdict::ProvenWithGaps)
}

/// What a machine would have seen for such a verdict.
fn proof(task: &str, verdict: Verdict) -> Proof {
    let kinds: &[CheckKind] = match task {
        "migration" => &[CheckKind::Build, CheckKind::Smoke],
        "documentation" => &[CheckKind::Link],
        "security-review" => &[CheckKind::Build],
        _ => &[CheckKind::Test],
    };
    let checks: Vec<Check> = kinds.iter().map(|kind| check(*kind, verdict)).collect();
    let has_tests = kinds.contains(&CheckKind::Test) && verdict != Verdict::Unproven;
    Proof {
        task: task.to_owned(),
        requirements: requirements(task),
        tier: Tier::Reexecuted,
        verdict,
        checks,
        tests: has_tests.then(|| tests(verdict)),
        fail_to_pass: if has_tests && task == "bug-fix" {
            vec![FailToPass {
                test_id: "cart::rounds_half_up".to_owned(),
                base_runs: 3,
                base_reds: 3,
                red_reason: RedReason::Assertion,
                head_runs: 3,
                head_greens: 3,
                ..FailToPass::default()
            }]
        } else {
            Vec::new()
        },
        links: if task == "documentation" {
            vec![Link {
                url: "https://docs.example/install".to_owned(),
                status: Some(200),
                is_primary: true,
                is_found: verdict != Verdict::Refuted,
                ..Link::default()
            }]
        } else {
            Vec::new()
        },
        gaps: if verdict == Verdict::ProvenWithGaps {
            vec!["DEMO_DATA".to_owned()]
        } else {
            Vec::new()
        },
        ..Proof::default()
    }
}

fn check(kind: CheckKind, verdict: Verdict) -> Check {
    let (exit_status, result) = match verdict {
        Verdict::Unproven => (None, CheckResult::TimedOut),
        Verdict::Refuted => (Some(1), CheckResult::Failed),
        _ => (Some(0), CheckResult::Passed),
    };
    Check {
        id: "made-up".to_owned(),
        kind,
        side: Side::Head,
        argv: vec!["made".to_owned(), "up".to_owned()],
        exit_status,
        is_complete: exit_status.is_some(),
        result,
        ..Check::default()
    }
}

fn tests(verdict: Verdict) -> Tests {
    let lost = if verdict == Verdict::Refuted {
        vec!["cart::keeps_order".to_owned()]
    } else {
        Vec::new()
    };
    let failed = lost.len() as u64;
    Tests {
        planned: 12,
        ran: 12,
        passed: 12 - failed,
        failed,
        pass_to_pass: Some(PassToPass {
            kept: 11 - failed,
            lost,
        }),
        ..Tests::default()
    }
}
