//! The demonstration's own small agent: asks the gateway, runs what the model calls, until the model says it is done.
//!
//! It speaks Anthropic Messages and has one tool. It is for the demonstration alone.

use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{exit::Mistake, gateway::http, settings, terminal};

/// A conversation longer than this has lost its way.
const MOST_TURNS: usize = 24;

/// Works on an ask in the current directory.
pub(crate) async fn run(ask: &str) -> Result<ExitCode> {
    let missing = |name: &str| {
        Mistake(format!(
            "{name} is not set; the demonstration starts this agent itself"
        ))
    };
    let gateway =
        settings::variable("WAYPROOF_GATEWAY").ok_or_else(|| missing("WAYPROOF_GATEWAY"))?;
    let key = settings::variable("WAYPROOF_API_KEY").ok_or_else(|| missing("WAYPROOF_API_KEY"))?;
    let mut messages = vec![json!({"role": "user", "content": [{"type": "text", "text": ask}]})];
    for _ in 0..MOST_TURNS {
        let answer = turn(&gateway, &key, &messages).await?;
        let content = answer["content"].clone();
        let mut results = Vec::new();
        for block in content.as_array().into_iter().flatten() {
            if let Some(text) = block["text"].as_str() {
                terminal::tell(&format!("  model: {}", terminal::plain(text)));
            }
            if block["type"] == "tool_use" {
                results.push(call(block).await?);
            }
        }
        messages.push(json!({"role": "assistant", "content": content}));
        if results.is_empty() {
            return Ok(ExitCode::SUCCESS);
        }
        messages.push(json!({"role": "user", "content": results}));
    }
    bail!("the model was not done after {MOST_TURNS} turns")
}

async fn turn(gateway: &str, key: &str, messages: &[Value]) -> Result<Value> {
    let body = json!({
        "model": "claude-wayproof-auto", "max_tokens": 4096, "messages": messages,
        "system": "You are the demonstration's agent. Run commands with the Bash tool.",
        "tools": [{"name": "Bash", "description": "Runs a command in the repository.",
            "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}}],
    });
    let headers = [
        ("anthropic-version", "2023-06-01"),
        ("x-wayproof-key", key),
        ("user-agent", "wayproof-demo"),
    ];
    let answer = http::post(
        &format!("{gateway}/v1/messages"),
        &headers,
        body.to_string(),
    )
    .await?;
    if answer.status != 200 {
        bail!(
            "the gateway answered {}: {}",
            answer.status,
            terminal::plain(&String::from_utf8_lossy(&answer.body))
        );
    }
    serde_json::from_slice(&answer.body).context("reading the model's answer")
}

async fn call(block: &Value) -> Result<Value> {
    let command = block["input"]["command"].as_str().unwrap_or_default();
    let first = command.lines().next().unwrap_or_default();
    terminal::tell(&format!("  agent runs: {}", terminal::plain(first)));
    let output = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .output()
        .await
        .context("starting a shell for the demonstration's agent")?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        text.insert_str(
            0,
            &format!("Exit code {}\n", output.status.code().unwrap_or(-1)),
        );
    }
    Ok(
        json!({"type": "tool_result", "tool_use_id": block["id"], "is_error": !output.status.success(), "content": text}),
    )
}
