//! The agents under test, with the models that each protocol asks for.

const ASK: &str = "Two tests of this repository fail. Find the bug in xmltodict.py, fix it, and say when you are done.";

/// An agent under test, with the models that its protocol asks for.
#[derive(Clone, Copy)]
pub(super) struct Real {
    pub(super) command: &'static [&'static str],
    pub(super) provider: &'static str,
    /// The one protocol that the provider speaks, and the path it is asked at; without one it speaks any.
    pub(super) only: Option<(&'static str, &'static str)>,
    pub(super) fast: &'static str,
    pub(super) strong: &'static str,
    /// What its environment says besides.
    pub(super) env: &'static [(&'static str, &'static str)],
    /// Its name in the table of conformance.
    pub(super) mark: &'static str,
}

pub(super) const CLAUDE: Real = Real {
    command: &["claude", "--dangerously-skip-permissions", "-p", ASK],
    provider: "anthropic",
    only: None,
    fast: "claude-haiku-4-5",
    strong: "claude-opus-4-8",
    env: &[],
    mark: "claude",
};

pub(super) const CODEX: Real = Real {
    command: &[
        "codex",
        "exec",
        "--dangerously-bypass-approvals-and-sandbox",
        ASK,
    ],
    provider: "openai",
    only: None,
    fast: "gpt-5.4-mini",
    strong: "gpt-5.5",
    env: &[],
    mark: "codex",
};

/// The same agent over one WebSocket, on which it says only what is new.
pub(super) const CODEX_ON_A_SOCKET: Real = Real {
    command: &[
        "codex",
        "exec",
        "-c",
        "model_providers.wayproof.supports_websockets=true",
        "--dangerously-bypass-approvals-and-sandbox",
        ASK,
    ],
    mark: "codex-socket",
    ..CODEX
};

pub(super) const GEMINI_CLI: Real = Real {
    command: &[
        "gemini",
        "--yolo",
        "--skip-trust",
        "-m",
        "wayproof-auto",
        "-p",
        ASK,
    ],
    provider: "google",
    only: None,
    fast: "gemini-3.5-flash",
    strong: "gemini-3.1-pro-preview",
    env: &[],
    mark: "gemini",
};

pub(super) const COPILOT: Real = Real {
    command: &[
        "copilot",
        "--allow-all-tools",
        "--allow-all-paths",
        "-p",
        ASK,
    ],
    provider: "openai",
    only: None,
    fast: "gpt-5.4-mini",
    strong: "gpt-5.5",
    env: &[],
    mark: "copilot",
};

/// The same agent as it speaks to Anthropic.
pub(super) const COPILOT_IN_MESSAGES: Real = Real {
    provider: "anthropic",
    fast: "claude-haiku-4-5",
    strong: "claude-opus-4-8",
    env: &[("COPILOT_PROVIDER_TYPE", "anthropic")],
    mark: "copilot-messages",
    ..COPILOT
};

/// The same agent as it speaks to OpenAI's newer interface.
pub(super) const COPILOT_IN_RESPONSES: Real = Real {
    env: &[("COPILOT_PROVIDER_WIRE_API", "responses")],
    mark: "copilot-responses",
    ..COPILOT
};

/// The same on a WebSocket.
pub(super) const COPILOT_ON_A_SOCKET: Real = Real {
    env: &[
        ("COPILOT_PROVIDER_WIRE_API", "responses"),
        ("COPILOT_PROVIDER_TRANSPORT", "websockets"),
    ],
    mark: "copilot-socket",
    ..COPILOT
};

/// It has no tools: it is told files, and writes them as it is answered.
pub(super) const AIDER: Real = Real {
    command: &[
        "aider",
        "--model",
        "openai/wayproof-auto",
        "--edit-format",
        "whole",
        "--yes-always",
        "--no-auto-commits",
        "--no-dirty-commits",
        "--no-check-update",
        "--no-show-release-notes",
        "--no-show-model-warnings",
        "--no-gitignore",
        "--no-pretty",
        "--analytics-disable",
        "--message",
        ASK,
        "xmltodict.py",
    ],
    provider: "openai",
    only: None,
    fast: "gpt-5.4-mini",
    strong: "gpt-5.5",
    env: &[],
    mark: "aider",
};

pub(super) const CHAT: Option<(&str, &str)> = Some(("chat", "/v1/chat/completions"));
pub(super) const GEMINI: Option<(&str, &str)> = Some(("gemini", "/v1beta/models/"));
pub(super) const MESSAGES: Option<(&str, &str)> = Some(("messages", "/v1/messages"));
pub(super) const RESPONSES: Option<(&str, &str)> = Some(("responses", "/v1/responses"));

/// The same agent, whose models are served in one protocol only.
pub(super) const fn over(agent: Real, only: Option<(&'static str, &'static str)>) -> Real {
    Real {
        provider: "elsewhere",
        only,
        ..agent
    }
}
