//! One command that was run for a proof, on which tree, confined how, and how it ended.
//! Holds no output: reports are pointed to by digest.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evidence::Reused;
use crate::{statement::ResourceDescriptor, time::Time};

/// What kind of question a check answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckKind {
    /// Does it typecheck.
    Typecheck,
    /// Does it build.
    Build,
    /// Do the tests pass.
    Test,
    /// Do the tests notice planted faults.
    Mutation,
    /// Which lines do the tests reach.
    Coverage,
    /// Does a linter object.
    Lint,
    /// Does the built thing run.
    Smoke,
    /// Do the links lead to what is claimed.
    Link,
    /// What does a scanner find.
    Sarif,
    /// Do the tests fail again without the change.
    Ablation,
    /// A kind this version does not know; it satisfies nothing.
    #[default]
    #[serde(other)]
    Other,
}

/// The tree a check ran on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The base revision.
    Base,
    /// The base revision with the tests of the head.
    BaseWithTests,
    /// The head revision.
    #[default]
    Head,
    /// The head revision with the change to the product taken out.
    Ablated,
    /// A tree this version does not know; what ran there satisfies nothing.
    #[serde(other)]
    Other,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckResult {
    /// It did what it had to.
    Passed,
    /// It ran and objected.
    Failed,
    /// It ran out of its time.
    TimedOut,
    /// The machine, not the change, stopped it.
    Infrastructure,
    /// It did not end in a way that says anything.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The limits a check ran under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CheckLimits {
    /// Wall-clock seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<u64>,
    /// Processor seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_seconds: Option<u64>,
    /// Memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Processes and threads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processes: Option<u64>,
    /// Bytes of output that were kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

/// One command with a report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Check {
    /// Names the check within the proof.
    pub id: String,
    /// What it answers.
    pub kind: CheckKind,
    /// The tree it ran on.
    pub side: Side,
    /// The program and its arguments; no shell.
    pub argv: Vec<String>,
    /// Where it ran, relative to the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Tools and their versions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub toolchain: BTreeMap<String, String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Its exit status, if it exited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_status: Option<i32>,
    /// The signal that ended it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether the run reached its end and said so.
    #[serde(rename = "completed")]
    pub is_complete: bool,
    /// The limits it ran under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<CheckLimits>,
    /// The isolation that held, such as `userns` or `landlock-abi7`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub isolation: Vec<String>,
    /// How it ended.
    pub result: CheckResult,
    /// Its reports, by digest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<ResourceDescriptor>,
    /// The reader that understood the reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parser: Option<String>,
    /// The earlier run this is, when it was not run again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reused: Option<Reused>,
}

impl Check {
    /// Whether the check ran on the head to its end and passed by every sign it left.
    pub fn is_passed(&self) -> bool {
        self.side == Side::Head
            && self.is_complete
            && self.result == CheckResult::Passed
            && self.signal.is_none()
            && self.exit_status.is_none_or(|status| status == 0)
    }
}
