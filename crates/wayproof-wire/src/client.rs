//! Who is calling: the agent, its session and turn, and whether the request is the agent's own housekeeping.
//!
//! Each agent's habits are in one file below. They refuse to guess: what an agent does not say stays `None`, except
//! the session, which falls back to a fingerprint of how the conversation began.

pub(crate) mod aider;
mod autocomplete;
pub(crate) mod claude_code;
pub(crate) mod cline;
pub(crate) mod codex;
pub(crate) mod continue_cli;
pub(crate) mod copilot;
mod fingerprint;
pub(crate) mod gemini_cli;
pub(crate) mod mini_swe;
pub(crate) mod opencode;
pub(crate) mod pi;
pub(crate) mod qwen;

use std::cell::OnceCell;
use std::fmt;

use http::HeaderMap;
use memchr::{memchr2, memmem};
use serde::{Deserialize, Serialize};

use crate::json::{Json, unescape};
use crate::view::{Request, Role};

/// Longest identifier taken from a client.
const ID_BYTES: usize = 200;
/// How far into a prompt or an item a path or branch name is looked for.
const SEARCH_BYTES: usize = 128 * 1024;
/// Longest path or branch name taken from a prompt.
const PLACE_BYTES: usize = 1024;

/// A coding agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agent {
    /// Claude Code.
    ClaudeCode,
    /// OpenAI Codex.
    Codex,
    /// GitHub Copilot CLI.
    Copilot,
    /// Gemini CLI.
    GeminiCli,
    /// aider.
    Aider,
    /// opencode.
    Opencode,
    /// Qwen Code.
    Qwen,
    /// pi.
    Pi,
    /// Cline.
    Cline,
    /// Continue.
    Continue,
    /// mini-swe-agent.
    MiniSwe,
    /// Any other client.
    Other,
}

impl Agent {
    /// The name used in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "claude-code",
            Self::Codex => "codex",
            Self::Copilot => "copilot",
            Self::GeminiCli => "gemini-cli",
            Self::Aider => "aider",
            Self::Opencode => "opencode",
            Self::Qwen => "qwen",
            Self::Pi => "pi",
            Self::Cline => "cline",
            Self::Continue => "continue",
            Self::MiniSwe => "mini-swe",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A request an agent makes for itself, not for the user's job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Housekeeping {
    /// A name for the session.
    Title,
    /// May this action run? Never to be experimented on.
    PermissionCheck,
    /// The conversation is to be summarized.
    Compaction,
    /// A commit message.
    CommitMessage,
    /// What kind of message is this?
    TopicCheck,
    /// How many tokens is this?
    CountTokens,
    /// Nothing is wanted but a warm connection or a sign of life.
    Warmup,
    /// An editor wants to know how the text at the cursor may go on.
    Autocomplete,
    /// A text is to be turned into a vector.
    Embedding,
    /// What is this ask? The gateway's own question.
    Judging,
}

/// Where the session id came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionSource {
    /// A header of the agent.
    Header,
    /// A field of the body.
    Body,
    /// How the conversation began.
    Fingerprint,
}

/// Who is calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The agent.
    pub agent: Agent,
    /// Its version, where it says so.
    pub agent_version: Option<String>,
    /// The session; an agent's own id wherever there is one.
    pub session: String,
    /// Where the session id came from.
    pub session_source: SessionSource,
    /// The subagent that is calling, inside the session.
    pub subagent: Option<String>,
    /// The session or thread that started this one.
    pub parent_session: Option<String>,
    /// The agent's own id of the user's turn.
    pub turn: Option<String>,
    /// The directory the agent works in.
    pub cwd: Option<String>,
    /// The branch checked out when the session began.
    pub branch: Option<String>,
    /// Set when the request is not part of the user's job.
    pub housekeeping: Option<Housekeeping>,
}

/// Finds out who is calling.
pub fn identify(headers: &HeaderMap, request: &Request<'_>) -> Identity {
    let clues = Clues::new(headers, request);
    let agent = recognize(&clues);
    let mut identity = Identity {
        agent,
        agent_version: version(clues.user_agent),
        session: String::new(),
        session_source: SessionSource::Header,
        subagent: None,
        parent_session: None,
        turn: None,
        cwd: None,
        branch: None,
        housekeeping: None,
    };
    match agent {
        Agent::ClaudeCode => claude_code::identify(&clues, &mut identity),
        Agent::Codex => codex::identify(&clues, &mut identity),
        Agent::Copilot => copilot::identify(&clues, &mut identity),
        Agent::GeminiCli => gemini_cli::identify(&clues, &mut identity),
        Agent::Aider => aider::identify(&clues, &mut identity),
        Agent::Opencode => opencode::identify(&clues, &mut identity),
        Agent::Qwen => qwen::identify(&clues, &mut identity),
        Agent::Pi => pi::identify(&clues, &mut identity),
        Agent::Cline => cline::identify(&clues, &mut identity),
        Agent::Continue => continue_cli::identify(&clues, &mut identity),
        Agent::MiniSwe | Agent::Other => {}
    }
    if autocomplete::is_one(request) {
        identity.housekeeping = Some(Housekeeping::Autocomplete);
    }
    if identity.session.is_empty() {
        identity.set_session(
            clues
                .header("x-session-id")
                .or_else(|| clues.header("session-id")),
            clues.body_text(&["prompt_cache_key"]),
        );
    }
    if identity.session.is_empty() {
        identity.session = match identity.housekeeping {
            // Every pause at the keyboard begins with other words, and is no session of its own.
            Some(Housekeeping::Autocomplete) => format!("autocomplete-{agent}"),
            _ => fingerprint::fingerprint(agent, &clues),
        };
        identity.session_source = SessionSource::Fingerprint;
    }
    identity
}

impl Identity {
    /// Takes the first id there is, a header before a body.
    fn set_session(&mut self, header: Option<&str>, body: Option<String>) {
        if let Some(id) = header {
            id.clone_into(&mut self.session);
            self.session_source = SessionSource::Header;
        } else if let Some(id) = body {
            self.session = id;
            self.session_source = SessionSource::Body;
        }
    }
}

fn recognize(clues: &Clues<'_>) -> Agent {
    let named = |prefix: &str| clues.user_agent.starts_with(prefix);
    let has = |header: &str| clues.headers.contains_key(header);
    let originator = clues.header("originator").unwrap_or_default();
    if named("claude-cli/") || has("x-claude-code-session-id") {
        return Agent::ClaudeCode;
    }
    if named("codex") || originator.starts_with("codex") || has("x-codex-turn-metadata") {
        return Agent::Codex;
    }
    if named("opencode/") {
        return Agent::Opencode;
    }
    if named("GeminiCLI") {
        return Agent::GeminiCli;
    }
    if named("QwenCode/") {
        return Agent::Qwen;
    }
    if has("x-initiator") || has("x-interaction-type") {
        return Agent::Copilot;
    }
    let head = clues.system_head();
    let says = |words: &str| memmem::find(head.as_bytes(), words.as_bytes()).is_some();
    let marks: [(&str, Agent); 6] = [
        ("You are the GitHub Copilot CLI", Agent::Copilot),
        ("operating inside pi", Agent::Pi),
        ("You are Cline", Agent::Cline),
        ("You are Claude Code", Agent::ClaudeCode),
        ("SEARCH/REPLACE block", Agent::Aider),
        ("commit message", Agent::Aider),
    ];
    if named("ls/JS") {
        return Agent::Continue;
    }
    let marked = marks.iter().find(|(words, _)| says(words));
    match marked {
        Some((_, agent)) => *agent,
        None if mini_swe::speaks(clues.request) => Agent::MiniSwe,
        None => Agent::Other,
    }
}

/// The version in `name/1.2.3 (…)`.
fn version(user_agent: &str) -> Option<String> {
    let (_, rest) = user_agent.split_once('/')?;
    let version = rest.split([' ', '/', '(']).next()?;
    let is_version = version.starts_with(|first: char| first.is_ascii_digit());
    (is_version && version.len() <= ID_BYTES).then(|| version.to_owned())
}

/// What a request gives away about its sender.
pub(crate) struct Clues<'a> {
    headers: &'a HeaderMap,
    request: &'a Request<'a>,
    user_agent: &'a str,
    head: OnceCell<String>,
}

impl<'a> Clues<'a> {
    fn new(headers: &'a HeaderMap, request: &'a Request<'a>) -> Self {
        let user_agent = headers.get(http::header::USER_AGENT);
        Self {
            headers,
            request,
            user_agent: user_agent
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default(),
            head: OnceCell::new(),
        }
    }

    /// A header that can serve as an identifier.
    fn header(&self, name: &str) -> Option<&'a str> {
        let value = self.headers.get(name)?.to_str().ok()?.trim();
        is_id(value).then_some(value)
    }

    /// A string inside the body that can serve as an identifier.
    fn body_text(&self, path: &[&str]) -> Option<String> {
        let (first, rest) = path.split_first()?;
        let value = self.request.json(first)?.path(rest)?;
        value.owned_text().filter(|text| is_id(text))
    }

    fn system_head(&self) -> &str {
        self.head.get_or_init(|| self.request.system_head())
    }

    /// The system prompt as it was written, escapes and all.
    fn system_raw(&self) -> &'a [u8] {
        [
            "system",
            "instructions",
            "systemInstruction",
            "system_instruction",
        ]
        .iter()
        .find_map(|name| self.request.field(name))
        .or_else(|| {
            (self.request.role(0) == Some(Role::System))
                .then(|| self.request.raw_item(0))
                .flatten()
        })
        .unwrap_or_default()
    }

    fn has_tools(&self) -> bool {
        let tools = self.request.json("tools");
        tools.is_some_and(|tools| tools.elements().next().is_some())
    }

    /// Whether the newest item is the user's and one of its texts starts with `words`.
    fn last_text_starts_with(&self, words: &str) -> bool {
        let Some(last) = self.request.len().checked_sub(1) else {
            return false;
        };
        // The search over the raw text spares parsing on nearly every request.
        let raw = self.request.raw_item(last).unwrap_or_default();
        memmem::find(raw, words.as_bytes()).is_some()
            && self.request.spoken(last).is_some_and(|item| {
                item.role == Role::User
                    && item.parts.iter().any(
                        |part| matches!(part, crate::view::Part::Text(text) if text.starts_with(words)),
                    )
            })
    }

    /// What follows `marker` on its line, in the first `items` of the conversation.
    fn place_in_items(&self, items: usize, marker: &str) -> Option<String> {
        (0..items.min(self.request.len())).find_map(|index| {
            let raw = self.request.raw_item(index)?;
            place_after(raw, marker)
        })
    }
}

fn is_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= ID_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The rest of the line after `marker` in the raw text of JSON strings.
pub(crate) fn place_after(raw: &[u8], marker: &str) -> Option<String> {
    let raw = raw.get(..SEARCH_BYTES).unwrap_or(raw);
    let start = memmem::find(raw, marker.as_bytes())? + marker.len();
    let rest = raw.get(start..)?;
    let rest = rest.get(..PLACE_BYTES).unwrap_or(rest);
    let mut end = 0;
    while let Some(found) = rest.get(end..).and_then(|tail| memchr2(b'\\', b'"', tail)) {
        end += found;
        match rest.get(end..) {
            Some([b'\\', b'n' | b'r', ..] | [b'"', ..] | [b'\\']) | None => break,
            Some(_) => end += 2,
        }
    }
    let line = unescape(rest.get(..end)?);
    let place = line.trim();
    (!place.is_empty()).then(|| place.to_owned())
}

/// A string in a JSON text that arrived as a header or inside another string.
pub(crate) fn text_at(json: &str, path: &[&str]) -> Option<String> {
    let value = Json::new(json.as_bytes()).path(path)?;
    value.owned_text().filter(|text| is_id(text))
}
