//! The models a client may ask for.

use http::HeaderMap;
use wayproof_wire::{ModelDialect, ModelEntry, render_models};

use crate::gateway::Shared;

/// When the aliases appeared: 22 November 2026.
const ALIASES_SINCE_S: i64 = 1_795_305_600;

/// Lists the aliases, the tasks and what the providers are known to serve.
pub(crate) fn list(shared: &Shared, headers: &HeaderMap) -> Vec<u8> {
    let entry = |id: String, display_name: String, owner: &str| ModelEntry {
        id,
        display_name,
        owner: owner.to_owned(),
        created_s: ALIASES_SINCE_S,
    };
    // Claude Code keeps only ids that start with `claude` or `anthropic`.
    let mut models = vec![
        entry(
            "claude-wayproof-auto".to_owned(),
            "Wayproof (routed by the policy)".to_owned(),
            "wayproof",
        ),
        entry(
            "wayproof/auto".to_owned(),
            "Wayproof (routed by the policy)".to_owned(),
            "wayproof",
        ),
    ];
    for task in shared.policy.load().tasks() {
        let name = task.name.as_str();
        models.push(entry(
            format!("wayproof/{name}"),
            format!("Wayproof ({name})"),
            "wayproof",
        ));
    }
    for (provider, served) in &shared.settings.served {
        for model in served {
            models.push(entry(
                format!("{provider}/{model}"),
                model.clone(),
                provider,
            ));
        }
    }
    render_models(ModelDialect::of(headers), &models)
}
