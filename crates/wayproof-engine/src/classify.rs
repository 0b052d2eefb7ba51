//! What kind of work an ask is: explicit instruction, then the policy's `match` rules, then the words of the ask.
//! It runs once a job, not once a turn. It never looks at the conversation, the model or the price.

mod change;
mod features;
mod keywords;
mod kinds;
mod lexicon;
mod paths;
mod phrases;
mod surfaces;
mod trained;
mod weights;
mod words;

pub use change::{ChangedFile, OwedProof, Touch, owed_by_change, touches};
pub use features::{Group, Sink, features};
pub(crate) use keywords::is_test;
pub use keywords::{KNOWN_TASKS, Scores, lexicon_values};
pub use kinds::WorkKind;
pub use lexicon::Label;
pub(crate) use paths::is_document;
pub(crate) use paths::named_in;
pub(crate) use surfaces::of_path;
pub use trained::{Classifier, Reason};
pub use weights::{NoWeights, Weights, loudness};

use serde::{Deserialize, Serialize};

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
    /// What the task rests on.
    pub basis: Basis,
}

/// What a task rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// An instruction, or a rule of the policy.
    Certain,
    /// The words of the ask.
    Words,
    /// Nothing: the words do not say enough.
    Unsure,
    /// A model's word, and the ask's words speak for it too.
    Judged,
    /// A model's word alone. Text in an ask can talk a model into anything, so such work starts in no lower class than
    /// it would have without the model.
    JudgedAlone,
}

/// Certainty of an instruction or a rule.
const CERTAIN_PM: u16 = 1000;

/// What is heard of an ask before any policy is looked at: all that a policy needs to give it a task, then or later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heard {
    /// Task somebody asked for by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explicit: Option<TaskName>,
    /// Branch the agent works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Paths that the caller gave or the text names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// Sensitive surfaces the ask and its paths touch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub surfaces: Vec<Surface>,
    /// The text classifier's tasks with their shares in per mille, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<(TaskName, u16)>,
    /// What a model took it for that was asked because the words were not sure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<TaskName>,
}

/// Shares below this, in per mille, are not worth keeping.
const MIN_SHARE_PM: u16 = 20;

/// Hears an ask.
pub fn hear(text: &str, asked: &Asked<'_>) -> Heard {
    let mut paths: Vec<String> = asked.paths.to_vec();
    paths.extend(named_in(text));
    let folded = words::fold(text);
    let surfaces = surfaces::found(&folded, &paths);
    // A path that the text names is talked about; only paths that the caller gives are known to be worked on.
    let scores = Classifier::scores_folded(text, &folded, asked.paths);
    let worth = scores.iter().filter(|(_, share)| *share >= MIN_SHARE_PM);
    let shares = worth.map(|(task, share)| (TaskName::new(task), share));
    Heard {
        explicit: asked.explicit.cloned(),
        branch: asked.branch.map(str::to_owned),
        surfaces,
        shares: shares.collect(),
        paths,
        judged: None,
    }
}

/// Finds the task of an ask.
pub fn classify(policy: &Policy, text: &str, asked: &Asked<'_>) -> Classified {
    judge(policy, &hear(text, asked))
}

/// Finds the task of what was heard: by instruction, then by the policy's rules, then by the words.
pub fn judge(policy: &Policy, heard: &Heard) -> Classified {
    let certain = |task: &TaskName, rule: String| Classified {
        task: task.clone(),
        rule,
        confidence_pm: CERTAIN_PM,
        runner_up: None,
        surfaces: heard.surfaces.clone(),
        basis: Basis::Certain,
    };
    let mut unknown = None;
    if let Some(explicit) = &heard.explicit {
        match policy.task(explicit) {
            Some(task) => {
                return certain(&task.name, format!("`{explicit}` was asked for by name"));
            }
            None => unknown = Some(format!("there is no task `{explicit}`; ")),
        }
    }
    for task in policy.tasks() {
        if let Some(found) = &task.matches
            && let Some(reason) = matched(
                found,
                &heard.paths,
                heard.branch.as_deref(),
                &heard.surfaces,
            )
        {
            return certain(&task.name, format!("{reason} matches task `{}`", task.name));
        }
    }
    let mut classified = by_words(policy, heard);
    if let Some(unknown) = unknown {
        classified.rule.insert_str(0, &unknown);
    }
    classified
}

/// The parts of an ask that speak most for the task its words were given, loudest first.
pub fn reasons(text: &str, asked: &Asked<'_>) -> Vec<Reason> {
    Classifier.reasons(text, asked.paths)
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

fn by_words(policy: &Policy, heard: &Heard) -> Classified {
    let general = TaskName::new(TaskName::GENERAL);
    let (best, share) = heard
        .shares
        .first()
        .cloned()
        .unwrap_or((general.clone(), 0));
    let is_sure = share >= policy.min_confidence_pm && policy.task(&best).is_some();
    if let Some(judged) = by_model(policy, heard).filter(|_| !is_sure) {
        return judged;
    }
    let (task, rule) = if share == 0 {
        (general, "the words of the ask fit no task".to_owned())
    } else if best == general {
        (
            general,
            "the words of the ask fit no other task better".to_owned(),
        )
    } else if is_sure {
        let rule = format!("the words of the ask fit `{best}` ({} %)", share / 10);
        (best, rule)
    } else {
        let needed = policy.min_confidence_pm / 10;
        let rule = format!(
            "`{best}` fits best, but only {} % where {needed} % are needed",
            share / 10
        );
        (general, rule)
    };
    Classified {
        task,
        rule,
        confidence_pm: share,
        runner_up: heard.shares.get(1).cloned(),
        surfaces: heard.surfaces.clone(),
        basis: if is_sure { Basis::Words } else { Basis::Unsure },
    }
}

/// The best tasks of the words, among which a model's word counts for more than its own.
const SPOKEN_FOR: usize = 2;

fn by_model(policy: &Policy, heard: &Heard) -> Option<Classified> {
    let task = policy.task(heard.judged.as_ref()?)?.name.clone();
    let mut spoken = heard.shares.iter().take(SPOKEN_FOR);
    let words = spoken.find(|(spoken, _)| *spoken == task);
    Some(Classified {
        rule: format!("the words of the ask are not sure, and a model took it for `{task}`"),
        confidence_pm: words.map_or(0, |(_, share)| *share),
        runner_up: heard
            .shares
            .first()
            .filter(|(best, _)| *best != task)
            .cloned(),
        surfaces: heard.surfaces.clone(),
        basis: if words.is_some() {
            Basis::Judged
        } else {
            Basis::JudgedAlone
        },
        task,
    })
}
