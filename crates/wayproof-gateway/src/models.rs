//! The models a client may ask for.

use http::HeaderMap;
use wayproof_wire::{ModelDialect, ModelEntry, render_models, render_shown};

use crate::gateway::Shared;

/// When the aliases appeared: 22 November 2026.
const ALIASES_SINCE_S: i64 = 1_795_305_600;

/// Lists the aliases, the tasks and what the providers are known to serve.
pub(crate) fn list(shared: &Shared, headers: &HeaderMap) -> Vec<u8> {
    render_models(ModelDialect::of(headers), &entries(shared))
}

/// The same list for a client of Ollama.
pub(crate) fn tags(shared: &Shared) -> Vec<u8> {
    render_models(ModelDialect::Ollama, &entries(shared))
}

/// What a client of Ollama is told of one model; a model that is not in the list may be known to the catalog.
pub(crate) fn show(shared: &Shared, name: &str) -> Option<Vec<u8>> {
    // Names of Ollama's have a tag behind them, where ours have none.
    let bare = name.strip_suffix(":latest").unwrap_or(name);
    let listed = entries(shared).into_iter().find(|entry| entry.id == bare);
    let pinned = || {
        let (provider, model) = bare.split_once('/')?;
        shared.upstream.provider(provider)?;
        Some(ModelEntry {
            id: bare.to_owned(),
            display_name: model.to_owned(),
            owner: provider.to_owned(),
            created_s: ALIASES_SINCE_S,
            window_tokens: shared.catalog.context_window(provider, model),
        })
    };
    listed.or_else(pinned).map(|entry| render_shown(&entry))
}

fn entries(shared: &Shared) -> Vec<ModelEntry> {
    let smallest = smallest_window(shared);
    let entry = |id: String, display_name: String, owner: &str| ModelEntry {
        window_tokens: match id.split_once('/') {
            Some((provider, model)) if provider != "wayproof" => {
                shared.catalog.context_window(provider, model)
            }
            _ => smallest,
        },
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
    models
}

/// The smallest window that a routed request may meet, as far as windows are known.
fn smallest_window(shared: &Shared) -> Option<u64> {
    let policy = shared.policy.load();
    let targets = policy.classes().iter().flat_map(|class| &class.targets);
    targets
        .filter(|target| shared.upstream.provider(&target.provider).is_some())
        .filter_map(|target| {
            shared
                .catalog
                .context_window(&target.provider, &target.model)
        })
        .min()
}
