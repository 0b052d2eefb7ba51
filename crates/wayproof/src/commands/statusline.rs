//! The line under an agent's prompt: task, class, model, why, spend and proof, from the gateway.
//!
//! It reads the agent's JSON from standard input and never fails loudly: what is not known is left out.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use serde_json::Value;
use tokio::{io::AsyncReadExt, time::timeout};

use crate::{
    cli::DataArgs,
    gateway, settings,
    terminal::{dollars, plain, print},
};

/// An agent tells less than this of itself.
const INPUT_LIMIT: u64 = 1024 * 1024;

/// The agent waits for the line.
const PATIENCE: Duration = Duration::from_millis(45);

/// A reason longer than this is cut.
const MOST_REASON: usize = 60;

/// Prints the line, or that nothing is known.
pub(crate) async fn run(data: DataArgs) -> Result<ExitCode> {
    let line = timeout(PATIENCE, line(&data)).await.ok().flatten();
    print(&line.unwrap_or_else(|| "wayproof: no gateway".to_owned()))?;
    Ok(ExitCode::SUCCESS)
}

async fn line(data: &DataArgs) -> Option<String> {
    let mut input = Vec::new();
    tokio::io::stdin()
        .take(INPUT_LIMIT)
        .read_to_end(&mut input)
        .await
        .ok()?;
    let input: Value = serde_json::from_slice(&input).unwrap_or_default();
    let data = settings::data_path(data.data.as_deref()).ok()?;
    if !data.is_dir() {
        return None;
    }
    let admin = gateway::at_place(settings::variable("WAYPROOF_GATEWAY").as_deref(), &data)?;
    let session = input["session_id"].as_str().unwrap_or_default();
    match admin.session(session).await {
        Ok(Some(page)) => Some(told(&page)),
        Ok(None) => Some("wayproof: ready".to_owned()),
        Err(_) => None,
    }
}

/// What a conversation's page says, in one line.
fn told(page: &Value) -> String {
    let text = |value: &Value| value.as_str().map(plain);
    let (exchange, job) = (&page["exchange"], &page["job"]);
    let mut parts = Vec::new();
    let class = text(&exchange["class"]).map(|class| format!(" → {class}"));
    if let Some(task) = text(&job["task"]).or_else(|| text(&exchange["task"])) {
        parts.push(format!("{task}{}", class.unwrap_or_default()));
    }
    let target = text(&exchange["provider"]).zip(text(&exchange["model"]));
    if let Some((provider, model)) = target {
        parts.push(format!("{provider}/{model}"));
    }
    let cause = text(&page["cause"]).map(|cause| format!("after {cause}"));
    if let Some(why) = cause.or_else(|| text(&page["why"])) {
        parts.push(shortened(&why));
    }
    let money = if job.is_object() {
        &job["money"]
    } else {
        &page["session"]["money"]
    };
    if let Some(nano) = money["listed_nano_usd"].as_i64() {
        let unknown = money["listed_unknown"].as_i64().unwrap_or_default();
        let more = if unknown > 0 { "+?" } else { "" };
        parts.push(format!("{}{more}", cents(nano)));
    }
    parts.push(text(&job["verdict"]).unwrap_or_else(|| "not proven yet".to_owned()));
    parts.join(" · ")
}

/// Dollars with as many digits as a glance takes.
fn cents(nano: i64) -> String {
    let text = dollars(nano);
    let end = text
        .find('.')
        .map_or(text.len(), |dot| (dot + 5).min(text.len()));
    text.get(..end).unwrap_or(&text).to_owned()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MOST_REASON {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MOST_REASON - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::told;

    #[test]
    fn the_line_says_what_is_known() {
        let page = json!({
            "session": {"money": {"listed_nano_usd": 5, "listed_unknown": 0}},
            "job": {"task": "bug-fix", "verdict": "PROVEN", "money": {"listed_nano_usd": 42_130_000, "listed_unknown": 1}},
            "exchange": {"class": "strong", "provider": "anthropic", "model": "claude-opus-4-8", "task": "bug-fix"},
            "why": "the ask reads like a bug-fix", "cause": "proof-refuted",
        });
        assert_eq!(
            told(&page),
            "bug-fix → strong · anthropic/claude-opus-4-8 · after proof-refuted · $0.0421+? · PROVEN"
        );
        assert_eq!(told(&json!({})), "not proven yet");
        let hostile = json!({"exchange": {"task": "a\u{1b}[2Jb"}, "why": "x".repeat(500)});
        let line = told(&hostile);
        assert!(
            !line.contains('\u{1b}') && line.chars().count() < 120,
            "{line}"
        );
    }
}
