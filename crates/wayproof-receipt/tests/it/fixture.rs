//! A whole receipt of a bug fix, and the means to bend it.

use wayproof_receipt::{
    Bundle, Envelope, Predicate, ResourceDescriptor, Reviewer, SigningKey, Statement, Time, Trust,
    Verdict,
    predicate::{
        AgentSession, Check, CheckKind, CheckResult, Escalation, FailToPass, Flake, ModelSpend,
        Obligation, PassToPass, PriceBasis, Proof, RedReason, Review, ReviewDecision, ReviewRule,
        Spend, Svr, TestOutcome, TestResult, Tests, Tier, Verifier,
    },
    seal,
};

pub(crate) const TREE: &str = "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a";
pub(crate) const COMMIT: &str = "c3d0be41ecbe669545ee3e94d31ed9a4bc91ee3c";
pub(crate) const BASE_TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
pub(crate) const BASE_COMMIT: &str = "8843d7f92416211de9ebb963ff4ce28125932878";
const CHANGE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// 22 November 2026, 14:00 UTC.
pub(crate) const NOON: i64 = 1_795_356_000_000_000;

pub(crate) fn prover() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

pub(crate) fn reviewer() -> SigningKey {
    SigningKey::from_seed(&[2; 32])
}

pub(crate) fn stranger() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

pub(crate) fn trust() -> Trust {
    Trust::default()
        .and("ci", &prover().public())
        .and("ada", &reviewer().public())
        .and_reviewer("ada", &reviewer().public(), Reviewer::default())
}

pub(crate) fn subjects() -> Vec<ResourceDescriptor> {
    ResourceDescriptor::change(COMMIT, TREE, CHANGE, Some("17d9f7f9c1d6a2ab"))
}

pub(crate) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) fn obligation() -> Obligation {
    Obligation {
        task: "bug-fix".into(),
        requirements: vec![owned(&["failing-test-becomes-green"])],
        base: ResourceDescriptor::revision(BASE_COMMIT, BASE_TREE),
        frozen_at: Some(Time(NOON)),
        ..Obligation::default()
    }
}

pub(crate) fn fail_to_pass() -> FailToPass {
    FailToPass {
        test_id: "parser::rejects_empty".into(),
        base_runs: 3,
        base_reds: 3,
        red_reason: RedReason::Assertion,
        head_runs: 3,
        head_greens: 3,
        false_accept_bound: Some(0.0157),
        ..FailToPass::default()
    }
}

pub(crate) fn check(id: &str, kind: CheckKind) -> Check {
    Check {
        id: id.into(),
        kind,
        argv: owned(&["cargo", "nextest", "run"]),
        started_at: Some(Time(NOON + 60_000_000)),
        finished_at: Some(Time(NOON + 75_000_000)),
        exit_status: Some(0),
        is_complete: true,
        isolation: owned(&["userns", "netns", "landlock-abi7", "seccomp"]),
        result: CheckResult::Passed,
        ..Check::default()
    }
}

/// A proof of a bug fix that supports PROVEN.
pub(crate) fn proof() -> Proof {
    Proof {
        task: "bug-fix".into(),
        requirements: vec![owned(&["failing-test-becomes-green"])],
        tier: Tier::Reexecuted,
        verdict: Verdict::Proven,
        base: ResourceDescriptor::revision(BASE_COMMIT, BASE_TREE),
        head: ResourceDescriptor::revision(COMMIT, TREE),
        checks: vec![check("c1", CheckKind::Test)],
        tests: Some(Tests {
            planned: 412,
            ran: 412,
            passed: 412,
            pass_to_pass: Some(PassToPass {
                kept: 411,
                lost: Vec::new(),
            }),
            ..Tests::default()
        }),
        fail_to_pass: vec![fail_to_pass()],
        flake: Some(Flake {
            runs: 3,
            ..Flake::default()
        }),
        ..Proof::default()
    }
}

pub(crate) fn spend() -> Spend {
    Spend {
        sessions: vec![AgentSession {
            agent: "claude-code".into(),
            agent_version: Some("2.1.0".into()),
            session_id: "0192".into(),
            models: vec![
                ModelSpend {
                    requested: "claude-haiku-5-5".into(),
                    provider: "anthropic".into(),
                    calls: 4,
                    calls_with_usage: 4,
                    input_tokens: Some(1200),
                    cost_nano_usd: Some(12_340_000),
                    price_basis: PriceBasis::Listed,
                    ..ModelSpend::default()
                },
                ModelSpend {
                    requested: "claude-opus-5-5".into(),
                    provider: "anthropic".into(),
                    calls: 3,
                    calls_with_usage: 2,
                    ..ModelSpend::default()
                },
            ],
        }],
        escalations: vec![Escalation {
            from: "fast".into(),
            to: "strong".into(),
            cause: "proof-refuted".into(),
            at_index: Some(140),
        }],
        ..Spend::default()
    }
}

pub(crate) fn statement(predicate: Predicate) -> Statement {
    Statement {
        subject: subjects(),
        predicate,
    }
}

pub(crate) fn line(predicate: Predicate) -> Envelope {
    seal(&statement(predicate), &prover()).expect("seals")
}

pub(crate) fn obligation_line(obligation: Obligation) -> Envelope {
    let subject = vec![obligation.base.clone()];
    seal(
        &Statement {
            subject,
            predicate: Predicate::Obligation(Box::new(obligation)),
        },
        &prover(),
    )
    .expect("seals")
}

pub(crate) fn review_line(key: &SigningKey, decision: ReviewDecision) -> Envelope {
    review_line_at(key, decision, NOON)
}

pub(crate) fn review_line_at(key: &SigningKey, decision: ReviewDecision, at: i64) -> Envelope {
    let review = Review {
        reviewer: "Ada".into(),
        decision,
        reviewed_at: Some(Time(at)),
        ..Review::default()
    };
    seal(&statement(Predicate::Review(Box::new(review))), key).expect("seals")
}

pub(crate) fn summary(task: &str, verdict: Verdict, lines: &[Envelope]) -> Envelope {
    let verifier = Verifier {
        id: "https://wayproof.dev/verifier/v0.1".into(),
        policies: Vec::new(),
    };
    line(Predicate::Svr(Box::new(Svr::new(
        verifier,
        Time(NOON + 90_000_000),
        (task, verdict),
        lines,
    ))))
}

/// The lines of a receipt, as the binary would seal them.
pub(crate) struct Receipt {
    pub(crate) obligation: Obligation,
    pub(crate) proof: Proof,
    pub(crate) spend: Spend,
}

impl Default for Receipt {
    fn default() -> Self {
        Self {
            obligation: obligation(),
            proof: proof(),
            spend: spend(),
        }
    }
}

impl Receipt {
    pub(crate) fn with_proof(bend: impl FnOnce(&mut Proof)) -> Self {
        let mut receipt = Self::default();
        bend(&mut receipt.proof);
        receipt
    }

    /// A security review that needs approvals.
    pub(crate) fn awaiting_review(at_least: u32) -> Self {
        let mut receipt = Self::default();
        receipt.obligation.requirements = vec![owned(&["human-review"])];
        receipt.obligation.review = Some(ReviewRule {
            by: "code-owners".into(),
            at_least,
        });
        receipt
            .proof
            .requirements
            .clone_from(&receipt.obligation.requirements);
        receipt
    }

    /// Obligation, test result, proof, spend and summary, in that order.
    pub(crate) fn lines(mut self) -> Vec<Envelope> {
        let obligation = obligation_line(self.obligation);
        self.proof
            .obligation
            .get_or_insert_with(|| obligation.descriptor("obligation"));
        let test_result = TestResult {
            result: TestOutcome::Passed,
            configuration: vec![ResourceDescriptor::digest("gitBlob", BASE_TREE)],
            url: None,
            passed_tests: owned(&["parser::rejects_empty"]),
            warned_tests: Vec::new(),
            failed_tests: Vec::new(),
        };
        let (task, verdict) = (self.proof.task.clone(), self.proof.verdict);
        let mut lines = vec![
            obligation,
            line(Predicate::TestResult(Box::new(test_result))),
            line(Predicate::Proof(Box::new(self.proof))),
            line(Predicate::Spend(Box::new(self.spend))),
        ];
        lines.push(summary(&task, verdict, &lines));
        lines
    }

    pub(crate) fn jsonl(self) -> String {
        jsonl(self.lines())
    }
}

pub(crate) fn jsonl(lines: Vec<Envelope>) -> String {
    Bundle::new(lines).to_jsonl()
}
