//! Model lists in the shape the asker expects.
//!
//! It renders what it is given. It refuses to know which models exist, and to page: a gateway's list is short.

use serde_json::{Map, Value, json};

use crate::protocol::Protocol;

/// Whose list it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelDialect {
    /// Anthropic's. Claude Code keeps only ids that start with `claude` or `anthropic`.
    Anthropic,
    /// OpenAI's.
    OpenAi,
    /// Ollama's; it has no field for a window in a list.
    Ollama,
    /// Gemini's.
    Gemini,
}

impl ModelDialect {
    /// The list that a client of this protocol expects.
    pub const fn for_client(client: Protocol) -> Self {
        match client {
            Protocol::Messages => Self::Anthropic,
            Protocol::Gemini => Self::Gemini,
            Protocol::Ollama => Self::Ollama,
            Protocol::Chat | Protocol::Responses | Protocol::Completions | Protocol::Fim => {
                Self::OpenAi
            }
        }
    }
}

/// A model that may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelEntry {
    /// What a request says.
    pub id: String,
    /// What a person sees.
    pub display_name: String,
    /// Who serves it.
    pub owner: String,
    /// When it appeared, in seconds since 1970.
    pub created_s: i64,
    /// What is known of what it can do.
    pub abilities: ModelAbilities,
}

/// What a model can do. What is absent or empty is not known, and nothing is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelAbilities {
    /// How many tokens a conversation may have.
    pub window_tokens: Option<u64>,
    /// How many tokens an answer may have.
    pub output_tokens: Option<u64>,
    /// What it takes: text, image, pdf, audio, video.
    pub takes: Vec<String>,
    /// Whether it calls tools.
    pub tools: Option<bool>,
    /// Whether it thinks before it answers.
    pub thinks: Option<bool>,
    /// The efforts that may be asked for.
    pub efforts: Vec<String>,
}

/// Renders a model list as a JSON body.
pub fn render_models(dialect: ModelDialect, models: &[ModelEntry]) -> Vec<u8> {
    let data: Vec<Value> = models.iter().map(|model| entry(dialect, model)).collect();
    let list = match dialect {
        ModelDialect::Anthropic => json!({
            "data": data,
            "has_more": false,
            "first_id": models.first().map(|model| &model.id),
            "last_id": models.last().map(|model| &model.id),
        }),
        ModelDialect::OpenAi => json!({ "object": "list", "data": data }),
        ModelDialect::Ollama | ModelDialect::Gemini => json!({ "models": data }),
    };
    list.to_string().into_bytes()
}

/// What Ollama says of one model: how much it can hold, and what it can do. Whether it calls tools is said to be so
/// unless it is known not to, since its clients offer none to a model that is silent about it.
pub fn render_shown(model: &ModelEntry) -> Vec<u8> {
    let mut info = json!({ "general.architecture": "wayproof", "general.basename": model.id });
    let abilities = &model.abilities;
    if let (Some(window), Some(info)) = (abilities.window_tokens, info.as_object_mut()) {
        info.insert("wayproof.context_length".to_owned(), window.into());
    }
    let can = [
        ("completion", true),
        ("insert", true),
        ("tools", abilities.tools != Some(false)),
        ("vision", abilities.takes.iter().any(|kind| kind == "image")),
        ("thinking", abilities.thinks == Some(true)),
    ];
    let can = can.into_iter().filter(|(_, can)| *can);
    let can: Vec<&str> = can.map(|(name, _)| name).collect();
    let shown = json!({
        "modified_at": timestamp(model.created_s),
        "details": details(model),
        "model_info": info,
        "capabilities": can,
    });
    shown.to_string().into_bytes()
}

fn details(model: &ModelEntry) -> Value {
    json!({
        "parent_model": "",
        "format": "",
        "family": model.owner,
        "families": [model.owner],
        "parameter_size": "",
        "quantization_level": "",
    })
}

/// Renders one model, for a request that names it.
pub fn render_model(dialect: ModelDialect, model: &ModelEntry) -> Vec<u8> {
    entry(dialect, model).to_string().into_bytes()
}

fn entry(dialect: ModelDialect, model: &ModelEntry) -> Value {
    let mut entry = bare(dialect, model);
    let abilities = &model.abilities;
    let known = match dialect {
        ModelDialect::Anthropic => anthropic(abilities),
        ModelDialect::OpenAi => open_ai(abilities),
        ModelDialect::Gemini => json!({
            "inputTokenLimit": abilities.window_tokens,
            "outputTokenLimit": abilities.output_tokens,
            "thinking": abilities.thinks,
        }),
        ModelDialect::Ollama => Value::Null,
    };
    if let (Some(entry), Value::Object(known)) = (entry.as_object_mut(), known) {
        let known = known.into_iter().filter(|(_, value)| !value.is_null());
        entry.extend(known);
    }
    entry
}

/// Limits and abilities under the names that Anthropic has for them.
fn anthropic(abilities: &ModelAbilities) -> Value {
    let mut can = Map::new();
    let mut say = |name: &str, value: Value| can.insert(name.to_owned(), value);
    if !abilities.takes.is_empty() {
        for (name, kind) in [("image_input", "image"), ("pdf_input", "pdf")] {
            let is_taken = abilities.takes.iter().any(|taken| taken == kind);
            say(name, json!({ "supported": is_taken }));
        }
    }
    if let Some(thinks) = abilities.thinks {
        say("thinking", json!({ "supported": thinks }));
    }
    if !abilities.efforts.is_empty() {
        let supported = json!({ "supported": true });
        let efforts = abilities.efforts.iter();
        let mut effort: Map<String, Value> = efforts
            .map(|effort| (effort.clone(), supported.clone()))
            .collect();
        effort.insert("supported".to_owned(), true.into());
        say("effort", effort.into());
    }
    json!({
        "max_input_tokens": abilities.window_tokens,
        "max_tokens": abilities.output_tokens,
        "capabilities": if can.is_empty() { Value::Null } else { can.into() },
    })
}

/// OpenAI has no fields for any of it; these are what OpenRouter and those after it say.
fn open_ai(abilities: &ModelAbilities) -> Value {
    let parameters = [("tools", abilities.tools), ("reasoning", abilities.thinks)];
    let is_known = parameters.iter().any(|(_, can)| can.is_some());
    let taken = parameters.into_iter().filter(|(_, can)| *can == Some(true));
    let taken: Vec<&str> = taken.map(|(name, _)| name).collect();
    let kinds = &abilities.takes;
    json!({
        "context_length": abilities.window_tokens,
        "top_provider": abilities.output_tokens.map(|most| json!({ "max_completion_tokens": most })),
        "architecture": (!kinds.is_empty()).then(|| json!({ "input_modalities": kinds })),
        "supported_parameters": is_known.then_some(taken),
    })
}

fn bare(dialect: ModelDialect, model: &ModelEntry) -> Value {
    match dialect {
        ModelDialect::Anthropic => json!({
            "type": "model",
            "id": model.id,
            "display_name": model.display_name,
            "created_at": timestamp(model.created_s),
        }),
        ModelDialect::OpenAi => json!({
            "id": model.id,
            "object": "model",
            "created": model.created_s,
            "owned_by": model.owner,
        }),
        ModelDialect::Gemini => json!({
            "name": format!("models/{}", model.id),
            "baseModelId": model.id,
            "version": "1",
            "displayName": model.display_name,
            "description": format!("Served by {}", model.owner),
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }),
        // Nothing of it is on this machine.
        ModelDialect::Ollama => json!({
            "name": model.id,
            "model": model.id,
            "modified_at": timestamp(model.created_s),
            "size": 0,
            "digest": "",
            "details": details(model),
        }),
    }
}

/// RFC 3339 in UTC, by the usual arithmetic on eras of 400 years that start in March.
pub(crate) fn timestamp(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn dates_are_right_around_leap_days() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00Z");
        assert_eq!(timestamp(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(timestamp(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(timestamp(1_795_356_568), "2026-11-22T14:09:28Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59Z");
    }
}
