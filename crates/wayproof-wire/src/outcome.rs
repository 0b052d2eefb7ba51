//! What the agent's tools gave back since the model last spoke.
//!
//! It joins results with their calls and reads success or failure the way each agent says it. It refuses to interpret
//! the output beyond that: recognizing compilers and test runners is the engine's work.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::client::{self, Agent};
use crate::tool;
use crate::view::{Item, Part, Request, Role};

/// What a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolKind {
    /// Runs a command.
    Shell,
    /// Changes files.
    Edit,
    /// Reads files.
    Read,
    /// Anything else.
    Other,
}

/// How a tool call ended, as far as the agent says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// An exit code.
    Code(i32),
    /// Success without a code.
    Succeeded,
    /// Failure without a code.
    Failed,
    /// Nothing is said.
    Unknown,
}

impl Exit {
    /// Whether the call failed for sure.
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Code(code) => code != 0,
            Self::Failed => true,
            Self::Succeeded | Self::Unknown => false,
        }
    }

    /// Whether the call succeeded for sure.
    pub const fn is_success(self) -> bool {
        match self {
            Self::Code(code) => code == 0,
            Self::Succeeded => true,
            Self::Failed | Self::Unknown => false,
        }
    }
}

/// One tool call with its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ToolOutcome {
    /// The id of the call. It survives replays, so it tells a new result from an old one.
    pub call_id: String,
    /// The tool; empty when the call was not found.
    pub tool: String,
    /// What the tool does.
    pub kind: ToolKind,
    /// The command, for a shell.
    pub command: Option<String>,
    /// The files the call names.
    pub paths: Vec<String>,
    /// How it ended.
    pub exit: Exit,
    /// What it printed.
    pub text: String,
}

/// The results among the new items, joined with the calls of the model's last items.
pub fn outcomes(agent: Agent, request: &Request<'_>) -> Vec<ToolOutcome> {
    let first_new = request.first_new();
    let mut results = Vec::new();
    let mut found = Vec::new();
    for item in (first_new..request.len()).filter_map(|index| request.item(index)) {
        if agent == Agent::Aider {
            found.extend(command_reports(&item));
        }
        results.extend(item.parts.into_iter().filter_map(|part| match part {
            Part::ToolResult { id, is_error, text } => Some((id, is_error, text)),
            _ => None,
        }));
    }
    if results.is_empty() {
        return found;
    }
    let calls = last_calls(request, first_new);
    for (position, (id, is_error, text)) in results.into_iter().enumerate() {
        // Protocols without ids pair calls and results by their order.
        let call = if id.is_empty() {
            calls.get(position)
        } else {
            calls.iter().find(|call| call.id == id)
        };
        let mut outcome = match call {
            Some(call) => tool::read_call(&call.name, &call.input),
            None => tool::read_call("", ""),
        };
        let (exit, text) = read_result(agent, outcome.kind, is_error, text);
        outcome.call_id = id.into_owned();
        outcome.exit = exit;
        outcome.text = text.into_owned();
        found.push(outcome);
    }
    found
}

struct Call<'a> {
    id: Cow<'a, str>,
    name: Cow<'a, str>,
    input: Cow<'a, str>,
}

/// The calls in the unbroken run of the model's items that ends before `first_new`.
fn last_calls<'a>(request: &Request<'a>, first_new: usize) -> Vec<Call<'a>> {
    let run = (0..first_new).rev();
    let mut items: Vec<Item<'a>> = run
        .take_while(|index| request.role(*index) == Some(Role::Assistant))
        .filter_map(|index| request.item(index))
        .collect();
    items.reverse();
    let parts = items.into_iter().flat_map(|item| item.parts);
    parts
        .filter_map(|part| match part {
            Part::ToolCall { id, name, input } => Some(Call { id, name, input }),
            _ => None,
        })
        .collect()
}

/// aider reports commands in the user's name; the text's hash serves as the id of the call.
fn command_reports(item: &Item<'_>) -> Option<ToolOutcome> {
    let text = (item.role == Role::User).then(|| item.text())?;
    let (command, output) = client::aider::command_report(&text)?;
    Some(ToolOutcome {
        call_id: format!("run-{:016x}", xxh3_64(text.as_bytes())),
        tool: "run".to_owned(),
        kind: ToolKind::Shell,
        command: Some(command.to_owned()),
        paths: Vec::new(),
        exit: Exit::Unknown,
        text: output.to_owned(),
    })
}

/// Reads a result in the agent's own way of saying it.
fn read_result(
    agent: Agent,
    kind: ToolKind,
    is_error: Option<bool>,
    text: Cow<'_, str>,
) -> (Exit, Cow<'_, str>) {
    let exit = match agent {
        Agent::ClaudeCode => client::claude_code::exit(is_error, &text),
        Agent::Codex => client::codex::exit(kind, &text),
        Agent::Copilot => client::copilot::exit(&text),
        Agent::GeminiCli => client::gemini_cli::exit(kind, is_error, &text),
        Agent::Qwen => client::qwen::exit(&text),
        Agent::Pi => client::pi::exit(kind, &text),
        Agent::Continue => client::continue_cli::exit(&text),
        Agent::Cline => return client::cline::unwrap_result(text),
        Agent::MiniSwe => return client::mini_swe::unwrap_result(text),
        Agent::Aider | Agent::Opencode => Exit::Unknown,
        Agent::Other => in_any_words(&text),
    };
    let exit = match (exit, is_error) {
        (Exit::Unknown, Some(true)) => Exit::Failed,
        (Exit::Unknown, _) if kind == ToolKind::Edit => edit_exit(&text),
        (Exit::Unknown, Some(false)) => Exit::Succeeded,
        (exit, _) => exit,
    };
    (exit, text)
}

/// Failed edits say so in their first words, whatever the agent; there is no mark of success.
fn edit_exit(text: &str) -> Exit {
    let is_failure = [
        "Error",
        "error:",
        "Failed",
        "apply_patch verification failed",
    ]
    .iter()
    .any(|words| text.trim_start().starts_with(words));
    if is_failure {
        Exit::Failed
    } else {
        Exit::Unknown
    }
}

/// The usual ways to state an exit code, at the start or the end of the text.
fn in_any_words(text: &str) -> Exit {
    let head = text.get(..text.floor_char_boundary(300)).unwrap_or(text);
    let tail = text.get(text.ceil_char_boundary(text.len().saturating_sub(200))..);
    let tail = tail.unwrap_or(text);
    [
        "exit code ",
        "Exit code ",
        "Exit code: ",
        "Exit Code: ",
        "exited with code ",
    ]
    .iter()
    .find_map(|words| code_after(head, words).or_else(|| code_after_last(tail, words)))
    .map_or(Exit::Unknown, Exit::Code)
}

/// The integer after the first `words`.
pub(crate) fn code_after(text: &str, words: &str) -> Option<i32> {
    let (_, rest) = text.split_once(words)?;
    leading_integer(rest)
}

/// The integer after the last `words`.
pub(crate) fn code_after_last(text: &str, words: &str) -> Option<i32> {
    let (_, rest) = text.rsplit_once(words)?;
    leading_integer(rest)
}

fn leading_integer(text: &str) -> Option<i32> {
    let text = text.trim_start();
    let is_part = |(at, byte): (usize, u8)| byte.is_ascii_digit() || (at == 0 && byte == b'-');
    let length = text
        .bytes()
        .enumerate()
        .take_while(|each| is_part(*each))
        .count();
    text.get(..length)?.parse().ok()
}
