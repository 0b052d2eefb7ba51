//! The providers as the engine sees them, made anew only when one of them falls ill or recovers.

use std::collections::BTreeSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use wayproof_engine::{ProviderState, World};
use wayproof_upstream::{Credential, Provider, Upstream};
use wayproof_wire::{Protocol, Protocols};

/// Whether a provider is shown the client's own key and checks it; a server on one's own network, which is asked
/// without encryption, rarely does.
pub fn takes_own_key(provider: &Provider) -> bool {
    matches!(provider.credential, Credential::PassThrough) && provider.is_tls()
}

/// The providers at hand, with their health as of the last look.
#[derive(Debug)]
pub(crate) struct Worlds(ArcSwap<World>);

impl Worlds {
    /// Takes down the providers in the operator's order.
    pub(crate) fn new(upstream: &Upstream) -> Self {
        let providers = upstream
            .providers()
            .map(|provider| ProviderState {
                name: provider.name.clone(),
                protocols: provider.protocols,
                is_healthy: true,
                takes_own_key: takes_own_key(provider),
                models: None,
                is_guess: provider.protocols == Protocols::ALL && provider.cloud().is_none(),
            })
            .collect();
        Self(ArcSwap::from_pointee(World { providers }))
    }

    /// The world as it is now.
    pub(crate) fn now(&self, upstream: &Upstream) -> Arc<World> {
        let known = self.0.load_full();
        let is_current = known
            .providers
            .iter()
            .all(|provider| provider.is_healthy == upstream.is_healthy(&provider.name));
        if is_current {
            return known;
        }
        self.change(|provider| provider.is_healthy = upstream.is_healthy(&provider.name));
        self.0.load_full()
    }

    /// Takes down which models a provider has.
    pub(crate) fn learn(&self, name: &str, models: &BTreeSet<String>) {
        self.change(|provider| {
            if provider.name == name {
                provider.models = Some(models.clone());
            }
        });
    }

    /// Whether nobody said what a provider speaks, so that it is taken to speak everything until it does not.
    pub(crate) fn is_guess(&self, name: &str) -> bool {
        self.find(name, |provider| provider.is_guess)
            .unwrap_or_default()
    }

    /// Takes down that a provider does not speak a protocol after all.
    pub(crate) fn unlearn(&self, name: &str, protocol: Protocol) {
        self.change(|provider| {
            if provider.name == name {
                provider.protocols = provider.protocols.without(protocol);
            }
        });
    }

    /// The protocol that a provider is asked in for a client of another one.
    pub(crate) fn asked_in(&self, name: &str, client: Protocol) -> Option<Protocol> {
        self.find(name, |provider| provider.asked_in(client))?
    }

    fn find<T>(&self, name: &str, what: impl FnOnce(&ProviderState) -> T) -> Option<T> {
        let world = self.0.load();
        let mut providers = world.providers.iter();
        providers.find(|provider| provider.name == name).map(what)
    }

    fn change(&self, change: impl Fn(&mut ProviderState)) {
        self.0.rcu(|world| {
            let mut world = World::clone(world);
            world.providers.iter_mut().for_each(&change);
            world
        });
    }
}
