//! What a change owes, and what pays it: receipts, people who review, or both.

use anyhow::Result;
use wayproof_engine::{Task, owed_by_change};

use super::{Found, Owed, Question};
use crate::{
    proving::repo_mistake,
    review::{
        standing::{self, Asked, Standing},
        subject::{self, Subject},
    },
};

/// The proofs that are owed: those the policy asks for by what the change touches, and the task's own.
pub(super) fn owed(
    question: &Question<'_>,
    paths: &[String],
    receipts: &[Found],
) -> Result<Vec<Owed>> {
    let (base, head) = (question.base.tree.as_str(), question.head.tree.as_str());
    let patches = question.repo.patches(base, head, 0).map_err(repo_mistake)?;
    let touched = subject::touches_of(&patches);
    let by_change = owed_by_change(question.policy, paths, &touched, question.branch);
    let is_claimed = by_change.iter().any(|owed| !owed.is_on_top);
    let mut wanted: Vec<(Option<String>, String)> = by_change
        .into_iter()
        .map(|owed| (Some(owed.task.to_string()), owed.why))
        .collect();
    let is_wanted = |wanted: &[(Option<String>, String)], task: &str| {
        wanted
            .iter()
            .any(|(known, _)| known.as_deref() == Some(task))
    };
    if let Some(task) = question.task {
        if !is_wanted(&wanted, task.as_str()) {
            let why = "asked for by whoever called".to_owned();
            wanted.push((Some(task.to_string()), why));
        }
    } else if !is_claimed {
        // What kind of work it is was settled before it began, and is in the receipt.
        let best = receipts
            .iter()
            .find(|found| found.objections.is_empty())
            .or_else(|| receipts.first());
        match best.and_then(|found| found.task.clone()) {
            Some(task) if is_wanted(&wanted, &task) => {}
            Some(task) => wanted.push((Some(task), "the task of the receipt".to_owned())),
            None => wanted.push((None, "every change owes the proof of its task".to_owned())),
        }
    }
    let owed = wanted
        .into_iter()
        .map(|(task, why)| pay(question, receipts, task, why));
    owed.collect()
}

/// What pays a proof that is owed: a receipt, people who review, or both.
fn pay(
    question: &Question<'_>,
    receipts: &[Found],
    task: Option<String>,
    why: String,
) -> Result<Owed> {
    let row = task
        .as_deref()
        .and_then(|task| standing::reviewed_task(question.policy, task));
    let is_provable = row.is_none_or(|row| !standing::is_enough(row));
    let mut paid_by = receipts
        .iter()
        .filter(|found| found.objections.is_empty() && found.task == task && task.is_some())
        .map(|found| found.digest.clone())
        .next();
    let review = match row {
        None => None,
        Some(row) => Some(standing_of(question, row)?),
    };
    if let Some(standing) = &review {
        paid_by = match (standing.is_satisfied(), is_provable) {
            (false, _) => None,
            (true, true) => paid_by,
            (true, false) => standing.paid_by(),
        };
    }
    Ok(Owed {
        task,
        why,
        paid_by,
        review,
        is_provable,
    })
}

/// How the change stands with the people whose review a task wants.
fn standing_of(question: &Question<'_>, task: &Task) -> Result<Standing> {
    let rule = standing::rule_of(task);
    let Some(subject) = Subject::of(question.repo, question.into, question.head)? else {
        let problem = subject::conflict(question.into, question.head);
        return Ok(standing::unmergeable(&rule, problem));
    };
    let asked = Asked {
        repo: question.repo,
        subject: &subject,
        trust: Some(question.trust),
        machine: question.own.key,
    };
    standing::standing(&asked, &rule)
}
