//! Reads what models can do from the table of models that the `litellm` package ships.
//!
//! It is somebody else's data: only what a row says is taken, what it is silent about stays unknown, and prices are left
//! alone. Rows of providers that the catalog does not have are passed over.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use wayproof_wire::{Refuses, ThinkingStyle};

use super::{Catalog, FileModel, FileProvider};

/// Their names of providers that the catalog has.
const NAMES: [(&str, &str); 24] = [
    ("anthropic", "anthropic"),
    ("azure", "azure"),
    ("azure_ai", "azure"),
    ("bedrock", "aws"),
    ("bedrock_converse", "aws"),
    ("cerebras", "cerebras"),
    ("codestral", "mistral"),
    ("cohere_chat", "cohere"),
    ("deepseek", "deepseek"),
    ("fireworks_ai", "fireworks"),
    ("gemini", "google"),
    ("github_copilot", "github-copilot"),
    ("groq", "groq"),
    ("minimax", "minimax"),
    ("mistral", "mistral"),
    ("moonshot", "moonshotai"),
    ("novita", "novita"),
    ("openai", "openai"),
    ("openrouter", "openrouter"),
    ("perplexity", "perplexity"),
    ("together_ai", "together"),
    ("vertex_ai-anthropic_models", "google"),
    ("xai", "x-ai"),
    ("zai", "zai"),
];

/// Efforts from the least to the most.
const EFFORTS: [&str; 7] = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
/// Efforts that every model with efforts knows; the table flags those beyond.
const USUAL: [&str; 3] = ["low", "medium", "high"];

/// Fills what the models of a catalog are silent about. A row is theirs when looking its name up finds them: the row of
/// their own name before all, else what every such row says alike.
pub(super) fn fill(
    providers: &mut [FileProvider],
    catalog: &Catalog,
    table: &str,
) -> Result<(), serde_json::Error> {
    let table: Map<String, Value> = serde_json::from_str(table)?;
    let mut found: BTreeMap<(&str, usize), Vec<(&str, FileModel)>> = BTreeMap::new();
    for (key, row) in &table {
        let Some((theirs, ours)) = NAMES
            .into_iter()
            .find(|(theirs, _)| row["litellm_provider"] == *theirs)
        else {
            continue;
        };
        let name = key
            .strip_prefix(theirs)
            .and_then(|name| name.strip_prefix('/'))
            .unwrap_or(key);
        let place = catalog.place(ours, name);
        if let Some((_, index)) = place.filter(|(id, _)| *id == ours)
            && matches!(row["mode"].as_str(), Some("chat" | "responses"))
        {
            found
                .entry((ours, index))
                .or_default()
                .push((name, facts(name, row)));
        }
    }
    for ((id, index), rows) in found {
        let provider = providers.iter_mut().find(|provider| provider.id == id);
        if let Some(model) = provider.and_then(|provider| provider.models.get_mut(index)) {
            let own = rows
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(&model.id));
            match own {
                Some((_, facts)) => model.fill(facts),
                None => model.fill(&agreed(&rows)),
            }
        }
    }
    Ok(())
}

/// What a row says.
fn facts(name: &str, row: &Value) -> FileModel {
    let says = |flag: &str| row[flag].as_bool();
    let count = |field: &str| row[field].as_u64().filter(|count| *count > 0);
    let window = count("max_input_tokens");
    let reasoning = says("supports_reasoning");
    let is_claude = name.contains("claude");
    let adapts = says("supports_adaptive_thinking") == Some(true);
    let thinking = match reasoning {
        Some(true) if adapts => Some(ThinkingStyle::Adaptive),
        Some(true) if is_claude => Some(ThinkingStyle::Budget),
        _ => None,
    };
    FileModel {
        window,
        // A limit as large as the window is none.
        output: count("max_output_tokens").filter(|output| window.is_some_and(|all| *output < all)),
        takes: takes(row),
        gives: words(&row["supported_output_modalities"]),
        tools: says("supports_function_calling"),
        reasoning,
        efforts: efforts(name, row),
        thinking,
        refuses: Refuses {
            sampling: says("supports_sampling_params") == Some(false),
            forced_tool: says("supports_forced_tool_use") == Some(false),
            no_thinking: says("thinking_always_on") == Some(true),
        },
        ..FileModel::default()
    }
}

fn words(value: &Value) -> Vec<String> {
    let words = value.as_array().into_iter().flatten();
    words.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a model takes, where the row says whether it sees.
fn takes(row: &Value) -> Vec<String> {
    let listed = words(&row["supported_modalities"]);
    let sees = row["supports_vision"].as_bool();
    if listed.is_empty() && sees.is_none() {
        return Vec::new();
    }
    let kinds = [
        ("text", None),
        ("image", sees),
        ("pdf", row["supports_pdf_input"].as_bool()),
        ("audio", row["supports_audio_input"].as_bool()),
        ("video", row["supports_video_input"].as_bool()),
    ];
    let is_taken = |kind: &str, flag: Option<bool>| {
        kind == "text" || flag.unwrap_or_else(|| listed.iter().any(|listed| listed == kind))
    };
    kinds
        .into_iter()
        .filter(|(kind, flag)| is_taken(kind, *flag))
        .map(|(kind, _)| kind.to_owned())
        .collect()
}

/// The efforts of a row: its list, or else the usual ones with those it flags. Models that only think long have fewer
/// than the usual ones, and no flag says which.
fn efforts(name: &str, row: &Value) -> Vec<String> {
    let listed = words(&row["reasoning_effort_levels"]);
    if !listed.is_empty() {
        let known = EFFORTS.into_iter();
        return known
            .filter(|effort| listed.iter().any(|listed| listed == effort))
            .map(str::to_owned)
            .collect();
    }
    let flag = |effort: &str| row[format!("supports_{effort}_reasoning_effort")].as_bool();
    let is_flagged = EFFORTS.into_iter().any(|effort| flag(effort).is_some());
    let has_efforts = is_flagged || row["supports_output_config"] == true;
    if !has_efforts || row["supports_reasoning"] != true || name.ends_with("-pro") {
        return Vec::new();
    }
    let ceiling = row["bedrock_output_config_effort_ceiling"].as_str();
    let ceiling = EFFORTS
        .iter()
        .position(|effort| ceiling == Some(effort))
        .unwrap_or(EFFORTS.len());
    EFFORTS
        .into_iter()
        .enumerate()
        .filter(|(place, effort)| {
            *place <= ceiling && (USUAL.contains(effort) || flag(effort) == Some(true))
        })
        .map(|(_, effort)| effort.to_owned())
        .collect()
}

/// What all rows say.
fn agreed(rows: &[(&str, FileModel)]) -> FileModel {
    fn same<T: PartialEq + Clone + Default>(
        rows: &[(&str, FileModel)],
        fact: impl Fn(&FileModel) -> &T,
    ) -> T {
        let mut facts = rows.iter().map(|(_, model)| fact(model));
        let first = facts.next().cloned().unwrap_or_default();
        if facts.all(|fact| *fact == first) {
            first
        } else {
            T::default()
        }
    }
    FileModel {
        window: same(rows, |model| &model.window),
        output: same(rows, |model| &model.output),
        takes: same(rows, |model| &model.takes),
        gives: same(rows, |model| &model.gives),
        tools: same(rows, |model| &model.tools),
        reasoning: same(rows, |model| &model.reasoning),
        efforts: same(rows, |model| &model.efforts),
        thinking: same(rows, |model| &model.thinking),
        refuses: same(rows, |model| &model.refuses),
        ..FileModel::default()
    }
}
