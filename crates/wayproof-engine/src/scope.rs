//! What the holder of a key may do: which tasks, classes and providers are open to it.
//! It narrows a decision that was made and never widens one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wayproof_wire::FaultKind;

use crate::decision::{Decision, Refusal};

/// What a key is good for. An empty list sets no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The tasks it may work on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tasks: BTreeSet<String>,
    /// The classes it may be served by.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub classes: BTreeSet<String>,
    /// The providers it may be sent to.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub providers: BTreeSet<String>,
}

impl Scope {
    /// Whether it sets any bound.
    pub fn is_open(&self) -> bool {
        self.tasks.is_empty() && self.classes.is_empty() && self.providers.is_empty()
    }

    /// Takes the targets out of a decision that the key's holder may not be sent to.
    ///
    /// # Errors
    /// When the task or class is not open to the key, or no target is left.
    pub fn narrow(&self, holder: &str, decision: &mut Decision) -> Result<(), Refusal> {
        let is_open = |list: &BTreeSet<String>, name: &str| list.is_empty() || list.contains(name);
        let task = decision.task.as_str();
        if !is_open(&self.tasks, task) {
            return Err(closed(holder, "task", task, &self.tasks));
        }
        let class = decision.class.as_ref().map(crate::names::ClassName::as_str);
        // What names its own model has no class, and could be anything.
        if !self.classes.is_empty() && !class.is_some_and(|class| self.classes.contains(class)) {
            let class = class.unwrap_or("none: the model was named by the caller");
            return Err(closed(holder, "class", class, &self.classes));
        }
        let asked = decision
            .attempts
            .first()
            .map(|planned| planned.target.provider.clone());
        decision
            .attempts
            .retain(|planned| is_open(&self.providers, &planned.target.provider));
        if decision.attempts.is_empty() {
            let provider = asked.unwrap_or_default();
            return Err(closed(holder, "provider", &provider, &self.providers));
        }
        Ok(())
    }
}

fn closed(holder: &str, what: &str, name: &str, open: &BTreeSet<String>) -> Refusal {
    let open: Vec<&str> = open.iter().map(String::as_str).collect();
    Refusal {
        kind: FaultKind::Forbidden,
        message: format!(
            "key `{holder}` is not good for {what} `{name}`, only for {}; ask whoever gave you the key",
            open.join(", ")
        ),
    }
}
