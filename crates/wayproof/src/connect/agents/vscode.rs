//! Copilot in VS Code: a custom endpoint among the language models, and the steps for its Ollama provider.

use std::path::Path;

use serde_json::json;

use super::{Change, Format, Plan, Point};

pub(super) fn plan(folder: &Path, point: &Point) -> Plan {
    let endpoint = json!({
        "name": "Wayproof", "vendor": "customendpoint", "apiKey": point.key(), "apiType": "chat-completions",
        "models": [{
            "id": "wayproof/auto", "name": "Wayproof", "url": format!("{}/chat/completions", point.v1()),
            "toolCalling": true, "vision": true, "maxInputTokens": 168_000, "maxOutputTokens": 32_000,
        }],
    });
    let mut tools = point.tools();
    tools["type"] = json!("stdio");
    Plan::default()
        .file(
            folder.join("chatLanguageModels.json"),
            Format::Json,
            vec![Change::item(&[], endpoint)],
        )
        .file(
            folder.join("mcp.json"),
            Format::Json,
            vec![Change::set(&["servers", "wayproof"], tools)],
        )
        .step("VS Code 1.122 or newer: open the chat's model picker and choose Wayproof under \"Wayproof\".")
        .step(format!(
            "An older VS Code: run \"Chat: Manage Language Models\", add the provider Ollama, give it the address {} and choose wayproof/auto.",
            point.gateway
        ))
}
