//! What kind of work an ask is: explicit instruction, then the policy's `match` rules, then the words of the ask.
//! It runs once a job, not once a turn. It never looks at the conversation, the model or the price.

mod change;
mod keywords;
mod lexicon;
mod paths;
mod phrases;
mod surfaces;
mod words;

pub use change::{ChangedFile, OwedProof, Touch, owed_by_change, touches};
pub(crate) use keywords::is_test;
pub use keywords::{Classifier, KNOWN_TASKS, Scores};
pub(crate) use paths::named_in;
pub(crate) use surfaces::of_path;

use crate::{
    names::TaskName,
    policy::{Match, Policy, Surface},
};

/// What is known about an ask beside its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// Paths the caller gives; the ones the text names are found without help.
    pub paths: &'a [String],
    /// Branch the agent works on.
    pub branch: Option<&'a str>,
    /// Task somebody asked for by name.
    pub explicit: Option<&'a TaskName>,
}

/// The task of an ask, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// The task.
    pub task: TaskName,
    /// Which rule found it, as a sentence.
    pub rule: String,
    /// How sure that is, in per mille; instructions and rules are certain.
    pub confidence_pm: u16,
    /// The next best task of the text classifier, with its share in per mille.
    pub runner_up: Option<(TaskName, u16)>,
    /// Sensitive surfaces the ask and its paths touch.
    pub surfaces: Vec<Surface>,
}

/// Certainty of an instruction or a rule.
const CERTAIN_PM: u16 = 1000;

/// Finds the task of an ask.
pub fn classify(policy: &Policy, text: &str, asked: &Asked<'_>) -> Classified {
    let mut named: Vec<String> = asked.paths.to_vec();
    named.extend(named_in(text));
    let folded = words::fold(text);
    let surfaces = surfaces::found(&folded, &named);
    let certain = |task: &TaskName, rule: String| Classified {
        task: task.clone(),
        rule,
        confidence_pm: CERTAIN_PM,
        runner_up: None,
        surfaces: surfaces.clone(),
    };
    let mut unknown = None;
    if let Some(explicit) = asked.explicit {
        match policy.task(explicit) {
            Some(task) => {
                return certain(&task.name, format!("`{explicit}` was asked for by name"));
            }
            None => unknown = Some(format!("there is no task `{explicit}`; ")),
        }
    }
    for task in policy.tasks() {
        if let Some(found) = &task.matches
            && let Some(reason) = matched(found, &named, asked.branch, &surfaces)
        {
            return certain(&task.name, format!("{reason} matches task `{}`", task.name));
        }
    }
    let mut classified = by_words(policy, &folded, &named);
    classified.surfaces = surfaces;
    if let Some(unknown) = unknown {
        classified.rule.insert_str(0, &unknown);
    }
    classified
}

fn matched(
    found: &Match,
    paths: &[String],
    branch: Option<&str>,
    surfaces: &[Surface],
) -> Option<String> {
    if let Some(path) = paths
        .iter()
        .find(|path| found.paths.set.is_match(path.as_str()))
    {
        return Some(format!("path `{path}`"));
    }
    if let Some(surface) = surfaces
        .iter()
        .find(|surface| found.surfaces.contains(surface))
    {
        return Some(format!("surface `{}`", surface.as_str()));
    }
    branch
        .filter(|branch| found.branches.set.is_match(branch))
        .map(|branch| format!("branch `{branch}`"))
}

fn by_words(policy: &Policy, folded: &str, paths: &[String]) -> Classified {
    let scores: Scores = keywords::scores_of(folded, paths);
    let (best, share) = scores.best();
    let (next, next_share) = scores.runner_up();
    let runner_up = (next_share > 0).then(|| (TaskName::new(next), next_share));
    let is_sure = share >= policy.min_confidence_pm && policy.task_named(best).is_some();
    let (task, rule) = if best == TaskName::GENERAL {
        (
            TaskName::GENERAL,
            "the words of the ask fit no other task better".to_owned(),
        )
    } else if is_sure {
        (
            best,
            format!("the words of the ask fit `{best}` ({} %)", share / 10),
        )
    } else {
        let needed = policy.min_confidence_pm / 10;
        let rule = if share == 0 {
            "the words of the ask fit no task".to_owned()
        } else {
            format!(
                "`{best}` fits best, but only {} % where {needed} % are needed",
                share / 10
            )
        };
        (TaskName::GENERAL, rule)
    };
    Classified {
        task: TaskName::new(task),
        rule,
        confidence_pm: share,
        runner_up,
        surfaces: Vec::new(),
    }
}
