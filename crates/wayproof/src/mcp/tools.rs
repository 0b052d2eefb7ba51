//! The tools by name, in as few words as a model needs, and their arguments read strictly.

use rmcp::model::{JsonObject, Tool};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::terminal::plain;

/// A call whose arguments are understood.
#[derive(Debug)]
pub(super) enum Call {
    Owes(Owes),
    Prove(Prove),
    Why(Why),
    References(References),
    ApiDiff(Ends),
    Schemas(Revision),
}

/// Of which job.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owes {
    pub(super) job: Option<String>,
}

/// Which proof.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Prove {
    pub(super) task: Option<String>,
    pub(super) base: Option<String>,
}

/// Of which exchange.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    pub(super) exchange: Option<String>,
}

/// Of what, where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct References {
    pub(super) symbol: String,
    pub(super) rev: Option<String>,
}

/// Between what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ends {
    pub(super) base: Option<String>,
    pub(super) head: Option<String>,
}

/// In which revision.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Revision {
    pub(super) rev: Option<String>,
}

/// Name, description, arguments, and those of them that must be there.
const TOOLS: [(&str, &str, &[&str], &[&str]); 6] = [
    (
        "owes",
        "Proof that the current job or change owes",
        &["job"],
        &[],
    ),
    (
        "prove",
        "Run the owed proof on the working tree; slow",
        &["task", "base"],
        &[],
    ),
    (
        "why",
        "Why the last request went to its model",
        &["exchange"],
        &[],
    ),
    (
        "references",
        "Lines that use a symbol",
        &["symbol", "rev"],
        &["symbol"],
    ),
    (
        "api_diff",
        "Public declarations added, removed, changed",
        &["base", "head"],
        &[],
    ),
    (
        "schemas",
        "Schema, migration and API contract files",
        &["rev"],
        &[],
    ),
];

/// All tools, as a client lists them.
pub(super) fn all() -> Vec<Tool> {
    let tools = TOOLS.iter().map(|(name, about, arguments, needed)| {
        let text = json!({"type": "string"});
        let arguments = arguments
            .iter()
            .map(|name| ((*name).to_owned(), text.clone()));
        let mut schema = JsonObject::new();
        schema.insert("type".to_owned(), json!("object"));
        schema.insert("properties".to_owned(), Value::Object(arguments.collect()));
        if !needed.is_empty() {
            schema.insert("required".to_owned(), json!(needed));
        }
        Tool::new(*name, *about, schema)
    });
    tools.collect()
}

impl Call {
    /// Reads a call; what does not fit is said in one sentence.
    pub(super) fn read(name: &str, arguments: Option<JsonObject>) -> Result<Self, String> {
        let arguments = Value::Object(arguments.unwrap_or_default());
        match name {
            "owes" => read(name, arguments).map(Self::Owes),
            "prove" => read(name, arguments).map(Self::Prove),
            "why" => read(name, arguments).map(Self::Why),
            "references" => read(name, arguments).map(Self::References),
            "api_diff" => read(name, arguments).map(Self::ApiDiff),
            "schemas" => read(name, arguments).map(Self::Schemas),
            other => {
                let known = TOOLS.map(|(name, ..)| name).join(", ");
                let other: String = plain(other).chars().take(60).collect();
                Err(format!("there is no tool `{other}`; there are {known}"))
            }
        }
    }
}

fn read<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, String> {
    serde_json::from_value(arguments).map_err(|error| {
        let why: String = plain(&error.to_string()).chars().take(300).collect();
        format!("the arguments of `{name}` do not fit: {why}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every prompt pays for this.
    const MOST_BYTES: usize = 1_100;

    #[test]
    fn all_tools_together_cost_few_tokens() {
        let listed = serde_json::to_string(&all()).unwrap();
        assert!(
            listed.len() <= MOST_BYTES,
            "{} bytes: {listed}",
            listed.len()
        );
        assert!(
            all()
                .iter()
                .all(|tool| Call::read(&tool.name, Some(filled(tool))).is_ok())
        );
    }

    /// Every argument of a tool.
    fn filled(tool: &Tool) -> JsonObject {
        let names = tool.input_schema["properties"].as_object().unwrap().keys();
        names.map(|name| (name.clone(), json!("x"))).collect()
    }

    #[test]
    fn what_does_not_fit_is_said_in_a_sentence() {
        let object = |value: Value| value.as_object().cloned();
        let wrong = [
            Call::read("drop_tables\u{1b}[2J", None),
            Call::read("references", None),
            Call::read("references", object(json!({"symbol": 3}))),
            Call::read("owes", object(json!({"jobs": "x"}))),
        ];
        for wrong in wrong {
            let sentence = wrong.unwrap_err();
            assert!(
                !sentence.contains(['\n', '\u{1b}']) && sentence.len() < 400,
                "{sentence}"
            );
        }
    }
}
