#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod names;
mod policy;

mod calendar;

mod facts;

mod classify;
mod evidence;

mod session;

mod budget;
mod catalog;
mod price;

mod decision;
mod question;

mod decide;
mod scope;

mod simulate;

pub use budget::{Budget, NotASubject, NotAWindow, Subject, SubjectKind, Who, Window, draws};
pub use catalog::{
    BuildError, Catalog, CatalogError, CatalogSources, LayerError, Layered, LeftOut, Listing,
    ModelFacts, ModelsDevError, OwnError, Synced, build_catalog, layered_catalog, read_models_dev,
};
pub use classify::{
    Asked, Basis, ChangedFile, Classified, Classifier, Heard, KNOWN_TASKS, OwedProof, Reason,
    Scores, Touch, WorkKind, classify, hear, judge, owed_by_change, reasons, touches,
};
pub use decide::decide;
pub use decision::{Decision, Next, Planned, Refusal, Rejected, Routing, explain};
pub use evidence::{
    Counts, Diagnostic, Evidence, EvidenceKind, Failure, Grade, Location, Outcome, Severity,
    recognize,
};
pub use facts::{Facts, KeptState, Needs, Observation, ProviderState, World};
pub use names::{Cause, ClassName, NotATarget, ProofRequirement, Target, TaskName};
pub use policy::{
    Capture, CheckKind, Class, Effort, EscalateRule, Ink, Match, Parsed, Policy, PolicyError,
    PolicyTest, Problem, Review, Sources, Surface, Task, TestFailed, Warning, parse_usd, schema,
    show_usd,
};
pub use price::{PriceRow, Rates, cost, cost_exact, worst_cost};
pub use question::Question;
pub use scope::Scope;
pub use session::{
    AnswerSign, CauseNoted, JobState, LastAnswer, Noted, OWN_VOICE, Recorded, SessionState,
    answer_question, correct, observe, observe_answer, put_question, report_cause,
};
pub use simulate::{
    Adaptive, Advice, Ask, Attempted, Backtest, Cascade, CascadeError, Cell, Change, Changed,
    Counterfactual, Draws, Ends, Estimate, GateSeen, Glimpse, Goal, Interval, Keep, NotACascade,
    NotAShare, Outcomes, OutcomesError, RecordedExchange, RecordedJob, Replayed, Share, Span,
    TooLarge, advise, backtest, counterfactual, read_outcomes, replay,
};
/// How a command ended, which [`recognize`] asks for.
pub use wayproof_wire::Exit;

/// The parts of the text classifier, for whoever fits its weights or measures it.
pub mod classifier {
    pub use crate::classify::{
        Group, Label, NoWeights, Sink, Weights, WorkKind, features, lexicon_values, loudness,
    };

    /// How many kinds of work are told apart.
    pub const KINDS: usize = WorkKind::COUNT;
    /// How many voices the lexicon has.
    pub const LEXICON: usize = Label::COUNT;
}
