//! What pages beside the gateway's own may know of it: a look, never a hand on anything.

use std::sync::{Arc, Weak};

use wayproof_engine::Policy;

use crate::gateway::Shared;
use crate::keys::KeyDigest;
use crate::proofs::ProofStep;

/// A look at a gateway that does not keep it alive.
#[derive(Clone, Debug)]
pub struct Glance(Weak<Shared>);

/// A provider as it is seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSeen {
    /// Its name.
    pub name: String,
    /// Its address.
    pub base: String,
    /// Whether it is asked at the moment; one that keeps failing is not.
    pub is_healthy: bool,
}

impl Glance {
    pub(crate) const fn new(shared: Weak<Shared>) -> Self {
        Self(shared)
    }

    /// The policy in force; nothing once the gateway has stopped.
    pub fn policy(&self) -> Option<Arc<Policy>> {
        self.0.upgrade().map(|shared| shared.policy.load_full())
    }

    /// Who serves models.
    pub fn providers(&self) -> Vec<ProviderSeen> {
        let Some(shared) = self.0.upgrade() else {
            return Vec::new();
        };
        let seen = shared.upstream.providers().map(|provider| ProviderSeen {
            name: provider.name.clone(),
            base: provider.base.to_string(),
            is_healthy: shared.upstream.is_healthy(&provider.name),
        });
        seen.collect()
    }

    /// Conversations in memory, and jobs opened through the admin pages that are not closed.
    pub fn counts(&self) -> (usize, usize) {
        self.0
            .upgrade()
            .map_or((0, 0), |shared| (shared.sessions.len(), shared.jobs.len()))
    }

    /// The steps of proofs that are under way, by the ids of their jobs.
    pub fn proofs_under_way(&self) -> Vec<(String, Vec<ProofStep>)> {
        let shared = self.0.upgrade();
        shared.map_or_else(Vec::new, |shared| {
            shared.proofs.under_way(shared.clock.now_us())
        })
    }

    /// Resolves when the gateway stops, so that answers which stay open can end.
    pub fn stopping(&self) -> impl Future<Output = ()> + Send + 'static {
        let stopping = self.0.upgrade().map(|shared| shared.stopping.clone());
        async move {
            if let Some(stopping) = stopping {
                stopping.cancelled().await;
            }
        }
    }

    /// Whether callers need a key: one that is configured, or one that was given out.
    pub fn wants_key(&self) -> bool {
        self.0.upgrade().is_none_or(|shared| {
            !shared.settings.keys.is_empty() || crate::callers::needs_key(&shared)
        })
    }

    /// The name of the configured key that this is, if it is one; the time it takes says nothing about which.
    pub fn holder_of(&self, key: &[u8]) -> Option<String> {
        let shared = self.0.upgrade()?;
        let digest = KeyDigest::of(key);
        shared.settings.keys.iter().fold(None, |found, known| {
            if known.digest.is(&digest) {
                Some(known.name.clone())
            } else {
                found
            }
        })
    }
}
