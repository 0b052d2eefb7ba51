//! What is remembered of one piece of work. Everything in it has a limit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::judged::OpenQuestion;
use super::seen::hash;
use crate::{
    classify::{Classified, of_path},
    evidence::Evidence,
    names::{Cause, ClassName, Target, TaskName},
    policy::{Policy, Surface},
};

/// One piece of work the user asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobState {
    /// Its id.
    pub id: String,
    /// Its task.
    pub task: TaskName,
    /// The class it is in now.
    pub class: ClassName,
    /// What the user asked for, cut to 2 KB.
    pub ask: String,
    /// Which rule found the task, as a sentence.
    pub rule: String,
    /// How sure that was, in per mille.
    pub confidence_pm: u16,
    /// The next best task, with its share in per mille.
    pub runner_up: Option<(TaskName, u16)>,
    /// The last facts, oldest first.
    pub evidence: VecDeque<Evidence>,
    /// The last causes, oldest first.
    pub causes: VecDeque<CauseNoted>,
    /// How often every cause was seen.
    pub cause_counts: BTreeMap<Cause, u32>,
    /// Requests that brought something new.
    pub turns: u32,
    /// Files the agent changed, as it names them.
    pub edits: BTreeSet<String>,
    /// How often it changed files.
    pub edit_count: u32,
    /// Sensitive surfaces the work touches.
    pub surfaces: BTreeSet<Surface>,
    /// What its answers cost, as far as that is known.
    pub spent_nano_usd: i64,
    /// Whether some answer's cost is not known.
    pub has_unknown_cost: bool,
    /// A context window that is known to be too small, in tokens.
    pub needs_window_over: u64,
    /// What a model is to be asked about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) question: Option<Box<OpenQuestion>>,
    /// How many edits there were when tests last ran.
    #[serde(default)]
    pub(crate) edits_at_last_test: Option<u32>,
    /// Hash of the ask that opened the job.
    pub(crate) opened_by: u64,
    /// Hash of the latest ask.
    pub(crate) heard: u64,
    /// Failures seen, oldest first.
    pub(crate) failures: VecDeque<SeenFailure>,
}

/// A cause, as it was noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseNoted {
    /// The cause.
    pub cause: Cause,
    /// The turn of the job in which it was seen.
    pub at_turn: u32,
    /// The class it moved the job to, if it did.
    pub to: Option<ClassName>,
    /// What was seen, as a sentence.
    pub why: String,
}

/// Where an answer came from and how much of the conversation its provider now holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAnswer {
    /// The target that answered.
    pub target: Target,
    /// Input tokens of that exchange, fresh and cached together.
    pub prefix_tokens: u64,
    /// The class it was chosen from.
    #[serde(default)]
    pub class: Option<ClassName>,
    /// When the request came, in microseconds since 1970 UTC.
    #[serde(default)]
    pub at_us: i64,
    /// What it cost to go there from where the conversation was warm, in nano-dollars.
    #[serde(default)]
    pub switch_nano_usd: Option<i64>,
}

impl LastAnswer {
    /// How long a provider is taken to hold what it read. The shortest that the large ones promise.
    const WARM_US: i64 = 5 * 60 * 1_000_000;

    /// Whether its provider still holds the conversation.
    pub(crate) fn is_warm(&self, at_us: i64) -> bool {
        at_us.saturating_sub(self.at_us) <= Self::WARM_US
    }

    /// Whether a target is the same model of the same provider.
    pub(crate) fn is_at(&self, target: &Target) -> bool {
        self.target.provider == target.provider && self.target.model == target.model
    }
}

/// A failure and the number of edits before it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SeenFailure {
    pub(crate) signature: u64,
    pub(crate) at_edit: u32,
}

impl JobState {
    /// Certainty of an instruction.
    pub(crate) const CERTAIN_PM: u16 = 1000;
    const MAX_ASK: usize = 2 << 10;
    const MAX_EVIDENCE: usize = 16;
    const MAX_ITEMS: usize = 5;
    const MAX_CAUSES: usize = 32;
    const MAX_EDITS: usize = 256;
    const MAX_FAILURES: usize = 64;

    /// Begins a job.
    pub(crate) fn open(id: &str, found: &Classified, class: ClassName, ask: &str) -> Self {
        let heard = hash(&[ask]);
        Self {
            id: id.to_owned(),
            task: found.task.clone(),
            class,
            ask: cut(ask, Self::MAX_ASK).to_owned(),
            rule: found.rule.clone(),
            confidence_pm: found.confidence_pm,
            runner_up: found.runner_up.clone(),
            evidence: VecDeque::new(),
            causes: VecDeque::new(),
            cause_counts: BTreeMap::new(),
            turns: 1,
            edits: BTreeSet::new(),
            edit_count: 0,
            surfaces: BTreeSet::new(),
            spent_nano_usd: 0,
            has_unknown_cost: false,
            needs_window_over: 0,
            question: None,
            edits_at_last_test: None,
            opened_by: heard,
            heard,
            failures: VecDeque::new(),
        }
    }

    /// Makes it another task, which goes on in the class given. What moved it up before still holds: it never ends in a
    /// lower class than a cause has put it in.
    pub(crate) fn become_task(&mut self, policy: &Policy, task: &TaskName, first: &ClassName) {
        let is_moved = self.causes.iter().any(|noted| noted.to.is_some());
        if !is_moved || policy.rank(first) > policy.rank(&self.class) {
            self.class = first.clone();
        }
        self.task = task.clone();
        self.question = None;
    }

    /// Whether an ask is one of those the job knows: agents send them again after a compaction or a lost answer.
    pub(crate) fn has_heard(&self, ask: &str) -> bool {
        let hash = hash(&[ask]);
        hash == self.opened_by || hash == self.heard
    }

    /// Takes in a further ask of the same job.
    pub(crate) fn hear(&mut self, ask: &str) {
        self.heard = hash(&[ask]);
        self.turns = self.turns.saturating_add(1);
    }

    /// Takes in changed files; the sensitive surfaces among them that are new to the job, with a path each.
    pub(crate) fn edited(&mut self, paths: &[String]) -> Vec<(Surface, String)> {
        self.edit_count = self.edit_count.saturating_add(1);
        for path in paths {
            if self.edits.len() < Self::MAX_EDITS {
                self.edits.insert(path.clone());
            }
        }
        let touched = paths
            .iter()
            .filter_map(|path| Some((of_path(path)?, path.clone())));
        touched
            .filter(|(surface, _)| !self.surfaces.contains(surface))
            .collect()
    }

    /// Keeps a fact, without the long tails of its lists.
    pub(crate) fn keep(&mut self, mut evidence: Evidence) {
        evidence.failures.truncate(Self::MAX_ITEMS);
        evidence.diagnostics.truncate(Self::MAX_ITEMS);
        push_bounded(&mut self.evidence, evidence, Self::MAX_EVIDENCE);
    }

    /// Keeps a cause.
    pub(crate) fn keep_cause(&mut self, noted: CauseNoted) {
        push_bounded(&mut self.causes, noted, Self::MAX_CAUSES);
    }

    /// Takes in a failure; whether it was there before, after an earlier edit of this job.
    pub(crate) fn fails_again(&mut self, signature: u64) -> bool {
        let now = self.edit_count;
        if let Some(seen) = self
            .failures
            .iter_mut()
            .find(|seen| seen.signature == signature)
        {
            let before = std::mem::replace(&mut seen.at_edit, now);
            return before > 0 && before < now;
        }
        let seen = SeenFailure {
            signature,
            at_edit: now,
        };
        push_bounded(&mut self.failures, seen, Self::MAX_FAILURES);
        false
    }
}

fn push_bounded<T>(ring: &mut VecDeque<T>, item: T, most: usize) {
    if ring.len() == most {
        ring.pop_front();
    }
    ring.push_back(item);
}

/// The start of a text, at most so many bytes long.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = text.len().min(most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
