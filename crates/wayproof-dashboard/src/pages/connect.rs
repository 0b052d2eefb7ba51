//! How each agent is pointed at this gateway.

use askama::Template;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use crate::frame::{Frame, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    frame: Frame,
    agents: Vec<Agent>,
    base: String,
}

/// An agent and the command that starts it.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: &'static str,
    pub(crate) command: String,
}

/// The page.
pub(crate) async fn show(frame: Frame, headers: HeaderMap) -> Result<Response, Problem> {
    let base = base(&headers);
    std::future::ready(page(&ConnectPage {
        frame,
        agents: agents(&base),
        base,
    }))
    .await
}

/// The gateway's address as this reader reached it; the guard has looked at the name.
pub(crate) fn base(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let is_encrypted = headers
        .get("x-forwarded-proto")
        .is_some_and(|value| value.as_bytes() == b"https");
    let scheme = if is_encrypted { "https" } else { "http" };
    format!("{scheme}://{}", host.unwrap_or("127.0.0.1:4417"))
}

/// The same lines as `wayproof up` prints.
pub(crate) fn agents(base: &str) -> Vec<Agent> {
    let lines = [
        (
            "Claude Code",
            format!("ANTHROPIC_BASE_URL={base} claude --model claude-wayproof-auto"),
        ),
        (
            "Codex",
            format!(
                "codex -c model_provider=wayproof -c 'model_providers.wayproof={{name=\"wayproof\",base_url=\"{base}/v1\",env_key=\"WAYPROOF_API_KEY\",wire_api=\"responses\"}}' -m wayproof-auto"
            ),
        ),
        (
            "Copilot CLI",
            format!(
                "COPILOT_PROVIDER_BASE_URL={base}/v1 COPILOT_PROVIDER_TYPE=openai COPILOT_PROVIDER_API_KEY=any COPILOT_MODEL=wayproof-auto copilot"
            ),
        ),
        (
            "aider",
            format!(
                "OPENAI_API_BASE={base}/v1 OPENAI_API_KEY=any aider --model openai/wayproof-auto"
            ),
        ),
        (
            "Any agent, until its work is proven",
            "wayproof run --task bug-fix -- claude -p \"fix the crash in the parser\"".to_owned(),
        ),
    ];
    lines
        .into_iter()
        .map(|(name, command)| Agent { name, command })
        .collect()
}
