//! Tries another policy on the jobs of the ledger and tells, job by job, what would change.

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_dashboard::{Fate, JobReplayed, ReplaySeen};
use wayproof_engine::{
    Catalog, Cause, Changed, Decision, EvidenceKind, Heard, Outcome, Policy, ProviderState,
    RecordedExchange, RecordedJob, Replayed, TaskName, World, replay,
};
use wayproof_ledger::{Clock, EventBody, JobFilter, JobRow, Ledger, Page, StoredEvent};
use wayproof_wire::Protocols;

use super::ledger::at;
use crate::{
    cli::ReplayArgs,
    exit::Mistake,
    settings,
    terminal::{cost, plain, print, print_json_pretty, table, tell},
};

/// The most jobs that are looked at.
pub(super) const MOST_JOBS: usize = 10_000;
const PAGE: u32 = 200;

/// A job with what the policy makes of it.
struct Tried {
    row: JobRow,
    replayed: Replayed,
}

/// Tries the policy.
pub(crate) async fn run(args: &ReplayArgs) -> Result<ExitCode> {
    let policy = settings::read_policy(&args.policy)?.policy;
    let since = since_us(args.since.as_deref())?;
    let ledger = at(&args.ledger).await?;
    let tried = try_all(&ledger, &policy, since, MOST_JOBS).await;
    ledger.close().await?;
    let tried = tried?;
    if args.json {
        print_json_pretty(&value(&tried))?;
    } else {
        print(&text(&tried))?;
        tell(
            "assumed: every provider was healthy, and those of the policy are set up unless the ledger says \
             otherwise. What other models would have done is not known",
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The same for a page, which reads fewer jobs.
pub(crate) async fn seen(
    ledger: &Ledger,
    policy: &Policy,
    since: i64,
    most: usize,
) -> Result<ReplaySeen> {
    let tried = try_all(ledger, policy, since, most).await?;
    let sums = sums(&tried);
    Ok(ReplaySeen {
        jobs: tried.iter().map(job_seen).collect(),
        most,
        proven: (sums.proven_known, sums.proven_known + sums.proven_open),
        cost_nano_usd: (sums.cost_low, sums.cost_high),
        unpriced: sums.unpriced,
    })
}

fn job_seen(one: &Tried) -> JobReplayed {
    let (low, high, is_outcome_known) = bounds(one);
    JobReplayed {
        job: one.row.id.clone(),
        task: one.row.task.clone(),
        verdict: one.row.verdict.clone(),
        is_outcome_known,
        cost_nano_usd: (low, high),
        fate: match &one.replayed {
            Replayed::Same => Fate::Same,
            Replayed::Unknown { why } => Fate::Unknown { why: why.clone() },
            Replayed::Changed(changed) => Fate::Changed {
                to: would_be(changed),
                why: changed.rule.clone(),
            },
        },
    }
}

async fn try_all(ledger: &Ledger, policy: &Policy, since: i64, most: usize) -> Result<Vec<Tried>> {
    let mut tried = Vec::new();
    for row in jobs_since(ledger, since, most).await? {
        let job = recorded(ledger, &row).await?;
        let world = world(policy, &job);
        let replayed = replay(policy, &job, &world, Catalog::embedded());
        tried.push(Tried { row, replayed });
    }
    Ok(tried)
}

/// So many jobs opened since then, newest first.
pub(super) async fn jobs_since(ledger: &Ledger, since: i64, most: usize) -> Result<Vec<JobRow>> {
    let mut rows: Vec<JobRow> = Vec::new();
    let mut before = None;
    loop {
        let page = Page {
            limit: PAGE,
            before,
        };
        let found = ledger
            .jobs(&JobFilter::default(), page)
            .await
            .context("reading jobs")?;
        before = found.last().map(|row| row.seq);
        let is_last = found.len() < PAGE as usize;
        rows.extend(found.into_iter().filter(|row| row.opened_us >= since));
        if is_last || rows.len() >= most {
            rows.truncate(most);
            return Ok(rows);
        }
    }
}

/// A job with its requests, as the engine wants them.
pub(super) async fn recorded(ledger: &Ledger, row: &JobRow) -> Result<RecordedJob> {
    let detail = ledger.job(&row.id).await.context("reading a job")?;
    let (story, listed) =
        detail.map_or_else(Default::default, |detail| (detail.story, detail.exchanges));
    let heard = heard(&story);
    let mut exchanges = Vec::new();
    for listed in listed.iter().rev() {
        let found = ledger
            .exchange(&listed.id)
            .await
            .context("reading an exchange")?;
        let Some(opened) = found.as_ref().and_then(|detail| detail.opened.as_ref()) else {
            continue;
        };
        // A decision of a version with other words cannot be compared.
        let decision = opened
            .decision
            .as_deref()
            .map(|raw| serde_json::from_str::<Decision>(raw.get()));
        let Some(Ok(decision)) = decision else {
            continue;
        };
        exchanges.push(RecordedExchange {
            protocol: opened.protocol,
            requested_model: opened.requested_model.clone(),
            request_bytes: opened.request_bytes,
            at_us: listed.opened_us,
            decision,
            cost_nano_usd: listed.listed_nano_usd,
        });
    }
    Ok(RecordedJob {
        id: row.id.clone(),
        task: TaskName::new(row.task.clone().unwrap_or_default()),
        heard,
        exchanges,
        outcome: outcome(row.verdict.as_deref()),
        is_contradicted: is_contradicted(&story),
    })
}

/// What was heard of the ask; the user's later word on the task is heard as an instruction.
fn heard(story: &[StoredEvent]) -> Option<Heard> {
    let mut heard: Option<Heard> = None;
    for stored in story {
        let EventBody::JobOpened(opened) = &stored.event.body else {
            continue;
        };
        match (&opened.heard, heard.as_mut()) {
            (Some(found), _) => heard = Some((**found).clone()),
            (None, Some(heard)) => heard.explicit = Some(TaskName::new(opened.task.clone())),
            (None, None) => {}
        }
    }
    heard
}

/// Whether a person turned down what the last receipt says is proven: in a review, or by taking it back in the
/// conversation.
fn is_contradicted(story: &[StoredEvent]) -> bool {
    let mut is_contradicted = false;
    for stored in story {
        match &stored.event.body {
            EventBody::ReceiptIssued(_) => is_contradicted = false,
            EventBody::ReviewRecorded(review) => {
                is_contradicted |= matches!(review.decision.as_str(), "rejected" | "redo");
            }
            EventBody::Escalated(moved) => is_contradicted |= moved.cause == Cause::UserRejection,
            EventBody::EvidenceNoted(noted) => {
                is_contradicted |= noted.evidence.kind == EvidenceKind::Rejection;
            }
            _ => {}
        }
    }
    is_contradicted
}

fn outcome(verdict: Option<&str>) -> Outcome {
    match verdict {
        Some("PROVEN" | "PROVEN_WITH_GAPS") => Outcome::Passed,
        Some("REFUTED") => Outcome::Failed,
        _ => Outcome::Unknown,
    }
}

/// The providers that the job's decisions and the policy name, but for those that a decision says are not there.
fn world(policy: &Policy, job: &RecordedJob) -> World {
    let targets = policy.classes().iter().flat_map(|class| &class.targets);
    let mut names: BTreeSet<String> = targets.map(|target| target.provider.clone()).collect();
    for exchange in &job.exchanges {
        for passed in &exchange.decision.rejected {
            if passed.why.contains("not set up")
                && let Some((provider, _)) = passed.target.split_once('/')
            {
                names.remove(provider);
            }
        }
        let planned = exchange.decision.attempts.iter();
        names.extend(planned.map(|planned| planned.target.provider.clone()));
    }
    let state = |name| ProviderState {
        name,
        protocols: Protocols::ALL,
        is_healthy: true,
        takes_own_key: false,
        models: None,
        is_guess: false,
    };
    World {
        providers: names.into_iter().map(state).collect(),
    }
}

/// The beginning of a span such as `7d` or `12h`, or a time such as `2026-11-01`.
pub(super) fn since_us(text: Option<&str>) -> Result<i64> {
    let Some(text) = text else {
        return Ok(i64::MIN);
    };
    let wrong = || Mistake(format!("--since {text}: write 90m, 12h, 7d or 2026-11-01"));
    let unit = |letter| match letter {
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let last = text.chars().next_back();
    if let Some(seconds) = last.and_then(unit) {
        let count: i64 = text
            .trim_end_matches(char::is_alphabetic)
            .parse()
            .map_err(|_| wrong())?;
        let span = count
            .checked_mul(seconds * 1_000_000)
            .filter(|span| *span >= 0);
        return Ok(Clock::system()
            .now_us()
            .saturating_sub(span.ok_or_else(wrong)?));
    }
    let date: jiff::civil::Date = text.parse().map_err(|_| wrong())?;
    let zoned = date
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| wrong())?;
    Ok(zoned.timestamp().as_microsecond())
}

/// What is certain, what is bounded and what is not known, over all jobs.
struct Sums {
    same: usize,
    changed: usize,
    unknown: usize,
    proven_known: usize,
    proven_open: usize,
    cost_low: i64,
    cost_high: Option<i64>,
    unpriced: usize,
}

fn sums(tried: &[Tried]) -> Sums {
    let mut sums = Sums {
        same: 0,
        changed: 0,
        unknown: 0,
        proven_known: 0,
        proven_open: 0,
        cost_low: 0,
        cost_high: Some(0),
        unpriced: 0,
    };
    for one in tried {
        let (low, high, is_known) = bounds(one);
        match one.replayed {
            Replayed::Same => sums.same += 1,
            Replayed::Changed(_) => sums.changed += 1,
            Replayed::Unknown { .. } => sums.unknown += 1,
        }
        if !is_known {
            sums.proven_open += 1;
        } else if one.row.verdict.as_deref() == Some("PROVEN") {
            sums.proven_known += 1;
        }
        sums.unpriced += usize::from(low.is_none());
        sums.cost_low = sums.cost_low.saturating_add(low.unwrap_or(0));
        sums.cost_high = sums
            .cost_high
            .zip(high)
            .map(|(sum, high)| sum.saturating_add(high));
    }
    sums
}

/// The least and the most a job costs under the policy, and whether its outcome is the recorded one.
fn bounds(one: &Tried) -> (Option<i64>, Option<i64>, bool) {
    let money = one.row.money;
    let whole = money.listed_nano_usd.filter(|_| money.listed_unknown == 0);
    match &one.replayed {
        Replayed::Same => (whole, whole, one.row.verdict.is_some()),
        Replayed::Changed(changed) => (changed.certain_nano_usd, changed.at_most_nano_usd, false),
        Replayed::Unknown { .. } => (None, None, false),
    }
}

fn value(tried: &[Tried]) -> Value {
    let jobs: Vec<Value> = tried.iter().map(job_value).collect();
    let sums = sums(tried);
    json!({
        "jobs": jobs,
        "same": sums.same,
        "changed": sums.changed,
        "unknown": sums.unknown,
        "proven": { "low": sums.proven_known, "high": sums.proven_known + sums.proven_open },
        "cost_nano_usd": { "low": sums.cost_low, "high": sums.cost_high },
        "jobs_without_a_known_cost": sums.unpriced,
    })
}

fn job_value(one: &Tried) -> Value {
    let (low, high, is_known) = bounds(one);
    let row = &one.row;
    let mut value = json!({
        "job": row.id,
        "task": row.task,
        "class": row.class,
        "verdict": row.verdict,
        "cost_nano_usd": { "was": row.money.listed_nano_usd, "low": low, "high": high },
        "outcome": if is_known { "known" } else { "unknown" },
    });
    let told = match &one.replayed {
        Replayed::Same => json!({ "change": "none" }),
        Replayed::Unknown { why } => json!({ "change": "unknown", "why": why }),
        Replayed::Changed(changed) => json!({
            "change": "changed",
            "to_task": changed.task,
            "to_class": changed.class,
            "at_exchange": changed.at,
            "from": changed.from.as_ref().map(ToString::to_string),
            "to": changed.to.as_ref().map(ToString::to_string),
            "why": changed.rule,
        }),
    };
    if let (Some(value), Value::Object(told)) = (value.as_object_mut(), told) {
        value.extend(told);
    }
    value
}

fn text(tried: &[Tried]) -> String {
    let rows: Vec<Vec<String>> = tried.iter().map(job_line).collect();
    let sums = sums(tried);
    let high = sums.proven_known + sums.proven_open;
    let most = sums
        .cost_high
        .map_or_else(|| "no known bound".to_owned(), |high| cost(Some(high)));
    format!(
        "{}\n{} same, {} changed, {} unknown\nproven  {} to {high} of {}\ncost    {} to {most}",
        table(&["job", "was", "would be", "proof", "cost", "why"], &rows),
        sums.same,
        sums.changed,
        sums.unknown,
        sums.proven_known,
        tried.len(),
        cost(Some(sums.cost_low)),
    )
}

/// What a job would be, and from which request on.
fn would_be(changed: &Changed) -> String {
    let to = changed
        .to
        .as_ref()
        .map_or_else(String::new, |to| format!(" on {to}"));
    format!("{}{to} from request {}", changed.task, changed.at + 1)
}

fn job_line(one: &Tried) -> Vec<String> {
    let row = &one.row;
    let (low, high, is_known) = bounds(one);
    let was = row.task.clone().unwrap_or_else(|| "-".to_owned());
    let (would, why) = match &one.replayed {
        Replayed::Same => ("the same".to_owned(), String::new()),
        Replayed::Unknown { why } => ("unknown".to_owned(), why.clone()),
        Replayed::Changed(changed) => (would_be(changed), changed.rule.clone()),
    };
    let verdict = row.verdict.clone().unwrap_or_else(|| "-".to_owned());
    let proof = if is_known {
        verdict
    } else {
        "unknown".to_owned()
    };
    let range = match (low, high) {
        (low, high) if low == high => cost(low),
        (low, None) => format!("{} or more", cost(low)),
        (low, high) => format!("{} to {}", cost(low), cost(high)),
    };
    vec![row.id.clone(), was, would, proof, range, plain(&why)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_dates_are_read_and_nothing_else() {
        assert_eq!(since_us(None).unwrap(), i64::MIN);
        assert_eq!(since_us(Some("1970-01-02")).unwrap(), 86_400_000_000);
        let now = Clock::system().now_us();
        assert!(since_us(Some("2h")).unwrap() <= now - 7_200_000_000 + 60_000_000);
        for wrong in [
            "",
            "d",
            "-1d",
            "7w",
            "yesterday",
            "99999999999999999d",
            "2026-13-01",
        ] {
            assert!(since_us(Some(wrong)).is_err(), "{wrong}");
        }
    }

    fn story(kinds: &[&str]) -> Vec<StoredEvent> {
        let event = |kind: &&str| {
            let (kind, data) = match *kind {
                "receipt" => (
                    "receipt-issued",
                    r#"{"receipt_digest":"00","verdict":"PROVEN"}"#.to_owned(),
                ),
                "taken-back" => (
                    "escalated",
                    r#"{"cause":"user-rejection","from":"fast","to":"strong","why":"undone"}"#
                        .to_owned(),
                ),
                "tests-failed" => (
                    "escalated",
                    r#"{"cause":"test-failure","from":"fast","to":"strong","why":"red"}"#
                        .to_owned(),
                ),
                decision => (
                    "review-recorded",
                    format!(r#"{{"reviewer":"rea","decision":"{decision}"}}"#),
                ),
            };
            let text = format!(
                r#"{{"v":1,"type":"{kind}","id":"019ac001-7b1e-7c44-9d0a-4be1c2d3e4f5","at_us":1,"data":{data}}}"#
            );
            let event = wayproof_ledger::Event::parse(&text).unwrap();
            StoredEvent {
                seq: 0,
                text,
                event,
            }
        };
        kinds.iter().map(event).collect()
    }

    #[test]
    fn a_person_contradicts_the_last_receipt_only() {
        for (kinds, is_told) in [
            (&["receipt"][..], false),
            (&["receipt", "approved"], false),
            (&["receipt", "found"], false),
            (&["receipt", "tests-failed"], false),
            (&["receipt", "rejected"], true),
            (&["receipt", "redo"], true),
            (&["receipt", "taken-back"], true),
            (&["receipt", "redo", "receipt"], false),
            (&["receipt", "redo", "receipt", "rejected"], true),
        ] {
            assert_eq!(is_contradicted(&story(kinds)), is_told, "{kinds:?}");
        }
    }
}
