//! The task policy: which work goes to which class of models, when it moves up and what proves it.
//! A policy is read once and then only looked at. It makes no decision and holds no state of a job.

mod builtin;
mod check;
mod document;
mod merge;
mod money;
mod parse;
mod problem;
mod resolve;
mod strict;
mod trial;

use std::collections::BTreeMap;

pub use document::{Capture, CheckKind, Effort, Surface};
pub use money::{parse_usd, show_usd};
pub use problem::{Ink, PolicyError, Problem, Warning};
pub(crate) use problem::{list, nearest};
pub use trial::{PolicyTest, TestFailed};

use crate::classify::{Basis, Classified};
use crate::names::{Cause, ClassName, ProofRequirement, Target, TaskName};

/// A policy, resolved over the built-in matrix and ready to be asked.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Whether a model name that nobody here knows is routed (the default) or passed to its provider.
    pub route_unknown: bool,
    /// How sure the text classifier must be, in per mille, before an ask is anything but `general`.
    pub min_confidence_pm: u16,
    /// The class of which a model is asked what an ask is, where the text classifier is not sure.
    pub judge: Option<ClassName>,
    /// The most that may be kept of requests and answers; whatever the operator says where it says nothing.
    pub capture: Option<Capture>,
    /// Most a session may pay for leaving warm conversations by choice, in nano-dollars; `None` is no limit.
    pub switching_per_session_nano_usd: Option<i64>,
    /// Tests the policy carries.
    pub tests: Vec<PolicyTest>,
    classes: Vec<Class>,
    tasks: Vec<Task>,
    digest: Box<str>,
    text: Box<str>,
    resolved: Box<str>,
}

/// A policy file that was read, with what is odd about it.
#[derive(Debug, Clone)]
pub struct Parsed {
    /// The policy.
    pub policy: Policy,
    /// Findings that do not stop the policy from working.
    pub warnings: Vec<Warning>,
}

/// A class: an ordered list of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name.
    pub name: ClassName,
    /// Its targets, best first.
    pub targets: Vec<Target>,
    /// Reasoning effort of its targets.
    pub effort: Option<Effort>,
}

/// A task: a row of the policy.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its name.
    pub name: TaskName,
    /// The class the work starts in, followed by any others that must answer too; never empty.
    pub route: Vec<ClassName>,
    /// When a job moves up.
    pub escalate: Vec<EscalateRule>,
    /// What must hold in the end: every inner list, by any one of its entries.
    pub proof: Vec<Vec<ProofRequirement>>,
    /// How often a refuted proof hands the work back before it ends unproven.
    pub tries: Option<u32>,
    /// How much of the code that new tests reach they must cover, in percent.
    pub min_coverage: Option<u8>,
    /// Code that must be gone after a migration.
    pub residue: Vec<String>,
    /// Most a job may cost, in nano-dollars.
    pub budget_per_job_nano_usd: Option<i64>,
    /// What makes an ask this task.
    pub matches: Option<Match>,
    /// What makes a finished change owe this task's proof on top of its own.
    pub owed: Option<Match>,
    /// Who has to review.
    pub review: Option<Review>,
    /// What counts as a primary source.
    pub sources: Sources,
    /// Commands for checks: the task's own over the policy's.
    pub checks: BTreeMap<CheckKind, Vec<String>>,
}

/// One rule for moving up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscalateRule {
    /// The cause that counts.
    pub on: Cause,
    /// The class to move to.
    pub to: ClassName,
    /// How many times the cause must have been seen in the job; at least 1.
    pub after: u32,
}

/// What makes an ask a task: any path, surface or branch listed here.
#[derive(Debug, Clone)]
pub struct Match {
    /// Sensitive surfaces.
    pub surfaces: Vec<Surface>,
    pub(crate) paths: Globs,
    pub(crate) branches: Globs,
}

/// Who has to review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// `code-owners`, `anyone` or the name of a signer.
    pub by: String,
    /// How many reviews are needed.
    pub at_least: u32,
}

/// What counts as a primary source, and for how long a fetched page stands in for one that is out of reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// Hosts, some with a path; empty means those that are known anyway.
    pub primary: Vec<String>,
    /// Days that a page stays good.
    pub max_age_days: u32,
}

/// Globs with their texts, compiled once.
#[derive(Debug, Clone)]
pub(crate) struct Globs {
    pub(crate) texts: Vec<String>,
    pub(crate) set: globset::GlobSet,
}

impl Task {
    /// Whether its work may start in a lower class to save money. What a person signs in the end, or several classes
    /// look at, is not the place to save.
    pub(crate) fn may_start_lower(&self) -> bool {
        let is_reviewed = self
            .proof
            .iter()
            .flatten()
            .any(|required| *required == ProofRequirement::HumanReview);
        self.route.len() == 1 && !is_reviewed
    }
}

impl Policy {
    /// The built-in matrix.
    pub fn builtin() -> Self {
        builtin::policy()
    }

    /// Text of the built-in matrix, with the comments that teach it.
    pub fn builtin_text() -> &'static str {
        builtin::TEXT
    }

    /// Reads a policy file and resolves it over the built-in matrix.
    ///
    /// `origin` names the file in messages.
    ///
    /// # Errors
    /// When anything in the file is wrong; the error holds every problem found.
    pub fn parse(text: &str, origin: &str) -> Result<Parsed, PolicyError> {
        parse::parse(text, origin)
    }

    /// The task of a name.
    pub fn task(&self, name: &TaskName) -> Option<&Task> {
        self.task_named(name.as_str())
    }

    /// The class of a name.
    pub fn class(&self, name: &ClassName) -> Option<&Class> {
        self.classes.iter().find(|class| class.name == *name)
    }

    /// Tasks in the order in which their `match` is tried.
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Classes from the lowest to the highest.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// SHA-256 of the file's text, in lower-case hex.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The file's own text, with its comments; empty where there is no file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole policy after merging, as TOML.
    pub fn resolved(&self) -> &str {
        &self.resolved
    }

    /// Runs the tests the policy carries; an empty answer means that all of them hold.
    pub fn run_tests(&self) -> Vec<TestFailed> {
        trial::run(self)
    }

    /// Where a class stands: a higher number is a higher class.
    pub fn rank(&self, name: &ClassName) -> Option<usize> {
        self.classes.iter().position(|class| class.name == *name)
    }

    /// The next lower class that ordinary work starts in.
    pub(crate) fn below(&self, name: &ClassName) -> Option<&ClassName> {
        let rank = self.rank(name)?;
        let lower = self.classes.get(..rank)?.iter().rev();
        let mut lower = lower.map(|class| &class.name).filter(|class| {
            self.tasks
                .iter()
                .any(|task| task.may_start_lower() && task.route.first() == Some(*class))
        });
        lower.next()
    }

    /// The class that work of a task starts in.
    pub(crate) fn first_class(&self, found: &Classified) -> Option<&ClassName> {
        let first = self.task(&found.task)?.route.first()?;
        let general = self.task_named(TaskName::GENERAL)?.route.first();
        let floor = general.filter(|_| found.basis == Basis::JudgedAlone);
        Some(floor.map_or(first, |floor| {
            if self.rank(floor) > self.rank(first) {
                floor
            } else {
                first
            }
        }))
    }

    pub(crate) fn task_named(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|task| task.name.as_str() == name)
    }
}

/// JSON Schema of `wayproof.toml`, pretty-printed.
pub fn schema() -> String {
    let schema = schemars::schema_for!(document::Document);
    format!("{:#}", serde_json::Value::from(schema))
}
