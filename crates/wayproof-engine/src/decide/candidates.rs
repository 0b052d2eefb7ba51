//! Which targets of a class can take a request, in which order, and why the others cannot.
//! Sideways within the class; upward only for a larger context window.

use wayproof_wire::Protocol;

use crate::{
    catalog::Catalog,
    decision::Rejected,
    facts::{Reach, World},
    names::{ClassName, Target},
    policy::{Class, Policy},
    session::LastAnswer,
};

/// What a request needs of a target.
pub(super) struct Candidates<'a> {
    pub(super) policy: &'a Policy,
    pub(super) world: &'a World,
    pub(super) catalog: &'a Catalog,
    pub(super) protocol: Protocol,
    /// Tokens the request has, as an estimate.
    pub(super) tokens: u64,
    /// A window that is known to be too small.
    pub(super) needs_window_over: u64,
}

/// What was found.
pub(super) enum Found {
    /// Targets of a class, in order.
    Targets {
        /// The class they are of.
        class: ClassName,
        /// Them.
        targets: Vec<Target>,
        /// What is unusual about them.
        remark: Option<String>,
    },
    /// The class has no target at any provider at hand.
    Nothing,
}

/// How a target stands to a request.
enum Fit {
    /// It can take it.
    Able,
    /// It could, but its provider is failing.
    Failing,
    /// Its context window is too small: so many tokens.
    Small(u64),
    /// It cannot, for this reason.
    Unable(String),
}

/// Targets of one class, sorted by how they stand.
#[derive(Default)]
struct Sorted {
    able: Vec<Target>,
    failing: Vec<Target>,
    small: Vec<(u64, Target)>,
    rejected: Vec<Rejected>,
}

impl Candidates<'_> {
    /// Looks in the class, and above it when only a larger window is missing.
    pub(super) fn find(&self, class: &ClassName, rejected: &mut Vec<Rejected>) -> Found {
        let Some(row) = self.policy.class(class) else {
            return Found::Nothing;
        };
        let sorted = self.sort(row);
        rejected.extend(sorted.rejected);
        if !sorted.able.is_empty() {
            return targets(class, sorted.able, None);
        }
        if !sorted.failing.is_empty() {
            // They are not passed over after all.
            rejected.retain(|passed| {
                !sorted
                    .failing
                    .iter()
                    .any(|t| t.to_string() == passed.target)
            });
            let remark = "no healthy target is left, so the failing ones are tried".to_owned();
            return targets(class, sorted.failing, Some(remark));
        }
        if sorted.small.is_empty() {
            return Found::Nothing;
        }
        self.larger(class, rejected).unwrap_or_else(|| {
            let largest = sorted.small.into_iter().max_by_key(|(window, _)| *window);
            let kept: Vec<Target> = largest.into_iter().map(|(_, target)| target).collect();
            rejected.retain(|passed| !kept.iter().any(|t| t.to_string() == passed.target));
            let remark = "nothing at hand has room for this, so the largest window is tried";
            targets(class, kept, Some(remark.to_owned()))
        })
    }

    /// The first class above that has room.
    fn larger(&self, class: &ClassName, rejected: &mut Vec<Rejected>) -> Option<Found> {
        let rank = self.policy.rank(class)?;
        for higher in self.policy.classes().iter().skip(rank + 1) {
            let sorted = self.sort(higher);
            for passed in sorted.rejected {
                if !rejected.contains(&passed) {
                    rejected.push(passed);
                }
            }
            if !sorted.able.is_empty() {
                let name = &higher.name;
                let remark = format!("class `{name}` has the larger context window this needs");
                return Some(targets(name, sorted.able, Some(remark)));
            }
        }
        None
    }

    /// The targets of a class that can take it, one of them first; nothing when that one cannot.
    pub(super) fn starting_at(&self, class: &ClassName, at: &LastAnswer) -> Option<Vec<Target>> {
        let mut able = self.sort(self.policy.class(class)?).able;
        let place = able.iter().position(|target| at.is_at(target))?;
        let first = able.remove(place);
        able.insert(0, first);
        Some(able)
    }

    fn sort(&self, class: &Class) -> Sorted {
        let mut sorted = Sorted::default();
        for target in &class.targets {
            let why = match self.fit(target) {
                Fit::Able => {
                    sorted.able.push(target.clone());
                    continue;
                }
                Fit::Failing => {
                    sorted.failing.push(target.clone());
                    "its provider is failing right now".to_owned()
                }
                Fit::Small(window) => {
                    sorted.small.push((window, target.clone()));
                    let needed = self.tokens.max(self.needs_window_over);
                    format!("its window of {window} tokens is too small for about {needed}")
                }
                Fit::Unable(why) => why,
            };
            sorted.rejected.push(Rejected {
                target: target.to_string(),
                why,
            });
        }
        sorted
    }

    fn fit(&self, target: &Target) -> Fit {
        let Some(provider) = self.world.provider(&target.provider) else {
            return Fit::Unable("its provider is not set up".to_owned());
        };
        match provider.reach(self.protocol) {
            Reach::Native => {}
            Reach::Translated(_) if provider.takes_own_key => {
                return Fit::Unable(format!(
                    "its provider does not speak `{}`, so the client's own key is none for it",
                    self.protocol
                ));
            }
            Reach::Translated(_) => {}
            Reach::Mute => {
                return Fit::Unable(format!(
                    "nobody translates `{}` for its provider",
                    self.protocol
                ));
            }
        }
        if !provider.may_have(&target.model) {
            return Fit::Unable("its provider does not have this model".to_owned());
        }
        let window = self.catalog.context_window(&target.provider, &target.model);
        let is_small = |window: &u64| self.tokens > *window || self.needs_window_over >= *window;
        match window.filter(is_small) {
            Some(window) => Fit::Small(window),
            None if provider.is_healthy => Fit::Able,
            None => Fit::Failing,
        }
    }
}

fn targets(class: &ClassName, targets: Vec<Target>, remark: Option<String>) -> Found {
    Found::Targets {
        class: class.clone(),
        targets,
        remark,
    }
}
