//! Rows that work but can never do anything: shadowed matches, empty classes, rules that point down.
//! It warns; it never refuses a policy.

use std::collections::BTreeSet;

use super::{Match, Policy, Problem, Task, list, resolve::Report};
use crate::{classify, names::TaskName};

/// Reports everything in a policy that cannot take effect.
pub(crate) fn check(policy: &Policy, report: &mut Report<'_>) {
    for class in policy.classes() {
        if class.targets.is_empty() {
            report(
                &["class", class.name.as_str()],
                warn(format!("class `{}` has no targets", class.name))
                    .help("its work goes to the model the agent asks for"),
            );
        }
    }
    unused(policy, report);
    for (index, task) in policy.tasks().iter().enumerate() {
        let earlier = policy.tasks().get(..index).unwrap_or_default();
        unreachable(task, report);
        shadowed(task, earlier, report);
        pointing_down(policy, task, report);
        twice(task, report);
    }
}

fn warn(message: String) -> Problem {
    Problem::new(0..0, message)
}

/// Classes that no task routes or moves to.
fn unused(policy: &Policy, report: &mut Report<'_>) {
    for class in policy.classes() {
        let uses = |task: &Task| {
            task.route.contains(&class.name)
                || task.escalate.iter().any(|rule| rule.to == class.name)
        };
        if !policy.tasks().iter().any(uses) {
            report(
                &["class", class.name.as_str()],
                warn(format!("no task routes or moves to class `{}`", class.name)),
            );
        }
    }
}

/// A task that nothing routes to by itself.
fn unreachable(task: &Task, report: &mut Report<'_>) {
    let name = task.name.as_str();
    let is_known = name == TaskName::GENERAL
        || name == TaskName::HOUSEKEEPING
        || classify::KNOWN_TASKS.contains(&name);
    let is_empty = |found: &Match| {
        found.surfaces.is_empty() && found.paths.texts.is_empty() && found.branches.texts.is_empty()
    };
    match &task.matches {
        None if !is_known => report(
            &["task", name],
            warn(format!("nothing reaches task `{name}` by itself")).help(format!(
                "give it a `match`; only `--task {name}` or the model `wayproof/{name}` reaches it \
                 now, because the text classifier knows {}",
                list(&classify::KNOWN_TASKS)
            )),
        ),
        Some(found) if is_empty(found) => report(
            &["task", name, "match"],
            warn(format!(
                "the `match` of task `{name}` is empty and claims nothing"
            )),
        ),
        Some(_) | None => {}
    }
}

/// A match every part of which an earlier task claims.
fn shadowed(task: &Task, earlier: &[Task], report: &mut Report<'_>) {
    let Some(found) = &task.matches else { return };
    for first in earlier {
        let Some(before) = &first.matches else {
            continue;
        };
        let has_any = !(found.surfaces.is_empty()
            && found.paths.texts.is_empty()
            && found.branches.texts.is_empty());
        let is_covered = found
            .surfaces
            .iter()
            .all(|surface| before.surfaces.contains(surface))
            && found
                .paths
                .texts
                .iter()
                .all(|glob| covers(&before.paths.texts, glob))
            && found
                .branches
                .texts
                .iter()
                .all(|glob| covers(&before.branches.texts, glob));
        if has_any && is_covered {
            report(
                &["task", task.name.as_str(), "match"],
                warn(format!(
                    "task `{}` never matches: task `{}` stands before it and claims the same",
                    task.name, first.name
                ))
                .help("put the narrower task first"),
            );
        }
    }
}

/// Whether one of the globs certainly matches whatever `glob` does.
fn covers(globs: &[String], glob: &str) -> bool {
    globs.iter().any(|wide| {
        wide == glob
            || wide == "**"
            || wide.strip_suffix("/**").is_some_and(|folder| {
                !folder.contains('*') && glob.starts_with(&format!("{folder}/"))
            })
            || wide
                .strip_prefix("**/")
                .is_some_and(|tail| glob.ends_with(&format!("/{tail}")) || glob == tail)
    })
}

/// Rules whose class is not above the one the job starts in.
fn pointing_down(policy: &Policy, task: &Task, report: &mut Report<'_>) {
    let Some(start) = task.route.first() else {
        return;
    };
    for (index, rule) in task.escalate.iter().enumerate() {
        let place = [
            "task",
            task.name.as_str(),
            "escalate",
            &index.to_string(),
            "to",
        ];
        if rule.to == *start {
            report(
                &place,
                warn(format!(
                    "`{}` is where task `{}` starts; this rule does nothing",
                    rule.to, task.name
                )),
            );
        } else if policy.rank(&rule.to) < policy.rank(start) {
            let ladder: Vec<&str> = policy
                .classes()
                .iter()
                .map(|class| class.name.as_str())
                .collect();
            report(
                &place,
                warn(format!(
                    "`{}` is below `{start}`, where task `{}` starts; a job never moves down",
                    rule.to, task.name
                ))
                .help(format!("from the lowest to the highest: {}", list(&ladder))),
            );
        }
    }
}

/// Rules that another rule of the same cause makes pointless.
fn twice(task: &Task, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (index, rule) in task.escalate.iter().enumerate() {
        if !seen.insert((rule.on, rule.to.clone())) {
            let place = [
                "task",
                task.name.as_str(),
                "escalate",
                &index.to_string(),
                "to",
            ];
            report(
                &place,
                warn(format!(
                    "task `{}` already moves to `{}` on `{}`",
                    task.name, rule.to, rule.on
                )),
            );
        }
    }
}
