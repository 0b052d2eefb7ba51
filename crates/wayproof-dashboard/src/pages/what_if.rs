//! What a changed policy would change: a patch to take, its tests, its rows beside those in force, and what it makes of
//! the last jobs. Nothing is written.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use wayproof_engine::{ClassName, Policy, Task};

use super::policy::{in_force, made};
use super::replayed::{Replay, replay};
use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::guard::Signed;
use crate::patch::policy_patch;
use crate::problem::Problem;
use crate::show::text::{counted, cut, short};

/// What a change would do.
#[derive(Debug, Default)]
pub(super) struct Difference {
    /// What `git apply` takes, as much of it as is shown.
    pub(super) patch: String,
    pub(super) is_cut: bool,
    /// What is wrong with the text; then nothing else is said.
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// Tests of the changed policy that fail.
    pub(super) failing: Vec<String>,
    pub(super) tests: usize,
    /// What would be otherwise, in sentences.
    pub(super) effects: Vec<String>,
    /// What would become of the last jobs, where somebody can say.
    pub(super) replay: Option<Replay>,
}

/// What mistakes call the text.
const ORIGIN: &str = "the changed policy";

/// The longest difference that is shown, in bytes.
const MAX_PATCH: usize = 64 << 10;

/// The policy page with the difference.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    Signed(form): Signed,
) -> Result<Response, Problem> {
    let policy = in_force(&desk)?;
    // Forms end lines as networks do.
    let text = form.whole("policy").replace("\r\n", "\n");
    let is_policy = || Policy::parse(&text, ORIGIN).is_ok();
    if form.whole("as") == "patch" && is_policy() {
        return Ok(download(policy_patch(policy.text(), &text)));
    }
    let difference = compare(&desk, &policy, &text).await?;
    let status = if difference.problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let shown = page(&made(&desk, frame, &policy, Some((text, difference))).await?)?;
    Ok((status, shown).into_response())
}

async fn compare(desk: &Desk, policy: &Policy, text: &str) -> Result<Difference, Problem> {
    let parsed = match Policy::parse(text, ORIGIN) {
        Ok(parsed) => parsed,
        Err(error) => {
            let problems = error
                .problems
                .iter()
                .map(|problem| cut(&problem.message, 500));
            return Ok(Difference {
                problems: problems.take(50).collect(),
                ..Difference::default()
            });
        }
    };
    let failing = parsed.policy.run_tests();
    let patch = policy_patch(policy.text(), text);
    Ok(Difference {
        is_cut: patch.len() > MAX_PATCH,
        patch: cut(&patch, MAX_PATCH),
        problems: Vec::new(),
        warnings: parsed
            .warnings
            .iter()
            .map(|warning| cut(&warning.problem.message, 500))
            .take(50)
            .collect(),
        failing: failing
            .iter()
            .map(|failed| cut(&failed.to_string(), 500))
            .take(50)
            .collect(),
        tests: parsed.policy.tests.len(),
        effects: effects(desk, policy, &parsed.policy).await?,
        replay: replay(desk, parsed.policy).await,
    })
}

/// A patch as a file.
pub(super) fn download(patch: String) -> Response {
    (
        [
            (header::CONTENT_TYPE, "text/x-patch; charset=utf-8"),
            (
                header::CONTENT_DISPOSITION,
                "attachment; filename=\"wayproof-policy.patch\"",
            ),
        ],
        patch,
    )
        .into_response()
}

/// What each row would do otherwise, with how many jobs of the last 30 days it is about.
async fn effects(desk: &Desk, before: &Policy, after: &Policy) -> Result<Vec<String>, Problem> {
    let records = desk.tasks().await?.value;
    let jobs = |task: &str| {
        records
            .iter()
            .find(|record| record.task == task)
            .map_or(0, |record| record.jobs)
    };
    let mut effects = Vec::new();
    for task in after.tasks() {
        let name = short(task.name.as_str());
        let about = counted(jobs(task.name.as_str()), "job", "jobs");
        let Some(old) = before.task(&task.name) else {
            effects.push(format!("{name}: a new row"));
            continue;
        };
        let changed = changes(old, task);
        effects.extend(
            changed
                .into_iter()
                .map(|change| format!("{name}: {change} ({about} in 30 days)")),
        );
    }
    for task in before.tasks() {
        if after.task(&task.name).is_none() {
            let about = counted(jobs(task.name.as_str()), "job", "jobs");
            effects.push(format!(
                "{}: the row is gone ({about} in 30 days)",
                short(task.name.as_str())
            ));
        }
    }
    for class in after.classes() {
        let old = before.class(&class.name);
        let targets = |class: &wayproof_engine::Class| {
            let targets = class.targets.iter().map(ToString::to_string);
            cut(&targets.collect::<Vec<_>>().join(", "), 300)
        };
        match old {
            None => effects.push(format!(
                "class {}: new, {}",
                short(class.name.as_str()),
                targets(class)
            )),
            Some(old) if old.targets != class.targets => effects.push(format!(
                "class {}: {} instead of {}",
                short(class.name.as_str()),
                targets(class),
                targets(old)
            )),
            Some(_) => {}
        }
    }
    Ok(effects)
}

fn changes(old: &Task, new: &Task) -> Vec<String> {
    let mut changes = Vec::new();
    let route = |task: &Task| {
        let names: Vec<&str> = task.route.iter().map(ClassName::as_str).collect();
        names.join(" + ")
    };
    let proof = |task: &Task| {
        let groups = task.proof.iter().map(|any| {
            let names: Vec<&str> = any.iter().map(|one| one.as_str()).collect();
            names.join(" or ")
        });
        let groups: Vec<String> = groups.collect();
        if groups.is_empty() {
            "nothing".to_owned()
        } else {
            groups.join(" and ")
        }
    };
    if old.route != new.route {
        changes.push(format!(
            "would start in {} instead of {}",
            route(new),
            route(old)
        ));
    }
    if old.proof != new.proof {
        changes.push(format!(
            "would owe {} instead of {}",
            proof(new),
            proof(old)
        ));
    }
    if old.escalate != new.escalate {
        changes.push("would move up by other rules".to_owned());
    }
    if old.budget_per_job_nano_usd != new.budget_per_job_nano_usd {
        changes.push("would have another budget".to_owned());
    }
    if old.tries != new.tries {
        changes.push("would have another number of tries".to_owned());
    }
    if old.review != new.review {
        changes.push("would be reviewed otherwise".to_owned());
    }
    changes
}
