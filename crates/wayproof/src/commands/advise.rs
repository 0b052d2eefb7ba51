//! Proposes a change of the policy from what the ledger holds, as a diff to read. It is never applied here.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use wayproof_dashboard::{AdviceSeen, Advised as Said, Proposal};
use wayproof_engine::{
    Advice, Ask, Cascade, Cause, Cell, Change, ClassName, GateSeen, Goal, Outcome, Outcomes,
    Policy, RecordedJob, Task, TaskName, advise,
};

use super::{
    ledger::at,
    replay::{MOST_JOBS, jobs_since, recorded, since_us},
};
use wayproof_ledger::Ledger;

use crate::{
    cli::AdviseArgs,
    exit::Mistake,
    settings,
    terminal::{print, print_json_pretty},
};

mod diff;

use diff::diff;

/// The most classes of a proposed cascade.
const MOST_STEPS: usize = 3;

/// Advice on one task of the policy.
struct Advised {
    task: TaskName,
    today: Option<Cascade>,
    jobs: usize,
    gate: GateSeen,
    advice: Advice,
}

/// Advises.
pub(crate) async fn run(args: &AdviseArgs) -> Result<ExitCode> {
    let policy = settings::policy(args.policy.policy.as_deref())?;
    let tasks = tasks(&policy, args.task.as_deref())?;
    let goal = goal(args.within.as_deref())?;
    let since = since_us(args.since.as_deref())?;
    let ledger = at(&args.ledger).await?;
    let read = async {
        let mut jobs = Vec::new();
        for row in jobs_since(&ledger, since, MOST_JOBS).await? {
            jobs.push(recorded(&ledger, &row).await?);
        }
        Ok::<_, anyhow::Error>(jobs)
    };
    let jobs = read.await;
    ledger.close().await?;
    let jobs = jobs?;
    let advised: Vec<Advised> = tasks
        .into_iter()
        .map(|task| advised(&policy, task, &jobs, goal))
        .collect::<Result<_>>()?;
    if args.json {
        let all: Result<Vec<Value>> = advised.iter().map(|one| value(&policy, one)).collect();
        print_json_pretty(&all?)?;
    } else {
        let all: Result<Vec<String>> = advised.iter().map(|one| text(&policy, one)).collect();
        print(&all?.join("\n\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The same for a page, which reads fewer jobs.
pub(crate) async fn seen(
    ledger: &Ledger,
    policy: &Policy,
    since: i64,
    most: usize,
) -> Result<Vec<AdviceSeen>> {
    let mut jobs = Vec::new();
    for row in jobs_since(ledger, since, most).await? {
        jobs.push(recorded(ledger, &row).await?);
    }
    let advised = tasks(policy, None)?.into_iter().map(|task| {
        let one = advised(policy, task, &jobs, Goal::Save)?;
        Ok(AdviceSeen {
            task: one.task.to_string(),
            today: one.today.as_ref().map(Cascade::to_string),
            jobs: one.jobs,
            advised: match &one.advice {
                Advice::NotEnough { why } => Said::NotEnough { why: why.clone() },
                Advice::Change(change) => Said::Change(Box::new(proposal(policy, &one, change)?)),
            },
        })
    });
    advised.collect()
}

fn proposal(policy: &Policy, one: &Advised, change: &Change) -> Result<Proposal> {
    let percent = |low: f64, high: f64| (100.0 * low, 100.0 * high);
    Ok(Proposal {
        to: change.to.to_string(),
        gain_points: percent(change.gain.low, change.gain.high),
        cost_percent: percent(change.cost_share.low, change.cost_share.high),
        tasks: change.tasks,
        undetermined: change.undetermined,
        leak_percent: 100.0 * change.leak.1.as_f64(),
        leaked: (one.gate.accepted, one.gate.wrong),
        diff: diff(policy, &one.task, change)?,
    })
}

/// The tasks that are asked about: the one that is named, else all that owe a proof.
fn tasks<'p>(policy: &'p Policy, named: Option<&str>) -> Result<Vec<&'p Task>> {
    let Some(name) = named else {
        return Ok(policy
            .tasks()
            .iter()
            .filter(|task| !task.proof.is_empty())
            .collect());
    };
    let name = settings::known_task(policy, name)?;
    Ok(policy.task(&name).into_iter().collect())
}

fn goal(within: Option<&str>) -> Result<Goal> {
    let Some(text) = within else {
        return Ok(Goal::Save);
    };
    let share: f64 = text.parse().unwrap_or(f64::NAN);
    if share > 0.0 && share <= 1.0 {
        return Ok(Goal::Prove { cost_share: share });
    }
    Err(Mistake(format!(
        "--within {text}: write a share of today's cost such as 0.4"
    ))
    .into())
}

fn advised(policy: &Policy, task: &Task, jobs: &[RecordedJob], goal: Goal) -> Result<Advised> {
    let mine: Vec<&RecordedJob> = jobs.iter().filter(|job| job.task == task.name).collect();
    let mut outcomes = Outcomes::default();
    let mut gate = GateSeen::default();
    for job in &mine {
        for attempt in attempts(job) {
            gate.wrong += usize::from(attempt.cell.outcome == Outcome::Failed);
            gate.accepted += usize::from(attempt.is_contradicted);
            outcomes
                .put(&attempt.model, &job.id, attempt.cell)
                .map_err(|error| anyhow!(Mistake(error.to_string())))?;
        }
    }
    let today = today(policy, task, &outcomes);
    let advice = match &today {
        None => Advice::NotEnough {
            why: "no model of its route has worked on it in this ledger".to_owned(),
        },
        Some(today) => {
            let ask = Ask {
                today: today.clone(),
                goal,
                gate: gate.assumed(),
                most_steps: MOST_STEPS,
            };
            advise(&outcomes, &ask).map_err(|error| anyhow!(Mistake(error.to_string())))?
        }
    };
    Ok(Advised {
        task: task.name.clone(),
        today,
        jobs: mine.len(),
        gate,
        advice,
    })
}

/// What one model did in a job.
struct Attempt {
    model: String,
    cell: Cell,
    /// Whether the gate accepted it and a person did not.
    is_contradicted: bool,
}

/// The models that worked on a job, in their order. The last one has the job's outcome, or has failed where a person
/// rejected what was proven; one that was left because the proof was refuted has failed; of any other nothing is
/// known.
fn attempts(job: &RecordedJob) -> Vec<Attempt> {
    let mut found: Vec<Attempt> = Vec::new();
    let mut refuted = 0;
    for exchange in &job.exchanges {
        let Some(first) = exchange.decision.attempts.first() else {
            continue;
        };
        let model = first.target.to_string();
        let causes = exchange.decision.causes.iter();
        let now = causes
            .filter(|noted| noted.cause == Cause::ProofRefuted)
            .count();
        if found.last().is_none_or(|last| last.model != model) {
            if let Some(last) = found.last_mut().filter(|_| now > refuted) {
                last.cell.outcome = Outcome::Failed;
            }
            let cell = Cell {
                outcome: Outcome::Unknown,
                cost_nano_usd: Some(0),
            };
            found.push(Attempt {
                model,
                cell,
                is_contradicted: false,
            });
        }
        refuted = now;
        if let Some(last) = found.last_mut() {
            let cost = last.cell.cost_nano_usd.zip(exchange.cost_nano_usd);
            last.cell.cost_nano_usd = cost.map(|(sum, cost)| sum.saturating_add(cost));
        }
    }
    if let Some(last) = found.last_mut() {
        last.is_contradicted = job.is_contradicted && job.outcome == Outcome::Passed;
        last.cell.outcome = if last.is_contradicted {
            Outcome::Failed
        } else {
            job.outcome
        };
    }
    found
}

/// The policy in force as a cascade: of its first class and of the one that a refuted proof leads to, the model that
/// the ledger knows.
fn today(policy: &Policy, task: &Task, outcomes: &Outcomes) -> Option<Cascade> {
    let known = |class: &ClassName| {
        let class = policy.class(class)?;
        let mut names = class.targets.iter().map(ToString::to_string);
        names.find(|name| outcomes.model(name).is_some())
    };
    let first = known(task.route.first()?)?;
    let next = task
        .escalate
        .iter()
        .find(|rule| rule.on == Cause::ProofRefuted)
        .and_then(|rule| known(&rule.to))
        .filter(|name| *name != first);
    Cascade::new([Some(first), next].into_iter().flatten().collect()).ok()
}

fn value(policy: &Policy, one: &Advised) -> Result<Value> {
    let mut value = json!({
        "task": one.task,
        "today": one.today.as_ref().map(Cascade::models),
        "jobs": one.jobs,
        "wrong_attempts": one.gate.wrong,
        "wrong_attempts_accepted": one.gate.accepted,
    });
    let more = match &one.advice {
        Advice::NotEnough { why } => json!({ "advice": "not enough data", "why": why }),
        Advice::Change(change) => json!({
            "advice": "change",
            "to": change.to.models(),
            "gain": { "low": change.gain.low, "high": change.gain.high },
            "cost_share": { "low": change.cost_share.low, "high": change.cost_share.high },
            "tasks": change.tasks,
            "undetermined": change.undetermined,
            "leak": { "likely": change.leak.0.as_f64(), "most": change.leak.1.as_f64() },
            "diff": diff(policy, &one.task, change)?,
        }),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    Ok(value)
}

fn text(policy: &Policy, one: &Advised) -> Result<String> {
    let today = one
        .today
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    let head = format!("{}: {} job(s), today {today}", one.task, one.jobs);
    Ok(match &one.advice {
        Advice::NotEnough { why } => format!("{head}\nnot enough data: {why}"),
        Advice::Change(change) => format!(
            "{head}\npropose {}\nproven  {:+.1} to {:+.1} points\ncost    {:.0} to {:.0} % of today's\nrests on {} job(s), {} of them with an unknown outcome, read against the change; the gate may accept up to \
             {:.0} % of wrong work, of which it is known to have accepted {} of {}\n{}nothing was changed",
            change.to,
            100.0 * change.gain.low,
            100.0 * change.gain.high,
            100.0 * change.cost_share.low,
            100.0 * change.cost_share.high,
            change.tasks,
            change.undetermined,
            100.0 * change.leak.1.as_f64(),
            one.gate.accepted,
            one.gate.wrong,
            diff(policy, &one.task, change)?,
        ),
    })
}
