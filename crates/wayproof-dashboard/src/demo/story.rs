//! A month of a made-up team: jobs that are proven at once, after moving up, with gaps, or not at all.

use serde_json::json;
use wayproof_engine::{Budget, Cause, Window};
use wayproof_ledger::{
    About, Clock, Escalated, EventBody, JobClosed, JobOpened, Ledger, ObligationFrozen,
    ProofFinished, ReceiptIssued, ReviewRecorded,
};
use wayproof_receipt::{Verdict, sha256_hex};

use super::DemoError;
use super::receipt::{Keys, REVIEWER, is_good, receipt, requirements, tree_of};

const DAY_US: i64 = 86_400_000_000;
const DAYS: i64 = 30;

/// Task, class, model, agent, repository.
const KINDS: [(&str, &str, &str, &str, &str); 6] = [
    (
        "bug-fix",
        "strong",
        "claude-opus-5-5",
        "claude-code",
        "demo/shop",
    ),
    (
        "small-edit",
        "fast",
        "claude-haiku-5-5",
        "codex",
        "demo/site",
    ),
    (
        "migration",
        "strong",
        "claude-opus-5-5",
        "claude-code",
        "demo/billing",
    ),
    (
        "documentation",
        "fast",
        "claude-haiku-5-5",
        "gemini-cli",
        "demo/docs",
    ),
    (
        "test-generation",
        "fast",
        "claude-haiku-5-5",
        "aider",
        "demo/shop",
    ),
    (
        "security-review",
        "strong",
        "claude-opus-5-5",
        "claude-code",
        "demo/billing",
    ),
];

/// One job of the month.
pub(super) struct Job {
    pub(super) id: String,
    kind: usize,
    pub(super) at_us: i64,
    turns: i64,
    verdict: Option<Verdict>,
    moves_up: bool,
}

/// Numbers that look unplanned and are the same every time.
fn mixed(number: i64) -> i64 {
    (number * 7_919 + 104_729) % 1_009
}

fn jobs(now_us: i64) -> Vec<Job> {
    let mut jobs = Vec::new();
    for day in (0..DAYS).rev() {
        for place in 0..=(mixed(day) % 4) {
            let number = day * 5 + place;
            let luck = mixed(number * 3 + 1) % 10;
            jobs.push(Job {
                id: format!("demo-{day:02}-{place}"),
                kind: usize::try_from(mixed(number) % 6).unwrap_or(0),
                at_us: now_us - day * DAY_US - (place + 1) * 3_600_000_000,
                turns: 2 + mixed(number * 11) % 5,
                verdict: Some(match luck {
                    0 => Verdict::Refuted,
                    1 => Verdict::Unproven,
                    2 => Verdict::ProvenWithGaps,
                    _ => Verdict::Proven,
                }),
                moves_up: luck % 4 == 0,
            });
        }
    }
    for (place, kind) in [(0_i64, 0), (1, 2), (2, 3)] {
        jobs.push(Job {
            id: format!("demo-now-{place}"),
            kind,
            at_us: now_us - (place + 1) * 40_000_000,
            turns: 2 + place,
            verdict: None,
            moves_up: place == 1,
        });
    }
    jobs.sort_by_key(|job| job.at_us);
    jobs
}

/// Writes the month into a ledger whose clock is turned on the way.
pub(super) async fn tell(ledger: &Ledger, clock: &Clock, keys: &Keys) -> Result<(), DemoError> {
    let now_us = clock.now_us();
    for job in jobs(now_us) {
        clock.set(job.at_us);
        tell_one(ledger, &job, keys).await?;
    }
    clock.set(now_us);
    ledger.flush().await.map_err(ledgers)?;
    for (subject, dollars) in [("everyone", 60), ("repo:demo/shop", 4)] {
        let subject = subject
            .parse()
            .map_err(|_| DemoError::Story("a subject".to_owned()))?;
        let budget = Budget {
            subject,
            window: Window::Month,
            limit_nano_usd: dollars * 1_000_000_000,
            soft_nano_usd: Some(dollars * 800_000_000),
        };
        let set = ledger.books().put_budget(budget).await;
        set.map_err(DemoError::Ledger)?;
    }
    Ok(())
}

fn ledgers(error: impl std::fmt::Display) -> DemoError {
    DemoError::Story(error.to_string())
}

async fn tell_one(ledger: &Ledger, job: &Job, keys: &Keys) -> Result<(), DemoError> {
    let note = |exchange: Option<&str>, body: EventBody| {
        let about = About {
            session: Some(format!("session-of-{}", job.id)),
            job: Some(job.id.clone()),
            exchange: exchange.map(str::to_owned),
        };
        let noted = ledger.note(&ledger.event(about, body));
        noted.map_err(ledgers)
    };
    for body in beginning(job) {
        note(None, body)?;
    }
    for turn in 0..job.turns {
        let id = ledger.ids().next().to_string();
        let [opened, settled] = asked(job, turn)?;
        note(Some(&id), opened)?;
        note(Some(&id), settled)?;
        if job.moves_up && turn == job.turns / 2 {
            note(None, moved(job))?;
        }
    }
    let Some(verdict) = job.verdict else {
        return Ok(());
    };
    let receipt = receipt(job, verdict, keys)?;
    let kept = ledger.keep(&receipt).await.map_err(DemoError::Ledger)?;
    if job.task() == "security-review" {
        note(None, reviewed(job, verdict))?;
    }
    for body in end(job, verdict, &kept) {
        note(None, body)?;
    }
    Ok(())
}

impl Job {
    fn kind(
        &self,
    ) -> (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        &'static str,
    ) {
        KINDS.get(self.kind).copied().unwrap_or(KINDS[0])
    }

    pub(super) fn task(&self) -> &'static str {
        let (task, ..) = self.kind();
        task
    }
}

/// What every made-up reason says.
const WHY: &str = "made up for the demo";

fn policy_digest() -> String {
    sha256_hex(b"the demo's policy")
}

fn beginning(job: &Job) -> [EventBody; 2] {
    let (task, class, _, agent, repo) = job.kind();
    [
        EventBody::JobOpened(JobOpened {
            task: task.to_owned(),
            class: Some(class.to_owned()),
            repo: Some(repo.to_owned()),
            agent: Some(agent.to_owned()),
            rule: Some(WHY.to_owned()),
            ..JobOpened::default()
        }),
        EventBody::ObligationFrozen(ObligationFrozen {
            task: task.to_owned(),
            requirements: requirements(task),
            policy_digest: policy_digest(),
            obligation_digest: policy_digest(),
            ..ObligationFrozen::default()
        }),
    ]
}

fn moved(job: &Job) -> EventBody {
    let (_, class, ..) = job.kind();
    EventBody::Escalated(Escalated {
        cause: Cause::ProofRefuted,
        from: class.to_owned(),
        to: "max".to_owned(),
        why: "the proof refuted the change".to_owned(),
    })
}

fn reviewed(job: &Job, verdict: Verdict) -> EventBody {
    let decision = if is_good(verdict) {
        "approved"
    } else {
        "rejected"
    };
    EventBody::ReviewRecorded(ReviewRecorded {
        reviewer: REVIEWER.to_owned(),
        decision: decision.to_owned(),
        remark: Some(WHY.to_owned()),
        tree: Some(tree_of(job)),
        statement_digest: None,
    })
}

fn end(job: &Job, verdict: Verdict, receipt: &str) -> [EventBody; 3] {
    let (task, ..) = job.kind();
    [
        EventBody::ProofFinished(ProofFinished {
            verdict,
            task: task.to_owned(),
            head_tree: Some(tree_of(job)),
            receipt_digest: Some(receipt.to_owned()),
            one_fact: Some(WHY.to_owned()),
            wall_us: Some(4_200_000),
        }),
        EventBody::ReceiptIssued(ReceiptIssued {
            receipt_digest: receipt.to_owned(),
            verdict,
            commit: None,
            tree: Some(tree_of(job)),
            key_id: None,
        }),
        EventBody::JobClosed(JobClosed {
            verdict: Some(verdict),
            why: Some(WHY.to_owned()),
        }),
    ]
}

/// One request and its answer.
fn asked(job: &Job, turn: i64) -> Result<[EventBody; 2], DemoError> {
    let (_, class, model, ..) = job.kind();
    let (class, model) = if job.moves_up && turn > job.turns / 2 {
        ("max", "claude-opus-5-5")
    } else {
        (class, model)
    };
    let nano = 3_000_000 + mixed(turn * 17 + job.turns) * 90_000;
    let opened = opened(job, (class, model))?;
    let settled = settled(job, (class, model), nano)?;
    Ok([opened, settled])
}

// Bodies are read from text, since a stored decision is kept as the text it was.

fn opened(job: &Job, (class, model): (&str, &str)) -> Result<EventBody, DemoError> {
    let (task, _, _, agent, _) = job.kind();
    let digest = policy_digest();
    let decision = json!({
        "task": task, "class": class, "routing": "routed",
        "attempts": [{"target": {"provider": "demo", "model": model}, "window_tokens": 200_000}],
        "rule": WHY, "confidence_pm": 871, "causes": [], "rejected": [],
        "proof": requirements(task), "estimated_tokens": 43_000,
        "policy_digest": digest, "catalog_digest": digest,
    });
    let body = json!({
        "protocol": "messages", "agent": agent, "requested_model": model, "task": task, "class": class,
        "provider": "demo", "model": model, "routing": "routed", "is_streaming": true,
        "request_bytes": 43_000, "decision": decision,
    });
    let read = serde_json::from_str(&body.to_string()).map_err(ledgers)?;
    Ok(EventBody::ExchangeOpened(Box::new(read)))
}

fn settled(job: &Job, (class, model): (&str, &str), nano: i64) -> Result<EventBody, DemoError> {
    let (task, ..) = job.kind();
    let body = json!({
        "outcome": "completed", "status": 200, "task": task, "class": class, "provider": "demo", "model": model,
        "attempts": [], "usage": {"input": 1_200, "cache_read": 40_000, "output": 310},
        "cost": {"listed_nano_usd": nano}, "ttfb_us": 421_000, "total_us": 2_100_000, "response_bytes": 9_000,
    });
    let read = serde_json::from_str(&body.to_string()).map_err(ledgers)?;
    Ok(EventBody::ExchangeSettled(Box::new(read)))
}
