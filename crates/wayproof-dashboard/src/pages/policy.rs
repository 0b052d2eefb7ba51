//! The policy as a table, with what each row did this month, its classes and its tests.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use wayproof_engine::{ClassName, Policy, Task};
use wayproof_ledger::TaskRecord;

use super::what_if::Difference;
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::money::{listed, per, usd};
use crate::show::text::{abbreviated, count, cut, percent, short};

#[derive(Template)]
#[template(path = "policy.html")]
pub(super) struct PolicyPage {
    frame: Frame,
    digest: String,
    rows: Vec<Row>,
    others: Vec<Row>,
    classes: Vec<(String, Vec<String>, String)>,
    tests: Vec<Test>,
    /// The file, to be changed.
    text: String,
    has_file: bool,
    /// Everything that holds.
    resolved: String,
    difference: Option<Difference>,
    has_adviser: bool,
}

/// One row of the policy and what it did.
#[derive(Debug, Default)]
struct Row {
    task: String,
    route: String,
    escalate: Vec<String>,
    proof: String,
    limits: Vec<String>,
    jobs: String,
    proven: String,
    judged: String,
    at_first: String,
    escalated: String,
    yields: String,
    listed: String,
    per_proven: String,
}

struct Test {
    ask: String,
    expected: String,
    /// What came out instead; empty when the test holds.
    got: String,
}

/// What somebody begins with who has no file yet.
const START: &str = "version = 1\n";

/// The page.
pub(crate) async fn show(State(desk): State<Desk>, frame: Frame) -> Result<Response, Problem> {
    let policy = in_force(&desk)?;
    desk.prepare_advice(&policy);
    page(&made(&desk, frame, &policy, None).await?)
}

/// The policy in force.
pub(super) fn in_force(desk: &Desk) -> Result<std::sync::Arc<Policy>, Problem> {
    desk.house().policy().ok_or_else(|| {
        Problem::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "Stopping",
            "The gateway is stopping.",
        )
    })
}

/// The page with what a change would do, if one was tried.
pub(super) async fn made(
    desk: &Desk,
    frame: Frame,
    policy: &Policy,
    tried: Option<(String, Difference)>,
) -> Result<PolicyPage, Problem> {
    let records = desk.tasks().await?.value;
    let mut by_task: BTreeMap<&str, &TaskRecord> = records
        .iter()
        .map(|record| (record.task.as_str(), record))
        .collect();
    let rows = policy.tasks().iter().map(|task| {
        let record = by_task.remove(task.name.as_str());
        Row {
            task: short(task.name.as_str()),
            ..rules(task, record)
        }
    });
    let rows = rows.collect();
    let others = by_task.into_values().map(|record| Row {
        task: if record.task.is_empty() {
            "none".to_owned()
        } else {
            short(&record.task)
        },
        ..did(Some(record))
    });
    let (text, difference) = match tried {
        Some((text, difference)) => (text, Some(difference)),
        None if policy.text().is_empty() => (START.to_owned(), None),
        None => (policy.text().to_owned(), None),
    };
    Ok(PolicyPage {
        digest: abbreviated(policy.digest()),
        rows,
        others: others.collect(),
        classes: policy.classes().iter().map(class).collect(),
        tests: tests(policy),
        text,
        has_file: !policy.text().is_empty(),
        resolved: policy.resolved().to_owned(),
        difference,
        has_adviser: desk.parts().adviser.is_some(),
        frame,
    })
}

fn class(class: &wayproof_engine::Class) -> (String, Vec<String>, String) {
    let targets = class
        .targets
        .iter()
        .map(|target| short(&target.to_string()));
    let effort = class
        .effort
        .map_or_else(String::new, |effort| format!("{effort:?}").to_lowercase());
    (short(class.name.as_str()), targets.collect(), effort)
}

fn rules(task: &Task, record: Option<&TaskRecord>) -> Row {
    let route: Vec<&str> = task.route.iter().map(ClassName::as_str).collect();
    let escalate = task.escalate.iter().map(|rule| {
        let after = if rule.after > 1 {
            format!(" ({}×)", rule.after)
        } else {
            String::new()
        };
        format!("{}{after} → {}", rule.on.as_str(), short(rule.to.as_str()))
    });
    let proof = task.proof.iter().map(|any| {
        let names: Vec<&str> = any.iter().map(|one| one.as_str()).collect();
        names.join(" or ")
    });
    let proof: Vec<String> = proof.collect();
    let mut limits = Vec::new();
    limits.extend(
        task.budget_per_job_nano_usd
            .map(|budget| format!("budget {} a job", usd(budget))),
    );
    limits.extend(task.tries.map(|tries| format!("{tries} tries")));
    limits.extend(
        task.review
            .as_ref()
            .map(|review| format!("{} review(s) by {}", review.at_least, short(&review.by))),
    );
    Row {
        route: route.join(" + "),
        escalate: escalate.collect(),
        proof: if proof.is_empty() {
            "nothing".to_owned()
        } else {
            proof.join(" and ")
        },
        limits,
        ..did(record)
    }
}

fn did(record: Option<&TaskRecord>) -> Row {
    let none = TaskRecord::default();
    let record = record.unwrap_or(&none);
    Row {
        jobs: count(record.jobs),
        proven: count(record.proven),
        judged: count(record.judged()),
        at_first: percent(record.proven_at_first, record.judged()),
        escalated: count(record.escalated),
        yields: percent(record.escalated_proven, record.escalated),
        listed: listed(&record.money),
        per_proven: per(record.money.listed_nano_usd, record.proven),
        ..Row::default()
    }
}

fn tests(policy: &Policy) -> Vec<Test> {
    let failed = policy.run_tests();
    let tests = policy.tests.iter().map(|test| {
        let task = test.task.as_ref().map_or("any task", |task| task.as_str());
        let class = test
            .class
            .as_ref()
            .map_or("any class", |class| class.as_str());
        let failure = failed.iter().find(|failure| failure.test == *test);
        let got = failure.map_or_else(String::new, |failure| {
            let class = failure
                .class
                .as_ref()
                .map_or("no class", |class| class.as_str());
            format!("got {} in {class}: {}", failure.task.as_str(), failure.rule)
        });
        Test {
            ask: cut(&test.ask, 300),
            expected: format!("{task} in {class}"),
            got: cut(&got, 400),
        }
    });
    tests.collect()
}
