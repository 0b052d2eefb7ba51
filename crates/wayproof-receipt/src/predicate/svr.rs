//! The simple verification result (in-toto svr/v0.2): the line that other tools gate on.
//! Here it also pins every other line by digest, so that a line taken out of a receipt is missed.

use serde::{Deserialize, Serialize};

use super::proof::Verdict;
use crate::{envelope::Envelope, statement::ResourceDescriptor, time::Time};

/// Who verified, and against which policies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Verifier {
    /// A URI that names the verifier and the version of its logic.
    pub id: String,
    /// The policies.
    pub policies: Vec<ResourceDescriptor>,
}

/// A summary verdict.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Svr {
    /// Who verified.
    pub verifier: Verifier,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_created: Option<Time>,
    /// What holds.
    pub properties: Vec<String>,
    /// Extension: the envelopes the verdict rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_attestations: Vec<ResourceDescriptor>,
}

impl Svr {
    /// The verdict about a task, resting on these lines.
    pub fn new(
        verifier: Verifier,
        created: Time,
        (task, verdict): (&str, Verdict),
        lines: &[Envelope],
    ) -> Self {
        Self {
            verifier,
            time_created: Some(created),
            properties: vec![Self::property(task, verdict)],
            input_attestations: lines.iter().map(named).collect(),
        }
    }

    /// The property that says a verdict about a task, such as `WAYPROOF_BUG_FIX_PROVEN`.
    pub fn property(task: &str, verdict: Verdict) -> String {
        let task = task.replace('-', "_").to_ascii_uppercase();
        format!("{PREFIX}{task}_{verdict}")
    }

    /// Whether the summary speaks in our properties at all.
    pub fn is_ours(&self) -> bool {
        self.properties
            .iter()
            .any(|property| property.starts_with(PREFIX))
    }

    /// The lowest verdict it gives about a task.
    pub fn verdict(&self, task: &str) -> Option<Verdict> {
        let said = Verdict::ALL.into_iter().rev();
        said.into_iter()
            .find(|verdict| self.properties.contains(&Self::property(task, *verdict)))
    }
}

const PREFIX: &str = "WAYPROOF_";

/// A pointer to a line that says which line it is, so that its absence can be weighed.
fn named(line: &Envelope) -> ResourceDescriptor {
    let name = line
        .statement()
        .map_or("unknown", |statement| statement.predicate.line_name());
    line.descriptor(name)
}
