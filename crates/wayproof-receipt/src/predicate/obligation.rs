//! The obligation predicate: the bar a job has to clear, signed before the first edit.
//! Its subject is the revision the work starts from, as nothing else exists yet.

use serde::{Deserialize, Serialize};

use super::check::CheckKind;
use crate::{
    statement::{DigestSet, ResourceDescriptor},
    time::Time,
};

/// A command that the obligation names beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObligedCheck {
    /// What it answers.
    pub kind: CheckKind,
    /// The program and its arguments.
    pub argv: Vec<String>,
}

/// How often tests are run on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Runs {
    /// Runs at the base.
    pub base: u32,
    /// Runs at the head.
    pub head: u32,
}

/// Who has to approve.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ReviewRule {
    /// Whose approval counts, in the policy's words.
    pub by: String,
    /// How many approvals by different keys are needed.
    pub at_least: u32,
}

/// What a job has to prove.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Obligation {
    /// The task, as the policy calls it.
    pub task: String,
    /// What has to be shown: every group, by any of its members.
    pub requirements: Vec<Vec<String>>,
    /// The policy the bar comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<ResourceDescriptor>,
    /// The revision the work starts from.
    pub base: ResourceDescriptor,
    /// Digest of what was asked; the words themselves stay out of receipts.
    #[serde(skip_serializing_if = "DigestSet::is_empty")]
    pub ask: DigestSet,
    /// The job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Commands that will be run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<ObligedCheck>,
    /// How often tests are run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// Who has to approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewRule>,
    /// When the bar was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<Time>,
}
