//! A request that the policy routes, and two providers that can answer it.

use wayproof_engine::{Facts, Needs, ProviderState, World};
use wayproof_wire::{Protocol, Protocols};

pub(crate) fn facts() -> Facts<'static> {
    Facts {
        protocol: Protocol::Messages,
        requested_model: "wayproof/auto",
        explicit_task: None,
        housekeeping: None,
        is_subagent: false,
        paths: &[],
        branch: None,
        body_bytes: 4_000,
        new_job_id: "job-1",
        at_us: 1_795_305_600_000_000,
        needs: Needs::default(),
    }
}

pub(crate) fn world() -> World {
    let provider = |name: &str| ProviderState {
        name: name.to_owned(),
        protocols: Protocols::ALL,
        is_healthy: true,
        takes_own_key: false,
        models: None,
        is_guess: false,
    };
    World {
        providers: ["anthropic", "openai"].map(provider).to_vec(),
    }
}
