//! Which targets of a class can take a request, in which order, and why the others cannot.
//! Sideways within the class; upward only for what no target of the class has: room, eyes or hands.

use wayproof_wire::Protocol;

use crate::{
    catalog::Catalog,
    decision::Rejected,
    facts::{Needs, Reach, World},
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
    /// What it asks of a target beside words.
    pub(super) needs: Needs<'a>,
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
    /// It is not made for this, so it is tried only where nothing else is left.
    Lacking(Lack),
    /// It cannot, for this reason.
    Unable(String),
}

/// What a target has not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// A window larger than these tokens.
    Room(u64),
    /// It calls no tools.
    Tools,
    /// It sees no images.
    Sight,
}

/// Targets of one class, sorted by how they stand.
#[derive(Default)]
struct Sorted {
    able: Vec<Target>,
    failing: Vec<Target>,
    lacking: Vec<(Lack, Target)>,
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
        let Some((first, _)) = sorted.lacking.first() else {
            return Found::Nothing;
        };
        let lack = *first;
        self.above(class, lack, rejected).unwrap_or_else(|| {
            let kept = least_lacking(sorted.lacking);
            rejected.retain(|passed| !kept.iter().any(|t| t.to_string() == passed.target));
            let remark = match lack {
                Lack::Room(_) => {
                    "nothing at hand has room for this, so the largest window is tried"
                }
                Lack::Tools => {
                    "nothing at hand is known to call tools, so it is tried all the same"
                }
                Lack::Sight => {
                    "nothing at hand is known to see images, so it is tried all the same"
                }
            };
            targets(class, kept, Some(remark.to_owned()))
        })
    }

    /// The first class above that has what is missing here.
    fn above(&self, class: &ClassName, lack: Lack, rejected: &mut Vec<Rejected>) -> Option<Found> {
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
                let has = match lack {
                    Lack::Room(_) => "has the larger context window this needs",
                    Lack::Tools => "calls the tools this brings",
                    Lack::Sight => "sees the images this shows",
                };
                let remark = format!("class `{name}` {has}");
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
                Fit::Lacking(lack) => {
                    sorted.lacking.push((lack, target.clone()));
                    match lack {
                        Lack::Room(window) => {
                            let needed = self.tokens.max(self.needs_window_over);
                            format!("its window of {window} tokens is too small for about {needed}")
                        }
                        Lack::Tools => "it calls no tools, and this brings some".to_owned(),
                        Lack::Sight => "it sees no images, and this shows some".to_owned(),
                    }
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
        let reach = provider.reach(self.protocol);
        match reach {
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
        if let Some(why) = self.is_kept_elsewhere(&target.provider, reach) {
            return Fit::Unable(why);
        }
        if !provider.may_have(&target.model) {
            return Fit::Unable("its provider does not have this model".to_owned());
        }
        match self.lack(target) {
            Some(lack) => Fit::Lacking(lack),
            None if provider.is_healthy => Fit::Able,
            None => Fit::Failing,
        }
    }

    /// Why what this continues is not to be had there, if it is not. Nobody can bring along what he was not shown.
    fn is_kept_elsewhere(&self, provider: &str, reach: Reach) -> Option<String> {
        let kept = self.needs.kept?;
        match kept.keeper {
            Some(keeper) if keeper != provider => {
                Some(format!("what `{}` names is kept by `{keeper}`", kept.field))
            }
            None if reach != Reach::Native => Some(format!(
                "what `{}` names is kept by whoever speaks `{}`",
                kept.field, self.protocol
            )),
            Some(_) | None => None,
        }
    }

    /// What a target is known not to have. What is not known is taken to be there.
    fn lack(&self, target: &Target) -> Option<Lack> {
        let facts = self.catalog.facts(&target.provider, &target.model)?;
        let is_small = |window: &u64| self.tokens > *window || self.needs_window_over >= *window;
        if let Some(window) = facts.window.filter(is_small) {
            return Some(Lack::Room(window));
        }
        if self.needs.tools && facts.tools == Some(false) {
            return Some(Lack::Tools);
        }
        let sees = facts.takes.is_empty() || facts.takes.iter().any(|kind| kind == "image");
        (self.needs.images && !sees).then_some(Lack::Sight)
    }
}

/// Those with the largest window where that is too small for all, else all of them.
fn least_lacking(lacking: Vec<(Lack, Target)>) -> Vec<Target> {
    let room = |lack: &Lack| match lack {
        Lack::Room(window) => Some(*window),
        Lack::Tools | Lack::Sight => None,
    };
    let is_whole = lacking.iter().any(|(lack, _)| room(lack).is_none());
    if is_whole {
        let fitting = lacking.into_iter().filter(|(lack, _)| room(lack).is_none());
        return fitting.map(|(_, target)| target).collect();
    }
    let largest = lacking.into_iter().max_by_key(|(lack, _)| room(lack));
    largest.into_iter().map(|(_, target)| target).collect()
}

fn targets(class: &ClassName, targets: Vec<Target>, remark: Option<String>) -> Found {
    Found::Targets {
        class: class.clone(),
        targets,
        remark,
    }
}
