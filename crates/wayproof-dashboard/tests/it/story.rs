//! A job as agents leave one behind: asked, refuted, moved up, proven, sealed. Every foreign word can be chosen.

use serde_json::{Value, json};
use wayproof_engine::{Cause, Evidence};
use wayproof_ledger::{
    About, Body, Capture, Escalated, EventBody, EvidenceNoted, JobClosed, JobOpened, Ledger,
    ObligationFrozen, ProofFinished, ReceiptIssued, ReviewRecorded, SessionStarted,
};
use wayproof_receipt::predicate::{
    AgentSession, Check, CheckKind, CheckResult, FailToPass, Finding, ModelSpend, Obligation,
    PassToPass, PriceBasis, Proof, RedReason, Spend, Svr, Tests, Tier, Verifier,
};
use wayproof_receipt::{
    Bundle, Predicate, ResourceDescriptor, Statement, Time, Verdict, seal, sha256_hex,
};

use crate::stage::{NOON_US, prover};

const TREE: &str = "1f7a7a472abf3dd9643fd615f6da379c4acb3e3a";
const COMMIT: &str = "c3d0be41ecbe669545ee3e94d31ed9a4bc91ee3c";
const CHANGE: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// The words that come from elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) job: String,
    pub(crate) task: String,
    pub(crate) agent: String,
    pub(crate) repo: String,
    pub(crate) branch: String,
    pub(crate) model: String,
    pub(crate) test: String,
    pub(crate) output: String,
    pub(crate) file: String,
    pub(crate) why: String,
}

impl Words {
    pub(crate) fn plain(job: &str) -> Self {
        Self {
            job: job.to_owned(),
            task: "bug-fix".into(),
            agent: "claude-code".into(),
            repo: "https://example.org/team/shop.git".into(),
            branch: "fix/parser".into(),
            model: "claude-haiku-5-5".into(),
            test: "parser::rejects_empty".into(),
            output: "assertion failed: left == right".into(),
            file: "src/parser.rs".into(),
            why: "the proof refuted the change".into(),
        }
    }

    /// The same text everywhere.
    pub(crate) fn all(job: &str, text: &str) -> Self {
        let text = text.to_owned();
        Self {
            job: job.to_owned(),
            task: text.clone(),
            agent: text.clone(),
            repo: text.clone(),
            branch: text.clone(),
            model: text.clone(),
            test: text.clone(),
            output: text.clone(),
            file: text.clone(),
            why: text,
        }
    }
}

/// What was left behind.
pub(crate) struct Left {
    pub(crate) exchange: String,
    pub(crate) receipt: String,
}

/// Records the story.
pub(crate) async fn tell(ledger: &Ledger, words: &Words) -> Left {
    let about = |exchange: Option<&str>| About {
        session: Some(format!("session-of-{}", words.job)),
        job: Some(words.job.clone()),
        exchange: exchange.map(str::to_owned),
    };
    let note = |exchange: Option<&str>, body: EventBody| {
        ledger.note(&ledger.event(about(exchange), body)).unwrap();
    };
    for body in beginning(words) {
        note(None, body);
    }
    let mut exchange = String::new();
    for (class, listed) in [
        ("fast", Some(12_340_000)),
        ("fast", None),
        ("strong", Some(98_760_000)),
    ] {
        exchange = ledger.ids().next().to_string();
        note(Some(&exchange), opened(words, class));
        note(Some(&exchange), settled(words, class, listed));
        for part in ["request", "answer"] {
            let body = Body {
                part,
                capture: Capture::Redacted,
                bytes: words.output.clone().into_bytes(),
                length: words.output.len() as u64,
                ..Body::default()
            };
            ledger.capture(about(Some(&exchange)), body).await.unwrap();
        }
        if class == "fast" && listed.is_none() {
            for body in middle(words) {
                note(None, body);
            }
        }
    }
    let bundle = bundle(words);
    let receipt = ledger.keep(&bundle).await.unwrap();
    assert_eq!(receipt, sha256_hex(bundle.as_bytes()));
    for body in end(&receipt, words) {
        note(None, body);
    }
    ledger.flush().await.unwrap();
    Left { exchange, receipt }
}

fn beginning(words: &Words) -> [EventBody; 3] {
    [
        EventBody::SessionStarted(SessionStarted {
            agent: words.agent.clone(),
            agent_version: Some(words.branch.clone()),
            cwd: Some(words.file.clone()),
            repo: Some(words.repo.clone()),
            branch: Some(words.branch.clone()),
            ..SessionStarted::default()
        }),
        EventBody::JobOpened(JobOpened {
            task: words.task.clone(),
            class: Some("fast".into()),
            repo: Some(words.repo.clone()),
            base: Some(words.branch.clone()),
            agent: Some(words.agent.clone()),
            rule: Some(words.why.clone()),
            ..JobOpened::default()
        }),
        EventBody::ObligationFrozen(ObligationFrozen {
            task: words.task.clone(),
            requirements: vec![vec!["failing-test-becomes-green".into()]],
            policy_digest: CHANGE.into(),
            obligation_digest: CHANGE.into(),
            ..ObligationFrozen::default()
        }),
    ]
}

fn middle(words: &Words) -> [EventBody; 3] {
    let evidence: Evidence = serde_json::from_value(json!({
        "kind": "test", "tool": words.agent, "grade": "observed", "outcome": "failed",
        "counts": {"run": 12, "passed": 11, "failed": 1, "skipped": 0, "errors": 0},
        "failures": [{"name": words.test, "message": words.output}],
        "diagnostics": [{"severity": "error", "message": words.output, "location": {"file": words.file, "line": 3}}],
    }))
    .unwrap();
    [
        EventBody::EvidenceNoted(EvidenceNoted { evidence }),
        EventBody::ProofFinished(ProofFinished {
            verdict: Verdict::Refuted,
            task: words.task.clone(),
            head_tree: Some(TREE.into()),
            receipt_digest: None,
            one_fact: Some(words.output.clone()),
            wall_us: Some(4_200_000),
        }),
        EventBody::Escalated(Escalated {
            cause: Cause::ProofRefuted,
            from: "fast".into(),
            to: "strong".into(),
            why: words.why.clone(),
        }),
    ]
}

fn end(receipt: &str, words: &Words) -> [EventBody; 4] {
    [
        EventBody::ProofFinished(ProofFinished {
            verdict: Verdict::Proven,
            task: words.task.clone(),
            head_tree: Some(TREE.into()),
            receipt_digest: Some(receipt.to_owned()),
            one_fact: None,
            wall_us: Some(5_100_000),
        }),
        EventBody::ReceiptIssued(ReceiptIssued {
            receipt_digest: receipt.to_owned(),
            verdict: Verdict::Proven,
            commit: Some(COMMIT.into()),
            tree: Some(TREE.into()),
            key_id: Some(words.agent.clone()),
        }),
        EventBody::ReviewRecorded(ReviewRecorded {
            reviewer: words.agent.clone(),
            decision: "approved".into(),
            ..ReviewRecorded::default()
        }),
        EventBody::JobClosed(JobClosed {
            verdict: Some(Verdict::Proven),
            why: Some(words.why.clone()),
        }),
    ]
}

/// A request as the gateway records it; its format is read, because the dashboard does not know the wire.
pub(crate) fn opened(words: &Words, class: &str) -> EventBody {
    let decision = json!({
        "task": words.task, "class": class, "routing": "routed",
        "attempts": [{"target": {"provider": "anthropic", "model": words.model}, "window_tokens": 200_000, "switch_nano_usd": 1_230_000}],
        "rule": words.why, "confidence_pm": 871, "runner_up": [words.task, 90],
        "causes": [{"cause": "proof-refuted", "at_turn": 2, "to": "strong", "why": words.why}],
        "rejected": [{"target": words.model, "why": words.why}],
        "proof": [["failing-test-becomes-green"]], "estimated_tokens": 143_000,
        "policy_digest": CHANGE, "catalog_digest": CHANGE,
    });
    read(
        &json!({
            "protocol": "messages", "agent": words.agent, "requested_model": words.model, "task": words.task, "class": class,
            "provider": "anthropic", "model": words.model, "routing": "routed", "is_streaming": true,
            "request_bytes": 143_000, "decision": decision,
        }),
        |text| EventBody::ExchangeOpened(Box::new(serde_json::from_str(text).unwrap())),
    )
}

pub(crate) fn settled(words: &Words, class: &str, listed: Option<i64>) -> EventBody {
    let mut cost = json!({});
    if let Some(listed) = listed {
        cost = json!({"listed_nano_usd": listed, "billed_nano_usd": listed / 2});
    }
    read(
        &json!({
            "outcome": "completed", "status": 200, "task": words.task, "class": class, "provider": "anthropic",
            "model": words.model,
            "attempts": [
                {"provider": "openai", "model": words.model, "status": 529, "started_us": NOON_US, "fault": words.output},
                {"provider": "anthropic", "model": words.model, "status": 200, "started_us": NOON_US, "ttfb_us": 420_000},
            ],
            "usage": {"input": 1_200, "cache_read": 40_000, "output": 310},
            "cost": cost, "ttfb_us": 421_000, "total_us": 2_100_000, "response_bytes": 9_000, "stop": words.why,
            "provider_request_id": words.output,
        }),
        |text| EventBody::ExchangeSettled(Box::new(serde_json::from_str(text).unwrap())),
    )
}

fn read(value: &Value, make: impl FnOnce(&str) -> EventBody) -> EventBody {
    make(&value.to_string())
}

pub(crate) fn bundle(words: &Words) -> String {
    let subjects = || ResourceDescriptor::change(COMMIT, TREE, CHANGE, None);
    let line = |predicate: Predicate| {
        let statement = Statement {
            subject: subjects(),
            predicate,
        };
        seal(&statement, &prover()).unwrap()
    };
    let base = ResourceDescriptor::revision(COMMIT, TREE);
    let requirements = vec![vec!["failing-test-becomes-green".to_owned()]];
    let obligation = seal(
        &Statement {
            subject: vec![base.clone()],
            predicate: Predicate::Obligation(Box::new(Obligation {
                task: words.task.clone(),
                requirements: requirements.clone(),
                base: base.clone(),
                frozen_at: Some(Time(NOON_US)),
                ..Obligation::default()
            })),
        },
        &prover(),
    )
    .unwrap();
    let proof = proof(words, &obligation, base, requirements);
    let mut lines = vec![
        obligation,
        line(Predicate::Proof(Box::new(proof))),
        line(Predicate::Spend(Box::new(spend(words)))),
    ];
    let verifier = Verifier {
        id: "https://wayproof.dev/verifier/v0.1".into(),
        policies: Vec::new(),
    };
    let summary = Svr::new(
        verifier,
        Time(NOON_US),
        (&words.task, sealed(words)),
        &lines,
    );
    lines.push(line(Predicate::Svr(Box::new(summary))));
    Bundle::new(lines).to_jsonl()
}

/// What the receipt says: a finding refutes, so that a receipt with one is not invalid but read to its end.
fn sealed(words: &Words) -> Verdict {
    if words.task == "bug-fix" {
        Verdict::Proven
    } else {
        Verdict::Refuted
    }
}

fn proof(
    words: &Words,
    obligation: &wayproof_receipt::Envelope,
    base: ResourceDescriptor,
    requirements: Vec<Vec<String>>,
) -> Proof {
    Proof {
        task: words.task.clone(),
        requirements,
        tier: Tier::Reexecuted,
        verdict: sealed(words),
        obligation: Some(obligation.descriptor("obligation")),
        base,
        head: ResourceDescriptor::revision(COMMIT, TREE),
        checks: vec![Check {
            id: "c1".into(),
            kind: CheckKind::Test,
            argv: vec!["cargo".into(), words.test.clone()],
            exit_status: Some(0),
            is_complete: true,
            isolation: vec!["userns".into(), words.file.clone()],
            result: CheckResult::Passed,
            ..Check::default()
        }],
        tests: Some(Tests {
            planned: 12,
            ran: 12,
            passed: 12,
            pass_to_pass: Some(PassToPass {
                kept: 11,
                lost: Vec::new(),
            }),
            ..Tests::default()
        }),
        fail_to_pass: vec![FailToPass {
            test_id: words.test.clone(),
            base_runs: 3,
            base_reds: 3,
            red_reason: RedReason::Assertion,
            head_runs: 3,
            head_greens: 3,
            ..FailToPass::default()
        }],
        findings: if words.task == "bug-fix" {
            Vec::new()
        } else {
            vec![Finding {
                code: words.file.clone(),
                path: Some(words.file.clone()),
                explanation: words.output.clone(),
                ..Finding::default()
            }]
        },
        ..Proof::default()
    }
}

fn spend(words: &Words) -> Spend {
    Spend {
        sessions: vec![AgentSession {
            agent: words.agent.clone(),
            session_id: "0192".into(),
            models: vec![ModelSpend {
                requested: words.model.clone(),
                provider: "anthropic".into(),
                calls: 3,
                calls_with_usage: 3,
                cost_nano_usd: Some(12_340_000),
                price_basis: PriceBasis::Listed,
                ..ModelSpend::default()
            }],
            ..AgentSession::default()
        }],
        ..Spend::default()
    }
}
