//! Requests that continue from what a provider keeps: an earlier answer, or a conversation.
//!
//! Nobody else can bring that along, so they go where it is kept, whatever class their job is in.

use wayproof_wire::FaultKind;

use super::{Lane, View, refuse};
use crate::{
    decision::{Decision, Refusal, Rejected, Routing},
    facts::is_alias,
    names::Target,
};

impl View<'_> {
    /// The provider that keeps what the request continues from, where it is known and at hand.
    pub(super) fn keeper(&self) -> Option<&str> {
        let keeper = self.facts.needs.kept?.keeper?;
        self.world.provider(keeper).map(|_| keeper)
    }

    /// The field that names what is kept.
    fn kept_in(&self) -> &'static str {
        self.facts.needs.kept.map_or("", |kept| kept.field)
    }

    /// A model at the keeper, although the class has none there: the one that answered last, else the one asked for.
    pub(super) fn at_keeper(
        &self,
        lane: &Lane<'_>,
        rejected: Vec<Rejected>,
    ) -> Result<Decision, Refusal> {
        let keeper = self.keeper().unwrap_or_default();
        let last = self.state.last.as_ref().map(|last| &last.target);
        let last = last.filter(|target| target.provider == keeper);
        let asked = Some(self.facts.requested_model).filter(|model| !is_alias(model));
        let Some(model) = last.map(|target| target.model.as_str()).or(asked) else {
            return refuse(
                FaultKind::BadRequest,
                format!(
                    "what `{}` names is kept by `{keeper}`, where class `{}` has no target: ask for a model of it by \
                     name, as in `{keeper}/MODEL`, or send the whole conversation",
                    self.kept_in(),
                    lane.class
                ),
            );
        };
        let rule = format!(
            "{}; class `{}` has no target at `{keeper}`, which keeps what `{}` names, so it goes on with `{model}`",
            lane.rule,
            lane.class,
            self.kept_in()
        );
        let target = Target {
            provider: keeper.to_owned(),
            model: model.to_owned(),
            effort: None,
        };
        Ok(self.decision(lane, Routing::PassedThrough, vec![target], rule, rejected))
    }

    /// The model asked for, unchanged, at the keeper.
    pub(super) fn unrouted_at_keeper(
        &self,
        lane: &Lane<'_>,
        rule: &str,
        rejected: &[Rejected],
    ) -> Option<Decision> {
        let keeper = self.keeper()?;
        let rule = format!(
            "{rule}; what `{}` names is kept by `{keeper}`",
            self.kept_in()
        );
        let target = Target {
            provider: keeper.to_owned(),
            model: self.facts.requested_model.to_owned(),
            effort: None,
        };
        let rejected = rejected.to_vec();
        Some(self.decision(lane, Routing::PassedThrough, vec![target], rule, rejected))
    }
}
