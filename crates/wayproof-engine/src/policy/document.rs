//! The shape of `wayproof.toml`, for reading, for writing back and for the JSON Schema.
//! One set of types serves all three, so that the schema an editor uses and the parser cannot disagree.
//! Nothing is resolved or checked here: names are still text.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::{Cause, ProofRequirement};

/// A task policy: which kinds of work go to which class of models, when they move up, and what proves them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "wayproof.toml")]
pub(crate) struct Document {
    /// Version of the file format; always 1.
    #[schemars(range(min = 1, max = 1))]
    pub(crate) version: u32,
    /// What the file is laid over: the built-in `matrix` (the default), or the `cascade` that starts cheap where the
    /// proof is strong enough and moves up when it is refuted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) preset: Option<Preset>,
    /// Whether a model name the policy does not know is routed too (true, the default) or passed to its provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) route_unknown: Option<bool>,
    /// How sure the text classifier must be, in per mille, before an ask is anything but `general`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) min_confidence: Option<u16>,
    /// The class of which a model is asked what an ask is, where the classifier is not sure enough; without it nobody
    /// is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) judge: Option<String>,
    /// The most that is kept of requests and answers beside the ledger. The operator's `--capture` says what is kept at
    /// all; a policy can have less kept and never more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) capture: Option<Capture>,
    /// Limits on leaving a conversation that is warm at one model for another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) switching: Option<SwitchingTable>,
    /// Classes of models, from the lowest to the highest.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) class: IndexMap<String, ClassTable>,
    /// Tasks; the first whose `match` fits wins.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub(crate) task: IndexMap<String, TaskTable>,
    /// Commands that carry out checks, as argument lists.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) checks: BTreeMap<CheckKind, Command>,
    /// Asks with the routing they must get; `wayproof policy test` runs them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) test: Vec<TestTable>,
}

/// How much of requests and answers is kept.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Capture {
    /// Nothing.
    #[default]
    None,
    /// Everything but secrets.
    Redacted,
    /// Everything.
    Full,
}

/// A named policy that a file can be laid over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Preset {
    /// The built-in matrix.
    Matrix,
    /// Cheap first where the proof is strong, up when it is refuted.
    Cascade,
}

/// An ordered list of targets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassTable {
    /// Targets written `provider/model`; the first healthy and capable one wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) targets: Option<Vec<String>>,
    /// Reasoning effort for these targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<Effort>,
}

/// A row of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskTable {
    /// The class the work starts in, or several that must all answer; the first one does the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<OneOrMany>,
    /// What makes an ask this task: any listed path, surface or branch.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub(crate) matches: Option<MatchTable>,
    /// What makes a finished change owe the proof of this task on top of its own: any listed path, branch, or
    /// sensitive surface that its paths, manifests or changed lines touch. It never decides where an ask goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) owed: Option<MatchTable>,
    /// When a job of this task moves up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) escalate: Option<Vec<EscalateTable>>,
    /// What must hold before the work counts as done: all entries; an inner list is met by any one of its names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) proof: Option<Vec<ProofEntry>>,
    /// How often a refuted proof hands the work back to the agent before it ends unproven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) tries: Option<u32>,
    /// How much of the code that new tests reach they must cover, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub(crate) min_coverage: Option<u8>,
    /// What must be gone after a migration: names with dots such as `old.fetch`, quoted modules such as `"old-sdk"`,
    /// or code in which `$NAME` stands for one expression and `$$$` for any number of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) residue: Option<Vec<String>>,
    /// Limits on money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) budget: Option<BudgetTable>,
    /// Who has to review, for a task that requires `human-review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) review: Option<ReviewTable>,
    /// What counts as a primary source, for a task that requires `primary-sources`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sources: Option<SourcesTable>,
    /// Commands for this task only, over the ones of `[checks]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checks: Option<BTreeMap<CheckKind, Command>>,
}

/// A name or a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A requirement, or a list of which any one is enough.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ProofEntry {
    Required(ProofRequirement),
    AnyOf(Vec<ProofRequirement>),
}

/// Reasons to take an ask for a task; any one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatchTable {
    /// Globs over the paths that the ask names or the caller gives; `*` stays inside a directory, `**` does not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) paths: Vec<String>,
    /// Sensitive surfaces found in the ask or in its paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) surfaces: Vec<Surface>,
    /// Globs over the branch the agent works on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) branches: Vec<String>,
}

/// One rule for moving up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateTable {
    /// The cause that counts.
    pub(crate) on: Cause,
    /// The class to move to.
    pub(crate) to: String,
    /// How many times the cause must have been seen in the job; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) after: Option<u32>,
}

/// Limits on money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetTable {
    /// The most one job may cost, such as `4 USD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = "4 USD")]
    pub(crate) per_job: Option<String>,
}

/// Limits on leaving a conversation that is warm at one model for another model, which has to read it all again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwitchingTable {
    /// The most one session may pay for moves that nothing but the policy asks for, such as `0.50 USD`: to a lower
    /// class with the next job, or sideways. Beyond it work stays where the conversation is warm. Moves up and away
    /// from a failing provider are made whatever they cost, and count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) per_session: Option<String>,
}

/// Who has to review, and how many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewTable {
    /// Who may review: `code-owners`, `anyone` or the name of a signer.
    pub(crate) by: String,
    /// How many reviews are needed; 1 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub(crate) at_least: Option<u32>,
}

/// Where documents have to look things up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourcesTable {
    /// Hosts of primary sources, such as `docs.example.org` or `example.org/manual`; `known` stands for those that
    /// Wayproof knows, which are meant when the list is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) primary: Vec<String>,
    /// For how many days a page that was fetched stands in for one that cannot be reached; 7 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 365))]
    pub(crate) max_age_days: Option<u32>,
}

/// An ask with the routing it must get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestTable {
    /// What the user types.
    pub(crate) ask: String,
    /// Paths the caller gives.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) paths: Vec<String>,
    /// Branch the agent works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// What must come out.
    pub(crate) expect: ExpectTable,
}

/// What a policy test expects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectTable {
    /// The task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<String>,
    /// The class the job starts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) class: Option<String>,
}

/// A command as an argument list; no shell reads it.
pub(crate) type Command = Vec<String>;

/// A kind of check a policy can give a command for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Runs the tests.
    Test,
    /// Runs the type checker.
    Typecheck,
    /// Builds the project.
    Build,
    /// Runs a targeted smoke command against the built artefact; `{artefact}` stands for where that is, and `{report}`
    /// for a JUnit file it may write instead of printing TAP.
    Smoke,
    /// Runs a benchmark, whose time is what it measures.
    Bench,
    /// Moves data to the new schema; `{state}` stands for a folder that lasts from one of these commands to the next.
    DataUp,
    /// Takes that back.
    DataDown,
    /// Prints the schema and the data.
    DataDump,
}

/// How hard a model should think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Effort {
    /// Not at all, where the model allows it.
    None,
    /// The least.
    Minimal,
    /// Little.
    Low,
    /// The usual amount.
    Medium,
    /// Much.
    High,
    /// More than that.
    Xhigh,
    /// The most the model can.
    Max,
}

/// A part of a system where a mistake is dear.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Who somebody is: sign-in, sessions, tokens.
    Auth,
    /// Keys, passwords and other credentials.
    Secrets,
    /// Queries and schemas that reach stored data.
    DataAccess,
    /// Ciphers, signatures, hashes of passwords, certificates.
    Crypto,
    /// Who may do what: roles, access lists, policies.
    Permissions,
}

impl Capture {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Redacted => "redacted",
            Self::Full => "full",
        }
    }
}

impl CheckKind {
    /// The word used in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Typecheck => "typecheck",
            Self::Build => "build",
            Self::Smoke => "smoke",
            Self::Bench => "bench",
            Self::DataUp => "data-up",
            Self::DataDown => "data-down",
            Self::DataDump => "data-dump",
        }
    }
}

impl Effort {
    /// The word used in policies and by the providers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        }
    }
}

impl Surface {
    /// The word used in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Secrets => "secrets",
            Self::DataAccess => "data-access",
            Self::Crypto => "crypto",
            Self::Permissions => "permissions",
        }
    }
}
