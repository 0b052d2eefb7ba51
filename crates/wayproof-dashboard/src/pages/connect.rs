//! How each agent is pointed at this gateway.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use crate::desk::Desk;
use crate::frame::{Frame, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "connect.html")]
struct ConnectPage {
    frame: Frame,
    ways: Ways,
    base: String,
}

/// How agents come here.
#[derive(Debug)]
pub(crate) struct Ways {
    /// By a command that changes the agent's own settings.
    pub(crate) connect: Vec<Agent>,
    /// By one line that changes nothing.
    pub(crate) lines: Vec<Agent>,
    pub(crate) wants_key: bool,
}

/// An agent and a command.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: &'static str,
    pub(crate) command: String,
}

/// The page.
pub(crate) async fn show(
    State(desk): State<Desk>,
    frame: Frame,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let base = base(&headers);
    std::future::ready(page(&ConnectPage {
        frame,
        ways: ways(&base, desk.house().wants_key()),
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

/// Every agent that `wayproof connect` knows: as people call it, and by the name that the command takes.
pub const CONNECTED: [(&str, &str); 12] = [
    ("Claude Code", "claude-code"),
    ("Codex", "codex"),
    ("Copilot CLI", "copilot-cli"),
    ("Copilot in VS Code", "vscode"),
    ("Cursor", "cursor"),
    ("Gemini CLI", "gemini-cli"),
    ("aider", "aider"),
    ("opencode", "opencode"),
    ("Qwen Code", "qwen-code"),
    ("Cline", "cline"),
    ("Continue", "continue"),
    ("pi", "pi"),
];

/// What connects each agent for good, and what starts some of them by one line.
pub(crate) fn ways(base: &str, wants_key: bool) -> Ways {
    let connect = CONNECTED.iter().map(|(title, name)| Agent {
        name: title,
        command: format!("wayproof connect {name} --gateway {base}"),
    });
    Ways {
        connect: connect.collect(),
        lines: lines(base, if wants_key { "KEY" } else { "any" }),
        wants_key,
    }
}

/// The same lines as `wayproof up` prints.
fn lines(base: &str, key: &str) -> Vec<Agent> {
    let claude_key = if key == "any" {
        String::new()
    } else {
        format!("ANTHROPIC_CUSTOM_HEADERS='x-wayproof-key: {key}' ")
    };
    let lines = [
        (
            "Claude Code",
            format!("ANTHROPIC_BASE_URL={base} {claude_key}claude --model claude-wayproof-auto"),
        ),
        (
            "Codex",
            format!(
                "WAYPROOF_API_KEY={key} codex -c model_provider=wayproof -c 'model_providers.wayproof={{name=\"wayproof\",base_url=\"{base}/v1\",env_key=\"WAYPROOF_API_KEY\",wire_api=\"responses\"}}' -m wayproof-auto"
            ),
        ),
        (
            "Copilot CLI",
            format!(
                "COPILOT_PROVIDER_BASE_URL={base}/v1 COPILOT_PROVIDER_TYPE=openai COPILOT_PROVIDER_API_KEY={key} COPILOT_MODEL=wayproof-auto copilot"
            ),
        ),
        (
            "aider",
            format!(
                "OPENAI_API_BASE={base}/v1 OPENAI_API_KEY={key} aider --model openai/wayproof-auto"
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
