//! The review predicate: what a person decided about exactly this tree.
//! Says nothing about who may decide; the verifier compares keys and the obligation's rule.

use serde::{Deserialize, Serialize};

use crate::{statement::ResourceDescriptor, time::Time};

/// What the reviewer decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewDecision {
    /// Good as it is.
    Approved,
    /// Not good; so is a decision this version does not know.
    #[default]
    #[serde(other)]
    Rejected,
}

/// What became of one finding.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Disposition {
    /// The finding, by code or scanner rule.
    pub finding: String,
    /// What was decided about it, and why.
    pub decision: String,
}

/// A person's decision.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Review {
    /// Who reviewed, in words; the signing key says it for sure.
    pub reviewer: String,
    /// What was decided.
    pub decision: ReviewDecision,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed_at: Option<Time>,
    /// The revision the change goes into: what was looked at is what merging into it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<ResourceDescriptor>,
    /// What was found beforehand, if anything looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<ResourceDescriptor>,
    /// The checklist that was gone through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checklist: Option<ResourceDescriptor>,
    /// What became of each finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dispositions: Vec<Disposition>,
    /// A remark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}
