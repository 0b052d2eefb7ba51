//! The models a client may ask for.

use std::collections::BTreeSet;

use wayproof_engine::{Class, ModelFacts, Policy, Task};
use wayproof_wire::{
    ModelAbilities, ModelDialect, ModelEntry, Protocol, render_model, render_models, render_shown,
};

use crate::gateway::Shared;

/// When the aliases appeared: 22 November 2026.
const ALIASES_SINCE_S: i64 = 1_795_305_600;

/// Lists the aliases, the tasks, the policy's targets at hand and what the providers are known to serve.
pub(crate) fn list(shared: &Shared, client: Protocol) -> Vec<u8> {
    render_models(ModelDialect::for_client(client), &entries(shared))
}

/// One model, also one that is not in the list but at a provider at hand.
pub(crate) fn one(shared: &Shared, client: Protocol, name: &str) -> Option<Vec<u8>> {
    let entry = find(shared, name)?;
    Some(render_model(ModelDialect::for_client(client), &entry))
}

/// The same list for a client of Ollama.
pub(crate) fn tags(shared: &Shared) -> Vec<u8> {
    render_models(ModelDialect::Ollama, &entries(shared))
}

/// What a client of Ollama is told of one model; a model that is not in the list may be known to the catalog.
pub(crate) fn show(shared: &Shared, name: &str) -> Option<Vec<u8>> {
    // Names of Ollama's have a tag behind them, where ours have none.
    let bare = name.strip_suffix(":latest").unwrap_or(name);
    find(shared, bare).map(|entry| render_shown(&entry))
}

fn find(shared: &Shared, name: &str) -> Option<ModelEntry> {
    let listed = entries(shared)
        .into_iter()
        .find(|entry| entry.id == name || other_name(&entry.id).as_deref() == Some(name))
        .map(|entry| ModelEntry {
            id: name.to_owned(),
            ..entry
        });
    let pinned = || {
        let (provider, model) = name.split_once('/')?;
        shared.upstream.provider(provider)?;
        (!model.is_empty()).then(|| served(shared, provider, model))
    };
    listed.or_else(pinned)
}

/// How agents write a name of ours that cannot write a slash.
fn other_name(id: &str) -> Option<String> {
    let rest = id.strip_prefix("wayproof/")?;
    let prefix = if rest == "auto" {
        "wayproof-"
    } else {
        "claude-wayproof-"
    };
    Some(format!("{prefix}{rest}"))
}

fn entries(shared: &Shared) -> Vec<ModelEntry> {
    let policy = shared.policy.load();
    let routed = |id: String, display_name: String, tasks: &[Task]| ModelEntry {
        id,
        display_name,
        owner: "wayproof".to_owned(),
        created_s: ALIASES_SINCE_S,
        abilities: reached(shared, &policy, tasks),
    };
    // Claude Code keeps only ids that start with `claude` or `anthropic`.
    let mut models: Vec<ModelEntry> = ["claude-wayproof-auto", "wayproof/auto"]
        .into_iter()
        .map(|id| {
            let display_name = "Wayproof (routed by the policy)".to_owned();
            routed(id.to_owned(), display_name, policy.tasks())
        })
        .collect();
    for task in policy.tasks() {
        let name = task.name.as_str();
        models.push(routed(
            format!("wayproof/{name}"),
            format!("Wayproof ({name})"),
            std::slice::from_ref(task),
        ));
    }
    let targets = policy.classes().iter().flat_map(|class| &class.targets);
    let named = targets
        .filter(|target| shared.upstream.provider(&target.provider).is_some())
        .map(|target| (target.provider.as_str(), target.model.as_str()));
    let world = shared.world.now(&shared.upstream);
    let known = world.providers.iter().flat_map(|provider| {
        let served = provider.models.iter().flatten();
        served.map(|model| (provider.name.as_str(), model.as_str()))
    });
    let every: BTreeSet<(&str, &str)> = named.chain(known).collect();
    let at_hand = every.into_iter();
    models.extend(at_hand.map(|(provider, model)| served(shared, provider, model)));
    models
}

/// A model of a provider's.
fn served(shared: &Shared, provider: &str, model: &str) -> ModelEntry {
    ModelEntry {
        id: format!("{provider}/{model}"),
        display_name: model.to_owned(),
        owner: provider.to_owned(),
        created_s: ALIASES_SINCE_S,
        abilities: shared
            .catalog
            .facts(provider, model)
            .map(abilities)
            .unwrap_or_default(),
    }
}

fn abilities(facts: &ModelFacts) -> ModelAbilities {
    ModelAbilities {
        window_tokens: facts.window,
        output_tokens: facts.output,
        takes: facts.takes.to_vec(),
        tools: facts.tools,
        thinks: facts.reasoning,
        efforts: facts.efforts.to_vec(),
    }
}

/// What a session of these tasks can count on wherever it may get: where they begin, and wherever a cause may move them.
/// Limits are the smallest that are known; an ability is one only if all are known to have it.
fn reached(shared: &Shared, policy: &Policy, tasks: &[Task]) -> ModelAbilities {
    let reached = |task: &Task, class: &Class| {
        let moves = task.escalate.iter().map(|rule| &rule.to);
        task.route
            .iter()
            .chain(moves)
            .any(|name| *name == class.name)
    };
    let classes = policy.classes().iter();
    let classes = classes.filter(|class| tasks.iter().any(|task| reached(task, class)));
    let targets = classes.flat_map(|class| &class.targets);
    let facts = targets
        .filter(|target| shared.upstream.provider(&target.provider).is_some())
        .map(|target| shared.catalog.facts(&target.provider, &target.model))
        .map(|facts| facts.map(abilities).unwrap_or_default());
    facts
        .reduce(|one, other| both(one, &other))
        .unwrap_or_default()
}

/// What two models have in common.
fn both(one: ModelAbilities, other: &ModelAbilities) -> ModelAbilities {
    let least = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
    let all = |one: Option<bool>, other: Option<bool>| match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    };
    let shared = |one: Vec<String>, other: &[String]| {
        let mut shared = one;
        shared.retain(|word| other.contains(word));
        shared
    };
    ModelAbilities {
        window_tokens: least(one.window_tokens, other.window_tokens),
        output_tokens: least(one.output_tokens, other.output_tokens),
        takes: shared(one.takes, &other.takes),
        tools: all(one.tools, other.tools),
        thinks: all(one.thinks, other.thinks),
        efforts: shared(one.efforts, &other.efforts),
    }
}
