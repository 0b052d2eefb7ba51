#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod names;
mod policy;

mod facts;

mod classify;
mod evidence;

mod session;

mod catalog;
mod price;

mod decision;

mod decide;

mod simulate;

pub use catalog::{BuildError, Catalog, CatalogError, build_catalog};
pub use classify::{
    Asked, ChangedFile, Classified, Classifier, KNOWN_TASKS, OwedProof, Scores, Touch, classify,
    owed_by_change, touches,
};
pub use decide::decide;
pub use decision::{Decision, Next, Planned, Refusal, Rejected, Routing, explain};
pub use evidence::{
    Counts, Diagnostic, Evidence, EvidenceKind, Failure, Grade, Location, Outcome, Severity,
    recognize,
};
pub use facts::{Facts, Observation, ProviderState, World};
pub use names::{Cause, ClassName, NotATarget, ProofRequirement, Target, TaskName};
pub use policy::{
    CheckKind, Class, Effort, EscalateRule, Ink, Match, Parsed, Policy, PolicyError, PolicyTest,
    Problem, Review, Sources, Surface, Task, TestFailed, Warning, schema,
};
pub use price::{PriceRow, Rates, cost, cost_exact};
pub use session::{
    AnswerSign, CauseNoted, JobState, LastAnswer, Noted, OWN_VOICE, SessionState, observe,
    observe_answer, report_cause,
};
pub use simulate::{
    Adaptive, Advice, Ask, Attempted, Backtest, Cascade, CascadeError, Cell, Change,
    Counterfactual, Draws, Ends, Estimate, GateSeen, Glimpse, Goal, Interval, Keep, NotACascade,
    NotAShare, Outcomes, OutcomesError, Share, Span, TooLarge, advise, backtest, counterfactual,
    read_outcomes,
};
/// How a command ended, which [`recognize`] asks for.
pub use wayproof_wire::Exit;
