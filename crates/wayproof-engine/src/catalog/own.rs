//! The operator's own rows: a TOML file with a table a model, in dollars per million tokens.
//!
//! They stand before everything else, so a price that was agreed upon holds.

use serde::Deserialize;
use toml::Value;

use super::{FileModel, FilePrice, FileProvider, amount, midnight_us};

/// Why the operator's file is none.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// It is not of the shape.
    #[error("{0}")]
    Shape(String),
    /// An amount or a date in it is none.
    #[error("{model}: {what}")]
    Row {
        /// Provider and model.
        model: String,
        /// What is wrong.
        what: String,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    #[serde(default)]
    model: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    provider: String,
    id: String,
    window: Option<u64>,
    output: Option<u64>,
    #[serde(default)]
    takes: Vec<String>,
    #[serde(default)]
    gives: Vec<String>,
    tools: Option<bool>,
    reasoning: Option<bool>,
    #[serde(default)]
    efforts: Vec<String>,
    knowledge: Option<String>,
    price: Option<Price>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    from: Option<String>,
    input: Value,
    output: Value,
    cache_read: Option<Value>,
    cache_write: Option<Value>,
    cache_write_1h: Option<Value>,
    reasoning: Option<Value>,
}

/// Reads the operator's rows.
pub(super) fn read(text: &str) -> Result<Vec<FileProvider>, OwnError> {
    let own: Own = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let place = before
            .map(|before| format!("line {}: ", before.matches('\n').count() + 1))
            .unwrap_or_default();
        OwnError::Shape(format!("{place}{}", error.message()))
    })?;
    let mut providers: Vec<FileProvider> = Vec::new();
    for row in own.model {
        let provider = row.provider.clone();
        let model = model(row)?;
        match providers.iter_mut().find(|known| known.id == provider) {
            Some(known) => known.models.push(model),
            None => providers.push(FileProvider {
                id: provider,
                fallback: Vec::new(),
                models: vec![model],
            }),
        }
    }
    Ok(providers)
}

fn model(row: Row) -> Result<FileModel, OwnError> {
    let wrong = |what: String| OwnError::Row {
        model: format!("{}/{}", row.provider, row.id),
        what,
    };
    let price = row.price.as_ref().map(price).transpose().map_err(wrong)?;
    Ok(FileModel {
        id: row.id.to_ascii_lowercase(),
        window: row.window,
        output: row.output,
        takes: row.takes,
        gives: row.gives,
        tools: row.tools,
        reasoning: row.reasoning,
        efforts: row.efforts,
        knowledge: row.knowledge,
        note: Some("the operator's own row".to_owned()),
        prices: price.into_iter().collect(),
        ..FileModel::default()
    })
}

fn price(price: &Price) -> Result<FilePrice, String> {
    let rate = |value: &Value| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            other => other.to_string(),
        };
        let wrong = || format!("`{text}` is no price in dollars per million tokens");
        amount::nano(text.trim().trim_start_matches('$')).ok_or_else(wrong)
    };
    let maybe = |value: &Option<Value>| value.as_ref().map(rate).transpose();
    if let Some(from) = &price.from {
        midnight_us(from).map_err(|error| error.to_string())?;
    }
    Ok(FilePrice {
        from: price.from.clone(),
        daily: None,
        steps: vec![(
            0,
            rate(&price.input)?,
            rate(&price.output)?,
            maybe(&price.cache_read)?,
            maybe(&price.cache_write)?,
            maybe(&price.cache_write_1h)?,
            maybe(&price.reasoning)?,
        )],
    })
}
