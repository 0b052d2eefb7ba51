//! Which settings point each agent at the gateway: one file an agent, each a plan of plain values.
//!
//! What no file of the agent's can say is a step, written so that it can be copied.

mod aider;
mod claude_code;
mod cline;
mod codex;
mod continue_dev;
mod copilot;
mod cursor;
mod gemini;
mod opencode;
mod pi;
mod qwen;
mod vscode;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wayproof_wire::Protocol;

use super::{document::Format, edit::Change, limits::Limits};

/// The agents that can be connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Agent {
    ClaudeCode,
    Codex,
    Copilot,
    VsCode,
    Cursor,
    GeminiCli,
    Aider,
    OpenCode,
    QwenCode,
    Cline,
    Continue,
    Pi,
}

/// Where an agent looks for its settings.
pub(crate) struct Surroundings<'a> {
    pub(crate) home: PathBuf,
    /// The folder that a person names instead of all others.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What the settings should point at.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    /// The gateway's base URL.
    pub(crate) gateway: String,
    /// This program.
    pub(crate) program: PathBuf,
    /// Whether the agent brings a sign-in of its own, which is left alone.
    pub(crate) keeps_sign_in: bool,
    /// The key that the gateway wants, if it wants one.
    pub(crate) key: Option<String>,
    /// How much its model holds.
    pub(crate) limits: Limits,
}

/// What connecting takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) files: Vec<FilePlan>,
    /// What has to be done by hand.
    pub(crate) steps: Vec<String>,
}

/// What one file should say.
#[derive(Debug, Clone)]
pub(crate) struct FilePlan {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) changes: Vec<Change>,
}

/// The header in which a key of the gateway's stands beside the agent's own sign-in.
const KEY_HEADER: &str = "x-wayproof-key";

/// The key that agents show where they insist on one; a gateway on this machine takes any.
const ANY_KEY: &str = "wayproof";

/// The model that means: what the policy says.
const AUTO: &str = "wayproof-auto";

impl Agent {
    pub(crate) const ALL: [Self; 12] = [
        Self::ClaudeCode,
        Self::Codex,
        Self::Copilot,
        Self::VsCode,
        Self::Cursor,
        Self::GeminiCli,
        Self::Aider,
        Self::OpenCode,
        Self::QwenCode,
        Self::Cline,
        Self::Continue,
        Self::Pi,
    ];

    /// Names: the first is ours, the others are understood.
    const fn names(self) -> &'static [&'static str] {
        match self {
            Self::ClaudeCode => &["claude-code", "claude"],
            Self::Codex => &["codex"],
            Self::Copilot => &["copilot-cli", "copilot"],
            Self::VsCode => &["vscode", "vscode-copilot", "vs-code", "code"],
            Self::Cursor => &["cursor"],
            Self::GeminiCli => &["gemini-cli", "gemini"],
            Self::Aider => &["aider"],
            Self::OpenCode => &["opencode"],
            Self::QwenCode => &["qwen-code", "qwen"],
            Self::Cline => &["cline"],
            Self::Continue => &["continue", "cn"],
            Self::Pi => &["pi"],
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }

    pub(crate) fn find(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase().replace([' ', '_'], "-");
        Self::ALL
            .into_iter()
            .find(|agent| agent.names().contains(&name.as_str()))
    }

    /// The protocol that it is connected by.
    pub(crate) const fn protocol(self) -> Protocol {
        match self {
            Self::ClaudeCode => Protocol::Messages,
            Self::Codex => Protocol::Responses,
            Self::GeminiCli => Protocol::Gemini,
            Self::Copilot
            | Self::VsCode
            | Self::Cursor
            | Self::Aider
            | Self::OpenCode
            | Self::QwenCode
            | Self::Cline
            | Self::Continue
            | Self::Pi => Protocol::Chat,
        }
    }

    /// Where its settings are.
    pub(crate) fn folder(self, around: &Surroundings<'_>) -> PathBuf {
        if let Some(folder) = &around.folder {
            return folder.clone();
        }
        match self {
            Self::ClaudeCode => around.or_home("CLAUDE_CONFIG_DIR", ".claude"),
            Self::Codex => around.or_home("CODEX_HOME", ".codex"),
            Self::Copilot => around.or_home("COPILOT_HOME", ".copilot"),
            Self::VsCode => around.config().join("Code/User"),
            Self::Cursor => around.config().join("Cursor/User"),
            Self::GeminiCli => around.named("GEMINI_CLI_HOME").join(".gemini"),
            Self::Aider => around.home.clone(),
            Self::OpenCode => around.config().join("opencode"),
            Self::QwenCode => around.or_home("QWEN_HOME", ".qwen"),
            Self::Cline => around.or_home("CLINE_DIR", ".cline"),
            Self::Continue => around.or_home("CONTINUE_GLOBAL_DIR", ".continue"),
            Self::Pi => around.or_home("PI_CODING_AGENT_DIR", ".pi/agent"),
        }
    }

    /// What connecting it takes.
    pub(crate) fn plan(self, around: &Surroundings<'_>, point: &Point) -> Plan {
        let folder = self.folder(around);
        match self {
            Self::ClaudeCode => claude_code::plan(&folder, around, point),
            Self::Codex => codex::plan(&folder, point),
            Self::Copilot => copilot::plan(&folder, point),
            Self::VsCode => vscode::plan(&folder, point),
            Self::Cursor => cursor::plan(point),
            Self::GeminiCli => gemini::plan(&folder, point),
            Self::Aider => aider::plan(&folder, point),
            Self::OpenCode => opencode::plan(&folder, around, point),
            Self::QwenCode => qwen::plan(&folder, point),
            Self::Cline => cline::plan(&folder, around, point),
            Self::Continue => continue_dev::plan(&folder, point),
            Self::Pi => pi::plan(&folder, point),
        }
    }
}

impl Surroundings<'_> {
    /// A folder that a variable names, else one in the home directory.
    fn or_home(&self, variable: &str, folder: &str) -> PathBuf {
        (self.variable)(variable).map_or_else(|| self.home.join(folder), PathBuf::from)
    }

    fn named(&self, variable: &str) -> PathBuf {
        (self.variable)(variable).map_or_else(|| self.home.clone(), PathBuf::from)
    }

    /// Where programs keep their settings by the desktop's convention.
    fn config(&self) -> PathBuf {
        self.or_home("XDG_CONFIG_HOME", ".config")
    }
}

impl Point {
    /// The base of OpenAI's protocols.
    fn v1(&self) -> String {
        format!("{}/v1", self.gateway)
    }

    /// The key that the agent shows: the gateway's, else any.
    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or(ANY_KEY)
    }

    /// Puts the key into its place, over another only where the gateway wants this one.
    fn key_at(&self, at: &[&str]) -> Change {
        match &self.key {
            Some(key) => Change::set(at, key.as_str()),
            None => Change::offer(at, ANY_KEY),
        }
    }

    /// A command line of this program for a shell.
    fn command(&self, arguments: &str) -> String {
        let program = self.program.to_string_lossy().replace('\'', "'\\''");
        format!("'{program}' {arguments}")
    }

    /// The command of the stop hook.
    fn stop_command(&self) -> String {
        self.command("hook stop --standing")
    }

    /// The server of our tools, as most agents write one down.
    fn tools(&self) -> Value {
        json!({"command": self.program.to_string_lossy(), "args": ["mcp"]})
    }

    /// The entry of a list of hooks, as Claude Code and Codex read it.
    fn stop_hook(&self) -> Value {
        json!({"hooks": [{"type": "command", "command": self.stop_command(), "timeout": 3600}]})
    }
}

impl Plan {
    fn file(mut self, path: PathBuf, format: Format, changes: Vec<Change>) -> Self {
        self.files.push(FilePlan {
            path,
            format,
            changes,
        });
        self
    }

    fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }
}

/// The one of two files that is there, else the first.
fn existing(first: PathBuf, second: &Path) -> PathBuf {
    if !first.exists() && second.exists() {
        second.to_owned()
    } else {
        first
    }
}

#[cfg(test)]
mod tests {
    use super::Agent;

    #[test]
    fn the_pages_teach_every_agent() {
        let taught = wayproof_dashboard::CONNECTED.map(|(_, name)| name);
        assert_eq!(taught, Agent::ALL.map(Agent::name));
    }
}
