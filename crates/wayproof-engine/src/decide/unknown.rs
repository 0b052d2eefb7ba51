//! Names of ours that the policy does not know: refused, with those that it knows.

use wayproof_wire::FaultKind;

use super::{View, refuse};
use crate::{
    decision::{Decision, Refusal},
    policy::{list, nearest},
};

impl View<'_> {
    pub(super) fn unknown_task(&self, name: &str) -> Result<Decision, Refusal> {
        let known: Vec<&str> = self
            .policy
            .tasks()
            .iter()
            .map(|task| task.name.as_str())
            .collect();
        let hint = nearest(name, &known).map_or_else(
            || format!("the policy has {}", list(&known)),
            |near| format!("did you mean `wayproof/{near}`?"),
        );
        refuse(
            FaultKind::NotFound,
            format!("there is no task `{name}` in the policy; {hint}"),
        )
    }

    pub(super) fn unknown_class(&self, name: &str) -> Result<Decision, Refusal> {
        let known: Vec<&str> = self
            .policy
            .classes()
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        refuse(
            FaultKind::NotFound,
            format!(
                "there is no class `{name}` in the policy; it has {}",
                list(&known)
            ),
        )
    }
}
