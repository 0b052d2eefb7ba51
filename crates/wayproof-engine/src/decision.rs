//! What was decided, as data: stored whole, compared byte for byte, explained in a few lines.
//! A decision holds no handle to anything and leaves nothing to choose later.

use serde::{Deserialize, Serialize};
use wayproof_wire::{FaultKind, Protocol};

use crate::names::{ClassName, ProofRequirement, Target, TaskName};
use crate::policy::show_usd;
use crate::question::Question;
use crate::session::{CauseNoted, LastAnswer};

/// What comes out of deciding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a request and taken apart at once"
)]
pub enum Next {
    /// Send the request, as the decision says.
    Decided(Decision),
    /// Answer with a fault.
    Refused(Refusal),
    /// Ask a model, hand its answer to [`answer_question`](crate::answer_question), and decide again.
    Ask(Box<Question>),
}

/// Why a request is not sent anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of fault the agent gets.
    pub kind: FaultKind,
    /// A sentence that says what to do about it.
    pub message: String,
}

/// Where a request goes, and why. Equal inputs make equal bytes of its JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The task.
    pub task: TaskName,
    /// The class of the job, or of a routed request outside any job.
    pub class: Option<ClassName>,
    /// Further classes of the task's route that must answer before the work is done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<ClassName>,
    /// Whether the policy chose the model.
    pub routing: Routing,
    /// Targets to try, in this order; never empty.
    pub attempts: Vec<Planned>,
    /// Which rule fired, as a sentence.
    pub rule: String,
    /// How sure the task is, in per mille.
    pub confidence_pm: Option<u16>,
    /// The next best task, with its share in per mille.
    pub runner_up: Option<(TaskName, u16)>,
    /// Causes noted for the job so far.
    pub causes: Vec<CauseNoted>,
    /// What was passed over, and why.
    pub rejected: Vec<Rejected>,
    /// What must hold in the end: every inner list, by any one of its entries.
    pub proof: Vec<Vec<ProofRequirement>>,
    /// Where the conversation was warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warm: Option<LastAnswer>,
    /// What the session has paid for leaving warm conversations before, in nano-dollars.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub switched_nano_usd: i64,
    /// Tokens of the request, estimated from its length.
    pub estimated_tokens: u64,
    /// SHA-256 of the policy.
    pub policy_digest: String,
    /// SHA-256 of the catalog.
    pub catalog_digest: String,
}

/// Who chose the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// The policy.
    Routed,
    /// The agent, naming provider and model.
    Pinned,
    /// The agent: the model it asks for goes out unchanged.
    PassedThrough,
}

/// A target to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Where to.
    pub target: Target,
    /// The dialect it is asked in, where that is not the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_in: Option<Protocol>,
    /// Its context window by the catalog, in tokens.
    pub window_tokens: Option<u64>,
    /// What it costs to leave the warm conversation for it, in nano-dollars; `None` when it is where the
    /// conversation already is, when that is warm nowhere any more, or when the cost is not known.
    pub switch_nano_usd: Option<i64>,
}

/// A target that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// The target, or the class it is a reason for.
    pub target: String,
    /// Why, as a sentence without a full stop.
    pub why: String,
}

impl Routing {
    /// The word used in headers and the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Routed => "routed",
            Self::Pinned => "pinned",
            Self::PassedThrough => "passed-through",
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_nothing(nano_usd: &i64) -> bool {
    *nano_usd == 0
}

/// The decision in at most ten lines.
pub fn explain(decision: &Decision) -> String {
    const SHOWN: usize = 3;
    let mut lines = Vec::new();
    lines.push(format!("task    {}{}", decision.task, sure(decision)));
    let class = decision.class.as_ref().map_or("none", ClassName::as_str);
    let mut also = String::new();
    for name in &decision.also {
        also.push_str(", then ");
        also.push_str(name.as_str());
    }
    lines.push(format!(
        "class   {class}{also} ({})",
        decision.routing.as_str()
    ));
    let targets: Vec<String> = decision.attempts.iter().map(shown).collect();
    lines.push(format!("target  {}", targets.join(", else ")));
    lines.push(format!("why     {}", decision.rule));
    let moved: Vec<&CauseNoted> = decision
        .causes
        .iter()
        .filter(|noted| noted.to.is_some())
        .collect();
    if let Some(noted) = moved.last() {
        let to = noted.to.as_ref().map_or("", ClassName::as_str);
        lines.push(format!("moved   to {to} on {}: {}", noted.cause, noted.why));
    }
    if !decision.rejected.is_empty() {
        let shown: Vec<String> = decision
            .rejected
            .iter()
            .take(SHOWN)
            .map(|passed| format!("{} ({})", passed.target, passed.why))
            .collect();
        let more = decision.rejected.len().saturating_sub(SHOWN);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        lines.push(format!("passed  over {}{more}", shown.join("; ")));
    }
    let proof: Vec<String> = decision.proof.iter().map(|any| one_of(any)).collect();
    let owed = if proof.is_empty() {
        "nothing".to_owned()
    } else {
        proof.join(" and ")
    };
    lines.push(format!("proof   {owed}"));
    if let Some(cost) = decision
        .attempts
        .first()
        .and_then(|first| first.switch_nano_usd)
    {
        let before = match decision.switched_nano_usd {
            0 => String::new(),
            before => format!(", after {} in this session", show_usd(before)),
        };
        lines.push(format!("switch  costs {}{before}", show_usd(cost)));
    }
    lines.join("\n")
}

/// A target, with the dialect it is asked in where that is not the client's.
fn shown(planned: &Planned) -> String {
    match planned.asked_in {
        Some(protocol) => format!("{} (asked in {protocol})", planned.target),
        None => planned.target.to_string(),
    }
}

fn sure(decision: &Decision) -> String {
    let Some(share) = decision.confidence_pm else {
        return String::new();
    };
    let next = decision.runner_up.as_ref();
    let next = next.map_or_else(String::new, |(task, share)| {
        format!(", next {task} {} %", share / 10)
    });
    format!(" ({} %{next})", share / 10)
}

fn one_of(any: &[ProofRequirement]) -> String {
    any.iter()
        .map(|requirement| requirement.as_str())
        .collect::<Vec<_>>()
        .join(" or ")
}
