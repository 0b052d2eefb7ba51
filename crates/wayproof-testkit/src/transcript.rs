//! Reads what a scripted model needs from a request: who is asked, what was called, which tool runs commands.
//!
//! It reads four protocols loosely and judges nothing.

use serde_json::{Value, json};

use crate::provider::Captured;

/// The protocol of a request, told by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    Messages,
    CountTokens,
    Chat,
    Responses,
    Gemini,
}

/// A tool that runs a command, with how it wants its argument.
#[derive(Debug, Clone)]
pub(crate) struct ShellTool {
    pub(crate) name: String,
    argument: String,
    wants_list: bool,
    wants_description: bool,
}

/// What was read.
#[derive(Debug, Clone)]
pub(crate) struct Transcript {
    pub(crate) speech: Speech,
    pub(crate) model: String,
    pub(crate) is_streaming: bool,
    pub(crate) call_ids: Vec<String>,
    pub(crate) shell: Option<ShellTool>,
    pub(crate) input_tokens: usize,
}

const SHELL_TOOLS: [&str; 9] = [
    "Bash",
    "exec_command",
    "shell_command",
    "bash",
    "shell",
    "run_shell_command",
    "execute",
    "run_commands",
    // What the doctor offers.
    "report_ready",
];

impl Transcript {
    /// Reads a request, or says in one sentence why it is none.
    pub(crate) fn read(request: &Captured) -> Result<Self, String> {
        let path = request.path.split('?').next().unwrap_or_default();
        let speech = match path {
            path if path.ends_with("/messages") => Speech::Messages,
            path if path.ends_with("/count_tokens") => Speech::CountTokens,
            path if path.ends_with("/chat/completions") => Speech::Chat,
            path if path.ends_with("/responses") => Speech::Responses,
            path if path.ends_with("enerateContent") => Speech::Gemini,
            path => return Err(format!("nothing is scripted for {path}")),
        };
        let body: Value = serde_json::from_slice(&request.body)
            .map_err(|error| format!("the request is not JSON: {error}"))?;
        let items = match speech {
            Speech::Responses => &body["input"],
            Speech::Gemini => &body["contents"],
            Speech::Messages | Speech::CountTokens | Speech::Chat => &body["messages"],
        };
        let mut call_ids = Vec::new();
        collect_call_ids(items, &mut call_ids);
        Ok(Self {
            speech,
            model: match speech {
                Speech::Gemini => model_in(path),
                _ => body["model"].as_str().unwrap_or_default().to_owned(),
            },
            is_streaming: body["stream"].as_bool().unwrap_or(false)
                || path.ends_with(":streamGenerateContent"),
            call_ids,
            shell: find_shell(&body["tools"]).or_else(|| find_shell_in_input(items)),
            input_tokens: request.body.len() / 4,
        })
    }
}

/// Gemini names the model in the path.
fn model_in(path: &str) -> String {
    let name = path.rsplit_once("/models/").map_or(path, |(_, name)| name);
    let model = name.split_once(':').map_or(name, |(model, _)| model);
    model.to_owned()
}

fn collect_call_ids(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect_call_ids(item, found)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match (name.as_str(), field) {
                    ("id" | "call_id", Value::String(id)) => found.push(id.clone()),
                    (
                        "content" | "tool_calls" | "parts" | "functionCall" | "functionResponse",
                        nested,
                    ) => collect_call_ids(nested, found),
                    _ => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Some agents carry their tools in the first input item.
fn find_shell_in_input(items: &Value) -> Option<ShellTool> {
    items
        .as_array()?
        .iter()
        .find_map(|item| find_shell(&item["tools"]))
}

fn find_shell(tools: &Value) -> Option<ShellTool> {
    let tools = tools.as_array()?;
    // Gemini groups its tools.
    let grouped = tools.iter().map(|group| &group["functionDeclarations"]);
    if let Some(found) = grouped
        .filter(|group| group.is_array())
        .find_map(find_shell)
    {
        return Some(found);
    }
    SHELL_TOOLS.iter().find_map(|wanted| {
        tools.iter().find_map(|tool| {
            let tool = if tool["function"].is_object() {
                &tool["function"]
            } else {
                tool
            };
            if tool["name"].as_str() != Some(wanted) {
                return None;
            }
            let schema = ["input_schema", "parameters", "parametersJsonSchema"]
                .into_iter()
                .map(|name| &tool[name])
                .find(|schema| schema.is_object())?;
            let properties = schema["properties"].as_object()?;
            let argument = ["command", "cmd", "script", "commands", "status"]
                .into_iter()
                .find(|name| properties.contains_key(*name))?;
            Some(ShellTool {
                name: (*wanted).to_owned(),
                argument: argument.to_owned(),
                wants_list: properties[argument]["type"] == "array",
                wants_description: properties.contains_key("description"),
            })
        })
    })
}

impl ShellTool {
    /// The arguments of a call that runs `command`.
    pub(crate) fn arguments(&self, command: &str) -> Value {
        let command = if self.argument == "commands" {
            json!([command])
        } else if self.wants_list {
            json!(["bash", "-lc", command])
        } else {
            json!(command)
        };
        let mut arguments = json!({ self.argument.as_str(): command });
        if self.wants_description {
            arguments["description"] = json!("Next step");
        }
        arguments
    }
}
