//! The proof predicate: what was run at base and head, what it showed, and the verdict.
//! A signer may write any verdict here; `Proof::ceiling` says how high the fields let it go.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    check::Check,
    evidence::{
        Benchmark, Coverage, Dependencies, FailToPass, Flake, Mutation, Oracle, PublicApi, Reused,
        Tests,
    },
};
use crate::{
    statement::{DigestSet, ResourceDescriptor},
    time::Time,
};

/// What the checks amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Everything the task requires was shown.
    Proven,
    /// Shown, with gaps that are named.
    ProvenWithGaps,
    /// Not shown.
    #[default]
    Unproven,
    /// The machine failed; nothing is said about the change.
    InvalidInfra,
    /// Shown to be wrong, or shown to have cheated.
    Refuted,
}

impl Verdict {
    /// Every verdict, highest first.
    pub const ALL: [Self; 5] = [
        Self::Proven,
        Self::ProvenWithGaps,
        Self::Unproven,
        Self::InvalidInfra,
        Self::Refuted,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proven => "PROVEN",
            Self::ProvenWithGaps => "PROVEN_WITH_GAPS",
            Self::Unproven => "UNPROVEN",
            Self::InvalidInfra => "INVALID_INFRA",
            Self::Refuted => "REFUTED",
        }
    }

    /// The lower of two verdicts.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        if self.rank() <= other.rank() {
            self
        } else {
            other
        }
    }

    /// Whether this verdict claims more than the other.
    pub fn is_above(self, other: Self) -> bool {
        self.rank() > other.rank()
    }

    fn rank(self) -> u8 {
        match self {
            Self::Proven => 4,
            Self::ProvenWithGaps => 3,
            Self::Unproven => 2,
            Self::InvalidInfra => 1,
            Self::Refuted => 0,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who saw the evidence come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Tier {
    /// A person signed for that tree.
    Human,
    /// The checks were run again by a builder whose identity the agent cannot use.
    Independent,
    /// The checks were run again on a clean tree, confined.
    Reexecuted,
    /// The agent's own run was watched.
    Observed,
    /// Only a transcript says so; also a tier this version does not know.
    #[default]
    #[serde(other)]
    Claimed,
}

impl Tier {
    /// Whether the evidence was made by somebody other than the agent.
    pub fn is_executed(self) -> bool {
        match self {
            Self::Human | Self::Independent | Self::Reexecuted => true,
            Self::Observed | Self::Claimed => false,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "HUMAN",
            Self::Independent => "INDEPENDENT",
            Self::Reexecuted => "REEXECUTED",
            Self::Observed => "OBSERVED",
            Self::Claimed => "CLAIMED",
        }
    }
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Worth a look.
    Low,
    /// A gap.
    Medium,
    /// Refutes the proof; so does a severity this version does not know.
    #[default]
    #[serde(other)]
    High,
}

/// A trace of an attempt to make the proof look better than the change is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Finding {
    /// Its code in the catalogue, such as `G2`.
    pub code: String,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// What was seen, in a sentence.
    pub explanation: String,
}

/// A file that steers the checks and that the change touches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SurfaceChange {
    /// The file.
    pub path: String,
    /// Its git blob before, if it was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its git blob after, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A source that documentation refers to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Link {
    /// The address in the document.
    pub url: String,
    /// The address after redirects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_url: Option<String>,
    /// The HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When it was fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fetched_at: Option<Time>,
    /// Digest of what came.
    #[serde(skip_serializing_if = "DigestSet::is_empty")]
    pub digest: DigestSet,
    /// Whether it is a primary source by the policy.
    #[serde(rename = "primary")]
    pub is_primary: bool,
    /// Whether the anchor or the quoted words were found in it.
    #[serde(rename = "found")]
    pub is_found: bool,
}

impl Link {
    /// Whether the link leads to a primary source that says what is claimed.
    pub fn is_good(&self) -> bool {
        self.is_primary
            && self.is_found
            && self
                .status
                .is_some_and(|status| (200..300).contains(&status))
    }
}

/// The ledger entries that belong to the work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LedgerRange {
    /// The log's identity.
    pub origin: String,
    /// First entry.
    pub first_index: u64,
    /// Last entry.
    pub last_index: u64,
    /// Digest of a checkpoint that covers them.
    #[serde(skip_serializing_if = "DigestSet::is_empty")]
    pub checkpoint: DigestSet,
}

/// The proof of one change.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Proof {
    /// The task, as the policy calls it: `bug-fix`, `small-edit`…
    pub task: String,
    /// The rule that chose the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_decided_by: Option<String>,
    /// Digest of that rule or of the policy it stands in.
    #[serde(skip_serializing_if = "DigestSet::is_empty")]
    pub task_rule_digest: DigestSet,
    /// What had to be shown: every group, by any of its members.
    pub requirements: Vec<Vec<String>>,
    /// Points to the obligation's envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub obligation: Option<ResourceDescriptor>,
    /// Who saw the evidence come about.
    pub tier: Tier,
    /// What it amounts to.
    pub verdict: Verdict,
    /// The revision the change is measured against.
    pub base: ResourceDescriptor,
    /// The revision that was proven.
    pub head: ResourceDescriptor,
    /// Files of the base that steered the checks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<ResourceDescriptor>,
    /// Such files that the change touches.
    pub control_surface_changed: Vec<SurfaceChange>,
    /// Every command that was run.
    pub checks: Vec<Check>,
    /// Test counts at the head, if tests ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tests: Option<Tests>,
    /// Tests that were red before and are green now.
    pub fail_to_pass: Vec<FailToPass>,
    /// What repeated runs say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flake: Option<Flake>,
    /// Coverage of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// Mutants of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutation: Option<Mutation>,
    /// Strength of the tests' assertions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle: Option<Oracle>,
    /// What became of the public surface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_api: Option<PublicApi>,
    /// How fast it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<Benchmark>,
    /// What moved in manifests and lock files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<Dependencies>,
    /// Says that the checks were run earlier, on the same trees, and taken over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reused: Option<Reused>,
    /// Attempts to cheat that were found.
    pub findings: Vec<Finding>,
    /// Sources that documentation refers to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// How many claims about interfaces and versions the change's documents make, where somebody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<u64>,
    /// Scanner reports.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sarif: Vec<ResourceDescriptor>,
    /// Stable codes of what is missing, such as `NO_STRUCTURED_REPORT`.
    pub gaps: Vec<String>,
    /// The ledger entries that belong to the work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerRange>,
    /// Wall-clock milliseconds the proof took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_ms: Option<u64>,
    /// Processor milliseconds the proof took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof_cpu_ms: Option<u64>,
}
