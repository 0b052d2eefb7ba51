//! A session as a fold: every request adds what is new in it, and the job it works on may move up a class.
//! Memory is bounded, a replayed request changes nothing, and a class only goes up within a job. What the assistant
//! says moves nothing; what a tool printed may move a job up; nothing here ever accepts work as done.

mod ask;
mod causes;
mod chain;
mod correct;
mod escalate;
mod job;
mod judged;
mod recall;
mod resume;
mod seen;
mod signs;

use serde::{Deserialize, Serialize};
use wayproof_wire::{Exit, ToolKind, ToolOutcome};

pub use correct::correct;
pub use job::{CauseNoted, JobState, LastAnswer};
pub use judged::{answer_question, put_question};
pub(crate) use recall::{begin, recall_cause};
pub use resume::Recorded;

use crate::{
    classify::{Basis, Heard, hear, judge},
    evidence::{Evidence, EvidenceKind, Grade, Outcome, recognize},
    facts::{Facts, Observation, asked, explicit_task},
    names::{Cause, ClassName, Target, TaskName},
    policy::Policy,
};
use ask::AskKind;
use judged::OpenQuestion;
use seen::Seen;

/// How text starts that the product itself puts before an agent. It is never taken for the user's word.
pub const OWN_VOICE: &str = "Wayproof:";

/// The most paths of an ask that are recorded.
const MAX_HEARD_PATHS: usize = 16;

/// What is remembered of an agent's conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionState {
    /// Id of the session.
    pub session: String,
    /// The piece of work in hand.
    pub job: Option<JobState>,
    /// Where the last answer came from. The conversation outlives a job.
    #[serde(default)]
    pub last: Option<LastAnswer>,
    /// What leaving warm conversations has cost so far, in nano-dollars, as far as it is known.
    #[serde(default)]
    pub switched_nano_usd: i64,
    /// Tool calls whose results were already counted.
    seen: Seen,
}

/// Something a request changed, for the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Noted {
    /// A job began.
    JobOpened {
        /// Its id.
        id: String,
        /// Its task.
        task: TaskName,
        /// The class it starts in.
        class: ClassName,
        /// Why it is that task, as a sentence.
        rule: String,
        /// What was heard of the ask, so that another policy can be tried on it.
        heard: Option<Box<Heard>>,
        /// The job it takes the place of.
        replaces: Option<String>,
    },
    /// A fact was added to the job.
    Evidence(Evidence),
    /// A cause was seen that moved nothing (yet).
    Cause(CauseNoted),
    /// A cause moved the job up.
    Escalated {
        /// The cause.
        cause: Cause,
        /// The class it was in.
        from: ClassName,
        /// The class it is in now.
        to: ClassName,
        /// What was seen, as a sentence.
        why: String,
    },
}

/// Something a model's own answer says about the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerSign {
    /// The conversation did not fit.
    ContextOverflow {
        /// The target that said so.
        target: Target,
        /// Its window by the catalog, in tokens, or the size of what did not fit.
        window_tokens: u64,
    },
    /// The model declined to answer.
    Refusal {
        /// The target that declined.
        target: Target,
    },
}

impl SessionState {
    /// A session nothing is known about yet.
    pub fn new(session: impl Into<String>) -> Self {
        Self {
            session: session.into(),
            job: None,
            last: None,
            switched_nano_usd: 0,
            seen: Seen::default(),
        }
    }

    /// Ends the job in hand, if it is this one: what is asked for next is another job.
    pub fn end_job(&mut self, id: &str) {
        if self.job.as_ref().is_some_and(|job| job.id == id) {
            self.job = None;
        }
    }

    /// Adds what an answer cost and where it came from. An unknown cost stays unknown.
    pub fn settle(&mut self, job_id: &str, cost_nano_usd: Option<i64>, answer: Option<LastAnswer>) {
        if let Some(answer) = answer {
            let cost = answer.switch_nano_usd.unwrap_or(0);
            self.switched_nano_usd = self.switched_nano_usd.saturating_add(cost);
            self.last = Some(answer);
        }
        let Some(job) = self.job.as_mut().filter(|job| job.id == job_id) else {
            return;
        };
        match cost_nano_usd {
            Some(cost) => job.spent_nano_usd = job.spent_nano_usd.saturating_add(cost),
            None => job.has_unknown_cost = true,
        }
    }
}

/// Folds one request into the session and says what changed.
///
/// Calling it again with the same request changes nothing: results are known by the id of their call, and the ask of
/// the current job is known by its text.
pub fn observe(
    policy: &Policy,
    state: &mut SessionState,
    facts: &Facts<'_>,
    observation: &Observation<'_>,
) -> Vec<Noted> {
    let mut noted = Vec::new();
    if facts.housekeeping.is_some() {
        return noted;
    }
    if state.job.is_none()
        && let Some(ask) = observation.ask
    {
        open(policy, state, facts, (ask, observation.thrift), &mut noted);
    } else if let (Some(job), Some(ask)) = (state.job.as_mut(), observation.ask) {
        match ask::read(job, facts, ask) {
            AskKind::Replayed | AskKind::Delegated => {}
            AskKind::Continued => job.hear(ask),
            AskKind::Rejected => {
                job.hear(ask);
                let said = causes::rejection(ask);
                causes::add(policy, job, said, None, &mut noted);
            }
            AskKind::New => {
                // Results in the same request were brought in by the work that ends here.
                add_outcomes(policy, state, observation.outcomes, &mut noted);
                open(policy, state, facts, (ask, observation.thrift), &mut noted);
            }
        }
    }
    add_outcomes(policy, state, observation.outcomes, &mut noted);
    if let Some(job) = state.job.as_mut() {
        for evidence in observation
            .executed
            .iter()
            .filter(|e| e.grade > Grade::Narrated)
        {
            causes::add(policy, job, evidence.clone(), None, &mut noted);
        }
    }
    noted
}

/// Folds what an answer said about its model into the session.
pub fn observe_answer(policy: &Policy, state: &mut SessionState, sign: &AnswerSign) -> Vec<Noted> {
    let mut noted = Vec::new();
    let Some(job) = state.job.as_mut() else {
        return noted;
    };
    let (cause, why) = match sign {
        AnswerSign::ContextOverflow {
            target,
            window_tokens,
        } => {
            job.needs_window_over = job.needs_window_over.max(*window_tokens);
            (
                Cause::ContextOverflow,
                format!("the conversation does not fit {target}"),
            )
        }
        AnswerSign::Refusal { target } => {
            (Cause::ModelRefusal, format!("{target} declined to answer"))
        }
    };
    escalate::note(policy, job, cause, why, &mut noted);
    noted
}

/// Notes a cause that somebody else established: coverage too low, a flaky test, a reviewer's verdict.
///
/// The engine derives the other causes itself; see the documentation of [`Cause`].
pub fn report_cause(
    policy: &Policy,
    state: &mut SessionState,
    cause: Cause,
    why: impl Into<String>,
) -> Vec<Noted> {
    let mut noted = Vec::new();
    if let Some(job) = state.job.as_mut() {
        escalate::note(policy, job, cause, why.into(), &mut noted);
    }
    noted
}

fn open(
    policy: &Policy,
    state: &mut SessionState,
    facts: &Facts<'_>,
    (ask, thrift): (&str, Option<&str>),
    noted: &mut Vec<Noted>,
) {
    let explicit = explicit_task(policy, facts);
    let mut heard = hear(ask, &asked(facts, explicit.as_ref()));
    let mut found = judge(policy, &heard);
    heard.paths.truncate(MAX_HEARD_PATHS);
    let Some(mut class) = policy.first_class(&found).cloned() else {
        return;
    };
    let row = policy.task(&found.task);
    let lower = row.filter(|task| task.may_start_lower());
    let lower = lower.and_then(|_| policy.below(&class)).cloned();
    if let (Some(why), Some(lower)) = (thrift, lower) {
        found.rule = format!(
            "{}; it starts in `{lower}` instead of `{class}`, because {why}",
            found.rule
        );
        class = lower;
    }
    let replaces = state.job.take().map(|job| job.id);
    let job = state
        .job
        .insert(JobState::open(facts.new_job_id, &found, class, ask));
    // Where money is short, none is spent on a second opinion.
    if found.basis == Basis::Unsure && policy.judge.is_some() && thrift.is_none() {
        job.question = Some(Box::new(OpenQuestion::about(heard.clone())));
    }
    noted.push(Noted::JobOpened {
        id: job.id.clone(),
        task: job.task.clone(),
        class: job.class.clone(),
        rule: job.rule.clone(),
        heard: Some(Box::new(heard)),
        replaces,
    });
    for surface in found.surfaces {
        let why = format!("the ask touches {}", surface.as_str());
        causes::surface(policy, job, surface, why, noted);
    }
}

fn add_outcomes(
    policy: &Policy,
    state: &mut SessionState,
    outcomes: &[ToolOutcome],
    noted: &mut Vec<Noted>,
) {
    let SessionState { job, seen, .. } = state;
    let Some(job) = job.as_mut() else { return };
    let mut is_turn = false;
    for outcome in outcomes {
        if seen.insert(&outcome.call_id) {
            is_turn = true;
            add_outcome(policy, job, outcome, noted);
        }
    }
    if is_turn {
        job.turns = job.turns.saturating_add(1);
    }
}

fn add_outcome(policy: &Policy, job: &mut JobState, outcome: &ToolOutcome, noted: &mut Vec<Noted>) {
    let is_done = matches!(outcome.exit, Exit::Code(0) | Exit::Succeeded);
    if !is_done && ask::is_refused_tool(&outcome.text) {
        let said = causes::rejection("the user refused a tool call");
        causes::add(policy, job, said, None, noted);
        return;
    }
    match outcome.kind {
        ToolKind::Edit => {
            let edit = causes::edit(outcome);
            if edit.outcome != Outcome::Failed {
                let surfaces = job.edited(&outcome.paths);
                for (surface, path) in surfaces {
                    let why = format!("`{path}` touches {}", surface.as_str());
                    causes::surface(policy, job, surface, why, noted);
                }
                causes::claim(policy, job, outcome, noted);
            }
            causes::add(policy, job, edit, None, noted);
        }
        ToolKind::Shell | ToolKind::Other => {
            let command = outcome.command.as_deref();
            let found = recognize(&outcome.text, command, outcome.exit);
            // A command that writes files is an edit, although nobody knows of which file.
            if command.is_some_and(causes::writes_files) {
                job.edit_count = job.edit_count.saturating_add(1);
            }
            for evidence in found.into_iter().filter(|e| e.kind != EvidenceKind::Shell) {
                causes::add(policy, job, evidence, Some(&outcome.text), noted);
            }
            if outcome.kind == ToolKind::Shell {
                causes::words(policy, job, &outcome.text, noted);
            }
        }
        ToolKind::Read => {}
    }
}
