//! The words every other module speaks: tasks, classes, targets, causes, requirements.
//! Names only. Nothing here decides, looks anything up or knows what a policy says about a name.

use std::{borrow::Borrow, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a task: a row of the policy, such as `bug-fix`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct TaskName(String);

/// The name of a class: an ordered list of targets in the policy, such as `fast`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ClassName(String);

/// Where a request may be sent: a provider, one of its models and how hard it should think.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// Name of a provider in the operator's settings.
    pub provider: String,
    /// Model id as that provider spells it; it may contain `/`.
    pub model: String,
    /// Reasoning effort the policy asks for, if it asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<String>,
}

/// A target without both halves.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a target; write `provider/model`")]
pub struct NotATarget(
    /// The text that was given.
    pub String,
);

/// Why a job may move to a higher class. The list is closed; a provider fault is not in it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The code does not compile or typecheck after an edit of this job.
    CompileError,
    /// A test fails after an edit of this job.
    TestFailure,
    /// A failure that was there after an edit is there again, with the same message, after another edit.
    RepeatedFailure,
    /// The user rejects or corrects the work of this job, or refuses one of its tool calls.
    UserRejection,
    /// A coverage tool says that coverage is below what it was told to ask for.
    LowCoverage,
    /// As many tests pass as failed before, or the other way round, with no edit in between.
    FlakyTest,
    /// After an edit, one failure reaches sources in at least two directories of the repository, counting the files
    /// the job changed; tests and foreign code do not count.
    MultiFileCausalChain,
    /// After an edit, a compiler, a database or a migration tool finds more than one reading of a name, a call or a
    /// schema.
    SchemaOrApiAmbiguity,
    /// The work touches authentication, secrets, data access, cryptography or permissions.
    SensitiveSurface,
    /// An edited document states something about an interface or a version, by what the tool shows of the edit.
    ApiOrVersionClaim,
    /// Wayproof ran the required proof and it failed; what a tool or the assistant says about a proof is no cause.
    ProofRefuted,
    /// The conversation does not fit the model's context window.
    ContextOverflow,
    /// The model declines to answer.
    ModelRefusal,
    /// A reviewer sends the work back.
    ReviewerRedo,
}

/// A check that a task can require before its work counts as done.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum ProofRequirement {
    /// The type checker accepts the tree.
    Typecheck,
    /// The tests nearest to the change pass.
    FocusedTest,
    /// The tests that come with the change run, give the same result every time, and notice planted faults.
    TestsRun,
    /// A test that fails at the base passes at the head.
    FailingTestBecomesGreen,
    /// The project builds.
    Build,
    /// A targeted smoke command succeeds.
    Smoke,
    /// A person signs a review.
    HumanReview,
    /// Claims about interfaces and versions link to primary sources.
    PrimarySources,
    /// Tests that come with the change fail without it and pass with it; those that were there before do not count.
    NewTestsFailAtBase,
    /// Nothing public is removed or changed, and every test passes as it was.
    ApiUnchanged,
    /// The benchmark of the policy is faster than at the base, by more than chance explains.
    Faster,
    /// What moved in manifests and lock files is named, has a reason, and comes from where it came from before.
    DependenciesExplained,
}

impl TaskName {
    /// The task of an ask that nothing claims.
    pub const GENERAL: &str = "general";
    /// The task of what an agent asks for its own upkeep.
    pub const HOUSEKEEPING: &str = "housekeeping";

    /// Wraps a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ClassName {
    /// Wraps a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for TaskName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ClassName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(text: &str) -> Result<Self, NotATarget> {
        match text.split_once('/') {
            Some((provider, model))
                if !provider.is_empty()
                    && !model.is_empty()
                    && !text.contains(char::is_whitespace) =>
            {
                Ok(Self {
                    provider: provider.to_owned(),
                    model: model.to_owned(),
                    effort: None,
                })
            }
            _ => Err(NotATarget(text.to_owned())),
        }
    }
}

// === impl Cause ===

impl Cause {
    /// Every cause, in the order of the documentation.
    pub const ALL: [Self; 14] = [
        Self::CompileError,
        Self::TestFailure,
        Self::RepeatedFailure,
        Self::UserRejection,
        Self::LowCoverage,
        Self::FlakyTest,
        Self::MultiFileCausalChain,
        Self::SchemaOrApiAmbiguity,
        Self::SensitiveSurface,
        Self::ApiOrVersionClaim,
        Self::ProofRefuted,
        Self::ContextOverflow,
        Self::ModelRefusal,
        Self::ReviewerRedo,
    ];

    /// The name used in policies, headers and the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CompileError => "compile-error",
            Self::TestFailure => "test-failure",
            Self::RepeatedFailure => "repeated-failure",
            Self::UserRejection => "user-rejection",
            Self::LowCoverage => "low-coverage",
            Self::FlakyTest => "flaky-test",
            Self::MultiFileCausalChain => "multi-file-causal-chain",
            Self::SchemaOrApiAmbiguity => "schema-or-api-ambiguity",
            Self::SensitiveSurface => "sensitive-surface",
            Self::ApiOrVersionClaim => "api-or-version-claim",
            Self::ProofRefuted => "proof-refuted",
            Self::ContextOverflow => "context-overflow",
            Self::ModelRefusal => "model-refusal",
            Self::ReviewerRedo => "reviewer-redo",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl ProofRequirement ===

impl ProofRequirement {
    /// Every requirement, in the order of the documentation.
    pub const ALL: [Self; 12] = [
        Self::Typecheck,
        Self::FocusedTest,
        Self::TestsRun,
        Self::FailingTestBecomesGreen,
        Self::Build,
        Self::Smoke,
        Self::HumanReview,
        Self::PrimarySources,
        Self::NewTestsFailAtBase,
        Self::ApiUnchanged,
        Self::Faster,
        Self::DependenciesExplained,
    ];

    /// The name used in policies and receipts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Typecheck => "typecheck",
            Self::FocusedTest => "focused-test",
            Self::TestsRun => "tests-run",
            Self::FailingTestBecomesGreen => "failing-test-becomes-green",
            Self::Build => "build",
            Self::Smoke => "smoke",
            Self::HumanReview => "human-review",
            Self::PrimarySources => "primary-sources",
            Self::NewTestsFailAtBase => "new-tests-fail-at-base",
            Self::ApiUnchanged => "api-unchanged",
            Self::Faster => "faster",
            Self::DependenciesExplained => "dependencies-explained",
        }
    }
}

impl fmt::Display for ProofRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
