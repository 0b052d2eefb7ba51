//! Reads what models.dev publishes: providers by id, each with models by id, limits, modalities and costs.
//!
//! It is somebody else's data and grows fields: what is not known here is passed over, and a model whose row makes no
//! sense is left out and named.

use serde_json::{Map, Value};
use wayproof_wire::Refuses;

use super::{FileModel, FilePrice, FileProvider, FileStep, amount, layer::LeftOut};

/// Why a text is not what models.dev publishes.
#[derive(Debug, thiserror::Error)]
pub enum ModelsDevError {
    /// It is no JSON.
    #[error("it is not JSON")]
    Json(#[from] serde_json::Error),
    /// It is JSON of another shape.
    #[error("it has no provider with models, as models.dev publishes them")]
    Shape,
}

/// Providers that have another name in our catalog.
const NAMES: [(&str, &str); 6] = [
    ("amazon-bedrock", "aws"),
    ("fireworks-ai", "fireworks"),
    ("google-vertex", "vertex-ai"),
    ("moonshotai-cn", "moonshotai-cn"),
    ("togetherai", "together"),
    ("xai", "x-ai"),
];

/// More tokens of input than any model takes.
const MOST_TOKENS: u64 = 1 << 40;

/// Providers and models of a published file, and what was left out of it.
///
/// # Errors
/// When the text is not of that shape.
pub fn read(text: &str) -> Result<(Synced, Vec<LeftOut>), ModelsDevError> {
    let all: Map<String, Value> = serde_json::from_str(text)?;
    let mut left = Vec::new();
    let mut providers = Vec::new();
    for (id, provider) in &all {
        let Some(models) = provider["models"].as_object() else {
            continue;
        };
        let mut read = Vec::new();
        for (name, row) in models {
            match model(name, row) {
                Ok(model) => read.push(model),
                Err(why) => left.push(LeftOut {
                    model: format!("{id}/{name}"),
                    why,
                }),
            }
        }
        let known = NAMES.iter().find(|(theirs, _)| theirs == id);
        providers.push(FileProvider {
            id: known.map_or(id.as_str(), |(_, ours)| ours).to_owned(),
            fallback: Vec::new(),
            models: read,
        });
    }
    if providers.iter().all(|provider| provider.models.is_empty()) {
        return Err(ModelsDevError::Shape);
    }
    Ok((Synced(providers), left))
}

/// Rows of a published file.
#[derive(Debug, Clone)]
pub struct Synced(pub(super) Vec<FileProvider>);

fn model(name: &str, row: &Value) -> Result<FileModel, String> {
    if name.is_empty() || name.contains(['*', '#', '|']) || name.chars().any(char::is_control) {
        return Err("its name is none".to_owned());
    }
    if !row.is_object() {
        return Err("its row is no object".to_owned());
    }
    let list = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Ok(FileModel {
        id: name.to_ascii_lowercase(),
        window: tokens(&row["limit"]["context"])?,
        output: tokens(&row["limit"]["output"])?,
        takes: list(&row["modalities"]["input"]),
        gives: list(&row["modalities"]["output"]),
        tools: row["tool_call"].as_bool(),
        reasoning: row["reasoning"].as_bool(),
        efforts: efforts(&row["reasoning_options"]),
        refuses: Refuses {
            sampling: row["temperature"].as_bool() == Some(false),
            ..Refuses::default()
        },
        knowledge: row["knowledge"].as_str().map(str::to_owned),
        prices: price(&row["cost"])?.into_iter().collect(),
        ..FileModel::default()
    })
}

/// A count of tokens; zero is how the list says that it does not know.
fn tokens(value: &Value) -> Result<Option<u64>, String> {
    match value {
        Value::Null => Ok(None),
        value => match value.as_u64() {
            Some(0) => Ok(None),
            Some(count) if count <= MOST_TOKENS => Ok(Some(count)),
            _ => Err(format!("a limit of {value} tokens")),
        },
    }
}

/// The efforts among the ways in which reasoning is asked for.
fn efforts(options: &Value) -> Vec<String> {
    let options = options.as_array().into_iter().flatten();
    options
        .filter(|option| option["type"] == "effort")
        .flat_map(|option| option["values"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// The prices of text, by length of the input where that matters.
fn price(cost: &Value) -> Result<Option<FilePrice>, String> {
    if cost.is_null() {
        return Ok(None);
    }
    let Some(first) = step(0, cost, cost)? else {
        return Ok(None);
    };
    let mut steps = vec![first];
    let over = &cost["context_over_200k"];
    if over.is_object() {
        steps.extend(step(200_000, over, cost)?);
    }
    for tier in cost["tiers"].as_array().into_iter().flatten() {
        // Tiers of something else than the length of the input are not said in the catalog.
        let size = tier["tier"]["size"]
            .as_u64()
            .filter(|_| tier["tier"]["type"] == "context");
        let Some(size) = size else { continue };
        if !steps.iter().any(|known| known.0 == size) {
            steps.extend(step(size, tier, cost)?);
        }
    }
    steps.sort_unstable_by_key(|step| step.0);
    Ok(Some(FilePrice {
        from: None,
        daily: None,
        steps,
    }))
}

/// One step; what it does not name is as in the base.
fn step(over: u64, cost: &Value, base: &Value) -> Result<Option<FileStep>, String> {
    let rate = |name: &str| -> Result<Option<i64>, String> {
        let value = cost.get(name).or_else(|| base.get(name));
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(number)) => amount::nano(&number.to_string())
                .map(Some)
                .ok_or_else(|| format!("a price of {number}")),
            Some(other) => Err(format!("a price of {other}")),
        }
    };
    let (Some(input), Some(output)) = (rate("input")?, rate("output")?) else {
        return Ok(None);
    };
    Ok(Some((
        over,
        input,
        output,
        rate("cache_read")?,
        rate("cache_write")?,
        None,
        rate("reasoning")?,
    )))
}
